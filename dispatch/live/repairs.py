"""Ways to keep a promise that is in danger, each tried for real: who takes it, and what that costs the others.

Rounds are orders of stops of a routing problem. A repair is measured by timing every round that it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Literal

from routing.insertion import Spot, Trip, UndriveableError, best_spot, put
from routing.timing import Fault, Timing, time_route
from routing.view import Sequences, View, delivery, pickup

LATER_S = 60
"""A stop that starts less than this later counts as not disturbed."""
_AHEAD = 6
"""How many of the stops ahead are tried elsewhere one by one; half as many in pairs."""

Kind = Literal["give", "earlier", "swap", "ask_earlier", "pause"]
"""What an offer does; a pause changes no round."""
Orders = dict[int, list[int]]
"""New orders of stops, by courier."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One way: the new rounds, when the wanted request is collected, and the price for others.

    `slack_s` is what is left of its promise then (negative: late by so much), `tight` says that it is less than plans
    keep in hand. `later` are other requests with a stop that starts later, with how many seconds; `broken` those whose
    promise was kept before and is not any more; `extra_m` metres ridden in addition.
    """

    kind: Kind
    courier: int
    orders: Orders
    start_s: int
    slack_s: int
    tight: bool
    later: Mapping[int, int]
    broken: tuple[int, ...]
    extra_m: int

    @property
    def in_time(self) -> bool:
        """Whether the promise is kept."""
        return self.slack_s >= 0

    @property
    def clean(self) -> bool:
        """Whether it is kept and no other promise is broken for it."""
        return self.in_time and not self.broken

    @property
    def rank(self) -> tuple[int, ...]:
        """Best first: in time with no promise broken, then in time, then late; then the least harm, then metres."""
        tier = 0 if self.clean else 1 if self.in_time else 2
        late_s, most_s = max(0, -self.slack_s), max(self.later.values(), default=0)
        return tier, len(self.broken), int(self.tight), late_s, most_s, len(self.later), self.extra_m


@dataclass(frozen=True)
class Situation:
    """Rounds as they stand and a request in danger.

    `wide` is the same problem with every limit opened, to time rounds that break one. `due` holds, for each request
    that waits, the second its collection is promised; `margin_s` is what plans keep in hand of it. `holder` has the
    wanted request in his round, None where nobody.
    """

    view: View
    wide: View
    orders: Sequences
    wanted: int
    due: Sequence[int | None]
    holder: int | None
    margin_s: int = 600

    @cached_property
    def timings(self) -> list[Timing | Fault]:
        """The rounds as they stand in time, with their limits where they keep them."""
        return [
            time_route(self.view if self.sound[courier] else self.wide, courier, order)
            for courier, order in enumerate(self.orders)
        ]

    @cached_property
    def sound(self) -> list[bool]:
        """Which rounds keep every limit as they stand."""
        return [isinstance(time_route(self.view, c, order), Timing) for c, order in enumerate(self.orders)]

    @cached_property
    def start_s(self) -> int | None:
        """When the wanted request is collected as things stand; None where nobody is to."""
        if self.holder is None:
            return None
        timing = self.timings[self.holder]
        order = self.orders[self.holder]
        assert isinstance(timing, Timing)
        return timing.start[order.index(pickup(self.wanted))]

    @cached_property
    def rest(self) -> list[Trip | None]:
        """Every round without the wanted request; None for one that breaks a limit even so."""
        return [self.trip(c, [s for s in order if s // 2 != self.wanted]) for c, order in enumerate(self.orders)]

    def trip(self, courier: int, order: list[int]) -> Trip | None:
        """An order as a trip to put requests into; None where it breaks a limit."""
        try:
            return Trip(self.view, courier, order, {})
        except UndriveableError:
            return None

    @cached_property
    def strict(self) -> View | None:
        """The problem in which the wanted request must be collected by its promise; None where that has passed."""
        return self.by_promise()

    def by_promise(self, opens: int | None = None) -> View | None:
        """The same, with the place of collection open from `opens` to its last closing where that is given."""
        view = self.view
        due, asked = self.due[self.wanted], view.problem.requests[self.wanted]
        windows = asked.pickup.windows if opens is None else ((opens, asked.pickup.windows[-1][1]),)
        if due is None:
            return view
        inside = tuple((first, min(last, due)) for first, last in windows if first <= due)
        if not inside or inside[-1][1] < view.problem.now:
            return None
        return view.with_request(self.wanted, replace(asked, pickup=replace(asked.pickup, windows=inside)))

    def measured(self, kind: Kind, courier: int, orders: Orders, view: View | None = None) -> Repair | None:
        """What new rounds mean; None where one breaks a limit that it keeps now, or goes before where he rides to."""
        changed = {c: order for c, order in orders.items() if order != self.orders[c]}
        view = view or self.view
        starts: dict[int, int] = {}
        extra_m = 0
        for c, order in changed.items():
            old = self.timings[c]
            new = time_route(view if self.sound[c] or c == courier else self.wide, c, order)
            if isinstance(new, Fault) or isinstance(old, Fault) or not self._keeps_first(c, order):
                return None
            starts.update(zip(order, new.start, strict=True))
            extra_m += new.distance_m - old.distance_m
        later, broken = self._harm(changed, starts)
        start_s, due = starts.get(pickup(self.wanted), self.start_s), self.due[self.wanted]
        if start_s is None or due is None:
            return None
        slack_s = due - start_s
        return Repair(kind, courier, changed, start_s, slack_s, slack_s < self.margin_s, later, broken, extra_m)

    def _keeps_first(self, courier: int, order: Sequence[int]) -> bool:
        first = [stop for stop in self.view.locked[courier] if stop in self.orders[courier]]
        return list(order[: len(first)]) == first

    def _harm(self, changed: Iterable[int], starts: Mapping[int, int]) -> tuple[dict[int, int], tuple[int, ...]]:
        later: dict[int, int] = {}
        broken: list[int] = []
        for c in changed:
            timing = self.timings[c]
            assert isinstance(timing, Timing)
            for stop, was_s in zip(self.orders[c], timing.start, strict=True):
                request, by_s = stop // 2, starts[stop] - was_s
                if request == self.wanted:
                    continue
                if by_s >= LATER_S:
                    later[request] = max(by_s, later.get(request, 0))
                due = self.due[request]
                if not stop % 2 and due is not None and was_s <= due < starts[stop]:
                    broken.append(request)
        return later, tuple(sorted(broken))

    def _without(self, courier: int, order: list[int]) -> Orders:
        """New orders: one courier's, and the holder's without the wanted request."""
        if self.holder is None or self.holder == courier:
            return {courier: order}
        return {courier: order, self.holder: [s for s in self.orders[self.holder] if s // 2 != self.wanted]}


def repairs(now: Situation) -> list[Repair]:
    """All ways found, the best first; each courier at most once, and only ways that bring the collection forward."""
    found = [one for courier in now.view.allowed[now.wanted] if (one := _given(now, courier)) is not None]
    clean = any(one.clean and one.courier == now.holder for one in found)
    if now.holder is not None and not clean and (swap := _swapped(now)) is not None:
        found.append(swap)
    least = None if now.start_s is None else now.start_s - LATER_S
    return sorted((one for one in found if least is None or one.start_s <= least), key=lambda one: one.rank)


def at_other_hours(now: Situation, opens: int) -> Repair | None:
    """The best way to keep the promise if the place of collection opened at `opens`, which is earlier than it does."""
    asked = now.view.problem.requests[now.wanted]
    if opens >= asked.pickup.windows[0][0] and len(asked.pickup.windows) == 1:
        return None
    view = now.by_promise(opens)
    if view is None:
        return None
    tries = (_placed(now, courier, view, "ask_earlier") for courier in now.view.allowed[now.wanted])
    return min((one for one in tries if one is not None), key=lambda one: one.rank, default=None)


def _given(now: Situation, courier: int) -> Repair | None:
    """The wanted request with one courier: in time where he can, else where it is soonest for the least harm."""
    kind: Kind = "earlier" if courier == now.holder else "give"
    if now.strict is not None:
        found = _placed(now, courier, now.strict, kind)
        if found is not None:
            return found
    return _placed(now, courier, now.view, kind)


def _placed(now: Situation, courier: int, view: View, kind: Kind) -> Repair | None:
    trip = now.rest[courier]
    if trip is None:
        return None
    order = _put(trip, view, now.wanted)
    return None if order is None else now.measured(kind, courier, now._without(courier, order), view)


def _put(trip: Trip, view: View, request: int) -> list[int] | None:
    """The order with a request where it adds least, under another view of that request's hours."""
    seen = copy(trip)
    seen.view = view
    spot = best_spot(seen, request)
    return None if spot is None else put(seen, request, spot).order


def _swapped(now: Situation) -> Repair | None:
    """The wanted request stays with its courier and is in time because others take one or two stops ahead of it."""
    assert now.holder is not None
    if now.strict is None:
        return None
    ahead = _ahead(now)[:_AHEAD]
    for size, pool in ((1, ahead), (2, ahead[: _AHEAD // 2])):
        tries = (_relieved(now, now.strict, taken) for taken in combinations(pool, size))
        best = min((one for one in tries if one is not None), key=lambda one: one.rank, default=None)
        if best is not None and best.clean:
            return best
    return None


def _ahead(now: Situation) -> list[int]:
    """Requests collected before the wanted one in the same round that somebody else may take, the nearest first."""
    assert now.holder is not None
    order = now.orders[now.holder]
    front = order[: order.index(pickup(now.wanted))]
    free = [s // 2 for s in reversed(front) if not s % 2 and len(now.view.stops_of(s // 2)) == 2]
    return [request for request in free if len(now.view.allowed[request]) > 1]


def _relieved(now: Situation, strict: View, taken: Sequence[int]) -> Repair | None:
    assert now.holder is not None
    gone = {now.wanted, *taken}
    lighter = now.trip(now.holder, [s for s in now.orders[now.holder] if s // 2 not in gone])
    order = None if lighter is None else _put(lighter, strict, now.wanted)
    if order is None:
        return None
    orders: Orders = {now.holder: order}
    for request in taken:
        placed = _cheapest(now, request, orders)
        if placed is None:
            return None
        orders[placed[0]] = placed[1]
    return now.measured("swap", now.holder, orders)


def _cheapest(now: Situation, request: int, orders: Mapping[int, list[int]]) -> tuple[int, list[int]] | None:
    """Who else takes a request for least, and his order with it."""
    best: Spot | None = None
    host: Trip | None = None
    for trip in _others(now, request, orders):
        spot = best_spot(trip, request) if best is None else best_spot(trip, request, best.price)
        if spot is not None:
            best, host = spot, trip
    return None if best is None or host is None else (host.courier, put(host, request, best).order)


def _others(now: Situation, request: int, orders: Mapping[int, list[int]]) -> Iterator[Trip]:
    for courier in now.view.allowed[request]:
        if courier != now.holder:
            trip = now.trip(courier, orders[courier]) if courier in orders else now.rest[courier]
            if trip is not None:
                yield trip


def moves(now: Situation, orders: Orders) -> list[tuple[int, int, int, int]]:
    """The requests that change place: (request, courier, position of its pickup, of its delivery), by position."""
    found = []
    for courier, order in orders.items():
        for place, stop in enumerate(order):
            mine = stop // 2 == now.wanted or stop not in now.orders[courier]
            if mine and not stop % 2:
                found.append((stop // 2, courier, place, order.index(stop + 1)))
    return found


def replayed(now: Situation, told: Sequence[tuple[int, int, int, int]]) -> Orders | None:
    """The orders that `moves` told of, made anew from the rounds as they stand; None where they do not fit them."""
    if any(not 0 <= first < second for _, _, first, second in told):
        return None
    gone = {request for request, *_ in told}
    orders: Orders = {}
    for courier, order in enumerate(now.orders):
        kept = [stop for stop in order if stop // 2 not in gone]
        mine = [(request, first, second) for request, c, first, second in told if c == courier]
        placed = [(first, pickup(r)) for r, first, _ in mine] + [(second, delivery(r)) for r, _, second in mine]
        for place, stop in sorted(placed):
            if place > len(kept):
                return None
            kept.insert(place, stop)
        if kept != order:
            orders[courier] = kept
    return orders
