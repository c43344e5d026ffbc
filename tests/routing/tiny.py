"""Tiny problems with every feature of `routing-problem/1`, on days of a few hundred seconds: brute force is fast there.

Every value comes from whole-number draws of `rnd`, so that hypothesis can make a failing case smaller.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from routing import (
    Break,
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
    Route,
    Stop,
    Weights,
)

_DEAR = 1_000_000


def tiny_problem(rnd: Random) -> Problem:
    """A problem of at most six requests and three couriers."""
    places = tuple(_place(rnd, f"p{k}") for k in range(rnd.choice([2, 3, 4, 5])))
    names = [place.id for place in places]
    balanced = one_in(rnd, 7)
    day = rnd.choice([90, 120]) if balanced else rnd.choice([120, 240])
    many = [1, 2, 2, 3] if balanced else [0, 1, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 6]
    requests = [_request(rnd, f"r{k}", names, day) for k in range(rnd.choice(many))]
    couriers = [_courier(rnd, f"c{k}", names, day) for k in range(rnd.choice([1, 2, 2, 3]))]
    if one_in(rnd, 3):
        couriers, requests = _bound(rnd, couriers, requests)
    elif one_in(rnd, 3):
        requests = [replace(one, only_courier="c0") if one_in(rnd, 2) else one for one in requests]
    return Problem(
        "tiny",
        places,
        _travel(rnd, len(places)),
        tuple(couriers),
        tuple(requests),
        _weights(rnd, balanced),
        now=rnd.choice([0, 0, 0, -50, 20]),
        hard_due=one_in(rnd, 6),
    )


def one_in(rnd: Random, count: int) -> bool:
    return rnd.randrange(count) == count - 1


def _place(rnd: Random, name: str) -> Place:
    return Place(name, 12.2 + rnd.randrange(40) / 20000, 109.1 + rnd.randrange(40) / 20000)


def _travel(rnd: Random, count: int) -> MatrixTravel | GeodesicTravel:
    if one_in(rnd, 5):
        return GeodesicTravel(rnd.choice([1.35, 1]), rnd.choice([28, 40.5]), rnd.choice([0, 2]))
    seconds: list[list[int | None]] = [[rnd.randrange(2, 40) for _ in range(count)] for _ in range(count)]
    metres: list[list[int | None]] = [[10 * rnd.randrange(1, 20) for _ in range(count)] for _ in range(count)]
    for k in range(count):
        seconds[k][k] = metres[k][k] = 0
    if one_in(rnd, 4):
        for table in (seconds, metres):
            table[rnd.randrange(count)][rnd.randrange(count)] = None
    return MatrixTravel(seconds, metres)


def _end(rnd: Random, names: list[str], day: int) -> End:
    opens = rnd.randrange(day // 2)
    windows = [(opens, opens + rnd.randrange(5, day))]
    if one_in(rnd, 4):
        opens, gap = rnd.randrange(day // 3), rnd.randrange(1, day // 3)
        windows = [(opens + gap + 20, day), (opens, opens + 15)]
    due = rnd.randrange(10, day) if one_in(rnd, 2) else None
    return End(rnd.choice(names), tuple(windows), rnd.choice([0, 3, 10]), due)


def _request(rnd: Random, name: str, names: list[str], day: int) -> Request:
    pickup, delivery = _end(rnd, names, day), _end(rnd, names, day)
    if one_in(rnd, 8):
        delivery = replace(delivery, place=pickup.place)
    return Request(
        name,
        pickup,
        delivery,
        size=rnd.choice([1, 1, 2, 0, 3]),
        skills=frozenset({"A"} if one_in(rnd, 6) else ()),
        priority=rnd.choice([1, 1, 2, 0.5]),
    )


def _courier(rnd: Random, name: str, names: list[str], day: int) -> Courier:
    breaks = []
    for _ in range(rnd.choice([0, 0, 0, 1, 2])):
        opens = rnd.randrange(5, day)
        breaks.append(Break((opens, opens + rnd.randrange(30)), rnd.choice([5, 12])))
    return Courier(
        name,
        rnd.choice(names),
        (rnd.choice([0, 0, 15]), rnd.choice([day, day - 20, day - 50])),
        capacity=rnd.choice([2, 3, 4, 1, 9]),
        end=rnd.choice([None, *names[:2]]),
        available_at=rnd.choice([None, None, 12]),
        skills=frozenset({"A"} if one_in(rnd, 2) else ()),
        breaks=tuple(breaks),
        max_distance_m=rnd.choice([None, None, None, 400]),
    )


def _bound(rnd: Random, couriers: list[Courier], requests: list[Request]) -> tuple[list[Courier], list[Request]]:
    """Give some requests to couriers for good: on board, or the next stops locked."""
    names = [one.id for one in requests]
    rnd.shuffle(names)
    bound = []
    for one in couriers:
        aboard = [names.pop() for _ in range(min(len(names), rnd.choice([0, 1, 2])))]
        locked = [Locked(name, "delivery") for name in aboard[:1] if one_in(rnd, 3)]
        if names and one_in(rnd, 3):
            first = names.pop()
            locked.append(Locked(first, "pickup"))
            if one_in(rnd, 3):
                locked.append(Locked(first, "delivery"))
        bound.append(replace(one, on_board=tuple(aboard), locked=tuple(locked)))
    return bound, requests


def _weights(rnd: Random, balanced: bool) -> Weights:
    return Weights(
        unserved=rnd.choice([_DEAR, _DEAR, 400]),
        late_per_s=rnd.choice([10, 1, 0]),
        courier=rnd.choice([0, 0, 300]),
        distance_per_m=rnd.choice([1, 1, 0]),
        travel_per_s=rnd.choice([0, 2]),
        duration_per_s=rnd.choice([0, 0, 1, 5]),
        delivery_delay_per_s=rnd.choice([0, 0.01, 2]),
        moved_stop=rnd.choice([0, 60]),
        balance=rnd.choice([1, 4]) if balanced else 0,
    )


def plan_in_force(rnd: Random, problem: Problem) -> Plan | None:
    """A plan of an hour ago, or None: some of its requests and couriers are gone, some of today's were not known."""
    if one_in(rnd, 2):
        return None
    couriers = [*(courier.id for courier in problem.couriers), "gone"]
    stops: dict[str, list[Stop]] = {name: [] for name in couriers}
    old = [replace(request, id="old") for request in problem.requests[:1]]
    for request in (one for one in [*problem.requests, *old] if not one_in(rnd, 5)):
        order = stops[rnd.choice(couriers)]
        first = rnd.randrange(len(order) + 1)
        order.insert(first, Stop(request.id, "pickup", request.pickup.place, 0, 0, 0))
        later = rnd.randrange(first + 1, len(order) + 1)
        order.insert(later, Stop(request.id, "delivery", request.delivery.place, 0, 0, 0))
    routes = tuple(Route(name, tuple(rows), 0, 0) for name, rows in stops.items() if rows)
    return Plan(problem.name, "yesterday", 1, 1, routes, (), Cost())
