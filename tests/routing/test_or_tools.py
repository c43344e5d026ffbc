"""The OR-Tools model itself: it must say the same as the evaluator, or its time is wasted on plans nobody can drive."""

from __future__ import annotations

from random import Random

import pytest

from routing import Break, Problem, Weights, engines, solve
from routing.cost import Evaluation, evaluate, warm_places
from routing.engines import Limits, greedy, or_tools
from routing.model import Locked
from routing.view import Sequences, View
from tests.routing.problems import any_problem, courier, line, problem, request

ROADS = line(0, 100, 400, 900, 1500)


def limits(iterations: int = 20) -> Limits:
    return Limits(lambda: False, False, lambda: None, 1, iterations, lambda total: None)


def improved(p: Problem, start: Sequences, iterations: int = 20) -> Evaluation:
    view = View(p)
    found = evaluate(view, or_tools.improve(view, start, {}, limits(iterations)))
    assert isinstance(found, Evaluation), found
    return found


def test_a_crooked_start_is_straightened() -> None:
    requests = [request(f"r{k}", "p0", f"p{k + 1}") for k in range(4)]
    p = problem(ROADS, [courier("a", "p0")], requests)
    crooked = [[6, 7, 4, 5, 2, 3, 0, 1]]
    assert improved(p, crooked).cost.distance_m == 1500


def test_requests_left_out_of_the_start_are_taken_in_and_dear_ones_dropped() -> None:
    requests = [request("far", "p3", "p4", priority=0), request("near", "p1", "p2")]
    p = problem(ROADS, [courier("a", "p0")], requests)
    assert improved(p, [[0, 1]]).sequences == [[2, 3]]


def test_only_who_has_the_skill_gets_the_request() -> None:
    wanted = request("r", "p1", "p2", skills=frozenset({"A"}))
    p = problem(ROADS, [courier("a", "p1"), courier("b", "p4", skills=frozenset({"A"}))], [wanted])
    assert improved(p, [[], []]).sequences == [[], [0, 1]]


def test_locked_stops_stay_first_and_their_metres_and_breaks_count() -> None:
    locked = (Locked("r1", "pickup"),)
    requests = [request("r0", "p0", "p4"), request("r1", "p2", "p1"), request("r2", "p1", "p0")]
    rider = courier("a", "p0", locked=locked, max_distance_m=800, breaks=(Break((100, 2000), 60),))
    p = problem(ROADS, [rider, courier("b", "p0")], requests)
    found = improved(p, [[2, 3], []])
    assert found.sequences[0][0] == 2
    assert (sorted(found.sequences[0]), found.sequences[1]) == ([2, 3, 4, 5], [0, 1])


def test_a_promise_and_a_delay_both_pull_in_the_model() -> None:
    weights = Weights(unserved=1_000_000, late_per_s=50, distance_per_m=1, delivery_delay_per_s=3)
    requests = [request("early", "p1", "p2"), request("late", "p3", "p4", pickup_due=950)]
    p = problem(ROADS, [courier("a", "p0")], requests, weights=weights)
    assert improved(p, [[2, 3, 0, 1]]).sequences == [[0, 1, 2, 3]]


def test_what_the_model_calls_driveable_is_driveable() -> None:
    """Raw answers, before any repair: a model that drifted from the format would fail here first."""
    asked = agreed = 0
    for seed in range(150):
        p = any_problem(Random(seed))
        view = View(p)
        start = greedy.improve(view, [[] for _ in p.couriers], {}, limits())
        orders = or_tools.improve(view, start, {}, limits(2))
        asked += 1
        agreed += isinstance(evaluate(view, orders), Evaluation)
    assert agreed >= 0.98 * asked


def test_the_plan_in_force_is_priced_inside_the_model() -> None:
    requests = [request(f"r{k}", "p0", f"p{k + 1}") for k in range(3)]
    weights = Weights(unserved=1_000_000, distance_per_m=1, moved_stop=10_000)
    p = problem(ROADS, [courier("a", "p0"), courier("b", "p0")], requests, weights=weights)
    old = solve(p, engine="greedy")
    view = View(p)
    start = view.sequences_of(old)
    assert or_tools.improve(view, start, warm_places(view, old), limits()) == start


def test_a_problem_too_large_for_the_model_is_left_to_insertion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(or_tools, "_MOST_NODES", 3)
    p = problem(ROADS, [courier("a", "p0")], [request("r0", "p0", "p1"), request("r1", "p1", "p2")])
    plan = solve(p, engine="or_tools", iterations=1)
    assert (plan.engine, plan.cost.unserved) == ("greedy", 0)
    assert engines.load("or_tools") is or_tools
