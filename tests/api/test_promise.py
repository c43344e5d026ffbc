"""What a shop may rely on about its promise: an estimate at once, a warning in time, all that was foretold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.bootstrap import System, secret_hash
from dispatch.store.rows import Key
from tests.api.conftest import NOON, Api, make_shop

Body = Callable[..., dict[str, Any]]
DAY = "2026-11-23"
OFFICE = {"name": "Bưu cục Nha Trang", "province_code": "56", "commune_code": "22363", "era": "2020"}


def roster(operator: Api, courier_id: str, ends: str = "18:00") -> None:
    shift = {"starts_at": f"{DAY}T07:30:00+07:00", "ends_at": f"{DAY}T{ends}:00+07:00"}
    answer = operator.put(f"/v1/admin/shifts/{courier_id}/{DAY}", shift)
    assert answer.status_code in (200, 201), answer.text


@pytest.fixture
def riders(operator: Api) -> list[str]:
    """Two couriers of the one office, on shift today."""
    assert operator.put("/v1/admin/offices/nt", OFFICE | {"lat": 12.2478, "lng": 109.19}).status_code == 201
    for number in (1, 2):
        courier = {"name": f"Bưu tá {number}", "phone": f"090500000{number}", "pin": "1234", "home_office_id": "nt"}
        assert operator.put(f"/v1/admin/couriers/c{number}", courier).status_code == 201
        roster(operator, f"c{number}")
    return ["c1", "c2"]


def door(number: int) -> dict[str, Any]:
    """A citizen at a door of his own."""
    address = {"raw": f"{number} Trần Phú", "commune_code": "22330", "era": "2020"}
    point = {"lat": 12.20 + number * 37 % 100 / 1000, "lng": 109.17 + number * 53 % 40 / 1000}
    return {"name": f"Nguyễn Thị {number}", "phone": f"09051{number:05d}", "address": address | point}


def after(minutes: float) -> str:
    return (datetime.fromisoformat(NOON) + timedelta(minutes=minutes)).isoformat()


def foretold(answer: Any) -> dict[str, Any]:
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json["promise"][0]["predicted"]
    return found


def test_a_request_is_answered_with_an_estimate_and_so_is_its_quote(shop: Api, riders: list[str], body: Body) -> None:
    asked = body()
    quoted = foretold(shop.post("/v1/quotes", {k: v for k, v in asked.items() if k != "external_ref"}, at=NOON))
    made = foretold(shop.post("/v1/requests", asked, at=NOON))
    assert NOON <= made["p50"] <= made["p90"] and 0 < made["breach_probability"] < 0.05
    assert (made["causes"], made["model"], made["made_at"]) == ([], "prior-1", NOON)
    assert quoted == made


def test_without_couriers_the_estimate_says_why_it_has_none(shop: Api, body: Body) -> None:
    made = shop.post("/v1/requests", body(), at=NOON)
    assert made.json["promise"][0]["state"] == "RUNNING"
    assert [foretold(made)[name] for name in ("p50", "p90", "breach_probability")] == [None] * 3
    (cause,) = foretold(made)["causes"]
    assert cause["code"] == "no_courier_on_duty" and cause["minutes"] is None and cause["text"]["vi"]


def test_a_promise_has_its_history_for_its_own_shop_only(
    system: System, operator: Api, shop: Api, riders: list[str], body: Body
) -> None:
    made = shop.post("/v1/requests", body(), at=NOON).json["id"]
    path = f"/v1/requests/{made}/promise"
    assert operator.post(f"/v1/requests/{made}/assign", {"courier_id": "c1"}, at=after(1)).status_code == 200
    seen = shop.get(path, at=after(1))
    assert seen.status_code == 200, seen.text
    first, second = seen.json["history"]
    assert (first["made_at"], first["courier_id"], first["planned_at"]) == (NOON, None, None)
    assert (second["made_at"], second["courier_id"]) == (after(1), "c1")
    assert (second["leg"], second["state"], second["model"]) == ("return", "RUNNING", "prior-1")
    (promise,) = seen.json["promise"]
    assert promise["predicted"] == {name: second[name] for name in promise["predicted"]}
    assert operator.get(path, at=after(2)).json["history"] == seen.json["history"], "a look at what is so is no news"
    other = shop.as_key(make_shop(operator, "kh-other"))
    assert other.get(path, at=after(2)).status_code == 404
    with system.store.begin() as session:
        key = Key(session.new_id("key"), "live", "operator", None, None, "test", None, None, None)
        session.access.add_key(key, secret_hash("live_operator"), session.wall_clock())
    assert shop.as_key("live_operator").get(path).status_code == 404


def test_a_shop_hears_of_danger_before_the_warning_and_of_its_end(
    operator: Api, shop: Api, riders: list[str], body: Body
) -> None:
    ids = []
    for number in range(1, 17):
        ids.append(shop.post("/v1/requests", body(kind="pickup", citizen=door(number)), at=NOON).json["id"])
        given = operator.post(f"/v1/requests/{ids[-1]}/assign", {"courier_id": "c1"}, at=NOON)
        assert given.status_code == 200, given.text
    board = operator.get(f"/v1/board?date={DAY}", at=NOON).json
    last = max(board["requests"], key=lambda line: line["planned_at"])
    warn_at = shop.get(f"/v1/requests/{last['id']}", at=NOON).json["promise"][0]["warn_at"]
    minutes = 0
    while True:
        minutes += 10
        assert after(minutes) < warn_at, "the clock alone would have said so by now"
        promise = shop.get(f"/v1/requests/{last['id']}", at=after(minutes)).json["promise"][0]
        if promise["state"] == "AT_RISK":
            break
    assert promise["predicted"]["causes"][0]["text"]["vi"]
    line = next(
        one
        for one in operator.get(f"/v1/board?date={DAY}", at=after(minutes)).json["requests"]
        if one["id"] == last["id"]
    )
    assert line["late_reason"] == promise["predicted"]["causes"][0]["text"]
    assert line["predicted"]["p50"] == promise["predicted"]["p50"] and line["predicted"]["breach_probability"] > 0.05
    moved = operator.post(f"/v1/requests/{last['id']}/assign", {"courier_id": "c2"}, at=after(minutes))
    assert moved.json["promise"][0]["state"] == "RUNNING" if "promise" in moved.json else moved.status_code == 200
    feed = shop.get("/v1/events?limit=200").json["data"]
    kinds = [one["type"] for one in feed if one["data"]["id"] == last["id"] and one["type"].startswith("promise.")]
    assert kinds == ["promise.at_risk", "promise.restored"]
    risk = next(one for one in feed if one["type"] == "promise.at_risk")
    assert risk["data"]["promise"][0]["predicted"]["causes"], "told with the reason"


def test_a_read_from_an_earlier_instant_changes_nothing(shop: Api, riders: list[str], body: Body) -> None:
    made = shop.post("/v1/requests", body(), at=NOON).json["id"]
    late = foretold(shop.get(f"/v1/requests/{made}", at=after(90)))
    assert late["made_at"] == after(90)
    assert foretold(shop.get(f"/v1/requests/{made}", at=after(30))) == late


def test_a_forecast_that_fails_is_no_reason_to_refuse(
    system: System, shop: Api, riders: list[str], body: Body, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setitem(system.__dict__, "travel", None)
    made = shop.post("/v1/requests", body(), at=NOON)
    assert made.status_code == 201 and foretold(made)["p50"] is None
    assert "could not be foretold" in caplog.text
