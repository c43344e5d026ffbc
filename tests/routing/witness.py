"""The plan brute force found cheapest, traced back second by second: what it calls possible can be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from routing import Cost, Plan, Problem, Rest, Route, Stop, Unserved
from tests.routing import referee
from tests.routing.brute import Name, Prices, Routes, Served, Stand, Ways, between, bound, optimum
from tests.routing.referee import before, end_of, roads


def best_plan(problem: Problem, warm: Plan | None = None) -> Plan:
    """Return a plan that costs what `optimum` says, with its cost as the second judge reads it."""
    best, balanced = optimum(problem, warm), bool(problem.weights.balance) and len(problem.couriers) > 1
    couriers = [Routes(problem, one, roads(problem), before(warm), balanced) for one in problem.couriers]
    options = [one.cheapest() for one in couriers]
    pledged = {name for courier in problem.couriers for name in bound(courier)}
    for choice in _choices(options, frozenset()):
        out = [one for one in problem.requests if not any(one.id in served for served in choice)]
        rest = best.total - sum(problem.weights.unserved * one.priority for one in out)
        if sum(one.id in pledged for one in out) != best.lost:
            continue
        prices = [option[served] for option, served in zip(options, choice, strict=True) if served]
        durations = _durations(prices, problem.weights.balance, rest) if balanced else _alike(prices, rest)
        if durations is not None:
            by_courier = iter(durations)
            routes = [
                _Trace(one, served, next(by_courier)).route() if served else Route(one.courier.id, (), 0, one.zero)
                for one, served in zip(couriers, choice, strict=True)
                if served or bound(one.courier)
            ]
            plan = Plan(problem.name, "brute", 1, 1, tuple(routes), tuple(Unserved(r.id, "") for r in out), Cost())
            return replace(plan, cost=Cost(**referee.cost(problem, plan, warm)))
    raise AssertionError("no choice of routes costs what the best plan costs")


def _choices(options: list[dict[Served, Prices]], taken: Served) -> Iterator[list[Served]]:
    """Yield the ways to give each courier one of his sets of requests, or none."""
    if not options:
        yield []
        return
    for served in [frozenset(), *options[0]]:
        if not served & taken:
            yield from ([served, *others] for others in _choices(options[1:], taken | served))


def _alike(prices: list[Prices], total: float) -> list[int | None] | None:
    return [None] * len(prices) if np.isclose(sum(map(float, prices)), total, rtol=0, atol=1e-6) else None


def _durations(prices: list[Prices], weight: float, total: float) -> list[int] | None:
    """Return durations of the routes that make up the total, or None."""
    if not prices:
        return [] if abs(total) < 1e-6 else None
    grid = sum(between(one) for one in prices)
    seconds = np.arange(len(grid))
    spread = grid + weight * (seconds[None, :] - seconds[:, None])
    least, most = np.unravel_index(spread.argmin(), spread.shape)
    if not np.isclose(spread[least, most], total, rtol=0, atol=1e-6):
        return None
    return [int(least + one[least : most + 1].argmin()) for one in prices]


@dataclass
class _Trace:
    """One courier's route, from its end back to its start."""

    routes: Routes
    served: Served
    duration: int | None
    rows: list[Stop] = field(default_factory=list)
    rests: list[Rest] = field(default_factory=list)

    def route(self) -> Route:
        states, done, stand, place, end_at = self._last()
        zero, courier = self.routes.zero, self.routes.courier
        while stand[0] is not None:
            done, stand, place = self._back(states, done, stand, place)
        self.rows.reverse()
        places = [courier.start, *(row.place for row in self.rows), *([courier.end] if courier.end else [])]
        legs = [self.routes.way(a, b) or (0, 0) for a, b in pairwise(places)]
        rests = tuple(sorted(self.rests, key=lambda rest: rest.start))
        return Route(courier.id, tuple(self.rows), sum(metres for _, metres in legs), zero + end_at, rests)

    def _last(self) -> tuple[dict[frozenset[Name], Ways], frozenset[Name], Stand, tuple[int, ...], int]:
        """Return the state at the last stop of the cheapest route, where in it, and when the route ends."""
        routes, home = self.routes, self.routes.courier.end
        ends = [
            (price if self.duration is None else price[self.duration], states, done, stand)
            for states in routes.seen
            for done, stands in states.items()
            if done and frozenset(n for n, kind in done if kind == "delivery") == self.served
            if all((n, "delivery") in done for n, _ in done)
            for stand, prices in stands.items()
            for price in [routes.closed(*stand, *prices)]
        ]
        _, states, done, stand = min(ends, key=lambda end: float(end[0]))
        departed, ready = states[done][stand]
        leg = (0, 0) if home is None else routes.way(routes.place(stand[0]), home)
        stays = home in (None, routes.place(stand[0]))
        assert leg is not None
        ended = routes.ended(*stand, departed, ready)
        if self.duration is None:
            mask, end_at = np.unravel_index(ended.argmin(), ended.shape)
            at: tuple[int, ...] = (int(mask),)
        else:
            options = [
                (ended[mask, leave, leave + self.duration], mask, leave)
                for mask in range(ended.shape[0])
                for leave in range(ended.shape[1] - self.duration)
            ]
            _, mask, leave = min(options)
            at, end_at = (mask, leave), leave + self.duration
        line = (departed if stays else ready)[at]
        last = int(end_at) if home is None else int(np.argmin(line[: int(end_at) - leg[0] + 1]))
        place = (*at, last)
        return states, done, stand, place if stays else self._unrested(departed, ready, place), int(end_at)

    def _back(
        self, states: dict[frozenset[Name], Ways], done: frozenset[Name], stand: Stand, place: tuple[int, ...]
    ) -> tuple[frozenset[Name], Stand, tuple[int, ...]]:
        """Note the row of the stop he stands at; return where he stood before it."""
        name, routes = stand[0], self.routes
        assert name is not None
        end = end_of(routes.problem, name)
        start = place[-1] - end.service_s
        value, earlier = states[done][stand][0][place] - routes.soft(name)[start], done - {name}
        for way in routes.ways_to(name, states[earlier]):
            line = way.leaving[place[:-1]][: max(0, start - way.drive_s + 1)] + way.price
            if way.metres == stand[1] and len(line) and np.isclose(line.min(), value, rtol=0, atol=1e-6):
                leaves = int(line.argmin())
                zero = routes.zero
                row = (zero + leaves + way.drive_s, zero + start, zero + place[-1])
                self.rows.append(Stop(name[0], name[1], end.place, *row))
                departed, ready = states[earlier][way.origin]
                if way.origin[0] is None:
                    rested = routes.rested(departed)
                    at = (place[0], int(rested[place[0]][: leaves + 1].argmin()))
                    return earlier, way.origin, self._unrested(departed, rested, at)
                at = (*place[:-1], leaves)
                return earlier, way.origin, at if way.leaving is departed else self._unrested(departed, ready, at)
        raise AssertionError("nobody came from anywhere")

    def _unrested(self, departed: Prices, ready: Prices, place: tuple[int, ...]) -> tuple[int, ...]:
        """Take back the breaks between a departure and a leg; return the departure."""
        while not np.isclose(departed[place], ready[place], rtol=0, atol=1e-9):
            mask, at = place[0], place[-1]
            for k, rule in enumerate(self.routes.courier.breaks):
                begun = at - rule.duration_s
                earlier = (mask & ~(1 << k), *place[1:-1])
                if not mask & 1 << k or not rule.window[0] <= begun + self.routes.zero <= rule.window[1] or begun < 0:
                    continue
                line = ready[earlier][: begun + 1]
                if np.isclose(line.min(), ready[place], rtol=0, atol=1e-9):
                    self.rests.append(Rest(self.routes.zero + begun, self.routes.zero + at))
                    place = (*earlier, int(line.argmin()))
                    break
            else:
                raise AssertionError("nobody rested")
        return place
