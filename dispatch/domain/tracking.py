"""What the events of one leg amount to: a pure fold, the same whatever order the events arrived in.

State machine: `dispatch.domain.moves`. No state is skipped: a courier who carries an item straight on leaves implied
events for the stations between. Nothing is DELIVERED without a signature (QĐ 45/2016/QĐ-TTg art 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.domain.hours import local_date
from dispatch.domain.invitations import waits
from dispatch.domain.legstate import Event, Failure, Invitations, LegState, Pause, Step
from dispatch.domain.moves import (
    ASTRAY,
    BEFORE_COLLECTION,
    CLOCK_EVENTS,
    COURIER_EVENTS,
    ENDED,
    HELD,
    IN_HAND,
    MAX_PICKUP_ATTEMPTS,
    MONEY_EVENTS,
    NEVER_UNDONE,
    PASSIVE,
    STATION_EVENT,
    WAY_OF,
    Move,
    move_of,
)

__all__ = [
    "ASTRAY",
    "BEFORE_COLLECTION",
    "COURIER_EVENTS",
    "ENDED",
    "HELD",
    "IN_HAND",
    "MAX_PICKUP_ATTEMPTS",
    "MONEY_EVENTS",
    "PASSIVE",
    "Event",
    "LegState",
    "Step",
    "fold",
    "may",
]


Changes = dict[str, Any]
"""Fields of a `LegState` and what they become."""


def may(state: LegState, event: Event) -> bool:
    """Whether `event` is lawful in `state`."""
    if event.type in PASSIVE or event.type == "undone":
        return True
    if event.type in CLOCK_EVENTS:
        return _may_stop_clock(state, event)
    move = move_of(event.type, state.status, state.leg)
    return move is not None and _guarded(state, event)


def _may_stop_clock(state: LegState, event: Event) -> bool:
    """A promise is paused while it waits for collection, and never for the post's own sake."""
    if event.type == "resumed":
        return state.paused
    return state.status in BEFORE_COLLECTION and not state.paused and event.payload.get("party") != "POST"


def _guarded(state: LegState, event: Event) -> bool:
    """What an arrow asks for besides its status."""
    told, day = state.invitations, local_date(event.occurred_at)
    if event.type == "created":
        return not state.steps
    if event.type == "collected":
        return state.status == "ASSIGNED" or (event.courier_id is not None and event.courier_id in state.had)
    if event.type == "delivered":
        return bool(event.payload.get("signature"))
    if event.type == "invited":
        return told is not None and told.second_on is None and day >= told.second_not_before
    if event.type == "returning" and state.status != "REFUSED":
        return told is not None and told.second_on is not None and day >= told.return_not_before
    if event.type in ("supplement_requested", "back_to_sender"):
        waits = state.substatus == "SUPPLEMENT" and event.type == "back_to_sender"
        wrong = state.refusal is not None and state.refusal.payload.get("reason") != "INTAKE_CLOSED"
        return waits or (state.substatus == "HANDOVER_REFUSED" and wrong)
    if event.type == "closed" and state.status in ASTRAY:
        return state.substatus == "COMPENSATION"
    return True


def _implied(state: LegState, event: Event) -> Iterator[Step]:
    """The stations between that nobody scanned."""
    if event.type == "assigned" and state.status == "REQUESTED":
        yield Step(replace(event, id=f"{event.id}.dispatched", type="dispatched", payload={}), "DISPATCHED", None, True)
    if event.type == "closed" and state.status == "HANDED_OVER" and state.substatus is None:
        noted = replace(event, id=f"{event.id}.appointment_noted", type="appointment_noted", payload={})
        yield Step(noted, "HANDED_OVER", "APPOINTMENT_NOTED", True)
    if event.type == "handed_over" and state.status == "REFUSED":
        yield Step(replace(event, id=f"{event.id}.returning", type="returning", payload={}), "RETURNING", None, True)
    way = WAY_OF.get(event.type, ())
    at_the_counter = state.invitations is not None and state.status in ("ATTEMPT_FAILED", "AT_OFFICE")
    refused_again = event.type == "handover_refused" and state.status == "AT_OFFICE"
    if state.status not in IN_HAND or at_the_counter or refused_again:
        return
    passed = way.index(state.status) + 1 if state.status in way else 0
    for station in way[passed:]:
        named = replace(event, id=f"{event.id}.{station.lower()}", type=STATION_EVENT[station], payload={})
        yield Step(named, station, None, True)


def apply(state: LegState, event: Event) -> LegState:
    """The state after `event`; an unlawful event changes nothing but is named in `refused`."""
    if not may(state, event):
        return replace(state, refused=(*state.refused, event.id))
    if event.type in PASSIVE:
        noted = _noted(state, event)
        return replace(state, **noted) if noted else state
    if event.type in CLOCK_EVENTS:
        return replace(state, pauses=_clock(state, event))
    move = move_of(event.type, state.status, state.leg)
    assert move is not None, "a lawful event has its arrow"
    if event.type == "assigned" and move.to is None:
        return replace(state, courier_id=event.courier_id, had=state.had | {event.courier_id or ""})
    changes: Changes = {"status": move.to or state.status}
    changes["substatus"] = state.substatus if move.to is None else move.substatus
    implied = tuple(_implied(state, event)) if move.to is not None else ()
    if event.courier_id is not None and any(step.status in ("IN_TRANSIT", "OUT_FOR_DELIVERY") for step in implied):
        changes |= {"at_office": False, "courier_id": state.courier_id or event.courier_id}  # he took it along unseen
    if changes["status"] in ENDED and not state.ended:
        changes["ended_at"] = event.occurred_at
    changes |= _effects(state, event, move)
    step = Step(event, changes["status"], changes["substatus"])
    return replace(state, **changes, steps=(*state.steps, *implied, step))


def _noted(state: LegState, event: Event) -> Changes:
    """Events that move no status: money, and the arrival at a counter."""
    if event.type in ("cash_taken", "paid"):
        got = {name: max(0, int(event.payload.get(name) or 0)) for name in ("postage", "state_fee")}
        money = {name: state.money.get(name, 0) + amount for name, amount in got.items()}
        return {"money": money, "paid_at": state.paid_at or event.occurred_at}
    if event.type == "refunded":
        return {"refunded": state.refunded + max(0, int(event.payload.get("amount") or 0))}
    if event.type == "arrived" and state.collected and state.presented_at is None and not state.at_counter:
        return {"arrived_at": event.occurred_at, "at_counter": True}
    return {}


def _clock(state: LegState, event: Event) -> tuple[Pause, ...]:
    if event.type == "resumed":
        return _let_go(state, event.occurred_at)
    said = (str(event.payload.get("reason") or ""), str(event.payload.get("party") or ""))
    return (*state.pauses, Pause(event.occurred_at, None, *said))


def _let_go(state: LegState, at: datetime) -> tuple[Pause, ...]:
    """A standing clock runs on: by a word, or because the wait is over."""
    return (*state.pauses[:-1], replace(state.pauses[-1], to=at)) if state.paused else state.pauses


def _effects(state: LegState, event: Event, move: Move) -> Changes:
    """What an event changes besides the status."""
    at = event.occurred_at
    match event.type:
        case "assigned":
            return {"courier_id": event.courier_id, "had": state.had | {event.courier_id or ""}}
        case "unassigned":
            return {"courier_id": None}
        case "collected":
            courier_id = event.courier_id or state.courier_id
            taken = {"collected_at": at, "courier_id": courier_id, "pauses": _let_go(state, at)}
            return _arrived(state, at) | taken
        case "cancelled" | "e_returned":
            return {"pauses": _let_go(state, at)}
        case "collect_failed":
            return _collect_failed(state, event)
        case "departed_office" | "out_for_delivery":
            return {"at_office": False}
        case "arrived_office":
            return _arrived(state, at) | {"courier_id": None, "at_office": True}
        case "delivery_failed" | "invited" if move.to is not None:
            return _invited(state, event)
        case "delivered":
            return {"delivered_at": at}
        case "handed_over":
            return {"handed_over_at": at, "presented_at": state.presented_at or at}
        case "handover_refused":
            return _handover_refused(state, event)
        case "redirected" if move.to is not None:
            moved = (at, int(event.payload.get("transit_days") or 0))
            courier_id = None if state.at_office else state.courier_id
            return {"redirected": moved, "invitations": None, "delivery_attempts": 0, "courier_id": courier_id}
        case "reopened":
            return _reopened(move)
        case "found":
            return {"ended_at": None, "courier_id": None, "at_office": True}
        case "compensation_set":
            return {"compensation": event.payload}
        case "appointment_noted":
            return {"appointment": event.payload}
        case _:
            return {}


def _arrived(state: LegState, at: datetime) -> Changes:
    """Where the next session of the shop's intake is counted from, until the papers were presented."""
    return {} if state.presented_at is not None else {"arrived_at": at, "at_counter": False}


def _collect_failed(state: LegState, event: Event) -> Changes:
    reason, proven = str(event.payload.get("reason") or ""), bool(event.payload.get("proof"))
    absent = reason == "CUSTOMER_ABSENT" and proven
    return {
        "pickup_attempts": state.pickup_attempts + 1,
        "failed_at": event.occurred_at,
        "absent_at": state.absent_at or (event.occurred_at if absent else None),
        "failures": (*state.failures, Failure(event.occurred_at, reason, proven)),
        "courier_id": None,
    }


def _invited(state: LegState, event: Event) -> Changes:
    """A failed delivery or the timer: the first failure invites, a later one invites again where its time has come."""
    changes: Changes = {}
    if event.type == "delivery_failed":
        changes = {"delivery_attempts": state.delivery_attempts + 1, "failed_at": event.occurred_at}
    told, day, days = state.invitations, local_date(event.occurred_at), waits(event)
    if told is None:
        told = Invitations(event.occurred_at, day, *days)
    elif told.second_on is None and day >= told.second_not_before:
        told = replace(told, second_on=day, return_not_before=days[0])
    return changes | {"invitations": told, "substatus": "INVITED_1" if told.second_on is None else "INVITED_2"}


def _handover_refused(state: LegState, event: Event) -> Changes:
    """A counter that has closed sends the courier away for the day; one that finds fault has judged the papers."""
    left: Changes = {"courier_id": None, "at_office": True, "refusal": event}
    if event.payload.get("reason") == "INTAKE_CLOSED":
        return left | _arrived(state, event.occurred_at)
    return left | {"presented_at": state.presented_at or event.occurred_at}


def _reopened(move: Move) -> Changes:
    """A leg that goes on after all: an uncollected one from the start, a collected one from the office."""
    alive: Changes = {"ended_at": None, "courier_id": None, "delivered_at": None}
    if move.to == "REQUESTED":
        return alive
    return alive | {"at_office": True, "invitations": None, "delivery_attempts": 0, "handed_over_at": None}


def fold(leg: str, events: Iterable[Event]) -> LegState:
    """The state of a leg after all its events, in the order of their corrected instants.

    The result depends on the set of events only, not on the order in which they became known.
    """
    known = sorted(events, key=lambda event: (event.occurred_at, event.order, event.id))
    kinds = {event.id: event.type for event in known}
    asked = {event.id: str(event.payload.get("event_id")) for event in known if event.type == "undone"}
    vain = {own for own, target in asked.items() if kinds.get(target) in NEVER_UNDONE}
    undone = {target for own, target in asked.items() if own not in vain}
    state = LegState(leg)
    for event in known:
        if event.id in undone:
            continue
        if event.type == "undone":
            if event.id in vain:
                state = replace(state, refused=(*state.refused, event.id))
            continue
        state = apply(state, event)
    return state
