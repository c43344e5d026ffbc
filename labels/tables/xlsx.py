"""Writes a table as an Excel workbook with XlsxWriter: one sheet with the figures, one with the words about them.

Texts are always written as texts, so nothing a citizen typed is ever run as a formula. The same table always gives the
same bytes: no clock.
"""

import io
from datetime import UTC, date, datetime

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from labels.table import Cell, CellKind, Table, TableColumn
from labels.wording import VIETNAM_TIME

NAME = "xlsx"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_NUMBER_FORMATS: dict[CellKind, str] = {
    "text": "General",
    "number": "#,##0",
    "money": "#,##0",
    "date": "dd/mm/yyyy",
    "instant": "hh:mm dd/mm/yyyy",
}
_WIDTHS: dict[CellKind, int] = {"text": 16, "number": 10, "money": 13, "date": 12, "instant": 17}
_WIDEST_TEXT = 44
_A4 = 9
_NO_CLOCK = datetime(2020, 1, 1, tzinfo=UTC)


def write(table: Table) -> bytes:
    """Return the workbook."""
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": table.title_vi, "author": "Bưu chính công ích", "created": _NO_CLOCK})
        _figures(book, table)
        _words(book, table)
    return buffer.getvalue()


def _figures(book: Workbook, table: Table) -> None:
    sheet = book.add_worksheet("Số liệu")
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 2, "bg_color": "#EEEEEE"})
    plain = _formats(book, bold=False)
    for number, column in enumerate(table.columns):
        sheet.write_string(0, number, f"{column.title_vi}\n{column.title_en}", head)
        sheet.set_column(number, number, _width(table, number, column))
    for row_number, row in enumerate(table.rows, 1):
        _write_row(sheet, row_number, row, table, plain)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    if table.totals:
        _write_row(sheet, len(table.rows) + 1, table.totals, table, _formats(book, bold=True))
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RTrang &P/&N")


def _words(book: Workbook, table: Table) -> None:
    sheet = book.add_worksheet("Thuyết minh")
    sheet.set_column(0, 0, 110)
    bold, wrapped = book.add_format({"bold": True, "font_size": 14}), book.add_format({"text_wrap": True})
    lines = [(table.title_vi, bold), (table.title_en, wrapped)]
    lines += [(table.stamp, book.add_format({"bold": True}))] if table.stamp else []
    lines += [(line, wrapped) for line in table.subtitles]
    lines += [(text, wrapped) for note in table.notes for text in note]
    for number, (text, style) in enumerate(lines):
        sheet.write_string(number, 0, text, style)


def _formats(book: Workbook, *, bold: bool) -> dict[CellKind, Format]:
    shape = {"bold": True, "top": 1} if bold else {}
    return {kind: book.add_format({"num_format": text, **shape}) for kind, text in _NUMBER_FORMATS.items()}


def _write_row(
    sheet: Worksheet, number: int, row: tuple[Cell, ...], table: Table, formats: dict[CellKind, Format]
) -> None:
    for place, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
        style = formats[column.kind]
        if cell is None:
            sheet.write_blank(number, place, None, style)
        elif isinstance(cell, str):
            sheet.write_string(number, place, cell, formats["text"])
        elif isinstance(cell, datetime):
            # Excel knows no time zones: the cell holds the Vietnamese clock time.
            sheet.write_datetime(number, place, cell.astimezone(VIETNAM_TIME).replace(tzinfo=None), style)
        elif isinstance(cell, date):
            sheet.write_datetime(number, place, cell, style)
        else:
            sheet.write_number(number, place, cell, formats["text"] if isinstance(cell, float) else style)


def _width(table: Table, number: int, column: TableColumn) -> int:
    longest = max(len(word) for title in (column.title_vi, column.title_en) for word in title.split() or [""])
    if column.kind != "text":
        return max(_WIDTHS[column.kind], longest + 2)
    cells = (row[number] for row in table.rows[:500])
    said = max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
    return min(max(longest + 2, said + 1), _WIDEST_TEXT)
