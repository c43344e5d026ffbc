"""Record what happened to a leg: append the event, judge the whole history anew, tell who must know.

Everything that changes a request goes through `record` or `settle`; both work on the request's row under its lock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from dispatch.domain import charging, pricing, sla
from dispatch.domain.errors import Conflict
from dispatch.domain.invitations import due_step, stamped
from dispatch.domain.judging import Yardstick, facts, judge, window_of, with_fault
from dispatch.domain.moves import CALLED_OFF
from dispatch.domain.sla import POST_CALENDAR, Promise
from dispatch.domain.text import local_text
from dispatch.domain.tracking import PASSIVE, Event, LegState, fold
from dispatch.flows import ledger, looks
from dispatch.flows.aftermath import close_tasks, tell
from dispatch.flows.calendars import calendar_of
from dispatch.flows.ruling import shop_book

if TYPE_CHECKING:
    from dispatch.domain.consignment import Leg
    from dispatch.domain.rules import PolicyBook
    from dispatch.store import Session
    from dispatch.store.rows import EventRow, LegRow, Request

Result = Literal["applied", "duplicate", "conflict"]


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
    known = [as_event(row) for row in session.consignments.events(request.id, leg.leg)]
    event = Event(
        happening.id or session.new_id("evt"),
        happening.type,
        happening.occurred_at,
        happening.device_seq or 0,
        happening.courier_id,
        stamped(happening.type, happening.occurred_at, happening.payload or {}, scene.book.holidays),
    )
    if not _append(session, scene, request, leg, event, happening):
        return "duplicate"
    before, after = fold(leg.leg, known), fold(leg.leg, [*known, event])
    if after != before or happening.type in PASSIVE:
        by = _yardstick(session, scene, request, leg, after)
        promise = judge(Promise.from_json(leg.state["promise"]), after, by, scene.now)
        if leg.asleep and after.status == before.status:
            promise = Promise.from_json(leg.promise)  # its clock has not begun: money alone moves no promise
        _write(session, scene, request, leg, before, after, promise, by)
    ledger.book(session, request, leg, event, happening.actor, scene.now)
    if happening.actor != looks.ACTOR and looks.turns(before.status, after.status, happening.type):
        looks.mark(session, mode, [request.office_id], scene.now)
    return "applied" if after.took(event.id) else "conflict"


def _append(session: Session, scene: Scene, request: Request, leg: LegRow, event: Event, happening: Happening) -> bool:
    """Keep an event for ever; False where its id is known already."""
    return session.consignments.add_event(
        id=event.id,
        mode=request.mode,
        request_id=request.id,
        leg=leg.leg,
        type=event.type,
        occurred_at=event.occurred_at,
        recorded_at=scene.now,
        device_at=happening.device_at,
        device_seq=happening.device_seq,
        courier_id=event.courier_id,
        actor=happening.actor,
        payload=event.payload,
        lat=happening.lat,
        lng=happening.lng,
    )


def settle(session: Session, scene: Scene, request: Request) -> bool:
    """Apply what time, or a new forecast, has done to a request up to `scene.now`; True where something changed.

    Invitations and ways back are recorded at the instants they fell due, in order, however late anybody looks.
    """
    changed = False
    for leg in session.consignments.legs(request.id):
        if leg.asleep or leg.next_check_at is None or leg.next_check_at > scene.now:
            continue
        changed = True
        state = _take_due_steps(session, scene, request, leg.leg)
        fresh = next(row for row in session.consignments.legs(request.id) if row.leg == leg.leg)
        if fresh.next_check_at is None or fresh.next_check_at > scene.now:
            continue
        known = session.consignments.get(request.mode, request.id)
        assert known is not None
        by = _yardstick(session, scene, known, fresh, state)
        promise = sla.advance(Promise.from_json(fresh.promise), scene.now, in_danger=fresh.in_danger)
        promise = with_fault(promise, state, late_notice=by.late_notice)
        _write(session, scene, known, fresh, state, state, promise, by)
    return changed


def _take_due_steps(session: Session, scene: Scene, request: Request, leg: str) -> LegState:
    """Record every step of an undelivered item that fell due up to `scene.now`; returns the state after them."""
    while True:
        state = state_of(session, request.id, leg)
        due = due_step(state, scene.book.holidays)
        if due is None or due[1] > scene.now:
            return state
        outcome = record(session, scene, request.mode, request.id, leg, Happening(due[0], due[1], "system"))
        assert outcome == "applied", "what falls due is lawful by its own instant"


def next_check_at(promise: Promise) -> datetime | None:
    """When time alone next changes this promise: at its warning, then just after it is due."""
    if promise.state == "RUNNING":
        return promise.warn_at
    return promise.due_at + timedelta(milliseconds=1) if promise.state == "AT_RISK" else None


def _next_check_at(scene: Scene, promise: Promise, state: LegState) -> datetime | None:
    """When time alone next changes this leg: its promise, or an item that waits for the citizen."""
    due = due_step(state, scene.book.holidays)
    return min((at for at in (next_check_at(promise), due[1] if due else None) if at is not None), default=None)


def _yardstick(session: Session, scene: Scene, request: Request, leg: LegRow, state: LegState) -> Yardstick:
    """What a leg is judged by; the shop's own hours are read only where its history asks for them."""
    post = scene.book.calendars[POST_CALENDAR]
    at_shop = post
    counted = leg.leg == "return" and bool(state.pauses)
    handed = leg.leg == "pickup" and (state.refusal is not None or state.presented_at is not None)
    if leg.leg == "pickup" and state.pauses and request.office_id is not None:
        office = session.network.office(request.mode, request.office_id)
        if office is not None:
            post = calendar_of(session, scene, request.mode, office.hours_profile, POST_CALENDAR)
    if counted or handed:
        shop = session.network.shop(request.mode, request.shop_id)
        if shop is not None:
            at_shop = calendar_of(session, scene, request.mode, shop.hours_profile)
    return Yardstick(
        calendar=at_shop if leg.leg == "return" else post,
        shop_calendar=at_shop,
        holidays=scene.book.holidays,
        window=window_of(request.body, request.kind),
        late_notice="late_notice" in request.warnings,
        in_danger=leg.in_danger,
    )


def _write(
    session: Session,
    scene: Scene,
    request: Request,
    leg: LegRow,
    before: LegState,
    after: LegState,
    promise: Promise,
    by: Yardstick,
) -> None:
    shown = promise.to_json()
    quote = _charged(session, scene, request, leg, before, after)
    session.consignments.change_leg(
        request.id,
        leg.leg,
        status=after.status,
        substatus=after.substatus,
        closed=after.ended,
        promise=shown,
        promise_state=promise.state,
        due_at=promise.due_at,
        next_check_at=None if leg.asleep else _next_check_at(scene, promise, after),
        state={
            **leg.state,
            "outward": facts(after, by),
            "money": after.money,
            "pickup_attempts": after.pickup_attempts,
            "at_office": after.at_office,
        },
        courier_id=after.courier_id,
        planned_at=leg.planned_at if after.status == "ASSIGNED" else None,
        charged_at=after.charged_at,
    )
    session.consignments.change(
        request.id,
        status=after.status if leg.leg == request.active_leg else request.status,
        quote=quote,
        version=request.version + 1,
        last_at=max(request.last_at, scene.now),
        updated_at=max(request.updated_at, scene.now),
    )
    if (after.status, after.courier_id, after.at_office) != (before.status, before.courier_id, before.at_office):
        close_tasks(session, scene, request.id, after)
    corrected = quote["status"] != "VOID" and quote["payable_by_citizen"] != request.quote["payable_by_citizen"]
    fixed = after.status not in CALLED_OFF and before.status not in CALLED_OFF
    tell(session, scene, request, leg, before, after, promise, fee_corrected=corrected and fixed)


def _charged(
    session: Session, scene: Scene, request: Request, leg: LegRow, before: LegState, after: LegState
) -> dict[str, Any]:
    """The quote after the event: void or alive again with its leg, fixed by the earlier of payment and collection.

    Where a charge was fixed already and its date turns out to be another (a payment reported late, a scan taken back),
    its lines stay and the difference is an adjustment.
    """
    quote, name = request.quote, leg_name(leg)
    if after.status in CALLED_OFF:
        if before.status == after.status:
            return quote
        return pricing.void(quote, after.status, scene.now, after.paid, name)
    if before.status in CALLED_OFF:
        quote = charging.reopened(quote, name, scene.now)
    charged_at = after.charged_at
    if charged_at is None or charged_at == leg.charged_at:
        return quote
    book, now = shop_book(session, scene, request.mode, request.shop_id), replace(request, quote=quote)
    if not quote["charges"][name]["fixed"]:
        return charging.fix(book, now, name, charged_at)
    adjustment = charging.reprice(book, now, name, charged_at, scene.now)
    return quote if adjustment is None else charging.adjusted(quote, adjustment)


def leg_name(leg: LegRow) -> Leg:
    """The name of a leg in the closed set of legs."""
    return "pickup" if leg.leg == "pickup" else "return"
