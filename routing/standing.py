"""A plan in force, kept in memory: a request that comes in the middle of the day is put in within milliseconds.

The compiled kernel finds the courier with whom it adds least; his day is then timed by the evaluator and judged by
`check` as a problem of its own. Where they disagree, an error is logged and the request is put in by slow insertion.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from routing.check import check
from routing.cost import Evaluation, evaluate, routes, warm_places
from routing.draft import Draft, spread
from routing.engines import Limits
from routing.engines.greedy import improve as insert_all
from routing.errors import RoutingError
from routing.explain import explain
from routing.kernel import build
from routing.kernel.layout import Ints
from routing.model import Cost, MatrixTravel, Number, Place, Plan, Problem, Request, Route, Stop, Unserved
from routing.new_places import NewPlace, legs_of
from routing.solve import warm as load
from routing.validate import validate, validate_request
from routing.view import View

_ROUNDING = 1e-6

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Inserted:
    """Who takes a request, his whole route with it, and by how much the total grows."""

    courier: str
    route: Route
    growth: Number


class Standing:
    """A problem and the plan in force, to which requests come and from which they go; used by one thread.

    `problem` is the problem as it stands, with every request and place that came. It is a moment: when time has passed
    or a courier has moved on, another Standing is made of the new problem and the plan, which also tries again what is
    left out. The room for new places is used up after a while; then one insertion copies the travel matrices, less
    than a millisecond's work for each place that gets room.
    """

    def __init__(self, problem: Problem, plan: Plan, *, seconds: float = 5.0) -> None:
        """Take the plan over; what cannot be driven any more is mended, what it leaves out is put in.

        `seconds` bounds the putting in. Raises RoutingError when the problem contradicts itself.
        """
        load("search")
        validate(problem)
        self.problem = problem
        self._take_over(plan, seconds)

    def _take_over(self, plan: Plan, seconds: float = 5.0) -> None:
        """Build everything for `problem` with this plan in force."""
        view, weights, until = View(self.problem), self.problem.weights, time.monotonic() + seconds
        limits = Limits(lambda: time.monotonic() >= until, False, lambda: None, 1, None, lambda total: None)
        self._orders = insert_all(view, view.sequences_of(plan), warm_places(view, plan), limits)
        self._judged(view)
        self._legs = view.legs  # of which only the numbers of the places are used later
        self._number = view.request_of
        self._idle = tuple(replace(courier, on_board=(), locked=()) for courier in self.problem.couriers)
        case = build.case_of(view, {}, self._orders)
        if isinstance(self.problem.travel, MatrixTravel):
            case = build.with_every_leg(case, view.legs)
        self._case = build.with_room(case)._replace(
            moved=float(weights.moved_stop), soft=int(bool(weights.late_per_s or weights.delivery_delay_per_s))
        )
        for courier, order in enumerate(self._orders):
            self._keep(courier, order)

    def insert(self, request: Request, *new: NewPlace) -> Inserted | None:
        """Put a request in where it adds least, at most its price; all other routes stay. None: nobody takes it.

        `new` are the places it brings. A request nobody takes belongs to the problem all the same; `plan` says why.
        It takes a few milliseconds, and as long as greedy insertion with a price on unequal routes (`weights.balance`)
        or where no leg leads from its pickup to its delivery.
        Raises RoutingError, and changes nothing, when the request or a place contradicts itself or what is known.
        """
        legs = self._read(request, new)
        for one, (there, back) in zip(new, legs, strict=True):
            self._add_place(one.place, there, back)
        self._add_request(request)
        collected, delivered = self._case.stops["place"][-2:]
        if self.problem.weights.balance or self._case.legs[collected, delivered, 0] < 0:
            return self._insert_slowly()
        from routing.kernel.walk import best_place  # the compiler is loaded for who needs it

        number = len(self.problem.requests) - 1
        found = best_place(self._case, self._orders, number)
        if found is None:
            return None
        courier, order, growth = found
        route, real = self._changed(courier, order, number) or (None, None)
        # Of the breaks and the departure the evaluator may find a cheaper way.
        if route and real is not None and real <= growth + _ROUNDING * max(1.0, abs(growth)):
            self._keep(courier, order)
            return Inserted(route.courier, route, real)
        log.error("the kernel's place for %r is wrong: it adds %s, in truth %s", request.id, growth, real)
        return self._insert_slowly()

    def remove(self, request_id: str) -> Route | None:
        """Take a request out of the problem; return the new route of who had it, None when nobody had or has stops.

        Raises RoutingError when it is unknown, on board or locked.
        """
        number = self._number.get(request_id)
        if number is None:
            raise RoutingError("unknown_request", f"{request_id!r} is not the id of a request")
        if self._case.requests[number]["bound"] >= 0:
            raise RoutingError("conflict", f"{request_id!r} is on board or locked")
        holder = next((c for c, order in enumerate(self._orders) if 2 * number in order), None)
        changed: tuple[Route | None, Number] | None = None
        if holder is not None:
            order = [stop for stop in self._orders[holder] if stop // 2 != number]
            changed = self._changed(holder, order, number)
            self._keep(holder, order)
        requests = self.problem.requests
        self.problem = replace(self.problem, requests=(*requests[:number], *requests[number + 1 :]))
        self._number = {request.id: r for r, request in enumerate(self.problem.requests)}
        self._case = build.without_request(self._case, number)
        self._orders = [[stop - 2 * (stop > 2 * number) for stop in order] for order in self._orders]
        if holder is None or changed:
            return changed[0] if changed else None
        # Without that stop the courier cannot go on as he was: a leg is missing, or takes longer than the way round.
        self._take_over(self._in_force())
        name = self.problem.couriers[holder].id
        return next((route for route in self._judged(View(self.problem)).routes if route.courier == name), None)

    def plan(self, seconds: float = 5.0) -> Plan:
        """Return the plan as it stands, checked, with reasons for what is left out, sought for so many seconds.

        Raises RoutingError when it does not pass.
        """
        until, view = time.monotonic() + seconds, View(self.problem)
        plan, warm = self._judged(view), warm_places(view, self._in_force())
        left_out = [self._number[entry.request] for entry in plan.unserved]
        reasons = explain(view, self._orders, left_out, warm, lambda: time.monotonic() >= until)
        return replace(plan, unserved=reasons, seconds=seconds)

    def _judged(self, view: View) -> Plan:
        """Return the whole plan, timed and checked anew."""
        found = evaluate(view, self._orders)
        if isinstance(found, Evaluation):
            plan = _plan_of(view, found)
            if check(self.problem, plan, legs=view.legs).ok:
                return plan
        raise RoutingError("no_plan", "the plan in force does not pass the check", self.problem.name)

    def _keep(self, courier: int, order: list[int]) -> None:
        self._orders[courier] = order
        if order:
            build.put_in_force(self._case, courier, order)

    def _read(self, request: Request, new: Sequence[NewPlace]) -> list[tuple[Ints, Ints]]:
        """Return the legs of the new places; refuse what is wrong before anything is changed."""
        legs = legs_of(self.problem, new)
        if not request.id or request.id in self._number:
            raise RoutingError("duplicate_id", f"{request.id!r} is empty or known already", "request.id")
        places = self._legs.place_of.keys() | {one.place.id for one in new}
        validate_request(request, "request", places, {courier.id for courier in self._idle})
        return legs

    def _add_place(self, place: Place, there: Ints, back: Ints) -> None:
        at = len(self.problem.places)
        if at == len(self._case.legs):
            self._case = build.with_room(self._case)
        build.put_place(self._case, at, there, back)
        self._legs.place_of[place.id] = at
        travel, known = self.problem.travel, slice(at + 1)
        if isinstance(travel, MatrixTravel):
            travel = MatrixTravel(self._case.legs[known, known, 0], self._case.legs[known, known, 1])
        self.problem = replace(self.problem, places=(*self.problem.places, place), travel=travel)

    def _add_request(self, request: Request) -> None:
        alone = replace(self.problem, couriers=self._idle, requests=(request,))
        self._case = build.with_request(self._case, View(alone, self._legs))
        self._number[request.id] = len(self.problem.requests)
        self.problem = replace(self.problem, requests=(*self.problem.requests, request))

    def _insert_slowly(self) -> Inserted | None:
        """Put the last request in as the greedy engine does."""
        view, number = View(self.problem), len(self.problem.requests) - 1
        draft = Draft(view, self._orders, warm_places(view, self._in_force()), as_they_are=True)
        spot, before = draft.spot(number), spread(draft.trips)
        if spot is None or spot.price > view.price(number):
            return None
        draft.insert(number, spot)
        order = draft.sequences()[spot.courier]
        route, real = self._changed(spot.courier, order, number) or (None, None)
        if route is None or real is None:
            raise RoutingError("no_plan", "no place was found that passes the check", self.problem.name)
        self._keep(spot.courier, order)
        return Inserted(route.courier, route, real + view.weights.balance * (spread(draft.trips) - before))

    def _changed(self, courier: int, order: list[int], number: int) -> tuple[Route | None, Number] | None:
        """Time and judge a courier's new order, in which request `number` has come or gone.

        Returns his route and by how much it is dearer than the old one, or None when it does not pass.
        """
        view, stop_of = self._day(courier, {stop // 2 for stop in [*order, *self._orders[courier]]})
        before = evaluate(view, [[stop_of[stop] for stop in self._orders[courier]]])
        assert isinstance(before, Evaluation)
        old = _plan_of(view, before)
        after = evaluate(view, [[stop_of[stop] for stop in order]], warm_places(view, old))
        if not isinstance(after, Evaluation):
            return None
        new = _plan_of(view, after)
        if not check(view.problem, new, old, view.legs).ok:
            return None
        left_out = view.price(stop_of[2 * number] // 2)  # counted by whichever of the two does not have it
        dearer = after.cost.total - before.cost.total + (left_out if 2 * number in order else -left_out)
        return (new.routes[0] if new.routes else None), dearer

    def _day(self, courier: int, requests: set[int]) -> tuple[View, dict[int, int]]:
        """Return one courier's day with these requests as a problem of its own, and its numbers of their stops."""
        rider, whole = self.problem.couriers[courier], self.problem
        bound = {self._number[name] for name in (*rider.on_board, *(lock.request for lock in rider.locked))}
        numbers = sorted(requests | bound)
        mine = tuple(whole.requests[number] for number in numbers)
        ends = [end.place for request in mine for end in (request.pickup, request.delivery)]
        names = dict.fromkeys(name for name in (rider.start, rider.end, *ends) if name is not None)
        at = [self._legs.place_of[name] for name in names]
        travel = whole.travel
        if isinstance(travel, MatrixTravel):
            legs = self._case.legs[np.ix_(at, at)]
            travel = MatrixTravel(legs[:, :, 0], legs[:, :, 1])
        places = tuple(whole.places[place] for place in at)
        view = View(replace(whole, places=places, travel=travel, couriers=(rider,), requests=mine))
        return view, {2 * number + end: 2 * k + end for k, number in enumerate(numbers) for end in (0, 1)}

    def _in_force(self) -> Plan:
        """Return the orders as a plan, of which only they are read."""
        requests = self.problem.requests
        made = []
        for courier, order in zip(self._idle, self._orders, strict=True):
            rows = [Stop(requests[s // 2].id, "delivery" if s % 2 else "pickup", "", 0, 0, 0) for s in order]
            made.append(Route(courier.id, tuple(rows), 0, 0))
        return Plan(self.problem.name, "greedy", 1, 0, tuple(made), (), Cost())


def _plan_of(view: View, found: Evaluation) -> Plan:
    left_out = tuple(Unserved(view.problem.requests[r].id, "") for r in found.unserved)
    return Plan(view.problem.name, "greedy", 1, 0, routes(view, found), left_out, found.cost)
