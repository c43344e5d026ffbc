"""Travel without a road network: straight lines times a detour, by the file format's formula or by terrain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoutingError
from routing.model import GeodesicTravel
from routing.travel import Leg, Point, Terrain

EARTH_RADIUS_M = 6371008.8
LONGEST_S = 2**31 - 1
_BLOCK_ROWS = 512
_SAFE_INT64 = 2**62


def file_legs(
    lat: Sequence[float], lng: Sequence[float], travel: GeodesicTravel
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return (seconds, metres), int32 [n, n], by the exact formula of `routing-problem/1`.

    m = round(2·6371008.8·asin(√h)·detour) in float64, half to even; s = ceil(m·36 / (10·speed_kmh)) in exact
    arithmetic plus stop_overhead_s; 0 and 0 from a place to itself. Raises RoutingError when a leg exceeds int32.
    """
    count = len(lat)
    seconds = np.zeros((count, count), dtype=np.int32)
    metres = np.zeros((count, count), dtype=np.int32)
    for first in range(0, count, _BLOCK_ROWS):
        rows = slice(first, min(first + _BLOCK_ROWS, count))
        straight_m = _haversine_m(lat, lng, rows)
        block_m = np.rint(straight_m * float(travel.detour))
        if block_m.size and block_m.max() > LONGEST_S:
            raise RoutingError("bad_value", "makes a leg longer than 2^31 metres", "travel.detour")
        block_s = _ceil_seconds(block_m.astype(np.int64), travel)
        if block_s.size and block_s.max() > LONGEST_S:
            raise RoutingError("bad_value", "makes a leg longer than 2^31 seconds", "travel.speed_kmh")
        metres[rows] = block_m
        seconds[rows] = block_s
    np.fill_diagonal(seconds, 0)
    np.fill_diagonal(metres, 0)
    return seconds, metres


def _ceil_seconds(metres: NDArray[np.int64], travel: GeodesicTravel) -> NDArray[np.int64]:
    """Return ceil(m·36 / (10·speed)) + overhead, in integers; a decimal speed counts as it is written."""
    speed = Fraction(str(travel.speed_kmh))
    factor, divisor = 36 * speed.denominator, 10 * speed.numerator
    common = math.gcd(factor, divisor)
    factor, divisor = factor // common, divisor // common
    longest = int(metres.max()) if metres.size else 0
    if longest * factor + divisor < _SAFE_INT64:
        return -((-metres * factor) // divisor) + travel.stop_overhead_s
    exact = [min(-(-m * factor // divisor) + travel.stop_overhead_s, _SAFE_INT64) for m in metres.ravel().tolist()]
    return np.array(exact, dtype=np.int64).reshape(metres.shape)


def _haversine_m(lat: Sequence[float], lng: Sequence[float], rows: slice) -> NDArray[np.float64]:
    """Return great-circle metres from the points in `rows` to all points, float64 [rows, n]."""
    phi = np.radians(np.asarray(lat, dtype=np.float64))
    lam = np.radians(np.asarray(lng, dtype=np.float64))
    half_phi = np.sin((phi[rows, None] - phi[None, :]) / 2) ** 2
    half_lam = np.sin((lam[rows, None] - lam[None, :]) / 2) ** 2
    h = half_phi + np.cos(phi[rows, None]) * np.cos(phi[None, :]) * half_lam
    straight: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0)))
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


# Only the town row is fitted (street networks of Nha Trang and Hanoi); the others are proposals from published
# distances and ride times, to be corrected by what couriers really need.
DEFAULT_TERRAIN: Mapping[Terrain, TerrainSpeed] = {
    Terrain.TOWN: TerrainSpeed(1.30, 0.35, 1.3, 19.0, 33.0, 2.0, 1.1),
    Terrain.PLAIN: TerrainSpeed(1.30, 0.35, 1.5, 22.0, 38.0, 2.0, 1.1),
    Terrain.HILLS: TerrainSpeed(1.45, 0.40, 2.0, 20.0, 34.0, 3.0, 1.2),
    Terrain.HIGH_MOUNTAIN: TerrainSpeed(1.80, 0.50, 3.0, 16.0, 28.0, 4.0, 1.4),
}
_SPEED_RISE_KM = 4.0


@dataclass(frozen=True, slots=True)
class TerrainTravel:
    """The service's default model: T = t0 + d·c(d)/v(d)·season, by the harder terrain of the two ends."""

    table: Mapping[Terrain, TerrainSpeed] | None = None
    rainy: bool = False

    def matrix(self, points: Sequence[Point]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return (seconds rounded up, metres rounded), int32 [n, n]; straight lines by haversine."""
        straight_km = _haversine_m([p.lat for p in points], [p.lng for p in points], slice(None)) / 1000
        terrain = np.array([int(p.terrain) for p in points], dtype=np.int64)
        harder = np.maximum(terrain[:, None], terrain[None, :])
        seconds = np.zeros(straight_km.shape, dtype=np.int32)
        metres = np.zeros(straight_km.shape, dtype=np.int32)
        for kind, row in (self.table or DEFAULT_TERRAIN).items():
            here = harder == int(kind)
            seconds[here], metres[here] = self._drive(straight_km[here], row)
        same = straight_km == 0
        seconds[same] = 0
        metres[same] = 0
        return seconds, metres

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
        road_km = straight_km * (row.c1 + row.c0 * np.exp(-straight_km / row.d0_km))
        speed_kmh = row.v1_kmh - (row.v1_kmh - row.v0_kmh) * np.exp(-straight_km / _SPEED_RISE_KM)
        season = row.rain_factor if self.rainy else 1.0
        seconds = np.ceil(row.stop_minutes * 60 + road_km / speed_kmh * season * 3600)
        return seconds.astype(np.int32), np.rint(road_km * 1000).astype(np.int32)
