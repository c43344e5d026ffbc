"""`python -m routing solve FILE` and `python -m routing check FILE PLAN.json`; exit code 0 good, 2 bad input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

from routing import engines, formats
from routing.check import Verdict, check
from routing.errors import RoutingError
from routing.formats.benchmark import Objective
from routing.formats.native import read_plan, write_plan
from routing.formats.solution import write_routes
from routing.model import Number, Plan, Problem
from routing.solve import solve

T = TypeVar("T")
_VEHICLES: Objective = "vehicles"
_DISTANCE: Objective = "distance"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; a refusal is one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        return _solve(options) if options.command == "solve" else _check(options)
    except RoutingError as error:
        print(f"routing: {error}", file=sys.stderr)
        return 2


def _solve(options: argparse.Namespace) -> int:
    problem, form = _problem(options.file, options.objective or _VEHICLES)
    if form == formats.NATIVE and options.objective:
        print(f"routing: {options.file} brings its own weights, --objective is not used", file=sys.stderr)
    if form == formats.NATIVE and options.solution:
        raise RoutingError(
            "bad_value", f"is for benchmark files; the places of {form} have no node numbers", "--solution"
        )
    plan = solve(
        problem,
        engine=options.engine,
        seconds=options.seconds,
        seed=options.seed,
        warm=_from(options.warm, partial(read_plan, ticks=problem.ticks)) if options.warm else None,
        iterations=options.iterations,
        threads=options.threads,
    )
    if options.solution:
        _write(options.solution, write_routes(plan))
    if options.svg:
        from routing.picture import draw

        _write(options.svg, draw(problem, plan, in_km=form == formats.NATIVE))
    if options.out:
        _write(options.out, write_plan(plan, problem.ticks) + "\n")
    if options.out or options.solution or options.svg:
        print(_summary(plan, problem.ticks))
    else:
        print(write_plan(plan, problem.ticks))
    return 0


def _check(options: argparse.Namespace) -> int:
    problem, form = _problem(options.file, options.objective or _VEHICLES)
    plan = _from(options.plan, partial(read_plan, ticks=problem.ticks))
    warm = _from(options.warm, partial(read_plan, ticks=problem.ticks)) if options.warm else None
    verdict = check(problem, plan, warm)
    if form != formats.NATIVE and not options.objective and _only_the_total(verdict):
        # A plan does not say what it was made for: its total may be right by the other objective.
        other = check(_problem(options.file, _DISTANCE)[0], plan, warm)
        verdict = other if other.ok else verdict
    for violation in verdict.violations:
        print(f"{violation.where}: {violation.code}: {violation.sentence}")
    if not verdict.ok:
        print(f"routing: {options.plan} breaks {len(verdict.violations)} rules", file=sys.stderr)
        return 2
    print(f"good, total {_in_units(verdict.cost.total, problem.ticks)}, {verdict.cost.unserved} unserved")
    return 0


def _only_the_total(verdict: Verdict) -> bool:
    return [violation.where for violation in verdict.violations] == ["cost.total"]


def _summary(plan: Plan, ticks: int) -> str:
    served = sum(row.kind == "delivery" for route in plan.routes for row in route.stops)
    total, metres = _in_units(plan.cost.total, ticks), _in_units(plan.cost.distance_m, ticks)
    couriers = f"{plan.cost.couriers} couriers, distance {metres}, total {total}"
    return f"{served} served, {plan.cost.unserved} unserved, {couriers}"


def _in_units(value: Number, ticks: int) -> Number:
    return value if ticks == 1 else value / ticks


def _problem(path: str, objective: Objective) -> tuple[Problem, str]:
    """Read a problem of any format and say which it was."""

    def read(source: bytes) -> tuple[Problem, str]:
        return formats.read_problem(source, Path(path).stem, objective), formats.recognised(source)

    return _from(path, read)


def _from(path: str, read: Callable[[bytes], T]) -> T:
    """Read a file, naming it in every refusal."""
    try:
        return read(Path(path).read_bytes())
    except OSError as error:
        raise RoutingError("unreadable", f"cannot be read: {error.strerror}", path) from None
    except RoutingError as error:
        where = f"{path}: {error.where}" if error.where else path
        raise RoutingError(error.code, error.message, where) from None


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RoutingError("unwritable", f"cannot be written: {error.strerror}", path) from None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"routing: {message}\n")


def _seconds(value: str) -> float:
    seconds = float(value)
    if not 0 < seconds <= 86400:
        raise ValueError
    return seconds


def _count(value: str) -> int:
    count = int(value)
    if count < 1:
        raise ValueError
    return count


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m routing", description="Plan and judge pickup-and-delivery routes.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    solving = commands.add_parser("solve", help=f"make a plan for a {formats.NATIVE} file or a published benchmark")
    solving.add_argument("--seconds", type=_seconds, default=30.0, help="wall-clock limit of the search (30)")
    solving.add_argument("--seed", type=int, default=1, help="the same seed and --iterations give the same plan (1)")
    solving.add_argument("--threads", type=_count, default=1, help="how many cores the search may use (1)")
    solving.add_argument("--iterations", type=_count, help="bound the search by steps, not by the clock")
    solving.add_argument("--engine", choices=engines.names(), default="search")
    solving.add_argument("--out", metavar="PLAN.json", help="write the plan here instead of to the terminal")
    solving.add_argument("--solution", metavar="FILE", help="write `Route k : a b c` by the benchmark's node numbers")
    solving.add_argument("--svg", metavar="FILE", help="draw the plan")
    checking = commands.add_parser("check", help="judge a routing-plan/1 file")
    for command in (solving, checking):
        command.add_argument("file")
        command.add_argument("--objective", choices=[_VEHICLES, _DISTANCE], help="of a benchmark (vehicles)")
        command.add_argument(
            "--warm", metavar="PLAN.json", help="the plan in force: moved stops are counted against it"
        )
    checking.add_argument("plan", metavar="PLAN.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
