"""Do what an offer of a rescue says, if everything it was reckoned from still stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.domain.errors import Conflict, invalid
from dispatch.domain.hours import local_date
from dispatch.flows import exceptions, looks
from dispatch.flows.committing import Scope, put_in_force
from dispatch.flows.grounds import endangered, ground
from dispatch.flows.recording import refuse_backwards, settle
from dispatch.flows.remedies import Carried, state_mark, taken_apart
from dispatch.flows.sla_watch import touch
from dispatch.flows.snapshot import HeldTask
from dispatch.flows.stops import PlannedStop, gather
from dispatch.live.repairs import Orders, Repair, Situation, replayed
from routing.cost import Evaluation, evaluate, routes

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.grounds import Ground
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import LegRow, Request
    from routing.travel import TravelModel


def apply(
    session: Session,
    scene: Scene,
    index: Index,
    travel: TravelModel,
    mode: str,
    request_id: str,
    offer_id: str,
    reason: str,
    actor: str,
) -> dict[str, Any]:
    """Do what an offer says; returns what of it an undo must know besides rounds (`paused`, see `flows/undoing`).

    Raises `NotFound`, `Invalid` (`unknown_offer`, `reason_required`), `Conflict` (`rescue_outdated` where the rounds
    or the leg are not what the offer was reckoned from, `rescue_needs_call` for one that is a telephone call).
    """
    asked, mark = taken_apart(offer_id)
    requests = session.planning.lock_requests(mode, sorted({request_id} | {step.request_id for step in asked.steps}))
    request = touch(session, scene, mode, request_id, None, change=True)
    for other in requests.values():
        if other.id != request_id:
            refuse_backwards(other, scene.now)
            if mode == "test":
                settle(session, scene, other)
    leg = exceptions.leg_of(session, request)
    if not endangered(leg):
        raise _outdated()
    if asked.kind == "ask_earlier":
        raise Conflict(
            code="rescue_needs_call",
            vi="Phương án này là một cuộc gọi; đã thống nhất thì giao việc bằng tay.",
            en="This offer is a telephone call; once agreed, assign by hand.",
        )
    if asked.kind == "pause":
        return _pause(session, scene, request, leg, asked, mark, reason, actor)
    elsewhere = _locked(session, scene, request, leg, asked)
    found, way = _still_true(session, scene, index, travel, request, leg, asked, mark)
    legs = {(job.leg.request_id, job.leg.leg): job.leg for job in found.case.jobs.values()}
    present = {courier_id: found.snapshot.tasks_of(courier_id) for courier_id in asked.courier_ids}
    scope = Scope(found.snapshot, legs, found.case, present, elsewhere, requests)
    put_in_force(session, scene, scope, _stops(session, found, way.orders), actor)
    couriers = (found.snapshot.couriers[courier_id].home_office_id for courier_id in asked.courier_ids)
    looks.mark(session, mode, [request.office_id, *couriers], scene.now)
    detail = {"kind": asked.kind, "leg": leg.leg, "steps": [step._asdict() for step in asked.steps]}
    session.access.audit(mode, scene.now, actor, "request.rescued", request.id, detail)
    return {}


def _outdated() -> Conflict:
    return Conflict(
        code="rescue_outdated",
        vi="Hành trình đã thay đổi; xin xem lại các phương án.",
        en="The rounds have changed since; ask for the offers again.",
    )


def _pause(
    session: Session, scene: Scene, request: Request, leg: LegRow, asked: Carried, mark: str, reason: str, actor: str
) -> dict[str, Any]:
    if mark != state_mark(leg, {}, asked) or asked.party is None:
        raise _outdated()
    if not reason:
        raise invalid("/reason", "reason_required", "Dừng đồng hồ phải có lý do.", "A pause must have its reason.")
    exceptions.pause(session, scene, request, leg, actor, reason, asked.party)
    return {"paused": [request.id, leg.leg]}


def _locked(session: Session, scene: Scene, request: Request, leg: LegRow, asked: Carried) -> list[HeldTask]:
    """Lock the rounds concerned; returns the leg's open tasks in rounds that the offer does not know of."""
    day = local_date(scene.now)
    held = session.planning.open_tasks_of(request.id, leg.leg)
    known = (session.planning.round_of(request.mode, courier_id, day) for courier_id in asked.courier_ids)
    named = {task.round_id for task in held} | {found.id for found in known if found is not None}
    rounds = {found.id: found for found in session.planning.lock_rounds(sorted(named))}
    where = ((task, rounds[task.round_id]) for task in held)
    return [
        HeldTask(task, found.courier_id, found.date)
        for task, found in where
        if found.courier_id not in asked.courier_ids or found.date != day
    ]


def _still_true(
    session: Session,
    scene: Scene,
    index: Index,
    travel: TravelModel,
    request: Request,
    leg: LegRow,
    asked: Carried,
    mark: str,
) -> tuple[Ground, Repair]:
    """Read the locked rounds again and see that the offer still holds what it said."""
    found = ground(session, scene, index, travel, request, leg, asked.courier_ids)
    now, known = found.now, len(found.couriers) == len(asked.courier_ids)
    if mark != state_mark(leg, found.snapshot.rounds, asked) or now is None or not known:
        raise _outdated()
    orders, host = _orders(now, asked), now.view.courier_of.get(asked.host)
    way = None if orders is None or host is None else now.measured(asked.kind, host, orders)
    if way is None or way.in_time < asked.in_time or len(way.broken) > asked.broken:
        raise _outdated()
    return found, way


def _orders(now: Situation, asked: Carried) -> Orders | None:
    view = now.view
    told = []
    for request_id, leg, courier_id, first, second in asked.steps:
        request, courier = view.request_of.get(f"{request_id}/{leg}"), view.courier_of.get(courier_id)
        if request is None or courier is None or courier not in view.allowed[request]:
            return None
        told.append((request, courier, first, second))
    return replayed(now, told)


def _stops(session: Session, found: Ground, orders: Orders) -> dict[str, list[PlannedStop]]:
    """The stops of the changed rounds, timed within their limits where those are kept."""
    now = found.now
    assert now is not None, "what was measured was read"
    couriers = now.view.problem.couriers
    timed = evaluate(now.view, [orders.get(courier, []) for courier in range(len(couriers))])
    view = now.view
    if not isinstance(timed, Evaluation):
        view = now.wide
        timed = evaluate(view, [orders.get(courier, []) for courier in range(len(couriers))])
    assert isinstance(timed, Evaluation), "nothing is in the way once every limit is open"
    made = {
        route.courier: gather(found.case, route, found.snapshot.tasks_of(route.courier), session.new_id)
        for route in routes(view, timed)
    }
    return {couriers[courier].id: made.get(couriers[courier].id, []) for courier in orders}
