"""Tables say the same however they were saved, and a row of one is read as what its cells say or told what is wrong."""

from __future__ import annotations

import csv
import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.consignment import RequestBody
from dispatch.domain.sheet_bodies import columns, content_print, read_body, read_header
from dispatch.domain.sheets import BadTable, Row, each_row, read

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
CELL = st.text(st.one_of(LETTERS, st.sampled_from(list(" ,;\t\"\r\n'=:."))), max_size=12).map(str.strip)
TABLE = st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6)
HEADER = ["external_ref", "kind", "note"]


def unified(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(
    rows=TABLE,
    delimiter=st.sampled_from(",;\t"),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ends=st.booleans(),
)
def test_separators_marks_and_line_ends_do_not_change_what_a_table_says(
    rows: list[list[str]], delimiter: str, newline: str, bom: bool, quoting: int, ends: bool
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows([HEADER, *rows])
    written = text.getvalue() if ends else text.getvalue().removesuffix(newline)
    found = read(written.encode("utf-8-sig" if bom else "utf-8"))
    wanted = [(number, [unified(cell) for cell in cells]) for number, cells in enumerate(rows, 2) if any(cells)]
    assert [(row.number, [unified(cell) for cell in row.cells]) for row in found[1:]] == wanted


@given(rows=TABLE)
def test_a_workbook_says_what_its_csv_says(rows: list[list[str]]) -> None:
    rows = [[unified(cell) for cell in cells] for cells in rows]
    book = openpyxl.Workbook()
    for number, cells in enumerate([HEADER, *rows], 1):
        for place, cell in enumerate(cells, 1):
            book.active.cell(number, place).value = cell
            book.active.cell(number, place).data_type = "s"
    kept = io.BytesIO()
    book.save(kept)
    found = {row.number: list(row.cells) for row in read(kept.getvalue())}
    for number, cells in enumerate(rows, 2):
        filled = found.get(number, [])
        assert [*filled, *[""] * (3 - len(filled))] == cells


def book(sheet: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/workbook.xml": (
            f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        "xl/worksheets/sheet1.xml": sheet.replace("<worksheet", f'<worksheet xmlns="{main}"'),
    }
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in parts.items():
            made.writestr(name, text)
    return kept.getvalue()


def test_row_numbers_of_a_hostile_workbook_only_rise() -> None:
    rows = "".join(f'<row r="{number}"><c><v>{number}</v></c></row>' for number in ("5", "2", "x", "9" * 5000, "3"))
    found = read(book(f"<worksheet><sheetData>{rows}</sheetData></worksheet>"))
    assert [row.number for row in found] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("where", ["start", "far"])
def test_definitions_in_a_workbook_are_refused(where: str) -> None:
    padding = " " * 200_000 if where == "far" else ""
    bomb = f'{padding}<!DOCTYPE a [<!ENTITY b "bbbb">]><worksheet><sheetData/></worksheet>'
    with pytest.raises(BadTable, match="definitions"):
        read(book(bomb))


def test_a_table_is_cut_off_where_it_grows_too_long() -> None:
    with pytest.raises(BadTable, match="more than 3 rows"):
        list(each_row(b"a\n" * 4, 3))


def test_every_key_of_a_request_has_its_column_and_no_other_is_known() -> None:
    known = columns()
    assert {name.split(".")[0] for name in known} == set(RequestBody.model_fields)
    assert known["window.from"] == "date-time" and known["documents.#.copies"] == "integer"
    good = ("metadata.mã số", "documents.12.name", "result.status", "return_exception", "state_fee.amount")
    assert read_header(Row(1, good, 1)) == (*good[:2], "result.", *good[3:])
    for bad in ("citizen", "documents.name", "documents.x.name", "metadata", "metadata.a.b", "Kind", "citizen.name.x"):
        with pytest.raises(BadTable):
            read_header(Row(1, ("kind", bad), 1))


NAMES = ("external_ref", "kind", "dossier.code", "citizen.name", "citizen.phone", "citizen.address.raw", "weight_g")
CELLS = ("A-1", "return", "H32.1-200320-0015", "Nguyễn Thị A", "0905123456", "12 Trần Phú", "80")


@given(order=st.permutations(range(len(NAMES))), spaces=st.booleans(), named=st.booleans())
def test_the_fingerprint_of_a_row_does_not_depend_on_how_it_is_laid_out(
    order: list[int], spaces: bool, named: bool
) -> None:
    wanted = read_body(NAMES, Row(2, CELLS, 2), {})
    assert isinstance(wanted, RequestBody)
    names = tuple(NAMES[place] for place in order) + (("party", "note") if named else ())
    cells = tuple(CELLS[place].replace(" ", "  ") if spaces else CELLS[place] for place in order)
    found = read_body(names, Row(9, cells + (("CITIZEN", "") if named else ()), 9), {"shop_id": "s"})
    assert isinstance(found, RequestBody) and content_print(found) == content_print(wanted)


@given(place=st.integers(0, len(NAMES) - 1))
def test_another_content_has_another_fingerprint(place: int) -> None:
    changed = ("A-2", "pickup", "H32.1-200320-0016", "Nguyễn Thị B", "0905123457", "12 Trần Phú, Nha Trang", "81")
    cells = tuple(changed[at] if at == place else cell for at, cell in enumerate(CELLS))
    one, other = read_body(NAMES, Row(2, CELLS, 2), {}), read_body(NAMES, Row(2, cells, 2), {})
    assert isinstance(one, RequestBody) and isinstance(other, RequestBody)
    assert content_print(one) != content_print(other)


@pytest.mark.parametrize(
    "phone", ["0905123456", "+84905123456", "84905123456", "1900 1234", "(0258) 3822 222", "02583822222"]
)
def test_whole_telephone_numbers_are_not_taken_for_mangled_ones(phone: str) -> None:
    cells = tuple(phone if name == "citizen.phone" else cell for name, cell in zip(NAMES, CELLS, strict=True))
    found = read_body(NAMES, Row(2, cells, 2), {})
    assert isinstance(found, list) == phone.startswith("("), (
        found
    )  # no number begins with a bracket: the API's own rule
