"""Problems for tests: small hand-made pieces and a generator that turns every feature on now and then."""

from __future__ import annotations

from dataclasses import replace
from math import hypot
from random import Random
from typing import Any

from routing import (
    Break,
    Courier,
    End,
    GeodesicTravel,
    Locked,
    MatrixTravel,
    Place,
    Problem,
    Request,
    Weights,
)

DAY = (0, 36000)
PLAIN = Weights(unserved=1_000_000, late_per_s=10, distance_per_m=1)


def line(*metres: int, speed: int = 1) -> tuple[tuple[Place, ...], MatrixTravel]:
    """Places p0, p1 … on a straight road at the given metre marks; `speed` metres a second."""
    places = tuple(Place(f"p{k}") for k in range(len(metres)))
    distances = [[abs(a - b) for b in metres] for a in metres]
    durations = [[m // speed for m in row] for row in distances]
    return places, MatrixTravel(durations, distances)


def request(name: str, pickup: str, delivery: str, **wishes: Any) -> Request:
    """A request that is open all day and takes no time to serve, unless said otherwise."""
    ends = {
        side: End(
            place=place,
            windows=wishes.pop(f"{side}_windows", (DAY,)),
            service_s=wishes.pop(f"{side}_service_s", 0),
            due=wishes.pop(f"{side}_due", None),
        )
        for side, place in (("pickup", pickup), ("delivery", delivery))
    }
    return Request(name, ends["pickup"], ends["delivery"], **wishes)


def courier(name: str, start: str, **wishes: Any) -> Courier:
    """A courier with a whole day, room for ten and no home to go to, unless said otherwise."""
    return Courier(**({"id": name, "start": start, "shift": DAY, "capacity": 10} | wishes))


def problem(
    roads: tuple[tuple[Place, ...], MatrixTravel],
    couriers: list[Courier],
    requests: list[Request],
    **rest: Any,
) -> Problem:
    """A problem on a line of places, priced by PLAIN unless said otherwise."""
    places, travel = roads
    settings = {"weights": PLAIN} | rest
    return Problem("test", places, travel, tuple(couriers), tuple(requests), **settings)


def any_problem(rnd: Random, most_requests: int = 5, most_couriers: int = 3) -> Problem:
    """A small random problem; each feature of the format is on in a good part of them."""
    places = tuple(Place(f"p{k}", 12.2 + rnd.random() / 20, 109.1 + rnd.random() / 20) for k in range(5))
    names = [place.id for place in places]
    requests = [_any_request(rnd, k, names) for k in range(rnd.randint(0, most_requests))]
    couriers = [_any_courier(rnd, k, names) for k in range(rnd.randint(1, most_couriers))]
    if rnd.random() < 0.4:
        couriers, requests = _with_bonds(rnd, couriers, requests)
    return Problem(
        "any",
        places,
        _any_travel(rnd, len(places)),
        tuple(couriers),
        tuple(requests),
        _any_weights(rnd),
        now=rnd.choice([0, 0, 500]),
        hard_due=rnd.random() < 0.2,
    )


def _any_travel(rnd: Random, count: int) -> MatrixTravel | GeodesicTravel:
    if rnd.random() < 0.2:
        return GeodesicTravel(1.35, 28, 20)
    missing = rnd.random() < 0.3
    durations: list[list[int | None]] = [[rnd.randint(50, 1200) for _ in range(count)] for _ in range(count)]
    distances: list[list[int | None]] = [[8 * (seconds or 0) for seconds in row] for row in durations]
    for k in range(count):
        durations[k][k] = distances[k][k] = 0
    if missing:
        durations[rnd.randrange(count)][rnd.randrange(count)] = None
    return MatrixTravel(durations, distances)


def _any_windows(rnd: Random) -> tuple[tuple[int, int], ...]:
    opens = rnd.randint(0, 4000)
    if rnd.random() < 0.3:
        return ((opens, opens + 1500), (opens + 3000, opens + 6000))
    return ((opens, opens + rnd.randint(500, 9000)),)


def _any_end(rnd: Random, names: list[str]) -> End:
    due = rnd.randint(1000, 9000) if rnd.random() < 0.5 else None
    return End(rnd.choice(names), _any_windows(rnd), rnd.choice([0, 60, 180]), due)


def _any_request(rnd: Random, k: int, names: list[str]) -> Request:
    return Request(
        f"r{k}",
        _any_end(rnd, names),
        _any_end(rnd, names),
        size=rnd.randint(0, 3),
        skills=frozenset({"A"}) if rnd.random() < 0.2 else frozenset(),
        priority=rnd.choice([1, 1, 2]),
        only_courier="c0" if rnd.random() < 0.1 else None,
    )


def _any_courier(rnd: Random, k: int, names: list[str]) -> Courier:
    breaks = []
    for _ in range(rnd.choice([0, 0, 1, 2])):
        opens = rnd.randint(500, 6000)
        breaks.append(Break((opens, opens + rnd.randint(600, 3000)), rnd.choice([300, 900])))
    return Courier(
        f"c{k}",
        rnd.choice(names),
        (rnd.choice([0, 300]), rnd.choice([7000, 12000])),
        capacity=rnd.randint(1, 5),
        end=rnd.choice([None, rnd.choice(names)]),
        available_at=rnd.choice([None, 700]),
        skills=frozenset({"A"}) if rnd.random() < 0.5 else frozenset(),
        breaks=tuple(breaks),
        max_distance_m=rnd.choice([None, None, 25000]),
    )


def _with_bonds(rnd: Random, couriers: list[Courier], requests: list[Request]) -> tuple[list[Courier], list[Request]]:
    """Give some requests to couriers for good: on board, or the next stops locked."""
    free = [replace(one, only_courier=None) for one in requests]
    names = [one.id for one in free]
    rnd.shuffle(names)
    bound = []
    for one in couriers:
        aboard = [names.pop() for _ in range(min(len(names), rnd.choice([0, 1, 2])))]
        locked: list[Locked] = [Locked(name, "delivery") for name in aboard[:1] if rnd.random() < 0.4]
        if names and rnd.random() < 0.3:
            first = names.pop()
            locked.append(Locked(first, "pickup"))
            if rnd.random() < 0.3:
                locked.append(Locked(first, "delivery"))
        bound.append(replace(one, on_board=tuple(aboard), locked=tuple(locked)))
    return bound, free


def _any_weights(rnd: Random) -> Weights:
    return Weights(
        unserved=rnd.choice([1_000_000, 20_000]),
        late_per_s=rnd.choice([0, 10]),
        courier=rnd.choice([0, 5000]),
        distance_per_m=1,
        travel_per_s=rnd.choice([0, 2]),
        duration_per_s=rnd.choice([0, 0, 3]),
        delivery_delay_per_s=rnd.choice([0, 0.01]),
        moved_stop=rnd.choice([0, 700]),
        balance=rnd.choice([0, 0, 1]),
    )


def any_day(rnd: Random, requests: int, couriers: int) -> Problem:
    """A day of a small town that has room for everybody: more stops than brute force can order, most features on."""
    roads = _town_roads(rnd, 12)
    names = [place.id for place in roads[0]]
    shops = names[:3]
    wanted = []
    for k in range(requests):
        opens = rnd.randrange(0, 12000, 10)
        collect = End(rnd.choice(shops), ((opens, 32000),), rnd.choice([0, 60, 120]), opens + 6000)
        hours = ((0, 14000), (18000, 36000)) if rnd.randrange(4) == 0 else (DAY,)
        deliver = End(rnd.choice(names), hours, 90, rnd.choice([None, 20000]))
        skills = frozenset({"A"} if rnd.randrange(8) == 0 else ())
        wanted.append(Request(f"r{k}", collect, deliver, rnd.randint(1, 3), skills, rnd.choice([1, 2])))
    riders = []
    for k in range(couriers):
        rests = (Break((11000, 15000), 1800),) if rnd.randrange(2) else ()
        home = rnd.choice([None, *shops])
        skills = frozenset({"A"} if k % 2 == 0 else ())
        riders.append(Courier(f"c{k}", rnd.choice(names), DAY, rnd.randint(8, 20), home, None, skills, rests))
    weights = Weights(1_000_000, 10, rnd.choice([0, 3000]), 1, 1, 0, 1, 500, rnd.choice([0, 0, 0, 1]))
    return Problem("any day", *roads, tuple(riders), tuple(wanted), weights)


def _town_roads(rnd: Random, count: int) -> tuple[tuple[Place, ...], MatrixTravel]:
    """Places on a plane with one-way detours, and a leg that is missing."""
    spots = [(rnd.randrange(9000), rnd.randrange(9000)) for _ in range(count)]
    metres: list[list[int | None]] = [
        [int(hypot(a[0] - b[0], a[1] - b[1]) * rnd.choice([1, 1.1, 1.3])) for b in spots] for a in spots
    ]
    seconds: list[list[int | None]] = [[None if m is None else m // 8 for m in row] for row in metres]
    seconds[count - 1][count - 2] = None
    return tuple(Place(f"p{k}") for k in range(count)), MatrixTravel(seconds, metres)
