"""Take back a change of rounds: what others or the road have changed since stays, everything else is as it was.

Rounds are orders of open tasks. A change is told by three pictures: before it, right after it, and now.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

Leg = tuple[str, str]
"""(request id, leg name)."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One open task in the order of its round."""

    id: int
    request_id: str
    leg: str
    kind: str
    stop_id: str
    planned_at: datetime
    leg_m: int
    locked: bool

    @property
    def name(self) -> Leg:
        """The leg it is about."""
        return self.request_id, self.leg


Rounds = Mapping[str, Sequence[Seat]]
"""The open tasks of rounds in riding order, by round."""


def moved(before: Rounds, after: Rounds) -> set[Leg]:
    """The legs that are in another round, tied otherwise, in or out, or elsewhere in the order of what stayed.

    Of two orders the fewest tasks count as moved that have to be taken out until the rest stand alike.
    """
    was, now = _seated(before), _seated(after)
    found = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    for round_id, order in before.items():
        places = {(*seat.name, seat.kind): place for place, seat in enumerate(after.get(round_id, ()))}
        stayed = [seat for seat in order if (*seat.name, seat.kind) in places]
        steady = _longest_rise([places[(*seat.name, seat.kind)] for seat in stayed])
        found |= {seat.name for place, seat in enumerate(stayed) if place not in steady}
    return found


def _seated(rounds: Rounds) -> dict[Leg, set[tuple[str, str, bool]]]:
    found: dict[Leg, set[tuple[str, str, bool]]] = {}
    for round_id, order in rounds.items():
        for seat in order:
            found.setdefault(seat.name, set()).add((round_id, seat.kind, seat.locked))
    return found


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """The positions of a longest rising part of different numbers."""
    tails: list[int] = []  # the number that ends the best rise of each length
    ends: list[int] = []  # its position
    before: list[int] = []
    for position, number in enumerate(numbers):
        length = bisect_left(tails, number)
        tails[length : length + 1] = [number]
        ends[length : length + 1] = [position]
        before.append(ends[length - 1] if length else -1)
    found, at = set(), ends[-1] if ends else -1
    while at >= 0:
        found.add(at)
        at = before[at]
    return found


def restored(before: Rounds, now: Rounds, back: set[Leg], kept: set[Leg]) -> dict[str, list[Seat]]:
    """The rounds with the legs `back` where they were before; the legs `kept` stay as they are now.

    What stays keeps its place behind the stop that is ahead of it now, and its order among what stays.
    """
    found = {}
    for round_id in sorted(before.keys() | now.keys()):
        present = [seat for seat in now.get(round_id, ()) if seat.name not in back]
        open_now = {seat.id for seat in present if seat.name not in kept}
        base = [seat for seat in before.get(round_id, ()) if seat.name in back or seat.id in open_now]
        placed = {seat.id for seat in base}
        order, behind = base, 0
        ahead: int | None = None
        for seat in present:
            if seat.id not in placed:
                after = next((place + 1 for place, one in enumerate(order) if one.id == ahead), 0)
                behind = max(behind, after)
                order = [*order[:behind], seat, *order[behind:]]
                behind += 1
            ahead = seat.id
        found[round_id] = _in_time(order)
    return found


def _in_time(order: Iterable[Seat]) -> list[Seat]:
    """The same order with nobody planned before the stop ahead of him."""
    found: list[Seat] = []
    for seat in order:
        if found and seat.planned_at < found[-1].planned_at:
            seat = replace(seat, planned_at=found[-1].planned_at)
        found.append(seat)
    return found
