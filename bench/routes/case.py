"""One problem as every engine of this comparison is given it: real numbers, pairs, vehicles, prices.

Stop 2·r is the pickup of pair r, 2·r+1 its delivery; a plan is one list of stops per vehicle, in the case's order.
Nothing here comes from `routing`: its plans are judged by what stands in this package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Routes: TypeAlias = list[list[int]]
EARTH_M = 6_371_008.8


class Travel(Protocol):
    """Driving between places by their numbers; the drive is also what is paid."""

    whole: bool  # whether every leg is a whole number

    def leg(self, origin: int, destination: int) -> float:
        """Return one drive."""
        ...

    def matrix(self) -> NDArray[np.float64]:
        """Return all drives."""
        ...


@dataclass(frozen=True)
class Table:
    """Drives as they stand in a file."""

    rows: NDArray[np.int32]
    whole: bool = True

    def leg(self, origin: int, destination: int) -> float:
        """Return one drive."""
        return float(self.rows[origin, destination])

    def matrix(self) -> NDArray[np.float64]:
        """Return all drives."""
        return self.rows.astype(np.float64)


@dataclass(frozen=True)
class Plane:
    """Points in the plane, the distance being the time, in float64 and without rounding."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    whole: bool = False

    def leg(self, origin: int, destination: int) -> float:
        """Return one drive."""
        return math.hypot(self.x[origin] - self.x[destination], self.y[origin] - self.y[destination])

    def matrix(self) -> NDArray[np.float64]:
        """Return all drives."""
        x, y = np.array(self.x), np.array(self.y)
        return np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])


@dataclass(frozen=True)
class Earth:
    """Coordinates, straight lines times a detour at one speed, by the formula of `routing-problem/1`, in seconds."""

    lat: tuple[float, ...]
    lng: tuple[float, ...]
    detour: float = 1.35
    speed_kmh: int = 28
    stop_s: int = 20
    whole: bool = True

    def leg(self, origin: int, destination: int) -> float:
        """Return one drive."""
        if origin == destination:
            return 0.0
        a, b = math.radians(self.lat[origin]), math.radians(self.lat[destination])
        across = math.radians(self.lng[destination] - self.lng[origin])
        h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
        metres = round(2 * EARTH_M * math.asin(math.sqrt(h)) * self.detour)
        return float(-(-metres * 36 // (10 * self.speed_kmh)) + self.stop_s)

    def matrix(self) -> NDArray[np.float64]:
        """Return all drives."""
        lat, lng = np.radians(self.lat), np.radians(self.lng)
        h = np.sin((lat[:, None] - lat[None, :]) / 2) ** 2
        h += np.cos(lat)[:, None] * np.cos(lat)[None, :] * np.sin((lng[:, None] - lng[None, :]) / 2) ** 2
        metres = np.rint(2 * EARTH_M * np.arcsin(np.sqrt(h)) * self.detour)
        seconds = -(-metres * 36 // (10 * self.speed_kmh)) + self.stop_s
        np.fill_diagonal(seconds, 0)
        return seconds


@dataclass(frozen=True)
class Stop:
    """One end of a pair: service starts inside the window; `due` is a promise that may be broken at a price."""

    place: int
    opens: float
    closes: float
    service: float = 0
    due: float | None = None


@dataclass(frozen=True)
class Pair:
    """A pickup with its delivery; with a `holder` the parcel is on board of that vehicle and only delivered."""

    name: str
    pickup: Stop
    delivery: Stop
    size: int = 1
    holder: int | None = None


@dataclass(frozen=True)
class Vehicle:
    """Where and when one starts and must be back; without an `end` the route ends at its last stop."""

    start: int
    end: int | None
    leaves: float
    back_by: float
    capacity: int


@dataclass(frozen=True)
class Prices:
    """What is paid beside the drive."""

    vehicle: float = 0
    unserved: float = 0
    late_per_s: float = 0


@dataclass(frozen=True)
class Case:
    """A problem; `source` is the file it was read from, for an engine that reads such files itself."""

    name: str
    travel: Travel
    vehicles: tuple[Vehicle, ...]
    pairs: tuple[Pair, ...]
    prices: Prices = field(default_factory=Prices)
    now: float = 0
    source: bytes | None = field(default=None, repr=False)

    def stop(self, number: int) -> Stop:
        """Return a stop by its number."""
        pair = self.pairs[number // 2]
        return pair.delivery if number % 2 else pair.pickup

    def priced(self, **prices: float) -> Case:
        """Return the same case at other prices."""
        return replace(self, prices=replace(self.prices, **prices))


@dataclass(frozen=True)
class Ask:
    """What an engine is told beside the case; `how` names a variant of its settings."""

    seconds: float
    seed: int = 1
    threads: int = 1
    how: str = ""
    warm: Routes | None = None
