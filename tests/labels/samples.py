"""Labels and names the label tests share: ordinary ones, long ones, hostile ones."""

import unicodedata
from datetime import date, datetime, timedelta, timezone
from typing import Any

from labels import Document, Label, MoneyLine, Party

HANOI = timezone(timedelta(hours=7))
URL = "https://tra-cuu.example.vn/t/8f3kQ2zLw9"

CITIZEN = Party(
    "Nguyễn Thị Ánh Tuyết",
    "090••••456",
    ("12 Trần Phú",),
    "P. Vĩnh Hải, TP Nha Trang, Khánh Hòa",
    "Phường Bắc Nha Trang, Khánh Hòa",
)
SHOP = Party(
    "Trung tâm Phục vụ hành chính công tỉnh Khánh Hòa",
    "0258•••••22",
    ("01 Trần Phú",),
    "P. Xương Huân, TP Nha Trang, Khánh Hòa",
    "Phường Nha Trang, Khánh Hòa",
)

# What people are called, and what systems make of it: (as typed, as it must be read back).
NAMES: tuple[tuple[str, str], ...] = (
    *(
        (name, name)
        for name in (
            "Nguyễn Thị Ánh Tuyết",
            "Đặng Ngọc Ẩn",
            "Phạm Quỳnh Như",
            "Lê Hữu Nghĩa",
            "Trần Đình Đắc",
            "Võ Thị Ỷ Lan",
            "Bùi Ẵm Ẳn Ằm Ắc Ặc",
            "Hoàng Ếch Ềm Ểnh Ễnh Ệch",
            "Ngô Ốc Ồn Ổi Ỗng Ộp",
            "Dương Ớt Ờm Ởn Ỡm Ợm",
            "Lý Ứng Ừng Ửng Ữ Ựa",
            "Đỗ Ý Ỳ Ỷ Ỹ Ỵ",
            "NGUYỄN THỊ PHƯƠNG THẢO",
            "TRƯƠNG THỊ MỸ DUYÊN",
            "H'Hen Niê",
            "Y Bhút Niê Kđăm",
            "K'Brơi",
            "Siu H'Uyên",
            "Rơ Châm H'Phik",
            "Ksor Nham",
            "Nay H’Nhan",
            "Vàng Thị Dợ",
            "Lò Văn Ngoặc",
            "Giàng A Sử",
            "Tẩn Mẩy Khé",
            "Huỳnh Công-Tằng Tôn Nữ Ngọc Tuyền",
            "Nguyễn Phúc Vĩnh Thụy (Bảo Ân)",
            "Công ty TNHH MTV Xổ số Kiến thiết Khánh Hòa",
            "Hợp tác xã Dệt thổ cẩm Lùng Tám – Quản Bạ",
            "Ông Trần Văn Thời & bà Lê Thị Riêng",
            "Phan Thị Vàng Anh/Nguyễn Minh",
            "José Nguyễn Ñandú",
            "Nguyễn Hoàng Thiên Kim Ngọc Phương Uyên Trâm Anh Thư Quỳnh Nhi",
            "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG THÀNH PHỐ PHAN RANG THÁP CHÀM",
            "Nguyễnphúctrầnđặnglêphạmhoànghuỳnhvõvũbùiđỗhồngôdươnglýđàotrịnh",
        )
    ),
    (unicodedata.normalize("NFD", "Nguyễn Phượng Ẩn"), "Nguyễn Phượng Ẩn"),
    (unicodedata.normalize("NFD", "ĐẶNG THỊ ẲN"), "ĐẶNG THỊ ẲN"),
    ("Nguye\u0323\u0302n", "Nguyện"),
    ("  Trần\u00a0\u3000Thị\tBé\nBa  ", "Trần Thị Bé Ba"),
    ("Lê\u200bVăn\u202e Tám\u2066\ufeff", "LêVăn Tám"),
    ("Anh 😀 Tuấn", "Anh ? Tuấn"),
    ("Bé 👨‍👩‍👧 Na", "Bé ??? Na"),
    ("Tim ❤️ Nguyễn", "Tim ? Nguyễn"),
    ("محمد Nguyễn", "???? Nguyễn"),
    ("Trần 阮文", "Trần ??"),
    ("<b>Lê</b> %s {0} \\n", "<b>Lê</b> %s {0} \\n"),
)


def label(**changes: Any) -> Label:
    """A complete pickup label, with the given fields changed."""
    fields: dict[str, Any] = {
        "item_id": "RA123456785VN",
        "kind": "pickup",
        "sender": CITIZEN,
        "recipient": SHOP,
        "tracking_url": URL,
        "weight_g": 80,
        "payable_dong": 1_284_000,
        "money": (
            MoneyLine("Cước nhận gửi", "Postage", 26_000),
            MoneyLine("Lệ phí", "State fee", 1_250_000),
            MoneyLine("Nộp hộ", "Remittance", 8_000),
        ),
        "external_ref": "HCC-2026-000417",
        "dossier_code": "000.00.16.H32-261124-0015",
        "shop_name": "Trung tâm PVHCC tỉnh Khánh Hòa",
        "office_name": "Bưu cục Nha Trang",
        "documents": (Document("Giấy chứng tử"), Document("Tờ khai", 2), Document("Sổ hộ khẩu", 1, True)),
        "due_at": datetime(2026, 11, 24, 15, 10, tzinfo=HANOI),
        "due_rule": "Công văn 2964/UBND-KSTT, mục 3",
        "delivery_expected_on": date(2026, 11, 25),
        "note": "Gọi trước 15 phút, cổng sau.",
    }
    return Label(**(fields | changes))


def full_label() -> Label:
    """A return label where every text is as long as papers in real life get."""
    company = Party(
        "CÔNG TY TRÁCH NHIỆM HỮU HẠN MỘT THÀNH VIÊN THƯƠNG MẠI DỊCH VỤ XUẤT NHẬP KHẨU NGUYỄN ẲN PHƯỢNG HOÀNG",
        "091••••789",
        (
            "Số 1234/56/78 đường Nguyễn Văn Trỗi nối dài, khu dân cư mới Phước Long B",
            "Tòa nhà Thương mại Sài Gòn – Ninh Chữ, tầng 12, phòng 1207",
            "Gần chợ Phan Rang, đối diện trường THPT chuyên Lê Quý Đôn",
        ),
        "Phường Phước Mỹ, thành phố Phan Rang – Tháp Chàm, tỉnh Ninh Thuận",
        "Phường Đô Vinh, tỉnh Khánh Hòa",
    )
    return label(
        kind="return",
        item_id="RH296400060VN",
        sender=SHOP,
        recipient=company,
        payable_dong=12_345_678,
        money=(
            MoneyLine("Cước trả kết quả liên tỉnh", "Inter-province postage", 52_000),
            MoneyLine("Giảm cước 30 % theo Công văn 659", "Discount", -15_600),
            MoneyLine("Lệ phí cấp giấy", "State fee", 12_309_278),
        ),
        approximate_point=True,
        provisional=True,
        note="Chỉ giao giờ hành chính; bảo vệ tòa nhà nhận thay khi có giấy ủy quyền; xin gọi trước ba mươi phút.",
    )
