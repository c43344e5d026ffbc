"""The list of dossiers whose postage is not collected for the time being, for the province that owes it.

2964/UBND-KSTT (Khánh Hòa, 1/4/2020) §2 ¶2: the post compiles list, number of dossiers and details before 20/4/2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dispatch.domain.hours import PublicHolidays, local_date
from dispatch.domain.money import dong_text
from dispatch.domain.receivables import deadlines, deferred_amount
from dispatch.domain.reductions import DeferParams
from dispatch.domain.report import ZONE_WORDS, Asked, Column, Report, Row, Words, capped

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "deferred-postage"
TITLE = Words("Danh sách cước tạm thời chưa thu", "Deferred postage")
OPTIONS: frozenset[str] = frozenset()
DEFINITION = Words(
    "Mỗi dòng là một hồ sơ mà bưu điện tạm thời chưa thu cước (đã tính đủ cước, người dân trả 0 đ, tỉnh là bên "
    "nợ), đăng ký từ ngày đầu đến ngày cuối kỳ, tính cả hai ngày. Số tiền là cước đủ theo bảng cước của hồ sơ "
    "đó. Hồ sơ đang chờ xét và hồ sơ đã hủy không có trong danh sách. DEFERRED: tỉnh chưa quyết định; "
    "SETTLED_BY_PROVINCE: tỉnh đã chi; RECLAIMABLE: tỉnh không chi. Danh sách chính (MAIN) gồm hồ sơ đăng ký "
    "trước hạn nộp; hồ sơ đăng ký sau vào danh sách bổ sung (SUPPLEMENTARY), đã qua xét duyệt.",
    "One row per dossier whose postage the post does not collect for the time being (computed in full, the "
    "citizen pays 0, the province owes it), registered from the first to the last day, both included. The "
    "amount is the dossier's full postage. Dossiers under review and cancelled ones are not listed. DEFERRED: "
    "the province has not decided; SETTLED_BY_PROVINCE: it pays; RECLAIMABLE: it does not. The main list (MAIN) "
    "holds what was registered before the list was due; later ones, each reviewed, go on the supplementary list "
    "(SUPPLEMENTARY).",
)
_STATUS = {"DEFERRED": "chưa quyết", "SETTLED_BY_PROVINCE": "tỉnh đã chi", "RECLAIMABLE": "tỉnh không chi"}
_LIST = {"MAIN": "chính", "SUPPLEMENTARY": "bổ sung"}
COLUMNS = (
    Column("dossier_code", "Mã hồ sơ", "Dossier code"),
    Column("citizen_name", "Họ tên", "Name", personal=True),
    Column("address", "Địa chỉ", "Address"),
    Column("shop_id", "Một cửa", "One-stop shop"),
    Column("submitted_on", "Ngày nộp", "Filed on", "date"),
    Column("registered_on", "Ngày đăng ký", "Registered on", "date"),
    Column("weight_g", "Khối lượng, g", "Weight, g", "number"),
    Column("zone", "Vùng cước", "Zone", said=ZONE_WORDS),
    Column("amount", "Cước", "Postage", "money"),
    Column("item_id", "Số hiệu", "Item number"),
    Column("status", "Tình trạng", "Status", said=_STATUS),
    Column("list", "Danh sách", "List", said=_LIST),
)


@dataclass(frozen=True)
class Found:
    """The legs with a deferral; by which day each rule wants its list (rule id → day), and the rules that hold now."""

    legs: list[Any]
    due_before: Mapping[str, date]
    in_hand: frozenset[str]
    holidays: PublicHolidays


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Found:
    """The deferred legs registered in the period, and the rules that deferred them."""
    rows = session.reporting.deferred(asked.mode, asked.begins_at, asked.ends_at, asked.province)
    deferring = [rule for rule in scene.book.rules if rule.kind == "DEFER"]
    wanted = ((rule.id, rule.params_as(DeferParams).list_due_before) for rule in deferring)
    provinces = {rule.province_code for rule in deferring} if asked.province is None else {asked.province}
    known = (rule.id for code in provinces for rule in scene.book.known("DEFER", code, scene.now))
    due_before = {rule_id: day for rule_id, day in wanted if day is not None}
    return Found(capped(rows), due_before, frozenset(known), scene.book.holidays)


def make(asked: Asked, found: Found) -> Report:
    """One row per deferred leg, the totals by list, and by when the list must be handed over."""
    rows = [row for leg in found.legs if (row := _row(leg, found.due_before)) is not None]
    facts: Row = {}
    summary = [
        Words(
            f"{len(rows)} hồ sơ, {dong_text(sum(row['amount'] for row in rows))}",
            f"{len(rows)} dossiers, {dong_text(sum(row['amount'] for row in rows))}",
        )
    ]
    days = [day for rule_id, day in found.due_before.items() if rule_id in found.in_hand]
    if days:
        due_at, hard_stop_at = deadlines(min(days), found.holidays)
        facts = {"due_at": due_at, "hard_stop_at": hard_stop_at}
        vi, en = "Nộp danh sách chậm nhất {0}, hạn cuối {1}", "List due {0}, hard stop {1}"
        said = (f"{due_at:%H:%M %d/%m/%Y}", f"{hard_stop_at:%H:%M %d/%m/%Y}")
        summary.append(Words(vi.format(*said), en.format(*said)))
    return Report(DEFINITION, COLUMNS, rows, totals(rows), facts, summary=tuple(summary))


def totals(rows: list[Row]) -> Row:
    """Number and sum of everything and of each list."""
    parts = {"main": "MAIN", "supplementary": "SUPPLEMENTARY"}
    by_list = {name: _sum([row for row in rows if row["list"] == code]) for name, code in parts.items()}
    return {**_sum(rows), **by_list}


def _sum(rows: list[Row]) -> Row:
    return {"count": len(rows), "amount": sum(row["amount"] for row in rows)}


def _row(leg: Any, due_before: Mapping[str, date]) -> Row | None:
    """One row; None where nothing of this leg is deferred any more, or the deferral is another leg's."""
    amount = deferred_amount(leg.quote, leg.leg)
    if amount == 0:
        return None
    registered_on = local_date(leg.registered_at)
    lines = [line for line in leg.quote["lines"] if line["code"] == "deferral" and line["leg"] == leg.leg]
    due = due_before.get(lines[-1]["basis"]["rule_id"])
    settlement = leg.quote.get("settlement")
    return {
        "dossier_code": leg.dossier_code,
        "citizen_name": leg.citizen_name,
        "address": leg.address,
        "shop_id": leg.shop_id,
        "submitted_on": None if leg.submitted_at is None else local_date(leg.submitted_at),
        "registered_on": registered_on,
        "weight_g": leg.weight_g,
        "zone": leg.zone,
        "amount": amount,
        "item_id": leg.item_id,
        "status": "DEFERRED" if settlement is None else settlement["outcome"],
        "list": "SUPPLEMENTARY" if due is not None and _came_late(leg, registered_on, due) else "MAIN",
        "request_id": leg.request_id,
        "decision_no": None if settlement is None else settlement["decision_no"],
    }


def _came_late(leg: Any, registered_on: date, due: date) -> bool:
    """Whether a dossier was registered, or its deferral decided, when the list was due already."""
    review = leg.quote.get("review")
    decided_late = review is not None and local_date(datetime.fromisoformat(review["at"])) >= due
    return decided_late or registered_on >= due
