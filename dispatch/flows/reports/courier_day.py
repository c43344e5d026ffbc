"""What each courier did on each date: stops, items, kilometres, first and last sign of life, promises kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from dispatch.domain.report import Asked, Column, Report, Row, Words

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "courier-day"
TITLE = Words("Ngày làm việc của bưu tá", "Couriers' days")
OPTIONS: frozenset[str] = frozenset()
DEFINITION = Words(
    "Mỗi dòng là một bưu tá trong một ngày của kỳ, tính cả ngày đầu và ngày cuối. Điểm dừng theo lộ trình có "
    "hiệu lực (không tính điểm đã rút): xong khi không còn việc mở và có ít nhất một việc xong; hỏng khi mọi "
    "việc đều hỏng. Hồ sơ là số việc (nhận hoặc giao) ở các điểm dừng. Quãng đường là của lộ trình theo kế "
    "hoạch. Lần quét đầu, cuối theo giờ điện thoại đã hiệu chỉnh. Thu gom và cam kết đạt tính cho bưu tá đã thu "
    "gom, theo ngày thu gom.",
    "One row per courier and date of the period, first and last day included. Stops are those of the round in "
    "force (withdrawn ones left out): done where nothing is open and something was done, failed where "
    "everything failed. Items are the tasks (to take or to hand over) at the stops. The distance is the planned "
    "round's. First and last scan by the phone's corrected time. Collections and promises met count for the "
    "courier who collected, on that day.",
)
_COUNTS = (
    "stops_planned",
    "stops_done",
    "stops_failed",
    "stops_open",
    "items",
    "items_done",
    "items_failed",
    "collected",
)
COLUMNS = (
    Column("date", "Ngày", "Date", "date"),
    Column("courier_id", "Mã bưu tá", "Courier id"),
    Column("courier_name", "Bưu tá", "Courier"),
    Column("stops_planned", "Điểm dừng", "Stops", "number"),
    Column("stops_done", "Xong", "Done", "number"),
    Column("stops_failed", "Hỏng", "Failed", "number"),
    Column("items", "Hồ sơ", "Items", "number"),
    Column("items_done", "Hồ sơ xong", "Items done", "number"),
    Column("items_failed", "Hồ sơ hỏng", "Items failed", "number"),
    Column("distance_m", "Quãng đường, m", "Distance, m", "number"),
    Column("first_scan_at", "Quét đầu", "First scan", "instant"),
    Column("last_scan_at", "Quét cuối", "Last scan", "instant"),
    Column("collected", "Thu gom", "Collected", "number"),
    Column("promises_met", "Cam kết đạt", "Promises met", "number"),
)


@dataclass(frozen=True)
class Found:
    """Stops, scans and collections; `names` of all couriers, `ours` those of the province (None: everybody)."""

    names: dict[str, str]
    ours: frozenset[str] | None
    stops: Iterable[Any]
    scans: Iterable[Any]
    collections: Iterable[Any]


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Found:
    """What the period's rounds planned and what the phones reported."""
    reporting = session.reporting
    return Found(
        names=reporting.courier_names(asked.mode),
        ours=reporting.couriers_of(asked.mode, asked.province),
        stops=reporting.stops(asked.mode, asked.first, asked.last),
        scans=reporting.scans(asked.mode, asked.begins_at, asked.ends_at),
        collections=reporting.collections(asked.mode, asked.begins_at, asked.ends_at),
    )


def make(asked: Asked, found: Found) -> Report:
    """One row per courier and date on which he had a round or his phone said something."""
    rows: dict[tuple[date, str], Row] = {}

    def row_of(day: date, courier_id: str) -> Row:
        name = found.names.get(courier_id, courier_id)
        return rows.setdefault((day, courier_id), _empty(day, courier_id, name))

    for stop in found.stops:
        row = row_of(stop.date, stop.courier_id)
        row["distance_m"] = stop.distance_m
        if stop.stop_id is not None:
            _count_stop(row, stop)
    for scan in found.scans:
        row = row_of(scan.day, scan.courier_id)
        row["first_scan_at"], row["last_scan_at"] = scan.first_at, scan.last_at
    for one in found.collections:
        row = row_of(one.day, one.courier_id)
        row["collected"], row["promises_met"] = one.collected, one.met
    listed = [
        rows[key]
        for key in sorted(rows)
        # Who is no courier of ours (a rehearsed event) belongs to no province and is shown in each.
        if found.ours is None or key[1] in found.ours or key[1] not in found.names
    ]
    totals = {name: sum(row[name] for row in listed) for name in (*_COUNTS, "promises_met", "distance_m")}
    return Report(DEFINITION, COLUMNS, listed, totals)


def _count_stop(row: Row, stop: Any) -> None:
    row["stops_planned"] += 1
    state = "open" if stop.open else ("done" if stop.done else "failed")
    row[f"stops_{state}"] += 1
    row["items"] += stop.open + stop.done + stop.failed
    row["items_done"] += stop.done
    row["items_failed"] += stop.failed


def _empty(day: date, courier_id: str, name: str) -> Row:
    row: Row = {"date": day, "courier_id": courier_id, "courier_name": name, **dict.fromkeys(_COUNTS, 0)}
    return row | {"promises_met": 0, "distance_m": 0, "first_scan_at": None, "last_scan_at": None}
