"""What a request costs, who bears it, and on which rule each line rests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from dispatch.domain.consignment import Leg, QuoteBody, StateFee
from dispatch.domain.hours import local_date
from dispatch.domain.money import PAYERS, Payer
from dispatch.domain.places import Zone
from dispatch.domain.reductions import best_reduction, deferral, shares, why_not
from dispatch.domain.rules import PolicyBook, Rule
from dispatch.domain.tariff import TariffParams
from dispatch.domain.text import Shape, local_text

LineCode = Literal[
    "postage.pickup", "postage.return", "discount", "waiver", "deferral", "held", "remittance", "state_fee", "redirect"
]
QuoteStatus = Literal["FIRM", "DEFERRED", "PENDING_REVIEW", "VOID"]
Warning_ = Literal["provisional_tariff", "rule_open_over_12_months"]

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
class Terms:
    """Where a request lies on the map of 2020 and when it was registered: what prices depend on besides its body."""

    shop_province: str | None
    citizen_province: str | None
    zone: Zone
    registered_at: datetime

    def accepting(self, leg: Leg) -> str | None:
        """The province of the post office that accepts a leg: the citizen's (else the shop's), or the shop's."""
        return (self.citizen_province or self.shop_province) if leg == "pickup" else self.shop_province


@dataclass(frozen=True)
class LegPrice:
    """One leg priced at one instant by the rules known at another.

    `province_code` is its accepting office's; `fee_rule_id` decided on its state fee, also where that left no line.
    """

    leg: Leg
    lines: tuple[PriceLine, ...]
    reasons: tuple[str, ...]
    at: datetime
    known_at: datetime
    policy_version: str
    province_code: str | None = None
    fee_rule_id: str | None = None

    def charge(self, *, fixed: bool) -> dict[str, Any]:
        """What the price was computed from, kept so that it can be told and computed again."""
        return {
            "at": local_text(self.at),
            "known_at": local_text(self.known_at),
            "fixed": fixed,
            "policy_version": self.policy_version,
            "province_code": self.province_code,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True)
class Quote:
    """A priced request: its legs in order."""

    legs: tuple[LegPrice, ...]

    @property
    def lines(self) -> tuple[PriceLine, ...]:
        """The lines of all legs."""
        return tuple(line for leg in self.legs for line in leg.lines)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of all legs, each once."""
        return tuple(dict.fromkeys(reason for leg in self.legs for reason in leg.reasons))

    def to_json(self) -> dict[str, Any]:
        """The `quote` object of docs/api.md."""
        return totalled(
            {
                "lines": [line.to_json() for line in self.lines],
                "adjustments": [],
                "charges": {leg.leg: leg.charge(fixed=False) for leg in self.legs},
            }
        )


def quote(book: PolicyBook, body: QuoteBody, terms: Terms, *, at: datetime, known_at: datetime) -> Quote:
    """Price every leg at the charge instant `at` by the rules recorded by `known_at`.

    The accepting post office's province decides. Two-way is the sum of both legs. The person pays
    (QĐ 45/2016/QĐ-TTg art 12.3) unless a rule says who else does.
    """
    return Quote(tuple(price_leg(book, body, terms, leg, at=at, known_at=known_at) for leg in body.legs))


def price_leg(
    book: PolicyBook,
    body: QuoteBody,
    terms: Terms,
    leg: Leg,
    *,
    at: datetime,
    known_at: datetime,
    mandate_settled: bool = False,
) -> LegPrice:
    """Price one leg; the state fee and its remittance stand on the first leg.

    `mandate_settled`: the request was accepted with its state fee, whatever later rules ask for.
    """
    province = terms.accepting(leg)
    tariff_rule = _tariff_rule(book, body, leg, province, at, known_at)
    tariff = book.tariffs[tariff_rule.params_as(TariffParams).table]
    amount, band = tariff.price(leg, terms.zone, body.weight_g)
    code: LineCode = "postage.pickup" if leg == "pickup" else "postage.return"
    basis = tariff_rule.basis()
    lines = [PriceLine(code, leg, amount, "citizen", basis, zone=terms.zone, weight_band=band)]
    reduced, reasons = _reductions(book, body, terms, leg, amount, at, known_at)
    lines += reduced
    fee_rule = None
    if body.state_fee is not None and leg == body.legs[0]:
        fee_rule = _fee_rule(book, body, leg, terms.shop_province, at, known_at)
        needed = fee_rule.params_as(StateFeeParams).mandate_required and not mandate_settled
        if needed and body.state_fee.mandate_id is None:
            reasons.append("STATE_FEE_NEEDS_MANDATE")
        else:
            lines += _fee_lines(body.state_fee, leg, fee_rule, tariff_rule)
    told = tuple(dict.fromkeys(reasons))
    return LegPrice(leg, tuple(lines), told, at, known_at, book.version, province, fee_rule.id if fee_rule else None)


def _reductions(
    book: PolicyBook, body: QuoteBody, terms: Terms, leg: Leg, amount: int, at: datetime, known_at: datetime
) -> tuple[list[PriceLine], list[str]]:
    """The negative lines of a leg and the reasons: the best price rule, then deferral or review of what is left."""
    province, registered_on = terms.accepting(leg), local_date(terms.registered_at)
    lines: list[PriceLine] = []
    reasons: list[str] = []
    left = amount
    best = best_reduction(book, body, leg, province, terms.zone, amount, at, known_at)
    if best is not None:
        code: LineCode = "waiver" if best.reason == "WAIVED_PERSON" else "discount"
        lines += [PriceLine(code, leg, -part, payer, best.rule.basis(), best.reason) for payer, part in best.shares()]
        reasons.append(best.reason)
        left -= best.amount
    found = deferral(book, body, leg, province, registered_on, known_at)
    if found.rule is not None and left > 0:
        basis, reason = found.rule.basis(), found.reasons[0]
        if found.held:
            lines.append(PriceLine("held", leg, -left, "undecided", basis, reason))
        else:
            parts = shares(left, found.rule.funding)
            lines += [PriceLine("deferral", leg, -part, payer, basis, reason) for payer, part in parts]
        reasons += found.reasons
    if not reasons:
        unmet = why_not(book, body, leg, province, at, known_at)
        reasons.append(unmet or next(iter(found.reasons), "NO_RULE"))
    return lines, reasons


def totalled(quoted: Mapping[str, Any]) -> dict[str, Any]:
    """A quote with everything that follows from its lines, adjustments and charges computed anew.

    A leg that was cancelled or answered electronically is void: its lines stay, nothing of it is payable or borne.
    """
    lines, adjustments = quoted["lines"], quoted["adjustments"]
    live = [line for line in lines if line["leg"] not in void_legs(adjustments)]
    borne = _borne_by(live)
    for adjustment in adjustments:
        for payer, amount in adjustment.get("borne_by", {}).items():
            borne[payer] += amount
    if not live:
        borne = dict.fromkeys(PAYERS, 0)
    charges: Mapping[str, Any] = quoted["charges"]
    reasons = [reason for leg in charges for reason in charges[leg]["reasons"]]
    return {
        "status": _status(lines, live),
        "lines": lines,
        "postage_total": _sum(lines, lambda code: code.startswith("postage.") or code == "redirect"),
        "discount_total": _sum(lines, lambda code: code in ("discount", "waiver")),
        "state_fee_total": _sum(lines, lambda code: code == "state_fee"),
        "remittance_total": _sum(lines, lambda code: code == "remittance"),
        "payable_by_citizen": _sum(live, lambda code: True),
        "borne_by": borne,
        "adjustments": adjustments,
        "reasons": list(dict.fromkeys(reasons)),
        "currency": "VND",
        "charges": dict(charges),
        **{name: quoted[name] for name in ("review", "settlement") if name in quoted},
    }


def void_legs(adjustments: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The legs that ended without carriage and were not reopened since."""
    ended: set[str] = set()
    for adjustment in adjustments:
        if adjustment.get("ends_leg"):
            ended.add(adjustment["ends_leg"])
        ended.discard(adjustment.get("reopens_leg", ""))
    return frozenset(ended)


def void(quoted: Mapping[str, Any], reason: str, at: datetime, paid: int, leg: Leg) -> dict[str, Any]:
    """A stored quote after CANCELLED or E_RETURNED: the leg's lines stay, nothing of it is payable any more.

    Once every leg has ended the quote is VOID. `paid` is what the citizen has paid for this leg: it is refunded.
    """
    due = sum(line["amount"] for line in quoted["lines"] if line["leg"] == leg)
    adjustment = {
        "recorded_at": local_text(at),
        "amount": -paid if paid else -due,
        "reason": reason,
        "basis": {"rule_id": None, "doc_no": None, "clause": "not carried, not charged"},
        "task": "REFUND" if paid else "NONE",
        "leg": leg,
        "ends_leg": leg,
    }
    return totalled({**quoted, "adjustments": [*quoted["adjustments"], adjustment]})


def _status(lines: Sequence[Mapping[str, Any]], live: Sequence[Mapping[str, Any]]) -> QuoteStatus:
    """VOID once no leg is left, PENDING_REVIEW while a line is held, DEFERRED where one is deferred, else FIRM."""
    if lines and not live:
        return "VOID"
    if _sum(live, lambda code: code == "held"):
        return "PENDING_REVIEW"
    return "DEFERRED" if _sum(live, lambda code: code == "deferral") else "FIRM"


def warnings(book: PolicyBook, quoted: Quote, applied: Iterable[tuple[Rule, date]], *, at: datetime) -> list[Warning_]:
    """What an officer should know about the rules applied: an unprinted tariff, a temporary rule grown old.

    `applied` are the rules that decided anything but the price, each with the date it was judged on.
    """
    found: list[Warning_] = []
    named = [line.basis["rule_id"] for line in quoted.lines] + [leg.fee_rule_id for leg in quoted.legs]
    priced = [rule for name in named if (rule := book.rule(name or "")) is not None]
    if any(rule.kind == "TARIFF" and not rule.verified for rule in priced):
        found.append("provisional_tariff")
    judged = [*((rule, local_date(at)) for rule in priced), *applied]
    if any(rule.outlived_on(day) for rule, day in judged):
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
