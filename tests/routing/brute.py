"""The cheapest plan of a tiny problem by trying everything; shares nothing with the library but its types.

For each courier the least price of being ready at each second of the day is carried along every order of stops: an
array over the seconds, in which waiting is a running minimum and driving a shift. So departures, waits and breaks are
tried at every second, also those that no engine would choose. What a step costs grows with the seconds of the day,
and with their square where routes are balanced: keep days to a few hundred seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from routing import Courier, Plan, Problem
from routing.model import Number
from tests.routing.referee import Name, Roads, before, earliest, end_of, opening, roads

Prices = NDArray[np.float64]  # [rested breaks, (second of leaving,) second ready]
Served = frozenset[str]
# Where he stands: the last stop, and the metres so far when they are limited.
Stand = tuple[Name | None, int]
# What it costs to be done there, and what it costs to be ready to drive on, with or without a rest.
Ways = dict[Stand, tuple[Prices, Prices]]


@dataclass(frozen=True, slots=True)
class Way:
    """One leg to a stop: from where, the metres so far when they are limited, and what it costs to set out when."""

    origin: Stand
    metres: int
    drive_s: int
    price: Number
    leaving: Prices


@dataclass(frozen=True, slots=True, order=True)
class Best:
    """How many parcels on board or locked stay behind because nothing else can be done, then the least total."""

    lost: int
    total: float


def optimum(problem: Problem, warm: Plan | None = None) -> Best:
    """Return the best any lawful plan can have; `warm` is the plan in force."""
    balanced = bool(problem.weights.balance) and len(problem.couriers) > 1
    way, old = roads(problem), before(warm)
    pledged = {name for courier in problem.couriers for name in bound(courier)}
    plans: dict[Served, Prices] = {frozenset(): np.zeros(())}
    for courier in problem.couriers:
        routes = Routes(problem, courier, way, old, balanced).cheapest()
        plans = _joined(plans, routes, balanced)
    found = []
    for served, prices in plans.items():
        out = [request for request in problem.requests if request.id not in served]
        price = float(_spread(prices, problem.weights.balance)) if prices.ndim else float(prices)
        if price < np.inf:
            total = price + sum(problem.weights.unserved * request.priority for request in out)
            found.append(Best(sum(request.id in pledged for request in out), total))
    return min(found)


def bound(courier: Courier) -> set[str]:
    return {*courier.on_board, *(lock.request for lock in courier.locked)}


def _joined(plans: dict[Served, Prices], routes: dict[Served, Prices], balanced: bool) -> dict[Served, Prices]:
    """Add one courier's routes to the plans of those before him."""
    joined = dict(plans)
    for mine, price in routes.items():
        own = between(price) if balanced else price
        for others, known in plans.items():
            if not mine & others:
                both, total = mine | others, known + own
                joined[both] = np.minimum(joined[both], total) if both in joined else total
    return joined


def between(by_duration: Prices) -> Prices:
    """Turn prices by duration into prices by (least, most) duration allowed."""
    count = len(by_duration)
    grid = np.where(np.tri(count, dtype=bool).T, by_duration, np.inf)
    return np.minimum.accumulate(grid, axis=1)


def _spread(grid: Prices, weight: float) -> float:
    seconds = np.arange(len(grid))
    return float((grid + weight * (seconds[None, :] - seconds[:, None])).min())


class Routes:
    """All that one courier can do, second by second."""

    def __init__(
        self, problem: Problem, courier: Courier, way: Roads, old: dict[Name, tuple[str, Name | None]], balanced: bool
    ) -> None:
        self.problem, self.courier, self.way, self.old, self.balanced = problem, courier, way, old, balanced
        self.zero = earliest(problem, courier)
        self.seconds = courier.shift[1] - self.zero + 1
        self.longest = max((c.shift[1] - earliest(problem, c) + 1 for c in problem.couriers), default=0)
        self.masks = 1 << len(courier.breaks)
        self.sizes = {request.id: request.size for request in problem.requests}
        self.load = sum(self.sizes[name] for name in courier.on_board)
        self.seen: list[dict[frozenset[Name], Ways]] = []  # every state there was, for `witness`

    def cheapest(self) -> dict[Served, Prices]:
        """Return for each set of requests he can serve the least price, or the least for each duration."""
        if self.seconds <= 0:
            return {}
        taken = {name for other in self.problem.couriers if other != self.courier for name in bound(other)}
        mine = bound(self.courier)
        free = [
            request.id
            for request in self.problem.requests
            if request.id not in mine | taken
            and request.only_courier in (None, self.courier.id)
            and request.skills <= self.courier.skills
        ]
        aboard, pledged = list(self.courier.on_board), list(dict.fromkeys(lock.request for lock in self.courier.locked))
        best: dict[Served, Prices] = {}
        for kept in _subsets(pledged):
            locked = [(lock.request, str(lock.kind)) for lock in self.courier.locked if lock.request in kept]
            collected = [name for name in [*free, *pledged] if name not in aboard and name in {*free, *kept}]
            carried = [name for name in aboard if name not in pledged or name in kept]
            for served, price in self._driven(locked, collected, carried):
                best[served] = np.minimum(best[served], price) if served in best else price
        return best

    def _driven(self, locked: list[Name], collected: list[str], carried: list[str]) -> Iterator[tuple[Served, Prices]]:
        """Yield each set of requests that can be served, with its price, by the number of stops behind him."""
        everything = [(name, "pickup") for name in collected] + [(name, "delivery") for name in collected + carried]
        self.seen.append({})
        layer: dict[frozenset[Name], Ways] = {frozenset(): {(None, 0): self._start()}}
        while layer:
            further: dict[frozenset[Name], Ways] = {}
            for done, stands in layer.items():
                begun = {name for name, kind in done if kind == "pickup"}
                served = frozenset(name for name, kind in done if kind == "delivery")
                if done and begun <= served and len(done) >= len(locked):
                    yield from ((served, self.closed(*stand, *prices)) for stand, prices in stands.items())
                for name in self._next(everything, done, (begun | set(carried)) - served, locked):
                    if reached := self._served(name, stands):
                        further.setdefault(done | {name}, {}).update(reached)
            self.seen[-1] |= layer
            layer = further

    def _next(self, everything: list[Name], done: frozenset[Name], bag: set[str], locked: list[Name]) -> Iterator[Name]:
        load = self.load + sum(self.sizes[name] * (1 if kind == "pickup" else -1) for name, kind in done)
        for name in locked[len(done) : len(done) + 1] or everything:
            room = load + self.sizes[name[0]] <= self.courier.capacity
            if name not in done and (room if name[1] == "pickup" else name[0] in bag):
                yield name

    def _start(self) -> tuple[Prices, Prices]:
        """Return the prices of standing at the start: nothing; and of leaving it, with that second kept if needed."""
        prices = np.full((self.masks, self.seconds), np.inf)
        prices[0] = 0.0
        every = np.arange(self.seconds)
        leaving = _waiting(self.rested(prices)) - self.problem.weights.duration_per_s * every
        if self.balanced:
            kept = np.full((self.masks, self.seconds, self.seconds), np.inf)
            kept[:, every, every] = leaving
            leaving = kept
        return prices, leaving + self.problem.weights.courier

    def rested(self, departed: Prices) -> Prices:
        """Return the prices of being ready to drive when breaks may be taken first."""
        if self.masks == 1:
            return departed
        ready = departed.copy()
        for mask in range(self.masks):
            for k, rest in enumerate(self.courier.breaks):
                if not mask & 1 << k:
                    begun = _waiting(ready[mask])
                    _shut(begun, self.zero, [rest.window])
                    _offer(ready[mask | 1 << k], begun, rest.duration_s)
        return ready

    def _served(self, name: Name, stands: Ways) -> Ways:
        """Return where he stands and at what price after serving `name` next."""
        arrived: dict[int, Prices] = {}
        for way in self.ways_to(name, stands):
            arriving = arrived.setdefault(way.metres, np.full_like(way.leaving, np.inf))
            _offer(arriving, way.leaving + way.price, way.drive_s)
        reached: Ways = {}
        for metres, prices in arrived.items():
            begun = _waiting(prices) + self.soft(name)
            _shut(begun, self.zero, self._hours(name))
            departed = np.full_like(begun, np.inf)
            _offer(departed, begun, end_of(self.problem, name).service_s)
            if departed.min() < np.inf:
                reached[name, metres] = departed, self.rested(departed)
        return reached

    def ways_to(self, name: Name, stands: Ways) -> Iterator[Way]:
        """Yield the legs by which `name` can be reached."""
        end, weights, limit = end_of(self.problem, name), self.problem.weights, self.courier.max_distance_m
        for (last, metres), (departed, ready) in stands.items():
            leg = self.way(self.place(last), end.place)
            further = 0 if limit is None or leg is None else metres + leg[1]
            if leg is None or (limit is not None and further > limit):
                continue
            price = weights.travel_per_s * leg[0] + weights.distance_per_m * leg[1]
            if name in self.old and self.old[name] != (self.courier.id, last):
                price += weights.moved_stop
            stays = last is not None and self.place(last) == end.place
            yield Way((last, metres), further, leg[0], price, departed if stays else ready)

    def soft(self, name: Name) -> Prices:
        start, weights, end = self.zero + np.arange(self.seconds), self.problem.weights, end_of(self.problem, name)
        price = np.zeros(self.seconds)
        if end.due is not None:
            price += weights.late_per_s * np.maximum(0, start - end.due)
        if name[1] == "delivery":
            price += weights.delivery_delay_per_s * (start - opening(self.problem, name[0]))
        return price

    def _hours(self, name: Name) -> list[tuple[int, int]]:
        end = end_of(self.problem, name)
        if self.problem.hard_due and end.due is not None:
            return [(opens, min(closes, end.due)) for opens, closes in end.windows]
        return list(end.windows)

    def closed(self, last: Name | None, metres: int, departed: Prices, ready: Prices) -> Prices:
        """Return the price of a route that ends after `last`, or its price for each duration."""
        ended = self.ended(last, metres, departed, ready).min(axis=0)
        if not self.balanced:
            return ended.min()
        lasting = np.full(self.longest, np.inf)
        for leave in range(self.seconds):
            some = ended[leave, leave:]
            np.minimum(lasting[: len(some)], some, out=lasting[: len(some)])
        return lasting

    def ended(self, last: Name | None, metres: int, departed: Prices, ready: Prices) -> Prices:
        """Return the prices of ending the route at each second."""
        home, limit = self.courier.end, self.courier.max_distance_m
        ended = departed
        if home is not None:
            ended = np.full_like(departed, np.inf)
            leg = self.way(self.place(last), home)
            if leg is not None and (limit is None or metres + leg[1] <= limit):
                price = self.problem.weights.travel_per_s * leg[0] + self.problem.weights.distance_per_m * leg[1]
                _offer(ended, (departed if home == self.place(last) else ready) + price, leg[0])
            ended = _waiting(ended)
        ended = ended + self.problem.weights.duration_per_s * np.arange(self.seconds)
        for mask in range(self.masks):
            for k, rest in enumerate(self.courier.breaks):
                if not mask & 1 << k:
                    ended[mask, ..., max(0, rest.window[1] - self.zero) :] = np.inf
        return ended

    def place(self, last: Name | None) -> str:
        return self.courier.start if last is None else end_of(self.problem, last).place


def _subsets(names: list[str]) -> Iterator[frozenset[str]]:
    for count in range(len(names) + 1):
        yield from map(frozenset, combinations(names, count))


def _waiting(prices: Prices) -> Prices:
    return np.minimum.accumulate(prices, axis=-1)


def _offer(target: Prices, prices: Prices, later: int) -> None:
    """Take `prices` over into `target` so many seconds later, where they are lower."""
    count = prices.shape[-1] - later
    if count > 0:
        np.minimum(target[..., later:], prices[..., :count], out=target[..., later:])


def _shut(prices: Prices, zero: int, windows: list[tuple[int, int]]) -> None:
    """Allow no second outside the windows."""
    closed = np.ones(prices.shape[-1], dtype=bool)
    for opens, closes in windows:
        closed[max(0, opens - zero) : max(0, closes - zero + 1)] = False
    prices[..., closed] = np.inf
