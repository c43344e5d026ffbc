"""Opening hours, public holidays, and the three ways a promise counts its minutes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from dispatch.domain.errors import Invalid
from dispatch.domain.text import LOCAL, Line, Shape

ClockMode = Literal["ELAPSED", "OPERATING_SPAN", "OPEN_MINUTES"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

MinuteSpan = tuple[int, int]
"""An opening and a closing, in minutes after local midnight."""
InstantSpan = tuple[datetime, datetime]
"""An opening and a closing as aware instants in +07:00."""

HORIZON_DAYS = 400
"""How far an opening is looked for; no site of this trade closes for longer than a year."""
_PATIENCE_DAYS = 3653
"""How long the minutes of a promise may take at a site that opens for a few minutes a week."""
_DAY_MINUTES = 24 * 60
_TIME_OF_DAY = re.compile(r"[0-2][0-9]:[0-5][0-9]")


def _minute_of_day(value: Any) -> int:
    if isinstance(value, str) and _TIME_OF_DAY.fullmatch(value):
        minute = int(value[:2]) * 60 + int(value[3:])
        if minute <= _DAY_MINUTES:
            return minute
    raise PydanticCustomError("time_of_day", "is not a time of day such as 07:30")


def _opens_before_it_closes(span: MinuteSpan) -> MinuteSpan:
    if span[0] >= span[1]:
        raise PydanticCustomError("span_reversed", "closes before it opens")
    return span


def _in_order(spans: tuple[MinuteSpan, ...]) -> tuple[MinuteSpan, ...]:
    if any(earlier[1] > later[0] for earlier, later in pairwise(spans)):
        raise PydanticCustomError("spans_overlap", "holds spans that overlap or stand out of order")
    return spans


def _calendar_date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise PydanticCustomError("date", "is not a date such as 2020-04-02") from error
    raise PydanticCustomError("date", "is not a date such as 2020-04-02")


IsoDate = Annotated[
    date,
    BeforeValidator(_calendar_date, json_schema_input_type=str),
    Field(json_schema_extra={"format": "date"}),
]
_Clock = Annotated[
    int,
    BeforeValidator(_minute_of_day, json_schema_input_type=str),
    PlainSerializer(lambda minute: f"{minute // 60:02}:{minute % 60:02}", return_type=str, when_used="json"),
]
_Span = Annotated[tuple[_Clock, _Clock], Field(strict=False), AfterValidator(_opens_before_it_closes)]
_Spans = Annotated[tuple[_Span, ...], Field(strict=False, max_length=12), AfterValidator(_in_order)]


class OverrideBody(Shape):
    """One date that departs from the week: exactly one of `off` and `work` is true."""

    date: IsoDate
    off: bool = False
    work: bool = False
    source: Line = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.off == self.work:
            raise PydanticCustomError("off_or_work", "says either off: true or work: true")
        return self


class CalendarBody(Shape):
    """The body of `PUT /v1/admin/calendars/{id}`: one week, in force from `valid_from` on."""

    valid_from: IsoDate | None = None
    weekly: dict[Weekday, _Spans]
    intake_closes_minutes_before: Annotated[int, Field(ge=0, le=720)] | None = None
    counter_weekdays: Annotated[tuple[Weekday, ...], Field(strict=False, min_length=1)] | None = None
    overrides: Annotated[tuple[OverrideBody, ...], Field(strict=False, max_length=2000)] = ()

    @model_validator(mode="after")
    def _opens_and_agrees(self) -> Self:
        if not any(self.weekly.values()):
            raise PydanticCustomError("never_open", "opens on no day of the week")
        if self.counter_weekdays is not None and not any(self.weekly.get(day) for day in self.counter_weekdays):
            raise PydanticCustomError("counter_never_open", "opens on none of its counter_weekdays")
        days = [override.date for override in self.overrides]
        if len(days) != len(set(days)):
            raise PydanticCustomError("override_twice", "overrides one date twice")
        return self


@dataclass(frozen=True)
class PublicHolidays:
    """The state's days off and its worked swap days; outside the frozen years only weekends are known.

    `off` maps a day off to its name, `worked` maps a worked Saturday to the day off it pays for.
    """

    off: Mapping[date, str] = field(default_factory=dict)
    worked: Mapping[date, date] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        """Whether J+n, invitation and complaint days count this day: Mon-Fri, no holiday, or a worked swap day."""
        return day in self.worked or (day.weekday() < 5 and day not in self.off)

    def add_working_days(self, day: date, count: int, paused: Iterable[date] = ()) -> date:
        """The `count`-th working day after `day` (TT 17/2017 art 7: J+n); days in `paused` are not counted."""
        if count < 0:
            raise ValueError("working days are counted forward")
        skipped = frozenset(paused)
        while count > 0:
            day += timedelta(days=1)
            if self.is_working_day(day) and day not in skipped:
                count -= 1
        return day


@dataclass(frozen=True)
class Week:
    """The usual week of a site from `valid_from` on; `spans` has seven entries, Monday first."""

    valid_from: date
    spans: tuple[tuple[MinuteSpan, ...], ...]
    intake_closes_minutes_before: int
    counter_weekdays: frozenset[int] | None

    @classmethod
    def from_body(cls, body: CalendarBody) -> Week:
        """The week a calendar body describes."""
        counter = body.counter_weekdays
        return cls(
            valid_from=body.valid_from or date.min,
            spans=tuple(body.weekly.get(name, ()) for name in WEEKDAYS),
            intake_closes_minutes_before=body.intake_closes_minutes_before or 0,
            counter_weekdays=None if counter is None else frozenset(WEEKDAYS.index(name) for name in counter),
        )

    def own_or_before(self, weekday: int) -> tuple[MinuteSpan, ...]:
        """The spans of this weekday or, where it is closed, of the nearest open weekday before it."""
        return next(spans for back in range(7) if (spans := self.spans[(weekday - back) % 7]))


@dataclass(frozen=True)
class Calendar:
    """When one site is open: dated weeks, the state's holidays, and the site's own overrides (True = works).

    Precedence for one day: the site's override, a worked swap day, a public holiday, the week. A day worked out of
    turn keeps its own weekly spans; a weekday that is usually closed takes those of the day off it pays for, and
    where no such day is known, of the nearest open weekday before it (a Saturday works Friday's hours).
    Before the first dated week that week holds: unknown hours are not closed hours.
    """

    id: str
    weeks: tuple[Week, ...]
    overrides: Mapping[date, bool]
    public: PublicHolidays

    @classmethod
    def from_body(cls, calendar_id: str, body: Mapping[str, Any] | CalendarBody, public: PublicHolidays) -> Calendar:
        """A calendar of one week from a `PUT /v1/admin/calendars/{id}` body; a wrong body raises pydantic's error."""
        return cls.from_bodies(calendar_id, [body], public)

    @classmethod
    def from_bodies(
        cls, calendar_id: str, bodies: Iterable[Mapping[str, Any] | CalendarBody], public: PublicHolidays
    ) -> Calendar:
        """A calendar of several dated bodies; of two overrides of one date the later body's holds."""
        read = [body if isinstance(body, CalendarBody) else CalendarBody.model_validate(body) for body in bodies]
        read.sort(key=lambda body: body.valid_from or date.min)
        return cls(
            id=calendar_id,
            weeks=tuple(Week.from_body(body) for body in read),
            overrides={override.date: override.work for body in read for override in body.overrides},
            public=public,
        )

    def followed_by(self, later: Calendar) -> Calendar:
        """This calendar until the first dated week of `later`, and that one from then on."""
        turn = later.weeks[0].valid_from
        kept = {day: works for day, works in self.overrides.items() if day < turn}
        return Calendar(
            id=later.id,
            weeks=tuple(week for week in self.weeks if week.valid_from < turn) + later.weeks,
            overrides=kept | dict(later.overrides),
            public=later.public,
        )

    def week_on(self, day: date) -> Week:
        """The week in force on a day."""
        for week in reversed(self.weeks):
            if week.valid_from <= day:
                return week
        return self.weeks[0]

    def minute_spans(self, day: date) -> tuple[MinuteSpan, ...]:
        """The day's openings and closings in minutes after local midnight, in order; empty on a closed day."""
        week = self.week_on(day)
        usual = week.spans[day.weekday()]
        works = self.overrides.get(day)
        if works is False:
            return ()
        paid_for = self.public.worked.get(day)
        if paid_for is not None:
            return usual or week.own_or_before(paid_for.weekday())
        if works is True:
            return usual or week.own_or_before(day.weekday())
        return () if day in self.public.off else usual

    def spans(self, day: date) -> list[InstantSpan]:
        """The day's openings and closings as instants, in order; empty on a closed day."""
        return [(_at(day, opens), _at(day, closes)) for opens, closes in self.minute_spans(day)]

    def is_open_day(self, day: date) -> bool:
        """Whether the site opens at all on this day."""
        return bool(self.minute_spans(day))

    def operating_span(self, day: date) -> InstantSpan | None:
        """First opening and last closing of the day, lunch not deducted; None on a closed day."""
        spans = self.minute_spans(day)
        return (_at(day, spans[0][0]), _at(day, spans[-1][1])) if spans else None

    def intake_cutoff(self, day: date) -> datetime | None:
        """The last instant at which papers are still taken in that day; None on a closed day."""
        span = self.operating_span(day)
        if span is None:
            return None
        return max(span[0], span[1] - timedelta(minutes=self.week_on(day).intake_closes_minutes_before))

    def next_intake_at(self, at: datetime) -> datetime:
        """The earliest instant from `at` on at which the site takes papers in (closings and cut-off included)."""
        for day in _days_from(at):
            cutoff = self.intake_cutoff(day)
            for opens, closes in self.spans(day):
                moment = max(opens, at.astimezone(LOCAL))
                if cutoff is not None and moment <= min(closes, cutoff):
                    return moment
        raise never_opens(self.id)

    def next_counter_day(self, day: date) -> date:
        """The first day from `day` on when the counter serves people in person.

        Where a counter weekday is a holiday the next counter weekday serves, not a substitute day
        (905/UBND-PVHCC 30/3/2020 §2.1 names Tuesday and Friday and is silent on holidays).
        """
        for ahead in range(HORIZON_DAYS):
            candidate = day + timedelta(days=ahead)
            weekdays = self.week_on(candidate).counter_weekdays
            if self.is_open_day(candidate) and (weekdays is None or candidate.weekday() in weekdays):
                return candidate
        raise never_opens(self.id)

    def _counted_spans(self, day: date, mode: ClockMode) -> list[InstantSpan]:
        if mode == "OPEN_MINUTES":
            return self.spans(day)
        span = self.operating_span(day)
        return [] if span is None else [span]


def add_minutes(calendar: Calendar, start: datetime, minutes: float, mode: ClockMode) -> datetime:
    """The instant at which `minutes` counted from `start` have run out, in +07:00.

    `ELAPSED` counts round the clock, `OPERATING_SPAN` from first opening to last closing of each open day,
    `OPEN_MINUTES` only while the doors are open. A start outside the span counts from the next opening; a remainder
    that ends exactly at closing stays on that day. Raises `Invalid` when the calendar does not open for 400 days on
    end, or so seldom that the minutes would take more than ten years.
    """
    if minutes < 0:
        raise ValueError("minutes are counted forward")
    moment, remaining = start.astimezone(LOCAL), timedelta(minutes=minutes)
    if mode == "ELAPSED":
        return moment + remaining
    day, closed = local_date(moment), 0
    last = day + timedelta(days=_PATIENCE_DAYS)
    while closed < HORIZON_DAYS and day < last:
        spans = calendar._counted_spans(day, mode)
        for opens, closes in spans:
            if closes <= moment:
                continue
            begins = max(opens, moment)
            if remaining <= closes - begins:
                return begins + remaining
            remaining -= closes - begins
        closed = 0 if spans else closed + 1
        day += timedelta(days=1)
    raise never_opens(calendar.id)


def local_date(at: datetime) -> date:
    """The date in Vietnam at an instant."""
    return at.astimezone(LOCAL).date()


def _days_from(at: datetime) -> Iterator[date]:
    first = local_date(at)
    return (first + timedelta(days=ahead) for ahead in range(HORIZON_DAYS))


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(), LOCAL) + timedelta(minutes=minute)


def never_opens(calendar_id: str) -> Invalid:
    """The answer for a calendar that keeps its doors closed for longer than anyone waits."""
    return Invalid(
        code="calendar_never_opens",
        vi=f"Lịch làm việc {calendar_id} không mở cửa ngày nào trong {HORIZON_DAYS} ngày tới",
        en=f"calendar {calendar_id} does not open on any of the next {HORIZON_DAYS} days",
    )
