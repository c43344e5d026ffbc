"""What an operator relies on when planning over HTTP: drafts, versions, operations, and decisions by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import routing
from dispatch.bootstrap import System
from dispatch.flows import planning
from tests.api.conftest import NOON, Api

Body = Callable[..., dict[str, Any]]
DAY = "2026-11-23"
OFFICE = {"name": "Bưu cục Nha Trang", "province_code": "56", "commune_code": "22363", "era": "2020"}


@pytest.fixture
def rider(operator: Api) -> str:
    """One courier of the one office, on shift today."""
    where = {"lat": 12.2478, "lng": 109.19}
    assert operator.put("/v1/admin/offices/nt", OFFICE | where).status_code == 201
    courier = {"name": "Lê Văn Bưu", "phone": "0905000001", "pin": "1234", "home_office_id": "nt"}
    assert operator.put("/v1/admin/couriers/c1", courier).status_code == 201
    shift = {"starts_at": f"{DAY}T07:30:00+07:00", "ends_at": f"{DAY}T18:00:00+07:00"}
    assert operator.put(f"/v1/admin/shifts/c1/{DAY}", shift).status_code == 201
    return "c1"


def draft(operator: Api, system: System, **changes: Any) -> str:
    """Ask for a plan, let a worker make it, and return its id."""
    asked = operator.post("/v1/plans", {"province_code": "56", "date": DAY, "seconds": 1} | changes, at=NOON)
    assert asked.status_code == 202, asked.text
    assert asked.headers["Location"] == f"/v1/operations/{asked.json['id']}"
    assert operator.get(asked.headers["Location"]).json["status"] == "queued"
    planning.run(system, asked.json["id"], solve=partial(routing.solve, engine="greedy"))
    ended = operator.get(asked.headers["Location"]).json
    assert (ended["kind"], ended["status"], ended["progress"]) == ("plan", "succeeded", 1.0)
    plan_id: str = ended["result"]["plan_id"]
    return plan_id


def test_a_draft_is_read_with_its_version_and_committed_by_it(
    operator: Api, system: System, shop: Api, body: Body, rider: str
) -> None:
    made = shop.post("/v1/requests", body(), at=NOON).json
    plan_id = draft(operator, system)
    read = operator.get(f"/v1/plans/{plan_id}")
    assert read.headers["ETag"] == '"1"' and read.json["status"] == "draft"
    (route,) = read.json["routes"]
    assert route["courier_id"] == rider and [stop["request_ids"] for stop in route["stops"]] == [[made["id"]]] * 2
    assert "base" not in read.json and read.json["cost"]["against"]["unserved"] == 1

    blind = operator.post(f"/v1/plans/{plan_id}/commit", at=NOON)
    assert (blind.status_code, blind.json["code"]) == (428, "precondition_required")
    stale = operator.post(f"/v1/plans/{plan_id}/commit", at=NOON, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json["code"]) == (412, "stale")
    done = operator.post(f"/v1/plans/{plan_id}/commit", at=NOON, headers={"If-Match": '"1"'})
    assert (done.status_code, done.json["status"], done.headers["ETag"]) == (200, "committed", '"2"')
    again = operator.post(f"/v1/plans/{plan_id}/commit", at=NOON, headers={"If-Match": '"2"'})
    assert (again.status_code, again.json["code"]) == (409, "plan_not_draft")

    seen = shop.get(f"/v1/requests/{made['id']}").json
    assert (seen["status"], seen["legs"][0]["courier_id"]) == ("ASSIGNED", rider)
    assert seen["promise"][0]["predicted"]["p50"] == route["stops"][0]["planned_at"]


def test_a_discarded_draft_cannot_be_committed(operator: Api, system: System, rider: str) -> None:
    plan_id = draft(operator, system, mode="day")
    assert operator.post(f"/v1/plans/{plan_id}/discard").json["status"] == "discarded"
    late = operator.post(f"/v1/plans/{plan_id}/commit", at=NOON, headers={"If-Match": '"2"'})
    assert (late.status_code, late.json["code"]) == (409, "plan_not_draft")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"province_code": "56"}, "validation_failed"),
        ({"date": DAY}, "validation_failed"),
        ({"date": DAY, "province_code": "56", "office_id": "nt"}, "validation_failed"),
        ({"date": DAY, "province_code": "56", "seconds": 121}, "validation_failed"),
        ({"date": DAY, "province_code": "56", "mode": "night"}, "validation_failed"),
        ({"date": DAY, "office_id": "nowhere"}, "unknown_area"),
        ({"date": "2026-11-22", "province_code": "56"}, "date_in_past"),
    ],
)
def test_a_wish_that_cannot_be_meant_is_refused(operator: Api, rider: str, wrong: dict[str, Any], code: str) -> None:
    answer = operator.post("/v1/plans", wrong, at=NOON)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_an_operation_can_be_cancelled_once(operator: Api, system: System, rider: str) -> None:
    operation = operator.post("/v1/plans", {"office_id": "nt", "date": DAY}, at=NOON).headers["Location"]
    assert operator.post(f"{operation}/cancel").json["status"] == "cancelled"
    assert operator.post(f"{operation}/cancel").json["code"] == "operation_ended"
    assert planning.run(system, operation.rsplit("/", 1)[1]) is None


def test_plans_and_operations_are_not_for_shops(operator: Api, system: System, shop: Api, rider: str) -> None:
    plan_id = draft(operator, system)
    asked = operator.post("/v1/plans", {"office_id": "nt", "date": DAY}, at=NOON)
    assert shop.get(f"/v1/plans/{plan_id}").status_code == 403
    assert shop.post("/v1/plans", {"office_id": "nt", "date": DAY}).status_code == 403
    assert shop.get(asked.headers["Location"]).status_code == 404
    assert operator.get("/v1/plans/pln_none").status_code == 404


def test_a_failed_plan_says_why_in_the_callers_language(operator: Api, system: System, rider: str) -> None:
    def give_up(*_: object, **__: object) -> routing.Plan:
        raise routing.RoutingError("no_plan", "no engine made a plan")

    asked = operator.post("/v1/plans", {"office_id": "nt", "date": DAY}, at=NOON)
    assert planning.run(system, asked.json["id"], solve=give_up) == "failed"
    error = operator.get(asked.headers["Location"], headers={"Accept-Language": "en"}).json["error"]
    assert error == {"code": "no_plan", "message": "no engine made a plan"}
    assert operator.get(asked.headers["Location"]).json["error"]["message"].startswith("Không lập được kế hoạch")


def test_a_request_is_given_by_hand_and_taken_back(operator: Api, shop: Api, body: Body, rider: str) -> None:
    path = f"/v1/requests/{shop.post('/v1/requests', body(), at=NOON).json['id']}"
    given = operator.post(f"{path}/assign", {"courier_id": rider, "lock": True}, at=NOON)
    assert (given.status_code, given.json["status"], given.json["violations"]) == (200, "ASSIGNED", [])
    assert given.headers["ETag"] == f'"{given.json["version"]}"'
    stale = operator.post(f"{path}/assign", {"courier_id": rider}, at=NOON, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert operator.post(f"{path}/assign", {"courier_id": "nobody"}, at=NOON).json["code"] == "unknown_courier"
    assert operator.post(f"{path}/unassign", at=NOON).json["status"] == "DISPATCHED"
    assert operator.post(f"{path}/unassign", at=NOON).json["code"] == "not_assigned"
    assert shop.post(f"{path}/assign", {"courier_id": rider}, at=NOON).status_code == 403
