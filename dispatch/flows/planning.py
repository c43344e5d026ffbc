"""Plan an area: ask for a plan, work it out outside any transaction, keep the draft; commit is in `committing`.

An operation is claimed under a lease that a thread renews while the solver runs. Whoever loses the lease stops and
keeps nothing, so that an operation has one draft at most, however often its task is delivered.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import routing
from dispatch.domain.errors import Conflict, DispatchError, NotFound, invalid
from dispatch.domain.hours import local_date
from dispatch.domain.text import local_text
from dispatch.flows import drafting, lateness, looks, operations, surveying
from dispatch.flows.operations import LEASE, Lease
from dispatch.flows.problem import MOVED_STOP
from dispatch.flows.snapshot import Area
from dispatch.flows.surveying import Ground, Parts, judged
from routing import RoutingError

if TYPE_CHECKING:
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import Operation, Plan

KIND = "plan"
READ, REASONED = 0.1, 0.95
"""How far a plan is when its question is put, and when the planner has answered."""
READ_S = 30.0
"""So long reading a province and reckoning its rides may take; an office is there in a moment."""
THREADS_FROM = 500
"""Plans of so many requests use every processor."""


def ask(
    session: Session,
    scene: Scene,
    *,
    mode: str,
    area: str,
    day: date,
    plan_mode: str,
    seconds: int,
    owner: str,
) -> str:
    """Begin a plan of `area` (`province:56` or `office:ID`) and date, as of `scene.now`; returns the operation's id.

    `plan_mode` is `day` or `replan` (couriers ride: a moved stop has a price). Raises `Invalid` for a date that is
    over or an area without a post office.
    """
    if day < local_date(scene.now):
        raise invalid("/date", "date_in_past", "Ngày này đã qua.", "This date is over.")
    wanted = Area.parse(area)
    if not any(wanted.has_office(office) for office in session.network.offices(mode)):
        raise invalid(
            "/office_id" if wanted.kind == "office" else "/province_code",
            "unknown_area",
            "Không có bưu cục nào ở địa bàn này.",
            "There is no post office in this area.",
        )
    params = {
        "area": area,
        "date": day.isoformat(),
        "mode": plan_mode,
        "seconds": seconds,
        "now": scene.now.isoformat(),
    }
    return operations.begin(session, mode, KIND, params, owner)


@dataclass(frozen=True)
class _Wish:
    """What an operation asks for, read from its parameters."""

    operation: Operation
    area: str
    day: date
    seconds: float
    moved_stop: int
    now: datetime

    @classmethod
    def of(cls, operation: Operation) -> _Wish:
        params = operation.params
        return cls(
            operation=operation,
            area=str(params["area"]),
            day=date.fromisoformat(params["date"]),
            seconds=float(params["seconds"]),
            moved_stop=MOVED_STOP if params["mode"] == "replan" else 0,
            now=datetime.fromisoformat(params["now"]),
        )


def run(system: Parts, operation_id: str, *, solve: Callable[..., routing.Plan] = routing.solve) -> str | None:
    """Work out the plan of an operation; its state afterwards, None where there was nothing to do or it was taken away.

    A plan that cannot be made ends the operation as `failed` with a code; a worker that dies leaves it to the next.
    """
    with system.store.begin() as session:
        at = session.wall_clock()
        operation = session.planning.claim_operation(operation_id, at, at + LEASE)
    if operation is None:
        return None
    wish = _Wish.of(operation)
    if operation.stop_asked_at is not None:
        with system.store.begin() as session:
            return _end_stopped(session, wish)
    try:
        with Lease(system.store, operation, _hold_area(wish)) as lease:
            lease.goes_on(0.0, READ, READ_S)
            ground = _ground(system, wish)
            lease.goes_on(READ, REASONED, wish.seconds)
            plan = judged(ground, _solved(ground, wish, lease, solve))
            lease.goes_on(REASONED, REASONED, 0)
            if lease.lost.is_set():
                return None
            return _keep(system, wish, ground, plan, lateness.late_stops(ground.case, plan))
    except (RoutingError, DispatchError) as error:
        return operations.given_up(error, "Không lập được kế hoạch", partial(_fail, system, wish))
    except Exception:
        _fail(system, wish, "internal_error", "Lỗi bên trong khi lập kế hoạch.", "Planning failed on an inner error.")
        raise


def _solved(ground: Ground, wish: _Wish, lease: Lease, solve: Callable[..., routing.Plan]) -> routing.Plan:
    """The planner's answer: after the time asked for, or the best so far once somebody asks to stop."""
    many = len(ground.case.jobs) >= THREADS_FROM
    return solve(
        ground.case.problem,
        seconds=wish.seconds,
        warm=ground.case.in_force,
        should_stop=lease.over,
        threads=os.cpu_count() or 1 if many else 1,
    )


def _ground(system: Parts, wish: _Wish) -> Ground:
    """Claim the area, read it, then put the question to the planner into numbers.

    The claim is committed before anything is read: reading a province may take longer than a lease, which could not be
    renewed while the area's row is held.
    """
    scene, mode = system.scene(wish.now), wish.operation.mode
    with system.store.begin() as session:
        at = session.wall_clock()
        if not session.planning.claim_area(mode, wish.area, wish.day, wish.operation.id, at, at + LEASE):
            raise Conflict(
                code="area_busy",
                vi="Địa bàn này đang được lập kế hoạch.",
                en="Another plan of this area and date is being worked out.",
            )
    with system.store.begin() as session:
        survey = surveying.survey(session, scene, mode, wish.area, wish.day)
    return surveying.ground(system, scene, survey, name=wish.operation.id, moved_stop=wish.moved_stop)


def _keep(system: Parts, wish: _Wish, ground: Ground, plan: routing.Plan, late: list[dict[str, Any]]) -> str | None:
    """Store the draft and end the operation in one transaction; None where somebody ended it before.

    One that was asked to stop ends as cancelled, with the best plan so far as its draft; without a draft where that
    plan is no better than what is in force.
    """
    operation = wish.operation
    with system.store.begin() as session:
        found = session.planning.operation(operation.mode, operation.id, lock=True)
        stopped = found is not None and found.stop_asked_at is not None
        if stopped and plan.cost.total >= ground.force.cost.total:
            return _end_stopped(session, wish)
        status, at, plan_id = "cancelled" if stopped else "succeeded", session.wall_clock(), session.new_id("pln")
        progress = {} if stopped else {"progress": 1.0}
        if not session.planning.end_operation(operation.id, at, status, result={"plan_id": plan_id}, **progress):
            return None
        session.planning.add_plan(
            id=plan_id,
            mode=operation.mode,
            area=wish.area,
            date=wish.day,
            status="draft",
            version=1,
            base_version=ground.base_version,
            body=drafting.body(ground.case, ground.snapshot, ground.couriers, plan, ground.force, session.new_id, late),
            planned_for_at=wish.now,
            created_at=at,
            updated_at=at,
        )
        _release(session, wish)
    return status


def _end_stopped(session: Session, wish: _Wish) -> str | None:
    """End an operation that was asked to stop before there was anything worth keeping."""
    operation = wish.operation
    ended = session.planning.end_operation(operation.id, session.wall_clock(), "cancelled")
    _release(session, wish)
    return "cancelled" if ended else None


def _hold_area(wish: _Wish) -> Callable[[Session, datetime, datetime], object]:
    """What keeps the area with the operation; where it is another's by now, that is found when it is claimed."""
    mode, operation_id = wish.operation.mode, wish.operation.id
    return lambda session, at, until: session.planning.claim_area(mode, wish.area, wish.day, operation_id, at, until)


def _release(session: Session, wish: _Wish) -> None:
    """Give the area back, and see to what was marked there meanwhile."""
    session.planning.release_area(wish.operation.mode, wish.area, wish.day, wish.operation.id)
    looks.again(session, wish.operation.mode, wish.area, wish.day)


def _fail(system: Parts, wish: _Wish, code: str, vi: str, en: str) -> operations.Failed:
    with system.store.begin() as session:
        ended = operations.fail(session, wish.operation.id, code, vi, en)
        _release(session, wish)
    return ended


def cancel(session: Session, operation: Operation) -> None:
    """Stop an operation. A plan that is being worked out goes on for a moment and keeps the best so far as its draft;
    anything else ends at once. Raises `Conflict` where it has ended.
    """
    if operation.kind == KIND and session.planning.ask_to_stop(operation.id, session.wall_clock()):
        return
    if not session.planning.end_operation(operation.id, session.wall_clock(), "cancelled"):
        raise Conflict(code="operation_ended", vi="Tác vụ này đã kết thúc.", en="This operation has ended already.")
    if operation.kind == KIND:
        day = date.fromisoformat(operation.params["date"])
        session.planning.release_area(operation.mode, operation.params["area"], day, operation.id)


def discard(session: Session, plan: Plan) -> None:
    """Put a draft away; the caller holds its row."""
    if plan.status != "draft":
        raise not_draft(plan)
    session.planning.change_plan(plan.id, "discarded", session.wall_clock())


def not_draft(plan: Plan) -> Conflict:
    """The answer for a plan that was committed or discarded."""
    return Conflict(
        code="plan_not_draft",
        vi="Kế hoạch này đã được áp dụng hoặc đã bỏ.",
        en="This plan was committed or discarded already.",
        extra={"status_now": plan.status},
    )


def no_such_plan() -> NotFound:
    """The answer for a plan that is not there."""
    return NotFound(code="not_found", vi="Không có kế hoạch này.", en="There is no such plan.")


def shown(plan: Plan) -> dict[str, Any]:
    """A plan as a read shows it."""
    visible = {name: value for name, value in plan.body.items() if name != "base"}
    return {
        "id": plan.id,
        "version": plan.version,
        "status": plan.status,
        "area": plan.area,
        "date": plan.date.isoformat(),
        "base_version": plan.base_version,
        "planned_for_at": local_text(plan.planned_for_at),
        "created_at": local_text(plan.created_at),
        **visible,
    }
