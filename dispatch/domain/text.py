"""Types for what comes from outside: clean text, aware instants, bounded numbers."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

LOCAL = timezone(timedelta(hours=7), "+07:00")
"""Asia/Ho_Chi_Minh: UTC+7 all year, no daylight saving since 1975."""

EARLIEST_AT = datetime(2000, 1, 1, tzinfo=UTC)
LATEST_AT = datetime(2100, 1, 1, tzinfo=UTC)
_LINE_BREAKS = {"\n", "\t", "\r"}
_UNPRINTED = frozenset("\u2028\u2029\ufffe\uffff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Separators, non-characters, and marks that turn the direction of the text after them: a label would lie."""


def _refuse_controls(text: str, allowed: set[str]) -> str:
    for char in text:
        if char in allowed:
            continue
        if unicodedata.category(char) in ("Cc", "Cs") or char in _UNPRINTED:
            raise PydanticCustomError(
                "control_character",
                "holds the character {code} that no paper can carry",
                {"code": f"U+{ord(char):04X}"},
            )
    return unicodedata.normalize("NFC", text).strip()


def clean_line(text: str) -> str:
    """One line of text in NFC; control characters and lone surrogates are refused (pydantic error)."""
    return _refuse_controls(text, set())


def clean_block(text: str) -> str:
    """Text that may hold line breaks and tabs; other control characters are refused (pydantic error)."""
    return _refuse_controls(text, _LINE_BREAKS)


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and len(value) <= 40 and "T" in value.upper():
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise PydanticCustomError("instant", "is not an RFC 3339 time such as 2020-04-07T15:10:00+07:00") from error
    else:
        raise PydanticCustomError("instant", "is not an RFC 3339 time such as 2020-04-07T15:10:00+07:00")
    if moment.tzinfo is None:
        raise PydanticCustomError("instant_without_zone", "has no time zone; write the offset, for instance +07:00")
    if not EARLIEST_AT <= moment <= LATEST_AT:
        raise PydanticCustomError("instant_out_of_range", "lies outside the years 2000 to 2099")
    return moment.astimezone(UTC)


Instant = Annotated[
    datetime, BeforeValidator(_instant, json_schema_input_type=str), Field(json_schema_extra={"format": "date-time"})
]
"""An aware instant in UTC, read from RFC 3339 text with offset."""

Reference = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$"),
    AfterValidator(lambda written: unicodedata.normalize("NFC", written)),
]
"""A shop's own reference, kept as it is written but for NFC: one written in two ways is one reference."""
Line = Annotated[str, StringConstraints(max_length=300), AfterValidator(clean_line)]
ShortLine = Annotated[str, StringConstraints(max_length=120), AfterValidator(clean_line)]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean_line), StringConstraints(min_length=1)
]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,79}$")]
"""An outside id: shop, room, officer."""
Block = Annotated[str, StringConstraints(max_length=2000), AfterValidator(clean_block)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 .()-]{5,19}$")]
Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+$")
]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
CommuneCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
ProvinceCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
Dong = Annotated[int, Field(ge=0, le=10_000_000_000)]
"""An amount in whole đồng."""


def _plain(value: Any, depth: int = 0) -> Any:
    """A JSON value that PostgreSQL can keep: shallow, clean text, numbers a double can hold."""
    if depth > 6:
        raise PydanticCustomError("too_deep", "is nested deeper than six levels")
    if isinstance(value, str):
        return clean_block(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        raise PydanticCustomError("number_too_large", "holds a number beyond 2^53")
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("number_not_finite", "holds a number that is not finite")
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean_line(key): _plain(item, depth + 1) for key, item in value.items()}
    return value


PlainObject = Annotated[dict[str, Any], Field(max_length=50), AfterValidator(_plain)]
"""A JSON object kept as it came, once it is known to be storable."""


class Shape(BaseModel):
    """Base of every body: frozen, strict types, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ser_json_inf_nan="null")


def local_text(moment: datetime) -> str:
    """An instant as the outside sees it: RFC 3339 in +07:00, seconds (microseconds only where present)."""
    return moment.astimezone(LOCAL).isoformat()
