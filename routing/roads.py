"""Makes a road graph for motorbikes from an OpenStreetMap extract: `read_osm(FILE.osm.pbf)`.

Roads are cut at junctions and every 200 m, so that a stop finds a node near it. Speeds are what a courier's motorbike
keeps in Vietnamese traffic, by class of road and surface; they are assumptions (0.6 to 0.7 of the World Bank's road
model for Vietnam), to be corrected by rides. Motorways are closed to motorbikes (Law on Road Traffic Order and Safety
36/2024/QH15, Art. 25, unverified here). Only the largest strongly connected part is kept: islands lead nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoutingError
from routing.travel.roads import M_PER_DEGREE, RoadGraph

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASS_KMH: Mapping[str, float] = {
    "trunk": 45.0,
    "trunk_link": 35.0,
    "primary": 38.0,
    "primary_link": 30.0,
    "secondary": 34.0,
    "secondary_link": 28.0,
    "tertiary": 30.0,
    "tertiary_link": 25.0,
    "unclassified": 26.0,
    "road": 22.0,
    "residential": 22.0,
    "living_street": 15.0,
    "service": 15.0,
    "track": 12.0,
    "path": 8.0,
    "ferry": 8.0,
}
ON_PERMISSION_KMH = 8.0  # footways and the like, where a sign lets motorbikes in
SURFACE_FACTOR: Mapping[str, float] = {
    "compacted": 0.85,
    "fine_gravel": 0.8,
    "gravel": 0.65,
    "pebblestone": 0.65,
    "cobblestone": 0.7,
    "unpaved": 0.65,
    "dirt": 0.55,
    "earth": 0.55,
    "ground": 0.55,
    "grass": 0.5,
    "rock": 0.5,
    "sand": 0.4,
    "mud": 0.35,
}
_LIMIT_SHARE = 0.9  # nobody keeps the limit all the way
_WALKED = {"footway", "pedestrian", "cycleway", "steps", "bridleway", "corridor"}
_EXPRESSWAYS = {"motorway", "motorway_link"}
_CLOSED = {"no", "private", "forestry", "agricultural"}
_ONLY_FORWARD = {"yes", "true", "1"}
_ONLY_BACKWARD = {"-1", "reverse"}
_CUT_M = 200.0
_MOST_NODES = 2**24  # beyond it the extract is a country: cut it to the province first


class Tags(Protocol):
    """What is asked of a way's tags."""

    def get(self, key: str) -> str | None:
        """Return a tag's value, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Riding:
    """How a way is ridden: speed, and in which directions of its nodes."""

    kmh: float
    forward: bool
    backward: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One rideable way: node numbers and degrees along it."""

    nodes: list[int]
    lat: list[float]
    lng: list[float]
    riding: Riding


def riding(tags: Tags) -> Riding | None:
    """Return how motorbikes use a way, or None where they may not or cannot."""
    kind = "ferry" if tags.get("route") == "ferry" else tags.get("highway")
    permitted = tags.get("motorcycle") or tags.get("moped")
    general = tags.get("motor_vehicle") or tags.get("vehicle") or tags.get("access")
    allowed = permitted if permitted is not None else general
    if kind is None or kind in _EXPRESSWAYS or allowed in _CLOSED:
        return None
    kmh = CLASS_KMH.get(kind)
    if kmh is None:
        if kind not in _WALKED or kind == "steps" or permitted not in ("yes", "designated", "permissive"):
            return None
        kmh = ON_PERMISSION_KMH
    kmh *= SURFACE_FACTOR.get(tags.get("surface") or "", 1.0)
    limit = _limit_kmh(tags.get("maxspeed"))
    if limit is not None:
        kmh = min(kmh, limit * _LIMIT_SHARE)
    direction = tags.get("oneway:motorcycle") or tags.get("oneway:moped") or tags.get("oneway")
    if direction is None and tags.get("junction") in ("roundabout", "circular"):
        direction = "yes"
    return Riding(kmh, forward=direction not in _ONLY_BACKWARD, backward=direction not in _ONLY_FORWARD)


def _limit_kmh(text: str | None) -> float | None:
    """Return a speed limit written in km/h or mph, or None for anything else (`walk`, `VN:urban`)."""
    number, _, unit = (text or "").partition(" ")
    if not number.isdigit() or int(number) == 0 or unit not in ("", "km/h", "mph"):
        return None
    return int(number) * (1.609344 if unit == "mph" else 1.0)


def read_osm(path: Path) -> RoadGraph:
    """Return the road graph of an OpenStreetMap file (.osm.pbf, .osm, .osm.bz2), nodes before ways as usual.

    Raises RoutingError when the file cannot be read or holds no roads.
    """
    if not path.is_file():
        raise RoutingError("unreadable", "cannot be read: there is no such file", str(path))
    try:
        graph = graph_of(_ways(path))
    except (RuntimeError, ValueError, OSError) as error:
        if isinstance(error, RoutingError):
            raise RoutingError(error.code, error.message, str(path)) from None
        raise RoutingError("bad_file", f"is no OpenStreetMap file: {error}", str(path)) from None
    return graph


def _ways(path: Path) -> Iterator[Way]:
    import osmium  # loads a compiled library: only who imports roads needs it

    roads = osmium.FileProcessor(str(path)).with_locations().with_filter(osmium.filter.KeyFilter("highway", "route"))
    for way in roads:
        ridden = riding(way.tags) if isinstance(way, osmium.osm.Way) else None
        if ridden is None or not isinstance(way, osmium.osm.Way):
            continue
        nodes: list[int] = []
        lat: list[float] = []
        lng: list[float] = []
        for node in way.nodes:
            if node.location.valid():
                nodes.append(node.ref)
                lat.append(node.location.lat)
                lng.append(node.location.lon)
            else:  # cut at the edge of the extract
                if len(nodes) > 1:
                    yield Way(nodes, lat, lng, ridden)
                nodes, lat, lng = [], [], []
        if len(nodes) > 1:
            yield Way(nodes, lat, lng, ridden)


def graph_of(ways: Iterable[Way]) -> RoadGraph:
    """Return the largest strongly connected graph of some ways; raises RoutingError when there is none."""
    held = [_densified(way, -(10**6) * k) for k, way in enumerate(ways, start=1)]
    if not held:
        raise RoutingError("no_roads", "holds no road a motorbike may use")
    ends = np.array([end for way in held for end in (way.nodes[0], way.nodes[-1])], dtype=np.int64)
    every = np.concatenate([np.array(way.nodes, dtype=np.int64) for way in held])
    numbers, visits = np.unique(every, return_counts=True)
    cut = visits > 1
    cut[np.searchsorted(numbers, ends)] = True
    junctions = set(numbers[cut].tolist())
    where: dict[int, int] = {}
    lat: list[float] = []
    lng: list[float] = []
    arcs: list[tuple[int, int, float, float]] = []
    for way in held:
        for first, last, metres in _pieces(way, junctions):
            pair = []
            for k in (first, last):
                number = where.setdefault(way.nodes[k], len(where))
                if number == len(lat):
                    lat.append(way.lat[k])
                    lng.append(way.lng[k])
                pair.append(number)
            if way.riding.forward:
                arcs.append((pair[0], pair[1], metres, way.riding.kmh))
            if way.riding.backward:
                arcs.append((pair[1], pair[0], metres, way.riding.kmh))
    if len(where) > _MOST_NODES:
        raise RoutingError("too_large", f"has {len(where)} nodes: cut the extract to the province first")
    table = np.array([arc for arc in arcs if arc[0] != arc[1]], dtype=np.float64).reshape(-1, 4)
    return _largest_part(np.array(lat), np.array(lng), table)


def _steps_m(way: Way) -> list[float]:
    """Return the metres between the nodes of a way, on the plane that touches the earth there."""
    steps = []
    for k in range(1, len(way.nodes)):
        north = way.lat[k] - way.lat[k - 1]
        east = (way.lng[k] - way.lng[k - 1]) * math.cos(math.radians(way.lat[k]))
        steps.append(math.hypot(north, east) * M_PER_DEGREE)
    return steps


def _densified(way: Way, number: int) -> Way:
    """Return the way with nodes of its own, numbered down from `number`, where two lie far apart."""
    parts = [math.ceil(step / _CUT_M) for step in _steps_m(way)]
    if max(parts) <= 1:
        return way
    nodes, lat, lng = way.nodes[:1], way.lat[:1], way.lng[:1]
    for k, count in enumerate(parts):
        for part in range(1, count):
            number -= 1
            nodes.append(number)
            lat.append(way.lat[k] + (way.lat[k + 1] - way.lat[k]) * part / count)
            lng.append(way.lng[k] + (way.lng[k + 1] - way.lng[k]) * part / count)
        nodes.append(way.nodes[k + 1])
        lat.append(way.lat[k + 1])
        lng.append(way.lng[k + 1])
    return Way(nodes, lat, lng, way.riding)


def _pieces(way: Way, junctions: set[int]) -> Iterator[tuple[int, int, float]]:
    """Yield (first, last, metres) of the pieces of a way between junctions, none longer than it must be."""
    steps = _steps_m(way)
    first, metres = 0, 0.0
    for k, step in enumerate(steps, start=1):
        metres += step
        if way.nodes[k] in junctions or k == len(steps) or metres + steps[k] > _CUT_M:
            yield first, k, metres
            first, metres = k, 0.0


def _largest_part(lat: NDArray[np.float64], lng: NDArray[np.float64], arcs: NDArray[np.float64]) -> RoadGraph:
    """Return the graph cut down to its largest strongly connected part."""
    tail, head = arcs[:, 0].astype(np.int32), arcs[:, 1].astype(np.int32)
    part = _strongest(len(lat), tail, head)
    inside = part[tail] & part[head]
    if not inside.any():
        raise RoutingError("no_roads", "has no two places between which a motorbike can ride both ways")
    renumbered = np.cumsum(part, dtype=np.int32) - 1
    return RoadGraph(
        lat[part],
        lng[part],
        renumbered[tail[inside]].astype(np.int32),
        renumbered[head[inside]].astype(np.int32),
        arcs[inside, 2].astype(np.float32),
        arcs[inside, 3].astype(np.float32),
    )


def _strongest(count: int, tail: NDArray[np.int32], head: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which nodes belong to the largest strongly connected part: what a node reaches and is reached from."""
    ahead, behind = _Neighbours(count, tail, head), _Neighbours(count, head, tail)
    left = np.ones(count, dtype=np.bool_)
    busiest = np.argsort(-(np.bincount(tail, minlength=count) + np.bincount(head, minlength=count)), kind="stable")
    best = np.zeros(count, dtype=np.bool_)
    for node in busiest.tolist():
        if not left[node]:
            continue
        part = ahead.reached(node, left) & behind.reached(node, left)
        left &= ~part
        if part.sum() > best.sum():
            best = part
        if best.sum() >= left.sum():
            break
    return best


class _Neighbours:
    """Who can be reached in one step from each node."""

    def __init__(self, count: int, tail: NDArray[np.int32], head: NDArray[np.int32]) -> None:
        order = np.argsort(tail, kind="stable")
        self.first = np.searchsorted(tail[order], np.arange(count + 1))
        self.heads = head[order]

    def reached(self, start: int, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the allowed nodes one can get to from `start`."""
        seen = np.zeros(len(allowed), dtype=np.bool_)
        seen[start] = True
        edge = np.array([start])
        while len(edge):
            begin, until = self.first[edge], self.first[edge + 1]
            lengths = until - begin
            offsets = np.repeat(begin - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
            following = np.unique(self.heads[offsets])
            edge = following[allowed[following] & ~seen[following]]
            seen[edge] = True
        return seen
