"""A round rolled forward: when a stop is reached, and what holds it up, measured against the same round without it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dispatch.live.leaving import Ahead, starts
from dispatch.live.rolling import ALWAYS, FAR_S, Leg, Way, largest

NOW = 30_000


@st.composite
def legs(draw: st.DrawFn, windows: bool = True) -> Leg:
    opens = draw(st.integers(NOW - 5_000, NOW + 8_000)) if windows else -FAR_S
    drive, service = draw(st.integers(0, 2_400)), draw(st.integers(30, 600))
    stop = Ahead(drive, ((opens, FAR_S),), service, draw(st.none() | st.integers(NOW, NOW + 20_000)))
    slower = draw(st.sampled_from([1.0, 1.3, 0.9]))
    return Leg(
        stop,
        replace(stop, drive_s=round(drive * slower)),
        drive * draw(st.floats(0, 0.5)),
        service * draw(st.floats(0, 0.5)),
        draw(st.integers(0, 2_400)),
    )


@st.composite
def ways(draw: st.DrawFn) -> Way:
    soonest = NOW + draw(st.sampled_from([0, 0, 1_800]))
    return Way(draw(st.lists(legs(), min_size=1, max_size=8)), NOW, soonest, soonest + draw(st.integers(-3_600, 1_800)))


@given(ways())
def test_the_careful_guess_never_comes_before_the_middle_one_and_stops_come_in_order(way: Way) -> None:
    found = [way.foretell(position) for position in range(len(way.legs))]
    told = [one for one in found if one is not None]
    assert len(told) == len(way.legs), "no door of this round ever closes"
    assert all(one.p50 < one.p90 and 0 <= one.breach_probability <= 1 for one in told)
    assert [one.p50 for one in told] == sorted(one.p50 for one in told)
    assert told[0].p50 >= way.leave_at


@given(ways(), st.integers(1, 3_600))
def test_who_is_later_is_never_expected_sooner_nor_safer(way: Way, by: int) -> None:
    later = replace(way, now=way.now + by, soonest_at=way.soonest_at + by)
    for position in range(len(way.legs)):
        before, after = way.foretell(position), later.foretell(position)
        assert before is not None and after is not None
        assert after.p50 >= before.p50 and after.breach_probability >= before.breach_probability


@given(ways())
def test_every_cause_is_the_difference_its_absence_makes(way: Way) -> None:
    position = len(way.legs) - 1
    found = way.foretell(position)
    assert found is not None
    causes = way.causes(position)
    assert all(seconds > 0 for seconds in causes.values())
    stops = [leg.expected for leg in way.legs]
    in_time = starts(stops, way.as_planned_at)
    assert in_time is not None
    assert causes.get("behind_route", 0) == max(0, found.p50 - in_time[-1]) * (way.as_planned_at < way.leave_at)
    open_doors = starts([replace(stop, windows=ALWAYS) for stop in stops], way.leave_at)
    assert open_doors is not None and causes.get("opening_hours", 0) == found.p50 - open_doors[-1]
    assert causes["travel_uncertainty"] == found.p90 - found.p50
    assert causes.get("shift_not_begun", 0) == way.soonest_at - way.now


@given(st.lists(legs(windows=False), min_size=2, max_size=6))
def test_the_stops_ahead_cost_what_riding_straight_there_would_save(round_: list[Leg]) -> None:
    way = Way(round_, NOW, NOW, NOW)
    found, last = way.foretell(len(round_) - 1), round_[-1]
    assert found is not None
    assert way.causes(len(round_) - 1).get("stops_ahead", 0) == max(0, found.p50 - NOW - last.direct_s)


def test_a_door_that_will_be_closed_is_said_to_be_missed_by_how_much() -> None:
    shut = Ahead(600, ((NOW - 900, NOW + 300),), 60, NOW + 300)
    way = Way([Leg(shut, shut, 150, 15, 600)], NOW, NOW, NOW)
    assert way.foretell(0) is None
    assert way.causes(0) == {"closed_by_then": 300}


def test_a_rest_is_a_cause_of_its_own_and_no_stop() -> None:
    rest = Ahead(0, ((NOW, FAR_S),), 1_800)
    stop = Ahead(600, ALWAYS, 60, NOW + 9_000)
    way = Way([Leg(rest, rest, 0, 0, 0, rest=True), Leg(stop, stop, 150, 15, 600)], NOW, NOW, NOW)
    found = way.foretell(1)
    assert found is not None and found.p50 == NOW + 2_400
    causes = way.causes(1)
    assert causes["rest"] == 1_800 and "stops_ahead" not in causes


def test_the_three_largest_causes_are_told_and_what_is_less_than_a_minute_is_none() -> None:
    causes = [("a", 3), ("b", 12), ("c", 0), ("d", 7), ("e", 1)]
    assert largest(causes) == [("b", 12), ("d", 7), ("a", 3)]
    assert largest([("a", 3), ("no_room", None)]) == [("no_room", None), ("a", 3)]
