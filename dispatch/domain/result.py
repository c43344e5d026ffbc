"""The result of a dossier: when the authority owes it, and by which way it goes back to the citizen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from dispatch.domain.consignment import QuoteBody
from dispatch.domain.rules import PolicyBook, Rule
from dispatch.domain.text import Shape

ReturnMode = Literal["BCCI", "ELECTRONIC", "BOTH", "COUNTER"]


class PauseParams(Shape):
    """A `CLOCK_PAUSE` rule has no parameters: the days it is valid are the days the authority's clock stands."""


def authority_due_on(
    book: PolicyBook, body: QuoteBody, *, province_code: str | None, known_at: datetime
) -> date | None:
    """The date the authority owes the result: working days after `accepted_on`, paused days not counted.

    None without `accepted_on` or `processing_working_days`. `province_code` is the shop's of 2020. The post's own
    promise never pauses here (2964/UBND-KSTT 1/4/2020 §4 stops the authority's time alone).
    """
    dossier = body.dossier
    if dossier.accepted_on is None or dossier.processing_working_days is None:
        return None
    paused: set[date] = set()
    for place in {province_code, None}:
        for rule in book.known("CLOCK_PAUSE", place, known_at):
            if rule.valid_to is not None and rule.scope.matches(body, body.legs[-1]):
                length = (rule.valid_to - rule.valid_from).days + 1
                paused.update(rule.valid_from + timedelta(days=ahead) for ahead in range(length))
    return book.holidays.add_working_days(dossier.accepted_on, dossier.processing_working_days, paused)


class ReturnModeParams(Shape):
    """Parameters of `RETURN_MODE`: what the province returns by where neither the citizen nor the result decides."""

    first: Literal["BCCI", "ELECTRONIC"]


def return_rule(book: PolicyBook, body: QuoteBody, *, province_code: str | None, at: datetime) -> Rule | None:
    """The rule on how results go back at an instant; of several in a province the latest document wins."""
    rules = book.applying("RETURN_MODE", province_code, at=at, known_at=at, body=body, leg="return")
    return max(rules, key=lambda rule: (rule.doc_date or date.min, rule.valid_from), default=None)


def return_mode(body: QuoteBody, rule: Rule | None) -> ReturnMode:
    """How the result goes back: by post unless the citizen, the result or the province's rule says otherwise.

    A counter return needs its exception code (905/UBND-PVHCC 30/3/2020 §2.1). A result that exists only
    electronically, or a signed one the citizen wants electronically, needs no carriage; the original stays the
    citizen's to ask for (QĐ 45/2016/QĐ-TTg art 8-9). Where the province returns electronically first
    (1033/UBND-PVHCC 8/4/2020 §1), a signed result goes by e-mail, a handwritten one by both ways; originals, things,
    and people without e-mail are served by post.
    """
    dossier, has_email = body.dossier, body.citizen.email is not None
    if body.return_exception is not None:
        return "COUNTER"
    if rule is not None and rule.params_as(ReturnModeParams).first == "ELECTRONIC":
        return _electronic_first(body, has_email)
    if body.citizen_choice == "PAPER" or dossier.result_form == "OBJECT":
        return "BCCI"
    if dossier.result_form == "ELECTRONIC":
        return "ELECTRONIC"
    if body.citizen_choice == "ELECTRONIC" and dossier.digitally_signed:
        return "ELECTRONIC"
    return "BCCI"


def _electronic_first(body: QuoteBody, has_email: bool) -> ReturnMode:
    dossier = body.dossier
    if dossier.result_form == "OBJECT":
        return "BCCI"
    if dossier.result_form == "HANDWRITTEN":
        # The scan goes by e-mail; the original stays the citizen's, who may want it (QĐ 45/2016/QĐ-TTg art 8.3).
        if not has_email:
            return "BCCI"
        return "ELECTRONIC" if body.citizen_choice == "ELECTRONIC" else "BOTH"
    if body.citizen_choice == "PAPER" or not has_email:
        return "BCCI"
    signed = dossier.digitally_signed or dossier.result_form == "ELECTRONIC"
    return "ELECTRONIC" if signed or body.citizen_choice == "ELECTRONIC" else "BCCI"


class HintParams(Shape):
    """Parameters of `CHANNEL` and `PAPER`: the warning an officer gets; the post refuses nobody for it.

    Law 49/2010/QH12 art 33.10: the post may not refuse.
    """

    warning: Literal["channel_not_allowed", "needs_email", "no_pickup_needed", "no_paper_needed", "policy_warning"]


def hints(book: PolicyBook, body: QuoteBody, *, province_code: str | None, at: datetime) -> list[tuple[Rule, str]]:
    """The rules on channels and paper that this request runs against at an instant, with the warning of each."""
    found: dict[str, Rule] = {}
    for kind in ("CHANNEL", "PAPER"):
        for leg in body.legs:
            for rule in book.applying(kind, province_code, at=at, known_at=at, body=body, leg=leg):
                found.setdefault(rule.params_as(HintParams).warning, rule)
    return [(rule, warning) for warning, rule in found.items()]


class ReportDutyParams(Shape):
    """Parameters of `REPORT_DUTY`: which report, for which closed period or how often, to whom and by when."""

    report: str
    recipient: str
    period_from: date | None = None
    period_to: date | None = None
    every: Literal["MONTH", "QUARTER", "HALF_YEAR", "YEAR"] | None = None
    due_before: date | None = None
    due_day_of_next_period: int | None = None


class SafetyParams(Shape):
    """Parameters of `SAFETY`: what a courier ticks before going to such a shop."""

    items: Annotated[tuple[Literal["mask", "sanitiser"], ...], Field(strict=False, min_length=1)]
