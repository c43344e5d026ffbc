"""What a rescue is reckoned on: the couriers who may help, with all they have to do, as a routing problem."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatch.domain.hours import local_date
from dispatch.domain.unplanned import LeftOut
from dispatch.flows.assigning import wide_open
from dispatch.flows.jobs import MARGIN_S
from dispatch.flows.problem import Case, build
from dispatch.flows.snapshot import OpenLeg, Snapshot, read
from dispatch.live.repairs import Situation
from routing.view import View

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import Courier, LegRow, Office, Request
    from routing.travel import TravelModel

NEIGHBOURS = 3
"""How many other offices are asked for help, the nearest first."""
MOST_COURIERS = 24
_ENDANGERED = ("RUNNING", "AT_RISK", "BREACHED")


@dataclass(frozen=True)
class Ground:
    """The rounds that may help, read as they stand; `now` is None where the leg cannot even be tried (`left_out`).

    `office_id`: the office whose couriers it belongs to; others give help.
    """

    request: Request
    leg: LegRow
    snapshot: Snapshot
    case: Case
    couriers: list[Courier]
    left_out: LeftOut | None
    now: Situation | None
    office_id: str | None

    @property
    def key(self) -> str:
        """The leg's name in the problem."""
        return f"{self.leg.request_id}/{self.leg.leg}"

    @property
    def due_s(self) -> int:
        """The second until which its promise is kept."""
        assert self.leg.due_at is not None
        return self.case.clock.seconds(self.leg.due_at)

    def courier(self, index: int) -> Courier:
        """The courier of that number in the problem."""
        return self.snapshot.couriers[self.case.problem.couriers[index].id]


def endangered(leg: LegRow) -> bool:
    """Whether there is a promise to rescue: its clock runs, or ran out, and the post has not collected yet."""
    return not leg.closed and not leg.asleep and leg.promise_state in _ENDANGERED and not leg.promise["stopped_at"]


def ground(
    session: Session,
    scene: Scene,
    index: Index,
    travel: TravelModel,
    request: Request,
    leg: LegRow,
    courier_ids: Collection[str] | None = None,
) -> Ground:
    """Read who may help with a leg today (or those named) with all they have to do, and put it in numbers."""
    mode, day = request.mode, local_date(scene.now)
    ours = set(courier_ids or _helpers(session, scene, request, leg))
    snapshot = read(session, scene, mode, day, request_ids=[request.id], riders=ours)
    couriers = [snapshot.couriers[courier_id] for courier_id in sorted(ours) if courier_id in snapshot.couriers]
    key = f"{leg.request_id}/{leg.leg}"
    mine = {one.key for one in snapshot.open_tasks if one.courier_id in ours and one.day == day} | {key}
    legs = [one for one in snapshot.legs if one.key in mine or (one.carried and one.courier_id in ours)]
    case = build(snapshot, scene, index, travel, couriers, legs, moved_stop=0, name=request.id)
    left_out = next((one for one in case.left_out if (one.request_id, one.leg) == (leg.request_id, leg.leg)), None)
    office_id = next((office.id for office in _by_distance(session, request, snapshot.offices)), None)
    now = None if left_out else _situation(case, key)
    return Ground(request, leg, snapshot, case, couriers, left_out, now, office_id)


def _helpers(session: Session, scene: Scene, request: Request, leg: LegRow) -> list[str]:
    """Who has it now, then the couriers on duty of its office, then those of the nearest offices."""
    mode, day = request.mode, local_date(scene.now)
    shifts = {shift.courier_id: shift for shift in session.network.shifts(mode, day)}
    offices = {office.id: office for office in session.network.offices(mode)}
    near = _by_distance(session, request, offices)[: NEIGHBOURS + 1]
    riding = [
        courier
        for courier in session.network.couriers(mode)
        if courier.id in shifts and shifts[courier.id].ends_at > scene.now
    ]
    found = [courier.id for courier in riding if courier.id == leg.courier_id]
    for office in near:
        found += [one.id for one in riding if one.home_office_id == office.id and one.id != leg.courier_id]
    return found[:MOST_COURIERS]


def _by_distance(session: Session, request: Request, offices: dict[str, Office]) -> list[Office]:
    """The request's own post office (where it has none, the nearest to its shop), then the others as they lie."""
    own = offices.get(request.office_id or "")
    shop = session.network.shop(request.mode, request.shop_id)
    around = own or shop
    if around is None:
        return sorted(offices.values(), key=lambda office: office.id)
    squeeze = math.cos(math.radians(around.lat))

    def far(office: Office) -> tuple[bool, float, str]:
        away = math.hypot(office.lat - around.lat, (office.lng - around.lng) * squeeze)
        return office is not own, away, office.id

    return sorted(offices.values(), key=far)


def _situation(case: Case, key: str) -> Situation:
    view = View(case.problem)
    orders = view.sequences_of(case.in_force)
    wanted = view.request_of[key]
    holder = next((courier for courier, order in enumerate(orders) if 2 * wanted in order), None)
    due = [_due_s(case, case.jobs[one.id].leg) for one in case.problem.requests]
    return Situation(view, View(wide_open(case.problem), view.legs), orders, wanted, due, holder, MARGIN_S)


def _due_s(case: Case, leg: OpenLeg) -> int | None:
    """The second until which a running promise is kept; what is broken already is as urgent as ever, but not kept."""
    runs = leg.waiting and leg.promise.get("state") in _ENDANGERED and leg.promise.get("stopped_at") is None
    return case.clock.seconds(leg.due_at) if runs and leg.due_at is not None else None
