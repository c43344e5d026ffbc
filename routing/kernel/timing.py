"""A whole route in time, as `routing.timing` has it: breaks where they cost least, departure as late as pays."""

from __future__ import annotations

from routing.kernel.jit import inline, jit
from routing.kernel.layout import BIG, MOST_MOMENTS, NEVER, Case, State


@inline
def service_start(case: Case, stop: int, arrive: int) -> int:
    """Return the first second at or after `arrive` at which service may start, or NEVER."""
    here = case.stops[stop]
    if arrive > here.closes:
        return NEVER
    if here.windows == 1:
        return max(arrive, here.opens)
    for w in range(here.window, here.window + here.windows):
        if arrive <= case.windows[w, 1]:
            return max(arrive, case.windows[w, 0])
    return NEVER


@inline
def latest_start(case: Case, stop: int, limit: int) -> int:
    """Return the last second up to `limit` at which service may start, or -NEVER."""
    here = case.stops[stop]
    if here.windows == 1:
        return min(limit, here.closes) if here.opens <= limit else -NEVER
    for w in range(here.window + here.windows - 1, here.window - 1, -1):
        if case.windows[w, 0] <= limit:
            return min(limit, case.windows[w, 1])
    return -NEVER


@inline
def soft_price(case: Case, stop: int, start: int) -> float:
    """Return what starting a stop's service at `start` costs: lateness and delay of the delivery."""
    here = case.stops[stop]
    price = 0.0
    if start > here.due:
        price = case.late * (start - here.due)
    if here.delay != 0.0:
        price += here.delay * (start - here.release)
    return price


@jit
def _keep(state: State, k: int, count: int, at: int, taken: int, soft: float) -> int:
    """Make room for one moment in the order (at, soft, most breaks taken); return where, or -1 if dominated."""
    where = count
    for m in range(count):
        other = state.moments[k, m]
        before = other.at < at or (
            other.at == at and (other.soft < soft or (other.soft == soft and other.taken >= taken))
        )
        if not before:
            where = m
            break
        if other.soft <= soft and other.taken >= taken:
            return -1
    if where >= MOST_MOMENTS:
        return -1
    for m in range(min(count, MOST_MOMENTS - 1), where, -1):
        state.moments[k, m] = state.moments[k, m - 1]
    return where


@jit
def _advance(case: Case, state: State, c: int, k: int, count: int, origin: int, stop: int, onward: int) -> int:
    """Fill the moments after serving `stop` as number `k`; return how many, 0 when it cannot be done."""
    courier, here = case.couriers[c], case.stops[stop]
    drive = case.legs[origin, here.place, 0]
    if drive < 0:
        return 0
    drives = origin != here.place or k == 0
    leaves = onward != here.place
    kept = 0
    for m in range(count):
        at, taken = state.moments[k, m].at, state.moments[k, m].taken
        if taken < courier.rests and at > case.rests[courier.rest + taken, 1]:
            continue
        while True:
            arrive = at + drive
            start = service_start(case, stop, arrive)
            depart = start + here.service
            if depart > courier.shift_end:
                break
            soft = state.moments[k, m].soft + soft_price(case, stop, start)
            if k == 0:
                soft -= case.span * (start - drive)
                arrive = start
            where = _keep(state, k + 1, kept, depart, taken, soft)
            if where >= 0:
                kept = min(kept + 1, MOST_MOMENTS)
                row = state.moments[k + 1, where]
                row.at, row.taken, row.before, row.arrive, row.start, row.soft = depart, taken, m, arrive, start, soft
            if taken == courier.rests or not drives:
                break
            rest = case.rests[courier.rest + taken]
            if (leaves and depart < rest[0]) or max(at, rest[0]) > rest[1]:
                break
            at = max(at, rest[0]) + rest[2]
            taken += 1
    return _undominated(state, k + 1, kept)


@jit
def _undominated(state: State, k: int, count: int) -> int:
    kept = 0
    for m in range(count):
        one, dominated = state.moments[k, m], False
        for other in range(kept):
            known = state.moments[k, other]
            dominated = dominated or (known.soft <= one.soft and known.taken >= one.taken)
        if not dominated:
            state.moments[k, kept] = one
            kept += 1
    return kept


@jit
def _finish(case: Case, state: State, c: int, n: int, count: int) -> tuple[float, int, int]:
    """Return (price, end, moment) of the cheapest way to close a route of n stops; BIG if there is none."""
    courier = case.couriers[c]
    last = case.stops[state.order[n - 1]].place
    drive = 0
    if courier.end >= 0:
        drive = case.legs[last, courier.end, 0]
    best, best_end, best_moment = BIG, 0, -1
    if drive < 0:
        return best, best_end, best_moment
    for m in range(count):
        at, taken = state.moments[n, m].at, state.moments[n, m].taken
        while True:
            end_at = at + drive
            fine = end_at <= courier.shift_end
            for b in range(courier.rest + taken, courier.rest + courier.rests):
                fine = fine and end_at < case.rests[b, 1]
            price = state.moments[n, m].soft + case.span * end_at
            if fine and (price < best or (price == best and end_at < best_end)):
                best, best_end, best_moment = price, end_at, m
            if courier.end < 0 or last == courier.end or taken == courier.rests:
                break
            rest = case.rests[courier.rest + taken]
            if max(at, rest[0]) > rest[1]:
                break
            at = max(at, rest[0]) + rest[2]
            taken += 1
    return best, best_end, best_moment


@jit
def _run(case: Case, state: State, c: int, n: int, leave: int) -> tuple[float, int, int]:
    """Time the first n stops of `state.order` from `leave` on; return (price, end, last moment), BIG if impossible."""
    first = state.moments[0, 0]
    first.at, first.taken, first.soft = leave, 0, 0.0
    count, origin = 1, case.couriers[c].start
    for k in range(n):
        onward = case.stops[state.order[k + 1]].place if k + 1 < n else case.couriers[c].end
        count = _advance(case, state, c, k, count, origin, state.order[k], onward)
        if count == 0:
            return BIG, 0, -1
        origin = case.stops[state.order[k]].place
    return _finish(case, state, c, n, count)


@jit
def _ride(case: Case, state: State, c: int, n: int, leave: int, kept: bool) -> tuple[float, int, int]:
    """Time the first n stops of `state.order` from `leave` on, as one who never rests; (price, end, departure)."""
    place, at, left, soft = case.couriers[c].start, leave, leave, 0.0
    for k in range(n):
        stop = state.order[k]
        here = case.stops[stop]
        drive = case.legs[place, here.place, 0]
        start = service_start(case, stop, at + drive)
        if drive < 0 or start >= NEVER:
            return BIG, 0, 0
        if k == 0:
            left = start - drive
        soft += soft_price(case, stop, start)
        if kept:
            row = state.moments[k + 1, MOST_MOMENTS]
            row.arrive, row.start = at + drive if k else start, start
            state.early[k + 1] = start + here.service
        place, at = here.place, start + here.service
    if case.couriers[c].end >= 0:
        drive = case.legs[place, case.couriers[c].end, 0]
        at += drive
        if drive < 0:
            return BIG, 0, 0
    if at > case.couriers[c].shift_end:
        return BIG, 0, 0
    return soft + case.span * (at - left), at, left


@jit
def _drive(case: Case, state: State, c: int, n: int, leave: int, kept: bool) -> tuple[float, int, int]:
    """Time the first n stops of `state.order` from `leave` on; return (price, end, departure), BIG if impossible.

    With `kept` the last moment of each stop becomes its arrival and start, and `early` the earliest readiness.
    """
    if case.couriers[c].rests == 0:
        return _ride(case, state, c, n, leave, kept)
    price, end_at, moment = _run(case, state, c, n, leave)
    if price >= BIG:
        return BIG, 0, 0
    if kept:
        for k in range(1, n + 1):
            state.early[k] = state.moments[k, 0].at  # in order of time
    for k in range(n, 0, -1):
        if kept:
            state.moments[k, MOST_MOMENTS] = state.moments[k, moment]
        if k > 1:
            moment = state.moments[k, moment].before
    first = case.legs[case.couriers[c].start, case.stops[state.order[0]].place, 0]
    return price, end_at, state.moments[1, moment].arrive - first


@jit
def timed(case: Case, state: State, c: int, n: int) -> tuple[float, int]:
    """Return (lateness, delay and duration priced; duration) of the first n stops of `state.order`, BIG if impossible.

    `state.early[k]` becomes the earliest readiness before stop k.
    """
    earliest = case.couriers[c].earliest
    state.early[0] = earliest
    best, end_at, leave_at = _drive(case, state, c, n, earliest, True)
    best_span = end_at - leave_at
    if best >= BIG or case.span == 0.0 or n < 2:
        return best, best_span
    waits = n  # who leaves later saves waiting; after the last wait there is nothing to save
    rests = case.couriers[c].rests  # a later start may also move a break
    while (
        rests == 0
        and waits > 1
        and state.moments[waits, MOST_MOMENTS].start == state.moments[waits, MOST_MOMENTS].arrive
    ):
        waits -= 1
    absorbed = 0
    for k in range(waits if waits > 1 else 0):
        arrive, start = state.moments[k + 1, MOST_MOMENTS].arrive, state.moments[k + 1, MOST_MOMENTS].start
        here = case.stops[state.order[k]]
        absorbed += start - arrive
        for way in range(3):
            delay = absorbed if start > arrive else 0  # else as before
            if way == 1:
                delay = absorbed + here.due - start if start < here.due < NEVER else 0
            elif way == 2:
                delay = absorbed + here.closes - start
            if delay > 0:
                price, end_at, left = _drive(case, state, c, n, max(earliest, leave_at + delay), False)
                if price < best:
                    best, best_span = price, end_at - left
    return best, best_span
