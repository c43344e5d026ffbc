"""Travel times: the file's formula to the last integer, the terrain table, hand-made pairs."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from routing import GeodesicTravel, MatrixTravel, Place, Problem, RoutingError, Weights, check, solve
from routing.kernel.build import case_of
from routing.kernel.layout import Case
from routing.legs import Legs
from routing.travel import NO_LEG, Leg, Point, Terrain, TravelModel
from routing.travel.geodesic import DEFAULT_TERRAIN, FileLegs, TerrainTravel
from routing.travel.table import TableTravel
from routing.view import View
from tests.routing.problems import courier, problem, request


def by_hand(a: tuple[float, float], b: tuple[float, float], travel: GeodesicTravel) -> tuple[int, int]:
    """One leg of the file's formula with the standard library and fractions only."""
    phi, psi = math.radians(a[0]), math.radians(b[0])
    h = math.sin((phi - psi) / 2) ** 2
    h += math.cos(phi) * math.cos(psi) * math.sin((math.radians(a[1]) - math.radians(b[1])) / 2) ** 2
    metres = round(2 * 6371008.8 * math.asin(math.sqrt(h)) * travel.detour)
    seconds = math.ceil(Fraction(metres * 36) / (10 * Fraction(str(travel.speed_kmh)))) + travel.stop_overhead_s
    return seconds, metres


def made(points: list[tuple[float, float]], travel: GeodesicTravel) -> FileLegs:
    return FileLegs([p[0] for p in points], [p[1] for p in points], travel)


@pytest.mark.parametrize("speed", [28, 28.8, 27.3, 0.7])
def test_the_files_geodesic_legs_are_exact(speed: float) -> None:
    rnd = Random(4)
    points = [(12 + rnd.random(), 109 + rnd.random()) for _ in range(40)]
    travel = GeodesicTravel(1.35, speed, 20)
    seconds, metres = made(points, travel).both()
    for i, a in enumerate(points):
        for j, b in enumerate(points):
            expected = (0, 0) if i == j else by_hand(a, b, travel)
            assert (seconds[i, j], metres[i, j]) == expected
    assert seconds.dtype == metres.dtype == np.int32


@pytest.mark.parametrize("count", [0, 1, 2, 129, 300, 700])
@pytest.mark.parametrize("speed", [27.3, 28.123456789012345, 1e9])
def test_legs_are_the_same_in_pieces_mirrored_by_threads_and_one_by_one(count: int, speed: float) -> None:
    rnd = Random(count)
    points = [(rnd.uniform(-90, 90), rnd.uniform(-180, 180)) for _ in range(count)]
    if count > 8:
        points[2:6] = [(90.0, 0.0), (-90.0, 7.0), (12.0, 180.0), (12.0, -180.0)]
        points[-2:] = points[:2]  # other places at the same points
    travel = GeodesicTravel(1.0, speed, 3)
    legs = made(points, travel)
    seconds, metres = legs.both()
    assert seconds.shape == metres.shape == (count, count)
    assert np.array_equal(seconds, legs.seconds())
    assert np.array_equal(seconds, seconds.T)
    assert np.array_equal(metres, metres.T)
    assert not seconds.diagonal().any()
    assert not metres.diagonal().any()
    ends = [*range(min(count, 8)), *range(max(count - 2, 0), count)]
    pairs = [(i, j) for i in ends for j in ends]
    for i, j in pairs + [(rnd.randrange(count), rnd.randrange(count)) for _ in pairs]:
        assert legs.leg_m(i, j) == metres[i, j]
        if i != j:
            assert (seconds[i, j], metres[i, j]) == by_hand(points[i], points[j], travel)


def by_the_book(lat: NDArray[np.float64], lng: NDArray[np.float64], detour: float) -> NDArray[np.float64]:
    """All legs of the file's formula before they are rounded, written as the format writes it."""
    phi, lam = np.radians(lat), np.radians(lng)
    h = np.sin((phi[:, None] - phi) / 2) ** 2
    h += np.cos(phi[:, None]) * np.cos(phi) * np.sin((lam[:, None] - lam) / 2) ** 2
    metres: NDArray[np.float64] = 2 * 6371008.8 * np.arcsin(np.sqrt(np.clip(h, 0, 1))) * detour
    return metres


@pytest.mark.parametrize("spread", [1e-4, 0.01, 1.0, 90.0])
@pytest.mark.parametrize("detour", [1.0, 1.35, 40.0])
def test_none_of_a_million_legs_is_rounded_otherwise_than_the_formula_says(spread: float, detour: float) -> None:
    dice = np.random.default_rng(5)
    lat, lng = dice.uniform(-spread, spread, 600), dice.uniform(-2 * spread, 2 * spread, 600)
    metres = FileLegs(lat.tolist(), lng.tolist(), GeodesicTravel(detour, 28, 20)).both()[1]
    assert np.array_equal(metres, np.rint(by_the_book(lat, lng, detour)))


@pytest.mark.parametrize(("apart", "lat"), [(0.003, (12.0, 12.0)), (2.0, (12.0, 12.0)), (179.99, (12.0, -12.0))])
def test_legs_a_hair_from_half_a_metre_are_rounded_as_the_formula_says(apart: float, lat: tuple[float, float]) -> None:
    """Neighbours round the globe are all as far apart but for the last digits, and half a metre lies among those."""
    ring, lng = np.resize(lat, 300), np.arange(300) * apart % 360 - 180
    exact = by_the_book(ring, lng, 1.0)[0, 1]
    detour = float((np.floor(exact) + 0.5) / exact)
    expected = np.rint(by_the_book(ring, lng, detour))
    metres = FileLegs(ring.tolist(), lng.tolist(), GeodesicTravel(detour, 28, 20)).both()[1]
    assert np.array_equal(metres, expected)


def test_two_places_at_one_point_cost_the_stop_overhead_one_place_costs_nothing() -> None:
    seconds, metres = made([(12.0, 109.0), (12.0, 109.0)], GeodesicTravel(1.35, 28, 20)).both()
    assert seconds.tolist() == [[0, 20], [20, 0]]
    assert metres.tolist() == [[0, 0], [0, 0]]


def test_seconds_are_rounded_up_only_where_something_is_left_over() -> None:
    # One degree of latitude is 111,195.1 m; at 36 km/h a metre takes exactly a tenth of a second.
    seconds, metres = made([(12.0, 109.0), (13.0, 109.0)], GeodesicTravel(1, 36, 0)).both()
    assert metres[0, 1] == 111195
    assert seconds[0, 1] == 11120


@pytest.mark.parametrize("others", [0, 600])
@pytest.mark.parametrize(
    ("travel", "where"),
    [(GeodesicTravel(1, 1e-9, 0), "travel.speed_kmh"), (GeodesicTravel(1e6, 1e9, 0), "travel.detour")],
)
def test_a_leg_too_long_for_the_format_is_refused(travel: GeodesicTravel, where: str, others: int) -> None:
    legs = made([(12.0, 109.0)] * others + [(13.0, 109.0), (12.0, 109.0)], travel)
    for ask in (legs.both, legs.seconds):
        with pytest.raises(RoutingError, match="2\\^31") as refused:
            ask()
        assert (refused.value.code, refused.value.where) == ("bad_value", where)


def on_the_map(**rest: Any) -> Problem:
    rnd = Random(8)
    places = tuple(Place(f"p{k}", 12 + rnd.random() / 20, 109 + rnd.random() / 20) for k in range(12))
    riders = [courier(name, name, shift=(0, 40000)) for name in ("p0", "p1")]
    wanted = [request(f"r{k}", f"p{k}", f"p{k + 5}") for k in range(7)]
    return problem((places, GeodesicTravel(1.35, 27.3, 20)), riders, wanted, **rest)


@pytest.mark.parametrize("engine", ["greedy", "search"])
def test_metres_that_count_for_nothing_take_no_memory_and_are_right_all_the_same(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = on_the_map(weights=Weights(unserved=10**6))

    def refuse(self: FileLegs) -> NoReturn:
        raise AssertionError("twelve thousand places would take 600 MB more")

    with monkeypatch.context() as patch:
        patch.setattr(FileLegs, "both", refuse)
        plan = solve(p, engine=engine, iterations=20)
        assert check(p, plan).ok
    held = Legs(replace(p, weights=replace(p.weights, distance_per_m=1)))
    assert plan.cost.distance_m == check(p, plan, legs=held).cost.distance_m > 0
    assert not check(p, plan, legs=held).violations
    assert np.array_equal(Legs(p).metres_matrix, held.metres_matrix)
    assert [[Legs(p).metres[i][j] for j in range(12)] for i in range(12)] == held.metres_matrix.tolist()


def test_metres_that_count_stand_ready() -> None:
    priced = on_the_map(weights=Weights(unserved=10**6, distance_per_m=1))
    limited = on_the_map(weights=Weights(unserved=10**6))
    limited = replace(limited, couriers=(replace(limited.couriers[0], max_distance_m=9000), limited.couriers[1]))
    for p in (priced, limited):
        legs = Legs(p)
        assert legs.metres[3] == legs.metres_matrix[3].tolist()


def test_a_missing_leg_is_missing_in_both_matrices_and_a_place_is_no_way_from_itself() -> None:
    places = (Place("a"), Place("b"))
    travel = MatrixTravel([[7, None], [3, 7]], [[7, 5], [None, 7]])
    legs = Legs(Problem("x", places, travel, (), (), Weights()))
    assert legs.seconds_matrix.tolist() == legs.metres_matrix.tolist() == [[0, NO_LEG], [NO_LEG, 0]]
    assert legs.seconds[0] == [0, NO_LEG]
    assert not legs.symmetric


def case(travel: MatrixTravel, stops: list[tuple[str, str]]) -> Case:
    places = tuple(Place(f"p{k}") for k in range(len(travel.durations_s)))
    requests = [request(f"r{k}", *ends) for k, ends in enumerate(stops)]
    return case_of(View(problem((places, travel), [courier("c", "p0")], requests)), {}, [[]])


def test_the_search_knows_neighbours_by_seconds_then_by_number_itself_first() -> None:
    drives = [[0, 5, 3, 0, 3], [1, 0, None, 1, 1], [0, 0, 0, 0, 0], [9, 8, 7, 0, 2], [1, 1, 1, 1, 0]]
    near = case(MatrixTravel(drives, drives), [("p4", "p1"), ("p3", "p2"), ("p0", "p1")]).near
    assert near.tolist() == [[0, 3, 2, 4, 1], [1, 0, 3, 4, 2], [2, 0, 1, 3, 4], [3, 4, 2, 1, 0], [4, 0, 1, 2, 3]]
    some = case(MatrixTravel(drives, drives), [("p4", "p1"), ("p3", "p4")]).near
    assert [some[place].tolist() for place in (1, 3, 4)] == [[1, 3, 4], [3, 4, 1], [4, 1, 3]]


@pytest.mark.parametrize("count", [3, 300, 600])
def test_the_search_keeps_one_matrix_where_ways_back_are_alike_and_two_where_one_is_not(count: int) -> None:
    rows = np.random.default_rng(count).integers(0, 9000, (count, count)).astype(np.int32)
    alike = np.maximum(rows, rows.T)
    np.fill_diagonal(alike, 0)
    ends = [("p0", "p1")]
    both_ways = case(MatrixTravel(alike, alike), ends)
    assert both_ways.legs_to is both_ways.legs
    alike[-2, -1] += 1
    one_way = case(MatrixTravel(alike, alike), ends)
    assert np.array_equal(one_way.legs_to, one_way.legs.transpose(1, 0, 2))
    assert one_way.legs_to.flags.c_contiguous


TOWN = Point(12.2388, 109.1967, Terrain.TOWN, "22366")
COAST = Point(12.2853, 109.1920, Terrain.PLAIN, "22333")
PASS = Point(23.1610, 105.4130, Terrain.HIGH_MOUNTAIN, "00787")
VALLEY = Point(23.2780, 105.3620, Terrain.HILLS, "00721")


@pytest.mark.parametrize(("a", "b", "terrain"), [(TOWN, COAST, Terrain.PLAIN), (PASS, VALLEY, Terrain.HIGH_MOUNTAIN)])
def test_the_harder_terrain_of_the_two_ends_counts(a: Point, b: Point, terrain: Terrain) -> None:
    row = DEFAULT_TERRAIN[terrain]
    seconds, metres = TerrainTravel().matrix([a, b])
    phi = math.radians(a.lat), math.radians(b.lat)
    h = math.sin((phi[0] - phi[1]) / 2) ** 2
    h += math.cos(phi[0]) * math.cos(phi[1]) * math.sin(math.radians(a.lng - b.lng) / 2) ** 2
    d = 2 * 6371.0088 * math.asin(math.sqrt(h))
    c = row.c1 + row.c0 * math.exp(-d / row.d0_km)
    v = row.v1_kmh - (row.v1_kmh - row.v0_kmh) * math.exp(-d / 4)
    assert seconds[0, 1] == seconds[1, 0] == math.ceil(row.stop_minutes * 60 + d * c / v * 3600)
    assert metres[0, 1] == round(d * c * 1000)
    assert seconds[0, 0] == metres[0, 0] == 0


def test_rain_slows_the_drive_but_not_the_stop() -> None:
    dry, wet = TerrainTravel().leg(PASS, VALLEY), TerrainTravel(rainy=True).leg(PASS, VALLEY)
    assert wet.duration_s - 240 == pytest.approx((dry.duration_s - 240) * 1.4, abs=2)
    assert wet.distance_m == dry.distance_m


@pytest.mark.parametrize("model", [TerrainTravel(), TerrainTravel(rainy=True), TableTravel(TerrainTravel(), {})])
def test_a_single_leg_agrees_with_the_matrix(model: TravelModel) -> None:
    points = [TOWN, COAST, PASS, VALLEY]
    seconds, metres = model.matrix(points)
    assert seconds.dtype == metres.dtype == np.int32
    for i, a in enumerate(points):
        for j, b in enumerate(points):
            leg = model.leg(a, b)
            assert leg.duration_s == pytest.approx(seconds[i, j], rel=0.006, abs=1)
            assert leg.distance_m == pytest.approx(metres[i, j], rel=0.006, abs=1)


def test_a_hand_made_pair_wins_both_ways_unless_the_other_way_has_its_own() -> None:
    pair = (PASS.area, VALLEY.area)
    both = TableTravel(TerrainTravel(), {pair: 90})
    assert both.leg(PASS, VALLEY).duration_s == both.leg(VALLEY, PASS).duration_s == 5400
    seconds, metres = both.matrix([TOWN, PASS, VALLEY])
    assert seconds[1, 2] == seconds[2, 1] == 5400
    assert metres[1, 2] == TerrainTravel().matrix([PASS, VALLEY])[1][0, 1]
    uphill = TableTravel(TerrainTravel(), {pair: 90, pair[::-1]: 120})
    assert uphill.matrix([PASS, VALLEY])[0].tolist() == [[0, 5400], [7200, 0]]


def test_a_closed_pass_is_no_leg_at_all() -> None:
    closed = TableTravel(TerrainTravel(), {(PASS.area, VALLEY.area): None})
    assert closed.leg(PASS, VALLEY) == Leg(NO_LEG, NO_LEG)
    seconds, metres = closed.matrix([PASS, VALLEY])
    assert seconds[0, 1] == metres[1, 0] == NO_LEG


def test_one_stop_for_two_parcels_is_no_drive() -> None:
    again = Point(PASS.lat, PASS.lng, Terrain.TOWN, VALLEY.area)
    table = TableTravel(TerrainTravel(), {(PASS.area, VALLEY.area): 90})
    assert table.leg(PASS, again) == Leg(0, 0)
    assert table.matrix([PASS, again])[0].tolist() == [[0, 0], [0, 0]]
