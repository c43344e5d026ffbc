"""Cheapest insertion: puts one request into the trips at the place where it adds least, or says that it cannot.

A trip remembers, for every position, when the courier is ready there and the latest start that keeps all hard limits
behind it; so most places are refused in a few steps and the rest are driven from the change onward only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from routing.cost import WarmPlaces
from routing.model import Number
from routing.timing import (
    Fault,
    Moment,
    Timing,
    advance,
    finish,
    route_price,
    service_start,
    soft_cost,
    time_route,
)
from routing.view import NEVER, View

INFINITE = float("inf")
Detour: TypeAlias = tuple[Number, Number, int]  # lower bound of the added price, priced legs, position
Candidate: TypeAlias = tuple[Number, Number, int | None, int]  # the same with pickup and delivery position


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a request goes: pickup before position `pickup_at`, delivery before `delivery_at` of the old order.

    `pickup_at` is None for a parcel already on board. `price` is what the total grows by.
    """

    price: Number
    courier: int
    pickup_at: int | None
    delivery_at: int


class UndriveableError(ValueError):
    """An order of stops that breaks a hard limit; `fault` says which and where."""

    def __init__(self, courier: int, fault: Fault) -> None:
        super().__init__(f"order of courier {courier} cannot be driven: {fault.code}")
        self.fault = fault


class Trip:
    """One courier's order of stops with everything an insertion needs to know about it.

    Raises UndriveableError for an order that breaks a hard limit.
    """

    def __init__(self, view: View, courier: int, order: Sequence[int], warm: WarmPlaces) -> None:
        self.view = view
        self.courier = courier
        self.order = list(order)
        self.warm = warm
        self.moments: list[list[Moment]] = []  # ways to stand before each position
        timing = time_route(view, courier, self.order, self.moments)
        if isinstance(timing, Fault):
            raise UndriveableError(courier, timing)
        self.timing: Timing = timing
        present = set(self.order)
        self.fixed = sum(stop in present for stop in view.locked[courier])  # nothing goes before the locked stops
        self._places()
        self._forward()
        self._backward()

    def _places(self) -> None:
        view, courier, end = self.view, self.courier, self.view.end[self.courier]
        at = [view.start[courier], *(view.place[stop] for stop in self.order)]
        self.before = at  # place one comes from when standing before position k
        self.after: list[int | None] = [*at[1:], end]  # place one goes to; None where the trip just ends
        self.leg: list[Number] = [self.leg_price(a, b) for a, b in zip(at, self.after, strict=True)]
        if not self.order:
            self.leg = [0]  # who has nothing to do drives nowhere, not even home
        self.held: list[Number] = []  # price of giving the stop at position k another predecessor
        previous: int | None = None
        for stop in self.order:
            keeps = self.warm.get(stop) == (courier, previous)
            self.held.append(view.weights.moved_stop if keeps else 0)
            previous = stop
        self.held.append(0)

    def _forward(self) -> None:
        """Of the ways to stand before each position the earliest; soft price so far and load."""
        view, courier = self.view, self.courier
        self.ready = [min(m.at for m in moments) for moments in self.moments]
        self.soft = [min(m.soft for m in moments) for moments in self.moments]
        closing = finish(view, courier, self.moments[-1], self.before[-1], len(self.order)) if self.order else None
        self.soft_total: Number = closing.price if closing else 0
        self.loads = [view.load0[courier]]
        for stop in self.order:
            self.loads.append(self.loads[-1] + view.load[stop])

    def _backward(self) -> None:
        """Latest service start at each position that still lets every later stop and the shift end be kept."""
        view, courier = self.view, self.courier
        end = view.end[courier]
        self.latest = [0] * len(self.order)
        self.last_ready = view.shift_end[courier]  # latest readiness after the last stop
        if end is not None and self.order:
            self.last_ready -= view.legs.seconds[self.before[-1]][end]
        ready = self.last_ready
        for k in range(len(self.order) - 1, -1, -1):
            stop = self.order[k]
            self.latest[k] = _latest_start(view, stop, ready - view.service[stop])
            ready = self.latest[k] - view.legs.seconds[self.before[k]][view.place[stop]]

    def leg_price(self, origin: int, destination: int | None) -> Number:
        """Return the priced metres and seconds of a leg; 0 to nowhere, infinite where there is no way."""
        if destination is None:
            return 0
        seconds = self.view.legs.seconds[origin][destination]
        if seconds < 0:
            return INFINITE
        weights = self.view.weights
        price = weights.travel_per_s * seconds
        if weights.distance_per_m:  # metres that cost nothing may have to be reckoned
            price += weights.distance_per_m * self.view.legs.metres[origin][destination]
        return price


def _latest_start(view: View, stop: int, limit: int) -> int:
    """Return the last second up to `limit` at which service may start, or -NEVER."""
    for opens, closes in reversed(view.windows[stop]):
        if opens <= limit:
            return min(limit, closes)
    return -NEVER


def best_spot(trip: Trip, request: int, bound: Number = INFINITE) -> Spot | None:
    """Return the cheapest place for a request in one trip that costs less than `bound`, or None."""
    return Offer(trip, request).best(bound)


class Offer:
    """The places one trip has for one request, with a lower bound of what each adds; `floor` is the lowest of all."""

    def __init__(self, trip: Trip, request: int) -> None:
        self.trip = trip
        self.stops = trip.view.stops_of(request)
        self.opening: Number = 0 if trip.order else trip.view.weights.courier
        positions = range(trip.fixed, len(trip.order) + 1)
        self.seconds = sorted(_detours(trip, self.stops[-1], positions))
        self.firsts: list[Detour] = []
        self.whole: list[Candidate] = [(floor, legs, None, k) for floor, legs, k in self.seconds]
        if len(self.stops) == 2:
            first, second = self.stops
            spare = trip.view.capacity[trip.courier] - trip.view.load[first]
            roomy = [k for k in positions if trip.loads[k] <= spare]
            self.firsts = sorted(_detours(trip, first, roomy))
            self.whole = sorted(_joint_detours(trip, first, second, roomy))
        apart = self.firsts[0][0] + self.seconds[0][0] if self.firsts and self.seconds else INFINITE
        together = self.whole[0][0] if self.whole else INFINITE
        self.floor: Number = min(apart, together) + self.opening

    def best(self, bound: Number) -> Spot | None:
        """Return the cheapest place that can be driven and costs less than `bound`, or None."""
        best = self._cheapest(self.whole, bound)
        limit = best.price if best else bound
        if not self.firsts or not self.seconds:
            return best
        reach = _reach(self.trip, self.trip.view.load[self.stops[0]])
        for floor, legs, k in self.firsts:
            if floor + self.seconds[0][0] + self.opening >= limit:
                break
            apart: list[Candidate] = [
                (floor + also, legs + more, k, later) for also, more, later in self.seconds if k < later <= reach[k]
            ]
            found = self._cheapest(apart, limit)
            if found:
                best, limit = found, found.price
        return best

    def _cheapest(self, candidates: Sequence[Candidate], bound: Number) -> Spot | None:
        """Drive the candidates, lowest bound first, and return the best below `bound`."""
        best: Spot | None = None
        for floor, legs, first_at, second_at in candidates:
            if floor + self.opening >= bound:
                break
            room = bound - self.opening - legs
            soft = _driven(self.trip, self.stops, first_at, second_at, room)
            if soft is not None and soft < room:
                bound = soft + legs + self.opening
                best = Spot(bound, self.trip.courier, first_at, second_at)
        return best


def _detours(trip: Trip, stop: int, positions: Iterable[int]) -> Iterator[Detour]:
    """Yield (lower bound of the added price, priced legs, position) for driving past one stop, if in time."""
    view = trip.view
    here, drives = view.place[stop], view.legs.seconds
    for k in positions:
        origin, onward = trip.before[k], trip.after[k]
        if drives[origin][here] < 0:
            continue
        start = service_start(view, stop, trip.ready[k] + drives[origin][here])
        legs = trip.leg_price(origin, here) + trip.leg_price(here, onward) - trip.leg[k]
        if start < NEVER and legs < INFINITE:
            yield legs + soft_cost(view, stop, start) + trip.held[k], legs, k


def _joint_detours(trip: Trip, first: int, second: int, positions: Iterable[int]) -> Iterator[Candidate]:
    """Yield the same for driving past pickup and delivery, one right after the other."""
    view = trip.view
    here, there, drives = view.place[first], view.place[second], view.legs.seconds
    between = trip.leg_price(here, there)
    if between == INFINITE:
        return
    for k in positions:
        origin, onward = trip.before[k], trip.after[k]
        if drives[origin][here] < 0:
            continue
        legs = trip.leg_price(origin, here) + between + trip.leg_price(there, onward) - trip.leg[k]
        collected = service_start(view, first, trip.ready[k] + drives[origin][here])
        handed = service_start(view, second, collected + view.service[first] + drives[here][there])
        if handed < NEVER and legs < INFINITE:
            soft = soft_cost(view, first, collected) + soft_cost(view, second, handed)
            yield legs + soft + trip.held[k], legs, k, k


def _reach(trip: Trip, size: int) -> list[int]:
    """Return for each pickup position the last delivery position that never overloads the courier."""
    spare = trip.view.capacity[trip.courier] - size
    reach = [len(trip.order)] * (len(trip.order) + 1)
    for k in range(len(trip.order) - 1, -1, -1):
        full = not trip.order[k] % 2 and trip.loads[k + 1] > spare
        reach[k] = k if full else reach[k + 1]
    return reach


def _driven(trip: Trip, stops: list[int], first_at: int | None, second_at: int, room: Number) -> Number | None:
    """Return by how much the trip's price beside its legs grows with the stops put in.

    None where a hard limit breaks or where the growth is sure to reach `room`.
    """
    view = trip.view
    begin = second_at if first_at is None else first_at
    tail = [*stops[:-1], *trip.order[begin:second_at], stops[-1], *trip.order[second_at:]]
    if view.max_m[trip.courier] != NEVER and _metres(trip, tail, begin) > view.max_m[trip.courier]:
        return None
    moved = _moved_change(trip, tail, begin) if trip.warm and view.weights.moved_stop else 0
    priced_duration = bool(view.weights.duration_per_s)
    cap = INFINITE if priced_duration else room - moved + trip.soft_total
    soft = _soft_straight(trip, stops, tail, begin, second_at, cap)
    if soft is not None and (priced_duration or view.breaks[trip.courier]):
        soft = _soft_by_moments(trip, tail, begin, second_at)
    return None if soft is None else soft - trip.soft_total + moved


def _moved_change(trip: Trip, tail: Sequence[int], begin: int) -> Number:
    """Return the price of the stops that a new tail takes from their place in the plan in force, less the old ones."""
    before = trip.order[begin - 1] if begin else None
    moved = 0
    for sign, stops in ((1, tail), (-1, trip.order[begin:])):
        previous = before
        for stop in stops:
            if stop in trip.warm and trip.warm[stop] != (trip.courier, previous):
                moved += sign
            previous = stop
    return trip.view.weights.moved_stop * moved


def _metres(trip: Trip, tail: Sequence[int], begin: int) -> int:
    view = trip.view
    metres, origin = 0, view.start[trip.courier]
    for stop in [*trip.order[:begin], *tail]:
        metres += view.legs.metres[origin][view.place[stop]]
        origin = view.place[stop]
    end = view.end[trip.courier]
    return metres if end is None else metres + view.legs.metres[origin][end]


def _soft_by_moments(trip: Trip, tail: Sequence[int], begin: int, second_at: int) -> Number | None:
    """Return the soft price of the whole trip with a new tail, breaks and duration included."""
    view, courier = trip.view, trip.courier
    moments, origin = trip.moments[begin], trip.before[begin]
    old = [None] * (len(tail) - len(trip.order) + second_at) + trip.moments[second_at + 1 :]
    for k, stop in enumerate(tail):
        moments = advance(view, courier, moments, origin, stop, begin + k)
        if not moments:
            return None
        origin = view.place[stop]
        before = old[k]
        if before and len(before) == len(moments) == 1:
            was, now = before[0], moments[0]
            if (was.at, was.until, was.slope, was.taken) == (now.at, now.until, now.slope, now.taken):
                return trip.soft_total + now.soft - was.soft  # from here on nothing changes
    closing = finish(view, courier, moments, origin, begin + len(tail))
    return closing.price if closing else None


def _soft_straight(
    trip: Trip, stops: list[int], tail: Sequence[int], begin: int, second_at: int, cap: Number
) -> Number | None:
    """Return the same as if there were no breaks after `begin` and no price on duration, in one quick pass.

    None where a hard limit breaks or `cap` is reached; breaks can only make that worse. Ends early where the old
    times are met again.
    """
    view = trip.view
    fresh = [view.closes[stop] for stop in stops]
    latest = [*fresh[:-1], *trip.latest[begin:second_at], fresh[-1], *trip.latest[second_at:]]
    old_ready = [-1] * (len(tail) - len(trip.order) + second_at) + trip.ready[second_at + 1 :]
    at, origin, soft = trip.ready[begin], trip.before[begin], trip.soft[begin]
    straight = not view.breaks[trip.courier] and not view.weights.duration_per_s
    opens, has_gaps, due, place = view.opens, view.has_gaps, view.due, view.place
    service, delay_weight, drives = view.service, view.delay_weight, view.legs.seconds
    for k, stop in enumerate(tail):
        here = place[stop]
        drive = drives[origin][here]
        at += drive
        if has_gaps[stop]:
            at = service_start(view, stop, at)
        elif at < opens[stop]:
            at = opens[stop]
        if at > latest[k] or drive < 0:
            return None
        if at > due[stop] or delay_weight[stop]:
            soft += soft_cost(view, stop, at)
            if soft >= cap:
                return None
        at += service[stop]
        origin = here
        if at == old_ready[k] and straight:
            return soft + trip.soft_total - trip.soft[len(trip.order) - (len(tail) - k - 1)]
    end = view.end[trip.courier]
    drive = 0 if end is None else drives[origin][end]
    return None if drive < 0 or at + drive > view.shift_end[trip.courier] else soft


def put(trip: Trip, request: int, spot: Spot) -> Trip:
    """Return the trip with a request put in at a spot."""
    stops = trip.view.stops_of(request)
    order = list(trip.order)
    order.insert(spot.delivery_at, stops[-1])
    if spot.pickup_at is not None:
        order.insert(spot.pickup_at, stops[0])
    return Trip(trip.view, trip.courier, order, trip.warm)


def trip_price(trip: Trip) -> Number:
    """Return what one trip costs by itself, its fixed price included."""
    return route_price(trip.view, trip.timing) + (trip.view.weights.courier if trip.order else 0)
