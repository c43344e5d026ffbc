"""Reads a table somebody made in a spreadsheet, CSV or XLSX, as rows of plain text with their line numbers.

Nothing is guessed about cells: a number stays the digits the file holds (a code kept as a number has lost its leading
zeros, and whoever checks codes will say so), an error such as #VALUE! stays that text.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple
from xml.etree import ElementTree

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_UNPACKED_BYTES = 128_000_000
_BROKEN = (zipfile.BadZipFile, zlib.error, KeyError, ElementTree.ParseError, RuntimeError, NotImplementedError)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Problem(NamedTuple):
    """One thing wrong with a file: line (0 = the file as a whole), what and what to do, Vietnamese and English."""

    line: int
    vi: str
    en: str


@dataclass
class BadTable(Exception):
    """The file cannot be taken: `problems` says where and what to do."""

    problems: list[Problem]

    def __str__(self) -> str:
        return "; ".join(f"line {problem.line}: {problem.en}" for problem in self.problems[:3])


class Row(NamedTuple):
    """One row of the table, counted from 1, and its cells without outer spaces.

    `line` is where it begins in the file, `number` what a spreadsheet shows beside it: they part where a cell of a CSV
    holds line breaks.
    """

    line: int
    cells: tuple[str, ...]
    number: int


def read(content: bytes) -> list[Row]:
    """The rows of a CSV (UTF-8; comma, semicolon or tab) or of the first sheet of an XLSX that hold anything.

    Raises `BadTable` where it is neither, or larger than 200,000 rows.
    """
    rows = list(each_row(content))
    if not rows:
        raise _bad("tệp trống", "the file is empty")
    return rows


def each_row(content: bytes, at_most: int = MAX_ROWS) -> Iterator[Row]:
    """The same rows one after the other, so that a large table is never in memory as a whole."""
    found = _xlsx(content) if content[:4] == b"PK\x03\x04" else _csv(content)
    count = 0
    for row in found:
        if not any(row.cells):
            continue
        count += 1
        if count > at_most:
            raise _bad(f"nhiều hơn {at_most} dòng: chia nhỏ tệp", f"more than {at_most} rows: split the file")
        yield row


def _bad(vi: str, en: str) -> BadTable:
    return BadTable([Problem(0, vi, en)])


def _csv(content: bytes) -> Iterator[Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(
            "không phải UTF-8: lưu lại dạng «CSV UTF-8» hoặc XLSX", "not UTF-8: save it as “CSV UTF-8” or as XLSX"
        ) from error
    if "\x00" in text:
        raise _bad("không phải CSV hay XLSX", "neither CSV nor XLSX")
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    try:
        for number, cells in enumerate(reader, 1):
            yield Row(before + 1, tuple(cell.strip() for cell in cells), number)
            before = reader.line_num
    except csv.Error as error:
        vi, en = f"dấu nháy hoặc dấu cách cột sai ({error})", f"quotes or separators are wrong ({error})"
        raise BadTable([Problem(before + 1, vi, en)]) from error


def _xlsx(content: bytes) -> Iterator[Row]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            if sum(part.file_size for part in book.infolist()) > MAX_UNPACKED_BYTES:
                raise _bad("tệp XLSX quá lớn: lưu dạng CSV", "the XLSX is too large: save it as CSV")
            shared = [_text(item) for item in _each(book, "xl/sharedStrings.xml", f"{_MAIN}si")]
            last = 0
            for row in _each(book, _first_sheet(book), f"{_MAIN}row"):
                given = row.get("r", "")
                named = int(given) if given.isdecimal() and len(given) <= 7 else 0
                last = max(last + 1, named)
                yield Row(last, tuple(_cells(row, shared)), last)
    except _BROKEN as error:
        raise _bad("không đọc được XLSX: lưu lại hoặc dùng CSV", "a broken XLSX: save it anew or as CSV") from error


def _cells(row: ElementTree.Element, shared: list[str]) -> list[str]:
    cells: list[str] = []
    for cell in row.iter(f"{_MAIN}c"):
        column = _column(cell.get("r", ""))
        if column is not None and len(cells) < column <= MAX_COLUMNS:
            cells.extend([""] * (column - len(cells)))
        if len(cells) < MAX_COLUMNS:
            cells.append(_value(cell, shared).strip())
    return cells


class _Plain:
    """A part of a book as its reader takes it: definitions, which no spreadsheet writes, are refused unread."""

    def __init__(self, part: IO[bytes]) -> None:
        self._part, self._before = part, b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        found = self._part.read(size)
        seen = self._before + found
        if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
            raise _bad("XLSX có định nghĩa lạ", "the XLSX holds definitions of its own, which no spreadsheet writes")
        self._before = seen[-len(b"<!DOCTYPE") :]
        return found


def _each(book: zipfile.ZipFile, name: str, tag: str) -> Iterator[ElementTree.Element]:
    """The elements of one kind of a part, each let go when the next is asked for."""
    if name == "xl/sharedStrings.xml" and name not in book.namelist():
        return
    with book.open(name) as part:
        for _, element in ElementTree.iterparse(_Plain(part)):
            if element.tag == tag:
                yield element
                element.clear()


def _first_sheet(book: zipfile.ZipFile) -> str:
    first = next(_each(book, "xl/workbook.xml", f"{_MAIN}sheet"), None)
    if first is None:
        raise KeyError("no sheet")
    for relation in _each(book, "xl/_rels/workbook.xml.rels", f"{_RELATIONS}Relationship"):
        if relation.get("Id") == first.get(_RELATION):
            target = relation.get("Target", "")
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError("no sheet")


def _column(reference: str) -> int | None:
    """The place of a cell in its row, from 0: "C7" -> 2."""
    letters = re.match(r"[A-Z]{1,3}", reference)
    if letters is None:
        return None
    place = 0
    for letter in letters[0]:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _value(cell: ElementTree.Element, shared: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    value = cell.findtext(f"{_MAIN}v") or ""
    if kind == "s":
        try:
            return shared[int(value)]
        except (ValueError, IndexError):
            return "#REF!"
    return value


def _text(item: ElementTree.Element) -> str:
    """The text of a string item without its phonetic hints."""
    parts = [item.findtext(f"{_MAIN}t") or ""]
    parts.extend(run.findtext(f"{_MAIN}t") or "" for run in item.iter(f"{_MAIN}r"))
    inner = item.find(f"{_MAIN}is")
    return "".join(parts) if inner is None else _text(inner)
