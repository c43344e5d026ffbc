"""From a View to the arrays of the kernel, and back to orders of stops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from routing.cost import WarmPlaces
from routing.kernel.dealing import Part
from routing.kernel.layout import (
    BLINK,
    COURIER,
    ELSEWHERE,
    ITERATION,
    KNOWN,
    LOST_ON_THE_WAY,
    MOMENT,
    MOST_MOMENTS,
    MOST_USED,
    MOST_WAYS,
    REQUEST,
    ROUTE,
    ROW,
    STOP,
    WAY,
    Case,
    Ints,
    Records,
    State,
)
from routing.legs import Legs
from routing.travel import NO_LEG
from routing.view import NEVER, Sequences, View, pickup

_NEAR = 120  # neighbouring places known of each place
_ALL_ROUTES, _ROUTES_PER_END = 10, 20
_MANY_PLACES, _NEAR_OF_MANY = 3000, 60
_BLOCK_ROWS = 16  # whose neighbours are looked for at once
_TILE = 256  # rows and columns of a piece of a matrix
_MOST_KNOWN = 1 << 19
_STARTS = 50  # places of departure that a request's distance is measured from
_LEAST_ROOM, _ROOM_SHARE = 128, 4  # new places there is room for: so many, or one for each four known
_NEVER_LEFT_OUT = 10**9  # as often is a parcel on board counted as left out


def case_of(view: View, warm: WarmPlaces, orders: Sequences) -> Case:
    """Compile a problem; `orders` say which locked stops can be driven."""
    legs, weights = view.legs, view.weights
    seconds = np.ascontiguousarray(legs.seconds_matrix, dtype=np.int32)
    priced_metres = weights.distance_per_m or any(
        courier.max_distance_m is not None for courier in view.problem.couriers
    )
    # Seconds and metres lie side by side, so that one look reads both; unpriced metres cost no memory.
    both = np.stack([seconds, legs.metres_matrix], axis=2) if priced_metres else seconds[:, :, None]
    stops, windows = _stops(view, warm)
    couriers, rests = _couriers(view, orders)
    requests, allowed = _requests(view, orders, seconds)
    near = _near(seconds, stops)
    first_at = np.zeros(len(seconds) + 1, dtype=np.int32)
    np.cumsum(np.bincount(stops["place"], minlength=len(seconds)), out=first_at[1:])
    soft = (weights.late_per_s and bool((stops["due"] < NEVER).any())) or weights.delivery_delay_per_s
    return Case(
        both,
        _turned(both, legs.symmetric),
        both.shape[2] - 1,
        stops,
        windows,
        couriers,
        rests,
        requests,
        allowed,
        near,
        first_at,
        np.argsort(stops["place"], kind="stable").astype(np.int32),
        int(couriers["kind"].max(initial=-1)) + 1,
        int(bool(soft)),
        float(weights.travel_per_s),
        float(weights.distance_per_m),
        float(weights.late_per_s),
        float(weights.courier),
        float(weights.duration_per_s),
        float(weights.moved_stop) if warm else 0.0,
        float(weights.balance),
        _ALL_ROUTES,
        _ROUTES_PER_END,
    )


def _turned(legs: Ints, symmetric: bool) -> Ints:
    """Return the legs with rows as destinations: themselves where both directions are alike, known or seen to be."""
    turned = legs.transpose(1, 0, 2)
    if symmetric or all(np.array_equal(legs[tile], turned[tile]) for tile in _tiles(len(legs))):
        return legs
    copy = np.empty_like(legs)
    for rows, columns in _tiles(len(legs)):
        copy[rows, columns] = turned[rows, columns]
        copy[columns, rows] = turned[columns, rows]
    return copy


def _tiles(count: int) -> Iterator[tuple[slice, slice]]:
    """Yield the diagonal and one side of it in pieces that stay in cache when read across."""
    for first in range(0, count, _TILE):
        for other in range(first, count, _TILE):
            yield slice(first, first + _TILE), slice(other, other + _TILE)


def _stops(view: View, warm: WarmPlaces) -> tuple[Records, Records]:
    stops = np.zeros(len(view.place), dtype=STOP)
    stops["place"], stops["load"], stops["service"] = view.place, view.load, view.service
    stops["opens"], stops["closes"], stops["due"] = view.opens, view.closes, view.due
    stops["release"], stops["delay"] = view.release, view.delay_weight
    stops["windows"] = [len(windows) for windows in view.windows]
    stops["window"] = np.cumsum(stops["windows"]) - stops["windows"]
    stops["warm_courier"] = -1
    for stop, (courier, before) in warm.items():
        # An unknown courier or predecessor has a negative number that no other has, so the stop counts as moved.
        stops[stop]["warm_courier"] = courier
        stops[stop]["warm_before"] = -1 if before is None else before
    windows = [window for windows in view.windows for window in windows]
    return stops, np.array(windows, dtype=np.int64).reshape(len(windows), 2)


def _couriers(view: View, orders: Sequences) -> tuple[Records, Records]:
    couriers = np.zeros(len(view.start), dtype=COURIER)
    couriers["start"], couriers["earliest"], couriers["shift_end"] = view.start, view.earliest, view.shift_end
    couriers["end"] = [-1 if end is None else end for end in view.end]
    couriers["capacity"], couriers["load"], couriers["most_m"] = view.capacity, view.load0, view.max_m
    couriers["rests"] = [len(rests) for rests in view.breaks]
    couriers["rest"] = np.cumsum(couriers["rests"]) - couriers["rests"]
    couriers["exact"] = (couriers["rests"] > 0) | bool(view.weights.duration_per_s)
    couriers["fixed"] = [
        sum(stop in set(order) for stop in locked) for order, locked in zip(orders, view.locked, strict=True)
    ]
    kinds: dict[object, int] = {}
    named = {request.only_courier for request in view.problem.requests}
    for index, courier in enumerate(view.problem.couriers):
        own = view.weights.moved_stop or courier.on_board or courier.locked or courier.id in named
        fields = ("start", "end", "earliest", "shift_end", "capacity", "most_m")
        alike = tuple(int(couriers[index][name]) for name in fields)
        key = index if own else (*alike, courier.skills, courier.breaks)
        couriers[index]["kind"] = kinds.setdefault(key, len(kinds))
    rests = [rest for rests in view.breaks for rest in rests]
    return couriers, np.array(rests, dtype=np.int64).reshape(len(rests), 3)


def _requests(view: View, orders: Sequences, seconds: Ints) -> tuple[Records, Records]:
    problem = view.problem
    requests = np.zeros(len(problem.requests), dtype=REQUEST)
    placed = {stop for order in orders for stop in order}
    wishes: dict[object, int] = {}
    rows: list[list[int]] = []
    for r, request in enumerate(problem.requests):
        bound = view.bound[r]
        key = bound if bound is not None else (request.only_courier, request.skills)
        if key not in wishes:
            wishes[key] = len(rows)
            rows.append(view.allowed[r])
        row = requests[r]
        row["wish"], row["bound"] = wishes[key], -1 if bound is None else bound
        if bound is not None:
            free = view.stops_of(r)
            row["only_delivery"] = len(free) == 1
            row["lost"] = 1 if view.carried[r] else LOST_ON_THE_WAY
            row["out"] = not free or not (view.carried[r] or pickup(r) in placed)
    allowed = np.zeros((max(1, len(rows)), len(problem.couriers)), dtype=np.uint8)
    for row_number, able in enumerate(rows):
        allowed[row_number, able] = 1
    places, closes = np.array(view.place, dtype=np.int64).reshape(-1, 2), np.array(view.closes).reshape(-1, 2)
    requests["price"] = [float(view.price(r)) for r in range(len(requests))]
    requests["size"] = [request.size for request in problem.requests]
    starts = np.unique(np.array(view.start, dtype=np.int64))[:_STARTS]
    if len(starts) and len(requests):
        nearest = seconds[starts].astype(np.float64).min(axis=0)
        requests["far"] = nearest[places].max(axis=1)
        requests["width"] = closes[:, 1] - np.array(view.opens).reshape(-1, 2)[:, 0]
        requests["latest"] = np.minimum(closes, np.array(view.due).reshape(-1, 2)).min(axis=1)
    return requests, allowed


def with_room(case: Case) -> Case:
    """Return the case with room for more places; no leg leads to or from them yet."""
    count, _, depth = case.legs.shape
    spare = max(_LEAST_ROOM, count // _ROOM_SHARE)

    def widened(legs: Ints) -> Ints:
        wide = np.full((count + spare, count + spare, depth), NO_LEG, dtype=np.int32)
        wide[:count, :count] = legs
        return wide

    legs = widened(case.legs)
    return case._replace(legs=legs, legs_to=legs if case.legs_to is case.legs else widened(case.legs_to))


def with_every_leg(case: Case, legs: Legs) -> Case:
    """Return the case with metres, priced or not, and with ways back that may differ: for a matrix that will grow."""
    both = np.stack([legs.seconds_matrix, legs.metres_matrix], axis=2)
    return case._replace(legs=both, legs_to=np.ascontiguousarray(both.transpose(1, 0, 2)), metre_at=1)


def put_place(case: Case, at: int, there: Ints, back: Ints) -> None:
    """Write the legs of place `at`, int32 [at, seconds and metres]: there from each place before it, and back."""
    depth = case.legs.shape[2]
    for legs, to, away in ((case.legs, there, back), (case.legs_to, back, there)):
        legs[:at, at], legs[at, :at], legs[at, at] = to[:, :depth], away[:, :depth], 0


def with_request(case: Case, view: View) -> Case:
    """Return the case with one more request, the only one of `view`, whose places and couriers are the case's."""
    stops, windows = _stops(view, {})
    requests, allowed = _requests(view, [], case.legs[:, :, 0])
    stops["window"] += len(case.windows)
    requests["wish"] += len(case.allowed)
    # What is worth just its price is put in too.
    requests["price"] = np.nextafter(requests["price"], np.inf)
    return case._replace(
        stops=_joined(case.stops, stops),
        windows=_joined(case.windows, windows),
        requests=_joined(case.requests, requests),
        allowed=_joined(case.allowed, allowed),
    )


def _joined(first: Records, then: Records) -> Records:
    """Return two arrays as one of the first's very type, which `np.concatenate` need not keep."""
    joined = np.empty((len(first) + len(then), *first.shape[1:]), dtype=first.dtype)
    joined[: len(first)], joined[len(first) :] = first, then
    return joined


def without_request(case: Case, r: int) -> Case:
    """Return the case without a request that is in no order; those behind it move up by one."""
    stops = np.delete(case.stops, [2 * r, 2 * r + 1])
    stops["warm_before"][stops["warm_before"] > 2 * r + 1] -= 2
    return case._replace(stops=stops, requests=np.delete(case.requests, r))


def put_in_force(case: Case, courier: int, order: list[int]) -> None:
    """Let stops count as moved from now on when they leave this order."""
    case.stops["warm_courier"][order] = courier
    case.stops["warm_before"][order] = [-1, *order[:-1]]


def _near(seconds: Ints, stops: Records) -> Ints:
    """Return, for each place, the nearest places that have stops: itself first where it has any, ties by number."""
    count = len(seconds)
    busy = np.unique(stops["place"])
    keep = min(_NEAR if len(busy) <= _MANY_PLACES else _NEAR_OF_MANY, len(busy))
    near = np.zeros((count, keep), dtype=np.int32)
    numbers = np.arange(len(busy))
    for first in range(0, len(busy), _BLOCK_ROWS):
        rows = busy[first : first + _BLOCK_ROWS]
        far = seconds[rows] if len(busy) == count else seconds[rows][:, busy]
        # Seconds and number in one integer, so that no two are equal; unsigned, what cannot be reached is farthest.
        keys = far.view(np.uint32).astype(np.int64)
        keys <<= 31
        keys |= numbers
        own = numbers[first : first + _BLOCK_ROWS]
        keys[own - first, own] = own - 2**31
        if keep < len(busy):
            keys.partition(keep - 1, axis=1)
        near[rows] = busy[np.sort(keys[:, :keep], axis=1) & (2**31 - 1)]
    return near


def state_of(case: Case, orders: Sequences, seed: int, room: int, part: Part | None = None) -> State:
    """Return a search that stands at `orders`, with room for `room` stops in a route; `part` is what it may move."""
    couriers, requests, stops = len(case.couriers), len(case.requests), len(case.stops)
    rows = np.zeros((couriers, room + 3), dtype=ROW)
    rows["stop"] = -1
    routes = np.zeros(couriers, dtype=ROUTE)
    for c, order in enumerate(orders):
        if order:
            rows[c, : len(order)]["stop"] = order
            routes[c]["count"] = len(order)
    left_out_at = np.full(requests, -1, dtype=np.int32)
    mine = np.arange(requests, dtype=np.int32)
    if part is not None:
        routes["closed"] = 1
        routes["closed"][part.couriers] = 0
        mine = np.array(part.requests, dtype=np.int32)
        left_out_at[:] = ELSEWHERE
        left_out_at[mine] = -1
    timed = bool(case.couriers["exact"].any()) or case.balance != 0.0
    moments = MOST_MOMENTS if timed else 1
    counts = np.zeros(16, dtype=np.int64)
    counts[ITERATION], counts[BLINK], counts[MOST_USED] = 1, NEVER, couriers
    misses = _NEVER_LEFT_OUT * case.requests["lost"].astype(np.int64)
    return State(
        rows=rows,
        routes=routes,
        saved_rows=np.zeros_like(rows),
        saved_routes=np.zeros_like(routes),
        courier_of=np.full(stops, -1, dtype=np.int32),
        row_of=np.zeros(stops, dtype=np.int32),
        left_out=np.zeros(requests + 1, dtype=np.int32),
        left_out_at=left_out_at,
        mine=mine,
        misses=misses,
        best_order=np.zeros((couriers, room + 3), dtype=np.int32),
        best_count=np.zeros(couriers, dtype=np.int32),
        touched=np.zeros(couriers + 1, dtype=np.int32),
        work=np.zeros(2 * requests + 1, dtype=np.int32),
        mark=np.full(requests, -1, dtype=np.int64),
        seen=np.zeros(couriers + case.kinds, dtype=np.int64),
        key=np.zeros(2 * requests + 1),
        order=np.zeros(room + 4, dtype=np.int32),
        early=np.zeros(room + 4, dtype=np.int64),
        paid=np.zeros(room + 5),
        soft=np.zeros(room + 5),
        reached=np.zeros(room + 5, dtype=np.int64),
        legs=np.zeros(room + 5),
        whole=np.zeros(room + 5),
        low=np.zeros(room + 5),
        routes_near=np.zeros(couriers + 1, dtype=np.int32),
        moments=np.zeros(moments, dtype=MOMENT),
        room=np.zeros(4 * moments, dtype=MOMENT),
        ways=np.zeros(MOST_WAYS, dtype=WAY),
        known=np.zeros(min(_MOST_KNOWN, 1 << max(4, (2 * couriers * requests).bit_length())), dtype=KNOWN),
        counts=counts,
        sums=np.array([0.0, 0.0, case.opening]),
        dice=np.array([(seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64 or 1], dtype=np.uint64),
    )


def best_orders(state: State) -> Sequences:
    """Return the cheapest orders of stops a search has met."""
    counts: list[int] = state.best_count.tolist()
    return [state.best_order[c, :n].tolist() for c, n in enumerate(counts)]


def orders_now(state: State) -> Sequences:
    """Return the orders of stops a search stands at."""
    counts: list[int] = state.routes["count"].tolist()
    return [state.rows[c, :n]["stop"].tolist() for c, n in enumerate(counts)]
