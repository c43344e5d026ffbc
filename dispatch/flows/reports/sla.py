"""How promises were kept, by one-stop shop, commune and leg, and whose fault a broken one was.

The four hours are a duty under 2964/UBND-KSTT (Khánh Hòa, 1/4/2020) §3 (`binding`), elsewhere the operator's own word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dispatch.domain.report import Asked, Column, Report, Row, Words
from dispatch.domain.verdicts import PARTIES, fault_of, outcome_of, percentile

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "sla"
TITLE = Words("Cam kết thời gian", "Promises kept")
OPTIONS: frozenset[str] = frozenset()
_PARTY_WORDS = {"POST": ("bưu điện", "post"), "SHOP": ("một cửa", "shop"), "CITIZEN": ("người dân", "citizen")}
DEFINITION = Words(
    "Mọi chặng có hạn cam kết (due_at) trong kỳ, tính cả ngày đầu và ngày cuối, theo một cửa, xã của người dân, "
    "chặng và tính bắt buộc; của tỉnh nào là theo tỉnh có quy định áp dụng. Đạt (met): thu gom không muộn hơn "
    "hạn; đạt 24×7 (met_strict): không muộn hơn hạn tính liên tục. Khách vắng (met_customer_absent): đã đến "
    "đúng hạn, có bằng chứng, khách vắng. Trễ (breached): thu gom sau hạn, hoặc hạn đã qua mà chưa thu gom; bên "
    "gây ra là POST, SHOP hay CITIZEN (không ghi nhận thì là POST). Tỷ lệ (share) = (đạt + khách vắng) / (đạt + "
    "khách vắng + trễ). Phút p50, p90: từ lúc tính giờ đến lúc thu gom, tính liên tục, phân vị theo thứ hạng "
    "gần nhất. Chặng đang chạy, tạm dừng hoặc đã hủy không tính vào tỷ lệ.",
    "Every leg whose promise was due (due_at) in the period, first and last day included, by one-stop shop, the "
    "citizen's commune, leg, and whether it binds by decree; a province's are those its own rules decide. met: "
    "collected not later than due; met_strict: not later than the limit counted round the clock. "
    "met_customer_absent: a courier came in time with proof, the customer was absent. breached: collected "
    "later, or due and not collected; the party at fault is POST, SHOP or CITIZEN (POST where none is "
    "recorded). share = (met + met_customer_absent) / (those + breached). p50 and p90: minutes from the clock's "
    "start to collection, counted round the clock, nearest rank. What runs, is paused or was called off is in "
    "no share.",
)
COLUMNS = (
    Column("shop_id", "Một cửa", "One-stop shop"),
    Column("commune_name", "Xã, phường", "Commune"),
    Column("leg", "Chặng", "Leg", said={"pickup": "nhận gửi", "return": "chuyển trả"}),
    Column("binding", "Bắt buộc", "Binding"),
    Column("n", "Số", "n", "number"),
    Column("met", "Đạt", "Met", "number"),
    Column("met_strict", "Đạt 24×7", "Met strict", "number"),
    Column("met_customer_absent", "Khách vắng", "Absent", "number"),
    Column("breached", "Trễ", "Late", "number"),
    *(
        Column(f"breached_by.{party}", f"Trễ do {said[0]}", f"Fault: {said[1]}", "number")
        for party, said in _PARTY_WORDS.items()
    ),
    Column("running", "Đang chạy", "Running", "number"),
    Column("cancelled", "Đã hủy", "Cancelled", "number"),
    Column("share_percent", "Tỷ lệ đạt, %", "Share, %", "number"),
    Column("p50_minutes", "Phút p50", "p50, min", "number"),
    Column("p90_minutes", "Phút p90", "p90, min", "number"),
)


@dataclass
class Tally:
    """Promises of one group as they are counted."""

    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("n", "met", "met_strict", "met_customer_absent", "breached", "running", "cancelled"), 0
        )
    )
    by_party: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, PARTIES), 0))
    minutes: list[int] = field(default_factory=list)

    def add(self, leg: Any, now: datetime) -> None:
        """Count one leg as it stands at `now`."""
        outcome = outcome_of(leg, now)
        self.counts["n"] += 1
        self.counts[outcome] += 1
        self.counts["met_strict"] += bool(leg.met_strict)
        if outcome == "breached":
            self.by_party[fault_of(leg)] += 1
        if leg.stopped_at is not None and outcome in ("met", "breached") and leg.met is not None:
            self.minutes.append(round((leg.stopped_at - leg.clock_started_at).total_seconds() / 60))

    def figures(self) -> Row:
        """The counts with shares and percentiles; null where there is nothing to divide."""
        kept = self.counts["met"] + self.counts["met_customer_absent"]
        judged = kept + self.counts["breached"]
        share = round(kept / judged, 4) if judged else None
        return {
            **self.counts,
            "breached_by": dict(self.by_party),
            "share": share,
            "share_percent": None if share is None else round(100 * share, 1),
            "p50_minutes": percentile(self.minutes, 50),
            "p90_minutes": percentile(self.minutes, 90),
        }


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Iterable[Any]:
    """The promises due in the period, in pages."""
    return session.reporting.promises(asked.mode, asked.begins_at, asked.ends_at, asked.province)


def make(asked: Asked, found: Iterable[Any]) -> Report:
    """One row per shop, commune, leg and kind of promise."""
    groups: dict[tuple[Any, ...], Tally] = {}
    whole = Tally()
    for leg in found:
        key = (leg.shop_id, leg.commune_code or "", leg.era or "", leg.commune_name or "", leg.leg, leg.binding)
        groups.setdefault(key, Tally()).add(leg, asked.now)
        whole.add(leg, asked.now)
    rows = []
    for key in sorted(groups):
        shop_id, code, era, name, leg_name, binding = key
        place = {"shop_id": shop_id, "commune_code": code or None, "era": era or None, "commune_name": name or None}
        rows.append({**place, "leg": leg_name, "binding": binding, **groups[key].figures()})
    return Report(DEFINITION, COLUMNS, rows, whole.figures())
