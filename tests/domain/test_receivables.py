"""What the province owes, and by when its list must be there: computed from the calendar, never from a fixed date."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dispatch import policies
from dispatch.domain.receivables import deadlines, deferred_amount
from dispatch.domain.verdicts import percentile
from tests.domain.bodies import at

HOLIDAYS = policies.load().holidays


@pytest.mark.parametrize(
    ("due_before", "due", "hard_stop"),
    [
        (date(2020, 4, 20), "2020-04-17 17:00", "2020-04-19 23:59"),  # KH-05: the 18th and 19th are a weekend
        (date(2020, 4, 18), "2020-04-17 17:00", "2020-04-17 23:59"),
        (date(2020, 5, 4), "2020-04-29 17:00", "2020-05-03 23:59"),  # over 30/4, 1/5 and a weekend
        (date(2020, 4, 3), "2020-04-01 17:00", "2020-04-02 23:59"),  # over Hùng Kings' day
        (date(2026, 1, 12), "2026-01-10 17:00", "2026-01-11 23:59"),  # Saturday 10/1/2026 is worked
    ],
)
def test_a_list_is_due_on_the_last_working_day_before_the_deadline(due_before: date, due: str, hard_stop: str) -> None:
    assert deadlines(due_before, HOLIDAYS) == (at(due), at(hard_stop))


def quote(*amounts: int, status: str = "DEFERRED", adjustments: tuple[Any, ...] = ()) -> dict[str, Any]:
    lines = [{"code": "deferral", "leg": "return", "amount": amount} for amount in amounts]
    full = {"code": "postage.return", "leg": "return", "amount": 26000}
    return {"status": status, "lines": [full, *lines], "adjustments": list(adjustments)}


def test_the_province_owes_what_was_deferred_and_is_still_carried() -> None:
    assert deferred_amount(quote(-26000), "return") == 26000
    assert deferred_amount(quote(-26000), "pickup") == 0
    assert deferred_amount(quote(-26000, 26000), "return") == 0
    assert deferred_amount(quote(-26000, status="VOID"), "return") == 0
    called_off = ({"ends_leg": "return", "amount": 0},)
    assert deferred_amount(quote(-26000, adjustments=called_off), "return") == 0


def test_a_later_correction_changes_what_the_province_owes() -> None:
    corrected = ({"reprices": "return", "amount": 0, "borne_by": {"province": -7800, "post": 7800}},)
    assert deferred_amount(quote(-26000, adjustments=corrected), "return") == 18200


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7], 50, 7),
        ([1, 2], 50, 1),
        ([1, 2, 3], 50, 2),
        (list(range(1, 11)), 90, 9),
        ([5, 1, 9], 90, 9),
    ],
)
def test_percentiles_are_values_that_happened(values: list[int], percent: int, expected: int | None) -> None:
    assert percentile(values, percent) == expected
