"""Where travel times come from: every source answers the same two questions, for one leg and for a whole matrix."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoutingError
from routing.model import LegByLeg

NO_LEG = -1
LONGEST_LEG = 2**31 - 1

log = logging.getLogger(__name__)


class Terrain(IntEnum):
    """How hard the ground is to ride, easiest first; between two terrains the harder one counts."""

    TOWN = 0
    PLAIN = 1
    HILLS = 2
    HIGH_MOUNTAIN = 3


@dataclass(frozen=True, slots=True)
class Point:
    """A place in WGS84 degrees, the terrain around it and the name of its area (a commune, for hand-made tables)."""

    lat: float
    lng: float
    terrain: Terrain = Terrain.PLAIN
    area: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """One drive in whole seconds and metres; both are NO_LEG where there is no way."""

    duration_s: int
    distance_m: int


class TravelModel(Protocol):
    """A source of travel times. Points at the same coordinates are 0 s and 0 m apart."""

    def matrix(self, points: Sequence[Point]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return durations in seconds and distances in metres, each int32 [n, n], NO_LEG where there is no way."""
        ...

    def leg(self, origin: Point, destination: Point) -> Leg:
        """Return the one drive from `origin` to `destination`."""
        ...


@runtime_checkable
class PiecemealTravel(TravelModel, Protocol):
    """A source that also answers in parts, for who has no room for both matrices or asks for few of many legs."""

    def seconds(self, points: Sequence[Point]) -> NDArray[np.int32]:
        """Return the durations of `matrix` alone."""
        ...

    def leg_by_leg(self, points: Sequence[Point]) -> tuple[LegByLeg, LegByLeg]:
        """Return the durations and the distances of `matrix`, each leg reckoned when it is asked for."""
        ...


class TableService(Protocol):
    """A travel server that answers tables over the network."""

    most_places: int  # sources and destinations of one question together
    most_pairs: int  # sources times destinations of one question

    def table(
        self, sources: Sequence[Point], destinations: Sequence[Point], timeout_s: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return seconds and metres, float64 [sources, destinations], NaN where there is no way.

        Raises RoutingError when the server does not answer in time or not with a table.
        """
        ...


@dataclass(slots=True)
class RemoteTravel:
    """Rides from a travel server, in questions as large as it takes; from `base` when it fails or is too slow.

    One failure decides for the whole matrix (rides of two sources do not compare), and for `rest_s` seconds after it
    nobody waits for the server again. Every ride takes `stop_s` more (parking, asking).
    """

    service: TableService
    base: TravelModel
    timeout_s: float = 5.0
    rest_s: float = 60.0
    stop_s: int = 120
    _resting_until: float = field(default=0.0, repr=False)

    def matrix(self, points: Sequence[Point]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return durations in seconds and distances in metres, each int32 [n, n], NO_LEG where there is no way."""
        if len(points) < 2 or time.monotonic() < self._resting_until:
            return self.base.matrix(points)
        different, numbers = _unique(points)
        try:
            seconds, metres = self._asked(different)
        except RoutingError as error:
            self._resting_until = time.monotonic() + self.rest_s
            log.warning("travel server failed, the built-in model stands in for %.0f s: %s", self.rest_s, error)
            return self.base.matrix(points)
        return seconds[np.ix_(numbers, numbers)], metres[np.ix_(numbers, numbers)]

    def leg(self, origin: Point, destination: Point) -> Leg:
        """Return the one drive from `origin` to `destination`."""
        seconds, metres = self.matrix([origin, destination])
        return Leg(int(seconds[0, 1]), int(metres[0, 1]))

    def _asked(self, points: Sequence[Point]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        until = time.monotonic() + self.timeout_s
        count = len(points)
        side = max(1, min(self.service.most_places // 2, int(self.service.most_pairs**0.5)))
        seconds = np.zeros((count, count), dtype=np.int32)
        metres = np.zeros((count, count), dtype=np.int32)
        for row in range(0, count, side):
            for column in range(0, count, side):
                left_s = until - time.monotonic()
                if left_s <= 0:
                    raise RoutingError("too_slow", f"no whole table of {count} places in {self.timeout_s} s")
                rows, columns = slice(row, row + side), slice(column, column + side)
                drive_s, drive_m = self.service.table(points[rows], points[columns], left_s)
                shape = (len(points[rows]), len(points[columns]))
                if drive_s.shape != shape or drive_m.shape != shape:
                    raise RoutingError("bad_answer", f"must be a table of {shape[0]}x{shape[1]}, not {drive_s.shape}")
                seconds[rows, columns] = _whole(np.ceil(drive_s))
                metres[rows, columns] = _whole(np.rint(drive_m))
        seconds += self.stop_s
        missing = (seconds < self.stop_s) | (metres < 0)
        seconds[missing] = metres[missing] = NO_LEG
        np.fill_diagonal(seconds, 0)
        np.fill_diagonal(metres, 0)
        return seconds, metres


def _whole(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return integers with NO_LEG for NaN; raises RoutingError for what no ride can be."""
    known = values[~np.isnan(values)]
    if known.size and not (known.min() >= 0 and known.max() <= LONGEST_LEG):
        raise RoutingError("bad_answer", f"must be between 0 and {LONGEST_LEG}")
    return np.nan_to_num(values, nan=NO_LEG).astype(np.int32)


def _unique(points: Sequence[Point]) -> tuple[list[Point], NDArray[np.int64]]:
    """Return the points without repetition, and each point's number among them."""
    first: dict[tuple[float, float], int] = {}
    different: list[Point] = []
    numbers = []
    for point in points:
        number = first.setdefault((point.lat, point.lng), len(different))
        if number == len(different):
            different.append(point)
        numbers.append(number)
    return different, np.array(numbers, dtype=np.int64)
