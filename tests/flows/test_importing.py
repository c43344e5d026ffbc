"""Tables an operator brings: all of it right, or nothing of it taken and every fault told with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from dispatch.__main__ import main
from dispatch.bootstrap import System, open_system
from dispatch.domain.addresses import resolve
from dispatch.domain.places import Commune
from dispatch.domain.sheets import BadTable, read
from dispatch.flows.importing import Taken, import_communes, import_couriers, import_shops
from dispatch.settings import Settings
from dispatch.store import Store, open_store
from dispatch.store.gazetteer import load

GEO = Path(__file__).parents[3] / "shared" / "data" / "geo" / "admin"
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
_KH, _NT = "Tỉnh Khánh Hòa (56)", "Thành phố Nha Trang (568)"
_ROWS = [
    ("Phường Bắc Nha Trang,22333", "Phường Vĩnh Hải,22330", "Nhập toàn bộ"),
    ("Phường Bắc Nha Trang,22333", "Phường Vĩnh Phước,22333", '"Nhập một phần diện tích, toàn bộ dân số"'),
    ("Phường Nha Trang,22366", "Phường Vĩnh Phước,22333", "Nhập một phần diện tích"),
    ("Phường Nha Trang,22366", "Phường Lộc Thọ,22363", "Nhập một phần"),
    ("Phường Bắc Nha Trang,22333", "Phường Lộc Thọ,22363", "Nhập một phần"),
]
OFFICIAL = (
    "Đơn vị hành chính từ ngày 01/7/2025,,,Đơn vị hành chính trước ngày 01/7/2025,,,,,\n"
    '"Tỉnh, thành phố",Tên Xã mới,Mã Xã mới,Tên Xã cũ,Mã Xã cũ,Ghi chú,Quận/huyện,Tỉnh cũ,\n'
    "TỈNH KHÁNH HÒA  ,,,,,,,,\n" + "".join(f"{_KH},{new},{old},{note},{_NT},{_KH},\n" for new, old, note in _ROWS)
)
SIMPLE = "era,code,name,province_code,province_name,district_code,district_name,lat,lng,valid_from,valid_to,decree\n"


@pytest.fixture
def store(clean_database: str) -> Iterator[Store]:
    opened = open_store(clean_database, connections=2)
    yield opened
    opened.close()


def system(store: Store) -> System:
    return open_system(Settings(database_url=store.engine.url.render_as_string(hide_password=False)), connections=2)


def take(store: Store, text: str | bytes, source: str = "NQ 202/2025/QH15") -> Taken:
    content = text.encode() if isinstance(text, str) else text
    with store.begin() as session:
        return import_communes(session, load(), content, source)


def refused(store: Store, text: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(BadTable) as found:
        take(store, text)
    assert imported(store) == ([], [])
    assert all(problem.vi and problem.en for problem in found.value.problems)
    return [(problem.line, problem.en) for problem in found.value.problems]


def imported(store: Store) -> tuple[list[Commune], list[object]]:
    with store.begin() as session:
        communes, links = session.units.imported()
        return communes, list(links)


def test_the_official_table_divides_a_commune_only_where_people_went_to_two(store: Store) -> None:
    taken = take(store, OFFICIAL)
    assert "3 communes of 2020, 2 of 2025, 5 links" in taken.told[0]
    places = system(store).places
    address = "phường {}, thành phố Nha Trang, tỉnh Khánh Hòa"
    land_only = resolve(places, address.format("Vĩnh Phước"), None, None, None, None)
    assert land_only.status == "exact" and land_only.today is not None and land_only.today.code == "22333"
    split = resolve(places, address.format("Lộc Thọ"), None, None, None, None)
    assert (split.status, split.today) == ("divided", None)
    assert {one.code for one, _ in split.candidates} == {"22333", "22366"}
    kept = places.gazetteer.get("22330", "2020")
    assert kept is not None and kept.source == "NQ 202/2025/QH15"
    assert (kept.valid_to, kept.lat is None, kept.district_code) == (date(2025, 6, 30), False, "568")


def test_what_a_table_does_not_name_stays_as_it_was(store: Store) -> None:
    take(store, OFFICIAL)
    places = system(store).places
    assert sum(1 for _ in places.gazetteer) == sum(1 for _ in load())
    found = resolve(places, "xã Lũng Cú, huyện Đồng Văn, tỉnh Hà Giang", None, None, None, None)
    assert found.status == "exact" and found.commune is not None and found.commune.code == "00715"


def test_a_system_without_imports_uses_the_packaged_map(store: Store) -> None:
    assert system(store).places.gazetteer is load()


def test_a_spreadsheet_says_the_same_as_its_csv(store: Store) -> None:
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(OFFICIAL)):
        book.active.append(row)
    kept = io.BytesIO()
    book.save(kept)
    written, printed = read(kept.getvalue()), read(OFFICIAL.encode())
    assert [(row.line, row.cells[:8]) for row in written[3:]] == [(row.line, row.cells[:8]) for row in printed[3:]]
    assert "5 links" in take(store, kept.getvalue()).told[0]


def test_a_code_that_became_a_number_in_the_spreadsheet_is_refused_and_not_mended(store: Store) -> None:
    book = openpyxl.Workbook()
    book.active.append(["code", "full_name", "province_code", "province"])
    book.active.append([691, "Phường Hà Giang 2", "08", "Tỉnh Tuyên Quang"])
    kept = io.BytesIO()
    book.save(kept)
    assert [(line, "691" in en and "leading zeros" in en) for line, en in refused(store, kept.getvalue())] == [
        (2, True)
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2025,#VALUE!,Xã Nghi Dương,31,Thành phố Hải Phòng,,,,,,,", "#VALUE!"),
        ("2025,2233,Phường Bắc Nha Trang,56,Tỉnh Khánh Hòa,,,,,,,", "5 digits"),
        ("2025,22333.0,Phường Bắc Nha Trang,56,Tỉnh Khánh Hòa,,,,,,,", "5 digits"),
        ("2025,２２３３３,Phường Bắc Nha Trang,56,Tỉnh Khánh Hòa,,,,,,,", "5 digits"),
        ("2025,22333,Phường Bắc Nha Trang,5,Tỉnh Khánh Hòa,,,,,,,", "2 digits"),
        ("2020,22330,Phường Vĩnh Hải,56,Tỉnh Khánh Hòa,56,Nha Trang,,,,,", "3 digits"),
        ("2024,22333,Phường Bắc Nha Trang,56,Tỉnh Khánh Hòa,,,,,,,", "2020 or 2025"),
        ("2025,22333,Bắc Nha Trang Hai,56,Tỉnh Khánh Hòa,,,,,,,", "must begin with"),
        ("2025,22333,Phường Bắc Nha Trang,56,,,,,,,,", "name is missing"),
        ("2025,22333,Phường Bắc Nha Trang,56,Tỉnh Khánh Hòa,,,122,12,,,", "degree"),
        ("2025,22333,Phường Bắc Nha Trang,56,Tỉnh Khánh Hòa,,,nan,109,,,", "degree"),
        ("2025,22333,Phường Bắc Nha Trang,56,Tỉnh Khánh Hòa,,,,,45839,,", "not a date"),
        ("2025,22333,Phường Bắc Nha Trang,56,Tỉnh Khánh Hòa,,,,,2026-01-01,2025-12-31,", "before"),
    ],
)
def test_one_bad_cell_refuses_the_file_and_names_its_line(store: Store, row: str, told: str) -> None:
    good = "2025,22366,Phường Nha Trang,56,Tỉnh Khánh Hòa,,,,,,,\n"
    problems = refused(store, SIMPLE + good + row + "\n")
    assert problems[0][0] == 3 and any(told in en for _, en in problems), problems


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SIMPLE + "2025,22333,Phường A,56,Tỉnh Khánh Hòa,,,,,,,\n" * 2, "stands in line 2"),
        (OFFICIAL + OFFICIAL.splitlines()[3] + "\n", "stands above"),
        ("old_code,new_code,extent\n22330,99999,full\n", "no commune 99999"),
        ("old_code,new_code,extent\n99999,22333,full\n", "no commune 99999"),
        ("old_code,new_code,extent\n22330,22333,mostly\n", "mostly"),
        (OFFICIAL.replace("Nhập toàn bộ", "xem ghi chú"), "xem ghi chú"),
        (OFFICIAL[::-1].replace("(568)"[::-1], "(571)"[::-1], 1)[::-1], "lies elsewhere"),
        (SIMPLE + "2025,99999,Xã Mới,56,Tỉnh Khánh Hòa,,,,,,,\n", "no link"),
        (SIMPLE + "2020,22330,Phường Vĩnh Hải,99,Tỉnh Lạ,568,Thành phố Nha Trang,,,,,\n", "region"),
        ("a,b\n1,2\n", "no known column names"),
        ("old_code,new_code,extent\n", "no rows"),
        ("", "empty"),
        (b"\xff\xfe\x00bad", "UTF-8"),
        (b"PK\x03\x04 not a book", "XLSX"),
        ('old_code,new_code,extent\n22330,"22333,full\n', "quotes"),
    ],
)  # fmt: skip
def test_a_table_that_does_not_fit_is_refused_whole(store: Store, text: str | bytes, told: str) -> None:
    assert any(told in en for _, en in refused(store, text))


def test_a_code_printed_for_two_communes_is_read_right_and_told(store: Store) -> None:
    lines = [
        "old_code,old_name,old_district_code,old_district,old_province_code,old_province,"
        "new_code,new_name,new_province_code,new_province,extent",
        "02485,Xã Công Đa,075,Huyện Yên Sơn,08,Tỉnh Tuyên Quang,02458,Xã Trung Sơn,08,Tỉnh Tuyên Quang,full",
        "02485,Xã Phú Thịnh,075,Huyện Yên Sơn,08,Tỉnh Tuyên Quang,02494,Xã Thái Bình,08,Tỉnh Tuyên Quang,full",
    ]
    taken = take(store, "\n".join(lines))
    assert [(note.line, "02482" in note.en) for note in taken.notes] == [(3, True)]
    assert [(link.old_code, link.new_code) for link in imported(store)[1]] == [("02482", "02494"), ("02485", "02458")]  # type: ignore[attr-defined]


def test_the_whole_table_of_the_country_divides_ten_communes_of_the_four_provinces(store: Store) -> None:
    """The official table where it lies beside the project, else the rows of this file."""
    file = GEO / "commune_mapping_2025.csv"
    take(store, file.read_bytes() if file.is_file() else OFFICIAL)
    gazetteer = system(store).places.gazetteer
    divided = [one for one in gazetteer if one.era == "2020" and len(gazetteer.today(one)) > 1]
    ours = {one.code for one in divided if one.province_code in ("02", "26", "56", "64")}
    ten = {"00688", "00967", "00988", "22435", "22438", "22450", "22456", "22465", "22471", "22711"}
    assert ours == (ten if file.is_file() else ten | {"22363"})
    assert not file.is_file() or len(divided) == 381


SHOPS = "id,name,province_code,commune_code,era,lat,lng,level,rooms.0.id,rooms.0.capacity,rooms.0.slot_minutes\n"


def test_shops_are_taken_with_their_rooms_or_not_at_all(store: Store) -> None:
    good = "kh-1,Một cửa Nha Trang,56,22333,2025,12.27,109.19,commune,A,20,30\n"
    with store.begin() as session:
        assert "1 created" in import_shops(session, load(), (SHOPS + good).encode(), "test", NOW).told[0]
    with store.begin() as session:
        shop = session.network.shop("test", "kh-1")
        assert shop is not None and (shop.level, shop.rooms[0]["capacity"]) == ("COMMUNE", 20)
    bad = (
        "kh-2,Hai,56,99999,2025,12.27,109.19,COMMUNE,,,\nkh-3,Ba,56,22333,2025,north,109,COMMUNE,,,\nkh 4,X,,,,,,,,,\n"
    )
    with pytest.raises(BadTable) as found, store.begin() as session:
        import_shops(session, load(), (SHOPS + good.replace("kh-1", "kh-9") + bad).encode(), "test", NOW)
    assert [problem.line for problem in found.value.problems] == [3, 4, 5]
    with store.begin() as session:
        assert [shop.id for shop in session.network.shops("test")] == ["kh-1"]


def test_couriers_need_an_office_and_a_phone_of_their_own(store: Store) -> None:
    office = {
        "name": "Bưu cục",
        "province_code": "56",
        "commune_code": "22333",
        "era": "2025",
        "lat": 12.2,
        "lng": 109.2,
    }
    with store.begin() as session:
        session.network.put_office(
            "test", "bc-1", office | {"lat": 12.2, "lng": 109.2, "hours_profile": "POST-DEFAULT"}, NOW
        )
    header = "id,name,phone,pin,home_office_id,skills,communes\n"
    good = "bt-1,Lê Văn A,0905000001,0042,bc-1,HCC;COLD,22333@2025;22366@2025\n"
    with store.begin() as session:
        import_couriers(session, (header + good).encode(), "test", NOW, lambda pin: f"hash of {pin}")
        courier = session.network.courier("test", "bt-1")
        assert courier is not None and courier.pin_hash == "hash of 0042" and courier.skills == ["HCC", "COLD"]
        assert [one["code"] for one in courier.communes] == ["22333", "22366"]
    bad = "bt-2,B,0905000001,1234,bc-1,,\nbt-3,C,0905000003,1234,bc-x,,\nbt-4,D,0905000004,12a4,bc-1,,\n"
    with pytest.raises(BadTable) as found, store.begin() as session:
        import_couriers(session, (header + bad).encode(), "test", NOW, str)
    assert [problem.line for problem in found.value.problems] == [2, 3, 4]
    with pytest.raises(BadTable, match="unknown or missing columns: salary"), store.begin() as session:
        import_couriers(session, b"id,salary\nbt-1,5\n", "test", NOW, str)


def test_the_command_says_what_it_did_or_where_the_fault_is(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCH_DATABASE_URL", store.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("DISPATCH_REDIS_URL", "redis://127.0.0.1:1/0")
    good, bad = tmp_path / "bang.csv", tmp_path / "sai.csv"
    good.write_text(OFFICIAL, encoding="utf-8")
    bad.write_text("old_code,new_code,extent\n22330,#VALUE!,full\n", encoding="utf-8")
    assert main(["import", "communes", str(bad)]) == 2
    told = capsys.readouterr().err
    assert "sai.csv:2:" in told and "#VALUE!" in told and "nothing was taken" in told
    assert main(["import", "communes", str(tmp_path / "away.csv")]) == 2
    assert imported(store) == ([], [])
    assert main(["import", "communes", str(good), "--source", "NQ 1667/NQ-UBTVQH15"]) == 0
    assert "5 links taken" in capsys.readouterr().out
    assert {one.source for one in imported(store)[0]} == {"NQ 1667/NQ-UBTVQH15"}
