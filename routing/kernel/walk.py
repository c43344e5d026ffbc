"""A plan on its way through a case: what stands now, the cheapest so far, and room that grows when a route is full."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from routing.kernel.build import best_orders, orders_now, state_of
from routing.kernel.dealing import Part
from routing.kernel.layout import BEST, FULL, LEFT_OUT, MOST_USED, OPENING, STOPS, USED, Case
from routing.kernel.run import CLOSE_ONE, FILL, IMPROVE, LINE_UP, START, run
from routing.view import Sequences

_ROOM = 60  # stops a route has room for at first
_FILL_S = 0.02  # between two looks at the clock
_ALL = 10**9
_ATTENTIVE = 281462957182404545  # dice that say 870 times in a row that nothing is overlooked
_REMOVED, _LONGEST = 10.0, 10  # stops one ruin takes out on average, and of one string at most


class Walk:
    """One search over a case or over a part of it. `dear` makes every courier free but allows only those in use."""

    def __init__(
        self, case: Case, orders: Sequences, dice: Random, part: Part | None = None, most_used: int | None = None
    ) -> None:
        self.case, self.part, self.dice = case, part, dice
        self.most_used = most_used
        self.room = max(_ROOM, 2 * max((len(order) for order in orders), default=0))
        self.total, self.best = float("inf"), orders
        self.stand(orders)
        self._keep()

    def stand(self, orders: Sequences) -> None:
        """Go on from these orders; what is known to be best stays."""
        self.state = state_of(self.case, orders, self.dice.getrandbits(60), self.room, self.part)
        if self.most_used is not None:
            self.state.counts[MOST_USED] = self.most_used
            self.state.sums[OPENING] = 0.0
        self._do(START)

    def _do(self, task: int, number: int = 0, temperature: float = 0.0, must: bool = False) -> int:
        return int(run(self.case, self.state, task, number, temperature, _REMOVED, _LONGEST, must))

    def _keep(self) -> bool:
        """Take the cheapest orders over if they are better than those known; return whether they are."""
        total = float(self.state.sums[BEST])
        better = total < self.total - 1e-12 * abs(total)
        if better:
            self.total, self.best = total, best_orders(self.state)
        return better

    def _make_room(self) -> None:
        """Give every route twice the room if one was full."""
        if self.state.counts[FULL]:
            old = self.state
            self.room *= 2
            self.stand(orders_now(old))
            self.state.misses[:] = old.misses
            self.state.counts[MOST_USED] = old.counts[MOST_USED]

    @property
    def left_out(self) -> list[int]:
        """The requests in no route."""
        out: list[int] = self.state.left_out[: self.state.counts[LEFT_OUT]].tolist()
        return out

    @property
    def used(self) -> int:
        """How many couriers have stops."""
        return int(self.state.counts[USED])

    def legs_price(self) -> float:
        """Return the price of the routes as they stand, without what a courier costs."""
        return float(self.state.routes["price"].sum()) - float(self.state.sums[OPENING]) * self.used

    def scale(self) -> float:
        """Return the mean price of the legs of a request that is served."""
        return max(1e-6, self.legs_price() / max(1, int(self.state.counts[STOPS]) / 2))

    def now(self) -> Sequences:
        """Return the orders of stops as they stand."""
        return orders_now(self.state)

    def fill(self, way: int, over: Callable[[], bool]) -> None:
        """Put in what is left out, each where it adds least, in one order (see routing.kernel.recreate.sort_work)."""
        rest, many = self._do(LINE_UP, way), 10
        while rest and not over():
            began = time.perf_counter()
            rest = self._do(FILL, many)
            if time.perf_counter() - began < _FILL_S:
                many *= 2
            self._keep()
            if self.state.counts[FULL]:
                self._make_room()
                rest = self._do(LINE_UP, way)

    def improve(self, iterations: int, temperature: float, must: bool = False) -> tuple[int, bool]:
        """Search on; return (iterations made, whether a better plan was found). With `must` all are to be served."""
        made = self._do(IMPROVE, iterations, temperature, must)
        better = self._keep()
        self._make_room()
        return made, better

    def close_one(self) -> bool:
        """Give up one courier for good, its requests left out; return whether there was one."""
        return bool(self._do(CLOSE_ONE))


def best_place(case: Case, orders: Sequences, request: int) -> tuple[int, list[int], float] | None:
    """Return (courier, his order with a request in it, what his route gets dearer by) where that is least, or None.

    None when no place is worth the request's price. Every courier is looked at; what else is left out stays so.
    """
    alone = Part(list(range(len(orders))), [request])
    walk = Walk(case._replace(all_routes=_ALL), orders, Random(0), alone)
    before = walk.state.routes["price"].copy()
    walk.state.dice[0] = _ATTENTIVE
    walk.fill(0, lambda: False)
    courier = int(walk.state.courier_of[2 * request + 1])
    if courier < 0:
        return None
    route = walk.state.routes[courier]
    order: list[int] = walk.state.rows[courier, : route["count"]]["stop"].tolist()
    return courier, order, float(route["price"] - before[courier])
