"""A second judge: what a plan breaks and what it costs, read off its rows by the text of the file formats alone.

Shares nothing with the library but its types, so that `check` itself can be doubted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

from routing import Courier, End, GeodesicTravel, Plan, Problem, Route, Stop
from routing.model import Number

Roads = Callable[[str, str], "tuple[int, int] | None"]
Name = tuple[str, str]  # (request, kind)
_EARTH_M = 6371008.8


def roads(problem: Problem) -> Roads:
    """Return (seconds, metres) from one place to another, None where there is no way."""
    at = {place.id: k for k, place in enumerate(problem.places)}
    travel = problem.travel

    def by_matrix(origin: str, destination: str) -> tuple[int, int] | None:
        if origin == destination:
            return 0, 0
        i, j = at[origin], at[destination]
        seconds, metres = travel.durations_s[i][j], travel.distances_m[i][j]
        return None if seconds is None or metres is None else (seconds, metres)

    def by_air(origin: str, destination: str) -> tuple[int, int] | None:
        if origin == destination:
            return 0, 0
        (lat1, lng1), (lat2, lng2) = (
            (math.radians(place.lat), math.radians(place.lng))
            for place in (problem.places[at[origin]], problem.places[at[destination]])
        )
        h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
        metres = round(2 * _EARTH_M * math.asin(math.sqrt(h)) * travel.detour)
        seconds = math.ceil(Fraction(36 * metres) / (10 * Fraction(str(travel.speed_kmh))))
        return seconds + travel.stop_overhead_s, metres

    return by_air if isinstance(travel, GeodesicTravel) else by_matrix


def earliest(problem: Problem, courier: Courier) -> int:
    """Return when a courier may leave his start."""
    return max(problem.now, courier.shift[0], problem.now if courier.available_at is None else courier.available_at)


def end_of(problem: Problem, name: Name) -> End:
    """Return the end of a request a stop is about."""
    request = next(one for one in problem.requests if one.id == name[0])
    return request.pickup if name[1] == "pickup" else request.delivery


def opening(problem: Problem, request: str) -> int:
    """Return from when the wait for a request's delivery counts."""
    return max(problem.now, min(opens for opens, _ in end_of(problem, (request, "pickup")).windows))


def names(route: Route) -> list[Name]:
    return [(row.request, row.kind) for row in route.stops]


def faults(problem: Problem, plan: Plan) -> list[str]:
    """Return a sentence for each rule of `routing-problem/1` the plan breaks."""
    return [*_everybody(problem, plan), *(fault for route in plan.routes for fault in _route(problem, plan, route))]


def _everybody(problem: Problem, plan: Plan) -> Iterator[str]:
    aboard = {name for courier in problem.couriers for name in courier.on_board}
    held = {courier.id for courier in problem.couriers if courier.on_board or courier.locked}
    left_out = Counter(entry.request for entry in plan.unserved)
    stops = Counter(name for route in plan.routes for name in names(route))
    driven = Counter(route.courier for route in plan.routes)
    known = {courier.id for courier in problem.couriers}
    if set(driven) - known or max(driven.values(), default=0) > 1 or not held <= set(driven):
        yield "not one route for each courier who must have one"
    wanted: Counter[Name] = Counter()
    for request in problem.requests:
        if left_out[request.id] == 0:
            wanted[request.id, "delivery"] = 1
            wanted[request.id, "pickup"] = int(request.id not in aboard)
    if +wanted != stops or max(left_out.values(), default=0) > 1 or set(left_out) - {r.id for r in problem.requests}:
        yield "somebody stands not exactly once"


def _route(problem: Problem, plan: Plan, route: Route) -> Iterator[str]:
    courier = next((one for one in problem.couriers if one.id == route.courier), None)
    known = {request.id for request in problem.requests}
    if courier is None or not all(row.request in known for row in route.stops):
        yield "an unknown courier or request"
        return
    left_out = {entry.request for entry in plan.unserved}
    locked = [(lock.request, lock.kind) for lock in courier.locked if lock.request not in left_out]
    if names(route)[: len(locked)] != locked:
        yield f"{courier.id} does not do first what is locked"
    yield from _bag(problem, courier, route)
    yield from _clock(problem, courier, route)


def _bag(problem: Problem, courier: Courier, route: Route) -> Iterator[str]:
    sizes = {request.id: request.size for request in problem.requests}
    bag = set(courier.on_board)
    for row in route.stops:
        if row.place != end_of(problem, (row.request, row.kind)).place:
            yield f"{row.request} is not at {row.place}"
        if not _may(problem, courier, row.request):
            yield f"{row.request} is not for {courier.id}"
        if row.kind == "delivery" and row.request not in bag:
            yield f"{row.request} is delivered by who does not have it"
        bag = bag | {row.request} if row.kind == "pickup" else bag - {row.request}
        if row.kind == "pickup" and sum(sizes[name] for name in bag) > courier.capacity:
            yield f"{courier.id} carries too much"
    if any((name, "pickup") in names(route) for name in bag):
        yield f"{courier.id} keeps what he collected"


def _may(problem: Problem, courier: Courier, name: str) -> bool:
    for other in problem.couriers:
        if name in other.on_board or name in {lock.request for lock in other.locked}:
            return other.id == courier.id
    request = next(one for one in problem.requests if one.id == name)
    return request.only_courier in (None, courier.id) and request.skills <= courier.skills


def _clock(problem: Problem, courier: Courier, route: Route) -> Iterator[str]:
    """Yield what is wrong with times and metres; `free` are the stretches in which a break may lie."""
    way, ready, place, metres = roads(problem), earliest(problem, courier), courier.start, 0
    free: list[tuple[int, int]] = []
    for k, row in enumerate(route.stops):
        leg = way(place, row.place)
        if leg is None:
            yield f"no way from {place} to {row.place}"
            return
        if row.arrive < ready + leg[0] or (k and place == row.place and row.arrive > ready):
            yield f"arrives at {row.request} at {row.arrive}"
        yield from _service(problem, row)
        free.append((ready, row.arrive - leg[0]))
        ready, place, metres = row.depart, row.place, metres + leg[1]
    home = courier.end if route.stops and courier.end is not None else place
    leg = way(place, home)
    if leg is None:
        yield f"no way home from {place}"
        return
    if home != place:
        free.append((ready, route.end_at - leg[0]))
    may_wait = route.stops and courier.end is not None
    if route.end_at < ready + leg[0] or (not may_wait and route.end_at != ready):
        yield f"ends at {route.end_at}"
    if route.stops and route.end_at > courier.shift[1]:
        yield "works after the shift"
    if route.distance_m != metres + leg[1]:
        yield f"drives {metres + leg[1]} m"
    if courier.max_distance_m is not None and metres + leg[1] > courier.max_distance_m:
        yield "drives too far"
    yield from _breaks(courier, route, free)


def _service(problem: Problem, row: Stop) -> Iterator[str]:
    end = end_of(problem, (row.request, row.kind))
    if row.start < row.arrive or row.depart != row.start + end.service_s:
        yield f"serves {row.request} from {row.start} to {row.depart}"
    if not any(opens <= row.start <= closes for opens, closes in end.windows):
        yield f"{row.request} is closed at {row.start}"
    if problem.hard_due and end.due is not None and row.start > end.due:
        yield f"{row.request} was due at {end.due}"


def _breaks(courier: Courier, route: Route, free: list[tuple[int, int]]) -> Iterator[str]:
    taken = sorted(route.breaks, key=lambda rest: (rest.start, rest.end))
    for before, rest in zip([None, *taken], taken, strict=False):
        if (before and before.end > rest.start) or not any(a <= rest.start and rest.end <= b for a, b in free):
            yield f"rests at {rest.start} in between something else"

    def fits(left: list[int], rest: int) -> Iterator[list[int]]:
        for k in left:
            rule = courier.breaks[k]
            one = taken[rest]
            if rule.window[0] <= one.start <= rule.window[1] and one.end - one.start == rule.duration_s:
                yield [other for other in left if other != k]

    ways = [list(range(len(courier.breaks)))]
    for rest in range(len(taken)):
        ways = [after for left in ways for after in fits(left, rest)]
    needed = [k for k, rule in enumerate(courier.breaks) if route.stops and route.end_at >= rule.window[1]]
    if not any(not set(left) & set(needed) for left in ways):
        yield f"{courier.id} takes other breaks than his own"


def cost(problem: Problem, plan: Plan, warm: Plan | None = None) -> dict[str, Number]:
    """Return the terms of the cost and its total as the rows give them."""
    way, weights = roads(problem), problem.weights
    price = {request.id: weights.unserved * request.priority for request in problem.requests}
    terms: dict[str, Number] = dict.fromkeys(
        ("total", "unserved", "late_s", "couriers", "distance_m", "travel_s", "duration_s", "delivery_delay_s"), 0
    )
    durations = []
    for route in (one for one in plan.routes if one.stops):
        courier = next(one for one in problem.couriers if one.id == route.courier)
        places = [courier.start, *(row.place for row in route.stops), *([courier.end] if courier.end else [])]
        legs = [way(a, b) or (0, 0) for a, b in pairwise(places)]
        durations.append(route.end_at - (route.stops[0].arrive - legs[0][0]))
        terms["travel_s"] += sum(seconds for seconds, _ in legs)
        terms["distance_m"] += sum(metres for _, metres in legs)
        for row in route.stops:
            due = end_of(problem, (row.request, row.kind)).due
            terms["late_s"] += max(0, row.start - due) if due is not None else 0
            terms["delivery_delay_s"] += row.start - opening(problem, row.request) if row.kind == "delivery" else 0
    terms |= {"unserved": len(plan.unserved), "couriers": len(durations), "duration_s": sum(durations)}
    terms["total"] = (
        sum(price[entry.request] for entry in plan.unserved)
        + weights.late_per_s * terms["late_s"]
        + weights.courier * terms["couriers"]
        + weights.distance_per_m * terms["distance_m"]
        + weights.travel_per_s * terms["travel_s"]
        + weights.duration_per_s * terms["duration_s"]
        + weights.delivery_delay_per_s * terms["delivery_delay_s"]
        + weights.moved_stop * moved(plan, warm)
        + weights.balance * (max(durations, default=0) - min(durations, default=0))
    )
    return terms


def before(plan: Plan | None) -> dict[Name, tuple[str, Name | None]]:
    """Return for each stop of a plan its courier and the stop before it."""
    found: dict[Name, tuple[str, Name | None]] = {}
    for route in plan.routes if plan else ():
        for previous, name in zip([None, *names(route)], names(route), strict=False):
            found[name] = (route.courier, previous)
    return found


def moved(plan: Plan, warm: Plan | None) -> int:
    """Count the stops that had another courier or predecessor in the plan in force."""
    old, new = before(warm), before(plan)
    return sum(name in old and old[name] != place for name, place in new.items())
