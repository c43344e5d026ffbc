"""What a courier may report, which proofs each report needs, and which instant counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

FAILURES = ("CUSTOMER_ABSENT", "BAD_ADDRESS", "MOVED", "NOT_FOUND", "CLOSED", "NOT_READY", "OTHER")
"""Why a collection or delivery failed; bad address, moved and not found are grounds of Law 49/2010/QH12 art 17.1."""

REASONS: tuple[dict[str, Any], ...] = tuple(
    {"code": code, "vi": vi, "en": en, "needs_photo": photo, "for": for_}
    for code, vi, en, photo, for_ in (
        ("CUSTOMER_ABSENT", "Khách vắng mặt", "Customer absent", True, ["collect_failed", "delivery_failed"]),
        ("BAD_ADDRESS", "Sai địa chỉ", "Wrong address", False, ["collect_failed", "delivery_failed"]),
        ("MOVED", "Đã chuyển đi", "Moved away", False, ["collect_failed", "delivery_failed"]),
        ("NOT_FOUND", "Không tìm thấy", "Not found", False, ["collect_failed", "delivery_failed"]),
        ("CLOSED", "Nơi giao dịch đóng cửa", "Place is closed", True, ["collect_failed", "delivery_failed"]),
        ("NOT_READY", "Hồ sơ chưa sẵn sàng", "Papers not ready", False, ["collect_failed"]),
        ("OTHER", "Lý do khác", "Other", False, ["collect_failed", "delivery_failed"]),
    )
)

_REQUIRED: dict[str, tuple[str, ...]] = {
    "collected": ("slip_signed", "signature", "documents_checked"),
    "handed_over": ("record_no", "signature", "officer_id"),
    "delivered": ("signature", "recipient"),
    "collect_failed": ("reason", "proof"),
    "delivery_failed": ("reason", "proof"),
    "refused": ("signature", "id_type"),
    "handover_refused": ("reason",),
    "cash_taken": ("postage", "state_fee"),
    "undone": ("event_id",),
}
_RECIPIENT = ("relation", "name", "id_type", "id_last4")
_MUST_BE_TRUE = {"slip_signed", "documents_checked"}
_HANDOVER_REFUSALS = ("INTAKE_CLOSED", "INCOMPLETE", "WRONG")

MAX_SKEW = timedelta(hours=24)
"""A measured clock offset beyond this is not believed."""
TEST_SKEW = timedelta(days=36_500)
"""In the test world a phone's own clock may be years away from the rehearsed day."""


def missing_guard(event_type: str, payload: Mapping[str, Any]) -> str | None:
    """The first proof that `payload` lacks for this event, or None; the caller answers `guard_<key>`.

    Proofs: QĐ 45/2016/QĐ-TTg art 6 (list checked, slip signed), art 7 (joint record), art 10 (both sign at
    delivery); TT 17/2017/TT-BTTTT art 5 (identity checked at delivery).
    """
    if not _sound_safety(payload.get("safety")):
        return "safety"
    for key in _REQUIRED.get(event_type, ()):
        value = payload.get(key)
        if value is None or value == "" or (key in _MUST_BE_TRUE and value is not True):
            return key
    if event_type == "delivered" and not _whole_recipient(payload["recipient"]):
        return "recipient"
    if event_type in ("collect_failed", "delivery_failed"):
        if payload["reason"] not in FAILURES:
            return "reason"
        if not isinstance(payload["proof"], list):
            return "proof"
    if event_type == "handover_refused" and payload["reason"] not in _HANDOVER_REFUSALS:
        return "reason"
    if event_type == "cash_taken":
        return _cash_guard(payload)
    if event_type == "cash_handed_in":
        return _amount_guard(payload)
    if event_type == "undone" and not isinstance(payload["event_id"], str):
        return "event_id"
    return None


def _sound_safety(safety: Any) -> bool:
    """Whether the ticks for mask and sanitiser, where a courier sends them, are plain yes or no."""
    if safety is None:
        return True
    return (
        isinstance(safety, Mapping)
        and safety.keys() <= {"mask", "sanitiser"}
        and all(isinstance(ticked, bool) for ticked in safety.values())
    )


def _whole_recipient(recipient: Any) -> bool:
    if not isinstance(recipient, Mapping) or any(not recipient.get(key) for key in _RECIPIENT):
        return False
    return recipient["relation"] in ("SELF", "PROXY")


def _amount_guard(payload: Mapping[str, Any]) -> str | None:
    for key in ("postage", "state_fee"):
        if type(payload.get(key, 0)) is not int or not 0 <= payload.get(key, 0) <= 10**10:
            return key
    return None


def _cash_guard(payload: Mapping[str, Any]) -> str | None:
    wrong = _amount_guard(payload)
    if wrong is not None:
        return wrong
    if payload["state_fee"] > 0 and not payload.get("receipt_no"):
        return "receipt_no"  # a state fee is handed over against a numbered receipt (QĐ 45/2016/QĐ-TTg art 6.6)
    return None


def corrected_at(
    at_device: datetime,
    clock_offset_ms: int,
    received_at: datetime,
    not_before: datetime,
    max_skew: timedelta = MAX_SKEW,
) -> datetime:
    """The instant that counts: device time plus its measured offset, never after receipt nor before `not_before`.

    An offset beyond `max_skew` is not believed; device time alone is then bounded.
    """
    skew_ms = max_skew / timedelta(milliseconds=1)
    believed = abs(clock_offset_ms) <= skew_ms
    moment = at_device + timedelta(milliseconds=clock_offset_ms) if believed else at_device
    return max(min(moment, received_at), min(not_before, received_at))


TEST_PAYLOADS: dict[str, dict[str, Any]] = {
    "collected": {"slip_signed": True, "signature": "0" * 64, "documents_checked": True},
    "handed_over": {"record_no": "TEST-1", "signature": "0" * 64, "officer_id": "test-officer"},
    "delivered": {
        "signature": "0" * 64,
        "recipient": {"relation": "SELF", "name": "Người nhận thử", "id_type": "CCCD", "id_last4": "0000"},
    },
    "collect_failed": {"reason": "CUSTOMER_ABSENT", "proof": ["0" * 64]},
    "delivery_failed": {"reason": "CUSTOMER_ABSENT", "proof": ["0" * 64]},
    "refused": {"signature": "0" * 64, "id_type": "CCCD"},
    "handover_refused": {"reason": "INTAKE_CLOSED"},
    "cash_taken": {"postage": 0, "state_fee": 0, "receipt_no": "TEST-1"},
}
"""Values that the test mode's `advance` fills in where its caller leaves a proof out."""
