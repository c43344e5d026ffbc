"""What goes another way: decisions of people about a leg, each with reason and actor, all events of its history.

Lost and damaged items, compensation, reopening, refused hand-overs, pauses of the promise. A new address: redirecting.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dispatch.domain import charging
from dispatch.domain.complaints import TIMES_POSTAGE
from dispatch.domain.errors import Conflict, invalid
from dispatch.domain.judging import pay_by
from dispatch.domain.moves import CALLED_OFF
from dispatch.domain.tracking import ASTRAY, LegState
from dispatch.flows.recording import Happening, Scene, record, state_of

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.rows import LegRow, Request


def leg_of(session: Session, request: Request, name: str | None = None) -> LegRow:
    """A leg of a request by its name, else the active one; 422 where the request has no such leg."""
    wanted = name or request.active_leg
    found = next((leg for leg in session.consignments.legs(request.id) if leg.leg == wanted), None)
    if found is None:
        raise invalid("/leg", "validation_failed", "Yêu cầu không có chiều này.", "The request has no such leg.")
    return found


def decide(
    session: Session,
    scene: Scene,
    request: Request,
    leg: str,
    event: str,
    actor: str,
    payload: dict[str, Any],
) -> LegState:
    """Record a person's decision about a leg and keep it in the audit; returns the leg's state after it.

    Raises `Conflict` (`illegal_transition`) where the leg's state does not allow it.
    """
    happening = Happening(event, scene.now, actor, payload=payload)
    if record(session, scene, request.mode, request.id, leg, happening) == "conflict":
        now = leg_of(session, request, leg)
        raise Conflict(
            code="illegal_transition",
            vi=f"Không được phép ở trạng thái {now.status}{f' ({now.substatus})' if now.substatus else ''}.",
            en=f"Not allowed in status {now.status}{f' ({now.substatus})' if now.substatus else ''}.",
            extra={"status_now": now.status, "substatus_now": now.substatus},
        )
    session.access.audit(request.mode, scene.now, actor, f"request.{event}", request.id, {"leg": leg, **payload})
    return state_of(session, request.id, leg)


def compensate(
    session: Session,
    scene: Scene,
    request: Request,
    leg: LegRow,
    actor: str,
    *,
    minutes_at: datetime,
    reissue_costs: int,
    reason: str,
) -> dict[str, Any]:
    """Set what the post owes for a lost or damaged item: four list prices and all costs of issuing the papers again.

    QĐ 45/2016/QĐ-TTg art 14, NĐ 47/2011/NĐ-CP art 25: paid within 30 days of the minutes. Returns `amount, pay_by`.
    Raises `Conflict` (`nothing_to_compensate`) and `Invalid` (`minutes_in_future`).
    """
    if leg.status not in ASTRAY:
        raise Conflict(
            code="nothing_to_compensate",
            vi="Chỉ bồi thường khi bưu gửi bị mất hoặc hư hỏng.",
            en="Only a lost or damaged item is compensated.",
            extra={"status_now": leg.status},
        )
    if minutes_at > scene.now:
        raise invalid(
            "/minutes_at", "minutes_in_future", "Biên bản ở thời điểm tương lai.", "The minutes lie in the future."
        )
    amount = TIMES_POSTAGE * charging.list_price(request.quote, leg.leg) + reissue_costs
    answer = {"amount": amount, "pay_by": pay_by(minutes_at).isoformat()}
    details = {"minutes_at": minutes_at.isoformat(), "reissue_costs": reissue_costs, "reason": reason}
    decide(session, scene, request, leg.leg, "compensation_set", actor, answer | details)
    return answer


def reopen(session: Session, scene: Scene, request: Request, leg: LegRow, actor: str, reason: str) -> None:
    """Let a leg go on that was ended in error: an uncollected one from the start, a collected one from the office.

    A two-way request that was cancelled as a whole comes back as a whole. Raises `Conflict` (`another_leg_is_live`,
    `illegal_transition`).
    """
    others = [other for other in session.consignments.legs(request.id) if other.leg != leg.leg]
    if any(not other.closed and not other.asleep for other in others):
        raise Conflict(
            code="another_leg_is_live",
            vi="Chiều kia của yêu cầu đang chạy; không mở lại chiều này.",
            en="The request's other leg is under way; this one cannot be reopened beside it.",
        )
    decide(session, scene, request, leg.leg, "reopened", actor, {"reason": reason})
    for other in others:
        if other.asleep and other.status == "CANCELLED" and leg.status in CALLED_OFF:
            decide(session, scene, request, other.leg, "reopened", actor, {"reason": reason})
    if not leg.asleep and request.active_leg != leg.leg:
        fresh = leg_of(session, request, leg.leg)
        session.consignments.change(request.id, active_leg=leg.leg, status=fresh.status)


def pause(session: Session, scene: Scene, request: Request, leg: LegRow, actor: str, reason: str, party: str) -> None:
    """Let a promise's clock stand; never for a cause that lies with the post itself.

    Raises `Invalid` (`pause_refused`) and `Conflict` (`promise_not_running`).
    """
    if party == "POST":
        raise invalid(
            "/party",
            "pause_refused",
            "Bưu điện không được dừng đồng hồ vì lý do của chính mình.",
            "The post may not stop its own clock for its own sake.",
        )
    _require(leg, ("RUNNING", "AT_RISK"))
    decide(session, scene, request, leg.leg, "paused", actor, {"reason": reason, "party": party})


def resume(session: Session, scene: Scene, request: Request, leg: LegRow, actor: str, reason: str) -> None:
    """Let a standing clock run on with the minutes it had left. Raises `Conflict` (`promise_not_running`)."""
    _require(leg, ("PAUSED",))
    decide(session, scene, request, leg.leg, "resumed", actor, {"reason": reason})


def _require(leg: LegRow, states: tuple[str, ...]) -> None:
    if leg.asleep or leg.promise_state not in states:
        raise Conflict(
            code="promise_not_running",
            vi=f"Cam kết của chiều này đang ở trạng thái {leg.promise_state}.",
            en=f"This leg's promise is {leg.promise_state}.",
            extra={"promise_state": leg.promise_state},
        )
