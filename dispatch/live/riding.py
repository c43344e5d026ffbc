"""Rides as plans reckon with them: the service's own, times the middle of what rides between two communes were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from dispatch.live.learning import Learnt
from routing import LegByLeg
from routing.travel import Leg, PiecemealTravel, Point, TravelModel

_ROWS = 256


@dataclass(frozen=True, slots=True)
class LearntTravel:
    """Another model's rides, each times the factor of its pair of areas; ways that do not exist stay away."""

    base: TravelModel
    learnt: Learnt

    def matrix(self, points: Sequence[Point]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return durations in seconds and distances in metres, as `base` has them but for the factor, rounded up."""
        seconds, metres = self.base.matrix(points)
        return self._longer(points, seconds), metres

    def leg(self, origin: Point, destination: Point) -> Leg:
        """Return the one drive from `origin` to `destination`."""
        found = self.base.leg(origin, destination)
        if found.duration_s <= 0:
            return found
        return Leg(ceil(found.duration_s * self.learnt.factor(origin.area, destination.area)), found.distance_m)

    def _longer(self, points: Sequence[Point], seconds: NDArray[np.int32]) -> NDArray[np.int32]:
        areas = {area: number for number, area in enumerate(dict.fromkeys(point.area for point in points))}
        number = np.array([areas[point.area] for point in points], dtype=np.int64)
        factors = np.array([[self.learnt.factor(origin, area) for area in areas] for origin in areas])
        longer = seconds.copy()
        for first in range(0, len(points), _ROWS):  # a province's matrix is not held in float64 as well
            rows = slice(first, first + _ROWS)
            rides = seconds[rows]
            longer[rows] = np.where(rides > 0, np.ceil(rides * factors[number[rows]][:, number]), rides)
        return longer


@dataclass(frozen=True, slots=True)
class PiecemealLearntTravel(LearntTravel):
    """The same over a model that answers in parts."""

    base: PiecemealTravel

    def seconds(self, points: Sequence[Point]) -> NDArray[np.int32]:
        """Return the durations of `matrix` alone."""
        return self._longer(points, self.base.seconds(points))

    def leg_by_leg(self, points: Sequence[Point]) -> tuple[LegByLeg, LegByLeg]:
        """Return the durations and the distances of `matrix`, each leg reckoned when it is asked for."""
        seconds, metres = self.base.leg_by_leg(points)

        def longer(i: int, j: int) -> int:
            ride_s = seconds.value(i, j)
            return ceil(ride_s * self.learnt.factor(points[i].area, points[j].area)) if ride_s > 0 else ride_s

        return LegByLeg(len(points), longer), metres


def learnt_travel(travel: TravelModel, learnt: Learnt) -> TravelModel:
    """`travel` as corrected by what was learnt; `travel` itself where nothing was."""
    if not learnt.rides:
        return travel
    if isinstance(travel, PiecemealTravel):
        return PiecemealLearntTravel(travel, learnt)
    return LearntTravel(travel, learnt)
