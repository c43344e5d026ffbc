"""What is wrong with data from outside, told in both languages: pointer, word code, sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from dispatch.domain.errors import DispatchError

MOST_FLAWS = 50
"""So many faults of one body are told."""
_CODES = {"extra_forbidden": "unknown_key"}
_VI = {
    "missing": "thiếu giá trị bắt buộc",
    "extra_forbidden": "không có trường này",
    "string_type": "phải là một đoạn chữ",
    "string_too_short": "trống hoặc quá ngắn",
    "string_too_long": "quá dài",
    "string_pattern_mismatch": "không đúng mẫu",
    "literal_error": "không phải một trong các giá trị cho phép",
    "int_parsing": "phải là số nguyên, không dấu cách hay dấu phân cách hàng nghìn",
    "int_type": "phải là số nguyên",
    "int_from_float": "phải là số nguyên",
    "float_parsing": "phải là số, dùng dấu chấm thập phân",
    "float_type": "phải là số",
    "finite_number": "phải là số hữu hạn",
    "bool_parsing": "phải là true hoặc false",
    "bool_type": "phải là true hoặc false",
    "greater_than_equal": "nhỏ hơn mức cho phép",
    "less_than_equal": "lớn hơn mức cho phép",
    "too_long": "có quá nhiều phần tử",
    "list_type": "phải là danh sách",
    "dict_type": "phải là một đối tượng",
    "model_type": "phải là một đối tượng",
    "date_parsing": "không phải ngày; viết dạng 2020-04-03",
    "date_from_datetime_parsing": "không phải ngày; viết dạng 2020-04-03",
    "date_from_datetime_inexact": "không phải ngày; viết dạng 2020-04-03",
    "instant": "không phải thời điểm; viết dạng 2020-04-07T15:10:00+07:00",
    "instant_without_zone": "thiếu múi giờ; thêm +07:00",
    "instant_out_of_range": "ngoài các năm 2000–2099",
    "control_character": "chứa ký tự điều khiển không in được",
    "era_missing": "mã xã cần kèm bản đồ: 2020 hoặc 2025",
    "address_missing": "cần raw, hoặc commune_code cùng era",
    "half_a_point": "lat và lng phải đi cùng nhau",
    "window_reversed": "kết thúc trước khi bắt đầu",
    "hotline_incomplete": "kênh HOTLINE cần hotline và window",
    "supplement_kind": "nộp bổ sung giấy là một lần lấy hồ sơ (pickup)",
    "too_deep": "lồng quá sáu tầng",
    "number_too_large": "chứa số vượt 2^53",
    "number_not_finite": "chứa số không hữu hạn",
}


class Flaw(NamedTuple):
    """One thing wrong: JSON pointer, word code, what and what to do in Vietnamese and English."""

    pointer: str
    code: str
    vi: str
    en: str

    def to_json(self) -> dict[str, Any]:
        """As it is kept until somebody asks for it in one of the languages."""
        return {"pointer": self.pointer, "code": self.code, "message": {"vi": self.vi, "en": self.en}}


def flaws_of_refusal(error: DispatchError) -> list[Flaw]:
    """What the service refuses, with the places it names."""
    pointers = [fault.pointer for fault in error.faults] or [""]
    return [Flaw(pointer, error.code, error.vi, error.en) for pointer in pointers]


def pointer_of(location: tuple[int | str, ...], context: Mapping[str, Any] | None = None) -> str:
    """The JSON pointer of a place in a body; a check of several keys names in its context (`pointer`) the one at fault.

    What pydantic adds to a place for its own steps is left out.
    """
    parts = [str(part) for part in location if not str(part).startswith(("function-", "constrained-"))]
    inner = str((context or {}).get("pointer", ""))
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts) + inner


def flaws_of(error: ValidationError) -> list[Flaw]:
    """Everything a body's shape complains about, at most 50."""
    found = error.errors(include_url=False, include_input=False)[:MOST_FLAWS]
    return [
        Flaw(
            pointer_of(item["loc"], item.get("ctx")),
            _CODES.get(item["type"], item["type"]),
            _VI.get(item["type"], "giá trị không đúng"),
            item["msg"],
        )
        for item in found
    ]
