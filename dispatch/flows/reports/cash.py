"""Cash by courier and shift, and what is still on its way: fees to the authority, refunds, deferred postage.

Postage and state fees never meet in one figure: fees are passed through to the authority (QĐ 45/2016/QĐ-TTg art 11).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch.domain import cash
from dispatch.domain.consignment import LEGS_OF
from dispatch.domain.hours import PublicHolidays, local_date
from dispatch.domain.money import dong_text
from dispatch.domain.receivables import deferred_amount
from dispatch.domain.report import Asked, Column, Report, Row, Words
from dispatch.flows.paying import owed

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "cash"
TITLE = Words("Tiền mặt theo ca", "Cash by shift")
OPTIONS: frozenset[str] = frozenset()
DEFINITION = Words(
    "Mỗi dòng là một bưu tá trong một ca (ngày) của kỳ, tính cả ngày đầu và ngày cuối: cước và phí, lệ phí đã "
    "thu tiền mặt, đã nộp quỹ, phí đã nộp cùng hồ sơ, chênh lệch (dương: thiếu; âm: thừa) và ca đã khóa hay "
    "chưa; việc đã sửa lại được trừ bằng bút toán ngược. Ngoài các ca, tính đến lúc lập báo cáo, bất kể kỳ: "
    "phí, lệ phí đã thu chưa nộp cho cơ quan (chặng trả: quá hạn khi hết ngày làm việc kế tiếp ngày thu; chặng "
    "nhận: nộp cùng hồ sơ), tiền phải hoàn cho người dân; và riêng ra, cước tạm thời chưa thu do tỉnh nợ (đăng "
    "ký đến hết kỳ, tỉnh chưa quyết định).",
    "One row per courier and shift (date) of the period, first and last day included: postage and state fees "
    "taken in cash, handed in, fees that went with the dossier, the difference (positive: missing, negative: "
    "too much), and whether the shift is closed; what was taken back is booked with the opposite sign. Beside "
    "the shifts, as of now, whatever the period: fees collected and not yet remitted to the authority (return "
    "leg: overdue after the working day that follows collection; send leg: remitted with the dossier), money to "
    "be refunded to citizens; and apart, deferred postage the province owes (registered up to the end of the "
    "period, undecided).",
)
COLUMNS = (
    Column("date", "Ngày", "Date", "date"),
    Column("courier_id", "Mã bưu tá", "Courier id"),
    Column("courier_name", "Bưu tá", "Courier"),
    *(
        Column(f"{figure}.{purse}", f"{vi} {purse_vi}", f"{en}, {purse_en}", "money")
        for figure, vi, en in (
            ("taken", "Thu", "Taken"),
            ("handed_in", "Nộp quỹ", "Handed in"),
            ("difference", "Chênh lệch", "Difference"),
        )
        for purse, purse_vi, purse_en in (("postage", "cước", "postage"), ("state_fee", "phí", "state fee"))
    ),
    Column("remitted_with_dossier", "Phí nộp cùng hồ sơ", "Fee with dossier", "money"),
    Column("closed", "Đã khóa ca", "Closed"),
    Column("explanation", "Giải trình", "Explanation"),
)


class Moved(NamedTuple):
    """A sum of ledger entries, as `cash.Movement` wants it."""

    leg: str | None
    book: str
    kind: str
    amount: int


@dataclass(frozen=True)
class Found:
    """Sums by shift, closings, fees in hand, refund cases with their accounts, deferred legs, and names."""

    names: dict[str, str]
    ours: frozenset[str] | None
    moved: Iterable[Any]
    closings: list[Any]
    fees: list[Any]
    cases: list[Any]
    entries: list[Any]
    complaints: list[Any]
    deferred: Iterable[Any]
    holidays: PublicHolidays


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Found:
    """The shifts of the period and what is open now."""
    reporting = session.reporting
    cases = list(reporting.refund_cases(asked.mode, asked.province))
    entries, complaints = reporting.accounts([case.request_id for case in cases])
    return Found(
        names=reporting.courier_names(asked.mode),
        ours=reporting.couriers_of(asked.mode, asked.province),
        moved=reporting.cash(asked.mode, asked.first, asked.last),
        closings=list(reporting.closings(asked.mode, asked.first, asked.last)),
        fees=list(reporting.fees_in_hand(asked.mode, asked.province)),
        cases=cases,
        entries=entries,
        complaints=complaints,
        deferred=reporting.deferred(asked.mode, None, asked.ends_at, asked.province),
        holidays=scene.book.holidays,
    )


def make(asked: Asked, found: Found) -> Report:
    """One row per courier and shift; what is open stands in `facts` and, summed, in the totals."""
    rows = sorted(_shifts(found), key=lambda row: (row["date"], row["courier_id"]))
    remittances = [_remittance(fee, asked, found.holidays) for fee in found.fees]
    refunds = list(_refunds(found))
    totals: Row = {
        name: {purse: sum(row[name][purse] for row in rows) for purse in (*cash.NAMES, "total")}
        for name in ("taken", "handed_in", "difference")
    }
    totals["remitted_with_dossier"] = sum(row["remitted_with_dossier"] for row in rows)
    totals["open_shifts"] = sum(not row["closed"] for row in rows)
    totals["remittances_due"] = _sum(remittances)
    totals["remittances_overdue"] = _sum([one for one in remittances if one["overdue"]])
    totals["refunds_due"] = _sum(refunds)
    totals["deferred"] = _sum(
        [
            {"amount": amount}
            for leg in found.deferred
            if leg.quote.get("settlement") is None and (amount := deferred_amount(leg.quote, leg.leg))
        ]
    )
    facts = {"remittances": remittances, "refunds": refunds}
    return Report(DEFINITION, COLUMNS, rows, totals, facts, summary=_summary(totals))


def _shifts(found: Found) -> Iterable[Row]:
    closed = {(one.courier_id, one.date): one for one in found.closings}
    for (courier_id, day), sums in groupby(found.moved, key=lambda row: (row.courier_id, row.shift_date)):
        # Who is no courier of ours (a rehearsed event) belongs to no province and is shown in each.
        if found.ours is not None and courier_id not in found.ours and courier_id in found.names:
            continue
        figures = cash.reconcile([Moved(None, one.book, one.kind, one.amount) for one in sums]).to_json()
        closing = closed.get((courier_id, day))
        yield {
            "courier_id": courier_id,
            "courier_name": found.names.get(courier_id, courier_id),
            "date": day,
            **figures,
            "closed": closing is not None,
            "closed_at": None if closing is None else closing.closed_at,
            "closed_by": None if closing is None else closing.closed_by,
            "explanation": "" if closing is None else closing.explanation,
        }


def _remittance(fee: Any, asked: Asked, holidays: PublicHolidays) -> Row:
    collected_on = local_date(fee.collected_at)
    due_on = cash.remit_due_on(fee.leg, collected_on, holidays)
    return {
        "request_id": fee.request_id,
        "leg": fee.leg,
        "shop_id": fee.shop_id,
        "dossier_code": fee.dossier_code,
        "amount": fee.amount,
        "collected_on": collected_on,
        "due_on": due_on,
        "overdue": due_on is not None and local_date(asked.now) > due_on,
    }


def _refunds(found: Found) -> Iterable[Row]:
    """What citizens have paid beyond what they owe now, request by request."""
    for case in found.cases:
        legs = LEGS_OF[case.kind]
        entries = [one for one in found.entries if one.request_id == case.request_id]
        complaints = [one for one in found.complaints if one.request_id == case.request_id]
        _, over = cash.balance(owed(case.quote, legs, complaints, entries), cash.paid(entries, legs))
        amount = cash.total(over)
        if amount:
            yield {
                "request_id": case.request_id,
                "shop_id": case.shop_id,
                "dossier_code": case.dossier_code,
                "amount": amount,
            }


def _sum(rows: list[Row]) -> Row:
    return {"count": len(rows), "amount": sum(row["amount"] for row in rows)}


def _summary(totals: Row) -> tuple[Words, ...]:
    said = (
        ("remittances_due", "Phí, lệ phí chưa nộp cơ quan", "State fees not yet remitted"),
        ("remittances_overdue", "trong đó quá hạn", "of these overdue"),
        ("refunds_due", "Phải hoàn người dân", "To be refunded"),
        ("deferred", "Cước tạm thời chưa thu (tỉnh nợ)", "Deferred postage (owed by the province)"),
    )
    return tuple(
        Words(f"{vi}: {dong_text(totals[name]['amount'])} ({totals[name]['count']})", en) for name, vi, en in said
    )
