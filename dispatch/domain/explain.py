"""Why this amount: a stored quote told line by line, in Vietnamese or English, with its legal basis."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from dispatch.domain.money import dong_text

_LINE_NAMES: dict[str, tuple[str, str]] = {
    "postage.pickup": ("Cước nhận gửi hồ sơ", "Postage, send leg"),
    "postage.return": ("Cước chuyển trả kết quả", "Postage, return leg"),
    "discount": ("Giảm cước", "Discount"),
    "waiver": ("Miễn cước", "Exemption"),
    "deferral": ("Tạm thời chưa thu", "Deferred collection"),
    "held": ("Chờ xem xét", "Held for review"),
    "remittance": ("Cước nộp lại phí, lệ phí", "Remittance of the state fee"),
    "state_fee": ("Phí, lệ phí thu hộ", "State fee, collected on behalf"),
    "redirect": ("Cước chuyển tiếp", "Redirection"),
}
_ZONE_NAMES: dict[str, tuple[str, str]] = {
    "INTRA_DISTRICT": ("nội huyện", "intra-district"),
    "INTER_DISTRICT": ("liên huyện", "inter-district"),
    "SAME_REGION": ("liên tỉnh nội vùng", "inter-province, same region"),
    "INTER_REGION": ("liên tỉnh khác vùng", "inter-province, other region"),
}


def explain(quoted: Mapping[str, Any], lang: Literal["vi", "en"]) -> list[str]:
    """One sentence per line of a quote's JSON with its legal basis, then what the citizen has to pay."""
    at = 0 if lang == "vi" else 1
    told = []
    for line in quoted["lines"]:
        detail = f" ({_ZONE_NAMES[line['zone']][at]}, {line['weight_band']})" if "zone" in line else ""
        told.append(
            f"{_LINE_NAMES[line['code']][at]}{detail}: {dong_text(line['amount'])} — {_source(line['basis'], at)}"
        )
    total = dong_text(quoted["payable_by_citizen"])
    return [*told, (f"Người dân phải trả: {total}", f"To be paid by the citizen: {total}")[at]]


def _source(basis: Mapping[str, str | None], at: int) -> str:
    """`2964/UBND-KSTT (1/4/2020), mục 3 [KH-10@1]`."""
    document = basis["doc_no"] or ""
    if document and basis.get("doc_date"):
        day = date.fromisoformat(str(basis["doc_date"]))
        document += f" ({day.day}/{day.month}/{day.year})"
    clause = f"{('mục', 'section')[at]} {basis['clause']}"
    return f"{', '.join(part for part in (document, clause) if part)} [{basis['rule_id']}]"
