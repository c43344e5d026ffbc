"""Made moments of a working day: couriers on the road with parcels on board, a plan in force, one request that is new.

A day runs by itself: a courier commits to the next stop of his list when he is done with the last, so the leg he drives
is his start in the state; as soon as a request is finished another one comes and goes to the cheapest place. Every
request that comes is one state. Nothing of `routing` is used: the states are the same whatever our engine does.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from bench.routes.case import Case, Earth, Pair, Prices, Routes, Stop, Table, Vehicle
from bench.routes.made import KM, Point, around

PRICES = Prices(unserved=50_000, late_per_s=10)
_PROMISE_S, _SHOP_S, _HOME_S = 14_400, 45, 150
_LEFT_S = 14_400  # of the shift, in every state
_ALIVE_PER_COURIER, _ALIVE_PER_SHOP, _KM2_PER_ALIVE = 7.5, 4, 2.4
_NEAREST = 8  # couriers asked about a new request
_WAIT_PRICE = 0.1  # of a second until delivery, so that nobody waits for ever
_SETTLED = 2.0  # times all requests renewed before the first state


@dataclass(frozen=True)
class State:
    """A case whose last pair is the new request, and the orders in force, which do not know it."""

    case: Case
    warm: Routes

    @property
    def aboard(self) -> int:
        """Return how many parcels are on board of somebody."""
        return sum(pair.holder is not None for pair in self.case.pairs)

    def before(self) -> Case:
        """Return the case without the new request."""
        return replace(self.case, pairs=self.case.pairs[:-1])

    def with_matrix(self) -> State:
        """Return the state with its travel times at hand, as a service has them."""
        return replace(self, case=replace(self.case, travel=Table(self.case.travel.matrix().astype(np.int32))))


@dataclass
class _Wish:
    """A request of the day: two points and when it was made."""

    name: str
    ends: tuple[Point, Point]
    service: tuple[int, int]
    noticed: int
    aboard: bool = False


@dataclass
class _Rider:
    here: Point
    free_at: int
    rows: list[tuple[_Wish, int]] = field(default_factory=list)  # (request, 0 pickup or 1 delivery)


def states(alive: int, seed: int, aboard: range, per_day: int = 20, every: int = 3) -> Iterator[State]:
    """Yield moments with so many requests alive (the new one counted) and parcels on board, for ever.

    Of each day `per_day` moments are looked at, each `every` new requests after the last.
    """
    for day in itertools.count(seed):
        for state in itertools.islice(_Day(alive, day).run(every), per_day):
            if state.aboard in aboard:
                yield state


class _Day:
    def __init__(self, alive: int, seed: int) -> None:
        self.dice, self.alive, self.seed = Random(seed), alive, seed
        side = math.sqrt(alive * _KM2_PER_ALIVE)
        middle = (12.5, 109.15)
        self.shops = [
            (
                middle[0] + self.dice.uniform(-side / 2, side / 2) * KM,
                middle[1] + self.dice.uniform(-side / 2, side / 2) * KM,
            )
            for _ in range(max(2, round(alive / _ALIVE_PER_SHOP)))
        ]
        self.riders = [_Rider(self.dice.choice(self.shops), 0) for _ in range(round(alive / _ALIVE_PER_COURIER))]
        self.legs: dict[tuple[Point, Point], int] = {}
        self.now, self.come = 0, 0

    def run(self, every: int) -> Iterator[State]:
        """Yield a state each time so many new requests have come, once the day has settled."""
        for _ in range(self.alive):
            self._insert(self._wish())
        settled = _SETTLED * self.alive
        while True:
            rider = min((r for r in self.riders if r.rows), key=lambda r: (r.free_at, r.here))
            self.now = max(self.now, rider.free_at)
            wish, end = rider.rows.pop(0)
            rider.free_at = self.now + self._leg(rider.here, wish.ends[end]) + wish.service[end]
            rider.here, wish.aboard = wish.ends[end], True
            if end:
                new = self._wish()
                if self.come > settled and self.come % every == 0:
                    yield self._state(new)
                self._insert(new)

    def _wish(self) -> _Wish:
        self.come += 1
        shop = self.dice.choice(self.shops)
        home = around(self.dice, shop, 2.0)
        if self.dice.random() < 0.4:
            return _Wish(f"r{self.come}", (home, shop), (_HOME_S, _SHOP_S), self.now)
        return _Wish(f"r{self.come}", (shop, home), (_SHOP_S, _HOME_S), self.now)

    def _leg(self, origin: Point, destination: Point) -> int:
        key = (origin, destination)
        if key not in self.legs:
            points = Earth((origin[0], destination[0]), (origin[1], destination[1]))
            self.legs[key] = 0 if origin == destination else round(points.leg(0, 1))
        return self.legs[key]

    def _insert(self, wish: _Wish) -> None:
        """Put a request where it costs least: driving, lateness and a little for waiting."""
        near = sorted(self.riders, key=lambda r: self._leg(r.here, wish.ends[0]) + 120 * len(r.rows))[:_NEAREST]
        found: tuple[float, _Rider, list[tuple[_Wish, int]]] | None = None
        for rider in near:
            before = self._price(rider, rider.rows)
            for first in range(len(rider.rows) + 1):
                for second in range(first, len(rider.rows) + 1):
                    rows = [*rider.rows[:first], (wish, 0), *rider.rows[first:second], (wish, 1), *rider.rows[second:]]
                    price = self._price(rider, rows) - before
                    if found is None or price < found[0]:
                        found = price, rider, rows
        assert found is not None
        found[1].rows = found[2]

    def _price(self, rider: _Rider, rows: list[tuple[_Wish, int]]) -> float:
        price, at, here = 0.0, max(self.now, rider.free_at), rider.here
        for wish, end in rows:
            leg = self._leg(here, wish.ends[end])
            at, here = at + leg, wish.ends[end]
            price += leg
            if end:
                price += _WAIT_PRICE * (at - wish.noticed)
            else:
                price += PRICES.late_per_s * max(0, at - wish.noticed - _PROMISE_S)
            at += wish.service[end]
        return price

    def _state(self, new: _Wish) -> State:
        """Return the moment as a case; what is driven now is where its driver starts."""
        places: dict[Point, int] = {}

        def place(point: Point) -> int:
            return places.setdefault(point, len(places))

        holder = {wish.name: v for v, r in enumerate(self.riders) for wish, _ in r.rows if wish.aboard}
        known = {wish.name: wish for r in self.riders for wish, _ in r.rows} | {new.name: new}
        until = self.now + _LEFT_S
        vehicles = tuple(Vehicle(place(r.here), None, max(self.now, r.free_at), until, 40) for r in self.riders)
        pairs = tuple(
            Pair(
                name,
                Stop(place(wish.ends[0]), wish.noticed, until, wish.service[0], wish.noticed + _PROMISE_S),
                Stop(place(wish.ends[1]), wish.noticed, until, wish.service[1]),
                holder=holder.get(name),
            )
            for name, wish in known.items()
        )
        number = {name: r for r, name in enumerate(known)}
        warm = [[2 * number[wish.name] + end for wish, end in r.rows] for r in self.riders]
        travel = Earth(tuple(lat for lat, _ in places), tuple(lng for _, lng in places))
        name = f"midday-{self.alive}-{self.seed}-{new.name}"
        return State(Case(name, travel, vehicles, pairs, PRICES, self.now), warm)
