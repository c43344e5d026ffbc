"""The counter of a one-stop shop: on which days it serves people in person, and how many may be in a room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from dispatch.domain.hours import HORIZON_DAYS, WEEKDAYS, Calendar, InstantSpan, Weekday, local_date, never_opens
from dispatch.domain.result import SafetyParams
from dispatch.domain.rules import PolicyBook, Rule
from dispatch.domain.text import Shape

ShopLevel = Literal["PROVINCE", "DISTRICT", "COMMUNE"]


class CounterDaysParams(Shape):
    """Parameters of `COUNTER_DAYS`: weekdays on which shops of these levels serve people in person."""

    weekdays: Annotated[tuple[Weekday, ...], Field(strict=False, min_length=1)]
    shop_levels: Annotated[tuple[ShopLevel, ...], Field(strict=False, min_length=1)]


class CapacityParams(Shape):
    """Parameters of `CAPACITY`: the most people in one room, or at one event, at one time (exactly so many may)."""

    people: Annotated[int, Field(ge=1, le=100_000)]
    applies_to: Literal["ROOM", "EVENT"]


@dataclass(frozen=True)
class Counter:
    """One shop's counter under the rules known at `known_at`; `province_code` is that of 2020, `book` the shop's."""

    book: PolicyBook
    calendar: Calendar
    province_code: str | None
    level: str
    known_at: datetime

    def weekdays_on(self, day: date) -> frozenset[int] | None:
        """The weekdays (0 = Monday) a province's rule keeps the counter to on a date; None where no rule speaks."""
        found = [
            rule
            for rule in self._in_force("COUNTER_DAYS", day)
            if self.level in rule.params_as(CounterDaysParams).shop_levels
        ]
        if not found:
            return None
        latest = max(found, key=lambda rule: (rule.doc_date or date.min, rule.valid_from))
        return frozenset(WEEKDAYS.index(name) for name in latest.params_as(CounterDaysParams).weekdays)

    def serves_on(self, day: date) -> bool:
        """Whether people are served in person on a date: a rule's weekday or the shop's own, and a working day.

        A rule's weekday holds whatever the shop's hours profile says of it; a holiday is skipped, not made up for
        (905/UBND-PVHCC 30/3/2020 §2.1 names Tuesday and Friday and is silent on holidays).
        """
        named = self.weekdays_on(day)
        if named is None:
            own = self.calendar.week_on(day).counter_weekdays
            return self.calendar.is_open_day(day) and (own is None or day.weekday() in own)
        if day.weekday() not in named:
            return False
        if self.calendar.week_on(day).spans[day.weekday()]:
            return self.calendar.is_open_day(day)
        return self.calendar.public.is_working_day(day) and self.calendar.overrides.get(day) is not False

    def next_day(self, day: date) -> date:
        """The first day from `day` on when people are served in person; raises `Invalid` where there is none."""
        for ahead in range(HORIZON_DAYS):
            if self.serves_on(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        raise never_opens(self.calendar.id)

    def capacity(self, own: int, day: date) -> int:
        """The most people a room of capacity `own` may hold on a date; the strictest limit counts."""
        rules = (rule.params_as(CapacityParams) for rule in self._in_force("CAPACITY", day))
        return min([own, *(limit.people for limit in rules if limit.applies_to == "ROOM")])

    def open_throughout(self, begins: datetime, ends: datetime) -> bool:
        """Whether the doors stay open from `begins` to `ends`, both on one date."""
        return any(opens <= begins and ends <= closes for opens, closes in self._doors(local_date(begins)))

    def slots(self, day: date, slot_minutes: int, minutes: int) -> Iterator[datetime]:
        """The starts on a date's slot grid, counted from each opening, whose visit ends before the doors close."""
        for opens, closes in self._doors(day):
            starts = opens
            while starts + timedelta(minutes=minutes) <= closes:
                yield starts
                starts += timedelta(minutes=slot_minutes)

    def _doors(self, day: date) -> list[InstantSpan]:
        """The day's openings, those that meet made one."""
        doors: list[InstantSpan] = []
        for opens, closes in self.calendar.spans(day):
            if doors and doors[-1][1] == opens:
                doors[-1] = (doors[-1][0], closes)
            else:
                doors.append((opens, closes))
        return doors

    def _in_force(self, kind: str, day: date) -> list[Rule]:
        return site_rules(self.book, kind, self.province_code, day, self.known_at)


def site_rules(book: PolicyBook, kind: str, province_code: str | None, day: date, known_at: datetime) -> list[Rule]:
    """The rules on a site of a province (2020) that hold on a date: the province's own, else everybody's.

    Where the book is a shop's, with that shop's overrides.
    """
    for place in (province_code, None):
        known = book.known(kind, place, known_at)
        found = [book.here(rule, day) for rule in known if rule.in_force_on(day)]
        if found:
            return found
    return []


def safety_items(book: PolicyBook, province_code: str | None, day: date, known_at: datetime) -> list[str]:
    """What a courier ticks before he enters a shop of a province: `mask`, `sanitiser`; empty where no rule asks."""
    rules = site_rules(book, "SAFETY", province_code, day, known_at)
    return sorted({item for rule in rules for item in rule.params_as(SafetyParams).items})


Visit = tuple[datetime, datetime, int]
"""From when until before when how many people are in a room."""


def peak(visits: Iterable[Visit], begins: datetime, ends: datetime) -> int:
    """The most people in the room at any one moment from `begins` until before `ends`."""
    changes: list[tuple[datetime, int]] = []
    for enters, leaves, people in visits:
        if enters < ends and leaves > begins:
            changes += [(max(enters, begins), people), (leaves, -people)]
    present = most = 0
    for _, change in sorted(changes):
        # At one moment the leaving (negative) come first: who leaves at nine is not there at nine.
        present += change
        most = max(most, present)
    return most
