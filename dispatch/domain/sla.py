"""The promise: which limit holds for a leg, when it is due, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from dispatch.domain.consignment import Leg, QuoteBody
from dispatch.domain.hours import Calendar, ClockMode, PublicHolidays, add_minutes, local_date
from dispatch.domain.legstate import Pause
from dispatch.domain.places import Zone
from dispatch.domain.rules import PolicyBook, Rule
from dispatch.domain.text import LOCAL, Shape, local_text

PromiseState = Literal["RUNNING", "AT_RISK", "PAUSED", "MET", "BREACHED", "MET_CUSTOMER_ABSENT", "CANCELLED"]
SLA_KIND: dict[Leg, str] = {"pickup": "SLA_PICKUP", "return": "SLA_COLLECT"}
POST_CALENDAR = "POST-DEFAULT"
OPEN_STATES = frozenset({"RUNNING", "AT_RISK", "PAUSED"})

_INSTANTS = ("clock_started_at", "due_at", "due_at_strict", "warn_at", "stopped_at", "handover_due_at")
_DATES = ("delivery_expected_on", "delivery_due_on")


class SlaParams(Shape):
    """Parameters of `SLA_PICKUP` and `SLA_COLLECT`: the limit, how it is counted, and whether it is a duty by decree.

    The warning comes when `warn_before_minutes` of counted time are left.
    """

    minutes: Annotated[int, Field(ge=1, le=10_080)]
    clock: ClockMode
    binding: bool
    warn_before_minutes: Annotated[int, Field(ge=0, le=10_080)] = 45


class TransitDays(Shape):
    """Working days n of J+n for one service level."""

    INTRA_DISTRICT: Annotated[int, Field(ge=0, le=60)]
    INTER_DISTRICT: Annotated[int, Field(ge=0, le=60)]
    INTER_PROVINCE: Annotated[int, Field(ge=0, le=60)]
    INTER_PROVINCE_CITIES: Annotated[int, Field(ge=0, le=60)]


class TransitParams(Shape):
    """Parameters of a `TRANSIT` rule: n plain, and n where the appointment slip is brought back."""

    plain: TransitDays
    with_slip: TransitDays


@dataclass(frozen=True)
class Promise:
    """One leg's promise, as stored and as shown. `transit_days` is the n of its J+n.

    `fault_party` says on whose side the cause lies once it is broken. `handover_met` and `delivery_met` judge what
    follows the collection: papers before the shop's next intake cut-off, results in the citizen's window and J+n
    (S4 §3 of March 2020, read as VP-03).
    """

    leg: Leg
    rule_id: str
    clock_started_at: datetime
    minutes: int
    mode: ClockMode
    binding: bool
    province_code: str | None
    due_at: datetime
    due_at_strict: datetime
    warn_at: datetime
    transit_days: int
    delivery_expected_on: date
    state: PromiseState = "RUNNING"
    stopped_at: datetime | None = None
    met: bool | None = None
    met_strict: bool | None = None
    met_reason: str | None = None
    fault_party: str | None = None
    delivery_due_on: date | None = None
    delivery_met: bool | None = None
    handover_due_at: datetime | None = None
    handover_met: bool | None = None
    basis: Mapping[str, Any] | None = None
    pauses: tuple[Pause, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The promise as docs/api.md shows it (instants in +07:00) and as the store keeps it."""
        shown: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in _INSTANTS:
            shown[name] = None if shown[name] is None else local_text(shown[name])
        for name in _DATES:
            shown[name] = None if shown[name] is None else shown[name].isoformat()
        shown["pauses"] = [_pause_json(pause) for pause in self.pauses]
        return shown

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Promise:
        """The promise `to_json` wrote; keys others added beside it (the forecast) are left aside."""
        read = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        for name in read.keys() & set(_INSTANTS):
            read[name] = None if read[name] is None else datetime.fromisoformat(read[name])
        for name in read.keys() & set(_DATES):
            read[name] = None if read[name] is None else date.fromisoformat(read[name])
        read["pauses"] = tuple(_pause_from(pause) for pause in stored.get("pauses", ()))
        return cls(**read)


def _pause_json(pause: Pause) -> dict[str, Any]:
    ends = None if pause.to is None else local_text(pause.to)
    return {"from": local_text(pause.from_), "to": ends, "reason": pause.reason, "party": pause.party}


def _pause_from(stored: Mapping[str, Any]) -> Pause:
    ends = None if stored["to"] is None else datetime.fromisoformat(stored["to"])
    return Pause(datetime.fromisoformat(stored["from"]), ends, stored["reason"], stored["party"])


def start(
    book: PolicyBook,
    body: QuoteBody,
    leg: Leg,
    *,
    province_code: str | None,
    zone: Zone,
    clock_started_at: datetime,
    known_at: datetime,
    shop_calendar: Calendar,
    post_calendar: Calendar | None = None,
    between_major_cities: bool = False,
) -> Promise:
    """Start one leg's clock under the strictest rule that applies at `clock_started_at`.

    `province_code` (2020) is the pickup commune's for the pickup leg and the shop's for the return leg. A pickup is
    counted on the post office's calendar (`POST-DEFAULT` unless given), a collection on the shop's own.
    `between_major_cities`: shop and citizen both live in special or class-I cities (J+3 instead of J+4).
    """
    calendar = shop_calendar if leg == "return" else (post_calendar or book.calendars[POST_CALENDAR])
    started_at = clock_started_at.astimezone(LOCAL)
    rules = book.applying(SLA_KIND[leg], province_code, at=started_at, known_at=known_at, body=body, leg=leg)
    rule = min(rules, key=lambda rule: (_due_at(calendar, started_at, rule), -rule.valid_from.toordinal()))
    params = rule.params_as(SlaParams)
    counted = max(0, params.minutes - params.warn_before_minutes)
    days = transit_days(
        book, body, leg, zone, at=started_at, known_at=known_at, between_major_cities=between_major_cities
    )
    return Promise(
        leg=leg,
        rule_id=rule.id,
        clock_started_at=started_at,
        minutes=params.minutes,
        mode=params.clock,
        binding=params.binding,
        province_code=province_code,
        due_at=_due_at(calendar, started_at, rule),
        due_at_strict=add_minutes(calendar, started_at, params.minutes, "ELAPSED"),
        warn_at=add_minutes(calendar, started_at, counted, params.clock) if counted else started_at,
        transit_days=days,
        delivery_expected_on=book.holidays.add_working_days(local_date(started_at), days),
        basis=rule.basis(),
    )


def transit_days(
    book: PolicyBook,
    body: QuoteBody,
    leg: Leg,
    zone: Zone,
    *,
    at: datetime,
    known_at: datetime,
    between_major_cities: bool = False,
) -> int:
    """The n of J+n (TT 17/2017/TT-BTTTT art 7) in working days; longer with `return_slip`."""
    rules = book.applying("TRANSIT", None, at=at, known_at=known_at, body=body, leg=leg)
    params = max(rules, key=lambda rule: rule.valid_from).params_as(TransitParams)
    table = params.with_slip if body.return_slip else params.plain
    if zone == "INTRA_DISTRICT":
        return table.INTRA_DISTRICT
    if zone == "INTER_DISTRICT":
        return table.INTER_DISTRICT
    return table.INTER_PROVINCE_CITIES if between_major_cities else table.INTER_PROVINCE


def advance(promise: Promise, now: datetime, *, in_danger: bool = False) -> Promise:
    """What an unstopped promise is at `now`: at risk from `warn_at`, breached after `due_at` (≤ due is met).

    `in_danger`: its forecast says so; then it is at risk before the warning, and runs on once the danger is over.
    """
    if promise.state not in ("RUNNING", "AT_RISK"):
        return promise
    if now > promise.due_at:
        return replace(promise, state="BREACHED")
    return replace(promise, state="AT_RISK" if in_danger or now >= promise.warn_at else "RUNNING")


def pause(promise: Promise, at: datetime, reason: str, party: str) -> Promise:
    """Let the clock stand from `at` on; a promise that was judged or broken by then stays what it is."""
    judged = advance(promise, at)
    if judged.state not in ("RUNNING", "AT_RISK"):
        return judged
    return replace(judged, state="PAUSED", pauses=(*judged.pauses, Pause(at.astimezone(LOCAL), None, reason, party)))


def resume(promise: Promise, at: datetime, calendar: Calendar) -> Promise:
    """Let a standing clock run on at `at`: the counted minutes left run on the same calendar and in the same mode.

    The strict deadline moves by the time that passed. A warning that was given before the pause stays given.
    """
    if promise.state != "PAUSED":
        return promise
    stood = promise.pauses[-1]
    left = counted(calendar, stood.from_, promise.due_at, promise.mode)
    to_warning = counted(calendar, stood.from_, promise.warn_at, promise.mode)
    warned = promise.warn_at <= stood.from_
    running = replace(
        promise,
        state="RUNNING",
        due_at=_after(calendar, at, left, promise.mode),
        due_at_strict=promise.due_at_strict + (at - stood.from_),
        warn_at=promise.warn_at if warned else _after(calendar, at, to_warning, promise.mode),
        pauses=(*promise.pauses[:-1], replace(stood, to=at.astimezone(LOCAL))),
    )
    return advance(running, at)


def counted(calendar: Calendar, start: datetime, end: datetime, mode: ClockMode) -> timedelta:
    """How much of the time from `start` to `end` counts in this mode; the inverse of `hours.add_minutes`."""
    if mode == "ELAPSED":
        return max(timedelta(), end - start)
    total, day = timedelta(), local_date(start)
    while day <= local_date(end):
        span = calendar.operating_span(day)
        spans = calendar.spans(day) if mode == "OPEN_MINUTES" else [span] if span is not None else []
        total += sum((max(timedelta(), min(closes, end) - max(opens, start)) for opens, closes in spans), timedelta())
        day += timedelta(days=1)
    return total


def _after(calendar: Calendar, at: datetime, left: timedelta, mode: ClockMode) -> datetime:
    return add_minutes(calendar, at, left / timedelta(minutes=1), mode)


def stop(promise: Promise, at: datetime, absent: bool = False) -> Promise:
    """Judge the promise by a collection at `at`, or by a proven attempt that found the customer absent.

    The first stop decides; a later one changes nothing. An attempt in time is `MET_CUSTOMER_ABSENT`
    (2964/UBND-KSTT 1/4/2020 §3 as read for KH-09); an attempt after `due_at` stops nothing.
    """
    if promise.stopped_at is not None:
        return promise
    met = at <= promise.due_at
    if absent and not met:
        return advance(promise, at)
    state: PromiseState = "BREACHED" if not met else ("MET_CUSTOMER_ABSENT" if absent else "MET")
    return replace(
        promise,
        state=state,
        stopped_at=at.astimezone(LOCAL),
        met=met,
        met_strict=at <= promise.due_at_strict,
        met_reason="CUSTOMER_ABSENT" if absent else None,
    )


def cancel(promise: Promise, at: datetime) -> Promise:
    """End a promise nobody waits for any more; one that was already broken at `at` stays broken."""
    if promise.stopped_at is not None:
        return promise
    judged = advance(promise, at)
    if judged.state in OPEN_STATES:
        return replace(judged, state="CANCELLED", stopped_at=at.astimezone(LOCAL))
    return replace(
        judged,
        stopped_at=at.astimezone(LOCAL),
        met=False,
        met_strict=at <= judged.due_at_strict,
        met_reason="CANCELLED",
    )


def reopen(promise: Promise, now: datetime) -> Promise:
    """Take back a stop that was undone; the clock has run on meanwhile."""
    running = replace(
        promise, state="RUNNING", stopped_at=None, met=None, met_strict=None, met_reason=None, delivery_due_on=None
    )
    return advance(running, now)


def with_collected(promise: Promise, on: date, holidays: PublicHolidays) -> Promise:
    """Fix J = the local date of collection: delivery is due n working days later (TT 17/2017/TT-BTTTT art 7)."""
    return replace(promise, delivery_due_on=holidays.add_working_days(on, promise.transit_days))


def _due_at(calendar: Calendar, started_at: datetime, rule: Rule) -> datetime:
    params = rule.params_as(SlaParams)
    return add_minutes(calendar, started_at, params.minutes, params.clock)
