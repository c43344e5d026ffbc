"""The cheapest plan of a tiny problem by trying everything; shares nothing with the library but its types and legs.

Only for problems without prices on duration, balance and moved stops: then leaving at once is never dearer.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from routing.legs import Legs
from routing.model import Courier, End, Number, Problem, Request

Action = tuple[str, str]  # (request, kind) or ("break", index)


def optimum(problem: Problem) -> Number:
    """Return the least total any lawful plan can have."""
    legs = Legs(problem)
    names = [request.id for request in problem.requests]
    known: dict[tuple[str, frozenset[str]], Number | None] = {}
    best: Number | None = None
    for choice in product([None, *problem.couriers], repeat=len(names)):
        held: dict[str, set[str]] = {courier.id: set() for courier in problem.couriers}
        total: Number = 0
        for name, courier in zip(names, choice, strict=True):
            if courier is None:
                request = next(r for r in problem.requests if r.id == name)
                total += problem.weights.unserved * request.priority
            else:
                held[courier.id].add(name)
        for courier in problem.couriers:
            key = (courier.id, frozenset(held[courier.id]))
            if key not in known:
                known[key] = _cheapest_route(problem, legs, courier, held[courier.id])
            price = known[key]
            if price is None:
                break
            total += price
        else:
            best = total if best is None else min(best, total)
    assert best is not None
    return best


def _cheapest_route(problem: Problem, legs: Legs, courier: Courier, names: set[str]) -> Number | None:
    requests = {r.id: r for r in problem.requests if r.id in names}
    if not all(_may(problem, courier, request) for request in requests.values()):
        return None
    if not names:
        return 0
    begin = max(problem.now, courier.shift[0], courier.available_at or 0)
    load = sum(r.size for r in problem.requests if r.id in courier.on_board)
    route = _Search(problem, legs, courier, requests)
    route.go(begin, courier.start, load, 0, problem.weights.courier, set(courier.on_board) & names, (), frozenset())
    return route.best


def _may(problem: Problem, courier: Courier, request: Request) -> bool:
    for other in problem.couriers:
        bound = {*other.on_board, *(lock.request for lock in other.locked)}
        if request.id in bound:
            return other.id == courier.id
    return request.only_courier in (None, courier.id) and request.skills <= courier.skills


class _Search:
    def __init__(self, problem: Problem, legs: Legs, courier: Courier, requests: dict[str, Request]) -> None:
        self.problem, self.legs, self.courier, self.requests = problem, legs, courier, requests
        self.places = {place.id: k for k, place in enumerate(problem.places)}
        self.locked = [(lock.request, lock.kind) for lock in courier.locked if lock.request in requests]
        aboard = set(courier.on_board)
        self.rows = [(n, k) for n in requests for k in ("pickup", "delivery") if k == "delivery" or n not in aboard]
        self.best: Number | None = None

    def go(
        self,
        at: int,
        place: str,
        load: int,
        metres: int,
        price: Number,
        bag: set[str],
        done: tuple[Action, ...],
        rested: frozenset[int],
    ) -> None:
        """Try every way to go on from here: any lawful next stop, with any break before the drive to it."""
        if len(done) == len(self.rows):
            self._close(at, place, metres, price, rested)
            return
        for row in self._next(bag, done):
            end = getattr(self.requests[row[0]], row[1])
            leg = self._leg(place, end.place)
            if leg is None:
                continue
            size = self.requests[row[0]].size if row[1] == "pickup" else -self.requests[row[0]].size
            if row[1] == "pickup" and load + size > self.courier.capacity:
                continue
            for ready, after in self._rests(at, rested, drives=not done or place != end.place):
                paid = self._visit(row, end, ready + leg[0], price)
                if paid is not None:
                    depart, cost = paid
                    carried = bag | {row[0]} if row[1] == "pickup" else bag - {row[0]}
                    cost += self._drive(leg)
                    self.go(depart, end.place, load + size, metres + leg[1], cost, carried, (*done, row), after)

    def _next(self, bag: set[str], done: tuple[Action, ...]) -> Iterator[Action]:
        if len(done) < len(self.locked):
            yield self.locked[len(done)]
            return
        for row in self.rows:
            if row not in done and (row[1] == "pickup" or row[0] in bag):
                yield row

    def _rests(self, at: int, rested: frozenset[int], drives: bool) -> Iterator[tuple[int, frozenset[int]]]:
        yield at, rested
        if not drives:
            return
        for k, rest in enumerate(self.courier.breaks):
            start = max(at, rest.window[0])
            if k not in rested and start <= rest.window[1]:
                yield from self._rests(start + rest.duration_s, rested | {k}, drives)

    def _visit(self, row: Action, end: End, arrive: int, price: Number) -> tuple[int, Number] | None:
        windows, due = end.windows, end.due
        starts = [max(arrive, opens) for opens, closes in windows if max(arrive, opens) <= closes]
        if not starts or (self.problem.hard_due and due is not None and min(starts) > due):
            return None
        start = min(starts)
        depart = start + end.service_s
        weights = self.problem.weights
        price += weights.late_per_s * max(0, start - due) if due is not None else 0
        if row[1] == "delivery":
            first = min(opens for opens, _ in self.requests[row[0]].pickup.windows)
            price += weights.delivery_delay_per_s * (start - max(self.problem.now, first))
        return None if depart > self.courier.shift[1] else (depart, price)

    def _leg(self, origin: str, destination: str) -> tuple[int, int] | None:
        if origin == destination:
            return 0, 0
        i, j = self.places[origin], self.places[destination]
        seconds, metres = int(self.legs.seconds_matrix[i, j]), int(self.legs.metres_matrix[i, j])
        return None if seconds < 0 else (seconds, metres)

    def _drive(self, leg: tuple[int, int]) -> Number:
        return self.problem.weights.travel_per_s * leg[0] + self.problem.weights.distance_per_m * leg[1]

    def _close(self, at: int, place: str, metres: int, price: Number, rested: frozenset[int]) -> None:
        home = self.courier.end
        leg = (0, 0) if home is None else self._leg(place, home)
        if leg is None:
            return
        metres += leg[1]
        if self.courier.max_distance_m is not None and metres > self.courier.max_distance_m:
            return
        for ready, after in self._rests(at, rested, drives=home not in (None, place)):
            end_at = ready + leg[0]
            open_breaks = [b for k, b in enumerate(self.courier.breaks) if k not in after]
            if end_at <= self.courier.shift[1] and all(end_at < b.window[1] for b in open_breaks):
                total = price + self._drive(leg)
                self.best = total if self.best is None else min(self.best, total)
