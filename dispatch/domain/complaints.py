"""Complaints: by when they are answered, until when they may be lodged, and what is owed at least."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Literal

from dispatch.domain.hours import PublicHolidays
from dispatch.domain.places import Zone

ComplaintKind = Literal["LOST", "DAMAGED", "LATE", "PRICE"]

INTER_PROVINCE: frozenset[Zone] = frozenset({"SAME_REGION", "INTER_REGION"})
ANSWER_WITHIN_WORKING_DAYS = 5
ANSWER_WITHIN_WORKING_DAYS_BETWEEN_PROVINCES = 7
"""TT 17/2017/TT-BTTTT art 8; stricter than the two months of Law 49/2010/QH12 art 38."""
MONTHS_FOR_LOSS_OR_DELAY = 6
MONTHS_FOR_DAMAGE_OR_PRICE = 1
"""Law 49/2010/QH12 art 38: from the end of the transit time, or from delivery."""
TIMES_POSTAGE = 4
"""NĐ 47/2011/NĐ-CP art 25.1a: loss and total damage, at least four times the postage, the refund included."""


@dataclass(frozen=True)
class Carriage:
    """What a complaint is judged on: one leg as it was carried and paid. Dates are local, money is whole đồng.

    `transit_ends_on` is the day delivery is due (expected, before collection). `reached_on` is the day the post had
    done its part: delivered, handed over, or found the recipient absent and invited him (TT 17/2017/TT-BTTTT art 7:
    the clock ends when the person is notified). `paid` is postage less what was given back, `right_price` what the
    postage ought to be; both without the price of remitting a fee. `carried` is False where the leg was called off.
    """

    zone: Zone
    transit_ends_on: date
    reached_on: date | None
    delivered_on: date | None
    list_price: int
    paid: int
    right_price: int
    carried: bool = True


@dataclass(frozen=True)
class Answer:
    """What a complaint is told on the day it is lodged. `admissible_until` is None while its time has not begun."""

    answer_due_on: date
    admissible_until: date | None
    admissible: bool
    minimum_compensation: int
    refund: int


def judge(kind: ComplaintKind, leg: Carriage, lodged_on: date, holidays: PublicHolidays) -> Answer:
    """Answer a complaint about one leg lodged on a local date.

    Loss and damage: four times the list price of the leg, the refund included (QĐ 45/2016/QĐ-TTg art 14 adds all
    costs of re-issuing). Delay: the postage paid, where it is really late. Price: what was overpaid. A complaint that
    came too late, or about a leg nobody carried, is owed nothing.
    """
    until = admissible_until(kind, leg)
    admissible = until is None or lodged_on <= until
    owed = admissible and leg.carried
    refund = 0
    if owed and kind == "LATE" and is_late(leg, lodged_on):
        refund = min(leg.paid, leg.right_price)
    elif owed and kind == "PRICE":
        refund = max(0, leg.paid - leg.right_price)
    return Answer(
        answer_due_on=answer_due_on(leg.zone, lodged_on, holidays),
        admissible_until=until,
        admissible=admissible,
        minimum_compensation=TIMES_POSTAGE * leg.list_price if owed and kind in ("LOST", "DAMAGED") else 0,
        refund=refund,
    )


def answer_due_on(zone: Zone, lodged_on: date, holidays: PublicHolidays) -> date:
    """The last day for an answer: 5 working days inside a province, 7 between provinces (TT 17/2017 art 8)."""
    between = zone in INTER_PROVINCE
    days = ANSWER_WITHIN_WORKING_DAYS_BETWEEN_PROVINCES if between else ANSWER_WITHIN_WORKING_DAYS
    return holidays.add_working_days(lodged_on, days)


def admissible_until(kind: ComplaintKind, leg: Carriage) -> date | None:
    """The last day, inclusive, for a complaint; None where its time begins with a delivery that has not happened."""
    if kind in ("LOST", "LATE"):
        return add_months(leg.transit_ends_on, MONTHS_FOR_LOSS_OR_DELAY)
    return None if leg.delivered_on is None else add_months(leg.delivered_on, MONTHS_FOR_DAMAGE_OR_PRICE)


def is_late(leg: Carriage, on: date) -> bool:
    """Whether the leg had missed its transit time, as far as is known on `on`."""
    return (leg.reached_on or on) > leg.transit_ends_on


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last day of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
