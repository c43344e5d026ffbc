"""What lowers the price of a leg or puts off its payment: percentages, fixed prices, exemptions, deferrals.

Kinds of rules: `PERCENT_OFF`, `FIXED_PRICE`, `WAIVE_PERSON` lower what is charged, the best one alone (no stacking);
then `DEFER` decides who pays the rest, and when (docs/api.md, Price).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from dispatch.domain.consignment import Leg, QuoteBody
from dispatch.domain.hours import local_date
from dispatch.domain.money import PAYERS, Payer
from dispatch.domain.places import Zone
from dispatch.domain.rules import PolicyBook, Rule
from dispatch.domain.text import Dong, Shape

DEFERRED = "DEFERRED_PRIOR_FILING"
SAME_DAY = "REVIEW_SAME_DAY_FILING"
LATE = "REVIEW_LATE_DEFERRAL"
REVIEWS = frozenset({SAME_DAY, LATE})

PRICE_KINDS = ("PERCENT_OFF", "FIXED_PRICE", "DEFER")
"""Kinds that change everyone's price or who pays it; a province with none of them known gets the reason NO_RULE."""

_REASON_OF = {
    "window": "OUT_OF_WINDOW",
    "leg": "LEG_NOT_COVERED",
    "online_level": "LEVEL_NOT_COVERED",
    "submitted_via": "NOT_SUBMITTED_ONLINE",
    "bcci_registered_before": "NOT_PRIOR_FILING",
    "filed_before": "NOT_PRIOR_FILING",
}
"""Unmet condition → reason, in the order of docs/api.md; a condition without a word of its own counts as NO_RULE."""
_ORDER = tuple(_REASON_OF)


class PercentParams(Shape):
    """Parameters of `PERCENT_OFF`: so many percent of the leg's postage, rounded half up to whole đồng."""

    percent: Annotated[int, Field(ge=1, le=100)]


class FixedPriceParams(Shape):
    """Parameters of `FIXED_PRICE`: what a leg costs in the zones named; never more than the tariff."""

    prices: Annotated[dict[Zone, Dong], Field(min_length=1)]


class WaiveParams(Shape):
    """`WAIVE_PERSON` has no parameters: its scope says who is carried free of charge."""


class DeferParams(Shape):
    """Parameters of `DEFER`: postage of dossiers filed before a date is not collected for the time being.

    A dossier filed on a day of `review_filed_on`, or registered from `review_registered_from` on, goes to review.
    `list_due_before`: the list of what was deferred is due before that day. `officer_confirms`: an officer must have
    confirmed the citizen's address.
    """

    filed_before: date
    review_filed_on: Annotated[tuple[date, ...], Field(strict=False)] = ()
    review_registered_from: date | None = None
    list_due_before: date | None = None
    officer_confirms: bool = False


@dataclass(frozen=True)
class Reduction:
    """What one rule takes off a leg's postage: `amount` in đồng, and the word for it."""

    rule: Rule
    amount: int
    reason: str

    def shares(self) -> Iterator[tuple[Payer, int]]:
        """Who bears how much of it, by the rule's funding; each share rounded half up, the last takes the rest."""
        yield from shares(self.amount, self.rule.funding)


@dataclass(frozen=True)
class Deferral:
    """Whether a leg's postage is deferred or held for review, and why (not)."""

    rule: Rule | None
    reasons: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Whether a person must decide first."""
        return self.rule is not None and bool(REVIEWS.intersection(self.reasons))


def shares(amount: int, funding: Mapping[Payer, int]) -> Iterator[tuple[Payer, int]]:
    """Split an amount by percentages that sum to 100: the parts sum to the amount to the đồng, none is zero."""
    left, named = amount, [payer for payer in PAYERS if funding.get(payer)]
    for payer in named:
        part = left if payer == named[-1] else min(left, half_up(amount, funding[payer]))
        left -= part
        if part:
            yield payer, part


def half_up(amount: int, percent: int) -> int:
    """So many percent of a non-negative amount, rounded half up to whole đồng."""
    return (amount * percent + 50) // 100


def best_reduction(
    book: PolicyBook,
    body: QuoteBody,
    leg: Leg,
    province: str | None,
    zone: Zone,
    base: int,
    at: datetime,
    known: datetime,
) -> Reduction | None:
    """The one rule that lowers this leg's price most at the charge instant `at`; None where none does."""
    found: list[Reduction] = []
    for kind in ("PERCENT_OFF", "FIXED_PRICE", "WAIVE_PERSON"):
        for rule in book.applying(kind, province, at=at, known_at=known, body=body, leg=leg):
            amount = _taken_off(rule, zone, base)
            if amount > 0:
                found.append(Reduction(rule, amount, "WAIVED_PERSON" if kind == "WAIVE_PERSON" else "DISCOUNT_APPLIED"))
    return max(found, key=lambda reduction: (reduction.amount, reduction.rule.doc_date or date.min), default=None)


def _taken_off(rule: Rule, zone: Zone, base: int) -> int:
    params = rule.params
    if isinstance(params, PercentParams):
        return half_up(base, params.percent)
    if isinstance(params, FixedPriceParams):
        return max(0, base - params.prices.get(zone, base))
    return base


def deferral(
    book: PolicyBook, body: QuoteBody, leg: Leg, province: str | None, registered_on: date, known: datetime
) -> Deferral:
    """Whether this leg's postage is deferred: judged by the registration and filing dates, not the charge date.

    Source of the only such rule so far: 2964/UBND-KSTT (Khánh Hòa, 1/4/2020) §2 ¶2.
    """
    best: Deferral | None = None
    for rule in book.known("DEFER", province, known):
        found = _deferred_by(book.here(rule, registered_on), body, leg, registered_on)
        if found.rule is not None:
            return found
        best = best or found
    return best or Deferral(None, ())


def _deferred_by(rule: Rule, body: QuoteBody, leg: Leg, registered_on: date) -> Deferral:
    params = rule.params_as(DeferParams)
    unmet = "window" if not rule.in_force_on(registered_on) else rule.scope.unmet(body, leg)
    filed_on = None if body.dossier.submitted_at is None else local_date(body.dossier.submitted_at)
    same_day = filed_on in params.review_filed_on
    if unmet is None and (filed_on is None or not (filed_on < params.filed_before or same_day)):
        unmet = "filed_before"
    if unmet is not None:
        return Deferral(None, (_REASON_OF.get(unmet, "NO_RULE"),))
    late = params.review_registered_from is not None and registered_on >= params.review_registered_from
    return Deferral(rule, (SAME_DAY if same_day else LATE if late else DEFERRED,))


def officer_missing(
    book: PolicyBook, body: QuoteBody, leg: Leg, province: str | None, registered_on: date, known: datetime
) -> bool:
    """Whether a deferral asks for an officer's word on the citizen's address that the request does not carry.

    2964/UBND-KSTT 1/4/2020 §2 ¶2: the officer contacts who filed earlier without the post, and fixes the address.
    """
    found = deferral(book, body, leg, province, registered_on, known)
    if found.rule is None or SAME_DAY in found.reasons or not found.rule.params_as(DeferParams).officer_confirms:
        return False
    return body.officer is None or not body.officer.address_confirmed


def why_not(
    book: PolicyBook, body: QuoteBody, leg: Leg, province: str | None, at: datetime, known: datetime
) -> str | None:
    """Why no rule lowers this leg's price: the first failing condition in the order window, leg, level, channel.

    Of several rules the one that came furthest is told; NO_RULE where the province has none that is known.
    """
    day = local_date(at)
    unmet: list[str] = []
    for kind in ("PERCENT_OFF", "FIXED_PRICE"):
        for rule in book.known(kind, province, known):
            unmet.append("window" if not rule.in_force_on(day) else rule.scope.unmet(body, leg) or "")
    told = [name for name in unmet if name in _ORDER]
    if told:
        return _REASON_OF[max(told, key=_ORDER.index)]
    return "NO_RULE" if unmet else None
