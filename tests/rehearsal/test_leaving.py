"""A courier waits as long as nothing is risked by it, and not a second longer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch.live.leaving import Ahead, latest_departure, starts

ALL_DAY = ((0, 100_000),)


def test_the_tightest_promise_of_the_whole_round_decides() -> None:
    stops = [Ahead(100, ALL_DAY, 60, due=5_000), Ahead(200, ALL_DAY, 60, due=3_000), Ahead(50, ALL_DAY, 60)]
    assert latest_departure(stops, 0, 50_000, 0.0, 0) == 3_000 - 200 - 60 - 100
    assert latest_departure(stops, 0, 50_000, 0.0, 120) == 3_000 - 120 - 200 - 60 - 100
    assert latest_departure(stops, 0, 50_000, 0.1, 0) == 3_000 - 89 - 200 - 60 - 100  # 4 · 0.1 · √(100² + 200²)


def test_the_end_of_the_shift_decides_where_nothing_was_promised() -> None:
    assert latest_departure([Ahead(100, ALL_DAY, 60)], 0, 1_000, 0.0, 0) == 1_000 - 160


def test_a_shop_is_reached_before_it_closes_at_midday_if_it_can_be() -> None:
    noon = ((0, 500), (900, 2_000))
    assert latest_departure([Ahead(100, noon, 0, due=800)], 0, 10_000, 0.0, 0) == 400
    assert latest_departure([Ahead(100, noon, 0)], 0, 10_000, 0.0, 0) == 1_900


def test_who_is_late_already_goes_at_once() -> None:
    assert latest_departure([Ahead(100, ALL_DAY, 0, due=50)], 7, 10_000, 0.0, 0) == 7
    assert latest_departure([Ahead(100, ALL_DAY, 0)], 7, 90, 0.0, 0) == 7


windows = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 300)), min_size=1, max_size=2).map(
    lambda some: tuple(sorted((opens, opens + lasts) for opens, lasts in some))
)
a_stop = st.builds(Ahead, st.integers(0, 120), windows, st.integers(0, 60), st.one_of(st.none(), st.integers(0, 1_200)))


@given(st.lists(a_stop, min_size=1, max_size=4), st.integers(0, 300), st.integers(300, 2_000))
def test_leaving_then_misses_nothing_that_leaving_at_once_keeps(stops: list[Ahead], ready: int, end_by: int) -> None:
    soonest = starts(stops, ready)
    leave = latest_departure(stops, ready, end_by, 0.0, 0)
    assert leave >= ready
    if soonest is None:
        assert leave == ready
        return
    then = starts(stops, leave)
    assert then is not None
    for stop, early, late in zip(stops, soonest, then, strict=True):
        assert stop.due is None or early > stop.due or late <= stop.due
    if soonest[-1] + stops[-1].service_s <= end_by:
        assert then[-1] + stops[-1].service_s <= end_by
