"""Build the routing problem of some couriers and open legs, and keep what turns its answer back into stops."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dispatch.domain.unplanned import LeftOut
from dispatch.flows import riders
from dispatch.flows.coverage import HCC
from dispatch.flows.jobs import Job, make_job
from dispatch.flows.sites import Clock, Site, Sites, service_s, unique_points
from dispatch.live.riding import learnt_travel
from routing import (
    Cost,
    Courier,
    End,
    LegByLeg,
    Locked,
    MatrixTravel,
    Place,
    Plan,
    Problem,
    Request,
    Route,
    Stop,
    Weights,
)
from routing.model import Kind
from routing.travel import PiecemealTravel, Point, TravelModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.flows.snapshot import OpenLeg, Snapshot
    from dispatch.store.rows import Courier as CourierRow
    from dispatch.store.rows import Task

UNSERVED = 10_000_000
"""Price of leaving a leg out: above what serving it at the very end of the day would cost in lateness."""
LATE_PER_S = 50
"""Price of a second past the promise, in seconds of riding: no detour inside a province is worth a broken promise."""
DELIVERY_DELAY_PER_S = 0.05
"""Price of a second between notice and delivery. Who is on shift costs nothing more by riding, so work is spread over
all couriers: citizens wait less, and rounds keep time in hand for rides that turn out slower than reckoned."""
WEIGHTS = Weights(unserved=UNSERVED, late_per_s=LATE_PER_S, travel_per_s=1, delivery_delay_per_s=DELIVERY_DELAY_PER_S)
MANY_PLACES = 3000
"""From so many places on metres are reckoned leg by leg."""
MOVED_STOP = 120
"""Price of a stop that changes its courier or its predecessor while couriers ride: two minutes of riding."""


@dataclass(frozen=True)
class Case:
    """A routing problem, the plan in force in its terms, and what belongs to its names.

    `riding_to`: the tasks of the stop each courier is riding to, which stay first; `ridden_m`: the metres of that
    ride, which the problem itself counts as behind him.
    """

    problem: Problem
    in_force: Plan
    clock: Clock
    jobs: dict[str, Job]
    sites: dict[str, Site]
    left_out: list[LeftOut]
    riding_to: dict[str, list[Task]]
    ridden_m: dict[str, int]
    table: RideTable


@dataclass(frozen=True)
class _Start:
    """Where and from when the planner may use a courier, and the tasks of the stop he is riding to."""

    place: str
    available_s: int
    riding_to: list[Task]
    ridden_m: int


@dataclass(frozen=True)
class RideTable:
    """Seconds and metres between the places of a problem. Names at one point share one place, called as the first."""

    names: dict[str, int]
    places: list[str]
    seconds: NDArray[np.int32] | LegByLeg
    metres: NDArray[np.int32] | LegByLeg

    def place(self, name: str) -> str:
        """The place of a name."""
        return self.places[self.names[name]]

    def leg(self, origin: str, destination: str) -> tuple[int, int]:
        """Seconds and metres of one ride."""
        row, column = self.names[origin], self.names[destination]
        return _ride(self.seconds, row, column), _ride(self.metres, row, column)


def _ride(rides: NDArray[np.int32] | LegByLeg, row: int, column: int) -> int:
    return rides.value(row, column) if isinstance(rides, LegByLeg) else int(rides[row, column])


def build(
    snapshot: Snapshot,
    scene: Scene,
    index: Index,
    travel: TravelModel,
    couriers: Sequence[CourierRow],
    legs: Iterable[OpenLeg],
    *,
    pinned: Mapping[str, str] | None = None,
    by_hand: Collection[str] = (),
    moved_stop: int = MOVED_STOP,
    frozen_stops: int = 0,
    searched: bool = True,
    name: str = "plan",
) -> Case:
    """The problem of serving `legs` with those of `couriers` who still ride on the day.

    `pinned` names legs (`request/leg`) that may only go with one courier; tasks locked by hand are pinned too.
    `by_hand` names legs that a coordinator wants done whatever the hours. Without `searched` an order is only to be
    timed: few of many rides are asked for. Of each courier who has set out, so many `frozen_stops` behind the one he
    rides to stay as they are.
    """
    clock, sites = Clock(snapshot.day, snapshot.now), Sites(snapshot, index)
    # Of two couriers who suit a stop equally well, the first named takes it: the public-service force comes first.
    preferred = sorted(couriers, key=lambda courier: HCC not in courier.skills)
    on_duty = {courier.id: courier for courier in preferred if snapshot.on_duty(courier.id)}
    jobs: dict[str, Job] = {}
    left_out: list[LeftOut] = []
    for leg in legs:
        made = make_job(snapshot, scene, sites, clock, leg, on_duty, by_hand=leg.key in by_hand)
        if isinstance(made, LeftOut):
            left_out.append(made)
        else:
            jobs[leg.key] = made
    bound = {**_locked_by_hand(snapshot, on_duty), **(pinned or {})}
    limited = any(courier.max_distance_m is not None for courier in on_duty.values())
    rides = learnt_travel(travel, snapshot.learnt)
    table = _ride_table(rides, _points(snapshot, sites, on_duty), searched=searched, metres_count=limited)
    starts = {courier.id: _start(snapshot, clock, courier, jobs, table) for courier in on_duty.values()}
    wanted = {key: job.leg for key, job in jobs.items()}
    problem = Problem(
        name=name,
        places=tuple(Place(name) for name in table.places),
        travel=MatrixTravel(table.seconds, table.metres),
        couriers=tuple(_courier(snapshot, clock, c, starts[c.id], wanted, frozen_stops) for c in on_duty.values()),
        requests=tuple(_request(job, clock, bound.get(key), on_duty, table) for key, job in jobs.items()),
        weights=replace(WEIGHTS, moved_stop=moved_stop),
        now=clock.now_s,
    )
    return Case(
        problem=problem,
        in_force=_in_force(snapshot, name, couriers, jobs, table),
        clock=clock,
        jobs=jobs,
        sites=dict(sites.made),
        left_out=left_out,
        riding_to={courier_id: start.riding_to for courier_id, start in starts.items() if start.riding_to},
        ridden_m={courier_id: start.ridden_m for courier_id, start in starts.items()},
        table=table,
    )


def _points(snapshot: Snapshot, sites: Sites, on_duty: Mapping[str, CourierRow]) -> dict[str, Point]:
    """Every place of the problem: the sites of its stops, and where each courier stands."""
    points = {site.key: site.point for site in sites.made.values()}
    for courier in on_duty.values():
        where = riders.standing(snapshot, courier)
        points[f"at:{courier.id}"] = Point(where.lat, where.lng, sites.terrain_near(courier.home_office_id))
    return points


def _ride_table(travel: TravelModel, points: Mapping[str, Point], *, searched: bool, metres_count: bool) -> RideTable:
    """Rides between all places.

    Between very many, metres are reckoned when asked for unless they are limited: nothing is paid for them, and a
    province's matrix of them takes as much memory as everything else together.
    """
    different, numbers = unique_points(list(points.values()))
    names = dict(zip(points, numbers, strict=True))
    places: list[str] = []
    for name, number in names.items():
        if number == len(places):
            places.append(name)
    sparse = len(different) > MANY_PLACES and not (searched and metres_count)
    if sparse and isinstance(travel, PiecemealTravel):
        seconds, metres = travel.leg_by_leg(different)
        return RideTable(names, places, travel.seconds(different) if searched else seconds, metres)
    return RideTable(names, places, *travel.matrix(different))


def _locked_by_hand(snapshot: Snapshot, on_duty: Mapping[str, CourierRow]) -> dict[str, str]:
    """Legs the coordinator has tied to a courier, as long as he rides."""
    return {
        held.key: held.courier_id
        for held in snapshot.open_tasks
        if held.task.locked and held.day == snapshot.day and held.courier_id in on_duty
    }


def _request(
    job: Job, clock: Clock, courier_id: str | None, on_duty: Mapping[str, CourierRow], table: RideTable
) -> Request:
    if job.leg.carried:
        courier_id = job.leg.courier_id
    first = job.pickup or job.delivery
    only = courier_id if courier_id in on_duty else None
    return Request(
        id=job.leg.key,
        pickup=End(table.place(first.key), job.pickup_windows, service_s(first) if job.pickup else 0, job.due_s),
        delivery=End(table.place(job.delivery.key), job.delivery_windows, service_s(job.delivery)),
        only_courier=only,
    )


def _start(snapshot: Snapshot, clock: Clock, courier: CourierRow, jobs: Mapping[str, Job], table: RideTable) -> _Start:
    where = riders.standing(snapshot, courier)
    here = f"at:{courier.id}"
    available = max(clock.now_s, clock.seconds(riders.rested_at(snapshot, courier)))
    tasks = riders.next_stop(snapshot, courier, {key: job.leg for key, job in jobs.items()})
    if tasks:
        target = jobs[f"{tasks[0].request_id}/{tasks[0].leg}"].site(tasks[0].kind).key
        ride_s, ride_m = table.leg(here, target)
        if riders.is_riding(where, tasks, ride_s, snapshot.now):
            arrives = clock.seconds(where.at or snapshot.now) + ride_s
            return _Start(table.place(target), max(available, arrives), tasks, ride_m)
    return _Start(table.place(here), available, [], 0)


def _courier(
    snapshot: Snapshot,
    clock: Clock,
    courier: CourierRow,
    start: _Start,
    legs: Mapping[str, OpenLeg],
    frozen_stops: int,
) -> Courier:
    shift = snapshot.shifts[courier.id]
    stays = start.riding_to + riders.frozen(snapshot, courier, legs, start.riding_to, frozen_stops)
    return Courier(
        id=courier.id,
        start=start.place,
        shift=(clock.seconds(shift.starts_at), clock.seconds(shift.ends_at)),
        available_at=start.available_s,
        capacity=riders.spare_capacity(snapshot, courier, legs),
        skills=frozenset(courier.skills),
        max_distance_m=riders.metres_left(snapshot, courier, start.ridden_m),
        breaks=riders.breaks(snapshot, courier, clock, start.available_s),
        on_board=tuple(key for key, leg in legs.items() if leg.carried and leg.courier_id == courier.id),
        locked=tuple(Locked(f"{task.request_id}/{task.leg}", as_kind(task.kind)) for task in stays),
    )


def as_kind(text: str) -> Kind:
    """A task's kind in the words of the routing library."""
    return "pickup" if text == "pickup" else "delivery"


def _in_force(
    snapshot: Snapshot, name: str, couriers: Iterable[CourierRow], jobs: Mapping[str, Job], table: RideTable
) -> Plan:
    """The rounds as they stand, in the terms of the problem; only their order means anything."""
    routes = []
    for courier in couriers:
        rows = []
        for task in snapshot.tasks_of(courier.id):
            job = jobs.get(f"{task.request_id}/{task.leg}")
            if job is not None and (task.kind == "delivery" or job.pickup is not None):
                place = table.place(job.site(task.kind).key)
                rows.append(Stop(job.leg.key, as_kind(task.kind), place, 0, 0, 0))
        if rows:
            routes.append(Route(courier.id, tuple(rows), 0, 0))
    return Plan(name, "in force", 0, 0, tuple(routes), (), Cost())
