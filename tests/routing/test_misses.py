"""Tiny days whose cheapest plan was once missed, each cut down to the reason why; brute force is asked too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing import Break, MatrixTravel, Place, Problem, Weights, check, solve
from tests.routing.brute import optimum
from tests.routing.problems import courier, line, problem, request

_LASTING = Weights(unserved=1_000_000, duration_per_s=1)
_DAY = (0, 240)
_HERE = line(0)


def two_places(there: int, back: int) -> tuple[tuple[Place, ...], MatrixTravel]:
    return (Place("p0"), Place("p1")), MatrixTravel([[0, there], [back, 0]], [[0, 120], [50, 0]])


def a_later_window_of_the_first_stop() -> Problem:
    hours = {"pickup_windows": ((30, 45), (69, 120)), "delivery_windows": ((53, 240),), "delivery_service_s": 10}
    rider = courier("c", "p0", shift=(0, 70))
    return problem(_HERE, [rider], [request("r", "p0", "p0", **hours)], weights=_LASTING)


def leaving_after_a_rest() -> Problem:
    """He rests where he starts, and must not set out at once because he is rested."""
    rider = courier("c", "p1", shift=_DAY, breaks=(Break((45, 52), 12),))
    hours = {"pickup_windows": (_DAY,), "delivery_windows": ((96, 240),)}
    return problem(two_places(9, 2), [rider], [request("r", "p0", "p0", **hours)], weights=_LASTING)


def leaving_later_instead_of_a_rest() -> Problem:
    """Leaving at once is dearer than resting first; leaving later without a rest is cheaper than both."""
    rider = courier("c", "p0", shift=_DAY, breaks=(Break((96, 96), 5),))
    hours = {"pickup_windows": (_DAY,), "delivery_windows": ((76, 240),)}
    weights = Weights(unserved=1_000_000, duration_per_s=1, delivery_delay_per_s=1)
    return problem(_HERE, [rider], [request("r", "p0", "p0", **hours)], weights=weights)


def the_rest_that_closes_last_first() -> Problem:
    rider = courier("c", "p1", shift=_DAY, breaks=(Break((40, 41), 12), Break((29, 54), 5)))
    hours = {"pickup_windows": (_DAY,), "delivery_windows": ((62, 240),), "delivery_due": 15}
    weights = Weights(unserved=1_000_000, late_per_s=1)
    return problem(two_places(7, 15), [rider], [request("r", "p0", "p0", **hours)], weights=weights)


def a_parcel_that_is_lost_anyway() -> Problem:
    """What is on board and cannot be delivered any more says nothing against the others, however little they cost."""
    lost = request("lost", "p0", "p0", delivery_windows=((0, 31),))
    rider = courier("c", "p1", shift=(15, 240), on_board=("lost",))
    return problem(two_places(3, 29), [rider], [lost, request("r", "p0", "p0")], weights=Weights(unserved=400))


def no_straight_way_from_shop_to_citizen() -> Problem:
    seconds = [[0, 37, 35], [22, 0, None], [2, 19, 0]]
    roads = tuple(Place(f"p{k}") for k in range(3)), MatrixTravel(seconds, seconds)
    requests = [request("r1", "p1", "p2"), request("r3", "p0", "p0")]
    return problem(roads, [courier("c", "p1", shift=_DAY)], requests, weights=Weights(unserved=400))


MISSED: list[tuple[Callable[[], Problem], float]] = [
    (a_later_window_of_the_first_stop, 18),
    (leaving_after_a_rest, 2),
    (leaving_later_instead_of_a_rest, 76),
    (the_rest_that_closes_last_first, 52),
    (a_parcel_that_is_lost_anyway, 400),
    (no_straight_way_from_shop_to_citizen, 0),
]


@pytest.mark.parametrize(("make", "least"), MISSED, ids=[make.__name__ for make, _ in MISSED])
def test_the_cheapest_plan_is_found(make: Callable[[], Problem], least: float) -> None:
    p = make()
    assert optimum(p).total == least
    plan = solve(p, engine="search", iterations=1500)
    assert check(p, plan).ok
    assert plan.cost.total == least
