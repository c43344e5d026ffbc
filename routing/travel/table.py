"""A hand-made table of area pairs over any other source: where two neighbours lie across a pass, the table wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.travel import NO_LEG, Leg, Point, TravelModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TableTravel:
    """`minutes[(area, area)]` replaces the drive of `base`; None closes the way. One entry serves both directions
    unless the other direction has its own. Metres stay those of `base`."""

    base: TravelModel
    minutes: Mapping[tuple[str, str], int | None]

    def matrix(self, points: Sequence[Point]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the base's (seconds, metres), int32 [n, n], with the table's pairs put in."""
        seconds, metres = self.base.matrix(points)
        members: dict[str, list[int]] = {}
        for index, point in enumerate(points):
            members.setdefault(point.area, []).append(index)
        for (origin, destination), drive in self._both_ways().items():
            for i in members.get(origin, ()):
                for j in members.get(destination, ()):
                    if points[i].lat == points[j].lat and points[i].lng == points[j].lng:
                        continue
                    seconds[i, j] = NO_LEG if drive is None else drive * 60
                    metres[i, j] = NO_LEG if drive is None else metres[i, j]
        return seconds, metres

    def leg(self, origin: Point, destination: Point) -> Leg:
        """Return one drive, from the table where it has the pair."""
        pairs = self._both_ways()
        pair = (origin.area, destination.area)
        base = self.base.leg(origin, destination)
        if pair not in pairs or (origin.lat == destination.lat and origin.lng == destination.lng):
            return base
        drive = pairs[pair]
        return Leg(NO_LEG, NO_LEG) if drive is None else Leg(drive * 60, base.distance_m)

    def _both_ways(self) -> dict[tuple[str, str], int | None]:
        turned = {(b, a): drive for (a, b), drive in self.minutes.items()}
        return turned | dict(self.minutes)
