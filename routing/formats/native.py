"""Reads and writes `routing-problem/1` and `routing-plan/1`, and refuses what they do not say, with its path."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, cast

from routing.errors import RoutingError
from routing.legs import Legs
from routing.model import (
    Break,
    Change,
    Cost,
    Courier,
    End,
    GeodesicTravel,
    Locked,
    MatrixTravel,
    Place,
    Plan,
    Problem,
    Request,
    Rest,
    Route,
    Stop,
    Travel,
    Unserved,
    Weights,
    Window,
)
from routing.reading import (
    Reader,
    Shape,
    at,
    decimal,
    flag,
    integer,
    list_of,
    load,
    nullable,
    number,
    one_of,
    set_of,
    text,
)
from routing.validate import validate

PROBLEM = "routing-problem/1"
PLAN = "routing-plan/1"


def read_problem(source: str | bytes) -> Problem:
    """Return the problem in a JSON text; raises RoutingError with the path of the first thing wrong."""
    problem = _PROBLEM(load(source, PROBLEM), "")
    validate(problem)
    return problem


def read_plan(source: str | bytes, ticks: int = 1) -> Plan:
    """Return the plan in a JSON text; raises RoutingError with the path of the first thing wrong.

    `ticks` is that of the plan's problem: times and distances then stand in the file as decimals of its unit.
    """
    return _plan_shape(integer if ticks == 1 else decimal(ticks), ticks)(load(source, PLAN), "")


def write_problem(problem: Problem) -> str:
    """Return a problem as JSON text that `read_problem` takes."""
    travel = problem.travel
    drive: dict[str, Any] = {"model": "geodesic"}
    if isinstance(travel, MatrixTravel):
        legs = Legs(problem)
        drive = {
            "model": "matrix",
            "durations_s": _nulls(legs.seconds_matrix.tolist()),
            "distances_m": _nulls(legs.metres_matrix.tolist()),
        }
    else:
        drive |= asdict(travel)
    return _dump(
        {
            "format": PROBLEM,
            "name": problem.name,
            "now": problem.now,
            "places": [{k: v for k, v in asdict(place).items() if v is not None} for place in problem.places],
            "travel": drive,
            "couriers": [{**asdict(courier), "skills": sorted(courier.skills)} for courier in problem.couriers],
            "requests": [{**asdict(request), "skills": sorted(request.skills)} for request in problem.requests],
            "weights": asdict(problem.weights),
            "hard_due": problem.hard_due,
        }
    )


def write_plan(plan: Plan, ticks: int = 1) -> str:
    """Return a plan as JSON text that `read_plan` takes with the same `ticks`."""
    unserved = [
        {
            "request": entry.request,
            "code": entry.code,
            "detail": entry.detail,
            "change": entry.change and {k: v for k, v in asdict(entry.change).items() if v not in (None, ())},
        }
        for entry in plan.unserved
    ]
    written = {"format": PLAN, **asdict(plan), "unserved": unserved}
    return _dump(written if ticks == 1 else _in_units(written, ticks))


_TERMS = [name for name in Cost.__slots__ if name != "total"]
_COUNTED = {"arrive", "start", "depart", "end", "end_at", "distance_m", "by_s", "by_m", "total"}
_COUNTED |= {name for name in Cost.__slots__ if name.endswith("_s")}


def _in_units(value: Any, ticks: int, key: str = "") -> Any:
    """Return the same tree with every time, distance and total divided by `ticks`."""
    if isinstance(value, dict):
        return {name: _in_units(held, ticks, name) for name, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_units(held, ticks) for held in value]
    return value / ticks if key in _COUNTED and value is not None else value


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _nulls(rows: list[list[int]]) -> list[list[int | None]]:
    return [[None if value < 0 else value for value in row] for row in rows]


def _window(value: Any, where: str) -> Window:
    if not isinstance(value, list) or len(value) != 2:
        raise RoutingError("bad_type", "must be [from, to] in seconds", where)
    return integer(value[0], f"{where}[0]"), integer(value[1], f"{where}[1]")


def _cell(value: Any, where: str) -> int | None:
    if value is not None and integer(value, where) < 0:
        raise RoutingError("bad_value", "must not be negative; null is a leg that does not exist", where)
    return cast("int | None", value)


def _matrix(model: str, durations_s: Any, distances_m: Any) -> MatrixTravel:
    return MatrixTravel(durations_s, distances_m)


def _geodesic(model: str, detour: Any, speed_kmh: Any, stop_overhead_s: int) -> GeodesicTravel:
    return GeodesicTravel(detour, speed_kmh, stop_overhead_s)


_rows = list_of(list_of(_cell))
_MATRIX = Shape(
    _matrix,
    {
        "model": (text, "'matrix'"),
        "durations_s": (_rows, "a row of seconds for each place"),
        "distances_m": (_rows, "a row of metres for each place"),
    },
)
_GEODESIC = Shape(
    _geodesic,
    {
        "model": (text, "'geodesic'"),
        "detour": (number, "the factor on the straight line"),
        "speed_kmh": (number, "the speed in km/h"),
        "stop_overhead_s": (integer, "seconds added to every leg"),
    },
)


def _travel(value: Any, where: str) -> Travel:
    model = value.get("model") if isinstance(value, dict) else None
    if model == "matrix":
        return _MATRIX(value, where)
    if model == "geodesic":
        return _GEODESIC(value, where)
    raise RoutingError("bad_value", "must be 'matrix' or 'geodesic'", at(where, "model"))


_kind = one_of("pickup", "delivery")
_PLACE = Shape(Place, {"id": (text, "the place's id")}, {"lat": nullable(number), "lng": nullable(number)})
_BREAK = Shape(
    Break, {"window": (_window, "[from, to] in seconds"), "duration_s": (integer, "how many seconds it lasts")}
)
_LOCKED = Shape(Locked, {"request": (text, "a request's id"), "kind": (_kind, "'pickup' or 'delivery'")})
_COURIER = Shape(
    Courier,
    {
        "id": (text, "the courier's id"),
        "start": (text, "the id of the place he starts from"),
        "end": (nullable(text), "the id of the place he ends at, or null"),
        "shift": (_window, "[from, to] in seconds"),
        "capacity": (integer, "how much he can carry"),
        "skills": (set_of(text), "a list of skills"),
        "breaks": (list_of(_BREAK), "a list of breaks"),
        "on_board": (list_of(text), "a list of ids of requests he carries"),
        "locked": (list_of(_LOCKED), "a list of stops that come first"),
    },
    {"available_at": nullable(integer), "max_distance_m": nullable(integer)},
)
_END = Shape(
    End,
    {
        "place": (text, "the id of a place"),
        "windows": (list_of(_window), "a list of [opens, closes] in seconds"),
        "service_s": (integer, "how many seconds the service takes"),
    },
    {"due": nullable(integer)},
)
_REQUEST = Shape(
    Request,
    {
        "id": (text, "the request's id"),
        "size": (integer, "how much of the capacity it takes"),
        "skills": (set_of(text), "a list of skills it needs"),
        "pickup": (_END, "where and when it is collected"),
        "delivery": (_END, "where and when it is handed over"),
    },
    {"priority": number, "only_courier": nullable(text)},
)
_WEIGHTS = Shape(Weights, {}, dict.fromkeys(Weights.__slots__, number))
_PROBLEM = Shape(
    Problem,
    {
        "name": (text, "the name of the problem"),
        "places": (list_of(_PLACE), "a list of places"),
        "travel": (_travel, "a matrix or the geodesic model"),
        "couriers": (list_of(_COURIER), "a list of couriers"),
        "requests": (list_of(_REQUEST), "a list of requests"),
    },
    {"now": integer, "weights": _WEIGHTS, "hard_due": flag},
)


def _plan_shape(time: Reader[int], ticks: int) -> Shape[Plan]:
    """Return the reader of plans whose times and distances are read by `time`."""
    stop = Shape(
        Stop,
        {
            "request": (text, "a request's id"),
            "kind": (_kind, "'pickup' or 'delivery'"),
            "place": (text, "a place's id"),
            "arrive": (time, "the second of arrival"),
            "start": (time, "the second service starts"),
            "depart": (time, "the second service ends"),
        },
    )
    rest = Shape(Rest, {"start": (time, "the second it starts"), "end": (time, "the second it ends")})
    route = Shape(
        Route,
        {
            "courier": (text, "a courier's id"),
            "stops": (list_of(stop), "a list of rows"),
            "breaks": (list_of(rest), "a list of breaks as taken"),
            "distance_m": (time, "the metres of the route"),
            "end_at": (time, "the second it ends"),
        },
    )
    change = Shape(
        Change,
        {"kind": (text, "the kind of change")},
        {
            "by_s": nullable(time),
            "by_m": nullable(time),
            "to": nullable(integer),
            "courier": nullable(text),
            "skills": list_of(text),
        },
    )
    unserved = Shape(
        Unserved,
        {"request": (text, "a request's id"), "code": (text, "the reason in a word")},
        {"detail": text, "change": nullable(change)},
    )
    terms = {name: (integer if name in ("unserved", "couriers") else time, "a term of the cost") for name in _TERMS}
    cost = Shape(Cost, {"total": (number if ticks == 1 else time, "the priced total"), **terms})
    return Shape(
        Plan,
        {
            "problem": (text, "the name of the problem"),
            "engine": (text, "the name of the engine"),
            "seed": (integer, "the seed"),
            "seconds": (number, "the time limit in seconds"),
            "routes": (list_of(route), "a list of routes"),
            "unserved": (list_of(unserved), "a list of requests left out"),
            "cost": (cost, "the terms of the cost"),
        },
    )
