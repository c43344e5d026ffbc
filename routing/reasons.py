"""The words for every reason and every change, in Vietnamese and English."""

from __future__ import annotations

from routing.model import Change, Late, Unserved

# code → (English, Vietnamese)
CODES: dict[str, tuple[str, str]] = {
    "no_courier": ("There is no courier at all.", "Không có bưu tá nào."),
    "skill_missing": (
        "No courier who may take it has every skill it needs.",
        "Không bưu tá nào được phép nhận có đủ kỹ năng cần thiết.",
    ),
    "capacity_exceeded": (
        "It is larger than any courier who may take it can carry.",
        "Kích cỡ vượt sức chứa của mọi bưu tá được phép nhận.",
    ),
    "unreachable": (
        "There is no way from any courier to its pickup and on to its delivery.",
        "Không có đường đi từ bưu tá đến nơi thu gom rồi đến nơi phát.",
    ),
    "window_unreachable": (
        "Even a courier with nothing else to do arrives after its hours have closed.",
        "Bưu tá rảnh hoàn toàn cũng đến sau giờ đóng cửa.",
    ),
    "due_unreachable": (
        "Even a courier with nothing else to do arrives after its due time.",
        "Bưu tá rảnh hoàn toàn cũng đến sau hạn.",
    ),
    "shift_too_short": (
        "Even a courier with nothing else to do cannot finish it before his shift ends.",
        "Bưu tá rảnh hoàn toàn cũng không xong trước khi hết ca.",
    ),
    "distance_exceeded": (
        "It alone is farther than any courier who may take it is allowed to drive.",
        "Riêng yêu cầu này đã vượt số ki-lô-mét tối đa của bưu tá được phép nhận.",
    ),
    "break_in_the_way": (
        "It cannot be done around the breaks of any courier who may take it.",
        "Không thể sắp xếp quanh giờ nghỉ của bưu tá được phép nhận.",
    ),
    "fleet_full": (
        "A courier could do it alone, but nobody has room for it beside what he already has.",
        "Riêng yêu cầu này thì làm được, nhưng không bưu tá nào còn chỗ trong hành trình.",
    ),
    "too_expensive": (
        "Serving it would cost more than leaving it out is priced at.",
        "Phục vụ yêu cầu này tốn hơn giá đặt cho việc bỏ lại.",
    ),
    "on_time_is_dearer": (
        "It could be in time, but only where that costs more than being late is priced at.",
        "Có thể kịp hạn, nhưng tốn hơn giá đặt cho việc trễ.",
    ),
    "out_of_time": (
        "The time given ended before a place for it, or the reason against it, was found.",
        "Hết thời gian cho phép trước khi tìm được chỗ hoặc lý do cho yêu cầu này.",
    ),
}


def reason_en(entry: Unserved | Late, ticks: int = 1) -> str:
    """Return why a request is unserved or late and what would change it, in English."""
    said = _change_en(entry.change, ticks)
    return _words(entry.code)[0] + (said if isinstance(entry, Unserved) else said.replace(*_EN_LATE))


def reason_vi(entry: Unserved | Late, ticks: int = 1) -> str:
    """Return the same in Vietnamese."""
    said = _change_vi(entry.change, ticks)
    return _words(entry.code)[1] + (said if isinstance(entry, Unserved) else said.replace(*_VI_LATE))


_EN_LATE = ("It would be served", "It would be in time")
_VI_LATE = ("Phục vụ được", "Kịp hạn")


def _words(code: str) -> tuple[str, str]:
    return CODES.get(code, (f"Unserved: {code}.", f"Không phục vụ được: {code}."))


def _minutes(seconds: int | None, ticks: int) -> int:
    return -(-(seconds or 0) // (60 * ticks))


def _metres(metres: int | None, ticks: int) -> int:
    return -(-(metres or 0) // ticks)


def _change_en(change: Change | None, ticks: int) -> str:
    if change is None:
        return ""
    minutes, who = _minutes(change.by_s, ticks), change.courier or ""
    return " " + {
        "extend_window": f"It would be served if its hours closed {minutes} min later.",
        "extend_due": f"It would be served if it were due {minutes} min later.",
        "extend_shift": f"It would be served if the shift of {who} ended {minutes} min later.",
        "raise_capacity": f"It would be served if {who} could carry {change.to}.",
        "raise_max_distance": f"It would be served if {who} might drive {_metres(change.by_m, ticks)} m more.",
        "raise_priority": f"It would be served at priority {change.to}.",
        "drop_break": f"It would be served if {who} had no break.",
        "drop_skill": f"It would be served without asking for {', '.join(change.skills)}.",
        "drop_only_courier": f"It would be served if {who} might take it too.",
        "add_courier": f"It would be served with one more courier{_like(' like ', who)}.",
    }.get(change.kind, f"It would be served after {change.kind}.")


def _change_vi(change: Change | None, ticks: int) -> str:
    if change is None:
        return ""
    minutes, who = _minutes(change.by_s, ticks), change.courier or ""
    return " " + {
        "extend_window": f"Phục vụ được nếu giờ đóng cửa muộn hơn {minutes} phút.",
        "extend_due": f"Phục vụ được nếu hạn muộn hơn {minutes} phút.",
        "extend_shift": f"Phục vụ được nếu ca của {who} kết thúc muộn hơn {minutes} phút.",
        "raise_capacity": f"Phục vụ được nếu {who} chở được {change.to}.",
        "raise_max_distance": f"Phục vụ được nếu {who} được đi thêm {_metres(change.by_m, ticks)} m.",
        "raise_priority": f"Phục vụ được với mức ưu tiên {change.to}.",
        "drop_break": f"Phục vụ được nếu {who} không nghỉ giữa ca.",
        "drop_skill": f"Phục vụ được nếu không đòi hỏi {', '.join(change.skills)}.",
        "drop_only_courier": f"Phục vụ được nếu {who} cũng được nhận.",
        "add_courier": f"Phục vụ được nếu thêm một bưu tá{_like(' như ', who)}.",
    }.get(change.kind, f"Phục vụ được sau thay đổi: {change.kind}.")


def _like(word: str, who: str) -> str:
    return f"{word}{who}" if who else ""
