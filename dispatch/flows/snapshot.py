"""What planning sees of one world and date: read in one short transaction, then left alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain.hours import Calendar, local_date
from dispatch.domain.moves import GOING_BACK
from dispatch.domain.tracking import BEFORE_COLLECTION, LegState, fold
from dispatch.flows.calendars import calendar_of
from dispatch.flows.learnt import learnt
from dispatch.flows.recording import Scene, as_event
from dispatch.live.learning import NOTHING, Learnt

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.rows import Courier, Office, Round, Shift, Shop, Task
    from dispatch.store.sites import CommuneSetting

CARRIED = frozenset({"COLLECTED", "IN_TRANSIT", "OUT_FOR_DELIVERY"})
"""Statuses in which a leg's papers are in a courier's bag, on their way."""
_WITH_HISTORY = frozenset({"PICKUP_FAILED", "AT_OFFICE"}) | GOING_BACK
"""Statuses that do not say enough by themselves: when it failed, where it lies."""


@dataclass(frozen=True)
class OpenLeg:
    """One leg that still has something to do; `history` only where the status alone does not say enough."""

    request_id: str
    leg: str
    status: str
    substatus: str | None
    shop_id: str
    office_id: str | None
    courier_id: str | None
    promise: dict[str, Any]
    due_at: datetime | None
    body: dict[str, Any]
    address: dict[str, Any]
    history: LegState | None
    at_office: bool = False

    @property
    def key(self) -> str:
        """The name of this leg in a routing problem."""
        return f"{self.request_id}/{self.leg}"

    @property
    def carried(self) -> bool:
        """Whether its papers are in a courier's bag, on their way."""
        return self.status in CARRIED | GOING_BACK and not self.at_office

    @property
    def lies_at_office(self) -> bool:
        """Whether its papers are to be loaded at a post office."""
        return self.status == "AT_OFFICE" or (self.at_office and self.status in CARRIED | GOING_BACK)

    @property
    def to_shop(self) -> bool:
        """Whether it ends at the shop: a dossier on its way in, a result on its way back."""
        return (self.leg == "pickup") != (self.status in GOING_BACK)

    @property
    def waiting(self) -> bool:
        """Whether the post has not collected it yet."""
        return self.status in BEFORE_COLLECTION


@dataclass(frozen=True, slots=True)
class HeldTask:
    """An open task with the courier and the date of its round."""

    task: Task
    courier_id: str
    day: date

    @property
    def key(self) -> str:
        """The name of its leg in a routing problem."""
        return f"{self.task.request_id}/{self.task.leg}"


@dataclass(frozen=True, slots=True)
class Area:
    """What is planned together: a province (2020 code) or one post office."""

    kind: str
    code: str

    @classmethod
    def parse(cls, text: str) -> Area:
        """The area written as `province:56` or `office:ID`."""
        kind, _, code = text.partition(":")
        return cls(kind, code)

    def has_shop(self, shop: Shop | None, office_id: str | None) -> bool:
        """Whether a request of this shop, answered for by that office, belongs to the area."""
        if self.kind == "office":
            return office_id == self.code
        return shop is not None and shop.province_code == self.code

    def has_office(self, office: Office | None) -> bool:
        """Whether the couriers of this office belong to the area."""
        return office is not None and self.code == (office.id if self.kind == "office" else office.province_code)


@dataclass(frozen=True)
class Snapshot:
    """Everything a plan of `day` is made from, as it stood at `now`; dictionaries are by id.

    `last_shifts` are those of the day before.
    """

    mode: str
    day: date
    now: datetime
    legs: list[OpenLeg]
    shops: dict[str, Shop]
    offices: dict[str, Office]
    couriers: dict[str, Courier]
    shifts: dict[str, Shift]
    calendars: dict[str, Calendar]
    rounds: dict[str, Round]
    open_tasks: list[HeldTask]
    ended_tasks: dict[str, list[Task]]
    commune_settings: Sequence[CommuneSetting]
    last_shifts: dict[str, Shift] = field(default_factory=dict)
    learnt: Learnt = NOTHING

    def on_duty(self, courier_id: str) -> bool:
        """Whether the courier still rides on the day."""
        shift = self.shifts.get(courier_id)
        return shift is not None and shift.starts_at < shift.ends_at and shift.ends_at > self.now

    def tasks_of(self, courier_id: str) -> list[Task]:
        """The open tasks of a courier's round of the day, in riding order."""
        return [held.task for held in self.open_tasks if held.courier_id == courier_id and held.day == self.day]

    def holders(self) -> dict[str, HeldTask]:
        """For each leg with open tasks, one of them."""
        return {held.key: held for held in self.open_tasks}


def read(
    session: Session,
    scene: Scene,
    mode: str,
    day: date,
    *,
    request_ids: Collection[str] | None = None,
    courier_ids: Collection[str] = (),
    riders: Collection[str] | None = None,
    on: Snapshot | None = None,
) -> Snapshot:
    """Read a world's open legs (or only those of `request_ids` and in the hands of `courier_ids`) and who may ride.

    With `riders`, only these couriers' rounds are read, with the legs in them and in their hands, and `request_ids`.
    `on` is the ground of the day where the caller has it already.
    """
    held = [HeldTask(*one) for one in session.planning.open_tasks(mode, courier_ids=riders)]
    if riders is not None:
        request_ids, courier_ids = {one.task.request_id for one in held} | set(request_ids or ()), riders
    on_day = {found.courier_id: found for found in session.planning.rounds(mode, day)}
    rounds = on_day if riders is None else {name: found for name, found in on_day.items() if name in riders}
    ended: dict[str, list[Task]] = {}
    by_round = {found.id: found.courier_id for found in rounds.values()}
    for task in session.planning.tasks(list(by_round)):
        if task.state != "open":
            ended.setdefault(by_round[task.round_id], []).append(task)
    return replace(
        on or ground(session, scene, mode, day),
        legs=read_legs(session, mode, request_ids, courier_ids),
        rounds=rounds,
        open_tasks=held,
        ended_tasks=ended,
        learnt=learnt(session, mode),
    )


def ground(session: Session, scene: Scene, mode: str, day: date, couriers: Sequence[Courier] | None = None) -> Snapshot:
    """Who may ride on a date and where counters are, without anything to be done and without what was learnt.

    `couriers` are those of the world where the caller has read them already.
    """
    shops = {shop.id: shop for shop in session.network.shops(mode)}
    offices = {office.id: office for office in session.network.offices(mode)}
    return Snapshot(
        mode=mode,
        day=day,
        now=scene.now,
        legs=[],
        shops=shops,
        offices=offices,
        couriers={one.id: one for one in (session.network.couriers(mode) if couriers is None else couriers)},
        shifts={shift.courier_id: shift for shift in session.network.shifts(mode, day)},
        last_shifts={shift.courier_id: shift for shift in session.network.shifts(mode, day - timedelta(days=1))},
        calendars=_calendars(session, scene, mode, shops, offices),
        rounds={},
        open_tasks=[],
        ended_tasks={},
        commune_settings=session.sites.commune_settings(mode),
    )


def read_legs(
    session: Session, mode: str, request_ids: Collection[str] | None = None, courier_ids: Collection[str] = ()
) -> list[OpenLeg]:
    """The open legs of a world (or only those of `request_ids` and in the hands of `courier_ids`)."""
    rows = session.planning.open_legs(mode, request_ids=request_ids, courier_ids=courier_ids)
    told = sorted({row.request_id for row in rows if row.status in _WITH_HISTORY})
    events: dict[tuple[str, str], list[Any]] = {}
    for event in session.planning.events_of(told):
        events.setdefault((event.request_id, event.leg), []).append(as_event(event))
    return [open_leg(row, events) for row in rows]


def open_leg(row: Any, events: dict[tuple[str, str], list[Any]]) -> OpenLeg:
    """A leg as planning sees it; `events` by (request id, leg)."""
    known = events.get((row.request_id, row.leg)) if row.status in _WITH_HISTORY else None
    return OpenLeg(
        request_id=row.request_id,
        leg=row.leg,
        status=row.status,
        substatus=row.substatus,
        shop_id=row.shop_id,
        office_id=row.r_office_id,
        courier_id=row.courier_id,
        promise=row.promise,
        due_at=row.due_at,
        body=row.r_body,
        address=row.r_address,
        history=None if known is None else fold(row.leg, known),
        at_office=row.state.get("at_office", False),
    )


def _calendars(
    session: Session, scene: Scene, mode: str, shops: dict[str, Shop], offices: dict[str, Office]
) -> dict[str, Calendar]:
    """The calendar of every hours profile in use: the operator's own of that id, else a built-in one."""
    profiles = {shop.hours_profile for shop in shops.values()} | {office.hours_profile for office in offices.values()}
    return {profile: calendar_of(session, scene, mode, profile) for profile in sorted(profiles)}


def members(snapshot: Snapshot, area: Area) -> tuple[list[Courier], list[OpenLeg]]:
    """The couriers of an area and the open legs its plan has to answer for.

    What a courier of the area carries is his to plan, wherever it came from; what another area's courier holds, or a
    round of another date, is left to that one. Failed deliveries wait for the citizen who was invited.
    """
    ours = [c for c in snapshot.couriers.values() if area.has_office(snapshot.offices.get(c.home_office_id))]
    our_ids = {courier.id for courier in ours}
    holders = snapshot.holders()
    legs = [leg for leg in snapshot.legs if _belongs(snapshot, area, leg, holders.get(leg.key), our_ids)]
    return ours, legs


def _belongs(snapshot: Snapshot, area: Area, leg: OpenLeg, held: HeldTask | None, ours: set[str]) -> bool:
    local = area.has_shop(snapshot.shops.get(leg.shop_id), leg.office_id)
    if leg.status == "ATTEMPT_FAILED":
        return False
    if held is not None and held.day != snapshot.day and held.day >= local_date(snapshot.now):
        return False
    if leg.carried:
        return leg.courier_id in ours or (leg.courier_id is None and local)
    if held is not None and held.day == snapshot.day:
        return held.courier_id in ours or (local and not snapshot.on_duty(held.courier_id))
    return local
