"""What a cashier relies on: no cash vanishes between purses, legs and shifts, and every đồng is counted once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import policies
from dispatch.domain import cash
from dispatch.domain.cash import NAMES, balance, fees_in_hand, paid, reconcile, remit_due_on, share, total


@dataclass(frozen=True)
class Moved:
    """One ledger entry."""

    book: str
    kind: str
    amount: int
    leg: str | None = "pickup"


def c15() -> list[Moved]:
    """The 131,000 of C15 in a courier's hand: 51,000 postage and a state fee of 80,000."""
    return [Moved("POSTAGE", "cash_taken", 51_000), Moved("STATE_FEE", "cash_taken", 80_000)]


def handed_in(postage: int, state_fee: int) -> list[Moved]:
    return [
        Moved("POSTAGE", "cash_handed_in", -postage, None),
        Moved("STATE_FEE", "cash_handed_in", -state_fee, None),
    ]


def test_a_shift_that_hands_in_what_it_took_balances_purse_by_purse() -> None:
    shift = reconcile([*c15(), *handed_in(51_000, 80_000)])
    assert shift.explained
    assert shift.to_json()["taken"] == {"postage": 51_000, "state_fee": 80_000, "total": 131_000}
    assert shift.to_json()["difference"]["total"] == 0


def test_postage_short_is_not_hidden_by_a_state_fee_too_much() -> None:
    shift = reconcile([*c15(), *handed_in(41_000, 90_000)])
    assert shift.difference == {"postage": 10_000, "state_fee": -10_000}
    assert not shift.explained


@pytest.mark.parametrize("handed_in_fee", [0, 80_000])
def test_a_fee_remitted_with_the_dossier_is_accounted_for_by_either_way(handed_in_fee: int) -> None:
    gone = Moved("STATE_FEE", "fee_remitted", -80_000)
    assert reconcile([*c15(), gone, *handed_in(51_000, handed_in_fee)]).explained


def test_a_fee_remitted_by_another_does_not_excuse_what_is_missing() -> None:
    gone = Moved("STATE_FEE", "fee_remitted", -50_000)
    assert reconcile([*c15(), gone, *handed_in(51_000, 0)]).difference["state_fee"] == 30_000


def test_a_courier_who_took_both_legs_money_at_one_door_leaves_nothing_due() -> None:
    owed = {"pickup": {"postage": 30_000, "state_fee": 80_000}, "return": {"postage": 21_000, "state_fee": 0}}
    due, over = balance(owed, paid(c15(), owed))
    assert total(due) == 0 and total(over) == 0


def test_a_payment_goes_to_the_fee_first_where_there_is_a_receipt() -> None:
    due = {"pickup": {"postage": 38_000, "state_fee": 50_000}, "return": {"postage": 30_000, "state_fee": 0}}
    whole, left = share(118_000, due, ("state_fee", "postage"))
    assert (whole, left) == (due, 0)
    part, left = share(60_000, due, ("state_fee", "postage"))
    assert left == 0 and part["pickup"] == {"postage": 10_000, "state_fee": 50_000} and total(part) == 60_000


def test_without_a_receipt_no_state_fee_is_taken() -> None:
    due = {"pickup": {"postage": 38_000, "state_fee": 50_000}, "return": {"postage": 30_000, "state_fee": 0}}
    part, left = share(118_000, due, ("postage",))
    assert left == 50_000 and part["pickup"]["state_fee"] == 0


def test_a_fee_that_reached_the_authority_is_no_longer_in_hand() -> None:
    assert fees_in_hand(c15(), ["pickup", "return"]) == {"pickup": 80_000, "return": 0}
    assert fees_in_hand([*c15(), Moved("STATE_FEE", "fee_remitted", -80_000)], ["pickup"]) == {"pickup": 0}


def test_a_fee_of_a_return_leg_is_due_by_the_next_working_day() -> None:
    holidays = policies.load().holidays
    assert remit_due_on("return", date(2020, 4, 1), holidays) == date(2020, 4, 3)  # 2/4: Hùng Kings
    assert remit_due_on("return", date(2020, 4, 3), holidays) == date(2020, 4, 6)
    assert remit_due_on("pickup", date(2020, 4, 3), holidays) is None


PURSES = st.fixed_dictionaries({name: st.integers(0, 200_000) for name in NAMES})
TABLES = st.fixed_dictionaries({"pickup": PURSES, "return": PURSES})


@settings(max_examples=2000)
@given(owed=TABLES, got=TABLES)
def test_what_is_due_and_what_is_over_never_stand_side_by_side(
    owed: dict[str, dict[str, int]], got: dict[str, dict[str, int]]
) -> None:
    due, over = balance(owed, got)
    for name in NAMES:
        lacking, surplus = (sum(purses[name] for purses in table.values()) for table in (due, over))
        assert lacking - surplus == sum(owed[leg][name] - got[leg][name] for leg in owed)
        assert min(lacking, surplus) == 0
    for leg in owed:
        for name in NAMES:
            assert 0 <= due[leg][name] <= max(0, owed[leg][name] - got[leg][name])
            assert 0 <= over[leg][name] <= max(0, got[leg][name] - owed[leg][name])


@settings(max_examples=2000)
@given(amount=st.integers(0, 1_000_000), table=TABLES, receipt=st.booleans())
def test_a_shared_amount_is_neither_lost_nor_made(amount: int, table: dict[str, dict[str, int]], receipt: bool) -> None:
    order = ("state_fee", "postage") if receipt else ("postage",)
    parts, left = share(amount, table, order)
    assert total(parts) + left == amount and left >= 0
    assert all(0 <= parts[leg][name] <= table[leg][name] for leg in table for name in NAMES)
    assert left == 0 or all(parts[leg][name] == table[leg][name] for leg in table for name in order)


ENTRIES = st.lists(
    st.builds(
        Moved,
        book=st.sampled_from(["POSTAGE", "STATE_FEE"]),
        kind=st.sampled_from(["cash_taken", "cash_handed_in", "fee_remitted", "paid"]),
        amount=st.integers(1, 200_000),
    ),
    max_size=12,
)


@settings(max_examples=2000)
@given(entries=ENTRIES)
def test_a_shift_balances_only_where_every_dong_of_both_purses_is_explained(entries: list[Moved]) -> None:
    signed = [Moved(e.book, e.kind, e.amount if e.kind in ("cash_taken", "paid") else -e.amount) for e in entries]
    shift = reconcile(signed)
    for name in NAMES:
        book = cash.BOOK_OF[name]
        taken = sum(e.amount for e in entries if e.book == book and e.kind == "cash_taken")
        back = sum(e.amount for e in entries if e.book == book and e.kind == "cash_handed_in")
        gone = sum(e.amount for e in entries if (e.book, e.kind, name) == (book, "fee_remitted", "state_fee"))
        gap = shift.difference[name]
        assert (gap > 0) == (back < taken - gone), "missing only below what nothing else explains"
        assert (gap < 0) == (back > taken), "too much only above what was taken"
    assert shift.explained == (shift.difference == dict.fromkeys(NAMES, 0))
