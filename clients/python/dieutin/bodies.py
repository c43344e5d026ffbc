"""What a shop asks for, as TypedDicts: the bodies of quotes and requests.

Instants are RFC 3339 texts with offset, dates `YYYY-MM-DD`, amounts whole đồng.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Kind = Literal["pickup", "return", "two_way"]
Leg = Literal["pickup", "return"]
Era = Literal["2020", "2025"]


class Dossier(TypedDict):
    """The administrative dossier."""

    code: str
    procedure_code: NotRequired[str | None]
    procedure_name: NotRequired[str | None]
    field: NotRequired[str | None]
    online_level: NotRequired[int | None]
    submitted_via: NotRequired[str | None]
    submitted_at: NotRequired[str | None]
    bcci_registered_before: NotRequired[bool]
    field_verification: NotRequired[bool]
    presence_required: NotRequired[bool]
    accepted_on: NotRequired[str | None]
    processing_working_days: NotRequired[int | None]
    result_form: NotRequired[str]
    physical_component: NotRequired[bool]
    digitally_signed: NotRequired[bool]
    issued_electronically: NotRequired[bool]


class Address(TypedDict):
    """`raw`, or `commune_code` with `era`, or both."""

    raw: NotRequired[str | None]
    commune_code: NotRequired[str | None]
    era: NotRequired[Era | None]
    lat: NotRequired[float | None]
    lng: NotRequired[float | None]


class Citizen(TypedDict):
    """The person whose papers travel."""

    name: str
    phone: str
    email: NotRequired[str | None]
    exempt_class: NotRequired[str | None]
    address: Address


class Document(TypedDict):
    """One paper."""

    name: str
    copies: NotRequired[int]
    original: NotRequired[bool]


class StateFee(TypedDict):
    """A state fee to collect."""

    amount: int
    mandate_id: NotRequired[str | None]
    online_payment_unable: NotRequired[bool]


class Officer(TypedDict):
    """The officer who confirmed the address."""

    id: str
    address_confirmed: NotRequired[bool]
    at: NotRequired[str | None]


Window = TypedDict("Window", {"from": str, "to": str})
"""A time window the citizen chose."""


class QuoteBody(TypedDict):
    """The body of a quote: all that decides price and promise."""

    external_ref: NotRequired[str | None]
    kind: Kind
    shop_id: NotRequired[str | None]
    notice_at: NotRequired[str | None]
    dossier: Dossier
    citizen: Citizen
    weight_g: int
    documents: NotRequired[list[Document]]
    state_fee: NotRequired[StateFee | None]
    party: NotRequired[Literal["CITIZEN", "AGENCY"]]
    recipient_id: NotRequired[str | None]
    purpose: NotRequired[Literal["NEW", "PAPER_SUPPLEMENT"]]
    channel: NotRequired[Literal["API", "HOTLINE", "COUNTER", "IMPORT"]]
    hotline: NotRequired[dict[str, str] | None]
    citizen_choice: NotRequired[Literal["PAPER", "ELECTRONIC"] | None]
    return_exception: NotRequired[str | dict[str, Any] | None]
    return_slip: NotRequired[bool]
    registered_at: NotRequired[str | None]
    officer: NotRequired[Officer | None]
    window: NotRequired[Window | None]
    note: NotRequired[str]
    override: NotRequired[dict[str, str] | None]
    metadata: NotRequired[dict[str, Any]]


class RequestBody(QuoteBody):
    """The body of a request: a quote's, and `external_ref` must be there."""
