"""Why this amount: a stored quote told line by line, in Vietnamese or English, with its legal basis."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
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
_LEG_NAMES = {"pickup": ("chiều gửi", "send leg"), "return": ("chiều trả", "return leg")}
_REASONS: dict[str, tuple[str, str]] = {
    "NO_RULE": ("tỉnh không có quy định giảm hoặc hoãn thu", "the province has no rule on reduction or deferral"),
    "OUT_OF_WINDOW": ("ngoài thời gian áp dụng", "outside the dates of the rule"),
    "LEG_NOT_COVERED": ("quy định không áp dụng cho chiều này", "the rule does not cover this leg"),
    "LEVEL_NOT_COVERED": ("không thuộc mức độ trực tuyến được áp dụng", "not at an online level the rule covers"),
    "NOT_SUBMITTED_ONLINE": ("hồ sơ không nộp trực tuyến", "the dossier was not filed online"),
    "NOT_PRIOR_FILING": ("không phải hồ sơ đã nộp trước khi có quy định", "not filed before the rule began"),
    "DISCOUNT_APPLIED": ("được giảm cước", "a discount applies"),
    "DEFERRED_PRIOR_FILING": ("hồ sơ nộp trước, tạm thời chưa thu", "filed earlier, collection is deferred"),
    "REVIEW_SAME_DAY_FILING": ("nộp đúng ngày quy định bắt đầu, chờ xem xét", "filed on the first day, under review"),
    "REVIEW_LATE_DEFERRAL": (
        "đăng ký sau hạn lập danh sách, chờ xem xét",
        "registered after the list closed, under review",
    ),
    "STATE_FEE_NEEDS_MANDATE": ("thu hộ cần văn bản ủy quyền", "collecting the state fee needs a mandate"),
    "WAIVED_PERSON": ("thuộc đối tượng miễn cước", "the person is exempt"),
    "CANCELLED": ("đã hủy", "cancelled"),
    "E_RETURNED": ("kết quả đã trả trực tuyến", "the result went out electronically"),
    "REOPENED": ("mở lại", "reopened"),
}
_DECISIONS = {
    "DEFER": ("tạm thời chưa thu", "deferred"),
    "CHARGE": ("thu cước", "charged"),
    "WAIVE": ("miễn cước", "waived"),
}
_OUTCOMES = {
    "SETTLED_BY_PROVINCE": ("tỉnh đã chi trả", "paid by the province"),
    "RECLAIMABLE": ("tỉnh không chi trả, chờ xử lý", "refused by the province, to be reclaimed"),
}


def explain(quoted: Mapping[str, Any], lang: Literal["vi", "en"]) -> list[str]:
    """One sentence per line of a quote's JSON with its legal basis, why nothing (more) was taken off, what came later,
    and last what the citizen has to pay."""
    at = 0 if lang == "vi" else 1
    told = [_line(line, at) for line in quoted["lines"]]
    reduced = {line["leg"] for line in quoted["lines"] if line["amount"] < 0}
    for leg, charge in quoted["charges"].items():
        if leg not in reduced:
            why = "; ".join(_named(_REASONS, reason, at) for reason in charge["reasons"])
            told.append(f"{('Không giảm', 'No reduction')[at]} ({_LEG_NAMES[leg][at]}): {why}")
    told += [_adjustment(adjustment, at) for adjustment in quoted["adjustments"]]
    if (review := quoted.get("review")) is not None:
        decided = _named(_DECISIONS, review["decision"], at)
        told.append(
            f"{('Quyết định xem xét', 'Decided on review')[at]}: {decided} — {review['reason']}, {review['by']}"
        )
    if (settled := quoted.get("settlement")) is not None:
        outcome = _named(_OUTCOMES, settled["outcome"], at)
        told.append(f"{('Quyết toán', 'Settlement')[at]}: {outcome} — {settled['decision_no']}")
    total = dong_text(quoted["payable_by_citizen"])
    return [*told, (f"Người dân phải trả: {total}", f"To be paid by the citizen: {total}")[at]]


def _line(line: Mapping[str, Any], at: int) -> str:
    detail = f" ({_ZONE_NAMES[line['zone']][at]}, {line['weight_band']})" if "zone" in line else ""
    why = f" ({_named(_REASONS, line['reason'], at)})" if line.get("reason") else ""
    return f"{_LINE_NAMES[line['code']][at]}{detail}: {dong_text(line['amount'])}{why} — {_source(line['basis'], at)}"


def _adjustment(adjustment: Mapping[str, Any], at: int) -> str:
    day = datetime.fromisoformat(adjustment["recorded_at"]).date()
    what = ("Điều chỉnh ngày", "Adjusted on")[at]
    why = _named(_REASONS, adjustment["reason"], at)
    told = f"{what} {_date(day)}: {dong_text(adjustment['amount'])} ({why})"
    return f"{told} — {_source(adjustment['basis'], at)}" if adjustment["basis"].get("rule_id") else told


def _named(names: Mapping[str, tuple[str, str]], word: str, at: int) -> str:
    return names[word][at] if word in names else word


def _source(basis: Mapping[str, str | None], at: int) -> str:
    """`2964/UBND-KSTT (1/4/2020), mục 3 [KH-10@1]`."""
    document = basis["doc_no"] or ""
    if document and basis.get("doc_date"):
        document += f" ({_date(date.fromisoformat(str(basis['doc_date'])))})"
    clause = f"{('mục', 'section')[at]} {basis['clause']}"
    told = f"{', '.join(part for part in (document, clause) if part)} [{basis['rule_id']}]"
    if basis.get("author"):
        told += f" ({basis['author']}: {basis['reason']})"
    return told


def _date(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"
