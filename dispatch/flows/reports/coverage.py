"""Which communes have a reception point, and for how many hours a week.

2964/UBND-KSTT (Khánh Hòa, 1/4/2020) §3: a point in every commune; 659/UBND-KGVX (Gia Lai, 27/3/2020) §3: points and
hours by class of area.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from dispatch.domain.hours import Calendar
from dispatch.domain.places import Commune, Gazetteer
from dispatch.domain.report import Asked, Column, Report, Row, Words
from dispatch.flows.calendars import calendar_of

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "coverage"
TITLE = Words("Điểm tiếp nhận theo xã", "Reception points by commune")
OPTIONS: frozenset[str] = frozenset()
UNCLASSED = "UNCLASSED"
DEFINITION = Words(
    "Mọi xã, phường, thị trấn của tỉnh có hiệu lực vào ngày cuối kỳ (đến hết 30/6/2025 theo bản đồ 63 tỉnh, từ "
    "1/7/2025 theo bản đồ 34 tỉnh). Có điểm (covered): có ít nhất một điểm tiếp nhận hoạt động vào ngày đó (bưu "
    "cục, điểm bưu điện văn hóa xã, bàn tại Ủy ban nhân dân) hoặc một bưu cục của bưu điện. Điểm ghi theo bản "
    "đồ khác chỉ được tính khi xã đó ứng với đúng một xã. Giờ mỗi tuần: tổng giờ mở cửa của tuần thường lệ vào "
    "ngày đó, cộng theo các điểm.",
    "Every commune, ward and township of the province in existence on the last day (the map of 63 provinces "
    "until 30/6/2025, of 34 from 1/7/2025). covered: has at least one reception point active that day (post "
    "office, commune post-culture point, desk at the committee) or an office of the post. A point kept on the "
    "other map counts only where its commune is exactly one commune here. Weekly hours: opening hours of the "
    "usual week on that day, summed over the points.",
)
COLUMNS = (
    Column("province_code", "Tỉnh", "Province"),
    Column("code", "Mã xã", "Code"),
    Column("name", "Xã, phường", "Commune"),
    Column("district_name", "Huyện (đến 2025)", "District (until 2025)"),
    Column("area_class", "Loại vùng", "Area class"),
    Column("covered", "Có điểm", "Covered"),
    Column("points", "Số điểm", "Points", "number"),
    Column("weekly_hours", "Giờ mỗi tuần", "Hours a week", "number"),
)


@dataclass(frozen=True)
class Found:
    """The communes of the day, the places that serve them, and each hours profile's usual week."""

    gazetteer: Gazetteer
    communes: Sequence[Commune]
    points: Sequence[Any]
    offices: Sequence[Any]
    classes: Mapping[tuple[str, str], str]
    weekly_hours: Mapping[str, float]


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Found:
    """The communes that exist on the last day, and the points and offices of this world."""
    gazetteer, mode = places.gazetteer, asked.mode
    provinces = [asked.province] if asked.province else sorted({commune.province_code for commune in gazetteer})
    points = [point for point in session.sites.points(mode) if point.active_on(asked.last)]
    offices = session.network.offices(mode)
    profiles = {point.hours_profile for point in points} | {office.hours_profile for office in offices}
    return Found(
        gazetteer=gazetteer,
        communes=[one for code in provinces for one in gazetteer.communes_of(code, asked.last)],
        points=points,
        offices=offices,
        classes={(one.code, one.era): one.area_class for one in session.sites.commune_settings(mode) if one.area_class},
        weekly_hours={
            profile: weekly_hours(calendar_of(session, scene, mode, profile, "POST-DEFAULT"), asked.last)
            for profile in profiles
        },
    )


def weekly_hours(calendar: Calendar, day: date) -> float:
    """The opening hours of the usual week in force on a day."""
    return sum(closes - opens for spans in calendar.week_on(day).spans for opens, closes in spans) / 60


def make(asked: Asked, found: Found) -> Report:
    """One row per province with its missing communes; the printed table lists every commune."""
    lines = _lines(found)
    rows = [_province(code, lines) for code in sorted({line["province_code"] for line in lines})]
    missing = [one for row in rows for one in row["missing"]]
    counts = {name: sum(row[name] for row in rows) for name in ("communes", "covered", "points")}
    totals = {**counts, "missing": missing, "by_class": _by_class(lines)}
    facts = {"communes": counts["communes"], "covered": counts["covered"], "missing": missing}
    summary = Words(
        f"{counts['communes']} xã, phường; {counts['covered']} có điểm; {len(missing)} chưa có",
        f"{counts['communes']} communes; {counts['covered']} covered; {len(missing)} missing",
    )
    return Report(DEFINITION, COLUMNS, rows, totals, facts, lines=lines, summary=(summary,))


def _lines(found: Found) -> list[Row]:
    """One line per commune, by province and code."""
    lines: dict[tuple[str, str], Row] = {}
    for commune in sorted(found.communes, key=lambda one: (one.province_code, one.code)):
        lines[commune.code, commune.era] = {
            "province_code": commune.province_code,
            "province_name": commune.province_name,
            "code": commune.code,
            "name": commune.name,
            "district_name": commune.district_name,
            "area_class": found.classes.get((commune.code, commune.era)),
            "covered": False,
            "points": 0,
            "weekly_hours": 0.0,
        }
    era = next(iter(lines))[1] if lines else "2020"
    for place in (*found.points, *found.offices):
        line = lines.get((_commune_code(found.gazetteer, place, era), era))
        if line is None:
            continue
        line["covered"] = True
        line["points"] += 1
        line["weekly_hours"] = round(line["weekly_hours"] + found.weekly_hours[place.hours_profile], 1)
        line["area_class"] = line["area_class"] or getattr(place, "area_class", None)
    return list(lines.values())


def _commune_code(gazetteer: Gazetteer, place: Any, era: str) -> str:
    """The code of the one commune of `era` that a place lies in; empty where the other map does not tell."""
    if place.era == era:
        return str(place.commune_code)
    commune = gazetteer.get(place.commune_code, place.era)
    if commune is None:
        return ""
    found = gazetteer.today(commune) if era == "2025" else gazetteer.before(commune)
    return found[0].code if len(found) == 1 else ""


def _province(code: str, lines: Sequence[Row]) -> Row:
    own = [line for line in lines if line["province_code"] == code]
    return {
        "province_code": code,
        "province_name": own[0]["province_name"],
        "communes": len(own),
        "covered": sum(line["covered"] for line in own),
        "missing": [{"code": line["code"], "name": line["name"]} for line in own if not line["covered"]],
        "points": sum(line["points"] for line in own),
        "by_class": _by_class(own),
        "by_commune": own,
    }


def _by_class(lines: Iterable[Row]) -> list[Row]:
    """Communes, points and weekly hours by class of area."""
    found: dict[str, Row] = {}
    for line in lines:
        name = line["area_class"] or UNCLASSED
        empty: Row = {"area_class": name, "communes": 0, "covered": 0, "points": 0, "weekly_hours": 0.0}
        row = found.setdefault(name, empty)
        row["communes"] += 1
        row["covered"] += line["covered"]
        row["points"] += line["points"]
        row["weekly_hours"] = round(row["weekly_hours"] + line["weekly_hours"], 1)
    return [found[name] for name in sorted(found)]
