"""What is changed is changed and nothing else; the least number of couriers is found, and the same one every time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatch.rehearsal import Scenario, WhatIf, answer, changed, read
from dispatch.rehearsal.answering import MOST_RUNS, least, next_count
from dispatch.rehearsal.whatif import Curve
from routing import RoutingError
from tests.rehearsal.days import small_day, text
from tests.rehearsal.judge import faults
from tests.rehearsal.test_days import without_times

DAY = read(text(small_day(7, requests=20, couriers=3)))


def what(**told: Any) -> WhatIf:
    return WhatIf.model_validate_json(json.dumps(told))


def test_without_a_wish_the_day_stays_as_it_is() -> None:
    assert changed(DAY, what()) == (DAY, [])


def test_more_couriers_are_copies_and_fewer_are_the_first() -> None:
    more, fewer = (changed(DAY, what(couriers=count))[0] for count in (7, 2))
    assert [one.id for one in more.couriers] == ["c0", "c1", "c2", "c0+1", "c1+1", "c2+1", "c0+2"]
    assert more.couriers[5].point == DAY.couriers[2].point
    assert fewer.couriers == DAY.couriers[:2]
    swapped, _ = changed(DAY, what(couriers={"remove": ["c0"], "add": 1}))
    assert [one.id for one in swapped.couriers] == ["c1", "c2", "c1+1"]


@pytest.mark.parametrize(
    ("wish", "where"),
    [
        ({"couriers": {"remove": ["nobody"]}}, "couriers.remove"),
        ({"couriers": {"remove": ["c0", "c1", "c2"]}}, "couriers"),
        ({"hours": {"nowhere": [[1, 2]]}}, "hours"),
    ],
)
def test_what_the_day_does_not_have_is_named(wish: dict[str, Any], where: str) -> None:
    with pytest.raises(RoutingError) as refused:
        changed(DAY, what(**wish))
    assert refused.value.where == where


def test_a_third_more_work_keeps_what_was_and_adds_near_copies() -> None:
    day, _ = changed(DAY, what(work=1.3, seed=4))
    known = {one.id: one for one in DAY.requests}
    added = [one for one in day.requests if one.id not in known]
    assert len(added) == 6 and [one for one in day.requests if one.id in known] == list(DAY.requests)
    shops = {(site.lat, site.lng) for site in DAY.sites}
    for one in added:
        origin = known[one.id.rsplit("+", 1)[0]]
        assert abs(one.reveal_at - origin.reveal_at) <= 1800
        assert one.due_at - one.reveal_at == origin.due_at - origin.reveal_at
        for new, old in ((one.pickup, origin.pickup), (one.delivery, origin.delivery)):
            assert new.point == old.point if old.point in shops else new.point != old.point
            assert max(abs(new.point[0] - old.point[0]), abs(new.point[1] - old.point[1])) < 0.004
    assert [one.reveal_at for one in day.requests] == sorted(one.reveal_at for one in day.requests)
    assert changed(DAY, what(work=1.3, seed=4))[0] == day != changed(DAY, what(work=1.3, seed=5))[0]
    half = changed(DAY, what(work=0.5))[0].requests
    assert len(half) == 10 and set(half) <= set(DAY.requests)


def test_new_hours_of_a_shop_hold_at_the_ends_that_lie_there_and_nowhere_else() -> None:
    day, _ = changed(DAY, what(hours={"s1": [[40_000, 50_000]]}))
    place = (DAY.sites[1].lat, DAY.sites[1].lng)
    ends = [(old, new) for a, b in pairs(day) for old, new in ((a.pickup, b.pickup), (a.delivery, b.delivery))]
    assert any(old.point == place for old, _ in ends)
    for old, new in ends:
        assert new.windows == (((40_000, 50_000),) if old.point == place else old.windows)


def pairs(day: Scenario) -> list[tuple[Any, Any]]:
    return list(zip(DAY.requests, day.requests, strict=True))


def test_a_closed_place_takes_out_exactly_the_requests_that_need_it() -> None:
    point = DAY.requests[3].pickup.point
    day, shut = changed(DAY, what(closed=[[*point, 50]]))
    needed = [one.id for one in DAY.requests if point in (one.pickup.point, one.delivery.point)]
    assert shut == needed and [one.id for one in day.requests] == [o.id for o in DAY.requests if o.id not in needed]


def test_a_shorter_promise_counts_from_when_the_door_is_open() -> None:
    day, _ = changed(DAY, what(promise_minutes=60))
    for one in day.requests:
        opens = min(max(one.reveal_at, a) for a, b in one.pickup.windows if one.reveal_at <= b)
        assert one.due_at == opens + 3600


def test_a_longer_way_is_longer_and_a_changed_day_still_breaks_no_rule() -> None:
    wish = what(work=1.3, detour=2.0, sigma=0.2, shift=[28_000, 64_000], couriers=4, strategy="insertion")
    day = small_day(7, requests=20, couriers=3)
    told = answer(read(text(day)), wish, [], lambda share, points: None)
    plain = answer(read(text(day)), what(strategy="insertion"), [], lambda share, points: None)
    assert faults(day, plain.whole) == []
    assert told.result["metrics"]["distance_m"] > plain.result["metrics"]["distance_m"]
    rows = [row for courier in told.whole["couriers"] for row in courier["stops"]]
    assert rows and all(row["arrive"] >= 28_000 and row["depart"] <= 64_000 for row in rows)


def test_the_same_wish_has_the_same_answer_and_goes_on_where_it_was_left() -> None:
    day = read(text(small_day(11, requests=90, couriers=2)))
    wish = what(strategy="insertion", curve={"from": 1, "to": 9, "target": 0.95}, sigma=0.1)
    heard: list[list[dict[str, Any]]] = []

    class Lost(Exception):
        """The worker died."""

    def until_three(share: float, points: list[dict[str, Any]]) -> None:
        heard.append([*points])
        if len(points) == 3:
            raise Lost

    first = answer(day, wish, [], lambda share, points: None)
    with pytest.raises(Lost):
        answer(day, wish, [], until_three)
    second = answer(day, wish, heard[-1], lambda share, points: None)
    assert without_times(first.whole) == without_times(second.whole)
    for told in (first, second):
        told.result["metrics"] = {}
    assert first.result == second.result
    assert [point["couriers"] for point in first.result["curve"]] == sorted(
        point["couriers"] for point in first.result["curve"]
    )
    few, enough = first.result["curve"][0], first.result["least_couriers"]
    assert few["met_share"] < 0.95 and 1 < enough <= 9 and len(first.result["couriers"]) == enough


@pytest.mark.parametrize("needed", [1, 2, 17, 100, 299, 300, 301])
def test_the_least_number_is_found_within_few_runs(needed: int) -> None:
    curve = Curve.model_validate({"from": 1, "to": 300, "target": 0.98})
    points: list[dict[str, Any]] = []
    while (count := next_count(curve, points)) is not None:
        assert count not in [point["couriers"] for point in points]
        points.append({"couriers": count, "met_share": min(1.0, count / needed * 0.98)})
        assert len(points) <= MOST_RUNS
    assert least(curve, points) == (needed if needed <= 300 else None)
