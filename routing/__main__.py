"""`python -m routing solve FILE` and `python -m routing check FILE PLAN.json`; exit code 0 good, 2 bad input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from routing import engines
from routing.check import check
from routing.errors import RoutingError
from routing.formats.native import read_plan, read_problem, write_plan
from routing.model import Plan
from routing.solve import solve

T = TypeVar("T")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; a refusal is one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        return _solve(options) if options.command == "solve" else _check(options)
    except RoutingError as error:
        print(f"routing: {error}", file=sys.stderr)
        return 2


def _solve(options: argparse.Namespace) -> int:
    plan = solve(
        _from(options.file, read_problem),
        engine=options.engine,
        seconds=options.seconds,
        seed=options.seed,
        warm=_from(options.warm, read_plan) if options.warm else None,
        iterations=options.iterations,
    )
    if options.out:
        _write(options.out, write_plan(plan))
        print(_summary(plan))
    else:
        print(write_plan(plan))
    return 0


def _check(options: argparse.Namespace) -> int:
    warm = _from(options.warm, read_plan) if options.warm else None
    verdict = check(_from(options.file, read_problem), _from(options.plan, read_plan), warm)
    for violation in verdict.violations:
        print(f"{violation.where}: {violation.code}: {violation.sentence}")
    if not verdict.ok:
        print(f"routing: {options.plan} breaks {len(verdict.violations)} rules", file=sys.stderr)
        return 2
    print(f"good, total {verdict.cost.total}, {verdict.cost.unserved} unserved")
    return 0


def _summary(plan: Plan) -> str:
    served = sum(row.kind == "delivery" for route in plan.routes for row in route.stops)
    return f"{served} served, {plan.cost.unserved} unserved, {plan.cost.couriers} couriers, total {plan.cost.total}"


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
        Path(path).write_text(text + "\n", encoding="utf-8")
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
    solving = commands.add_parser("solve", help="make a plan for a routing-problem/1 file")
    solving.add_argument("file")
    solving.add_argument("--seconds", type=_seconds, default=30.0, help="wall-clock limit of the search (30)")
    solving.add_argument("--seed", type=int, default=1)
    solving.add_argument("--iterations", type=_count, help="bound the search by steps, not by the clock")
    solving.add_argument("--engine", choices=engines.names(), default="or_tools")
    solving.add_argument("--warm", help="a routing-plan/1 file to start from")
    solving.add_argument("--out", help="write the plan here instead of to the terminal")
    checking = commands.add_parser("check", help="judge a routing-plan/1 file")
    checking.add_argument("file")
    checking.add_argument("plan")
    checking.add_argument("--warm", help="the plan in force, where moved stops cost")
    return parser


if __name__ == "__main__":
    sys.exit(main())
