"""Finds by trying why a request is unserved, and the smallest change found under which it would be served.

First the request is given alone to every courier who may take it; if nobody manages, the hours, shifts and limits in
the way are widened just as far as needed. If somebody manages alone, it is tried in the plan as it stands: with later
hours, with one more courier. A change is reported only after a route or plan under that change has been driven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import ceil

from routing.cost import WarmPlaces
from routing.draft import Draft
from routing.model import Change, Courier, End, Problem, Request, Unserved
from routing.reasons import reason_en
from routing.timing import Fault, Timing, time_route
from routing.validate import MAX_TIME_S
from routing.view import Sequences, View

_ROUNDS = 6  # a window widened for the pickup may still be too narrow for the delivery, and so on
_LONGEST_WAIT_MINUTES = 120  # above it one more courier is the smaller change


def explain(
    view: View, sequences: Sequences, unserved: list[int], warm: WarmPlaces, should_stop: Callable[[], bool]
) -> tuple[Unserved, ...]:
    """Return one entry per unserved request; after `should_stop` only what one short trial tells is still told."""
    draft = Draft(view, sequences, warm)
    return tuple(_entry(view, draft, request, should_stop) for request in unserved)


def _entry(view: View, draft: Draft, request: int, should_stop: Callable[[], bool]) -> Unserved:
    name = view.problem.requests[request].id
    code, change = _obstacle(view, request, should_stop) or _no_room(view, draft, request, should_stop)
    entry = Unserved(name, code, "", change)
    return replace(entry, detail=reason_en(entry))


def _obstacle(view: View, request: int, should_stop: Callable[[], bool]) -> tuple[str, Change | None] | None:
    """Return what keeps every courier from doing this request alone, or None when somebody can."""
    problem, wanted = view.problem, view.problem.requests[request]
    if not problem.couriers:
        return "no_courier", _one_more(view, wanted, None)
    able = [problem.couriers[c] for c in view.allowed[request]]
    if not able:
        return "skill_missing", _fewer_skills(view, wanted)
    faults: list[tuple[Courier, Fault]] = []
    for courier in able:
        tried = _alone(view, courier, wanted)
        if isinstance(tried, Timing):
            return None
        faults.append((courier, tried))
    remedies = [] if should_stop() else [_remedy(view, courier, wanted, fault) for courier, fault in faults]
    known = [change for change in remedies if change]
    if known:
        best = min(range(len(faults)), key=lambda k: _size(remedies[k], faults[k][0]))
        return faults[best][1].code, remedies[best]
    farthest = max(faults, key=lambda found: (found[1].position, found[1].code != "unreachable"))[1]
    return farthest.code, None if should_stop() else _last_resort(view, wanted)


def _alone(view: View, courier: Courier, wanted: Request) -> Timing | Fault:
    """Drive one request alone, after as many of the courier's locked stops as can be driven."""
    named = {lock.request for lock in courier.locked} - {wanted.id}
    requests = [_unclaimed(one) for one in view.problem.requests if one.id in named] + [_unclaimed(wanted)]
    aboard = tuple(name for name in courier.on_board if name in named or name == wanted.id)
    rider = replace(courier, on_board=aboard)
    alone = View(replace(view.problem, couriers=(rider,), requests=tuple(requests)), view.legs)
    own, locked = len(requests) - 1, list(alone.locked[0])
    if not any(stop // 2 == own for stop in locked):
        while isinstance(fault := time_route(alone, 0, locked), Fault):
            lost = locked[min(fault.position, len(locked) - 1)] // 2
            locked = [stop for stop in locked if stop // 2 != lost]
    return time_route(alone, 0, [*locked, *alone.stops_of(own)])


def _unclaimed(request: Request) -> Request:
    return replace(request, only_courier=None)


def _remedy(view: View, courier: Courier, wanted: Request, fault: Fault) -> Change | None:
    """Widen what the fault names, only as far as needed, and return the change if it is enough by itself."""
    if fault.code == "capacity_exceeded":
        to = courier.capacity + fault.by
        fits = isinstance(_alone(view, replace(courier, capacity=to), wanted), Timing)
        return Change("raise_capacity", courier=courier.id, to=to) if fits else None
    if fault.code == "break_in_the_way":
        fits = isinstance(_alone(view, replace(courier, breaks=()), wanted), Timing)
        return Change("drop_break", courier=courier.id) if fits else None
    widened, first = 0, fault.code
    tried: Timing | Fault = fault
    for _ in range(_ROUNDS):
        if isinstance(tried, Timing):
            return _named(first, courier, widened)
        if tried.code != first or tried.by <= 0:
            return None
        widened += tried.by
        if first == "window_unreachable":
            tried = _alone(view, courier, later_hours(wanted, widened))
        elif first == "due_unreachable":
            tried = _alone(view, courier, _later_due(wanted, widened))
        elif first == "shift_too_short":
            tried = _alone(view, _longer_shift(courier, widened), wanted)
        elif first == "distance_exceeded":
            tried = _alone(view, replace(courier, max_distance_m=(courier.max_distance_m or 0) + widened), wanted)
        else:
            return None
    return None


def _named(code: str, courier: Courier, by: int) -> Change:
    if code == "distance_exceeded":
        return Change("raise_max_distance", courier=courier.id, by_m=by)
    if code == "shift_too_short":
        return Change("extend_shift", courier=courier.id, by_s=by)
    return Change("extend_due" if code == "due_unreachable" else "extend_window", by_s=by)


def _size(change: Change | None, courier: Courier) -> tuple[int, int]:
    """Order changes: seconds before metres before capacity before a break, the smaller first."""
    if change is None:
        return (9, 0)
    kinds = ("extend_window", "extend_due", "extend_shift", "raise_max_distance", "raise_capacity", "drop_break")
    rank = kinds.index(change.kind)
    more = (change.to or courier.capacity) - courier.capacity
    return (0 if rank < 3 else rank, change.by_s or change.by_m or more)


def later_hours(request: Request, by_s: int) -> Request:
    """Return the request with every window of both ends closing `by_s` later."""

    def later(end: End) -> End:
        return replace(end, windows=tuple((opens, min(closes + by_s, MAX_TIME_S)) for opens, closes in end.windows))

    return replace(request, pickup=later(request.pickup), delivery=later(request.delivery))


def _later_due(request: Request, by_s: int) -> Request:
    def later(end: End) -> End:
        return end if end.due is None else replace(end, due=end.due + by_s)

    return replace(request, pickup=later(request.pickup), delivery=later(request.delivery))


def _longer_shift(courier: Courier, by_s: int) -> Courier:
    return replace(courier, shift=(courier.shift[0], courier.shift[1] + by_s))


def _fewer_skills(view: View, wanted: Request) -> Change | None:
    """Return the smallest set of skills without which somebody can do it alone."""
    gaps = [
        (sorted(wanted.skills - courier.skills), courier)
        for courier in view.problem.couriers
        if wanted.only_courier in (None, courier.id)
    ]
    for missing, courier in sorted(gaps, key=lambda gap: (len(gap[0]), gap[0])):
        if isinstance(_alone(view, courier, replace(wanted, skills=wanted.skills - set(missing))), Timing):
            return Change("drop_skill", skills=tuple(missing))
    return _last_resort(view, wanted)


def _last_resort(view: View, wanted: Request) -> Change | None:
    """Return another courier, present or new, who could do it alone, or None."""
    if any(wanted.id in courier.on_board for courier in view.problem.couriers):
        return None
    if wanted.only_courier is not None:
        for courier in view.problem.couriers:
            skilled = wanted.skills <= courier.skills and courier.id != wanted.only_courier
            if skilled and isinstance(_alone(view, courier, wanted), Timing):
                return Change("drop_only_courier", courier=courier.id)
    return _one_more(view, wanted, None)


def _one_more(view: View, wanted: Request, like: Courier | None) -> Change | None:
    """Return `add_courier` if a new one, like a present one or waiting at the pickup, can do the request."""
    now = view.problem.now
    new = Courier("+", wanted.pickup.place, (now, MAX_TIME_S), wanted.size, skills=wanted.skills)
    if like is not None:
        new = replace(like, on_board=(), locked=())
    free = wanted.id not in {lock.request for courier in view.problem.couriers for lock in courier.locked}
    if free and isinstance(_alone(view, new, wanted), Timing):
        return Change("add_courier", courier=like.id if like else None)
    return None


def _no_room(view: View, draft: Draft, request: int, should_stop: Callable[[], bool]) -> tuple[str, Change | None]:
    """Somebody could do it alone: say what it would take in the plan as it stands."""
    if should_stop():
        return "out_of_time", None
    spot = draft.spot(request)
    if spot is not None:
        price, weight = view.price(request), view.weights.unserved
        if spot.price <= price:
            return "out_of_time", None
        to = ceil(spot.price / weight) if weight else 0
        return "too_expensive", Change("raise_priority", to=to) if weight and spot.price <= weight * to else None
    orders = draft.sequences()
    for kind, changed in _wideners(view.problem, request):
        by_s = None if should_stop() else _smallest(view, orders, request, changed, should_stop)
        if by_s is not None:
            courier = view.bound[request] if kind == "extend_shift" else None
            name = None if courier is None else view.problem.couriers[courier].id
            return "fleet_full", Change(kind, by_s=by_s, courier=name)
    if view.bound[request] is not None or should_stop():
        return "fleet_full", None
    wanted = view.problem.requests[request]
    more = (_one_more(view, wanted, view.problem.couriers[courier]) for courier in view.allowed[request])
    return "fleet_full", next((change for change in more if change), None)


def _wideners(problem: Problem, request: int) -> Iterator[tuple[str, Callable[[int], Problem]]]:
    """Yield (kind, how to widen the problem by some seconds), the least disturbing first."""
    wanted = problem.requests[request]

    def with_request(changed: Request) -> Problem:
        return replace(problem, requests=(*problem.requests[:request], changed, *problem.requests[request + 1 :]))

    yield "extend_window", lambda by_s: with_request(later_hours(wanted, by_s))
    if problem.hard_due:
        yield "extend_due", lambda by_s: with_request(_later_due(wanted, by_s))
    holder = [c for c in problem.couriers if wanted.id in {*c.on_board, *(lock.request for lock in c.locked)}]
    for bound in holder:

        def with_shift(by_s: int, bound: Courier = bound) -> Problem:
            longer = (_longer_shift(c, by_s) if c.id == bound.id else c for c in problem.couriers)
            return replace(problem, couriers=tuple(longer))

        yield "extend_shift", with_shift


def _smallest(
    view: View, orders: Sequences, request: int, changed: Callable[[int], Problem], should_stop: Callable[[], bool]
) -> int | None:
    """Return the fewest seconds, in whole minutes, after which the request finds a place in the plan, or None."""

    def serves(minutes: int) -> bool:
        wider = View(changed(60 * minutes), view.legs)
        draft = Draft(wider, orders, {})
        spot = draft.spot(request)
        return request not in draft.unserved() or (spot is not None and spot.price <= wider.price(request))

    low, high = 0, _LONGEST_WAIT_MINUTES
    if not serves(high):
        return None
    while high - low > 1 and not should_stop():
        middle = (low + high) // 2
        low, high = (low, middle) if serves(middle) else (middle, high)
    return 60 * high
