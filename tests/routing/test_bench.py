"""The bench's own judge, readers and made problems: what it calls lawful is lawful, by nothing that `routing` says."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest

from bench.__main__ import keep
from bench.routes.case import Ask, Case, Pair, Prices, Routes, Stop, Table, Vehicle
from bench.routes.engines import ours
from bench.routes.judge import judge
from bench.routes.made import province
from bench.routes.midday import states
from bench.routes.published import lilim, native, sartori
from bench.routes.whole import Promised, Whole
from routing import Cost
from routing.formats.native import write_problem
from routing.legs import Legs
from tests.routing.benchmarks import any_lilim
from tests.routing.benchmarks import sartori as sartori_text

LINE = Table(np.array([[10 * abs(i - j) for j in range(5)] for i in range(5)], dtype=np.int32))
"""Five places on a line, ten seconds from one to the next; the depot is at one end."""
TINY = Case(
    "tiny",
    LINE,
    (Vehicle(0, 0, 0, 200, 2), Vehicle(0, None, 5, 200, 1)),
    (
        Pair("a", Stop(1, 0, 50, 5), Stop(2, 0, 60, 5)),
        Pair("b", Stop(3, 0, 90, 5, due=40), Stop(4, 30, 100, 5)),
        Pair("c", Stop(0, 0, 0), Stop(1, 0, 100, 5), holder=1),
    ),
    Prices(vehicle=1000, unserved=5000, late_per_s=10),
)
LAWFUL: Routes = [[0, 1, 2, 3], [5]]


def test_a_lawful_plan_is_priced_by_its_drive_its_lateness_and_its_vehicles() -> None:
    """10 out, 5 there, 10, 5, 10 to the late pickup at 40: on the dot; then home from the far end."""
    verdict = judge(TINY, LAWFUL)
    assert verdict.complete
    assert (verdict.drive, verdict.late_s, verdict.vehicles, verdict.total) == (80 + 10, 0, 2, 2090)
    late = judge(replace(TINY, vehicles=(replace(TINY.vehicles[0], leaves=3), TINY.vehicles[1])), LAWFUL)
    assert (late.faults, late.late_s, late.late_pickups, late.total) == ((), 3, 1, 2090 + 30)


CORRUPTED: dict[str, tuple[Routes, str]] = {
    "delivered before it is collected": ([[1, 0, 2, 3], [5]], "pair 0 is delivered and not collected before"),
    "collected by one and delivered by the other": ([[0, 1, 2], [5, 3]], "pair 1 is collected and not delivered"),
    "never delivered": ([[0, 1, 2], [5]], "pair 1 is collected and not delivered"),
    "delivered twice": ([[0, 1, 1, 2, 3], [5]], "stop 1 is served twice"),
    "served by two": ([[0, 1, 2, 3], [5, 0, 1]], "stop 0 is served twice"),
    "what is on board is collected": ([[0, 1, 2, 3], [4, 5]], "pair 2 is on board already"),
    "what is on board changes hands": ([[0, 1, 2, 3, 5], []], "pair 2 is on board of vehicle 1"),
    "more than it holds": ([[0, 1], [2, 3, 5]], "carries 2 of 1 after stop 2"),
    "after the window": ([[2, 3, 0, 1], [5]], "stop 0 starts 30.000000 after its window"),
    "no such stop": ([[0, 1, 6], [5]], "an unknown stop"),
    "no such vehicle": ([[0, 1, 2, 3], [5], []], "3 routes for 2 vehicles"),
}


@pytest.mark.parametrize("what", sorted(CORRUPTED))
def test_a_corrupted_plan_is_told_by_its_fault(what: str) -> None:
    routes, said = CORRUPTED[what]
    verdict = judge(TINY, routes)
    assert any(said in fault for fault in verdict.faults), verdict.faults
    assert not verdict.complete


def test_a_route_that_comes_home_late_is_a_fault_and_one_with_an_open_end_need_not_come() -> None:
    assert "ends 20.000000 after its horizon" in judge(_with_horizon(80), LAWFUL).faults[0]
    assert not judge(_with_horizon(100), LAWFUL).faults
    assert not judge(replace(TINY, vehicles=(TINY.vehicles[0], Vehicle(0, None, 5, 20, 1))), LAWFUL).faults


def test_what_is_in_no_route_is_unserved_at_its_price_and_breaks_no_rule() -> None:
    verdict = judge(TINY, [[0, 1], []])
    assert (verdict.faults, verdict.unserved, verdict.complete) == ((), 2, False)
    assert verdict.total == 40 + 1000 + 2 * 5000


def test_a_millionth_is_forgiven_and_a_thousandth_is_not() -> None:
    """The diagonal of the unit square is 1.41421356…"""
    text = "1 5 1\n0 0 0 0 0 20 0 0 0\n1 1 1 1 0 {} 0 0 2\n2 2 2 -1 0 20 0 1 0\n"
    for due, lawful in (("1.41421356", True), ("1.4132", False)):
        assert judge(lilim("diagonal", text.format(due).encode()), [[0, 1]]).complete is lawful


def _with_horizon(seconds: float) -> Case:
    return replace(TINY, vehicles=(replace(TINY.vehicles[0], back_by=seconds), TINY.vehicles[1]))


@pytest.mark.parametrize("seed", range(6))
def test_plans_of_published_instances_are_judged_by_a_second_reader_and_agree(seed: int) -> None:
    case = lilim("tiny", any_lilim(Random(seed)).encode())
    routes, told = _inserted(case)
    verdict = judge(case, routes)
    assert verdict.complete, verdict.faults
    assert verdict.drive == pytest.approx(told.distance_m / 10**6, abs=1e-4)
    assert verdict.vehicles == told.couriers


def test_streets_are_read_in_whole_minutes_with_a_vehicle_for_every_pair() -> None:
    text = sartori_text(
        ["0 41.1 2.1 0 0 240 0 0 0", "1 41.2 2.2 5 0 100 5 0 2", "2 41.3 2.3 -5 0 200 5 1 0"],
        [[0, 7, 9], [6, 0, 4], [8, 5, 0]],
    )
    case = sartori("tiny", text.encode())
    routes, _ = _inserted(case)
    assert len(case.vehicles) == 1
    assert (judge(case, routes).drive, judge(case, routes).complete) == (7 + 4 + 8, True)


def test_the_made_province_has_the_travel_of_the_file_format_and_reads_back_as_itself() -> None:
    case = province(60)
    problem = ours.problem_of(case)
    legs = Legs(problem)
    assert np.array_equal(case.travel.matrix(), legs.seconds_matrix)
    assert case.travel.leg(3, 230) == case.travel.matrix()[3, 230]
    assert case == province(60)
    hard = replace(problem, hard_due=True)
    again = native(write_problem(hard).encode())
    assert (again.travel, again.vehicles, again.pairs, again.prices) == (
        case.travel,
        case.vehicles,
        case.pairs,
        case.prices,
    )
    routes, told = _inserted(case)
    verdict = judge(case, routes)
    assert (verdict.faults, verdict.drive, verdict.unserved) == ((), told.travel_s, told.unserved)


def test_moments_of_a_day_come_from_their_seed_with_a_lawful_plan_that_lacks_the_new_request_alone() -> None:
    some, again = (list(islice(states(24, 5, range(1, 20)), 3)) for _ in range(2))
    assert [(state.case, state.warm) for state in some] == [(state.case, state.warm) for state in again]
    for state in some:
        assert judge(state.before(), state.warm).complete
        assert judge(state.case, state.warm).unserved == 1
        routes, told = _inserted(state.with_matrix().case, state.warm)
        verdict = judge(state.case, routes)
        assert verdict.complete, verdict.faults
        assert verdict.total == told.total
        case, ask = state.with_matrix().case, Ask(1.0, how="stand", warm=state.warm)
        ours.load(case, ask)
        assert judge(case, ours.orders(case, ours.solve(case, ask))).total == verdict.total


def test_whole_numbers_never_promise_what_real_ones_cannot_keep() -> None:
    case = lilim("tiny", any_lilim(Random(3)).encode())
    numbers = Whole(case)
    assert (numbers.drive >= 1000 * case.travel.matrix() - 1e-6).all()
    assert all(numbers.window(2 * r)[1] <= 1000 * pair.pickup.closes for r, pair in enumerate(case.pairs))


def test_a_promise_closes_a_window_but_not_before_the_plan_in_force_is_there() -> None:
    numbers = Whole(TINY)
    assert Promised(numbers, None).window(2) == (0, 40)
    assert Promised(numbers, [[0, 1, 2, 3], []]).window(2) == (0, 40)
    assert Promised(numbers, [[], [0, 1, 2, 3]]).window(2) == (0, 45)
    assert Promised(numbers, None, frozenset({1})).window(2) == (0, 90)
    assert Promised(Whole(replace(TINY, now=60)), None).window(2) == (0, 90)


def test_a_section_of_the_report_takes_the_place_of_the_one_it_follows_up(tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    report.write_text("# All\n\nhead\n\n## Two of 10\nold\n\n### part\n\n## Other\nstays\n", encoding="utf-8")
    keep(report, "## Two of 2,000\nnew")
    keep(report, "## Third\nlast")
    assert report.read_text() == "# All\n\nhead\n\n## Two of 2,000\nnew\n\n## Other\nstays\n\n## Third\nlast\n"


def _inserted(case: Case, warm: Routes | None = None) -> tuple[Routes, Cost]:
    """Return a plan of our own quick insertion, and what our library says it costs."""
    ask = Ask(1.0, how="insert", warm=warm)
    ours.load(case, ask)
    plan = ours.solve(case, ask)
    return ours.orders(case, plan), plan.cost
