"""Cheapest feasible insertion of pairs: the warm start of every other engine, and the fallback when one fails."""

from __future__ import annotations

from routing.cost import WarmPlaces
from routing.draft import Draft
from routing.engines import Limits
from routing.view import Sequences, View, delivery, pickup

_SECOND_CHANCES = 2  # how often what was left out is tried first in a fresh draft


def improve(view: View, start: Sequences, warm: WarmPlaces, limits: Limits) -> Sequences:
    """Put every request into `start` that is worth its price; what was left out gets a second chance up front."""
    draft = Draft(view, start, warm)
    free = [request for request in draft.unserved() if view.bound[request] is None]
    order = sorted(free, key=lambda request: _urgency(view, request))
    left = _fill(draft, order, limits)
    best, best_total = draft.sequences(), draft.total()
    limits.found(best_total)
    for _ in range(_SECOND_CHANCES):
        if not left or left == order[: len(left)] or limits.should_stop():
            break
        order = left + [request for request in order if request not in set(left)]
        draft = Draft(view, start, warm)
        left = _fill(draft, order, limits)
        total = draft.total()
        if total < best_total:
            best, best_total = draft.sequences(), total
            limits.found(best_total)
    return best


def _fill(draft: Draft, order: list[int], limits: Limits) -> list[int]:
    """Insert requests in the given order, again while that helps; return those with no place worth their price."""
    left = order
    while True:
        waiting, left = left, []
        for position, request in enumerate(waiting):
            if limits.should_stop():
                return left + waiting[position:]
            spot = draft.spot(request)
            if spot and spot.price <= draft.view.price(request):
                draft.insert(request, spot)
            else:
                left.append(request)
        if not left or len(left) == len(waiting):
            return left


def _urgency(view: View, request: int) -> tuple[float, int, int]:
    """Dearest to leave out first, then those whose pickup cannot wait."""
    latest = min(view.due[pickup(request)], view.closes[pickup(request)], view.closes[delivery(request)])
    return (-view.price(request), latest, request)
