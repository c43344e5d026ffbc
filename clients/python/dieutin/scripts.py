"""What takes several calls, as generators that neither send nor sleep: both clients play the same scripts."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from dieutin import calls
from dieutin import types as t
from dieutin.calls import Call
from dieutin.errors import OperationFailed
from dieutin.retrying import Wait

Item = TypeVar("Item")
LOOK_S = 0.5
"""Seconds between two looks at long work, and after an empty page of the feed that came at once."""
_OVER = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Give(Generic[Item]):
    """One thing for whoever plays the script."""

    item: Item


Script = Generator[Call[Any] | Wait | Give[Item], Any, None]
"""Yields a call to be sent (and is given its answer), a pause, or something to give."""


def each(call: Call[t.Page[Item]]) -> Script[Item]:
    """Everything of a list, page by page."""
    cursor: str | None = ""
    while cursor is not None:
        page: t.Page[Item] = yield replace(call, query={**call.query, "cursor": cursor}) if cursor else call
        for item in page["data"]:
            yield Give(item)
        cursor = page["next_cursor"]


def follow(after: int, wait: int, types: str | None, shop_id: str | None) -> Script[t.Event]:
    """The events above `after`, for ever."""
    while True:
        began = time.monotonic()
        page = yield calls.read_feed(after, wait=wait, types=types, shop_id=shop_id)
        for event in page["data"]:
            yield Give(event)
        after = page["next_after"]
        if not page["data"] and time.monotonic() - began < LOOK_S:
            yield Wait(LOOK_S)  # without `wait`, or the server had no room for one more waiting call


def finished(accepted: t.Accepted, within_s: float) -> Script[dict[str, Any]]:
    """The result of long work; raises `OperationFailed`, and TimeoutError where it takes longer."""
    ends = time.monotonic() + within_s
    while (operation := (yield calls.read_operation(accepted["id"])))["status"] not in _OVER:
        if time.monotonic() > ends:
            raise TimeoutError(f"{accepted['id']} is still {operation['status']} after {within_s} s")
        yield Wait(LOOK_S)
    if operation["status"] != "succeeded":
        error = operation["error"] or {}
        raise OperationFailed(accepted["id"], operation["status"], error.get("code", ""), error.get("message", ""))
    yield Give(operation["result"] or {})
