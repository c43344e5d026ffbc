"""Our own library, through its front door: what is timed is the one call of it and nothing around it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np

import routing
from bench.routes.case import Ask, Case, Earth, Routes
from routing import NewPlace, Standing, formats
from routing.model import (
    Courier,
    End,
    GeodesicTravel,
    MatrixTravel,
    Place,
    Plan,
    Problem,
    Request,
    Route,
    Travel,
    Weights,
)
from routing.model import Stop as Row

PACKAGE = "numba"
_FOREVER = 10**9

trace: list[tuple[float, float]] = []
"""(seconds, total) of every better plan of the last call."""
_ready: tuple[Problem, Plan | None] | None = None
_standing: tuple[Standing, Request, list[NewPlace]] | None = None


def version() -> str:
    """Return the commit this is, and whether anything was changed since."""
    root = Path(__file__).resolve().parents[3]
    told = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True)
    return told.stdout.strip() or "unknown"


def prepare() -> None:
    """Load the compiled kernel."""
    routing.warm("search")


def load(case: Case, ask: Ask) -> None:
    """Make the problem and the plan in force, as the library's caller has them at hand."""
    global _ready, _standing
    problem = problem_of(case)
    warm = None if ask.warm is None else _plan(problem, ask.warm)
    _ready, _standing = (problem, warm), None
    if ask.how == "stand":
        assert warm is not None
        before, new = _parted(problem)
        _standing = Standing(before, warm), problem.requests[-1], new


def solve(case: Case, ask: Ask) -> Plan | Standing:
    """Return a plan, or what holds it; `how` says where only a place for what is new is asked for.

    `insert`: everything is built for the call. `stand`: the plan is kept in memory, the last request comes to it.
    """
    assert _ready is not None
    problem, warm = _ready
    trace.clear()
    if _standing is not None:
        standing, request, new = _standing
        standing.insert(request, *new)
        return standing
    return _inserted(problem, warm) if ask.how == "insert" else _searched(problem, warm, ask)


def orders(case: Case, found: Plan | Standing) -> Routes:
    """Return a plan's orders of stops."""
    assert _ready is not None
    plan = found.plan() if isinstance(found, Standing) else found
    number = {pair.name: r for r, pair in enumerate(case.pairs)}
    courier = {one.id: v for v, one in enumerate(_ready[0].couriers)}
    made: Routes = [[] for _ in case.vehicles]
    for route in plan.routes:
        made[courier[route.courier]] = [2 * number[row.request] + (row.kind == "delivery") for row in route.stops]
    return made


def _parted(problem: Problem) -> tuple[Problem, list[NewPlace]]:
    """Return a problem with a matrix without its last request, and the places that only this request has."""
    travel, requests = problem.travel, problem.requests[:-1]
    assert isinstance(travel, MatrixTravel)
    seconds, metres = np.asarray(travel.durations_s), np.asarray(travel.distances_m)
    used = {end.place for request in requests for end in (request.pickup, request.delivery)}
    used |= {name for courier in problem.couriers for name in (courier.start, courier.end) if name is not None}
    known = 1 + max(k for k, place in enumerate(problem.places) if place.id in used)
    legs = MatrixTravel(seconds[:known, :known].copy(), metres[:known, :known].copy())
    new = [
        NewPlace(problem.places[k], seconds[:k, k], metres[:k, k], seconds[k, :k], metres[k, :k])
        for k in range(known, len(problem.places))
    ]
    return replace(problem, places=problem.places[:known], travel=legs, requests=requests), new


def _inserted(problem: Problem, warm: Plan | None) -> Plan:
    """Put what the plan in force does not know into it."""
    return routing.solve(problem, engine="greedy", warm=warm)


def _searched(problem: Problem, warm: Plan | None, ask: Ask) -> Plan:
    return routing.solve(
        problem,
        engine="search",
        seconds=ask.seconds,
        seed=ask.seed,
        threads=ask.threads,
        warm=warm,
        progress=lambda seconds, total: trace.append((seconds, float(total))),
    )


def problem_of(case: Case) -> Problem:
    """Return a case as a problem of the library."""
    return _read(case) if case.source else _made(case)


def _read(case: Case) -> Problem:
    """Return the problem as the library reads its file; the file has the same prices, or few vehicles first."""
    assert case.source is not None
    return formats.read_problem(case.source, case.name, "vehicles" if case.prices.vehicle else "distance")


def _made(case: Case) -> Problem:
    """Return a made case, all of whose numbers are whole."""
    travel = case.travel
    if isinstance(travel, Earth):
        drive: Travel = GeodesicTravel(travel.detour, travel.speed_kmh, travel.stop_s)
        places = [Place(str(k), lat, lng) for k, (lat, lng) in enumerate(zip(travel.lat, travel.lng, strict=True))]
    else:
        seconds = travel.matrix().astype(np.int32)
        drive = MatrixTravel(seconds, seconds)
        places = [Place(str(k)) for k in range(len(seconds))]
    names = [place.id for place in places]

    def end(number: int) -> End:
        stop = case.stop(number)
        due = None if stop.due is None else int(stop.due)
        return End(names[stop.place], ((int(stop.opens), int(stop.closes)),), int(stop.service), due)

    requests = [
        Request(
            pair.name,
            # What is on board was collected at some time: its first window says nothing any more.
            end(2 * r) if pair.holder is None else replace(end(2 * r), windows=((0, _FOREVER),), due=None),
            end(2 * r + 1),
            pair.size,
        )
        for r, pair in enumerate(case.pairs)
    ]
    couriers = [
        Courier(
            f"v{v}",
            names[vehicle.start],
            (0, int(vehicle.back_by)),
            vehicle.capacity,
            None if vehicle.end is None else names[vehicle.end],
            int(vehicle.leaves),
            on_board=tuple(pair.name for pair in case.pairs if pair.holder == v),
        )
        for v, vehicle in enumerate(case.vehicles)
    ]
    prices = case.prices
    return Problem(
        case.name,
        tuple(places),
        drive,
        tuple(couriers),
        tuple(requests),
        Weights(unserved=prices.unserved, late_per_s=prices.late_per_s, courier=prices.vehicle, travel_per_s=1),
        now=int(case.now),
    )


def _plan(problem: Problem, routes: Routes) -> Plan:
    """Return orders of stops as a plan in force; of such a plan only the orders are read."""
    rows = [
        Route(
            courier.id,
            tuple(Row(problem.requests[s // 2].id, "delivery" if s % 2 else "pickup", "", 0, 0, 0) for s in order),
            0,
            0,
        )
        for courier, order in zip(problem.couriers, routes, strict=True)
        if order
    ]
    return Plan(problem.name, "search", 1, 0, tuple(rows), (), routing.Cost())
