"""The day as it stands, put to the planner: everything known now, nothing that is still to come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import routing
from dispatch.live.leaving import Ahead
from dispatch.rehearsal.scenario import Point, Request
from dispatch.rehearsal.world import Rider, Stop, World
from routing.model import Number

_ON_DUTY = frozenset({"on duty"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a strategy asks of the planner beside the facts."""

    weights: routing.Weights
    early_s: int = 0
    """So much before its due time a pickup shall start."""
    spare_s: int = 0
    """So much before the last door closes or the shift ends a delivery should be done."""


def problem_of(world: World, riders: Iterable[Rider], requests: Iterable[Request], wishes: Wishes) -> routing.Problem:
    """Return the planner's problem of some couriers and requests at `world.now`."""
    places: dict[Point, routing.Place] = {}

    def place(point: Point) -> str:
        return places.setdefault(point, routing.Place(str(len(places)), *point)).id

    riding = list(riders)
    couriers = tuple(_courier(world, rider, place(rider.place)) for rider in riding)
    asked = tuple(_request(world, one, place(one.pickup.point), place(one.delivery.point), wishes) for one in requests)
    return routing.Problem(
        world.scenario.name,
        tuple(places.values()),
        world.scenario.travel,
        couriers,
        asked,
        wishes.weights,
        now=world.now,
    )


def _courier(world: World, rider: Rider, place: str) -> routing.Courier:
    heading = rider.heading if rider.heading and world.may(rider, rider.heading) else None
    return routing.Courier(
        rider.courier.id,
        place,
        rider.courier.shift,
        rider.courier.capacity,
        available_at=max(world.now, rider.expected_at),
        skills=frozenset() if rider.absent else _ON_DUTY,
        on_board=tuple(rider.bag),
        locked=(routing.Locked(*heading),) if heading else (),
    )


def _request(world: World, request: Request, pickup: str, delivery: str, wishes: Wishes) -> routing.Request:
    due = None if request.id in world.picked else request.due_at - wishes.early_s
    closing = max(closes for _, closes in request.delivery.windows)
    home = max(courier.shift[1] for courier in world.scenario.couriers) - request.delivery.service_s
    return routing.Request(
        request.id,
        routing.End(pickup, request.pickup.windows, request.pickup.service_s, due),
        routing.End(
            delivery, request.delivery.windows, request.delivery.service_s, min(closing, home) - wishes.spare_s
        ),
        request.size,
        skills=_ON_DUTY,
    )


def in_force(world: World, riders: Iterable[Rider]) -> routing.Plan:
    """Return the orders the couriers have, as a plan to start from."""
    routes = [
        routing.Route(
            rider.courier.id,
            tuple(
                routing.Stop(stop.request, stop.kind, "", 0, 0, 0)
                for stop in rider.order
                if stop.request in world.alive
            ),
            0,
            0,
        )
        for rider in riders
    ]
    return routing.Plan(world.scenario.name, "in force", 0, 0, tuple(routes), (), routing.Cost())


def orders_of(plan: routing.Plan) -> dict[str, list[Stop]]:
    """Return each courier's stops in a plan."""
    return {route.courier: [Stop(row.request, row.kind) for row in route.stops] for route in plan.routes}


def ahead(world: World, rider: Rider) -> list[Ahead]:
    """Return a courier's stops to come, as the rule for leaving reads them."""
    found, origin = [], rider.place
    for stop in rider.order:
        end, request = world.end_of(stop), world.requests[stop.request]
        seconds, _ = world.legs.leg(origin, end.point)
        due = request.due_at if stop.kind == "pickup" else None
        found.append(Ahead(seconds, end.windows, end.service_s, due))
        origin = end.point
    return found


def work_s(world: World, rider: Rider) -> Number:
    """Return the seconds of driving and service that a courier has before him."""
    return sum(stop.drive_s + stop.service_s for stop in ahead(world, rider))
