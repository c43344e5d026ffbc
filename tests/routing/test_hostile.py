"""Problems nobody wants: each ends in a clear refusal, or in a lawful plan that accounts for every request."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from routing import (
    Break,
    GeodesicTravel,
    MatrixTravel,
    Place,
    Problem,
    RoutingError,
    Weights,
    check,
    engines,
    solve,
    warm,
)
from routing.__main__ import main
from routing.formats.native import write_problem
from routing.reasons import CODES
from routing.validate import MAX_TIME_S
from tests.routing.problems import DAY, PLAIN, courier, line, problem, request

ENGINES = engines.names()
ROADS = line(0, 100, 400, 900)


def crowd(count: int, **wishes: object) -> list:
    return [request(f"r{k}", f"p{k % 4}", f"p{(k + 1) % 4}", **wishes) for k in range(count)]


def closed_roads() -> Problem:
    count = len(ROADS[0])
    nothing = [[0 if i == j else None for j in range(count)] for i in range(count)]
    travel = MatrixTravel(nothing, nothing)
    return problem((ROADS[0], travel), [courier("a", "p0"), courier("b", "p1")], crowd(8))


def far_away_in_time() -> Problem:
    late = (MAX_TIME_S - 50_000, MAX_TIME_S - 1000)
    hours = {"pickup_windows": (late,), "delivery_windows": (late,)}
    return problem(ROADS, [courier("a", "p0", shift=(0, MAX_TIME_S))], crowd(6, **hours))


def a_million_seconds() -> Problem:
    week = (0, 1_000_000)
    hours = {"pickup_windows": (week,), "delivery_windows": (week,), "pickup_due": 900_000}
    return problem(ROADS, [courier("a", "p0", shift=week), courier("b", "p3", shift=week)], crowd(20, **hours))


def a_thousand_million_seconds() -> Problem:
    age = (0, 10**9)
    hours = {"pickup_windows": (age,), "delivery_windows": ((9 * 10**8, 10**9),), "pickup_due": 10}
    weights = replace(PLAIN, duration_per_s=1, delivery_delay_per_s=0.01)
    return problem(ROADS, [courier(c, "p0", shift=age) for c in "ab"], crowd(12, **hours), weights=weights)


def far_apart() -> tuple[tuple[Place, ...], MatrixTravel]:
    far = [[0 if i == j else 2**31 - 1 for j in range(4)] for i in range(4)]
    return ROADS[0], MatrixTravel(far, far)


HOSTILE: dict[str, Callable[[], Problem]] = {
    "no courier": lambda: problem(ROADS, [], crowd(30)),
    "no request": lambda: problem(ROADS, [courier("a", "p0")], []),
    "nothing at all": lambda: Problem("empty", (), MatrixTravel([], []), (), ()),
    "one courier for all": lambda: problem(ROADS, [courier("a", "p0", capacity=1)], crowd(40)),
    "unreachable places": closed_roads,
    "windows in the past": lambda: problem(ROADS, [courier("a", "p0")], crowd(20), now=DAY[1] + 1),
    "zero capacity": lambda: problem(ROADS, [courier(f"c{k}", "p0", capacity=0) for k in range(5)], crowd(20)),
    "shifts that are over": lambda: problem(ROADS, [courier("a", "p0", shift=(0, 100))], crowd(10), now=5000),
    "no kilometre allowed": lambda: problem(ROADS, [courier("a", "p1", max_distance_m=0)], crowd(10)),
    "a rest longer than the shift": lambda: problem(
        ROADS, [courier("a", "p0", shift=(0, 1000), breaks=(Break((100, 200), 5000),))], crowd(10)
    ),
    "available after the shift": lambda: problem(ROADS, [courier("a", "p0", available_at=DAY[1] + 5)], crowd(5)),
    "10^6 seconds": a_million_seconds,
    "10^9 seconds": a_thousand_million_seconds,
    "promises broken long ago": lambda: problem(
        ROADS, [courier("a", "p0"), courier("b", "p3")], crowd(20, pickup_due=-5000, delivery_due=-4000), hard_due=True
    ),
    "everybody for one of three": lambda: problem(
        ROADS, [courier(f"c{k}", "p0", capacity=2) for k in range(3)], crowd(30, only_courier="c1")
    ),
    "legs longer than any day": lambda: problem(far_apart(), [courier("a", "p0"), courier("b", "p3")], crowd(10)),
    "rests one on the other": lambda: problem(
        ROADS, [courier("a", "p0", breaks=tuple(Break((100, 9000), 300) for _ in range(6)))], crowd(12)
    ),
    "10^10 seconds": far_away_in_time,
    "nothing costs anything": lambda: problem(ROADS, [courier("a", "p0")], crowd(15), weights=Weights()),
    "everything costs all there is": lambda: problem(
        ROADS, [courier("a", "p0")], crowd(15), weights=Weights(*[10**12] * len(Weights.__slots__))
    ),
    "requests that go nowhere": lambda: problem(
        ROADS, [courier("a", "p1")], [request(f"r{k}", "p1", "p1", size=0) for k in range(30)]
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_every_request_is_accounted_for(what: str, engine: str) -> None:
    p = HOSTILE[what]()
    warm(engine)
    began = time.process_time()  # on a busy machine the clock runs on while others work
    plan = solve(p, engine=engine, seconds=1.0)
    assert time.process_time() - began <= 1.05 + 1.0
    verdict = check(p, plan)
    assert verdict.ok, verdict.violations
    assert verdict.cost == plan.cost
    served = [row.request for route in plan.routes for row in route.stops if row.kind == "delivery"]
    assert sorted(served + [entry.request for entry in plan.unserved]) == sorted(one.id for one in p.requests)
    assert {entry.code for entry in plan.unserved} <= set(CODES)


BAD: dict[str, tuple[Callable[[Problem], Problem], str]] = {
    "a request twice": (lambda p: replace(p, requests=p.requests + p.requests[:1]), "requests[4].id"),
    "a courier twice": (lambda p: replace(p, couriers=p.couriers * 2), "couriers[1].id"),
    "a place twice": (lambda p: replace(p, places=(*p.places[:3], p.places[0])), "places[3].id"),
    "a price that is no number": (lambda p: replace(p, weights=replace(PLAIN, courier=math.nan)), "weights.courier"),
    "an endless price": (lambda p: replace(p, weights=replace(PLAIN, unserved=math.inf)), "weights.unserved"),
    "a priority that is no number": (
        lambda p: replace(p, requests=(request("r", "p0", "p1", priority=math.nan),)),
        "requests[0].priority",
    ),
    "an hour that is no number": (lambda p: replace(p, now=math.nan), "now"),
    "a due hour that is no number": (
        lambda p: replace(p, requests=(request("r", "p0", "p1", delivery_due=math.nan),)),
        "requests[0].delivery.due",
    ),
    "a size that is no number": (
        lambda p: replace(p, requests=(request("r", "p0", "p1", size=math.nan),)),
        "requests[0].size",
    ),
    "a place that is nowhere": (
        lambda p: replace(
            p, places=tuple(Place(f"p{k}", math.nan, 5.0) for k in range(4)), travel=GeodesicTravel(1.3, 28)
        ),
        "places[0].lat",
    ),
    "a detour that is no number": (
        lambda p: replace(
            p, places=tuple(Place(f"p{k}", 1.0, 5.0) for k in range(4)), travel=GeodesicTravel(math.nan, 28)
        ),
        "travel.detour",
    ),
    "a negative price": (lambda p: replace(p, weights=replace(PLAIN, late_per_s=-1)), "weights.late_per_s"),
    "a matrix with a row too few": (
        lambda p: replace(p, travel=MatrixTravel(ROADS[1].durations_s[:3], ROADS[1].distances_m)),
        "travel.durations_s",
    ),
    "a matrix with a short row": (
        lambda p: replace(p, travel=MatrixTravel(ROADS[1].durations_s, [[0, 1, 2, 3]] * 3 + [[0]])),
        "travel.distances_m[3]",
    ),
    "a matrix of floats": (
        lambda p: replace(p, travel=MatrixTravel(np.zeros((4, 4)), np.zeros((4, 4)))),
        "travel.durations_s",
    ),
    "a place without coordinates": (lambda p: replace(p, travel=GeodesicTravel(1.3, 28)), "places[0].lat"),
    "a place beyond the pole": (
        lambda p: replace(p, places=tuple(Place(f"p{k}", 91.0, 5.0) for k in range(4)), travel=GeodesicTravel(1.3, 28)),
        "places[0].lat",
    ),
    "a speed of nothing": (
        lambda p: replace(p, places=tuple(Place(f"p{k}", 1.0, 5.0) for k in range(4)), travel=GeodesicTravel(1.3, 0)),
        "travel.speed_kmh",
    ),
    "an unknown place": (lambda p: replace(p, couriers=(courier("a", "nowhere"),)), "couriers[0].start"),
    "a window that closes first": (
        lambda p: replace(p, requests=(request("r", "p0", "p1", pickup_windows=((9, 3),)),)),
        "requests[0].pickup.windows[0]",
    ),
    "no window": (
        lambda p: replace(p, requests=(request("r", "p0", "p1", delivery_windows=()),)),
        "requests[0].delivery.windows",
    ),
    "a negative size": (lambda p: replace(p, requests=(request("r", "p0", "p1", size=-1),)), "requests[0].size"),
    "a negative capacity": (lambda p: replace(p, couriers=(courier("a", "p0", capacity=-1),)), "couriers[0].capacity"),
    "a time beyond all days": (lambda p: replace(p, now=10**11), "now"),
    "a parcel on two motorbikes": (
        lambda p: replace(p, couriers=(courier("a", "p0", on_board=("r0",)), courier("b", "p0", on_board=("r0",)))),
        "couriers[1].on_board[0]",
    ),
}


@pytest.mark.parametrize("what", sorted(BAD))
def test_what_contradicts_itself_is_refused_with_its_path(what: str) -> None:
    spoil, where = BAD[what]
    with pytest.raises(RoutingError) as error:
        solve(spoil(problem(ROADS, [courier("a", "p0")], crowd(4))), engine="greedy")
    assert error.value.where == where
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e400", "-5"])
def test_a_hostile_number_in_a_file_is_refused_by_the_command(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write_problem(problem(ROADS, [courier("a", "p0")], crowd(2)))
    assert json.loads(text)["weights"]["distance_per_m"] == 1
    path = tmp_path / "p.json"
    path.write_text(text.replace('"distance_per_m": 1', f'"distance_per_m": {number}'))
    assert main(["solve", str(path), "--engine", "greedy"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
