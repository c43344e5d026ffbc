"""The thread that everything hangs on: asked, promised, planned, collected, delivered, labelled, told."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from typing import Any

import pypdfium2
import zxingcpp

from tests.journeys.conftest import Client, Receiver, until

DAY = "2026-11-23"
PNG = b"\x89PNG\r\n\x1a\n-signature"
SIGNATURE = hashlib.sha256(PNG).hexdigest()


def clock(time: str) -> str:
    return f"{DAY}T{time}:00+07:00"


def settle_in(operator: Client, receiver: Receiver) -> tuple[Client, Client]:
    """An office, a shop, a courier on shift and a webhook; gives the shop's and the courier's client."""
    place = {"province_code": "56", "era": "2025"}
    operator.call(
        "PUT",
        "/v1/admin/offices/bc-nha-trang",
        place | {"name": "Bưu cục Nha Trang", "commune_code": "22366", "lat": 12.2452, "lng": 109.1930},
    )
    operator.call(
        "PUT",
        "/v1/admin/shops/kh-nha-trang",
        place
        | {"name": "Bộ phận Một cửa phường Nha Trang", "commune_code": "22366", "lat": 12.2488, "lng": 109.1943}
        | {"level": "COMMUNE", "hours_profile": "OSS-DEFAULT", "rooms": []},
    )
    operator.call(
        "PUT",
        "/v1/admin/couriers/bt-01",
        {"name": "Trần Văn Bình", "phone": "0900000001", "pin": "2468", "home_office_id": "bc-nha-trang"}
        | {"skills": ["HCC"], "capacity_items": 40, "vehicle": "MOTORBIKE", "base": {"lat": 12.2452, "lng": 109.193}},
    )
    operator.call("PUT", f"/v1/admin/shifts/bt-01/{DAY}", {"starts_at": clock("07:00"), "ends_at": clock("18:30")})
    key = operator.call("POST", "/v1/admin/keys", {"scope": "shop", "shop_id": "kh-nha-trang", "mode": "test"})["key"]
    shop = operator.as_key(key)
    receiver.secret = shop.call("POST", "/v1/webhooks", {"url": receiver.url, "types": ["*"]})["secret"]
    token = operator.as_key(None).call("POST", "/v1/courier/sessions", {"phone": "0900000001", "pin": "2468"})["token"]
    return shop, operator.as_key(token)


def ask(shop: Client, kind: str, at: str) -> dict[str, Any]:
    body = {
        "external_ref": f"KH-2026-0042/{kind}",
        "kind": kind,
        "dossier": {"code": "000.00.16.H32-261120-0015", "online_level": 4, "submitted_via": "ONLINE"},
        "citizen": {
            "name": "Nguyễn Thị Ánh Nguyệt",
            "phone": "0905123456",
            "address": {
                "raw": "12 Nguyễn Đình Chiểu, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa",
                "commune_code": "22330",
                "era": "2020",
                "lat": 12.2793,
                "lng": 109.1957,
            },
        },
        "weight_g": 80,
        "documents": [{"name": "Giấy chứng nhận", "copies": 1, "original": True}],
    }
    made: dict[str, Any] = shop.call("POST", "/v1/requests", body, at=at)
    return made


def plan_and_commit(operator: Client, at: str) -> dict[str, Any]:
    """The coordinator's morning: a draft by the real worker, looked at, committed."""
    wanted = {"province_code": "56", "date": DAY, "mode": "replan", "seconds": 1}
    operation = operator.call("POST", "/v1/plans", wanted, at=at)

    def done() -> Any:
        found = operator.call("GET", f"/v1/operations/{operation['id']}")
        assert found["status"] not in ("failed", "cancelled"), found
        return found if found["status"] == "succeeded" else None

    path = f"/v1/plans/{until('the worker to plan', done)['result']['plan_id']}"
    plan: dict[str, Any] = operator.call("GET", path)
    assert plan["unserved"] == []
    operator.call("POST", f"{path}/commit", {}, at=at, **{"If-Match": operator.etag(path)})
    return plan


def scan(courier: Client, stop: dict[str, Any], kind: str, at: str, payload: dict[str, Any], number: int) -> None:
    event = {
        "event_id": str(uuid.UUID(int=number)),
        "device_seq": number,
        "type": kind,
        "stop_id": stop["stop_id"],
        "request_ids": stop["request_ids"],
        "at_device": at,
        "clock_offset_ms": 0,
        "lat": stop["place"]["lat"],
        "lng": stop["place"]["lng"],
        "accuracy_m": 8,
        "payload": payload,
        "media": [SIGNATURE],
    }
    for expected in ("applied", "duplicate"):  # a phone that never saw the answer sends again
        results = courier.call("POST", "/v1/courier/sync", {"events": [event]}, at=at)["results"]
        assert [line["result"] for line in results] == [expected], results


def stops(courier: Client, at: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = courier.call("GET", f"/v1/courier/day?date={DAY}", at=at)["stops"]
    return found


def check_label(shop: Client, made: dict[str, Any]) -> None:
    """The label prints, and both codes on it read back from the picture at the printer's 203 dpi."""
    pdf = pypdfium2.PdfDocument(shop.call("GET", made["label_url"]))
    picture = pdf[0].render(scale=203 / 72).to_pil()
    assert {code.text for code in zxingcpp.read_barcodes(picture)} == {made["item_id"], made["tracking_url"]}


def told_once(receiver: Receiver, shop: Client, last: str) -> list[str]:
    """Waits until the shop was told of everything in its feed; every message exactly once and rightly signed."""
    until(f"the shop to be told of {last}", lambda: last in receiver.types())
    feed = shop.call("GET", "/v1/events?after=0")["data"]
    until("every entry of the feed to arrive", lambda: len(set(receiver.ids)) == len(feed))
    assert sorted(receiver.ids) == sorted(entry["id"] for entry in feed)
    assert receiver.refused == []
    by_id = {told["id"]: told for told in receiver.told}
    assert all(by_id[entry["id"]] == entry for entry in feed)
    assert all(entry["livemode"] is False for entry in feed)
    return receiver.types()


def test_a_body_of_unnamed_length_is_refused_like_a_named_one(operator: Client) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"note": "'
        for _ in range(12):
            yield b"x" * 100_000
        yield b'"}'

    headers = {"Authorization": f"Bearer {operator.key}", "Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = operator.pool.request("POST", f"{operator.base}/v1/requests", body=chunks(), headers=headers, chunked=True)
    assert (answer.status, answer.json()["code"]) == (413, "body_too_large")


def test_a_return_goes_from_the_counter_to_the_citizen_and_the_shop_is_told(
    operator: Client, receiver: Receiver
) -> None:
    shop, courier = settle_in(operator, receiver)
    made = ask(shop, "return", clock("09:00"))
    assert made["promise"][0]["due_at"] == clock("13:00") and made["quote"]["payable_by_citizen"] == 26_000
    check_label(shop, made)
    plan_and_commit(operator, clock("09:05"))

    pickup, delivery = stops(courier, clock("09:10"))
    assert (pickup["kind"], pickup["place"]["at"], pickup["due_at"]) == ("pickup", "shop", clock("13:00"))
    assert (delivery["kind"], delivery["money"]) == ("delivery", {"postage": 26_000, "state_fee": 0})
    scan(courier, pickup, "arrived", clock("09:20"), {}, 1)
    taken = {"slip_signed": True, "signature": SIGNATURE, "documents_checked": True, "seal_no": "N-001"}
    scan(courier, pickup, "collected", clock("09:22"), taken, 2)
    scan(courier, delivery, "cash_taken", clock("10:00"), {"postage": 26_000, "state_fee": 0, "receipt_no": "1"}, 3)
    person = {"relation": "SELF", "name": "Nguyễn Thị Ánh Nguyệt", "id_type": "CCCD", "id_last4": "1234"}
    scan(courier, delivery, "delivered", clock("10:01"), {"signature": SIGNATURE, "recipient": person}, 4)
    assert [stop["state"] for stop in stops(courier, clock("10:05"))] == ["done", "done"]

    shown = shop.call("GET", f"/v1/requests/{made['id']}")
    promise = shown["promise"][0]
    assert (shown["status"], promise["state"], promise["stopped_at"]) == ("DELIVERED", "MET", clock("09:22"))
    assert promise["delivery_due_on"] == "2026-11-25"  # the 24th is Vietnam Culture Day
    assert told_once(receiver, shop, "request.delivered") == [
        *("request.created", "fee.assessed", "request.dispatched", "request.assigned"),
        *("request.collected", "promise.met", "request.delivered"),
    ]
    trail = [line["status"] for line in shop.call("GET", f"/v1/requests/{made['id']}/events")["data"]]
    assert trail == [
        *("REQUESTED", "DISPATCHED", "ASSIGNED", "COLLECTED"),
        *("IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY", "DELIVERED"),
    ]
    tracked = operator.as_key(None).call("GET", "/v1/track/" + made["tracking_url"].split("/t/")[1])
    assert (tracked["status"], tracked["citizen_masked"]) == ("DELIVERED", "N. T. Á. Nguyệt")
    board = operator.call("GET", f"/v1/board?date={DAY}", at=clock("10:10"))
    assert board["counts"]["delivered"] == 1 and board["counts"]["open"] == 0
    assert {part["state"] for part in board["health"].values()} == {"ok"}


def test_a_pickup_goes_from_the_citizen_to_the_counter_and_the_shop_is_told(
    operator: Client, receiver: Receiver
) -> None:
    shop, courier = settle_in(operator, receiver)
    made = ask(shop, "pickup", clock("08:15"))
    assert made["promise"][0]["due_at"] == clock("12:15")
    check_label(shop, made)
    plan_and_commit(operator, clock("08:20"))

    pickup, delivery = stops(courier, clock("08:30"))
    assert (pickup["place"]["at"], delivery["place"]["at"]) == ("citizen", "shop")
    assert pickup["money"] == {"postage": 26_000, "state_fee": 0} and delivery["money"]["postage"] == 0
    assert [paper["name"] for paper in pickup["documents"]] == ["Giấy chứng nhận"]
    taken = {"slip_signed": True, "signature": SIGNATURE, "documents_checked": True}
    scan(courier, pickup, "collected", clock("08:50"), taken, 1)
    record = {"record_no": "BB-1", "signature": SIGNATURE, "officer_id": "cb-017"}
    scan(courier, delivery, "handed_over", clock("09:40"), record, 2)

    shown = shop.call("GET", f"/v1/requests/{made['id']}")
    assert shown["status"] == "HANDED_OVER" and shown["handover"]["legal_filed_at"] == clock("09:40")
    assert (shown["promise"][0]["met"], shown["promise"][0]["met_strict"]) == (True, True)
    assert told_once(receiver, shop, "request.handed_over") == [
        *("request.created", "fee.assessed", "request.dispatched", "request.assigned"),
        *("request.collected", "promise.met", "request.handed_over"),
    ]
