"""The travel of a problem as two integer matrices, whatever the problem gives: its own matrix or a formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from routing.model import MatrixRows, MatrixTravel, Problem
from routing.travel import NO_LEG
from routing.travel.geodesic import FileLegs

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")

_MOST_LISTED = 400  # places up to which rows become lists: they are read faster, but of long rows few cells are read


class _Asked(dict[int, T]):
    """What is made when it is first asked for: the row of a place, or one leg of a row."""

    def __init__(self, make: Callable[[int], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, place: int) -> T:
        self[place] = made = self._make(place)
        return made


class Legs:
    """Seconds and metres between the places of one problem; NO_LEG in both where there is no way.

    `seconds[i][j]` and `metres[i][j]` are for Python loops, `seconds_matrix` and `metres_matrix` for numpy, int32
    [n, n]. Metres that a formula gives and nothing depends on are reckoned leg by leg; their matrix is made when asked
    for. `symmetric` says that every leg is known to be like the way back.
    """

    __slots__ = ("_metres", "metres", "place_of", "seconds", "seconds_matrix", "symmetric")

    def __init__(self, problem: Problem) -> None:
        self.place_of = {place.id: index for index, place in enumerate(problem.places)}
        travel = problem.travel
        self.symmetric = not isinstance(travel, MatrixTravel)
        self._metres: NDArray[np.int32] | FileLegs
        if isinstance(travel, MatrixTravel):
            self.seconds_matrix, self._metres = _given(travel)
        else:
            lat = [place.lat or 0.0 for place in problem.places]
            lng = [place.lng or 0.0 for place in problem.places]
            formula = FileLegs(lat, lng, travel)
            both = _metres_count(problem)
            self.seconds_matrix, self._metres = formula.both() if both else (formula.seconds(), formula)
        self.seconds: Mapping[int, Sequence[int]] = _Asked(partial(_row, self.seconds_matrix))
        self.metres: Mapping[int, Sequence[int] | Mapping[int, int]] = _Asked(partial(_row_m, self._metres))

    @property
    def metres_matrix(self) -> NDArray[np.int32]:
        """Metres, int32 [n, n]; made now where they were not needed before."""
        if isinstance(self._metres, FileLegs):
            self._metres = self._metres.both()[1]
        return self._metres


def _metres_count(problem: Problem) -> bool:
    """Say whether metres cost anything or are limited, so that every leg's will be asked for."""
    return bool(problem.weights.distance_per_m) or any(c.max_distance_m is not None for c in problem.couriers)


def _row(matrix: NDArray[np.int32], place: int) -> Sequence[int]:
    """Return a row for Python loops: a list, or a view where lists would be too large."""
    row: Sequence[int] = matrix[place].tolist() if len(matrix) <= _MOST_LISTED else matrix[place].data
    return row


def _row_m(metres: NDArray[np.int32] | FileLegs, place: int) -> Sequence[int] | Mapping[int, int]:
    return _Asked(partial(metres.leg_m, place)) if isinstance(metres, FileLegs) else _row(metres, place)


def _given(travel: MatrixTravel) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the matrices of a problem that brings them, without the half of a leg that lacks the other."""
    seconds, metres = _with_sentinel(travel.durations_s), _with_sentinel(travel.distances_m)
    missing = (seconds < 0) | (metres < 0)
    seconds[missing] = NO_LEG
    metres[missing] = NO_LEG
    np.fill_diagonal(seconds, 0)
    np.fill_diagonal(metres, 0)
    return seconds, metres


def _with_sentinel(rows: MatrixRows) -> NDArray[np.int32]:
    """Return an int32 copy of a square matrix with NO_LEG for None."""
    if isinstance(rows, np.ndarray):
        return rows.astype(np.int32)
    filled = [[NO_LEG if value is None else value for value in row] for row in rows]
    return np.array(filled, dtype=np.int32).reshape(len(filled), len(filled))
