"""Every problem code an answer can carry: its status and what it says, in Vietnamese and English.

docs/api.md tells more of each; tests hold this table, that page, the code and the answers to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import labels
from dispatch.domain import unplanned

GUARD = "guard_<key>"
"""Stands for `guard_signature`, `guard_recipient` …: the proof a courier's event lacks."""
CANNOT_BE_GIVEN = ("address_unknown", "office_unknown", "carrier_unknown", "carrier_off_duty")
"""Why a request cannot be given even by hand; the sentences are those of plans."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code: its HTTP status, and in a word what is wrong. `extra` are the keys a problem then has besides."""

    status: int
    vi: str
    en: str
    extra: tuple[str, ...] = ()


_OF_THE_CALL = {
    "malformed_json": Code(400, "Nội dung không phải JSON đọc được", "The body is not readable JSON"),
    "bad_request": Code(400, "Yêu cầu không đọc được", "The request cannot be read"),
    "idempotency_key_required": Code(400, "Thiếu Idempotency-Key", "Idempotency-Key is missing"),
    "idempotency_key_invalid": Code(400, "Idempotency-Key sai mẫu", "Idempotency-Key is malformed"),
    "test_clock_not_allowed": Code(400, "Test-Clock không dùng với khóa thật", "Test-Clock with a live key"),
    "test_clock_invalid": Code(
        400, "Test-Clock không phải thời điểm có múi giờ", "Test-Clock is no instant with offset"
    ),
    "missing_key": Code(401, "Cần khóa Bearer", "A Bearer key is needed"),
    "invalid_key": Code(401, "Khóa không đúng hoặc đã hết hiệu lực", "The key is wrong or ended"),
    "wrong_pin": Code(401, "Số điện thoại hoặc PIN không đúng", "Wrong phone number or PIN"),
    "scope_not_allowed": Code(403, "Loại khóa này không được gọi", "A key of this kind may not call this"),
    "role_not_allowed": Code(403, "Vai trò này không quyết định việc này", "This role may not decide this"),
    "test_mode_only": Code(403, "Chỉ dùng với khóa thử", "For test keys only"),
    "board_header_missing": Code(403, "Thiếu tiêu đề riêng của trang", "The page's own header is missing"),
    "not_found": Code(404, "Không có, hoặc không phải của bạn", "No such thing, or not yours"),
    "method_not_allowed": Code(405, "Phương thức không dùng ở đây", "This method is not used here"),
    "not_acceptable": Code(406, "Không có dạng trả lời này", "This is not an answer's form here"),
    "idempotency_in_progress": Code(
        409, "Lần gọi đầu với khóa này còn đang chạy", "The first call with this key is still running"
    ),
    "concurrent_change": Code(409, "Người khác vừa đổi đúng dòng này", "Someone changed the same row at this moment"),
    "stale": Code(412, "If-Match nêu phiên bản khác", "If-Match names another version"),
    "request_timeout": Code(408, "Yêu cầu đến quá chậm", "The call took too long to arrive"),
    "uri_too_long": Code(414, "Địa chỉ quá dài", "The address is too long"),
    "expectation_failed": Code(417, "Không đáp ứng Expect này", "That Expect cannot be met"),
    "headers_too_large": Code(431, "Tiêu đề quá lớn", "The headers are too large"),
    "body_too_large": Code(413, "Nội dung quá lớn", "The body is too large"),
    "unsupported_media_type": Code(415, "Kiểu nội dung không nhận", "Not the content type this call takes"),
    "validation_failed": Code(422, "Dữ liệu thiếu, sai hoặc lạ", "Missing, wrong or unknown data"),
    "idempotency_key_reused": Code(422, "Khóa này đã đi với nội dung khác", "This key came with another body before"),
    "precondition_required": Code(428, "Cần If-Match", "If-Match is needed"),
    "rate_limited": Code(429, "Quá nhiều yêu cầu", "Too many requests"),
    "pin_locked": Code(429, "Sai PIN nhiều lần, tạm khóa", "Too many wrong PINs, locked for a while"),
    "internal_error": Code(500, "Lỗi bên trong hệ thống", "Something went wrong inside"),
    "database_unavailable": Code(503, "Cơ sở dữ liệu tạm thời không trả lời", "The database does not answer"),
    "busy": Code(503, "Đang có thay đổi khác trên cùng hồ sơ", "Others are changing the same rows"),
    "front_end_missing": Code(503, "Giao diện chưa được dựng", "The pages are not built"),
}

_OF_STATE = {
    "duplicate_external_ref": Code(
        409, "Mã tham chiếu này đã có yêu cầu", "This reference has a request already", ("existing_id",)
    ),
    "already_collected": Code(409, "Bưu tá đã lấy", "It was collected already"),
    "already_ended": Code(409, "Đã kết thúc", "It has ended"),
    "no_return_leg": Code(409, "Yêu cầu không có chiều trả", "The request has no return leg"),
    "no_such_leg": Code(409, "Yêu cầu không có chiều này", "The request has no such leg"),
    "not_waiting_for_result": Code(409, "Không chờ kết quả", "It does not wait for a result"),
    "illegal_transition": Code(
        409, "Trạng thái không cho phép", "The state forbids this", ("status_now", "substatus_now")
    ),
    "test_clock_backwards": Code(409, "Dòng này đã ở thời điểm sau", "This row has been at a later instant"),
    "courier_off_duty": Code(409, "Bưu tá không trong ca", "The courier is off duty"),
    "not_assigned": Code(409, "Chưa giao cho bưu tá", "No courier has it"),
    "area_busy": Code(409, "Địa bàn đang được lập kế hoạch", "Another plan of the area is being made"),
    "plan_not_draft": Code(409, "Kế hoạch không còn là bản nháp", "The plan is no draft any more", ("status_now",)),
    "plan_base_changed": Code(409, "Kế hoạch cũ hơn bản đang chạy", "The draft is older than the plan in force"),
    "plan_empty": Code(409, "Kế hoạch trống", "The plan plans nothing where something is planned"),
    "operation_ended": Code(409, "Tác vụ đã kết thúc", "The operation is over"),
    "rescue_outdated": Code(409, "Phương án đã cũ, xin hỏi lại", "Things have changed since the offer: ask again"),
    "rescue_needs_call": Code(409, "Phương án này là một cuộc gọi", "The offer is a call, which somebody must make"),
    "nothing_to_undo": Code(409, "Không có gì để hoàn tác", "Nothing of the last minute to take back"),
    "delivery_under_way": Code(409, "Lần gửi đang diễn ra", "The delivery is being attempted"),
    "webhook_disabled": Code(409, "Webhook đang tắt", "The webhook is off"),
    "too_many_webhooks": Code(409, "Đã đủ số webhook", "The shop has its fill of webhooks"),
    "room_full": Code(409, "Phòng đã đủ người", "The room is full", ("next_free_at",)),
    "nothing_due": Code(409, "Không còn khoản phải thu", "Nothing is left to pay", ("quote_status",)),
    "not_refundable": Code(
        409, "Nhiều hơn mức được hoàn", "More than may be given back", ("refundable", "refundable_total")
    ),
    "nothing_to_remit": Code(409, "Không có phí chờ nộp", "No state fee waits to be remitted", ("request_ids",)),
    "cash_unexplained": Code(
        409, "Tiền mặt chưa khớp, cần giải trình", "The cash does not balance", ("courier_id", "date", "cash")
    ),
    "not_pending_review": Code(409, "Cước không chờ xem xét", "The fee waits for no review"),
    "not_deferred": Code(409, "Cước không tạm hoãn", "The postage is not deferred", ("request_ids", "refused")),
    "already_settled": Code(409, "Đã quyết toán", "It was settled already", ("request_ids", "refused")),
    "item_code_used": Code(409, "Mã vận đơn đã dùng", "The item code was used before"),
    "redirect_too_late": Code(409, "Không còn đổi địa chỉ được", "The address stays", ("status_now",)),
    "nothing_to_compensate": Code(409, "Không có gì để bồi thường", "Nothing is to be compensated", ("status_now",)),
    "another_leg_is_live": Code(409, "Chiều khác đang chạy", "Another leg is under way"),
    "promise_not_running": Code(409, "Đồng hồ không ở trạng thái đó", "The clock does not run", ("promise_state",)),
}

_OF_MEANING = {
    "unknown_shop": Code(422, "Không có bộ phận một cửa này", "No shop of yours has this id"),
    "unknown_office": Code(422, "Không có bưu cục này", "There is no such post office"),
    "unknown_area": Code(422, "Địa bàn không có bưu cục", "There is no post office in this area"),
    "unknown_courier": Code(422, "Không có bưu tá này", "There is no such courier"),
    "leading_zero_lost": Code(422, "Số điện thoại mất số 0 ở đầu", "A telephone number lost its leading zero"),
    "unknown_commune": Code(422, "Không có xã, phường này", "There is no such commune"),
    "unknown_rule": Code(422, "Không có quy tắc này", "No policy file has this rule"),
    "unknown_room": Code(422, "Không có phòng này", "The shop has no such room"),
    "unknown_offer": Code(422, "Không có phương án này", "There is no such offer"),
    "phone_taken": Code(422, "Số điện thoại đã có người dùng", "Another courier has this phone"),
    "invalid_dossier_code": Code(422, "Mã hồ sơ sai mẫu", "The dossier code has no known form"),
    "presence_required": Code(422, "Thủ tục phải có mặt", "The procedure needs the person present"),
    "recipient_refuses_paper": Code(422, "Nơi nhận không nhận bản giấy", "The recipient refuses paper"),
    "mandate_required": Code(422, "Thu hộ cần giấy ủy quyền", "A state fee needs a mandate"),
    "officer_confirmation_required": Code(422, "Cần cán bộ xác nhận địa chỉ", "An officer must confirm the address"),
    "notice_in_future": Code(422, "Thời điểm điều tin ở tương lai", "The notice lies in the future"),
    "date_in_past": Code(422, "Ngày đã qua", "The date is past"),
    "date_in_future": Code(422, "Ngày chưa tới", "The date is still to come"),
    "at_in_future": Code(422, "Thời điểm ở tương lai", "The instant lies ahead"),
    "minutes_in_future": Code(422, "Biên bản ở tương lai", "The minutes lie in the future"),
    "slot_in_past": Code(422, "Giờ hẹn đã qua", "The visit lies in the past"),
    "site_closed": Code(422, "Ngoài giờ mở cửa", "Outside opening hours"),
    "party_too_large": Code(422, "Đông hơn sức chứa", "More people than the room holds"),
    "overpaid": Code(422, "Nhiều hơn số phải trả", "More than is due", ("due",)),
    "receipt_required": Code(422, "Phí, lệ phí cần số biên lai", "A state fee needs its receipt number"),
    "decision_no_required": Code(422, "Cần số quyết định của tỉnh", "The province's decision has a number"),
    "reason_required": Code(422, "Cần lý do", "A reason is needed"),
    "pause_refused": Code(422, "Bưu điện không dừng đồng hồ của mình", "The post does not stop its own clock"),
    "webhook_url_refused": Code(422, "Không gửi đến địa chỉ này", "Not an address we send to"),
    "hash_mismatch": Code(422, "Nội dung không khớp mã băm", "The content does not match its hash"),
    "bad_policy": Code(422, "Tệp quy định sai", "A rule file that cannot be followed", ("place",)),
    "calendar_never_opens": Code(422, "Lịch không bao giờ mở", "The calendar never opens"),
    "report_too_large": Code(422, "Báo cáo quá dài", "The report has too many lines"),
    "simulation_too_large": Code(422, "Mô phỏng quá lớn", "The day is too large to be simulated here"),
    "nothing_to_simulate": Code(422, "Ngày không có gì để mô phỏng", "The day holds nothing to simulate"),
    GUARD: Code(422, "Thiếu bằng chứng", "The event lacks a proof"),
}

_OF_ASSIGNING = {code: Code(409, *unplanned.REASONS[code]) for code in CANNOT_BE_GIVEN}
_OF_LABELS = {code: Code(422, "Không in được nhãn hoặc bảng này", text) for code, text in labels.CODES.items()}

CODES: Mapping[str, Code] = MappingProxyType(
    {**_OF_LABELS, **_OF_ASSIGNING, **_OF_THE_CALL, **_OF_STATE, **_OF_MEANING}
)
