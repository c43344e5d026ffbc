"""What a rescue offers, in Vietnamese and English, built from measured numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.text import LOCAL


@dataclass(frozen=True, slots=True)
class Price:
    """What an offer costs others: how many come later and by how many minutes at most, how many miss their promise."""

    later_count: int
    most_later_min: int
    newly_late: int

    def to_json(self) -> dict[str, int]:
        """The key `others` of an offer."""
        return {
            "later_count": self.later_count,
            "most_later_min": self.most_later_min,
            "newly_late": self.newly_late,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """When the offer has the request collected; `sooner_min` against now, None where nobody was to collect it.

    `slack_min` is what is left of the promise then, negative where it is late.
    """

    pickup_at: datetime
    sooner_min: int | None
    slack_min: int
    price: Price


Words = dict[str, str]


def give(courier: str, outcome: Outcome) -> Words:
    """Another courier takes it."""
    return _with(f"Giao cho {courier}", f"Give to {courier}", outcome)


def earlier(courier: str, outcome: Outcome) -> Words:
    """It comes earlier in its courier's round."""
    return _with(f"Đưa lên sớm hơn trong hành trình của {courier}", f"Move it up in the round of {courier}", outcome)


def help_from(courier: str, office: str, outcome: Outcome) -> Words:
    """A courier of another office takes it."""
    return _with(f"Nhờ {courier} của {office}", f"Ask {courier} of {office} for help", outcome)


def swap(courier: str, takers: list[str], stops: int, outcome: Outcome) -> Words:
    """Others take what stands ahead of it."""
    vi = f"Giữ với {courier}, chuyển {stops} hồ sơ đứng trước cho {', '.join(takers)}"
    en = f"Keep it with {courier} and give {stops} ahead of it to {', '.join(takers)}"
    return _with(vi, en, outcome)


def ask_earlier(place: str, courier: str, outcome: Outcome) -> Words:
    """Somebody must be asked to open before his hours."""
    at = _clock(outcome.pickup_at)
    vi = f"Gọi {place} đề nghị giao nhận lúc {at}, ngoài giờ thường lệ; {courier} đến kịp hạn"
    en = f"Call {place} and ask for the hand-over at {at}, outside the usual hours; {courier} is there in time"
    return {"vi": f"{vi}; {_price_vi(outcome.price)}.", "en": f"{en}; {_price_en(outcome.price)}."}


def ask_pause(party: str) -> Words:
    """The clock may stand where the cause lies with somebody else."""
    vi, en = {
        "CITIZEN": ("người dân", "the citizen"),
        "SHOP": ("Bộ phận Một cửa", "the one-stop shop"),
    }[party]
    return {
        "vi": f"Nếu {vi} là nguyên nhân chậm: dừng đồng hồ cam kết và ghi lý do. Không ảnh hưởng hồ sơ khác.",
        "en": f"Where {en} is the cause of the delay: stop the clock, with the reason. Nobody else is touched.",
    }


def present(courier: str | None, planned_at: datetime | None, due_at: datetime, late_min: int) -> Words:
    """How things stand without a rescue."""
    due = _clock(due_at)
    if courier is None or planned_at is None:
        return {
            "vi": f"Hạn {due}; chưa bưu tá nào được giao trong ca hôm nay.",
            "en": f"Due {due}; no courier of today has it.",
        }
    at = _clock(planned_at)
    if late_min:
        return {
            "vi": f"Hạn {due}; {courier} đến lúc {at}, trễ {late_min} phút.",
            "en": f"Due {due}; {courier} is there at {at}, {late_min} min late.",
        }
    return {
        "vi": f"Hạn {due}; {courier} đến lúc {at}, kịp hạn.",
        "en": f"Due {due}; {courier} is there at {at}, in time.",
    }


def _with(vi: str, en: str, outcome: Outcome) -> Words:
    at, sooner = _clock(outcome.pickup_at), outcome.sooner_min
    sooner_vi = "" if not sooner else f", sớm hơn {sooner} phút"
    sooner_en = "" if not sooner else f", {sooner} min sooner"
    left = outcome.slack_min
    kept_vi = f"vẫn trễ {-left} phút" if left < 0 else f"kịp hạn, còn dư {left} phút"
    kept_en = f"still {-left} min late" if left < 0 else f"in time with {left} min left"
    return {
        "vi": f"{vi}: lấy lúc {at}{sooner_vi}, {kept_vi}; {_price_vi(outcome.price)}.",
        "en": f"{en}: collected at {at}{sooner_en}, {kept_en}; {_price_en(outcome.price)}.",
    }


def _price_vi(price: Price) -> str:
    said = (
        f"{price.later_count} hồ sơ khác muộn hơn tối đa {price.most_later_min} phút"
        if price.later_count
        else "không hồ sơ nào khác muộn hơn"
    )
    return f"{said}, {price.newly_late} hồ sơ trễ hạn" if price.newly_late else f"{said}, không ai trễ hạn"


def _price_en(price: Price) -> str:
    others = "1 other" if price.later_count == 1 else f"{price.later_count} others"
    said = f"{others} up to {price.most_later_min} min later" if price.later_count else "nobody else is later"
    missing = "1 misses its promise" if price.newly_late == 1 else f"{price.newly_late} miss their promise"
    return f"{said}, {missing}" if price.newly_late else f"{said}, none late"


def _clock(at: datetime) -> str:
    return at.astimezone(LOCAL).strftime("%H:%M")


def call_json(place: dict[str, Any], phone: str | None) -> dict[str, Any]:
    """Whom to call, and where he is; `phone` is None for a shop, whose number is with its officer."""
    return {"name": place["name"], "phone": phone, "place": place["address"]}
