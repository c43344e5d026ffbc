"""What the passing of days does to an item nobody took: two invitations, then the way back to the shop."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from dispatch.domain.hours import PublicHolidays, local_date
from dispatch.domain.legstate import Event, LegState
from dispatch.domain.text import LOCAL

OPENING = time(7, 30)
"""When the post begins its day, and with it what only the passing of days brings about."""
WAIT_DAYS = 2
"""Working days between the two invitations, and from the second to the return (TT 17/2017/TT-BTTTT art 5)."""
_STAMP = "working_days_on"


def stamped(
    event_type: str, occurred_at: datetime, payload: dict[str, Any], holidays: PublicHolidays
) -> dict[str, Any]:
    """The payload to record: an invitation carries the working days it sets, as the citizen is told them.

    The fold then needs no calendar, and a holiday decreed later moves no invitation that has gone out.
    """
    if event_type not in ("delivery_failed", "invited"):
        return payload
    day = local_date(occurred_at)
    waits = [holidays.add_working_days(day, count).isoformat() for count in (WAIT_DAYS, 2 * WAIT_DAYS)]
    return {**payload, _STAMP: waits}


def waits(event: Event) -> tuple[date, date]:
    """The days two and four working days after an invitation; weekends alone are known where it carries none."""
    payload = event.payload
    if _STAMP not in payload:
        payload = stamped("invited", event.occurred_at, {}, PublicHolidays())
    first, second = payload[_STAMP]
    return date.fromisoformat(first), date.fromisoformat(second)


def due_step(state: LegState, holidays: PublicHolidays) -> tuple[str, datetime] | None:
    """What time alone does next to an undelivered item, and when; None where it waits for somebody.

    The second invitation and the way back each begin with the post's day (07:30), never before the last thing that
    happened; a refused item goes back with the next working day.
    """
    since = state.steps[-1].event.occurred_at if state.steps else None
    if since is None or state.leg != "return":
        return None
    if state.status == "REFUSED":
        return "returning", _opening(local_date(since), since, holidays)
    told = state.invitations
    if told is None or state.status not in ("ATTEMPT_FAILED", "AT_OFFICE"):
        return None
    if told.second_on is None:
        return "invited", _opening(told.second_not_before, since, holidays)
    return "returning", _opening(told.return_not_before, since, holidays)


def _opening(day: date, since: datetime, holidays: PublicHolidays) -> datetime:
    """The first opening of a working day from `day` on that comes after `since`."""
    while not holidays.is_working_day(day) or datetime.combine(day, OPENING, LOCAL) <= since:
        day = holidays.add_working_days(max(day, local_date(since)), 1)
    return datetime.combine(day, OPENING, LOCAL)
