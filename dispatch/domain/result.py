"""The result of a dossier: when the authority owes it, and by which way it goes back to the citizen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from dispatch.domain.consignment import QuoteBody
from dispatch.domain.rules import PolicyBook
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


def return_mode(body: QuoteBody) -> ReturnMode:
    """How the result goes back where no rule of the province says otherwise: by post, as the citizen asked.

    A counter return needs its exception code. A result that exists only electronically, or a signed one the citizen
    wants electronically, needs no carriage; the original stays the citizen's to ask for (QĐ 45/2016/QĐ-TTg art 8-9).
    """
    dossier = body.dossier
    if body.return_exception is not None:
        return "COUNTER"
    if body.citizen_choice == "PAPER" or dossier.result_form == "OBJECT":
        return "BCCI"
    if dossier.result_form == "ELECTRONIC":
        return "ELECTRONIC"
    if body.citizen_choice == "ELECTRONIC" and dossier.digitally_signed:
        return "ELECTRONIC"
    return "BCCI"
