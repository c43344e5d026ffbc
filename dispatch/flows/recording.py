"""Record what happened to a leg: append the event, judge the whole history anew, tell who must know.

Everything that changes a request goes through `record` or `settle`; both work on the request's row under its lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from dispatch.domain import pricing, sla
from dispatch.domain.errors import Conflict
from dispatch.domain.hours import local_date
from dispatch.domain.outward import request_json
from dispatch.domain.sla import Promise
from dispatch.domain.text import local_text
from dispatch.domain.tracking import ENDED, IN_HAND, PASSIVE, Event, LegState, fold
from dispatch.flows import notifying

if TYPE_CHECKING:
    from dispatch.domain.rules import PolicyBook
    from dispatch.store import Session
    from dispatch.store.rows import EventRow, LegRow, Request

Result = Literal["applied", "duplicate", "conflict"]

_FEED_OF_STATUS = {
    "DISPATCHED": "request.dispatched",
    "ASSIGNED": "request.assigned",
    "COLLECTED": "request.collected",
    "HANDED_OVER": "request.handed_over",
    "DELIVERED": "request.delivered",
    "PICKUP_FAILED": "request.failed",
    "ATTEMPT_FAILED": "request.failed",
    "REFUSED": "request.failed",
    "CANCELLED": "request.cancelled",
    "E_RETURNED": "request.e_returned",
    "RETURNED_TO_SHOP": "request.returned",
}
_FEED_OF_PROMISE = {
    "AT_RISK": "promise.at_risk",
    "BREACHED": "promise.breached",
    "MET": "promise.met",
    "MET_CUSTOMER_ABSENT": "promise.met",
    "RUNNING": "promise.restored",
}


@dataclass(frozen=True)
class Scene:
    """What recording needs besides the transaction: the rules, the instant, and the address links begin with."""

    book: PolicyBook
    now: datetime
    public_url: str


@dataclass(frozen=True)
class Happening:
    """An event to record; `occurred_at` is the corrected instant, `id` None lets one be made."""

    type: str
    occurred_at: datetime
    actor: str
    id: str | None = None
    courier_id: str | None = None
    payload: dict[str, Any] | None = None
    device_at: datetime | None = None
    device_seq: int | None = None
    lat: float | None = None
    lng: float | None = None


def as_event(row: EventRow) -> Event:
    """The pure form of a stored event."""
    return Event(row.id, row.type, row.occurred_at, row.device_seq or 0, row.courier_id, row.payload)


def state_of(session: Session, request_id: str, leg: str) -> LegState:
    """What all recorded events of a leg amount to."""
    return fold(leg, [as_event(row) for row in session.consignments.events(request_id, leg)])


def refuse_backwards(request: Request, now: datetime) -> None:
    """In the test world a change may not come before the row's last instant."""
    if request.mode == "test" and now < request.last_at:
        raise Conflict(
            code="test_clock_backwards",
            vi=f"Hồ sơ này đã ở thời điểm {local_text(request.last_at)}; không sửa ngược thời gian.",
            en=f"This request has already been at {local_text(request.last_at)}; changes cannot go back in time.",
        )


def record(session: Session, scene: Scene, mode: str, request_id: str, leg_name: str, happening: Happening) -> Result:
    """Append an event to a leg and bring everything that follows from it up to date.

    The same id twice is a `duplicate` without effect. An event that the history does not allow is kept as evidence
    and answered `conflict`.
    """
    request = session.consignments.get(mode, request_id, lock=True)
    leg = next(row for row in session.consignments.legs(request_id) if row.leg == leg_name)
    assert request is not None
    event_id = happening.id or session.new_id("evt")
    known = [as_event(row) for row in session.consignments.events(request.id, leg.leg)]
    added = session.consignments.add_event(
        id=event_id,
        mode=request.mode,
        request_id=request.id,
        leg=leg.leg,
        type=happening.type,
        occurred_at=happening.occurred_at,
        recorded_at=scene.now,
        device_at=happening.device_at,
        device_seq=happening.device_seq,
        courier_id=happening.courier_id,
        actor=happening.actor,
        payload=happening.payload or {},
        lat=happening.lat,
        lng=happening.lng,
    )
    if not added:
        return "duplicate"
    event = Event(
        event_id,
        happening.type,
        happening.occurred_at,
        happening.device_seq or 0,
        happening.courier_id,
        happening.payload or {},
    )
    before, after = fold(leg.leg, known), fold(leg.leg, [*known, event])
    if after != before or happening.type in PASSIVE:
        promise = _judge(scene, Promise.from_json(leg.state["promise"]), after)
        _write(session, scene, request, leg, before, after, promise)
    return "applied" if after.took(event_id) else "conflict"


def settle(session: Session, scene: Scene, request: Request) -> bool:
    """Apply what time alone has done to a request's promises up to `scene.now`; True where something changed."""
    changed = False
    for leg in session.consignments.legs(request.id):
        if leg.asleep or leg.next_check_at is None or leg.next_check_at > scene.now:
            continue
        promise = sla.advance(Promise.from_json(leg.promise), scene.now)
        state = state_of(session, request.id, leg.leg)
        _write(session, scene, request, leg, state, state, promise)
        changed = True
    return changed


def next_check_at(promise: Promise) -> datetime | None:
    """When time alone next changes this promise: at its warning, then just after it is due."""
    if promise.state == "RUNNING":
        return promise.warn_at
    return promise.due_at + timedelta(milliseconds=1) if promise.state == "AT_RISK" else None


def _judge(scene: Scene, fresh: Promise, state: LegState) -> Promise:
    """The promise of a leg, judged from its start by its whole history and by the time that has passed."""
    promise = fresh
    if state.absent_at is not None and (state.collected_at is None or state.absent_at < state.collected_at):
        promise = sla.stop(promise, state.absent_at, absent=True)
    if state.collected_at is not None:
        promise = sla.stop(promise, state.collected_at)
        promise = sla.with_collected(promise, local_date(state.collected_at), scene.book.holidays)
    if state.status in ("CANCELLED", "E_RETURNED") and state.ended_at is not None:
        promise = sla.cancel(promise, state.ended_at)
    return sla.advance(promise, scene.now)


def _write(
    session: Session,
    scene: Scene,
    request: Request,
    leg: LegRow,
    before: LegState,
    after: LegState,
    promise: Promise,
) -> None:
    shown = promise.to_json()
    session.consignments.change_leg(
        request.id,
        leg.leg,
        status=after.status,
        substatus=after.substatus,
        closed=after.ended,
        promise=shown,
        promise_state=promise.state,
        due_at=promise.due_at,
        next_check_at=next_check_at(promise),
        state={
            **leg.state,
            "outward": _outward(scene, after),
            "money": after.money,
            "pickup_attempts": after.pickup_attempts,
        },
        courier_id=after.courier_id,
        planned_at=leg.planned_at if after.status == "ASSIGNED" else None,
    )
    quote = request.quote
    if after.status in ("CANCELLED", "E_RETURNED") and before.status != after.status:
        quote = pricing.void(quote, after.status, scene.now, sum(after.money.values()), leg.leg)  # type: ignore[arg-type]
    session.consignments.change(
        request.id,
        status=after.status if leg.leg == request.active_leg else request.status,
        quote=quote,
        version=request.version + 1,
        last_at=max(request.last_at, scene.now),
        updated_at=max(request.updated_at, scene.now),
    )
    if after.status != before.status or after.courier_id != before.courier_id:
        _close_tasks(session, scene, request.id, after)
    _tell(session, scene, request, leg, before, after, promise)


def _outward(scene: Scene, state: LegState) -> dict[str, Any]:
    """Facts a read shows only in some states: the invitations after a failed delivery, the legal filing time."""
    if state.status == "ATTEMPT_FAILED" and state.failed_at is not None:
        failed_on = local_date(state.failed_at)
        # TT 17/2017/TT-BTTTT art 5: invited at least twice, two working days apart, then returned.
        second = scene.book.holidays.add_working_days(failed_on, 2)
        back = scene.book.holidays.add_working_days(second, 2)
        return {
            "undeliverable": {
                "failed_at": local_text(state.failed_at),
                "invitation_1_on": failed_on.isoformat(),
                "invitation_2_not_before": second.isoformat(),
                "return_not_before": back.isoformat(),
            }
        }
    if state.status == "HANDED_OVER" and state.ended_at is not None:
        # QĐ 45/2016/QĐ-TTg art 7: the legal filing time is the signing of the handover record.
        return {"handover": {"planned_at": None, "legal_filed_at": local_text(state.ended_at)}}
    return {}


def _close_tasks(session: Session, scene: Scene, request_id: str, state: LegState) -> None:
    """End the open tasks that the new state leaves without purpose, and count the change of their rounds."""
    touched = set()
    for task in session.planning.open_tasks_of(request_id, state.leg):
        if task.kind == "pickup" and state.collected:
            if state.status == "AT_OFFICE" and state.courier_id is not None:
                continue  # still to be loaded at the office
            end = "done"
        elif state.status == "PICKUP_FAILED":
            end = "failed" if task.kind == "pickup" else "withdrawn"
        elif task.kind == "delivery" and state.status in ("HANDED_OVER", "DELIVERED", "REFUSED"):
            end = "done"
        elif task.kind == "delivery" and state.status == "ATTEMPT_FAILED":
            end = "failed"
        elif _pointless(task.kind, state):
            end = "withdrawn"
        else:
            continue
        session.planning.close_tasks([task.id], end, scene.now)
        touched.add(task.round_id)
    for round_id in touched:
        session.planning.touch_round(round_id, scene.now)


def _pointless(kind: str, state: LegState) -> bool:
    """Whether nobody should ride for this task any more although nobody did it."""
    left_at_office = kind == "delivery" and state.status in IN_HAND and state.courier_id is None
    return left_at_office or state.status in ENDED or state.status in ("REQUESTED", "DISPATCHED")


def _tell(
    session: Session,
    scene: Scene,
    request: Request,
    leg: LegRow,
    before: LegState,
    after: LegState,
    promise: Promise,
) -> None:
    types: list[tuple[str, datetime]] = []
    seen = {step.event.id for step in before.steps}
    for step in after.steps:
        kind = _FEED_OF_STATUS.get(step.status)
        if step.event.id not in seen and kind is not None and not (step.implied and step.status != "DISPATCHED"):
            if kind == "request.assigned" and step.event.courier_id == before.courier_id:
                continue
            types.append((kind, step.event.occurred_at))
    if promise.state != leg.promise_state and promise.state in _FEED_OF_PROMISE:
        at = {"AT_RISK": promise.warn_at, "BREACHED": promise.due_at}.get(promise.state, scene.now)
        if promise.stopped_at is not None:
            at = promise.stopped_at
        types.append((_FEED_OF_PROMISE[promise.state], at))
    if not types:
        return
    fresh = session.consignments.get(request.mode, request.id)
    assert fresh is not None
    data = request_json(fresh, session.consignments.legs(request.id), scene.public_url)
    for kind, at in types:
        notifying.publish(
            session,
            mode=request.mode,
            shop_id=request.shop_id,
            type=kind,
            request_id=request.id,
            occurred_at=at,
            now=scene.now,
            data=data,
        )
