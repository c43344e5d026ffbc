"""What a shop asks for: the body of a quote or request (docs/api.md), its closed sets and its legs."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from dispatch.domain.hours import IsoDate
from dispatch.domain.text import (
    Block,
    CommuneCode,
    Email,
    Instant,
    Latitude,
    Line,
    Longitude,
    Name,
    Phone,
    PlainObject,
    Reference,
    Shape,
    ShortLine,
    Word,
)

Kind = Literal["pickup", "return", "two_way"]
Leg = Literal["pickup", "return"]
Era = Literal["2020", "2025"]
Field_ = Literal["SECURED_TRANSACTION", "LAND", "CIVIL_STATUS", "BUSINESS", "TRANSPORT", "OTHER"]
SubmittedVia = Literal["ONLINE", "COUNTER", "BCCI"]
ResultForm = Literal["PAPER", "ELECTRONIC", "HANDWRITTEN", "OBJECT"]
ExemptClass = Literal["PRE_1945_REVOLUTIONARY", "HEROIC_MOTHER"]

LEGS_OF: dict[str, tuple[Leg, ...]] = {"pickup": ("pickup",), "return": ("return",), "two_way": ("pickup", "return")}


class Dossier(Shape):
    """The administrative dossier as the one-stop software knows it."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    procedure_code: ShortLine | None = None
    procedure_name: Line | None = None
    field: Field_ | None = None
    online_level: Annotated[int, Field(ge=0, le=4)] | None = None
    submitted_via: SubmittedVia | None = None
    submitted_at: Instant | None = None
    bcci_registered_before: bool = False
    field_verification: bool = False
    presence_required: bool = False
    accepted_on: IsoDate | None = None
    processing_working_days: Annotated[int, Field(ge=0, le=1000)] | None = None
    result_form: ResultForm = "PAPER"
    physical_component: bool = False
    digitally_signed: bool = False
    issued_electronically: bool = False


class Address(Shape):
    """Where the citizen is: free text, a commune of one era, or both; a pin where the shop has one."""

    raw: Line | None = None
    commune_code: CommuneCode | None = None
    era: Era | None = None
    lat: Latitude | None = None
    lng: Longitude | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.commune_code is not None and self.era is None:
            raise PydanticCustomError("era_missing", "a commune code needs its era: 2020 or 2025", {"pointer": "/era"})
        if self.commune_code is None and not self.raw:
            raise PydanticCustomError("address_missing", "needs raw, or commune_code with era")
        if (self.lat is None) != (self.lng is None):
            raise PydanticCustomError("half_a_point", "lat and lng go together")
        return self


class Citizen(Shape):
    """The person whose papers travel."""

    name: Name
    phone: Phone
    email: Email | None = None
    exempt_class: ExemptClass | None = None
    address: Address


class Document(Shape):
    """One line of the list of papers (QĐ 45/2016 art 6: counted and checked at collection)."""

    name: Name
    copies: Annotated[int, Field(ge=1, le=1000)] = 1
    original: bool = False


class StateFee(Shape):
    """A state fee the post is asked to collect: pass-through money, never discounted."""

    amount: Annotated[int, Field(ge=1, le=10_000_000_000)]
    mandate_id: Annotated[ShortLine | None, AfterValidator(lambda written: written or None)] = None
    online_payment_unable: bool = False


class Officer(Shape):
    """The one-stop officer who confirmed the citizen's address."""

    id: Word
    address_confirmed: bool = False
    at: Instant | None = None


class Window(Shape):
    """A time window the citizen chose."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to <= self.from_:
            raise PydanticCustomError("window_reversed", "ends before it begins")
        return self


class Hotline(Shape):
    """Who called and who took the call (659/UBND-KGVX 27/3/2020 §1: requests by hotline)."""

    caller_phone: Phone
    agent_id: Word


class ReturnException(Shape):
    """Why a result is handed over at the counter although the province returns by post."""

    code: Word
    reason: Line | None = None


class Override(Shape):
    """An operator's reason to carry what a rule would refuse."""

    reason: Name


class QuoteBody(Shape):
    """The body of `POST /v1/quotes`: everything that decides price and promise."""

    external_ref: Reference | None = None
    kind: Kind
    shop_id: Word | None = None
    notice_at: Instant | None = None
    dossier: Dossier
    citizen: Citizen
    weight_g: Annotated[int, Field(ge=1, le=30_000)]
    documents: Annotated[list[Document], Field(max_length=100)] = []
    state_fee: StateFee | None = None
    party: Literal["CITIZEN", "AGENCY"] = "CITIZEN"
    recipient_id: Word | None = None
    purpose: Literal["NEW", "PAPER_SUPPLEMENT"] = "NEW"
    channel: Literal["API", "HOTLINE", "COUNTER", "IMPORT"] = "API"
    hotline: Hotline | None = None
    citizen_choice: Literal["PAPER", "ELECTRONIC"] | None = None
    return_exception: Word | ReturnException | None = None
    return_slip: bool = False
    registered_at: Instant | None = None
    officer: Officer | None = None
    window: Window | None = None
    note: Block = ""
    override: Override | None = None
    metadata: PlainObject = {}

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.channel == "HOTLINE" and (self.hotline is None or self.window is None):
            missing = "/window" if self.hotline is not None else "/hotline"
            raise PydanticCustomError(
                "hotline_incomplete", "channel HOTLINE needs hotline and window", {"pointer": missing}
            )
        if self.purpose == "PAPER_SUPPLEMENT" and self.kind != "pickup":
            raise PydanticCustomError("supplement_kind", "a paper supplement is a pickup", {"pointer": "/kind"})
        return self

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The legs this kind has, in the order they run."""
        return LEGS_OF[self.kind]


class RequestBody(QuoteBody):
    """The body of `POST /v1/requests`: a quote's body with the shop's own reference."""

    external_ref: Reference
