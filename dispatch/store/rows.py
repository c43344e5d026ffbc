"""What rows look like to the flows: frozen records, read only."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Shop:
    """A one-stop shop."""

    mode: str
    id: str
    name: str
    province_code: str
    commune_code: str
    era: str
    lat: float
    lng: float
    level: str
    hours_profile: str
    rooms: list[dict[str, Any]]
    refuses_paper_from: date | None


@dataclass(frozen=True, slots=True)
class Office:
    """A post office."""

    mode: str
    id: str
    name: str
    province_code: str
    commune_code: str
    era: str
    lat: float
    lng: float
    hours_profile: str
    live: str


@dataclass(frozen=True, slots=True)
class Courier:
    """A courier on a motorbike."""

    mode: str
    id: str
    name: str
    phone: str
    pin_hash: str
    home_office_id: str
    skills: list[str]
    capacity_items: int
    vehicle: str
    base_lat: float
    base_lng: float
    communes: list[Any]
    max_distance_m: int | None
    rest_minutes: int | None
    wrong_pins: int
    locked_until: datetime | None
    last_lat: float | None
    last_lng: float | None
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shift:
    """When and from where a courier rides on one date."""

    mode: str
    courier_id: str
    date: date
    starts_at: datetime
    ends_at: datetime
    start_lat: float
    start_lng: float
    breaks: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Key:
    """An API key or a courier's token; the secret itself is never kept."""

    id: str
    mode: str
    scope: str
    shop_id: str | None
    courier_id: str | None
    hint: str
    latest_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class User:
    """Someone who signs in to the board."""

    id: str
    name: str
    password_hash: str
    role: str
    wrong_passwords: int
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a shop; `status` is that of its active leg."""

    id: str
    mode: str
    shop_id: str
    external_ref: str
    kind: str
    active_leg: str
    status: str
    body: dict[str, Any]
    address: dict[str, Any]
    zone: str
    office_id: str | None
    quote: dict[str, Any]
    return_mode: str
    authority_due_on: date | None
    warnings: list[str]
    tracking_token: str
    shop_province: str | None
    citizen_province: str | None
    between_major_cities: bool
    version: int
    last_at: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LegRow:
    """One leg of a request, as its events leave it."""

    request_id: str
    leg: str
    mode: str
    shop_id: str
    item_id: str
    status: str
    substatus: str | None
    asleep: bool
    closed: bool
    promise: dict[str, Any]
    promise_state: str
    due_at: datetime | None
    next_check_at: datetime | None
    state: dict[str, Any]
    courier_id: str | None
    planned_at: datetime | None
    accepting_province: str | None
    charged_at: datetime | None
    predicted: dict[str, Any] | None
    in_danger: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    """One thing that happened to a leg; never changed, never deleted."""

    seq: int
    id: str
    mode: str
    request_id: str
    leg: str
    type: str
    occurred_at: datetime
    recorded_at: datetime
    device_at: datetime | None
    device_seq: int | None
    courier_id: str | None
    actor: str
    payload: dict[str, Any]
    lat: float | None
    lng: float | None


@dataclass(frozen=True, slots=True)
class Round:
    """One courier's ride on one date."""

    id: str
    mode: str
    courier_id: str
    date: date
    version: int
    distance_m: int


@dataclass(frozen=True, slots=True)
class Task:
    """One dossier to take or to hand over at one stop of a round."""

    id: int
    round_id: str
    request_id: str
    leg: str
    kind: str
    stop_id: str
    position: int
    place: dict[str, Any]
    planned_at: datetime
    leg_m: int
    locked: bool
    state: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A draft plan, or one that was committed or discarded."""

    id: str
    mode: str
    area: str
    date: date
    status: str
    version: int
    base_version: int
    live: bool
    body: dict[str, Any]
    planned_for_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Operation:
    """A long piece of work and how far it is."""

    id: str
    mode: str
    kind: str
    owner: str
    status: str
    progress: float
    params: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    lease_until: datetime | None
    stop_asked_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a shop wants to be told, and what about; its secrets are never printed."""

    id: str
    mode: str
    shop_id: str
    url: str
    types: list[str]
    secret: str = field(repr=False)
    active: bool
    disabled_reason: str | None
    created_at: datetime
    previous_secret: str | None = field(repr=False)
    previous_secret_until: datetime | None
    failing_since: datetime | None
    disabled_at: datetime | None

    def secrets_at(self, at: datetime) -> list[str]:
        """The secrets that sign a message of this instant, the newest first."""
        until = self.previous_secret_until
        old = self.previous_secret if until is not None and at < until else None
        return [self.secret] if old is None else [self.secret, old]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One feed entry on its way to one webhook."""

    id: str
    webhook_id: str
    feed_id: str
    state: str
    attempt: int
    next_at: datetime | None
    lease_until: datetime | None
    log: list[dict[str, Any]]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One outward event of a shop, numbered without gaps."""

    id: str
    mode: str
    shop_id: str
    seq: int
    type: str
    request_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]


def record(kind: type[Record], row: Any) -> Record:
    """The record of class `kind` held by a row that has at least its columns."""
    mapping = row._mapping
    return kind(**{name: mapping[name] for name in _names(kind)})  # type: ignore[arg-type]


def columns(of: Any) -> dict[str, Any]:
    """A record as a row: the values of its fields by name, not copied."""
    return {name: getattr(of, name) for name in _names(of.__class__)}


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))
