"""What follows from a leg's new state: tasks that lost their purpose end, the shop is told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dispatch.domain.moves import GOING_BACK
from dispatch.domain.outward import request_json
from dispatch.domain.tracking import ENDED, HELD, LegState
from dispatch.flows import notifying

if TYPE_CHECKING:
    from dispatch.domain.legstate import Step
    from dispatch.domain.sla import Promise
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import LegRow, Request, Task

_FEED_OF_EVENT = {
    "dispatched": "request.dispatched",
    "assigned": "request.assigned",
    "collected": "request.collected",
    "collect_failed": "request.failed",
    "delivery_failed": "request.failed",
    "refused": "request.failed",
    "lost": "request.failed",
    "damaged": "request.failed",
    "cancelled": "request.cancelled",
    "e_returned": "request.e_returned",
}
_FEED_OF_END = {
    "HANDED_OVER": "request.handed_over",
    "DELIVERED": "request.delivered",
    "RETURNED_TO_SHOP": "request.returned",
    "CLOSED": "request.returned",  # given back to the sender
}
_FEED_OF_PROMISE = {
    "AT_RISK": "promise.at_risk",
    "BREACHED": "promise.breached",
    "MET": "promise.met",
    "MET_CUSTOMER_ABSENT": "promise.met",
    "RUNNING": "promise.restored",
}


def close_tasks(session: Session, scene: Scene, request_id: str, state: LegState) -> None:
    """End the open tasks that the new state leaves without purpose, and count the change of their rounds."""
    touched = set()
    for task in session.planning.open_tasks_of(request_id, state.leg):
        end = _end_of(task, state)
        if end is not None:
            session.planning.close_tasks([task.id], end, scene.now)
            touched.add(task.round_id)
    for round_id in touched:
        session.planning.touch_round(round_id, scene.now)
    if state.status == "COLLECTED" and state.courier_id is not None:
        _follow_the_bag(session, scene, request_id, state.leg, state.courier_id)


def _follow_the_bag(session: Session, scene: Scene, request_id: str, leg: str, courier_id: str) -> None:
    """Let who collected also deliver: a phone with an old pack may collect what was given to another meanwhile.

    The delivery goes behind the stops of his round; the next plan finds it a better place.
    """
    held = [task for task in session.planning.open_tasks_of(request_id, leg) if task.kind == "delivery"]
    for other in session.planning.lock_rounds(sorted({task.round_id for task in held})):
        if other.courier_id == courier_id:
            continue
        his = session.planning.open_round(session.new_id("rnd"), other.mode, courier_id, other.date, scene.now)
        behind = max((task.position for task in session.planning.tasks([his.id])), default=-1) + 1
        astray = [task for task in held if task.round_id == other.id]
        session.planning.close_tasks([task.id for task in astray], "withdrawn", scene.now)
        names = ("request_id", "leg", "kind", "place", "planned_at", "leg_m", "locked")
        rows = [{name: getattr(task, name) for name in names} for task in astray]
        new = {"round_id": his.id, "stop_id": session.new_id("stp"), "state": "open", "created_at": scene.now}
        session.planning.add_tasks(
            [{**row, **new, "position": behind + place, "closed_at": None} for place, row in enumerate(rows)]
        )
        for round_id in (other.id, his.id):
            session.planning.touch_round(round_id, scene.now)


def withdraw(session: Session, scene: Scene, request_id: str, leg: str) -> None:
    """Take a leg's open tasks out of their rounds."""
    tasks = session.planning.open_tasks_of(request_id, leg)
    session.planning.close_tasks([task.id for task in tasks], "withdrawn", scene.now)
    for round_id in sorted({task.round_id for task in tasks}):
        session.planning.touch_round(round_id, scene.now)


def _end_of(task: Task, state: LegState) -> str | None:
    """How an open task ends in this state; None where it still has its purpose."""
    if task.kind == "pickup" and state.collected:
        loading = state.status in HELD and state.at_office and state.courier_id is not None
        return None if loading else "done"  # what lies at an office is still to be loaded there
    if state.status == "PICKUP_FAILED":
        return "failed" if task.kind == "pickup" else "withdrawn"
    if state.status in ENDED:
        return "done" if task.kind == "delivery" and state.status in _FEED_OF_END else "withdrawn"
    if task.kind == "pickup":
        return "withdrawn" if state.status in ("REQUESTED", "DISPATCHED") else None
    last = state.steps[-1].event.type
    if state.status in GOING_BACK and (task.place["at"] == "shop") != (state.leg == "return"):
        return "done" if last == "refused" else "withdrawn"  # a stop at the end it will not come to any more
    if last == "delivery_failed":
        return "failed"
    waiting = state.status in ("REQUESTED", "DISPATCHED")
    return "withdrawn" if waiting or (state.status in HELD and state.courier_id is None) else None


def tell(
    session: Session,
    scene: Scene,
    request: Request,
    leg: LegRow,
    before: LegState,
    after: LegState,
    promise: Promise,
    *,
    fee_corrected: bool,
) -> None:
    """Publish what the shop must know of the change from `before` to `after`; `leg` is the row as it was before."""
    types = _news(before, after)
    if promise.state != leg.promise_state and promise.state in _FEED_OF_PROMISE:
        warned_at = min(promise.warn_at, scene.now)  # a forecast may have warned before
        at = {"AT_RISK": warned_at, "BREACHED": promise.due_at}.get(promise.state, scene.now)
        types.append((_FEED_OF_PROMISE[promise.state], promise.stopped_at or at))
    if fee_corrected:
        types.append(("fee.corrected", scene.now))
    publish(session, scene, request.mode, request.id, types)


def publish(session: Session, scene: Scene, mode: str, request_id: str, types: list[tuple[str, datetime]]) -> None:
    """Tell the shop of a request, as it stands now, each of (webhook type, instant it happened)."""
    fresh = session.consignments.get(mode, request_id)
    if not types or fresh is None:
        return
    data = request_json(fresh, session.consignments.legs(request_id), scene.public_url)
    for kind, at in types:
        notifying.publish(
            session,
            mode=mode,
            shop_id=fresh.shop_id,
            type=kind,
            request_id=request_id,
            occurred_at=at,
            now=scene.now,
            data=data,
        )


def _news(before: LegState, after: LegState) -> list[tuple[str, datetime]]:
    """(webhook type, instant) of each step that is new."""
    seen = {step.event.id for step in before.steps}
    found: list[tuple[str, datetime]] = []
    for step in after.steps:
        kind = _feed_of(step)
        if step.event.id in seen or kind is None or (step.implied and step.status != "DISPATCHED"):
            continue
        if kind == "request.assigned" and step.event.courier_id == before.courier_id:
            continue
        found.append((kind, step.event.occurred_at))
    return found


def _feed_of(step: Step) -> str | None:
    if step.event.type in ("handed_over", "delivered"):
        return _FEED_OF_END.get(step.status)
    if step.event.type == "delivery_failed" and step.status == "RETURNING":
        return None
    return _FEED_OF_EVENT.get(step.event.type)
