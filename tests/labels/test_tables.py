"""Tables: what is written can be read back whole, runs nothing, and every page says what its columns are."""

import csv
import io
import unicodedata
from datetime import UTC, date, datetime
from importlib import import_module

import openpyxl
import pypdfium2
import pytest

import labels
from labels import LabelError, Table, TableColumn
from tests.labels.samples import NAMES

COLUMNS = (
    TableColumn("name", "Họ tên", "Name"),
    TableColumn("day", "Ngày", "Day", "date"),
    TableColumn("at", "Lúc", "At", "instant"),
    TableColumn("weight_g", "Khối lượng", "Weight", "number"),
    TableColumn("amount", "Cước", "Postage", "money"),
)
MORNING = datetime(2020, 4, 7, 1, 30, tzinfo=UTC)


def row(name: str | None = "Nguyễn Thị A", amount: int | None = 26000):
    return name, date(2020, 4, 7), MORNING, 80, amount


def table(*rows, **changes):
    given = {"title_vi": "Danh sách", "title_en": "List", "columns": COLUMNS, "rows": list(rows)}
    return Table(**(given | changes))


def read_csv(made):
    return list(csv.reader(io.StringIO(labels.render_table(made, "csv").decode("utf-8-sig"), newline="")))


def read_xlsx(made):
    return openpyxl.load_workbook(io.BytesIO(labels.render_table(made, "xlsx")))


def pages_of(made):
    for page in pypdfium2.PdfDocument(labels.render_table(made, "pdf")):
        yield page.get_size(), "".join(page.get_textpage().get_text_bounded().split())


def test_the_folder_is_the_registry():
    assert labels.table_writer_names() == ("csv", "pdf", "xlsx")
    for name in labels.table_writer_names():
        assert "/" in labels.table_media_type(name)
        assert import_module(f"labels.tables.{name}").__doc__
    with pytest.raises(LabelError, match="unknown_writer"):
        labels.render_table(table(row()), "docx")


@pytest.mark.parametrize("writer", labels.table_writer_names())
def test_the_same_table_gives_the_same_bytes(writer):
    once, again = (labels.render_table(table(row(), row(None, None)), writer) for _ in range(2))
    assert once == again


def test_csv_is_what_excel_and_programs_read():
    content = labels.render_table(table(row('A "B", C'), row(None, None)), "csv")
    assert content.startswith(b"\xef\xbb\xbfname,day,at,weight_g,amount\r\n")
    assert content.endswith(b"\r\n") and b"\n" not in content.replace(b"\r\n", b"")
    assert read_csv(table(row('A "B", C'), row(None, -7800)))[1:] == [
        ['A "B", C', "2020-04-07", "2020-04-07T08:30:00+07:00", "80", "26000"],
        ["", "2020-04-07", "2020-04-07T08:30:00+07:00", "80", "-7800"],
    ]


@pytest.mark.parametrize(
    "typed", ["=1+1", "+84905", "-2+3", "@SUM(A1)", "＝cmd|' /C calc'!A0", " =1", "\t=1", "\x00=1"]
)
def test_nothing_a_citizen_typed_is_ever_run(typed):
    made = table(row(typed))
    (cell,) = [line[0] for line in read_csv(made)[1:]]
    assert cell[0] not in "=+-@＝\t\r\0"
    written = read_xlsx(made).worksheets[0]["A2"]
    assert written.data_type == "s"


@pytest.mark.parametrize(("typed", "read"), NAMES)
def test_every_name_keeps_every_mark_in_every_form(typed, read):
    made = table(row(typed))
    text = read_csv(made)[1][0]
    assert unicodedata.is_normalized("NFC", text)
    assert read_xlsx(made).worksheets[0]["A2"].value == text
    ((_, printed),) = pages_of(made)
    assert "".join(read.split()) in printed


def test_a_workbook_holds_numbers_and_days_not_pictures_of_them():
    book = read_xlsx(table(row(), totals=("Tổng cộng", None, None, 80, 26000), notes=(("Cách tính", "Definition"),)))
    lines = list(book.worksheets[0].iter_rows(values_only=True))
    assert lines[1] == ("Nguyễn Thị A", datetime(2020, 4, 7), datetime(2020, 4, 7, 8, 30), 80, 26000)  # noqa: DTZ001
    assert lines[2] == ("Tổng cộng", None, None, 80, 26000)
    assert book.worksheets[0].freeze_panes == "A2" and book.worksheets[0].auto_filter.ref == "A1:E2"
    assert [line[0] for line in book.worksheets[1].iter_rows(values_only=True)] == [
        "Danh sách", "List", "Cách tính", "Definition",
    ]  # fmt: skip


def test_each_printed_page_has_the_head_its_number_and_nothing_is_lost_between_pages():
    made = table(
        *(row(f"Người thứ {number}x") for number in range(200)),
        totals=("Tổng cộng (200)", None, None, None, 5_200_000),
        notes=(("Cách tính: đếm", "Definition: counted"),),
        stamp="MÔ PHỎNG",
    )
    pages = list(pages_of(made))
    assert len(pages) > 2
    for number, (size, text) in enumerate(pages, 1):
        assert (round(size[0]), round(size[1])) == (595, 842), "five columns fit upright"
        assert f"Trang{number}/{len(pages)}" in text
        assert "HọtênName" in text and "CướcPostage" in text.replace("Khốilượng", "")
    whole = "".join(text for _, text in pages)
    assert all(f"Ngườithứ{number}x" in whole for number in range(200))
    assert "MÔPHỎNG" in pages[0][1]
    assert "Tổngcộng(200)5.200.000₫" in pages[-1][1] and "Cáchtính:đếm" in pages[-1][1]


def test_a_wide_table_lies_across_and_wraps_its_words():
    address = "12 đường Trần Phú, tổ dân phố 12, phường Vĩnh Hải, thành phố Nha Trang, tỉnh Khánh Hòa"
    columns = tuple(TableColumn(f"c{number}", f"Cột {number}", f"Column {number}") for number in range(8))
    ((size, text),) = pages_of(Table("Rộng", "Wide", columns, [(address,) * 8]))
    assert (round(size[0]), round(size[1])) == (842, 595)
    words = [word.strip(",") for word in address.split()]
    assert all(text.count(word) >= 8 for word in words)


def test_a_row_taller_than_a_page_is_refused_not_clipped():
    columns = tuple(TableColumn(f"c{number}", "Cột", "Column") for number in range(8))
    with pytest.raises(LabelError, match="does_not_fit"):
        labels.render_table(Table("Cao", "Tall", columns, [("chữ " * 3000,) * 8]), "pdf")


def test_an_empty_table_says_so():
    ((_, text),) = pages_of(table())
    assert "Khôngcódòngnàotrongkỳnày" in text
    assert read_csv(table()) == [["name", "day", "at", "weight_g", "amount"]]


def test_a_letter_the_font_lacks_shows_as_missing_and_control_characters_never_pass():
    ((_, text),) = pages_of(table(row("Nguyễn 🙂 A\x07")))
    assert "Nguyễn?A?" in text
    assert read_csv(table(row("Nguyễn\u200b\n A\x07")))[1][0] == "Nguyễn A?"


@pytest.mark.parametrize(
    "wrong",
    [
        ("A",),
        (7, date(2020, 4, 7), MORNING, 80, 26000),
        ("A", MORNING, MORNING, 80, 26000),
        ("A", date(2020, 4, 7), date(2020, 4, 7), 80, 26000),
        ("A", date(2020, 4, 7), MORNING, "80", 26000),
        ("A", date(2020, 4, 7), MORNING, 80, 260.5),
    ],
)
def test_a_cell_of_another_kind_than_its_column_is_refused(wrong):
    with pytest.raises(LabelError, match="table_shape"):
        table(wrong)


def test_an_instant_without_zone_is_refused():
    naive = MORNING.replace(tzinfo=None)
    with pytest.raises(LabelError, match="naive_instant"):
        table(("A", date(2020, 4, 7), naive, 80, 26000))
