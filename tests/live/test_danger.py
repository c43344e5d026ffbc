"""The alarm about a promise: it comes when the danger is real, goes when it is over, and does not flicker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch.live.danger import CLEAR_S, ENTER, LEAVE, endangered

DUE = 40_000
probabilities = st.floats(0, 1)
instants = st.none() | st.integers(20_000, 60_000)


@given(probabilities, instants)
def test_who_is_expected_late_or_likely_late_is_in_danger(probability: float, p50: int | None) -> None:
    expected = probability >= ENTER or (p50 is not None and p50 > DUE)
    assert endangered(False, probability, p50, DUE) is expected


@given(probabilities, instants)
def test_danger_is_left_later_than_it_is_entered(probability: float, p50: int | None) -> None:
    if endangered(False, probability, p50, DUE):
        assert endangered(True, probability, p50, DUE)


@given(st.lists(st.tuples(st.floats(LEAVE, ENTER, exclude_max=True), st.integers(DUE - CLEAR_S, DUE)), min_size=2))
def test_a_forecast_that_wavers_between_the_limits_never_changes_the_word(looks: list[tuple[float, int]]) -> None:
    for word in (False, True):
        before = word
        for probability, p50 in looks:
            word = endangered(word, probability, p50, DUE)
        assert word is before


@given(probabilities, st.integers(20_000, 60_000), st.floats(0, 1), st.integers(0, 10_000), st.booleans())
def test_worse_news_never_ends_a_danger(probability: float, p50: int, more: float, later: int, before: bool) -> None:
    if endangered(before, probability, p50, DUE):
        assert endangered(before, min(1.0, probability + more), p50 + later, DUE)


@given(st.booleans(), instants)
def test_where_nothing_can_be_foretold_the_clock_alone_warns(before: bool, p50: int | None) -> None:
    assert endangered(before, None, p50, DUE) is False
