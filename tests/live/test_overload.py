"""The word about a full day: more work than hours is more danger, and what nobody can take is never called safe."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from dispatch.live.foretelling import NO_PLACE, Load, overload_risk

SHARES = st.floats(0, 5)


@given(SHARES, SHARES, st.floats(0, 2), st.integers(-7_200, 20_000))
def test_a_fuller_day_is_never_safer(known: float, expected: float, more: float, slack: int) -> None:
    now, later = Load(known, expected), Load(known + more, expected + more)
    assert 0 <= overload_risk(now, slack) <= overload_risk(later, slack) <= 1


@given(SHARES, st.integers(-7_200, 20_000), st.integers(0, 7_200))
def test_time_in_hand_is_never_a_danger(known: float, slack: int, more: int) -> None:
    assert overload_risk(Load(known, known), slack + more) <= overload_risk(Load(known, known), slack)


@given(st.floats(0, 0.99), SHARES)
def test_what_nobody_can_take_though_there_are_hours_is_not_called_safe(known: float, expected: float) -> None:
    assert overload_risk(Load(known, expected), None) == NO_PLACE


def test_with_nobody_at_work_a_promise_is_lost() -> None:
    assert overload_risk(Load(math.inf, math.inf), None) > 0.999
