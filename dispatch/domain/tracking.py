"""What the events of one leg amount to: a pure fold, the same whatever order the events arrived in.

State machine: docs/api.md "Statuses", after QĐ 45/2016/QĐ-TTg art 6–10 and TT 17/2017/TT-BTTTT art 5. No state is
skipped: a courier who carries an item straight on leaves implied events for the stations between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

BEFORE_COLLECTION = frozenset({"REQUESTED", "DISPATCHED", "ASSIGNED", "PICKUP_FAILED"})
IN_HAND = frozenset({"COLLECTED", "IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY", "ATTEMPT_FAILED"})
ENDED = frozenset({"HANDED_OVER", "DELIVERED", "REFUSED", "RETURNED_TO_SHOP", "E_RETURNED", "CANCELLED", "CLOSED"})

PASSIVE = frozenset({"arrived", "cash_taken", "cash_handed_in", "position", "break_started", "break_ended"})
"""Events that are kept but move no status."""

COURIER_EVENTS = PASSIVE | {
    "collected",
    "collect_failed",
    "arrived_office",
    "departed_office",
    "out_for_delivery",
    "handed_over",
    "handover_refused",
    "delivered",
    "delivery_failed",
    "refused",
    "undone",
}

MAX_PICKUP_ATTEMPTS = 2
"""After the second failed collection the coordinator decides (docs/api.md, state machine)."""

# event -> (statuses it may come from, status it leads to, substatus, leg it belongs to or None for both)
_MOVES: dict[str, tuple[frozenset[str], str, str | None, str | None]] = {
    "created": (frozenset({"REQUESTED"}), "REQUESTED", None, None),
    "dispatched": (frozenset({"REQUESTED"}), "DISPATCHED", None, None),
    "assigned": (BEFORE_COLLECTION, "ASSIGNED", None, None),
    "unassigned": (frozenset({"ASSIGNED"}), "DISPATCHED", None, None),
    "collected": (BEFORE_COLLECTION - {"REQUESTED"}, "COLLECTED", None, None),
    "collect_failed": (frozenset({"ASSIGNED"}), "PICKUP_FAILED", None, None),
    "cancelled": (BEFORE_COLLECTION, "CANCELLED", None, None),
    "e_returned": (BEFORE_COLLECTION, "E_RETURNED", None, "return"),
    "arrived_office": (IN_HAND - {"AT_OFFICE"}, "AT_OFFICE", None, None),
    "departed_office": (frozenset({"AT_OFFICE"}), "IN_TRANSIT", None, None),
    "out_for_delivery": (IN_HAND - {"OUT_FOR_DELIVERY"}, "OUT_FOR_DELIVERY", None, "return"),
    "handed_over": (IN_HAND, "HANDED_OVER", None, "pickup"),
    "handover_refused": (IN_HAND, "AT_OFFICE", "HANDOVER_REFUSED", "pickup"),
    "delivered": (IN_HAND, "DELIVERED", None, "return"),
    "delivery_failed": (IN_HAND, "ATTEMPT_FAILED", "INVITED_1", "return"),
    "refused": (IN_HAND, "REFUSED", None, "return"),
}

# Stations an item passes unseen when a courier carries it straight on: event -> stations to imply, by present status.
_WAY_OUT = ("IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY")
_WAY_IN = ("IN_TRANSIT", "AT_OFFICE")
_STATION_EVENT = {"IN_TRANSIT": "departed", "AT_OFFICE": "arrived_office", "OUT_FOR_DELIVERY": "out_for_delivery"}


@dataclass(frozen=True)
class Event:
    """One recorded event: `occurred_at` is the corrected instant that every judgement uses."""

    id: str
    type: str
    occurred_at: datetime
    order: int
    courier_id: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """An event that took effect, with the status it led to; implied steps were deduced, not scanned."""

    event: Event
    status: str
    substatus: str | None
    implied: bool = False


@dataclass(frozen=True)
class LegState:
    """What is true of a leg now."""

    leg: str
    status: str = "REQUESTED"
    substatus: str | None = None
    courier_id: str | None = None
    had: frozenset[str] = frozenset()
    collected_at: datetime | None = None
    ended_at: datetime | None = None
    failed_at: datetime | None = None
    absent_at: datetime | None = None
    pickup_attempts: int = 0
    delivery_attempts: int = 0
    money: dict[str, int] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def collected(self) -> bool:
        """Whether the dossier was ever taken over by the post."""
        return self.collected_at is not None

    @property
    def ended(self) -> bool:
        """Whether nothing more can happen to this leg on the road."""
        return self.status in ENDED

    def took(self, event_id: str) -> bool:
        """Whether the event of that id had its effect."""
        return event_id not in self.refused


def may(state: LegState, event: Event) -> bool:
    """Whether `event` is lawful in `state`."""
    if event.type in PASSIVE:
        return True
    move = _MOVES.get(event.type)
    if move is None:
        return False
    allowed, _, _, only_leg = move
    if only_leg is not None and only_leg != state.leg:
        return False
    if event.type == "assigned" and state.status in IN_HAND:
        return True
    if state.status not in allowed:
        return False
    if event.type == "created":
        return not state.steps
    if event.type == "collected" and state.status != "ASSIGNED":
        return event.courier_id is not None and event.courier_id in state.had
    return True


def _implied(state: LegState, event: Event) -> Iterable[Step]:
    way: tuple[str, ...] = ()
    if event.type in ("delivered", "delivery_failed", "refused"):
        way = _WAY_OUT
    elif event.type in ("handed_over", "handover_refused"):
        way = _WAY_IN
    elif event.type in ("arrived_office", "out_for_delivery"):
        way = _WAY_OUT[: _WAY_OUT.index(_MOVES[event.type][1])]
    elif event.type == "assigned" and state.status == "REQUESTED":
        yield Step(replace(event, id=f"{event.id}.dispatched", type="dispatched", payload={}), "DISPATCHED", None, True)
        return
    if state.status == "ATTEMPT_FAILED" or (event.type == "handover_refused" and state.status == "AT_OFFICE"):
        return
    passed = way.index(state.status) + 1 if state.status in way else 0
    for station in way[passed:]:
        kind = "departed_office" if station == "IN_TRANSIT" else _STATION_EVENT[station]
        yield Step(replace(event, id=f"{event.id}.{station.lower()}", type=kind, payload={}), station, None, True)


def apply(state: LegState, event: Event) -> LegState:
    """The state after `event`; an unlawful event changes nothing but is named in `refused`."""
    if not may(state, event):
        return replace(state, refused=(*state.refused, event.id))
    if event.type in PASSIVE:
        if event.type == "cash_taken":
            taken = {name: int(event.payload.get(name) or 0) for name in ("postage", "state_fee")}
            return replace(state, money=taken)
        return state
    if event.type == "assigned" and state.status in IN_HAND:
        return replace(state, courier_id=event.courier_id, had=state.had | {event.courier_id or ""})
    _, status, substatus, _ = _MOVES[event.type]
    steps = (*state.steps, *_implied(state, event), Step(event, status, substatus))
    after = replace(state, status=status, substatus=substatus, steps=steps)
    return _effects(after, event)


def _effects(after: LegState, event: Event) -> LegState:
    at = event.occurred_at
    if event.type == "assigned":
        return replace(after, courier_id=event.courier_id, had=after.had | {event.courier_id or ""})
    if event.type == "unassigned":
        return replace(after, courier_id=None)
    if event.type == "collected":
        return replace(after, collected_at=at, courier_id=event.courier_id or after.courier_id)
    if event.type == "collect_failed":
        absent = event.payload.get("reason") == "CUSTOMER_ABSENT" and bool(event.payload.get("proof"))
        first = after.absent_at or (at if absent else None)
        return replace(after, pickup_attempts=after.pickup_attempts + 1, failed_at=at, absent_at=first, courier_id=None)
    if event.type == "delivery_failed":
        count = after.delivery_attempts + 1
        substatus = "INVITED_1" if count == 1 else "INVITED_2"
        return replace(after, delivery_attempts=count, failed_at=at, substatus=substatus)
    if event.type in ("arrived_office", "handover_refused"):
        return replace(after, courier_id=None)
    if after.status in ENDED:
        return replace(after, ended_at=at)
    return after


def fold(leg: str, events: Iterable[Event]) -> LegState:
    """The state of a leg after all its events, in the order of their corrected instants.

    The result depends on the set of events only, not on the order in which they became known.
    """
    known = sorted(events, key=lambda event: (event.occurred_at, event.order, event.id))
    undone = {str(event.payload.get("event_id")) for event in known if event.type == "undone"}
    state = LegState(leg)
    for event in known:
        if event.type == "undone" or event.id in undone:
            continue
        state = apply(state, event)
    return state
