"""What the shapes of answers share."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")
Currency = Literal["VND"]
Mode = Literal["live", "test"]


class Shown(BaseModel):
    """Base of every answer's shape. Answers may gain keys: a client leaves aside what it does not know."""

    model_config = ConfigDict(use_attribute_docstrings=True)
    headers: ClassVar[tuple[str, ...]] = ()
    """Headers that come with such an answer."""


def _no_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def absent(name: str | None = None) -> Any:
    """The default of a key that stands in an answer only where it applies; `name` where Python cannot spell it."""
    return Field(default=None, alias=name, json_schema_extra=_no_default)


class Text(Shown):
    """A sentence for people, in Vietnamese and English."""

    vi: str
    en: str


class Listed(Shown, Generic[Item]):
    """One page of a list; `next_cursor` is the `cursor` of the next one, null on the last."""

    data: list[Item]
    next_cursor: str | None
    has_more: bool


class Accepted(Shown):
    """A long piece of work was queued: ask for it at `Location` until its `status` is final."""

    headers: ClassVar[tuple[str, ...]] = ("Location",)

    id: str
    status: Literal["queued"]


class OperationError(Shown):
    """Why an operation failed; `message` is in the language of the call."""

    code: str
    message: str


class OperationShown(Shown):
    """A long piece of work. `result` is that of its kind: a plan's `{plan_id}`, a repricing's adjustments …"""

    id: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    result: dict[str, Any] | None
    error: OperationError | None
    created_at: datetime
    updated_at: datetime


class Quota(Shown):
    """How much a key may ask; null = without limit."""

    requests_per_second: int | None


class Me(Shown):
    """Who a key is, and in which world."""

    key_id: str | None
    """Null for somebody who signed in at the board."""
    mode: Mode
    scope: Literal["shop", "operator", "courier"]
    scopes: list[str]
    role: str
    shop_id: str | None
    courier_id: str | None
    quota: Quota
