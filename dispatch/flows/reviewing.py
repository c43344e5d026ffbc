"""Decisions people take about a fee: a held one is deferred, charged or waived; the province settles deferred ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dispatch.domain import charging
from dispatch.domain.charging import Decision, Outcome
from dispatch.domain.errors import Conflict, DispatchError, invalid
from dispatch.flows.aftermath import publish
from dispatch.flows.paying import lock_all
from dispatch.flows.recording import Scene

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.rows import Request


def decide(
    session: Session, scene: Scene, request: Request, decision: Decision, *, reason: str, evidence: str, by: str
) -> None:
    """Decide a request's fee review; the shop hears the corrected fee. Raises `Conflict` (`not_pending_review`)."""
    held = [line["leg"] for line in request.quote["lines"] if line["code"] == "held"]
    quote = charging.decide(request.quote, decision, reason=reason, evidence=evidence, by=by, at=scene.now)
    leg = held[-1] if held else request.active_leg
    said = {"decision": decision, "reason": reason, "evidence": evidence}
    _keep(session, scene, request, quote, leg, "review_decided", by, said)
    publish(session, scene, request.mode, request.id, [("fee.corrected", scene.now)])


def settle(
    session: Session,
    scene: Scene,
    *,
    mode: str,
    request_ids: Sequence[str],
    decision_no: str | None,
    outcome: Outcome,
    by: str,
) -> list[dict[str, Any]]:
    """Record what the province decided about deferred postage (2964/UBND-KSTT 1/4/2020 §2: KH-06), all or none.

    No citizen is billed by it, whatever the outcome. Gives `{request_id, amount}` of each. Raises `Invalid`
    (`decision_no_required`) and `Conflict` (`not_deferred`, `already_settled`), naming the requests.
    """
    number = (decision_no or "").strip()
    if not number:
        raise invalid(
            "/decision_no",
            "decision_no_required",
            "Phải có số quyết định của tỉnh.",
            "The province's decision has a number: give it.",
        )
    found = lock_all(session, scene, mode, request_ids)
    settled: dict[str, dict[str, Any]] = {}
    refused: dict[str, list[str]] = {}
    for request_id in dict.fromkeys(request_ids):
        try:
            if request_id not in found:
                raise Conflict(code="not_deferred", vi="Không có yêu cầu này.", en="There is no such request.")
            settled[request_id] = charging.settle(found[request_id].quote, outcome, number, by=by, at=scene.now)
        except DispatchError as error:
            refused.setdefault(error.code, []).append(request_id)
    if refused:
        raise _refused(refused)
    for request_id, quote in settled.items():
        request = found[request_id]
        leg = next(line["leg"] for line in quote["lines"] if line["code"] == "deferral")
        said = {"outcome": outcome, "decision_no": number}
        _keep(session, scene, request, quote, leg, "postage_settled", by, said)
    return [{"request_id": request_id, "amount": deferred(quote)} for request_id, quote in settled.items()]


def deferred(quote: dict[str, Any]) -> int:
    """The postage of a quote whose collection was deferred."""
    amount: int = -sum(line["amount"] for line in quote["lines"] if line["code"] == "deferral")
    return amount


def _refused(refused: dict[str, list[str]]) -> Conflict:
    """One answer for all requests that stand in the way; not being deferred comes first."""
    code = "not_deferred" if "not_deferred" in refused else next(iter(refused))
    ids = [request_id for ids in refused.values() for request_id in ids]
    return Conflict(
        code=code,
        vi=f"Không quyết toán được: {', '.join(ids)}.",
        en=f"These cannot be settled: {', '.join(ids)}.",
        extra={"request_ids": ids, "refused": refused},
    )


def _keep(
    session: Session,
    scene: Scene,
    request: Request,
    quote: dict[str, Any],
    leg: str,
    event_type: str,
    actor: str,
    payload: dict[str, Any],
) -> None:
    """Write a decided quote and put the decision into the request's history; it moves no status."""
    session.consignments.change(
        request.id,
        quote=quote,
        version=request.version + 1,
        last_at=max(request.last_at, scene.now),
        updated_at=max(request.updated_at, scene.now),
    )
    session.consignments.add_event(
        id=session.new_id("evt"),
        mode=request.mode,
        request_id=request.id,
        leg=leg,
        type=event_type,
        occurred_at=scene.now,
        recorded_at=scene.now,
        actor=actor,
        payload=payload,
    )
