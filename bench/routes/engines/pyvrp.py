"""PyVRP: penalised local search; pickup-and-delivery pairs since 0.14.0, no soft windows, all requests required."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyvrp
from pyvrp.stop import MaxRuntime

from bench.routes.case import Ask, Case, Routes, Vehicle
from bench.routes.whole import Promised, Whole

PACKAGE = "pyvrp"


def solve(case: Case, ask: Ask) -> Routes:
    """Return a plan; routes that break a rule are left out, their requests with them."""
    model = _Model(Whole(case), ask.warm)
    start = None if ask.warm is None else pyvrp.Solution(model.data, list(model.routes(ask.warm)))
    found = pyvrp.solve(
        model.data,
        MaxRuntime(ask.seconds),
        seed=ask.seed,
        collect_stats=False,
        display=False,
        initial_solution=start,
    )
    return model.orders(found.best)


class _Model:
    def __init__(self, numbers: Whole, warm: Routes | None) -> None:
        self.numbers, self.case = numbers, numbers.case
        self.promised = Promised(numbers, warm)
        self.held = [r for r, pair in enumerate(self.case.pairs) if pair.holder is not None]
        self.free = [r for r, pair in enumerate(self.case.pairs) if pair.holder is None]
        holders = sorted({pair.holder for pair in self.case.pairs if pair.holder is not None})
        self.bond = {holder: k for k, holder in enumerate(holders, start=1)}  # a load that only he has room for
        self.alike = numbers.alike()
        self.nowhere = len(numbers.drive)  # where routes end that may end anywhere
        drive = np.zeros((self.nowhere + 1, self.nowhere + 1), dtype=np.int64)
        drive[:-1, :-1] = numbers.drive
        self.depots = sorted({v.start for v in self.case.vehicles} | {self._end(v) for v in self.case.vehicles})
        self.data = pyvrp.ProblemData(
            [pyvrp.Location(0, 0) for _ in range(self.nowhere + 1)],
            [self._client(r) for r in self.held],
            [pyvrp.Depot(place) for place in self.depots],
            [self._type(members) for members in self.alike],
            [drive],
            [drive],
            shipments=[self._shipment(r) for r in self.free],
        )

    def _end(self, vehicle: Vehicle) -> int:
        return self.nowhere if vehicle.end is None else vehicle.end

    def _load(self, first: int, holder: int | None, bond: int) -> list[int]:
        load = [first] + [0] * len(self.bond)
        if holder in self.bond:
            load[self.bond[holder]] = bond
        return load

    def _type(self, members: list[int]) -> pyvrp.VehicleType:
        vehicle = self.case.vehicles[members[0]]
        opens, closes = self.numbers.shift(members[0])
        return pyvrp.VehicleType(
            num_available=len(members),
            capacity=self._load(vehicle.capacity, members[0], len(self.held)),
            start_depot=self.depots.index(vehicle.start),
            end_depot=self.depots.index(self._end(vehicle)),
            tw_early=opens,
            tw_late=closes,
            fixed_cost=self.numbers.price(self.case.prices.vehicle),
        )

    def _client(self, r: int) -> pyvrp.Client:
        pair, (opens, closes) = self.case.pairs[r], self.promised.window(2 * r + 1)
        return pyvrp.Client(
            pair.delivery.place,
            delivery=self._load(pair.size, None, 0),
            pickup=self._load(0, pair.holder, 1),
            service_duration=self.numbers.up(pair.delivery.service),
            tw_early=opens,
            tw_late=closes,
        )

    def _shipment(self, r: int) -> pyvrp.Shipment:
        pair = self.case.pairs[r]
        return pyvrp.Shipment(
            pair.pickup.place,
            pair.delivery.place,
            *self.promised.window(2 * r),
            self.numbers.up(pair.pickup.service),
            *self.promised.window(2 * r + 1),
            self.numbers.up(pair.delivery.service),
            amount=self._load(pair.size, None, 0),
        )

    def routes(self, orders: Routes) -> Iterator[pyvrp.Route]:
        """Yield orders of stops as routes of the model."""
        client = {r: k for k, r in enumerate(self.held)}
        shipment = {r: k for k, r in enumerate(self.free)}
        kinds = pyvrp.ActivityType
        for kind, members in enumerate(self.alike):
            for v in members:
                visits = [
                    pyvrp.Activity(kinds.CLIENT, client[stop // 2])
                    if stop // 2 in client
                    else pyvrp.Activity(kinds.DELIVERY if stop % 2 else kinds.PICKUP, shipment[stop // 2])
                    for stop in orders[v]
                ]
                if visits:
                    yield pyvrp.Route(self.data, visits, kind)

    def orders(self, solution: pyvrp.Solution) -> Routes:
        """Return the orders of stops of a solution's lawful routes."""
        orders: Routes = [[] for _ in self.case.vehicles]
        waiting = [list(members) for members in self.alike]
        for route in solution.routes():
            order = []
            for visit in route:
                if visit.is_client():
                    order.append(2 * self.held[visit.idx] + 1)
                elif visit.is_shipment():
                    order.append(2 * self.free[visit.idx] + visit.is_delivery())
            if route.is_feasible():
                orders[waiting[route.vehicle_type()].pop(0)] = order
        return orders
