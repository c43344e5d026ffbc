"""What went wrong, by one-stop shop and reason: for the inspections of the province.

2964/UBND-KSTT (Khánh Hòa, 1/4/2020) §7 and Vĩnh Phúc (March 2020) §§11–12: difficulties are collected and reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch.domain.report import Asked, Column, Report, Row, Words
from dispatch.domain.tracking import Event, fold
from dispatch.domain.verdicts import fault_of, outcome_of

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "incidents"
TITLE = Words("Sự cố và vướng mắc", "Incidents")
OPTIONS: frozenset[str] = frozenset()
EVENTS = {
    "collect_failed": "PICKUP_FAILED",
    "delivery_failed": "DELIVERY_FAILED",
    "refused": "REFUSED",
    "handover_refused": "HANDOVER_REFUSED",
    "lost": "LOST",
    "damaged": "DAMAGED",
}
_WORDS = {
    "PICKUP_FAILED": "chưa thu gom được",
    "DELIVERY_FAILED": "chưa phát được",
    "REFUSED": "từ chối nhận",
    "HANDOVER_REFUSED": "một cửa không nhận",
    "LOST": "mất",
    "DAMAGED": "hư hỏng",
    "BREACHED": "trễ cam kết",
    "COMPLAINT": "khiếu nại",
    "LATE_NOTICE": "điều tin đến trễ",
}
DEFINITION = Words(
    "Đếm theo một cửa, loại sự cố và lý do, từ ngày đầu đến ngày cuối kỳ, tính cả hai ngày: lần thu gom, phát "
    "không thành (lý do bưu tá ghi), từ chối nhận, một cửa không nhận bàn giao, mất, hư hỏng (theo thời điểm "
    "xảy ra, không tính việc đã được sửa lại); cam kết trễ (theo hạn; lý do là bên gây ra); khiếu nại (theo "
    "ngày nộp; lý do là loại khiếu nại); điều tin đến trễ hơn 15 phút (theo ngày yêu cầu).",
    "Counted by one-stop shop, kind of incident and reason, from the first to the last day, both included: "
    "collections and deliveries that failed (the courier's reason), refusals, hand-overs the shop refused, "
    "losses, damages (by when they happened, what was taken back is left out); broken promises (by when they "
    "were due; the reason is the party at fault); complaints (by when they were lodged; the reason is their "
    "kind); notices that came more than 15 minutes late (by the day of the request).",
)
COLUMNS = (
    Column("shop_id", "Mã một cửa", "Shop"),
    Column("shop_name", "Một cửa", "One-stop shop"),
    Column("incident", "Sự cố", "Incident", said=_WORDS),
    Column("reason", "Lý do", "Reason"),
    Column("count", "Số lần", "Count", "number"),
    Column("first_at", "Lần đầu", "First", "instant"),
    Column("last_at", "Lần cuối", "Last", "instant"),
)


class Incident(NamedTuple):
    """One thing that went wrong."""

    shop_id: str
    incident: str
    reason: str | None
    at: datetime
    dossier_code: str


@dataclass(frozen=True)
class Found:
    """What the incidents are told from: whole histories of legs, promises due, complaints, late notices."""

    shops: dict[str, str]
    histories: Iterable[Any]
    promises: Iterable[Any]
    complaints: Iterable[Any]
    late_notices: Iterable[Any]


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Found:
    """Everything the period's incidents stand in, in pages."""
    period = (asked.mode, asked.begins_at, asked.ends_at, asked.province)
    return Found(
        shops=session.reporting.shop_names(asked.mode),
        histories=session.reporting.histories(*period, tuple(EVENTS)),
        promises=session.reporting.promises(*period),
        complaints=session.reporting.complaints(*period),
        late_notices=session.reporting.late_notices(*period),
    )


def make(asked: Asked, found: Found) -> Report:
    """One row per shop, kind of incident and reason; the dossiers concerned stand in the row."""
    rows: dict[tuple[str, str, str], Row] = {}
    totals: dict[str, int] = {}
    for one in _all(asked, found):
        key = (one.shop_id, one.incident, one.reason or "")
        row = rows.setdefault(
            key,
            {
                "shop_id": one.shop_id,
                "shop_name": found.shops.get(one.shop_id, one.shop_id),
                "incident": one.incident,
                "reason": one.reason,
                "count": 0,
                "first_at": one.at,
                "last_at": one.at,
                "dossier_codes": [],
            },
        )
        row["count"] += 1
        row["first_at"], row["last_at"] = min(row["first_at"], one.at), max(row["last_at"], one.at)
        if one.dossier_code not in row["dossier_codes"]:
            row["dossier_codes"].append(one.dossier_code)
        totals[one.incident] = totals.get(one.incident, 0) + 1
    listed = [rows[key] for key in sorted(rows)]
    return Report(DEFINITION, COLUMNS, listed, {"count": sum(totals.values()), "by_incident": totals})


def _all(asked: Asked, found: Found) -> Iterator[Incident]:
    for _, history in groupby(found.histories, key=lambda row: (row.request_id, row.leg)):
        yield from _of_leg(asked, list(history))
    for leg in found.promises:
        if outcome_of(leg, asked.now) == "breached":
            yield Incident(leg.shop_id, "BREACHED", fault_of(leg), leg.due_at, leg.dossier_code)
    for one in found.complaints:
        yield Incident(one.shop_id, "COMPLAINT", one.kind, one.lodged_at, one.dossier_code)
    for one in found.late_notices:
        yield Incident(one.shop_id, "LATE_NOTICE", None, one.created_at, one.dossier_code)


def _of_leg(asked: Asked, rows: list[Any]) -> Iterator[Incident]:
    """The incidents of one leg that took effect in the period."""
    events = [
        Event(row.id, row.type, row.occurred_at, row.device_seq or 0, row.courier_id, row.payload) for row in rows
    ]
    for step in fold(rows[0].leg, events).steps:
        event = step.event
        if event.type in EVENTS and not step.implied and asked.covers(event.occurred_at):
            reason = event.payload.get("reason")
            word = None if reason is None else str(reason)
            yield Incident(rows[0].shop_id, EVENTS[event.type], word, event.occurred_at, rows[0].dossier_code)
