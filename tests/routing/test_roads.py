"""Roads from an OpenStreetMap extract: what a motorbike may ride, how fast, and what happens when a road closes."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import osmium
import pytest

from routing import RoutingError
from routing.roads import CLASS_KMH, read_osm, riding
from routing.travel import NO_LEG, Leg, Point
from routing.travel.geodesic import TerrainTravel
from routing.travel.roads import FixedRides, RoadChange, RoadGraph, RoadTravel

Ways = list[tuple[list[int], dict[str, str]]]
ROAD = {"highway": "residential"}
LAT, LNG = 12.24, 109.19
STEP = 0.001  # about 111 m of latitude


def extract(path: Path, places: Mapping[int, tuple[float, float]], ways: Ways) -> Path:
    """Write an .osm.pbf with nodes at (lat, lng) and ways along them."""
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for number, (lat, lng) in sorted(places.items()):
            writer.add_node(osmium.osm.mutable.Node(id=number, location=(lng, lat), version=1))
        for number, (nodes, tags) in enumerate(ways, start=1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=tags, version=1))
    return path


def grid(side: int = 4) -> dict[int, tuple[float, float]]:
    """Nodes 1 … side² on a grid, row by row to the north."""
    return {r * side + c + 1: (LAT + r * STEP, LNG + c * STEP) for r in range(side) for c in range(side)}


def streets(side: int = 4) -> Ways:
    """Every row and column of the grid as one way."""
    rows = [([r * side + c + 1 for c in range(side)], ROAD) for r in range(side)]
    return rows + [([r * side + c + 1 for r in range(side)], ROAD) for c in range(side)]


def at(number: int, side: int = 4) -> Point:
    return Point(*grid(side)[number])


def travel(graph: RoadGraph, **wishes: float) -> RoadTravel:
    return RoadTravel(graph, TerrainTravel(), **({"stop_s": 0} | wishes))  # type: ignore[arg-type]


def seconds_of(metres: float, kmh: float) -> float:
    return metres * 3.6 / kmh


def apart_m(a: Point, b: Point) -> float:
    north, east = a.lat - b.lat, (a.lng - b.lng) * math.cos(math.radians(a.lat))
    return math.hypot(north, east) * math.pi / 180 * 6371008.8


def fastest(graph: RoadGraph, start: int) -> tuple[list[float], list[float]]:
    """Dijkstra: seconds and metres of the fastest ways from one node."""
    out: dict[int, list[tuple[int, float, float]]] = {}
    for tail, head, metres, kmh in zip(
        *(getattr(graph, n).tolist() for n in ("tail", "head", "metres", "kmh")), strict=True
    ):
        out.setdefault(tail, []).append((head, seconds_of(metres, kmh), metres))
    best = {start: (0.0, 0.0)}
    queue = [(0.0, 0.0, start)]
    while queue:
        spent, ridden, node = heapq.heappop(queue)
        if (spent, ridden) > best[node]:
            continue
        for head, more, metres in out.get(node, []):
            if (spent + more, ridden + metres) < best.get(head, (math.inf, 0)):
                best[head] = spent + more, ridden + metres
                heapq.heappush(queue, (*best[head], head))
    reached = [best.get(k, (math.inf, math.inf)) for k in range(len(graph.lat))]
    return [seconds for seconds, _ in reached], [metres for _, metres in reached]


def test_a_ride_takes_what_its_streets_take(tmp_path: Path) -> None:
    roads = travel(read_osm(extract(tmp_path / "a.osm.pbf", grid(), streets())))
    leg = roads.leg(at(1), at(16))
    metres = apart_m(at(1), at(13)) + apart_m(at(13), at(16))
    assert leg.distance_m == pytest.approx(metres, abs=2)
    assert leg.duration_s == pytest.approx(seconds_of(metres, CLASS_KMH["residential"]), abs=1.1)
    assert roads.leg(at(7), at(7)) == Leg(0, 0)


def test_matrices_agree_with_dijkstra_on_a_network_of_all_kinds_of_roads(tmp_path: Path) -> None:
    rnd = Random(3)
    side = 7
    kinds = ["primary", "secondary", "residential", "track", "trunk"]
    ways: Ways = []
    for nodes, _ in streets(side):
        for pair in pairwise(nodes):
            tags = {"highway": rnd.choice(kinds), "surface": rnd.choice(["asphalt", "gravel", "mud"])}
            ways.append((list(pair), tags | {"oneway": rnd.choice(["no", "no", "yes", "-1"])}))
    graph = read_osm(extract(tmp_path / "a.osm.pbf", grid(side), ways))
    points = [Point(float(lat), float(lng)) for lat, lng in zip(graph.lat, graph.lng, strict=True)]
    seconds, metres = travel(graph).matrix(points)
    assert seconds.dtype == metres.dtype == np.int32
    assert (seconds != seconds.T).any()
    for start in range(len(points)):
        best_s, best_m = fastest(graph, start)
        assert np.allclose(seconds[start], np.ceil(best_s), atol=1.01)
        assert np.allclose(metres[start], best_m, atol=1.1)


def test_a_one_way_street_is_longer_back(tmp_path: Path) -> None:
    ways = [([1, 2, 3, 4], ROAD | {"oneway": "yes"}), ([4, 8, 12, 16, 15, 14, 13, 9, 5, 1], ROAD)]
    roads = travel(read_osm(extract(tmp_path / "a.osm.pbf", grid(), ways)))
    seconds, _ = roads.matrix([at(1), at(4)])
    assert seconds[1, 0] > 2.5 * seconds[0, 1]


def test_only_the_largest_part_from_which_one_comes_back_is_ridden(tmp_path: Path) -> None:
    places = grid() | {90: (LAT, LNG - STEP), 91: (LAT + 0.5, LNG), 92: (LAT + 0.5, LNG + STEP)}
    dead_end = ([1, 90], ROAD | {"oneway": "yes"})
    island = ([91, 92], ROAD)
    graph = read_osm(extract(tmp_path / "a.osm.pbf", places, [*streets(), dead_end, island]))
    assert len(graph.lat) == 16
    assert graph.lat.max() < LAT + 0.1


@pytest.mark.parametrize(
    ("tags", "kmh", "forward", "backward"),
    [
        ({"highway": "primary"}, 38, True, True),
        ({"highway": "primary", "oneway": "yes"}, 38, True, False),
        ({"highway": "primary", "oneway": "-1"}, 38, False, True),
        ({"highway": "primary", "oneway": "yes", "oneway:motorcycle": "no"}, 38, True, True),
        ({"highway": "primary", "junction": "roundabout"}, 38, True, False),
        ({"highway": "track", "surface": "mud"}, 12 * 0.35, True, True),
        ({"highway": "primary", "maxspeed": "30"}, 27, True, True),
        ({"highway": "primary", "maxspeed": "walk"}, 38, True, True),
        ({"highway": "footway", "motorcycle": "yes"}, 8, True, True),
        ({"highway": "service", "access": "private", "motorcycle": "yes"}, 15, True, True),
        ({"route": "ferry"}, 8, True, True),
    ],
)
def test_what_a_sign_says_is_ridden(tags: dict[str, str], kmh: float, forward: bool, backward: bool) -> None:
    found = riding(tags)
    assert found is not None
    assert (found.kmh, found.forward, found.backward) == (pytest.approx(kmh), forward, backward)


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "motorway"},
        {"highway": "footway"},
        {"highway": "steps", "motorcycle": "yes"},
        {"highway": "residential", "access": "private"},
        {"highway": "residential", "motor_vehicle": "no"},
        {"highway": "residential", "motorcycle": "no", "access": "yes"},
        {"highway": "construction"},
        {"route": "bus"},
        {"building": "yes"},
    ],
)
def test_where_motorbikes_may_not_go_there_is_no_road(tags: dict[str, str]) -> None:
    assert riding(tags) is None


def test_a_closed_street_is_ridden_around_and_a_closed_town_is_no_leg(tmp_path: Path) -> None:
    open_roads = travel(read_osm(extract(tmp_path / "a.osm.pbf", grid(), streets())))
    middle = RoadChange(LAT, LNG + 1.5 * STEP, 20)  # the street between nodes 2 and 3
    closed = open_roads.with_changes([middle])
    before, after = open_roads.leg(at(1), at(4)), closed.leg(at(1), at(4))
    assert after.distance_m == pytest.approx(before.distance_m + 2 * apart_m(at(1), at(5)), abs=3)
    flooded = open_roads.with_changes([RoadChange(LAT, LNG + 1.5 * STEP, 20, slower=1.5)])
    assert before.duration_s < flooded.leg(at(1), at(4)).duration_s < after.duration_s
    assert open_roads.leg(at(1), at(4)) == before
    nowhere = open_roads.with_changes([RoadChange(LAT, LNG, 2000)])
    assert nowhere.leg(at(1), at(16)) == Leg(NO_LEG, NO_LEG)


def test_a_stop_beside_the_road_is_reached_from_its_nearest_point(tmp_path: Path) -> None:
    long_road = extract(tmp_path / "a.osm.pbf", {1: (LAT, LNG), 2: (LAT, LNG + 0.05)}, [([1, 2], ROAD)])
    graph = read_osm(long_road)
    assert graph.metres.max() <= 200
    roads = travel(graph)
    house = Point(LAT + 0.0005, LNG + 0.0251)
    halfway = roads.leg(Point(LAT, LNG), house).distance_m
    assert halfway == pytest.approx(apart_m(Point(LAT, LNG), Point(LAT, LNG + 0.0251)) + 55, abs=150)
    neighbour = Point(LAT + 0.0006, LNG + 0.0251)
    assert roads.leg(house, neighbour).distance_m < 20


def test_a_place_far_from_all_roads_is_left_to_the_built_in_model(tmp_path: Path) -> None:
    roads = travel(read_osm(extract(tmp_path / "a.osm.pbf", grid(), streets())))
    far = Point(LAT + 0.2, LNG)
    seconds, metres = roads.matrix([at(1), far, at(16)])
    base_s, base_m = TerrainTravel().matrix([at(1), far, at(16)])
    assert (seconds[1] == base_s[1]).all()
    assert (metres[:, 1] == base_m[:, 1]).all()
    assert seconds[0, 2] == roads.leg(at(1), at(16)).duration_s
    assert roads.matrix([])[0].shape == (0, 0)


def test_rides_between_shops_known_by_heart_change_nothing_and_are_dropped_when_roads_change(tmp_path: Path) -> None:
    roads = travel(read_osm(extract(tmp_path / "a.osm.pbf", grid(), streets())))
    shops = [at(1), at(4), at(13)]
    points = [at(6), *shops, Point(LAT + 0.00021, LNG + 0.0017), at(11)]
    knowing = roads.with_fixed(shops)
    for by_heart, reckoned in zip(knowing.matrix(points), roads.matrix(points), strict=True):
        assert by_heart.tolist() == reckoned.tolist()
    assert knowing.fixed is not None
    knowing.fixed.save(tmp_path / "shops.npz")
    kept = FixedRides.load(tmp_path / "shops.npz")
    assert kept.roads == knowing.fixed.roads
    assert kept.seconds.tolist() == knowing.fixed.seconds.tolist()
    flood = [RoadChange(LAT, LNG + 1.5 * STEP, 20)]
    assert knowing.with_changes(flood).leg(at(1), at(4)) == roads.with_changes(flood).leg(at(1), at(4))


def test_a_graph_survives_its_file(tmp_path: Path) -> None:
    graph = read_osm(extract(tmp_path / "a.osm.pbf", grid(), streets()))
    graph.save(tmp_path / "roads.npz")
    again = RoadGraph.load(tmp_path / "roads.npz")
    assert all((getattr(again, name) == getattr(graph, name)).all() for name in RoadGraph.__slots__)
    assert [path.name for path in tmp_path.iterdir() if "new" in path.name] == []


def test_what_is_no_road_file_is_refused_by_name(tmp_path: Path) -> None:
    no_roads = extract(tmp_path / "river.osm.pbf", grid(), [([1, 2], {"waterway": "river"})])
    one_way = extract(tmp_path / "one_way.osm.pbf", grid(), [([1, 2], ROAD | {"oneway": "yes"})])
    (tmp_path / "junk.osm.pbf").write_bytes(b"not a map at all")
    (tmp_path / "junk.osm").write_text("<html></html>")
    (tmp_path / "roads.npz").write_bytes(b"PK\x03\x04 nothing")
    for path in (no_roads, one_way, tmp_path / "junk.osm.pbf", tmp_path / "junk.osm", tmp_path / "none.osm.pbf"):
        with pytest.raises(RoutingError) as error:
            read_osm(path)
        assert path.name in str(error.value)
        assert "\n" not in str(error.value)
    for name in ("roads.npz", "none.npz"):
        with pytest.raises(RoutingError, match=name):
            RoadGraph.load(tmp_path / name)
