"""What happens to an office's work asks for a look at its plan; the look itself is `replanning.look`.

A mark and its task are written in the event's own transaction. Looks of one area follow each other: what happens while
one goes on is seen by the next.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from dispatch.domain.hours import local_date

if TYPE_CHECKING:
    from dispatch.store import Session

TASK = "look"
ACTOR = "system:live"
"""Who puts a live plan into force where the office lets it; what he does asks for no further look."""
OFF_TIME = timedelta(minutes=10)
"""A courier so much before or behind his round is reason enough to look at it again."""
_AS_PLANNED = frozenset(
    {
        "ASSIGNED",
        "COLLECTED",
        "IN_TRANSIT",
        "OUT_FOR_DELIVERY",
        "HANDED_OVER",
        "DELIVERED",
        "RETURNED_TO_SHOP",
        "CLOSED",
    }
)
"""Statuses that a leg reaches when all goes as it was planned."""


def mark(session: Session, mode: str, office_ids: Collection[str | None], as_of: datetime) -> None:
    """Ask for a look at the plans of post offices on the date of `as_of`; nothing where they are not planned live."""
    named = sorted({office_id for office_id in office_ids if office_id is not None})
    if not named:
        return
    day, real_now = local_date(as_of), session.wall_clock()
    for area in session.marks.add(mode, named, day, as_of, real_now):
        _queue(session, mode, area, day, real_now)


def again(session: Session, mode: str, area: str, day: date) -> None:
    """Queue a look for what was marked while the area was being planned."""
    if session.marks.seen(mode, area, day) is not None:
        _queue(session, mode, area, day, session.wall_clock())


def requeue(session: Session, lost_before: datetime) -> int:
    """Queue the looks whose task was lost: marked before an instant, in an area nobody plans; how many."""
    at = session.wall_clock()
    lost = session.marks.lost(lost_before, at)
    for mode, area, day in lost:
        _queue(session, mode, area, day, at)
    return len(lost)


def turns(before: str, after: str, event: str) -> bool:
    """Whether a leg that went from one status to another by an event changes what its area has to do."""
    return event == "redirected" or (after != before and after not in _AS_PLANNED)


def off_time(planned_at: datetime, at: datetime) -> bool:
    """Whether something was done so far from its planned instant that the rest of the round is in doubt."""
    return abs(at - planned_at) > OFF_TIME


def _queue(session: Session, mode: str, area: str, day: date, at: datetime) -> None:
    session.notices.enqueue(TASK, {"mode": mode, "area": area, "day": day.isoformat()}, at)
