"""Finds by trying why a request is unserved or late, and the smallest change found that cures it.

First the request is given alone to the couriers who may take it; if nobody manages, the hours, shifts and limits in
the way are widened just as far as needed. Then it is tried in the plan as it stands, with that change, with later
hours, with one more courier. A change is told only after the request found its place in the plan under that change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from math import ceil

from routing.cost import WarmPlaces
from routing.draft import Draft
from routing.model import Change, Courier, End, Late, Request, Unserved
from routing.reasons import reason_en
from routing.remedies import LONGEST_WAIT_MINUTES, Trials, later_due, later_hours
from routing.timing import Fault, Timing
from routing.view import Sequences, View, delivery

_TRIED = 8  # couriers whose limits are widened: those who miss by least
_ROUNDS = 6  # a window widened for the pickup may still be too narrow for the delivery, and so on
_SECONDS = ("extend_window", "extend_due", "extend_shift")
_KINDS = {
    "window_unreachable": "extend_window",
    "due_unreachable": "extend_due",
    "shift_too_short": "extend_shift",
    "distance_exceeded": "raise_max_distance",
    "capacity_exceeded": "raise_capacity",
    "break_in_the_way": "drop_break",
}

Reason = tuple[str, Change | None]


def explain(
    view: View, sequences: Sequences, unserved: list[int], warm: WarmPlaces, should_stop: Callable[[], bool]
) -> tuple[Unserved, ...]:
    """Return one entry per unserved request.

    All are tried alone first, then changes are sought one request after the other; after `should_stop` no more is
    tried, and who has not been looked at is told so. Equal requests are looked at once.
    """
    if not unserved:
        return ()
    seeker = _Seeker(view, sequences, warm, should_stop)
    alone = {request: seeker.first_look(request) for request in unserved}
    found = {request: seeker.reason(request, alone[request]) for request in unserved}
    entries = []
    for request in unserved:
        entry = Unserved(view.problem.requests[request].id, found[request][0], "", found[request][1])
        entries.append(replace(entry, detail=reason_en(entry, view.problem.ticks)))
    return tuple(entries)


def explain_late(
    view: View,
    sequences: Sequences,
    warm: WarmPlaces,
    should_stop: Callable[[], bool],
    only: Collection[int] | None = None,
) -> tuple[Late, ...]:
    """Return one entry per row that starts after its due time (of requests `only`), in order of couriers and stops."""
    draft = Draft(view, sequences, warm)
    entries = []
    for trip in draft.trips:
        for position, stop in enumerate(trip.order):
            late_s = trip.timing.start[position] - view.due[stop]
            if late_s > 0 and (only is None or stop // 2 in only):
                code, change = _why_late(view, draft, stop, late_s, warm, should_stop)
                name = view.problem.requests[stop // 2].id
                entry = Late(name, "delivery" if stop % 2 else "pickup", late_s, code, "", change)
                entries.append(replace(entry, detail=reason_en(entry, view.problem.ticks)))
    return tuple(entries)


class _Seeker:
    """Looks for reasons in one plan; remembers what it found for requests that differ in name only."""

    def __init__(self, view: View, sequences: Sequences, warm: WarmPlaces, should_stop: Callable[[], bool]) -> None:
        self.view, self.should_stop = view, should_stop
        self.trials = Trials(view, sequences, warm)
        self.looked: dict[Request, str | None] = {}
        self.known: dict[Request, Reason] = {}

    def first_look(self, request: int) -> str | None:
        """Return what keeps everybody from doing a request alone, None when somebody can, `out_of_time` if untried."""
        same = self._same(request)
        if same not in self.looked:
            self.looked[same] = self._looked_at(request)
        return self.looked[same]

    def reason(self, request: int, alone: str | None) -> Reason:
        """Return the reason and, if there is time to seek it, the change."""
        same = self._same(request)
        if same not in self.known:
            if self.should_stop():
                return alone or "out_of_time", None
            self.known[same] = self._hindered(request, alone) if alone else self._no_room(request)
        return self.known[same]

    def _same(self, request: int) -> Request:
        """Return what two requests share that have the same answer: everything but the name, unless one is bound."""
        wanted = self.view.problem.requests[request]
        return wanted if self.view.bound[request] is not None else replace(wanted, id="")

    def _looked_at(self, request: int) -> str | None:
        view = self.view
        if not view.problem.couriers:
            return "no_courier"
        if not view.allowed[request]:
            return "skill_missing"
        code = "out_of_time"
        worst = (-1, False)
        for courier in self.trials.nearest(request):
            if self.should_stop():
                return code
            tried = self.trials.alone(view, courier, request)
            if isinstance(tried, Timing):
                return None
            how_far = (tried.position, tried.code != "unreachable")
            if how_far > worst:
                worst, code = how_far, tried.code
        return code

    def _hindered(self, request: int, code: str) -> Reason:
        """Nobody can do it alone: widen what is in the way of those who miss by least, then see that it fits."""
        wanted = self.view.problem.requests[request]
        if code == "no_courier":
            return code, self._one_more(request, None)
        if code == "skill_missing":
            return code, self._fewer_skills(request)
        if code == "out_of_time":
            return code, None
        remedies = [found for found in (self._remedy(request, *miss) for miss in self._misses(request)) if found]
        remedies.sort(key=lambda found: _size(found[1], self.view))
        for first, change in remedies:
            if self.trials.fits(request, change):
                return first, self.trials.smallest(request, change, self.should_stop)
        for first, change in remedies[:1]:
            if change.kind in _SECONDS and (wider := self.trials.fewest_minutes(request, change, self.should_stop)):
                return first, wider
        if self.should_stop():
            return code, None
        return code, self._other_courier(request, wanted)

    def _misses(self, request: int) -> list[tuple[int, Fault]]:
        """Return (courier, fault) of those who come closest to doing it alone."""
        misses: list[tuple[int, Fault]] = []
        for courier in self.view.allowed[request]:
            tried = self.trials.alone(self.view, courier, request)
            if isinstance(tried, Fault) and tried.code in _KINDS:
                misses.append((courier, tried))
        misses.sort(key=lambda miss: (list(_KINDS).index(miss[1].code) >= 3, -miss[1].position, miss[1].by))
        return misses[:_TRIED]

    def _remedy(self, request: int, courier: int, fault: Fault) -> tuple[str, Change] | None:
        """Widen what the fault names, only as far as needed, until it is no longer in the way; None where it stays."""
        rider, kind, widened = self.view.problem.couriers[courier], _KINDS[fault.code], 0
        tried: Timing | Fault = fault
        for _ in range(_ROUNDS):
            if isinstance(tried, Timing):
                return fault.code, _change(kind, rider, widened)
            if tried.code != fault.code or (tried.by <= 0 and kind != "drop_break") or self.should_stop():
                return None
            widened += tried.by
            changed = self.trials.changed(request, _change(kind, rider, widened))
            tried = self.trials.alone(changed, courier, request)
            if kind == "drop_break" and isinstance(tried, Fault):
                return None
        return None

    def _fewer_skills(self, request: int) -> Change | None:
        """Return the smallest set of skills without which somebody has room for it."""
        wanted = self.view.problem.requests[request]
        able = [c for c in self.view.problem.couriers if wanted.only_courier in (None, c.id)]
        gaps = {tuple(sorted(wanted.skills - courier.skills)) for courier in able} - {()}
        for missing in sorted(gaps, key=lambda gap: (len(gap), gap)):
            change = Change("drop_skill", skills=missing)
            if self.should_stop():
                return None
            if self.trials.fits(request, change):
                return change
        return self._other_courier(request, wanted)

    def _other_courier(self, request: int, wanted: Request) -> Change | None:
        """Return another courier, present or new, who could take it, or None."""
        if self.view.bound[request] is not None:
            return None
        if wanted.only_courier is not None:
            change = self.trials.without_only_courier(request)
            if change is not None:
                return change
        return self._one_more(request, None)

    def _one_more(self, request: int, like: Courier | None) -> Change | None:
        """Return `add_courier` if a new one, like a present one or waiting at the pickup, is worth his ride."""
        change = Change("add_courier", courier=like.id if like else None)
        return change if self.trials.new_courier_serves(request, like) else None

    def _no_room(self, request: int) -> Reason:
        """Somebody could do it alone: say what it would take in the plan as it stands."""
        view = self.view
        if self.trials.endless(request):
            return "out_of_time", None
        spot = self.trials.draft.spot(request)
        if spot is not None:
            price, weight = view.price(request), view.weights.unserved
            if spot.price <= price:
                return "out_of_time", None
            to = ceil(spot.price / weight) if weight else 0
            return "too_expensive", Change("raise_priority", to=to) if weight and spot.price <= weight * to else None
        for wait in self._waits(request):
            if self.should_stop():
                return "fleet_full", None
            if found := self.trials.fewest_minutes(request, wait, self.should_stop):
                return "fleet_full", found
        if view.bound[request] is not None:
            return "fleet_full", None
        for courier in self.trials.nearest(request):
            if self.should_stop():
                break
            if change := self._one_more(request, view.problem.couriers[courier]):
                return "fleet_full", change
        return "fleet_full", None

    def _waits(self, request: int) -> list[Change]:
        """Return the changes of hours worth trying in the plan, the least disturbing first."""
        changes = [Change("extend_window", by_s=0)]
        if self.view.problem.hard_due:
            changes.append(Change("extend_due", by_s=0))
        bound = self.view.bound[request]
        if bound is not None:
            changes.append(Change("extend_shift", by_s=0, courier=self.view.problem.couriers[bound].id))
        return changes


def _change(kind: str, rider: Courier, by: int) -> Change:
    if kind == "raise_max_distance":
        return Change(kind, courier=rider.id, by_m=by)
    if kind == "raise_capacity":
        return Change(kind, courier=rider.id, to=rider.capacity + by)
    if kind == "drop_break":
        return Change(kind, courier=rider.id)
    return Change(kind, by_s=by, courier=rider.id if kind == "extend_shift" else None)


def _size(change: Change, view: View) -> tuple[int, int]:
    """Order changes: seconds before metres before capacity before a break, the smaller first."""
    rank = list(_KINDS.values()).index(change.kind)
    more = 0
    if change.to is not None and change.courier is not None:
        more = change.to - view.problem.couriers[view.courier_of[change.courier]].capacity
    return (0 if rank < 3 else rank, change.by_s or change.by_m or more)


def _why_late(
    view: View, draft: Draft, stop: int, late_s: int, warm: WarmPlaces, should_stop: Callable[[], bool]
) -> Reason:
    """Say whether a free courier would be in time, and how much later the promise would have to be."""
    request, enough = stop // 2, Change("extend_due", by_s=late_s)  # where it stands now, it is in time with that
    if should_stop():
        return "out_of_time", enough
    left = [[s for s in trip.order if s // 2 != request] for trip in draft.trips]
    trials = Trials(view, left, warm)
    alone_late = min(
        (
            max(0, tried.start[-1 if stop == delivery(request) else -len(view.stops_of(request))] - view.due[stop])
            for courier in view.allowed[request]
            if isinstance(tried := trials.alone(view, courier, request), Timing)
        ),
        default=late_s,
    )
    if view.bound[request] is not None:
        return ("due_unreachable" if alone_late else "fleet_full"), enough
    wanted, minute = view.problem.requests[request], 60 * view.problem.ticks
    others_late_s = sum(trip.timing.late_s for trip in draft.trips) - late_s

    def in_time(minutes: int) -> bool:
        strict = view.with_request(request, _promised(wanted, stop, minute * minutes))
        return trials.finds_room(strict, request, others_late_s)

    if not alone_late and in_time(0):
        return "on_time_is_dearer", enough
    code = "due_unreachable" if alone_late else "fleet_full"
    low, high = -(-alone_late // minute) - 1, -(-late_s // minute)
    while high - low > 1 and not should_stop():
        middle = (low + high) // 2
        low, high = (low, middle) if in_time(middle) else (middle, high)
    best = replace(enough, by_s=min(late_s, minute * high))
    if not alone_late and (best.by_s or 0) > minute * LONGEST_WAIT_MINUTES:
        for courier in trials.nearest(request):
            if trials.new_courier_serves(request, view.problem.couriers[courier], in_time_at=stop):
                return code, Change("add_courier", courier=view.problem.couriers[courier].id)
    return code, best


def _promised(wanted: Request, stop: int, by_s: int) -> Request:
    """Return the request whose due time at one end, so much later, may not be missed."""

    def strict(end: End) -> End:
        assert end.due is not None
        latest = end.due + by_s
        windows = tuple((opens, min(closes, latest)) for opens, closes in end.windows if opens <= latest)
        return replace(end, windows=windows or ((latest, latest),))

    if stop % 2:
        return replace(wanted, delivery=strict(wanted.delivery))
    return replace(wanted, pickup=strict(wanted.pickup))


__all__ = ["explain", "explain_late", "later_due", "later_hours"]
