"""Brute force against the library: 3,000 tiny problems with every feature on, the judge doubted by a second judge.

What holds for each: nobody is lost, the plan is lawful, its cost is the true one and not below the least there is.
How often it is the least is counted over the whole run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing import Break, Cost, MatrixTravel, Plan, Problem, Rest, Route, Stop, Unserved, check, solve
from routing.formats.native import write_plan, write_problem
from routing.model import Number
from tests.routing import referee
from tests.routing.brute import Best, bound, optimum
from tests.routing.tiny import plan_in_force, tiny_problem
from tests.routing.witness import best_plan

fixed = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
randoms = st.randoms(use_true_random=False)


def same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(other)) + 1e-6


def assert_lawful(problem: Problem, plan: Plan, warm: Plan | None) -> None:
    """Both judges find nothing to say against a plan and read the very cost from it that it states."""
    assert referee.faults(problem, plan) == []
    verdict = check(problem, plan, warm)
    assert verdict.ok, verdict.violations
    for name, term in referee.cost(problem, plan, warm).items():
        assert same(getattr(plan.cost, name), term), (name, term, plan.cost)
        assert same(getattr(verdict.cost, name), term), (name, term, verdict.cost)


def quality(problem: Problem, plan: Plan) -> Best:
    pledged = {name for courier in problem.couriers for name in bound(courier)}
    return Best(sum(entry.request in pledged for entry in plan.unserved), plan.cost.total)


FEATURES: dict[str, Callable[[Problem, Plan | None], object]] = {
    "balance": lambda p, _: p.weights.balance,
    "breaks": lambda p, _: any(c.breaks for c in p.couriers),
    "duration": lambda p, _: p.weights.duration_per_s,
    "on board or locked": lambda p, _: any(bound(c) for c in p.couriers),
    "several windows": lambda p, _: any(len(r.pickup.windows) + len(r.delivery.windows) > 2 for r in p.requests),
    "plan in force": lambda _, warm: warm,
    "most metres": lambda p, _: any(c.max_distance_m is not None for c in p.couriers),
    "cheap to leave out": lambda p, _: p.weights.unserved < 1000,
    "hard due": lambda p, _: p.hard_due,
}


@dataclass
class Tally:
    """How many plans were the cheapest, and the smallest problems of those that were not."""

    tried: int = 0
    best: int = 0
    on: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    files: dict[tuple[str, ...], tuple[str, str]] = field(default_factory=dict)

    def count(self, problem: Problem, warm: Plan | None, plan: Plan, least: Best) -> None:
        found = quality(problem, plan)
        assert found >= least or same(found.total, least.total), (found, least)
        features = tuple(name for name, on in FEATURES.items() if on(problem, warm))
        self.tried += 1
        self.on.update(features)
        if found.lost == least.lost and same(found.total, least.total):
            self.best += 1
            return
        self.missed.update(features)
        text = write_problem(problem), write_plan(warm) if warm else ""
        if features not in self.files or len(text[0]) < len(self.files[features][0]):
            self.files[features] = text

    def report(self, engine: str, folder: Path) -> str:
        """Write the missed problems down; return a line for whoever reads the run."""
        for k, (features, (problem, warm)) in enumerate(sorted(self.files.items())):
            (folder / f"{k}-{'-'.join(features).replace(' ', '_')}.json").write_text(problem)
            if warm:
                (folder / f"{k}-in-force.json").write_text(warm)
        shares = ", ".join(f"{name} {1 - self.missed[name] / count:.1%}" for name, count in sorted(self.on.items()))
        return f"{engine}: {self.best} of {self.tried} plans are the cheapest; {shares}; the others lie in {folder}"


def play(engine: str, count: int, iterations: int) -> Tally:
    tally = Tally()

    @settings(fixed, max_examples=count)
    @given(randoms)
    def one(rnd: Random) -> None:
        problem = tiny_problem(rnd)
        warm = plan_in_force(rnd, problem)
        told: list[Number] = []
        more = 10 if rnd.randrange(8) == 7 else 1  # enough of them for all the search knows to do
        plan = solve(
            problem,
            engine=engine,
            iterations=more * iterations,
            warm=warm,
            progress=lambda _, total: told.append(total),
        )
        assert plan.engine == engine  # nothing else stepped in
        assert not told or same(told[-1], plan.cost.total)  # nor was anything repaired
        assert_lawful(problem, plan, warm)
        tally.count(problem, warm, plan, optimum(problem, warm))

    one()
    return tally


@pytest.mark.timeout(900)  # two minutes of work, more on a busy machine
def test_our_plans_of_tiny_days_are_lawful_and_19_in_20_are_the_cheapest(tmp_path: Path) -> None:
    tally = play("search", 3000, 300)
    print(line := tally.report("search", tmp_path))
    share = tally.best / tally.tried
    assert tally.tried >= 3000
    assert share >= 0.95, line


@pytest.mark.parametrize(("engine", "count", "least"), [("greedy", 400, 0.65), ("or_tools", 80, 0.75)])
def test_the_other_engines_are_lawful_too(engine: str, count: int, least: float, tmp_path: Path) -> None:
    tally = play(engine, count, 1)
    print(line := tally.report(engine, tmp_path))
    share = tally.best / tally.tried
    assert share >= least, line


@settings(fixed, max_examples=300)
@given(randoms)
def test_what_brute_force_calls_the_cheapest_is_a_plan_both_judges_pass(rnd: Random) -> None:
    problem = tiny_problem(rnd)
    warm = plan_in_force(rnd, problem)
    plan = best_plan(problem, warm)
    assert_lawful(problem, plan, warm)
    assert same(plan.cost.total, optimum(problem, warm).total)


def spoiled(rnd: Random, plan: Plan) -> Plan:
    """The same plan with one thing changed at random; it may still be lawful."""
    k = rnd.randrange(len(plan.routes))
    route = plan.routes[k]
    change = rnd.choice([_row_moved, _rows_swapped, _row_dropped, _second_row, _ended, _rested, _gone])
    changed = change(rnd, route)
    routes = (*plan.routes[:k], changed, *plan.routes[k + 1 :])
    if change is _row_dropped and rnd.randrange(2):
        lost = {row.request for row in route.stops} - {row.request for row in changed.stops}
        return replace(plan, routes=routes, unserved=(*plan.unserved, *(Unserved(name, "") for name in lost)))
    return replace(plan, routes=routes)


def _later(rnd: Random) -> int:
    return rnd.choice([1, -1, 2, -7, 12, 30])


def _row_moved(rnd: Random, route: Route) -> Route:
    at, by, rows = rnd.randrange(len(route.stops)), _later(rnd), list(route.stops)
    what = rnd.choice(["arrive", "start", "depart", "all", "rest"])
    if what in ("arrive", "start", "depart"):
        rows[at] = replace(rows[at], **{what: getattr(rows[at], what) + by})
        return replace(route, stops=tuple(rows))
    until = at + 1 if what == "all" else len(rows)
    rows[at:until] = [
        replace(row, arrive=row.arrive + by, start=row.start + by, depart=row.depart + by) for row in rows[at:until]
    ]
    return replace(route, stops=tuple(rows), end_at=route.end_at + (by if until == len(rows) else 0))


def _rows_swapped(rnd: Random, route: Route) -> Route:
    rows = list(route.stops)
    at, to = rnd.randrange(len(rows)), rnd.randrange(len(rows))
    one, other = rows[at], rows[to]
    rows[at] = replace(other, arrive=one.arrive, start=one.start, depart=one.depart)
    rows[to] = replace(one, arrive=other.arrive, start=other.start, depart=other.depart)
    return replace(route, stops=tuple(rows))


def _row_dropped(rnd: Random, route: Route) -> Route:
    gone = rnd.choice(route.stops)
    both = rnd.randrange(2)
    return replace(
        route, stops=tuple(row for row in route.stops if row != gone and not (both and row.request == gone.request))
    )


def _second_row(rnd: Random, route: Route) -> Route:
    row = rnd.choice(route.stops)
    last = route.stops[-1]
    again = Stop(row.request, row.kind, row.place, last.depart, last.depart, last.depart)
    return replace(route, stops=(*route.stops, again))


def _ended(rnd: Random, route: Route) -> Route:
    if rnd.randrange(2):
        return replace(route, end_at=route.end_at + _later(rnd))
    return replace(route, distance_m=route.distance_m + _later(rnd))


def _rested(rnd: Random, route: Route) -> Route:
    if not route.breaks or rnd.randrange(3) == 2:
        return replace(route, breaks=(*route.breaks, Rest(route.end_at - 9, route.end_at - 4)))
    one, by = rnd.randrange(len(route.breaks)), _later(rnd)
    moved = [Rest(rest.start + by, rest.end + by) if k == one else rest for k, rest in enumerate(route.breaks)]
    return replace(route, breaks=tuple(moved) if rnd.randrange(2) else (*moved[:one], *moved[one + 1 :]))


def _gone(rnd: Random, route: Route) -> Route:
    if rnd.randrange(2):
        return replace(route, courier=rnd.choice(["c0", "c1", "c2", "nobody"]))
    return replace(route, stops=(), breaks=())


def harder(rnd: Random, problem: Problem) -> Problem:
    """The same problem with one rule made stricter: a plan for the old one may no longer do."""
    k, n = rnd.randrange(len(problem.couriers)), rnd.randrange(len(problem.requests))
    courier, request = problem.couriers[k], problem.requests[n]
    rest = Break((rnd.randrange(60), rnd.randrange(60, 120)), 5)
    riders = [
        replace(courier, capacity=rnd.randrange(3)),
        replace(courier, max_distance_m=rnd.randrange(300)),
        replace(courier, skills=frozenset()),
        replace(courier, shift=(courier.shift[0], courier.shift[1] - rnd.randrange(1, 60))),
        replace(courier, breaks=(*courier.breaks, rest)),
        replace(courier, available_at=rnd.randrange(60)),
        replace(courier, end=rnd.choice([None, problem.places[-1].id])),
    ]
    closed = replace(request.pickup, windows=((rnd.randrange(30), rnd.randrange(30, 90)),))
    holder = next((one.id for one in problem.couriers if request.id in bound(one)), courier.id)
    wishes = [
        replace(request, skills=frozenset({"A", "B"})),
        replace(request, size=request.size + 1),
        replace(request, only_courier=holder),  # another one would be refused as a contradiction
        replace(request, pickup=closed),
        replace(request, delivery=replace(request.delivery, service_s=4)),
        replace(request, delivery=replace(request.delivery, place=problem.places[0].id)),
    ]
    way = rnd.randrange(4)
    if way < 2:
        changed = rnd.choice(riders)
        return replace(problem, couriers=tuple(changed if one is courier else one for one in problem.couriers))
    if way == 2:
        wished = rnd.choice(wishes)
        return replace(problem, requests=tuple(wished if one is request else one for one in problem.requests))
    if isinstance(problem.travel, MatrixTravel) and rnd.randrange(2):
        roads = [list(row) for row in problem.travel.durations_s]
        roads[rnd.randrange(len(roads))][rnd.randrange(len(roads))] = None
        return replace(problem, travel=replace(problem.travel, durations_s=roads))
    return replace(problem, hard_due=True)


def test_the_judge_and_the_second_judge_agree_on_what_was_tampered_with() -> None:
    said: Counter[str] = Counter()

    @settings(fixed, max_examples=1500)
    @given(randoms)
    def one(rnd: Random) -> None:
        problem = tiny_problem(rnd)
        plan = solve(problem, engine="greedy", iterations=1)
        if not any(route.stops for route in plan.routes):
            return
        plan = replace(plan, routes=tuple(route for route in plan.routes if route.stops))
        if rnd.randrange(2):
            plan = spoiled(rnd, plan)
        else:
            problem = harder(rnd, problem)
        if {route.courier for route in plan.routes} <= {courier.id for courier in problem.couriers}:
            plan = replace(plan, cost=Cost(**referee.cost(problem, plan)))
        faults, verdict = referee.faults(problem, plan), check(problem, plan)
        assert verdict.ok == (not faults), (faults, verdict.violations)
        said.update({violation.code for violation in verdict.violations} or {"good"})

    one()
    print(said)
    assert said["good"] > 200
    assert len(said) >= 20, said
