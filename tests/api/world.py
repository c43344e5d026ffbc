"""A world in which everything exists once, and what a lawful call of every operation says: for tests of all calls."""

from __future__ import annotations

import hashlib
import itertools
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

import routing
from api.app import MODULES
from api.endpoint import ENDPOINTS, Endpoint
from dispatch.bootstrap import System
from dispatch.flows import planning
from tests.api.conftest import NOON, Api, make_shop

for module in MODULES:
    import_module(module)

DAY = "2026-11-23"
PHOTO = b"\x89PNG\r\n\x1a\n a signature"
PLACE = {"province_code": "56", "commune_code": "22363", "era": "2020", "lat": 12.2478, "lng": 109.19}
ADDRESS = {"raw": "12 Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa", "commune_code": "22330", "era": "2020"}
_numbers = itertools.count()


def asked(**changes: Any) -> dict[str, Any]:
    """The body of a request with a fresh reference."""
    return {
        "external_ref": f"HS-{next(_numbers)}",
        "kind": "return",
        "dossier": {"code": "000.00.16.H32-261120-0015", "online_level": 4, "submitted_via": "ONLINE"},
        "citizen": {"name": "Nguyễn Thị Ánh Nguyệt", "phone": "0905123456", "address": ADDRESS},
        "weight_g": 80,
    } | changes


OUTDATED_OFFER = "rsc_" + urlsafe_b64encode(b'{"kind":"give"}').decode().rstrip("=") + ".0"
ROOMS = [{"id": "R1", "capacity": 20, "slot_minutes": 30}]


@dataclass
class World:
    """One office, two couriers, two shops, and one of everything that belongs to the first shop and first courier."""

    system: System
    operator: Api
    shop: Api = field(init=False)
    other: Api = field(init=False)
    phone: Api = field(init=False)
    other_phone: Api = field(init=False)
    ids: dict[str, str] = field(init=False, default_factory=dict)
    """By the name of a path parameter: an id of the first shop's, or of the post's."""

    def __post_init__(self) -> None:
        put, post = self.operator.put, self.operator.post
        for made in (
            put("/v1/admin/offices/bc-nt", {"name": "Bưu cục Nha Trang", **PLACE}),
            *(self._courier(f"c{number}", f"090000000{number}") for number in (1, 2)),
            put(f"/v1/admin/shifts/c1/{DAY}", self.body("put_shift")),
            put("/v1/admin/calendars/own", self.body("put_calendar")),
            put("/v1/admin/points/p1", self.body("put_point")),
        ):
            assert made.status_code == 201, made.text
        self.shop = self.operator.as_key(make_shop(self.operator, "kh-a", rooms=ROOMS))
        self.other = self.operator.as_key(make_shop(self.operator, "kh-b"))
        self.phone, self.other_phone = (self._sign_in(f"090000000{number}") for number in (1, 2))
        key = self._made(post("/v1/admin/keys", {"scope": "shop", "shop_id": "kh-a", "mode": "test"}))
        hook = self._made(self.shop.post("/v1/webhooks", self.body("create_webhook")))["id"]
        sent = self._made(self.shop.post(f"/v1/webhooks/{hook}/test", at=NOON))
        digest = hashlib.sha256(PHOTO).hexdigest()
        stored = self.phone.client.put(
            f"/v1/courier/media/{digest}",
            data=PHOTO,
            content_type="image/png",
            headers={"Authorization": f"Bearer {self.phone.key}"},
        )
        assert stored.status_code == 201, stored.text
        request = self.request()
        operation = self._made(post("/v1/plans", self.body("make_plan"), at=NOON))["id"]
        planning.run(self.system, operation, solve=partial(routing.solve, engine="greedy"))
        plan = self.operator.get(f"/v1/operations/{operation}").json["result"]["plan_id"]
        self.ids |= {
            "request_id": request,
            "item_id": self.shop.get(f"/v1/requests/{request}").json["item_id"],
            "webhook_id": hook,
            "delivery_id": sent["delivery_id"],
            "event_id": sent["event_id"],
            "operation_id": operation,
            "plan_id": plan,
            "key_id": key["id"],
            "sha256": digest,
            "shop_id": "kh-a",
            "office_id": "bc-nt",
            "calendar_id": "own",
            "courier_id": "c1",
            "day": DAY,
            "point_id": "p1",
            "era": "2020",
            "code": "22330",
            "rule_id": "HG-04@1",
            "name": "sla",
        }

    def _courier(self, courier_id: str, phone: str) -> Any:
        return self.operator.put(f"/v1/admin/couriers/{courier_id}", self.body("put_courier") | {"phone": phone})

    def _sign_in(self, phone: str) -> Api:
        answer = self.operator.as_key(None).post("/v1/courier/sessions", {"phone": phone, "pin": "2468"})
        return self.operator.as_key(self._made(answer)["token"])

    @staticmethod
    def _made(answer: Any) -> dict[str, Any]:
        assert answer.status_code in (200, 201, 202), answer.text
        told: dict[str, Any] = answer.json
        return told

    def request(self, **changes: Any) -> str:
        """A fresh request of the first shop, given to the first courier; its id."""
        made: str = self._made(self.shop.post("/v1/requests", asked(**changes), at=NOON))["id"]
        step = {"event": "assigned", "at": NOON, "payload": {"courier_id": "c1"}}
        self._made(self.shop.post(f"/v1/test/requests/{made}/advance", step))
        return made

    def body(self, name: str) -> Any:
        """What a lawful call of that operation says; None where it has no body."""
        said = _BODIES.get(name)
        return said(self.ids) if said else None

    def caller(self, endpoint: Endpoint) -> Api:
        """Whose key may call it: the first shop's where it may, else the operator's, else the first courier's."""
        by_scope = {"shop": self.shop, "operator": self.operator, "courier": self.phone}
        return next((by_scope[scope] for scope in by_scope if scope in endpoint.scopes), self.operator.as_key(None))


def order(_: dict[str, str]) -> dict[str, Any]:
    """What a one-stop system of today sends."""
    person = {"Name": "Nguyễn Thị A", "Tel": "0905123456", "Address": "12 Trần Phú, P. Vĩnh Hải", "District": 568}
    known = {"OrderNumber": "000.00.16.H32-261120-0015", "ItemCode": "RA123456785VN", "CustomerCode": "C01"}
    return {**known, "CODAmount": 0, "FlagConfig": 2, "ReceiverProvince": 56, "Receiver": person, "Sender": person}


def reason(_: dict[str, str]) -> dict[str, Any]:
    return {"reason": "lý do"}


_BODIES: dict[str, Callable[[dict[str, str]], Any]] = {
    "one_stop_order": order,
    "one_stop_orders": lambda ids: {"Orders": [order(ids), order(ids)]},
    "one_stop_recall_item": lambda ids: {"ItemCode": "RA123456785VN"},
    "one_stop_recall_registration": order,
    "quote": lambda ids: asked(),
    "create_request": lambda ids: asked(
        documents=[{"name": "Giấy chứng nhận", "copies": 1, "original": True}],
        state_fee={"amount": 30_000, "online_payment_unable": True},
        officer={"id": "cb-017", "address_confirmed": True, "at": NOON},
        window={"from": "2026-11-23T13:00:00+07:00", "to": "2026-11-23T15:00:00+07:00"},
        metadata={"a": [1, 2.5, {"b": "c"}]},
        return_exception={"code": "GIAY-TO", "reason": "bản gốc"},
    ),
    "cancel_request": reason,
    "request_e_returned": lambda ids: {"at": NOON},
    "result_ready": lambda ids: {"notice_at": NOON},
    "put_shop": lambda ids: {"name": "Một cửa", "level": "COMMUNE", "rooms": ROOMS, **PLACE},
    "put_office": lambda ids: {"name": "Bưu cục", "live": "off", **PLACE},
    "put_calendar": lambda ids: {
        "valid_from": "2026-01-01",
        "weekly": {day: [["07:30", "11:30"], ["13:30", "17:00"]] for day in ("mon", "tue", "fri")},
        "counter_weekdays": ["tue", "fri"],
        "overrides": [{"date": "2026-12-24", "off": True, "source": "quyết định"}],
    },
    "put_courier": lambda ids: {
        "name": "Lê Văn Bưu",
        "phone": "0900000001",
        "pin": "2468",
        "home_office_id": "bc-nt",
        "base": {"lat": 12.24, "lng": 109.19},
        "communes": ["22330"],
        "skills": ["HCC"],
        "capacity_items": 40,
    },
    "put_shift": lambda ids: {
        "starts_at": f"{DAY}T07:30:00+07:00",
        "ends_at": f"{DAY}T18:00:00+07:00",
        "start": {"lat": 12.24, "lng": 109.19},
        "breaks": [{"from": f"{DAY}T11:30:00+07:00", "to": f"{DAY}T13:00:00+07:00", "minutes": 30}],
    },
    "make_key": lambda ids: {"scope": "shop", "shop_id": "kh-a", "mode": "test"},
    "create_webhook": lambda ids: {"url": "https://hook.example/in", "types": ["*"]},
    "change_webhook": lambda ids: {"types": ["request.*"], "active": True},
    "rotate_secret": lambda ids: {"overlap_hours": 24},
    "replay_range": lambda ids: {"from_seq": 1, "to_seq": 10, "state": "unsent"},
    "make_plan": lambda ids: {"province_code": "56", "date": DAY, "mode": "replan", "seconds": 1},
    "assign_request": lambda ids: {"courier_id": "c1", "position": 0, "lock": False},
    "apply_rescue": lambda ids: {"offer_id": OUTDATED_OFFER, "reason": "lý do"},
    "make_simulation": lambda ids: {
        "province_code": "56",
        "date": DAY,
        "strategy": "nearest",
        "couriers": 2,
        "work": 1.5,
        "closed": [[12.2, 109.1, 500]],
        "detour": 1.2,
        "sigma": 0.1,
        "promise_minutes": 240,
    },
    "batch_of_labels": lambda ids: {"ids": [ids["request_id"]]},
    "advance": lambda ids: {"event": "collected", "at": NOON, "payload": {"seal_no": "N-1"}},
    "pay_request": lambda ids: {"amount": 1000, "at": NOON, "method": "CASH", "receipt_no": "R-1"},
    "lodge_complaint": lambda ids: {"kind": "LATE", "lodged_at": NOON},
    "decide_review": lambda ids: {"decision": "CHARGE", "reason": "lý do", "evidence": "hồ sơ"},
    "settle_deferred": lambda ids: {
        "request_ids": [ids["request_id"]],
        "decision_no": "12/QĐ-UBND",
        "outcome": "SETTLED_BY_PROVINCE",
    },
    "reprice_charges": lambda ids: {"province_code": "56", "from": "2026-11-01", "to": "2026-11-30", "dry_run": True},
    "close_shift_cash": lambda ids: {"explanation": "đủ"},
    "remit_fees": lambda ids: {"request_ids": [ids["request_id"]], "receipt_no": "R-2", "at": NOON},
    "refund_citizen": lambda ids: {
        "request_id": ids["request_id"],
        "amount": 1000,
        "method": "CASH",
        "reason": "lý do",
    },
    "pay_compensation": lambda ids: {"request_id": ids["request_id"], "method": "CASH"},
    "redirect_request": lambda ids: {"address": ADDRESS},
    "request_lost": reason,
    "request_damaged": reason,
    "request_found": reason,
    "compensate_request": lambda ids: {"minutes_at": NOON, "reissue_costs": 50_000, "reason": "biên bản"},
    "reopen_request": reason,
    "close_request": reason,
    "note_appointment": lambda ids: {"slip_no": "PH-1", "due_on": "2026-12-01"},
    "request_supplement": lambda ids: {"reason": "thiếu", "at_fault": "CITIZEN"},
    "send_back": reason,
    "pause_promise": lambda ids: {"reason": "lũ", "party": "FORCE_MAJEURE"},
    "resume_promise": reason,
    "counter_day": lambda ids: {"shop_id": "kh-a", "date": "2026-11-24"},
    "make_appointment": lambda ids: {
        "shop_id": "kh-a",
        "room_id": "R1",
        "starts_at": "2026-11-25T09:00:00+07:00",
        "minutes": 30,
        "people": 1,
    },
    "put_point": lambda ids: {
        "name": "Điểm",
        "kind": "BDVHX",
        "commune_code": "22363",
        "era": "2020",
        "area_class": "A",
        "active_from": "2026-01-01",
        "active_to": "2026-12-31",
    },
    "put_commune": lambda ids: {"service_days": ["mon", "thu"], "area_class": "A", "terrain": "hills"},
    "put_override": lambda ids: {
        "params": {"weekdays": ["wed"]},
        "reason": "họp",
        "valid_from": "2026-11-01",
        "valid_to": "2026-12-01",
    },
    "add_training": lambda ids: {
        "teller_id": "gd-1",
        "teller_name": "Trần B",
        "office_id": "bc-nt",
        "topic": "BCCI",
        "held_on": DAY,
    },
    "courier_session": lambda ids: {"phone": "0999999999", "pin": "1111"},
    "courier_sync": lambda ids: {
        "events": [
            {
                "event_id": f"0190a000-0000-7000-8000-{next(_numbers):012d}",
                "device_seq": next(_numbers),
                "type": "arrived",
                "stop_id": None,
                "request_ids": [ids["request_id"]],
                "at_device": NOON,
                "clock_offset_ms": 0,
                "lat": 12.25,
                "lng": 109.19,
                "accuracy_m": 12.5,
                "payload": {},
                "media": [],
            }
        ]
    },
}

QUERIES: dict[str, dict[str, str]] = {
    "list_requests": {"status": "REQUESTED", "external_ref": "HS-1", "updated_after": NOON, "limit": "5"},
    "read_feed": {"after": "0", "limit": "5"},
    "read_label": {"format": "zpl", "size": "100x150", "leg": "return"},
    "track": {"token": "abc"},
    "policies": {"province": "56", "on": DAY},
    "read_report": {"from": "2026-11-01", "to": "2026-11-30", "province": "56", "format": "json"},
    "read_board": {"date": DAY, "province": "56"},
    "courier_day": {"date": DAY},
}


def missing() -> list[str]:
    """Operations that take a body and of which this file does not know what to say."""
    return sorted({e.name for e in ENDPOINTS if e.body is not None} - set(_BODIES))
