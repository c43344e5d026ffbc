"""Places that a problem does not know yet, and their legs: handed over where travel is a matrix, else reckoned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from routing.errors import RoutingError
from routing.model import MatrixTravel, Place, Problem
from routing.travel import LONGEST_LEG, NO_LEG
from routing.travel.geodesic import FileLegs
from routing.validate import validate_coordinates

if TYPE_CHECKING:
    from numpy.typing import NDArray

Values: TypeAlias = "Sequence[int | None] | NDArray[np.int32]"
Legs: TypeAlias = "tuple[NDArray[np.int32], NDArray[np.int32]]"  # there and back, each [place, seconds and metres]


@dataclass(frozen=True, slots=True)
class NewPlace:
    """A place the problem does not know yet, and with a matrix its legs; with a formula they are left out.

    Each list holds one value for every place known so far, in the order of `problem.places`, also for those named
    before it in the same call: seconds and metres there from that place, and back to it. None or -1: no way.
    """

    place: Place
    there_s: Values = ()
    there_m: Values = ()
    back_s: Values = ()
    back_m: Values = ()


def legs_of(problem: Problem, new: Sequence[NewPlace]) -> list[Legs]:
    """Return the legs of each new place, there from every place known before it and back, int32.

    Raises RoutingError with the path of a place that is known already, or of legs that cannot be meant.
    """
    if not new:
        return []
    known = {place.id for place in problem.places}
    for k, one in enumerate(new):
        if not one.place.id or one.place.id in known:
            raise RoutingError("duplicate_id", f"{one.place.id!r} is empty or known already", f"new[{k}].place.id")
        known.add(one.place.id)
    count, travel = len(problem.places), problem.travel
    if isinstance(travel, MatrixTravel):
        return [_given(one, count + k, f"new[{k}]") for k, one in enumerate(new)]
    for k, one in enumerate(new):
        validate_coordinates(one.place, f"new[{k}].place")
    places = [*problem.places, *(one.place for one in new)]
    formula = FileLegs([place.lat or 0.0 for place in places], [place.lng or 0.0 for place in places], travel)
    reckoned = [formula.legs_of(at)[:at] for at in range(count, len(places))]
    return [(legs, legs) for legs in reckoned]


def _given(new: NewPlace, count: int, where: str) -> Legs:
    """Return the legs that a new place brings; as in a matrix there is no leg that lacks seconds or metres."""
    found: list[NDArray[np.int32]] = []
    for name in ("there_s", "there_m", "back_s", "back_m"):
        values = getattr(new, name)
        if not isinstance(values, np.ndarray):
            values = [NO_LEG if value is None else value for value in values]
        legs = np.asarray(values)
        fits = not legs.size or (legs.dtype.kind == "i" and legs.min() >= NO_LEG and legs.max() <= LONGEST_LEG)
        if legs.shape != (count,) or not fits:
            message = f"must hold {count} whole numbers between -1 and {LONGEST_LEG}, one for each known place"
            raise RoutingError("bad_value", message, f"{where}.{name}")
        found.append(legs.astype(np.int32))
    there, back = np.stack(found[:2], axis=1), np.stack(found[2:], axis=1)
    for legs in (there, back):
        legs[(legs < 0).any(axis=1)] = NO_LEG
    return there, back
