/** Outward statuses, event types, fee lines and warnings in words, shared by the screens. */
import { lang, type Pair } from "./i18n.ts";

const STATUSES: Record<string, Pair> = {
  REQUESTED: ["Mới yêu cầu", "Requested"],
  DISPATCHED: ["Đã điều tin", "Dispatched"],
  ASSIGNED: ["Đã giao bưu tá", "Assigned"],
  COLLECTED: ["Đã lấy", "Collected"],
  IN_TRANSIT: ["Đang chuyển", "In transit"],
  AT_OFFICE: ["Tại bưu cục", "At office"],
  OUT_FOR_DELIVERY: ["Đang đi phát", "Out for delivery"],
  HANDED_OVER: ["Đã giao một cửa", "Handed over"],
  DELIVERED: ["Đã phát", "Delivered"],
  PICKUP_FAILED: ["Lấy không được", "Pickup failed"],
  ATTEMPT_FAILED: ["Phát không được", "Attempt failed"],
  REFUSED: ["Từ chối nhận", "Refused"],
  RETURNING: ["Đang chuyển hoàn", "Returning"],
  RETURNED_TO_SHOP: ["Đã hoàn một cửa", "Returned to shop"],
  E_RETURNED: ["Trả điện tử", "Returned electronically"],
  CANCELLED: ["Đã huỷ", "Cancelled"],
  LOST: ["Thất lạc", "Lost"],
  DAMAGED: ["Hư hỏng", "Damaged"],
  CLOSED: ["Đã đóng", "Closed"],
};

const EVENTS: Record<string, Pair> = {
  "request.created": ["Một cửa gửi yêu cầu", "Request created"],
  "request.dispatched": ["Điều tin", "Dispatched"],
  "request.assigned": ["Giao bưu tá", "Assigned"],
  "request.collected": ["Đã lấy hồ sơ", "Collected"],
  "request.delivered": ["Đã phát", "Delivered"],
  "request.handed_over": ["Đã giao một cửa", "Handed over"],
  "request.failed": ["Không thành", "Failed"],
  "request.cancelled": ["Đã huỷ", "Cancelled"],
  "request.returned": ["Đã hoàn", "Returned"],
  "request.e_returned": ["Trả điện tử", "Returned electronically"],
  "promise.at_risk": ["Lời hứa có nguy cơ trễ", "Promise at risk"],
  "promise.breached": ["Trễ lời hứa", "Promise breached"],
  "promise.restored": ["Lời hứa trở lại an toàn", "Promise restored"],
  "promise.met": ["Giữ được lời hứa", "Promise met"],
  "fee.assessed": ["Tính cước", "Fee assessed"],
  "fee.corrected": ["Sửa cước", "Fee corrected"],
  "address.needs_review": ["Địa chỉ cần xem lại", "Address needs review"],
};

// The steps of one request's own history, as couriers and coordinators made them.
const STEPS: Record<string, Pair> = {
  created: ["Một cửa gửi yêu cầu", "Request created"],
  dispatched: ["Điều tin", "Dispatched"],
  assigned: ["Giao bưu tá", "Assigned"],
  unassigned: ["Bỏ giao", "Unassigned"],
  arrived: ["Bưu tá đến nơi", "Courier arrived"],
  collected: ["Đã lấy hồ sơ", "Collected"],
  collect_failed: ["Lấy không được", "Collection failed"],
  arrived_office: ["Đến bưu cục", "Arrived at office"],
  departed_office: ["Rời bưu cục", "Left the office"],
  out_for_delivery: ["Đi phát", "Out for delivery"],
  handed_over: ["Đã giao một cửa", "Handed over"],
  handover_refused: ["Một cửa không nhận", "Handover refused"],
  delivered: ["Đã phát", "Delivered"],
  delivery_failed: ["Phát không được", "Delivery failed"],
  refused: ["Từ chối nhận", "Refused"],
  cash_taken: ["Đã thu tiền", "Cash taken"],
  invited: ["Mời nhận lần 2", "Invited a second time"],
  returning: ["Bắt đầu chuyển hoàn", "On its way back"],
  redirected: ["Đổi địa chỉ nhận", "Redirected"],
  supplement_requested: ["Yêu cầu bổ sung hồ sơ", "Supplement asked for"],
  back_to_sender: ["Trả lại người gửi", "Back to the sender"],
  appointment_noted: ["Ghi phiếu hẹn trả", "Appointment slip noted"],
  lost: ["Báo thất lạc", "Reported lost"],
  damaged: ["Báo hư hỏng", "Reported damaged"],
  found: ["Đã tìm thấy", "Found"],
  compensation_set: ["Định mức bồi thường", "Compensation set"],
  closed: ["Đóng hồ sơ", "Closed"],
  reopened: ["Mở lại", "Reopened"],
  paused: ["Tạm dừng đồng hồ", "Clock paused"],
  resumed: ["Đồng hồ chạy tiếp", "Clock resumed"],
  cancelled: ["Đã huỷ", "Cancelled"],
  e_returned: ["Trả điện tử", "Returned electronically"],
};

const REASONS: Record<string, Pair> = {
  CUSTOMER_ABSENT: ["khách vắng mặt", "customer absent"],
  BAD_ADDRESS: ["sai địa chỉ", "wrong address"],
  MOVED: ["đã chuyển đi", "moved away"],
  NOT_FOUND: ["không tìm thấy", "not found"],
  CLOSED: ["nơi giao dịch đóng cửa", "place is closed"],
  NOT_READY: ["hồ sơ chưa sẵn sàng", "papers not ready"],
  OTHER: ["lý do khác", "other"],
  INTAKE_CLOSED: ["hết giờ nhận hồ sơ", "intake closed"],
  INCOMPLETE: ["hồ sơ thiếu", "incomplete"],
  WRONG: ["sai hồ sơ", "wrong dossier"],
};

const LINES: Record<string, Pair> = {
  "postage.pickup": ["Cước nhận gửi", "Postage, pickup"],
  "postage.return": ["Cước chuyển trả", "Postage, return"],
  discount: ["Giảm cước", "Discount"],
  waiver: ["Miễn cước", "Waiver"],
  deferral: ["Tạm thời chưa thu", "Deferred"],
  held: ["Chờ quyết định", "Held for review"],
  remittance: ["Phí nộp hộ", "Remittance"],
  state_fee: ["Phí, lệ phí nhà nước", "State fee"],
  redirect: ["Chuyển tiếp", "Redirect"],
};

const WARNINGS: Record<string, Pair> = {
  channel_not_allowed: ["Kênh nộp không đúng quy định của tỉnh", "Channel not allowed by the province"],
  needs_email: ["Cần địa chỉ thư điện tử", "Needs an e-mail address"],
  no_pickup_needed: ["Có thể không cần lấy bản giấy", "Pickup may not be needed"],
  no_paper_needed: ["Có thể không cần bản giấy", "Paper may not be needed"],
  late_notice: ["Điều tin đến muộn hơn 15 phút", "Notice received over 15 min late"],
  address_needs_review: ["Địa chỉ cần xem lại", "Address needs review"],
  rule_open_over_12_months: ["Quy định mở quá 12 tháng", "Rule open over 12 months"],
  provisional_tariff: ["Cước tạm tính", "Provisional tariff"],
  policy_warning: ["Lưu ý về chính sách", "Policy warning"],
};

const from =
  (table: Record<string, Pair>) =>
  (code: string | null | undefined): string => {
    const pair = table[code ?? ""];
    return pair ? pair[lang.value === "vi" ? 0 : 1] : (code ?? "–");
  };

export const statusText = from(STATUSES);
export const eventText = from({ ...EVENTS, ...STEPS });
export const reasonWord = from(REASONS);
export const lineText = from(LINES);
export const warningText = from(WARNINGS);

const DONE = new Set(["HANDED_OVER", "DELIVERED", "RETURNED_TO_SHOP", "E_RETURNED", "CANCELLED", "CLOSED"]);
const CARRIED = new Set([
  "COLLECTED",
  "IN_TRANSIT",
  "AT_OFFICE",
  "OUT_FOR_DELIVERY",
  "ATTEMPT_FAILED",
  "REFUSED",
  "RETURNING",
]);

/** Nothing more is to be done for it. */
export const isDone = (status: string | null | undefined) => DONE.has(status ?? "");
/** Somebody of the post holds it. */
export const isCarried = (status: string | null | undefined) => CARRIED.has(status ?? "");
