"""What a label refuses, what it cleans, and that each refusal has its documented code."""

import unicodedata
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labels
from labels import CODES, Document, LabelError, MoneyLine, Party, Table, TableColumn, codes
from labels.layout import Box, Code128, Drawing
from labels.text import clean
from labels.writers import pdf
from tests.labels.samples import CITIZEN, NAMES, label

REFUSED = {
    "barcode_too_small": lambda: pdf.write([Drawing(40, 40, (Code128(Box(0, 0, 40, 20), "RA123456785VN"),))], "x"),
    "does_not_fit": lambda: labels.render(label(sender=Party("W" * 300, "", ("W" * 300,) * 4), note="W" * 300)),
    "invalid_amount": lambda: label(weight_g=-1),
    "invalid_dossier_code": lambda: codes.validate_dossier_code("H21"),
    "invalid_item_id": lambda: label(item_id="RA123456784VN"),
    "invalid_tracking_url": lambda: label(tracking_url="javascript:alert(1)"),
    "missing_text": lambda: Party("\u200b "),
    "money_mismatch": lambda: label(payable_dong=1),
    "naive_instant": lambda: label(due_at=datetime(2026, 11, 24, 15, 10)),  # noqa: DTZ001 - the fault under test
    "no_labels": lambda: labels.render_many([]),
    "table_shape": lambda: Table("Bảng", "Table", (TableColumn("a", "A", "A"),), [("1", "2")]),
    "text_too_long": lambda: label(note="a" * 301),
    "unknown_format": lambda: labels.render(label(), format="a0"),
    "unknown_kind": lambda: label(kind="two_way"),
    "unknown_writer": lambda: labels.render(label(), writer="telex"),
    "unmasked_phone": lambda: Party("Nguyễn Thị A", "0905 123 456"),
    "unprintable_text": lambda: Party("Nguyễn\x07 Thị A"),
}


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_each_refusal_has_its_code_and_a_sentence(code):
    with pytest.raises(LabelError) as caught:
        REFUSED[code]()
    assert caught.value.code == code
    assert caught.value.sentence.endswith(".")
    assert caught.value.permanent


def test_every_documented_code_is_provoked_by_a_test():
    assert set(REFUSED) == set(CODES)


@pytest.mark.parametrize(
    "fault",
    [
        lambda: label(payable_dong=-1, money=()),
        lambda: label(payable_dong=10_000_000_000, money=()),
        lambda: label(weight_g=1_000_001),
        lambda: MoneyLine("Cước", "Postage", 10_000_000_000),
        lambda: Document("Tờ khai", 0),
    ],
)
def test_amounts_beyond_all_measure_are_refused(fault):
    with pytest.raises(LabelError) as caught:
        fault()
    assert caught.value.code == "invalid_amount"


@pytest.mark.parametrize(
    "url",
    ["", "ftp://a.vn/x", "https://a.vn/x y", "https://a.vn/đ", "https://a.vn/" + "a" * 138, "//a.vn", "https://"],
)
def test_a_tracking_address_a_phone_could_not_open_safely_is_refused(url):
    with pytest.raises(LabelError) as caught:
        label(tracking_url=url)
    assert caught.value.code == "invalid_tracking_url"


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0b", "\x1b", "\x7f", "\x85", "\x9f", "\ud800", "\udfff"])
def test_control_characters_and_half_characters_are_refused_without_quoting_the_person(character):
    with pytest.raises(LabelError) as caught:
        Party(f"Nguyễn{character}Thị A")
    assert caught.value.code == "unprintable_text"
    assert f"U+{ord(character):04X}" in caught.value.sentence
    assert "Nguyễn" not in str(caught.value)


def test_hostile_text_in_any_field_is_refused_not_printed():
    for field in ("note", "external_ref", "dossier_code", "shop_name", "office_name", "due_rule"):
        with pytest.raises(LabelError):
            label(**{field: "a\x00b"})
    for party in (
        lambda: Party("A", address_lines=("ok", "b\x1bc")),
        lambda: Party("A", commune_2020="\x00"),
        lambda: Party("A", commune_2025="\x00"),
        lambda: Party("A", "\x00"),
        lambda: MoneyLine("\x00", "Postage", 0),
        lambda: MoneyLine("Cước", "\x00", 0),
    ):
        with pytest.raises(LabelError):
            party()


@pytest.mark.parametrize("mask", ["", "090••••456", "0905 *** 56", "+84 90• ••• 456"])
def test_masked_phones_are_printed(mask):
    assert Party("Nguyễn Thị A", mask).phone_masked == mask


def test_the_same_name_typed_in_two_unicode_forms_is_one_name():
    for name, _ in NAMES:
        composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
        assert Party(composed).name == Party(decomposed).name


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing_and_leaves_one_visible_line(text):
    try:
        once = clean(text, "text")
    except LabelError as error:
        assert error.code == "unprintable_text"
        assert any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
        return
    assert clean(once, "text") == once
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in once)
    assert once == " ".join(once.split(" ")).strip()


def test_an_item_number_may_be_given_with_spaces():
    assert label(item_id="ra 123 456 785 vn").item_id == "RA123456785VN"


def test_empty_address_lines_leave_no_gap():
    assert Party("A", address_lines=("", " \u200b", "12 Trần Phú")).address_lines == ("12 Trần Phú",)


def test_a_label_cannot_be_changed_after_it_was_made():
    with pytest.raises(AttributeError):
        CITIZEN.name = "Ai đó"
