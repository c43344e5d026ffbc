"""Rows of a table as the bodies they stand for: dotted columns, and what spreadsheets do to numbers and dates.

A cell is never guessed right: a telephone number without its first zero, a number in powers of ten or a date kept as a
day count is told with what to do, because a wrong guess would send a courier to nobody.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from pydantic import ValidationError

from dispatch.domain.consignment import RequestBody
from dispatch.domain.flaws import Flaw, flaws_of
from dispatch.domain.sheets import BadTable, Problem, Row
from labels.text import tidy

RESULT_COLUMNS = "result."
"""Columns that begin so are ours: a downloaded result, put right, can be sent again as it is."""
_BROKEN = re.compile(r"#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|#+)")
_POWER = re.compile(r"[+-]?(\d+[.,]\d+E[+-]?\d{1,3}|\d+E[+-]\d{1,3})", re.IGNORECASE)
_FLOAT = re.compile(r"\d+\.0")
_DAY_COUNT = re.compile(r"\d{4,6}([.,]\d+)?")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY_ZERO = date(1899, 12, 30)
"""Day 0 of spreadsheets, as it has to be so that days after February 1900 come out right."""
_TEXT_MARK = re.compile(r"'[=+\-@]")


Key = tuple[str, str]
"""A shop, and either the fingerprint of one of its rows or the natural key of one of its requests."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """What became of one row of a table of requests.

    `reference` is the natural key within its shop and `print` the fingerprint of its content, where it could be read;
    `told` holds what a created row costs and the warnings about it.
    """

    row: int
    status: str
    shop_id: str | None
    reference: str | None
    print: str | None
    request_id: str | None
    errors: list[dict[str, Any]]
    told: dict[str, Any]
    cells: list[str]


def nested(filled: dict[str, Any]) -> dict[str, Any]:
    """Values by dotted column as the JSON they stand for: `base.lat`, `rooms.0.id`.

    A column beside its own inner columns (`base` and `base.lat`) hides them, and the shape refuses it.
    """
    body: dict[str, Any] = {}
    for column, value in filled.items():
        *path, last = column.split(".")
        inside: Any = body
        for part in path:
            inside = inside.setdefault(part, {}) if isinstance(inside, dict) else None
        if isinstance(inside, dict):
            inside[last] = value
    return {name: _as_list(value) for name, value in body.items()}


def _as_list(value: Any) -> Any:
    """A dictionary with the keys 0, 1, 2 is a list."""
    if isinstance(value, dict) and value and all(key.isdecimal() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return value


@cache
def columns() -> dict[str, str]:
    """Every column a request's body has, with the kind of its cells; `#` stands for the line number of a list."""
    schema = RequestBody.model_json_schema()
    return dict(_leaves(schema, schema["$defs"], ""))


def _leaves(shape: dict[str, Any], shared: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if "$ref" in shape:
        shape = shared[shape["$ref"].rpartition("/")[2]]
    inner = f"{path}." if path else ""
    if "anyOf" in shape:
        for one in shape["anyOf"]:
            yield from _leaves(one, shared, path)
    elif shape.get("type") == "array":
        yield from _leaves(shape["items"], shared, f"{inner}#")
    elif "properties" in shape:
        for name, one in shape["properties"].items():
            yield from _leaves(one, shared, f"{inner}{name}")
    elif shape.get("type") == "object":
        yield f"{inner}*", "string"
    elif shape.get("type") != "null":
        yield path, shape.get("format", shape.get("type", "string"))


def _pattern(column: str) -> str:
    parts = ["#" if part.isdecimal() and len(part) < 4 else part for part in column.split(".")]
    if len(parts) == 2 and f"{parts[0]}.*" in columns():
        parts[1] = "*"
    return ".".join(parts)


def read_header(row: Row) -> tuple[str, ...]:
    """The columns of a table of requests; those of an earlier result are all called `result.`.

    Raises `BadTable` where one is unknown or stands twice.
    """
    names = tuple(RESULT_COLUMNS if cell.startswith(RESULT_COLUMNS) else cell for cell in row.cells)
    given = [name for name in names if name not in ("", RESULT_COLUMNS)]
    unknown = [name for name in given if _pattern(name) not in columns()]
    hidden = {name for name in given if any(other.startswith(f"{name}.") for other in given)}
    twice = sorted({name for name in given if given.count(name) > 1} | hidden)
    problems = []
    if unknown or not given:
        told = ", ".join(name[:60] for name in unknown[:10]) or "–"
        vi = f"cột lạ: {told}; tên cột là đường dẫn của nội dung yêu cầu, ví dụ citizen.address.raw"
        en = f"unknown columns: {told}; a column is a path of the request's body such as citizen.address.raw"
        problems.append(Problem(row.line, vi, en))
    if twice:
        told = ", ".join(twice)
        problems.append(Problem(row.line, f"cột trùng nhau: {told}", f"these columns say one thing twice: {told}"))
    if problems:
        raise BadTable(problems)
    return names


def read_body(names: tuple[str, ...], row: Row, fixed: dict[str, Any]) -> RequestBody | list[Flaw]:
    """The request of one row with what its cells leave out taken from `fixed`, or everything that is wrong with it."""
    flaws: list[Flaw] = []
    filled: dict[str, Any] = {}
    for place, cell in enumerate(row.cells):
        name = names[place] if place < len(names) else ""
        if not cell or name == RESULT_COLUMNS:
            continue
        if not name:
            flaws.append(_too_wide(cell))
            break
        filled[name] = cell[1:] if _TEXT_MARK.match(cell) else cell
        flaw = _mangled(name, filled[name])
        if flaw is not None:
            flaws.append(flaw)
    if filled.setdefault("channel", "IMPORT") != "IMPORT":
        flaws.append(
            Flaw(
                "/channel",
                "channel_is_import",
                "yêu cầu nhập từ tệp có kênh IMPORT; để trống cột channel",
                "what is imported has the channel IMPORT; leave the column empty",
            )
        )
    try:
        body = RequestBody.model_validate(nested(fixed | filled), strict=False)
    except ValidationError as error:
        told = {flaw.pointer for flaw in flaws}
        return flaws + [flaw for flaw in flaws_of(error) if flaw.pointer not in told]
    return flaws or body


def _too_wide(cell: str) -> Flaw:
    return Flaw(
        "",
        "cell_without_column",
        f"ô «{cell[:40]}» nằm ngoài các cột có tên: dấu phân cách trong ô phải nằm trong dấu nháy kép",
        f"the cell “{cell[:40]}” has no column: a separator within a cell needs double quotes around the cell",
    )


def _mangled(name: str, cell: str) -> Flaw | None:
    """What a spreadsheet has made of a cell that was something else before."""
    kind, pointer = columns()[_pattern(name)], "/" + name.replace(".", "/")
    last = name.rpartition(".")[2]
    if _BROKEN.fullmatch(cell):
        vi, en = f"ô báo lỗi {cell}: sửa công thức hoặc gõ lại", f"the cell holds the error {cell}: type the value anew"
        return Flaw(pointer, "spreadsheet_error", vi, en)
    if _POWER.fullmatch(cell) or (last in ("phone", "caller_phone", "commune_code") and _FLOAT.fullmatch(cell)):
        return Flaw(
            pointer,
            "number_mangled",
            f"«{cell}» là số đã bị bảng tính đổi dạng: định dạng cột là văn bản rồi gõ lại",
            f"“{cell}” is a number that a spreadsheet rewrote: make the column text and type the value anew",
        )
    if lost_a_zero(last, cell):
        return Flaw(
            pointer,
            "leading_zero_lost",
            f"«{cell}» mất số 0 ở đầu: định dạng cột là văn bản rồi gõ lại, ví dụ {_with_zero(last, cell)}",
            f"“{cell}” has lost its leading zero: make the column text and type it anew, as {_with_zero(last, cell)}",
        )
    matches = {"date": _ISO_DATE.fullmatch, "date-time": _ISO_DATE.match}.get(kind)
    return _bad_date(pointer, kind, cell) if matches and not matches(cell) else None


def lost_a_zero(last: str, cell: str) -> bool:
    """Whether a `phone` or `commune_code` was kept as a number and lost its leading zero."""
    digits = re.sub(r"[ .()-]", "", cell)
    if last in ("phone", "caller_phone"):
        # Vietnamese numbers begin with 0: mobile 03, 05, 07, 08, 09 and eight digits, fixed 02 and nine.
        return re.fullmatch(r"[35789]\d{8}|2\d{9}", digits) is not None
    return last == "commune_code" and re.fullmatch(r"\d{1,4}", cell) is not None


def _with_zero(last: str, cell: str) -> str:
    return cell.zfill(5) if last == "commune_code" else f"0{cell}"


def _bad_date(pointer: str, kind: str, cell: str) -> Flaw:
    wanted = "2020-04-03" if kind == "date" else "2020-04-03T08:00:00+07:00"
    if _DAY_COUNT.fullmatch(cell):
        days = int(re.split("[.,]", cell)[0])
        day = (_DAY_ZERO + timedelta(days=days)).isoformat()
        return Flaw(
            pointer,
            "date_cell",
            f"«{cell}» là ô ngày của bảng tính ({day}): định dạng cột là văn bản và viết dạng {wanted}",
            f"“{cell}” is a spreadsheet's date cell ({day}): make the column text and write it as {wanted}",
        )
    return Flaw(
        pointer,
        "date_format",
        f"«{cell[:40]}» không phải {'ngày' if kind == 'date' else 'thời điểm'} dạng {wanted}",
        f"“{cell[:40]}” is not written as {wanted}",
    )


def content_print(body: RequestBody) -> str:
    """A fingerprint of what a body asks for, whatever columns, keys or spaces said it; its channel and shop apart."""
    apart = {"channel", "shop_id"}
    content = _tidied(body.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=apart))
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _tidied(value: Any) -> Any:
    """Texts as a result file writes them, so that it can be sent again and says the same."""
    if isinstance(value, dict):
        return {key: _tidied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_tidied(inner) for inner in value]
    return tidy(value) if isinstance(value, str) else value
