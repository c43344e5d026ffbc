"""Money and its corrections: payments, complaints, reviews, settlements, repricing, cash of a shift."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from api.endpoint import Answer, Call, operation_answer, route
from api.problems import HttpProblem
from api.shapes.base import Accepted
from api.shapes.money import ComplaintAnswered, FeesInHand, PaidOut, Refunded, Remitted, Settled, ShiftCash
from api.shapes.requests import RequestShown
from api.v1.requests import for_change, scene, shown
from dispatch.domain.complaints import ComplaintKind
from dispatch.domain.consignment import Leg
from dispatch.domain.errors import NotFound
from dispatch.domain.hours import IsoDate
from dispatch.domain.text import Block, Dong, Instant, Line, Name, ProvinceCode, Shape, ShortLine, Word
from dispatch.flows import cash, complaining, paying, repricing, reviewing

OPERATOR = ("operator",)
Amount = Annotated[Dong, Field(ge=1)]
Ids = Annotated[list[Word], Field(min_length=1, max_length=1000)]
Receipt = Annotated[ShortLine, Field(min_length=1)]


class PaymentBody(Shape):
    """Money a citizen paid; `receipt_no` is the number of the state fee's receipt."""

    amount: Amount
    at: Instant | None = None
    method: Word = "CASH"
    receipt_no: Receipt | None = None


class ComplaintBody(Shape):
    """A complaint; `leg` only where it is not about the active one."""

    lodged_at: Instant | None = None
    kind: ComplaintKind
    leg: Leg | None = None


class DecisionBody(Shape):
    """What becomes of a fee that was held for review, why, and on what evidence."""

    decision: Literal["DEFER", "CHARGE", "WAIVE"]
    reason: Name
    evidence: Block | Annotated[list[Line], Field(max_length=50)] | None = None


class SettlementBody(Shape):
    """What the province decided about deferred postage, under which number."""

    request_ids: Ids
    decision_no: Line | None = None
    outcome: Literal["SETTLED_BY_PROVINCE", "RECLAIMABLE"]


class RepriceBody(Shape):
    """Which charges to look at again: a province's post offices, local dates of the charge, both inclusive."""

    province_code: ProvinceCode
    from_: Annotated[IsoDate, Field(alias="from")]
    to: IsoDate
    dry_run: bool = False


class RemittanceBody(Shape):
    """State fees that reached the authority, and the number of its receipt."""

    request_ids: Ids
    receipt_no: Receipt
    at: Instant | None = None


class RefundBody(Shape):
    """Money given back to a citizen."""

    request_id: Word
    amount: Amount
    method: Word = "CASH"
    reason: Name


class PayoutBody(Shape):
    """Compensation paid out; `leg` only where it is not about the active one."""

    request_id: Word
    method: Word = "CASH"
    leg: Leg | None = None


class CloseBody(Shape):
    """Why the cash of a shift does not balance, where it does not."""

    explanation: Block = ""


def _only(call: Call, *roles: str) -> None:
    """Let an operator's key pass, and of the people who signed in those with one of these roles."""
    if call.principal.role not in ("", *roles):
        raise HttpProblem(
            403, "role_not_allowed", "Vai trò của bạn không quyết định việc này.", "Your role may not decide this."
        )


def _audit(call: Call, action: str, target: str) -> None:
    detail = call.body.model_dump(mode="json", by_alias=True)
    call.session.access.audit(call.mode, call.now, call.principal.owner, action, target, detail)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFound(code="not_found", vi="Ngày không đúng.", en="Not a date: write YYYY-MM-DD.") from error


@route(
    "POST",
    "/v1/requests/<request_id>/payments",
    tag="shop",
    out=RequestShown,
    reads=("If-Match",),
    body=PaymentBody,
    errors=("nothing_due", "overpaid", "receipt_required", "at_in_future", "test_clock_backwards"),
)
def pay_request(call: Call, request_id: str) -> Any:
    """Record that the citizen paid; fixes the charge of every leg the money is for."""
    body: PaymentBody = call.body
    found = for_change(call, request_id)
    paying.pay(
        call.session,
        scene(call),
        found,
        amount=body.amount,
        at=body.at or call.now,
        method=body.method,
        receipt_no=body.receipt_no,
        actor=call.principal.owner,
    )
    _audit(call, "payment.recorded", found.id)
    return shown(call, found)


@route(
    "POST",
    "/v1/requests/<request_id>/complaints",
    tag="shop",
    out=ComplaintAnswered,
    reads=("If-Match",),
    body=ComplaintBody,
    status=201,
    errors=("at_in_future", "no_such_leg"),
)
def lodge_complaint(call: Call, request_id: str) -> Any:
    """Lodge a complaint: by when it is answered, whether it came in time, what is owed at least."""
    body: ComplaintBody = call.body
    if call.mode == "test" and body.lodged_at is not None and body.lodged_at > call.now:
        call.now = body.lodged_at  # the test world is moved by the instants its callers name
    found = for_change(call, request_id)
    answer = complaining.complain(
        call.session,
        scene(call),
        found,
        body.kind,
        body.lodged_at or call.now,
        call.principal.owner,
        body.leg,
    )
    _audit(call, "complaint.lodged", found.id)
    return answer


@route(
    "POST",
    "/v1/reviews/<request_id>/decide",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=DecisionBody,
    errors=("not_pending_review", "role_not_allowed"),
)
def decide_review(call: Call, request_id: str) -> Any:
    """Decide a fee that was held: defer it to the province, charge it, or waive it."""
    _only(call, "supervisor")
    body: DecisionBody = call.body
    found = for_change(call, request_id)
    evidence = ", ".join(body.evidence) if isinstance(body.evidence, list) else body.evidence or ""
    reviewing.decide(
        call.session,
        scene(call),
        found,
        body.decision,
        reason=body.reason,
        evidence=evidence,
        by=call.principal.owner,
    )
    _audit(call, "review.decided", found.id)
    return shown(call, found)


@route(
    "POST",
    "/v1/settlements",
    tag="operator",
    out=Settled,
    scopes=OPERATOR,
    body=SettlementBody,
    errors=("decision_no_required", "not_deferred", "already_settled", "role_not_allowed", "test_clock_backwards"),
)
def settle_deferred(call: Call) -> Any:
    """Record what the province decided about deferred postage; no citizen is billed by it."""
    _only(call, "supervisor")
    body: SettlementBody = call.body
    settled = reviewing.settle(
        call.session,
        scene(call),
        mode=call.mode,
        request_ids=body.request_ids,
        decision_no=body.decision_no,
        outcome=body.outcome,
        by=call.principal.owner,
    )
    for line in settled:
        _audit(call, "postage.settled", line["request_id"])
    return {
        "outcome": body.outcome,
        "decision_no": body.decision_no,
        "settled": settled,
        "count": len(settled),
        "amount": sum(line["amount"] for line in settled),
        "currency": "VND",
    }


@route(
    "POST",
    "/v1/admin/reprice",
    tag="operator",
    out=Accepted,
    names={"operation_id": "/id"},
    scopes=OPERATOR,
    body=RepriceBody,
    status=202,
    errors=("role_not_allowed",),
)
def reprice_charges(call: Call) -> Any:
    """Find the charges that a rule recorded later changes, and correct them unless it is a dry run."""
    _only(call, "supervisor")
    body: RepriceBody = call.body
    operation_id = repricing.ask(
        call.session,
        scene(call),
        mode=call.mode,
        province_code=body.province_code,
        since=body.from_,
        until=body.to,
        dry_run=body.dry_run,
        owner=call.principal.owner,
    )
    _audit(call, "reprice.asked", operation_id)
    return operation_answer(operation_id)


@route("GET", "/v1/admin/shifts/<courier_id>/<day>/cash", tag="operator", out=ShiftCash, scopes=OPERATOR)
def read_shift_cash(call: Call, courier_id: str, day: str) -> Any:
    """The cash of one courier on one date: taken, handed in, what is missing, and whether it was closed."""
    return cash.shift_cash(call.session, call.mode, courier_id, _day(day))


@route(
    "POST",
    "/v1/admin/shifts/<courier_id>/<day>/close",
    tag="operator",
    out=ShiftCash,
    scopes=OPERATOR,
    body=CloseBody,
    errors=("cash_unexplained",),
)
def close_shift_cash(call: Call, courier_id: str, day: str) -> Any:
    """Close the cash of a shift; where it does not balance it takes an explanation."""
    body: CloseBody = call.body
    closed = cash.close_shift(
        call.session, scene(call), call.mode, courier_id, _day(day), body.explanation, call.principal.owner
    )
    detail = {name: closed[name] for name in ("taken", "handed_in", "difference", "explanation")}
    call.session.access.audit(
        call.mode, call.now, call.principal.owner, "shift.cash_closed", f"{courier_id}/{day}", detail
    )
    return closed


@route("GET", "/v1/admin/remittances", tag="operator", out=FeesInHand, scopes=OPERATOR)
def list_fees_in_hand(call: Call) -> Any:
    """State fees collected that have not reached the authority yet, and by when they must."""
    waiting = paying.waiting_fees(call.session, scene(call), call.mode)
    return {"data": waiting, "amount": sum(line["amount"] for line in waiting), "currency": "VND"}


@route(
    "POST",
    "/v1/admin/remittances",
    tag="operator",
    out=Remitted,
    scopes=OPERATOR,
    body=RemittanceBody,
    errors=("nothing_to_remit", "at_in_future", "test_clock_backwards"),
)
def remit_fees(call: Call) -> Any:
    """Record that the state fees of these requests reached the authority."""
    body: RemittanceBody = call.body
    remitted = paying.remit(
        call.session,
        scene(call),
        mode=call.mode,
        request_ids=body.request_ids,
        receipt_no=body.receipt_no,
        at=body.at or call.now,
        actor=call.principal.owner,
    )
    for request_id in dict.fromkeys(line["request_id"] for line in remitted):
        _audit(call, "fee.remitted", request_id)
    amount = sum(line["amount"] for line in remitted)
    return {"remitted": remitted, "amount": amount, "receipt_no": body.receipt_no, "currency": "VND"}


@route(
    "POST",
    "/v1/admin/refunds",
    tag="operator",
    out=Refunded,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=RefundBody,
    errors=("not_found", "not_refundable", "role_not_allowed"),
)
def refund_citizen(call: Call) -> Any:
    """Record money given back: what was overpaid, paid for a leg called off, or is due for a delay."""
    _only(call, "supervisor", "cashier")
    body: RefundBody = call.body
    found = for_change(call, body.request_id)
    legs = paying.refund(
        call.session,
        scene(call),
        found,
        amount=body.amount,
        method=body.method,
        reason=body.reason,
        actor=call.principal.owner,
    )
    _audit(call, "refund.recorded", found.id)
    answer = shown(call, found)
    return Answer({"request_id": found.id, "amount": body.amount, "legs": legs, "request": answer.body})


@route(
    "POST",
    "/v1/admin/compensations",
    tag="operator",
    out=PaidOut,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=PayoutBody,
    errors=("not_found", "nothing_to_compensate", "no_such_leg", "role_not_allowed", "test_clock_backwards"),
)
def pay_compensation(call: Call) -> Any:
    """Record that the compensation decided for a lost or damaged item was paid out."""
    _only(call, "supervisor", "cashier")
    body: PayoutBody = call.body
    found = for_change(call, body.request_id)
    amount = paying.pay_out(call.session, scene(call), found, body.leg, method=body.method, actor=call.principal.owner)
    _audit(call, "compensation.paid", found.id)
    return {"request_id": found.id, "amount": amount, "currency": "VND"}
