"""What the operator keeps: shops, offices, calendars, couriers, shifts, points, communes, rules, trainings, keys."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import ConfigDict, Field

from api.shapes.base import Listed, Mode, Shown, Text
from dispatch.domain.consignment import Era
from dispatch.domain.hours import CalendarBody
from dispatch.domain.network import (
    Break,
    CommuneBody,
    CommuneRef,
    OfficeBody,
    Point,
    PointBody,
    RuleOverrideBody,
    ShopBody,
    TrainingBody,
)


class ShopKept(ShopBody):
    """A one-stop shop as it is kept now."""

    id: str
    mode: Mode


class OfficeKept(OfficeBody):
    """A post office as it is kept now."""

    id: str
    mode: Mode


class CalendarKept(CalendarBody):
    """The week of a calendar as it was just kept."""

    id: str
    mode: Mode


class CourierKept(Shown):
    """A courier as kept now; the PIN is never shown."""

    id: str
    mode: Mode
    name: str
    phone: str
    home_office_id: str
    skills: list[str]
    capacity_items: int
    vehicle: str
    base: Point | None
    communes: list[CommuneRef | str]
    max_distance_m: int | None
    rest_minutes: int | None


class ShiftKept(Shown):
    """A shift as kept now; `id` is `courier/date`."""

    id: str
    mode: Mode
    starts_at: datetime
    ends_at: datetime
    start: Point | None
    breaks: list[Break]


class PointKept(PointBody):
    """A reception point as it is kept now."""

    id: str
    mode: Mode


class CommuneKept(CommuneBody):
    """How a commune is served; `id` is `era/code`."""

    id: str
    mode: Mode
    era: Era
    code: str


class OverrideKept(RuleOverrideBody):
    """A shop's own parameters for a rule, and who set them."""

    mode: Mode
    shop_id: str
    rule_id: str
    author: str


class PointListed(PointBody):
    """A reception point."""

    id: str


class Points(Listed[PointListed]):
    """A page of reception points."""


class CommuneListed(CommuneBody):
    """A commune with settings of its own."""

    era: Era
    code: str


class Communes(Listed[CommuneListed]):
    """A page of communes."""


class OverrideListed(RuleOverrideBody):
    """A shop's own parameters for a rule."""

    shop_id: str
    rule_id: str
    author: str


class Overrides(Listed[OverrideListed]):
    """All overrides of a shop."""


class TrainingKept(TrainingBody):
    """A training as recorded."""

    id: str
    recorded_at: datetime


class TrainingListed(TrainingBody):
    """A training."""

    id: str


class Trainings(Listed[TrainingListed]):
    """A page of trainings in the order they were recorded."""


class KeyMade(Shown):
    """A key; `key` is the secret, shown this once (null in a replay)."""

    id: str
    key: str | None
    scope: str
    shop_id: str | None
    mode: Mode


class CounterDay(Shown):
    """The next day on which people are served in person."""

    next_counter_day: date


class Appointment(Shown):
    """A visit that is kept; `free`: how many more people may come for the whole of that time."""

    id: str
    starts_at: datetime
    ends_at: datetime
    free: int


class RuleShown(Shown):
    """One rule as it is published (QĐ 45/2016/QĐ-TTg art 12.2: quality and tariff are public)."""

    rule_id: str
    doc_no: str | None
    doc_date: date | None = None
    clause: str | None
    kind: str
    province_code: str | None
    summary: Text
    scope: dict[str, Any]
    params: dict[str, Any]
    funding: dict[str, int]
    valid_from: date
    valid_to: date | None
    recorded_at: datetime
    verified: bool


class Policies(Shown):
    """The rules in force on a date."""

    on: date
    province_code: str | None
    policy_version: str
    data: list[RuleShown]


class Report(Shown):
    """A report: what was counted (`definition`), row by row, and the totals.

    The keys of rows and totals are each report's own; a few have facts beside them, such as `due_at`.
    """

    model_config = ConfigDict(extra="allow")

    report: str
    from_: date = Field(alias="from")
    to: date
    province: str | None
    definition: str
    rows: list[dict[str, Any]]
    totals: dict[str, Any]
