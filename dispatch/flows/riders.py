"""Where each courier stands, what he is riding to, and from when the planner may use him."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dispatch.flows.snapshot import OpenLeg
from routing import Break

if TYPE_CHECKING:
    from dispatch.flows.sites import Clock
    from dispatch.flows.snapshot import Snapshot
    from dispatch.store.rows import Courier, Task

EARLY = timedelta(minutes=10)
"""A courier counts as riding to his next stop so long before he would have to leave for it."""


@dataclass(frozen=True)
class Standing:
    """The last place a courier is known to have been; `at` is None while he has not set out."""

    lat: float
    lng: float
    at: datetime | None


def standing(snapshot: Snapshot, courier: Courier) -> Standing:
    """Where a courier of the day is: where he was last seen or last did something, else where his shift begins."""
    shift = snapshot.shifts[courier.id]
    known: list[Standing] = []
    if courier.last_seen_at is not None and courier.last_lat is not None and courier.last_lng is not None:
        known.append(Standing(courier.last_lat, courier.last_lng, courier.last_seen_at))
    for task in snapshot.ended_tasks.get(courier.id, ()):
        if task.closed_at is not None:
            known.append(Standing(task.place["lat"], task.place["lng"], task.closed_at))
    today = [one for one in known if one.at is not None and shift.starts_at <= one.at <= snapshot.now]
    if today:
        return max(today, key=lambda one: one.at or shift.starts_at)
    carries = any(leg.courier_id == courier.id and leg.carried for leg in snapshot.legs)
    set_out = carries and shift.starts_at <= snapshot.now
    return Standing(shift.start_lat, shift.start_lng, shift.starts_at if set_out else None)


def next_stop(snapshot: Snapshot, courier: Courier, legs: Mapping[str, OpenLeg]) -> list[Task]:
    """The tasks of a courier's first open stop that are still his to do; empty where there is none."""
    tasks = snapshot.tasks_of(courier.id)
    head = [task for task in tasks if task.stop_id == tasks[0].stop_id and task.kind == tasks[0].kind]
    return [task for task in head if _still_due(task, courier, legs.get(f"{task.request_id}/{task.leg}"))]


def frozen(
    snapshot: Snapshot, courier: Courier, legs: Mapping[str, OpenLeg], riding_to: Sequence[Task], stops: int
) -> list[Task]:
    """The tasks of so many stops that follow the one a courier rides to, if he has set out; they stay as they are.

    It ends at the first stop he cannot make as it stands: one without its papers, or of a leg that `legs` lacks.
    """
    if standing(snapshot, courier).at is None:
        return []
    known = {task.id for task in riding_to}
    mine = {(task.request_id, task.leg) for task in riding_to if task.kind == "pickup"}
    found: list[Task] = []
    names: list[tuple[str, str]] = []
    for task in snapshot.tasks_of(courier.id):
        if task.id in known:
            continue
        if (task.stop_id, task.kind) not in names[-1:]:
            names.append((task.stop_id, task.kind))
        taken = task.kind == "delivery" and (task.request_id, task.leg) in mine
        due = _still_due(task, courier, legs.get(f"{task.request_id}/{task.leg}"))
        if len(names) > stops or not (taken or due):
            break
        found.append(task)
        if task.kind == "pickup":
            mine.add((task.request_id, task.leg))
    return found


def _still_due(task: Task, courier: Courier, leg: OpenLeg | None) -> bool:
    if leg is None:
        return False
    if task.kind == "pickup":
        return not leg.carried
    return leg.carried and leg.courier_id == courier.id


def is_riding(where: Standing, tasks: list[Task], ride_s: int, now: datetime) -> bool:
    """Whether a courier is on his way to his next stop: he has set out, and would have to leave for it by now."""
    if where.at is None or not tasks:
        return False
    return now >= tasks[0].planned_at - timedelta(seconds=ride_s) - EARLY


def rested_at(snapshot: Snapshot, courier: Courier) -> datetime:
    """From when a courier may ride on the day: the start of the shift, or the end of the rest after the one before."""
    shift, last = snapshot.shifts[courier.id], snapshot.last_shifts.get(courier.id)
    if last is None or courier.rest_minutes is None:
        return shift.starts_at
    return max(shift.starts_at, last.ends_at + timedelta(minutes=courier.rest_minutes))


def metres_left(snapshot: Snapshot, courier: Courier, ahead_m: int) -> int | None:
    """How far a courier may still ride on the day, `ahead_m` of the ride under way being gone; None without a limit."""
    if courier.max_distance_m is None:
        return None
    ridden_m = sum(task.leg_m for task in snapshot.ended_tasks.get(courier.id, ()))
    return max(0, courier.max_distance_m - ridden_m - ahead_m)


def spare_capacity(snapshot: Snapshot, courier: Courier, planned: Mapping[str, OpenLeg]) -> int:
    """How many parcels a courier can hold besides those in his bag that this plan cannot deliver."""
    parked = sum(
        leg.courier_id == courier.id and (leg.carried or leg.status == "ATTEMPT_FAILED") and leg.key not in planned
        for leg in snapshot.legs
    )
    return max(0, courier.capacity_items - parked)


def breaks(snapshot: Snapshot, courier: Courier, clock: Clock, available_s: int) -> tuple[Break, ...]:
    """The rests of a shift that may still begin."""
    found = []
    for rest in snapshot.shifts[courier.id].breaks:
        opens = clock.seconds(datetime.fromisoformat(rest["from"]))
        closes = clock.seconds(datetime.fromisoformat(rest["to"]))
        if closes > available_s:
            found.append(Break((opens, closes), rest["minutes"] * 60))
    return tuple(found)
