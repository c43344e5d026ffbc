"""The travel of a problem as two integer matrices, whatever the problem gives: its own matrix or a formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from routing.model import MatrixRows, MatrixTravel, Problem
from routing.travel import NO_LEG
from routing.travel.geodesic import file_legs

if TYPE_CHECKING:
    from numpy.typing import NDArray


_MOST_LISTED = 3000  # places up to which rows become lists; as lists 12,000 rows would take ten gigabytes


class _Rows(dict[int, Sequence[int]]):
    """Rows of a matrix for Python loops, made when first asked for: lists, or views where lists would be too large."""

    def __init__(self, matrix: NDArray[np.int32]) -> None:
        super().__init__()
        self._matrix = matrix

    def __missing__(self, place: int) -> Sequence[int]:
        row: Sequence[int] = self._matrix[place].tolist() if len(self._matrix) <= _MOST_LISTED else self._view(place)
        self[place] = row
        return row

    def _view(self, place: int) -> Sequence[int]:
        view: Sequence[int] = self._matrix[place].data
        return view


class Legs:
    """Seconds and metres between the places of one problem; NO_LEG in both where there is no way.

    `seconds[i][j]` and `metres[i][j]` are for Python loops, `seconds_matrix` and `metres_matrix` for numpy.
    """

    __slots__ = ("metres", "metres_matrix", "place_of", "seconds", "seconds_matrix")

    def __init__(self, problem: Problem) -> None:
        self.place_of = {place.id: index for index, place in enumerate(problem.places)}
        travel = problem.travel
        if isinstance(travel, MatrixTravel):
            seconds, metres = _with_sentinel(travel.durations_s), _with_sentinel(travel.distances_m)
            missing = (seconds < 0) | (metres < 0)
            seconds[missing] = NO_LEG
            metres[missing] = NO_LEG
            np.fill_diagonal(seconds, 0)
            np.fill_diagonal(metres, 0)
        else:
            lat = [place.lat or 0.0 for place in problem.places]
            lng = [place.lng or 0.0 for place in problem.places]
            seconds, metres = file_legs(lat, lng, travel)
        self.seconds_matrix, self.metres_matrix = seconds, metres
        self.seconds, self.metres = _Rows(seconds), _Rows(metres)


def _with_sentinel(rows: MatrixRows) -> NDArray[np.int32]:
    """Return an int32 copy of a square matrix with NO_LEG for None."""
    if isinstance(rows, np.ndarray):
        return rows.astype(np.int32)
    filled = [[NO_LEG if value is None else value for value in row] for row in rows]
    return np.array(filled, dtype=np.int32).reshape(len(filled), len(filled))
