"""What a courier's scans of one day say: when he came to each stop, when he was done, and where he was before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

DONE = frozenset({"collected", "handed_over", "delivered"})
FAILED = frozenset({"collect_failed", "delivery_failed", "refused", "handover_refused"})
BREAKS = frozenset({"break_started", "break_ended"})


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of the phone that counted; `at` is the corrected instant."""

    type: str
    at: datetime
    stop_id: str | None
    lat: float | None = None
    lng: float | None = None
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One stop as it was; `arrived_at` None where nobody scanned it, `rested` where a break lies on the way to it."""

    stop_id: str
    arrived_at: datetime | None
    finished_at: datetime
    succeeded: bool
    before: str | None
    left_at: datetime | None
    rested: bool
    fix: Scan | None


def visits(scans: Iterable[Scan]) -> list[Visit]:
    """The stops of a day in the order they were finished.

    `before` is the stop he finished last before he arrived, `left_at` when; of a stop with several scans the last one
    ends it. `fix` is the most exact scan that ended it well.
    """
    ordered = sorted(scans, key=lambda one: one.at)
    ends: dict[str, list[Scan]] = {}
    for one in ordered:
        if one.stop_id is not None and one.type in DONE | FAILED:
            ends.setdefault(one.stop_id, []).append(one)
    rests = [one.at for one in ordered if one.type in BREAKS]
    found: list[Visit] = []
    for stop_id, its in sorted(ends.items(), key=lambda item: item[1][-1].at):
        first = its[0].at
        arrivals = [one.at for one in ordered if one.type == "arrived" and one.stop_id == stop_id and one.at <= first]
        arrived_at = arrivals[-1] if arrivals else None
        earlier = [one for one in found if one.finished_at <= (arrived_at or first)]
        last = earlier[-1] if earlier else None
        since = last.finished_at if last else None
        rested = since is not None and any(since <= at <= (arrived_at or first) for at in rests)
        done = [one for one in its if one.type in DONE]
        fixes = [one for one in done if one.lat is not None and one.accuracy_m is not None]
        found.append(
            Visit(
                stop_id=stop_id,
                arrived_at=arrived_at,
                finished_at=its[-1].at,
                succeeded=len(done) == len(its),
                before=last.stop_id if last else None,
                left_at=since,
                rested=rested,
                fix=min(fixes, key=lambda one: one.accuracy_m or 0.0, default=None),
            )
        )
    return found
