"""Commit a draft: what it says is reconciled with what happened since, then the rounds change in one transaction.

Locks are taken in one order by everybody: area, requests by id, rounds by id, tasks. Two commits of an area follow
each other; the unique index on open tasks is the last guard against sending anyone twice to the same door.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispatch.domain.errors import Conflict, Stale
from dispatch.flows import looks
from dispatch.flows.planning import no_such_plan, not_draft
from dispatch.flows.problem import Case, build
from dispatch.flows.recording import Happening, Scene, record, refuse_backwards, settle
from dispatch.flows.snapshot import Area, HeldTask, OpenLeg, Snapshot, members, read
from dispatch.flows.stops import PlannedStop, TaskKey, gather, kept_rows, rewrite, task_key, wanted_rows
from routing.cost import Evaluation, evaluate, routes
from routing.draft import Draft
from routing.view import Sequences, View

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.store import Session
    from dispatch.store.rows import Plan, Request, Round, Task
    from routing.travel import TravelModel


Leg = tuple[str, str]
"""(request id, leg name)."""
Rows = dict[str, list[dict[str, Any]]]
"""The tasks each courier shall have open, in riding order."""


@dataclass(frozen=True)
class Scope:
    """What one commit may touch, as it stands under the locks.

    `legs` are those it answers for, `present` the open tasks of its couriers, `elsewhere` open tasks of its legs
    in rounds that nobody rides any more: of an earlier date, or of a courier of another area who is off duty.
    """

    snapshot: Snapshot
    legs: dict[Leg, OpenLeg]
    case: Case
    present: dict[str, list[Task]]
    elsewhere: list[HeldTask]
    requests: dict[str, Request]


def commit(
    session: Session,
    scene: Scene,
    index: Index,
    travel: TravelModel,
    plan_id: str,
    mode: str,
    expected: int,
    actor: str,
) -> Plan:
    """Put a draft into force; returns the plan as it is then.

    Raises `NotFound`, `Stale` where `expected` is not its version, and `Conflict` `plan_not_draft`,
    `plan_base_changed` (another plan of the area was committed since) or `plan_empty`.
    """
    plan = _locked_draft(session, plan_id, mode, expected)
    scope = _scope(session, scene, index, travel, plan)
    stops = _reconciled(session, scope, plan)
    put_in_force(session, scene, scope, stops, actor)
    at = session.wall_clock()
    session.planning.change_plan(plan.id, "committed", at)
    session.planning.bump_area(mode, plan.area, plan.date)
    detail = {"area": plan.area, "date": plan.date.isoformat(), "base_version": plan.base_version}
    session.access.audit(mode, scene.now, actor, "plan.committed", plan.id, detail)
    if actor != looks.ACTOR:
        area = Area.parse(plan.area)
        offices = [office.id for office in session.network.offices(mode) if area.has_office(office)]
        looks.mark(session, mode, offices, scene.now)
    committed = session.planning.plan(mode, plan.id)
    assert committed is not None
    return committed


def _locked_draft(session: Session, plan_id: str, mode: str, expected: int) -> Plan:
    """The draft under the lock of its area; refused where it is not what the caller has seen, or is out of date."""
    known = session.planning.plan(mode, plan_id)
    if known is None:
        raise no_such_plan()
    version = session.planning.area_version(mode, known.area, known.date, lock=True)
    plan = session.planning.plan(mode, plan_id, lock=True)
    assert plan is not None
    if plan.status != "draft":
        raise not_draft(plan)
    if plan.version != expected:
        raise Stale(
            code="stale",
            vi=f"Kế hoạch đã đổi; phiên bản nay là {plan.version}.",
            en=f"The plan has changed; its version is now {plan.version}.",
        )
    if plan.base_version != version:
        raise Conflict(
            code="plan_base_changed",
            vi="Một kế hoạch khác của địa bàn này đã được áp dụng; xin lập lại.",
            en="Another plan of this area was committed since; plan again.",
        )
    if not plan.body["routes"] and plan.body["base"]["tasks"]:
        raise Conflict(
            code="plan_empty",
            vi="Kế hoạch này không phục vụ hồ sơ nào; không thay kế hoạch đang chạy.",
            en="This plan serves nothing; it does not replace the one in force.",
        )
    return plan


def _scope(session: Session, scene: Scene, index: Index, travel: TravelModel, plan: Plan) -> Scope:
    """Lock everything the plan names and everything its couriers hold, then read it again."""
    area, mode = Area.parse(plan.area), plan.mode
    offices = {office.id: office for office in session.network.offices(mode)}
    ours = {c.id for c in session.network.couriers(mode) if area.has_office(offices.get(c.home_office_id))}
    held = [HeldTask(*row) for row in session.planning.open_tasks(mode)]
    named = {task["request_id"] for route in plan.body["routes"] for stop in route["stops"] for task in stop["tasks"]}
    named |= {key.split("/")[0] for key in plan.body["base"]["held"]}
    named |= {one.task.request_id for one in held if one.courier_id in ours}
    requests = session.planning.lock_requests(mode, sorted(named))
    for request in requests.values():
        if mode == "test" and request.last_at <= scene.now:
            settle(session, scene, request)
    rounds = {one.task.round_id for one in held if one.task.request_id in named}
    rounds |= {found.id for found in session.planning.rounds(mode, plan.date) if found.courier_id in ours}
    session.planning.lock_rounds(sorted(rounds))
    snapshot = read(session, scene, mode, plan.date)
    couriers, legs = members(snapshot, area)
    pinned = _given_since(snapshot, plan)
    case = build(
        snapshot, scene, index, travel, couriers, legs, pinned=pinned, moved_stop=0, searched=False, name=plan.id
    )
    present = {courier.id: snapshot.tasks_of(courier.id) for courier in couriers}
    known = set(plan.body["base"]["held"])
    elsewhere = [
        one
        for one in snapshot.open_tasks
        if one.key in known and (one.courier_id not in present or one.day != snapshot.day)
    ]
    by_name = {(leg.request_id, leg.leg): leg for leg in legs}
    elsewhere = [one for one in elsewhere if (one.task.request_id, one.task.leg) in by_name]
    return Scope(snapshot, by_name, case, present, elsewhere, requests)


def _given_since(snapshot: Snapshot, plan: Plan) -> dict[str, str]:
    """Legs a coordinator has given to a courier after the draft was made: his word is newer than the plan's."""
    known = set(plan.body["base"]["tasks"])
    return {
        held.key: held.courier_id
        for held in snapshot.open_tasks
        if held.day == snapshot.day and held.task.id not in known and snapshot.on_duty(held.courier_id)
    }


def _reconciled(session: Session, scope: Scope, plan: Plan) -> dict[str, list[PlannedStop]]:
    """The plan's routes in the world as it is: what ended falls out, what was collected is only delivered.

    What was taken out of a round by hand or by a scan since the draft stays out; what no longer fits where the plan
    put it is tried elsewhere.
    """
    case, view = scope.case, View(scope.case.problem)
    orders = _orders(scope, view, plan)
    draft = Draft(view, orders, {})
    planned = {stop // 2 for order in orders for stop in order}
    given = {view.request_of[key] for key in _given_since(scope.snapshot, plan) if key in view.request_of}
    for request in draft.unserved():
        spot = draft.spot(request) if request in planned | given else None
        if spot is not None:
            draft.insert(request, spot)
    found = evaluate(view, draft.sequences())
    assert isinstance(found, Evaluation), "a draft holds only what can be driven"
    return {
        route.courier: gather(case, route, scope.present.get(route.courier, ()), session.new_id)
        for route in routes(view, found)
        if route.stops
    }


def _orders(scope: Scope, view: View, plan: Plan) -> Sequences:
    """The plan's order of stops for each courier, without what is not to be done (or not by him) any more."""
    jobs, gone = scope.case.jobs, _taken_out(scope, plan)
    orders: Sequences = [[] for _ in scope.case.problem.couriers]
    for route in plan.body["routes"]:
        courier = view.courier_of.get(route["courier_id"])
        for task in (task for stop in route["stops"] for task in stop["tasks"]):
            key = f"{task['request_id']}/{task['leg']}"
            if courier is None or key not in jobs or key in gone:
                continue
            if task["kind"] == "delivery" or jobs[key].pickup is not None:
                orders[courier].append(view.stop(key, "pickup" if task["kind"] == "pickup" else "delivery"))
    return orders


def _taken_out(scope: Scope, plan: Plan) -> set[str]:
    """Legs that had a task when the draft was made, have none now, and are still not collected."""
    still = {held.key for held in scope.snapshot.open_tasks}
    return {
        key
        for key in plan.body["base"]["held"]
        if key not in still and key in scope.case.jobs and scope.case.jobs[key].leg.waiting
    }


def put_in_force(
    session: Session, scene: Scene, scope: Scope, stops: Mapping[str, Sequence[PlannedStop]], actor: str
) -> None:
    """Make `stops` the rounds of their couriers.

    Withdraw, tell, insert: in this order, so that no task is ever open twice.
    """
    snapshot, at = scope.snapshot, scene.now
    rows: Rows = {courier_id: wanted_rows(found) for courier_id, found in stops.items()}
    _keep_what_must_stay(scope, rows)
    dropped = [
        task
        for courier_id, tasks in scope.present.items()
        for task in tasks
        if task_key(task) not in {_key_of(row) for row in rows.get(courier_id, ())}
    ]
    dropped += [held.task for held in scope.elsewhere]
    session.planning.close_tasks([task.id for task in dropped], "withdrawn", at)
    for round_id in sorted({held.task.round_id for held in scope.elsewhere}):
        session.planning.touch_round(round_id, at)
    riders = sorted({*rows, *(courier_id for courier_id in scope.present if courier_id in snapshot.rounds)})
    rounds = {
        courier_id: session.planning.open_round(session.new_id("rnd"), snapshot.mode, courier_id, snapshot.day, at)
        for courier_id in riders
    }
    refused = _tell(session, scene, scope, rows, rounds, dropped, actor)
    for courier_id, found in rounds.items():
        present = scope.present.get(courier_id, [])
        session.planning.close_tasks([t.id for t in present if (t.request_id, t.leg) in refused], "withdrawn", at)
        locked = {(task.request_id, task.leg) for task in present if task.locked}
        made = [row for row in rows.get(courier_id, []) if _leg_of(row) not in refused]
        rewrite(session, found, snapshot.ended_tasks.get(courier_id, ()), present, made, locked, at)


def _keep_what_must_stay(scope: Scope, rows: Rows) -> None:
    """Put back what no plan may take from a courier, although it found no time for it.

    The stop he is riding to comes first; parcels in his bag and what a coordinator tied to him come last.
    """
    placed = {_leg_of(row) for made in rows.values() for row in made}
    for courier_id, tasks in scope.present.items():
        riding_to = scope.case.riding_to.get(courier_id, [])
        keys, legs = {task_key(task) for task in riding_to}, {(task.request_id, task.leg) for task in riding_to}
        on_duty = scope.snapshot.on_duty(courier_id)
        first, last = [], []
        for task in tasks:
            name = (task.request_id, task.leg)
            leg = scope.legs.get(name)
            if name in placed:
                continue
            if task_key(task) in keys:
                first.append(task)
            elif leg is None or leg.carried or name in legs or (task.locked and on_duty):
                last.append(task)
        if first or last:
            rows[courier_id] = [*kept_rows(first), *rows.get(courier_id, []), *kept_rows(last)]


def _tell(
    session: Session,
    scene: Scene,
    scope: Scope,
    rows: Rows,
    rounds: Mapping[str, Round],
    dropped: Iterable[Task],
    actor: str,
) -> set[Leg]:
    """Record who collects what from now on; returns the legs whose history did not allow it."""
    holders = {_leg_of(row): courier_id for courier_id, made in rows.items() for row in made}
    planned_at = {_leg_of(row): row["planned_at"] for made in rows.values() for row in made if row["kind"] == "pickup"}
    refused: set[Leg] = set()
    for name in sorted({(task.request_id, task.leg) for task in dropped} - holders.keys()):
        if name in scope.legs and scope.legs[name].status == "ASSIGNED":
            _record(session, scene, scope, name, Happening("unassigned", scene.now, actor))
    for name in sorted(holders.keys() & scope.legs.keys()):
        leg, courier_id = scope.legs[name], holders[name]
        if leg.carried:
            continue
        if leg.waiting:
            session.consignments.change_leg(*name, planned_at=planned_at.get(name))
        if leg.courier_id == courier_id and leg.status in ("ASSIGNED", "AT_OFFICE"):
            continue
        payload = {"round_id": rounds[courier_id].id}
        given = Happening("assigned", scene.now, actor, courier_id=courier_id, payload=payload)
        if not _record(session, scene, scope, name, given):
            refused.add(name)
    return refused


def _record(session: Session, scene: Scene, scope: Scope, name: Leg, happening: Happening) -> bool:
    """Record one event; False where the leg's history does not allow it."""
    request = scope.requests.get(name[0])
    if request is not None:
        refuse_backwards(request, scene.now)
    return record(session, scene, scope.snapshot.mode, *name, happening) != "conflict"


def _leg_of(row: Mapping[str, Any]) -> Leg:
    return row["request_id"], row["leg"]


def _key_of(row: Mapping[str, Any]) -> TaskKey:
    return row["request_id"], row["leg"], row["kind"]
