"""How much of what couriers hold a new plan throws about: the budget of live planning counts it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Stop = TypeVar("Stop", bound=Hashable)


def displaced(before: Mapping[str, Sequence[Stop]], after: Mapping[str, Sequence[Stop]]) -> int:
    """Return how many stops that had a courier before lose their courier or their place among those that had one.

    What is new between two of them, and what is gone, moves nobody.
    """
    known = {stop for order in before.values() for stop in order}
    kept = {stop for order in after.values() for stop in order} & known
    old, new = _seats(before, kept), _seats(after, kept)
    return sum(new[stop] != seat for stop, seat in old.items()) + len(known - kept)


def _seats(orders: Mapping[str, Sequence[Stop]], among: set[Stop]) -> dict[Stop, tuple[str, Stop | None]]:
    """Return for each of some stops its courier and the one before it."""
    seats: dict[Stop, tuple[str, Stop | None]] = {}
    for courier, order in orders.items():
        before: Stop | None = None
        for stop in order:
            if stop in among:
                seats[stop] = courier, before
                before = stop
    return seats
