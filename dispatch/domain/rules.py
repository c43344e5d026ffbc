"""Rules as data: one dated, cited rule, the closed set of conditions it may have, and the book that finds it.

Two time axes: a rule is *in force* from `valid_from` to `valid_to` (both inclusive, on the basis date) and *known*
from `recorded_at` on. A kind of rule is a parameter shape in the module that applies it; `dispatch/policies`
lists the kinds. No code names a province.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from dispatch.domain.consignment import ExemptClass, Field_, Leg, QuoteBody, SubmittedVia
from dispatch.domain.errors import DispatchError
from dispatch.domain.hours import Calendar, PublicHolidays, local_date
from dispatch.domain.money import Payer
from dispatch.domain.places import Zone
from dispatch.domain.tariff import Tariff
from dispatch.domain.text import Block, Instant, Line, Name, ProvinceCode, Shape

RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*@[1-9][0-9]{0,3}$", max_length=60)]
"""A rule's name and version, for instance `KH-10@1`."""


Params = TypeVar("Params", bound=Shape)


class BadPolicy(DispatchError):
    """A policy file says something the rules engine refuses; names the file, the line and the key."""


def bad_policy(place: str, vi: str, en: str) -> BadPolicy:
    """A `BadPolicy` about one place of one file."""
    return BadPolicy(code="bad_policy", vi=f"{place}: {vi}", en=f"{place}: {en}", extra={"place": place})


class Scope(Shape):
    """What a request must be for a rule to apply: every condition given must hold, and one of `any` where given.

    The order of the conditions is the order in which the first unmet one is named (docs/api.md: leg, level, channel).
    """

    leg: Leg | None = None
    field: Annotated[tuple[Field_, ...], Field(strict=False)] = ()
    online_level: Annotated[tuple[Annotated[int, Field(ge=0, le=4)], ...], Field(strict=False)] = ()
    submitted_via: Annotated[tuple[SubmittedVia, ...], Field(strict=False)] = ()
    bcci_registered_before: bool | None = None
    field_verification: bool | None = None
    online_payment_unable: bool | None = None
    party: Literal["CITIZEN", "AGENCY"] | None = None
    purpose: Literal["NEW", "PAPER_SUPPLEMENT"] | None = None
    exempt_class: Annotated[tuple[ExemptClass, ...], Field(strict=False)] = ()
    weight_up_to_g: Annotated[int, Field(ge=1)] | None = None
    physical_component: bool | None = None
    wants_paper: bool | None = None
    has_email: bool | None = None
    issued_electronically: bool | None = None
    holds_original: bool | None = None
    any: Annotated[tuple[Scope, ...], Field(strict=False)] = ()

    def unmet(self, body: QuoteBody, leg: Leg) -> str | None:
        """The first condition this leg of this request does not meet, None where it meets all.

        A fact the request does not give meets no condition. Of several alternatives the one that came furthest is told.
        """
        dossier, fee = body.dossier, body.state_fee
        facts: dict[str, Any] = {
            "leg": leg,
            "field": dossier.field,
            "online_level": dossier.online_level,
            "submitted_via": dossier.submitted_via,
            "bcci_registered_before": dossier.bcci_registered_before,
            "field_verification": dossier.field_verification,
            "online_payment_unable": fee is not None and fee.online_payment_unable,
            "party": body.party,
            "purpose": body.purpose,
            "exempt_class": body.citizen.exempt_class,
            "weight_up_to_g": body.weight_g,
            "physical_component": dossier.physical_component,
            "wants_paper": body.citizen_choice == "PAPER",
            "has_email": body.citizen.email is not None,
            "issued_electronically": dossier.issued_electronically,
            "holds_original": any(paper.original for paper in body.documents),
        }
        for name, wanted in self._conditions:
            fact = facts[name]
            if name == "weight_up_to_g":
                held = fact <= wanted
            else:
                held = fact in wanted if isinstance(wanted, tuple) else fact == wanted
            if not held:
                return name
        if not self.any:
            return None
        failed = [choice.unmet(body, leg) for choice in self.any]
        if None in failed:
            return None
        return max((name for name in failed if name is not None), key=_ORDER.index)

    @cached_property
    def _conditions(self) -> tuple[tuple[str, Any], ...]:
        """The conditions this scope states, in order."""
        stated = ((name, getattr(self, name)) for name in _ORDER)
        return tuple((name, wanted) for name, wanted in stated if wanted is not None and wanted != ())

    def matches(self, body: QuoteBody, leg: Leg) -> bool:
        """Whether this leg of this request meets every condition."""
        return self.unmet(body, leg) is None


_ORDER = tuple(name for name in Scope.model_fields if name != "any")


class Override(Shape):
    """A rule's own parameters at one shop, with reason and author (905/UBND-PVHCC 30/3/2020 §2.2: apply flexibly)."""

    rule_id: str
    params: dict[str, Any]
    reason: Line
    author: Line
    valid_from: date
    valid_to: date | None = None


class Rule(Shape):
    """One rule with its source. `province_code` is the 2020 code, None = holds wherever no province has its own.

    `standing` marks what is meant to last (operator policy, circulars, price lists); any other open-ended rule warns
    once it is older than twelve months. `supersedes` names the version this one replaces once it is recorded.
    `funding` splits what a reduction costs, in percent. `issued_between` stands for the date of a document whose copy
    bears none.
    """

    id: RuleId
    kind: str
    province_code: ProvinceCode | None
    scope: Scope = Scope()
    params: Shape
    funding: dict[Payer, Annotated[int, Field(ge=0, le=100)]] = {}
    valid_from: date
    valid_to: date | None = None
    recorded_at: Instant
    standing: bool = False
    supersedes: RuleId | None = None
    doc_no: Line | None = None
    doc_date: date | None = None
    issued_between: Annotated[tuple[date, date], Field(strict=False)] | None = None
    clause: Line
    source: Block = ""
    verified: bool
    summary_vi: Name
    summary_en: Name
    override: Override | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise PydanticCustomError("range_reversed", "valid_to lies before valid_from")
        if self.funding and sum(self.funding.values()) != 100:
            raise PydanticCustomError("funding_shares", "the funding shares do not sum to 100")
        if self.doc_no is None and not self.source:
            raise PydanticCustomError("no_source", "needs doc_no or source: a rule without an origin is an opinion")
        if self.supersedes == self.id:
            raise PydanticCustomError("supersedes_itself", "supersedes itself")
        return self

    def in_force_on(self, day: date) -> bool:
        """Whether the rule is valid on a date, both ends inclusive."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def outlived_on(self, day: date) -> bool:
        """Whether this open-ended, temporary rule began more than twelve months before `day`."""
        if self.standing or self.valid_to is not None:
            return False
        began = self.valid_from
        return (day.year - 1, day.month, day.day) > (began.year, began.month, began.day)

    def params_as(self, shape: type[Params]) -> Params:
        """The rule's parameters in the shape of its kind; raises TypeError where a caller asks for another kind's."""
        if not isinstance(self.params, shape):
            raise TypeError(f"rule {self.id} of kind {self.kind} has no {shape.__name__}")
        return self.params

    def basis(self) -> dict[str, str | None]:
        """What a line cites: `rule_id, doc_no, doc_date, clause`, and `author, reason` where a shop overrides it."""
        cited: dict[str, str | None] = {"rule_id": self.id, "doc_no": self.doc_no}
        if self.doc_date is not None:
            cited["doc_date"] = self.doc_date.isoformat()
        cited["clause"] = self.clause
        if self.override is not None:
            cited |= {"author": self.override.author, "reason": self.override.reason}
        return cited

    def with_override(self, override: Override) -> Rule:
        """This rule with a shop's own parameters laid over its own; raises pydantic's error where they do not fit."""
        own = self.params.model_dump(mode="json", by_alias=True)
        params = type(self.params).model_validate_json(json.dumps({**own, **override.params}))
        return self.model_copy(update={"params": params, "override": override})


class Example(Shape):
    """A worked example carried by a policy file: one request, and what promise and quote must say about it.

    A test recomputes each. `body` lays further parts over the least a request must say; `promise` and `quote` hold the
    keys to compare, as docs/api.md names them.
    """

    case: Name
    province_code: ProvinceCode | None
    kind: Literal["pickup", "return", "two_way"]
    zone: Zone
    at: Instant
    weight_g: Annotated[int, Field(ge=1)] = 80
    state_fee: Annotated[int, Field(ge=1)] | None = None
    body: dict[str, Any] = {}
    promise: dict[str, Any] = {}
    quote: dict[str, Any] = {}


@dataclass(frozen=True)
class PolicyBook:
    """Everything the files under `dispatch/policies` say, read once. `version` is a digest of their bytes."""

    version: str
    rules: tuple[Rule, ...]
    tariffs: Mapping[str, Tariff]
    calendars: Mapping[str, Calendar]
    holidays: PublicHolidays
    examples: tuple[Example, ...] = ()
    overrides: tuple[Override, ...] = ()

    @cached_property
    def _by_place(self) -> Mapping[tuple[str | None, str], tuple[Rule, ...]]:
        found: dict[tuple[str | None, str], list[Rule]] = defaultdict(list)
        for rule in self.rules:
            found[rule.province_code, rule.kind].append(rule)
        return {key: tuple(rules) for key, rules in found.items()}

    @cached_property
    def _by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    @cached_property
    def _successors(self) -> Mapping[str, tuple[Rule, ...]]:
        found: dict[str, list[Rule]] = defaultdict(list)
        for rule in self.rules:
            if rule.supersedes is not None:
                found[rule.supersedes].append(rule)
        return {rule_id: tuple(rules) for rule_id, rules in found.items()}

    @cached_property
    def _known(self) -> dict[tuple[str, str | None, int], tuple[Rule, ...]]:
        return {}

    @cached_property
    def _learned(self) -> tuple[datetime, ...]:
        return tuple(sorted({rule.recorded_at for rule in self.rules}))

    def learned_between(self, after: datetime, until: datetime) -> bool:
        """Whether any rule was recorded after one instant and up to another."""
        found = bisect_right(self._learned, after)
        return found < len(self._learned) and self._learned[found] <= until

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of this id, or None where this book has none (an older book priced the request)."""
        return self._by_id.get(rule_id)

    def known(self, kind: str, province_code: str | None, known_at: datetime) -> tuple[Rule, ...]:
        """A province's own rules of a kind recorded by `known_at` and not superseded by then; None = the default's."""
        # Between two instants at which something was recorded the answer is the same: it is looked for once.
        key = kind, province_code, bisect_right(self._learned, known_at)
        if key not in self._known:
            self._known[key] = tuple(
                rule
                for rule in self._by_place.get((province_code, kind), ())
                if rule.recorded_at <= known_at
                and not any(successor.recorded_at <= known_at for successor in self._successors.get(rule.id, ()))
            )
        return self._known[key]

    def applying(
        self, kind: str, province_code: str | None, *, at: datetime, known_at: datetime, body: QuoteBody, leg: Leg
    ) -> tuple[Rule, ...]:
        """The rules of a kind in force on the local date of `at`, known by `known_at`, whose scope this leg meets.

        A province's own rules come first; only where none applies do the default's.
        """
        day = local_date(at)
        for place in (province_code, None):
            found = tuple(
                self.here(rule, day)
                for rule in self.known(kind, place, known_at)
                if rule.in_force_on(day) and rule.scope.matches(body, leg)
            )
            if found or place is None:
                return found
        return ()

    def here(self, rule: Rule, day: date) -> Rule:
        """A rule as it holds on a date in this book: with the override in force on it, the latest begun first."""
        found = [
            override
            for override in self.overrides
            if override.rule_id == rule.id
            and override.valid_from <= day
            and (override.valid_to is None or day <= override.valid_to)
            and _fits(rule, override)
        ]
        return rule.with_override(max(found, key=lambda override: override.valid_from)) if found else rule


def _fits(rule: Rule, override: Override) -> bool:
    """Whether an override speaks of this rule's parameters; one id may name rules of two kinds."""
    return override.params.keys() <= {field.alias or name for name, field in type(rule.params).model_fields.items()}
