"""Roll a round forward from where its courier stands: when each stop is reached, and what holds it up.

What holds a stop up is measured, never guessed: the round is rolled again without the one thing, and the difference
is what the thing costs. All times are seconds of one clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dispatch.live.foretelling import Foretold, foretell
from dispatch.live.leaving import Ahead, starts

FAR_S = 2**40
ALWAYS = ((-FAR_S, FAR_S),)


@dataclass(frozen=True, slots=True)
class Leg:
    """One stop to come: `reckoned` as planned, `expected` with what is known of errors, `ride_s` and `service_s` the
    standard deviations of both, `direct_s` the ride straight from where the courier stands."""

    reckoned: Ahead
    expected: Ahead
    ride_s: float
    service_s: float
    direct_s: int
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """A courier's stops in riding order. He means to leave for the first at `leave_at`, could at `soonest_at`, and
    should have at `as_planned_at` to be on his route; it is `now`."""

    legs: Sequence[Leg]
    now: int
    soonest_at: int
    as_planned_at: int

    @property
    def leave_at(self) -> int:
        """When he leaves: as planned, or at once where that is past."""
        return max(self.soonest_at, self.as_planned_at)

    def foretell(self, position: int) -> Foretold | None:
        """What to expect of the stop at `position`; None where a door on the way to it will be closed."""
        stops = self._stops(position)
        return foretell(stops, position, self.leave_at, self.soonest_at, self._doubt(position))

    def causes(self, position: int) -> dict[str, int]:
        """What makes the stop at `position` as late as it is expected: seconds by cause, only what costs any."""
        found = self.foretell(position)
        if found is None:
            return {"closed_by_then": self._past_closing_s(position)}
        stops = self._stops(position)
        held_up = {
            "behind_route": self._gain(stops, stops, self.as_planned_at),
            "shift_not_begun": max(0, self.soonest_at - self.now),
            "stops_ahead": self._stops_ahead_s(position),
            "opening_hours": self._gain(stops, [replace(stop, windows=ALWAYS) for stop in stops]),
            "rest": self._gain(stops, [leg.expected for leg in self.legs[: position + 1] if not leg.rest]),
            "slow_roads": self._gain(stops, [leg.reckoned for leg in self.legs[: position + 1]]),
            "travel_uncertainty": found.p90 - found.p50,
        }
        return {code: seconds for code, seconds in held_up.items() if seconds > 0}

    def _stops(self, position: int) -> list[Ahead]:
        return [leg.expected for leg in self.legs[: position + 1]]

    def _doubt(self, position: int) -> float:
        """The one share that gives the rides up to `position` the spread of those rides and the services between."""
        upto = self.legs[: position + 1]
        spread = sum(leg.ride_s**2 for leg in upto) + sum(leg.service_s**2 for leg in upto[:-1])
        ridden = sum(leg.expected.drive_s**2 for leg in upto)
        return math.sqrt(spread / ridden) if ridden else 0.0

    def _gain(self, stops: Sequence[Ahead], other: Sequence[Ahead], leave_at: int | None = None) -> int:
        """How much sooner the last of `stops` were reached if all were as in `other`; 0 where it would not be."""
        now = starts(stops, self.leave_at)
        then = starts(other, self.leave_at if leave_at is None else min(leave_at, self.leave_at))
        return max(0, now[-1] - then[-1]) if now and then else 0

    def _stops_ahead_s(self, position: int) -> int:
        """What the stops before this one cost against riding straight to it."""
        if all(leg.rest for leg in self.legs[:position]):
            return 0
        leg = self.legs[position]
        return self._gain(self._stops(position), [replace(leg.expected, drive_s=leg.direct_s)])

    def _past_closing_s(self, position: int) -> int:
        """By how much the first door that will be closed on the way to `position` is missed."""
        for place in range(position + 1):
            stops = self._stops(place)
            if starts(stops, self.leave_at) is None:
                last = max(closes for _, closes in stops[place].windows)
                opened = starts([*stops[:-1], replace(stops[-1], windows=ALWAYS)], self.leave_at)
                return max(0, opened[-1] - last) if opened else 0
        return 0


def largest(causes: Iterable[tuple[str, int | None]], count: int = 3) -> list[tuple[str, int | None]]:
    """The `count` largest of (code, minutes); what cannot be measured is the reason itself and goes first."""
    told = [(code, minutes) for code, minutes in causes if minutes is None or minutes >= 1]
    return sorted(told, key=lambda cause: (cause[1] is not None, -(cause[1] or 0), cause[0]))[:count]
