"""A problem in numbers: what every loop over stops reads. Stop 2·r is the pickup of request r, 2·r+1 its delivery."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from routing.legs import Legs
from routing.model import Courier, End, Kind, Number, Plan, Problem, Request, Window

NEVER = 2**60
Sequences = list[list[int]]  # one list of stops per courier, in the problem's order of couriers


def pickup(request: int) -> int:
    """Return the stop number of a request's pickup."""
    return 2 * request


def delivery(request: int) -> int:
    """Return the stop number of a request's delivery."""
    return 2 * request + 1


def merged(windows: Sequence[Window]) -> list[Window]:
    """Return the windows in time order, joined where no second lies between them."""
    joined: list[Window] = []
    for opens, closes in sorted(windows):
        if joined and opens <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1]))
        else:
            joined.append((opens, closes))
    return joined


class View:
    """One problem compiled for loops; `legs` may be handed on from a problem with the same places and travel."""

    def __init__(self, problem: Problem, legs: Legs | None = None) -> None:
        self.problem = problem
        self.weights = problem.weights
        self.legs = legs or Legs(problem)
        self.place_of = self.legs.place_of
        self.courier_of = {courier.id: index for index, courier in enumerate(problem.couriers)}
        self.request_of = {request.id: index for index, request in enumerate(problem.requests)}
        self._compile_couriers()
        self._compile_stops()
        self._compile_bonds()

    def _compile_couriers(self) -> None:
        couriers = self.problem.couriers
        self.start = [self.place_of[c.start] for c in couriers]
        self.end = [None if c.end is None else self.place_of[c.end] for c in couriers]
        self.earliest = [self._earliest(c) for c in couriers]
        self.shift_end = [c.shift[1] for c in couriers]
        self.capacity = [c.capacity for c in couriers]
        self.max_m = [NEVER if c.max_distance_m is None else c.max_distance_m for c in couriers]
        # In order of closing: whoever ends his route before the first needs none of the later ones either.
        self.breaks = [
            sorted(((*b.window, b.duration_s) for b in c.breaks), key=lambda b: (b[1], b[0])) for c in couriers
        ]

    def _earliest(self, courier: Courier) -> int:
        soonest = max(self.problem.now, courier.shift[0])
        return soonest if courier.available_at is None else max(soonest, courier.available_at)

    def _compile_stops(self) -> None:
        weights = self.weights
        self.place: list[int] = []
        self.windows: list[list[Window]] = []
        self.due: list[int] = []
        self.service: list[int] = []
        self.load: list[int] = []  # change of load at the stop
        self.delay_weight: list[Number] = []
        self.release: list[int] = []  # from when the wait for the delivery counts
        for request in self.problem.requests:
            release = max(self.problem.now, min(opens for opens, _ in request.pickup.windows))
            for end, sign in ((request.pickup, 1), (request.delivery, -1)):
                self.place.append(self.place_of[end.place])
                self.windows.append(self._hard_windows(end))
                self.due.append(NEVER if end.due is None else end.due)
                self.service.append(end.service_s)
                self.load.append(sign * request.size)
                self.delay_weight.append(0 if sign > 0 else weights.delivery_delay_per_s)
                self.release.append(release)
        self.opens = [w[0][0] for w in self.windows]
        self.closes = [w[-1][1] for w in self.windows]
        self.has_gaps = [len(w) > 1 for w in self.windows]

    def _hard_windows(self, end: End) -> list[Window]:
        windows = merged(end.windows)
        if self.problem.hard_due and end.due is not None:
            windows = [(opens, min(closes, end.due)) for opens, closes in windows if opens <= end.due]
        return windows or [(NEVER, -NEVER)]

    def _compile_bonds(self) -> None:
        """Fill who may take which request: `bound` is the one courier who must (on board or locked), or None."""
        problem = self.problem
        self.on_board: list[list[int]] = []
        self.locked: list[list[int]] = []
        self.carried = [False] * len(problem.requests)  # already collected
        self.pledged: set[int] = set()  # locked stops
        self.bound: list[int | None] = [None] * len(problem.requests)
        for index, courier in enumerate(problem.couriers):
            aboard = [self.request_of[name] for name in courier.on_board]
            stops = [self.stop(lock.request, lock.kind) for lock in courier.locked]
            for request in aboard:
                self.carried[request] = True
            for request in aboard + [stop // 2 for stop in stops]:
                self.bound[request] = index
            self.on_board.append(aboard)
            self.locked.append(stops)
            self.pledged.update(stops)
        self.load0 = [sum(problem.requests[r].size for r in aboard) for aboard in self.on_board]
        able: dict[tuple[str | None, frozenset[str]], list[int]] = {}  # equal wishes share one list
        self.allowed: list[list[int]] = []
        for index, wanted in enumerate(problem.requests):
            wish = (wanted.only_courier, wanted.skills)
            if self.bound[index] is None and wish not in able:
                able[wish] = self._allowed(index)
            self.allowed.append(able[wish] if self.bound[index] is None else self._allowed(index))

    def _allowed(self, request: int) -> list[int]:
        bound = self.bound[request]
        if bound is not None:
            return [bound]
        wanted = self.problem.requests[request]
        return [
            index
            for index, courier in enumerate(self.problem.couriers)
            if wanted.only_courier in (None, courier.id) and wanted.skills <= courier.skills
        ]

    def with_request(self, index: int, changed: Request) -> View:
        """Return this view with other hours, dues, skills or bounds of one request; places and size stay."""
        requests = self.problem.requests
        other = copy(self)
        other.problem = replace(self.problem, requests=(*requests[:index], changed, *requests[index + 1 :]))
        other.windows, other.opens, other.closes = self.windows.copy(), self.opens.copy(), self.closes.copy()
        other.has_gaps, other.due = self.has_gaps.copy(), self.due.copy()
        for stop, end in ((pickup(index), changed.pickup), (delivery(index), changed.delivery)):
            windows = self._hard_windows(end)
            other.windows[stop], other.has_gaps[stop] = windows, len(windows) > 1
            other.opens[stop], other.closes[stop] = windows[0][0], windows[-1][1]
            other.due[stop] = NEVER if end.due is None else end.due
        other.allowed = self.allowed.copy()
        other.allowed[index] = other._allowed(index)
        return other

    def with_courier(self, index: int, changed: Courier) -> View:
        """Return this view with another shift, capacity, breaks, limit or load of one courier; requests keep theirs."""
        couriers = self.problem.couriers
        other = copy(self)
        other.problem = replace(self.problem, couriers=(*couriers[:index], changed, *couriers[index + 1 :]))
        other._compile_couriers()
        other.on_board, other.locked, other.load0 = self.on_board.copy(), self.locked.copy(), self.load0.copy()
        other.on_board[index] = [self.request_of[name] for name in changed.on_board]
        other.locked[index] = [self.stop(lock.request, lock.kind) for lock in changed.locked]
        other.load0[index] = sum(self.problem.requests[r].size for r in other.on_board[index])
        return other

    def stop(self, request_id: str, kind: Kind) -> int:
        """Return the stop number of one end of a named request."""
        return 2 * self.request_of[request_id] + (kind == "delivery")

    def stops_of(self, request: int) -> list[int]:
        """Return the stops still free to be placed: the pair, the delivery alone, or none of them."""
        if delivery(request) in self.pledged:
            return []
        if self.carried[request] or pickup(request) in self.pledged:
            return [delivery(request)]
        return [pickup(request), delivery(request)]

    def price(self, request: int) -> Number:
        """Return what leaving a request unserved costs."""
        return self.weights.unserved * self.problem.requests[request].priority

    def sequences_of(self, plan: Plan) -> Sequences:
        """Return a plan's orders of stops, without what this problem does not know."""
        orders: Sequences = [[] for _ in self.problem.couriers]
        for route in plan.routes:
            courier = self.courier_of.get(route.courier)
            if courier is not None:
                known = (row for row in route.stops if row.request in self.request_of)
                orders[courier] = [self.stop(row.request, row.kind) for row in known]
        return orders
