"""Our own engine: put in, give up couriers while they are dear, then cool down; by the clock or by the count.

The loops themselves are compiled, see routing.kernel; here is the course of one search and its threads.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import numpy as np

from routing.cost import WarmPlaces
from routing.draft import Draft
from routing.engines import Limits
from routing.kernel.build import best_orders, case_of, orders_now, state_of
from routing.kernel.dealing import Part, deal
from routing.kernel.layout import BEST, BIG, BOUND, ELSEWHERE, FULL, LEFT_OUT, MOST_USED, USED, State
from routing.kernel.run import CLOSE_ONE, FILL, IMPROVE, START, run
from routing.model import Courier, End, MatrixTravel, Place, Problem, Request, Weights
from routing.view import Sequences, View

_ROOM = 60  # stops a route has room for at first
_BATCH_S = 0.02  # between two looks at the clock
_BATCH = 100  # iterations between two looks when the clock is not asked
_EPOCH = 20  # batches until the routes are dealt to the threads anew
_EPOCH_S = 0.5  # or so long
_ROUTES_PER_THREAD = 15  # a few single runs of a made province with 25 routes; not settled
_DEAR = 3.0  # a courier is dear when he costs so many requests


STARTS_EMPTY = True


def improve(view: View, start: Sequences, warm: WarmPlaces, limits: Limits) -> Sequences:
    """Return better orders than `start`; the search itself puts in what `start` leaves out."""
    if not view.problem.couriers or not view.problem.requests:
        return start
    search = Cooling(view, Draft(view, start, warm).sequences(), warm, limits)
    return search.run()


def prepare() -> None:
    """Load the compiled loops, or compile them where that has not been done: a tiny problem is solved."""
    ends = [End("a", ((0, 9),)), End("b", ((0, 9),), due=5)]
    problem = Problem(
        "first",
        (Place("a"), Place("b")),
        MatrixTravel([[0, 1], [2, 0]], [[0, 1], [2, 0]]),
        (Courier("c", "a", (0, 9), 1),),
        (Request("r", ends[0], ends[1]),),
        Weights(unserved=9, late_per_s=1, distance_per_m=1),
    )
    view = View(problem)
    improve(view, [[]], {}, Limits(lambda: False, False, lambda: None, 1, 2, lambda total: None))


@dataclass(frozen=True, slots=True)
class Course:
    """What can be set about a search; temperatures are shares of the mean price of a request's legs."""

    hot: float = 0.3
    cold: float = 0.003
    removed: float = 10.0  # stops taken out by one ruin, on average
    longest: int = 10  # stops of one string at most
    fleet_share: float = 0.4  # of the time, for serving all and giving up couriers
    warm_hot: float = 0.05  # where the search starts from a plan


class Cooling:
    """One search: a case, a state that may have to grow, and the clock."""

    def __init__(
        self, view: View, orders: Sequences, warm: WarmPlaces, limits: Limits, course: Course | None = None
    ) -> None:
        self.limits, self.course = limits, course or Course()
        self.case = case_of(view, warm, orders)
        self.dice = Random(limits.seed)
        self.room = max(_ROOM, 2 * max((len(order) for order in orders), default=0))
        self.started = any(orders)
        self.done = 0
        self.speed = 200.0  # iterations a second, at a guess
        placed = {stop // 2 for order in orders for stop in order if stop % 2}
        out = [r for r in np.flatnonzero(self.case.requests["out"]) if int(r) not in placed]
        self.lost = float(self.case.requests["price"][out].sum())  # what no search can place
        self.best_total = BIG * BIG
        self.best: Sequences = orders
        self.state = self._started(orders, None)
        self._keep()
        self.began_s = limits.remaining_s() or 0.0

    def run(self) -> Sequences:
        """Search until the limits end it; return the best orders of stops."""
        for way in (5, 4):
            self._fill(way)
        self.began_s = self.limits.remaining_s() or 0.0
        self._serve_with_fewer()
        self.limits.left_out(int(self.state.counts[LEFT_OUT]))
        self._cool()
        return self.best

    def _started(self, orders: Sequences, old: State | None, only: Sequences | None = None) -> State:
        """Return a state standing at `orders`, with the memory of an old one."""
        state = state_of(self.case, orders, self.dice.getrandbits(60), self.room)
        self._do(state, START)
        if old is not None:
            state.misses[:] = old.misses
            state.counts[MOST_USED] = old.counts[MOST_USED]
        return state

    def _do(
        self, state: State, task: int, number: int = 0, hot: float = 1.0, cold: float = 1.0, must: bool = False
    ) -> int:
        course = self.course
        return int(run(self.case, state, task, number, hot, cold, course.removed, course.longest, must))

    def _keep(self) -> None:
        """Take the state's best plan over if it is the best so far."""
        total = float(self.state.sums[BEST]) + self.lost
        if total < self.best_total - 1e-12 * abs(total):
            self.best_total, self.best = total, best_orders(self.state)
            if total < BOUND / 2:
                self.limits.found(total + 1e-9 * abs(total))  # the evaluator's own sum may differ in the last digit

    def _grow(self) -> None:
        """Give every route twice the room."""
        self._keep()
        self.room *= 2
        self.state = self._started(orders_now(self.state), self.state)

    def _fill(self, way: int) -> None:
        while self.state.counts[LEFT_OUT]:
            self._do(self.state, FILL, way)
            if not self.state.counts[FULL]:
                break
            self._grow()
        self._keep()

    def share(self) -> float:
        """Return how much of the search is over, from 0 to 1."""
        if self.limits.iterations is not None:
            return min(1.0, self.done / self.limits.iterations)
        left = self.limits.remaining_s()
        return 1.0 if not left or left <= 0 or self.began_s <= 0 else max(0.0, 1.0 - left / self.began_s)

    def over(self) -> bool:
        """Say whether the search must end."""
        return self.share() >= 1.0 or self.limits.should_stop()

    def _batch_size(self) -> int:
        if self.limits.iterations is not None:
            return max(1, min(_BATCH, self.limits.iterations - self.done))
        return max(1, int(self.speed * min(_BATCH_S, self.limits.remaining_s() or 0.0)))

    def _batch(self, temperature: float, must: bool) -> None:
        began = time.perf_counter()
        made = self._do(self.state, IMPROVE, self._batch_size(), temperature, temperature, must)
        self.done += made
        self.speed = 0.5 * self.speed + 0.5 * made / max(1e-6, time.perf_counter() - began)
        self._keep()
        if self.state.counts[FULL]:
            self._grow()

    def _scale(self) -> float:
        """Return the mean price of the legs of a request."""
        served = max(1, int((self.state.courier_of[1::2] >= 0).sum()))
        legs = float(self.state.routes["price"].sum()) - self.case.opening * int(self.state.counts[USED])
        return max(1e-6, legs / served)

    def _serve_with_fewer(self) -> None:
        """While requests are left out, or couriers are dear: look for a plan that serves all, then with one less."""
        scale = self._scale()
        dear = self.case.opening > _DEAR * scale
        temperature = self.course.hot * scale
        while (self.state.counts[LEFT_OUT] or dear) and self.share() < self.course.fleet_share and not self.over():
            if not self.state.counts[LEFT_OUT] and not self._do(self.state, CLOSE_ONE):
                break
            self._batch(temperature, True)
        if self.state.counts[LEFT_OUT] or dear:
            self.state = self._started(self.best, None)

    def _cool(self) -> None:
        first, scale = self.share(), self._scale()
        hot = self.course.warm_hot if self.started else self.course.hot
        threads = self.limits.threads if self.case.balance == 0.0 else 1
        while not self.over():
            at = (self.share() - first) / max(1e-9, 1.0 - first)
            temperature = hot * scale * (self.course.cold / hot) ** at
            if threads > 1 and int(self.state.counts[USED]) >= _ROUTES_PER_THREAD * threads:
                self._epoch(threads, temperature)
            else:
                self._batch(temperature, False)

    def _epoch(self, threads: int, temperature: float) -> None:
        """Deal the routes to the threads by neighbourhood and let each improve its own for a while."""
        parts = deal(self.case, self.state, threads, self.dice)
        states = [self._part(part) for part in parts]
        began = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            made = list(pool.map(lambda state: self._stretch(state, temperature), states))
        self.done += sum(made)
        self.speed = 0.5 * self.speed + 0.5 * sum(made) / threads / max(1e-6, time.perf_counter() - began)
        full = any(state.counts[FULL] for state in states)
        now: Sequences = [[] for _ in self.best]
        best: Sequences = [[] for _ in self.best]
        total = self.lost
        for part, state in zip(parts, states, strict=True):
            here, cheapest = orders_now(state), best_orders(state)
            total += float(state.sums[BEST])
            for c in part.couriers:
                now[c], best[c] = here[c], cheapest[c]
        if total < self.best_total - 1e-12 * abs(total) and total < BOUND / 2:
            self.best_total, self.best = total, best
            self.limits.found(total + 1e-9 * abs(total))
        self.room *= 2 if full else 1
        self.state = self._started(now, self.state)

    def _part(self, part: Part) -> State:
        """Return a state that knows the couriers and requests of one part only."""
        mine = set(part.couriers)
        orders = [order if c in mine else [] for c, order in enumerate(orders_now(self.state))]
        state = state_of(self.case, orders, self.dice.getrandbits(60), self.room)
        closed = np.ones(len(orders), dtype=bool)
        closed[part.couriers] = False
        state.routes["closed"] = closed
        state.left_out_at[:] = ELSEWHERE
        served = [stop // 2 for order in orders for stop in order if stop % 2]
        state.left_out_at[served + part.left_out] = -1
        self._do(state, START)
        return state

    def _stretch(self, state: State, temperature: float) -> int:
        """Improve one part for an epoch; called in a thread of its own."""
        made = 0
        until = time.perf_counter() + _EPOCH_S
        for _ in range(_EPOCH):
            if self.limits.iterations is not None:
                made += self._do(state, IMPROVE, _BATCH, temperature, temperature)
            else:
                count = max(1, int(self.speed * min(_BATCH_S, self.limits.remaining_s() or 0.0)))
                made += self._do(state, IMPROVE, count, temperature, temperature)
            if state.counts[FULL] or self.over() or (self.limits.iterations is None and time.perf_counter() >= until):
                break
        return made
