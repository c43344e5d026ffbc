"""Addresses as people write them: the right commune, or an honest doubt, never a silent wrong one."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dispatch.domain.address_words import split_name
from dispatch.domain.addresses import Resolved, resolve
from dispatch.domain.errors import Invalid
from dispatch.domain.places import Commune, fold
from dispatch.store.gazetteer import index

GEO = Path(__file__).parents[3] / "shared" / "data" / "geo"
FOUR_PROVINCES = ("02", "26", "56", "64")


def read(raw: str | None, era: str | None = None) -> Resolved:
    return resolve(index(), raw, None, era, None, None)


def by_code(code: str, era: str | None) -> Resolved:
    return resolve(index(), None, code, era, None, None)


def present_codes(found: Resolved) -> set[str]:
    """The present communes an answer leaves open: the one of `today`, else the candidates'."""
    return {found.today.code} if found.today else {one.code for one, _ in found.candidates}


WRITTEN = [
    ("12 Trần Phú, phường Lộc Thọ, thành phố Nha Trang, tỉnh Khánh Hòa", "22363", "2020", {"22366"}),
    ("P. Vĩnh Hải, TP Nha Trang", "22330", "2020", {"22333"}),
    ("45 đường 2/4, P.Vĩnh Phước, TP.Nha Trang, T.Khánh Hoà", "22333", "2020", {"22333"}),
    ("thon Thach Thanh, xa Ninh Quang, thi xa Ninh Hoa, khanh hoa", "22588", "2020", {"22576"}),
    ("TT. Nhơn Hoà, H. Chư Pưh, Gia Lai", "23942", "2020", {"23942"}),
    ("xã Ia O, huyện Ia Grai, Gia Lai", "23782", "2020", {"23782"}),
    ("xã Ia O, huyện Chư Prông, Gia Lai", "23914", "2020", {"23911"}),
    ("số 5 Thống Nhất, phường Phan Rang, tỉnh Khánh Hòa", "22759", "2025", {"22759"}),
    ("phuong bac nha trang, tinh khanh hoa", "22333", "2025", {"22333"}),
    ("Phường Hà Giang 2, Tuyên Quang", "00691", "2025", {"00691"}),
    ("xã Tam Hồng, H. Yên Lạc, Vĩnh Phúc", "09043", "2020", {"09043"}),
    ("thôn Lô Lô Chải, xã Lũng Cú, tỉnh Tuyên Quang", "00715", "2025", {"00715"}),
    # An old province with a new commune, a new commune with an old city, an old commune with its new province.
    ("P. Bắc Nha Trang, TP Nha Trang, Khánh Hòa", "22333", "2025", {"22333"}),
    ("phường Hà Giang 2, tỉnh Hà Giang", "00691", "2025", {"00691"}),
    ("xã Phương Độ, tỉnh Tuyên Quang", "00946", "2020", {"00694"}),
    # A ward merged before 2025, a thị xã that became a city, spellings of the official table.
    ("P. Xương Huân, TP. Nha Trang", "22348", "2020", {"22366"}),
    ("P. Xuân Hòa, TX Phúc Yên, Vĩnh Phúc", "08746", "2020", {"08746"}),
    ("xã Chơ GLong, huyện Kông Chro, Gia Lai", "23851", "2020", {"23851"}),
    # A ward since 30 April 2026, under its names before and after.
    ("phường Lộc Ninh, thành phố Đồng Nai", "25270", "2025", {"25270"}),
    ("xã Lộc Ninh, tỉnh Đồng Nai", "25270", "2025", {"25270"}),
    # Streets and hamlets that bear the names of units, numbered wards, a country and a postcode.
    ("Đường Hà Giang, phường Vĩnh Hải, Nha Trang", "22330", "2020", {"22333"}),
    ("Trần Phú, phường Minh Khai, TP Hà Giang, Hà Giang", "00697", "2020", {"00691"}),
    ("Thôn Phú Thọ 1, xã Vĩnh Thạnh, TP Nha Trang, KH", "22393", "2020", {"22390"}),
    ("P3, Q4, TPHCM", "27286", "2020", {"27286"}),
    ("thôn 3, xã Ia O, huyện Ia Grai, Gia Lai, Việt Nam 600000", "23782", "2020", {"23782"}),
    ("Khánh Hòa, Nha Trang, phường Vĩnh Hải", "22330", "2020", {"22333"}),
    ("xã Mỹ Bình, huyện Đức Huệ", "27928", "2020", None),
    ("huyện Lý Sơn, tỉnh Quảng Ngãi", "21548", "2020", {"21548"}),
    # Separators gone wrong, labels of a form, a name written as one word, hỏi for ngã, Ð (eth) for Đ, a remark.
    ("P.Vĩnh Hải ,TP.Nha Trang,-  Khánh Hòa.", "22330", "2020", {"22333"}),
    ("P .Vĩnh Hải;T.P Nha Trang / tỉnh Khánh Hòa", "22330", "2020", {"22333"}),
    ("Xã/phường: Vĩnh Hải, Quận/huyện: Nha Trang, Tỉnh: Khánh Hòa", "22330", "2020", {"22333"}),
    ("phường VĩnhHải, NhaTrang, KhánhHòa", "22330", "2020", {"22333"}),
    ("Phường Vĩnh Hãi, Tp. Nha Trang, Khánh Hòa", "22330", "2020", {"22333"}),
    ("xã Ðồng Văn, huyện Yên Lạc, tỉnh Vĩnh Phúc", "09031", "2020", {"09040"}),
    ("phường Vĩnh Hải cũ, TP Nha Trang, Khánh Hòa", "22330", "2020", {"22333"}),
    ("phường Vĩnh Hải (nay là phường Bắc Nha Trang), TP Nha Trang, Khánh Hòa", "22330", "2020", {"22333"}),
    ("Xã Đăk Sơmei, huyện Đắk Đoa, Gia Lai", "23683", "2020", None),
    # A district whose name ends like a type word begins, a new ward called like the word for hamlet.
    ("Tỉnh Hưng Yên, Huyện Ân Thi, Xã Phù Ủng", "12145", "2020", None),
    ("thôn 3 Phường Láng Hà Nội", "00199", "2025", {"00199"}),
    ("Phường 03, Q.4, TP.HCM", "27286", "2020", {"27286"}),
    ("Tỉnh Phú Yên, Huyện Phú Hòa, Xã Hòa Quang Nam", "22306", "2020", None),
    ("đặc khu Trường Sa, Khánh Hòa", "22736", "2025", {"22736"}),
]


@pytest.mark.parametrize(("raw", "code", "era", "today"), WRITTEN)
def test_a_written_address_reaches_the_commune_it_names(raw: str, code: str, era: str, today: set[str] | None) -> None:
    found = read(raw)
    assert found.status == "exact", found
    assert found.commune is not None and (found.commune.code, found.commune.era) == (code, era)
    assert found.candidates == ()
    if today is not None:
        assert present_codes(found) == today


def hand_written_cases() -> list[tuple[str, set[str], str]]:
    """34 cases written by hand where they lie beside the project, else the cases of this file."""
    file = GEO / "tests" / "address_cases.csv"
    if not file.is_file():
        return [(raw, today, code if era == "2020" else "") for raw, code, era, today in WRITTEN if today]
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            (row["address"], set(row["expected_new_codes"].split()), row["expected_old_code"])
            for row in csv.DictReader(lines)
        ]


def test_every_hand_written_case_is_answered_right() -> None:
    cases = hand_written_cases()
    assert len(cases) >= 20
    wrong = []
    for raw, today, old_code in cases:
        found = read(raw)
        written = found.commune.code if found.commune and found.commune.era == "2020" else ""
        if present_codes(found) != today or (old_code and written != old_code):
            wrong.append((raw, found))
    assert wrong == []


@pytest.mark.parametrize(
    "raw",
    [
        "phường Trần Phú",
        "Nha Trang, Khánh Hòa",
        "Trần Phú, TP Hà Giang, Hà Giang",
        "xã Ia O, huyện Ia Gai, Gia Lai",
        "xã Hưng Đạo, Cao Bằng",
        "xa Ia Bang, huyen Chu Prong, Gia Lai",
        "P. Phước Hòa, P. Phước Hải, TP Nha Trang",
        "phường Vĩnh Hảii, Vĩnh Thạnh, TP Nha Trang",
        "cạnh trụ sở phường, Nha Trang, Khánh Hòa",
        # A district that is not the commune's, with its type word or bare where a district stands, accents or not.
        "phường Vĩnh Hải, huyện Diên Khánh, tỉnh Khánh Hòa",
        "phuong vinh hai, huyen dien khanh, tinh khanh hoa",
        "P.Trần Phú, H.Yên Minh, Hà Giang",
        "Phường Vĩnh Hải, Diên Khánh, Khánh Hòa",
        "Ngọc Đường, Đồng Văn, Hà Giang",
        "Khánh Hòa, Diên Khánh, phường Vĩnh Hải",
        "Phường Lộc Thọ, huyện Trường Sa, Khánh Hòa",
        # A word more than the name, or before it; accents of another name.
        "Phường Vĩnh Hải Thượng, Thành phố Nha Trang, Tỉnh Khánh Hòa",
        "phường Tân Vĩnh Hải, TP Nha Trang, Khánh Hòa",
        "Xã Phú Sơn Lâm Hà, Tỉnh Bến Tre",
        "Xã Vĩnh Thành, TP Nha Trang, Khánh Hòa",
        "Xã Đức Huệ",
        "Phường Thạch Thang, Huyện Hoàng Sa, Thành phố Đà Nẵng",
        "phường Tân Hiệp Bình Chánh, Thành phố Thủ Đức, Thành phố Hồ Chí Minh",
    ],
)
def test_what_could_be_two_places_is_asked_about(raw: str) -> None:
    found = read(raw)
    assert found.status == "ambiguous"
    assert 1 <= len(found.candidates) <= 10
    assert all(0 <= score <= 1 for _, score in found.candidates)
    assert [score for _, score in found.candidates] == sorted((score for _, score in found.candidates), reverse=True)
    assert (found.lat, found.lng, found.precision) == (None, None, "none")


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        " ,;- ",
        "12 Trần Phú",
        "TP Nha Trang, Khánh Hòa",
        "Khánh Hòa",
        "phường Vĩnh Hải, tỉnh Gia Lai",
        "xã Vĩnh Hải Hậu, huyện Diên Khánh, Khánh Hòa",
        "P3, Q1, TPHCM",
        "12 Trần Phú, TP Hà Giang, Hà Giang",
    ],
)
def test_what_names_no_commune_is_not_given_one(raw: str | None) -> None:
    assert read(raw) == Resolved("none", None, None, (), None, None, "none")


def test_a_name_on_both_maps_prefers_the_new_one_and_says_so() -> None:
    found = read("Xã Ia O, tỉnh Gia Lai")
    assert found.status == "ambiguous"
    assert found.commune is not None and (found.commune.code, found.commune.era) == ("23782", "2025")
    assert found.today == found.commune
    assert ("23914", "2020") in {(one.code, one.era) for one, _ in found.candidates}


def test_a_wrong_type_word_without_a_district_is_not_sure_of_itself() -> None:
    assert read("thị trấn Lũng Cú, Hà Giang").status == "ambiguous"
    assert read("xã Lũng Cú, Hà Giang").status == "exact"


def test_accents_decide_between_two_communes_of_one_district() -> None:
    plain, accented = read("xã Ia Bang, huyện Chư Prông, Gia Lai"), read("xã Ia Băng, huyện Chư Prông, Gia Lai")
    assert (plain.status, accented.status) == ("exact", "exact")
    assert plain.commune is not None and plain.commune.code == "23924"
    assert accented.commune is not None and accented.commune.code == "23905"


def test_the_era_alone_narrows_what_the_text_may_mean() -> None:
    assert read("Xã Ia O, tỉnh Gia Lai", "2025").status == "exact"
    old = read("Xã Ia O, tỉnh Gia Lai", "2020")
    assert {(one.code, one.era) for one, _ in old.candidates} == {("23782", "2020"), ("23914", "2020")}


def test_a_code_with_its_era_decides_whatever_the_text_says() -> None:
    found = resolve(index(), "P. Lộc Thọ, TP Nha Trang", "22330", "2020", None, None)
    assert found.status == "exact"
    assert found.commune is not None and found.commune.name == "Phường Vĩnh Hải"
    assert found.today is not None and (found.today.code, found.today.era) == ("22333", "2025")
    assert (found.lat, found.lng, found.precision) == (found.today.lat, found.today.lng, "commune")


def test_the_same_code_in_two_eras_is_two_places() -> None:
    old, new = by_code("22333", "2020"), by_code("22333", "2025")
    assert old.commune is not None and new.commune is not None
    assert (old.commune.name, new.commune.name) == ("Phường Vĩnh Phước", "Phường Bắc Nha Trang")
    assert old.today == new.commune == new.today


def test_a_pin_from_the_shop_is_kept_as_the_door() -> None:
    found = resolve(index(), None, "22330", "2020", 12.2789, 109.1998)
    assert (found.lat, found.lng, found.precision) == (12.2789, 109.1998, "door")
    unread = resolve(index(), "gần chợ", None, None, 12.2789, 109.1998)
    assert (unread.status, unread.lat, unread.lng, unread.precision) == ("none", 12.2789, 109.1998, "door")
    half = resolve(index(), None, "22330", "2020", 12.2789, None)
    assert half.precision == "commune" and half.lat != 12.2789


@pytest.mark.parametrize(("code", "era"), [("99999", "2020"), ("22330", "2025"), ("00000", "2025")])
def test_an_unknown_commune_code_is_refused_in_words(code: str, era: str) -> None:
    with pytest.raises(Invalid) as refused:
        by_code(code, era)
    assert refused.value.code == "unknown_commune"
    assert [fault.pointer for fault in refused.value.faults] == ["/citizen/address/commune_code"]
    assert code in refused.value.vi and code in refused.value.en


@pytest.mark.parametrize(("code", "era"), [("22330", None), ("22330", "2024"), (None, "1975")])
def test_a_code_without_a_known_era_is_refused_and_not_guessed(code: str | None, era: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        resolve(index(), "P. Vĩnh Hải, TP Nha Trang", code, era, None, None)
    assert refused.value.code == "validation_failed"
    assert refused.value.faults[0].pointer == "/citizen/address/era"


def communes(era: str, provinces: tuple[str, ...] = ()) -> list[Commune]:
    return [one for one in index().gazetteer if one.era == era and (not provinces or one.province_code in provinces)]


def test_a_divided_commune_is_never_exact_however_it_is_given() -> None:
    gazetteer = index().gazetteer
    divided = [one for one in communes("2020") if len(gazetteer.today(one)) > 1]
    assert len(divided) > 380
    for one in divided:
        for found in (
            by_code(one.code, "2020"),
            read(f"{one.name}, {one.district_name}, {one.province_name}"),
            read(fold(f"12 Le Loi, {one.name}, {one.district_name}, {one.province_name}")),
        ):
            assert found.status in {"divided", "ambiguous"}, (one, found)
            if found.status == "divided":
                assert found.commune == one and found.today is None
                assert tuple(part for part, _ in found.candidates) == gazetteer.today(one)


def test_an_old_commune_without_district_and_province_is_never_settled() -> None:
    for one in communes("2020", FOUR_PROVINCES):
        assert read(one.name).status in {"ambiguous", "none"}
        assert read(split_name(one.name)[1]).status == "none"
