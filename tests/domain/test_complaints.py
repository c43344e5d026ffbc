"""What a citizen may rely on when he complains: the days, the months, and what is owed at least."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import policies
from dispatch.domain.complaints import Carriage, add_months, admissible_until, answer_due_on, is_late, judge
from dispatch.domain.hours import PublicHolidays

HOLIDAYS: PublicHolidays = policies.load().holidays


def leg(**changes: object) -> Carriage:
    """The return leg of C11: accepted and paid on Saturday 30/5/2020 in Gia Lai, inside one district."""
    known: dict[str, object] = {
        "zone": "INTRA_DISTRICT",
        "transit_ends_on": date(2020, 6, 1),
        "reached_on": None,
        "delivered_on": None,
        "list_price": 26_000,
        "paid": 18_200,
        "right_price": 18_200,
    }
    return Carriage(**(known | changes))  # type: ignore[arg-type]


def test_a_lost_item_is_paid_four_times_its_list_price_with_the_refund_inside() -> None:
    told = judge("LOST", leg(), date(2020, 7, 27), HOLIDAYS)
    assert told.answer_due_on == date(2020, 8, 3)
    assert (told.minimum_compensation, told.refund, told.admissible) == (104_000, 0, True)


def test_a_late_item_gives_back_what_was_really_paid() -> None:
    told = judge("LATE", leg(), date(2020, 7, 27), HOLIDAYS)
    assert (told.minimum_compensation, told.refund, told.admissible) == (0, 18_200, True)


@pytest.mark.parametrize(
    ("reached_on", "lodged_on", "late"),
    [
        (date(2020, 6, 1), date(2020, 7, 27), False),
        (date(2020, 6, 2), date(2020, 7, 27), True),
        (None, date(2020, 6, 1), False),
        (None, date(2020, 6, 2), True),
    ],
)
def test_only_a_leg_that_missed_its_day_is_late(reached_on: date | None, lodged_on: date, late: bool) -> None:
    carried = leg(reached_on=reached_on, delivered_on=reached_on)
    assert is_late(carried, lodged_on) is late
    assert (judge("LATE", carried, lodged_on, HOLIDAYS).refund > 0) is late


@pytest.mark.parametrize(
    ("zone", "lodged_on", "due_on"),
    [
        ("INTRA_DISTRICT", date(2020, 7, 27), date(2020, 8, 3)),
        ("INTER_DISTRICT", date(2020, 4, 1), date(2020, 4, 9)),  # over Hùng Kings' Day, 2/4
        ("SAME_REGION", date(2020, 7, 27), date(2020, 8, 5)),
        ("INTER_REGION", date(2020, 7, 31), date(2020, 8, 11)),
        ("INTRA_DISTRICT", date(2026, 1, 5), date(2026, 1, 10)),  # the Saturday worked for 2/1/2026 counts
    ],
)
def test_an_answer_is_due_after_five_working_days_or_seven_between_provinces(
    zone: str, lodged_on: date, due_on: date
) -> None:
    assert answer_due_on(zone, lodged_on, HOLIDAYS) == due_on  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "changes", "last_day"),
    [
        ("LOST", {}, date(2020, 12, 1)),
        ("LATE", {"transit_ends_on": date(2020, 8, 31)}, date(2021, 2, 28)),
        ("LATE", {"transit_ends_on": date(2019, 8, 30)}, date(2020, 2, 29)),
        ("DAMAGED", {"delivered_on": date(2020, 1, 31)}, date(2020, 2, 29)),
        ("PRICE", {"delivered_on": date(2020, 5, 31)}, date(2020, 6, 30)),
        ("PRICE", {"delivered_on": date(2020, 12, 15)}, date(2021, 1, 15)),
    ],
)
def test_the_last_day_of_a_complaint_counts_and_the_next_one_does_not(
    kind: str, changes: dict[str, object], last_day: date
) -> None:
    carried = leg(**changes)
    assert admissible_until(kind, carried) == last_day  # type: ignore[arg-type]
    assert judge(kind, carried, last_day, HOLIDAYS).admissible  # type: ignore[arg-type]
    too_late = judge(kind, carried, last_day + timedelta(days=1), HOLIDAYS)  # type: ignore[arg-type]
    assert (too_late.admissible, too_late.minimum_compensation, too_late.refund) == (False, 0, 0)


def test_damage_and_price_may_be_complained_of_as_long_as_nothing_was_delivered() -> None:
    told = judge("DAMAGED", leg(), date(2021, 6, 1), HOLIDAYS)
    assert (told.admissible, told.admissible_until, told.minimum_compensation) == (True, None, 104_000)


def test_a_price_complaint_gives_back_what_was_overpaid_and_no_more() -> None:
    assert judge("PRICE", leg(paid=26_000), date(2020, 6, 2), HOLIDAYS).refund == 7_800
    assert judge("PRICE", leg(), date(2020, 6, 2), HOLIDAYS).refund == 0
    assert judge("PRICE", leg(paid=0), date(2020, 6, 2), HOLIDAYS).refund == 0


@pytest.mark.parametrize("kind", ["LOST", "DAMAGED", "LATE", "PRICE"])
def test_a_leg_that_was_called_off_owes_nobody_anything(kind: str) -> None:
    told = judge(kind, leg(carried=False, paid=26_000), date(2020, 7, 1), HOLIDAYS)  # type: ignore[arg-type]
    assert (told.minimum_compensation, told.refund) == (0, 0)


DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))


@settings(max_examples=2000)
@given(day=DAYS, months=st.integers(0, 24))
def test_months_end_with_the_month_at_the_latest_and_never_run_backwards(day: date, months: int) -> None:
    end = add_months(day, months)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == months
    assert end.day == day.day or (end.day < day.day and (end + timedelta(days=1)).day == 1)
    assert add_months(day + timedelta(days=1), months) >= end


@settings(max_examples=2000)
@given(
    kind=st.sampled_from(["LOST", "DAMAGED", "LATE", "PRICE"]),
    ends=DAYS,
    lag=st.integers(-30, 400),
    lodged_after=st.integers(0, 400),
    price=st.integers(1, 100_000),
    paid=st.integers(0, 100_000),
)
def test_no_complaint_pays_more_than_the_law_and_none_pays_twice(
    kind: str, ends: date, lag: int, lodged_after: int, price: int, paid: int
) -> None:
    reached = ends + timedelta(days=lag)
    carried = leg(
        transit_ends_on=ends, reached_on=reached, delivered_on=reached, list_price=price, paid=paid, right_price=price
    )
    told = judge(kind, carried, reached + timedelta(days=lodged_after), HOLIDAYS)  # type: ignore[arg-type]
    assert 0 <= told.refund <= paid
    assert told.minimum_compensation in (0, 4 * price)
    assert told.refund == 0 or told.minimum_compensation == 0
    assert told.admissible or told.refund == told.minimum_compensation == 0
