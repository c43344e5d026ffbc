"""What comes back, as TypedDicts: names and shapes of the API. Answers may gain keys.

Instants are RFC 3339 texts with offset, dates `YYYY-MM-DD`, amounts whole đồng.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

from dieutin.bodies import Citizen, Document, Dossier, Era, Kind, Leg

Item = TypeVar("Item")


class Fault(TypedDict):
    """One thing wrong with a body or query."""

    pointer: str
    code: str
    message: str


class Text(TypedDict):
    """A sentence in two languages."""

    vi: str
    en: str


class Page(TypedDict, Generic[Item]):
    """One page of a list."""

    data: list[Item]
    next_cursor: str | None
    has_more: bool


class Basis(TypedDict):
    """The legal basis."""

    rule_id: str | None
    doc_no: str | None
    doc_date: NotRequired[str | None]
    clause: str | None
    author: NotRequired[str | None]
    reason: NotRequired[str | None]


class QuoteLine(TypedDict):
    """One line of a price; reductions are negative."""

    code: str
    leg: Leg
    amount: int
    zone: NotRequired[str]
    weight_band: NotRequired[str]
    payer: str
    reason: str | None
    basis: Basis


class BorneBy(TypedDict):
    """Who bears how much."""

    citizen: int
    post: int
    province: int
    undecided: int


class Quote(TypedDict):
    """The price; `payable_by_citizen` is what a courier asks for."""

    status: Literal["FIRM", "DEFERRED", "PENDING_REVIEW", "VOID"]
    lines: list[QuoteLine]
    postage_total: int
    discount_total: int
    state_fee_total: int
    remittance_total: int
    payable_by_citizen: int
    borne_by: BorneBy
    adjustments: list[dict[str, Any]]
    reasons: list[str]
    currency: Literal["VND"]
    charges: dict[str, Any]
    review: NotRequired[dict[str, Any]]
    settlement: NotRequired[dict[str, Any]]


class Cause(TypedDict):
    """Why a promise is in danger."""

    code: str
    minutes: int | None
    text: Text


class Predicted(TypedDict):
    """When the collection will probably begin."""

    p50: str | None
    p90: str | None
    breach_probability: float | None
    causes: list[Cause]
    model: str | None
    made_at: str | None


class Promise(TypedDict):
    """What was promised of a leg."""

    leg: Leg
    rule_id: str
    clock_started_at: str
    minutes: int
    mode: Literal["ELAPSED", "OPERATING_SPAN", "OPEN_MINUTES"]
    binding: bool
    province_code: str | None
    due_at: str
    due_at_strict: str
    warn_at: str
    transit_days: int
    delivery_expected_on: str
    state: str
    stopped_at: str | None
    met: bool | None
    met_strict: bool | None
    met_reason: str | None
    fault_party: str | None
    delivery_due_on: str | None
    delivery_met: bool | None
    handover_due_at: str | None
    handover_met: bool | None
    basis: Basis | None
    pauses: list[dict[str, Any]]
    predicted: Predicted


class AddressFound(TypedDict):
    """How an address was understood."""

    status: Literal["exact", "divided", "ambiguous", "none"]
    commune_code: str | None
    era: Era | None
    name: str | None
    today: dict[str, Any] | None
    candidates: list[dict[str, Any]]
    lat: float | None
    lng: float | None
    precision: Literal["door", "learnt", "commune", "none"]


class Assessed(TypedDict):
    """What quotes and requests share."""

    kind: Kind
    province_code: str | None
    quote: Quote
    promise: list[Promise]
    return_mode: Literal["BCCI", "ELECTRONIC", "BOTH", "COUNTER"]
    authority_due_on: str | None
    address: AddressFound
    warnings: list[str]


class QuoteAnswer(Assessed):
    """A price and a promise; nothing was stored."""

    why: dict[str, list[str]]


class RequestLeg(TypedDict):
    """One leg of a request."""

    leg: Leg
    status: str
    substatus: str | None
    item_id: str
    label_url: str | None
    tracking_url: str
    courier_id: str | None
    planned_at: str | None


class Request(Assessed):
    """A request; what stands at the top is of the active leg."""

    id: str
    shop_id: str
    external_ref: str
    status: str
    substatus: str | None
    version: int
    livemode: bool
    item_id: str
    label_url: str | None
    tracking_url: str
    legs: list[RequestLeg]
    dossier: Dossier
    citizen: Citizen
    weight_g: int
    documents: list[Document]
    note: str
    metadata: dict[str, Any]
    created_at: str
    updated_at: str
    undeliverable: NotRequired[dict[str, str]]
    handover: NotRequired[dict[str, str | None]]
    compensation: NotRequired[dict[str, Any]]
    appointment: NotRequired[dict[str, str | None]]


class Step(TypedDict):
    """One step of a request's history."""

    id: str
    leg: Leg
    type: str
    status: str
    substatus: str | None
    implied: bool
    occurred_at: str
    recorded_at: str | None
    device_at: str | None
    courier_id: str | None
    actor: str
    reason: str | None


class Event(TypedDict):
    """One event, as the feed and the webhooks show it; of a request, `data` is the request as it stood then."""

    id: str
    type: str
    seq: int
    occurred_at: str
    recorded_at: str
    livemode: bool
    shop_id: str
    data: dict[str, Any]


class Accepted(TypedDict):
    """Long work that was queued."""

    id: str
    status: Literal["queued"]


class Operation(TypedDict):
    """Long work."""

    id: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float
    result: dict[str, Any] | None
    error: dict[str, str] | None
    created_at: str
    updated_at: str


class WebhookShown(TypedDict):
    """A webhook."""

    id: str
    shop_id: str
    url: str
    types: list[str]
    active: bool
    disabled_reason: str | None
    disabled_at: str | None
    failing_since: str | None
    previous_secret_until: str | None
    livemode: bool
    created_at: str


class WebhookWithSecret(WebhookShown):
    """A webhook and its new secret: keep it, it is not shown again."""

    secret: str | None


class Appointment(TypedDict):
    """A visit that is kept."""

    id: str
    starts_at: str
    ends_at: str
    free: int


class ComplaintAnswered(TypedDict):
    """By when a complaint is answered, and what is owed at least."""

    id: str
    request_id: str
    leg: Leg
    kind: Literal["LOST", "DAMAGED", "LATE", "PRICE"]
    lodged_at: str
    answer_due_on: str
    minimum_compensation: int
    refund: int
    admissible: bool
    admissible_until: str | None
    currency: Literal["VND"]
