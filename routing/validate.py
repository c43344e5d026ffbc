"""Refuses problems that contradict themselves, before anybody spends time on them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from routing.errors import RoutingError
from routing.model import (
    Courier,
    End,
    GeodesicTravel,
    LegByLeg,
    MatrixRows,
    MatrixTravel,
    Number,
    Place,
    Problem,
    Request,
    Window,
)

MAX_TIME_S = 10**10  # more than three centuries: beyond it a number is a mistake, and sums stay inside int64
MAX_COUNT = 10**9
MAX_WEIGHT = 10**14
MAX_LEG = 2**31 - 1


def validate(problem: Problem) -> None:
    """Raise RoutingError with the path of the first thing in `problem` that cannot be meant."""
    places = _unique((p.id for p in problem.places), "places")
    couriers = _unique((c.id for c in problem.couriers), "couriers")
    requests = _unique((r.id for r in problem.requests), "requests")
    _time(problem.now, "now")
    _travel(problem)
    for index, courier in enumerate(problem.couriers):
        _courier(courier, f"couriers[{index}]", places)
    for index, request in enumerate(problem.requests):
        validate_request(request, f"requests[{index}]", places, couriers)
    _bonds(problem, requests)
    for name in problem.weights.__slots__:
        _weight(getattr(problem.weights, name), f"weights.{name}")


def _refuse(message: str, where: str, code: str = "bad_value") -> RoutingError:
    return RoutingError(code, message, where)


def _unique(ids: Iterable[str], where: str) -> dict[str, int]:
    seen: dict[str, int] = {}
    for index, name in enumerate(ids):
        if not name:
            raise _refuse("must not be empty", f"{where}[{index}].id")
        if name in seen:
            message = f"{name!r} is already the id of {where}[{seen[name]}]"
            raise _refuse(message, f"{where}[{index}].id", "duplicate_id")
        seen[name] = index
    return seen


def _time(value: int, where: str) -> None:
    if not -MAX_TIME_S <= value <= MAX_TIME_S:
        raise _refuse(f"must be seconds between -{MAX_TIME_S} and {MAX_TIME_S}", where)


def _count(value: int, where: str) -> None:
    if not 0 <= value <= MAX_COUNT:
        raise _refuse(f"must be between 0 and {MAX_COUNT}", where)


def _weight(value: Number, where: str) -> None:
    if not (math.isfinite(value) and 0 <= value <= MAX_WEIGHT):
        raise _refuse(f"must be a number between 0 and {MAX_WEIGHT}", where)


def _window(window: Window, where: str) -> None:
    for side in (0, 1):
        _time(window[side], f"{where}[{side}]")
    if window[0] > window[1]:
        raise _refuse(f"must open before it closes, not [{window[0]}, {window[1]}]", where)


def _known(name: str, known: Collection[str], what: str, where: str) -> None:
    if name not in known:
        raise _refuse(f"{name!r} is not the id of a {what}", where, f"unknown_{what}")


def _travel(problem: Problem) -> None:
    travel = problem.travel
    if isinstance(travel, GeodesicTravel):
        for index, place in enumerate(problem.places):
            validate_coordinates(place, f"places[{index}]")
        for name in ("detour", "speed_kmh"):
            value: Number = getattr(travel, name)
            if not (math.isfinite(value) and value > 0):
                raise _refuse("must be a number above 0", f"travel.{name}")
        _count(travel.stop_overhead_s, "travel.stop_overhead_s")
        return
    for name in ("durations_s", "distances_m"):
        _matrix(travel, name, len(problem.places))


def validate_coordinates(place: Place, where: str) -> None:
    """Raise RoutingError with the path, from `where` on, when a place has no degrees or impossible ones."""
    _coordinate(place.lat, 90, f"{where}.lat")
    _coordinate(place.lng, 180, f"{where}.lng")


def _coordinate(value: Number | None, limit: int, where: str) -> None:
    if value is None:
        raise _refuse("must hold degrees when travel is geodesic", where, "missing_key")
    if not (math.isfinite(value) and -limit <= value <= limit):
        raise _refuse(f"must be degrees between -{limit} and {limit}", where)


def _matrix(travel: MatrixTravel, name: str, count: int) -> None:
    rows: MatrixRows = getattr(travel, name)
    where = f"travel.{name}"
    if isinstance(rows, LegByLeg):
        if rows.size != count:
            raise _refuse(f"must reckon legs between {count} places, not {rows.size}", where)
        return
    if not isinstance(rows, Sequence):
        fits = rows.shape == (count, count) and rows.dtype.kind == "i"
        if not fits or (count and not (rows.min() >= -1 and rows.max() <= MAX_LEG)):
            raise _refuse(f"must be {count}x{count} integers between -1 and {MAX_LEG}", where)
        return
    if len(rows) != count:
        raise _refuse(f"must have one row for each of the {count} places, not {len(rows)}", where)
    for index, row in enumerate(rows):
        if len(row) != count:
            raise _refuse(f"must have one value for each of the {count} places, not {len(row)}", f"{where}[{index}]")
        for column, value in enumerate(row):
            if value is not None and not -1 <= value <= MAX_LEG:
                raise _refuse(f"must be null or between 0 and {MAX_LEG}", f"{where}[{index}][{column}]")


def _courier(courier: Courier, where: str, places: dict[str, int]) -> None:
    _known(courier.start, places, "place", f"{where}.start")
    if courier.end is not None:
        _known(courier.end, places, "place", f"{where}.end")
    _window(courier.shift, f"{where}.shift")
    if courier.available_at is not None:
        _time(courier.available_at, f"{where}.available_at")
    _count(courier.capacity, f"{where}.capacity")
    for index, rest in enumerate(courier.breaks):
        _window(rest.window, f"{where}.breaks[{index}].window")
        _count(rest.duration_s, f"{where}.breaks[{index}].duration_s")
    if courier.max_distance_m is not None:
        _count(courier.max_distance_m, f"{where}.max_distance_m")


def validate_request(request: Request, where: str, places: Collection[str], couriers: Collection[str]) -> None:
    """Raise RoutingError with the path, from `where` on, of the first thing in one request that cannot be meant."""
    _count(request.size, f"{where}.size")
    _weight(request.priority, f"{where}.priority")
    for name in ("pickup", "delivery"):
        end: End = getattr(request, name)
        _known(end.place, places, "place", f"{where}.{name}.place")
        if not end.windows:
            raise _refuse("must hold at least one [opens, closes]", f"{where}.{name}.windows")
        for index, window in enumerate(end.windows):
            _window(window, f"{where}.{name}.windows[{index}]")
        if end.due is not None:
            _time(end.due, f"{where}.{name}.due")
        _count(end.service_s, f"{where}.{name}.service_s")
    if request.only_courier is not None:
        _known(request.only_courier, couriers, "courier", f"{where}.only_courier")


def _bonds(problem: Problem, requests: dict[str, int]) -> None:
    """On-board and locked stops must be possible to keep: one courier each, collected once, before delivery."""
    holder: dict[str, str] = {}
    for index, courier in enumerate(problem.couriers):
        for position, name in enumerate(courier.on_board):
            where = f"couriers[{index}].on_board[{position}]"
            _known(name, requests, "request", where)
            if name in holder:
                raise _refuse(f"{name!r} is already on board of {holder[name]!r}", where, "conflict")
            _hold(problem, requests, holder, name, courier.id, where)
    for index, courier in enumerate(problem.couriers):
        collected = set(courier.on_board)
        done: set[tuple[str, str]] = set()
        for position, lock in enumerate(courier.locked):
            where = f"couriers[{index}].locked[{position}]"
            _known(lock.request, requests, "request", where)
            _hold(problem, requests, holder, lock.request, courier.id, where)
            if (lock.request, lock.kind) in done:
                raise _refuse(f"the {lock.kind} of {lock.request!r} is locked twice", where, "conflict")
            if lock.kind == "pickup" and lock.request in collected:
                raise _refuse(f"{lock.request!r} is already on board", where, "conflict")
            if lock.kind == "delivery" and lock.request not in collected:
                raise _refuse(f"{lock.request!r} is not on board before its locked delivery", where, "conflict")
            collected.add(lock.request)
            done.add((lock.request, lock.kind))


def _hold(
    problem: Problem, requests: dict[str, int], holder: dict[str, str], name: str, courier: str, where: str
) -> None:
    only = problem.requests[requests[name]].only_courier
    if only not in (None, courier):
        raise _refuse(f"{name!r} may only go with {only!r}, not {courier!r}", where, "conflict")
    if holder.setdefault(name, courier) != courier:
        raise _refuse(f"{name!r} belongs to {holder[name]!r} already", where, "conflict")
