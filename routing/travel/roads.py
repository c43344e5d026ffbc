"""Travel on a road graph: fastest ways for motorbikes by customisable contraction hierarchies (Dibbelt et al. 2016).

The graph is made once from an OpenStreetMap extract (`routing.roads`); the hierarchy does not depend on the weights,
so a flooded or closed road is a change of weights, not a new graph. Points far from any road are left to `base`.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoutingError
from routing.travel import NO_LEG, Leg, Point, TravelModel

if TYPE_CHECKING:
    from routingkit_cch import CCH, CCHMetric

FORMAT = "road-graph/1"
_RIDES_FORMAT = "fixed-rides/1"
M_PER_DEGREE = 111_195.08  # on a sphere of 6,371,008.8 m
_CLOSED = 2**31 - 1  # the hierarchy's infinity: with the weights below, what takes 18 hours is no way
# Weights are 320·centiseconds, or the same plus decimetres: their difference is the length of the fastest way (of the
# shorter one, where two ways differ by less than 0.3 seconds a kilometre).
_SHARE = 320
_LONGEST_ARC_CS = 360_000
_CELL_DEG = 0.005


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """A strongly connected road network: nodes in degrees, one arc per direction with its metres and speed.

    `lat`, `lng` float64 [nodes]; `tail`, `head` int32 [arcs]; `metres`, `kmh` float32 [arcs].
    """

    lat: NDArray[np.float64]
    lng: NDArray[np.float64]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    metres: NDArray[np.float32]
    kmh: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write the graph as one compressed .npz file, whole or not at all."""
        _save(path, FORMAT, {name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def load(cls, path: Path) -> RoadGraph:
        """Return a saved graph; raises RoutingError when the file is none."""
        return cls(**_load(path, FORMAT, cls.__slots__))


@dataclass(frozen=True, slots=True)
class RoadChange:
    """A circle in which roads are slower: seconds times `slower`, or closed where it is None."""

    lat: float
    lng: float
    radius_m: float
    slower: float | None = None


@dataclass(frozen=True, slots=True)
class FixedRides:
    """Rides between places that stay (the shops), reckoned once: points in degrees, int32 [n, n] both.

    `roads` is the fingerprint of the roads and changes they were driven on; on others they are not used.
    """

    roads: str
    lat: NDArray[np.float64]
    lng: NDArray[np.float64]
    seconds: NDArray[np.int32]
    metres: NDArray[np.int32]

    def save(self, path: Path) -> None:
        """Write the rides as one compressed .npz file, whole or not at all."""
        _save(path, _RIDES_FORMAT, {name: np.asarray(getattr(self, name)) for name in self.__slots__})

    @classmethod
    def load(cls, path: Path) -> FixedRides:
        """Return saved rides; raises RoutingError when the file is none."""
        arrays = _load(path, _RIDES_FORMAT, cls.__slots__)
        return cls(roads=str(arrays.pop("roads")), **arrays)


@dataclass(frozen=True)
class RoadTravel:
    """Rides over a road graph, from and to the nearest node of it.

    The way between a point and its node is ridden at `access_kmh`; every ride takes `stop_s` more (parking, asking).
    Rides of points farther than `reach_m` from any road come from `base`.
    """

    graph: RoadGraph
    base: TravelModel
    changes: tuple[RoadChange, ...] = ()
    fixed: FixedRides | None = None
    stop_s: int = 120
    access_kmh: float = 10.0
    access_detour: float = 1.3
    reach_m: float = 1500.0
    _hierarchies: list[CCH] = field(default_factory=list, repr=False, compare=False)

    def prepare(self) -> None:
        """Build the hierarchy now, so that no ride waits for it."""
        _ = self._metrics

    def with_changes(self, changes: Sequence[RoadChange]) -> RoadTravel:
        """Return travel on the same roads with other closures; the hierarchy is kept, only weights are set anew."""
        return replace(self, changes=tuple(changes))

    def with_fixed(self, points: Sequence[Point]) -> RoadTravel:
        """Return travel that knows the rides between `points` by heart."""
        seconds, metres = replace(self, fixed=None).matrix(points)
        lat, lng = _degrees(points)
        return replace(self, fixed=FixedRides(self._stamp, lat, lng, seconds, metres))

    def matrix(self, points: Sequence[Point]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return durations in seconds and distances in metres, each int32 [n, n], NO_LEG where there is no way."""
        count = len(points)
        seconds = np.full((count, count), NO_LEG, dtype=np.int32)
        metres = np.full((count, count), NO_LEG, dtype=np.int32)
        if not count:
            return seconds, metres
        lat, lng = _degrees(points)
        node, access_m = self._snapped(lat, lng)
        known = self._known(lat, lng)
        fresh = np.flatnonzero(known < 0)
        held = np.flatnonzero(known >= 0)
        if self.fixed is not None and len(held):
            seconds[np.ix_(held, held)] = self.fixed.seconds[np.ix_(known[held], known[held])]
            metres[np.ix_(held, held)] = self.fixed.metres[np.ix_(known[held], known[held])]
        self._ride(seconds, metres, node, access_m, fresh, held)
        self._near(seconds, metres, lat, lng, node, fresh)
        off_road = access_m > self.reach_m
        if off_road.any():
            by_air = off_road[:, None] | off_road[None, :]
            base_s, base_m = self.base.matrix(points)
            seconds[by_air], metres[by_air] = base_s[by_air], base_m[by_air]
        same = (lat[:, None] == lat[None, :]) & (lng[:, None] == lng[None, :])
        seconds[same] = metres[same] = 0
        return seconds, metres

    def leg(self, origin: Point, destination: Point) -> Leg:
        """Return the one ride from `origin` to `destination`."""
        seconds, metres = self.matrix([origin, destination])
        return Leg(int(seconds[0, 1]), int(metres[0, 1]))

    def _ride(
        self,
        seconds: NDArray[np.int32],
        metres: NDArray[np.int32],
        node: NDArray[np.int64],
        access_m: NDArray[np.float64],
        fresh: NDArray[np.int64],
        held: NDArray[np.int64],
    ) -> None:
        """Fill the rows of fresh points, and the columns of fresh points in the rows of held ones."""
        from routingkit_cch import CCHManyToOne, CCHOneToMany

        everybody = np.arange(len(node))
        plain = np.empty((2, len(node)), dtype=np.float64)  # NaN: no way
        forward = [CCHOneToMany(metric, node.tolist()) for metric in self._metrics]
        for i in fresh:
            for row, query in zip(plain, forward, strict=True):
                row[:] = query.distances_from(int(node[i]))
            self._enter(seconds, metres, i, everybody, plain, access_m[i] + access_m)
        if not len(held) or not len(fresh):
            return
        backward = [CCHManyToOne(metric, node[held].tolist()) for metric in self._metrics]
        for j in fresh:
            some = plain[:, : len(held)]
            for row, back in zip(some, backward, strict=True):
                row[:] = back.distances_to(int(node[j]))
            self._enter(seconds, metres, held, j, some, access_m[held] + access_m[j])

    def _enter(
        self,
        seconds: NDArray[np.int32],
        metres: NDArray[np.int32],
        rows: NDArray[np.int64] | int,
        columns: NDArray[np.int64] | int,
        ways: NDArray[np.float64],
        access_m: NDArray[np.float64],
    ) -> None:
        on_foot_m = np.minimum(access_m, 2 * self.reach_m) * self.access_detour
        drive_s = ways[0] / (100 * _SHARE) + on_foot_m * 3.6 / self.access_kmh
        seconds[rows, columns] = np.nan_to_num(np.ceil(drive_s + self.stop_s), nan=NO_LEG)
        metres[rows, columns] = np.nan_to_num(np.rint((ways[1] - ways[0]) / 10 + on_foot_m), nan=NO_LEG)

    def _near(
        self,
        seconds: NDArray[np.int32],
        metres: NDArray[np.int32],
        lat: NDArray[np.float64],
        lng: NDArray[np.float64],
        node: NDArray[np.int64],
        fresh: NDArray[np.int64],
    ) -> None:
        """Between points at one node nobody rides to the node and back."""
        for i in fresh:
            neighbours = np.flatnonzero(node == node[i])
            if len(neighbours) > 1:
                straight_m = _plane_m(lat[neighbours], lng[neighbours], float(lat[i]), float(lng[i]))
                on_foot_m = straight_m * self.access_detour
                short_s = np.ceil(on_foot_m * 3.6 / self.access_kmh + self.stop_s)
                seconds[i, neighbours] = seconds[neighbours, i] = short_s
                metres[i, neighbours] = metres[neighbours, i] = np.rint(on_foot_m)

    @cached_property
    def _stamp(self) -> str:
        digest = hashlib.sha256(
            repr((self.changes, self.stop_s, self.access_kmh, self.access_detour, self.reach_m)).encode()
        )
        for name in RoadGraph.__slots__:
            digest.update(getattr(self.graph, name).tobytes())
        return digest.hexdigest()

    def _known(self, lat: NDArray[np.float64], lng: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return each point's number among the fixed ones, -1 for the others."""
        known = np.full(len(lat), -1, dtype=np.int64)
        if self.fixed is not None and self.fixed.roads == self._stamp:
            numbers = {at: k for k, at in enumerate(zip(self.fixed.lat.tolist(), self.fixed.lng.tolist(), strict=True))}
            known[:] = [numbers.get(at, -1) for at in zip(lat.tolist(), lng.tolist(), strict=True)]
        return known

    @cached_property
    def _metrics(self) -> tuple[CCHMetric, CCHMetric]:
        """The hierarchy under two weights: time alone, and time with a breath of metres."""
        from routingkit_cch import CCH, CCHMetric, compute_order_inertial

        graph = self.graph
        tail, head = graph.tail.tolist(), graph.head.tolist()
        if not self._hierarchies:  # shared with every `with_changes`: it does not depend on weights
            order = compute_order_inertial(len(graph.lat), tail, head, graph.lat.tolist(), graph.lng.tolist())
            self._hierarchies.append(CCH(order, tail, head, False))
        hierarchy = self._hierarchies[0]
        hundredths, is_open = self._weights()
        time = np.where(is_open, hundredths * _SHARE, _CLOSED)
        both = np.where(is_open, hundredths * _SHARE + np.rint(graph.metres * 10).astype(np.int64), _CLOSED)
        return CCHMetric(hierarchy, time.tolist()), CCHMetric(hierarchy, both.tolist())

    def _weights(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return centiseconds of every arc under the changes, and whether it is open."""
        graph = self.graph
        seconds = graph.metres.astype(np.float64) * 3.6 / graph.kmh
        is_open = np.ones(len(seconds), dtype=np.bool_)
        middle_lat = (graph.lat[graph.tail] + graph.lat[graph.head]) / 2
        middle_lng = (graph.lng[graph.tail] + graph.lng[graph.head]) / 2
        for change in self.changes:
            touched = _plane_m(middle_lat, middle_lng, change.lat, change.lng) <= change.radius_m
            if change.slower is None:
                is_open &= ~touched
            else:
                seconds[touched] *= change.slower
        return np.clip(np.rint(seconds * 100), 1, _LONGEST_ARC_CS).astype(np.int64), is_open

    def _snapped(
        self, lat: NDArray[np.float64], lng: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return each point's nearest node and the straight metres to it; beyond `reach_m` the metres are infinite."""
        nodes = np.zeros(len(lat), dtype=np.int64)
        apart = np.full(len(lat), np.inf)
        for k, (here_lat, here_lng) in enumerate(zip(lat.tolist(), lng.tolist(), strict=True)):
            near = self._around(here_lat, here_lng)
            if len(near):
                away = _plane_m(self.graph.lat[near], self.graph.lng[near], here_lat, here_lng)
                best = int(away.argmin())
                if away[best] <= self.reach_m:
                    nodes[k], apart[k] = near[best], away[best]
        return nodes, apart

    def _around(self, lat: float, lng: float) -> NDArray[np.int64]:
        """Return the nodes in the cells around a point: the ring next to it, or, where that is empty, all in reach."""
        order, cells = self._cells
        row, column = int(np.floor(lat / _CELL_DEG)), int(np.floor(lng / _CELL_DEG))
        widest = int(self.reach_m / (M_PER_DEGREE * _CELL_DEG * max(0.2, np.cos(np.radians(lat))))) + 1
        for ring in (1, widest):
            found = []
            for r in range(row - ring, row + ring + 1):
                first, last = np.searchsorted(cells, [_cell(r, column - ring), _cell(r, column + ring) + 1])
                found.append(order[first:last])
            near = np.concatenate(found)
            if ring == widest or (
                len(near) and _plane_m(self.graph.lat[near], self.graph.lng[near], lat, lng).min() < _CELL_DEG * 100_000
            ):
                return near
        return near

    @cached_property
    def _cells(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rows = np.floor(self.graph.lat / _CELL_DEG).astype(np.int64)
        columns = np.floor(self.graph.lng / _CELL_DEG).astype(np.int64)
        cells = _cell(rows, columns)
        order = np.argsort(cells, kind="stable")
        return order, cells[order]


def _save(path: Path, form: str, arrays: dict[str, NDArray[Any]]) -> None:
    unfinished = path.with_name(f"{path.name}.new")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, format=np.array(form), **arrays)
    unfinished.replace(path)


def _load(path: Path, form: str, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as held:
            if str(held["format"]) != form:
                raise KeyError("format")
            return {name: held[name] for name in names}
    except OSError as error:
        raise RoutingError("unreadable", f"cannot be read: {error.strerror or error}", str(path)) from None
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise RoutingError("unknown_format", f"is no {form} file", str(path)) from None


def _cell(row: NDArray[np.int64] | int, column: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Return one number for a cell; neighbours in a row have numbers that follow each other."""
    return np.asarray(row, dtype=np.int64) * 2**20 + column


def _degrees(points: Sequence[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lat = np.array([point.lat for point in points], dtype=np.float64)
    lng = np.array([point.lng for point in points], dtype=np.float64)
    return lat, lng


def _plane_m(
    lat: NDArray[np.float64], lng: NDArray[np.float64], here_lat: float, here_lng: float
) -> NDArray[np.float64]:
    """Return metres to one point on a plane that touches the earth there: right to a metre within a few kilometres."""
    shrink = np.cos(np.radians(here_lat))
    away: NDArray[np.float64] = np.hypot(lat - here_lat, (lng - here_lng) * shrink) * M_PER_DEGREE
    return away
