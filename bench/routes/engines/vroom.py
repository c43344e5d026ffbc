"""VROOM: fast, whole seconds, hard windows only; it does not keep its time limit on long routes with shipments."""

from __future__ import annotations

from datetime import timedelta

import vroom

from bench.routes.case import Ask, Case, Routes
from bench.routes.whole import Promised, Whole

PACKAGE = "pyvroom"


def solve(case: Case, ask: Ask) -> Routes:
    """Return a plan; promises are hard windows at first, and given up for those it then leaves out."""
    numbers = Whole(case)
    routes = _solved(numbers, Promised(numbers, ask.warm), ask, ask.warm)
    left = frozenset(range(len(case.pairs))) - {stop // 2 for route in routes for stop in route}
    if any(case.pairs[r].pickup.due is not None for r in left):
        routes = _solved(numbers, Promised(numbers, routes, left), ask, routes)
    return routes


def _solved(numbers: Whole, promised: Promised, ask: Ask, warm: Routes | None) -> Routes:
    case = numbers.case
    model = vroom.Input()
    model.set_durations_matrix("car", numbers.drive)
    for r, pair in enumerate(case.pairs):
        pickup, delivery = (
            {
                "id": number,
                "location": case.stop(number).place,
                "default_service": numbers.up(case.stop(number).service),
                "time_windows": [vroom.TimeWindow(*promised.window(number))],
            }
            for number in (2 * r, 2 * r + 1)
        )
        size = vroom.Amount([pair.size])
        if pair.holder is None:
            model.add_shipment(vroom.ShipmentStep(**pickup), vroom.ShipmentStep(**delivery), amount=size)
        else:
            model.add_job(vroom.Job(**delivery, delivery=size, skills={pair.holder + 1}))
    holders = {pair.holder for pair in case.pairs}
    for v, vehicle in enumerate(case.vehicles):
        model.add_vehicle(
            vroom.Vehicle(
                v,
                start=vehicle.start,
                end=vehicle.end,
                capacity=[vehicle.capacity],
                skills={v + 1} if v in holders else set(),
                time_window=vroom.TimeWindow(*numbers.shift(v)),
                costs=vroom.VehicleCosts(fixed=numbers.price(case.prices.vehicle)),
                steps=_steps(case, warm[v]) if warm and warm[v] else (),
            )
        )
    level = int(ask.how.removeprefix("x") or 5)
    found = model.solve(exploration_level=level, nb_threads=1, timeout=timedelta(seconds=ask.seconds))
    return _routes(found, len(case.vehicles))


def _steps(case: Case, route: list[int]) -> list[vroom.VehicleStep]:
    """Return a route to start from."""
    kinds = ["single" if case.pairs[s // 2].holder is not None else "delivery" if s % 2 else "pickup" for s in route]
    inner = [vroom.VehicleStep(kind, stop) for kind, stop in zip(kinds, route, strict=True)]
    return [vroom.VehicleStep("start"), *inner, vroom.VehicleStep("end")]


def _routes(found: vroom.Solution, vehicles: int) -> Routes:
    routes: Routes = [[] for _ in range(vehicles)]
    table = found.routes
    for v, kind, stop in zip(table["vehicle_id"], table["type"], table["id"], strict=True):
        if kind in ("job", "single", "pickup", "delivery"):
            routes[int(v)].append(int(stop))
    return routes
