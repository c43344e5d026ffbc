"""Forecasts kept beside promises: when the post comes, how sure that is, and what a shop is told of it in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.domain.outward import promise_json
from dispatch.flows import assigning, forecasting
from dispatch.live.erring import Ratio
from dispatch.store import tables as t
from dispatch.store.forecasts import Kept
from tests.flows.post_day import MODE, PostDay, at, greedy


def look(day: PostDay, *request_ids: str) -> None:
    """What the clock does for these requests, now."""
    with day.store.begin() as session:
        forecasting.look_again(session, day.scene(day.now), day, request_ids)


def give(day: PostDay, request_id: str, courier_id: str) -> None:
    """What a coordinator's call does: the leg goes into a round, and what hangs on it is foretold anew."""
    with day.store.begin() as session:
        request = session.consignments.get(MODE, request_id, lock=True)
        assert request is not None
        scene = day.scene(day.now)
        assigning.assign(session, scene, day.places, day.travel, request, courier_id, None, False, "test")
        forecasting.refresh(session, scene, day, MODE)


def predicted(day: PostDay, request_id: str) -> dict[str, Any]:
    found: dict[str, Any] = promise_json(day.leg(request_id))["predicted"]
    return found


def history(day: PostDay, request_id: str) -> list[Kept]:
    with day.store.begin() as session:
        return session.forecasts.history(request_id)


def told(day: PostDay, request_id: str, kind: str = "promise.") -> list[tuple[str, datetime, dict[str, Any]]]:
    """What the shop was told about a request's promise, in order."""
    c = t.feed.c
    with day.store.begin() as session:
        rows = session.connection.execute(
            select(t.feed).where(c.request_id == request_id, c.type.startswith(kind)).order_by(c.seq)
        )
        return [(row.type, row.occurred_at, row.data) for row in rows]


def long_round(day: PostDay, count: int = 20) -> list[str]:
    """One courier with so many doors to call at, in riding order; all are due at noon."""
    ids = [day.ask_for(number, kind="pickup") for number in range(1, count + 1)]
    day.plan_and_commit(solve=greedy, seconds=30)
    order = [task.request_id for task in day.open_tasks()["c1"] if task.kind == "pickup"]
    assert sorted(order) == sorted(ids)
    return order


@pytest.fixture
def alone(day: PostDay) -> PostDay:
    """The day with one courier only."""
    with day.store.begin() as session:
        session.connection.execute(t.shifts.delete().where(t.shifts.c.courier_id == "c2"))
    return day


def test_a_courier_on_his_route_is_foretold_as_planned(alone: PostDay) -> None:
    order = long_round(alone)
    look(alone, order[0])
    for request_id in order:
        leg, found = alone.leg(request_id), predicted(alone, request_id)
        assert leg.planned_at is not None
        assert abs(datetime.fromisoformat(found["p50"]) - leg.planned_at) < timedelta(minutes=2)
        assert found["p50"] < found["p90"] and found["breach_probability"] < 0.05 and found["causes"] == []
        assert found["model"] == "prior-1"
        (kept,) = history(alone, request_id)
        assert (kept.word.courier_id, kept.word.planned_at, kept.state) == ("c1", leg.planned_at, "RUNNING")
    assert len({predicted(alone, one)["p50"] for one in order}) == len(order), "each door at its own time"


def test_a_courier_who_falls_behind_is_told_of_in_time_and_with_the_reason(alone: PostDay) -> None:
    order = long_round(alone)
    last = order[-1]
    look(alone, last)
    due_at, warn_at = alone.leg(last).due_at, datetime.fromisoformat(alone.leg(last).promise["warn_at"])
    assert due_at is not None
    spread = []
    while not told(alone, last):
        alone.pass_time(minutes=5)
        assert alone.now < warn_at, "the clock alone would have said so by now"
        look(alone, last)
        spread.append(predicted(alone, last)["breach_probability"])
    ((kind, since, data),) = told(alone, last)
    assert kind == "promise.at_risk" and since == alone.now
    shown = data["promise"][0]
    assert shown["state"] == "AT_RISK"
    assert shown["predicted"]["p50"] == predicted(alone, last)["p50"]
    late = next(cause for cause in shown["predicted"]["causes"] if cause["code"] == "behind_route")
    assert late["minutes"] >= 5 and str(late["minutes"]) in late["text"]["en"]
    assert all(later >= sooner for sooner, later in pairwise(spread))
    assert due_at - alone.now >= timedelta(minutes=30)
    assert told(alone, order[0]) == [], "who is next is still reached"
    states = [kept.state for kept in history(alone, last)]
    assert states[0] == "RUNNING" and states[-1] == "AT_RISK"


def test_a_promise_in_danger_is_restored_by_another_courier_and_met(alone: PostDay) -> None:
    order = long_round(alone)
    last = order[-1]
    while not told(alone, last):
        alone.pass_time(minutes=5)
        look(alone, last)
    alone.courier("c2")
    give(alone, last, "c2")
    assert [kind for kind, _, _ in told(alone, last)] == ["promise.at_risk", "promise.restored"]
    assert alone.leg(last).promise_state == "RUNNING" and history(alone, last)[-1].word.courier_id == "c2"
    alone.pass_time(minutes=20)
    alone.happens(last, "collected", "c2")
    assert [kind for kind, _, _ in told(alone, last)] == ["promise.at_risk", "promise.restored", "promise.met"]
    assert predicted(alone, last)["p50"] is None, "what happened is not foretold"
    assert history(alone, last), "but what was foretold stays"


def test_nothing_is_told_twice_while_nothing_changes(alone: PostDay) -> None:
    order = long_round(alone)
    for _ in range(10):
        alone.pass_time(seconds=6)
        look(alone, *order)
    assert {len(history(alone, request_id)) for request_id in order} == {1}
    last = order[-1]
    while not told(alone, last):
        alone.pass_time(minutes=5)
        look(alone, last)
    versions = alone.leg(last).promise
    for _ in range(8):
        alone.pass_time(seconds=30)
        look(alone, *order)
    assert len(told(alone, last)) == 1 and alone.leg(last).promise == versions


def test_a_request_nobody_has_yet_is_foretold_where_it_could_be_taken_in(day: PostDay) -> None:
    request_id = day.ask_for(1)
    look(day, request_id)
    found = predicted(day, request_id)
    assert day.now <= datetime.fromisoformat(found["p50"]) <= datetime.fromisoformat(found["p90"])
    assert found["breach_probability"] < 0.05
    leg = day.leg(request_id)
    assert (leg.status, leg.courier_id, leg.planned_at) == ("REQUESTED", None, None), "on paper only"
    assert day.open_tasks() == {}
    (kept,) = history(day, request_id)
    assert (kept.word.courier_id, kept.word.planned_at) == (None, None)


def test_without_anybody_on_duty_nothing_is_foretold_and_the_clock_alone_warns(day: PostDay) -> None:
    with day.store.begin() as session:
        session.connection.execute(t.shifts.delete())
    request_id = day.ask_for(1)
    look(day, request_id)
    found = predicted(day, request_id)
    assert (found["p50"], found["p90"], found["breach_probability"]) == (None, None, None)
    assert [cause["code"] for cause in found["causes"]] == ["no_courier_on_duty"]
    day.now = datetime.fromisoformat(day.leg(request_id).promise["warn_at"]) - timedelta(minutes=1)
    look(day, request_id)
    assert day.leg(request_id).promise_state == "RUNNING"


def test_where_all_on_duty_are_full_the_shop_hears_of_it_at_once(alone: PostDay) -> None:
    alone.courier("c1", ends="08:20")
    first, second = alone.ask_for(1), alone.ask_for(2, kind="pickup", shop="kh-2")
    alone.courier("c1", ends="08:03")
    look(alone, first, second)
    assert predicted(alone, first)["breach_probability"] == 1.0
    assert [cause["code"] for cause in predicted(alone, first)["causes"]] == ["no_room"]
    assert [kind for kind, _, _ in told(alone, first)] == ["promise.at_risk"]


def test_after_the_shift_the_next_working_morning_is_foretold(day: PostDay) -> None:
    day.now = at("17:30")
    request_id = day.ask_for(1)
    day.now = at("18:05")
    with day.store.begin() as session:
        morning = at("07:00") + timedelta(days=2)
        shift = {
            "starts_at": morning,
            "ends_at": morning + timedelta(hours=10),
            "start_lat": 12.25,
            "start_lng": 109.19,
        }
        session.network.put_shift(MODE, "c1", morning.date(), {**shift, "breaks": []}, day.now)
    look(day, request_id)
    found = predicted(day, request_id)
    assert found["p50"] == "2026-11-25T07:30:00+07:00" and found["breach_probability"] < 0.05, "the 24th is a holiday"


def test_what_a_coordinator_gives_out_of_hours_is_foretold_as_it_will_be_done(alone: PostDay) -> None:
    alone.now = at("17:20")
    at_door, at_counter = alone.ask_for(1, kind="pickup"), alone.ask_for(2)
    for request_id in (at_door, at_counter):
        give(alone, request_id, "c1")
    assert predicted(alone, at_door)["p50"].startswith("2026-11-23T17:"), "the shop it goes to opens on another day"
    shut = predicted(alone, at_counter)
    assert shut["p50"] is None and [cause["code"] for cause in shut["causes"]] == ["site_closed"]
    assert shut["breach_probability"] is None, "the promise runs on when the counter opens again"


def test_a_late_look_never_replaces_a_newer_one(alone: PostDay) -> None:
    order = long_round(alone)
    alone.pass_time(minutes=60)
    look(alone, *order)
    newest, lines = predicted(alone, order[-1]), len(history(alone, order[-1]))
    alone.pass_time(minutes=-30)
    look(alone, *order)
    assert predicted(alone, order[-1]) == newest and len(history(alone, order[-1])) == lines


def test_a_scan_that_comes_late_moves_no_forecast_backwards(alone: PostDay) -> None:
    order = long_round(alone)
    alone.pass_time(minutes=40)
    with alone.store.begin() as session:
        session.network.note_position(MODE, "c1", 12.21, 109.18, alone.now - timedelta(minutes=1))
    look(alone, *order)
    before = predicted(alone, order[5])["p50"]
    with alone.store.begin() as session:
        session.network.note_position(MODE, "c1", 12.30, 109.25, alone.now - timedelta(minutes=30))
    look(alone, *order)
    assert predicted(alone, order[5])["p50"] == before


@dataclass(frozen=True)
class Crawl:
    """Streets on which every ride takes twice as long."""

    model: str = "crawl-7"

    def ride(self, origin: str | None, destination: str | None, hour: int) -> Ratio:
        return Ratio(2.0, 0.25)

    def service(self, shop_id: str | None) -> Ratio:
        return Ratio(1.0, 0.1)


def test_what_was_learnt_of_the_streets_counts_and_is_named(alone: PostDay) -> None:
    order = long_round(alone)
    look(alone, *order)
    as_planned = predicted(alone, order[-1])
    alone.errors = Crawl()
    look(alone, *order)
    slow = predicted(alone, order[-1])
    assert slow["model"] == "crawl-7" and slow["p50"] > as_planned["p50"]
    assert [kept.word.model for kept in history(alone, order[-1])] == ["prior-1", "crawl-7"]
    assert "slow_roads" in {cause["code"] for cause in slow["causes"]}


def test_what_another_holds_is_left_to_him(alone: PostDay) -> None:
    order = long_round(alone)
    look(alone, *order)
    alone.pass_time(minutes=30)
    with alone.store.begin() as other:
        other.consignments.get(MODE, order[3], lock=True)
        look(alone, *order)
    assert len(history(alone, order[3])) == 1
    assert len(history(alone, order[4])) == 2


def test_clocks_share_what_is_due(alone: PostDay) -> None:
    order = long_round(alone)
    with alone.store.begin() as first, alone.store.begin() as second:
        now = first.wall_clock() + timedelta(seconds=5)
        mine = first.forecasts.claim(MODE, now, now + forecasting.AGAIN, 8)
        theirs = second.forecasts.claim(MODE, now, now + forecasting.AGAIN, 100)
    assert len(mine) == 8 and sorted([*mine, *theirs]) == sorted(order)
    with alone.store.begin() as session:
        assert session.forecasts.claim(MODE, now, now, 100) == []
        session.stirred.round_ids.update(task.round_id for task in alone.open_tasks()["c1"])
    with alone.store.begin() as session:
        now = session.wall_clock()
        assert sorted(session.forecasts.claim(MODE, now, now, 100)) == sorted(order), "who stirs and leaves it, says so"


def test_a_forecast_that_fails_costs_nobody_his_request(day: PostDay, caplog: pytest.LogCaptureFixture) -> None:
    request_id = day.ask_for(1)
    day.travel = None  # type: ignore[assignment]
    look(day, request_id)
    assert "could not be foretold" in caplog.text
    assert predicted(day, request_id)["p50"] is None and day.leg(request_id).promise_state == "RUNNING"
