"""Learning is bold where much was seen, careful where little was, and no single ride turns it."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.text import LOCAL
from dispatch.live.doors import door_of, keys_of
from dispatch.live.held_out import Ridden, held_out
from dispatch.live.learning import (
    MOST_RATIO,
    NOTHING,
    PRIOR,
    Observed,
    Seen,
    band_of,
    learn_rides,
    log_ratio,
    shrunk,
    summary,
)
from dispatch.live.riding import LearntTravel, learnt_travel
from dispatch.live.visiting import Scan, visits
from dispatch.live.wanting import expected
from routing.travel import Point
from routing.travel.geodesic import TerrainTravel

LOGS = st.floats(-1.6, 1.79)
SEEN = st.builds(Seen, st.integers(1, 500), LOGS, st.floats(0, 2))


@given(SEEN, SEEN)
def test_what_is_believed_lies_between_its_own_and_its_surroundings(own: Seen, around: Seen) -> None:
    found = shrunk(own, around)
    for name in ("median", "deviation"):
        low, high = sorted((getattr(own, name), getattr(around, name)))
        assert low - 1e-9 <= getattr(found, name) <= high + 1e-9


@given(SEEN, SEEN, st.integers(1, 500))
def test_the_more_was_seen_the_less_its_surroundings_count(own: Seen, around: Seen, more: int) -> None:
    longer = Seen(own.count + more, own.median, own.deviation)
    for name in ("median", "deviation"):
        before, after = (abs(getattr(shrunk(one, around), name) - getattr(one, name)) for one in (own, longer))
        assert after <= before + 1e-9


@given(st.lists(st.floats(0.9, 1.1), min_size=3, max_size=40), st.floats(0, 1e9))
def test_one_ride_however_odd_moves_a_pair_little(usual: list[float], odd: float) -> None:
    sober = [log_ratio(one, 1.0) for one in usual]
    found = shrunk(summary([*sober, log_ratio(odd, 1.0)]), PRIOR)
    assert abs(found.median) <= math.log(1.12)


def test_nothing_seen_changes_nothing() -> None:
    assert shrunk(None, PRIOR) == PRIOR
    assert NOTHING.factor("a", "b") == 1.0 and NOTHING.service_factor("shop", "s") == 1.0
    assert (NOTHING.ride("a", None, 8).mean, NOTHING.ride("a", "b", 8).deviation) == (1.0, 0.25)
    base = TerrainTravel()
    assert learnt_travel(base, NOTHING) is base


def ridden(count: int, ratio: float, pair: tuple[str, str] = ("a", "b"), band: int = 1) -> list[Observed]:
    return [Observed(*pair, "56", band, math.log(ratio))] * count


def test_a_slow_pass_is_slow_for_plans_and_a_province_lends_what_a_pair_lacks() -> None:
    known = learn_rides([*ridden(60, 2.0), *ridden(60, 1.2, ("a", "c"))], "learnt-1")
    assert 1.8 < known.factor("a", "b") < 2.0
    assert 1.1 < known.factor("a", "c") < known.factor("x", "c") < known.factor("a", "b"), "unseen: the province's"
    assert known.factor("x", "y") > 1.0, "unseen province: all rides"


def test_hours_differ_from_the_day_only_by_what_they_showed() -> None:
    known = learn_rides([*ridden(40, 1.0, band=0), *ridden(40, 2.0, band=4)])
    morning, evening = known.ride("a", "b", 8), known.ride("a", "b", 18)
    assert morning.mean < 1 < evening.mean, "beside what the plan reckoned for the whole day"
    assert known.factor("a", "b") * evening.mean > known.factor("a", "b") * morning.mean
    assert [band_of(hour) for hour in (0, 8, 9, 11, 13, 14, 16, 17, 23)] == [0, 0, 1, 2, 2, 3, 3, 4, 4]


def test_learnt_rides_are_the_reckoned_ones_times_their_factor() -> None:
    points = [Point(12.2, 109.1, area="a"), Point(12.3, 109.2, area="b"), Point(12.25, 109.15), Point(12.2, 109.1)]
    base, known = TerrainTravel(), learn_rides(ridden(50, 2.0))
    travel = learnt_travel(base, known)
    plain, _ = base.matrix(points)
    seconds, metres = travel.matrix(points)
    assert seconds[0, 1] == math.ceil(plain[0, 1] * known.factor("a", "b"))
    assert seconds[0, 3] == seconds[2, 2] == 0
    assert (metres == base.matrix(points)[1]).all()
    assert isinstance(travel, LearntTravel)
    by_leg, _ = travel.leg_by_leg(points)  # type: ignore[attr-defined]
    parts = travel.seconds(points)  # type: ignore[attr-defined]
    for i in range(4):
        for j in range(4):
            assert parts[i, j] == seconds[i, j] == by_leg.value(i, j)
    assert travel.leg(points[0], points[1]).duration_s == pytest.approx(seconds[0, 1], rel=0.01)


def test_a_ratio_is_clipped_to_what_a_ride_can_be() -> None:
    assert log_ratio(3600, 1) == math.log(MOST_RATIO) and log_ratio(1, 3600) < 0


def test_each_day_is_judged_by_the_days_before_it_only() -> None:
    monday = date(2026, 11, 23)
    rides = [Ridden(monday + timedelta(days=k), "a", "b", "56", 1, 1200, 600) for k in range(3) for _ in range(30)]
    judged = held_out(rides, monday)
    first, last = judged[0], judged[-1]
    assert first.after_s == first.before_s == 600, "on the first day nothing was known"
    assert last.before_s == 600 and last.after_s < 60
    assert held_out(rides, monday + timedelta(days=2)) == judged[60:]


def at(minute: int) -> datetime:
    return datetime(2026, 11, 23, 8, 0, tzinfo=LOCAL) + timedelta(minutes=minute)


def test_a_visit_is_read_from_scans_in_any_order() -> None:
    scans = [
        Scan("collected", at(14), "s2", 12.0, 109.0, 30.0),
        Scan("arrived", at(0), "s1"),
        Scan("collected", at(3), "s1", 12.1, 109.0, 8.0),
        Scan("collected", at(4), "s1", 12.2, 109.0, 90.0),
        Scan("arrived", at(10), "s2"),
        Scan("break_started", at(15), None),
        Scan("break_ended", at(40), None),
        Scan("delivery_failed", at(60), "s3"),
    ]
    one, two, three = visits(scans)
    assert (one.stop_id, one.arrived_at, one.finished_at, one.before) == ("s1", at(0), at(4), None)
    assert one.fix is not None and one.fix.accuracy_m == 8.0
    assert (two.before, two.left_at, two.rested) == ("s1", at(4), False)
    assert (three.arrived_at, three.succeeded, three.rested, three.fix) == (None, False, True, None)


def test_a_door_is_where_most_scans_agree() -> None:
    near = [(12.2400, 109.1900), (12.2402, 109.1901), (12.2401, 109.1899)]
    assert door_of(near[:1]) is None
    assert door_of([*near, (12.30, 109.25)]) == (12.2401, 109.19)
    assert door_of([near[0], (12.26, 109.19)]) is None
    assert door_of([*near[:2], (12.26, 109.19), (12.27, 109.19)]) is None, "half is not most"


def test_a_door_is_known_by_hashes_of_its_writing_only() -> None:
    keys = keys_of("12 Trần Phú, P. Vĩnh Hải", "22330", "0905 123 456")
    assert len(keys) == 2 and all(len(key) == 64 for key in keys)
    assert keys == keys_of("12  TRẦN PHÚ, phường Vĩnh Hải", "22330", "0905123456")
    assert not set(keys) & set(keys_of("14 Trần Phú, P. Vĩnh Hải", "22330", "0905123456"))
    assert set(keys) & set(keys_of("12 Trần Phú, P. Vĩnh Hải", "22330", "0911")) == {keys[1]}
    assert len(keys_of("thôn Đông, xã Vĩnh Hải", "22330", "0905123456")) == 1, "no number, no door for others"
    assert keys_of(None, "22330", "0905123456") == []


def test_a_shop_will_ask_for_about_what_it_asked_for() -> None:
    notices = [("s", 1, 9, 24), ("s", 2, 9, 24), ("s", 3, 9, 0)]
    found = expected(notices, 12)
    assert 48 / 12 / 5 < found["s", 1, 9] < 2.0, "between the hour of all weekdays and its own two a week"
    assert 0 < found["s", 3, 9] < found["s", 1, 9]
    assert sum(found.values()) == pytest.approx(4.0), "a week's work stays a week's work"
    assert ("s", 6, 9) not in found
