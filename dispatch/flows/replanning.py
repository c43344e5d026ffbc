"""Look at an office's plan again after something happened: a few seconds of search, from the rounds as they stand.

What is better becomes a draft that replaces the last such one nobody committed, or is put into force at once where
the office says so. One look of an area goes on at a time; its claim runs out by itself should its worker die, and what
was marked is then looked at by the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

import routing
from dispatch.domain.errors import Conflict, DispatchError
from dispatch.flows import committing, drafting, forecasting, foreseeing, looks, surveying
from dispatch.flows.surveying import Ground, Survey, judged
from dispatch.live.steadiness import displaced
from routing import RoutingError

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.rows import Office

CLAIM = timedelta(seconds=45)
"""So long a look may take, with everything around it."""
MOVED_STOP = 300
"""Price of a stop that changes its courier or its predecessor, in seconds of riding."""
STEADIER = 10
"""So many times the price where a first answer moves more than is allowed."""
FIRST_SHARE = 0.6
LEAST_GAIN = 60
"""What a look must save to trouble anybody, in seconds of riding, where it keeps no promise more."""

Outcome = Literal["committed", "proposed", "nothing", "dropped"]

log = logging.getLogger(__name__)


class Parts(surveying.Parts, foreseeing.Parts, Protocol):
    """What a look needs of the system it runs in: to plan, and to foretell what became of the promises."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How live plans are made: seconds of search, stops each courier keeps behind the one he rides to, and how many
    stops that couriers hold already may change courier or order in one look.
    """

    seconds: float = 2.0
    frozen_stops: int = 1
    most_moved: int = 6


@dataclass(frozen=True)
class _Look:
    """One look: what it was claimed under, and the area as it stood."""

    ticket: str
    last_mark: int
    office: Office
    day: date
    now: datetime
    province_version: int
    survey: Survey

    @property
    def area(self) -> str:
        return f"office:{self.office.id}"

    @property
    def province(self) -> str:
        return f"province:{self.office.province_code}"


def look(
    system: Parts,
    mode: str,
    area: str,
    day: date,
    pace: Pace,
    *,
    solve: Callable[..., routing.Plan] = routing.solve,
    present: Callable[[Session], datetime] = lambda session: session.wall_clock(),
) -> Outcome | None:
    """Look at an office's plan if anything was marked there; None where nothing was, or another is planning it.

    The test world is looked at as of the latest instant its marks name, the live one as of the `present`. `dropped` is
    a better plan that came too late: what it was made from had changed before it could be put into force.
    """
    found = _claimed(system, mode, area, day, present)
    if found is None:
        return None
    try:
        ground, plan = _considered(system, found, pace, solve)
        if plan is None:
            return _let_go(system, found, "nothing")
        return _kept(system, found, ground, plan, present)
    except (RoutingError, DispatchError) as error:
        log.warning("live plan of %s on %s came to nothing: %s", area, day, error)
        return _let_go(system, found, "nothing")
    except Exception:
        _let_go(system, found, "nothing")
        raise


def _claimed(system: Parts, mode: str, area: str, day: date, present: Callable[[Session], datetime]) -> _Look | None:
    """Claim the area, and read it once the claim is committed: nobody waits for its row while it is read."""
    with system.store.begin() as session:
        seen = session.marks.seen(mode, area, day)
        if seen is None:
            return None
        last, as_of = seen
        office = session.network.office(mode, area.partition(":")[2])
        if office is None or office.live == "off":
            session.marks.forget(mode, area, day, last)
            return None
        at, ticket = session.wall_clock(), session.new_id("look")
        if not session.planning.claim_area(mode, area, day, ticket, at, at + CLAIM):
            return None  # whoever has it queues a look when he gives it back
    with system.store.begin() as session:
        now = as_of if mode == "test" else present(session)
        province = session.planning.area_version(mode, f"province:{office.province_code}", day)
        survey = surveying.survey(session, system.scene(now), mode, area, day)
    return _Look(ticket, last, office, day, now, province, survey)


def _considered(
    system: Parts, found: _Look, pace: Pace, solve: Callable[..., routing.Plan]
) -> tuple[Ground, routing.Plan | None]:
    """The first plan within the budget that is better than the one in force; None where none is."""
    ground = surveying.ground(
        system,
        system.scene(found.now),
        found.survey,
        name=found.ticket,
        moved_stop=MOVED_STOP,
        frozen_stops=pace.frozen_stops,
    )
    if not ground.case.problem.couriers or not ground.case.jobs:
        return ground, None
    held = _orders(ground.case.in_force)
    for plan in _answers(ground, pace, solve):
        if displaced(held, _orders(plan)) <= pace.most_moved:
            return ground, plan if _better(ground, plan) else None
    return ground, None


def _answers(ground: Ground, pace: Pace, solve: Callable[..., routing.Plan]) -> Iterator[routing.Plan]:
    """Ever steadier plans: the last only puts in what is new and moves nobody."""
    problem, warm = ground.case.problem, ground.case.in_force
    yield judged(ground, solve(problem, seconds=FIRST_SHARE * pace.seconds, warm=warm))
    dear = replace(problem, weights=replace(problem.weights, moved_stop=STEADIER * MOVED_STOP))
    steadier = solve(dear, seconds=(1 - FIRST_SHARE) * pace.seconds, warm=warm)
    yield judged(ground, drafting.priced(ground.case, steadier))
    yield judged(ground, solve(problem, seconds=(1 - FIRST_SHARE) * pace.seconds, warm=warm, engine="greedy"))


def _orders(plan: routing.Plan) -> dict[str, list[tuple[str, str]]]:
    return {route.courier: [(row.request, row.kind) for row in route.stops] for route in plan.routes}


def _better(ground: Ground, plan: routing.Plan) -> bool:
    """Whether a plan keeps more promises than the one in force, or as many for less."""
    kept, in_force = drafting.kept(ground.case, plan), drafting.kept(ground.case, ground.force)
    return kept > in_force or (kept == in_force and plan.cost.total <= ground.force.cost.total - LEAST_GAIN)


def _kept(
    system: Parts, found: _Look, ground: Ground, plan: routing.Plan, present: Callable[[Session], datetime]
) -> Outcome:
    """Store the plan in place of the last proposal; put it into force where the office says so and nothing speaks
    against it: no commit of the office or its province since, and no row of the test world that is later already.
    """
    commits = found.office.live == "commit"
    try:
        with system.store.begin() as session:
            version = session.planning.area_version(found.office.mode, found.province, found.day, lock=True)
            plan_id = _stored(session, found, ground, plan)
            if commits:
                if version != found.province_version:
                    raise Conflict(
                        code="plan_base_changed", vi="Tỉnh đã có kế hoạch mới.", en="The province has a new plan."
                    )
                now = found.now if found.office.mode == "test" else present(session)
                committing.commit(
                    *(session, system.scene(now), system.places, system.travel),
                    *(plan_id, found.office.mode, 1, looks.ACTOR),
                )
                forecasting.refresh(session, system.scene(now), system, found.office.mode)
    except DispatchError as error:
        log.info("live plan of %s on %s came too late: %s", found.area, found.day, error.code)
        return _let_go(system, found, "dropped")
    return "committed" if commits else "proposed"


def _stored(session: Session, found: _Look, ground: Ground, plan: routing.Plan) -> str:
    _give_back(session, found)
    plan_id, at = session.new_id("pln"), session.wall_clock()
    session.planning.add_plan(
        id=plan_id,
        mode=found.office.mode,
        area=found.area,
        date=found.day,
        status="draft",
        version=1,
        base_version=ground.base_version,
        live=True,
        body=drafting.body(ground.case, ground.snapshot, ground.couriers, plan, ground.force, session.new_id),
        planned_for_at=found.now,
        created_at=at,
        updated_at=at,
    )
    return plan_id


def _let_go(system: Parts, found: _Look, outcome: Outcome) -> Outcome:
    """End a look that leaves no plan; an older proposal nobody committed is out of date by now."""
    with system.store.begin() as session:
        _give_back(session, found)
    return outcome


def _give_back(session: Session, found: _Look) -> None:
    """What was marked is seen, the last proposal gives way, the area is free, and what came meanwhile is queued."""
    mode, planning = found.office.mode, session.planning
    planning.release_area(mode, found.area, found.day, found.ticket)
    planning.discard_live(mode, found.area, found.day, session.wall_clock())
    session.marks.forget(mode, found.area, found.day, found.last_mark)
    looks.again(session, mode, found.area, found.day)
