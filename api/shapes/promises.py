"""Promises: what was promised of a leg, whether it was kept, and what is foretold of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.shapes.base import Shown, Text
from dispatch.domain.consignment import Leg
from dispatch.domain.hours import ClockMode
from dispatch.domain.sla import PromiseState


class Basis(Shown):
    """The legal basis: rule, document, clause; `author` and `reason` where a shop's own parameters or a person decided.

    `doc_date` stands where the document's date is known.
    """

    rule_id: str | None
    doc_no: str | None
    doc_date: date | None = None
    clause: str | None
    author: str | None = None
    reason: str | None = None


class Cause(Shown):
    """Why a promise is in danger; `minutes` is its share where that can be told."""

    code: str
    minutes: int | None
    text: Text


class Predicted(Shown):
    """When the collection will probably begin, and how probable a breach is; all null where nobody can say."""

    p50: datetime | None
    p90: datetime | None
    breach_probability: float | None = Field(ge=0, le=1)
    causes: list[Cause]
    model: str | None
    made_at: datetime | None


class Pause(Shown):
    """A time in which a promise's clock stood; `to` is null while it stands."""

    from_: datetime = Field(alias="from")
    to: datetime | None
    reason: str
    party: str


class Promise(Shown):
    """What was promised of one leg. `due_at` is when the courier must have been there at the latest."""

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
    state: PromiseState
    stopped_at: datetime | None
    met: bool | None
    met_strict: bool | None
    met_reason: str | None
    fault_party: str | None
    delivery_due_on: date | None
    delivery_met: bool | None
    handover_due_at: datetime | None
    handover_met: bool | None
    basis: Basis | None
    pauses: list[Pause]
    predicted: Predicted


class Foretold(Predicted):
    """One forecast that was made, and the state the promise had then."""

    leg: Leg
    state: PromiseState
    courier_id: str | None
    planned_at: datetime | None


class PromiseHistory(Shown):
    """The promises of a request as they stand, and everything that was foretold of them, oldest first."""

    request_id: str
    promise: list[Promise]
    history: list[Foretold]


class RoadPlace(Shown):
    """A place somebody rides to, as rounds and plans carry it; `id` and `address` where it is a known one."""

    name: str
    address: str | None = None
    lat: float | None
    lng: float | None
    precision: Literal["door", "learnt", "commune", "none"]
    at: Literal["citizen", "shop", "office"]
    id: str | None = None
