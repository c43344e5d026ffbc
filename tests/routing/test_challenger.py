"""The challenger: a second opinion that may only ever help. It must not hold up, mislead or outlive its dispatcher."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from routing import Challenger, Locked, Plan, Problem, RoutingError, Weights, challenger, check, solve
from routing.cost import Evaluation, evaluate, routes
from routing.model import Unserved
from routing.view import Sequences, View
from tests.routing.problems import any_problem, courier, line, problem, request

ROOT = Path(__file__).resolve().parents[2]
ROADS = line(0, 100, 400, 900, 1500)
Log = pytest.LogCaptureFixture
Patch = pytest.MonkeyPatch
LINUX = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")


@pytest.fixture(scope="module")
def shared() -> Iterator[Challenger]:
    """One child for all tests that leave it alive, as a dispatcher has one for all its ticks."""
    with Challenger() as one:
        yield one


@pytest.fixture
def own() -> Iterator[Challenger]:
    with Challenger() as one:
        yield one


def plan_of(p: Problem, orders: Sequences) -> Plan:
    """The plan that drives these orders of stops (2·r collects, 2·r+1 delivers request r)."""
    found = evaluate(View(p), orders)
    assert isinstance(found, Evaluation), found
    unserved = tuple(Unserved(p.requests[r].id, "no_room") for r in found.unserved)
    return Plan(p.name, "by hand", 1, 1, routes(View(p), found), unserved, found.cost)


def fan(**rest: object) -> Problem:
    """Four requests from one shop along a road: best done in one way out, 1500 m."""
    requests = [request(f"r{k}", "p0", f"p{k + 1}") for k in range(4)]
    return problem(ROADS, [courier("a", "p0")], requests, **rest)


CROOKED = [[6, 7, 4, 5, 2, 3, 0, 1]]
STRAIGHT = [[0, 2, 4, 6, 1, 3, 5, 7]]
FAN = fan()
POOR = plan_of(FAN, CROOKED)
GOOD = plan_of(FAN, STRAIGHT)


def stops(plan: Plan) -> list[list[tuple[str, str]]]:
    return [[(row.request, row.kind) for row in route.stops] for route in plan.routes]


def ended(pid: int, within_s: float) -> bool:
    """Whether a process ends in time; one that waits for its parent to take note of its end has ended."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def fake(monkeypatch: Patch, script: str) -> None:
    """Let another program be the child; in it `asked` is what it was asked."""
    hear = "import os, pickle, sys\nos.read(0, 1)\nfile = os.fdopen(int(sys.argv[1]), 'rb')\nfile.seek(0)\n"
    code = f"{hear}asked = pickle.load(file)\n{script}"
    monkeypatch.setattr(challenger, "_command", lambda question: [sys.executable, "-c", code, str(question)])


def errors(caplog: Log) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


# ---- what it finds --------------------------------------------------------------------------------------------------


def test_a_poor_plan_is_bettered_and_couriers_drive_less(shared: Challenger) -> None:
    better = shared.challenge(FAN, POOR, 5)
    assert better is not None
    assert check(FAN, better, POOR).ok
    assert (POOR.cost.distance_m, better.cost.distance_m) == (5700, 1500)
    assert better.engine == "or_tools"


def test_a_plan_that_cannot_be_bettered_stays_in_force(shared: Challenger, caplog: Log) -> None:
    assert shared.challenge(FAN, GOOD, 5) is None
    assert not shared.busy
    assert not errors(caplog)


def test_couriers_are_not_disturbed_for_a_trifle() -> None:
    with Challenger(better_by=0.9) as strict:
        assert strict.challenge(FAN, POOR, 5) is None


def test_a_request_left_out_costs_so_much_that_it_must_not_hide_shorter_ways(shared: Challenger) -> None:
    """The threshold is a share of what is driven: a share of the price of a request left out would never be reached."""
    far = request("far", "p0", "p4", skills=frozenset({"nobody has it"}))
    p = fan(weights=Weights(unserved=10**9, distance_per_m=1))
    p = replace(p, requests=(*p.requests, far))
    better = shared.challenge(p, plan_of(p, CROOKED), 5)
    assert better is not None
    assert [entry.request for entry in better.unserved] == ["far"]
    assert better.unserved[0].code == "skill_missing"


def test_a_request_left_out_is_taken_in(shared: Challenger) -> None:
    better = shared.challenge(FAN, plan_of(FAN, [[0, 1]]), 5)
    assert better is not None
    assert not better.unserved


def test_what_is_on_board_or_locked_stays_with_its_courier_and_comes_first(shared: Challenger) -> None:
    requests = [request("aboard", "p0", "p2"), *(request(f"r{k}", f"p{k}", f"p{k + 1}") for k in range(1, 4))]
    riders = [courier("a", "p0", on_board=("aboard",), locked=(Locked("r3", "pickup"),)), courier("b", "p0")]
    p = problem(ROADS, riders, requests)
    poor = plan_of(p, [[6, 1, 7, 4, 5, 2, 3], []])
    better = shared.challenge(p, poor, 5)
    assert better is not None
    assert check(p, better, poor).ok
    mine = stops(better)[0]
    assert mine[0] == ("r3", "pickup")
    assert {("aboard", "delivery"), ("r3", "delivery")} <= set(mine)


def test_plans_with_everything_in_them_are_bettered_without_breaking_a_rule(shared: Challenger, caplog: Log) -> None:
    bettered = 0
    for seed in range(60):
        p = any_problem(Random(seed))
        plan = solve(p, engine="greedy", iterations=1)
        better = shared.challenge(p, plan, 1)
        if better is not None:
            bettered += 1
            verdict = check(p, better, plan)
            assert verdict.ok
            assert verdict.cost.total < check(p, plan, plan).cost.total
    assert bettered
    assert not errors(caplog)


def test_stops_are_moved_only_where_that_pays(shared: Challenger, caplog: Log) -> None:
    free = Weights(unserved=10**6, distance_per_m=1)
    poor = plan_of(fan(weights=free), CROOKED)
    assert shared.challenge(fan(weights=replace(free, moved_stop=1)), poor, 5) is not None
    assert shared.challenge(fan(weights=replace(free, moved_stop=3000)), poor, 5) is None
    assert not errors(caplog)


def test_a_total_that_holds_moved_stops_of_the_tick_before_is_no_mistake(shared: Challenger, caplog: Log) -> None:
    p = fan(weights=Weights(unserved=10**6, distance_per_m=1, moved_stop=40))
    plan = solve(p, engine="greedy", iterations=1, warm=plan_of(p, CROOKED))
    total = plan.cost.total
    shared.challenge(p, replace(plan, cost=replace(plan.cost, total=total + 3 * 40)), 5)
    assert not errors(caplog)
    shared.challenge(p, replace(plan, cost=replace(plan.cost, total=total + 3 * 40 + 7)), 5)
    assert len(errors(caplog)) == 1


# ---- what it finds out about us -------------------------------------------------------------------------------------


def test_a_plan_that_states_a_wrong_total_is_logged_with_both_numbers(shared: Challenger, caplog: Log) -> None:
    shared.challenge(FAN, replace(GOOD, cost=replace(GOOD.cost, total=1234)), 5)
    (said,) = errors(caplog)
    assert "states total 1234" in said
    assert "rows give 1500" in said


def test_a_plan_in_force_that_cannot_be_driven_is_logged_and_replaced_by_one_that_can(
    shared: Challenger, caplog: Log
) -> None:
    p = replace(FAN, couriers=(replace(FAN.couriers[0], capacity=1),))
    better = shared.challenge(p, GOOD, 5)
    (said,) = errors(caplog)
    assert "capacity_exceeded" in said
    assert "cannot drive it" in said
    assert better is not None
    assert check(p, better, GOOD).ok


def test_rows_that_the_evaluator_times_otherwise_are_logged(shared: Challenger, caplog: Log) -> None:
    """A courier who is told to wait for nothing: lawful by the rows, but not what the orders of stops cost."""
    p = fan(weights=Weights(unserved=10**6, distance_per_m=1, delivery_delay_per_s=1))
    plan = plan_of(p, STRAIGHT)
    route = plan.routes[0]
    last = route.stops[-1]
    late = replace(last, arrive=last.arrive + 60, start=last.start + 60, depart=last.depart + 60)
    cost = replace(
        plan.cost,
        total=plan.cost.total + 60,
        delivery_delay_s=plan.cost.delivery_delay_s + 60,
        duration_s=plan.cost.duration_s + 60,
    )
    waits = replace(route, stops=(*route.stops[:-1], late), end_at=route.end_at + 60)
    idle = replace(plan, routes=(waits,), cost=cost)
    assert check(p, idle).ok
    shared.challenge(p, idle, 5)
    (said,) = errors(caplog)
    assert f"rows give {plan.cost.total + 60}, the evaluator {plan.cost.total}" in said


# ---- whom it must not believe ---------------------------------------------------------------------------------------


def test_a_plan_that_breaks_a_rule_is_refused_and_logged(own: Challenger, monkeypatch: Patch, caplog: Log) -> None:
    fake(
        monkeypatch,
        "import json\nfrom dataclasses import replace\nfrom routing.formats.native import write_plan\n"
        "plan = replace(asked.plan, routes=(), cost=replace(asked.plan.cost, total=1))\n"
        "answer = {'format': 'challenge-answer/1', 'evaluated': asked.plan.cost.total, 'plan': write_plan(plan)}\n"
        "print(json.dumps(answer), flush=True)\nos.read(0, 1)",
    )
    assert own.challenge(FAN, POOR, 20) is None
    (said,) = errors(caplog)
    assert "does not pass" in said
    assert "request_missing" in said


@pytest.mark.parametrize("words", ["nonsense", "{}", '{"format": "challenge-answer/1", "evaluated": 1, "plan": "x"}'])
def test_an_answer_that_is_none_is_logged_and_its_child_replaced(
    own: Challenger, monkeypatch: Patch, caplog: Log, words: str
) -> None:
    with monkeypatch.context() as patched:
        fake(patched, f"print({words!r}, flush=True)\nos.read(0, 1)")
        assert own.challenge(FAN, POOR, 20) is None
    assert "cannot be read" in errors(caplog)[-1]
    assert own.pid is None
    assert own.challenge(FAN, POOR, 5) is not None


# ---- what it must not do to its caller ------------------------------------------------------------------------------


def test_a_tick_never_waits(shared: Challenger) -> None:
    assert shared.submit(FAN, POOR, 5)
    assert shared.busy
    assert not shared.submit(FAN, POOR, 5)
    with pytest.raises(RoutingError, match="in flight"):
        shared.challenge(FAN, POOR, 5)
    until, better = time.monotonic() + 30, None
    while shared.busy and time.monotonic() < until:
        better = shared.result()
        time.sleep(0.01)
    assert better is not None
    assert shared.result() is None


def test_a_large_problem_is_handed_over_while_the_child_still_starts(own: Challenger) -> None:
    marks = range(0, 120_000, 200)
    p = problem(line(*marks, speed=10), [courier("a", "p0")], [request("r", "p1", "p2")])
    plan = plan_of(p, [[0, 1]])
    assert own.submit(p, plan, 1)  # several times what a pipe holds
    assert own.pid
    assert own.result() is None
    assert own.busy


@LINUX
def test_a_child_killed_in_the_middle_costs_one_answer_only(own: Challenger, caplog: Log) -> None:
    assert own.challenge(FAN, POOR, 5) is not None
    first = own.pid
    assert first
    os.kill(first, signal.SIGSTOP)
    assert own.submit(FAN, POOR, 20)
    os.kill(first, signal.SIGKILL)
    assert own.result(20) is None
    assert not own.busy
    assert "in the middle of a challenge, code -9" in errors(caplog)[-1]
    assert not Path(f"/proc/{first}").exists()  # not even a zombie
    assert own.challenge(FAN, POOR, 5) is not None
    assert own.pid != first


def test_a_child_that_died_while_it_had_nothing_to_do_is_replaced(own: Challenger) -> None:
    assert own.challenge(FAN, POOR, 5) is not None
    assert own.pid
    os.kill(own.pid, signal.SIGKILL)
    assert ended(own.pid, 10)
    assert own.challenge(FAN, POOR, 5) is not None


@LINUX
def test_a_child_that_overruns_is_killed_and_the_next_one_works(caplog: Log) -> None:
    with Challenger(grace_s=0.2) as hasty:
        while hasty.challenge(FAN, POOR, 5) is None:
            pass  # a slow machine may need a second start
        first = hasty.pid
        assert first
        os.kill(first, signal.SIGSTOP)
        assert hasty.submit(FAN, POOR, 0.3)
        assert hasty.result() is None
        assert hasty.busy
        began = time.monotonic()
        assert hasty.result(math.inf) is None
        assert time.monotonic() - began < 5
        assert "overran" in errors(caplog)[-1]
        assert not Path(f"/proc/{first}").exists()
        assert hasty.challenge(FAN, POOR, 5) is not None


@LINUX
def test_a_child_that_nobody_asks_any_more_ends_itself_when_it_overruns(own: Challenger, monkeypatch: Patch) -> None:
    code = (
        "import os, time, routing.challenger as c\nc._answered = lambda asked: time.sleep(60)\n"
        "import sys; c.serve(os.getppid(), int(sys.argv[1]))"
    )
    monkeypatch.setattr(challenger, "_command", lambda question: [sys.executable, "-c", code, str(question)])
    own.grace_s = 0.1
    assert own.submit(FAN, GOOD, 0.1)
    assert own.pid
    assert ended(own.pid, 30)


@LINUX
@pytest.mark.parametrize("working", [False, True])
def test_a_killed_dispatcher_leaves_no_challenger_behind(working: bool) -> None:
    script = (
        "import time\nfrom routing import Challenger\nfrom tests.routing.test_challenger import *\n"
        "one = Challenger()\none.challenge(FAN, POOR, 5)\n"
        f"if {working}: one.submit(FAN, POOR, 5)\n"
        "print(one.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    assert ended(child, 15)


@LINUX
def test_closing_ends_the_child_and_leaves_no_zombie(own: Challenger) -> None:
    assert own.submit(FAN, POOR, 5)
    child = own.pid
    own.close()
    assert not Path(f"/proc/{child}").exists()
    assert (own.pid, own.busy, own.result()) == (None, False, None)
    own.close()


@LINUX
def test_the_child_has_none_of_the_callers_connections(own: Challenger) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.set_inheritable(True)
        assert own.challenge(FAN, POOR, 5) is not None
        name = os.readlink(f"/proc/self/fd/{ours.fileno()}")
        held = [os.readlink(link) for link in Path(f"/proc/{own.pid}/fd").iterdir()]
    assert name not in held


def test_the_caller_never_loads_an_engine() -> None:
    """OR-Tools costs memory in every worker, and cannot be in one process with highspy."""
    script = (
        "import sys\nfrom tests.routing.test_challenger import *\n"
        "with Challenger() as one:\n    assert one.challenge(FAN, POOR, 5)\n"
        "print(sorted({'ortools', 'numba', 'highspy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_a_problem_too_large_for_the_model_is_no_error(own: Challenger, caplog: Log) -> None:
    requests = [request(f"r{k}", "p0", "p1") for k in range(900)]
    p = problem(ROADS, [courier("a", "p0", capacity=900)], requests)
    order = [2 * k for k in range(900)] + [2 * k + 1 for k in range(900)]
    with caplog.at_level(logging.WARNING):
        assert own.challenge(p, plan_of(p, [order]), 10) is None
    assert not errors(caplog)
    assert "too many" in caplog.text


def test_no_time_at_all_is_refused(shared: Challenger) -> None:
    with pytest.raises(RoutingError, match="seconds"):
        shared.submit(FAN, GOOD, 0)
