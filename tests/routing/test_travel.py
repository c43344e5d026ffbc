"""Travel times: the file's formula to the last integer, the terrain table, hand-made pairs."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from routing import GeodesicTravel, MatrixTravel, Place, Problem, RoutingError, Weights
from routing.legs import Legs
from routing.travel import NO_LEG, Leg, Point, Terrain, TravelModel
from routing.travel.geodesic import DEFAULT_TERRAIN, TerrainTravel, file_legs
from routing.travel.table import TableTravel


def by_hand(a: tuple[float, float], b: tuple[float, float], travel: GeodesicTravel) -> tuple[int, int]:
    """One leg of the file's formula with the standard library and fractions only."""
    phi, psi = math.radians(a[0]), math.radians(b[0])
    h = math.sin((phi - psi) / 2) ** 2
    h += math.cos(phi) * math.cos(psi) * math.sin((math.radians(a[1]) - math.radians(b[1])) / 2) ** 2
    metres = round(2 * 6371008.8 * math.asin(math.sqrt(h)) * travel.detour)
    seconds = math.ceil(Fraction(metres * 36) / (10 * Fraction(str(travel.speed_kmh)))) + travel.stop_overhead_s
    return seconds, metres


@pytest.mark.parametrize("speed", [28, 28.8, 27.3, 0.7])
def test_the_files_geodesic_legs_are_exact(speed: float) -> None:
    rnd = Random(4)
    points = [(12 + rnd.random(), 109 + rnd.random()) for _ in range(40)]
    travel = GeodesicTravel(1.35, speed, 20)
    seconds, metres = file_legs([p[0] for p in points], [p[1] for p in points], travel)
    for i, a in enumerate(points):
        for j, b in enumerate(points):
            expected = (0, 0) if i == j else by_hand(a, b, travel)
            assert (seconds[i, j], metres[i, j]) == expected
    assert seconds.dtype == metres.dtype == np.int32


def test_two_places_at_one_point_cost_the_stop_overhead_one_place_costs_nothing() -> None:
    seconds, metres = file_legs([12.0, 12.0], [109.0, 109.0], GeodesicTravel(1.35, 28, 20))
    assert seconds.tolist() == [[0, 20], [20, 0]]
    assert metres.tolist() == [[0, 0], [0, 0]]


def test_seconds_are_rounded_up_only_where_something_is_left_over() -> None:
    # One degree of latitude is 111,195.1 m; at 36 km/h a metre takes exactly a tenth of a second.
    seconds, metres = file_legs([12.0, 13.0], [109.0, 109.0], GeodesicTravel(1, 36, 0))
    assert metres[0, 1] == 111195
    assert seconds[0, 1] == 11120


def test_a_speed_so_low_that_a_leg_outlasts_the_format_is_refused() -> None:
    with pytest.raises(RoutingError, match="2\\^31"):
        file_legs([12.0, 13.0], [109.0, 109.0], GeodesicTravel(1, 1e-9, 0))


def test_a_missing_leg_is_missing_in_both_matrices_and_a_place_is_no_way_from_itself() -> None:
    places = (Place("a"), Place("b"))
    travel = MatrixTravel([[7, None], [3, 7]], [[7, 5], [None, 7]])
    legs = Legs(Problem("x", places, travel, (), (), Weights()))
    assert legs.seconds_matrix.tolist() == legs.metres_matrix.tolist() == [[0, NO_LEG], [NO_LEG, 0]]
    assert legs.seconds[0] == [0, NO_LEG]


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
