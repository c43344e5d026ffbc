"""The travel of a problem as two integer matrices, whatever the problem gives: its own matrix or a formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from routing.model import LegByLeg, MatrixRows, MatrixTravel, Problem
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
    [n, n]. What is given leg by leg, and metres that a formula gives and nothing depends on, are reckoned one by one;
    their matrix is made when asked for. `symmetric` says that every leg is known to be like the way back. Matrices that
    need no change are the problem's own: nobody may write into them.
    """

    __slots__ = ("_metres", "_seconds", "metres", "place_of", "seconds", "symmetric")

    def __init__(self, problem: Problem) -> None:
        self.place_of = {place.id: index for index, place in enumerate(problem.places)}
        travel = problem.travel
        self.symmetric = not isinstance(travel, MatrixTravel)
        self._seconds: NDArray[np.int32] | LegByLeg
        self._metres: NDArray[np.int32] | LegByLeg | FileLegs
        if isinstance(travel, MatrixTravel):
            self._seconds, self._metres = _given(travel)
        else:
            lat = [place.lat or 0.0 for place in problem.places]
            lng = [place.lng or 0.0 for place in problem.places]
            formula = FileLegs(lat, lng, travel)
            both = _metres_count(problem)
            self._seconds, self._metres = formula.both() if both else (formula.seconds(), formula)
        self.seconds: Mapping[int, Sequence[int] | Mapping[int, int]] = _Asked(partial(_row, self._seconds))
        self.metres: Mapping[int, Sequence[int] | Mapping[int, int]] = _Asked(partial(_row, self._metres))

    @property
    def seconds_matrix(self) -> NDArray[np.int32]:
        """Seconds, int32 [n, n]; made now where they are given leg by leg."""
        if isinstance(self._seconds, LegByLeg):
            self._seconds = _made(self._seconds)
        return self._seconds

    @property
    def metres_matrix(self) -> NDArray[np.int32]:
        """Metres, int32 [n, n]; made now where they were not needed before."""
        if isinstance(self._metres, FileLegs):
            self._metres = self._metres.both()[1]
        elif isinstance(self._metres, LegByLeg):
            self._metres = _made(self._metres)
        return self._metres


def _metres_count(problem: Problem) -> bool:
    """Say whether metres cost anything or are limited, so that every leg's will be asked for."""
    return bool(problem.weights.distance_per_m) or any(c.max_distance_m is not None for c in problem.couriers)


def _row(matrix: NDArray[np.int32] | LegByLeg | FileLegs, place: int) -> Sequence[int] | Mapping[int, int]:
    """Return a row for Python loops: a list, a view where lists would be too large, or values reckoned when asked."""
    if isinstance(matrix, FileLegs):
        return _Asked(partial(matrix.leg_m, place))
    if isinstance(matrix, LegByLeg):
        return _Asked(partial(matrix.value, place))
    row: Sequence[int] = matrix[place].tolist() if len(matrix) <= _MOST_LISTED else matrix[place].data
    return row


def _made(legs: LegByLeg) -> NDArray[np.int32]:
    """Return every leg as a matrix."""
    numbers = range(legs.size)
    rows = [[legs.value(i, j) for j in numbers] for i in numbers]
    return np.array(rows, dtype=np.int32).reshape(legs.size, legs.size)


Given: TypeAlias = "NDArray[np.int32] | LegByLeg"


def _given(travel: MatrixTravel) -> tuple[Given, Given]:
    """Return the matrices of a problem that brings them, without the half of a leg that lacks the other."""
    seconds, metres = _with_sentinel(travel.durations_s), _with_sentinel(travel.distances_m)
    if isinstance(seconds, LegByLeg) or isinstance(metres, LegByLeg):
        return seconds, metres
    if seconds.size and min(seconds.min(), metres.min()) < 0:
        missing = (seconds < 0) | (metres < 0)
        seconds, metres = seconds.copy(), metres.copy()
        seconds[missing] = NO_LEG
        metres[missing] = NO_LEG
    return _stay_free(seconds), _stay_free(metres)


def _stay_free(matrix: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return a matrix in which staying at a place costs nothing."""
    if matrix.diagonal().any():
        matrix = matrix.copy()
        np.fill_diagonal(matrix, 0)
    return matrix


def _with_sentinel(rows: MatrixRows) -> Given:
    """Return a square matrix as int32 with NO_LEG for None; leg by leg where it is given so."""
    if isinstance(rows, LegByLeg):
        return rows
    if isinstance(rows, np.ndarray):
        return np.ascontiguousarray(rows, dtype=np.int32)
    filled = [[NO_LEG if value is None else value for value in row] for row in rows]
    return np.array(filled, dtype=np.int32).reshape(len(filled), len(filled))
