"""What people decide: new addresses, losses, compensation, reopening; lawyer and cashier agree with the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.bootstrap import System, secret_hash
from dispatch.store import tables as t
from tests.api.conftest import Api, make_shop
from tests.api.paths import FAR_AWAY, at, made_at, play, read, status, told

Body = Callable[..., dict[str, Any]]


# ---- a new address -----------------------------------------------------------------------
def test_a_new_address_before_collection_is_priced_and_promised_anew(shop: Api, body: Body) -> None:
    made = made_at(shop, body(), "2020-04-06 09:00")
    play(shop, made["id"], ("assigned", "2020-04-06 09:10"))
    moved = shop.post(f"/v1/requests/{made['id']}/redirect", FAR_AWAY, at=at("2020-04-06 10:00"))
    assert moved.status_code == 200, moved.text
    shown = moved.json
    assert (made["quote"]["payable_by_citizen"], shown["quote"]["payable_by_citizen"]) == (26_000, 30_000)
    assert [line["zone"] for line in shown["quote"]["lines"]] == ["INTER_DISTRICT"]
    assert shown["status"] == "DISPATCHED", "the round was made for the old address"
    assert shown["citizen"]["address"]["commune_code"] == shown["address"]["commune_code"] == "22489"
    assert shown["promise"][0]["due_at"] == made["promise"][0]["due_at"]
    assert shown["promise"][0]["delivery_expected_on"] == "2020-04-08" and "late_notice" not in shown["warnings"]
    assert told(shop).count("fee.corrected") == 1
    done = play(shop, made["id"], ("assigned", "2020-04-06 10:10"), ("collected", "2020-04-06 10:30"))
    assert done["quote"]["payable_by_citizen"] == 30_000


def test_a_new_address_under_way_is_a_second_carriage_from_that_day(shop: Api, body: Body) -> None:
    made = made_at(shop, body(), "2020-04-06 09:00")
    on_its_way = play(shop, made["id"], ("assigned", "2020-04-06 09:10"), ("collected", "2020-04-06 10:00"))
    assert on_its_way["promise"][0]["delivery_due_on"] == "2020-04-07"
    moved = shop.post(f"/v1/requests/{made['id']}/redirect", FAR_AWAY, at=at("2020-04-08 10:00")).json
    assert moved["status"] == "IN_TRANSIT" and moved["promise"][0]["delivery_due_on"] == "2020-04-10"
    assert [line["code"] for line in moved["quote"]["lines"]] == ["postage.return", "redirect"]
    assert moved["quote"]["payable_by_citizen"] == 56_000 and told(shop).count("fee.corrected") == 1
    assert play(shop, made["id"], ("delivered", "2020-04-10 09:00"))["promise"][0]["delivery_met"] is True
    late = shop.post(f"/v1/requests/{made['id']}/redirect", FAR_AWAY, at=at("2020-04-10 10:00"))
    assert (late.status_code, late.json["code"]) == (409, "redirect_too_late")


@pytest.mark.parametrize("end", ["refused", "delivered", "cancel"])
def test_an_address_is_not_changed_any_more_once_the_item_goes_back_or_has_ended(
    shop: Api, body: Body, end: str
) -> None:
    request_id = made_at(shop, body(), "2020-04-06 09:00")["id"]
    if end == "cancel":
        shop.post(f"/v1/requests/{request_id}/cancel", {"reason": "x"}, at=at("2020-04-06 09:30"))
    else:
        play(shop, request_id, ("assigned", "2020-04-06 09:10"), ("collected", "2020-04-06 10:00"))
        play(shop, request_id, (end, "2020-04-06 15:00"))
    answer = shop.post(f"/v1/requests/{request_id}/redirect", FAR_AWAY, at=at("2020-04-06 16:00"))
    assert (answer.status_code, answer.json["code"]) == (409, "redirect_too_late")


def test_a_sleeping_return_follows_the_new_address(shop: Api, body: Body) -> None:
    made = made_at(shop, body(kind="two_way"), "2020-04-06 09:00")
    play(shop, made["id"], ("assigned", "2020-04-06 09:10"), ("collected", "2020-04-06 10:00"))
    moved = shop.post(f"/v1/requests/{made['id']}/redirect", FAR_AWAY, at=at("2020-04-06 11:00"))
    assert moved.status_code == 200, moved.text
    assert moved.json["status"] == "COLLECTED"
    assert [line["amount"] for line in moved.json["quote"]["lines"]] == [26_000, 30_000]
    play(shop, made["id"], ("handed_over", "2020-04-06 14:00"))
    ready = {"notice_at": at("2020-04-20 09:00")}
    woken = shop.post(f"/v1/requests/{made['id']}/result-ready", ready, at=at("2020-04-20 09:00")).json
    assert woken["promise"][1]["delivery_expected_on"] == "2020-04-22", "J+2 for another district"


# ---- lost, damaged, reopened -----------------------------------------------------------------------
def test_a_lost_item_is_compensated_with_four_list_prices_and_all_costs(shop: Api, operator: Api, body: Body) -> None:
    request_id = made_at(shop, body(), "2020-07-20 09:00")["id"]
    money = {"minutes_at": at("2020-07-27 09:00"), "reissue_costs": 50_000}
    early = operator.post(f"/v1/requests/{request_id}/lost", {"reason": "?"}, at=at("2020-07-20 09:05"))
    assert early.json["code"] == "illegal_transition", "nothing was in the post's hands"
    play(shop, request_id, ("assigned", "2020-07-20 09:10"), ("collected", "2020-07-20 10:00"))
    answer = operator.post(f"/v1/requests/{request_id}/compensate", money, at=at("2020-07-27 10:00"))
    assert (answer.status_code, answer.json["code"]) == (409, "nothing_to_compensate")
    assert operator.post(f"/v1/requests/{request_id}/lost", {}, at=at("2020-07-27 10:00")).status_code == 422
    lost = operator.post(f"/v1/requests/{request_id}/lost", {"reason": "mất ở khai thác"}, at=at("2020-07-27 10:00"))
    assert status(lost.json) == "LOST/INVESTIGATING"
    unpaid = operator.post(f"/v1/requests/{request_id}/close", {"reason": "?"}, at=at("2020-07-27 10:30"))
    assert unpaid.json["code"] == "illegal_transition"
    answer = operator.post(f"/v1/requests/{request_id}/compensate", money, at=at("2020-07-27 11:00"))
    assert answer.json == {"amount": 154_000, "pay_by": "2020-08-26"}
    shown = read(shop, request_id, "2020-07-27 11:00")
    assert status(shown) == "LOST/COMPENSATION" and shown["compensation"] == answer.json
    closed = operator.post(f"/v1/requests/{request_id}/close", {"reason": "đã trả"}, at=at("2020-07-28 11:00"))
    assert closed.json["status"] == "CLOSED"


def test_a_found_item_goes_on_and_a_damaged_one_is_investigated(shop: Api, operator: Api, body: Body) -> None:
    request_id = made_at(shop, body(), "2020-07-20 09:00")["id"]
    play(shop, request_id, ("assigned", "2020-07-20 09:10"), ("collected", "2020-07-20 10:00"))
    for call, expected in (
        ("lost", "LOST/INVESTIGATING"),
        ("found", "AT_OFFICE"),
        ("damaged", "DAMAGED/INVESTIGATING"),
    ):
        answer = operator.post(f"/v1/requests/{request_id}/{call}", {"reason": "vì"}, at=at("2020-07-21 09:00"))
        assert status(answer.json) == expected
    assert shop.post(f"/v1/requests/{request_id}/lost", {"reason": "x"}).json["code"] == "scope_not_allowed"


def test_a_cancelled_request_lives_again_with_its_price_and_its_promise(shop: Api, operator: Api, body: Body) -> None:
    made = made_at(shop, body(kind="two_way"), "2020-04-06 09:00")
    path = f"/v1/requests/{made['id']}"
    ended = shop.post(f"{path}/cancel", {"reason": "nhầm"}, at=at("2020-04-06 09:30")).json
    assert ended["status"] == "CANCELLED" and ended["quote"]["payable_by_citizen"] == 0
    again = operator.post(f"{path}/reopen", {"reason": "bấm nhầm"}, at=at("2020-04-06 10:00")).json
    assert again["status"] == "REQUESTED" and again["quote"]["payable_by_citizen"] == 52_000
    assert again["quote"]["status"] == "FIRM" and sum(again["quote"]["borne_by"].values()) == 52_000
    assert again["promise"][0]["state"] == "RUNNING" and again["promise"][0]["due_at"] == made["promise"][0]["due_at"]
    assert [leg["status"] for leg in again["legs"]] == ["REQUESTED", "REQUESTED"]
    twice = operator.post(f"{path}/reopen", {"reason": "bấm nhầm"}, at=at("2020-04-06 10:00"))
    assert (twice.status_code, twice.json["code"]) == (409, "illegal_transition")
    play(shop, made["id"], ("assigned", "2020-04-06 10:10"), ("collected", "2020-04-06 11:00"))


def test_a_delivery_recorded_in_error_is_at_the_office_again(shop: Api, operator: Api, body: Body) -> None:
    request_id = made_at(shop, body(), "2020-04-06 09:00")["id"]
    scans = (("assigned", "2020-04-06 09:10"), ("collected", "2020-04-06 10:00"), ("delivered", "2020-04-06 15:00"))
    play(shop, request_id, *scans)
    again = operator.post(f"/v1/requests/{request_id}/reopen", {"reason": "nhầm nhà"}, at=at("2020-04-06 16:00")).json
    assert again["status"] == "AT_OFFICE" and again["promise"][0]["delivery_met"] is None
    assert play(shop, request_id, ("delivered", "2020-04-08 09:00"))["promise"][0]["delivery_met"] is False


def test_a_leg_is_not_reopened_beside_one_that_is_under_way(shop: Api, operator: Api, body: Body) -> None:
    made = made_at(shop, body(kind="two_way"), "2020-04-06 09:00")
    scans = (("assigned", "2020-04-06 09:10"), ("collected", "2020-04-06 10:00"), ("handed_over", "2020-04-06 14:00"))
    play(shop, made["id"], *scans)
    operator.post(f"/v1/requests/{made['id']}/close", {"reason": "xong"}, at=at("2020-04-06 15:00"))
    shop.post(f"/v1/requests/{made['id']}/result-ready", {}, at=at("2020-04-20 09:00"))
    answer = operator.post(
        f"/v1/requests/{made['id']}/reopen", {"reason": "?", "leg": "pickup"}, at=at("2020-04-20 10:00")
    )
    assert (answer.status_code, answer.json["code"]) == (409, "another_leg_is_live")


@pytest.mark.parametrize(("role", "expected"), [("supervisor", 200), ("coordinator", 403), ("cashier", 403)])
def test_what_is_a_supervisors_to_decide_is_refused_to_other_users(
    shop: Api, system: System, body: Body, role: str, expected: int
) -> None:
    request_id = made_at(shop, body(), "2020-04-06 09:00")["id"]
    play(shop, request_id, ("assigned", "2020-04-06 09:10"), ("collected", "2020-04-06 10:00"))
    with system.store.begin() as session:
        now = session.wall_clock()
        session.access.put_user("usr_1", "Lan", "-", role, now)
        session.access.add_sign_in(secret_hash("cookie"), "usr_1", now, timedelta(hours=1))
    read(shop, request_id, "2020-04-06 10:30")  # the board follows the latest instant of the test world
    shop.client.set_cookie("dieutin_session", "cookie")
    board = {"Dispatch-Board": "1", "Dispatch-Mode": "test"}
    answer = shop.as_key(None).post(f"/v1/requests/{request_id}/lost", {"reason": "mất"}, headers=board)
    assert answer.status_code == expected, answer.text
    with system.store.begin() as session:
        lines = session.connection.execute(select(t.audit).where(t.audit.c.action == "request.lost")).all()
    assert [(line.actor, line.target, line.detail["reason"]) for line in lines] == (
        [("user:usr_1", request_id, "mất")] if expected == 200 else []
    )
    assert expected == 200 or answer.json["code"] == "role_not_allowed"


# ---- money -----------------------------------------------------------------------
def test_the_charge_is_fixed_when_the_item_is_collected_and_a_changed_price_is_told(operator: Api, body: Body) -> None:
    """Gia Lai's cut ends on 30/5/2020; a result asked for before and collected after pays in full (C12)."""
    gia_lai = operator.as_key(make_shop(operator, "gl-pleiku", province_code="64", commune_code="23557"))
    citizen = body()["citizen"] | {"address": {"commune_code": "23557", "era": "2020"}}
    dossier = body()["dossier"] | {"submitted_at": at("2020-05-20 09:00")}
    made = made_at(gia_lai, body(citizen=citizen, dossier=dossier), "2020-05-29 15:00")
    assert made["quote"]["payable_by_citizen"] == 18_200
    late = play(gia_lai, made["id"], ("assigned", "2020-05-29 16:00"), ("collected", "2020-06-01 09:00"))
    assert late["quote"]["payable_by_citizen"] == 26_000 and "OUT_OF_WINDOW" in late["quote"]["reasons"]
    assert told(gia_lai).count("fee.corrected") == 1
