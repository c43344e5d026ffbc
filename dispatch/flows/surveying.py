"""Read an area as it stands and put its plan as a question to the planner; judge the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

import routing
from dispatch.flows import drafting
from dispatch.flows.problem import Case, build
from dispatch.flows.snapshot import Area, Snapshot, members, read
from routing import RoutingError

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session, Store
    from dispatch.store.rows import Courier
    from routing.travel import TravelModel


class Parts(Protocol):
    """What planning needs of the system it runs in."""

    @property
    def store(self) -> Store:
        """The database."""

    @property
    def places(self) -> Index:
        """The communes."""

    @property
    def travel(self) -> TravelModel:
        """How couriers ride."""

    def scene(self, now: datetime) -> Scene:
        """The rules at an instant."""


@dataclass(frozen=True)
class Survey:
    """An area as it stood under the version that a commit of its plan must name."""

    area: Area
    base_version: int
    snapshot: Snapshot


@dataclass(frozen=True)
class Ground:
    """What a plan is made on: an area as it stood under `base_version`, and the plan in force in its terms."""

    base_version: int
    snapshot: Snapshot
    couriers: list[Courier]
    case: Case
    force: routing.Plan


def survey(session: Session, scene: Scene, mode: str, area: str, day: date) -> Survey:
    """Read an area on a date, as of `scene.now`."""
    # The version comes first: a commit after it makes a draft stale, never one before it.
    base_version = session.planning.area_version(mode, area, day)
    return Survey(Area.parse(area), base_version, read(session, scene, mode, day))


def ground(system: Parts, scene: Scene, found: Survey, *, name: str, moved_stop: int, frozen_stops: int = 0) -> Ground:
    """Put what was read into numbers; needs no transaction.

    `moved_stop` is the price of a stop that changes its courier or predecessor; of each courier who has set out, so
    many stops behind the one he rides to stay as they are.
    """
    couriers, legs = members(found.snapshot, found.area)
    case = build(
        found.snapshot,
        scene,
        system.places,
        system.travel,
        couriers,
        legs,
        moved_stop=moved_stop,
        frozen_stops=frozen_stops,
        name=name,
    )
    return Ground(found.base_version, found.snapshot, couriers, case, drafting.as_it_stands(case))


def judged(ground: Ground, plan: routing.Plan) -> routing.Plan:
    """The plan to show: it passes the judge, and a plan worse than the one in force gives way to that one."""
    case, force = ground.case, ground.force
    verdict = routing.check(case.problem, plan, case.in_force)
    if not verdict.ok:
        raise RoutingError("no_plan", verdict.violations[0].sentence, case.problem.name)
    if plan.cost.total <= force.cost.total:
        return plan
    served = {row.request for route in force.routes for row in route.stops}
    reasons = {entry.request: entry for entry in plan.unserved}
    missing = [reasons.get(key) or routing.Unserved(key, "out_of_time") for key in case.jobs if key not in served]
    return replace(plan, engine=force.engine, routes=force.routes, unserved=tuple(missing), cost=force.cost)
