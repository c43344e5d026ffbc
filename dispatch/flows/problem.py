"""Build the routing problem of some couriers and open legs, and keep what turns its answer back into stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatch.domain.sla import POST_CALENDAR
from dispatch.domain.tracking import MAX_PICKUP_ATTEMPTS
from dispatch.domain.unplanned import LeftOut
from dispatch.flows import riders
from dispatch.flows.sites import (
    Clock,
    Site,
    Sites,
    Window,
    counter_windows,
    door_windows,
    from_second,
    next_opening,
    pickup_due_s,
    retry_s,
    service_s,
    unique_points,
)
from routing import Cost, Courier, End, Locked, MatrixTravel, Place, Plan, Problem, Request, Route, Stop, Weights
from routing.travel import Point
from routing.travel.geodesic import TerrainTravel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dispatch.domain.addresses import Index
    from dispatch.domain.hours import Calendar
    from dispatch.flows.recording import Scene
    from dispatch.flows.snapshot import OpenLeg, Snapshot
    from dispatch.store.rows import Courier as CourierRow
    from dispatch.store.rows import Task

UNSERVED = 10_000_000
"""Price of leaving a leg out: above what serving it at the very end of the day would cost in lateness."""
LATE_PER_S = 50
"""Price of a second past the promise, in seconds of riding: no detour inside a province is worth a broken promise."""
DELIVERY_DELAY_PER_S = 0.01
"""Price of a second between notice and delivery: halves the hours to delivery for 3 % more riding (routing.md §2)."""
MOVED_STOP = 120
"""Price of a stop that changes its courier or its predecessor while couriers ride: two minutes of riding."""


@dataclass(frozen=True)
class Job:
    """One leg as the planner sees it; `pickup` is None where its papers are on board already."""

    leg: OpenLeg
    pickup: Site | None
    delivery: Site
    pickup_windows: tuple[Window, ...]
    delivery_windows: tuple[Window, ...]
    due_s: int | None


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


@dataclass(frozen=True)
class _Table:
    """Seconds and metres between the places of a problem, by their names."""

    names: dict[str, int]
    seconds: NDArray[np.int32]
    metres: NDArray[np.int32]

    def leg(self, origin: str, destination: str) -> tuple[int, int]:
        """Seconds and metres of one ride."""
        row, column = self.names[origin], self.names[destination]
        return int(self.seconds[row, column]), int(self.metres[row, column])


def build(
    snapshot: Snapshot,
    scene: Scene,
    index: Index,
    couriers: Sequence[CourierRow],
    legs: Iterable[OpenLeg],
    *,
    pinned: Mapping[str, str] | None = None,
    moved_stop: int = MOVED_STOP,
    name: str = "plan",
) -> Case:
    """The problem of serving `legs` with those of `couriers` who still ride on the day.

    `pinned` names legs (`request/leg`) that may only go with one courier; tasks locked by hand are pinned too.
    """
    clock, sites = Clock(snapshot.day, snapshot.now), Sites(snapshot, index)
    on_duty = {courier.id: courier for courier in couriers if snapshot.on_duty(courier.id)}
    jobs: dict[str, Job] = {}
    left_out: list[LeftOut] = []
    for leg in legs:
        made = _job(snapshot, scene, sites, clock, leg, on_duty)
        if isinstance(made, LeftOut):
            left_out.append(made)
        else:
            jobs[leg.key] = made
    bound = {**_locked_by_hand(snapshot, on_duty), **(pinned or {})}
    standings = {courier_id: riders.standing(snapshot, courier) for courier_id, courier in on_duty.items()}
    points = {site.key: site.point for site in sites.made.values()}
    for courier_id, where in standings.items():
        terrain = sites.terrain_near(on_duty[courier_id].home_office_id)
        points[f"at:{courier_id}"] = Point(where.lat, where.lng, terrain)
    table = _ride_table(points)
    riding_to: dict[str, list[Task]] = {}
    ridden_m: dict[str, int] = {}
    made_couriers = [
        _courier(snapshot, clock, courier, standings[courier.id], jobs, table, riding_to, ridden_m)
        for courier in on_duty.values()
    ]
    problem = Problem(
        name=name,
        places=tuple(Place(key, point.lat, point.lng) for key, point in points.items()),
        travel=MatrixTravel(table.seconds, table.metres),
        couriers=tuple(made_couriers),
        requests=tuple(_request(job, clock, bound.get(key), on_duty) for key, job in jobs.items()),
        weights=Weights(
            unserved=UNSERVED,
            late_per_s=LATE_PER_S,
            travel_per_s=1,
            delivery_delay_per_s=DELIVERY_DELAY_PER_S,
            moved_stop=moved_stop,
        ),
        now=clock.now_s,
    )
    in_force = _in_force(snapshot, name, couriers, jobs)
    return Case(problem, in_force, clock, jobs, dict(sites.made), left_out, riding_to, ridden_m)


def _ride_table(points: Mapping[str, Point]) -> _Table:
    """Rides between all places; places at one point are reckoned once."""
    different, numbers = unique_points(list(points.values()))
    seconds, metres = TerrainTravel().matrix(different)
    names = {key: position for position, key in enumerate(points)}
    return _Table(names, seconds[numbers][:, numbers], metres[numbers][:, numbers])


def _locked_by_hand(snapshot: Snapshot, on_duty: Mapping[str, CourierRow]) -> dict[str, str]:
    """Legs the coordinator has tied to a courier, as long as he rides."""
    return {
        held.key: held.courier_id
        for held in snapshot.open_tasks
        if held.task.locked and held.day == snapshot.day and held.courier_id in on_duty
    }


def _job(
    snapshot: Snapshot, scene: Scene, sites: Sites, clock: Clock, leg: OpenLeg, on_duty: Mapping[str, CourierRow]
) -> Job | LeftOut:
    """What is to be done for a leg on the day, or why it cannot even be tried."""
    code = _obstacle(leg, on_duty)
    if code is not None:
        return LeftOut(leg.request_id, leg.leg, code)
    citizen, shop = sites.of_citizen(leg), sites.of_shop(leg.shop_id)
    inward = leg.leg == "pickup"
    if citizen is None and (leg.waiting or not inward):
        return LeftOut(leg.request_id, leg.leg, "address_unknown")
    delivery = shop if inward else citizen
    assert delivery is not None
    pickup = None if leg.carried else citizen if inward else shop
    if leg.status == "AT_OFFICE":
        pickup = sites.of_office(_lies_at(snapshot, leg))
        if pickup is None:
            return LeftOut(leg.request_id, leg.leg, "office_unknown")
    calendar = snapshot.calendars[snapshot.shops[leg.shop_id].hours_profile]
    at_pickup: tuple[Window, ...] = ((min(0, clock.now_s), 86_400),)
    if pickup is not None:
        at_pickup = from_second(_windows(snapshot, clock, leg, pickup, calendar, intake=False), retry_s(leg, clock))
    at_delivery = _windows(snapshot, clock, leg, delivery, calendar, intake=inward)
    for site, windows in ((pickup, at_pickup), (delivery, at_delivery)):
        if site is not None and not windows:
            return _closed(leg, site, calendar, clock)
    due_s = None
    if leg.waiting:
        site_calendar = scene.book.calendars[POST_CALENDAR] if inward else calendar
        promised = pickup_due_s(leg, site_calendar, clock)
        # What is broken already is as urgent as what is due now; counting its whole lateness would leave it out.
        due_s = None if promised is None else max(promised, clock.now_s)
    return Job(leg, pickup, delivery, at_pickup, at_delivery, due_s)


def _obstacle(leg: OpenLeg, on_duty: Mapping[str, CourierRow]) -> str | None:
    if leg.carried:
        if leg.courier_id is None:
            return "carrier_unknown"
        return None if leg.courier_id in on_duty else "carrier_off_duty"
    if leg.history is None:
        return None
    if leg.waiting and leg.history.pickup_attempts >= MAX_PICKUP_ATTEMPTS:
        return "attempts_exhausted"
    if leg.substatus == "HANDOVER_REFUSED":
        refusal = next(step for step in reversed(leg.history.steps) if step.event.type == "handover_refused")
        return None if refusal.event.payload.get("reason") == "INTAKE_CLOSED" else "handover_refused"
    return None


def _lies_at(snapshot: Snapshot, leg: OpenLeg) -> str:
    """The post office a leg lies at: that of the courier who brought it, else the one that answers for it."""
    steps = leg.history.steps if leg.history else ()
    for step in reversed(steps):
        courier = snapshot.couriers.get(step.event.courier_id or "")
        if step.event.type in ("arrived_office", "handover_refused") and courier is not None:
            return courier.home_office_id
    return leg.office_id or ""


def _windows(
    snapshot: Snapshot, clock: Clock, leg: OpenLeg, site: Site, calendar: Calendar, *, intake: bool
) -> tuple[Window, ...]:
    if site.place["at"] == "citizen":
        return door_windows(leg, clock)
    if site.place["at"] == "office":
        calendar = snapshot.calendars[snapshot.offices[site.place["id"]].hours_profile]
    return counter_windows(calendar, clock, service_s(site), intake=intake)


def _closed(leg: OpenLeg, site: Site, calendar: Calendar, clock: Clock) -> LeftOut:
    if site.place["at"] != "citizen":
        return LeftOut(leg.request_id, leg.leg, "site_closed", next_opening(calendar, clock))
    window = leg.body.get("window")
    other_day = window is not None and clock.day.isoformat() < str(window["from"])[:10]
    return LeftOut(leg.request_id, leg.leg, "window_other_day" if other_day else "door_closed")


def _request(job: Job, clock: Clock, courier_id: str | None, on_duty: Mapping[str, CourierRow]) -> Request:
    if job.leg.carried:
        courier_id = job.leg.courier_id
    first = job.pickup or job.delivery
    only = courier_id if courier_id in on_duty else None
    return Request(
        id=job.leg.key,
        pickup=End(first.key, job.pickup_windows, service_s(first) if job.pickup else 0, job.due_s),
        delivery=End(job.delivery.key, job.delivery_windows, service_s(job.delivery)),
        only_courier=only,
    )


def _courier(
    snapshot: Snapshot,
    clock: Clock,
    courier: CourierRow,
    where: riders.Standing,
    jobs: Mapping[str, Job],
    table: _Table,
    riding_to: dict[str, list[Task]],
    ridden_m: dict[str, int],
) -> Courier:
    shift = snapshot.shifts[courier.id]
    legs = {key: job.leg for key, job in jobs.items()}
    start, available = f"at:{courier.id}", max(clock.now_s, clock.seconds(shift.starts_at))
    locked: tuple[Locked, ...] = ()
    tasks = riders.next_stop(snapshot, courier, legs)
    if tasks:
        target = _site_of(jobs[f"{tasks[0].request_id}/{tasks[0].leg}"], tasks[0].kind).key
        ride_s, ride_m = table.leg(start, target)
        if riders.is_riding(where, tasks, ride_s, snapshot.now):
            # The leg being driven is behind him: he starts where and when it ends.
            riding_to[courier.id], ridden_m[courier.id] = tasks, ride_m
            start, available = target, max(available, clock.seconds(where.at or snapshot.now) + ride_s)
            locked = tuple(
                Locked(f"{task.request_id}/{task.leg}", "pickup" if task.kind == "pickup" else "delivery")
                for task in tasks
            )
    return Courier(
        id=courier.id,
        start=start,
        shift=(clock.seconds(shift.starts_at), clock.seconds(shift.ends_at)),
        available_at=available,
        capacity=riders.spare_capacity(snapshot, courier, legs),
        skills=frozenset(courier.skills),
        breaks=riders.breaks(snapshot, courier, clock, available),
        on_board=tuple(key for key, leg in legs.items() if leg.carried and leg.courier_id == courier.id),
        locked=locked,
    )


def _site_of(job: Job, kind: str) -> Site:
    return job.pickup if kind == "pickup" and job.pickup is not None else job.delivery


def _in_force(snapshot: Snapshot, name: str, couriers: Iterable[CourierRow], jobs: Mapping[str, Job]) -> Plan:
    """The rounds as they stand, in the terms of the problem; only their order means anything."""
    routes = []
    for courier in couriers:
        rows = []
        for task in snapshot.tasks_of(courier.id):
            job = jobs.get(f"{task.request_id}/{task.leg}")
            if job is not None and (task.kind == "delivery" or job.pickup is not None):
                place = _site_of(job, task.kind).key
                rows.append(Stop(job.leg.key, "pickup" if task.kind == "pickup" else "delivery", place, 0, 0, 0))
        if rows:
            routes.append(Route(courier.id, tuple(rows), 0, 0))
    return Plan(name, "in force", 0, 0, tuple(routes), (), Cost())
