"""Cash and accounts, pure: a courier's shift reconciled, what a request still owes, what it may have back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from dispatch.domain.hours import PublicHolidays

NAMES = ("postage", "state_fee")
"""The two purses that are never mixed: the post's own money, and fees passed through to the authority."""
BOOK_OF = {"postage": "POSTAGE", "state_fee": "STATE_FEE"}
REMIT_WITHIN_WORKING_DAYS = 1
"""A fee collected on a return leg reaches the authority by the next working day; on a send leg with the dossier."""

Table = Mapping[str, Mapping[str, int]]
"""Đồng by leg and purse: `{"pickup": {"postage": 30000, "state_fee": 50000}}`."""


class Movement(Protocol):
    """One ledger entry, as far as cash and accounts look at it."""

    @property
    def leg(self) -> str | None:
        """The leg it is about; None for cash handed in."""

    @property
    def book(self) -> str:
        """`POSTAGE`, `STATE_FEE` or `COMPENSATION`."""

    @property
    def kind(self) -> str:
        """The type of the event it stands for."""

    @property
    def amount(self) -> int:
        """Whole đồng, positive where money came in."""


@dataclass(frozen=True)
class ShiftCash:
    """One courier's cash of one date by purse, in đồng; a positive difference is missing, a negative one too much."""

    taken: Mapping[str, int]
    with_dossier: int
    handed_in: Mapping[str, int]

    @property
    def difference(self) -> dict[str, int]:
        """What he should have handed in less what he did.

        A fee that went out with a dossier may have gone from his hand to the officer (QĐ 45/2016/QĐ-TTg art 7) or
        through the cash desk before: either way it is accounted for.
        """
        gap = {name: self.taken[name] - self.handed_in[name] for name in NAMES}
        if gap["state_fee"] > 0:
            gap["state_fee"] = max(0, gap["state_fee"] - self.with_dossier)
        return gap

    @property
    def explained(self) -> bool:
        """Whether nothing is missing and nothing is too much, in either purse."""
        return not any(self.difference.values())

    def to_json(self) -> dict[str, Any]:
        """The figures as a cashier reads them."""
        return {
            "taken": _with_total(self.taken),
            "remitted_with_dossier": self.with_dossier,
            "handed_in": _with_total(self.handed_in),
            "difference": _with_total(self.difference),
            "currency": "VND",
        }


def _with_total(purses: Mapping[str, int]) -> dict[str, int]:
    return {**{name: purses[name] for name in NAMES}, "total": sum(purses[name] for name in NAMES)}


def reconcile(entries: Iterable[Movement]) -> ShiftCash:
    """Reconcile the entries of one courier's shift: cash taken against cash handed in, purse by purse."""
    known = list(entries)

    def total(kind: str, name: str) -> int:
        return sum(entry.amount for entry in known if entry.kind == kind and entry.book == BOOK_OF[name])

    return ShiftCash(
        taken={name: total("cash_taken", name) for name in NAMES},
        with_dossier=-total("fee_remitted", "state_fee"),
        handed_in={name: -total("cash_handed_in", name) for name in NAMES},
    )


def paid(entries: Iterable[Movement], legs: Iterable[str]) -> dict[str, dict[str, int]]:
    """What was paid on each leg and not given back; where a fee went afterwards does not matter here."""
    account = {leg: dict.fromkeys(NAMES, 0) for leg in legs}
    name_of = {book: name for name, book in BOOK_OF.items()}
    for entry in entries:
        if entry.leg in account and entry.book in name_of and entry.kind in ("cash_taken", "paid", "refunded"):
            account[entry.leg][name_of[entry.book]] += entry.amount
    return account


def fees_in_hand(entries: Iterable[Movement], legs: Iterable[str]) -> dict[str, int]:
    """State fees collected on each leg that have neither reached the authority nor gone back to the payer."""
    known = [entry for entry in entries if entry.book == "STATE_FEE"]
    return {leg: max(0, sum(entry.amount for entry in known if entry.leg == leg)) for leg in legs}


def balance(owed: Table, paid: Table) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """(still due, too much) by leg and purse; a leg's surplus covers what other legs lack before it is too much.

    Purses never cover each other. At most one of both tables has something in a purse.
    """
    due = {leg: {name: max(0, owed[leg][name] - paid[leg][name]) for name in NAMES} for leg in owed}
    over = {leg: {name: max(0, paid[leg][name] - owed[leg][name]) for name in NAMES} for leg in owed}
    for name in NAMES:
        for short in due:
            for long in over:
                moved = min(due[short][name], over[long][name])
                due[short][name] -= moved
                over[long][name] -= moved
    return due, over


def share(amount: int, table: Table, names: Iterable[str] = NAMES) -> tuple[dict[str, dict[str, int]], int]:
    """Share an amount out over what a table holds, leg by leg in its order, purses as named; and what is left over."""
    left, order = amount, tuple(names)
    shares: dict[str, dict[str, int]] = {}
    for leg, purses in table.items():
        part = dict.fromkeys(NAMES, 0)
        for name in order:
            part[name] = min(left, purses[name])
            left -= part[name]
        shares[leg] = part
    return shares, left


def total(table: Table) -> int:
    """All a table holds."""
    return sum(sum(purses.values()) for purses in table.values())


def remit_due_on(leg: str, collected_on: date, holidays: PublicHolidays) -> date | None:
    """By when a state fee must reach the authority; None on a send leg, where it goes with the dossier."""
    return holidays.add_working_days(collected_on, REMIT_WITHIN_WORKING_DAYS) if leg == "return" else None
