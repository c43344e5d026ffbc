"""Give one request to a courier by hand, or take it back: the coordinator decides, the plan says what it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dispatch.domain.errors import Conflict, invalid
from dispatch.domain.hours import local_date
from dispatch.domain.moves import GOING_BACK
from dispatch.domain.unplanned import REASONS
from dispatch.flows import looks
from dispatch.flows.problem import Case, as_kind, build
from dispatch.flows.recording import Happening, Scene, record
from dispatch.flows.snapshot import CARRIED, OpenLeg, Snapshot, read
from dispatch.flows.stops import gather, kept_rows, rewrite, task_key, wanted_rows
from routing import Problem
from routing.cost import Evaluation, evaluate, routes
from routing.draft import Draft
from routing.insertion import Trip, best_spot, put
from routing.timing import Timing, route_price, time_route
from routing.view import View

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.store import Session
    from dispatch.store.rows import Courier, LegRow, Request, Round, Task
    from routing.travel import TravelModel

FAR_S = 7 * 86_400
"""Past every hour of the day: how far limits are opened to time a round that breaks them."""
MANY = 10**9

# code → (Vietnamese, English)
_VIOLATIONS: dict[str, tuple[str, str]] = {
    "promise_late": ("Thu gom sau hạn cam kết.", "Collected after its promise."),
    "outside_hours": ("Đến ngoài giờ giao nhận.", "Reached outside its hours."),
    "shift_exceeded": ("Vượt quá giờ kết thúc ca.", "Goes beyond the end of the shift."),
    "capacity_exceeded": ("Vượt quá sức chứa của bưu tá.", "More than the courier can carry."),
}
Fault = tuple[str, str | None]
"""(code, request id or None where the whole round is meant)."""


@dataclass(frozen=True)
class _Ride:
    """One courier's round as it stands, and the leg that is to be put into it."""

    snapshot: Snapshot
    case: Case
    round: Round
    present: list[Task]
    key: str


def assign(
    session: Session,
    scene: Scene,
    index: Index,
    travel: TravelModel,
    request: Request,
    courier_id: str,
    position: int | None,
    lock: bool,
    actor: str,
) -> list[dict[str, Any]]:
    """Put a request's active leg into a courier's round of today; returns the violations this causes.

    `position` counts the open stops ahead of it (0 = next; behind the stop he is riding to at the earliest); None puts
    it where it adds least. `lock` ties the leg to him until a coordinator unties it. The caller holds the request's
    row. Raises `Invalid` `unknown_courier`, `Conflict` `courier_off_duty`, `already_collected`, `already_ended`,
    `address_unknown`, `office_unknown`.
    """
    courier = session.network.courier(request.mode, courier_id)
    if courier is None:
        raise invalid("/courier_id", "unknown_courier", "Không có bưu tá này.", "There is no such courier.")
    leg = _leg_to_give(session, request, courier)
    ride = _ride(session, scene, index, travel, request, courier, leg)
    problem = ride.case.problem
    wide = wide_open(problem)
    view, wide_view = View(problem), View(wide)
    free = view.stops_of(view.request_of[ride.key])
    before = [stop for stop in view.sequences_of(ride.case.in_force)[0] if stop not in free]
    order = _order(view, wide_view, before, ride, position)
    found = evaluate(wide_view, [order])
    assert isinstance(found, Evaluation), "nothing is in the way once every limit is open"
    caused = _faults(ride.case, wide_view, order) - _faults(ride.case, wide_view, before)
    (route,) = routes(wide_view, found)
    rows = wanted_rows(gather(ride.case, route, ride.present, session.new_id))
    _write(session, scene, ride, leg, courier, rows, lock=lock, actor=actor)
    looks.mark(session, request.mode, [request.office_id, courier.home_office_id], scene.now)
    return [_violation(code, about) for code, about in sorted(caused, key=lambda fault: (fault[0], fault[1] or ""))]


def unassign(session: Session, scene: Scene, request: Request, actor: str) -> None:
    """Take a request's active leg out of its round; possible until it was collected. The caller holds its row."""
    leg = next(row for row in session.consignments.legs(request.id) if row.leg == request.active_leg)
    held = session.planning.open_tasks_of(request.id, leg.leg)
    session.planning.lock_rounds(sorted({task.round_id for task in held}))
    if leg.status == "ASSIGNED":
        record(session, scene, request.mode, request.id, leg.leg, Happening("unassigned", scene.now, actor))
        return
    if leg.state.get("at_office") and held:
        session.planning.close_tasks([task.id for task in held], "withdrawn", scene.now)
        for round_id in sorted({task.round_id for task in held}):
            session.planning.touch_round(round_id, scene.now)
        looks.mark(session, request.mode, [request.office_id], scene.now)
        return
    if leg.status in CARRIED | GOING_BACK:
        raise _already_collected()
    raise Conflict(code="not_assigned", vi="Yêu cầu này chưa giao cho bưu tá.", en="No courier has this request.")


def _already_collected() -> Conflict:
    return Conflict(
        code="already_collected", vi="Bưu tá đã lấy hồ sơ.", en="A courier has collected the dossier already."
    )


def _leg_to_give(session: Session, request: Request, courier: Courier) -> LegRow:
    leg = next(row for row in session.consignments.legs(request.id) if row.leg == request.active_leg)
    if leg.closed:
        raise Conflict(code="already_ended", vi="Yêu cầu đã kết thúc.", en="The request has ended.")
    if _in_a_bag(leg) and leg.courier_id != courier.id:
        raise _already_collected()
    return leg


def _in_a_bag(leg: LegRow) -> bool:
    """Whether a courier holds the papers, on their way, on their way back, or after a failed delivery."""
    return leg.status in CARRIED | GOING_BACK | {"ATTEMPT_FAILED"} and not leg.state.get("at_office")


def _ride(
    session: Session, scene: Scene, index: Index, travel: TravelModel, request: Request, courier: Courier, leg: LegRow
) -> _Ride:
    """Lock the rounds concerned and read the courier's own, with the leg among what he is to do."""
    mode, day = request.mode, local_date(scene.now)
    held = session.planning.open_tasks_of(request.id, leg.leg)
    known = session.planning.round_of(mode, courier.id, day)
    session.planning.lock_rounds(sorted({task.round_id for task in held} | ({known.id} if known else set())))
    found = session.planning.open_round(session.new_id("rnd"), mode, courier.id, day, scene.now)
    present = session.planning.tasks([found.id], open_only=True)
    ids = sorted({task.request_id for task in present} | {request.id})
    snapshot = read(session, scene, mode, day, request_ids=ids, courier_ids=[courier.id])
    if not snapshot.on_duty(courier.id):
        raise Conflict(
            code="courier_off_duty",
            vi="Bưu tá này không còn ca làm việc hôm nay.",
            en="This courier has no shift left today.",
        )
    key = f"{request.id}/{leg.leg}"
    mine = {f"{task.request_id}/{task.leg}" for task in present} | {key}
    legs = [one for one in snapshot.legs if one.key in mine or (one.carried and one.courier_id == courier.id)]
    legs = [_in_the_bag(one) if one.key == key else one for one in legs]
    pinned = {one.key: courier.id for one in legs}
    case = build(
        snapshot, scene, index, travel, [courier], legs, pinned=pinned, by_hand=[key], moved_stop=0, name=found.id
    )
    for entry in case.left_out:
        if (entry.request_id, entry.leg) == (request.id, leg.leg):
            vi, en = REASONS[entry.code]
            raise Conflict(code=entry.code, vi=vi, en=en)
    return _Ride(snapshot, case, found, present, key)


def _in_the_bag(leg: OpenLeg) -> OpenLeg:
    """A failed delivery that a coordinator sends out again is carried like any other parcel."""
    return replace(leg, status="OUT_FOR_DELIVERY") if leg.status == "ATTEMPT_FAILED" else leg


def wide_open(problem: Problem) -> Problem:
    """The same problem with every hour, shift and load limit opened, so that any round can be timed.

    Openings and closed lunches stay: a coordinator may come late, but nobody opens earlier for him.
    """

    def later(windows: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        return (*windows[:-1], (windows[-1][0], FAR_S))

    requests = tuple(
        replace(
            one,
            pickup=replace(one.pickup, windows=later(one.pickup.windows)),
            delivery=replace(one.delivery, windows=later(one.delivery.windows)),
        )
        for one in problem.requests
    )
    couriers = tuple(
        replace(one, shift=(one.shift[0], FAR_S), capacity=MANY, breaks=(), max_distance_m=None)
        for one in problem.couriers
    )
    return replace(problem, requests=requests, couriers=couriers)


def _order(view: View, wide: View, before: list[int], ride: _Ride, position: int | None) -> list[int]:
    """The round's order of stops with the leg in it: where it fits best, else where it hurts least."""
    request = view.request_of[ride.key]
    if not view.stops_of(request):
        return before
    if position is None:
        draft = Draft(view, [before], {})
        if set(before) <= set(draft.trips[0].order):
            spot = best_spot(draft.trips[0], request)
            if request not in draft.unserved():
                return draft.trips[0].order
            if spot is not None:
                return put(draft.trips[0], request, spot).order
        trip = Trip(wide, 0, before, {})
        free = best_spot(trip, request)
        assert free is not None, "with every limit open there is a place"
        return put(trip, request, free).order
    stops = wide.stops_of(request)
    first = max(_task_index(ride, view, before, position), sum(stop in before for stop in view.locked[0]))
    orders = []
    for second in range(first, len(before) + 1):
        if len(stops) == 1:
            orders.append([*before[:first], *stops, *before[first:]])
            break
        orders.append([*before[:first], stops[0], *before[first:second], stops[1], *before[second:]])
    return min(orders, key=lambda order: _price(wide, order))


def _price(view: View, order: Sequence[int]) -> float:
    timing = time_route(view, 0, order)
    return float(route_price(view, timing)) if isinstance(timing, Timing) else float("inf")


def _task_index(ride: _Ride, view: View, before: list[int], position: int) -> int:
    """How many tasks of `before` lie in its first `position` stops."""
    names = {
        view.stop(f"{task.request_id}/{task.leg}", as_kind(task.kind)): task.stop_id
        for task in ride.present
        if f"{task.request_id}/{task.leg}" in view.request_of
    }
    order = [names[stop] for stop in before]
    ahead = set(list(dict.fromkeys(order))[:position])
    return sum(name in ahead for name in order)


def _faults(case: Case, wide: View, order: Sequence[int]) -> set[Fault]:
    """What a round breaks, timed with every limit open and held against the real ones."""
    timing = time_route(wide, 0, order)
    assert isinstance(timing, Timing), "nothing is in the way once every limit is open"
    courier, found = case.problem.couriers[0], set[Fault]()
    load = len(courier.on_board)
    for stop, start_s in zip(order, timing.start, strict=True):
        asked = case.problem.requests[stop // 2]
        job, end = case.jobs[asked.id], asked.delivery if stop % 2 else asked.pickup
        leg = job.leg
        if start_s > end.windows[-1][1] or job.out_of_hours:
            found.add(("outside_hours", leg.request_id))
        runs = not stop % 2 and leg.due_at is not None and leg.promise.get("stopped_at") is None
        if runs and leg.due_at is not None and start_s > case.clock.seconds(leg.due_at):
            found.add(("promise_late", leg.request_id))
        load += -1 if stop % 2 else 1
        if not stop % 2 and load > courier.capacity:
            found.add(("capacity_exceeded", None))
    if order and timing.end_at > courier.shift[1]:
        found.add(("shift_exceeded", None))
    return found


def _violation(code: str, request_id: str | None) -> dict[str, Any]:
    vi, en = _VIOLATIONS[code]
    return {"code": code, "request_id": request_id, "text": {"vi": vi, "en": en}}


def _write(
    session: Session,
    scene: Scene,
    ride: _Ride,
    leg: LegRow,
    courier: Courier,
    rows: list[dict[str, Any]],
    *,
    lock: bool,
    actor: str,
) -> None:
    name, at = (leg.request_id, leg.leg), scene.now
    wanted = {(row["request_id"], row["leg"], row["kind"]) for row in rows}
    for task in session.planning.open_tasks_of(*name):
        if task.round_id != ride.round.id or task_key(task) not in wanted:
            session.planning.close_tasks([task.id], "withdrawn", at)
            if task.round_id != ride.round.id:
                session.planning.touch_round(task.round_id, at)
    if not _in_a_bag(leg):
        first = next(row for row in rows if (row["request_id"], row["leg"]) == name and row["kind"] == "pickup")
        session.consignments.change_leg(*name, planned_at=None if leg.state.get("at_office") else first["planned_at"])
        if leg.courier_id != courier.id or leg.status not in ("ASSIGNED", "AT_OFFICE"):
            payload = {"round_id": ride.round.id}
            given = Happening("assigned", at, actor, courier_id=courier.id, payload=payload)
            if record(session, scene, ride.snapshot.mode, *name, given) == "conflict":
                raise Conflict(
                    code="illegal_transition",
                    vi="Lịch sử của yêu cầu không cho phép giao lúc này.",
                    en="The history of the request does not allow this now.",
                )
    kept = kept_rows(task for task in ride.present if task_key(task) not in wanted and _other(task, name))
    locked = {(task.request_id, task.leg) for task in ride.present if task.locked} - {name}
    ended = ride.snapshot.ended_tasks.get(courier.id, ())
    rewrite(session, ride.round, ended, ride.present, [*rows, *kept], locked | ({name} if lock else set()), at)


def _other(task: Task, name: tuple[str, str]) -> bool:
    return (task.request_id, task.leg) != name
