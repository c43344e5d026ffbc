"""What a courier's phone relies on: nothing scanned is lost or counted twice, nobody else's stops are touched."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.store import tables as t
from tests.api.conftest import NOON, Api

Body = Callable[..., dict[str, Any]]
SIGNATURE = hashlib.sha256(b"png").hexdigest()


@pytest.fixture
def phone(operator: Api) -> Api:
    """The courier c1, signed in."""
    office = {"name": "Bưu cục Nha Trang", "province_code": "56", "commune_code": "22366", "era": "2025"}
    assert operator.put("/v1/admin/offices/bc-nt", office | {"lat": 12.245, "lng": 109.19}).status_code == 201
    for courier, number in (("c1", "0900000001"), ("c2", "0900000002")):
        made = operator.put(
            f"/v1/admin/couriers/{courier}",
            {"name": f"Bưu tá {courier}", "phone": number, "pin": "2468", "home_office_id": "bc-nt"},
        )
        assert made.status_code == 201, made.text
        assert "pin" not in made.json
    return sign_in(operator, "0900000001")


def sign_in(operator: Api, number: str) -> Api:
    answer = operator.as_key(None).post("/v1/courier/sessions", {"phone": number, "pin": "2468"})
    assert answer.status_code == 201, answer.text
    return operator.as_key(answer.json["token"])


@pytest.fixture
def request_id(shop: Api, phone: Api, body: Body) -> str:
    """A return of the shop, given to c1 at 10:10."""
    made: str = shop.post("/v1/requests", body(), at=NOON).json["id"]
    step = {"event": "assigned", "at": "2026-11-23T10:10:00+07:00", "payload": {"courier_id": "c1"}}
    assert shop.post(f"/v1/test/requests/{made}/advance", step).status_code == 200
    return made


def event(kind: str, clock: str, request_id: str | None, number: int, **more: Any) -> dict[str, Any]:
    payloads: dict[str, dict[str, Any]] = {
        "collected": {"slip_signed": True, "signature": SIGNATURE, "documents_checked": True},
        "delivered": {
            "signature": SIGNATURE,
            "recipient": {"relation": "SELF", "name": "Nguyễn Thị Ánh Nguyệt", "id_type": "CCCD", "id_last4": "1234"},
        },
    }
    return {
        "event_id": f"0190a000-0000-7000-8000-{number:012d}",
        "device_seq": number,
        "type": kind,
        "stop_id": None,
        "request_ids": [request_id] if request_id else [],
        "at_device": f"2026-11-23T{clock}+07:00",
        "clock_offset_ms": 0,
        "lat": 12.25,
        "lng": 109.19,
        "accuracy_m": 12.5,
        "payload": payloads.get(kind, {}),
        "media": [],
    } | more


def sync(phone: Api, *events: Any, at: str = "2026-11-23T16:00:00+07:00") -> list[dict[str, Any]]:
    answer = phone.post("/v1/courier/sync", {"events": list(events)}, at=at)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json["results"]
    return results


def results(found: list[dict[str, Any]]) -> list[str]:
    return [line["result"] for line in found]


def test_a_day_recorded_offline_counts_once_and_by_the_phones_time(shop: Api, phone: Api, request_id: str) -> None:
    scans = [event("collected", "13:30:00", request_id, 1), event("delivered", "15:00:00", request_id, 2)]
    assert results(sync(phone, *scans)) == ["applied", "applied"]
    assert results(sync(phone, *reversed(scans))) == ["duplicate", "duplicate"]
    shown = shop.get(f"/v1/requests/{request_id}").json
    assert shown["status"] == "DELIVERED"
    promise = shown["promise"][0]
    assert (promise["state"], promise["stopped_at"]) == ("MET", "2026-11-23T13:30:00+07:00")


def test_events_that_arrive_in_the_wrong_order_end_the_same(shop: Api, phone: Api, request_id: str) -> None:
    late = sync(phone, event("delivered", "15:00:00", request_id, 2))
    assert results(late) == ["conflict"]
    assert late[0]["server_state"][request_id]["status"] == "ASSIGNED"
    assert results(sync(phone, event("collected", "13:30:00", request_id, 1))) == ["applied"]
    assert shop.get(f"/v1/requests/{request_id}").json["status"] == "DELIVERED"


def test_a_phone_whose_clock_is_wrong_is_judged_on_corrected_time(shop: Api, phone: Api, request_id: str) -> None:
    # The phone is 17 minutes ahead and knows it.
    scan = event("collected", "14:10:00", request_id, 1, clock_offset_ms=-17 * 60_000)
    assert results(sync(phone, scan)) == ["applied"]
    promise = shop.get(f"/v1/requests/{request_id}").json["promise"][0]
    assert (promise["stopped_at"], promise["met"]) == ("2026-11-23T13:53:00+07:00", True)
    line = shop.get(f"/v1/requests/{request_id}/events").json["data"][-1]
    assert line["device_at"] == "2026-11-23T14:10:00+07:00" and line["recorded_at"] == "2026-11-23T16:00:00+07:00"


@pytest.mark.parametrize(
    ("kind", "payload", "code"),
    [
        ("collected", {"slip_signed": True, "documents_checked": True}, "guard_signature"),
        ("collected", {"slip_signed": False, "signature": SIGNATURE, "documents_checked": True}, "guard_slip_signed"),
        ("delivered", {"signature": SIGNATURE, "recipient": {"relation": "SELF"}}, "guard_recipient"),
        ("collect_failed", {"reason": "BORED", "proof": []}, "guard_reason"),
        ("collect_failed", {"reason": "OTHER"}, "guard_proof"),
        ("cash_taken", {"postage": 26000, "state_fee": 50000}, "guard_receipt_no"),
        ("cash_taken", {"postage": -1, "state_fee": 0}, "guard_postage"),
        ("teleported", {}, "unknown_event"),
    ],
)
def test_an_event_without_its_proof_is_rejected_and_changes_nothing(
    shop: Api, phone: Api, request_id: str, kind: str, payload: dict[str, Any], code: str
) -> None:
    bad = event(kind, "13:30:00", request_id, 1, payload=payload)
    good = event("collected", "13:31:00", request_id, 2)
    found = sync(phone, bad, {"event_id": "x"}, good)
    assert found[0] == {"event_id": bad["event_id"], "result": "rejected", "code": code}
    assert results(found)[1:] == ["rejected", "applied"]


def test_nobody_scans_anothers_stop(operator: Api, shop: Api, phone: Api, request_id: str) -> None:
    other = sign_in(operator, "0900000002")
    found = sync(other, event("collected", "13:30:00", request_id, 1))
    assert (found[0]["result"], found[0]["code"]) == ("rejected", "not_your_stop")
    assert shop.get(f"/v1/requests/{request_id}").json["status"] == "ASSIGNED"
    assert phone.get(f"/v1/requests/{request_id}").status_code == 403


def test_an_absent_customer_with_proof_in_time_keeps_the_promise(shop: Api, phone: Api, request_id: str) -> None:
    failed = event(
        "collect_failed", "13:59:00", request_id, 1, payload={"reason": "CUSTOMER_ABSENT", "proof": ["a" * 64]}
    )
    assert results(sync(phone, failed)) == ["applied"]
    shown = shop.get(f"/v1/requests/{request_id}").json
    assert shown["status"] == "PICKUP_FAILED" and shown["promise"][0]["state"] == "MET_CUSTOMER_ABSENT"


def test_a_failed_delivery_names_the_two_invitations(shop: Api, phone: Api, request_id: str) -> None:
    failed = event(
        "delivery_failed", "15:00:00", request_id, 2, payload={"reason": "CUSTOMER_ABSENT", "proof": ["a" * 64]}
    )
    sync(phone, event("collected", "13:30:00", request_id, 1), failed)
    shown = shop.get(f"/v1/requests/{request_id}").json
    assert (shown["status"], shown["substatus"]) == ("ATTEMPT_FAILED", "INVITED_1")
    # 24/11/2026 is a holiday: two working days after Monday the 23rd is Thursday the 26th.
    assert shown["undeliverable"]["invitation_2_not_before"] == "2026-11-26"
    assert shown["undeliverable"]["return_not_before"] == "2026-11-30"


def test_five_wrong_pins_lock_the_phone_number(operator: Api, phone: Api) -> None:
    nobody = operator.as_key(None)
    tries = [nobody.post("/v1/courier/sessions", {"phone": "0900000001", "pin": "0000"}) for _ in range(5)]
    assert [answer.status_code for answer in tries] == [401, 401, 401, 401, 429]
    right = nobody.post("/v1/courier/sessions", {"phone": "0900000001", "pin": "2468"})
    assert right.status_code == 429 and int(right.headers["Retry-After"]) > 0


def test_a_proof_is_kept_once_and_only_as_what_it_claims_to_be(phone: Api) -> None:
    def put(name: str, content: bytes, kind: str = "image/png") -> int:
        sent = {"Authorization": f"Bearer {phone.key}"}
        path = f"/v1/courier/media/{name}"
        return phone.client.put(path, data=content, content_type=kind, headers=sent).status_code

    assert [put(SIGNATURE, b"png"), put(SIGNATURE, b"png")] == [201, 200]
    assert put(SIGNATURE, b"other") == 422
    assert put(SIGNATURE, b"png", "text/html") == 415


def test_cash_for_several_dossiers_is_shared_out_by_what_each_owes(shop: Api, phone: Api, body: Body) -> None:
    ids = []
    for _ in range(2):
        made = shop.post("/v1/requests", body(), at=NOON).json["id"]
        step = {"event": "assigned", "at": NOON, "payload": {"courier_id": "c1"}}
        shop.post(f"/v1/test/requests/{made}/advance", step)
        ids.append(made)
    paid = event("cash_taken", "13:30:00", None, 1, payload={"postage": 52_000, "state_fee": 0, "receipt_no": "7"})
    assert results(sync(phone, paid | {"request_ids": ids})) == ["applied"]
    again = json.loads(shop.get(f"/v1/requests/{ids[0]}").get_data())
    assert again["quote"]["payable_by_citizen"] == 26_000
    pack = phone.get("/v1/courier/day", at=NOON).json
    assert (pack["courier_id"], pack["stops"], len(pack["reasons"])) == ("c1", [], 7)


def test_a_refused_result_is_handed_back_at_the_counter_in_whatever_order_the_scans_arrive(
    shop: Api, phone: Api, request_id: str
) -> None:
    record = {"record_no": "BB-1", "signature": SIGNATURE, "officer_id": "cb-1"}
    home = event("handed_over", "15:30:00", request_id, 3, payload=record)
    refused = event("refused", "15:00:00", request_id, 2, payload={"signature": SIGNATURE, "id_type": "CCCD"})
    assert results(sync(phone, home)) == ["conflict"], "kept as evidence"
    assert results(sync(phone, refused, event("collected", "13:30:00", request_id, 1))) == ["conflict", "applied"]
    shown = shop.get(f"/v1/requests/{request_id}").json
    assert shown["status"] == "RETURNED_TO_SHOP" and "handover" not in shown
    told = [entry["type"] for entry in shop.get("/v1/events").json["data"]]
    assert told.count("request.returned") == 1 and "request.handed_over" not in told


def test_an_undone_scan_names_what_it_takes_back(shop: Api, phone: Api, request_id: str) -> None:
    scan = event("collected", "13:30:00", request_id, 1)
    vague = event("undone", "13:31:00", request_id, 2)
    found = sync(phone, scan, vague, event("undone", "13:32:00", request_id, 3, payload={"event_id": scan["event_id"]}))
    assert results(found) == ["applied", "rejected", "applied"] and found[1]["code"] == "guard_event_id"
    shown = shop.get(f"/v1/requests/{request_id}").json
    assert shown["status"] == "ASSIGNED" and shown["promise"][0]["stopped_at"] is None


def test_cash_goes_to_the_desk_by_the_shift_not_by_the_dossier(phone: Api, system: Any) -> None:
    cash = event("cash_handed_in", "17:00:00", None, 1, payload={"postage": 26_000, "state_fee": 0})
    wrong = event("cash_handed_in", "17:01:00", None, 2, payload={"postage": -1})
    found = sync(phone, cash, cash, wrong, at="2026-11-23T17:30:00+07:00")
    assert results(found) == ["applied", "duplicate", "rejected"] and found[2]["code"] == "guard_postage"
    with system.store.begin() as session:
        rows = session.connection.execute(select(t.ledger.c.book, t.ledger.c.amount, t.ledger.c.courier_id)).all()
    assert [tuple(row) for row in rows] == [("POSTAGE", -26_000, "c1")]
