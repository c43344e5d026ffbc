"""What a printed table says, free of paper and file formats: columns, rows, totals, and the words around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from labels.errors import LabelError
from labels.text import tidy

CellKind = Literal["text", "number", "money", "date", "instant"]
Cell = str | int | float | date | datetime | None

KINDS: tuple[CellKind, ...] = get_args(CellKind)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column. `key` names it to machines, the titles to people; `kind` decides how its cells are written.

    `number` cells are int or float, `money` whole đồng, `date` dates, `instant` aware instants; any may be None.
    """

    key: str
    title_vi: str
    title_en: str
    kind: CellKind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its title, the lines below the title, and the notes below the figures (Vietnamese, English).

    `totals` has one cell per column, or is empty. `stamp` is set in a frame before everything, for what nobody may
    overlook. Texts are tidied when the table is made. Errors: table_shape, naive_instant.
    """

    title_vi: str
    title_en: str
    columns: tuple[TableColumn, ...]
    rows: Sequence[tuple[Cell, ...]]
    totals: tuple[Cell, ...] = ()
    subtitles: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    stamp: str = ""

    def __post_init__(self) -> None:
        if not self.columns or any(column.kind not in KINDS for column in self.columns):
            raise LabelError("table_shape", "A table needs columns of known kinds.")
        object.__setattr__(self, "rows", [self._checked(row) for row in self.rows])
        if self.totals:
            object.__setattr__(self, "totals", self._checked(self.totals, totals=True))
        object.__setattr__(self, "subtitles", tuple(tidy(line) for line in self.subtitles))
        object.__setattr__(self, "notes", tuple((tidy(vi), tidy(en)) for vi, en in self.notes))

    def _checked(self, row: tuple[Cell, ...], *, totals: bool = False) -> tuple[Cell, ...]:
        if len(row) != len(self.columns):
            raise LabelError("table_shape", f"A row has {len(row)} cells under {len(self.columns)} columns.")
        return tuple(_cell(cell, column, spoken=totals) for cell, column in zip(row, self.columns, strict=True))


def _cell(cell: Cell, column: TableColumn, *, spoken: bool) -> Cell:
    """The cell, tidied; a row of totals may say words (`spoken`) under a column of any kind."""
    if cell is None:
        return None
    if isinstance(cell, str):
        if column.kind == "text" or spoken:
            return tidy(cell)
    elif isinstance(cell, datetime):
        if cell.utcoffset() is None:
            raise LabelError("naive_instant", f"An instant under {column.key} has no time zone.")
        if column.kind == "instant":
            return cell
    elif isinstance(cell, date):
        if column.kind == "date":
            return cell
    elif column.kind == "number" or (column.kind == "money" and isinstance(cell, int)):
        return cell
    raise LabelError("table_shape", f"A cell under {column.key} is no {column.kind}.")
