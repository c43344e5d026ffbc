"""Communes of two eras: what a wrong join of codes, districts or provinces would cost."""

from __future__ import annotations

import csv
import subprocess
import sys
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from dispatch.domain.places import Commune, Era, Gazetteer, Link, Regions, fold, office_for
from dispatch.store.gazetteer import SOURCE, load

GEO = Path(__file__).parents[3] / "shared" / "data" / "geo"
"""Development data that is not part of the project; without it the same checks run on the rows written out here."""

FOUR_PROVINCES = {"02": 193, "26": 121, "56": 132, "64": 218}
DIVIDED_IN_THE_FOUR = {
    "00688": {"00691", "00694"},
    "00967": {"00913", "00967"},
    "00988": {"00700", "00994"},
    "22435": {"22435", "22453", "22708"},
    "22438": {"22435", "22453", "22708"},
    "22450": {"22435", "22453"},
    "22456": {"22435", "22453"},
    "22465": {"22453", "22465"},
    "22471": {"22453", "22465"},
    "22711": {"22435", "22453", "22708"},
}
NAMED = [
    ("22330", "2020", "Phường Vĩnh Hải", "568", "56"),
    ("22333", "2020", "Phường Vĩnh Phước", "568", "56"),
    ("22333", "2025", "Phường Bắc Nha Trang", None, "56"),
    ("00691", "2020", "Phường Trần Phú", "024", "02"),
    ("00691", "2025", "Phường Hà Giang 2", None, "08"),
    ("00715", "2020", "Xã Lũng Cú", "026", "02"),
    ("23566", "2020", "Phường Hội Thương", "622", "64"),
    ("23575", "2025", "Phường Pleiku", None, "52"),
    ("08710", "2020", "Phường Liên Bảo", "243", "26"),
    ("08716", "2025", "Phường Vĩnh Phúc", None, "25"),
    ("06978", "2025", "Xã Ba Chẽ", None, "22"),
    ("25270", "2025", "Phường Lộc Ninh", None, "75"),  # a ward since Resolution 30/2026/QH16
    ("20333", "2025", "Đặc khu Hoàng Sa", None, "48"),
]
LINKED = [
    ("22330", {"22333"}),
    ("22363", {"22366"}),
    ("23914", {"23911"}),
    ("23785", {"23767"}),
    ("00946", {"00694"}),
    ("09043", {"09043"}),
    *DIVIDED_IN_THE_FOUR.items(),
]


def commune(code: str, era: Era = "2020") -> Commune:
    found = load().get(code, era)
    assert found is not None, f"{code} of {era} is missing"
    return found


def rows(name: str) -> list[dict[str, str]]:
    file = GEO / "admin" / name
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def plain(name: str) -> str:
    """A name without the accents, spaces and dashes in which the two tables differ."""
    return "".join(char for char in fold(name) if char.isalnum())


@pytest.mark.parametrize(("code", "era", "name", "district", "province"), NAMED)
def test_a_code_with_its_era_names_the_commune_the_law_names(
    code: str, era: Era, name: str, district: str | None, province: str
) -> None:
    found = commune(code, era)
    assert (found.name, found.district_code, found.province_code) == (name, district, province)
    assert (found.code, found.era, found.precision) == (code, era, "commune")


def test_one_code_of_two_eras_never_gives_the_other_eras_commune() -> None:
    gazetteer = load()
    shared = {one.code for one in gazetteer if one.era == "2020"} & {one.code for one in gazetteer if one.era == "2025"}
    assert len(shared) > 3_300
    renamed = 0
    for code in shared:
        old, new = commune(code, "2020"), commune(code, "2025")
        assert (old.era, new.era) == ("2020", "2025")
        assert old.district_code is not None and new.district_code is None
        renamed += old.name != new.name
    assert renamed > 2_000


@pytest.mark.parametrize(
    ("code", "era"), [("99999", "2020"), ("22330", "2025"), ("22330", "2024"), ("", ""), ("1", "2020")]
)
def test_a_code_that_is_not_of_the_era_is_unknown_and_not_the_nearest(code: str, era: str) -> None:
    assert load().get(code, era) is None


def test_every_commune_of_the_first_four_provinces_is_there() -> None:
    counted = Counter(one.province_code for one in load() if one.era == "2020")
    assert {code: counted[code] for code in FOUR_PROVINCES} == FOUR_PROVINCES
    assert len(counted) == 63
    assert len({one.province_code for one in load() if one.era == "2025"}) == 34
    assert Counter(one.era for one in load()) == {"2020": 10_040, "2025": 3_321}


def test_every_name_can_be_joined_printed_and_read() -> None:
    for one in load():
        assert one.name == unicodedata.normalize("NFC", " ".join(one.name.split()))
        assert one.name.split()[0] in {"Phường", "Xã", "Thị", "Đặc", "Huyện"}, one
        assert len(one.code) == 5 and one.code.isdecimal() and len(one.province_code) == 2
        assert not any(word[0].islower() for word in one.name.split()[2:] if word != "trường"), one


@pytest.mark.parametrize(("old", "successors"), LINKED)
def test_an_old_commune_leads_to_all_its_present_communes(old: str, successors: set[str]) -> None:
    gazetteer = load()
    today = gazetteer.today(commune(old))
    assert {one.code for one in today} == successors
    assert {one.era for one in today} == {"2025"}
    for one in today:
        assert commune(old) in gazetteer.before(one)


def test_only_the_known_ten_communes_of_the_four_provinces_are_divided() -> None:
    gazetteer = load()
    divided = {
        one.code
        for one in gazetteer
        if one.era == "2020" and one.province_code in FOUR_PROVINCES and len(gazetteer.today(one)) > 1
    }
    assert divided == set(DIVIDED_IN_THE_FOUR)


def test_a_namesake_in_another_old_province_took_no_part_of_a_commune() -> None:
    """The package joins old names within a present province; Cần Thơ and Sóc Trăng both had a xã Tân Thạnh."""
    gazetteer = load()
    assert [one.code for one in gazetteer.today(commune("31268"))] == ["31288"]
    for one in gazetteer:
        if one.era == "2025":
            assert len({was.province_code for was in gazetteer.before(one)}) == 1, one


def test_the_packaged_links_agree_with_the_official_conversion_table() -> None:
    """The table of the statistics office where it lies beside the project, else the rows of this file."""
    gazetteer = load()
    official: dict[str, set[str]] = {}
    for row in rows("commune_mapping_2025.csv"):
        if row["extent"] != "part_area":
            official.setdefault(row["old_code"], set()).add(row["new_code"])
    whole_country = bool(official)
    official = official or dict(LINKED)
    missing, wrong, wrong_in_the_four = [], [], []
    for code, successors in official.items():
        old = gazetteer.get(code, "2020")
        if old is None:
            missing.append(code)
        # Land without people is more than the packaged table can tell, so it may have more successors, not fewer.
        elif not successors <= {one.code for one in gazetteer.today(old)}:
            wrong.append(code)
            if old.province_code in FOUR_PROVINCES:
                wrong_in_the_four.append(code)
    assert missing == []
    assert wrong_in_the_four == []
    assert len(wrong) <= 3, wrong
    assert len(official) > (10_000 if whole_country else 15)


def test_the_packaged_names_agree_with_the_official_code_list() -> None:
    """The code list of 2025 where it lies beside the project, else the rows of this file."""
    gazetteer = load()
    listed = {row["code"]: (row["full_name"], row["province_code"]) for row in rows("communes_2025.csv")}
    if listed:
        assert set(listed) == {one.code for one in gazetteer if one.era == "2025"}
    listed = listed or {code: (name, province) for code, era, name, _, province in NAMED if era == "2025"}
    for code, (name, province) in listed.items():
        found = commune(code, "2025")
        assert (plain(found.name), found.province_code) == (plain(name), province)


def test_the_old_districts_of_the_four_provinces_agree_with_the_official_table() -> None:
    """Zones are counted from these; the official rows where they lie beside the project, else the rows of this file."""
    listed = {
        row["old_code"]: (row["old_district_code"], row["old_province_code"])
        for row in rows("communes_old_4provinces.csv")
    } or {code: (district or "", province) for code, era, _, district, province in NAMED if era == "2020"}
    assert len(listed) >= 6
    for code, place in listed.items():
        found = commune(code)
        assert (found.district_code, found.province_code) == place


def test_an_old_commune_has_no_point_of_its_own_but_its_successors() -> None:
    gazetteer = load()
    for one in gazetteer:
        assert one.source == SOURCE
        if one.lat is None or one.lng is None:
            assert {now.code for now in gazetteer.today(one)} <= {"20333", "22736"}, f"{one} has no point"
            continue
        assert 8.3 < one.lat < 23.5 and 102.1 < one.lng < 109.6, one
        today = gazetteer.today(one)
        if len(today) == 1:
            assert (one.lat, one.lng) == (today[0].lat, today[0].lng)
    divided = commune("00688")
    parts = gazetteer.today(divided)
    assert divided.lat == pytest.approx(sum(part.lat or 0 for part in parts) / 2)


REGIONS = Regions(
    {"10": "North", "20": "South"}, frozenset(), frozenset(), frozenset(), frozenset(), frozenset(), verified=False
)


def old(code: str, district: str, province: str = "10") -> Commune:
    return Commune(code, "2020", f"Xã {code}", province, "Tỉnh A", district, f"Huyện {district}", 1.0, 2.0, "test")


def new(code: str) -> Commune:
    return Commune(code, "2025", f"Xã {code}", "10", "Tỉnh A", None, None, 1.0, 2.0, "test")


def test_a_commune_over_two_districts_is_counted_where_most_of_it_lay() -> None:
    whole_beats_parts = Gazetteer(
        [old("00001", "101"), old("00002", "102"), old("00003", "102"), new("00002"), new("00009")],
        [
            Link("00001", "00002", "full"),
            Link("00002", "00002", "part"),
            Link("00002", "00009", "part"),
            Link("00003", "00009", "full"),
        ],
        REGIONS,
    )
    straddling = whole_beats_parts.get("00002", "2025")
    assert straddling is not None and whole_beats_parts.district_2020(straddling) == "101"


def test_a_tie_between_two_districts_goes_to_the_commune_whose_code_was_kept() -> None:
    gazetteer = Gazetteer(
        [old("00001", "101"), old("00002", "102"), new("00002")],
        [Link("00001", "00002", "full"), Link("00002", "00002", "full")],
        REGIONS,
    )
    tied = gazetteer.get("00002", "2025")
    assert tied is not None and gazetteer.district_2020(tied) == "102"


def test_land_without_people_does_not_divide_a_commune() -> None:
    gazetteer = Gazetteer(
        [old("00001", "101"), old("00002", "101"), new("00001"), new("00002")],
        [
            Link("00001", "00001", "full"),
            Link("00001", "00002", "part_area"),
            Link("00002", "00002", "full"),
        ],
        REGIONS,
    )
    one, two = gazetteer.get("00001", "2020"), gazetteer.get("00002", "2025")
    assert one is not None and two is not None
    assert [now.code for now in gazetteer.today(one)] == ["00001"]
    assert [was.code for was in gazetteer.before(two)] == ["00002"]


@pytest.mark.parametrize(
    ("province", "on", "count"),
    [
        ("56", date(2020, 4, 1), 132),
        ("56", date(2025, 6, 30), 132),
        ("56", date(2025, 7, 1), 65),  # with Ninh Thuận
        ("02", date(2025, 6, 30), 193),
        ("02", date(2025, 7, 1), 0),  # part of Tuyên Quang
        ("08", date(2025, 7, 1), 124),
        ("52", date(2026, 4, 30), 135),  # Gia Lai took Bình Định's code
        ("99", date(2026, 1, 1), 0),
    ],
)
def test_a_province_has_the_communes_of_the_day_that_is_asked_about(province: str, on: date, count: int) -> None:
    found = load().communes_of(province, on)
    assert len(found) == count
    assert [one.code for one in found] == sorted(one.code for one in found)
    assert all(one.province_code == province and one.valid(on) for one in found)
    assert {one.era for one in found} <= {"2020" if on < date(2025, 7, 1) else "2025"}


def test_a_commune_that_ended_or_has_not_begun_is_not_counted() -> None:
    ended = Commune("00001", "2020", "Xã A", "10", "Tỉnh A", "101", "Huyện", 1, 2, "t", valid_to=date(2019, 12, 31))
    later = Commune("00003", "2025", "Xã C", "10", "Tỉnh A", None, None, 1, 2, "t", valid_from=date(2026, 1, 1))
    links = [Link("00001", "00002", "full"), Link("00002", "00003", "full")]
    gazetteer = Gazetteer([ended, old("00002", "101"), new("00002"), later], links, REGIONS)
    assert [one.code for one in gazetteer.communes_of("10", date(2019, 12, 31))] == ["00001", "00002"]
    assert [one.code for one in gazetteer.communes_of("10", date(2020, 1, 1))] == ["00002"]
    assert [one.code for one in gazetteer.communes_of("10", date(2025, 7, 1))] == ["00002"]
    assert [one.code for one in gazetteer.communes_of("10", date(2026, 1, 1))] == ["00002", "00003"]


@dataclass(frozen=True)
class Bureau:
    id: str
    commune_code: str
    era: str
    lat: float
    lng: float


def bureau(name: str, code: str, era: Era = "2020", north: float = 0.0) -> Bureau:
    """A post office that stands so many degrees north of the middle of its commune."""
    where = commune(code, era)
    return Bureau(name, code, era, (where.lat or 0) + north, where.lng or 0)


@pytest.mark.parametrize(
    ("offices", "code", "era", "answers"),
    [
        # In the commune itself, though another one is nearer to its middle.
        ([bureau("own", "22330", north=0.2), bureau("near", "22333")], "22330", "2020", "own"),
        # The same place under its present name.
        ([bureau("now", "22333", "2025", north=0.2), bureau("near", "22363")], "22330", "2020", "now"),
        ([bureau("then", "22330", north=0.2), bureau("near", "22366", "2025")], "22333", "2025", "then"),
        # In the district (Nha Trang) before a nearer one of the next district (Diên Khánh).
        ([bureau("district", "22363", north=0.5), bureau("next", "22651")], "22330", "2020", "district"),
        # In the old province before a nearer one beyond its border, although both are one province now.
        ([bureau("far", "22489"), bureau("beyond", "22759", north=0.4)], "22435", "2020", "far"),
        # Nobody else is left.
        ([bureau("a", "00715"), bureau("b", "08710")], "22330", "2020", "b"),
        ([bureau("b", "22330"), bureau("a", "22330")], "22330", "2020", "a"),
        ([bureau("a", "22330"), bureau("b", "22489")], "22736", "2025", "a"),
        ([], "22330", "2020", None),
        ([Bureau("lost", "99999", "2020", 12.0, 109.0)], "22330", "2020", "lost"),
    ],
)
def test_a_commune_is_served_by_its_own_office_before_a_nearer_one(
    offices: list[Bureau], code: str, era: Era, answers: str | None
) -> None:
    found = office_for(load(), offices, commune(code, era))
    assert (found.id if found else None) == answers


@pytest.mark.parametrize(
    ("communes", "links", "told"),
    [
        ([old("00001", "101"), old("00001", "102"), new("00001")], [Link("00001", "00001", "full")], "listed twice"),
        ([old("00001", "101"), new("00001")], [], "no link"),
        ([old("00001", "101"), new("00001")], [Link("00001", "00002", "full")], "unknown commune"),
        ([old("00001", "101", "99"), new("00001")], [Link("00001", "00001", "full")], "without a region"),
    ],
)
def test_a_table_with_gaps_is_refused_at_the_start_and_not_found_out_on_the_road(
    communes: list[Commune], links: list[Link], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        Gazetteer(communes, links, REGIONS)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đắk  Lắk", "dak lak"),
        ("THUỶ Thủy", "thuy thuy"),
        (unicodedata.normalize("NFD", "Phường Vĩnh Hải"), "phuong vinh hai"),
        ("Ơ Ư ơ ư Ỗ", "o u o u o"),
        ("", ""),
    ],
)
def test_a_search_without_accents_finds_the_accented_name(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_reading_the_tables_never_runs_the_package_that_calls_a_foreign_geocoder() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from dispatch.store.gazetteer import index; index();"
            "print([name for name in sys.modules if name.split('.')[0] in ('vietnamadminunits', 'geopy', 'requests')])",
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "[]"
