"""What a citizen may see of an item: stages and times, names masked."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from dispatch.domain.outward import masked_name, money_due
from dispatch.domain.text import local_text
from dispatch.domain.tracking import IN_HAND, LegState
from dispatch.flows.recording import state_of

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.rows import LegRow, Request

_STAGES = {
    "pickup": (
        ("REQUESTED", "Đã nhận yêu cầu", "Request received"),
        ("ASSIGNED", "Đã giao bưu tá", "A courier is coming"),
        ("COLLECTED", "Đã lấy hồ sơ", "Dossier collected"),
        ("IN_TRANSIT", "Đang chuyển đến Bộ phận Một cửa", "On the way to the one-stop shop"),
        ("HANDED_OVER", "Đã nộp hồ sơ", "Dossier handed in"),
    ),
    "return": (
        ("REQUESTED", "Kết quả đã có", "The result is ready"),
        ("ASSIGNED", "Đã giao bưu tá", "A courier is coming"),
        ("COLLECTED", "Đã lấy kết quả", "Result collected"),
        ("OUT_FOR_DELIVERY", "Đang phát", "Out for delivery"),
        ("DELIVERED", "Đã phát", "Delivered"),
    ),
}
_WORDS = {
    "REQUESTED": ("Đã nhận yêu cầu", "Requested"),
    "DISPATCHED": ("Đã điều tin", "Dispatched"),
    "ASSIGNED": ("Đã giao bưu tá", "Assigned"),
    "COLLECTED": ("Đã lấy", "Collected"),
    "IN_TRANSIT": ("Đang vận chuyển", "In transit"),
    "AT_OFFICE": ("Tại bưu cục", "At the post office"),
    "OUT_FOR_DELIVERY": ("Đang phát", "Out for delivery"),
    "HANDED_OVER": ("Đã nộp tại Bộ phận Một cửa", "Handed in"),
    "DELIVERED": ("Đã phát thành công", "Delivered"),
    "PICKUP_FAILED": ("Chưa lấy được", "Collection failed"),
    "ATTEMPT_FAILED": ("Phát chưa thành công, mời nhận", "Delivery failed, please collect"),
    "REFUSED": ("Từ chối nhận", "Refused"),
    "RETURNING": ("Đang chuyển hoàn", "Going back"),
    "RETURNED_TO_SHOP": ("Đã trả lại Bộ phận Một cửa", "Back at the one-stop shop"),
    "LOST": ("Đang xác minh thất lạc", "Missing, under investigation"),
    "DAMAGED": ("Bị hư hỏng, đang xác minh", "Damaged, under investigation"),
    "CLOSED": ("Đã hoàn tất", "Closed"),
    "CANCELLED": ("Đã hủy", "Cancelled"),
    "E_RETURNED": ("Đã trả kết quả điện tử", "Returned electronically"),
}


def item_view(session: Session, item_id: str, token: str) -> dict[str, Any] | None:
    """The citizen's view of an item; None for an unknown number or a wrong token (the two look alike)."""
    found = session.consignments.by_item(item_id)
    if found is None:
        return None
    request, leg = found
    if not hmac.compare_digest(request.tracking_token.encode(), token.encode()):
        return None
    return _view(session, request, leg)


def _view(session: Session, request: Request, leg: LegRow) -> dict[str, Any]:
    state = state_of(session, request.id, leg.leg)
    shop = session.network.shop(request.mode, request.shop_id)
    due = money_due(request.quote, leg.leg, state.money)
    words = _WORDS.get(leg.status, (leg.status, leg.status))
    return {
        "item_id": leg.item_id,
        "leg": leg.leg,
        "kind": request.kind,
        "status": leg.status,
        "status_vi": words[0],
        "status_en": words[1],
        "stages": _stages(leg.leg, state, request),
        "due_at": leg.promise["due_at"] if not state.collected else None,
        "expected_on": leg.promise["delivery_due_on"] or leg.promise["delivery_expected_on"],
        "citizen_masked": masked_name(request.body["citizen"]["name"]),
        "shop_name": shop.name if shop else "",
        "payable": due["postage"] + due["state_fee"],
        "currency": "VND",
        "provisional": "provisional_tariff" in request.warnings,
    }


def _stages(leg: str, state: LegState, request: Request) -> list[dict[str, Any]]:
    """The five steps with the instant each was reached; the first one not reached is `now`."""
    reached = {"REQUESTED": local_text(request.created_at)}
    for step in state.steps:
        reached.setdefault(step.status, local_text(step.event.occurred_at))
    if state.status in IN_HAND and "COLLECTED" in reached:
        reached.setdefault("IN_TRANSIT" if leg == "pickup" else "OUT_FOR_DELIVERY", reached["COLLECTED"])
    lines, open_seen = [], False
    for status, vi, en in _STAGES[leg]:
        at = reached.get(status)
        kind = "done" if at else ("todo" if open_seen else "now")
        open_seen = open_seen or at is None
        lines.append({"vi": vi, "en": en, "state": kind, "at": at})
    return lines
