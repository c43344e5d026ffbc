"""The word about a full day: more work than hours is more danger, time in hand is less."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch.live.foretelling import Load, overload_risk

SHARES = st.floats(0, 5)


@given(SHARES, SHARES, st.floats(0, 2), st.integers(-7_200, 20_000))
def test_a_fuller_day_is_never_safer(known: float, expected: float, more: float, slack: int) -> None:
    now, later = Load(known, expected), Load(known + more, expected + more)
    assert 0 <= overload_risk(now, slack) <= overload_risk(later, slack) <= 1


@given(SHARES, st.integers(-7_200, 20_000), st.integers(0, 7_200))
def test_time_in_hand_is_never_a_danger(known: float, slack: int, more: int) -> None:
    assert overload_risk(Load(known, known), slack + more) <= overload_risk(Load(known, known), slack)
