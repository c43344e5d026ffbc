"""What a price cut would cost and who would bear it: a simulation for a province that has no price rule.

905/UBND-PVHCC (Hà Giang, 30/3/2020) §2.2 asks the post to propose a price policy; a proposal is not a discount.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispatch.domain.money import dong_text
from dispatch.domain.reductions import PRICE_KINDS, half_up
from dispatch.domain.report import ZONE_WORDS, Asked, Column, Report, Row, Words
from dispatch.domain.tariff import ZONES

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "price-proposal"
TITLE = Words("Phương án giảm cước (mô phỏng)", "Price proposal (simulation)")
OPTIONS = frozenset({"percent", "leg"})
STAMP = Words("MÔ PHỎNG, KHÔNG PHẢI GIÁ", "A SIMULATION, NOT A PRICE")
DEFINITION = Words(
    "Mô phỏng: sản lượng × cước theo bảng × tỷ lệ giảm, theo vùng cước và nấc khối lượng, cho các chặng được "
    "chấp nhận trong kỳ (theo ngày tính cước, chưa tính cước thì theo ngày yêu cầu; tính cả ngày đầu và ngày "
    "cuối; không tính chặng đã hủy) tại các bưu cục của tỉnh. Số giảm của mỗi bưu gửi làm tròn đến đồng (nửa "
    "đồng trở lên làm tròn lên). Bên chịu: bưu điện chịu toàn bộ phần giảm như 659/UBND-KGVX (Gia Lai, "
    "27/3/2020), trừ khi tỉnh quyết định chia phần khác; người dân trả phần còn lại. Không tính mức giảm đang "
    "có hiệu lực nếu có. Báo cáo này không làm thay đổi giá nào.",
    "A simulation: volume × tariff × percentage by zone and weight band, for the legs accepted in the period "
    "(by the day of the charge, else of the request; first and last day included; cancelled legs left out) at "
    "the province's post offices. The cut of each item is rounded half up to whole đồng. Who bears it: the post "
    "bears the whole cut, as in 659/UBND-KGVX (Gia Lai, 27/3/2020), unless the province decides on other "
    "shares; citizens pay the rest. Reductions in force, if any, are left out. This report changes no price.",
)
COLUMNS = (
    Column("zone", "Vùng cước", "Zone", said=ZONE_WORDS),
    Column("weight_band", "Nấc khối lượng", "Weight band"),
    Column("volume", "Sản lượng", "Volume", "number"),
    Column("tariff", "Cước theo bảng", "Tariff", "money"),
    Column("full", "Thành tiền", "Full postage", "money"),
    Column("cut_each", "Giảm mỗi bưu gửi", "Cut each", "money"),
    Column("cost", "Bưu điện chịu", "Borne by the post", "money"),
    Column("payable", "Người dân trả", "Paid by citizens", "money"),
)


@dataclass(frozen=True)
class Found:
    """Volumes by zone, band and tariff, and the price rules the province has already."""

    volumes: list[Any]
    price_rules: list[str]


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Found:
    """The volumes of the period, and which price rules are known."""
    rows = session.reporting.volumes(asked.mode, asked.begins_at, asked.ends_at, asked.province, asked.leg)
    known = (scene.book.known(kind, asked.province, scene.now) for kind in PRICE_KINDS)
    return Found(list(rows), sorted(rule.id for rules in known for rule in rules))


def make(asked: Asked, found: Found) -> Report:
    """One row per zone, weight band and tariff, in the order of the price list."""
    rows = [_row(one, asked.percent) for one in found.volumes]
    rows.sort(key=lambda row: (ZONES.index(row["zone"]), row["tariff"], row["weight_band"]))
    totals: Row = {name: sum(row[name] for row in rows) for name in ("volume", "full", "cost", "payable")}
    totals["borne_by"] = {"post": totals["cost"], "citizen": totals["payable"], "province": 0}
    facts = {"simulation": True, "percent": asked.percent, "leg": asked.leg, "price_rules": found.price_rules}
    leg = Words(*{"return": ("chuyển trả", "return"), "pickup": ("nhận gửi", "pickup")}[asked.leg])
    summary = [
        Words(
            f"Giảm {asked.percent} % cước chặng {leg.vi}: bưu điện chịu {dong_text(totals['cost'])}",
            f"{asked.percent} % off the {leg.en} leg: the post would bear {dong_text(totals['cost'])}",
        )
    ]
    if found.price_rules:
        named = ", ".join(found.price_rules)
        summary.append(Words(f"Tỉnh đã có quy định giá: {named}", f"The province has price rules already: {named}"))
    return Report(DEFINITION, COLUMNS, rows, totals, facts, summary=tuple(summary), stamp=STAMP)


def _row(one: Any, percent: int) -> Row:
    cut = half_up(one.tariff, percent)
    return {
        "zone": one.zone,
        "weight_band": one.band,
        "volume": one.count,
        "tariff": one.tariff,
        "full": one.count * one.tariff,
        "cut_each": cut,
        "cost": one.count * cut,
        "payable": one.count * (one.tariff - cut),
    }
