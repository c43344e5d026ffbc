"""The reports: each file of this folder is one, found by its NAME; and how a report becomes JSON or a printed table.

A report's file reads its rows (`read`) and makes the figures of them (`make`, pure).
"""

from __future__ import annotations

import importlib
import pkgutil
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from dispatch.domain.errors import NotFound
from dispatch.domain.outward import masked_name
from dispatch.domain.report import MAX_LINES, Asked, Column, Report, Row, Words, at_path, plain, too_large
from labels import Table, TableColumn, wording
from labels.table import Cell

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

MAX_PRINTED_LINES = 3_000
"""How many lines a PDF may have: some 150 pages, some seconds of work."""
PAPER = "pdf"


class ReportFile(Protocol):
    """A module of this folder. `OPTIONS` names the query keys it knows besides the period and the province."""

    NAME: str
    TITLE: Words
    OPTIONS: frozenset[str]

    def read(self, session: Session, scene: Scene, places: Index, asked: Asked) -> Any:
        """Read what the figures are made of."""

    def make(self, asked: Asked, found: Any) -> Report:
        """Make the figures; pure."""


def names() -> tuple[str, ...]:
    """The names of all reports."""
    return tuple(sorted(_files()))


def find(name: str) -> ReportFile:
    """The report of this name; raises `NotFound`."""
    known = _files()
    if name not in known:
        raise NotFound(
            code="not_found",
            vi=f"Không có báo cáo này; có: {', '.join(sorted(known))}.",
            en=f"There is no such report; there are: {', '.join(sorted(known))}.",
        )
    return known[name]


def build(session: Session, scene: Scene, places: Index, name: str, asked: Asked, limit: int = MAX_LINES) -> Report:
    """The report of this name; raises `NotFound`, and `Invalid` (`report_too_large`) above `limit` lines."""
    file = find(name)
    report = file.make(asked, file.read(session, scene, places, asked))
    if len(report.listed) > limit:
        raise too_large(limit)
    return report


def as_json(report: Report, name: str, asked: Asked, lang: str) -> dict[str, Any]:
    """The report as docs/api.md shows it."""
    shown: Row = {
        "report": name,
        "from": asked.first,
        "to": asked.last,
        "province": asked.province,
        "definition": report.definition.of(lang),
        "rows": report.rows,
        "totals": report.totals,
        **report.facts,
    }
    return cast(dict[str, Any], plain(shown))


def province_name(places: Index, asked: Asked) -> str:
    """How the province asked for is called on the map of the period's first day, or of its last; empty without one."""
    found = (places.gazetteer.communes_of(asked.province, day) for day in (asked.first, asked.last) if asked.province)
    return next((communes[0].province_name for communes in found if communes), asked.province or "")


def as_table(report: Report, name: str, asked: Asked, writer: str, place: str = "") -> Table:
    """The report as a table to be written; on paper names are shortened and codes are said in words.

    `place` is the name of the province, empty for the whole country.
    """
    title, paper = find(name).TITLE, writer == PAPER
    province = f" · {place}" if place else ""
    period = f"Kỳ / Period {wording.plain_day(asked.first)}–{wording.plain_day(asked.last)}{province}"
    made = f"Lập lúc / Made at {wording.clock_and_full_day(asked.now)}"
    notes = [(f"Cách tính: {report.definition.vi}", f"Definition: {report.definition.en}")]
    if paper and any(column.personal for column in report.columns):
        notes.append(
            (
                "Bản in rút gọn họ tên người dân; tệp xlsx, csv có đủ họ tên.",
                "On paper citizens' names are shortened; the xlsx and csv files have them in full.",
            )
        )
    return Table(
        title_vi=title.vi,
        title_en=title.en,
        columns=tuple(TableColumn(column.key, column.vi, column.en, column.kind) for column in report.columns),
        rows=[tuple(_cell(row, column, paper=paper) for column in report.columns) for row in report.listed],
        totals=_totals(report) if report.listed else (),
        subtitles=(period, made, *(f"{words.vi} · {words.en}" for words in report.summary)),
        notes=tuple(notes),
        stamp=f"{report.stamp.vi} · {report.stamp.en}" if report.stamp else "",
    )


def _cell(row: Row, column: Column, *, paper: bool) -> Cell:
    value = at_path(row, column.key)
    if isinstance(value, bool):
        return "có" if value else "không"
    if paper and isinstance(value, str):
        return masked_name(value) if column.personal else column.said.get(value, value)
    return cast(Cell, value)


def _totals(report: Report) -> tuple[Cell, ...]:
    """The totals under their columns; the first column without one says how many lines there are."""
    cells: list[Cell] = [
        None if column.kind == "text" else _figure(at_path(report.totals, column.key)) for column in report.columns
    ]
    free = next((number for number, cell in enumerate(cells) if cell is None), None)
    if free is not None:
        cells[free] = f"Tổng cộng / Total ({len(report.listed)})"
    return tuple(cells)


def _figure(value: Any) -> Cell:
    return value if isinstance(value, int | float | datetime) and not isinstance(value, bool) else None


@cache
def _files() -> dict[str, ReportFile]:
    found: dict[str, ReportFile] = {}
    for entry in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{entry.name}")
        if module.NAME in found:
            raise ImportError(f"two report files are named {module.NAME}")
        found[module.NAME] = cast(ReportFile, module)
    return found
