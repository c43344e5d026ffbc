"""How far plans were from what happened, what learning made of it on days it had not seen, and what shops will ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain.hours import local_date
from dispatch.domain.report import Asked, Column, Report, Row, Words, too_large
from dispatch.flows.learnt import demand
from dispatch.live.held_out import Judged, Ridden, held_out
from dispatch.live.wanting import Demand

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "learning"
TITLE = Words("Học từ thực tế", "Learning from what was")
OPTIONS: frozenset[str] = frozenset()
TAUGHT = timedelta(days=120)
"""Days before the period from which is learnt."""
MOST = 30_000
DEFINITION = Words(
    "Mỗi dòng là một xã: stops = số điểm dừng đã xong trong kỳ có quét đến nơi; bias_min, p80_min = lệch trung vị và "
    "phân vị 80 của trị tuyệt đối (phút) giữa lúc đến và lúc kế hoạch; rides = số chặng đo được; before_s, after_s = "
    "sai số tuyệt đối trung bình (giây) của thời gian chạy trước và sau khi học, mỗi ngày chỉ học từ các ngày trước "
    "đó; p80_kept = tỷ lệ chặng không vượt phân vị 80 đã học (nên gần 0,8).",
    "One row per commune: stops = stops finished in the period whose arrival was scanned; bias_min, p80_min = median "
    "of the difference and 80th percentile of its absolute value (minutes) between arrival and plan; rides = rides "
    "measured; before_s, after_s = mean absolute error (seconds) of ride times before and after learning, each day "
    "learnt from the days before it only; p80_kept = share of rides within the learnt 80th percentile (should be near "
    "0.8).",
)
COLUMNS = (
    Column("commune_code", "Mã xã", "Commune code"),
    Column("commune", "Xã", "Commune"),
    Column("stops", "Điểm dừng", "Stops", "number"),
    Column("bias_min", "Lệch (phút)", "Bias (min)", "number"),
    Column("p80_min", "P80 lệch (phút)", "P80 of error (min)", "number"),
    Column("rides", "Chặng", "Rides", "number"),
    Column("before_s", "Sai số trước (giây)", "Error before (s)", "number"),
    Column("after_s", "Sai số sau (giây)", "Error after (s)", "number"),
    Column("p80_kept", "Tỷ lệ trong P80", "Share within p80", "number"),
)


@dataclass(frozen=True)
class Found:
    """The observations up to the end of the period, names of communes, the model in force, what shops will ask."""

    observations: list[Any]
    names: dict[str, str]
    model: str | None
    demand: Demand


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Found:
    """The observations of the period and of the time before it, and the notices of the weeks before its end."""
    begins = asked.begins_at - TAUGHT
    rows = session.learning.observations(asked.mode, begins, asked.ends_at, asked.province, MOST + 1)
    if len(rows) > MOST:
        raise too_large(MOST)
    found: dict[str, str] = {}
    for area in {row.area for row in rows}:
        commune = places.gazetteer.get(area, "2025") or places.gazetteer.get(area, "2020")
        found[area] = commune.name if commune else ""
    model = session.learning.model(asked.mode)
    expected = demand(session, asked.mode, asked.ends_at, asked.province)
    return Found(rows, found, model.version if model else None, expected)


def make(asked: Asked, found: Found) -> Report:
    """One row per commune; the same figures over all of them; what to expect of each shop by weekday and hour."""
    judged = held_out([_ridden(row) for row in found.observations if row.ride_s is not None], asked.first)
    rides: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        rides[one.ride.destination].append(one)
    off: dict[str, list[int]] = defaultdict(list)
    for row in found.observations:
        if row.off_s is not None and asked.covers(row.finished_at):
            off[row.area].append(row.off_s)
    areas = sorted(off.keys() | rides.keys())
    rows = [
        {"commune_code": area, "commune": found.names.get(area, ""), **_figures(off[area], rides[area])}
        for area in areas
    ]
    totals = _figures([one for its in off.values() for one in its], judged)
    expected = [
        {"shop_id": shop, "weekday": day, "hour": hour, "requests": round(count, 3)}
        for (shop, day, hour), count in sorted(found.demand.items())
    ]
    return Report(DEFINITION, COLUMNS, rows, totals, {"model": found.model, "demand": expected})


def _ridden(row: Any) -> Ridden:
    on = local_date(row.finished_at)
    return Ridden(on, row.from_area, row.area, row.province, row.band, row.ride_s, row.ride_planned_s)


def _figures(off: Sequence[int], rides: Sequence[Judged]) -> Row:
    return {
        "stops": len(off),
        "bias_min": _share(off, 0.5),
        "p80_min": _share([abs(one) for one in off], 0.8),
        "rides": len(rides),
        "before_s": round(sum(one.before_s for one in rides) / len(rides)) if rides else None,
        "after_s": round(sum(one.after_s for one in rides) / len(rides)) if rides else None,
        "p80_kept": round(sum(one.kept for one in rides) / len(rides), 3) if rides else None,
    }


def _share(seconds: Sequence[int], share: float) -> float | None:
    """The least of some seconds that this share of them does not exceed, in minutes."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    return round(ordered[max(0, -(-len(ordered) * int(share * 100) // 100) - 1)] / 60, 1)
