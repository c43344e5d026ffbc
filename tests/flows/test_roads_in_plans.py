"""Imported roads count: a plan rides on them, and a file that cannot be read does not stop the post."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dispatch.bootstrap import System
from dispatch.settings import ROADS, Settings
from routing.travel.geodesic import TerrainTravel
from routing.travel.roads import RoadGraph, RoadTravel
from tests.flows.post_day import PostDay, greedy


def one_long_road(day: PostDay) -> RoadGraph:
    """A road that only goes round by the north: every ride is far longer than a straight line would say."""
    lat = np.array([12.20, 12.50, 12.50, 12.20, 12.2451, 12.2478])
    lng = np.array([109.16, 109.16, 109.21, 109.21, 109.1943, 109.1900])
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 5)]
    tail = np.array([a for a, b in pairs] + [b for a, b in pairs], dtype=np.int32)
    head = np.array([b for a, b in pairs] + [a for a, b in pairs], dtype=np.int32)
    metres = np.full(len(tail), 20_000, dtype=np.float32)
    return RoadGraph(lat, lng, tail, head, metres, np.full(len(tail), 60, dtype=np.float32))


def metres(day: PostDay) -> int:
    plan = day.draft(solve=greedy)
    assert plan.body["served"] == 1
    return sum(route["distance_m"] for route in plan.body["routes"])


def test_a_plan_rides_on_the_imported_roads(day: PostDay) -> None:
    day.open(couriers=1)
    day.ask_for(1)
    straight = metres(day)
    day.travel = RoadTravel(one_long_road(day), TerrainTravel(), reach_m=9_000)
    assert metres(day) > 3 * straight


def test_the_system_takes_the_roads_it_finds_in_its_data_directory(day: PostDay, tmp_path: Path) -> None:
    system = System(Settings(data_dir=tmp_path), day.store)
    assert isinstance(system.travel, TerrainTravel)
    one_long_road(day).save(tmp_path / ROADS)
    with_roads = System(Settings(data_dir=tmp_path), day.store).travel
    assert isinstance(with_roads, RoadTravel)
    assert len(with_roads.graph.lat) == 6
    (tmp_path / ROADS).write_bytes(b"no roads at all")
    assert isinstance(System(Settings(data_dir=tmp_path), day.store).travel, TerrainTravel)
