"""What an operator relies on when a promise is in danger: offers, one call that does one, and a way back."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from dispatch.bootstrap import System
from tests.api.conftest import NOON, Api
from tests.api.test_planning import DAY, rider
from tests.api.test_sites import audited

Body = Callable[..., dict[str, Any]]
SOON = "2026-11-23T10:00:30+07:00"

__all__ = ["rider"]


def second_rider(operator: Api) -> None:
    courier = {"name": "Trần Thị Tin", "phone": "0905000002", "pin": "1234", "home_office_id": "nt"}
    assert operator.put("/v1/admin/couriers/c2", courier).status_code == 201
    shift = {"starts_at": f"{DAY}T07:30:00+07:00", "ends_at": f"{DAY}T18:00:00+07:00"}
    assert operator.put(f"/v1/admin/shifts/c2/{DAY}", shift).status_code == 201


def test_an_offer_is_taken_and_taken_back(operator: Api, system: System, shop: Api, body: Body, rider: str) -> None:
    second_rider(operator)
    path = f"/v1/requests/{shop.post('/v1/requests', body(), at=NOON).json['id']}"
    told = operator.get(f"{path}/rescue", at=NOON)
    assert told.status_code == 200, told.text
    assert told.json["present"]["courier_id"] is None and told.json["at"] == NOON
    offers = {offer["courier_id"]: offer for offer in told.json["offers"] if offer["kind"] == "give"}
    assert offers.keys() == {"c1", "c2"} and all(offer["keeps_promise"] for offer in offers.values())
    assert set(offers["c2"]["others"]) == {"later_count", "most_later_min", "newly_late"}
    assert "Trần Thị Tin" in offers["c2"]["text"]["vi"] and "Trần Thị Tin" in offers["c2"]["text"]["en"]

    done = operator.post(f"{path}/rescue", {"offer_id": offers["c2"]["id"]}, at=SOON)
    assert (done.status_code, done.json["status"], done.json["legs"][0]["courier_id"]) == (200, "ASSIGNED", "c2")
    assert ("request.rescued", path.rsplit("/", 1)[1]) in audited(system)
    again = operator.post(f"{path}/rescue", {"offer_id": offers["c1"]["id"]}, at=SOON)
    assert (again.status_code, again.json["code"]) == (409, "rescue_outdated")
    assert operator.post("/v1/undo", at=SOON).json["undone"]["kind"] == "rescue"
    assert operator.get(path).json["status"] == "DISPATCHED"


def test_the_same_call_twice_rescues_once(operator: Api, shop: Api, body: Body, rider: str) -> None:
    path = f"/v1/requests/{shop.post('/v1/requests', body(), at=NOON).json['id']}"
    (offer,) = [one for one in operator.get(f"{path}/rescue", at=NOON).json["offers"] if one["kind"] == "give"]
    answers = [
        operator.post(f"{path}/rescue", {"offer_id": offer["id"]}, at=SOON, headers={"Idempotency-Key": "one-rescue"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200] and answers[0].json == answers[1].json


def test_a_pause_is_refused_without_its_reason(operator: Api, shop: Api, body: Body, rider: str) -> None:
    path = f"/v1/requests/{shop.post('/v1/requests', body(), at=NOON).json['id']}"
    offer = operator.get(f"{path}/rescue", at=NOON).json["offers"][-1]
    assert (offer["kind"], offer["party"]) == ("pause", "SHOP")
    blind = operator.post(f"{path}/rescue", {"offer_id": offer["id"]}, at=SOON)
    assert (blind.status_code, blind.json["code"]) == (422, "reason_required")
    told = operator.post(f"{path}/rescue", {"offer_id": offer["id"], "reason": "Kết quả chưa ký"}, at=SOON)
    assert told.json["promise"][0]["state"] == "PAUSED"
    assert operator.post("/v1/undo", at=SOON).status_code == 200
    assert operator.get(path).json["promise"][0]["state"] == "RUNNING"


def test_a_rescue_is_not_for_shops_nor_for_what_is_not_there(operator: Api, shop: Api, body: Body, rider: str) -> None:
    request_id = shop.post("/v1/requests", body(), at=NOON).json["id"]
    assert shop.get(f"/v1/requests/{request_id}/rescue").status_code == 403
    assert shop.post(f"/v1/requests/{request_id}/rescue", {"offer_id": "rsc_anything"}).status_code == 403
    assert operator.get("/v1/requests/req_none/rescue").status_code == 404
    real = operator.get(f"/v1/requests/{request_id}/rescue", at=NOON).json["offers"][0]["id"]
    assert operator.post("/v1/requests/req_none/rescue", {"offer_id": real}, at=NOON).status_code == 404
    for wrong in ({}, {"offer_id": 7}, {"offer_id": "x" * 3000}, {"offer_id": "rsc_?"}, {"offer_id": real, "more": 1}):
        assert operator.post(f"/v1/requests/{request_id}/rescue", wrong, at=NOON).json["code"] == "validation_failed"
    told = [
        "nothing",
        "[]",
        "[" * 900,
        '{"kind":"give","steps":[["\\u0000","x","c1",0,1]]}',
        '{"kind":"give","broken":-1}',
    ]
    for text in told:
        made_up = f"rsc_{urlsafe_b64encode(text.encode()).decode().rstrip('=')}.00"
        refused = operator.post(f"/v1/requests/{request_id}/rescue", {"offer_id": made_up}, at=NOON)
        assert (refused.status_code, refused.json["code"]) == (422, "unknown_offer"), text
