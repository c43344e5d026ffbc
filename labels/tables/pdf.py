"""Lays a table out on A4 pages, upright where it fits, and lets the PDF writer draw them.

Titles Vietnamese first, the head repeated on every page, page n of m, totals, and the definitions below the figures.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache

from labels import wording
from labels.errors import LabelError
from labels.layout import Box, Column, Drawing, Item, Rectangle, drop_mm, place, rise_mm, shift, wrap
from labels.table import Cell, CellKind, Table
from labels.text import replace_missing
from labels.writers import pdf as paper

NAME = "pdf"
MEDIA_TYPE = paper.MEDIA_TYPE

A4_MM = (210.0, 297.0)
_MARGIN_MM = 12.0
_FOOT_MM = 6.0
_FOOT_PT = 6.5
_GAP_MM = 2.2
_SIZES_PT = (8.0, 7.0, 6.0)
_ENGLISH = 0.8
_LIGHT_MM, _HEAVY_MM = 0.06, 0.3
_LONGEST_WORD_MM = 44.0
# The tallest letter: so that the baselines of a row agree whatever stands in it.
_TALLEST = "Ẩ"
_covers = lru_cache(maxsize=4096)(paper.covers)


@dataclass(frozen=True)
class _Set:
    """One set line of a cell."""

    text: str
    size_pt: float
    bold: bool = False


@dataclass(frozen=True)
class _Grid:
    """The chosen page and columns: left edges and widths in millimetres, body size in points."""

    page_mm: tuple[float, float]
    lefts_mm: tuple[float, ...]
    widths_mm: tuple[float, ...]
    kinds: tuple[CellKind, ...]
    size_pt: float

    @property
    def bottom_mm(self) -> float:
        """Where the figures must end."""
        return self.page_mm[1] - _MARGIN_MM - _FOOT_MM

    @property
    def width_mm(self) -> float:
        """Between the margins."""
        return self.page_mm[0] - 2 * _MARGIN_MM


def write(table: Table) -> bytes:
    """Return the PDF; raise does_not_fit where a single row is taller than a page."""
    kinds = [column.kind for column in table.columns]
    rows = [[_said(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in table.rows]
    totals = [_said(cell, kind) for cell, kind in zip(table.totals, kinds, strict=True)] if table.totals else []
    figures = [text if kind != "text" else "" for text, kind in zip(totals, kinds, strict=True)] if totals else []
    grid = _grid(table, [*rows, figures] if totals else rows)
    pages = _Pages(grid, _head(table, grid))
    pages.begin(_opening(table, grid))
    for row in rows:
        pages.row(_cells(row, grid.widths_mm, grid.size_pt, bold=False), _LIGHT_MM)
    if not rows:
        pages.block(_words(grid, "Không có dòng nào trong kỳ này.", "There is nothing in this period."))
    if totals:
        pages.row(_cells(totals, _spilling(totals, grid), grid.size_pt, bold=True), _HEAVY_MM)
    for vi, en in table.notes:
        pages.block(_words(grid, vi, en))
    return paper.write(list(pages.finished(table.title_vi)), table.title_vi)


class _Pages:
    """Pages that fill from the top; each page of figures begins with the head."""

    def __init__(self, grid: _Grid, head: Sequence[Sequence[_Set]]) -> None:
        self.grid, self.head = grid, head
        self.pages: list[list[Item]] = []
        self.y_mm = 0.0

    def begin(self, opening: Column | None = None) -> None:
        """Start a page: what stands on top of it, then the head."""
        self.pages.append(list(opening.items) if opening else [])
        self.y_mm = opening.y_mm + 3 if opening else _MARGIN_MM
        self._put(self.head, _HEAVY_MM)

    def row(self, cells: Sequence[Sequence[_Set]], rule_mm: float) -> None:
        """Set one row under a rule, on a new page where this one is full."""
        height_mm = _height_mm(cells)
        if self.y_mm + height_mm > self.grid.bottom_mm:
            if _MARGIN_MM + _height_mm(self.head) + height_mm > self.grid.bottom_mm:
                raise LabelError("does_not_fit", "A row of the table is taller than a page.")
            self.begin()
        self._put(cells, rule_mm)

    def block(self, words: Column) -> None:
        """Set running text below the figures."""
        if self.y_mm + words.y_mm > self.grid.bottom_mm:
            self.pages.append([])
            self.y_mm = _MARGIN_MM
        self.pages[-1] += shift(words.items, self.y_mm)
        self.y_mm += words.y_mm

    def finished(self, title: str) -> Iterator[Drawing]:
        """The pages with their feet."""
        width_mm, height_mm = self.grid.page_mm
        for number, items in enumerate(self.pages, 1):
            said = f"Trang {number}/{len(self.pages)} · Page {number}/{len(self.pages)}"
            y_mm = height_mm - _MARGIN_MM
            left = place(_printable(title), _MARGIN_MM, y_mm, _FOOT_PT, paper.measure)
            right = place(said, width_mm - _MARGIN_MM, y_mm, _FOOT_PT, paper.measure, align="right")
            yield Drawing(width_mm, height_mm, (*items, left, right))

    def _put(self, cells: Sequence[Sequence[_Set]], rule_mm: float) -> None:
        grid, page = self.grid, self.pages[-1]
        page.append(Rectangle(Box(_MARGIN_MM, self.y_mm, grid.width_mm, rule_mm)))
        for lines, kind, left_mm, width_mm in zip(cells, grid.kinds, grid.lefts_mm, grid.widths_mm, strict=True):
            y_mm = self.y_mm + 0.6
            for line in lines:
                baseline_mm = y_mm + rise_mm(_TALLEST, line.size_pt)
                text = place(line.text, left_mm, baseline_mm, line.size_pt, paper.measure, bold=line.bold)
                if kind in ("number", "money"):
                    text = replace(text, x_mm=left_mm + width_mm - text.width_mm)
                page.append(text)
                y_mm += _line_mm(line.size_pt)
        self.y_mm += _height_mm(cells)


def _height_mm(cells: Sequence[Sequence[_Set]]) -> float:
    return max((sum(_line_mm(line.size_pt) for line in lines) for lines in cells), default=0.0) + 1.0


def _line_mm(size_pt: float) -> float:
    return rise_mm(_TALLEST, size_pt) + drop_mm(size_pt) * 0.6


def _cells(row: Sequence[str], widths_mm: Sequence[float], size_pt: float, *, bold: bool) -> list[list[_Set]]:
    return [
        [_Set(line, size_pt, bold) for line in _lines(text, width_mm, size_pt, bold)]
        for text, width_mm in zip(row, widths_mm, strict=True)
    ]


def _spilling(row: Sequence[str], grid: _Grid) -> list[float]:
    """The widths for a row whose words may run on over the empty cells to their right."""
    widths = list(grid.widths_mm)
    for number, text in enumerate(row):
        if text and grid.kinds[number] == "text":
            following = range(number + 1, len(row))
            taken = next((place for place in following if row[place]), len(row))
            end_mm = grid.lefts_mm[taken] - _GAP_MM if taken < len(row) else grid.page_mm[0] - _MARGIN_MM
            widths[number] = end_mm - grid.lefts_mm[number]
    return widths


def _lines(text: str, width_mm: float, size_pt: float, bold: bool) -> list[str]:
    if paper.measure(text, size_pt, bold) <= width_mm:
        return [text] if text else []
    return wrap(text, width_mm, size_pt, paper.measure, bold=bold)


def _head(table: Table, grid: _Grid) -> list[list[_Set]]:
    small_pt = grid.size_pt * _ENGLISH
    return [
        [_Set(line, grid.size_pt, True) for line in _lines(_printable(column.title_vi), width_mm, grid.size_pt, True)]
        + [_Set(line, small_pt) for line in _lines(_printable(column.title_en), width_mm, small_pt, False)]
        for column, width_mm in zip(table.columns, grid.widths_mm, strict=True)
    ]


def _opening(table: Table, grid: _Grid) -> Column:
    top = Column(_MARGIN_MM, _MARGIN_MM, grid.width_mm, paper.measure)
    if table.stamp:
        top.write_framed(_printable(table.stamp), 9)
        top.gap(2)
    top.write(_printable(table.title_vi), 13, bold=True)
    top.write(_printable(table.title_en), 8.5)
    top.gap(1)
    for line in table.subtitles:
        top.write(_printable(line), 8)
    return top


def _words(grid: _Grid, vi: str, en: str) -> Column:
    words = Column(_MARGIN_MM, 0, grid.width_mm, paper.measure)
    words.gap(3)
    words.write(_printable(vi), 8)
    words.write(_printable(en), 7)
    return words


def _grid(table: Table, texts: Sequence[Sequence[str]]) -> _Grid:
    """Choose page and widths: upright if every cell fits on one line, else across, texts wrapped, type made smaller."""
    kinds = tuple(column.kind for column in table.columns)
    widths = _widths(table, texts)
    gaps_mm = _GAP_MM * (len(kinds) - 1)
    upright_mm, across_mm = (side - 2 * _MARGIN_MM - gaps_mm for side in A4_MM)
    for size_pt in _SIZES_PT:
        whole = [one * size_pt for one, _ in widths]
        least = [two * size_pt for _, two in widths]
        if sum(whole) <= upright_mm:
            return _placed(A4_MM, _stretched(whole, upright_mm), kinds, size_pt)
        if sum(least) <= across_mm:
            break
    return _placed((A4_MM[1], A4_MM[0]), _shared(whole, least, across_mm), kinds, size_pt)


def _widths(table: Table, texts: Sequence[Sequence[str]]) -> list[tuple[float, float]]:
    """For each column, per point of type size: the width on one line, and the least it can do with when wrapped."""
    found = []
    for number, column in enumerate(table.columns):
        cells = {row[number] for row in texts}
        whole = max((paper.measure(cell, 1, True) for cell in cells), default=0.0)
        head = max(
            *(paper.measure(word, 1, True) for word in _words_of([column.title_vi])),
            *(paper.measure(word, _ENGLISH, False) for word in _words_of([column.title_en])),
            0.0,
        )
        least = whole
        if column.kind == "text":
            longest = max((paper.measure(word, 1, True) for word in _words_of(cells)), default=0.0)
            least = min(longest, _LONGEST_WORD_MM / _SIZES_PT[0])
        found.append((max(whole, head), max(least, head)))
    return found


def _words_of(texts: Iterable[str]) -> list[str]:
    return [_printable(word) for text in texts for word in text.split()]


def _stretched(widths_mm: Sequence[float], room_mm: float) -> list[float]:
    factor = room_mm / sum(widths_mm) if sum(widths_mm) else 1.0
    return [width * factor for width in widths_mm]


def _shared(whole_mm: Sequence[float], least_mm: Sequence[float], room_mm: float) -> list[float]:
    """Give every column its least, and what is left to those that would like more."""
    if sum(whole_mm) <= room_mm:
        return _stretched(whole_mm, room_mm)
    left_mm = room_mm - sum(least_mm)
    if left_mm < 0:
        return _stretched(least_mm, room_mm)
    wanted_mm = sum(whole_mm) - sum(least_mm)
    return [low + left_mm * (high - low) / wanted_mm for high, low in zip(whole_mm, least_mm, strict=True)]


def _placed(
    page_mm: tuple[float, float], widths_mm: Sequence[float], kinds: tuple[CellKind, ...], size_pt: float
) -> _Grid:
    lefts, x_mm = [], _MARGIN_MM
    for width_mm in widths_mm:
        lefts.append(x_mm)
        x_mm += width_mm + _GAP_MM
    return _Grid(page_mm, tuple(lefts), tuple(widths_mm), kinds, size_pt)


def _said(cell: Cell, kind: CellKind) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return _printable(cell)
    if isinstance(cell, datetime):
        return wording.clock_and_full_day(cell)
    if isinstance(cell, date):
        return wording.plain_day(cell)
    return wording.dong(cell) if kind == "money" and isinstance(cell, int) else wording.number(cell)


def _printable(text: str) -> str:
    return replace_missing(text, _covers)
