"""The types of news a shop can be told, and what a webhook may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

Family = Literal["*", "request.*", "promise.*", "fee.*", "manifest.*", "import.*", "address.*"]
News = Literal[
    "request.created",
    "request.dispatched",
    "request.assigned",
    "request.collected",
    "request.delivered",
    "request.handed_over",
    "request.failed",
    "request.cancelled",
    "request.returned",
    "request.e_returned",
    "promise.at_risk",
    "promise.breached",
    "promise.restored",
    "promise.met",
    "fee.assessed",
    "fee.corrected",
    "manifest.closed",
    "import.finished",
    "address.needs_review",
]
Wanted = Literal[Family, News]
"""What a webhook and a reader of the feed may name: a type, all types of a family, or all there are."""

NEWS: tuple[str, ...] = get_args(News)
TEST = "webhook.test"
"""Sent to one webhook on request, whatever that webhook asked for."""


def wants(types: Sequence[str], type: str) -> bool:
    """Whether somebody with these `types` (`*`, an exact name, or `request.*`) wants to hear of `type`."""
    return any(
        pattern in ("*", type) or (pattern.endswith(".*") and type.startswith(pattern[:-1])) for pattern in types
    )
