"""Random small problems with every feature on: no engine may publish a plan the judge contradicts."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing import check, solve
from routing.formats.native import read_plan, read_problem, write_plan, write_problem
from tests.routing.problems import any_problem

fixed = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
randoms = st.randoms(use_true_random=False)


@settings(fixed, max_examples=150)
@given(randoms)
def test_inserted_plans_pass_the_judge_with_the_very_cost_they_state(rnd: Random) -> None:
    p = any_problem(rnd)
    plan = solve(p, engine="greedy")
    verdict = check(p, plan)
    assert verdict.ok, verdict.violations
    assert verdict.cost == plan.cost
    again = solve(p, engine="greedy", warm=plan)
    assert check(p, again, plan).ok
    assert again.cost.total <= plan.cost.total + 1e-6


@settings(fixed, max_examples=60)
@given(randoms)
def test_or_tools_plans_pass_the_judge_and_are_never_worse_than_inserted_ones(rnd: Random) -> None:
    p = any_problem(rnd)
    plan = solve(p, engine="or_tools", iterations=3)
    verdict = check(p, plan)
    assert verdict.ok, verdict.violations
    assert verdict.cost == plan.cost
    assert plan.engine == "or_tools"
    assert plan.cost.total <= solve(p, engine="greedy").cost.total + 1e-6


@settings(fixed, max_examples=60)
@given(randoms)
def test_problems_and_plans_survive_their_files(rnd: Random) -> None:
    p = any_problem(rnd)
    plan = solve(p, engine="greedy")
    back = read_problem(write_problem(p))
    assert write_problem(back) == write_problem(p)
    assert read_plan(write_plan(plan)) == plan
    assert solve(back, engine="greedy") == plan
