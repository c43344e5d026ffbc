"""The page as drawn: nothing leaves it, nothing covers anything else, no word is lost, whatever the texts."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import fontpkg
import pytest
from hypothesis import HealthCheck, Phase, event, example, given, settings
from hypothesis import strategies as st
from PIL import ImageFont
from reportlab.pdfbase import pdfmetrics

from labels import Document, LabelError, MoneyLine, Party
from labels.formats import thermal_100x150
from labels.layout import MM_PER_POINT, Box, Code128, Matrix, Rectangle, Text, drop_mm, fit_size, rise_mm, wrap
from labels.model import change_texts
from labels.text import replace_missing
from labels.writers import pdf
from tests.labels.samples import HANOI, NAMES, URL, full_label, label

SLACK_MM = 0.005
# An ordinary label holds about 430 mm of text set in 5 points bold; even four tenths more may never be refused.
ALWAYS_FITS_MM = 600
MARGIN_MM = 4.0
FIRST = datetime(2020, 1, 1, tzinfo=HANOI)

WORDS = ("Nguyễn", "Thị", "ẲNH", "PHƯỢNG", "H’Phik", "12/34A", "Kđăm", "thôn", "Bản", "Quản", "Trường", "ĐẶNG", "Wg")
PROSE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
ANYTHING = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=70)
TEXTS = st.one_of(PROSE, ANYTHING, st.sampled_from(["", "W" * 80, "Ẳ" * 60, "g" * 80, "i", NAMES[-1][0]]))
NAMED = TEXTS.map(lambda text: f"A {text}")
PARTIES = st.builds(
    Party,
    name=NAMED,
    phone_masked=st.sampled_from(["", "090••••456", "•" * 80]),
    address_lines=st.lists(TEXTS, max_size=4).map(tuple),
    commune_2020=TEXTS,
    commune_2025=TEXTS,
)
WORDINGS = st.sampled_from(["Cước trả kết quả", "Giảm cước 30 %", "", "W" * 20]) | ANYTHING.map(lambda text: text[:30])
LINES = st.lists(
    st.builds(MoneyLine, label_vi=WORDINGS, label_en=WORDINGS, amount_dong=st.integers(0, 1_000_000_000)), max_size=6
).map(tuple)
CHANGES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["pickup", "return"]),
        "sender": PARTIES,
        "recipient": PARTIES,
        "tracking_url": st.sampled_from([URL, "https://t.vn/a", "https://t.vn/" + "x" * 137]),
        "weight_g": st.integers(0, 1_000_000),
        "external_ref": TEXTS,
        "dossier_code": TEXTS,
        "shop_name": TEXTS,
        "office_name": TEXTS,
        "documents": st.lists(st.builds(Document, name=TEXTS), max_size=3).map(tuple),
        "due_at": st.none() | st.integers(0, 10_000_000).map(lambda minutes: FIRST + timedelta(minutes=minutes)),
        "due_rule": TEXTS,
        "delivery_expected_on": st.none() | st.dates(date(2020, 1, 1), date(2040, 1, 1)),
        "note": TEXTS,
        "provisional": st.booleans(),
        "approximate_point": st.booleans(),
    }
)


def printable(**changes):
    """The label as the writer's font can print it."""
    return change_texts(label(**changes), lambda text: replace_missing(text, pdf.covers))


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x_mm < other.right_mm - SLACK_MM
        and other.x_mm < one.right_mm - SLACK_MM
        and one.y_mm < other.bottom_mm - SLACK_MM
        and other.y_mm < one.bottom_mm - SLACK_MM
    )


def inside(one: Box, other: Box, margin_mm: float = 0.0) -> bool:
    return (
        one.x_mm >= other.x_mm + margin_mm - SLACK_MM
        and one.y_mm >= other.y_mm + margin_mm - SLACK_MM
        and one.right_mm <= other.right_mm - margin_mm + SLACK_MM
        and one.bottom_mm <= other.bottom_mm - margin_mm + SLACK_MM
    )


def assert_sound(drawing):
    """Fail if any two things on the page get in each other's way."""
    page = Box(0, 0, drawing.width_mm, drawing.height_mm)
    texts = [item for item in drawing.items if isinstance(item, Text)]
    symbols = [item for item in drawing.items if isinstance(item, Code128 | Matrix)]
    shapes = [item for item in drawing.items if isinstance(item, Rectangle)]
    for item in drawing.items:
        assert inside(item.box, page, MARGIN_MM), f"outside the margin: {item}"
    for one, other in combinations([*texts, *symbols], 2):
        assert not overlap(one.box, other.box), f"{one} runs into {other}"
    for shape in shapes:
        for symbol in symbols:
            assert not overlap(shape.box, symbol.box), f"{shape} stands in the quiet zone of {symbol}"
        for text in texts:
            if not overlap(shape.box, text.box):
                continue
            if shape.frame_mm is None:
                assert text.white and inside(text.box, shape.box), f"{text} is black on black"
            else:
                assert inside(text.box, shape.box, shape.frame_mm), f"{text} runs into a frame"
    for text in texts:
        assert text.size_pt >= 5
        assert text.width_mm == pytest.approx(pdf.measure(text.text, text.size_pt, text.bold))
        grounds = [shape for shape in shapes if shape.frame_mm is None and inside(text.box, shape.box)]
        assert text.white == bool(grounds)


def squeezed(text: str) -> str:
    return "".join(text.split())


def texts_of(made) -> list[str]:
    """Every text of a label that is printed as given."""
    parties = (made.sender, made.recipient)
    texts = [made.note, made.external_ref, made.dossier_code, made.shop_name, made.office_name]
    texts += [part for party in parties for part in (party.name, party.phone_masked, *party.address_lines)]
    texts += [part for party in parties for part in (party.commune_2020, party.commune_2025)]
    texts += [part for line in made.money for part in (line.label_vi, line.label_en)]
    return [*texts, made.due_rule if made.due_at else ""]


def length_at_five_points_mm(made) -> float:
    return sum(pdf.measure(text, 5, True) for text in texts_of(made))


def assert_nothing_lost(drawing, made):
    """Fail if a text of the label is missing on the page; line breaks do not matter."""
    printed = squeezed("".join(item.text for item in drawing.items if isinstance(item, Text)))
    for text in texts_of(made):
        assert squeezed(text) in printed


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking a whole label takes minutes and tells little more
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(CHANGES, LINES)
@example({"sender": Party("A"), "recipient": Party("A")}, ())
def test_no_text_however_strange_is_clipped_overprinted_or_lost(changes, money):
    made = printable(**changes, money=money, payable_dong=sum(line.amount_dong for line in money))
    try:
        drawing = thermal_100x150.draw(made, pdf.measure)
    except LabelError as error:
        event("does not fit")
        assert error.code == "does_not_fit"
        # Refusing is right only for more text than a label of this size can hold.
        assert length_at_five_points_mm(made) > ALWAYS_FITS_MM
        return
    event("fits")
    assert_sound(drawing)
    assert_nothing_lost(drawing, made)


@pytest.mark.parametrize("kind", ["pickup", "return"])
@pytest.mark.parametrize(("typed", "_read"), NAMES)
def test_every_name_fits_on_both_ends_of_both_legs(kind, typed, _read):
    party = Party(typed, "090••••456", (typed, "12 Trần Phú"), "P. Vĩnh Hải, TP Nha Trang", "Phường Bắc Nha Trang")
    made = printable(kind=kind, sender=party, recipient=party)
    drawing = thermal_100x150.draw(made, pdf.measure)
    assert_sound(drawing)
    assert_nothing_lost(drawing, made)


def test_the_longest_real_label_fits_above_the_smallest_type():
    drawing = thermal_100x150.draw(full_label(), pdf.measure)
    assert_sound(drawing)
    assert_nothing_lost(drawing, full_label())
    names = [item for item in drawing.items if isinstance(item, Text) and "CÔNG TY" in item.text]
    assert names[0].size_pt > 6


def test_the_promise_is_the_largest_type_on_the_page():
    texts = [item for item in thermal_100x150.draw(label(), pdf.measure).items if isinstance(item, Text)]
    largest = max(texts, key=lambda item: item.size_pt)
    assert largest.text == "15:10 · 24/11"
    assert largest.size_pt > 25


def test_the_two_legs_differ_at_arms_length():
    pickup = thermal_100x150.draw(label(), pdf.measure).items
    result = thermal_100x150.draw(label(kind="return"), pdf.measure).items
    assert isinstance(pickup[0], Rectangle) and pickup[0].frame_mm is None
    assert isinstance(result[0], Rectangle) and result[0].frame_mm is not None
    assert [item.text for item in pickup if isinstance(item, Text)][:2] == ["LẤY HỒ SƠ", "PICKUP"]
    assert [item.text for item in result if isinstance(item, Text)][:2] == ["TRẢ KẾT QUẢ", "RETURN"]


def test_an_instant_in_another_zone_is_promised_in_vietnamese_time():
    late_evening = label(due_at=datetime(2026, 11, 24, 17, 30, 59, tzinfo=UTC))
    texts = [item.text for item in thermal_100x150.draw(late_evening, pdf.measure).items if isinstance(item, Text)]
    assert "00:30 · 25/11" in texts
    assert any(text.startswith("Thứ Tư 25/11/2026") for text in texts)


@pytest.mark.parametrize("weight", [400, 700])
def test_no_glyph_of_the_face_is_taller_than_the_room_a_line_gets(weight):
    name = {400: "labels-regular", 700: "labels-bold"}[weight]
    path = str(fontpkg.path("Be Vietnam Pro", weight=weight))
    font = ImageFont.truetype(path, 1000, layout_engine=ImageFont.Layout.BASIC)
    glyphs = [chr(code) for code in pdfmetrics.getFont(name).face.charToGlyph if code > 32]
    assert len(glyphs) > 400
    for glyph in glyphs:
        _, top, _, bottom = font.getbbox(glyph, anchor="ls")
        assert -top / 1000 <= rise_mm(glyph, 1) / MM_PER_POINT, glyph
        assert bottom / 1000 <= drop_mm(1) / MM_PER_POINT, glyph


@given(PROSE | ANYTHING, st.floats(3, 90), st.floats(5, 30), st.booleans())
def test_wrapping_keeps_every_letter_and_no_line_is_wider_than_its_column(text, width_mm, size_pt, bold):
    text = " ".join(replace_missing(text, pdf.covers).split())
    lines = wrap(text, width_mm, size_pt, pdf.measure, bold=bold)
    assert squeezed("".join(lines)) == squeezed(text)
    for line in lines:
        assert len(line) == 1 or pdf.measure(line, size_pt, bold) <= width_mm


@given(PROSE, st.floats(3, 90), st.floats(5, 30), st.booleans())
def test_a_fitted_size_is_never_too_wide_and_never_larger_than_asked(text, width_mm, largest_pt, bold):
    size_pt = fit_size(text, width_mm, largest_pt, pdf.measure, bold=bold)
    assert size_pt <= largest_pt
    assert pdf.measure(text, size_pt, bold) <= width_mm
