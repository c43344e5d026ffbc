"""What the province owes the post: deferred postage, and by when its list must be handed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from dispatch.domain.hours import PublicHolidays
from dispatch.domain.pricing import void_legs
from dispatch.domain.text import LOCAL

CLOSING_HOUR = time(17)
"""When a working day ends for whoever must deliver a list."""


def deadlines(due_before: date, holidays: PublicHolidays) -> tuple[datetime, datetime]:
    """(due, hard stop) of a list owed before a day: 17:00 of the last working day before it; 23:59 of the eve."""
    last = due_before - timedelta(days=1)
    working = last
    while not holidays.is_working_day(working):
        working -= timedelta(days=1)
    return datetime.combine(working, CLOSING_HOUR, LOCAL), datetime.combine(last, time(23, 59), LOCAL)


def deferred_amount(quote: Mapping[str, Any], leg: str) -> int:
    """What the province owes for one leg, in đồng: its deferrals, and what later corrections changed in them."""
    if quote["status"] == "VOID" or leg in void_legs(quote["adjustments"]):
        return 0
    lines: int = sum(line["amount"] for line in quote["lines"] if line["code"] == "deferral" and line["leg"] == leg)
    later: Iterable[Mapping[str, int]] = (
        fault.get("borne_by") or {} for fault in quote["adjustments"] if fault.get("reprices") == leg
    )
    return sum(borne.get("province", 0) for borne in later) - lines
