"""Recreate: what was taken out is put where it adds least, in an order drawn anew each time."""

from __future__ import annotations

from routing.kernel.dice import below, draw
from routing.kernel.insertion import delivery_spot, pair_spot
from routing.kernel.jit import inline, jit
from routing.kernel.layout import (
    BIG,
    BLINK,
    BOUND_OUT,
    FAULTS,
    ITERATION,
    LEFT_OUT,
    LOOKUP,
    MOST_USED,
    NEVER,
    TOTAL,
    USED,
    WORK,
    Case,
    State,
)
from routing.kernel.route import put_in

_STOPS_PER_PLACE = 24
_OVERLOOKED = 0.02


@inline
def _count_out(case: Case, state: State, r: int, sign: int) -> None:
    """Add a request to what is left out, or with sign -1 take it away."""
    request = case.requests[r]
    state.counts[LEFT_OUT] += sign
    state.sums[TOTAL] += sign * request.price
    state.counts[BOUND_OUT] += sign * request.lost


@inline
def leave_out(case: Case, state: State, r: int) -> None:
    """Note a request as being in no route."""
    state.left_out_at[r] = state.counts[LEFT_OUT]
    state.left_out[state.counts[LEFT_OUT]] = r
    _count_out(case, state, r, 1)


@inline
def take_up(case: Case, state: State, r: int) -> None:
    """Note that a request is no longer left out."""
    at, last = state.left_out_at[r], state.counts[LEFT_OUT] - 1
    state.left_out[at] = state.left_out[last]
    state.left_out_at[state.left_out[at]] = at
    state.left_out_at[r] = -1
    _count_out(case, state, r, -1)


@jit
def sort_work(case: Case, state: State, way: int) -> None:
    """Put `state.work` in the order of one rule; what is bound goes first."""
    for w in range(state.counts[WORK]):
        r = state.work[w]
        request = case.requests[r]
        key = draw(state)
        if way == 1:
            key = -request.size
        elif way == 2:
            key = -request.far
        elif way == 3:
            key = request.far
        elif way == 4:
            key = request.width
        elif way == 5:
            key = request.latest
        if request.bound >= 0:
            key -= BIG
        state.key[w] = key
    _sort(state)


@jit
def _sort(state: State) -> None:
    """Sort the work by its keys, in place: by heap, for after a ruin it is short and at the start it is everything."""
    many = state.counts[WORK]
    for root in range(many // 2 - 1, -1, -1):
        _sift(state, root, many)
    for last in range(many - 1, 0, -1):
        state.key[0], state.key[last] = state.key[last], state.key[0]
        state.work[0], state.work[last] = state.work[last], state.work[0]
        _sift(state, 0, last)


@jit
def _sift(state: State, root: int, many: int) -> None:
    while 2 * root + 1 < many:
        child = 2 * root + 1
        if child + 1 < many and state.key[child + 1] > state.key[child]:
            child += 1
        if state.key[root] >= state.key[child]:
            return
        state.key[root], state.key[child] = state.key[child], state.key[root]
        state.work[root], state.work[child] = state.work[child], state.work[root]
        root = child


@jit
def recreate(case: Case, state: State, first: int, last: int, must: bool) -> None:
    """Put some of `state.work` in where each adds least; with `must` whatever it costs, else up to its price."""
    for w in range(first, last):
        r = state.work[w]
        request = case.requests[r]
        bound = BIG if must or request.bound >= 0 else request.price
        c, i, j = spot(case, state, r, bound)
        if c >= 0:
            if state.left_out_at[r] >= 0:
                take_up(case, state, r)
            if not put_in(case, state, c, r, i, j):
                state.counts[FAULTS] += 1
        elif state.left_out_at[r] < 0:
            leave_out(case, state, r)


@inline
def spot(case: Case, state: State, r: int, bound: float) -> tuple[int, int, int]:
    """Return (courier, pickup row or -1, delivery row) of the cheapest place below `bound`; courier -1 if none."""
    request = case.requests[r]
    if request.only_delivery:
        _, j = delivery_spot(case, state, request.bound, r, bound)
        return request.bound if j >= 0 else -1, -1, j
    best, best_c, best_i, best_j = bound, -1, -1, -1
    many, unknown = _routes_near(case, state, r), 0
    for k in range(many):  # first what is known, so that the rest need only be better
        c = state.routes_near[k]
        at = _slot(case, state, c, r)
        known = state.known[at]
        if known.key != _key(case, c, r) or known.version != state.routes[c].version:
            known = state.known[at + 1]
        if known.key != _key(case, c, r) or known.version != state.routes[c].version:
            state.routes_near[unknown] = c
            unknown += 1
        elif known.price < best:
            if known.i < 0 or draw(state) < _OVERLOOKED:
                state.routes_near[unknown] = c if known.i < 0 else -1 - c
                unknown += 1
            else:
                best, best_c, best_i, best_j = known.price, c, known.i, known.j
    for k in range(unknown):
        c = state.routes_near[k]
        blinks = c < 0
        if blinks:
            c = -1 - c
            state.counts[BLINK] = 1
        price, i, j = pair_spot(case, state, c, r, best)
        if blinks:
            state.counts[BLINK] = NEVER
        else:
            # What holds for a route of this iteration must not drive out what held before it, and may hold again.
            known = state.known[_slot(case, state, c, r) + (state.routes[c].touched == state.counts[ITERATION])]
            known.key, known.version = _key(case, c, r), state.routes[c].version
            known.price, known.i, known.j = price, i, j
            blinks = i >= 0 and draw(state) < _OVERLOOKED
            if blinks:
                continue
        if i >= 0:
            best, best_c, best_i, best_j = price, c, i, j
    return best_c, best_i, best_j


@inline
def _key(case: Case, c: int, r: int) -> int:
    return r * case.couriers.shape[0] + c + 1


@inline
def _slot(case: Case, state: State, c: int, r: int) -> int:
    """Return where what is known of a request in a route is kept; others may be kept there too."""
    return (2 * _key(case, c, r)) & (state.known.shape[0] - 1)


@inline
def _routes_near(case: Case, state: State, r: int) -> int:
    """List the routes worth a look for a request in `state.routes_near`; return how many."""
    state.counts[LOOKUP] += 1
    wish, many, couriers = case.requests[r].wish, 0, case.couriers.shape[0]
    if state.counts[USED] <= case.all_routes:
        for c in range(couriers):
            if state.routes[c].count and case.allowed[wish, c]:
                state.routes_near[many] = c
                many += 1
    else:
        for end in range(2):
            many = _routes_at(case, state, case.stops[2 * r + end].place, wish, many)
    if state.counts[USED] < min(couriers, state.counts[MOST_USED]):
        for c in range(couriers):
            if state.routes[c].count == 0 and case.allowed[wish, c] and not state.routes[c].closed:
                kind = couriers + case.couriers[c].kind
                if state.seen[kind] != state.counts[LOOKUP]:
                    state.seen[kind] = state.counts[LOOKUP]
                    state.routes_near[many] = c
                    many += 1
    return many


@inline
def _routes_at(case: Case, state: State, here: int, wish: int, many: int) -> int:
    """Add the routes that pass near one place."""
    limit = many + case.routes_per_end
    for place in case.near[here]:
        first, last = case.first_at[place], case.first_at[place + 1]
        width = last - first
        turn = below(state, width) if width > _STOPS_PER_PLACE else 0
        for k in range(min(width, _STOPS_PER_PLACE)):
            at = first + k + turn
            c = state.courier_of[case.stops_at[at if at < last else at - width]]
            if c >= 0 and state.seen[c] != state.counts[LOOKUP] and case.allowed[wish, c]:
                state.seen[c] = state.counts[LOOKUP]
                state.routes_near[many] = c
                many += 1
        if many >= limit:
            break
    return many
