"""Money that citizens pay and get back, and state fees on their way to the authority; each is an event of a leg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain import cash, charging
from dispatch.domain.errors import Conflict, DispatchError, Invalid, invalid
from dispatch.domain.hours import local_date
from dispatch.domain.money import dong_text
from dispatch.flows.recording import Happening, Scene, record, refuse_backwards, state_of
from dispatch.flows.ruling import shop_book
from dispatch.flows.sla_watch import no_such_request, touch

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.money import Complaint, Entry
    from dispatch.store.rows import LegRow, Request

AHEAD = timedelta(minutes=5)
"""A clock may be so much ahead of ours before its instant counts as the future."""
IN_HAND_SHOWN = 1000


def refuse_future(at: datetime, now: datetime, pointer: str = "/at") -> None:
    """Raise `Invalid` (`at_in_future`) for an instant more than five minutes ahead."""
    if at > now + AHEAD:
        raise invalid(pointer, "at_in_future", "Thời điểm ở tương lai.", "The instant lies in the future.")


def owed(
    quote: Mapping[str, Any], legs: Sequence[str], complaints: Sequence[Complaint], entries: Sequence[Entry] = ()
) -> dict[str, dict[str, int]]:
    """What each leg costs the citizen, less the postage a delay has forfeited.

    Compensation includes the refund (NĐ 47/2011/NĐ-CP art 25.1a): once it is paid, no more is given back for a delay.
    """
    table = {leg: charging.owed(quote, leg) for leg in legs}
    for leg, purses in table.items():
        late = max((found.refund for found in complaints if found.leg == leg and found.kind == "LATE"), default=0)
        if any(entry.leg == leg and entry.book == "COMPENSATION" for entry in entries):
            late = min(late, _refunded(entries, leg))
        purses["postage"] = max(0, purses["postage"] - late)
    return table


def _refunded(entries: Sequence[Entry], leg: str) -> int:
    return -sum(
        entry.amount for entry in entries if (entry.leg, entry.book, entry.kind) == (leg, "POSTAGE", "refunded")
    )


def pay(
    session: Session,
    scene: Scene,
    request: Request,
    *,
    amount: int,
    at: datetime,
    method: str,
    receipt_no: str | None,
    actor: str,
) -> None:
    """Record a payment made at `at`: shared over the legs by what each owes, each share fixing its leg's charge.

    A state fee is taken only against a numbered receipt (QĐ 45/2016/QĐ-TTg art 6.6). Raises `Conflict` (`nothing_due`,
    `test_clock_backwards`) and `Invalid` (`at_in_future`, `receipt_required`, `overpaid`).
    """
    refuse_future(at, scene.now)
    if at < request.created_at:
        raise invalid("/at", "validation_failed", "Trả tiền trước khi có yêu cầu.", "Paid before there was a request.")
    legs = session.consignments.legs(request.id)
    names = [leg.leg for leg in legs]
    quote = _as_charged(session, scene, request, legs, at)
    complaints, entries = session.money.complaints(request.id), session.money.entries(request.id)
    due, _ = cash.balance(owed(quote, names, complaints, entries), cash.paid(entries, names))
    if not cash.total(due):
        raise Conflict(
            code="nothing_due",
            vi="Yêu cầu này không còn khoản nào phải trả.",
            en="Nothing is due on this request.",
            extra={"quote_status": quote["status"]},
        )
    order = ("state_fee", "postage") if receipt_no else ("postage",)
    shares, left = cash.share(amount, due, order)
    if left:
        raise _too_much(amount, due, receipt_no)
    for leg, share in shares.items():
        if any(share.values()):
            payload = {**share, "method": method, "receipt_no": receipt_no}
            record(session, scene, request.mode, request.id, leg, Happening("paid", at, actor, payload=payload))


def _as_charged(
    session: Session, scene: Scene, request: Request, legs: Sequence[LegRow], at: datetime
) -> dict[str, Any]:
    """The quote as it will be once a payment at `at` has fixed what is not fixed yet."""
    book = shop_book(session, scene, request.mode, request.shop_id)
    quote = request.quote
    for leg in legs:
        if leg.charged_at is None or at < leg.charged_at:
            quote = charging.fix(book, replace(request, quote=quote), leg.leg, at)
    return quote


def _too_much(amount: int, due: cash.Table, receipt_no: str | None) -> Invalid:
    whole = cash.total(due)
    if amount <= whole and receipt_no is None:
        return invalid(
            "/receipt_no",
            "receipt_required",
            "Thu phí, lệ phí phải có số biên lai.",
            "A state fee is taken against a numbered receipt: give receipt_no.",
        )
    fault = invalid(
        "/amount",
        "overpaid",
        f"Trả {dong_text(amount)} nhiều hơn số còn phải trả {dong_text(whole)}.",
        f"{amount} is more than the {whole} đồng still due.",
    )
    fault.extra["due"] = {leg: dict(purses) for leg, purses in due.items()}
    return fault


def refund(
    session: Session,
    scene: Scene,
    request: Request,
    *,
    amount: int,
    method: str,
    reason: str,
    actor: str,
) -> dict[str, dict[str, int]]:
    """Record money given back to the citizen: never more than was paid beyond what is owed now; by leg and purse.

    A state fee that has gone to the authority is not ours to give back. Raises `Conflict` (`not_refundable`).
    """
    names = [leg.leg for leg in session.consignments.legs(request.id)]
    complaints, entries = session.money.complaints(request.id), session.money.entries(request.id)
    _, over = cash.balance(owed(request.quote, names, complaints, entries), cash.paid(entries, names))
    held = cash.fees_in_hand(entries, names)
    for leg in names:
        over[leg]["state_fee"] = min(over[leg]["state_fee"], held[leg])
    shares, left = cash.share(amount, over)
    if left:
        most = cash.total(over)
        raise Conflict(
            code="not_refundable",
            vi=f"Chỉ được hoàn nhiều nhất {dong_text(most)}.",
            en=f"At most {most} đồng may be given back.",
            extra={"refundable": over, "refundable_total": most},
        )
    for leg, share in shares.items():
        if any(share.values()):
            payload = {"amount": sum(share.values()), **share, "method": method, "reason": reason}
            happening = Happening("refunded", scene.now, actor, payload=payload)
            record(session, scene, request.mode, request.id, leg, happening)
    return shares


def pay_out(session: Session, scene: Scene, request: Request, leg_name: str | None, *, method: str, actor: str) -> int:
    """Record that what was decided as compensation for a leg was paid; returns the đồng paid now.

    What was given back for a delay of the same leg is part of it. Raises `Conflict` (`nothing_to_compensate`,
    `no_such_leg`).
    """
    leg = leg_of(session, request, leg_name)
    entries, decided = session.money.entries(request.id), state_of(session, request.id, leg.leg).compensation
    complaints = [found for found in session.money.complaints(request.id) if found.leg == leg.leg]
    late = max((found.refund for found in complaints if found.kind == "LATE"), default=0)
    had = -sum(entry.amount for entry in entries if entry.leg == leg.leg and entry.book == "COMPENSATION")
    amount = 0 if decided is None else decided["amount"] - had - min(late, _refunded(entries, leg.leg))
    if decided is None or amount <= 0:
        raise Conflict(
            code="nothing_to_compensate",
            vi="Không còn khoản bồi thường nào phải trả.",
            en="No compensation waits to be paid.",
        )
    costs = min(amount, decided.get("reissue_costs", 0)) if not had else 0
    payload = {"amount": amount, "reissue_costs": costs, "method": method}
    record(
        session, scene, request.mode, request.id, leg.leg, Happening("compensated", scene.now, actor, payload=payload)
    )
    return amount


def leg_of(session: Session, request: Request, name: str | None) -> LegRow:
    """A leg of a request, the active one where none is named; raises `Conflict` (`no_such_leg`)."""
    legs = {leg.leg: leg for leg in session.consignments.legs(request.id)}
    found = legs.get(name or request.active_leg)
    if found is None:
        raise Conflict(code="no_such_leg", vi="Yêu cầu không có chiều này.", en="The request has no such leg.")
    return found


def remit(
    session: Session,
    scene: Scene,
    *,
    mode: str,
    request_ids: Sequence[str],
    receipt_no: str,
    at: datetime,
    actor: str,
) -> list[dict[str, Any]]:
    """Record that state fees reached the authority: all that was collected on these requests and not remitted yet.

    All of them or none. Raises `Conflict` (`nothing_to_remit`, naming the requests) and what `pay` says of `at`.
    """
    refuse_future(at, scene.now)
    locked = lock_all(session, scene, mode, request_ids)
    remitted: list[dict[str, Any]] = []
    empty = [request_id for request_id in request_ids if request_id not in locked]
    for request_id, found in locked.items():
        refuse_backwards(found, at)
        names = [leg.leg for leg in session.consignments.legs(request_id)]
        in_hand = cash.fees_in_hand(session.money.entries(request_id), names)
        if not any(in_hand.values()):
            empty.append(request_id)
        remitted += [{"request_id": request_id, "leg": leg, "amount": fee} for leg, fee in in_hand.items() if fee]
    if empty:
        raise Conflict(
            code="nothing_to_remit",
            vi=f"Không có phí, lệ phí nào chờ nộp ở: {', '.join(empty)}.",
            en=f"No state fee waits to be remitted on: {', '.join(empty)}.",
            extra={"request_ids": empty},
        )
    for line in remitted:
        payload = {"amount": line["amount"], "receipt_no": receipt_no}
        happening = Happening("fee_remitted", at, actor, payload=payload)
        record(session, scene, mode, line["request_id"], line["leg"], happening)
    return remitted


def waiting_fees(session: Session, scene: Scene, mode: str) -> list[dict[str, Any]]:
    """State fees collected and not yet remitted, oldest first: by when each is due, and whether that day is over."""
    today = local_date(scene.now)
    shown = []
    for request_id, leg, amount, collected_at in session.money.state_fees_in_hand(mode, IN_HAND_SHOWN):
        collected_on = local_date(collected_at)
        due_on = cash.remit_due_on(leg, collected_on, scene.book.holidays)
        shown.append(
            {
                "request_id": request_id,
                "leg": leg,
                "amount": amount,
                "collected_on": collected_on.isoformat(),
                "due_on": None if due_on is None else due_on.isoformat(),
                "overdue": due_on is not None and due_on < today,
            }
        )
    return shown


def lock_all(session: Session, scene: Scene, mode: str, request_ids: Sequence[str]) -> dict[str, Request]:
    """Many requests as they stand now, locked in the order of their ids; those that are not there are left out.

    Raises `Conflict` (`test_clock_backwards`) where one has been at a later instant.
    """
    found: dict[str, Request] = {}
    session.planning.lock_requests(mode, sorted(set(request_ids)))
    for request_id in sorted(set(request_ids)):
        try:
            found[request_id] = touch(session, scene, mode, request_id, None, change=True)
        except DispatchError as error:
            if error.code != no_such_request().code:
                raise
    return found
