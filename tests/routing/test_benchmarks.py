"""Published benchmark files: recognised by their look, judged in real numbers, refused with the line that is wrong."""

from __future__ import annotations

import json
import math
import pkgutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from routing import Problem, RoutingError, check, formats, solve
from routing.__main__ import main
from routing.formats.native import read_plan, write_plan, write_problem
from routing.formats.solution import write_routes
from tests.routing.benchmarks import any_lilim, judged, lilim, lilim_rows, routes_of, sartori, solomon, solomon_rows
from tests.routing.problems import courier, line, problem, request

LILIM = any_lilim(Random(1))
SOLOMON = solomon([[3, 4, 5, 0, 100, 10], [-30, 40, 9, 60, 90, 10], [30, -40, 7, 50, 300, 10]])
SARTORI = sartori(
    ["0 41.1 2.1 0 0 240 0 0 0", "1 41.2 2.2 5 0 100 5 0 2", "2 41.3 2.3 -5 0 200 5 1 0"],
    [[0, 7, 9], [6, 0, 4], [8, 5, 0]],
)


def read(text: str) -> Problem:
    return formats.read_problem(text.encode(), "tiny")


@pytest.mark.parametrize(
    ("text", "form", "name"),
    [
        (LILIM, "Li & Lim", "tiny"),
        (SOLOMON, "Solomon and Gehring-Homberger", "T101"),
        (SARTORI, "Sartori & Buriol", "tiny-n2"),
        (write_problem(problem(line(0, 5), [courier("a", "p0")], [])), "routing-problem/1", "test"),
    ],
)
def test_each_format_is_recognised_by_its_look(text: str, form: str, name: str) -> None:
    assert formats.recognised(text.encode()) == form
    assert formats.recognised(b"\xef\xbb\xbf\r\n" + text.replace("\n", "\r\n").encode()) == form
    assert read(text).name == name


def test_every_module_that_reads_a_benchmark_is_found_in_the_folder() -> None:
    modules = {module.name for module in pkgutil.iter_modules(formats.__path__)}
    assert len(formats.benchmarks()) == len(modules & {"lilim", "sartori", "solomon"}) == 3


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("engine", ["greedy", "or_tools"])
def test_lilim_plans_are_lawful_in_real_numbers_and_as_long_as_they_say(seed: int, engine: str) -> None:
    text = any_lilim(Random(seed))
    p = read(text)
    plan = solve(p, engine=engine, iterations=2)
    assert check(p, plan).ok
    assert not plan.unserved
    routes = routes_of(write_routes(plan))
    length = judged(*lilim_rows(text), routes)
    assert plan.cost.distance_m / p.ticks == pytest.approx(length, abs=1e-5)
    assert plan.cost.couriers == len(routes)


def test_a_window_that_is_met_to_the_last_digit_is_met_and_one_missed_by_a_thousandth_is_missed() -> None:
    """3-4-5 triangles arrive on the dot; the diagonal of a unit square is 1.41421356… from the depot."""
    on_the_dot = lilim([([3, 4, 1, 0, 5, 0], [6, 8, -1, 0, 10, 0])], horizon=20)
    assert not solve(read(on_the_dot), engine="greedy").unserved
    for due, served in ((1.414214, True), (1.413, False), (1.414213, False)):
        text = lilim([([1, 1, 1, 0, due, 0], [2, 2, -1, 0, 9, 0])])
        assert bool(solve(read(text), engine="greedy").unserved) is not served


def test_few_vehicles_come_before_any_distance_unless_distance_alone_counts() -> None:
    far_apart = lilim(
        [([0, 90, 1, 0, 900, 0], [0, 91, -1, 0, 900, 0]), ([0, -90, 1, 0, 900, 0], [0, -91, -1, 0, 900, 0])]
    )
    source = far_apart.replace("500", "900").encode()
    few = solve(formats.read_problem(source, "x", "vehicles"), engine="greedy")
    assert (few.cost.couriers, few.cost.distance_m) == (1, 364_000_000)
    short = formats.read_problem(source, "x", "distance")
    assert short.weights.courier == 0
    assert solve(short, engine="greedy").cost.total == short.weights.distance_per_m * 364_000_000


def test_no_distance_of_any_plan_is_worth_a_vehicle_more() -> None:
    p = read(any_lilim(Random(3), count=30))
    plan = solve(p, engine="greedy")
    assert p.weights.courier > plan.cost.distance_m
    assert p.weights.unserved > p.weights.courier + plan.cost.distance_m


def test_solomon_routes_carry_no_more_than_a_vehicle_holds_and_load_once() -> None:
    rnd = Random(2)
    for _ in range(8):
        customers = [[rnd.randrange(-30, 31), rnd.randrange(-30, 31), rnd.randint(0, 9), 0, 400, 0] for _ in range(9)]
        customers += [[0, 0, 9, 0, 400, 0], [0, 0, 9, 0, 400, 0]]  # customers at the depot itself
        text = solomon(customers, "9 20")
        p = read(text)
        plan = solve(p, engine="greedy")
        assert check(p, plan).ok
        length = judged(*solomon_rows(text), routes_of(write_routes(plan)))
        assert plan.cost.distance_m / p.ticks == pytest.approx(length, abs=1e-5)


def test_a_customer_larger_than_the_vehicle_is_named() -> None:
    plan = solve(read(solomon([[3, 4, 21, 0, 100, 10]])), engine="greedy")
    assert [entry.code for entry in plan.unserved] == ["capacity_exceeded"]


def test_sartori_minutes_come_from_the_edges_and_not_from_the_coordinates() -> None:
    p = read(SARTORI)
    plan = solve(p, engine="greedy")
    assert (plan.cost.distance_m, plan.cost.travel_s, p.ticks) == (7 + 4 + 8, 19, 1)
    assert write_routes(plan) == "Route 1 : 1 2\n"
    assert [(row.arrive, row.depart) for row in plan.routes[0].stops] == [(7, 12), (16, 21)]


def test_a_horizon_of_a_million_is_planned_in_coarser_fractions() -> None:
    text = lilim([([3, 4, 1, 0, 900_000, 10], [6, 8, -1, 0, 900_000, 10])], horizon=1_000_000)
    p = read(text)
    assert 1 < p.ticks < 10**6
    assert solve(p, engine="greedy").cost.distance_m == 20 * p.ticks


def test_plan_files_of_benchmarks_are_in_the_units_of_their_file() -> None:
    p = read(LILIM)
    plan = solve(p, engine="greedy")
    written = json.loads(write_plan(plan, p.ticks))
    assert written["cost"]["distance_m"] == pytest.approx(plan.cost.distance_m / p.ticks)
    assert written["cost"]["couriers"] == plan.cost.couriers
    assert written["routes"][0]["stops"][0]["arrive"] < 500
    assert read_plan(write_plan(plan, p.ticks), p.ticks) == plan


def test_a_plan_reckoned_in_real_numbers_by_another_program_is_accepted() -> None:
    """Its times have all the digits of float64, and its legs are not rounded up."""
    for seed in range(6):
        text = any_lilim(Random(seed))
        p = read(text)
        plan = json.loads(write_plan(solve(p, engine="greedy", iterations=1), p.ticks))
        rows, _ = lilim_rows(text)
        total = travel = duration = delay = 0.0
        for route in plan["routes"]:
            at, here, length, left_at = 0.0, 0, 0.0, 0.0
            for k, row in enumerate(route["stops"]):
                node = int(row["place"])
                leg = math.hypot(rows[here][0] - rows[node][0], rows[here][1] - rows[node][1])
                row["arrive"] = max(at + leg, rows[node][3]) if k == 0 else at + leg
                left_at = row["arrive"] - leg if k == 0 else left_at
                row["start"] = max(row["arrive"], rows[node][3])
                row["depart"] = at = row["start"] + rows[node][5]
                delay += row["start"] - rows[int(rows[node][6])][3] if row["kind"] == "delivery" else 0
                length, here = length + leg, node
            home = math.hypot(rows[here][0], rows[here][1])
            route["distance_m"], route["end_at"] = length + home, at + home
            travel, duration = travel + length + home, duration + at + home - left_at
        total = plan["cost"]["total"] - plan["cost"]["distance_m"] + travel
        plan["cost"] |= {"total": total, "distance_m": travel, "travel_s": travel, "duration_s": duration}
        plan["cost"]["delivery_delay_s"] = delay
        verdict = check(p, read_plan(json.dumps(plan), p.ticks))
        assert verdict.ok, verdict.violations
        plan["routes"][0]["stops"][1]["arrive"] -= 0.001
        assert not check(p, read_plan(json.dumps(plan), p.ticks)).ok


NO_PARTNER = lilim([([1, 1, 1, 0, 9, 0], [2, 2, -1, 0, 9, 0])])
WRONG: dict[str, tuple[str, str]] = {
    "eight numbers on a line": (NO_PARTNER.replace("1\t1\t1\t1", "1\t1\t1"), "line 3: must hold 9 numbers"),
    "a word": (NO_PARTNER.replace("1\t1\t1\t1", "1\tx\t1\t1"), "line 3: x must be a finite number, not 'x'"),
    "NaN": (NO_PARTNER.replace("1\t1\t1\t1", "1\tnan\t1\t1"), "line 3: x must be a finite number"),
    "a number twice": (NO_PARTNER.replace("\n2\t", "\n1\t"), "line 4: node 1 stands already on line 3"),
    "a negative due": (NO_PARTNER.replace("\t9\t0\t0\t2", "\t-9\t0\t0\t2"), "line 3: due must be between 0"),
    "ready after due": (
        NO_PARTNER.replace("\t0\t9\t0\t0\t2", "\t10\t9\t0\t0\t2"),
        "line 3: ready 10 must not",
    ),
    "half a demand": (NO_PARTNER.replace("1\t1\t1\t1", "1\t1\t1\t1.5"), "line 3: demand must be a whole number"),
    "negative service": (NO_PARTNER.replace("\t9\t0\t0\t2", "\t9\t-1\t0\t2"), "line 3: service must be between"),
    "unknown partner": (NO_PARTNER.replace("\t0\t2\n", "\t0\t7\n"), "line 3: its partner 7 is no node"),
    "no partner": (NO_PARTNER.replace("\t0\t2\n", "\t0\t0\n"), "line 3: node 1 must name its pickup or its delivery"),
    "one-sided": (NO_PARTNER.replace("\t1\t0\n", "\t0\t1\n"), "names 2 as its partner"),
    "unequal demand": (NO_PARTNER.replace("\t-1\t", "\t-2\t"), "line 3: picks up 1, but its delivery 2 has demand -2"),
    "no depot": ("5 20 1\n1 0 0 0 0 9 0 0 0\n", "line 2: must be the depot, node 0"),
    "no nodes": ("5 20 1\n", "has no line for the depot"),
    "no pairs": ("5 20 1\n0 0 0 0 0 9 0 0 0\n", "has no pickup-and-delivery pair"),
    "half a vehicle": (NO_PARTNER.replace("5 20 1", "5.5 20 1"), "line 1: vehicles must be a whole number"),
    "points too far apart": (NO_PARTNER.replace("1\t1\t1\t1", "1\t1e12\t1\t1"), "farther apart"),
    "nothing": ("", "is neither routing-problem/1 nor"),
    "a poem": ("Cao Bằng\ngạo nước\n", "is neither routing-problem/1 nor"),
    "no customers": (SOLOMON[: SOLOMON.index("CUSTOMER")], "has no line CUSTOMER"),
    "no fleet": (SOLOMON.replace("  5   20", ""), "line 3: must be followed by one line"),
    "six values of a customer": (SOLOMON.replace("-30    40", "-30"), "must hold 7 numbers"),
    "a negative customer": (SOLOMON.replace("40    9", "40    -9"), "DEMAND must not be negative"),
    "size too large": (SARTORI.replace("SIZE: 3", "SIZE: 4"), "SIZE says 4 nodes, the file has 3"),
    "no size": (SARTORI.replace("SIZE: 3\n", ""), "SIZE: is missing"),
    "no edges": (SARTORI[: SARTORI.index("EDGES")], "has no line EDGES"),
    "a row too few": (SARTORI.replace("\n8 5 0", ""), "EDGES: must have one row for each of the 3 nodes, not 2"),
    "a column too few": (SARTORI.replace("6 0 4", "6 0"), "must have one value for each of the 3 nodes, not 2"),
    "negative minutes": (SARTORI.replace("6 0 4", "6 0 -4"), "must hold whole minutes"),
    "half minutes": (SARTORI.replace("6 0 4", "6 0 4.5"), "must hold whole minutes"),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_a_wrong_benchmark_is_refused_in_one_line_that_says_where(what: str) -> None:
    text, said = WRONG[what]
    with pytest.raises(RoutingError) as error:
        read(text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(RoutingError, match="UTF-8"):
        formats.read_problem(b"5 20 1\n\xff", "x")


@pytest.mark.parametrize("objective", ["vehicles", "distance"])
def test_the_command_line_solves_writes_and_checks_a_benchmark(
    objective: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, plan, solution, picture = (tmp_path / name for name in ("tiny.txt", "plan.json", "routes.txt", "plan.svg"))
    file.write_text(LILIM)
    wanted = ["--objective", objective, "--engine", "greedy"]
    outs = ["--out", str(plan), "--solution", str(solution), "--svg", str(picture)]
    assert main(["solve", str(file), *wanted, *outs]) == 0
    said = capsys.readouterr().out
    length = judged(*lilim_rows(LILIM), routes_of(solution.read_text()))
    assert f"distance {length:.4f}"[:-1] in said
    assert picture.read_text().startswith("<svg ")
    assert main(["check", str(file), str(plan)]) == 0
    assert main(["check", str(file), str(plan), "--objective", objective]) == 0
    assert main(["solve", str(file), *wanted, "--warm", str(plan), "--out", str(plan)]) == 0
    other = {"vehicles": "distance", "distance": "vehicles"}[objective]
    assert main(["check", str(file), str(plan), "--objective", other]) == 2
    spoiled = json.loads(plan.read_text())
    spoiled["routes"][0]["stops"][-1]["start"] += 0.001
    plan.write_text(json.dumps(spoiled))
    assert main(["check", str(file), str(plan)]) == 2


Refusal = Callable[[Path], list[str]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (lambda tmp: ["solve", str(tmp / "bad.txt")], "bad.txt: line 2: must hold 9 numbers"),
        (lambda tmp: ["solve", str(tmp / "p.json"), "--solution", str(tmp / "s")], "--solution: is for benchmark"),
        (lambda tmp: ["solve", str(tmp / "tiny.txt"), "--objective", "fun"], "--objective"),
        (lambda tmp: ["solve", str(tmp / "tiny.txt"), "--threads", "0"], "--threads"),
        (lambda tmp: ["check", str(tmp / "tiny.txt"), str(tmp / "tiny.txt")], "is not JSON"),
        (lambda tmp: ["solve", str(tmp)], "cannot be read"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(
    arguments: Refusal, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.txt").write_text(LILIM)
    (tmp_path / "bad.txt").write_text("25 200 1\n0 40 50\n")
    (tmp_path / "p.json").write_text(
        write_problem(problem(line(0, 5), [courier("a", "p0")], [request("r", "p0", "p1")]))
    )
    try:
        code = main(arguments(tmp_path))
    except SystemExit as gone:
        code = int(str(gone.code))
    lines = capsys.readouterr().err.strip().splitlines()
    assert (code, len(lines)) == (2, 1)
    assert said in lines[0]
