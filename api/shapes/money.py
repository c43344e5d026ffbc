"""Payments, complaints, settlements, cash of a shift, fees in hand."""

from __future__ import annotations

import datetime as dt
from datetime import date, datetime

from api.shapes.base import Currency, Shown
from api.shapes.courier import MoneyDue
from api.shapes.requests import RequestShown
from dispatch.domain.charging import Outcome
from dispatch.domain.complaints import ComplaintKind
from dispatch.domain.consignment import Leg


class ComplaintAnswered(Shown):
    """By when a complaint is answered, whether it came in time, and what is owed at least, in đồng."""

    id: str
    request_id: str
    leg: Leg
    kind: ComplaintKind
    lodged_at: datetime
    answer_due_on: date
    minimum_compensation: int
    refund: int
    admissible: bool
    admissible_until: date | None
    currency: Currency


class AmountOfRequest(Shown):
    """An amount of one request, in đồng."""

    request_id: str
    amount: int


class Settled(Shown):
    """Deferred postage the province decided about."""

    outcome: Outcome
    decision_no: str
    settled: list[AmountOfRequest]
    count: int
    amount: int
    currency: Currency


class Purses(MoneyDue):
    """Postage and state fees apart, and their sum, in đồng."""

    total: int


class CashEntry(Shown):
    """One booking."""

    request_id: str | None
    leg: Leg | None
    book: str
    kind: str
    amount: int
    at: datetime
    recorded_at: datetime
    receipt_no: str | None
    note: str | None


class ShiftCash(Shown):
    """The cash of one courier on one date; `reopened` where a booking came after the close."""

    courier_id: str
    date: dt.date
    taken: Purses
    remitted_with_dossier: int
    handed_in: Purses
    difference: Purses
    currency: Currency
    closed: bool
    reopened: bool
    closed_at: datetime | None
    closed_by: str | None
    explanation: str | None
    entries: list[CashEntry]


class FeeOfLeg(AmountOfRequest):
    """A state fee of one leg, in đồng."""

    leg: Leg


class FeeInHand(FeeOfLeg):
    """A state fee that has not reached the authority; without `due_on` it goes with the dossier."""

    collected_on: date
    due_on: date | None
    overdue: bool


class FeesInHand(Shown):
    """All state fees in hand."""

    data: list[FeeInHand]
    amount: int
    currency: Currency


class Remitted(Shown):
    """State fees that reached the authority."""

    remitted: list[FeeOfLeg]
    amount: int
    receipt_no: str
    currency: Currency


class Refunded(Shown):
    """Money given back, shared over legs and purses, and the request as it stands now."""

    request_id: str
    amount: int
    legs: dict[Leg, MoneyDue]
    request: RequestShown


class PaidOut(AmountOfRequest):
    """Compensation that was paid out."""

    currency: Currency
