"""The life of a charge after its quote: fixed, reviewed, settled, repriced, redirected, reopened. Lines are only added.

Every function takes a quote as it is stored (docs/api.md §2) and returns a new one. Until a leg's charge is fixed, by
the earlier of payment and collection, its lines are an estimate and are computed anew once at that instant; from then
on nothing changes them: corrections are adjustments (659/UBND-KGVX applies from before its own date: GL-02).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import to_json

from dispatch.domain.consignment import Leg, RequestBody
from dispatch.domain.errors import Conflict
from dispatch.domain.money import PAYERS
from dispatch.domain.places import Zone
from dispatch.domain.pricing import LegPrice, PriceLine, Terms, price_leg, totalled, void_legs
from dispatch.domain.rules import PolicyBook
from dispatch.domain.text import local_text

if TYPE_CHECKING:
    from dispatch.store.rows import Request

Decision = Literal["DEFER", "CHARGE", "WAIVE"]
Outcome = Literal["SETTLED_BY_PROVINCE", "RECLAIMABLE"]
_NOT_REPRICED = frozenset({"state_fee", "redirect"})


def body_of(request: Request) -> RequestBody:
    """The body of a stored request as it was asked."""
    return RequestBody.model_validate_json(to_json(request.body))


def terms_of(request: Request, body: RequestBody, leg: str) -> Terms:
    """What the price of a stored request's leg depends on besides its body.

    Zone and accepting province are the leg's own, as it was quoted: a redirection of the other leg does not touch it.
    """
    zones = [line["zone"] for line in request.quote["lines"] if line["code"] == f"postage.{leg}"]
    zone: Zone = zones[0] if zones else request.zone  # type: ignore[assignment]
    citizen = request.citizen_province
    if leg == "pickup":
        citizen = request.quote["charges"].get(leg, {}).get("province_code", citizen)
    return Terms(request.shop_province, citizen, zone, body.registered_at or request.created_at)


def fix(book: PolicyBook, request: Request, leg: str, at: datetime) -> dict[str, Any]:
    """The quote with one leg's charge fixed at `at`: its lines as the rules in force and known at that instant say.

    A review that was decided stays decided. A leg already fixed at `at` is left as it is.
    """
    quoted = request.quote
    charge = quoted["charges"].get(leg)
    if charge is not None and charge["fixed"] and charge["at"] == local_text(at):
        return dict(quoted)
    body = body_of(request)
    priced = price_leg(book, body, terms_of(request, body, leg), _leg(leg), at=at, known_at=at, mandate_settled=True)
    return _replaced(quoted, priced)


def _replaced(quoted: Mapping[str, Any], priced: LegPrice) -> dict[str, Any]:
    """The quote with a leg's estimated lines replaced by fixed ones, in their place."""
    fixed = [line.to_json() for line in priced.lines]
    lines: list[dict[str, Any]] = []
    for line in quoted["lines"]:
        if line["leg"] != priced.leg or line["code"] == "redirect":
            lines.append(line)
        elif fixed:
            lines, fixed = [*lines, *fixed], []
    charges = {**quoted["charges"], priced.leg: priced.charge(fixed=True)}
    whole = totalled({**quoted, "lines": [*lines, *fixed], "charges": charges})
    review = quoted.get("review")
    if review is None or not _held(whole, priced.leg):
        return whole
    return _decided(whole, priced.leg, review)


def decide(
    quoted: Mapping[str, Any], decision: Decision, *, reason: str, evidence: str, by: str, at: datetime
) -> dict[str, Any]:
    """The quote after a person decided its review: what was held is deferred, charged or waived, by added lines.

    Raises `Conflict` (`not_pending_review`).
    """
    legs = [leg for leg in quoted["charges"] if _held(quoted, leg)]
    if quoted["status"] != "PENDING_REVIEW" or not legs:
        raise Conflict(
            code="not_pending_review",
            vi="Yêu cầu này không chờ xem xét cước.",
            en="This request's fee is not waiting for a review.",
        )
    review = {"decision": decision, "reason": reason, "evidence": evidence, "by": by, "at": local_text(at)}
    decided: dict[str, Any] = {**quoted, "review": review}
    for leg in legs:
        decided = _decided(decided, leg, review)
    return decided


def _decided(quoted: Mapping[str, Any], leg: str, review: Mapping[str, Any]) -> dict[str, Any]:
    """Take back what is held on a leg and put the decision in its place; both are new lines."""
    held = [line for line in quoted["lines"] if line["leg"] == leg and line["code"] == "held"]
    amount = _held(quoted, leg)
    basis = {**held[-1]["basis"], "author": review["by"], "reason": review["reason"]}
    added = [{**held[-1], "amount": amount, "basis": basis}]
    if review["decision"] == "DEFER":
        added.append({**added[0], "code": "deferral", "amount": -amount, "payer": "province"})
    elif review["decision"] == "WAIVE":
        # Nobody else was asked to pay for a goodwill waiver: the post bears it.
        added.append({**added[0], "code": "waiver", "amount": -amount, "payer": "post", "reason": None})
    return totalled({**quoted, "lines": [*quoted["lines"], *added]})


def _held(quoted: Mapping[str, Any], leg: str) -> int:
    held: int = sum(line["amount"] for line in quoted["lines"] if line["leg"] == leg and line["code"] == "held")
    return -held


def settle(quoted: Mapping[str, Any], outcome: Outcome, decision_no: str, *, by: str, at: datetime) -> dict[str, Any]:
    """The quote after the province decided on its deferred postage; the citizen is never billed by it (KH-06).

    RECLAIMABLE may still be settled later; SETTLED_BY_PROVINCE is final. Raises `Conflict` (`not_deferred`,
    `already_settled`).
    """
    if quoted["status"] != "DEFERRED":
        raise Conflict(code="not_deferred", vi="Cước này không ở trạng thái tạm chưa thu.", en="It is not deferred.")
    before = quoted.get("settlement")
    if before is not None and (before["outcome"] == "SETTLED_BY_PROVINCE" or before["outcome"] == outcome):
        raise Conflict(code="already_settled", vi="Cước này đã được quyết định.", en="It has been settled already.")
    settlement = {"outcome": outcome, "decision_no": decision_no, "at": local_text(at), "by": by}
    return totalled({**quoted, "settlement": settlement})


def reprice(
    book: PolicyBook, request: Request, leg: str, charged_at: datetime, known_at: datetime
) -> dict[str, Any] | None:
    """The adjustment that rules known by `known_at` ask for on a fixed charge, beyond those made; None for none.

    The charge keeps its date; only what was known about that date grows. State fees and redirections are not judged.
    """
    quoted = request.quote
    if leg in void_legs(quoted["adjustments"]) or leg not in quoted["charges"]:
        return None
    if _nothing_new(book, quoted, leg, charged_at, known_at):
        return None
    body = body_of(request)
    terms = terms_of(request, body, leg)
    priced = price_leg(book, body, terms, _leg(leg), at=charged_at, known_at=known_at, mandate_settled=True)
    made = [adjustment for adjustment in quoted["adjustments"] if adjustment.get("reprices") == leg]
    others = [adjustment for adjustment in quoted["adjustments"] if adjustment.get("reprices") != leg]
    target = _replaced({**quoted, "adjustments": others}, priced)
    before = _comparable(quoted, leg) + sum(adjustment["amount"] for adjustment in made)
    after = _comparable(target, leg)
    borne = {payer: target["borne_by"][payer] - quoted["borne_by"][payer] for payer in PAYERS}
    if before == after:
        return None
    decisive = _decisive(priced)
    return {
        "recorded_at": local_text(known_at),
        "amount": after - before,
        "reason": decisive.reason or priced.reasons[0],
        "basis": dict(decisive.basis),
        "task": "REFUND" if after < before else "COLLECT",
        "leg": leg,
        "reprices": leg,
        "borne_by": {payer: amount for payer, amount in borne.items() if amount},
        "charge": priced.charge(fixed=True),
    }


def _nothing_new(
    book: PolicyBook, quoted: Mapping[str, Any], leg: str, charged_at: datetime, known_at: datetime
) -> bool:
    """Whether a charge was judged for the same day by these very rules, none of which became known since."""
    made = [
        change["charge"] for change in quoted["adjustments"] if change.get("reprices") == leg and "charge" in change
    ]
    last = made[-1] if made else quoted["charges"][leg]
    return (
        last["policy_version"] == book.version
        and not book.overrides
        and last["at"] == local_text(charged_at)
        and not book.learned_between(datetime.fromisoformat(last["known_at"]), known_at)
    )


def _decisive(priced: LegPrice) -> PriceLine:
    """The line whose rule made the difference: the reduction where there is one, else the postage."""
    return next((line for line in priced.lines if line.amount < 0), priced.lines[0])


def _comparable(quoted: Mapping[str, Any], leg: str) -> int:
    return sum(line["amount"] for line in quoted["lines"] if line["leg"] == leg and line["code"] not in _NOT_REPRICED)


def adjusted(quoted: Mapping[str, Any], adjustment: Mapping[str, Any]) -> dict[str, Any]:
    """The quote with a correction added; its lines stay as they were."""
    return totalled({**quoted, "adjustments": [*quoted["adjustments"], dict(adjustment)]})


def redirected(book: PolicyBook, request: Request, leg: str, zone: Zone, at: datetime) -> dict[str, Any]:
    """The quote with the new carriage of a redirected item added: its full tariff, paid by who asked for it.

    Law 49/2010/QH12 art 16: the sender may redirect before delivery and pays. `zone` lies between the two addresses.
    """
    body = body_of(request)
    terms = terms_of(request, body, leg)
    moved = Terms(terms.shop_province, terms.citizen_province, zone, terms.registered_at)
    postage = price_leg(book, body, moved, _leg(leg), at=at, known_at=at, mandate_settled=True).lines[0].to_json()
    return totalled({**request.quote, "lines": [*request.quote["lines"], {**postage, "code": "redirect"}]})


def reopened(quoted: Mapping[str, Any], leg: str, at: datetime) -> dict[str, Any]:
    """The quote after a leg that had ended without carriage goes on after all: its lines count again."""
    if leg not in void_legs(quoted["adjustments"]):
        return dict(quoted)
    adjustment = {
        "recorded_at": local_text(at),
        "amount": sum(line["amount"] for line in quoted["lines"] if line["leg"] == leg),
        "reason": "REOPENED",
        "basis": {"rule_id": None, "doc_no": None, "clause": "carried after all"},
        "task": "NONE",
        "leg": leg,
        "reopens_leg": leg,
    }
    return adjusted(quoted, adjustment)


def list_price(quoted: Mapping[str, Any], leg: str) -> int:
    """A leg's full postage before any reduction: the base of compensation (NĐ 47/2011/NĐ-CP art 25.1a)."""
    code = f"postage.{leg}"
    return sum(line["amount"] for line in quoted["lines"] if line["code"] == code)


def owed(quoted: Mapping[str, Any], leg: str) -> dict[str, int]:
    """What the citizen owes for a leg before any payment: `postage` (with remittance and corrections) and the fee."""
    due = {"postage": 0, "state_fee": 0}
    if leg in void_legs(quoted["adjustments"]):
        return due
    for line in quoted["lines"]:
        if line["leg"] == leg:
            due["state_fee" if line["code"] == "state_fee" else "postage"] += line["amount"]
    due["postage"] += sum(fault["amount"] for fault in quoted["adjustments"] if fault.get("reprices") == leg)
    return {name: max(0, amount) for name, amount in due.items()}


def _leg(name: str) -> Leg:
    return "pickup" if name == "pickup" else "return"
