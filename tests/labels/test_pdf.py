"""The printed page: scanners read it, people can copy its words, the same label gives the same bytes."""

import io
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pikepdf
import pypdfium2
import pytest
import zxingcpp

import labels
from labels import LabelError, Party
from labels.layout import Box, Code128, Drawing, Matrix
from labels.writers import pdf
from tests.labels.samples import CITIZEN, NAMES, SHOP, URL, full_label, label

THERMAL_DPI = 203


def pictures(document: bytes):
    """Every page as a thermal printer sees it: 203 dpi, black or white."""
    for page in pypdfium2.PdfDocument(document):
        yield page.render(scale=THERMAL_DPI / 72, grayscale=True).to_pil().point(lambda value: 255 * (value > 127))


def scanned(picture) -> dict[str, str]:
    return {str(code.format): code.text for code in zxingcpp.read_barcodes(picture)}


def words(document: bytes, page: int = 0) -> str:
    text = pypdfium2.PdfDocument(document)[page].get_textpage().get_text_bounded()
    return "".join(text.split())


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("made", [label(), label(kind="return", item_id="RH296400095VN"), full_label()])
def test_a_scanner_reads_the_item_number_and_a_phone_the_tracking_address(made):
    (picture,) = pictures(labels.render(made))
    assert scanned(picture) == {"Code 128": made.item_id, "QR Code": made.tracking_url}


@pytest.mark.parametrize("url", ["http://a.vn", "https://t.vn/" + "x" * 137, "https://t.vn/?a=%C4%90&b=(1);c#d~'!$*+,"])
def test_the_shortest_longest_and_strangest_tracking_address_is_read_back(url):
    (picture,) = pictures(labels.render(label(tracking_url=url)))
    assert scanned(picture)["QR Code"] == url


def test_both_codes_are_read_even_from_a_crooked_photo():
    (picture,) = pictures(labels.render(label()))
    photo = picture.resize((picture.width * 3 // 2, picture.height * 3 // 2)).rotate(7, expand=True, fillcolor=255)
    assert set(scanned(photo).values()) == {"RA123456785VN", URL}


def test_the_number_stands_in_letters_below_its_bars():
    assert "RA123456785VN" in words(labels.render(label()))


@pytest.mark.parametrize(("typed", "read"), NAMES)
def test_every_name_is_read_back_with_every_mark(typed, read):
    document = labels.render(label(sender=Party(typed, "", (typed,)), recipient=SHOP, note=typed))
    text = words(document)
    assert unicodedata.is_normalized("NFC", text)
    assert text.count(squeezed(read)) == 3
    (picture,) = pictures(document)
    assert set(scanned(picture).values()) == {"RA123456785VN", URL}


def test_the_label_says_everything_the_courier_needs():
    text = words(labels.render(label(provisional=True, approximate_point=True)))
    for wanted in (
        "LẤY HỒ SƠ", "PICKUP", "Lấy trước", "Collect by", "15:10 · 24/11", "Thứ Ba 24/11/2026",
        "Công văn 2964/UBND-KSTT, mục 3", "Thứ Tư 25/11/2026", "Thu", "Collect", "1.284.000 ₫", "1.250.000 ₫",
        "26.000 ₫", "tạm tính / provisional", "Vị trí gần đúng, hãy gọi trước", "Nguyễn Thị Ánh Tuyết", "090••••456",
        "Phường Bắc Nha Trang, Khánh Hòa", "P. Vĩnh Hải, TP Nha Trang, Khánh Hòa", "000.00.16.H32-261124-0015",
        "HCC-2026-000417", "3 giấy tờ", "80 g", "Bưu cục Nha Trang", "Gọi trước 15 phút, cổng sau.",
    ):  # fmt: skip
        assert squeezed(wanted) in text, wanted


def test_a_label_without_promise_or_charge_says_so_and_invents_nothing():
    bare = label(payable_dong=0, money=(), due_at=None, delivery_expected_on=None, documents=(), note="", due_rule="")
    text = words(labels.render(bare))
    for wanted in ("chưa hẹn", "No time promised yet", "Không thu tiền", "0 ₫", "80 g"):
        assert squeezed(wanted) in text, wanted
    for absent in ("Lấy trước", "Phát dự kiến", "tạm tính", "Vị trí gần đúng", "giấy tờ", "Ghi chú"):
        assert squeezed(absent) not in text, absent


def test_what_lies_in_the_cover_is_nowhere_on_the_paper_or_in_the_file():
    made = label()
    document = labels.render(made)
    with pikepdf.open(io.BytesIO(document)) as opened:
        opened.save(plain := io.BytesIO(), compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.all)
        described = repr(dict(opened.docinfo.items()))
    assert "3giấytờ" in words(document)
    for paper in made.documents:
        assert squeezed(paper.name) not in words(document)
        for encoding in ("utf-8", "utf-16-be"):
            assert paper.name.encode(encoding) not in plain.getvalue()
    assert CITIZEN.name not in described
    assert "RA123456785VN" in described


def test_the_same_label_gives_the_same_bytes():
    assert labels.render(label()) == labels.render(label())
    assert labels.render(label()) != labels.render(label(note="Khác"))


def test_many_threads_print_the_same_bytes_as_one():
    made = [label(note=f"Số {number} {NAMES[number][1]}") for number in range(12)]
    alone = [labels.render(one) for one in made]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(labels.render, made)) == alone


def test_a_batch_keeps_its_order_one_page_each():
    made = [label(item_id=f"RA{serial:08d}{labels.codes.calc_check_digit(f'{serial:08d}')}VN") for serial in range(5)]
    document = labels.render_many(made)
    assert [scanned(picture)["Code 128"] for picture in pictures(document)] == [one.item_id for one in made]


def test_the_page_is_exactly_the_paper_and_printers_are_told_not_to_shrink_it():
    with pikepdf.open(io.BytesIO(labels.render(label()))) as opened:
        width, height = (float(value) * 25.4 / 72 for value in opened.pages[0].mediabox[2:])
        assert (width, height) == pytest.approx((100, 150), abs=0.01)
        assert opened.Root.Lang == "vi"
        assert opened.Root.ViewerPreferences.PrintScaling == "/None"
        fonts = [font for page in opened.pages for font in page.Resources.Font.values()]
        assert fonts
        for font in fonts:
            assert "BeVietnamPro" in str(font.BaseFont)
            assert "+" in str(font.BaseFont), "only the glyphs in use are embedded"
            assert font.FontDescriptor.FontFile2 is not None
            assert "/ToUnicode" in font


def test_the_page_is_black_and_white():
    page = pypdfium2.PdfDocument(labels.render(label()))[0].render(scale=2).to_pil().convert("RGB")
    assert all(red == green == blue for _, (red, green, blue) in page.getcolors(maxcolors=100_000))


def test_bars_and_modules_are_whole_printer_dots_and_wide_enough():
    (picture,) = pictures(labels.render(label()))
    codes = {str(code.format): code.position for code in zxingcpp.read_barcodes(picture)}
    bars = codes["Code 128"]
    # 13 characters take 156 bar widths; UPU S10 advises at least 0.33 mm each.
    bar_mm = (bars.top_right.x - bars.top_left.x) / 156 / THERMAL_DPI * 25.4
    assert bar_mm == pytest.approx(0.5, abs=0.01)
    column = [picture.getpixel((bars.top_left.x + 1, y)) for y in range(picture.height)]
    longest = max(len(run) for run in "".join("#" if pixel == 0 else " " for pixel in column).split())
    assert longest / THERMAL_DPI * 25.4 >= 12.5


@pytest.mark.parametrize(
    ("item", "quiet_mm"),
    [
        (Code128(Box(10, 10, 80, 14), "RA123456785VN"), 10 * 0.375),
        (Code128(Box(4, 10, 92, 14), "RA123456785VN"), 10 * 0.5),
        (Matrix(Box(10, 10, 20, 20), "RA123456785VN"), 4 * 0.625),
        (Matrix(Box(10, 10, 20, 20), "RA123456785VN", "datamatrix"), 2 * 0.875),
    ],
)
def test_every_code_keeps_its_quiet_zone_inside_its_box(item, quiet_mm):
    (picture,) = pictures(pdf.write([Drawing(100, 40, (item,))], "x"))
    left, top, right, bottom = (
        dots / THERMAL_DPI * 25.4 for dots in picture.point(lambda value: 255 - value).getbbox()
    )
    assert left >= item.box.x_mm + quiet_mm - 0.13
    assert right <= item.box.right_mm - quiet_mm + 0.13
    if isinstance(item, Matrix):
        assert top >= item.box.y_mm + quiet_mm - 0.13
        assert bottom <= item.box.bottom_mm - quiet_mm + 0.13
    else:
        assert (top, bottom) == pytest.approx((item.box.y_mm, item.box.bottom_mm), abs=0.13)


@pytest.mark.parametrize("made", [label(), label(kind="return"), full_label()])
def test_no_ink_falls_on_the_margin_a_printer_may_not_reach(made):
    (picture,) = pictures(labels.render(made))
    left, top, right, bottom = (
        dots / THERMAL_DPI * 25.4 for dots in picture.point(lambda value: 255 - value).getbbox()
    )
    assert min(left, top, 100 - right, 150 - bottom) >= 4 - 0.13


@pytest.mark.parametrize(("symbology", "format"), [("qr", "QR Code"), ("datamatrix", "Data Matrix")])
def test_two_dimensional_codes_are_read_back(symbology, format):
    drawing = Drawing(40, 40, (Matrix(Box(5, 5, 20, 20), "RA123456785VN", symbology),))
    (picture,) = pictures(pdf.write([drawing], "x"))
    assert scanned(picture) == {format: "RA123456785VN"}


@pytest.mark.parametrize(
    "item",
    [
        Code128(Box(0, 0, 57, 14), "RA123456785VN"),
        Code128(Box(0, 0, 92, 12), "RA123456785VN"),
        Matrix(Box(0, 0, 10, 10), URL),
        Matrix(Box(0, 0, 5, 20), "RA123456785VN", "datamatrix"),
    ],
)
def test_a_code_too_small_to_scan_is_refused_not_printed(item):
    with pytest.raises(LabelError) as caught:
        pdf.write([Drawing(100, 40, (item,))], "x")
    assert caught.value.code == "barcode_too_small"
