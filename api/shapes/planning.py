"""Plans, rescues and what can be taken back."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from api.shapes.base import Shown, Text, absent
from api.shapes.promises import RoadPlace
from dispatch.domain.consignment import Leg
from dispatch.domain.sla import PromiseState

StopKind = Literal["pickup", "delivery"]


class SmallestChange(Shown):
    """The smallest change found that would serve a request: which one, and by how much or to what."""

    kind: str
    by_s: int = absent()
    by_m: int = absent()
    to: int | str = absent()
    courier: str = absent()
    skills: list[str] = absent()


class Unserved(Shown):
    """A leg no courier takes, why, and the smallest change that would serve it (null: none was found)."""

    request_id: str
    leg: Leg
    code: str
    reason: Text
    change: SmallestChange | None


class LateStop(Unserved):
    """A planned collection that breaks a running promise."""

    late_min: int


class StopTask(Shown):
    """One leg at a stop."""

    request_id: str
    leg: Leg
    kind: StopKind


class PlanStop(Shown):
    """One halt of a route; `leg_m` are the metres ridden to it."""

    stop_id: str
    kind: StopKind
    place: RoadPlace
    request_ids: list[str]
    tasks: list[StopTask]
    planned_at: datetime
    leg_m: int


class PlanRoute(Shown):
    """The route of one courier."""

    courier_id: str
    round_base_version: int
    stops: list[PlanStop]
    distance_m: int


class CostTerms(Shown):
    """The terms of a plan's cost, and their priced total; seconds and metres."""

    total: float
    unserved: int
    late_s: int
    couriers: int
    distance_m: int
    travel_s: int
    duration_s: int
    delivery_delay_s: int


class PlanCost(CostTerms):
    """A plan's cost, beside that of the plan in force."""

    against: CostTerms


class PlanDiff(Shown):
    """What a plan changes of the one in force."""

    moved_stops: int
    added_stops: int
    removed_stops: int
    saved_promises: int
    distance_delta_m: int


class PlanShown(Shown):
    """A plan: a draft until it is committed or discarded."""

    headers: ClassVar[tuple[str, ...]] = ("ETag",)

    id: str
    version: int
    status: Literal["draft", "committed", "discarded"]
    area: str
    date: dt.date
    base_version: int
    planned_for_at: datetime
    created_at: datetime
    routes: list[PlanRoute]
    served: int
    unserved: list[Unserved]
    late: list[LateStop]
    cost: PlanCost
    diff: PlanDiff
    engine: str


class WhyNot(Shown):
    """Why nothing keeps a promise, and the smallest change that would."""

    code: str
    reason: Text
    change: SmallestChange | None


class Present(Shown):
    """What happens if nobody does anything."""

    courier_id: str | None
    planned_at: datetime | None
    late_min: int
    keeps_promise: bool
    text: Text


class PriceForOthers(Shown):
    """How many others come later and by how many minutes at most, and how many miss their promise."""

    later_count: int
    most_later_min: int
    newly_late: int


class Moved(Shown):
    """One leg that changes place, from whom to whom, and where in his order of tasks."""

    request_id: str
    leg: Leg
    from_courier_id: str | None
    to_courier_id: str
    pickup_position: int
    delivery_position: int


class ToCall(Shown):
    """Whom to call; `phone` is null for a shop, whose number is with its officer."""

    name: str
    phone: str | None
    place: str | None


class Offer(Shown):
    """One way to keep a promise. `applies`: it can be taken by its id; otherwise it is a call somebody must make."""

    id: str
    kind: Literal["give", "earlier", "help", "swap", "ask_earlier", "pause"]
    text: Text
    party: Literal["CITIZEN", "SHOP"] = absent()
    courier_id: str | None
    office_id: str | None
    pickup_at: datetime | None
    sooner_min: int | None
    slack_min: int | None
    keeps_promise: bool | None
    others: PriceForOthers
    extra_m: int
    moves: list[Moved]
    applies: bool
    call: ToCall | None


class Rescue(Shown):
    """How a promise stands, ranked ways to keep it, and why none does where none does."""

    request_id: str
    leg: Leg
    promise_state: PromiseState
    due_at: datetime | None
    at: datetime
    present: Present | None
    offers: list[Offer]
    why_not: WhyNot | None


class Deed(Shown):
    """What was taken back."""

    kind: Literal["assign", "unassign", "rescue", "commit", "discard"]
    subject: str
    at: datetime


class StaysAsIs(Shown):
    """A leg that stays as it is, and why."""

    request_id: str
    leg: Leg
    code: str
    reason: Text


class Undone(Shown):
    """What taking back did."""

    undone: Deed
    restored: list[str]
    kept: list[StaysAsIs]


class SimulationRun(Shown):
    """The whole run of a simulation, as dispatch-result/1 (the format of `python -m dispatch simulate`)."""

    model_config = ConfigDict(extra="allow")

    format: Literal["dispatch-result/1"]
    name: str
    strategy: str
    seed: int
    requests: list[dict[str, Any]]
    couriers: list[dict[str, Any]]
    replans: list[dict[str, Any]]
    metrics: dict[str, Any]
