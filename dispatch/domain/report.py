"""What a report is: who asked for what, and the figures with their definition; pure, and free of any file format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Literal

from dispatch.domain.consignment import Leg
from dispatch.domain.errors import Invalid, invalid
from dispatch.domain.text import LOCAL, local_text

MAX_LINES = 50_000
"""How many lines a report may have; more is asked for in shorter periods."""

ZONE_WORDS = {
    "INTRA_DISTRICT": "nội huyện",
    "INTER_DISTRICT": "liên huyện",
    "SAME_REGION": "nội vùng",
    "INTER_REGION": "cách vùng",
}
"""Tariff zones as paper says them."""

ColumnKind = Literal["text", "number", "money", "date", "instant"]
Row = dict[str, Any]
"""One line of figures by name; values are JSON-able, or dates, or aware instants."""


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in Vietnamese and in English."""

    vi: str
    en: str

    def of(self, lang: str) -> str:
        """The sentence in one language."""
        return self.en if lang == "en" else self.vi


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the printed table: a value of the row by its dotted path, and its title.

    `personal` marks a citizen's name, which paper shows shortened. `said` gives the Vietnamese word of a code value.
    """

    key: str
    vi: str
    en: str
    kind: ColumnKind = "text"
    personal: bool = False
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted: `first` to `last` are local dates, both inclusive; `province` narrows it; `now` is the instant.

    `percent` and `leg` belong to the price proposal.
    """

    mode: str
    first: date
    last: date
    province: str | None
    now: datetime
    percent: int = 30
    leg: Leg = "return"

    @property
    def begins_at(self) -> datetime:
        """The first instant of the period."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=LOCAL)

    @property
    def ends_at(self) -> datetime:
        """The first instant after the period."""
        return datetime(self.last.year, self.last.month, self.last.day, tzinfo=LOCAL) + timedelta(days=1)

    def covers(self, at: datetime) -> bool:
        """Whether an instant lies in the period."""
        return self.begins_at <= at < self.ends_at


@dataclass(frozen=True)
class Report:
    """The figures of one period.

    `rows` and `totals` are what a program reads, `facts` stand beside them. `columns` say what a printed table shows of
    each of `lines` (where a table lists something finer than the rows) or else of each row. `summary` stands above the
    figures, `definition` says exactly what was counted; `stamp` is what nobody may overlook.
    """

    definition: Words
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    totals: Row
    facts: Row = field(default_factory=dict)
    lines: Sequence[Row] | None = None
    summary: tuple[Words, ...] = ()
    stamp: Words | None = None

    @property
    def listed(self) -> Sequence[Row]:
        """The lines of the printed table."""
        return self.rows if self.lines is None else self.lines


def at_path(row: Mapping[str, Any], key: str) -> Any:
    """The value under a dotted path such as `by_channel.ONLINE.sent`; None where there is nothing."""
    value: Any = row
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def plain(value: Any) -> Any:
    """A value as JSON shows it: instants in +07:00, dates in ISO 8601."""
    if isinstance(value, datetime):
        return local_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def capped(rows: Iterable[Any], limit: int = MAX_LINES) -> list[Any]:
    """The rows as a list; raises `Invalid` (`report_too_large`) instead of holding more than `limit` of them."""
    held = list(islice(rows, limit + 1))
    if len(held) > limit:
        raise too_large(limit)
    return held


def too_large(limit: int) -> Invalid:
    """The refusal of a report with more lines than can be answered at once."""
    return invalid(
        "/from",
        "report_too_large",
        f"Báo cáo có hơn {limit} dòng; hãy thu hẹp kỳ hoặc chọn một tỉnh.",
        f"The report has more than {limit} lines; narrow the period or name a province.",
    )
