"""Travel without a road network: straight lines times a detour, by the file format's formula or by terrain."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoutingError
from routing.model import GeodesicTravel, LegByLeg
from routing.travel import Leg, Point, Terrain

EARTH_RADIUS_M = 6371008.8
LONGEST_S = 2**31 - 1
_SAFE_INT64 = 2**62
_FAR_M = 1e7  # beyond, towards the other side of the globe, the arc sine magnifies roundings
_DOUBT_M = 1e-6  # from half a metre
_TILE = 128  # places to a side of what is reckoned at once: three float64 tables of it stay in a core's cache
_MANY_PLACES = 500  # up to so many places threads cost more than they save
_MOST_THREADS = 4
_SPEED_RISE_KM = 4.0
Km = TypeVar("Km", float, NDArray[np.float64])
Globe: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


class FileLegs:
    """The legs between points by the exact formula of `routing-problem/1`, all at once or one by one.

    m = round(2·6371008.8·asin(√h)·detour) in float64, half to even; s = ceil(m·36 / (10·speed_kmh)) in exact
    arithmetic plus stop_overhead_s; 0 and 0 from a place to itself. Every leg is as long as the way back.
    """

    __slots__ = ("_detour", "_lam", "_phi", "_through", "_travel")

    def __init__(self, lat: Sequence[float], lng: Sequence[float], travel: GeodesicTravel) -> None:
        self._travel, self._detour = travel, float(travel.detour)
        self._phi = phi = np.radians(np.asarray(lat, dtype=np.float64))
        self._lam = lam = np.radians(np.asarray(lng, dtype=np.float64))
        self._through = _through(phi, lam)

    def both(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return (seconds, metres), int32 [n, n]; raises RoutingError when a leg exceeds int32."""
        metres = np.empty((len(self._phi), len(self._phi)), dtype=np.int32)
        return self._filled(metres), metres

    def seconds(self) -> NDArray[np.int32]:
        """Return the seconds alone, int32 [n, n], in half the memory; raises RoutingError as `both` does."""
        return self._filled(None)

    def leg_m(self, i: int, j: int) -> int:
        """Return the metres of one leg, the very integer of `both`."""
        return int(self._by_formula(i, j))

    def legs_of(self, place: int) -> NDArray[np.int32]:
        """Return one place's legs, int32 [n, seconds and metres], the very integers of `both`.

        Raises RoutingError as `both` does.
        """
        metres = self._by_formula(place, np.arange(len(self._phi)))
        seconds = _ceil_seconds(metres.astype(np.int64), self._travel)
        if max(metres.max(), seconds.max()) > LONGEST_S:
            raise RoutingError("bad_value", f"makes a leg longer than {LONGEST_S} metres or seconds", "travel")
        legs = np.stack([seconds, metres.astype(np.int64)], axis=1).astype(np.int32)
        legs[place] = 0
        return legs

    def _filled(self, metres: NDArray[np.int32] | None) -> NDArray[np.int32]:
        """Return the seconds; the metres go where told, if anywhere. Half is reckoned, half mirrored."""
        count = len(self._phi)
        seconds = np.empty((count, count), dtype=np.int32)

        def fill(rows: slice, columns: slice) -> None:
            tile_m = self._tile(rows, columns)
            if tile_m.max() > LONGEST_S:
                raise RoutingError("bad_value", "makes a leg longer than 2^31 metres", "travel.detour")
            tile_s = _ceil_seconds(tile_m.astype(np.int64), self._travel)
            if tile_s.max() > LONGEST_S:
                raise RoutingError("bad_value", "makes a leg longer than 2^31 seconds", "travel.speed_kmh")
            seconds[rows, columns], seconds[columns, rows] = tile_s, tile_s.T
            if metres is not None:
                metres[rows, columns], metres[columns, rows] = tile_m, tile_m.T

        _by_tiles(count, fill)
        np.fill_diagonal(seconds, 0)
        return seconds

    def _tile(self, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Return the metres from a tile's rows to its columns: the formula's, though few are reckoned by it.

        The way through the globe takes half the time to reckon. Up to _FAR_M the two ways to √h and the roundings
        after it differ by some 1e-16 of the globe, 1e-8 m: only a leg so close to half a metre could be rounded to
        another integer. There, with much to spare, and beyond _FAR_M, the formula decides.
        """
        metres = _straight_m(self._through, rows, columns)
        metres *= self._detour
        whole = np.rint(metres)
        metres -= whole
        doubtful = np.abs(metres, out=metres) > 0.5 - _DOUBT_M * self._detour
        if whole.max() > _FAR_M * self._detour:
            doubtful |= whole > _FAR_M * self._detour
        if doubtful.any():
            i, j = np.nonzero(doubtful)
            whole[i, j] = self._by_formula(rows.start + i, columns.start + j)
        return whole

    def _by_formula(self, i: int | NDArray[np.intp], j: int | NDArray[np.intp]) -> NDArray[np.float64]:
        phi, lam = self._phi, self._lam
        return np.rint(_haversine_m(phi[i], lam[i], phi[j], lam[j]) * self._detour)


def _by_tiles(count: int, fill: Callable[[slice, slice], None]) -> None:
    """Call `fill(rows, columns)` for tiles that cover the diagonal of a square matrix and what lies right of it."""

    def band(first: int) -> None:
        for other in range(first, count, _TILE):
            fill(slice(first, first + _TILE), slice(other, other + _TILE))

    bands = range(0, count, _TILE)
    if count <= _MANY_PLACES:
        deque(map(band, bands), maxlen=0)
    else:  # numpy lets go of the interpreter while it reckons; bands grow shorter, so threads end together
        with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as pool:
            deque(pool.map(band, bands), maxlen=0)


def _ceil_seconds(metres: NDArray[np.int64], travel: GeodesicTravel) -> NDArray[np.int64]:
    """Return ceil(m·36 / (10·speed)) + overhead, in integers; a decimal speed counts as it is written."""
    speed = Fraction(str(travel.speed_kmh))
    factor, divisor = 36 * speed.denominator, 10 * speed.numerator
    common = math.gcd(factor, divisor)
    factor, divisor = factor // common, divisor // common
    longest = int(metres.max()) if metres.size else 0
    if longest * factor + divisor < _SAFE_INT64:
        upside_down = metres * -factor
        upside_down //= divisor
        return np.subtract(travel.stop_overhead_s, upside_down, out=upside_down)
    exact = [min(-(-m * factor // divisor) + travel.stop_overhead_s, _SAFE_INT64) for m in metres.ravel().tolist()]
    return np.array(exact, dtype=np.int64).reshape(metres.shape)


def _squared(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.square(values, out=values)


def _through(phi: NDArray[np.float64], lam: NDArray[np.float64]) -> Globe:
    """Return points on a globe of radius ½, where the straight way through it is the sine of half the angle, √h."""
    return np.cos(phi) * np.cos(lam) / 2, np.cos(phi) * np.sin(lam) / 2, np.sin(phi) / 2


def _straight_m(through: Globe, rows: slice, columns: slice) -> NDArray[np.float64]:
    """Return great-circle metres from some points to others."""
    x, y, z = through
    h = _squared(x[rows, None] - x[columns])
    h += _squared(y[rows, None] - y[columns])
    h += _squared(z[rows, None] - z[columns])
    metres = np.arcsin(np.minimum(np.sqrt(h, out=h), 1.0, out=h), out=h)
    metres *= 2 * EARTH_RADIUS_M
    return metres


def _haversine_m(
    phi: NDArray[np.float64], lam: NDArray[np.float64], psi: NDArray[np.float64], mu: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return great-circle metres from latitude φ, longitude λ to ψ, μ in radians, float64 of their common shape."""
    half_lam = np.square(np.sin((lam - mu) / 2))
    h = np.square(np.sin((phi - psi) / 2)) + np.cos(phi) * np.cos(psi) * half_lam
    straight: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(np.maximum(h, 0.0), 1.0)))
    return straight


@dataclass(frozen=True, slots=True)
class TerrainSpeed:
    """One row of the terrain table: detour c(d) = c1 + c0·exp(-d/d0), speed v(d) = v1 - (v1 - v0)·exp(-d/4 km)."""

    c1: float
    c0: float
    d0_km: float
    v0_kmh: float
    v1_kmh: float
    stop_minutes: float
    rain_factor: float

    def road(self, straight_km: Km, exp: Callable[[Km], Km]) -> tuple[Km, Km]:
        """Return the kilometres of the road and the speed in km/h over a straight line, of one ride or of many."""
        road_km = straight_km * (self.c1 + self.c0 * exp(-straight_km / self.d0_km))
        return road_km, self.v1_kmh - (self.v1_kmh - self.v0_kmh) * exp(-straight_km / _SPEED_RISE_KM)


# Only the town row is fitted (street networks of Nha Trang and Hanoi); the others are proposals from published
# distances and ride times, to be corrected by what couriers really need.
DEFAULT_TERRAIN: Mapping[Terrain, TerrainSpeed] = {
    Terrain.TOWN: TerrainSpeed(1.30, 0.35, 1.3, 19.0, 33.0, 2.0, 1.1),
    Terrain.PLAIN: TerrainSpeed(1.30, 0.35, 1.5, 22.0, 38.0, 2.0, 1.1),
    Terrain.HILLS: TerrainSpeed(1.45, 0.40, 2.0, 20.0, 34.0, 3.0, 1.2),
    Terrain.HIGH_MOUNTAIN: TerrainSpeed(1.80, 0.50, 3.0, 16.0, 28.0, 4.0, 1.4),
}


@dataclass(frozen=True, slots=True)
class TerrainTravel:
    """The service's default model: T = t0 + d·c(d)/v(d)·season, by the harder terrain of the two ends."""

    table: Mapping[Terrain, TerrainSpeed] | None = None
    rainy: bool = False

    def matrix(self, points: Sequence[Point]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return (seconds rounded up, metres rounded), int32 [n, n]; straight lines by haversine."""
        metres = np.zeros((len(points), len(points)), dtype=np.int32)
        return self._filled(points, metres), metres

    def seconds(self, points: Sequence[Point]) -> NDArray[np.int32]:
        """Return the seconds of `matrix` alone, in half the memory."""
        return self._filled(points, None)

    def leg_by_leg(self, points: Sequence[Point]) -> tuple[LegByLeg, LegByLeg]:
        """Return the seconds and the metres of `matrix` as legs that are reckoned when they are asked for."""
        phi, lam = [math.radians(p.lat) for p in points], [math.radians(p.lng) for p in points]
        rows = self.table or DEFAULT_TERRAIN

        def drive(i: int, j: int) -> tuple[float, float]:
            h = math.sin((phi[i] - phi[j]) / 2) ** 2
            h += math.cos(phi[i]) * math.cos(phi[j]) * math.sin((lam[i] - lam[j]) / 2) ** 2
            straight_km = 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(h, 1.0))) / 1000
            if straight_km == 0:
                return 0.0, 0.0
            row = rows[max(points[i].terrain, points[j].terrain)]
            road_km, speed_kmh = row.road(straight_km, math.exp)
            return row.stop_minutes * 60 + road_km / speed_kmh * self._season(row) * 3600, road_km * 1000

        count = len(points)
        seconds = LegByLeg(count, lambda i, j: math.ceil(drive(i, j)[0]))
        return seconds, LegByLeg(count, lambda i, j: round(drive(i, j)[1]))

    def _filled(self, points: Sequence[Point], metres: NDArray[np.int32] | None) -> NDArray[np.int32]:
        """Return the seconds; the metres go where told, if anywhere. Half is reckoned, half mirrored."""
        table = self.table or DEFAULT_TERRAIN
        through = _through(np.radians([p.lat for p in points]), np.radians([p.lng for p in points]))
        terrain = np.array([int(p.terrain) for p in points], dtype=np.int8)
        seconds = np.zeros((len(points), len(points)), dtype=np.int32)

        def fill(rows: slice, columns: slice) -> None:
            straight_km = _straight_m(through, rows, columns)
            straight_km /= 1000
            harder = np.maximum(terrain[rows, None], terrain[columns])
            kinds = np.unique(harder)
            if len(kinds) == 1:
                tile_s, tile_m = self._drive(straight_km, table[Terrain(kinds[0])])
            else:
                tile_s, tile_m = np.zeros(harder.shape, dtype=np.int32), np.zeros(harder.shape, dtype=np.int32)
                for kind in kinds:
                    here = harder == kind
                    tile_s[here], tile_m[here] = self._drive(straight_km[here], table[Terrain(kind)])
            same = straight_km == 0
            tile_s[same] = tile_m[same] = 0
            seconds[rows, columns], seconds[columns, rows] = tile_s, tile_s.T
            if metres is not None:
                metres[rows, columns], metres[columns, rows] = tile_m, tile_m.T

        _by_tiles(len(points), fill)
        return seconds

    def leg(self, origin: Point, destination: Point) -> Leg:
        """Return one drive, its straight line measured on the WGS84 ellipsoid (up to 0.5 % from the matrix)."""
        from geopy import distance  # half a second to import, and matrices never need it

        straight_km = distance.geodesic((origin.lat, origin.lng), (destination.lat, destination.lng)).kilometers
        if straight_km == 0:
            return Leg(0, 0)
        row = (self.table or DEFAULT_TERRAIN)[max(origin.terrain, destination.terrain)]
        seconds, metres = self._drive(np.array([straight_km]), row)
        return Leg(int(seconds[0]), int(metres[0]))

    def _drive(
        self, straight_km: NDArray[np.float64], row: TerrainSpeed
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        road_km, speed_kmh = row.road(straight_km, np.exp)
        seconds = np.ceil(row.stop_minutes * 60 + road_km / speed_kmh * self._season(row) * 3600)
        return seconds.astype(np.int32), np.rint(road_km * 1000).astype(np.int32)

    def _season(self, row: TerrainSpeed) -> float:
        return row.rain_factor if self.rainy else 1.0
