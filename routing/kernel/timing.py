"""A whole route in time, as `routing.timing` has it: breaks and departure where they cost least."""

from __future__ import annotations

from typing import Any

from routing.kernel.jit import inline, jit
from routing.kernel.layout import BIG, FEW_BREAKS, MOST_MOMENTS, NEVER, Case, Records, State


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


@inline
def _price(moment: Any, at: int) -> float:
    """Return what being ready at `at` costs, not before the moment itself."""
    return moment.soft + moment.slope * (min(at, moment.until) - moment.at)


@inline
def _dominates(one: Any, other: Any) -> bool:
    """Say whether `one`, not later than `other`, is never dearer and has no break less behind it."""
    return (
        one.at <= other.at
        and one.taken & other.taken == other.taken
        and _price(one, other.at) <= other.soft
        and _price(one, other.until) <= _price(other, other.until)
    )


@jit
def _keep(moments: Records, count: int, new: Any) -> int:
    """Add a moment to `count` others in order of time, less those it makes needless; return how many there are."""
    where = 0
    for m in range(count):
        if _dominates(moments[m], new):
            if _dominates(new, moments[m]) and new.left > moments[m].left:
                moments[m].left = new.left  # alike but for the departure: the later one, as in routing.timing
            return count
        if moments[m].at <= new.at:
            where = m + 1
    kept = where
    for m in range(where, count):
        if not _dominates(new, moments[m]):
            moments[kept] = moments[m]
            kept += 1
    if kept == MOST_MOMENTS:
        return kept
    for m in range(kept, where, -1):
        moments[m] = moments[m - 1]
    moments[where] = new
    return kept + 1


@inline
def _leave(case: Case, c: int, at: int, moment: Any) -> None:
    """Make a moment that of leaving the start at `at` or later."""
    moment.at, moment.until, moment.left = at, max(at, case.couriers[c].shift_end), at
    moment.soft, moment.slope = -case.span * at, -case.span


@inline
def _pass(moment: Any, drive: int, opens: int, closes: int, lasts: int, done: Any) -> bool:
    """Fill the ways to be done with what starts in a window and lasts, `drive` seconds from a moment; False if none."""
    first = max(moment.at + drive, opens)
    if first > closes:
        return False
    at = min(first - drive, moment.until)
    late = max(0, min(moment.until + drive, closes) - first)
    soft, left, slope, taken = _price(moment, at), moment.left + at - moment.at, moment.slope, moment.taken
    done.at, done.until, done.soft, done.slope = first + lasts, first + lasts + late, soft, slope
    done.left, done.taken = left, taken
    return True


@inline
def _serve(case: Case, state: State, c: int, moment: Any, drive: int, stop: int, kept: int) -> int:
    """Add the ways to have served a stop `drive` seconds from a moment to the `kept` moments; return how many."""
    here, done = case.stops[stop], state.room[0]
    latest = case.couriers[c].shift_end - here.service
    for w in range(here.window, here.window + here.windows):
        closes = case.windows[w, 1]
        if not _pass(moment, drive, case.windows[w, 0], min(closes, latest), here.service, done):
            continue
        first, last = done.at - here.service, done.until
        done.soft += soft_price(case, stop, first)
        done.slope += here.delay
        if first >= here.due:
            done.slope += case.late
        due = here.due + here.service if first < here.due else NEVER
        if done.slope >= 0.0:
            done.until = done.at
        elif due < last:  # from then on another second costs more
            done.until = due
        if done.until == done.at:
            done.slope = 0.0
        kept = _keep(state.moments, kept, done)
        if done.until < last and done.slope + case.late < 0.0 and done.slope < 0.0:
            done.soft += done.slope * (due - done.at)
            done.left += due - done.at
            done.slope += case.late
            done.at, done.until = due, last
            kept = _keep(state.moments, kept, done)
        if moment.until + drive <= closes:
            break
    return kept


@jit
def _rest(case: Case, state: State, c: int, end: int, k: int) -> int:
    """Add the ways to have rested at position k to the moments in `state.room` from 1 up to `end`; return their end."""
    courier, room = case.couriers[c], state.room
    at = 1
    while at < end:
        moment, latest = room[at], NEVER
        for b in range(courier.rests):
            if not moment.taken >> b & 1:
                latest = min(latest, case.rests[courier.rest + b, 1])
        if moment.at > latest:  # too late for a break that is now needed
            end -= 1
            for m in range(at, end):
                room[m] = room[m + 1]
            continue
        for b in range(courier.rests):
            if moment.taken >> b & 1 or end >= room.shape[0]:
                continue
            rest, new = case.rests[courier.rest + b], room[end]
            if _pass(moment, 0, rest[0], rest[1], rest[2], new):
                new.taken |= 1 << b
                if k == 0:
                    _leave(case, c, new.at, new)
                end += 1
            if courier.rests > FEW_BREAKS:
                break
        moment.until = min(moment.until, latest)
        at += 1
    return end


@inline
def _advance(case: Case, state: State, c: int, k: int, count: int, origin: int, stop: int) -> int:
    """Replace the moments before `stop`, the one at position k, by those after it; return how many, 0 for no way."""
    here = case.stops[stop]
    drive = case.legs[origin, here.place, 0]
    if drive < 0:
        return 0
    room = state.room
    for m in range(count):
        room[m + 1] = state.moments[m]
    end = count + 1
    if case.couriers[c].rests and (k == 0 or origin != here.place):
        end = _rest(case, state, c, end, k)
    kept = 0
    for m in range(1, end):
        kept = _serve(case, state, c, room[m], drive, stop, kept)
    return kept


@inline
def _finish(case: Case, state: State, c: int, k: int, count: int, last: int) -> tuple[float, int]:
    """Return (price, duration) of the cheapest way to close a route of k stops after place `last`; BIG if none."""
    courier, room = case.couriers[c], state.room
    drive = 0
    for m in range(count):
        room[m + 1] = state.moments[m]
    end = count + 1
    if courier.end >= 0:
        drive = case.legs[last, courier.end, 0]
        if courier.rests and last != courier.end:
            end = _rest(case, state, c, end, k)
    best, best_end, span = BIG, 0, 0
    if drive < 0:
        return best, span
    for m in range(1, end):
        end_at = room[m].at + drive
        fine = end_at <= courier.shift_end
        for b in range(courier.rests):
            fine = fine and (room[m].taken >> b & 1 == 1 or end_at < case.rests[courier.rest + b, 1])
        price = room[m].soft + case.span * end_at
        shorter = end_at == best_end and end_at - room[m].left < span
        if fine and (price < best or (price == best and (end_at < best_end or shorter))):
            best, best_end, span = price, end_at, end_at - room[m].left
    return best, span


@jit
def timed(case: Case, state: State, c: int, n: int) -> tuple[float, int]:
    """Return (lateness, delay and duration priced; duration) of the first n stops of `state.order`, BIG if impossible.

    `state.early[k]` becomes the earliest readiness before stop k.
    """
    earliest = case.couriers[c].earliest
    state.early[0] = earliest
    state.moments[0].taken = 0
    _leave(case, c, earliest, state.moments[0])
    count, origin = 1, case.couriers[c].start
    for k in range(n):
        stop = state.order[k]
        count = _advance(case, state, c, k, count, origin, stop)
        if count == 0:
            return BIG, 0
        origin = case.stops[stop].place
        state.early[k + 1] = state.moments[0].at  # in order of time
    return _finish(case, state, c, n, count, origin)
