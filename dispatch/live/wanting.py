"""How much a shop will ask for: requests by weekday and hour, each hour drawn towards the shop's own other days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

K_WEEKS = 4
"""So many weeks weigh as much as what the shop's other days say."""
WEEKDAYS = 7

Demand = dict[tuple[str, int, int], float]
"""(shop, weekday 1 = Monday to 7, local hour) → requests to be expected in that hour."""


def expected(notices: Iterable[tuple[str, int, int, int]], weeks: float) -> Demand:
    """What to expect of each shop, from (shop, weekday, hour, count) of so many weeks.

    A weekday's hour lies between its own mean and that of this hour over all weekdays; Saturdays and Sundays, on which
    most counters are closed, are counted for themselves.
    """
    counts = {(shop, day, hour): count for shop, day, hour, count in notices}
    hours: dict[tuple[str, bool, int], float] = defaultdict(float)
    for (shop, day, hour), count in counts.items():
        hours[shop, day > 5, hour] += count
    own = weeks / (weeks + K_WEEKS) if weeks > 0 else 0.0
    found: Demand = {}
    for (shop, weekend, hour), total in hours.items():
        days = range(6, WEEKDAYS + 1) if weekend else range(1, 6)
        around = total / len(days)
        for day in days:
            mine = counts.get((shop, day, hour), 0)
            found[shop, day, hour] = (own * mine + (1 - own) * around) / max(weeks, 1.0)
    return found
