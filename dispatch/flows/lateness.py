"""Why a plan breaks a promise, found by trying, and the smallest change that would keep it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dispatch.flows.drafting import unserved_json
from routing import Unserved
from routing.explain import explain_late
from routing.reasons import reason_en, reason_vi
from routing.view import Sequences, View

if TYPE_CHECKING:
    from dispatch.flows.problem import Case
    from routing import Plan
    from routing.model import Late

LOOKS = 60
"""How many changes are tried: the same question has the same answer on any machine."""
MANY = 500
"""From so many legs on, a plan's late stops are named with their minutes but no change is tried."""


def late_stops(case: Case, plan: Plan) -> list[dict[str, Any]]:
    """The collections of a plan that break a running promise: code, reason and change as for an unserved leg.

    Held against the promises themselves, without the planner's margin.
    """
    due: dict[str, int] = {}
    for route in plan.routes:
        for row in route.stops:
            leg = case.jobs[row.request].leg
            runs = row.kind == "pickup" and leg.waiting and leg.promise.get("stopped_at") is None
            if runs and leg.due_at is not None and row.start > case.clock.seconds(leg.due_at):
                due[row.request] = case.clock.seconds(leg.due_at)
    if not due:
        return []
    view = View(case.problem)
    for name, due_s in due.items():
        view = by_its_promise(view, view.request_of[name], due_s)
    looks = LOOKS if len(case.jobs) < MANY else 0
    return reasons(case, view, view.sequences_of(plan), {view.request_of[name] for name in due}, looks)


def by_its_promise(view: View, request: int, due_s: int) -> View:
    """The same problem with one request's promise as it is, without the planner's margin."""
    asked = view.problem.requests[request]
    return view.with_request(request, replace(asked, pickup=replace(asked.pickup, due=due_s)))


def reasons(
    case: Case, view: View, orders: Sequences, late: Collection[int], looks: int = LOOKS
) -> list[dict[str, Any]]:
    """Why these requests are late in some orders of stops."""
    return [late_json(case, one) for one in explain_late(view, orders, {}, few(looks), only=late)]


def late_json(case: Case, late: Late) -> dict[str, Any]:
    """One late stop, with the reason in words and the smallest change that would have it in time."""
    told = unserved_json(case, Unserved(late.request, late.code, late.detail, late.change))
    return {**told, "late_min": -(-late.by_s // 60), "reason": {"vi": reason_vi(late), "en": reason_en(late)}}


def few(looks: int) -> Callable[[], bool]:
    """A stop after so many looks."""
    left = iter(range(looks))
    return lambda: next(left, None) is None
