"""Ruin: strings of neighbouring stops are taken out of neighbouring routes, always whole requests.

Slack-induced string removals: J. Christiaens, G. Vanden Berghe, Transportation Science 54 (2020) 417-433, adapted to
pairs: whatever stop a string holds, its whole request goes.
"""

from __future__ import annotations

from routing.kernel.dice import below, draw
from routing.kernel.jit import jit
from routing.kernel.layout import ITERATION, LEFT_OUT, REMOVED, STOPS, TOUCHED, USED, WORK, Case, State
from routing.kernel.route import take_out, touch

_SPLIT = 0.5  # share of strings that keep some stops in their middle
_LONGER = 0.01
_ROUND_THE_LEFT_OUT = 0.5  # while some are left out, this share of ruins makes room where they are


@jit
def ruin(case: Case, state: State, mean_removed: float, longest: int) -> None:
    """Take some requests out of some routes and list them in `state.work`."""
    state.counts[WORK] = 0
    mean_length = state.counts[STOPS] / max(1, state.counts[USED])
    length = min(float(longest), max(1.0, mean_length))
    strings = int(1.0 + draw(state) * (4.0 * mean_removed / (1.0 + length) - 1.0))
    seed = 2 * state.mine[below(state, state.mine.shape[0])] + below(state, 2)
    if state.counts[LEFT_OUT] and draw(state) < _ROUND_THE_LEFT_OUT:
        seed = 2 * state.left_out[below(state, state.counts[LEFT_OUT])] + below(state, 2)
    for place in case.near[case.stops[seed].place]:
        first, last = case.first_at[place], case.first_at[place + 1]
        turn = below(state, last - first) if last > first else 0
        for k in range(last - first):
            at = first + k + turn
            stop = case.stops_at[at if at < last else at - last + first]
            c = state.courier_of[stop]
            if (
                c < 0
                or state.routes[c].touched == state.counts[ITERATION]
                or state.row_of[stop] < case.couriers[c].fixed
            ):
                continue
            touch(state, c)
            _string(case, state, c, state.row_of[stop], length)
            strings -= 1
            if strings <= 0:
                take_marked(case, state)
                return
    take_marked(case, state)


@jit
def _string(case: Case, state: State, c: int, position: int, longest: float) -> None:
    """Mark the requests of one string of stops that holds `position`."""
    n, fixed = state.routes[c].count, case.couriers[c].fixed
    free = n - fixed
    length = 1 + below(state, max(1, int(min(float(free), longest))))
    kept = 0
    if 1 < length < free and draw(state) < _SPLIT:
        kept = 1
        while length + kept < free and draw(state) < _LONGER:
            kept += 1
    whole = length + kept
    lowest, highest = max(fixed, position - whole + 1), min(position, n - whole)
    begin = lowest + below(state, highest - lowest + 1)
    gap = begin + 1 + below(state, length - 1) if kept else n
    for k in range(begin, begin + whole):
        if gap <= k < gap + kept:
            continue
        mark(state, state.rows[c, k].stop // 2)


@jit
def mark(state: State, r: int) -> None:
    """Choose a request to be taken out."""
    if state.mark[r] != state.counts[ITERATION]:
        state.mark[r] = state.counts[ITERATION]
        state.work[state.counts[WORK]] = r
        state.counts[WORK] += 1


@jit
def take_marked(case: Case, state: State) -> None:
    """Take the marked requests out; a route that cannot be driven without them stays as it was."""
    for t in range(state.counts[TOUCHED]):
        take_out(case, state, state.touched[t])
    out = 0
    for w in range(state.counts[WORK]):
        r = state.work[w]
        if state.courier_of[2 * r + 1] < 0:
            state.work[out] = r
            out += 1
        else:
            state.mark[r] = -1
    state.counts[WORK] = out
    state.counts[REMOVED] = out
