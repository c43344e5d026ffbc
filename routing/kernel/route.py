"""One route as rows: timed forward, bounded backward, changed, kept and put back."""

from __future__ import annotations

from routing.kernel.jit import inline, jit
from routing.kernel.layout import (
    BIG,
    ITERATION,
    OPENING,
    STOPS,
    TOTAL,
    TOUCHED,
    USED,
    VERSION,
    Case,
    State,
)
from routing.kernel.timing import latest_start, service_start, soft_price, timed


@inline
def leg_price(case: Case, origin: int, destination: int) -> float:
    """Return the priced seconds and metres of a leg that exists; 0 to nowhere."""
    if destination < 0:
        return 0.0
    leg = case.legs[origin, destination]
    return case.per_second * leg[0] + case.per_metre * leg[case.metre_at]


@inline
def moved_price(case: Case, c: int, stop: int, before: int) -> float:
    """Return the price of giving a stop this courier and this predecessor (-1: his start)."""
    if stop < 0:
        return 0.0
    here = case.stops[stop]
    if here.warm_courier == -1 or (here.warm_courier == c and here.warm_before == before):
        return 0.0
    return case.moved


@inline
def _forward(case: Case, state: State, c: int) -> bool:
    """Fill the rows from their stops, as if nobody ever rested; return whether every leg, window and load is kept."""
    rows, courier, n = state.rows[c], case.couriers[c], state.routes[c].count
    place, ready, load, metres = courier.start, courier.earliest, courier.load, 0
    price, soft_total, before = 0.0, 0.0, -1
    for k in range(n):
        row, stop = rows[k], rows[k].stop
        here = case.stops[stop]
        leg = case.legs[place, here.place]
        drive = leg[0]
        if drive < 0:
            return False
        row.place, row.onward, row.drive, row.ready, row.load = place, here.place, drive, ready, load
        row.leg = case.per_second * drive + case.per_metre * leg[case.metre_at]
        start = service_start(case, stop, ready + drive)
        load += here.load
        if start > here.closes or (stop % 2 == 0 and load > courier.capacity):
            return False
        row.soft = soft_price(case, stop, start) if case.soft else 0.0
        price += row.leg
        soft_total += row.soft
        if case.moved != 0.0:
            price += moved_price(case, c, stop, before)
        metres += leg[case.metre_at]
        place, ready, before = here.place, start + here.service, stop
    last = rows[n]
    last.stop, last.place, last.onward, last.ready, last.load = -1, place, courier.end, ready, load
    last.drive, last.leg, last.soft = 0, 0.0, 0.0
    if n and courier.end >= 0:
        last.drive = case.legs[place, courier.end, 0]
        if last.drive < 0:
            return False
        last.leg = leg_price(case, place, courier.end)
        metres += case.legs[place, courier.end, case.metre_at]
    route = state.routes[c]
    route.metres = metres
    route.soft = soft_total
    route.price = price + last.leg + (state.sums[OPENING] if n else 0.0)
    return metres <= courier.most_m and (n == 0 or ready + last.drive <= courier.shift_end)


@inline
def _backward(case: Case, state: State, c: int) -> None:
    rows, n = state.rows[c], state.routes[c].count
    rows[n].latest = case.couriers[c].shift_end
    rows[n].calm = rows[n].latest
    for k in range(n - 1, -1, -1):
        row, behind = rows[k], rows[k + 1]
        here = case.stops[row.stop]
        onward = behind.drive + here.service
        row.latest = latest_start(case, row.stop, behind.latest - onward)
        row.calm = row.latest
        if case.soft:
            start = behind.ready - here.service
            limit = start if here.delay != 0.0 or start > here.due else min(here.due, here.closes)
            row.calm = latest_start(case, row.stop, min(limit, behind.calm - onward))


@jit
def refresh(case: Case, state: State, c: int) -> bool:
    """Bring a route's rows and price up to date with its stops; return whether it can be driven."""
    state.counts[VERSION] += 1
    state.routes[c].version = state.counts[VERSION]
    if not _forward(case, state, c):
        return False
    route, n = state.routes[c], state.routes[c].count
    route.span = 0
    if n and (case.couriers[c].exact or case.balance != 0.0):
        rows = state.rows[c]
        for k in range(n):
            state.order[k] = rows[k].stop
        soft, span = timed(case, state, c, n)
        if soft >= BIG:
            return False
        route.soft, route.span = soft, span
        if case.couriers[c].exact:
            for k in range(n + 1):
                rows[k].ready = state.early[k]
    route.price += route.soft
    _backward(case, state, c)
    return True


@inline
def touch(state: State, c: int) -> None:
    """Keep a route as it was before this iteration first changes it."""
    route = state.routes[c]
    if route.touched == state.counts[ITERATION]:
        return
    route.touched = state.counts[ITERATION]
    state.saved_routes[c] = route
    for k in range(route.count + 1):
        state.saved_rows[c, k] = state.rows[c, k]
    state.touched[state.counts[TOUCHED]] = c
    state.counts[TOUCHED] += 1


@jit
def put_back(state: State, c: int) -> None:
    """Make a touched route what it was before this iteration."""
    account(state, c, -1.0)
    state.routes[c] = state.saved_routes[c]
    for k in range(state.routes[c].count + 1):
        state.rows[c, k] = state.saved_rows[c, k]
        stop = state.rows[c, k].stop
        if stop >= 0:
            state.courier_of[stop] = c
            state.row_of[stop] = k
    account(state, c, 1.0)


@inline
def account(state: State, c: int, sign: float) -> None:
    """Add a route to the totals, or with sign -1 take it out."""
    route = state.routes[c]
    state.sums[TOTAL] += sign * route.price
    if route.count:
        state.counts[USED] += int(sign)
        state.counts[STOPS] += int(sign) * route.count


@jit
def put_in(case: Case, state: State, c: int, r: int, i: int, j: int) -> bool:
    """Put a request into a route, pickup before row i (-1: carried already), delivery before row j."""
    touch(state, c)
    rows, route = state.rows[c], state.routes[c]
    account(state, c, -1.0)
    n, more = route.count, 1 if i < 0 else 2
    for k in range(n - 1, j - 1, -1):
        rows[k + more].stop = rows[k].stop
    rows[j + more - 1].stop = 2 * r + 1
    if i >= 0:
        for k in range(j - 1, i - 1, -1):
            rows[k + 1].stop = rows[k].stop
        rows[i].stop = 2 * r
    route.count = n + more
    fine = refresh(case, state, c)
    for k in range(n + more):
        state.courier_of[rows[k].stop] = c
        state.row_of[rows[k].stop] = k
    account(state, c, 1.0)
    return fine


@jit
def take_out(case: Case, state: State, c: int) -> bool:
    """Take the stops of the requests marked in this iteration out of a route; False and as before if that cannot be."""
    rows, route, now = state.rows[c], state.routes[c], state.counts[ITERATION]
    account(state, c, -1.0)
    kept, fixed = 0, case.couriers[c].fixed
    for k in range(route.count):
        stop = rows[k].stop
        if k >= fixed and state.mark[stop // 2] == now:
            state.courier_of[stop] = -1
        else:
            rows[kept].stop = stop
            kept += 1
    route.count = kept
    fine = refresh(case, state, c)
    for k in range(kept):
        state.row_of[rows[k].stop] = k
    account(state, c, 1.0)
    if not fine:
        put_back(state, c)
    return fine
