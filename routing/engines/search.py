"""Our own engine: put in, give up couriers while they are dear, cool down, then rebuild a few routes at a time.

The loops are compiled, see routing.kernel; here is the course of one search and its threads. A plan cools as a whole
by simulated annealing; what that leaves is found by bursts: two to four neighbouring routes, often emptied first, are
searched hot to cold for themselves and kept if cheaper. Neither depends on the clock when iterations are the limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import numpy as np

from routing.cost import WarmPlaces, evaluate
from routing.draft import Draft
from routing.engines import Limits
from routing.kernel.build import case_of
from routing.kernel.clock import Clock, Stretch
from routing.kernel.dealing import Part, deal, neighbours, part_of
from routing.kernel.layout import BOUND, Ints
from routing.kernel.walk import Walk
from routing.model import Courier, End, MatrixTravel, Place, Problem, Request, Weights
from routing.timing import Fault
from routing.view import Sequences, View

_FILLED_IN = (5, 4)  # orders of putting in at the start, see routing.kernel.recreate.sort_work
_DEAR = 3.0  # a courier is dear when he costs as much as so many requests
_FIRST_S = 0.5  # the first plan may take, however late it is
_WIDE = 40  # routes looked at near each end while all must be served
_LOOKS = 3  # batches until the speed is known
_EPOCH_S, _EPOCH = 2.0, 2000  # until the routes are dealt to the threads anew, in seconds or iterations
_ROUTES_PER_THREAD = 15  # with fewer the threads would be in each other's way
_MUST_SHARE = 0.7  # of a stretch may pass until a plan built anew serves all
_MUST_BATCHES, _MUST_BATCH = 20, 100  # for a burst that much
_ROUND_THE_LEFT_OUT, _WITH_IDLE = 0.5, 0.3  # shares of the bursts

STARTS_EMPTY = True


def improve(view: View, start: Sequences, warm: WarmPlaces, limits: Limits) -> Sequences:
    """Return better orders than `start`; the search itself puts in what `start` leaves out."""
    if not view.problem.couriers or not view.problem.requests:
        return start
    return Search(view, Draft(view, start, warm).sequences(), warm, limits).run()


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
    improve(View(problem), [[]], {}, Limits(lambda: False, False, lambda: None, 1, 2, lambda total: None))


@dataclass(frozen=True, slots=True)
class Course:
    """What can be set about a search. Temperatures are shares of the mean price of a request's legs."""

    hot: float = 1.5
    hot_warm: float = 1.0  # where the search starts from a plan
    cold: float = 0.05
    fleet_share: float = 0.75  # of the time at most, for serving all and giving up couriers
    patience: float = 800.0  # iterations per request without progress that end it
    plenty: float = 200.0  # iterations per request from which on the whole cools in a share of the time, then bursts
    starts: int = 1
    start_share: float = 0.4
    fresh: float = 0.8  # share of the bursts that empty their routes first
    round_the_new: float = 0.5  # share of the bursts near what the plan it starts from does not know
    burst_stops: int = 200
    burst: float = 0.1  # iterations for each request of a burst, as a share of those left for each request
    burst_least: float = 30.0
    burst_most: float = 100.0
    last_share: float = 0.1  # of the time, for cooling the whole once more
    again: float = 0.1  # from this temperature on


PLAIN = Course()
# From a plan in force most is as it should be: little for the whole, many short bursts, mostly near what is new.
WARM = Course(plenty=20.0, start_share=0.2, burst_least=20.0, round_the_new=0.75)
# Where no detour is worth one more courier, plans change in leaps only: hotter, from two starts, and the more bursts.
FEW = Course(hot=3.0, starts=2, start_share=0.2)


class Search:
    """One search: the clock, the walk through the whole case, and the best plan met anywhere."""

    def __init__(
        self, view: View, orders: Sequences, warm: WarmPlaces, limits: Limits, course: Course | None = None
    ) -> None:
        self.view, self.warm = view, warm
        self.limits, self.asked, self.course = limits, course, course or (WARM if any(orders) else PLAIN)
        self.clock = Clock(limits.iterations, limits.remaining_s, limits.should_stop)
        self.case = case_of(view, warm, orders)
        self.dice = Random(limits.seed)
        self.threads = limits.threads if self.case.balance == 0.0 else 1
        self.started = any(orders)
        known = {stop for order in orders for stop in order}
        self.new = [s for s in range(len(self.case.stops)) if self.started and s not in known]  # the plan lacks these
        placed = {stop // 2 for order in orders for stop in order if stop % 2}
        out = [r for r in np.flatnonzero(self.case.requests["out"]) if int(r) not in placed]
        self.lost = float(self.case.requests["price"][out].sum())  # what no search can place
        self.total, self.best = float("inf"), orders
        self.most_used: int | None = None
        self.walk = Walk(self.case, orders, Random(limits.seed))
        self._take(self.walk)

    def run(self) -> Sequences:
        """Search until the limits end it; return the best orders of stops."""
        until = time.monotonic() + _FIRST_S  # a plan without anybody in it helps nobody
        for way in _FILLED_IN:
            self.walk.fill(way, lambda: self.limits.should_stop() and time.monotonic() >= until)
        self._take(self.walk)
        self.clock.begin()
        self._serve_with_fewer()
        self.limits.left_out(len(self.walk.left_out))
        with ThreadPoolExecutor(self.threads) as self.pool:
            self._cool()
        return self.best

    def _take(self, walk: Walk) -> None:
        """Take a walk's best plan of the whole over if it is the best so far."""
        self._found(walk.total + self.lost, walk.best)

    def _found(self, total: float, orders: Sequences) -> None:
        if self.case.balance and total < BOUND / 2:
            # Where two ways of timing a route cost the same, the evaluator may choose a longer or a shorter one.
            real = evaluate(self.view, orders, self.warm)
            if isinstance(real, Fault):
                return
            total = float(real.cost.total)
        if total < self.total - 1e-12 * (abs(total) % BOUND):
            self.total, self.best = total, orders
            if total < BOUND / 2:
                self.limits.found(total + 1e-9 * abs(total))  # the evaluator's own sum may differ in the last digit

    def _stand(self, orders: Sequences, part: Part | None = None, most_used: int | None = None) -> Walk:
        """Return a new walk from these orders."""
        return Walk(self.case, orders, Random(self.dice.getrandbits(60)), part, most_used)

    def _serve_with_fewer(self) -> None:
        """While requests are left out, or couriers are dear: look for a plan that serves all, then with one less."""
        walk, opening = self.walk, self.case.opening
        walk.case = walk.case._replace(routes_per_end=_WIDE)
        temperature = walk.scale()
        dear = opening > _DEAR * temperature
        patience, since, fewest = self.course.patience * len(self.case.requests), 0, len(walk.left_out)
        stretch = self.clock.until(self.course.fleet_share)
        while (fewest or dear) and since < patience and stretch.at() < 1.0:
            if not fewest:
                since = 0
                if not walk.close_one():
                    break
            fewest = len(walk.left_out)
            made, better = walk.improve(stretch.batch(), temperature, must=True)
            stretch.add(made)
            self.clock.done += made
            since = 0 if len(walk.left_out) < fewest and not dear else since + made
            fewest = len(walk.left_out)
            if better:
                self._take(walk)
        if opening and opening >= walk.legs_price():  # then no detour is worth one more courier
            self.most_used = sum(map(bool, walk.best))
            self.course = self.asked or FEW
        self.walk = self._stand(walk.best, None, self.most_used)

    def _cool(self) -> None:
        """Bring the whole from hot to cold; with time enough from several starts, and then by bursts."""
        course, scale, first = self.course, self.walk.scale(), self.clock.share()
        self.scale, cold = scale, course.cold * scale
        self.hot = (course.hot_warm if self.started else course.hot) * scale
        for _ in range(_LOOKS if self.limits.iterations is None else 0):
            looks = self.clock.count(1000)
            looks.add(self.walk.improve(looks.batch(), cold)[0])
        left = self.clock.iterations_left() * self.threads / len(self.case.requests)
        if left < course.plenty:
            self._anneal_whole(self.clock.until(1.0), self.hot, cold)
            return
        self.burst = min(course.burst_most, max(course.burst_least, course.burst * left))
        until = first + course.start_share * (1.0 - first)
        if course.starts > 1:
            self._start_often(until)
        else:
            self._anneal_whole(self.clock.until(until), self.hot, cold)
        self.hot = course.hot * scale
        self._burst(1.0 - course.last_share)
        self._anneal_whole(self.clock.until(1.0), course.again * scale, cold)

    def _anneal(self, walk: Walk, stretch: Stretch, hot: float, cold: float) -> None:
        """Search on from hot to cold for a stretch."""
        while (at := stretch.at()) < 1.0:
            made, _ = walk.improve(stretch.batch(), hot * (cold / hot) ** at)
            stretch.add(made)

    def _anneal_whole(self, stretch: Stretch, hot: float, cold: float) -> None:
        """Search on from hot to cold with all threads, telling of every better plan."""
        while (at := stretch.at()) < 1.0:
            temperature = hot * (cold / hot) ** at
            if self.threads > 1 and self.walk.used >= _ROUTES_PER_THREAD * self.threads:
                stretch.made += self._epoch(temperature)
                continue
            made, better = self.walk.improve(stretch.batch(), temperature)
            stretch.add(made)
            self.clock.done += made
            if better:
                self._take(self.walk)

    def _epoch(self, temperature: float) -> int:
        """Deal the routes to the threads by neighbourhood and let each improve its own for a while."""
        now, best = self.walk.now(), list(self.best)
        parts = deal(self.case, now, self.walk.left_out, self.threads, self.dice)
        walks = [self._part(now, part) for part in parts]
        if self.limits.iterations is None:
            until = self.clock.share() + _EPOCH_S / max(self.clock.began_s, _EPOCH_S)
            stretches = [self.clock.until(until) for _ in parts]
        else:
            stretches = [self.clock.count(_EPOCH) for _ in parts]

        self._side_by_side(
            lambda walk, stretch: self._anneal(walk, stretch, temperature, temperature), walks, stretches
        )
        for walk, part in zip(walks, parts, strict=True):
            here = walk.now()
            for c in part.couriers:
                now[c], best[c] = here[c], walk.best[c]
        self._found(sum(walk.total for walk in walks) + self.lost, best)
        self.walk = self._stand(now, None, self.most_used)
        return sum(stretch.made for stretch in stretches)

    def _part(self, orders: Sequences, part: Part) -> Walk:
        """Return a walk that knows the couriers and requests of one part only."""
        mine: Sequences = [[] for _ in orders]
        for c in part.couriers:
            mine[c] = orders[c]
        return self._stand(mine, part, None if self.most_used is None else sum(map(bool, mine)))

    def _emptied(self, orders: Sequences) -> Sequences:
        """Return the locked stops only."""
        fixed: list[int] = self.case.couriers["fixed"].tolist()
        return [order[:count] for order, count in zip(orders, fixed, strict=True)]

    def _start_often(self, until: float) -> None:
        """Cool several plans, all but the first built anew where couriers are few, and go on with the cheapest."""
        base, first = self.walk.best, self.clock.share()
        walks = [
            self._stand(self._emptied(base) if k and self.most_used else base, None, self.most_used)
            for k in range(self.course.starts)
        ]
        for k in range(0, len(walks), self.threads):
            now = walks[k : k + self.threads]
            last = first + (until - first) * (k + len(now)) / len(walks)
            stretches = [self.clock.until(last, len(now)) for _ in now]
            self._side_by_side(self._one_start, now, stretches)
        self.walk = self._stand(min(walks, key=lambda walk: walk.total).best, None, self.most_used)
        self._take(self.walk)

    def _one_start(self, walk: Walk, stretch: Stretch) -> None:
        if walk.left_out:
            walk.fill(0, self.limits.should_stop)
        while walk.left_out and self.most_used and stretch.at() < _MUST_SHARE:
            stretch.add(walk.improve(stretch.batch(), self.scale, must=True)[0])
        self._anneal(walk, stretch, self.hot, self.course.cold * self.scale)

    def _burst(self, until: float) -> None:
        """Search a few neighbouring routes for themselves, others on each thread, and keep what got cheaper."""
        orders, total = list(self.walk.best), self.walk.total + self.lost
        self.left_out = set(self.walk.left_out)
        courier_of = np.full(len(self.case.stops), -1, dtype=np.int32)
        for c, order in enumerate(orders):
            courier_of[order] = c
        while self.clock.share() < until and not self.clock.over():
            parts = self._neighbourhoods(orders, courier_of)
            if not parts:
                return
            walks = [self._part(orders, part) for part in parts]
            before = [walk.total for walk in walks]
            fresh = [self.dice.random() < self.course.fresh for _ in walks]
            stretches = [self.clock.count(round(self.burst * len(part.requests))) for part in parts]
            self._side_by_side(self._one_burst, walks, stretches, fresh)
            for walk, part, known in zip(walks, parts, before, strict=True):
                if walk.total < known - 1e-9 * abs(known):
                    total += walk.total - known
                    for c in part.couriers:
                        orders[c] = walk.best[c]
                        courier_of[orders[c]] = c
                    self.left_out -= {stop // 2 for c in part.couriers for stop in orders[c]}
                    self.left_out |= set(part.requests) - {stop // 2 for c in part.couriers for stop in orders[c]}
            self._found(total, list(orders))
        self.walk = self._stand(orders, None, self.most_used)
        self._take(self.walk)

    def _neighbourhoods(self, orders: Sequences, courier_of: Ints) -> list[Part]:
        """Return for each thread some routes that lie together, at times with an idle courier or a request left out."""
        parts, taken, out = list[Part](), set[int](), sorted(self.left_out)
        idle = [c for c, order in enumerate(orders) if not order] if self.most_used is None else []
        served: list[int] = np.flatnonzero(courier_of >= 0).tolist()
        for _ in range(self.threads if served else 0):
            asked = [out.pop(self.dice.randrange(len(out)))] if out and self.dice.random() < _ROUND_THE_LEFT_OUT else []
            around = self.new if self.new and self.dice.random() < self.course.round_the_new else served
            stop = 2 * asked[0] if asked else self.dice.choice(around)
            couriers = neighbours(self.case, orders, courier_of, stop, taken, self.course.burst_stops, self.dice)
            taken.update(couriers)
            if idle and self.dice.random() < _WITH_IDLE:
                couriers.append(idle.pop(self.dice.randrange(len(idle))))
            if couriers:
                parts.append(part_of(self.case, orders, sorted(couriers), asked))
        return parts

    def _one_burst(self, walk: Walk, stretch: Stretch, fresh: bool) -> None:
        if fresh:
            walk.stand(self._emptied(walk.best))
            walk.fill(0, self.limits.should_stop)
            for _ in range(_MUST_BATCHES):
                if not walk.left_out or self.clock.over():
                    break
                walk.improve(_MUST_BATCH, self.scale, must=True)
        self._anneal(walk, stretch, self.hot, self.course.cold * self.scale)

    def _side_by_side(
        self, work: Callable[..., None], walks: list[Walk], stretches: list[Stretch], *more: list[bool]
    ) -> None:
        """Do the work with every walk, on as many threads; count the iterations when all are done."""
        if len(walks) > 1 and self.pool:
            list(self.pool.map(work, walks, stretches, *more))
        else:
            for arguments in zip(walks, stretches, *more, strict=True):
                work(*arguments)
        self.clock.done += sum(stretch.made for stretch in stretches)
