"""The state machine of one leg: which event leads from where to where.

QĐ 45/2016/QĐ-TTg art 6–10 and 12.4, TT 17/2017/TT-BTTTT art 5, Law 49/2010/QH12 art 16–17. Inner states stand in the
substatus. What a move asks for besides its status is judged by `dispatch.domain.tracking.may`.
"""

from __future__ import annotations

from dataclasses import dataclass

STATUSES = (
    *("REQUESTED", "DISPATCHED", "ASSIGNED", "COLLECTED", "IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY", "HANDED_OVER"),
    *("DELIVERED", "PICKUP_FAILED", "ATTEMPT_FAILED", "REFUSED", "RETURNING", "RETURNED_TO_SHOP", "E_RETURNED"),
    *("CANCELLED", "LOST", "DAMAGED", "CLOSED"),
)
"""Every status seen from outside (docs/api.md)."""
BEFORE_COLLECTION = frozenset({"REQUESTED", "DISPATCHED", "ASSIGNED", "PICKUP_FAILED"})
IN_HAND = frozenset({"COLLECTED", "IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY", "ATTEMPT_FAILED"})
"""On the way to where the item belongs."""
GOING_BACK = frozenset({"REFUSED", "RETURNING"})
"""Still with the post, on the way back to where the item came from."""
HELD = IN_HAND | GOING_BACK
"""In the post's hands: what may be lost or damaged there."""
CALLED_OFF = frozenset({"CANCELLED", "E_RETURNED"})
"""Ended before the post had it: nothing is carried and nothing charged."""
ASTRAY = frozenset({"LOST", "DAMAGED"})
ENDED = frozenset({"HANDED_OVER", "DELIVERED", "RETURNED_TO_SHOP", "E_RETURNED", "CANCELLED", "CLOSED"}) | ASTRAY
"""Nobody rides for it any more; desks may still note an appointment, compensate, close or reopen."""

MAX_PICKUP_ATTEMPTS = 2
"""After the second failed collection the coordinator decides (docs/api.md, state machine)."""

MONEY_EVENTS = frozenset({"cash_taken", "paid", "refunded", "fee_remitted", "compensated"})
"""Events that book money and move no status."""
PASSIVE = MONEY_EVENTS | {"arrived", "cash_handed_in", "position", "break_started", "break_ended"}
"""Events that are kept but move no status."""
CLOCK_EVENTS = frozenset({"paused", "resumed"})
"""Events that stop the promise's clock and let it run on; they move no status."""

COURIER_EVENTS = frozenset(
    {
        *("arrived", "cash_taken", "cash_handed_in", "position", "break_started", "break_ended"),
        *("collected", "collect_failed", "arrived_office", "departed_office", "out_for_delivery"),
        *("handed_over", "handover_refused", "delivered", "delivery_failed", "refused", "undone"),
    }
)
"""What a courier's phone may report (docs/api.md §4)."""

NEVER_UNDONE = frozenset({"created", "redirected", "cancelled", "e_returned", "reopened", "undone"})
"""What changed price, address or life of the request itself is corrected by a decision, not taken back by a scan."""


@dataclass(frozen=True)
class Move:
    """One arrow: `to` None keeps status and substatus; `leg` None holds for both legs."""

    origin: frozenset[str]
    to: str | None
    substatus: str | None = None
    leg: str | None = None


def _of(*statuses: str) -> frozenset[str]:
    return frozenset(statuses)


MOVES: dict[str, tuple[Move, ...]] = {
    "created": (Move(_of("REQUESTED"), "REQUESTED"),),
    "dispatched": (Move(_of("REQUESTED"), "DISPATCHED"),),
    "assigned": (Move(BEFORE_COLLECTION, "ASSIGNED"), Move(HELD, None)),
    "unassigned": (Move(_of("ASSIGNED"), "DISPATCHED"),),
    "collected": (Move(BEFORE_COLLECTION - {"REQUESTED"}, "COLLECTED"),),
    "collect_failed": (Move(_of("ASSIGNED"), "PICKUP_FAILED"),),
    "cancelled": (Move(BEFORE_COLLECTION, "CANCELLED"),),
    "e_returned": (Move(BEFORE_COLLECTION, "E_RETURNED", leg="return"),),
    "arrived_office": (Move(IN_HAND - {"AT_OFFICE"}, "AT_OFFICE"), Move(GOING_BACK, None)),
    "departed_office": (Move(_of("AT_OFFICE"), "IN_TRANSIT"), Move(GOING_BACK, None)),
    "out_for_delivery": (
        Move(IN_HAND - {"OUT_FOR_DELIVERY"}, "OUT_FOR_DELIVERY", leg="return"),
        Move(_of("RETURNING"), None, leg="pickup"),
    ),
    "handed_over": (Move(IN_HAND, "HANDED_OVER", leg="pickup"), Move(GOING_BACK, "RETURNED_TO_SHOP", leg="return")),
    "handover_refused": (Move(IN_HAND, "AT_OFFICE", "HANDOVER_REFUSED", "pickup"),),
    "delivered": (Move(IN_HAND, "DELIVERED", leg="return"), Move(_of("RETURNING"), "CLOSED", leg="pickup")),
    "delivery_failed": (
        Move(IN_HAND, "ATTEMPT_FAILED", "INVITED_1", "return"),
        Move(_of("RETURNING"), None, leg="pickup"),
    ),
    "refused": (Move(IN_HAND, "REFUSED", leg="return"),),
    "invited": (Move(_of("ATTEMPT_FAILED", "AT_OFFICE"), "ATTEMPT_FAILED", "INVITED_2", "return"),),
    "returning": (Move(_of("ATTEMPT_FAILED", "AT_OFFICE", "REFUSED"), "RETURNING", leg="return"),),
    "redirected": (Move(BEFORE_COLLECTION, None), Move(IN_HAND, "IN_TRANSIT", leg="return")),
    "supplement_requested": (Move(_of("AT_OFFICE"), "AT_OFFICE", "SUPPLEMENT", "pickup"),),
    "back_to_sender": (Move(_of("AT_OFFICE"), "RETURNING", "BACK_TO_SENDER", "pickup"),),
    "appointment_noted": (Move(_of("HANDED_OVER"), "HANDED_OVER", "APPOINTMENT_NOTED", "pickup"),),
    "lost": (Move(HELD, "LOST", "INVESTIGATING"),),
    "damaged": (Move(HELD, "DAMAGED", "INVESTIGATING"),),
    "found": (Move(_of("LOST"), "AT_OFFICE"),),
    "compensation_set": (
        Move(_of("LOST"), "LOST", "COMPENSATION"),
        Move(_of("DAMAGED"), "DAMAGED", "COMPENSATION"),
    ),
    "closed": (Move(_of("HANDED_OVER", "DELIVERED", "RETURNED_TO_SHOP") | ASTRAY, "CLOSED"),),
    "reopened": (
        Move(_of("CANCELLED", "E_RETURNED"), "REQUESTED"),
        Move(GOING_BACK | ASTRAY | {"CLOSED", "DELIVERED"}, "AT_OFFICE"),
    ),
}


def move_of(event_type: str, status: str, leg: str) -> Move | None:
    """The arrow that an event takes from a status of a leg; None where there is none."""
    return next((move for move in MOVES.get(event_type, ()) if status in move.origin and move.leg in (None, leg)), None)


WAY_OUT = ("IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY")
WAY_IN = ("IN_TRANSIT", "AT_OFFICE")
"""Stations an item passes unseen when a courier carries it straight on."""
STATION_EVENT = {
    "IN_TRANSIT": "departed_office",
    "AT_OFFICE": "arrived_office",
    "OUT_FOR_DELIVERY": "out_for_delivery",
}
WAY_OF = {
    "delivered": WAY_OUT,
    "delivery_failed": WAY_OUT,
    "refused": WAY_OUT,
    "out_for_delivery": WAY_IN,
    "handed_over": WAY_IN,
    "handover_refused": WAY_IN,
    "arrived_office": WAY_IN[:1],
}
