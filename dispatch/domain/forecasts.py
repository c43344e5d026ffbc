"""A forecast of one promise: when the post will come, how likely it is too late, and why; and when it is news."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.text import local_text
from dispatch.domain.unplanned import REASONS

NEWS_AFTER = timedelta(minutes=2)
NEWS_STEP = 0.05
"""A forecast whose middle moved by so much, or whose probability did, is kept beside the last one."""
SAID_FROM = 0.05
"""Below this probability of a breach there is nothing to explain."""

# code → (Vietnamese, English); {n} is the cause's share in minutes
_CAUSES: dict[str, tuple[str, str]] = {
    "behind_route": ("Bưu tá chậm {n} phút so với lộ trình.", "The courier is {n} minutes behind the route."),
    "shift_not_begun": ("Ca của bưu tá còn {n} phút nữa mới bắt đầu.", "The courier's shift begins in {n} minutes."),
    "stops_ahead": ("Các điểm dừng trước đó mất {n} phút.", "The stops before it take {n} minutes."),
    "opening_hours": ("Chờ giờ mở cửa {n} phút.", "Waiting for opening hours takes {n} minutes."),
    "rest": ("Giờ nghỉ của bưu tá: {n} phút.", "The courier's rest takes {n} minutes."),
    "slow_roads": (
        "Đường đi thường chậm hơn dự tính {n} phút.",
        "Rides here usually take {n} minutes more than reckoned.",
    ),
    "travel_uncertainty": (
        "Thời gian đi đường chưa chắc chắn: có thể thêm {n} phút.",
        "Riding times are uncertain: it may take {n} minutes more.",
    ),
    "late_notice": ("Điều tin đến trễ {n} phút.", "The notice came {n} minutes late."),
    "closed_by_then": (
        "Bưu tá đến sau giờ đóng cửa {n} phút.",
        "The courier would come {n} minutes after closing.",
    ),
    "no_courier_on_duty": ("Chưa có bưu tá trong ca.", "No courier is on duty."),
    "no_room": (
        "Các bưu tá trong ca không còn chỗ hoặc thời gian.",
        "No courier on duty has the room or the time.",
    ),
    **REASONS,
}

UNKNOWN: dict[str, Any] = {
    "p50": None,
    "p90": None,
    "breach_probability": None,
    "causes": [],
    "model": None,
    "made_at": None,
}
"""What is shown of a promise of which nothing was foretold."""


def cause_json(code: str, minutes: int | None) -> dict[str, Any]:
    """One entry of `causes`."""
    vi, en = (text.replace("{n}", str(minutes)) for text in _CAUSES[code])
    return {"code": code, "minutes": minutes, "text": {"vi": vi, "en": en}}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was foretold of one leg at `made_at`; `courier_id` and `planned_at` are those of the route it was read from.

    p50 and p90 are None where nobody can say when anyone comes, the probability where nobody can say whether in time.
    """

    made_at: datetime
    model: str
    courier_id: str | None = None
    planned_at: datetime | None = None
    p50: datetime | None = None
    p90: datetime | None = None
    breach_probability: float | None = None
    causes: tuple[tuple[str, int | None], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The `predicted` object of docs/api.md."""
        return {
            "p50": None if self.p50 is None else local_text(self.p50),
            "p90": None if self.p90 is None else local_text(self.p90),
            "breach_probability": self.breach_probability,
            "causes": [cause_json(code, minutes) for code, minutes in self.causes],
            "model": self.model,
            "made_at": local_text(self.made_at),
        }

    def is_news(self, kept: Forecast) -> bool:
        """Whether this says something else than the forecast kept last."""
        if (self.model, self.courier_id) != (kept.model, kept.courier_id):
            return True
        if {code for code, _ in self.causes} != {code for code, _ in kept.causes}:
            return True
        if _moved(self.p50, kept.p50) or _moved(self.planned_at, kept.planned_at):
            return True
        now, then = self.breach_probability, kept.breach_probability
        if now is None or then is None:
            return now is not then
        return abs(now - then) >= NEWS_STEP


def _moved(now: datetime | None, then: datetime | None) -> bool:
    if now is None or then is None:
        return now is not then
    return abs(now - then) >= NEWS_AFTER
