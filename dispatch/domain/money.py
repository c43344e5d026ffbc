"""Whole đồng and who bears them."""

from __future__ import annotations

from typing import Literal

Payer = Literal["citizen", "post", "province", "undecided"]
PAYERS: tuple[Payer, ...] = ("citizen", "post", "province", "undecided")


def dong_text(amount: int) -> str:
    """An amount as people in Vietnam read it: `26.000 đ`, `−7.800 đ`."""
    sign = "−" if amount < 0 else ""
    return f"{sign}{abs(amount):,} đ".replace(",", ".")
