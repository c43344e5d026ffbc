"""When there is a first complete plan: `python -m bench.routes.first FILE THREADS MONOTONIC_START`, a line of JSON.

The process does what `python -m routing solve FILE` does, and stops as soon as everybody is served.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import routing
import routing.view
from routing import Problem, formats
from routing.legs import Legs

_PRICE = 10**9  # of a request left out: any total below it is that of a complete plan
_LIMIT_S = 100.0


class _Timed(Legs):
    """The matrix of the one problem solved here, and when it was begun and done."""

    __slots__ = ()
    taken: tuple[float, float] = (0.0, 0.0)

    def __init__(self, problem: Problem) -> None:
        began = time.monotonic()
        super().__init__(problem)
        _Timed.taken = began, time.monotonic()


def main(file: str, threads: str, start: str) -> int:
    """Print how long it took from the start of the command and after the matrix."""
    problem = formats.read_problem(Path(file).read_bytes(), "province")
    problem = replace(problem, weights=replace(problem.weights, unserved=_PRICE))
    read = time.monotonic()
    complete: list[float] = []

    def progress(_: float, total: float) -> None:
        if total < _PRICE:
            complete.append(time.monotonic())

    routing.view.Legs = _Timed  # type: ignore[misc]
    routing.solve(
        problem,
        engine="search",
        seconds=_LIMIT_S,
        threads=int(threads),
        progress=progress,
        should_stop=lambda: bool(complete),
    )
    if not complete:
        return 1
    began, ended = _Timed.taken
    told = {"from_start_s": complete[0] - float(start), "read_s": read - float(start), "matrix_s": ended - began}
    print(json.dumps(told | {"after_matrix_s": complete[0] - ended}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
