"""What an operator sees of learning: his test world learns at the sync that ends a stop, and a report says how well."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import routing
from dispatch.bootstrap import System
from dispatch.flows import planning
from tests.api.conftest import NOON, Api
from tests.api.test_courier import event, phone, results, sync

__all__ = ["phone"]  # a fixture
Body = Callable[..., dict[str, Any]]
DAY = "2026-11-23"
PERIOD = f"from={DAY}&to={DAY}"


def round_of_c1(operator: Api, system: System, shop: Api, body: Body, phone: Api) -> list[dict[str, Any]]:
    """Two requests at two doors, planned and committed; the stops of c1 as his phone has them."""
    shift = {"starts_at": f"{DAY}T07:30:00+07:00", "ends_at": f"{DAY}T18:00:00+07:00"}
    assert operator.put(f"/v1/admin/shifts/c1/{DAY}", shift).status_code in (200, 201)
    for number, lat in ((1, 12.28), (2, 12.21)):
        address = {"raw": f"{number} Trần Phú", "commune_code": "22330", "era": "2020", "lat": lat, "lng": 109.19}
        citizen = {"name": "Nguyễn Thị Ánh", "phone": f"090512345{number}", "address": address}
        assert shop.post("/v1/requests", body(citizen=citizen), at=NOON).status_code == 201
    asked = operator.post("/v1/plans", {"province_code": "56", "date": DAY, "seconds": 1}, at=NOON)
    planning.run(system, asked.json["id"], solve=partial(routing.solve, engine="greedy"))
    plan_id = operator.get(asked.headers["Location"]).json["result"]["plan_id"]
    operator.post(f"/v1/plans/{plan_id}/commit", at=NOON, headers={"If-Match": '"1"'})
    stops: list[dict[str, Any]] = phone.get(f"/v1/courier/day?date={DAY}", at=NOON).json["stops"]
    return stops


def test_a_stop_teaches_at_the_sync_that_ends_it_and_the_report_tells(
    operator: Api, system: System, shop: Api, body: Body, phone: Api
) -> None:
    stops = round_of_c1(operator, system, shop, body, phone)
    assert operator.get(f"/v1/reports/learning?{PERIOD}", at=NOON).json["model"] is None
    sent, clocks = [], iter(("10:20:00", "10:25:00", "10:45:00", "10:50:00", "11:10:00", "11:15:00"))
    for number, stop in enumerate(stops):
        ids = {"stop_id": stop["stop_id"], "request_ids": stop["request_ids"]}
        kind = "collected" if stop["kind"] == "pickup" else "delivered"
        sent.append(event("arrived", next(clocks), None, 10 + number, **ids))
        sent.append(event(kind, next(clocks), None, 20 + number, **ids))
    assert results(sync(phone, *sent)) == ["applied"] * 6
    told = operator.get(f"/v1/reports/learning?{PERIOD}&province=56", at="2026-11-23T16:00:00+07:00").json
    assert told["model"] == "learnt-2026-11-23/3"
    assert {row["commune_code"]: (row["stops"], row["rides"]) for row in told["rows"]} == {
        "22330": (2, 2),
        "22363": (1, 0),
    }
    assert told["totals"]["stops"] == 3 and told["totals"]["rides"] == 2
    assert told["totals"]["before_s"] == told["totals"]["after_s"] > 0, "nothing was known before that day"
    assert told["demand"] == sorted(told["demand"], key=lambda one: (one["weekday"], one["hour"]))
    assert {(one["shop_id"], one["hour"]) for one in told["demand"]} == {("kh-nha-trang", 10)}
    for word in ("Ánh", "Trần Phú", "0905123"):
        assert word not in operator.get(f"/v1/reports/learning?{PERIOD}").text
    elsewhere = operator.get(f"/v1/reports/learning?{PERIOD}&province=64", at="2026-11-23T16:00:00+07:00").json
    assert elsewhere["rows"] == [] and elsewhere["demand"] == []


def test_the_report_is_for_operators_and_prints(operator: Api, shop: Api) -> None:
    assert shop.get(f"/v1/reports/learning?{PERIOD}").status_code == 403
    for form in ("csv", "xlsx", "pdf"):
        answer = operator.get(f"/v1/reports/learning?{PERIOD}&format={form}", headers={"Accept": "*/*"})
        assert answer.status_code == 200 and answer.data


def test_live_never_learns_from_test(operator: Api, system: System, shop: Api, body: Body, phone: Api) -> None:
    (stop, *_) = round_of_c1(operator, system, shop, body, phone)
    ids = {"stop_id": stop["stop_id"], "request_ids": stop["request_ids"]}
    sync(phone, event("arrived", "10:20:00", None, 1, **ids), event("collected", "10:25:00", None, 2, **ids))
    minted = operator.post("/v1/admin/keys", {"scope": "operator", "mode": "live"}).json["key"]
    told = operator.as_key(minted).get(f"/v1/reports/learning?{PERIOD}").json
    assert (told["model"], told["rows"], told["demand"]) == (None, [], [])
    with system.store.begin() as session:
        assert session.learning.model("live") is None and session.learning.model("test") is not None
