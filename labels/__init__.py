"""Labels: a Label in, printable bytes out; formats and writers are the files of two folders. And tables likewise: a
Table in, bytes out, its writers the files of a third.

>>> "100x150" in format_names(), "pdf" in writer_names(), "csv" in table_writer_names()
(True, True, True)
"""

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Protocol, cast

from labels.errors import CODES, LabelError
from labels.layout import Drawing, Measure
from labels.model import Document, Label, MoneyLine, Party, change_texts
from labels.table import Table, TableColumn
from labels.text import replace_missing

__all__ = [
    "CODES", "Document", "Label", "LabelError", "MoneyLine", "Party", "Table", "TableColumn",
    "format_names", "media_type", "render", "render_many", "render_table", "table_media_type", "table_writer_names",
    "writer_names",
]  # fmt: skip


class Format(Protocol):
    """A module in labels/formats: one label on one size of paper."""

    NAME: str
    SIZE_MM: tuple[float, float]

    def draw(self, label: Label, measure: Measure) -> Drawing:
        """Return the page; raise does_not_fit rather than clip."""


class Writer(Protocol):
    """A module in labels/writers: one kind of printable bytes, and the font it prints with."""

    NAME: str
    MEDIA_TYPE: str

    def measure(self, text: str, size_pt: float, bold: bool) -> float:
        """Return the width of a text in millimetres."""

    def covers(self, character: str) -> bool:
        """Say whether the font has the character."""

    def write(self, drawings: Sequence[Drawing], title: str) -> bytes:
        """Return the bytes, one page per drawing."""


class TableWriter(Protocol):
    """A module in labels/tables: one kind of bytes a table becomes."""

    NAME: str
    MEDIA_TYPE: str

    def write(self, table: Table) -> bytes:
        """Return the bytes; the same table gives the same bytes."""


def format_names() -> tuple[str, ...]:
    """Return the names of the label formats."""
    return tuple(sorted(_modules("labels.formats")))


def writer_names() -> tuple[str, ...]:
    """Return the names of the writers."""
    return tuple(sorted(_modules("labels.writers")))


def media_type(writer: str = "pdf") -> str:
    """Return the media type of what a writer writes; raise unknown_writer."""
    return _writer(writer).MEDIA_TYPE


def render(label: Label, format: str = "100x150", writer: str = "pdf") -> bytes:
    """Return one label as printable bytes; the same label gives the same bytes.

    Errors: unknown_format, unknown_writer, does_not_fit, barcode_too_small.
    """
    return render_many((label,), format, writer)


def render_many(labels: Sequence[Label], format: str = "100x150", writer: str = "pdf") -> bytes:
    """Return several labels as one document, one page each, in the given order.

    Errors: those of `render`, and no_labels for an empty sequence.
    """
    if not labels:
        raise LabelError("no_labels")
    paper, pen = _format(format), _writer(writer)
    printable = [change_texts(label, lambda text: replace_missing(text, pen.covers)) for label in labels]
    pages = [paper.draw(label, pen.measure) for label in printable]
    title = f"Nhãn {labels[0].item_id}" if len(labels) == 1 else f"{len(labels)} nhãn"
    return pen.write(pages, title)


def table_writer_names() -> tuple[str, ...]:
    """Return the names of the table writers."""
    return tuple(sorted(_modules("labels.tables")))


def table_media_type(writer: str) -> str:
    """Return the media type of what a table writer writes; raise unknown_writer."""
    return _table_writer(writer).MEDIA_TYPE


def render_table(table: Table, writer: str) -> bytes:
    """Return a table as bytes. Errors: unknown_writer, and does_not_fit where a row is taller than a page."""
    return _table_writer(writer).write(table)


def _format(name: str) -> Format:
    known = _modules("labels.formats")
    if name not in known:
        raise LabelError("unknown_format", f"No label format has this name; known: {', '.join(sorted(known))}.")
    return cast(Format, known[name])


def _writer(name: str) -> Writer:
    known = _modules("labels.writers")
    if name not in known:
        raise LabelError("unknown_writer", f"No label writer has this name; known: {', '.join(sorted(known))}.")
    return cast(Writer, known[name])


def _table_writer(name: str) -> TableWriter:
    known = _modules("labels.tables")
    if name not in known:
        raise LabelError("unknown_writer", f"No table writer has this name; known: {', '.join(sorted(known))}.")
    return cast(TableWriter, known[name])


@cache
def _modules(package: str) -> dict[str, ModuleType]:
    """Return the modules of a folder by their NAME: the folder is the registry."""
    found: dict[str, ModuleType] = {}
    for entry in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{entry.name}")
        if module.NAME in found:
            raise ImportError(f"{module.__name__} and {found[module.NAME].__name__} are both named {module.NAME}")
        found[module.NAME] = module
    return found
