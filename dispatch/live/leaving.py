"""When to set out: as late as every promise allows, for what comes meanwhile may lie on the way.

A courier who waits costs nothing but the delay of what he carries; one who left an hour ago may have to come back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from routing.model import Window

_SURE = 4.0


@dataclass(frozen=True, slots=True)
class Ahead:
    """One stop to come: the leg to it, its hours, its service and the promise it must keep, if any."""

    drive_s: int
    windows: Sequence[Window]
    service_s: int
    due: int | None = None


def starts(stops: Sequence[Ahead], ready_at: int) -> list[int] | None:
    """Return when each stop starts for who leaves at once, or None where one is closed by then."""
    found, at = [], ready_at
    for stop in stops:
        at += stop.drive_s
        opening = min((max(at, opens) for opens, closes in stop.windows if at <= closes), default=None)
        if opening is None:
            return None
        found.append(opening)
        at = opening + stop.service_s
    return found


def spare_s(drives_s: Sequence[int], doubt: float, sure: float = _SURE) -> list[int]:
    """Return how many seconds to allow for until the end of each of some legs in a row: `sure` standard deviations.

    `doubt` is the standard deviation of a leg's time as a share of it; legs err independently.
    """
    return [round(sure * doubt * math.sqrt(total)) for total in accumulate(drive * drive for drive in drives_s)]


def latest_departure(stops: Sequence[Ahead], ready_at: int, end_by: int, doubt: float, least_s: int) -> int:
    """Return when to leave for the first of some stops so that nothing that can be kept is missed; at least `ready_at`.

    Kept are hours, promises, and `end_by` as the end of the last service, each with an allowance of `least_s` seconds
    and of `spare_s`, for a leg that really takes a share `doubt` more or less than planned. Who is late for a promise
    already goes at once.
    """
    soonest = starts(stops, ready_at)
    if soonest is None:
        return ready_at
    spares = [least_s + spare for spare in spare_s([stop.drive_s for stop in stops], doubt)]
    latest = end_by - spares[-1]
    for k in range(len(stops) - 1, -1, -1):
        stop, asap = stops[k], soonest[k]
        latest -= stop.service_s
        spare = spares[k]
        if stop.due is not None:
            latest = min(latest, max(asap, stop.due - spare))
        # The last opening hours that are still in time; whoever is late already goes at once.
        inside = [min(latest, closes - spare) for opens, closes in stop.windows if opens <= latest and asap <= closes]
        latest = max(asap, max(inside, default=asap)) - stop.drive_s
    return max(ready_at, latest)
