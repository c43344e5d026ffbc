"""What does not arrive: invitations and ways back happen by themselves, papers are handed in when somebody signs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import Api, make_shop
from tests.api.paths import at, history, made_at, play, read, status, told

Body = Callable[..., dict[str, Any]]


def failed_on_the_eve_of_holidays(shop: Api, body: Body) -> str:
    """A return whose delivery fails on Wednesday 29/4/2020; Thursday and Friday are holidays."""
    request_id: str = made_at(shop, body(), "2020-04-28 09:00")["id"]
    scans = (
        ("assigned", "2020-04-28 09:10"),
        ("collected", "2020-04-28 10:00"),
        ("delivery_failed", "2020-04-29 15:00"),
    )
    shown = play(shop, request_id, *scans)
    assert status(shown) == "ATTEMPT_FAILED/INVITED_1"
    assert shown["undeliverable"] == {
        "failed_at": at("2020-04-29 15:00"),
        "invitation_1_on": "2020-04-29",
        "invitation_2_not_before": "2020-05-05",
        "return_not_before": "2020-05-07",
    }
    return request_id


# ---- a result nobody takes -----------------------------------------------------------------------
def test_two_invitations_and_the_way_back_happen_by_themselves_at_their_own_instants(shop: Api, body: Body) -> None:
    request_id = failed_on_the_eve_of_holidays(shop, body)
    assert status(read(shop, request_id, "2020-05-05 07:29")) == "ATTEMPT_FAILED/INVITED_1"
    assert status(read(shop, request_id, "2020-05-05 07:30")) == "ATTEMPT_FAILED/INVITED_2"
    weeks_later = read(shop, request_id, "2020-06-20 10:00")
    assert weeks_later["status"] == "RETURNING" and weeks_later["undeliverable"]["return_not_before"] == "2020-05-07"
    assert history(shop, request_id)[-2:] == [
        ("invited", at("2020-05-05 07:30")),
        ("returning", at("2020-05-07 07:30")),
    ]
    home = play(shop, request_id, ("handed_over", "2020-06-20 11:00"))
    assert home["status"] == "RETURNED_TO_SHOP" and told(shop).count("request.returned") == 1


def test_both_steps_are_found_in_order_by_one_who_looks_weeks_later(shop: Api, body: Body) -> None:
    request_id = failed_on_the_eve_of_holidays(shop, body)
    assert read(shop, request_id, "2020-06-20 10:00")["status"] == "RETURNING"
    assert [name for name, _ in history(shop, request_id)][-3:] == ["delivery_failed", "invited", "returning"]


def test_a_second_visit_after_the_second_day_is_the_second_invitation(shop: Api, body: Body) -> None:
    request_id = failed_on_the_eve_of_holidays(shop, body)
    early = play(shop, request_id, ("delivery_failed", "2020-05-04 10:00"))
    assert status(early) == "ATTEMPT_FAILED/INVITED_1" and early["undeliverable"]["return_not_before"] == "2020-05-07"
    out = play(shop, request_id, ("out_for_delivery", "2020-05-04 16:00"), ("delivery_failed", "2020-05-06 10:00"))
    assert status(out) == "ATTEMPT_FAILED/INVITED_2" and out["undeliverable"]["return_not_before"] == "2020-05-08"
    assert status(read(shop, request_id, "2020-05-08 07:29")) == "ATTEMPT_FAILED/INVITED_2"
    assert read(shop, request_id, "2020-05-08 07:30")["status"] == "RETURNING"


def test_the_citizen_comes_to_the_counter_between_the_invitations(shop: Api, body: Body) -> None:
    request_id = failed_on_the_eve_of_holidays(shop, body)
    shown = play(shop, request_id, ("arrived_office", "2020-04-29 17:00"), ("delivered", "2020-05-06 09:00"))
    assert shown["status"] == "DELIVERED" and "undeliverable" not in shown
    assert ("invited", at("2020-05-05 07:30")) in history(shop, request_id)
    assert read(shop, request_id, "2020-06-20 10:00")["status"] == "DELIVERED"


def test_a_refused_result_goes_back_to_the_shop(shop: Api, operator: Api, body: Body) -> None:
    refused = []
    for _ in range(2):
        request_id: str = made_at(shop, body(), "2020-04-28 09:00")["id"]
        scans = (("assigned", "2020-04-28 09:10"), ("collected", "2020-04-28 10:00"), ("refused", "2020-04-29 15:00"))
        assert play(shop, request_id, *scans)["status"] == "REFUSED"
        refused.append(request_id)
    by_itself, at_once = refused
    assert read(shop, by_itself, "2020-05-04 07:29")["status"] == "REFUSED"
    assert read(shop, by_itself, "2020-05-04 07:30")["status"] == "RETURNING"
    path = f"/v1/requests/{at_once}/back-to-sender"
    assert operator.post(path, {"reason": "gọi điện"}, at=at("2020-04-29 16:00")).json["status"] == "RETURNING"
    assert play(shop, at_once, ("handed_over", "2020-04-29 16:30"))["status"] == "RETURNED_TO_SHOP"
    closed = operator.post(f"/v1/requests/{at_once}/close", {"reason": "xong"}, at=at("2020-04-29 17:00"))
    assert closed.json["status"] == "CLOSED"


# ---- handing in -----------------------------------------------------------------------
@pytest.fixture
def centre(operator: Api) -> Api:
    """The provincial centre of Vĩnh Phúc, whose intake closes half an hour early."""
    changes = {"province_code": "26", "commune_code": "08707", "level": "PROVINCE", "hours_profile": "VP-CENTRE"}
    return operator.as_key(make_shop(operator, "vp-centre", **changes, lat=21.31, lng=105.6))


def taken_in(centre: Api, body: Body, when: str = "2020-04-16 13:00", **changes: Any) -> str:
    citizen = body()["citizen"] | {"address": {"commune_code": "08707", "era": "2020", "raw": "Tích Sơn, Vĩnh Yên"}}
    request_id: str = made_at(centre, body(kind="pickup", citizen=citizen, **changes), when)["id"]
    day = when[:10]
    play(centre, request_id, ("assigned", f"{day} 13:05"), ("collected", f"{day} 14:00"))
    return request_id


def test_c22_a_counter_that_has_closed_is_tried_again_next_morning_and_filed_when_signed(
    centre: Api, body: Body
) -> None:
    request_id = taken_in(centre, body)
    shut = play(centre, request_id, ("handover_refused", "2020-04-16 16:40", {"reason": "INTAKE_CLOSED"}))
    assert status(shut) == "AT_OFFICE/HANDOVER_REFUSED"
    assert shut["handover"] == {"planned_at": at("2020-04-17 07:00"), "legal_filed_at": None}
    filed = play(centre, request_id, ("handed_over", "2020-04-17 07:20"))
    assert filed["handover"]["legal_filed_at"] == at("2020-04-17 07:20")
    promise = filed["promise"][0]
    assert (promise["handover_due_at"], promise["handover_met"]) == (at("2020-04-17 16:30"), True)


def test_a_dossier_handed_in_after_the_next_sessions_cut_off_was_not_handed_in_in_time(centre: Api, body: Body) -> None:
    request_id = taken_in(centre, body)
    promise = play(centre, request_id, ("handed_over", "2020-04-17 08:00"))["promise"][0]
    assert (promise["handover_due_at"], promise["handover_met"]) == (at("2020-04-16 16:30"), False)


def test_a_wrong_dossier_is_completed_or_goes_back_to_the_citizen(centre: Api, operator: Api, body: Body) -> None:
    request_id = taken_in(centre, body)
    wrong = play(centre, request_id, ("handover_refused", "2020-04-16 15:00", {"reason": "INCOMPLETE"}))
    assert wrong["handover"] == {"planned_at": None, "legal_filed_at": None}
    asked = {"reason": "thiếu bản sao", "at_fault": "CITIZEN"}
    waits = operator.post(f"/v1/requests/{request_id}/supplement", asked, at=at("2020-04-16 15:30"))
    assert status(waits.json) == "AT_OFFICE/SUPPLEMENT"
    back = operator.post(f"/v1/requests/{request_id}/back-to-sender", {"reason": "rút"}, at=at("2020-04-17 08:00"))
    assert status(back.json) == "RETURNING/BACK_TO_SENDER"
    assert play(centre, request_id, ("delivered", "2020-04-17 10:00"))["status"] == "CLOSED"
    assert "request.delivered" not in told(centre)


def test_a_closed_counter_gives_no_reason_to_ask_for_papers(centre: Api, operator: Api, body: Body) -> None:
    request_id = taken_in(centre, body)
    play(centre, request_id, ("handover_refused", "2020-04-16 16:40", {"reason": "INTAKE_CLOSED"}))
    for call, more in (("supplement", {"at_fault": "SHOP"}), ("back-to-sender", {})):
        answer = operator.post(f"/v1/requests/{request_id}/{call}", {"reason": "?"} | more, at=at("2020-04-16 17:00"))
        assert (answer.status_code, answer.json["code"]) == (409, "illegal_transition")


def test_the_appointment_is_noted_and_the_request_closed(centre: Api, operator: Api, body: Body) -> None:
    request_id = taken_in(centre, body)
    slip = {"slip_no": "GT-15", "due_on": "2020-04-28"}
    early = centre.post(f"/v1/requests/{request_id}/appointment", slip, at=at("2020-04-16 15:00"))
    assert early.json["code"] == "illegal_transition"
    play(centre, request_id, ("handed_over", "2020-04-16 15:10"))
    noted = centre.post(f"/v1/requests/{request_id}/appointment", slip, at=at("2020-04-16 15:20")).json
    assert status(noted) == "HANDED_OVER/APPOINTMENT_NOTED" and noted["appointment"] == slip
    closed = operator.post(f"/v1/requests/{request_id}/close", {"reason": "xong"}, at=at("2020-04-16 16:00")).json
    assert closed["status"] == "CLOSED" and closed["handover"]["legal_filed_at"] == at("2020-04-16 15:10")
    assert told(centre).count("request.handed_over") == 1
