"""Answers of the adapter, in the shape that one-stop systems read: names as they write them."""

from __future__ import annotations

from typing import Any

from api.shapes.base import Shown, absent


class OrderFault(Shown):
    """One thing wrong with an order: where, a word for programs, a sentence."""

    pointer: str
    code: str
    message: str


class OrderReply(Shown):
    """What became of an order or a recall: `Status` `100` done, `101` known before and nothing made, else refused."""

    Status: str
    Message: str
    Code: str = absent()
    """A refusal's problem code."""
    Errors: list[OrderFault] = absent()
    OrderNumber: str = absent()
    ItemCode: str = absent()
    RequestId: str = absent()
    Attempt: int = absent()
    RequestStatus: str = absent()
    Postage: int = absent()
    """Full postage in đồng, before reductions."""
    CollectFromCitizen: int = absent()
    """What the courier asks for, in đồng, state fee included."""
    TrackingUrl: str = absent()
    Warnings: list[str] = absent()
    Data: list[dict[str, Any]] = absent()
    """Of a batch: such an answer for each order. Of a recall: what was recalled."""
