"""The loop: ruin, recreate, accept by simulated annealing or, while requests are left out, by how often they were."""

from __future__ import annotations

from math import log

from routing.kernel.dice import below, draw
from routing.kernel.jit import jit
from routing.kernel.layout import (
    BEST,
    BIG,
    BOUND,
    BOUND_OUT,
    ELSEWHERE,
    FAULTS,
    FILLED,
    FULL,
    ITERATION,
    LEFT_OUT,
    MOST_USED,
    OPENING,
    REMOVED,
    TOTAL,
    TOUCHED,
    USED,
    WORK,
    Case,
    State,
)
from routing.kernel.recreate import leave_out, recreate, sort_work, take_up
from routing.kernel.route import account, put_back, refresh, touch
from routing.kernel.ruin import mark, ruin, take_marked

_RETRIED = 12  # so many of those left out before are tried again in one iteration


@jit
def start(case: Case, state: State) -> int:
    """Time the routes as they stand in the rows; return how many cannot be driven."""
    faults = 0
    for c in range(case.couriers.shape[0]):
        if not refresh(case, state, c):
            faults += 1
        for k in range(state.routes[c].count):
            state.courier_of[state.rows[c, k].stop] = c
            state.row_of[state.rows[c, k].stop] = k
        account(state, c, 1.0)
    for r in range(case.requests.shape[0]):
        if state.courier_of[2 * r + 1] < 0 and not case.requests[r].out and state.left_out_at[r] != ELSEWHERE:
            leave_out(case, state, r)
    state.sums[BEST] = BIG * BIG
    keep_best(case, state)
    return faults


@jit
def line_up(case: Case, state: State, way: int) -> int:
    """Make everything that is left out the work, in one order, for `fill`; return how many requests that is."""
    _next(state)
    for k in range(state.counts[LEFT_OUT]):
        state.work[k] = state.left_out[k]
    state.counts[WORK] = state.counts[LEFT_OUT]
    state.counts[FILLED] = 0
    sort_work(case, state, way)
    return state.counts[WORK]


@jit
def fill(case: Case, state: State, most: int) -> int:
    """Try to put in so many more of those lined up; return how many have still to be tried."""
    first = state.counts[FILLED]
    state.counts[FILLED] = min(state.counts[WORK], first + most)
    recreate(case, state, first, state.counts[FILLED], False)
    _accept(case, state)
    return state.counts[WORK] - state.counts[FILLED]


@jit
def _accept(case: Case, state: State) -> None:
    """Go on from the routes as they stand."""
    for t in range(state.counts[TOUCHED]):
        state.routes[state.touched[t]].changed = 1
    keep_best(case, state)


@jit
def _next(state: State) -> None:
    state.counts[ITERATION] += 1
    state.counts[TOUCHED] = 0
    state.counts[WORK] = 0


@jit
def _sum_up(case: Case, state: State) -> None:
    """Add the total up anew, so that rounding does not gather."""
    total = 0.0
    for c in range(case.couriers.shape[0]):
        total += state.routes[c].price
    out = 0.0
    for k in range(state.counts[LEFT_OUT]):
        out += case.requests[state.left_out[k]].price
    state.sums[TOTAL] = total + out


@jit
def total_now(case: Case, state: State) -> float:
    """Return the priced total of the routes as they stand, the price of unequal routes included."""
    total = state.sums[TOTAL] + BOUND * state.counts[BOUND_OUT]
    if case.balance == 0.0:
        return total
    longest, shortest = -1, -1
    for c in range(case.couriers.shape[0]):
        if state.routes[c].count:
            span = state.routes[c].span
            longest = max(longest, span)
            shortest = span if shortest < 0 else min(shortest, span)
    return total + case.balance * (longest - shortest)


@jit
def keep_best(case: Case, state: State) -> None:
    """Keep the routes as they stand if they are the cheapest so far."""
    total = total_now(case, state) + (case.opening - state.sums[OPENING]) * state.counts[USED]
    if total >= state.sums[BEST] - 1e-12 * abs(state.sums[TOTAL]) - 1e-9:
        return
    whole = state.sums[BEST] > BIG
    state.sums[BEST] = total
    for c in range(case.couriers.shape[0]):
        route = state.routes[c]
        if whole or route.changed:
            route.changed = 0
            state.best_count[c] = route.count
            for k in range(route.count):
                state.best_order[c, k] = state.rows[c, k].stop


@jit
def _retry(state: State) -> None:
    """Add some of those left out to the work."""
    out = state.counts[LEFT_OUT]
    if out == 0:
        return
    turn = below(state, out)
    for k in range(min(out, _RETRIED)):
        state.work[state.counts[WORK]] = state.left_out[(turn + k) % out]
        state.counts[WORK] += 1


@jit
def _undo(case: Case, state: State) -> None:
    """Make everything what it was before this iteration."""
    for t in range(state.counts[TOUCHED]):
        c = state.touched[t]
        for k in range(state.routes[c].count):
            state.courier_of[state.rows[c, k].stop] = -1
    for t in range(state.counts[TOUCHED]):
        put_back(state, state.touched[t])
    for w in range(state.counts[WORK]):
        r = state.work[w]
        before, now = state.courier_of[2 * r + 1] < 0, state.left_out_at[r] >= 0
        if before and not now:
            leave_out(case, state, r)
        elif now and not before:
            take_up(case, state, r)


@jit
def _missed(state: State) -> int:
    total = 0
    for k in range(state.counts[LEFT_OUT]):
        total += state.misses[state.left_out[k]]
    return total


@jit
def _way(state: State) -> int:
    """Draw the order of putting in: 4 random, 2 large, 1 far, 1 near, 2 narrow, 1 early first."""
    x = below(state, 11)
    if x < 4:
        return 0
    if x < 6:
        return 1
    if x < 8:
        return x - 4
    return 4 if x < 10 else 5


@jit
def improve(
    case: Case, state: State, iterations: int, temperature: float, mean_removed: float, longest: int, must: bool
) -> int:
    """Go through so many iterations at one temperature; return how many were made.

    With `must` requests that are left out decide: it ends when there are none.
    """
    if state.mine.shape[0] == 0:
        return iterations  # nothing can be better
    _sum_up(case, state)
    now = total_now(case, state)
    for step in range(iterations):
        _next(state)
        missed = _missed(state) if must else 0
        faults = state.counts[FAULTS]
        ruin(case, state, mean_removed, longest)
        _retry(state)
        sort_work(case, state, _way(state))
        recreate(case, state, 0, state.counts[WORK], must)
        after = total_now(case, state)
        accepted = after < now - temperature * log(1.0 - draw(state) + 1e-300)
        if must:
            served, change = state.counts[LEFT_OUT] == 0, _missed(state) - missed
            accepted = served or change < 0 or (change == 0 and accepted)
            for k in range(state.counts[LEFT_OUT]):
                state.misses[state.left_out[k]] += 1
        if state.counts[FAULTS] > faults:
            accepted = False
        if accepted:
            now = after
            _accept(case, state)
            if must and state.counts[LEFT_OUT] == 0:
                return step + 1
        else:
            _undo(case, state)
        if state.counts[FULL]:
            return step + 1
    return iterations


@jit
def close_one(case: Case, state: State) -> int:
    """Give up one route whose requests were seldom left out; return whether there was one to give up."""
    best, fewest = -1, BIG
    for c in range(case.couriers.shape[0]):
        n = state.routes[c].count
        free = n > 0 and case.couriers[c].fixed == 0
        missed = draw(state)
        for k in range(n):
            r = state.rows[c, k].stop // 2
            free = free and case.requests[r].bound < 0
            missed += 0.5 * (state.misses[r] + 1)
        if free and missed < fewest:
            best, fewest = c, missed
    if best < 0:
        return 0
    _next(state)
    touch(state, best)
    for k in range(state.routes[best].count):
        mark(state, state.rows[best, k].stop // 2)
    take_marked(case, state)
    for w in range(state.counts[REMOVED]):
        leave_out(case, state, state.work[w])
    state.routes[best].changed = 1
    state.counts[MOST_USED] = state.counts[USED]
    return 1
