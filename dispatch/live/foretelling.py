"""What may be said of a pickup before it happens: a middle guess, a careful one, and how likely the promise breaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.live.leaving import Ahead, starts

_LEAST_DEVIATION_S = 60.0
_CAREFUL = 1.2816  # of a normal distribution nine in ten lie below so many deviations
_UNFORESEEN = 0.003  # share of promises that break for reasons no plan knows


@dataclass(frozen=True, slots=True)
class Foretold:
    """When a pickup starts: as likely before as after `p50`, nine times of ten by `p90`."""

    p50: int
    p90: int
    breach_probability: float


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
