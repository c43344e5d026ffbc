"""A plan in the making: driveable trips, one per courier, into which requests are put one by one."""

from __future__ import annotations

from collections.abc import Iterable

from routing.cost import WarmPlaces, moved_stops, price
from routing.insertion import INFINITE, Offer, Spot, Trip, UndriveableError, best_spot, put
from routing.model import Number
from routing.view import Sequences, View, delivery, pickup

_PROMOTIONS = 8  # how often what could not be placed is tried first, before it is given up


class Draft:
    """Trips that keep every hard limit; what is in none of them is unserved."""

    def __init__(self, view: View, sequences: Sequences, warm: WarmPlaces, *, as_they_are: bool = False) -> None:
        """Take over as much of `sequences` as can be driven; locked and on-board stops go before everything else.

        With `as_they_are` the sequences are known to be driveable, and nothing is changed or put in.
        """
        self.view = view
        self.warm = warm
        if as_they_are:
            self.trips = [Trip(view, courier, order, warm) for courier, order in enumerate(sequences)]
            return
        taken: set[int] = set()
        self._bound: dict[int, set[int]] = {}  # courier → requests only he can serve
        for request, holder in enumerate(view.bound):
            if holder is not None:
                self._bound.setdefault(holder, set()).add(request)
        self.trips = [self._adopt(courier, order, taken) for courier, order in enumerate(sequences)]

    def sequences(self) -> Sequences:
        """Return the order of stops of each courier."""
        return [list(trip.order) for trip in self.trips]

    def unserved(self) -> list[int]:
        """Return the requests in no trip."""
        served = {stop // 2 for trip in self.trips for stop in trip.order}
        return [request for request in range(len(self.view.problem.requests)) if request not in served]

    def total(self) -> Number:
        """Return the priced total of the trips and of what is in none of them."""
        orders, timings = self.sequences(), [trip.timing for trip in self.trips]
        return price(self.view, orders, timings, self.unserved(), moved_stops(orders, self.warm)).total

    def spot(self, request: int, bound: Number = INFINITE) -> Spot | None:
        """Return the cheapest place for a free request that adds less than `bound`, or None."""
        if self.view.bound[request] is not None:
            return None  # its courier's trip was built around it, or it cannot be driven at all
        best: Spot | None = None
        offers = [Offer(self.trips[courier], request) for courier in self.view.allowed[request]]
        for offer in sorted(offers, key=lambda offer: offer.floor):
            if offer.floor >= bound:
                break
            spot = offer.best(bound)
            if spot and self.view.weights.balance:
                spot = self._with_balance(request, spot)
            if spot and spot.price < bound:
                best, bound = spot, spot.price
        return best

    def insert(self, request: int, spot: Spot) -> None:
        """Put a request where `spot` says."""
        self.trips[spot.courier] = put(self.trips[spot.courier], request, spot)

    def _with_balance(self, request: int, spot: Spot) -> Spot:
        before = spread(self.trips)
        changed = list(self.trips)
        changed[spot.courier] = put(self.trips[spot.courier], request, spot)
        extra = self.view.weights.balance * (spread(changed) - before)
        return Spot(spot.price + extra, spot.courier, spot.pickup_at, spot.delivery_at)

    def _adopt(self, courier: int, order: Iterable[int], taken: set[int]) -> Trip:
        view = self.view
        mine = self._bound.get(courier, set())
        kept = self._known(courier, order, taken)
        trip = self._around(courier, [*view.locked[courier], *kept], mine)
        if missing := mine - {stop // 2 for stop in trip.order}:
            # Free requests stood in the way of bound ones: clear the trip and let them find their place again.
            bare = self._around(courier, list(view.locked[courier]), mine)
            if len(missing) > len(mine - {stop // 2 for stop in bare.order}):
                trip = bare
        taken.update(stop // 2 for stop in trip.order)
        return trip

    def _known(self, courier: int, order: Iterable[int], taken: set[int]) -> list[int]:
        """Return the free stops of an order that this courier may serve and that stand there whole and in sequence."""
        view = self.view
        seen: set[int] = set()
        for stop in order:
            free = view.stops_of(stop // 2)
            if stop in free and stop not in seen:
                whole = not stop % 2 or len(free) == 1 or stop - 1 in seen
                if whole and courier in view.allowed[stop // 2] and stop // 2 not in taken:
                    seen.add(stop)
        whole_requests = {stop // 2 for stop in seen if stop % 2}
        return [stop for stop in dict.fromkeys(order) if stop in seen and stop // 2 in whole_requests]

    def _around(self, courier: int, order: list[int], mine: set[int]) -> Trip:
        """Return a trip with as much of `order` as can be driven and every bound request that finds a place."""
        view = self.view
        urgent = sorted(mine, key=lambda r: (view.closes[delivery(r)], r))
        best: Trip | None = None
        for _ in range(_PROMOTIONS):
            trip = self._driveable(courier, order, mine)
            lost: int | None = None
            for request in urgent:
                if view.stops_of(request) != [delivery(request)] or delivery(request) in trip.order:
                    continue  # locked as a whole, or at home already
                if not view.carried[request] and pickup(request) not in trip.order:
                    continue  # its locked pickup cannot be driven
                spot = best_spot(trip, request)
                if spot:
                    trip = put(trip, request, spot)
                elif lost is None:
                    lost = request
            if best is None or _delivered(trip) > _delivered(best):
                best = trip
            if lost is None or urgent[0] == lost:
                break
            urgent.remove(lost)
            urgent.insert(0, lost)
        assert best is not None
        whole = self._without_open_pickups(best)
        if lost_pickups := {stop // 2 for stop in best.order} - {stop // 2 for stop in whole.order}:
            # A promised pickup that leads nowhere has held up the others: build again without it.
            rest = [stop for stop in order if stop // 2 not in lost_pickups]
            again = self._around(courier, rest, mine - lost_pickups)
            return again if _delivered(again) > _delivered(whole) else whole
        return whole

    def _driveable(self, courier: int, order: list[int], mine: set[int]) -> Trip:
        """Return a trip of an order from which requests are dropped until it can be driven, free before bound ones."""
        while True:
            try:
                return Trip(self.view, courier, order, self.warm)
            except UndriveableError as stuck:
                upto = [stop // 2 for stop in order[: stuck.fault.position + 1]]
                victim = next((request for request in reversed(upto) if request not in mine), upto[-1])
                order = [stop for stop in order if stop // 2 != victim]

    def _without_open_pickups(self, trip: Trip) -> Trip:
        """Drop what would be collected but never delivered: who collects also delivers."""
        whole = [stop for stop in trip.order if stop % 2 or stop + 1 in trip.order]
        if len(whole) == len(trip.order):
            return trip
        return self._driveable(trip.courier, whole, set())


def _delivered(trip: Trip) -> int:
    return sum(stop % 2 for stop in trip.order)


def spread(trips: Iterable[Trip]) -> int:
    """Return by how many seconds the longest route of some trips outlasts the shortest."""
    durations = [trip.timing.end_at - trip.timing.leave_at for trip in trips if trip.order]
    return max(durations, default=0) - min(durations, default=0)
