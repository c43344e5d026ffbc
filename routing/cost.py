"""The one evaluator: orders of stops in, timed routes and the priced total of `routing-plan/1` out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from routing.model import Cost, Plan, Route, Stop
from routing.timing import Fault, Timing, time_route
from routing.view import Sequences, View

UNKNOWN_STOP = -2
WarmPlaces = dict[int, tuple[int, int | None]]


def warm_places(view: View, warm: Plan | None) -> WarmPlaces:
    """Return stop → (courier, predecessor) of the plan in force; None is the start, UNKNOWN_STOP a stop now gone."""
    places: WarmPlaces = {}
    for route in warm.routes if warm else ():
        previous: int | None = None
        courier = view.courier_of.get(route.courier, UNKNOWN_STOP)
        for row in route.stops:
            stop = view.stop(row.request, row.kind) if row.request in view.request_of else UNKNOWN_STOP
            if stop != UNKNOWN_STOP:
                places[stop] = (courier, previous)
            previous = stop
    return places


def moved_stops(sequences: Sequences, warm: WarmPlaces) -> int:
    """Count the stops that have another courier or another predecessor than in the plan in force."""
    moved = 0
    for courier, order in enumerate(sequences):
        previous: int | None = None
        for stop in order:
            moved += stop in warm and warm[stop] != (courier, previous)
            previous = stop
    return moved


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A driveable set of orders with its times, the requests it leaves out, and its cost."""

    sequences: Sequences
    timings: list[Timing]
    unserved: list[int]
    cost: Cost


def evaluate(view: View, sequences: Sequences, warm: WarmPlaces | None = None) -> Evaluation | Fault:
    """Time and price one order of stops per courier; whatever is in none of them is unserved."""
    timings: list[Timing] = []
    for courier, order in enumerate(sequences):
        timing = time_route(view, courier, order)
        if isinstance(timing, Fault):
            return timing
        timings.append(timing)
    served = {stop // 2 for order in sequences for stop in order}
    unserved = [request for request in range(len(view.problem.requests)) if request not in served]
    cost = price(view, sequences, timings, unserved, moved_stops(sequences, warm or {}))
    return Evaluation(sequences, timings, unserved, cost)


def price(view: View, sequences: Sequences, timings: list[Timing], unserved: list[int], moved: int) -> Cost:
    """Return the cost of timed routes by the formula of `routing-plan/1`."""
    weights = view.weights
    durations = [t.end_at - t.leave_at for t, order in zip(timings, sequences, strict=True) if order]
    terms = Cost(
        unserved=len(unserved),
        late_s=sum(t.late_s for t in timings),
        couriers=len(durations),
        distance_m=sum(t.distance_m for t in timings),
        travel_s=sum(t.travel_s for t in timings),
        duration_s=sum(durations),
        delivery_delay_s=sum(t.delay_s for t in timings),
    )
    total = (
        sum(view.price(request) for request in unserved)
        + weights.late_per_s * terms.late_s
        + weights.courier * terms.couriers
        + weights.distance_per_m * terms.distance_m
        + weights.travel_per_s * terms.travel_s
        + weights.duration_per_s * terms.duration_s
        + weights.delivery_delay_per_s * terms.delivery_delay_s
        + weights.moved_stop * moved
        + weights.balance * (max(durations, default=0) - min(durations, default=0))
    )
    return replace(terms, total=total)


def routes(view: View, evaluation: Evaluation) -> tuple[Route, ...]:
    """Return the rows of `routing-plan/1`; a courier with nothing to do has no route."""
    made: list[Route] = []
    for courier, (order, timing) in enumerate(zip(evaluation.sequences, evaluation.timings, strict=True)):
        bound = view.problem.couriers[courier].on_board or view.problem.couriers[courier].locked
        if not order and not bound:
            continue
        rows = tuple(
            Stop(
                view.problem.requests[stop // 2].id,
                "delivery" if stop % 2 else "pickup",
                view.problem.places[view.place[stop]].id,
                timing.arrive[k],
                timing.start[k],
                timing.depart[k],
            )
            for k, stop in enumerate(order)
        )
        identity = view.problem.couriers[courier].id
        made.append(Route(identity, rows, timing.distance_m, timing.end_at, timing.rests))
    return tuple(made)
