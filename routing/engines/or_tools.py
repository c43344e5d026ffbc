"""OR-Tools' routing model behind the common interface: always warm, GREEDY_DESCENT first, then guided local search.

What is committed is folded into each courier's start (place, time, load and metres after his locked stops), so the
model holds free stops only. Its own clock is not trusted: the caller re-times the orders it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing.cost import WarmPlaces
from routing.draft import Draft
from routing.engines import Limits
from routing.errors import RoutingError
from routing.insertion import Trip, best_spot
from routing.model import Number
from routing.timing import Fault, advance, first_moment, time_route
from routing.view import NEVER, Sequences, View

_MOST_NODES = 1600  # the model keeps nodes² integers several times over
_MOST_HELD_CELLS = 5_000_000  # prices of moved stops need a matrix per vehicle
_MOST_PRICE = 10**9  # times the longest leg it stays inside int64
_MOST_PENALTY = 10**14
_FRACTION = 1000  # prices with decimals are counted in thousandths
_LOOKS_PER_ITERATION = 1000  # one iteration is that many neighbours looked at
_A_DAY_S = 86400
_SHORTEST_GUIDED_S = 0.05


@dataclass(frozen=True, slots=True)
class _Vehicle:
    """A courier as the model sees him: where and when his locked stops leave him."""

    courier: int
    order: list[int]  # free stops of the warm start
    locked: list[int]
    place: int
    at: int
    load: int
    metres: int
    breaks: list[tuple[int, int, int]]


def improve(view: View, start: Sequences, warm: WarmPlaces, limits: Limits, guided: bool = True) -> Sequences:
    """Return better orders than `start`, or `start` itself where the model finds none or cannot hold it.

    Without `guided` the search ends where no single step betters the orders, most often before its time is up.
    Raises RoutingError when the problem is too large for the model, or the model calls the start undriveable.
    """
    model = _Model(view, Draft(view, start, warm), warm, limits)
    return model.solve(guided) if model.stops and model.vehicles else start


def _vehicles(view: View, draft: Draft) -> list[_Vehicle]:
    vehicles = []
    for trip in draft.trips:
        courier, locked = trip.courier, trip.order[: trip.fixed]
        moments, place, metres = [first_moment(view, courier)], view.start[courier], 0
        for k, stop in enumerate(locked):
            moments = advance(view, courier, moments, place, stop, k)
            metres += view.legs.metres[place][view.place[stop]]
            place = view.place[stop]
        moment = min(moments, key=lambda m: (m.at, -m.taken.bit_count()))
        breaks = [one for k, one in enumerate(view.breaks[courier]) if not moment.taken >> k & 1]
        dead = moment.at > view.shift_end[courier] or any(moment.at > closes for _, closes, _ in breaks)
        load = view.load0[courier] + sum(view.load[stop] for stop in locked)
        if not dead:
            free = trip.order[trip.fixed :]
            vehicles.append(_Vehicle(courier, free, locked, place, moment.at, load, metres, breaks))
    return vehicles


class _Model:
    def __init__(self, view: View, draft: Draft, warm: WarmPlaces, limits: Limits) -> None:
        self.view, self.draft, self.warm, self.limits = view, draft, warm, limits
        self.vehicles = _vehicles(view, draft)
        self.vehicle_of = {vehicle.courier: v for v, vehicle in enumerate(self.vehicles)}
        self.takers = self._takers()
        self.stops = [stop for request in self.takers for stop in view.stops_of(request)]
        if len(self.stops) + 2 * len(self.vehicles) > _MOST_NODES:
            raise RoutingError("too_large", f"{len(self.stops)} stops are too many for the OR-Tools model", "requests")
        weights = [getattr(view.weights, name) for name in view.weights.__slots__]
        self.scale = 1 if all(float(weight).is_integer() for weight in weights) else _FRACTION
        self.raised: BaseException | None = None
        self.zero = min((vehicle.at for vehicle in self.vehicles), default=0)
        self.horizon = max((view.shift_end[v.courier] for v in self.vehicles), default=0) - self.zero

    def _takers(self) -> dict[int, list[int]]:
        """Return request → vehicles that can serve it when nothing else is asked of them."""
        view = self.view
        served = {stop // 2 for trip in self.draft.trips for stop in trip.order}
        able_alone = [self._alone(vehicle) for vehicle in self.vehicles]
        takers: dict[int, list[int]] = {}
        for request in range(len(view.problem.requests)):
            bound = view.bound[request]
            if bound is not None:
                if view.stops_of(request) and request in served:
                    takers[request] = [self.vehicle_of[bound]]
                continue
            able = [self.vehicle_of[c] for c in view.allowed[request] if c in self.vehicle_of]
            able = [v for v in able if able_alone[v](request)]
            if able:
                takers[request] = able
        return takers

    def _alone(self, vehicle: _Vehicle) -> Callable[[int], bool]:
        """Return a test whether a courier can do a request when nothing but his locked stops is asked of him."""
        present = {stop // 2 for stop in vehicle.order}
        if isinstance(time_route(self.view, vehicle.courier, vehicle.locked), Fault):
            return lambda request: True  # his locked stops need others after them: leave it to the model
        bare = Trip(self.view, vehicle.courier, vehicle.locked, {})
        return lambda request: request in present or best_spot(bare, request) is not None

    def solve(self, guided: bool) -> Sequences:
        """Build, warm and run the model; return the best orders it has seen."""
        self._nodes()
        self._matrices()
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.solver = self.routing.solver()
        self.solver.ReSeed(self.limits.seed)
        self._costs()
        self._time()
        self._load()
        self._metres()
        self._requests()
        return self._search(guided)

    def _nodes(self) -> None:
        """Nodes: one start per vehicle, then the stops, then ends; routes that end anywhere share the last node."""
        view, count = self.view, len(self.vehicles)
        self.first_stop = count
        self.node_of = {stop: count + k for k, stop in enumerate(self.stops)}
        places = [v.place for v in self.vehicles] + [view.place[stop] for stop in self.stops]
        ends: list[int] = []
        nowhere = len(places) + sum(view.end[v.courier] is not None for v in self.vehicles)
        for vehicle in self.vehicles:
            end = view.end[vehicle.courier]
            ends.append(nowhere if end is None else len(places))
            if end is not None:
                places.append(end)
        self.open_ended = nowhere in ends
        self.places = [*places, -1] if self.open_ended else places
        self.ends = ends
        self.service = [0] * count + [view.service[stop] for stop in self.stops]
        self.service += [0] * (len(self.places) - len(self.service))
        self.manager = pywrapcp.RoutingIndexManager(len(self.places), count, list(range(count)), ends)

    def _matrices(self) -> None:
        """Seconds from service start to service start, metres and prices between nodes; no way is too long to take."""
        legs, weights = self.view.legs, self.view.weights
        at = np.array(self.places)
        grid = np.ix_(at, at)  # the nowhere node reads the last place's row and is cleared below
        seconds = legs.seconds_matrix[grid].astype(np.int64)
        metres = legs.metres_matrix[grid].astype(np.int64)
        closed = seconds < 0
        seconds[closed] = metres[closed] = 0
        for table in (seconds, metres, closed) if self.open_ended else ():
            table[:, -1] = table[-1, :] = 0
        for v, vehicle in enumerate(self.vehicles):
            if not vehicle.locked:  # who has nothing to do drives nowhere, not even home
                seconds[v, self.ends[v]] = metres[v, self.ends[v]] = 0
                closed[v, self.ends[v]] = False
        prices = self._priced(weights.travel_per_s) * seconds + self._priced(weights.distance_per_m) * metres
        seconds[closed] = self.horizon + 1
        self.metres, self.prices = metres, prices
        self.seconds = seconds + np.array(self.service)[:, None]

    def _priced(self, weight: Number) -> int:
        return min(round(weight * self.scale), _MOST_PRICE)

    def _costs(self) -> None:
        fixed = self._priced(self.view.weights.courier)
        common = self.routing.RegisterTransitMatrix(self.prices.tolist())
        for v, vehicle in enumerate(self.vehicles):
            own = self._held(v)
            matrix = common if own is None else self.routing.RegisterTransitMatrix(own)
            self.routing.SetArcCostEvaluatorOfVehicle(matrix, v)
            self.routing.SetFixedCostOfVehicle(0 if vehicle.locked else fixed, v)

    def _held(self, v: int) -> list[list[int]] | None:
        """Return the vehicle's own prices where moving a stop away from the plan in force costs, else None."""
        price = self._priced(self.view.weights.moved_stop)
        known = [stop for stop in self.stops if stop in self.warm]
        if not price or not known or len(self.places) ** 2 * len(self.vehicles) > _MOST_HELD_CELLS:
            return None
        own, vehicle = self.prices.copy(), self.vehicles[v]
        for stop in known:
            node = self.node_of[stop]
            own[:, node] += price
            courier, previous = self.warm[stop]
            before = vehicle.locked[-1] if vehicle.locked else None
            if courier == vehicle.courier and previous == before:
                own[v, node] -= price
            elif courier == vehicle.courier and previous in self.node_of:
                own[self.node_of[previous], node] -= price
        held: list[list[int]] = own.tolist()
        return held

    def _time(self) -> None:
        matrix = self.routing.RegisterTransitMatrix(self.seconds.tolist())
        self.routing.AddDimension(matrix, self.horizon, self.horizon, False, "time")
        self.time = self.routing.GetDimensionOrDie("time")
        per_second = self._priced(self.view.weights.duration_per_s)
        visits = [self.service[self.manager.IndexToNode(i)] for i in range(self.routing.Size())]
        for v, vehicle in enumerate(self.vehicles):
            opens, closes = vehicle.at - self.zero, self.view.shift_end[vehicle.courier] - self.zero
            self.time.CumulVar(self.routing.Start(v)).SetRange(opens, opens if vehicle.locked else closes)
            self.time.CumulVar(self.routing.End(v)).SetRange(opens, closes)
            self.time.SetSpanCostCoefficientForVehicle(per_second, v)
            rests = [
                self.solver.FixedDurationIntervalVar(
                    max(opens, b_opens - self.zero), b_closes - self.zero, lasts, False, f"break {v} {k}"
                )
                for k, (b_opens, b_closes, lasts) in enumerate(vehicle.breaks)
            ]
            if rests:
                self.time.SetBreakIntervalsOfVehicle(rests, v, visits)
        for stop in self.stops:
            self._window(stop)

    def _window(self, stop: int) -> None:
        view, index = self.view, self._index(stop)
        cumul = self.time.CumulVar(index)
        windows = [(max(0, a - self.zero), min(self.horizon, b - self.zero)) for a, b in view.windows[stop]]
        windows = [(opens, closes) for opens, closes in windows if opens <= closes]
        cumul.SetRange(windows[0][0], windows[-1][1])
        for (_, closes), (opens, _) in pairwise(windows):
            cumul.RemoveInterval(closes + 1, opens - 1)
        late = self._priced(view.weights.late_per_s) if view.due[stop] < NEVER else 0
        delay = self._priced(view.delay_weight[stop])
        if late:  # one soft bound a stop: a delivery with a promise is priced for its delay from the promise on
            self.time.SetCumulVarSoftUpperBound(index, max(0, view.due[stop] - self.zero), late + delay)
        elif delay:
            self.time.SetCumulVarSoftUpperBound(index, max(0, view.release[stop] - self.zero), delay)

    def _load(self) -> None:
        loads = [0] * len(self.places)
        for stop in self.stops:
            loads[self.node_of[stop]] = self.view.load[stop]
        vector = self.routing.RegisterUnaryTransitVector(loads)
        # A bag that is fuller than allowed can only be emptied; `_takers` gives such a courier nothing new.
        capacity = [max(self.view.capacity[v.courier], v.load) for v in self.vehicles]
        self.routing.AddDimensionWithVehicleCapacity(vector, 0, capacity, False, "load")
        load = self.routing.GetDimensionOrDie("load")
        for v, vehicle in enumerate(self.vehicles):
            load.CumulVar(self.routing.Start(v)).SetValue(vehicle.load)

    def _metres(self) -> None:
        limits = [self.view.max_m[v.courier] - v.metres for v in self.vehicles]
        if all(limit > NEVER // 2 for limit in limits):
            return
        matrix = self.routing.RegisterTransitMatrix(self.metres.tolist())
        self.routing.AddDimensionWithVehicleCapacity(matrix, 0, [max(0, limit) for limit in limits], True, "metres")

    def _requests(self) -> None:
        for request, able in self.takers.items():
            indices = [self._index(stop) for stop in self.view.stops_of(request)]
            bound = self.view.bound[request] is not None
            for index in indices:  # SetAllowedVehiclesForIndex of OR-Tools 9.15 takes no Python sequence
                self.routing.VehicleVar(index).SetValues(able if bound else [-1, *able])
            if bound:
                continue
            first, second = indices
            self.routing.AddPickupAndDelivery(first, second)
            self.solver.Add(self.routing.VehicleVar(first) == self.routing.VehicleVar(second))
            self.solver.Add(self.time.CumulVar(first) <= self.time.CumulVar(second))
            penalty = min(round(self.view.price(request) * self.scale), _MOST_PENALTY)
            self.routing.AddDisjunction([first], penalty // 2)
            self.routing.AddDisjunction([second], penalty - penalty // 2)

    def _index(self, stop: int) -> int:
        index: int = self.manager.NodeToIndex(self.node_of[stop])
        return index

    def _search(self, guided: bool) -> Sequences:
        strategies = routing_enums_pb2.LocalSearchMetaheuristic
        parameters = self._parameters(strategies.GREEDY_DESCENT)
        self._watch()
        self.routing.CloseModelWithParameters(parameters)
        orders = [[self._index(stop) for stop in vehicle.order] for vehicle in self.vehicles]
        solution = self.routing.ReadAssignmentFromRoutes(orders, True)
        if solution is None:
            raise RoutingError("warm_refused", "OR-Tools refuses the warm start", "engine")
        self.best = self.draft.sequences()
        solution = self._solve(solution, parameters)
        remaining = self.limits.remaining_s()
        worth = self.limits.iterations is not None or (remaining is not None and remaining >= _SHORTEST_GUIDED_S)
        if solution is None:
            return self.best
        self.best = self._orders(solution)
        if guided and worth and not self.limits.should_stop():
            parameters = self._parameters(strategies.GUIDED_LOCAL_SEARCH)
            better = self._solve(solution, parameters)
            if better is not None:
                self.best = self._orders(better)
        return self.best

    def _solve(self, start: Any, parameters: Any) -> Any:
        solution = self.routing.SolveFromAssignmentWithParameters(start, parameters)
        if self.raised:
            raise self.raised
        return solution

    def _parameters(self, strategy: int) -> Any:
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.local_search_metaheuristic = strategy
        # The linear programs that would time each neighbour cost more than they find: the caller times the result.
        parameters.disable_scheduling_beware_this_may_degrade_performance = True
        remaining = self.limits.remaining_s()
        if remaining is None:
            parameters.time_limit.FromSeconds(_A_DAY_S)  # never reached: the looks are counted
        else:
            parameters.time_limit.FromMilliseconds(max(1, int(remaining * 1000)))
        return parameters

    def _watch(self) -> None:
        """Count the model's own looks at its limits: the clock alone is left to OR-Tools, which asks it faster."""
        if self.limits.iterations is not None or self.limits.interruptible:
            self.routing.AddSearchMonitor(self.solver.CustomLimit(partial(next, self._looks(), True)))

    def _looks(self) -> Iterator[bool]:
        """Yield at each look whether the limits are reached. OR-Tools swallows what is raised in it, Ctrl-C too.

        A generator is inside its `try` where Python looks for signals; the first line of a function would not be.
        """
        iterations, looks = self.limits.iterations, 0
        try:
            while iterations is None or looks < iterations * _LOOKS_PER_ITERATION:
                looks += 1
                yield looks % _LOOKS_PER_ITERATION == 0 and self.limits.should_stop()
        except BaseException as raised:  # noqa: BLE001 - raised again in `_solve`
            self.raised = raised

    def _orders(self, solution: Any) -> Sequences:
        orders = [list(trip.order) for trip in self.draft.trips]
        for v, vehicle in enumerate(self.vehicles):
            free: list[int] = []
            index = solution.Value(self.routing.NextVar(self.routing.Start(v)))
            while not self.routing.IsEnd(index):
                free.append(self.stops[self.manager.IndexToNode(index) - self.first_stop])
                index = solution.Value(self.routing.NextVar(index))
            orders[vehicle.courier] = vehicle.locked + free
        return orders
