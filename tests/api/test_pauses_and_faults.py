"""The clock that stands, whose fault a breach is, and every scan a phone knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.paths import at, made_at, play, read, told

Body = Callable[..., dict[str, Any]]


# ---- the clock stands -----------------------------------------------------------------------
def test_a_paused_promise_neither_warns_nor_breaks_and_runs_on_with_what_was_left(
    shop: Api, operator: Api, body: Body
) -> None:
    made = made_at(shop, body(), "2020-04-07 14:00")  # 3 h until 17:00, 1 h of the next morning
    path = f"/v1/requests/{made['id']}"
    assert made["promise"][0]["due_at"] == at("2020-04-08 08:30") and made["promise"][0]["pauses"] == []
    refused = operator.post(f"{path}/pause", {"reason": "x", "party": "POST"}, at=at("2020-04-07 16:00"))
    assert (refused.status_code, refused.json["code"]) == (422, "pause_refused")
    why = {"reason": "mất điện", "party": "SHOP"}
    assert shop.post(f"{path}/pause", why, at=at("2020-04-07 16:00")).status_code == 403
    stood = operator.post(f"{path}/pause", why, at=at("2020-04-07 16:00")).json["promise"][0]
    assert stood["state"] == "PAUSED"
    assert stood["pauses"] == [{"from": at("2020-04-07 16:00"), "to": None, "reason": "mất điện", "party": "SHOP"}]
    later = read(shop, made["id"], "2020-04-10 09:00")["promise"][0]
    assert later["state"] == "PAUSED" and "promise.at_risk" not in told(shop)
    again = operator.post(f"{path}/pause", why, at=at("2020-04-10 09:00"))
    assert (again.status_code, again.json["code"]) == (409, "promise_not_running")
    on = operator.post(f"{path}/resume", at=at("2020-04-10 09:00")).json["promise"][0]
    # 2 h 00 were left on the shop's calendar (16:00–17:00 and one hour more).
    assert (on["state"], on["due_at"], on["warn_at"]) == ("RUNNING", at("2020-04-10 11:00"), at("2020-04-10 10:15"))
    assert on["due_at_strict"] == at("2020-04-10 11:00"), "18:00 of the 7th, moved by 65 hours"
    assert on["pauses"][0]["to"] == at("2020-04-10 09:00")
    met = play(shop, made["id"], ("assigned", "2020-04-10 09:10"), ("collected", "2020-04-10 11:00"))["promise"][0]
    assert (met["state"], met["met"], met["fault_party"]) == ("MET", True, None)


def test_a_courier_who_comes_while_the_clock_stands_has_come_in_time(shop: Api, operator: Api, body: Body) -> None:
    request_id = made_at(shop, body(), "2020-04-07 08:00")["id"]
    why = {"reason": "lũ", "party": "FORCE_MAJEURE"}
    operator.post(f"/v1/requests/{request_id}/pause", why, at=at("2020-04-07 09:00"))
    play(shop, request_id, ("assigned", "2020-04-09 09:10"))
    promise = play(shop, request_id, ("collected", "2020-04-09 10:00"))["promise"][0]
    assert (promise["state"], promise["pauses"][0]["to"]) == ("MET", at("2020-04-09 10:00"))
    answer = operator.post(f"/v1/requests/{request_id}/resume", at=at("2020-04-09 11:00"))
    assert answer.json["code"] == "promise_not_running"


# ---- whose fault -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "reason", "proof", "notice", "party"),
    [
        ("return", "NOT_READY", ["a" * 64], "09:00", "SHOP"),
        ("return", "NOT_READY", [], "09:00", "POST"),
        ("return", "OTHER", ["a" * 64], "09:00", "POST"),
        ("return", "OTHER", ["a" * 64], "08:40", "SHOP"),
        ("pickup", "BAD_ADDRESS", ["a" * 64], "09:00", "CITIZEN"),
        ("pickup", "OTHER", ["a" * 64], "09:00", "POST"),
    ],
)
def test_a_breach_names_the_side_on_which_its_cause_lies(
    shop: Api, body: Body, kind: str, reason: str, proof: list[str], notice: str, party: str
) -> None:
    asked = body(kind=kind, notice_at=at(f"2020-04-07 {notice}"))
    request_id = made_at(shop, asked, "2020-04-07 09:00")["id"]
    failed = play(
        shop,
        request_id,
        ("assigned", "2020-04-07 09:10"),
        ("collect_failed", "2020-04-07 10:00", {"reason": reason, "proof": proof}),
    )
    assert failed["promise"][0]["fault_party"] is None
    broken = read(shop, request_id, "2020-04-07 20:00")["promise"][0]
    assert (broken["state"], broken["fault_party"]) == ("BREACHED", party)
    late = play(shop, request_id, ("assigned", "2020-04-08 08:00"), ("collected", "2020-04-08 09:00"))["promise"][0]
    assert (late["met"], late["fault_party"]) == (False, party)


# ---- attempts and scans -----------------------------------------------------------------------
def test_a_collection_that_failed_is_given_again_and_the_third_time_only_by_hand(shop: Api, body: Body) -> None:
    request_id = made_at(shop, body(kind="pickup"), "2020-04-07 08:00")["id"]
    loop = [("assigned", "09:00"), ("collect_failed", "09:30"), ("assigned", "10:30"), ("collect_failed", "11:00")]
    shown = play(shop, request_id, *((event, f"2020-04-07 {when}") for event, when in loop))
    assert shown["status"] == "PICKUP_FAILED"
    early = shop.post(f"/v1/test/requests/{request_id}/advance", {"event": "collected", "at": at("2020-04-07 11:30")})
    assert early.json["status"] == "COLLECTED", "the courier who was given it may still come back with it"


def test_every_scan_a_phone_knows_can_be_played_and_unlawful_ones_are_refused(shop: Api, body: Body) -> None:
    request_id = made_at(shop, body(), "2020-04-07 08:00")["id"]

    def try_(event: str, when: str) -> Any:
        return shop.post(f"/v1/test/requests/{request_id}/advance", {"event": event, "at": at(f"2020-04-07 {when}")})

    assert try_("undone", "08:01").json["code"] == "illegal_transition", "there is nothing to take back"
    steps = [
        *(
            ("assigned", "ASSIGNED"),
            ("position", "ASSIGNED"),
            ("break_started", "ASSIGNED"),
            ("break_ended", "ASSIGNED"),
        ),
        *(("arrived", "ASSIGNED"), ("collected", "COLLECTED"), ("cash_taken", "COLLECTED")),
        *(("arrived_office", "AT_OFFICE"), ("departed_office", "IN_TRANSIT"), ("out_for_delivery", "OUT_FOR_DELIVERY")),
        *(("delivery_failed", "ATTEMPT_FAILED"), ("undone", "OUT_FOR_DELIVERY"), ("delivered", "DELIVERED")),
        *(("undone", "OUT_FOR_DELIVERY"), ("refused", "REFUSED"), ("cash_handed_in", "REFUSED")),
        *(("handed_over", "RETURNED_TO_SHOP"),),
    ]
    for number, (event, expected) in enumerate(steps):
        answer = try_(event, f"09:{number:02d}")
        assert (answer.status_code, answer.json.get("status")) == (200, expected), (event, answer.text)
    for event in ("handed_over", "delivered", "collected", "handover_refused", "refused", "out_for_delivery"):
        assert (try_(event, "10:00").status_code, try_(event, "10:00").json["code"]) == (409, "illegal_transition")
    assert try_("arrived", "08:30").json["code"] == "test_clock_backwards"


def test_no_delivery_without_a_signature_even_in_rehearsal(shop: Api, body: Body) -> None:
    request_id = made_at(shop, body(), "2020-04-07 08:00")["id"]
    play(shop, request_id, ("assigned", "2020-04-07 08:10"), ("collected", "2020-04-07 09:00"))
    unsigned = {"event": "delivered", "at": at("2020-04-07 10:00"), "payload": {"signature": ""}}
    answer = shop.post(f"/v1/test/requests/{request_id}/advance", unsigned)
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "guard_signature")
