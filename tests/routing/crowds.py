"""Large problems nobody wants, and a process of its own for each: `python -m tests.routing.crowds NAME ENGINE SECONDS`.

In a process of its own neither a search that forgets its time nor one that takes all memory harms the other tests.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import routing
from routing import Break, Courier, MatrixTravel, Problem, Request, check, solve
from tests.routing.problems import DAY, PLAIN, courier, line, problem, request

COUNT = 5000
_ROADS = line(0, 100, 400, 900)
_LUNCH = (Break((10000, 14000), 1800),)


def _crowd(to: str = "p0", hours: tuple[int, int] = DAY) -> list[Request]:
    open_at = {"pickup_windows": (hours,), "delivery_windows": (hours,)}
    one = request("r", "p0", to, pickup_service_s=60, delivery_service_s=60, **open_at)
    return [replace(one, id=f"r{k}") for k in range(COUNT)]


def _riders(count: int = 3, **wishes: object) -> list[Courier]:
    return [courier(f"c{k}", "p0", **wishes) for k in range(count)]


def _unreachable() -> Problem:
    nothing = [[0 if i == j else None for j in range(4)] for i in range(4)]
    return problem((_ROADS[0], MatrixTravel(nothing, nothing)), _riders(50), _crowd("p2"))


def _each_closed_at_another_hour() -> Problem:
    gone = [replace(one, pickup=replace(one.pickup, windows=((k - 9000, k - 8000),))) for k, one in enumerate(_crowd())]
    return problem(_ROADS, _riders(), gone)


_LASTING = replace(PLAIN, duration_per_s=1)
_LONG = (0, 10**6)
CROWDS: dict[str, Callable[[], Problem]] = {
    "at one place": lambda: problem(_ROADS, _riders(), _crowd()),
    "at one place, with breaks": lambda: problem(_ROADS, _riders(breaks=_LUNCH), _crowd()),
    "at one place, duration priced": lambda: problem(_ROADS, _riders(), _crowd(), weights=_LASTING),
    "at one place, room for all": lambda: problem(
        _ROADS, _riders(capacity=COUNT, shift=_LONG), _crowd(hours=_LONG), weights=replace(PLAIN, courier=10**6)
    ),
    "at one place, room for all, with breaks, duration priced": lambda: problem(
        _ROADS, _riders(capacity=COUNT, shift=_LONG, breaks=_LUNCH), _crowd(hours=_LONG), weights=_LASTING
    ),
    "at one place, balanced": lambda: problem(_ROADS, _riders(), _crowd(), weights=replace(PLAIN, balance=1)),
    "to one place, many couriers": lambda: problem(_ROADS, _riders(300, breaks=_LUNCH), _crowd("p2")),
    "for one courier with one bag": lambda: problem(_ROADS, _riders(1, capacity=1), _crowd("p1")),
    "for nobody": lambda: problem(_ROADS, [], _crowd()),
    "without any road": _unreachable,
    "in the past, each at another hour": _each_closed_at_another_hour,
    "in thirty years": lambda: problem(_ROADS, _riders(shift=(0, 10**9)), _crowd(hours=(9 * 10**8, 10**9))),
}


def _peak_mb() -> int:
    """Return the most memory of this program alone; `ru_maxrss` would start with what its parent had."""
    kept = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(kept.split()[1]) // 1024


def main(name: str, engine: str, seconds: float) -> None:
    made = CROWDS[name]()
    routing.warm(engine)
    began = time.process_time()
    plan = solve(made, engine=engine, seconds=seconds)
    spent = time.process_time() - began
    served = [row.request for route in plan.routes for row in route.stops if row.kind == "delivery"]
    print(
        json.dumps(
            {
                "cpu_s": spent,
                "peak_mb": _peak_mb(),
                "violations": [violation.code for violation in check(made, plan).violations],
                "complete": sorted(served + [e.request for e in plan.unserved]) == sorted(r.id for r in made.requests),
                "served": len(served),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
