"""Reads official tables of communes: the statistics office's conversion table of 2025, code lists, plain link lists.

The first row that names known columns decides which table it is (docs/imports.md). Every row is checked; codes are
text of exactly 2, 3 or 5 digits and are never mended. What the table itself gets wrong in a way that the map in force
settles beyond doubt (one code printed for two communes of a district) is read right and told as a note.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date

from dispatch.domain.address_words import split_name
from dispatch.domain.places import Commune, Era, Extent, Gazetteer, Link, fold
from dispatch.domain.sheets import BadTable, Problem, Row

_COLUMNS = {
    "old_code": ("old_code", "ma xa cu"),
    "old_name": ("old_name", "ten xa cu"),
    "old_district_code": ("old_district_code",),
    "old_district": ("old_district", "quan/huyen"),
    "old_province_code": ("old_province_code",),
    "old_province": ("old_province", "tinh cu"),
    "new_code": ("new_code", "ma xa moi"),
    "new_codes": ("new_codes",),
    "new_name": ("new_name", "ten xa moi"),
    "new_province_code": ("new_province_code",),
    "new_province": ("new_province", "tinh, thanh pho"),
    "extent": ("extent",),
    "note": ("note", "note_source", "ghi chu"),
    "era": ("era",),
    "code": ("code",),
    "name": ("full_name", "name"),
    "province_code": ("province_code",),
    "province": ("province_name", "province"),
    "district_code": ("district_code",),
    "district": ("district_name", "district"),
    "lat": ("lat",),
    "lng": ("lng", "lon"),
    "valid_from": ("valid_from",),
    "valid_to": ("valid_to",),
    "decree": ("decree",),
}
_CODE_IN_NAME = re.compile(r"^(.*\S)\s*\((\w+)\)$")
_EXTENTS: dict[str, Extent] = {
    "unchanged": "full", "full": "full", "full_population": "full", "part": "part", "part_area": "part_area",
}  # fmt: skip
_NOTES: tuple[tuple[str, Extent], ...] = (
    # Who lives there decides: the people of one commune move whole although a strip of its land goes elsewhere.
    ("toan bo dan so", "full"), ("mot phan dien tich", "part_area"), ("mot phan", "part"), ("phan con lai", "part"),
    ("toan bo", "full"), ("giu nguyen", "full"), ("doi ten", "full"), ("doi loai hinh", "full"),
)  # fmt: skip
_TYPE_WORDS = frozenset({"phường", "xã", "thị trấn", "đặc khu", "huyện"})
MAX_PROBLEMS = 50


@dataclass
class UnitTable:
    """What a file says: communes, links, and notes for the person who imports it (Vietnamese and English)."""

    communes: dict[tuple[Era, str], Commune] = field(default_factory=dict)
    links: dict[tuple[str, str], Link] = field(default_factory=dict)
    notes: list[Problem] = field(default_factory=list)
    source: str = ""


class _Cells:
    """One row by column name, with the checks of single cells; what is wrong goes to `problems`."""

    def __init__(self, row: Row, places: dict[str, int], problems: list[Problem], notes: list[Problem]) -> None:
        self.line = row.line
        self._cells, self._places, self._problems, self._notes = row.cells, places, problems, notes

    def text(self, column: str) -> str:
        """The cell in NFC with single spaces, "" where the table has no such column."""
        at = self._places.get(column)
        value = self._cells[at] if at is not None and at < len(self._cells) else ""
        return " ".join(unicodedata.normalize("NFC", value).split())

    def wrong(self, vi: str, en: str) -> None:
        """What makes the file unfit to be taken."""
        self._problems.append(Problem(self.line, vi, en))

    def note(self, vi: str, en: str) -> None:
        """What was read otherwise than it stands in the file."""
        self._notes.append(Problem(self.line, vi, en))

    def code(self, column: str, digits: int, value: str | None = None) -> str:
        """A code of so many digits, exactly as it stands in the cell."""
        value = self.text(column) if value is None else value
        if not re.fullmatch(f"[0-9]{{{digits}}}", value):
            self.wrong(
                f"cột {column}: «{value}» không phải mã {digits} chữ số; để cột ở dạng văn bản, giữ số 0 ở đầu, sửa mã",
                f"column {column}: “{value}” is not a code of {digits} digits; keep the column as text with its "
                "leading zeros and put the code right",
            )
        return value

    def unit(self, name_column: str, code_column: str, digits: int) -> tuple[str, str]:
        """(code, name) of a district or province, from two columns or from one that reads "Quận Ba Đình (001)"."""
        name, code = self.text(name_column), self.text(code_column)
        written = _CODE_IN_NAME.match(name)
        if not code and written is not None:
            name, code = written[1], written[2]
        code = self.code(code_column if code_column in self._places else name_column, digits, code)
        if not name or "#" in name:
            self.wrong(f"cột {name_column}: thiếu tên", f"column {name_column}: the name is missing")
        return code, name

    def name(self, column: str, known: Commune | None) -> str:
        """A commune's name with its type word; one without is that of the commune with this code, or a problem."""
        name = self.text(column)
        typed = split_name(name)[0] in _TYPE_WORDS
        if not typed and known is not None and fold(name) in (fold(known.name), fold(split_name(known.name)[1])):
            self.note(f"«{name}» được đọc là {known.name}", f"“{name}” is read as {known.name}")
            return known.name
        if not typed or "#" in name:
            self.wrong(
                f"cột {column}: «{name}» phải bắt đầu bằng Xã, Phường, Thị trấn, Đặc khu hoặc Huyện (huyện đảo)",
                f"column {column}: “{name}” must begin with Xã, Phường, Thị trấn, Đặc khu or Huyện (island district)",
            )
        return name

    def day(self, column: str) -> date | None:
        """An ISO date, or None of an empty cell."""
        value = self.text(column)
        if not value:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.wrong(
                f"cột {column}: «{value}» không phải ngày; viết 2025-07-01 ở dạng văn bản",
                f"column {column}: “{value}” is not a date; write 2025-07-01 as text",
            )
            return None

    def degrees(self, column: str, low: float, high: float) -> float | None:
        """Degrees between two bounds, or None of an empty cell."""
        value = self.text(column)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            self.wrong(
                f"cột {column}: «{value}» không phải độ trong Việt Nam ({low:g}–{high:g})",
                f"column {column}: “{value}” is not a degree within Vietnam ({low:g} to {high:g})",
            )
            return None
        return number

    def extent(self) -> Extent:
        """From the column `extent`, else from the official note ("Nhập một phần diện tích")."""
        word, note = self.text("extent"), fold(self.text("note"))
        if word in _EXTENTS:
            return _EXTENTS[word]
        for phrase, extent in _NOTES:
            if not word and phrase in note:
                return extent
        told = word or self.text("note")
        self.wrong(
            f"«{told}» không nói nhập toàn bộ hay một phần; dùng {', '.join(_EXTENTS)} hoặc chữ của bảng chính thức",
            f"“{told}” does not say how much went over; write one of {', '.join(_EXTENTS)} or the official note",
        )
        return "part"


def read_units(rows: list[Row], in_force: Gazetteer, source: str) -> UnitTable:
    """The communes and links of a table; `source` (decree or file) is kept with what names none of its own.

    Raises `BadTable` with up to 50 problems where anything is wrong: nothing of a table with a fault is taken.
    """
    reader = _Reader(in_force, source)
    header, places = _header(rows)
    for row in rows[header + 1 :]:
        if sum(1 for cell in row.cells if cell) > 1:  # a line with one cell is a heading ("THÀNH PHỐ HÀ NỘI")
            reader.take(_Cells(row, places, reader.problems, reader.table.notes), places)
        if len(reader.problems) >= MAX_PROBLEMS:
            break
    if not reader.problems:
        reader.settle()
    if reader.problems:
        raise BadTable(sorted(reader.problems)[:MAX_PROBLEMS])
    if not reader.table.communes and not reader.table.links:
        raise BadTable([Problem(0, "tệp không có dòng dữ liệu", "the file holds no rows of data")])
    return reader.table


def _header(rows: list[Row]) -> tuple[int, dict[str, int]]:
    for number, row in enumerate(rows[:6]):
        folded = [fold(cell) for cell in row.cells]
        places = {}
        for column, spellings in _COLUMNS.items():
            at = next((folded.index(spelling) for spelling in spellings if spelling in folded), None)
            if at is not None:
                places[column] = at
        if {"old_code", "new_code"} <= places.keys() or {"old_code", "new_codes"} <= places.keys():
            return number, places
        if {"code", "name", "province_code", "province"} <= places.keys():
            return number, places
    raise BadTable(
        [
            Problem(
                rows[0].line,
                "không nhận ra tiêu đề cột; xem docs/imports.md",
                "no known column names: an official conversion table, old_code and new_code, or code, name, "
                "province_code and province are wanted; see docs/imports.md",
            )
        ]
    )


class _Reader:
    """Gathers the rows; `settle` looks at the table as a whole."""

    def __init__(self, in_force: Gazetteer, source: str) -> None:
        self.in_force = in_force
        self.table = UnitTable(source=source)
        self.problems: list[Problem] = []
        self._first_line: dict[tuple[Era, str], int] = {}
        self._homes: dict[tuple[Era, str], tuple[int, Commune]] = {}
        self._own_code = {
            (one.district_code, fold(one.name)): one.code for one in in_force if one.district_code is not None
        }

    def take(self, cells: _Cells, places: dict[str, int]) -> None:
        """One row of data."""
        before = len(self.problems)
        if "old_code" not in places:
            self._listed(cells)
            return
        old_code, new_codes = self._pair(cells, places)
        if "old_name" in places and len(self.problems) == before:
            old_code = self._old(cells, old_code)
        if "new_name" in places and len(self.problems) == before:
            code, province = cells.unit("new_province", "new_province_code", 2)
            name = cells.name("new_name", self.in_force.get(new_codes[0], "2025"))
            source = self._source(cells)
            self._add(cells, Commune(new_codes[0], "2025", name, code, province, None, None, None, None, source))
        if len(self.problems) > before:
            return
        extent: Extent = ("part" if len(new_codes) > 1 else "full") if "new_codes" in places else cells.extent()
        for new_code in new_codes:
            if (old_code, new_code) in self.table.links:
                told = f"{old_code} → {new_code}"
                cells.wrong(f"{told} đã có ở dòng trên; bỏ một dòng", f"{told} stands above already; take one out")
                return
            self.table.links[old_code, new_code] = Link(old_code, new_code, extent)

    def _pair(self, cells: _Cells, places: dict[str, int]) -> tuple[str, list[str]]:
        written = cells.text("new_codes").split() if "new_codes" in places else [cells.text("new_code")]
        column = "new_codes" if "new_codes" in places else "new_code"
        codes = [cells.code(column, 5, code) for code in written or [""]]
        return cells.code("old_code", 5), codes

    def _old(self, cells: _Cells, code: str) -> str:
        """The old commune of a row; returns its code, which is not the printed one where the table misprints it."""
        name = cells.name("old_name", self.in_force.get(code, "2020"))
        district_code, district = cells.unit("old_district", "old_district_code", 3)
        province_code, province = cells.unit("old_province", "old_province_code", 2)
        printed = self.in_force.get(code, "2020")
        own = self._own_code.get((district_code, fold(name)))
        if own is not None and own != code and printed is not None and fold(printed.name) != fold(name):
            cells.note(
                f"mã {code} là {printed.name}; {name} được đọc là {own}",
                f"{code} is {printed.name}; {name} is read as {own}",
            )
            code = own
        lat, lng = cells.degrees("lat", 8, 24), cells.degrees("lng", 102, 118)
        source = self._source(cells)
        self._add(
            cells, Commune(code, "2020", name, province_code, province, district_code, district, lat, lng, source)
        )
        return code

    def _listed(self, cells: _Cells) -> None:
        """A row of a code list; without a column `era` it is the list of the map in force since 1 July 2025."""
        era: Era = "2020" if cells.text("era") == "2020" else "2025"
        if cells.text("era") not in ("", "2020", "2025"):
            cells.wrong(f"cột era: «{cells.text('era')}» phải là 2020 hoặc 2025", "column era: 2020 or 2025 is wanted")
        code = cells.code("code", 5)
        name = cells.name("name", self.in_force.get(code, era))
        province_code, province = cells.unit("province", "province_code", 2)
        district_code, district = cells.unit("district", "district_code", 3) if era == "2020" else (None, None)
        lat, lng = cells.degrees("lat", 8, 24), cells.degrees("lng", 102, 118)
        valid_from, valid_to = cells.day("valid_from"), cells.day("valid_to")
        if valid_from and valid_to and valid_to < valid_from:
            cells.wrong("valid_to trước valid_from", "valid_to lies before valid_from")
        if (era, code) in self.table.communes:
            line = self._first_line[era, code]
            cells.wrong(f"mã {code} đã có ở dòng {line}; bỏ một dòng", f"{code} stands in line {line}; take one out")
            return
        self._add(
            cells,
            Commune(code, era, name, province_code, province, district_code, district, lat, lng, self._source(cells),
                    valid_from=valid_from, valid_to=valid_to),
        )  # fmt: skip

    def _source(self, cells: _Cells) -> str:
        return cells.text("decree") or self.table.source

    def _add(self, cells: _Cells, commune: Commune) -> None:
        unit = (commune.era, commune.code)
        first = self.table.communes.setdefault(unit, commune)
        line = self._first_line.setdefault(unit, cells.line)
        if first is commune:
            self._homes[unit] = (cells.line, commune)
        elif fold(first.name) != fold(commune.name):
            cells.wrong(
                f"mã {commune.code} là {first.name} ở dòng {line} mà là {commune.name} ở đây; sửa một trong hai mã",
                f"{commune.code} is {first.name} in line {line} and {commune.name} here; put one of the codes right",
            )
        elif (first.district_code, first.province_code) != (commune.district_code, commune.province_code):
            cells.wrong(
                f"{commune.name} ({commune.code}) thuộc nơi khác ở dòng {line}; sửa cho giống nhau",
                f"{commune.name} ({commune.code}) lies elsewhere in line {line}; make the two agree",
            )

    def settle(self) -> None:
        """Judge the table as a whole: districts in one province, links between known communes."""
        self._one_province_a_district()
        for old_code, new_code in self.table.links:
            units: tuple[tuple[Era, str], ...] = (("2020", old_code), ("2025", new_code))
            for era, code in units:
                if (era, code) not in self.table.communes and self.in_force.get(code, era) is None:
                    self.problems.append(
                        Problem(
                            0,
                            f"{old_code} → {new_code}: không có xã mã {code} trên bản đồ {era}; nhập danh mục trước",
                            f"{old_code} → {new_code}: no commune {code} on the map of {era}; import its list first",
                        )
                    )

    def _one_province_a_district(self) -> None:
        """A district lies in one province; a row that stands alone against several others is a misprint, and told."""
        votes: dict[str, Counter[tuple[str, str]]] = {}
        for _, one in self._homes.values():
            if one.district_code is not None:
                votes.setdefault(one.district_code, Counter())[one.province_code, one.province_name] += 1
        for unit, (line, one) in self._homes.items():
            homes = votes.get(one.district_code or "", Counter())
            (home, many), *others = homes.most_common() or [(("", ""), 0)]
            if not others or home[0] == one.province_code:
                continue
            told = f"{one.district_name} ({one.district_code})"
            told_vi = f"{told} thuộc tỉnh {home[0]} ở {many} dòng, {one.province_code} ở đây"
            told_en = f"{told} is in province {home[0]} on {many} rows, in {one.province_code} here"
            known = self.in_force.get(one.code, one.era)
            if known is not None and known.province_code == home[0]:
                self.table.notes.append(Problem(line, f"{told_vi}; đọc là {home[0]}", f"{told_en}; read as {home[0]}"))
                self.table.communes[unit] = replace(one, province_code=home[0], province_name=home[1])
            else:
                self.problems.append(Problem(line, f"{told_vi}; sửa cho giống nhau", f"{told_en}; make them agree"))
