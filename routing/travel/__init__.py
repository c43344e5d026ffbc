"""Where travel times come from: every source answers the same two questions, for one leg and for a whole matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_LEG = -1


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
