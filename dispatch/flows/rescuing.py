"""Rescue: ways to keep a promise in danger, each tried on the rounds as they stand, with its price for others.

Nothing is changed here; `flows/repairing` does what an offer says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.domain.text import local_text
from dispatch.flows import remedies
from dispatch.flows.drafting import unserved_json
from dispatch.flows.grounds import Ground, endangered, ground
from dispatch.flows.lateness import LOOKS, by_its_promise, few, reasons
from dispatch.live.repairs import Repair, repairs
from routing.explain import explain

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import LegRow, Request
    from routing.travel import TravelModel

SHOWN = 8
"""Offers shown at most."""


def rescue(
    session: Session, scene: Scene, index: Index, travel: TravelModel, request: Request, leg: LegRow
) -> dict[str, Any]:
    """What `GET /v1/requests/{id}/rescue` answers: how things stand, ranked offers, and why none keeps the promise."""
    answer: dict[str, Any] = {
        "request_id": request.id,
        "leg": leg.leg,
        "promise_state": leg.promise_state,
        "due_at": local_text(leg.due_at) if leg.due_at else None,
        "at": local_text(scene.now),
        "present": None,
        "offers": [],
        "why_not": None,
    }
    if not endangered(leg):
        return answer
    found = ground(session, scene, index, travel, request, leg)
    pause = [remedies.pause(found)] if leg.promise_state != "BREACHED" else []
    if found.left_out is not None or found.now is None:
        told = None if found.left_out is None else found.left_out.to_json()
        return {**answer, "offers": pause, "why_not": told and _why(told)}
    ways = repairs(found.now)
    kept = [one for one in ways if one.in_time]
    call = None if any(one.clean for one in ways) else remedies.call(found)
    clean = [remedies.offer(found, one) for one in ways if one.clean]
    rest = [remedies.offer(found, one) for one in ways if not one.clean]
    offers = [*clean, *([call] if call else []), *rest][: SHOWN - len(pause)]
    kept_now = found.now.start_s is not None and found.now.start_s <= found.due_s
    return {
        **answer,
        "present": remedies.present(found),
        "offers": [*offers, *pause],
        "why_not": None if kept or kept_now else _why_not(found, ways),
    }


def _why_not(found: Ground, ways: list[Repair]) -> dict[str, Any]:
    """Why nothing keeps the promise, and the smallest change that would, found by trying."""
    now = found.now
    assert now is not None
    view = by_its_promise(now.view, now.wanted, found.due_s)
    orders = [list(order) for order in now.orders]
    if ways:
        for courier, order in ways[0].orders.items():
            orders[courier] = order
    if any(2 * now.wanted in order for order in orders):
        for late in reasons(found.case, view, orders, (now.wanted,)):
            return _why(late)
    bare = [[stop for stop in order if stop // 2 != now.wanted] for order in orders]
    (entry,) = explain(view, bare, [now.wanted], {}, few(LOOKS))
    return _why(unserved_json(found.case, entry))


def _why(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("code", "reason", "change")}
