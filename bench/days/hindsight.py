"""What a day could have been, knowing everything from the start: one long offline search."""

from __future__ import annotations

from dataclasses import dataclass

import routing
from dispatch.rehearsal.scenario import End, Point, Request, Scenario
from dispatch.rehearsal.strategies import PRICES


@dataclass(frozen=True)
class Hindsight:
    """How many promises could have been kept, how many requests served, with how many metres."""

    requests: int
    met: int
    served: int
    distance_m: int
    delivery_s: int


def hindsight(scenario: Scenario, iterations_each: int) -> Hindsight:
    """Solve the whole day at once with so many iterations a request; services may not begin before a notice, legs may.

    A count of iterations, not of seconds: what else the machine does must not make hindsight look worse. Who goes
    home early is taken to end his shift then; what is cancelled is known not to be worth a ride.
    """
    places: dict[Point, routing.Place] = {}

    def place(point: Point) -> str:
        return places.setdefault(point, routing.Place(str(len(places)), *point)).id

    couriers = tuple(
        routing.Courier(one.id, place(one.point), (one.shift[0], one.absent_from or one.shift[1]), one.capacity)
        for one in scenario.couriers
    )
    kept = [one for one in scenario.requests if one.cancel_at is None]
    requests = tuple(
        routing.Request(
            one.id,
            _end(place(one.pickup.point), one.pickup, one.reveal_at, one.due_at),
            _end(place(one.delivery.point), one.delivery, one.reveal_at, None),
            one.size,
        )
        for one in kept
    )
    problem = routing.Problem(
        scenario.name, tuple(places.values()), scenario.travel, couriers, requests, PRICES, now=scenario.day[0]
    )
    plan = routing.solve(problem, iterations=iterations_each * len(requests), reasons=False)
    return _counted(kept, plan)


def _end(place: str, end: End, reveal_at: int, due: int | None) -> routing.End:
    windows = tuple((max(opens, reveal_at), closes) for opens, closes in end.windows if closes >= reveal_at)
    return routing.End(place, windows or ((reveal_at, reveal_at),), end.service_s, due)


def _counted(kept: list[Request], plan: routing.Plan) -> Hindsight:
    due, known = {one.id: one.due_at for one in kept}, {one.id: one.reveal_at for one in kept}
    rows = [row for route in plan.routes for row in route.stops]
    return Hindsight(
        requests=len(kept),
        met=sum(row.kind == "pickup" and row.start <= due[row.request] for row in rows),
        served=sum(row.kind == "delivery" for row in rows),
        distance_m=sum(route.distance_m for route in plan.routes),
        delivery_s=sum(row.start - known[row.request] for row in rows if row.kind == "delivery"),
    )
