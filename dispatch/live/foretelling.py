"""What may be said of a pickup before it happens: a middle guess, a careful one, and how likely the promise breaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.live.leaving import Ahead, starts

_LEAST_DEVIATION_S = 60.0
_CAREFUL = 1.2816  # of a normal distribution nine in ten lie below so many deviations
_UNFORESEEN = 0.003  # share of promises that break for reasons no plan knows
_OVERLOAD, _OF_ALL, _OF_KNOWN, _OF_PLACED, _OF_SLACK = -5.69, 0.97, 2.46, -0.87, -0.2

NO_PLACE = 0.9
"""How likely a promise breaks that nobody could keep if he had nothing else to do, or where nothing is known."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """When a pickup starts: as likely before as after `p50`, nine times of ten by `p90`."""

    p50: int
    p90: int
    breach_probability: float


@dataclass(frozen=True, slots=True)
class Load:
    """What share of the couriers' remaining hours the work they know of takes, and with it what is still expected."""

    known: float
    expected: float


def overload_risk(load: Load, slack_s: int | None) -> float:
    """Return how likely a promise is given up because there is more work than hours.

    `slack_s` is what is left of it if its courier goes at once, None where nobody has a place for it. The weights are
    a logistic regression on 8,051 requests of seven made days (bench/days: city 4, 6, plain 3, 6, mixed 3, 5, 10;
    streets straying by 0.2), each with all of its couriers and with ever fewer, down to 42 %.
    """
    steep = _OVERLOAD + _OF_ALL * load.expected + _OF_KNOWN * load.known
    if slack_s is not None:
        steep += _OF_PLACED + _OF_SLACK * min(max(slack_s / 3600, -1.0), 4.0)
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, steep))))


def foretell(stops: Sequence[Ahead], position: int, leave_at: int, soonest_at: int, doubt: float) -> Foretold | None:
    """Return what to expect of the stop at `position` for who means to leave at `leave_at` and could at `soonest_at`.

    `doubt` is the standard deviation of a leg's time as a share of it. A promise breaks when even who left at once
    would come too late. None where a door on the way will be closed.
    """
    planned, soonest = starts(stops, leave_at), starts(stops, soonest_at)
    if planned is None or soonest is None:
        return None
    spread = doubt * math.sqrt(sum(stop.drive_s**2 for stop in stops[: position + 1]))
    deviation = max(_LEAST_DEVIATION_S, spread)
    due, breach = stops[position].due, 0.0
    if due is not None:
        late = (due - soonest[position]) / deviation
        breach = min(1.0, _UNFORESEEN + 0.5 * math.erfc(late / math.sqrt(2)))
    careful = round(planned[position] + _CAREFUL * deviation)
    return Foretold(planned[position], careful, round(breach, 4))
