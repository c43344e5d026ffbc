"""The coordinator's board."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import ClassVar, Literal

from api.shapes.base import Mode, Shown, Text, absent
from api.shapes.planning import StopKind
from api.shapes.promises import RoadPlace
from api.shapes.requests import Status
from dispatch.domain.consignment import Kind, Leg
from dispatch.domain.sla import PromiseState


class BoardCounts(Shown):
    """How many requests are in which state."""

    open: int
    unassigned: int
    at_risk: int
    breached: int
    collected: int
    delivered: int
    failed: int


class DueBand(Shown):
    """Promises due in one quarter of an hour."""

    from_at: datetime
    to_at: datetime
    count: int
    unassigned: int
    at_risk: int


class BoardPredicted(Shown):
    """What the board shows of a forecast."""

    p50: datetime | None
    breach_probability: float | None
    model: str | None


class BoardRequest(Shown):
    """One leg on the board; `slack_minutes` is what is left of its promise, null where no clock runs."""

    id: str
    item_id: str
    external_ref: str
    kind: Kind
    leg: Leg
    status: Status
    substatus: str | None
    shop_id: str
    shop_name: str
    citizen_name: str
    place: RoadPlace
    due_at: datetime
    due_at_strict: datetime
    slack_minutes: int | None
    promise_state: PromiseState
    binding: bool
    planned_at: datetime | None
    predicted: BoardPredicted
    courier_id: str | None
    stop_id: str | None
    attempts: int
    warnings: list[str]
    late_reason: Text | None
    payable: int
    label_url: str | None
    tracking_url: str
    version: int
    updated_at: datetime


class ShiftSpan(Shown):
    """When a shift begins and ends."""

    starts_at: datetime
    ends_at: datetime


class Position(Shown):
    """Where a courier was last seen; `approximate` once that is more than ten minutes ago."""

    lat: float | None
    lng: float | None
    at: datetime
    age_s: int
    approximate: bool


class BoardCourier(Shown):
    """A courier with position and load."""

    id: str
    name: str
    home_office_id: str
    skills: list[str]
    capacity_items: int
    shift: ShiftSpan | None
    on_shift: bool
    position: Position | None
    load: int
    stops_left: int
    next_stop_at: datetime | None
    worst_slack_minutes: int | None
    color_index: int


class BoardStop(Shown):
    """A stop of a round in force."""

    stop_id: str
    kind: StopKind
    place: RoadPlace
    request_ids: list[str]
    planned_at: datetime
    due_at: datetime | None
    state: Literal["open", "done", "failed"]
    leg_m: int


class BoardRoute(Shown):
    """A round in force."""

    round_id: str
    courier_id: str
    version: int
    distance_m: int
    stops: list[BoardStop]


class BoardAlert(Shown):
    """An alarm, and whom it is about."""

    code: str
    severity: Literal["high", "medium", "low"]
    request_id: str | None
    courier_id: str | None
    shop_id: str | None
    at: datetime
    text: Text


class BoardRoster(Shown):
    """Who rides on this date."""

    on_shift: int
    hcc: int
    shops_without_courier: int


class BoardDraft(Shown):
    """A draft plan of this date."""

    id: str
    status: str
    version: int
    created_at: datetime
    served: int
    unserved: int
    moved: int


class BoardSite(Shown):
    """A shop or an office on the map; `province_code` for offices."""

    id: str
    name: str
    province_code: str = absent()
    lat: float
    lng: float


class PartState(Shown):
    """The state of one part of the system; `age_s` of its last sign of life."""

    state: Literal["ok", "late", "down"]
    age_s: int | None
    waiting: int = absent()


class BoardHealth(Shown):
    """The parts of the system."""

    worker: PartState
    clock: PartState
    relay: PartState
    queue: PartState


class Board(Shown):
    """Everything the board shows of one date."""

    headers: ClassVar[tuple[str, ...]] = ("ETag",)

    now: datetime
    mode: Mode
    date: dt.date
    counts: BoardCounts
    due_bands: list[DueBand]
    requests: list[BoardRequest]
    couriers: list[BoardCourier]
    routes: list[BoardRoute]
    alerts: list[BoardAlert]
    roster: BoardRoster
    plans: list[BoardDraft]
    shops: list[BoardSite]
    offices: list[BoardSite]
    health: BoardHealth
    version: str
