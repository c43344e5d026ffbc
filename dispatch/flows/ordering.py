"""Orders of one-stop systems (docs/adapter.md): placed once for each dossier, leg and attempt; recalled; placed anew.

Such systems send no key against doubles and the dossier code alone names nothing, so the attempts of an order are
counted: while one is under way or done, the same order is known; after it was called off or came back, it is the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatch.domain.errors import Conflict, NotFound, invalid
from dispatch.domain.moves import CALLED_OFF
from dispatch.domain.one_stop_orders import Order, attempt_of, reference
from dispatch.flows import intake
from dispatch.flows.sla_watch import touch

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.domain.consignment import Leg
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import Request

OVER = frozenset({*CALLED_OFF, "RETURNED_TO_SHOP"})
"""After these the same dossier may be dispatched again on the same leg."""


@dataclass(frozen=True)
class Caller:
    """Who places or recalls: the shop it is for, whether it may only be that one, and its name in the history."""

    mode: str
    shop_id: str
    own_shop_id: str | None
    actor: str


@dataclass(frozen=True)
class Placed:
    """The request of an order; `known` where it was there before."""

    request: Request
    attempt: int
    known: bool


def place(session: Session, scene: Scene, index: Index, caller: Caller, order: Order, item_prefix: str) -> Placed:
    """Place an order, or find the attempt of it that is under way or done.

    Raises what `intake.accept` raises, and `Conflict` (`item_code_used`) for an item code that is taken.
    """
    session.lock(f"order:{caller.mode}:{caller.shop_id}:{order.number}:{order.leg}")
    last, attempt = _latest(session, scene, caller, order.number, order.leg)
    if last is not None and last.status not in OVER:
        return Placed(last, attempt, known=True)
    if order.item_code is not None:
        _hold_item_code(session, caller.mode, order.item_code)
    body = order.request(attempt + 1, caller.shop_id)
    made = intake.accept(
        *(session, scene, index, body, caller.mode, caller.own_shop_id, caller.actor, item_prefix),
        item_id=order.item_code,
    )
    return Placed(made, attempt + 1, known=False)


def _latest(session: Session, scene: Scene, caller: Caller, number: str, leg: Leg) -> tuple[Request | None, int]:
    """The last attempt of an order as it stands now, and its number; (None, 0) where there was none."""
    found, attempt = None, 0
    while True:
        key = reference(number, attempt + 1)
        following = session.consignments.by_reference(caller.mode, caller.shop_id, leg, key)
        if following is None:
            break
        found, attempt = following, attempt + 1
    if found is None:
        return None, 0
    return touch(session, scene, caller.mode, found, caller.shop_id, change=False), attempt


def _hold_item_code(session: Session, mode: str, item_id: str) -> None:
    """Make sure that a number the shop brings is free, and stays so until this transaction ends."""
    session.lock(f"item:{mode}:{item_id}")
    if session.consignments.request_of_item(mode, item_id) is not None:
        raise Conflict(
            code="item_code_used",
            vi=f"Mã vận đơn {item_id} đã dùng.",
            en=f"The item code {item_id} was used before.",
        )


def recall_item(session: Session, scene: Scene, caller: Caller, item_id: str | None, reason: str) -> Placed:
    """Call off the request an item code belongs to; `known` where it had been called off before.

    Raises `NotFound` where this shop has none, `Conflict` once it was collected or has ended.
    """
    found = session.consignments.request_of_item(caller.mode, item_id, caller.shop_id) if item_id else None
    if found is None:
        raise _nothing("ItemCode", "Không có mã vận đơn này.", "No item with this code is yours.")
    return _called_off(session, scene, caller, found, reason)


def recall_registration(
    session: Session, scene: Scene, caller: Caller, number: str, legs: Iterable[Leg], reason: str
) -> list[Placed]:
    """Call off the latest attempt of a dossier on these legs; each as `recall_item` tells it.

    What was collected or has ended stays as it is, and is raised where nothing else could be called off.
    """
    told, refused = [], None
    for leg in legs:
        session.lock(f"order:{caller.mode}:{caller.shop_id}:{number}:{leg}")
        last, _ = _latest(session, scene, caller, number, leg)
        if last is None:
            continue
        try:
            told.append(_called_off(session, scene, caller, last.id, reason))
        except Conflict as error:
            refused = error
    if refused is not None and not told:
        raise refused
    if not told:
        raise _nothing("OrderNumber", f"Hồ sơ {number} chưa đăng ký.", f"{number} was never registered.")
    return told


def _called_off(session: Session, scene: Scene, caller: Caller, request_id: str, reason: str) -> Placed:
    held = touch(session, scene, caller.mode, request_id, caller.shop_id, change=True)
    attempt = attempt_of(held.external_ref)
    if held.status in CALLED_OFF:
        return Placed(held, attempt, known=True)
    intake.cancel(session, scene, held, caller.actor, reason)
    after = session.consignments.get(caller.mode, held.id)
    assert after is not None
    return Placed(after, attempt, known=False)


def _nothing(field: str, vi: str, en: str) -> NotFound:
    return NotFound(code="not_found", vi=vi, en=en, faults=invalid(f"/{field}", "not_found", vi, en).faults)
