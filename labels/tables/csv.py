"""Writes a table as CSV (RFC 4180): UTF-8 with the mark Excel knows it by, one line of column keys, then the rows.

It is the file for machines: no title, no totals, dates and instants in ISO 8601, money as whole numbers.
"""

import csv
import io
from datetime import datetime

from labels.table import Cell, Table
from labels.wording import VIETNAM_TIME

NAME = "csv"
MEDIA_TYPE = "text/csv; charset=utf-8"

# A spreadsheet reads a cell that begins so as a formula and runs it; the full-width signs are read as the plain ones.
_FORMULA_STARTS = tuple("=+-@\t\r\0＝＋－＠")


def write(table: Table) -> bytes:
    """Return the file; a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(column.key for column in table.columns)
    for row in table.rows:
        writer.writerow(_text(cell) for cell in row)
    return buffer.getvalue().encode("utf-8-sig")


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
    if isinstance(cell, datetime):
        return cell.astimezone(VIETNAM_TIME).isoformat()
    return str(cell) if isinstance(cell, int | float) else cell.isoformat()
