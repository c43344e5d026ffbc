"""What a courier's phone gets."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Any, Literal

from api.shapes.base import Mode, Shown, absent
from api.shapes.planning import StopKind
from api.shapes.promises import RoadPlace
from api.shapes.requests import Status
from dispatch.domain.consignment import Document, Leg


class CourierSession(Shown):
    """A courier's token: a Bearer key until `expires_at`."""

    token: str
    courier_id: str
    name: str
    mode: Mode
    expires_at: datetime


class MoneyDue(Shown):
    """What to ask for, in đồng."""

    postage: int
    state_fee: int


class PaperOfRequest(Document):
    """A paper, and the request it belongs to."""

    request_id: str


class Contact(Shown):
    """Whom to call."""

    name: str
    phone: str


class DayRequest(Shown):
    """One request at a stop. `due_at` is an instant for a collection, a date (or null) for a delivery."""

    id: str
    item_id: str
    leg: Leg
    external_ref: str
    dossier_code: str
    contact: Contact
    due_at: datetime | dt.date | None
    money: MoneyDue
    documents: list[PaperOfRequest]
    note: str
    status: Status


class DayStop(Shown):
    """A stop of the day, with all that is needed there without network."""

    stop_id: str
    kind: StopKind
    place: RoadPlace
    request_ids: list[str]
    due_at: datetime | None
    planned_at: datetime
    state: Literal["open", "done", "failed"]
    money: MoneyDue
    documents: list[PaperOfRequest]
    requests: list[DayRequest]
    safety_checklist: list[str]


class FailureReason(Shown):
    """A reason a courier may give, for which events, and whether it needs a photo."""

    code: str
    vi: str
    en: str
    needs_photo: bool
    for_: list[str] = absent("for")


class DayPack(Shown):
    """The whole day, for use without network."""

    date: dt.date
    now: datetime
    courier_id: str
    courier_name: str
    round_id: str | None
    version: int
    stops: list[DayStop]
    reasons: list[FailureReason]
    keys: list[dict[str, Any]]


class SyncResult(Shown):
    """What became of one event; `code` where it was rejected, `server_state` says what holds instead."""

    event_id: str
    result: Literal["applied", "duplicate", "conflict", "rejected"]
    code: str = absent()
    server_state: dict[str, Any] = absent()


class Synced(Shown):
    """What became of each event, in the order they came."""

    results: list[SyncResult]
    server_time: datetime


class MediaKept(Shown):
    """A proof that is kept."""

    sha256: str
    size: int
