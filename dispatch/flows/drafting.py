"""Turn the planner's answer into the draft a coordinator reads: routes, what is left out and why, cost, difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from dispatch.flows.stops import PlannedStop, TaskKey, gather, task_key
from routing import Plan, reason_en, reason_vi
from routing.cost import Evaluation, evaluate, routes, warm_places
from routing.draft import Draft
from routing.view import View

if TYPE_CHECKING:
    from dispatch.flows.problem import Case
    from dispatch.flows.snapshot import Snapshot
    from dispatch.store.rows import Courier
    from routing import Unserved

Places = dict[TaskKey, tuple[str, TaskKey | None]]
"""What comes when: task → (courier, the task before it)."""


def as_it_stands(case: Case) -> Plan:
    """The plan in force, timed and priced like any other; what can no longer be driven counts as unserved."""
    return priced(case, case.in_force)


def priced(case: Case, plan: Plan) -> Plan:
    """A plan's orders of stops, timed and priced by the case's own prices."""
    view = View(case.problem)
    places = warm_places(view, case.in_force)
    orders = Draft(view, view.sequences_of(plan), places).sequences()
    found = evaluate(view, orders, places)
    assert isinstance(found, Evaluation), "a draft holds only what can be driven"
    return replace(plan, routes=routes(view, found), cost=found.cost)


def body(
    case: Case,
    snapshot: Snapshot,
    couriers: Sequence[Courier],
    plan: Plan,
    force: Plan,
    new_id: Callable[[str], str],
    late: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The body of a draft: what `GET /v1/plans/{id}` shows, and under `base` what it was made from."""
    made = {
        route.courier: gather(case, route, snapshot.tasks_of(route.courier), new_id)
        for route in plan.routes
        if route.stops
    }
    missing = [entry.to_json() for entry in case.left_out]
    missing += [unserved_json(case, entry) for entry in plan.unserved]
    keys = set(case.jobs) | {f"{entry.request_id}/{entry.leg}" for entry in case.left_out}
    ours = {courier.id for courier in couriers}
    return {
        "routes": [_route_json(snapshot, courier_id, stops) for courier_id, stops in made.items()],
        "served": sum(row.kind == "delivery" for route in plan.routes for row in route.stops),
        "unserved": missing,
        "late": list(late),
        "cost": {**_cost_json(case, plan), "against": _cost_json(case, force)},
        "diff": _diff(case, snapshot, ours, keys, made, plan, force),
        "engine": plan.engine,
        "base": {
            "tasks": [held.task.id for held in snapshot.open_tasks if held.key in keys],
            "held": sorted({held.key for held in snapshot.open_tasks if held.key in keys}),
        },
    }


def _route_json(snapshot: Snapshot, courier_id: str, stops: Sequence[PlannedStop]) -> dict[str, Any]:
    known = snapshot.rounds.get(courier_id)
    return {
        "courier_id": courier_id,
        "round_base_version": known.version if known else 0,
        "stops": [stop.to_json() for stop in stops],
        "distance_m": sum(stop.leg_m for stop in stops),
    }


def unserved_json(case: Case, entry: Unserved) -> dict[str, Any]:
    """One leg that found no place, with the reason in words and the smallest change that would serve it."""
    leg = case.jobs[entry.request].leg
    change = None
    if entry.change is not None:
        change = {name: value for name, value in asdict(entry.change).items() if value not in (None, ())}
    return {
        "request_id": leg.request_id,
        "leg": leg.leg,
        "code": entry.code,
        "reason": {"vi": reason_vi(entry), "en": reason_en(entry)},
        "change": change,
    }


def _cost_json(case: Case, plan: Plan) -> dict[str, Any]:
    """The terms of a plan's cost; lateness is that of the promises themselves, without the planner's margin.

    Legs that could not even be tried count as unserved.
    """
    terms: dict[str, Any] = asdict(plan.cost)
    late_s = sum(max(0, start_s - due_s) for start_s, due_s in _collections(case, plan))
    return {
        **terms,
        "total": round(plan.cost.total),
        "unserved": plan.cost.unserved + len(case.left_out),
        "late_s": late_s,
    }


def _diff(
    case: Case,
    snapshot: Snapshot,
    ours: set[str],
    keys: set[str],
    made: Mapping[str, Sequence[PlannedStop]],
    plan: Plan,
    force: Plan,
) -> dict[str, int]:
    present: dict[str, list[TaskKey]] = {}
    for held in snapshot.open_tasks:
        if held.day == snapshot.day and held.courier_id in ours and held.key in keys:
            present.setdefault(held.courier_id, []).append(task_key(held.task))
    old = _places(present)
    new = _places({courier_id: [task.key for stop in made[courier_id] for task in stop.tasks] for courier_id in made})
    return {
        "moved_stops": sum(key in old and old[key] != place for key, place in new.items()),
        "added_stops": len(new.keys() - old.keys()),
        "removed_stops": len(old.keys() - new.keys()),
        "saved_promises": kept(case, plan) - kept(case, force),
        "distance_delta_m": plan.cost.distance_m - force.cost.distance_m,
    }


def _places(orders: Mapping[str, Iterable[TaskKey]]) -> Places:
    places: Places = {}
    for courier_id, order in orders.items():
        before: TaskKey | None = None
        for key in order:
            places[key] = (courier_id, before)
            before = key
    return places


def kept(case: Case, plan: Plan) -> int:
    """How many running promises a plan keeps."""
    return sum(start_s <= due_s for start_s, due_s in _collections(case, plan))


def _collections(case: Case, plan: Plan) -> Iterator[tuple[int, int]]:
    """(planned second, second it is due) of every collection whose promise still runs."""
    for route in plan.routes:
        for row in route.stops:
            leg = case.jobs[row.request].leg
            running = row.kind == "pickup" and leg.waiting and leg.promise.get("stopped_at") is None
            if running and leg.due_at is not None:
                yield row.start, case.clock.seconds(leg.due_at)
