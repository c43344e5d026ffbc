"""What was sent in and what was returned at each one-stop shop, by channel.

1033/UBND-PVHCC (Hà Giang, 8/4/2020) §1: agencies report online intake and return for 1/4–15/4/2020, then monthly; the
post supplies the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispatch.domain.report import Asked, Column, Report, Row, Words

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session

NAME = "online-intake"
TITLE = Words("Tiếp nhận và trả kết quả theo hình thức", "Intake and return by channel")
OPTIONS: frozenset[str] = frozenset()
CHANNELS = {
    "ONLINE": ("trực tuyến", "online"),
    "BCCI": ("bưu chính", "post"),
    "COUNTER": ("tại quầy", "counter"),
    "ELECTRONIC": ("thư điện tử", "e-mail"),
    "UNKNOWN": ("chưa rõ", "not told"),
}
DEFINITION = Words(
    "Theo từng một cửa, từ 00:00 ngày đầu đến 24:00 ngày cuối kỳ, tính cả hai ngày, giờ Việt Nam. Nhận (sent): "
    "yêu cầu nhận gửi hồ sơ (một chiều hoặc hai chiều) được tiếp nhận trong kỳ và không bị hủy, theo hình thức "
    "nộp của hồ sơ (ONLINE, COUNTER, BCCI; UNKNOWN khi một cửa không cho biết). Nộp (filed): trong số mọi hồ sơ "
    "đã nhận gửi, số đã ký biên bản giao nhận với một cửa trong kỳ (thời điểm nộp hợp lệ, QĐ 45/2016/QĐ-TTg "
    "điều 7). Trả (returned): kết quả đến tay người dân trong kỳ, qua bưu chính (BCCI, đã phát) hoặc qua thư "
    "điện tử (ELECTRONIC).",
    "For each one-stop shop, from 00:00 of the first to 24:00 of the last day, both included, Vietnamese time. "
    "sent: requests to carry a dossier in (one way or both) accepted in the period and not called off, by how "
    "the dossier was filed (ONLINE, COUNTER, BCCI; UNKNOWN where the shop does not tell). filed: dossiers, of "
    "all that were ever accepted, whose joint hand-over record was signed in the period (the legal filing time, "
    "QĐ 45/2016/QĐ-TTg art 7). returned: results that reached the citizen in the period, by post (BCCI, "
    "delivered) or by e-mail (ELECTRONIC).",
)
COLUMNS = (
    Column("shop_id", "Mã một cửa", "Shop"),
    Column("shop_name", "Một cửa", "One-stop shop"),
    Column("sent", "Nhận", "Sent in", "number"),
    Column("filed", "Nộp", "Filed", "number"),
    Column("returned", "Trả", "Returned", "number"),
    *(
        Column(f"by_channel.{channel}.sent", f"Nhận {CHANNELS[channel][0]}", f"Sent: {CHANNELS[channel][1]}", "number")
        for channel in ("ONLINE", "COUNTER", "BCCI", "UNKNOWN")
    ),
    *(
        Column(
            f"by_channel.{channel}.returned",
            f"Trả {CHANNELS[channel][0]}",
            f"Returned: {CHANNELS[channel][1]}",
            "number",
        )
        for channel in ("BCCI", "ELECTRONIC")
    ),
)


@dataclass(frozen=True)
class Found:
    """Counts with `shop_id` and `count`; those taken in with `via` too. `shops` are the names by id."""

    shops: dict[str, str]
    sent: list[Any]
    filed: list[Any]
    delivered: list[Any]
    e_returned: list[Any]


def read(session: Session, scene: Scene, places: Index, asked: Asked) -> Found:
    """The counts of the period."""
    period = (asked.mode, asked.begins_at, asked.ends_at, asked.province)
    completed = session.reporting.completed
    return Found(
        shops=session.reporting.shop_names(asked.mode),
        sent=list(session.reporting.taken_in(*period)),
        filed=list(completed(*period, "handed_over", ("HANDED_OVER", "CLOSED"))),
        delivered=list(completed(*period, "delivered", ("DELIVERED", "CLOSED"))),
        e_returned=list(completed(*period, "e_returned", ("E_RETURNED", "CLOSED"))),
    )


def make(asked: Asked, found: Found) -> Report:
    """One row per shop with anything to report, by id."""
    rows: dict[str, Row] = {}

    def add(shop_id: str, figure: str, channel: str | None, count: int) -> None:
        row = rows.setdefault(shop_id, _empty(shop_id, found.shops.get(shop_id, shop_id)))
        for line in (row, totals):
            line[figure] += count
            if channel is not None:
                line["by_channel"][channel][figure] += count

    totals = _empty("", "")
    for one in found.sent:
        add(one.shop_id, "sent", one.via or "UNKNOWN", one.count)
    for one in found.filed:
        add(one.shop_id, "filed", None, one.count)
    for channel, counts in (("BCCI", found.delivered), ("ELECTRONIC", found.e_returned)):
        for one in counts:
            add(one.shop_id, "returned", channel, one.count)
    del totals["shop_id"], totals["shop_name"]
    return Report(DEFINITION, COLUMNS, [rows[shop_id] for shop_id in sorted(rows)], totals)


def _empty(shop_id: str, name: str) -> Row:
    by_channel = {channel: {"sent": 0, "returned": 0} for channel in CHANNELS}
    return {"shop_id": shop_id, "shop_name": name, "sent": 0, "filed": 0, "returned": 0, "by_channel": by_channel}
