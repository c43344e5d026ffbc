"""Where one request adds least: every place in a route, bounded from below first, then driven only as far as needed."""

from __future__ import annotations

from math import log

from routing.kernel.dice import draw
from routing.kernel.jit import inline, jit
from routing.kernel.layout import BIG, BLINK, FULL, MOST_WAYS, NEVER, OPENING, WAYS, Case, State
from routing.kernel.route import leg_price, moved_price
from routing.kernel.timing import service_start, soft_price, timed

_BLINK = 0.3  # share of the places that are overlooked on purpose


@inline
def blinked(state: State) -> bool:
    """Say whether this place is overlooked."""
    state.counts[BLINK] -= 1
    if state.counts[BLINK] > 0:
        return False
    state.counts[BLINK] = int(log(1.0 - draw(state)) / log(1.0 - _BLINK)) + 1
    return True


@inline
def _tail_growth(case: Case, state: State, c: int, k: int, arrive: int, room: float) -> float:
    """Return by how much everything from row k on gets dearer when it is reached at `arrive`; stops at `room`."""
    rows, n = state.rows[c], state.routes[c].count
    if arrive <= rows[k].calm:
        return 0.0
    growth = 0.0
    for at in range(k, n):
        row = rows[at]
        start = service_start(case, row.stop, arrive)
        growth += soft_price(case, row.stop, start) - row.soft
        leaves = start + case.stops[row.stop].service
        if growth >= room or leaves == rows[at + 1].ready:
            return growth
        arrive = leaves + rows[at + 1].drive
        if arrive <= rows[at + 1].calm:
            return growth
    return growth


@jit
def _metres_with(case: Case, state: State, c: int, r: int, i: int, j: int) -> int:
    """Return the route's metres with a request put in."""
    rows, metres = state.rows[c], state.routes[c].metres
    to_d = case.stops[2 * r + 1].place
    if i == j:
        row, to_p = rows[i], case.stops[2 * r].place
        metres += case.legs[row.place, to_p, case.metre_at] + case.legs[to_p, to_d, case.metre_at]
    else:
        row = rows[j]
        if i >= 0:
            to_p, first = case.stops[2 * r].place, rows[i]
            metres += case.legs[first.place, to_p, case.metre_at] + case.legs[to_p, first.onward, case.metre_at]
            metres -= case.legs[first.place, first.onward, case.metre_at]
        metres += case.legs[row.place, to_d, case.metre_at]
    if row.onward >= 0:
        metres += case.legs[to_d, row.onward, case.metre_at]
        if state.routes[c].count:
            metres -= case.legs[row.place, row.onward, case.metre_at]
    return metres


@jit
def _exact_growth(case: Case, state: State, c: int, r: int, i: int, j: int) -> float:
    """Return by how much lateness, delay and duration of the whole route grow with a request put in, or BIG."""
    rows, n, at = state.rows[c], state.routes[c].count, 0
    for k in range(n + 1):
        if k == i:
            state.order[at] = 2 * r
            at += 1
        if k == j:
            state.order[at] = 2 * r + 1
            at += 1
        if k < n:
            state.order[at] = rows[k].stop
            at += 1
    soft, _ = timed(case, state, c, at)
    return soft - state.routes[c].soft if soft < BIG else BIG


@inline
def _growth(case: Case, state: State, c: int, r: int, i: int, j: int, arrive: int, room: float) -> float:
    """Return what a place adds beside its legs and its own stops, BIG if forbidden; 0 for exact couriers, at least."""
    courier = case.couriers[c]
    if courier.most_m < NEVER and _metres_with(case, state, c, r, i, j) > courier.most_m:
        return BIG
    return _tail_growth(case, state, c, j, arrive, room) if case.soft and not courier.exact else 0.0


@jit
def _note(state: State, least: float, legs: float, i: int, j: int, bound: float) -> float:
    """Keep a place of an exact courier among the cheapest; return what another must stay below to be kept too."""
    ways, many = state.ways, state.counts[WAYS]
    at = min(many, MOST_WAYS - 1)
    while at > 0 and ways[at - 1].least > least:
        ways[at] = ways[at - 1]
        at -= 1
    ways[at].least, ways[at].legs, ways[at].i, ways[at].j = least, legs, i, j
    state.counts[WAYS] = min(MOST_WAYS, many + 1)
    return ways[MOST_WAYS - 1].least if state.counts[WAYS] == MOST_WAYS else bound


@jit
def _exactly(case: Case, state: State, c: int, r: int, bound: float) -> tuple[float, int, int]:
    """Time the whole route for each place kept, what may be cheapest first; return the best as `pair_spot` does."""
    best, best_i, best_j = bound, -1, -1
    for w in range(state.counts[WAYS]):
        way = state.ways[w]
        if way.least >= best:
            break
        price = way.legs + _exact_growth(case, state, c, r, way.i, way.j)
        if price < best:
            best, best_i, best_j = price, way.i, way.j
    return best, best_i, best_j


@inline
def _deliveries(case: Case, state: State, c: int, r: int, first: int, room: float) -> None:
    """Fill legs, whole and low for the delivery alone before each row from `first` on, BIG where dearer than `room`."""
    rows, n, stop = state.rows[c], state.routes[c].count, 2 * r + 1
    here = case.stops[stop]
    to, back, m = case.legs_to[here.place], case.legs[here.place], case.metre_at
    soonest = here.opens + here.service
    state.low[n + 1] = BIG
    for k in range(n, first - 1, -1):
        row = rows[k]
        state.whole[k] = BIG
        state.low[k] = state.low[k + 1]
        if row.latest < soonest:
            for rest in range(first, k):
                state.whole[rest], state.low[rest] = BIG, state.low[k]
            return
        if row.ready > here.closes:
            continue
        drive, onward, onward_m = to[row.place, 0], 0, 0
        if row.onward >= 0:
            onward, onward_m = back[row.onward, 0], back[row.onward, m]
        legs = case.per_second * (drive + onward) + case.per_metre * (to[row.place, m] + onward_m) - row.leg
        if case.moved != 0.0:
            legs += _moved_growth(case, state, c, k, stop)
        if legs >= room or drive < 0 or onward < 0:
            continue
        start = service_start(case, stop, row.ready + drive)
        if start + here.service + onward > row.latest:
            continue
        state.legs[k] = legs
        state.whole[k] = legs + soft_price(case, stop, start) if case.soft else legs
        state.low[k] = min(state.low[k], state.whole[k])


@inline
def _moved_growth(case: Case, state: State, c: int, k: int, stop: int) -> float:
    """Return the price of the stops that have another predecessor once `stop` stands before row k."""
    rows = state.rows[c]
    before = rows[k - 1].stop if k else -1
    growth = moved_price(case, c, stop, before)
    return growth + moved_price(case, c, rows[k].stop, stop) - moved_price(case, c, rows[k].stop, before)


@inline
def _apart(
    case: Case, state: State, c: int, r: int, i: int, arrive: int, paid: float, bound: float
) -> tuple[float, int]:
    """Drive on from a pickup before row i and try the delivery before every later row; return (price, row)."""
    rows, n, courier = state.rows[c], state.routes[c].count, case.couriers[c]
    stop = 2 * r + 1
    here, spare = case.stops[stop], courier.capacity - case.stops[2 * r].load
    to, back = case.legs_to[here.place], case.legs[here.place]
    best, best_at = bound, -1
    soft = 0.0
    for k in range(i, n):
        row = rows[k]
        passed = case.stops[row.stop]
        if row.stop % 2 == 0 and rows[k + 1].load > spare:
            break
        start = service_start(case, row.stop, arrive)
        if case.soft and not courier.exact:
            soft += soft_price(case, row.stop, start) - row.soft
        leaves = start + passed.service
        behind = rows[k + 1]
        if paid + soft + state.low[k + 1] >= best:
            break
        if paid + soft + state.whole[k + 1] < best and not blinked(state):
            begun = service_start(case, stop, leaves + to[behind.place, 0])
            onward = begun + here.service
            if behind.onward >= 0:
                onward += back[behind.onward, 0]
            if onward <= behind.latest:
                price = paid + soft + state.legs[k + 1]
                if case.soft:
                    price += soft_price(case, stop, begun)
                if price < best:
                    price += _growth(case, state, c, r, i, k + 1, onward, best - price)
                if price < best and courier.exact:
                    best = _note(state, price, state.paid[i] + state.legs[k + 1], i, k + 1, best)
                elif price < best:
                    best, best_at = price, k + 1
        arrive = leaves + behind.drive
        if k + 1 < n and arrive > behind.latest:
            break
    return best, best_at


@inline
def pair_spot(case: Case, state: State, c: int, r: int, bound: float) -> tuple[float, int, int]:
    """Return (price, pickup row, delivery row) of the cheapest place in one route below `bound`, rows -1 if none."""
    rows, n, courier = state.rows[c], state.routes[c].count, case.couriers[c]
    if n + 3 > rows.shape[0]:
        state.counts[FULL] = 1
        return bound, -1, -1
    if case.stops[2 * r].load > courier.capacity:
        return bound, -1, -1
    state.counts[WAYS] = 0
    best, best_i, first, least = _pickups(case, state, c, r, bound)
    best_j = best_i
    if first < n:
        _deliveries(case, state, c, r, first + 1, best - least)
    for i in range(first, n):
        paid = state.paid[i] + state.soft[i]
        if paid + state.low[i + 1] < best:
            best, j = _apart(case, state, c, r, i, state.reached[i], paid, best)
            if j >= 0:
                best_i, best_j = i, j
    if courier.exact:
        return _exactly(case, state, c, r, bound)
    return best, best_i, best_j


@inline
def _pickups(case: Case, state: State, c: int, r: int, bound: float) -> tuple[float, int, int, float]:
    """Try the pair one right after the other, and fill `paid` and `reached` for the pickup alone before each row.

    Returns (price, row) of the best pair below `bound`, the first row for a pickup alone, and the least it costs.
    """
    rows, n, courier = state.rows[c], state.routes[c].count, case.couriers[c]
    here, there = case.stops[2 * r], case.stops[2 * r + 1]
    to, back, m = case.legs_to[here.place], case.legs[here.place], case.metre_at
    spare, soonest = courier.capacity - here.load, here.opens + here.service
    between, between_price = back[there.place, 0], leg_price(case, here.place, there.place)
    best, best_i, first, least = bound, -1, n, BIG
    opening = 0.0 if n else state.sums[OPENING]
    for i in range(courier.fixed, n + 1):
        row = rows[i]
        state.paid[i] = BIG
        if row.latest < soonest:
            continue
        if row.ready > here.closes:
            for rest in range(i, n + 1):
                state.paid[rest] = BIG
            break
        drive = to[row.place, 0]
        if row.load > spare or drive < 0 or blinked(state):
            continue
        start = service_start(case, 2 * r, row.ready + drive)
        if start > here.closes:
            continue
        leaves = start + here.service
        paid = case.per_second * drive + case.per_metre * to[row.place, m] - row.leg + opening
        soft = soft_price(case, 2 * r, start) if case.soft else 0.0
        if between >= 0 and paid + soft + between_price < best:
            legs, price = _joint(case, state, c, r, i, leaves, paid, soft, best)
            if price < best and courier.exact:
                best = _note(state, price, legs, i, i, best)
            elif price < best:
                best, best_i = price, i
        if i < n:
            onward = back[row.onward, 0]
            arrive = leaves + onward
            if onward >= 0 and arrive <= row.latest:
                paid += case.per_second * onward + case.per_metre * back[row.onward, m]
                if case.moved != 0.0:
                    paid += _moved_growth(case, state, c, i, 2 * r)
                state.paid[i], state.reached[i], state.soft[i] = paid, arrive, soft
                least, first = min(least, paid + soft), min(first, i)
    return best, best_i, first, least


@inline
def _joint(
    case: Case, state: State, c: int, r: int, i: int, leaves: int, paid: float, soft: float, bound: float
) -> tuple[float, float]:
    """Return (legs, price) of the delivery right after a pickup before row i left at `leaves`; BIG if forbidden."""
    row, there = state.rows[c, i], case.stops[2 * r + 1]
    place = case.stops[2 * r].place
    price = paid + leg_price(case, place, there.place)
    onward = 0
    if row.onward >= 0:
        leg = case.legs[there.place, row.onward]
        onward = leg[0]
        price += case.per_second * onward + case.per_metre * leg[case.metre_at]
    if case.moved != 0.0:
        price += _moved_pair(case, state, c, i, r)
    if price >= bound or onward < 0:
        return price, BIG
    begun = service_start(case, 2 * r + 1, leaves + case.legs[place, there.place, 0])
    after = begun + there.service + onward
    if after > row.latest:
        return price, BIG
    whole = price + soft + soft_price(case, 2 * r + 1, begun) if case.soft else price
    if whole >= bound:
        return price, BIG
    return price, whole + _growth(case, state, c, r, i, i, after, bound - whole)


@inline
def _moved_pair(case: Case, state: State, c: int, i: int, r: int) -> float:
    """Return the price of moved stops with pickup and delivery one after the other before row i."""
    rows = state.rows[c]
    before, behind = rows[i - 1].stop if i else -1, rows[i].stop
    growth = moved_price(case, c, 2 * r, before) + moved_price(case, c, 2 * r + 1, 2 * r)
    return growth + moved_price(case, c, behind, 2 * r + 1) - moved_price(case, c, behind, before)


@inline
def delivery_spot(case: Case, state: State, c: int, r: int, bound: float) -> tuple[float, int]:
    """Return (price, row) of the cheapest place below `bound` for a parcel its courier has already, row -1 if none."""
    rows, n, courier, stop = state.rows[c], state.routes[c].count, case.couriers[c], 2 * r + 1
    here = case.stops[stop]
    if n + 3 > rows.shape[0]:
        state.counts[FULL] = 1
        return bound, -1
    first, opening = courier.fixed, 0.0 if n else state.sums[OPENING]
    plain = case.soft == 1 and courier.exact == 0
    _deliveries(case, state, c, r, first, bound)
    best, best_at = bound, -1
    for j in range(first, n + 1):
        row = rows[j]
        if state.whole[j] + opening >= best or blinked(state):
            continue
        start = service_start(case, stop, row.ready + case.legs[row.place, here.place, 0])
        onward = start + here.service
        if row.onward >= 0:
            onward += case.legs[here.place, row.onward, 0]
        base = state.whole[j] + opening if plain else state.legs[j] + opening
        price = base + _growth(case, state, c, r, -1, j, onward, best - base)
        if courier.exact and price < best:
            price += _exact_growth(case, state, c, r, -1, j)
        if price < best:
            best, best_at = price, j
    return best, best_at
