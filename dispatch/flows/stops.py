"""From the rows of a route to the stops of a round, and from stops to tasks in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dispatch.domain.text import local_text

if TYPE_CHECKING:
    from dispatch.flows.problem import Case
    from dispatch.flows.sites import Site
    from dispatch.store import Session
    from dispatch.store.rows import Round, Task
    from routing import Route

TaskKey = tuple[str, str, str]
"""(request id, leg, kind): what an open task is about; there is one open task of it at most."""


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One dossier at a stop, with the instant its service is planned to begin."""

    request_id: str
    leg: str
    kind: str
    planned_at: datetime

    @property
    def key(self) -> TaskKey:
        """What it is about."""
        return self.request_id, self.leg, self.kind


@dataclass(slots=True)
class PlannedStop:
    """One halt: all consecutive tasks of one kind at one site; `leg_m` are the metres ridden to it."""

    stop_id: str
    kind: str
    site: Site
    leg_m: int
    tasks: list[PlannedTask] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """A stop of a plan's route."""
        return {
            "stop_id": self.stop_id,
            "kind": self.kind,
            "place": self.site.place,
            "request_ids": [task.request_id for task in self.tasks],
            "tasks": [{"request_id": task.request_id, "leg": task.leg, "kind": task.kind} for task in self.tasks],
            "planned_at": local_text(self.tasks[0].planned_at),
            "leg_m": self.leg_m,
        }


def gather(case: Case, route: Route, present: Sequence[Task], new_id: Callable[[str], str]) -> list[PlannedStop]:
    """The stops of a route: neighbours at one site become one stop, and a stop that was there keeps its id.

    `present` are the open tasks of the courier's round, so that the phone sees as little change as possible.
    """
    stops: list[PlannedStop] = []
    start = next(courier.start for courier in case.problem.couriers if courier.id == route.courier)
    before, ridden_m = start, case.ridden_m.get(route.courier, 0)
    for row in route.stops:
        job = case.jobs[row.request]
        site = job.site(row.kind)
        if not stops or stops[-1].kind != row.kind or stops[-1].site.key != site.key:
            leg_m = case.table.leg(before, site.key)[1] + (0 if stops else ridden_m)
            stops.append(PlannedStop("", row.kind, site, leg_m))
            before = site.key
        task = PlannedTask(job.leg.request_id, job.leg.leg, row.kind, case.clock.at(row.start))
        stops[-1].tasks.append(task)
    _keep_names(stops, present, new_id)
    return stops


def _keep_names(stops: list[PlannedStop], present: Sequence[Task], new_id: Callable[[str], str]) -> None:
    """Name each stop after an open one it shares a task with, else after one of its kind at its site, else anew."""
    by_task = {task_key(task): task.stop_id for task in present}
    by_site: dict[tuple[str, str, Any], list[str]] = {}
    for task in present:
        named = by_site.setdefault((task.kind, task.place["at"], task.place["id"]), [])
        if task.stop_id not in named:
            named.append(task.stop_id)
    used: set[str] = set()
    for stop in stops:
        shared = (by_task[task.key] for task in stop.tasks if task.key in by_task)
        stop.stop_id = next((name for name in shared if name not in used), "")
        used.add(stop.stop_id)
    for stop in stops:
        if not stop.stop_id:
            known = by_site.get((stop.kind, stop.site.place["at"], stop.site.place["id"]), ())
            stop.stop_id = next((name for name in known if name not in used), "") or new_id("stp")
            used.add(stop.stop_id)


def task_key(task: Task) -> TaskKey:
    """What a stored task is about."""
    return task.request_id, task.leg, task.kind


def wanted_rows(stops: Iterable[PlannedStop]) -> list[dict[str, Any]]:
    """The tasks of planned stops as the store keeps them, in riding order."""
    rows = []
    for stop in stops:
        for number, task in enumerate(stop.tasks):
            rows.append(
                {
                    "request_id": task.request_id,
                    "leg": task.leg,
                    "kind": task.kind,
                    "stop_id": stop.stop_id,
                    "place": stop.site.place,
                    "planned_at": task.planned_at,
                    "leg_m": 0 if number else stop.leg_m,
                }
            )
    return rows


def kept_rows(tasks: Iterable[Task]) -> list[dict[str, Any]]:
    """Open tasks that stay as they are, in the shape of `wanted_rows`."""
    names = ("request_id", "leg", "kind", "stop_id", "place", "planned_at", "leg_m")
    return [{name: getattr(task, name) for name in names} for task in tasks]


def rewrite(
    session: Session,
    found: Round,
    ended: Sequence[Task],
    present: Sequence[Task],
    rows: Sequence[dict[str, Any]],
    locked: set[tuple[str, str]],
    at: datetime,
) -> bool:
    """Make the open tasks of a round these `rows`, in this order; True where its stops changed.

    Tasks that stay keep their row; tasks of `present` that are not wanted must be withdrawn before. `locked` names
    legs tied to this courier by hand. The round's version counts up only with a change of its stops.
    """
    known = {task_key(task): task for task in present}
    first = max((task.position for task in ended), default=-1) + 1
    changes: list[dict[str, Any]] = []
    fresh: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        named = {**row, "position": first + place, "locked": (row["request_id"], row["leg"]) in locked}
        held = known.get((row["request_id"], row["leg"], row["kind"]))
        if held is not None:
            changes.append({**named, "id": held.id})
        else:
            fresh.append({**named, "round_id": found.id, "state": "open", "created_at": at, "closed_at": None})
    session.planning.change_tasks(changes)
    session.planning.add_tasks(fresh)
    before = [(task.stop_id, *task_key(task)) for task in present]
    after = [(row["stop_id"], row["request_id"], row["leg"], row["kind"]) for row in rows]
    if before == after:
        return False
    session.planning.touch_round(found.id, at, _distance_m(ended, rows))
    return True


def _distance_m(ended: Sequence[Task], rows: Sequence[dict[str, Any]]) -> int:
    """The metres of a whole round: the legs ridden and the legs planned."""
    ridden: int = sum(task.leg_m for task in ended)
    return ridden + sum(int(row["leg_m"]) for row in rows)
