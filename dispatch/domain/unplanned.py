"""Why a leg is not even tried by the planner: a word, a sentence in Vietnamese and English, and what would help."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.text import local_text

# code → (Vietnamese, English)
REASONS: dict[str, tuple[str, str]] = {
    "address_unknown": (
        "Chưa biết điểm đến: địa chỉ cần được xác nhận trước khi xếp tuyến.",
        "The place is not known: the address must be confirmed before it can be planned.",
    ),
    "site_closed": (
        "Nơi giao nhận không còn giờ mở cửa trong ngày này.",
        "The counter has no opening hours left on this day.",
    ),
    "door_closed": (
        "Đã quá giờ đến nhà người dân trong ngày này.",
        "It is too late on this day to call at the citizen's door.",
    ),
    "window_other_day": (
        "Người dân hẹn vào ngày khác.",
        "The citizen asked for another day.",
    ),
    "no_service_day": (
        "Bưu tá không đến xã này trong ngày; xem các ngày phục vụ của xã.",
        "Couriers do not call on this commune on this day; see its service days.",
    ),
    "attempts_exhausted": (
        "Đã hai lần thu gom không thành; điều phối viên quyết định bước tiếp theo.",
        "Two collections have failed; the coordinator decides what comes next.",
    ),
    "citizen_invited": (
        "Đã phát không thành; người dân được mời đến bưu cục nhận.",
        "The delivery failed; the citizen is invited to collect it at the post office.",
    ),
    "handover_refused": (
        "Bộ phận Một cửa không nhận hồ sơ; cần bổ sung hoặc trả lại người gửi.",
        "The one-stop shop refused the dossier; it must be completed or go back to the sender.",
    ),
    "supplement_awaited": (
        "Hồ sơ chờ bổ sung giấy tờ trước khi nộp lại.",
        "The dossier waits for missing papers before it is handed in again.",
    ),
    "carrier_off_duty": (
        "Bưu tá đang giữ hồ sơ không còn ca làm việc trong ngày này.",
        "The courier who carries it has no shift left on this day.",
    ),
    "carrier_unknown": (
        "Hồ sơ đang trên đường nhưng không rõ bưu tá nào giữ.",
        "It is on its way, but nobody knows which courier carries it.",
    ),
    "office_unknown": (
        "Hồ sơ ở bưu cục nhưng không rõ bưu cục nào.",
        "It lies at a post office, but it is not known which.",
    ),
}


@dataclass(frozen=True)
class LeftOut:
    """One leg the planner leaves out before it begins; `opens_at` is the earliest instant that could serve it."""

    request_id: str
    leg: str
    code: str
    opens_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """One entry of a plan's `unserved`."""
        vi, en = REASONS[self.code]
        change = None if self.opens_at is None else {"kind": "wait_until", "to": local_text(self.opens_at)}
        return {
            "request_id": self.request_id,
            "leg": self.leg,
            "code": self.code,
            "reason": {"vi": vi, "en": en},
            "change": change,
        }
