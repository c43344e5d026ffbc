"""Zones, provinces of the rules, cities and terrain: what the 2020 map still decides."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.places import Commune, Era
from dispatch.store.gazetteer import REGIONS_FILE, load, read_regions

FOUR_PROVINCES = ("02", "26", "56", "64")


def commune(code: str, era: Era = "2020") -> Commune:
    found = load().get(code, era)
    assert found is not None
    return found


ZONES = [
    ("22330", "2020", "22363", "2020", "INTRA_DISTRICT"),  # two wards of Nha Trang
    ("22330", "2020", "22333", "2025", "INTRA_DISTRICT"),  # Vĩnh Hải and what it is today
    ("22330", "2020", "22651", "2020", "INTER_DISTRICT"),  # Nha Trang, Diên Khánh
    ("22333", "2025", "22651", "2025", "INTER_DISTRICT"),
    ("22330", "2020", "23566", "2020", "SAME_REGION"),  # Nha Trang, Pleiku
    ("21583", "2025", "23575", "2025", "SAME_REGION"),  # Quy Nhơn, Pleiku: one province now, two then
    ("22366", "2025", "22759", "2025", "INTER_REGION"),  # Nha Trang, Phan Rang: one province now, two then
    ("00715", "2020", "08710", "2020", "SAME_REGION"),  # Lũng Cú, Vĩnh Yên
    ("00715", "2020", "22330", "2020", "INTER_REGION"),
]


@pytest.mark.parametrize(("a", "era_a", "b", "era_b", "zone"), ZONES)
def test_the_zone_is_the_one_of_the_2020_districts_whatever_the_era(
    a: str, era_a: Era, b: str, era_b: Era, zone: str
) -> None:
    assert load().zone(commune(a, era_a), commune(b, era_b)) == zone


@cache
def everywhere() -> list[Commune]:
    return list(load())


@given(st.integers(0, 13_360), st.integers(0, 13_360))
def test_a_zone_costs_the_same_both_ways_and_nothing_extra_at_home(first: int, second: int) -> None:
    gazetteer = load()
    a, b = everywhere()[first], everywhere()[second]
    assert gazetteer.zone(a, b) == gazetteer.zone(b, a)
    assert gazetteer.zone(a, a) == "INTRA_DISTRICT"
    if gazetteer.zone(a, b) == "INTRA_DISTRICT":
        assert gazetteer.region(a) == gazetteer.region(b)


@pytest.mark.parametrize(
    ("code", "era", "province"),
    [
        ("22330", "2020", "56"),
        ("22333", "2025", "56"),
        ("22759", "2025", "58"),
        ("21583", "2025", "52"),
        ("23575", "2025", "64"),
        ("00691", "2025", "02"),
        ("08716", "2025", "26"),
        ("10804", "2025", "30"),  # Kim Thành took xã Hòa Bình of Hải Dương, not its namesake of Hải Phòng
        ("29869", "2025", "87"),  # phường Cao Lãnh took no ward of Mỹ Tho, though both have a phường 4
    ],
)
def test_the_rules_of_2020_follow_the_land_not_the_new_province(code: str, era: Era, province: str) -> None:
    assert load().province_2020(commune(code, era)) == province


def test_no_new_commune_has_people_of_two_old_provinces() -> None:
    gazetteer = load()
    assert [one for one in gazetteer if one.era == "2025" and gazetteer.province_2020(one) is None] == []


def test_every_new_commune_on_the_land_of_the_four_has_one_province_of_rules() -> None:
    gazetteer = load()
    new = [one for one in gazetteer if one.era == "2025"]
    land = [one for one in new if {old.province_code for old in gazetteer.before(one)} & set(FOUR_PROVINCES)]
    assert len(land) == 227
    assert all(gazetteer.province_2020(one) in FOUR_PROVINCES for one in land)


@pytest.mark.parametrize(
    ("code", "era", "major"),
    [
        ("22330", "2020", True),  # Nha Trang
        ("22333", "2025", True),
        ("23566", "2020", True),  # Pleiku
        ("22651", "2020", False),  # Diên Khánh
        ("00691", "2020", False),  # Hà Giang, class III
        ("08710", "2020", False),  # Vĩnh Yên, class II
        ("00004", "2025", True),  # Hà Nội
    ],
)
def test_only_special_and_class_one_cities_get_the_shorter_limit(code: str, era: Era, major: bool) -> None:
    assert load().major_city(commune(code, era)) is major


@pytest.mark.parametrize(
    ("code", "era", "terrain"),
    [
        ("22330", "2020", "town"),
        ("22393", "2020", "plain"),  # Vĩnh Thạnh, Nha Trang
        ("22609", "2020", "town"),  # thị trấn Khánh Vĩnh
        ("22612", "2020", "hills"),  # Khánh Hiệp, Khánh Vĩnh
        ("23782", "2020", "hills"),
        ("23782", "2025", "hills"),
        ("23575", "2025", "town"),
        ("21583", "2025", "town"),  # Quy Nhơn
        ("00721", "2020", "high_mountain"),  # thị trấn Đồng Văn
        ("00715", "2025", "high_mountain"),
        ("00691", "2025", "town"),
        ("09076", "2025", "plain"),  # xã Vĩnh Tường, Phú Thọ
    ],
)
def test_the_terrain_is_the_one_the_travel_times_need(code: str, era: Era, terrain: str) -> None:
    assert commune(code, era).terrain == terrain


def test_the_region_list_names_each_province_once_and_does_not_claim_to_be_law() -> None:
    regions = read_regions(REGIONS_FILE)
    assert set(regions.region_of_province) == {one.province_code for one in load() if one.era == "2020"}
    assert Counter(regions.region_of_province.values()) == {"North": 28, "Centre": 14, "South": 21}
    assert regions.region_of_province["42"] == "North" and regions.region_of_province["44"] == "Centre"
    assert regions.verified is False
    districts = {one.district_code for one in load()}
    assert regions.major_districts | regions.hill_districts | regions.high_mountain_districts <= districts
