"""A request as every read shows it, its quote, its history, and what a citizen may see of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, Literal

from api.shapes.base import Currency, Listed, Shown, Text, absent
from api.shapes.promises import Basis, Promise
from dispatch.domain.addresses import Precision
from dispatch.domain.addresses import Status as AddressStatus
from dispatch.domain.charging import Decision, Outcome
from dispatch.domain.consignment import Citizen, Document, Dossier, Era, Kind, Leg
from dispatch.domain.money import Payer
from dispatch.domain.moves import STATUSES
from dispatch.domain.places import Zone
from dispatch.domain.pricing import LineCode, QuoteStatus
from dispatch.domain.result import ReturnMode

Status = Literal[STATUSES]  # type: ignore[valid-type]


class QuoteLine(Shown):
    """One line of a price in whole đồng; reductions are negative. `zone` and `weight_band` stand on postage lines."""

    code: LineCode
    leg: Leg
    amount: int
    zone: Zone = absent()
    weight_band: str = absent()
    payer: Payer
    reason: str | None
    basis: Basis


class BorneBy(Shown):
    """Who bears how much of `postage_total + remittance_total`."""

    citizen: int
    post: int
    province: int
    undecided: int


class Charge(Shown):
    """What a leg's price was computed from: an estimate until `fixed`."""

    at: datetime
    known_at: datetime
    fixed: bool
    policy_version: str
    province_code: str | None
    reasons: list[str]


class Shares(Shown):
    """What a correction moves between the payers; who is not touched is left out."""

    citizen: int = absent()
    post: int = absent()
    province: int = absent()
    undecided: int = absent()


class Adjustment(Shown):
    """A later correction; the lines themselves never change."""

    recorded_at: datetime
    amount: int
    reason: str
    basis: Basis
    task: Literal["REFUND", "COLLECT", "NONE"]
    leg: Leg
    reprices: Leg = absent()
    ends_leg: Leg = absent()
    reopens_leg: Leg = absent()
    borne_by: Shares = absent()
    charge: Charge = absent()


class Review(Shown):
    """How a fee that was held was decided, and by whom."""

    decision: Decision
    reason: str
    evidence: str
    by: str
    at: datetime


class Settlement(Shown):
    """What the province decided about deferred postage."""

    outcome: Outcome
    decision_no: str
    at: datetime
    by: str


class Charges(Shown):
    """The charge of each leg the request has."""

    pickup: Charge = absent()
    return_: Charge = absent("return")


class Quote(Shown):
    """The price: `payable_by_citizen` is what a courier must ask for, state fee and remittance included."""

    status: QuoteStatus
    lines: list[QuoteLine]
    postage_total: int
    discount_total: int
    state_fee_total: int
    remittance_total: int
    payable_by_citizen: int
    borne_by: BorneBy
    adjustments: list[Adjustment]
    reasons: list[str]
    currency: Currency
    charges: Charges
    review: Review = absent()
    settlement: Settlement = absent()


class CommuneNamed(Shown):
    """A commune by code and era, with its name."""

    commune_code: str
    era: Era
    name: str


class Candidate(CommuneNamed):
    """A commune an unclear address may mean."""

    score: float
    province: str
    district: str | None


class AddressFound(Shown):
    """How an address was understood: `today` is the commune of the map in force; all but `door` are approximate."""

    status: AddressStatus
    commune_code: str | None
    era: Era | None
    name: str | None
    today: CommuneNamed | None
    candidates: list[Candidate]
    lat: float | None
    lng: float | None
    precision: Precision


class Sentences(Shown):
    """Why this amount, sentence by sentence."""

    vi: list[str]
    en: list[str]


class WhyOfRequest(Sentences):
    """Why a request costs what it costs."""

    request_id: str
    payable_by_citizen: int


class Assessed(Shown):
    """What price and promise are made of, for quotes and requests alike."""

    kind: Kind
    province_code: str | None
    quote: Quote
    promise: list[Promise]
    return_mode: ReturnMode
    authority_due_on: date | None
    address: AddressFound
    warnings: list[str]


class QuoteAnswer(Assessed):
    """The answer of a quote; nothing was stored."""

    why: Sentences


class RequestLeg(Shown):
    """One leg of a request: its state, its item and who has it."""

    leg: Leg
    status: Status
    substatus: str | None
    item_id: str
    label_url: str | None
    tracking_url: str
    courier_id: str | None
    planned_at: datetime | None


class Undeliverable(Shown):
    """What follows a failed delivery."""

    failed_at: datetime
    invitation_1_on: date
    invitation_2_not_before: date
    return_not_before: date


class Handover(Shown):
    """When papers are handed in after a closed counter, and when they count as filed."""

    planned_at: datetime | None
    legal_filed_at: datetime | None


class Compensation(Shown):
    """What the post owes for a lost or damaged item, and by when."""

    amount: int
    pay_by: date


class AppointmentSlip(Shown):
    """The receipt and appointment slip the shop gave."""

    slip_no: str | None
    due_on: date | None


class RequestShown(Assessed):
    """A request; status, item and links at the top are those of the active leg. `data` of its webhooks is the same."""

    headers: ClassVar[tuple[str, ...]] = ("ETag",)

    id: str
    shop_id: str
    external_ref: str
    status: Status
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
    created_at: datetime
    updated_at: datetime
    undeliverable: Undeliverable = absent()
    handover: Handover = absent()
    compensation: Compensation = absent()
    appointment: AppointmentSlip = absent()


class RequestMade(RequestShown):
    """A request as it was just made."""

    headers: ClassVar[tuple[str, ...]] = ("ETag", "Location")


class Requests(Listed[RequestShown]):
    """A page of requests in the order they were created."""


class Step(Shown):
    """One step of a leg's history; `implied` steps follow from later ones. `device_at` is the phone's own clock."""

    id: str
    leg: Leg
    type: str
    status: Status
    substatus: str | None
    implied: bool
    occurred_at: datetime
    recorded_at: datetime | None
    device_at: datetime | None
    courier_id: str | None
    actor: str
    reason: str | None


class Steps(Shown):
    """The whole history of a request, by the instant of each step."""

    data: list[Step]


class Stage(Shown):
    """One of the five steps a citizen sees."""

    vi: str
    en: str
    state: Literal["done", "now", "todo"]
    at: datetime | None


class ItemTracked(Shown):
    """What a citizen may see of an item."""

    item_id: str
    leg: Leg
    kind: Kind
    status: Status
    status_vi: str
    status_en: str
    stages: list[Stage]
    due_at: datetime | None
    expected_on: date
    citizen_masked: str
    shop_name: str
    payable: int
    currency: Currency
    provisional: bool


class Violation(Shown):
    """What giving a request to a courier by hand breaks; `request_id` is null where it is about the whole round."""

    code: str
    request_id: str | None
    text: Text


class RequestAssigned(RequestShown):
    """The request, and what assigning it by hand breaks."""

    violations: list[Violation]
