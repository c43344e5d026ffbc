"""`python -m routing`: what it prints, what it leaves behind, and how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from routing import Break, End, GeodesicTravel, Place, Problem, Request, Weights, solve
from routing.__main__ import main
from routing.formats.native import write_problem
from tests.routing.problems import courier, line, problem, request

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    requests = [request(f"r{k}", f"p{k}", f"p{k + 1}") for k in range(3)]
    path = tmp_path / "problem.json"
    path.write_text(write_problem(problem(line(0, 100, 400, 900), [courier("a", "p0")], requests)))
    return path


def test_solve_writes_a_plan_that_check_accepts(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = file.with_name("plan.json")
    assert main(["solve", str(file), "--iterations", "3", "--seed", "7", "--out", str(out)]) == 0
    assert "3 served, 0 unserved" in capsys.readouterr().out
    plan = json.loads(out.read_text())
    assert (plan["engine"], plan["seed"]) == ("search", 7)
    assert main(["check", str(file), str(out)]) == 0
    assert capsys.readouterr().out.startswith("good, total 900")


def test_a_plan_goes_to_the_terminal_when_no_file_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", str(file), "--engine", "greedy", "--seconds", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "routing-plan/1"


def test_a_plan_in_force_is_started_from(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    assert main(["solve", str(file), "--engine", "greedy", "--out", str(first)]) == 0
    assert main(["solve", str(file), "--engine", "greedy", "--warm", str(first), "--out", str(second)]) == 0
    assert json.loads(first.read_text())["routes"] == json.loads(second.read_text())["routes"]
    assert main(["check", str(file), str(second), "--warm", str(first)]) == 0
    assert capsys.readouterr().err == ""


def test_check_names_every_rule_a_plan_breaks(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = file.with_name("plan.json")
    main(["solve", str(file), "--engine", "greedy", "--out", str(out)])
    plan = json.loads(out.read_text())
    plan["routes"][0]["stops"][1]["arrive"] -= 50
    out.write_text(json.dumps(plan))
    capsys.readouterr()
    assert main(["check", str(file), str(out)]) == 2
    assert "routes[0].stops[1]: too_early" in capsys.readouterr().out


BAD = [
    (["solve", "nowhere.json"], "nowhere.json: cannot be read"),
    (["solve", "{tmp}/lilim.txt"], "has no pickup-and-delivery pair"),
    (["solve", "{tmp}/broken.json"], "couriers: is missing; it should hold a list of couriers"),
    (["solve", "{file}", "--seconds", "-1"], "--seconds"),
    (["solve", "{file}", "--seconds", "soon"], "--seconds"),
    (["solve", "{file}", "--iterations", "0"], "--iterations"),
    (["solve", "{file}", "--engine", "magic"], "--engine"),
    (["solve", "{file}", "--out", "/proc/none/plan.json"], "cannot be written"),
    (["check", "{file}", "{file}"], "must be 'routing-plan/1'"),
    (["solve"], "file"),
    (["fly"], "fly"),
    ([], "command"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(a) or "nothing" for a, _ in BAD])
def test_bad_input_is_refused_in_one_line(
    arguments: list[str], said: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lilim.txt").write_text("25 200 1\n0 40 50 0 0 1236 0 0 0\n")
    broken = {k: v for k, v in json.loads(file.read_text()).items() if k != "couriers"}
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    arguments = [argument.format(tmp=tmp_path, file=file) for argument in arguments]
    try:
        code = main([*arguments, "--engine", "greedy"] if "--out" in arguments else arguments)
    except SystemExit as gone:
        code = int(str(gone.code))
    lines = capsys.readouterr().err.strip().splitlines()
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("routing: ")
    assert said in lines[0]


def test_the_command_runs_by_itself(file: Path) -> None:
    command = [sys.executable, "-m", "routing", "solve", str(file), "--engine", "greedy", "--seconds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["cost"]["unserved"] == 0
    assert done.stderr == ""


def test_importing_the_library_loads_no_solver() -> None:
    solvers = {"ortools", "geopy", "numba", "osmium", "routingkit_cch", "urllib3", "flask", "sqlalchemy"}
    script = f"import sys, routing, routing.__main__; print(sorted(set(sys.modules) & {solvers}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_day_of_a_town_is_served_whole_and_one_more_is_fitted_in() -> None:
    """150 requests on 12 couriers, then one more into 60; how fast is shown in `bench/`."""

    def town(count: int, couriers: int) -> Problem:
        rnd = Random(5)
        places = tuple(Place(f"p{k}", 12.2 + rnd.random() / 9, 109.1 + rnd.random() / 9) for k in range(count + 8))
        requests = []
        for k in range(count):
            opens = rnd.randrange(18000)
            collect = End(f"p{rnd.randrange(8)}", ((opens, 36000),), 120, opens + 14400)
            requests.append(Request(f"r{k}", collect, End(f"p{k + 8}", ((0, 36000),), 180)))
        lunch = (Break((14400, 18000), 1800),)
        riders = [courier(f"c{k}", f"p{k % 8}", capacity=20, breaks=lunch) for k in range(couriers)]
        weights = Weights(100_000_000, 50, 0, 1, delivery_delay_per_s=0.01)
        return Problem("town", places, GeodesicTravel(1.35, 28, 20), tuple(riders), tuple(requests), weights)

    large = town(150, 12)
    assert solve(large, engine="greedy", seconds=60).cost.unserved == 0
    live = town(61, 8)
    before = solve(replace(live, requests=live.requests[:60]), engine="greedy", seconds=60)
    assert solve(live, engine="greedy", seconds=60, warm=before).cost.unserved == 0
