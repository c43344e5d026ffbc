"""What a request costs, who bears it, and on which rule each line rests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from dispatch.domain.consignment import Leg, QuoteBody, StateFee
from dispatch.domain.hours import local_date
from dispatch.domain.money import PAYERS, Payer
from dispatch.domain.places import Zone
from dispatch.domain.rules import PolicyBook, Rule
from dispatch.domain.sla import Promise
from dispatch.domain.tariff import TariffParams
from dispatch.domain.text import Shape, local_text

LineCode = Literal[
    "postage.pickup", "postage.return", "discount", "waiver", "deferral", "held", "remittance", "state_fee", "redirect"
]
QuoteStatus = Literal["FIRM", "DEFERRED", "PENDING_REVIEW", "VOID"]
Warning_ = Literal["provisional_tariff", "rule_open_over_12_months"]

PRICE_KINDS = frozenset({"PERCENT_OFF", "FIXED_PRICE", "DEFER"})
"""Kinds that change everyone's price or who pays it; a province with none of them known gets the reason NO_RULE."""
REDUCTIONS = frozenset({"discount", "waiver", "deferral", "held"})


class StateFeeParams(Shape):
    """Parameters of a `STATE_FEE` rule: whether the post needs the authority's written mandate to collect the fee."""

    mandate_required: bool


@dataclass(frozen=True)
class PriceLine:
    """One line of a quote in whole đồng; reductions are negative. `basis` is `Rule.basis()`."""

    code: LineCode
    leg: Leg
    amount: int
    payer: Payer
    basis: Mapping[str, str | None]
    reason: str | None = None
    zone: Zone | None = None
    weight_band: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as docs/api.md shows it; zone and weight band stand on postage lines."""
        shown: dict[str, Any] = {"code": self.code, "leg": self.leg, "amount": self.amount}
        if self.zone is not None:
            shown |= {"zone": self.zone, "weight_band": self.weight_band}
        return shown | {"payer": self.payer, "reason": self.reason, "basis": dict(self.basis)}


@dataclass(frozen=True)
class Quote:
    """A priced request: its lines in order and the reasons for what was (not) reduced; all totals follow from them."""

    lines: tuple[PriceLine, ...]
    reasons: tuple[str, ...]

    @property
    def status(self) -> QuoteStatus:
        """PENDING_REVIEW while a line is held, DEFERRED where one is deferred, else FIRM."""
        codes = {line.code for line in self.lines}
        if "held" in codes:
            return "PENDING_REVIEW"
        return "DEFERRED" if "deferral" in codes else "FIRM"

    def to_json(self) -> dict[str, Any]:
        """The `quote` object of docs/api.md."""
        lines = [line.to_json() for line in self.lines]
        return {
            "status": self.status,
            "lines": lines,
            "postage_total": _sum(lines, lambda code: code.startswith("postage.") or code == "redirect"),
            "discount_total": _sum(lines, lambda code: code in ("discount", "waiver")),
            "state_fee_total": _sum(lines, lambda code: code == "state_fee"),
            "remittance_total": _sum(lines, lambda code: code == "remittance"),
            "payable_by_citizen": _sum(lines, lambda code: True),
            "borne_by": _borne_by(lines),
            "adjustments": [],
            "reasons": list(self.reasons),
            "currency": "VND",
        }


def quote(
    book: PolicyBook,
    body: QuoteBody,
    *,
    shop_province: str | None,
    citizen_province: str | None,
    zone: Zone,
    at: datetime,
    known_at: datetime,
) -> Quote:
    """Price every leg at the charge instant `at` by the rules recorded by `known_at`; provinces are 2020 codes or None.

    The accepting post office's province decides: the citizen's for the pickup leg (the shop's where unknown), the
    shop's for the return leg. Two-way is the sum of both legs. The person pays (QĐ 45/2016/QĐ-TTg art 12.3).
    """
    accepting: dict[Leg, str | None] = {"pickup": citizen_province or shop_province, "return": shop_province}
    lines: list[PriceLine] = []
    reasons: list[str] = []
    for leg in body.legs:
        rule = _tariff_rule(book, body, leg, accepting[leg], at, known_at)
        tariff = book.tariffs[rule.params_as(TariffParams).table]
        amount, band = tariff.price(leg, zone, body.weight_g)
        code: LineCode = "postage.pickup" if leg == "pickup" else "postage.return"
        lines.append(PriceLine(code, leg, amount, "citizen", rule.basis(), zone=zone, weight_band=band))
        if not any(book.known(kind, accepting[leg], known_at) for kind in PRICE_KINDS):
            reasons.append("NO_RULE")
    if body.state_fee is not None:
        first = body.legs[0]
        fee_rule = _fee_rule(book, body, first, shop_province, at, known_at)
        if fee_rule.params_as(StateFeeParams).mandate_required and body.state_fee.mandate_id is None:
            reasons.append("STATE_FEE_NEEDS_MANDATE")
        else:
            tariff_rule = _tariff_rule(book, body, first, accepting[first], at, known_at)
            lines += _fee_lines(body.state_fee, first, fee_rule, tariff_rule)
    return Quote(tuple(lines), tuple(dict.fromkeys(reasons)))


def void(quoted: Mapping[str, Any], reason: str, at: datetime, paid: int = 0, leg: Leg | None = None) -> dict[str, Any]:
    """A stored quote after CANCELLED or E_RETURNED: the lines stay, nothing is payable, an adjustment says what to do.

    With `leg` only that leg ends (the other was already carried) and the quote stays what it was for the rest; once
    every leg has ended it is VOID. `paid` is what the citizen has paid so far; more than is still due is refunded.
    """
    ended = {adjustment.get("ends_leg") for adjustment in quoted["adjustments"]} | {leg}
    left = [] if leg is None else [line for line in quoted["lines"] if line["leg"] not in ended]
    payable = _sum(left, lambda code: True)
    refund = max(0, paid - payable)
    adjustment = {
        "recorded_at": local_text(at),
        "amount": -refund if refund else payable - quoted["payable_by_citizen"],
        "reason": reason,
        "basis": {"rule_id": None, "doc_no": None, "clause": "not carried, not charged"},
        "task": "REFUND" if refund else "NONE",
        "ends_leg": leg,
    }
    return {
        **quoted,
        "status": quoted["status"] if left else "VOID",
        "payable_by_citizen": payable,
        "borne_by": _borne_by(left),
        "adjustments": [*quoted["adjustments"], adjustment],
    }


def warnings(book: PolicyBook, quoted: Quote, promises: Iterable[Promise], *, at: datetime) -> list[Warning_]:
    """What an officer should know about the rules applied at `at`: an unprinted tariff, a temporary rule grown old."""
    found: list[Warning_] = []
    priced = [rule for line in quoted.lines if (rule := book.rule(line.basis["rule_id"] or "")) is not None]
    if any(rule.kind == "TARIFF" and not rule.verified for rule in priced):
        found.append("provisional_tariff")
    applied = [(rule, local_date(at)) for rule in priced]
    for promise in promises:
        promised = book.rule(promise.rule_id)
        if promised is not None:
            applied.append((promised, local_date(promise.clock_started_at)))
    if any(rule.outlived_on(day) for rule, day in applied):
        found.append("rule_open_over_12_months")
    return found


def _tariff_rule(
    book: PolicyBook, body: QuoteBody, leg: Leg, province_code: str | None, at: datetime, known_at: datetime
) -> Rule:
    rules = book.applying("TARIFF", province_code, at=at, known_at=known_at, body=body, leg=leg)
    return max(rules, key=lambda rule: (rule.valid_from, rule.recorded_at))


def _fee_rule(
    book: PolicyBook, body: QuoteBody, leg: Leg, province_code: str | None, at: datetime, known_at: datetime
) -> Rule:
    """The rule on mandates; among several that apply, one that asks for none wins (QĐ 45/2016/QĐ-TTg art 6.6)."""
    rules = book.applying("STATE_FEE", province_code, at=at, known_at=known_at, body=body, leg=leg)
    return min(rules, key=lambda rule: rule.params_as(StateFeeParams).mandate_required)


def _fee_lines(fee: StateFee, leg: Leg, fee_rule: Rule, tariff_rule: Rule) -> list[PriceLine]:
    """The fee itself, and the price of remitting one dossier's fee where the tariff has such a row."""
    lines = [PriceLine("state_fee", leg, fee.amount, "citizen", fee_rule.basis())]
    price = tariff_rule.params_as(TariffParams).remittance
    if price:
        lines.insert(0, PriceLine("remittance", leg, price, "citizen", tariff_rule.basis()))
    return lines


def _sum(lines: Sequence[Mapping[str, Any]], counts: Callable[[str], bool]) -> int:
    return sum(line["amount"] for line in lines if counts(line["code"]))


def _borne_by(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Shares of postage and remittance: a reduction falls on its payer, the rest on the citizen."""
    shares: dict[str, int] = dict.fromkeys(PAYERS, 0)
    for line in lines:
        if line["code"] in REDUCTIONS:
            shares[line["payer"]] -= line["amount"]
            shares["citizen"] += line["amount"]
        elif line["code"] != "state_fee":
            shares["citizen"] += line["amount"]
    return shares
