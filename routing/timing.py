"""One courier's order of stops in time: arrival, start and departure of each, or the reason it cannot be driven.

Timing rule: a courier leaves his start as late as costs nothing, drives at once after each service and waits where he
arrives. When he leaves and where he rests is what costs least: nothing cheaper exists for that order of stops. To find
it, what being ready costs is carried along the route as a function of time. It falls while he may still leave later
(duration is saved) and is level where he would wait; its falling stretches are the moments below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from routing.model import Number, Rest
from routing.view import NEVER, View

_FEW_BREAKS = 3  # up to so many are tried in any order, more only in the order in which they close


class Moment(NamedTuple):
    """Ways to stand somewhere: ready at `at` for `soft`, or later, up to `until`, for `slope` more a second.

    After `until` he waits and it costs no less. `left` is the departure from his start that makes him ready at `at`;
    a second later there is a second later here. `taken` are the breaks behind him, bit by bit; `rests` says before
    which position of the order each of them was taken. `soft` holds lateness, delay, and duration less `left`.
    """

    at: int
    until: int
    soft: Number
    slope: Number
    left: int
    taken: int
    rests: tuple[tuple[int, int], ...]

    def price(self, at: int) -> Number:
        """Return what being ready at `at` costs, not before `self.at`."""
        return self.soft + self.slope * (min(at, self.until) - self.at)


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


def first_moment(view: View, courier: int) -> Moment:
    """Return the courier standing at his start."""
    return _leaving(view, courier, view.earliest[courier], 0, ())


def _leaving(view: View, courier: int, at: int, taken: int, rests: tuple[tuple[int, int], ...]) -> Moment:
    span = view.weights.duration_per_s
    until = max(at, view.shift_end[courier])
    return Moment(at, until, -span * at, -span, at, taken, rests)


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


def _passing(moment: Moment, drive: int, opens: int, closes: int, lasts: int) -> Moment | None:
    """Return the ways to be done with something that starts in a window and lasts, `drive` seconds from a moment."""
    first = max(moment.at + drive, opens)
    if first > closes:
        return None
    at = min(first - drive, moment.until)  # the latest that is still in time for the opening
    late = max(0, min(moment.until + drive, closes) - first)
    left = moment.left + at - moment.at
    return Moment(first + lasts, first + lasts + late, moment.price(at), moment.slope, left, moment.taken, moment.rests)


def _served(view: View, courier: int, moment: Moment, drive: int, stop: int) -> Iterator[Moment]:
    """Yield the ways to have served a stop that is `drive` seconds away, what it costs included."""
    service = view.service[stop]
    latest = view.shift_end[courier] - service
    for opens, closes in view.windows[stop]:
        done = _passing(moment, drive, opens, min(closes, latest), service)
        if done is None:
            continue
        first, due, delay = done.at - service, view.due[stop], view.delay_weight[stop]
        done = done._replace(soft=done.soft + soft_cost(view, stop, first))
        if first < due < done.until - service:  # from then on another second costs more
            slope, until = done.slope + delay, due + service
            if slope < 0:
                yield done._replace(until=until, slope=slope)
                gone = until - done.at
                soft, slope = done.soft + slope * gone, slope + view.weights.late_per_s
                if slope < 0:
                    yield done._replace(at=until, soft=soft, slope=slope, left=done.left + gone)
            else:
                yield done._replace(until=done.at, slope=0)
        else:
            slope = done.slope + delay + (view.weights.late_per_s if first >= due else 0)
            yield done._replace(slope=slope) if slope < 0 else done._replace(until=done.at, slope=0)
        if moment.until + drive <= closes:
            return


def _rested(view: View, courier: int, moment: Moment, position: int) -> Iterator[Moment]:
    """Yield the ways to set out for `position`: without a rest, or after some of those to come."""
    breaks = view.breaks[courier]
    pending = [k for k in range(len(breaks)) if not moment.taken >> k & 1]
    latest = min((breaks[k][1] for k in pending), default=NEVER)
    if moment.at > latest:
        return  # too late for a break that is now needed
    yield moment if moment.until <= latest else moment._replace(until=latest)
    for k in pending if len(breaks) <= _FEW_BREAKS else pending[:1]:
        opens, closes, lasts = breaks[k]
        rested = _passing(moment, 0, opens, closes, lasts)
        if rested:
            taken, rests = moment.taken | 1 << k, (*moment.rests, (position, k))
            if position:
                rested = rested._replace(taken=taken, rests=rests)
            else:  # who rests at his start leaves after it, when he likes
                rested = _leaving(view, courier, rested.at, taken, rests)
            yield from _rested(view, courier, rested, position)


def advance(view: View, courier: int, moments: Sequence[Moment], origin: int, stop: int, position: int) -> list[Moment]:
    """Return the ways to stand after serving `stop`, the one at `position`, from place `origin`.

    Empty when it cannot be done. Breaks may be taken before the leg; who stays at the place for his next stop goes on
    without one.
    """
    drive = view.legs.seconds[origin][view.place[stop]]
    if drive < 0:
        return []
    rests = view.breaks[courier] and (not position or origin != view.place[stop])
    if not rests and len(moments) == 1 and moments[0].at == moments[0].until:
        return _on_time(view, courier, moments[0], drive, stop)
    if not rests:
        reached = [done for moment in moments for done in _served(view, courier, moment, drive, stop)]
    else:
        reached = [
            done
            for moment in moments
            for ready in _rested(view, courier, moment, position)
            for done in _served(view, courier, ready, drive, stop)
        ]
    return reached if len(reached) < 2 else _undominated(reached)


def _on_time(view: View, courier: int, moment: Moment, drive: int, stop: int) -> list[Moment]:
    """Return the one way to serve a stop for who is ready at one moment only, if there is any: mostly it is so."""
    at, _, soft, slope, left, taken, rests = moment
    start = service_start(view, stop, at + drive)
    depart = start + view.service[stop]
    if depart > view.shift_end[courier]:
        return []
    return [Moment(depart, depart, soft + soft_cost(view, stop, start), slope, left, taken, rests)]


def _undominated(moments: list[Moment]) -> list[Moment]:
    kept: list[Moment] = []
    for one in sorted(moments, key=lambda m: (m.at, m.soft, -m.until, -m.taken.bit_count(), -m.left)):
        least = one.price(one.until)
        if not any(
            other.taken & one.taken == one.taken and other.price(one.at) <= one.soft and other.price(one.until) <= least
            for other in kept
        ):
            kept.append(one)
    return kept


class Closing(NamedTuple):
    """One way to end a route: its soft price with duration, its end, and how he stood before the way home."""

    price: Number
    end_at: int
    moment: Moment


def finish(view: View, courier: int, moments: Sequence[Moment], last: int, position: int) -> Closing | None:
    """Return the cheapest way to close the route of `position` stops after place `last`, or None."""
    end = view.end[courier]
    drive = 0 if end is None else view.legs.seconds[last][end]
    if drive < 0:
        return None
    best: Closing | None = None
    for moment in moments:
        ways = [moment] if end in (None, last) else _rested(view, courier, moment, position)
        for ready in ways:
            end_at = ready.at + drive
            needed = (b[1] for k, b in enumerate(view.breaks[courier]) if not ready.taken >> k & 1)
            if end_at > view.shift_end[courier] or any(end_at >= closes for closes in needed):
                continue
            price = ready.soft + view.weights.duration_per_s * end_at
            if best is None or (price, end_at, -ready.left) < (best.price, best.end_at, -best.moment.left):
                best = Closing(price, end_at, ready)
    return best


def time_route(
    view: View, courier: int, order: Sequence[int], trail: list[list[Moment]] | None = None
) -> Timing | Fault:
    """Time one courier's order of stops as cheaply as can be, or say why it cannot be driven.

    To `trail` are added the ways to stand before each stop and after the last.
    """
    fault = _load_fault(view, courier, order) or _distance_fault(view, courier, order)
    if fault:
        return fault
    origin = view.start[courier]
    moments = [first_moment(view, courier)]
    trail = [] if trail is None else trail
    trail.append(moments)
    if not order:
        at = moments[0].at
        return Timing([], [], [], (), at, at, 0, 0, 0, 0)
    for position, stop in enumerate(order):
        reached = advance(view, courier, moments, origin, stop, position)
        if not reached:
            return _time_fault(view, courier, moments, origin, stop, position)
        moments, origin = reached, view.place[stop]
        trail.append(moments)
    closed = finish(view, courier, moments, origin, len(order))
    if closed is None:
        return _end_fault(view, courier, moments, origin, len(order))
    return _timing(view, courier, order, closed)


def _timing(view: View, courier: int, order: Sequence[int], closed: Closing) -> Timing:
    """Return the rows of a route whose departure and breaks are settled: everything as soon as it can be."""
    rests: list[Rest] = []
    breaks = {position: [k for at, k in closed.moment.rests if at == position] for position, _ in closed.moment.rests}
    arrive: list[int] = []
    start: list[int] = []
    at, origin, leave_at = view.earliest[courier], view.start[courier], closed.moment.left
    travel_s = distance_m = late_s = delay_s = 0
    for position, stop in enumerate([*order, None]):
        for k in breaks.get(position, ()):
            opens, _, lasts = view.breaks[courier][k]
            rests.append(Rest(max(at, opens), max(at, opens) + lasts))
            at = rests[-1].end
        here = view.end[courier] if stop is None else view.place[stop]
        if here is not None:
            seconds = view.legs.seconds[origin][here]
            distance_m += view.legs.metres[origin][here]
            travel_s += seconds
            at += seconds
            origin = here
        if stop is None:
            break
        if not position:  # as late as this first stop allows
            at = leave_at + seconds
            at = service_start(view, stop, at)
            leave_at = at - seconds
        arrive.append(at)
        at = service_start(view, stop, at)
        start.append(at)
        late_s += max(0, at - view.due[stop])
        delay_s += at - view.release[stop] if stop % 2 else 0
        at += view.service[stop]
    depart = [at + view.service[stop] for at, stop in zip(start, order, strict=True)]
    return Timing(arrive, start, depart, tuple(rests), leave_at, at, distance_m, travel_s, late_s, delay_s)


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
