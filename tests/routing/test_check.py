"""The judge must catch every kind of wrong plan, whoever made it: each test spoils one thing in a good plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from routing import Break, Plan, Problem, Rest, Route, Stop, Unserved, check, solve
from routing.model import Locked
from tests.routing.problems import PLAIN, courier, line, problem, request


def morning() -> Problem:
    requests = [
        request("r", "p1", "p2", pickup_service_s=20, pickup_windows=((50, 2000),)),
        request("s", "p1", "p3", size=2, pickup_windows=((50, 2000),), skills=frozenset({"A"})),
        request("aboard", "p0", "p2"),
        request("next", "p1", "p0"),
        request("own", "p2", "p3", only_courier="b"),
    ]
    couriers = [
        courier(
            "a",
            "p0",
            capacity=5,
            skills=frozenset({"A"}),
            on_board=("aboard",),
            locked=(Locked("next", "pickup"),),
            breaks=(Break((150, 900), 100),),
            max_distance_m=5000,
        ),
        courier("b", "p2", end="p0", shift=(0, 3000)),
    ]
    return problem(line(0, 100, 400, 900), couriers, requests)


def good() -> tuple[Problem, Plan]:
    p = morning()
    plan = solve(p, engine="greedy", seconds=10)
    assert check(p, plan).ok
    assert not plan.unserved
    return p, plan


def codes(p: Problem, plan: Plan, warm: Plan | None = None) -> set[str]:
    return {violation.code for violation in check(p, plan, warm).violations}


def with_route(plan: Plan, courier_id: str, change: Callable[[Route], Route]) -> Plan:
    return replace(plan, routes=tuple(change(r) if r.courier == courier_id else r for r in plan.routes))


def with_row(plan: Plan, name: str, kind: str, **fields: object) -> Plan:
    def change(row: Stop) -> Stop:
        return replace(row, **fields) if (row.request, row.kind) == (name, kind) else row  # type: ignore[arg-type]

    routes = tuple(replace(r, stops=tuple(change(row) for row in r.stops)) for r in plan.routes)
    return replace(plan, routes=routes)


def row_of(plan: Plan, name: str, kind: str) -> Stop:
    return next(row for r in plan.routes for row in r.stops if (row.request, row.kind) == (name, kind))


def test_a_good_plan_passes_and_its_cost_is_recomputed() -> None:
    p, plan = good()
    assert check(p, plan).cost == plan.cost


SPOILED: dict[str, Callable[[Plan], Plan]] = {
    "wrong_problem": lambda plan: replace(plan, problem="another"),
    "unknown_courier": lambda plan: with_route(plan, "b", lambda r: replace(r, courier="x")),
    "second_route": lambda plan: replace(plan, routes=plan.routes + plan.routes[:1]),
    "route_missing": lambda plan: replace(plan, routes=tuple(r for r in plan.routes if r.courier != "a")),
    "unknown_stop": lambda plan: with_row(plan, "r", "pickup", request="x"),
    "wrong_place": lambda plan: with_row(plan, "r", "pickup", place="p3"),
    "twice": lambda plan: with_route(plan, "a", lambda r: replace(r, stops=r.stops + r.stops[-1:])),
    "request_missing": lambda plan: with_route(plan, "b", lambda r: replace(r, stops=())),
    "not_on_board": lambda plan: with_route(plan, "a", lambda r: replace(r, stops=r.stops[::-1])),
    "not_delivered": lambda plan: with_route(
        plan, "b", lambda r: replace(r, stops=tuple(row for row in r.stops if row.kind == "pickup"))
    ),
    "locked_moved": lambda plan: with_route(plan, "a", lambda r: replace(r, stops=r.stops[1:])),
    "too_early": lambda plan: with_row(plan, "aboard", "delivery", arrive=1, start=1, depart=1),
    "outside_window": lambda plan: with_row(plan, "r", "pickup", start=3000),
    "wrong_service": lambda plan: with_row(plan, "r", "pickup", depart=row_of(plan, "r", "pickup").depart + 1),
    "wrong_end": lambda plan: with_route(plan, "a", lambda r: replace(r, end_at=r.end_at + 1)),
    "wrong_distance": lambda plan: with_route(plan, "a", lambda r: replace(r, distance_m=r.distance_m - 1)),
    "break_missing": lambda plan: with_route(plan, "a", lambda r: replace(r, breaks=())),
    "break_misplaced": lambda plan: with_route(plan, "a", lambda r: replace(r, breaks=(Rest(200, 300),))),
    "break_unknown": lambda plan: with_route(plan, "a", lambda r: replace(r, breaks=(*r.breaks, Rest(0, 7)))),
    "break_overlaps": lambda plan: with_route(plan, "a", lambda r: replace(r, breaks=r.breaks * 2)),
    "wrong_cost": lambda plan: replace(plan, cost=replace(plan.cost, total=plan.cost.total + 1)),
    "shift_exceeded": lambda plan: with_route(plan, "b", lambda r: replace(r, end_at=3001)),
}


@pytest.mark.parametrize("code", sorted(SPOILED))
def test_a_spoiled_plan_is_refused_with_its_own_word(code: str) -> None:
    p, plan = good()
    assert code in codes(p, SPOILED[code](plan))


def test_a_request_both_served_and_left_out_is_caught() -> None:
    p, plan = good()
    assert "twice" in codes(p, replace(plan, unserved=(Unserved("r", "fleet_full"),)))
    assert "unknown_stop" in codes(p, replace(plan, unserved=(Unserved("x", "fleet_full"),)))


def test_rules_of_the_problem_are_judged_not_only_those_the_planner_knew() -> None:
    p, plan = good()
    tight: dict[str, Problem] = {
        "skill_missing": replace(p, couriers=(replace(p.couriers[0], skills=frozenset()), p.couriers[1])),
        "capacity_exceeded": replace(p, couriers=(replace(p.couriers[0], capacity=1), p.couriers[1])),
        "distance_exceeded": replace(p, couriers=(replace(p.couriers[0], max_distance_m=10), p.couriers[1])),
        "shift_exceeded": replace(p, couriers=(replace(p.couriers[0], shift=(0, 500)), p.couriers[1])),
        "wrong_courier": replace(p, requests=(replace(p.requests[0], only_courier="b"), *p.requests[1:])),
        "too_early": replace(p, now=400),
        "wrong_cost": replace(p, weights=replace(PLAIN, distance_per_m=2)),
        "already_on_board": replace(p, couriers=(replace(p.couriers[0], on_board=("aboard", "r")), p.couriers[1])),
    }
    for code, changed in tight.items():
        assert code in codes(changed, plan), code


def test_a_promise_that_became_hard_is_judged_as_a_wall() -> None:
    requests = [request("r", "p1", "p0", pickup_due=40)]
    p = problem(line(0, 100), [courier("c", "p0")], requests)
    plan = solve(p, engine="greedy")
    assert plan.cost.late_s == 60
    assert "due_missed" in codes(replace(p, hard_due=True), plan)


def test_a_parcel_on_board_of_one_courier_cannot_be_delivered_by_another() -> None:
    p, plan = good()
    a, b = p.couriers
    swapped = replace(p, couriers=(replace(a, on_board=()), replace(b, on_board=("aboard",))))
    assert {"not_on_board", "wrong_courier"} <= codes(swapped, plan)


def test_a_leg_that_does_not_exist_is_never_accepted() -> None:
    p, plan = good()
    rows = [list(row) for row in p.travel.durations_s]  # type: ignore[union-attr]
    rows[0][1] = None
    closed = replace(p, travel=replace(p.travel, durations_s=rows))  # type: ignore[call-arg]
    assert "no_leg" in codes(closed, plan)


def test_rows_at_one_place_must_follow_each_other() -> None:
    requests = [request("r", "p1", "p0"), request("s", "p1", "p0")]
    p = problem(line(0, 100), [courier("c", "p0")], requests)
    plan = solve(p, engine="greedy")
    spoiled = with_row(plan, plan.routes[0].stops[1].request, "pickup", arrive=150, start=150, depart=150)
    assert "gap_at_place" in codes(p, spoiled)


def test_moved_stops_are_judged_against_the_plan_in_force() -> None:
    p, warm = good()
    p = replace(p, weights=replace(p.weights, moved_stop=100))
    plan = solve(p, engine="greedy", warm=warm)
    assert check(p, plan, warm).ok
    assert plan.cost.total == warm.cost.total
    turned = with_route(warm, "a", lambda r: replace(r, courier="b"))
    assert check(p, plan, turned).cost.total == warm.cost.total + 100 * len(plan.routes[0].stops)
