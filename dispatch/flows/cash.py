"""The cash of a courier's shift: what the books say, and the cashier's word that it is accounted for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from dispatch.domain.cash import ShiftCash, reconcile
from dispatch.domain.errors import Conflict, NotFound
from dispatch.domain.text import local_text
from dispatch.flows.recording import Scene

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.money import Closing, Entry
    from dispatch.store.rows import Courier


def courier_of(session: Session, mode: str, courier_id: str) -> Courier:
    """The courier of that id in one world; raises `NotFound`."""
    found = session.network.courier(mode, courier_id)
    if found is None:
        raise NotFound(code="not_found", vi="Không có bưu tá này.", en="There is no such courier.")
    return found


def shift_cash(session: Session, mode: str, courier_id: str, day: date) -> dict[str, Any]:
    """The cash of one courier on one date: figures by purse, every booking, and how it was closed.

    Facts are never refused, so a booking may come after the close; the shift then shows `reopened`.
    """
    courier_of(session, mode, courier_id)
    entries = session.money.shift_entries(mode, courier_id, day)
    cash, closing = reconcile(entries), session.money.closing(mode, courier_id, day)
    return {
        "courier_id": courier_id,
        "date": day.isoformat(),
        **cash.to_json(),
        **_closed(cash, closing),
        "entries": [_shown(entry) for entry in entries],
    }


def close_shift(
    session: Session, scene: Scene, mode: str, courier_id: str, day: date, explanation: str, by: str
) -> dict[str, Any]:
    """Accept the cash of a shift; where it does not balance an explanation is needed, else `cash_unexplained`.

    A shift that was reopened by a late booking is closed again the same way.
    """
    courier_of(session, mode, courier_id)
    session.lock(f"shift-cash:{mode}:{courier_id}:{day}")
    cash = reconcile(session.money.shift_entries(mode, courier_id, day))
    if not cash.explained and not explanation:
        raise Conflict(
            code="cash_unexplained",
            vi="Tiền mặt của ca chưa khớp; cần giải trình.",
            en="The cash of this shift does not balance; it needs an explanation.",
            extra={"courier_id": courier_id, "date": day.isoformat(), "cash": cash.to_json()},
        )
    session.money.close_shift(
        mode,
        courier_id,
        day,
        cash=cash.to_json(),
        explanation=explanation,
        closed_by=by,
        closed_at=scene.now,
    )
    return shift_cash(session, mode, courier_id, day)


def _closed(cash: ShiftCash, closing: Closing | None) -> dict[str, Any]:
    if closing is None:
        return {"closed": False, "reopened": False, "closed_at": None, "closed_by": None, "explanation": None}
    return {
        "closed": True,
        "reopened": closing.cash != cash.to_json(),
        "closed_at": local_text(closing.closed_at),
        "closed_by": closing.closed_by,
        "explanation": closing.explanation or None,
    }


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "request_id": entry.request_id,
        "leg": entry.leg,
        "book": entry.book,
        "kind": entry.kind,
        "amount": entry.amount,
        "at": local_text(entry.occurred_at),
        "recorded_at": local_text(entry.recorded_at),
        "receipt_no": entry.receipt_no,
        "note": entry.note,
    }
