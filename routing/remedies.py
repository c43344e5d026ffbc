"""Tries one request in one plan under changes: alone with a courier, in the plan as it stands, with a new courier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace

import numpy as np

from routing.cost import WarmPlaces
from routing.draft import Draft, spread
from routing.insertion import Trip, best_spot, put
from routing.model import Change, Courier, End, Request
from routing.timing import Fault, Timing, time_route
from routing.validate import MAX_TIME_S
from routing.view import Sequences, View, delivery

LONGEST_WAIT_MINUTES = 120  # above it one more courier is the smaller change


def later_hours(request: Request, by_s: int) -> Request:
    """Return the request with every window of both ends closing `by_s` later."""

    def later(end: End) -> End:
        return replace(end, windows=tuple((opens, min(closes + by_s, MAX_TIME_S)) for opens, closes in end.windows))

    return replace(request, pickup=later(request.pickup), delivery=later(request.delivery))


def later_due(request: Request, by_s: int) -> Request:
    """Return the request with both promises `by_s` later."""

    def later(end: End) -> End:
        return end if end.due is None else replace(end, due=end.due + by_s)

    return replace(request, pickup=later(request.pickup), delivery=later(request.delivery))


_LONGEST, _LONGEST_TIMED = 400, 200  # stops of a route in which a place is looked for, plain or timed whole


class Trials:
    """One plan in which requests are tried; nothing that is tried stays in it."""

    def __init__(self, view: View, sequences: Sequences, warm: WarmPlaces) -> None:
        self.view, self.sequences, self.warm = view, sequences, warm
        self.draft = Draft(view, sequences, warm)
        self._committed: dict[int, list[int]] = {}
        where = [self._after_committed(courier) for courier in range(len(view.problem.couriers))]
        self._place = np.array([place for place, _ in where], dtype=np.int64)
        self._ready = np.array([ready for _, ready in where], dtype=np.float64)

    def nearest(self, request: int) -> Iterator[int]:
        """Yield the couriers who may take a request, who would be there first before the others."""
        allowed = np.array(self.view.allowed[request], dtype=np.int64)
        first = self.view.place[(self.view.stops_of(request) or [delivery(request)])[0]]
        drive = self.view.legs.seconds_matrix[self._place[allowed], first]
        there = np.where(drive < 0, np.inf, self._ready[allowed] + drive)
        yield from allowed[np.argsort(there, kind="stable")].tolist()

    def endless(self, request: int) -> bool:
        """Say whether looking for a place would take too long: up to n²/2 of them, each driven up to n stops on."""
        lasting = bool(self.view.weights.duration_per_s)
        return any(
            len(self.draft.trips[c].order) > (_LONGEST_TIMED if lasting or self.view.breaks[c] else _LONGEST)
            for c in self.view.allowed[request]
        )

    def alone(self, view: View, courier: int, request: int) -> Timing | Fault:
        """Drive one request alone, after as many of the courier's locked stops as can be driven.

        `view` is this plan's or a changed one; what is on board beside takes no room.
        """
        committed = self.committed(courier)
        if any(stop // 2 == request for stop in committed):
            committed = view.locked[courier]
        bare = copy(view)
        bare.load0 = view.load0.copy()
        bare.load0[courier] = sum(
            view.problem.requests[r].size
            for r in view.on_board[courier]
            if r == request or any(stop // 2 == r for stop in committed)
        )
        return time_route(bare, courier, [*committed, *view.stops_of(request)])

    def committed(self, courier: int) -> list[int]:
        """Return the courier's locked stops, without those that cannot be driven."""
        if courier not in self._committed:
            locked = list(self.view.locked[courier])
            while isinstance(fault := time_route(self.view, courier, locked), Fault):
                lost = locked[min(fault.position, len(locked) - 1)] // 2
                locked = [stop for stop in locked if stop // 2 != lost]
            self._committed[courier] = locked
        return self._committed[courier]

    def _after_committed(self, courier: int) -> tuple[int, int]:
        locked = self.committed(courier)
        if not locked:
            return self.view.start[courier], self.view.earliest[courier]
        timing = time_route(self.view, courier, locked)
        assert isinstance(timing, Timing)
        return self.view.place[locked[-1]], timing.depart[-1]

    def changed(self, request: int, change: Change) -> View:
        """Return the view of this plan under a change."""
        view, wanted = self.view, self.view.problem.requests[request]
        if change.kind == "extend_window":
            return view.with_request(request, later_hours(wanted, change.by_s or 0))
        if change.kind == "extend_due":
            return view.with_request(request, later_due(wanted, change.by_s or 0))
        if change.kind == "drop_skill":
            return view.with_request(request, replace(wanted, skills=wanted.skills - set(change.skills)))
        if change.kind == "drop_only_courier":
            return view.with_request(request, replace(wanted, only_courier=None))
        index = view.courier_of[change.courier or ""]
        rider = view.problem.couriers[index]
        if change.kind == "extend_shift":
            rider = replace(rider, shift=(rider.shift[0], rider.shift[1] + (change.by_s or 0)))
        elif change.kind == "raise_max_distance":
            rider = replace(rider, max_distance_m=(rider.max_distance_m or 0) + (change.by_m or 0))
        elif change.kind == "raise_capacity":
            rider = replace(rider, capacity=change.to or rider.capacity)
        elif change.kind == "drop_break":
            rider = replace(rider, breaks=())
        else:
            raise ValueError(f"no such change: {change.kind}")
        return view.with_courier(index, rider)

    def fits(self, request: int, change: Change) -> bool:
        """Say whether under a change the request finds a place in the plan that is worth its price."""
        view = self.changed(request, change)
        if self.view.bound[request] is not None:
            return request not in Draft(view, self.sequences, self.warm).unserved()
        draft = self._seen_by(view)
        if change.courier is not None and change.kind != "drop_only_courier":
            index = view.courier_of[change.courier]
            draft.trips[index] = Trip(view, index, draft.trips[index].order, self.warm)
        spot = draft.spot(request)
        return spot is not None and spot.price <= view.price(request)

    def smallest(self, request: int, change: Change, should_stop: Callable[[], bool]) -> Change:
        """Return the least of a change that fits: in the plan another order of stops may need less than alone."""
        most, made = _amount(change, self.view)
        low, high = 0, most
        while high - low > 1 and not should_stop():
            middle = (low + high) // 2
            low, high = (low, middle) if self.fits(request, made(middle)) else (middle, high)
        return made(high) if high < most else change

    def fewest_minutes(self, request: int, change: Change, should_stop: Callable[[], bool]) -> Change | None:
        """Return the change with the fewest whole minutes, from what it has on, under which the request fits."""
        minute = 60 * self.view.problem.ticks
        low, high = (change.by_s or 0) // minute, LONGEST_WAIT_MINUTES
        if low >= high or not self.fits(request, replace(change, by_s=minute * high)):
            return None
        while high - low > 1 and not should_stop():
            middle = (low + high) // 2
            low, high = (low, middle) if self.fits(request, replace(change, by_s=minute * middle)) else (middle, high)
        return replace(change, by_s=minute * high)

    def without_only_courier(self, request: int) -> Change | None:
        """Return `drop_only_courier` with the courier who would take the request, or None."""
        view = self.changed(request, Change("drop_only_courier"))
        spot = self._seen_by(view).spot(request)
        if spot is None or spot.price > view.price(request):
            return None
        return Change("drop_only_courier", courier=view.problem.couriers[spot.courier].id)

    def finds_room(self, view: View, request: int, most_late_s: int) -> bool:
        """Say whether a request that is in no trip finds a place with at most so many late seconds in all trips."""
        draft = self._seen_by(view)
        spot = draft.spot(request)
        if spot is None:
            return False
        draft.insert(request, spot)
        return sum(trip.timing.late_s for trip in draft.trips) <= most_late_s

    def new_courier_serves(self, request: int, like: Courier | None, in_time_at: int | None = None) -> bool:
        """Say whether one more courier is worth what he costs: like a present one, or waiting at the pickup.

        With `in_time_at` it is asked whether he starts that stop by its due time instead.
        """
        view, wanted = self.view, self.view.problem.requests[request]
        if view.bound[request] is not None:
            return False
        now = view.problem.now
        new = replace(like, on_board=(), locked=()) if like else None
        if new is None:
            new = Courier("+", wanted.pickup.place, (now, MAX_TIME_S), wanted.size, skills=wanted.skills)
        only = replace(view.problem, couriers=(new,), requests=(replace(wanted, only_courier=None),))
        fresh = View(only, view.legs)
        if in_time_at is not None:
            timing = time_route(fresh, 0, [0, 1])
            return isinstance(timing, Timing) and timing.start[in_time_at % 2] <= view.due[in_time_at]
        empty = Trip(fresh, 0, [], {})
        spot = best_spot(empty, 0)
        if spot is None:
            return False
        price = spot.price
        if view.weights.balance:
            trips = self.draft.trips
            price += view.weights.balance * (spread([*trips, put(empty, 0, spot)]) - spread(trips))
        return price <= view.price(request)

    def _seen_by(self, view: View) -> Draft:
        """Return the plan's trips under a changed view of a request that is in none of them."""
        draft = copy(self.draft)
        draft.view = view
        draft.trips = [copy(trip) for trip in self.draft.trips]
        for trip in draft.trips:
            trip.view = view
        return draft


def _amount(change: Change, view: View) -> tuple[int, Callable[[int], Change]]:
    """Return how much a change widens, and how to make it with another amount."""
    if change.by_s is not None:
        return change.by_s, lambda by: replace(change, by_s=by)
    if change.by_m is not None:
        return change.by_m, lambda by: replace(change, by_m=by)
    if change.to is not None and change.courier is not None:
        before = view.problem.couriers[view.courier_of[change.courier]].capacity
        return change.to - before, lambda by: replace(change, to=before + by)
    return 0, lambda by: change
