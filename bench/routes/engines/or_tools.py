"""OR-Tools' routing model, cold with guided local search or warm with GREEDY_DESCENT; promises may be soft here."""

from __future__ import annotations

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from bench.routes.case import Ask, Case, Routes
from bench.routes.whole import Whole

PACKAGE = "ortools"
_UNSERVED = 10**9  # price of a request left out, where leaving out is no choice


def solve(case: Case, ask: Ask) -> Routes:
    """Return a plan, or routes without stops where none was found; `how` is `local` for the quicker first plan."""
    return _Model(Whole(case)).solve(ask)


class _Model:
    def __init__(self, numbers: Whole) -> None:
        self.numbers, self.case = numbers, numbers.case
        case = self.case
        self.stops = [s for s in range(2 * len(case.pairs)) if s % 2 or case.pairs[s // 2].holder is None]
        ends = sorted({v.start for v in case.vehicles} | {v.end for v in case.vehicles if v.end is not None})
        self.first = len(ends)
        self.node = {stop: self.first + k for k, stop in enumerate(self.stops)}
        self.places = ends + [case.stop(stop).place for stop in self.stops]
        self.nowhere = len(self.places)  # where routes end that may end anywhere
        self.open_ended = any(v.end is None for v in case.vehicles)
        self.count = self.nowhere + self.open_ended
        self.manager = pywrapcp.RoutingIndexManager(
            self.count,
            len(case.vehicles),
            [ends.index(v.start) for v in case.vehicles],
            [self.nowhere if v.end is None else ends.index(v.end) for v in case.vehicles],
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self._drive_and_time()
        self._load()
        self._pairs()

    def _index(self, stop: int) -> int:
        return int(self.manager.NodeToIndex(self.node[stop]))

    def _drive_and_time(self) -> None:
        numbers, case, routing = self.numbers, self.case, self.routing
        drive = np.zeros((self.count, self.count), dtype=np.int64)
        drive[: self.nowhere, : self.nowhere] = numbers.drive[np.ix_(self.places, self.places)]
        routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(drive.tolist()))
        routing.SetFixedCostOfAllVehicles(numbers.price(case.prices.vehicle))
        service = (
            [0] * self.first + [numbers.up(case.stop(stop).service) for stop in self.stops] + [0] * self.open_ended
        )
        horizon = max(numbers.down(v.back_by) for v in case.vehicles)
        seconds = routing.RegisterTransitMatrix((drive + np.array(service)[:, None]).tolist())
        routing.AddDimension(seconds, horizon, horizon, False, "time")
        self.time = routing.GetDimensionOrDie("time")
        for v in range(len(case.vehicles)):
            self.time.CumulVar(routing.Start(v)).SetRange(*numbers.shift(v))
            self.time.CumulVar(routing.End(v)).SetRange(*numbers.shift(v))
        late = round(case.prices.late_per_s)
        for stop in self.stops:
            opens, closes = numbers.window(stop)
            self.time.CumulVar(self._index(stop)).SetRange(opens, min(closes, horizon))
            if (due := case.stop(stop).due) is not None:
                self.time.SetCumulVarSoftUpperBound(self._index(stop), max(0, numbers.down(due)), late)

    def _load(self) -> None:
        case, routing = self.case, self.routing
        loads = [0] * self.count
        for stop in self.stops:
            size = case.pairs[stop // 2].size
            loads[self.node[stop]] = -size if stop % 2 else size
        vector = routing.RegisterUnaryTransitVector(loads)
        routing.AddDimensionWithVehicleCapacity(vector, 0, [v.capacity for v in case.vehicles], False, "load")
        load = routing.GetDimensionOrDie("load")
        for v in range(len(case.vehicles)):
            held = sum(pair.size for pair in case.pairs if pair.holder == v)
            load.CumulVar(routing.Start(v)).SetValue(held)

    def _pairs(self) -> None:
        routing, solver = self.routing, self.routing.solver()
        price = self.numbers.price(self.case.prices.unserved) or _UNSERVED
        for r, pair in enumerate(self.case.pairs):
            second = self._index(2 * r + 1)
            if pair.holder is not None:
                routing.VehicleVar(second).SetValues([-1, pair.holder])
                routing.AddDisjunction([second], price)
                continue
            first = self._index(2 * r)
            routing.AddPickupAndDelivery(first, second)
            solver.Add(routing.VehicleVar(first) == routing.VehicleVar(second))
            solver.Add(self.time.CumulVar(first) <= self.time.CumulVar(second))
            routing.AddDisjunction([first], price // 2)
            routing.AddDisjunction([second], price - price // 2)

    def solve(self, ask: Ask) -> Routes:
        """Run the model once, cold or from the plan in force."""
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.time_limit.FromMilliseconds(max(1, round(ask.seconds * 1000)))
        first, search = routing_enums_pb2.FirstSolutionStrategy, routing_enums_pb2.LocalSearchMetaheuristic
        self.routing.solver().ReSeed(ask.seed)
        if ask.warm is None:
            cheapest = first.LOCAL_CHEAPEST_INSERTION if ask.how == "local" else first.PARALLEL_CHEAPEST_INSERTION
            parameters.first_solution_strategy = cheapest
            parameters.local_search_metaheuristic = search.GUIDED_LOCAL_SEARCH
            return self._orders(self.routing.SolveWithParameters(parameters))
        parameters.local_search_metaheuristic = search.GREEDY_DESCENT
        self.routing.CloseModelWithParameters(parameters)
        orders = [[self._index(stop) for stop in route] for route in ask.warm]
        start = self.routing.ReadAssignmentFromRoutes(orders, True)
        if start is None:
            return ask.warm
        return self._orders(self.routing.SolveFromAssignmentWithParameters(start, parameters))

    def _orders(self, found: pywrapcp.Assignment | None) -> Routes:
        orders: Routes = [[] for _ in self.case.vehicles]
        for v in range(len(orders) if found is not None else 0):
            index = found.Value(self.routing.NextVar(self.routing.Start(v)))
            while not self.routing.IsEnd(index):
                orders[v].append(self.stops[self.manager.IndexToNode(index) - self.first])
                index = found.Value(self.routing.NextVar(index))
        return orders
