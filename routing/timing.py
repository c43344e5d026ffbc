"""One courier's order of stops in time: arrival, start and departure of each, or the reason it cannot be driven.

Timing rule: a courier leaves his start as late as costs nothing, drives at once after each service and waits where he
arrives. Breaks are placed where they cost least: the moments below are the ways to have placed them so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from routing.model import Number, Rest
from routing.view import NEVER, View


class Moment(NamedTuple):
    """One way to stand after a stop: ready at `at`, with `soft` paid so far and the first `taken` breaks behind."""

    at: int
    soft: Number
    taken: int
    before: Moment | None
    arrive: int
    start: int
    rests: tuple[Rest, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """One courier's stops in time; lists run along the order of stops."""

    arrive: list[int]
    start: list[int]
    depart: list[int]
    rests: tuple[Rest, ...]
    leave_at: int
    end_at: int
    distance_m: int
    travel_s: int
    late_s: int
    delay_s: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an order cannot be driven: a code of `explain`, the position of the stop, and how far it is missed."""

    code: str
    position: int
    by: int = 0


def first_moment(view: View, courier: int, earliest: int | None = None) -> Moment:
    """Return the courier standing at his start."""
    at = view.earliest[courier] if earliest is None else max(earliest, view.earliest[courier])
    return Moment(at, 0, 0, None, at, at, ())


def service_start(view: View, stop: int, arrive: int) -> int:
    """Return the first second at or after `arrive` at which service may start, or NEVER."""
    if arrive > view.closes[stop]:
        return NEVER
    if not view.has_gaps[stop]:
        return max(arrive, view.opens[stop])
    return next(max(arrive, opens) for opens, closes in view.windows[stop] if arrive <= closes)


def soft_cost(view: View, stop: int, start: int) -> Number:
    """Return what starting a stop's service at `start` costs: lateness and delay of the delivery."""
    cost: Number = 0
    if start > view.due[stop]:
        cost += view.weights.late_per_s * (start - view.due[stop])
    if view.delay_weight[stop]:
        cost += view.delay_weight[stop] * (start - view.release[stop])
    return cost


def advance(
    view: View, courier: int, moments: Sequence[Moment], origin: int, stop: int, onward: int | None
) -> list[Moment]:
    """Return the ways to stand after serving `stop` next, from place `origin` and with place `onward` to come.

    Empty when it cannot be done. Before the leg, pending breaks may be taken, in order of closing; who stays at the
    place for his next stop goes on without one. A break is not considered where the stop is over before it opens and
    another leg follows: it can as well be taken there.
    """
    drive = view.legs.seconds[origin][view.place[stop]]
    if drive < 0:
        return []
    breaks, service, shift_end = view.breaks[courier], view.service[stop], view.shift_end[courier]
    drives = origin != view.place[stop] or moments[0].before is None
    leaves = onward != view.place[stop]
    reached: list[Moment] = []
    for moment in moments:
        at, taken = moment.at, moment.taken
        rests: tuple[Rest, ...] = ()
        if taken < len(breaks) and at > breaks[taken][1]:
            continue  # too late for a break that is now needed
        while True:
            arrive = at + drive
            start = service_start(view, stop, arrive)
            depart = start + service
            if depart > shift_end:
                break
            soft = moment.soft + soft_cost(view, stop, start)
            if moment.before is None:  # leaves as late as this first stop allows
                soft -= view.weights.duration_per_s * (start - drive)
                arrive = start
            reached.append(Moment(depart, soft, taken, moment, arrive, start, rests))
            if taken == len(breaks) or not drives:
                break
            opens, closes, lasts = breaks[taken]
            if (leaves and depart < opens) or max(at, opens) > closes:
                break
            rests = (*rests, Rest(max(at, opens), max(at, opens) + lasts))
            at, taken = rests[-1].end, taken + 1
    return reached if len(reached) < 2 else _undominated(reached)


def _undominated(moments: list[Moment]) -> list[Moment]:
    kept: list[Moment] = []
    for one in sorted(moments, key=lambda m: (m.at, m.soft, -m.taken)):
        if not any(other.soft <= one.soft and other.taken >= one.taken for other in kept):
            kept.append(one)
    return kept


def _ways_to_leave(view: View, courier: int, moment: Moment) -> Iterator[tuple[int, int, tuple[Rest, ...]]]:
    """Yield (ready to drive at, breaks taken, rests taken here): without a break, after one, after two …"""
    at = moment.at
    rests: tuple[Rest, ...] = ()
    yield at, moment.taken, ()
    for index in range(moment.taken, len(view.breaks[courier])):
        opens, closes, lasts = view.breaks[courier][index]
        start = max(at, opens)
        if start > closes:
            return
        at = start + lasts
        rests = (*rests, Rest(start, at))
        yield at, index + 1, rests


class Closing(NamedTuple):
    """One way to end a route: its soft price with duration, its end, the last stop, the breaks taken after it."""

    price: Number
    end_at: int
    last: Moment
    rests: tuple[Rest, ...]


def finish(view: View, courier: int, moments: Sequence[Moment], last: int) -> Closing | None:
    """Return the cheapest way to close the route after place `last`, or None."""
    end = view.end[courier]
    drive = 0 if end is None else view.legs.seconds[last][end]
    if drive < 0:
        return None
    best: Closing | None = None
    for moment in moments:
        ways: Iterable[tuple[int, int, tuple[Rest, ...]]] = [(moment.at, moment.taken, ())]
        if end is not None and last != end:
            ways = _ways_to_leave(view, courier, moment)
        for ready, taken, rests in ways:
            end_at = ready + drive
            needed = (closes for _, closes, _ in view.breaks[courier][taken:])
            if end_at > view.shift_end[courier] or any(end_at >= closes for closes in needed):
                continue
            price = moment.soft + view.weights.duration_per_s * end_at
            if best is None or (price, end_at) < (best.price, best.end_at):
                best = Closing(price, end_at, moment, rests)
    return best


def time_route(
    view: View, courier: int, order: Sequence[int], trail: list[list[Moment]] | None = None
) -> Timing | Fault:
    """Time one courier's order of stops, or say why it cannot be driven.

    To `trail` are added the ways to stand before each stop and after the last, for who leaves as early as he may.
    """
    fault = _load_fault(view, courier, order) or _distance_fault(view, courier, order)
    if fault:
        return fault
    timing = _time(view, courier, order, trail=trail)
    if isinstance(timing, Fault) or not view.weights.duration_per_s or len(order) < 2:
        return timing
    best = timing
    for leave_at in _later_departures(view, order, timing):
        later = _time(view, courier, order, leave_at)
        if isinstance(later, Timing) and route_price(view, later) < route_price(view, best):
            best = later
    return best


def _later_departures(view: View, order: Sequence[int], timing: Timing) -> list[int]:
    """Return the departures worth trying: those that use up a wait on the way or bring a stop just to its due time."""
    delays: set[int] = set()
    absorbed = 0
    for position, stop in enumerate(order):
        absorbed += timing.start[position] - timing.arrive[position]
        delays.add(absorbed)
        if timing.start[position] < view.due[stop] < NEVER:
            delays.add(absorbed + view.due[stop] - timing.start[position])
        delays.add(absorbed + view.closes[stop] - timing.start[position])
    return [timing.leave_at + delay for delay in sorted(delays) if delay > 0]


def _time(
    view: View,
    courier: int,
    order: Sequence[int],
    earliest: int | None = None,
    trail: list[list[Moment]] | None = None,
) -> Timing | Fault:
    origin, travel_s, distance_m = view.start[courier], 0, 0
    moments = [first_moment(view, courier, earliest)]
    trail = [] if trail is None else trail
    trail.append(moments)
    if not order:
        at = moments[0].at
        return Timing([], [], [], (), at, at, 0, 0, 0, 0)
    places = [*(view.place[stop] for stop in order), view.end[courier]]
    for position, stop in enumerate(order):
        reached = advance(view, courier, moments, origin, stop, places[position + 1])
        if not reached:
            return _time_fault(view, courier, moments, origin, stop, position)
        here = view.place[stop]
        travel_s += view.legs.seconds[origin][here]
        distance_m += view.legs.metres[origin][here]
        moments, origin = reached, here
        trail.append(moments)
    closed = finish(view, courier, moments, origin)
    if closed is None:
        return _end_fault(view, courier, moments, origin, len(order))
    end = view.end[courier]
    if end is not None:
        travel_s += view.legs.seconds[origin][end]
        distance_m += view.legs.metres[origin][end]
    return _timing(view, courier, order, closed, travel_s, distance_m)


def _timing(view: View, courier: int, order: Sequence[int], closed: Closing, travel_s: int, distance_m: int) -> Timing:
    moment = closed.last
    rests = list(reversed(closed.rests))
    rows: list[tuple[int, int, int]] = []
    while moment.before is not None:
        rows.append((moment.arrive, moment.start, moment.at))
        rests += reversed(moment.rests)
        moment = moment.before
    rows.reverse()
    late_s = sum(max(0, start - view.due[stop]) for (_, start, _), stop in zip(rows, order, strict=True))
    delay_s = sum(start - view.release[stop] for (_, start, _), stop in zip(rows, order, strict=True) if stop % 2)
    leave_at = rows[0][0] - view.legs.seconds[view.start[courier]][view.place[order[0]]]
    return Timing(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        tuple(reversed(rests)),
        leave_at,
        closed.end_at,
        distance_m,
        travel_s,
        late_s,
        delay_s,
    )


def _load_fault(view: View, courier: int, order: Sequence[int]) -> Fault | None:
    load = view.load0[courier]
    for position, stop in enumerate(order):
        load += view.load[stop]
        if not stop % 2 and load > view.capacity[courier]:
            return Fault("capacity_exceeded", position, load - view.capacity[courier])
    return None


def _distance_fault(view: View, courier: int, order: Sequence[int]) -> Fault | None:
    if view.max_m[courier] == NEVER or not order:
        return None
    metres, origin = 0, view.start[courier]
    for stop in order:
        metres += view.legs.metres[origin][view.place[stop]]
        origin = view.place[stop]
    end = view.end[courier]
    metres += 0 if end is None else view.legs.metres[origin][end]
    over = metres - view.max_m[courier]
    return Fault("distance_exceeded", len(order) - 1, over) if over > 0 else None


def _time_fault(view: View, courier: int, moments: list[Moment], origin: int, stop: int, position: int) -> Fault:
    drive = view.legs.seconds[origin][view.place[stop]]
    if drive < 0:
        return Fault("unreachable", position)
    arrive = min(moment.at for moment in moments) + drive
    if arrive > view.closes[stop]:
        request = view.problem.requests[stop // 2]
        end = request.delivery if stop % 2 else request.pickup
        starts = [max(arrive, opens) for opens, closes in end.windows if arrive <= closes]
        if starts and end.due is not None:  # the hours would do, the hard due time does not
            return Fault("due_unreachable", position, min(starts) - end.due)
        return Fault("window_unreachable", position, arrive - max(closes for _, closes in end.windows))
    over = service_start(view, stop, arrive) + view.service[stop] - view.shift_end[courier]
    return Fault("shift_too_short", position, over) if over > 0 else Fault("break_in_the_way", position)


def _end_fault(view: View, courier: int, moments: list[Moment], last: int, position: int) -> Fault:
    end = view.end[courier]
    drive = 0 if end is None else view.legs.seconds[last][end]
    if drive < 0:
        return Fault("unreachable", position)
    over = min(moment.at for moment in moments) + drive - view.shift_end[courier]
    return Fault("shift_too_short", position, over) if over > 0 else Fault("break_in_the_way", position)


def route_price(view: View, timing: Timing) -> Number:
    """Return what one driven route adds to the total, without its fixed price, moved stops and balance."""
    weights = view.weights
    return (
        weights.late_per_s * timing.late_s
        + weights.distance_per_m * timing.distance_m
        + weights.travel_per_s * timing.travel_s
        + weights.duration_per_s * (timing.end_at - timing.leave_at)
        + weights.delivery_delay_per_s * timing.delay_s
    )
