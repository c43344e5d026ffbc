"""Draft plans on a real database: nobody is forgotten in silence, and a worker may die at any moment."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

import routing
from dispatch.domain.errors import Conflict, Invalid
from dispatch.flows import planning, surveying
from tests.flows.post_day import AREA, DAY, MODE, PostDay, at, greedy


def drafts(day: PostDay) -> list[Any]:
    with day.store.begin() as session:
        return session.planning.drafts(MODE, DAY)


def expire_lease(day: PostDay, operation_id: str) -> None:
    """What fifteen seconds of silence leave behind."""
    with day.store.begin() as session:
        real_now = session.wall_clock()
        assert session.planning.renew_operation(operation_id, real_now, real_now - timedelta(seconds=1), 0.1)


def requeue(day: PostDay) -> list[tuple[str, str]]:
    """What the clock does with operations nobody works on."""
    with day.store.begin() as session:
        real_now = session.wall_clock()
        return session.planning.requeue_operations(real_now, real_now - timedelta(seconds=10))


def test_a_plan_serves_every_request_of_the_province_and_touches_no_round(day: PostDay) -> None:
    ids = [day.ask_for(number, kind="pickup" if number % 2 else "return") for number in range(1, 9)]
    plan = day.draft()
    served = [name for route in plan.body["routes"] for stop in route["stops"] for name in stop["request_ids"]]
    assert sorted(served) == sorted(ids * 2), "each request is collected once and delivered once"
    assert plan.body["unserved"] == [] and plan.body["served"] == 8
    assert plan.body["cost"]["unserved"] == 0 and plan.body["cost"]["against"]["unserved"] == 8
    assert plan.body["diff"]["added_stops"] == 16 and plan.body["diff"]["saved_promises"] == 8
    assert day.open_tasks() == {}
    assert {day.leg(request_id).status for request_id in ids} == {"REQUESTED"}


def test_dossiers_of_one_shop_are_taken_over_at_one_joint_stop(day: PostDay) -> None:
    day.courier("c2", starts="07:30", ends="07:30")
    for number in range(1, 6):
        day.ask_for(number)
    (route,) = day.draft(solve=greedy).body["routes"]
    at_shop = [stop for stop in route["stops"] if stop["place"]["at"] == "shop"]
    assert [len(stop["request_ids"]) for stop in at_shop] == [5]
    assert route["distance_m"] == sum(stop["leg_m"] for stop in route["stops"]) > 0


def test_after_two_failed_collections_the_coordinator_is_asked(day: PostDay) -> None:
    request_id = day.ask_for(1, kind="pickup")
    for _ in range(2):
        day.happens(request_id, "assigned", "c1")
        day.pass_time(minutes=5)
        day.happens(request_id, "collect_failed", "c1", reason="NOT_READY", proof=[])
        day.pass_time(minutes=5)
    (entry,) = day.draft(solve=greedy).body["unserved"]
    assert (entry["request_id"], entry["code"]) == (request_id, "attempts_exhausted")
    assert entry["reason"]["vi"] and entry["reason"]["en"]


def test_an_unknown_address_is_named_and_not_guessed(day: PostDay) -> None:
    known, lost = day.ask_for(1), day.ask_for(2, address={"raw": "đường làng, gần chợ"})
    plan = day.draft(solve=greedy)
    (entry,) = plan.body["unserved"]
    assert (entry["request_id"], entry["code"]) == (lost, "address_unknown")
    assert plan.body["served"] == 1 and known != lost


def test_nobody_is_sent_to_a_counter_over_lunch_or_after_its_intake(day: PostDay) -> None:
    day.now = at("11:20")
    for number in range(1, 13):
        day.ask_for(number, kind="return" if number % 2 else "pickup")
    plan = day.draft(solve=greedy)
    planned = [
        stop["planned_at"][11:16]
        for route in plan.body["routes"]
        for stop in route["stops"]
        if stop["place"]["at"] == "shop"
    ]
    assert planned and all("07:30" <= moment < "11:30" or "13:30" <= moment < "17:00" for moment in planned), planned


def test_a_shop_that_is_closed_for_the_day_is_named_with_its_next_opening(day: PostDay) -> None:
    request_id = day.ask_for(1)
    day.now = at("17:30")
    (entry,) = day.draft(solve=greedy).body["unserved"]
    # 24 November is Vietnam Culture Day: the counter opens again on the 25th.
    assert entry == {
        "request_id": request_id,
        "leg": "return",
        "code": "site_closed",
        "reason": entry["reason"],
        "change": {"kind": "wait_until", "to": "2026-11-25T07:30:00+07:00"},
    }


def test_a_worker_killed_in_the_middle_leaves_one_draft_in_the_end(day: PostDay) -> None:
    class Killed(BaseException):
        """What a signal does to a process."""

    def die(*_: object, **__: object) -> routing.Plan:
        raise Killed

    day.ask_for(1)
    operation_id = day.ask()
    with pytest.raises(Killed):
        planning.run(day, operation_id, solve=die)
    assert day.operation(operation_id).status == "running"
    assert planning.run(day, operation_id, solve=greedy) is None, "its lease still runs"
    expire_lease(day, operation_id)
    assert requeue(day) == [(operation_id, "plan")]
    assert planning.run(day, operation_id, solve=greedy) == "succeeded"
    assert planning.run(day, operation_id, solve=greedy) is None, "the task came twice"
    assert [plan.id for plan in drafts(day)] == [day.operation(operation_id).result["plan_id"]]


def test_a_worker_that_wakes_up_after_its_lease_was_given_away_keeps_nothing(day: PostDay) -> None:
    day.ask_for(1)
    operation_id = day.ask()

    def sleep_through(problem: routing.Problem, **options: Any) -> routing.Plan:
        expire_lease(day, operation_id)
        requeue(day)
        assert planning.run(day, operation_id, solve=greedy) == "succeeded"
        return greedy(problem, **options)

    assert planning.run(day, operation_id, solve=sleep_through) is None
    assert len(drafts(day)) == 1 and day.operation(operation_id).status == "succeeded"


def cancel(day: PostDay, operation_id: str) -> None:
    with day.store.begin() as session:
        planning.cancel(session, session.planning.operation(MODE, operation_id))


def test_a_plan_cancelled_while_it_is_worked_out_keeps_the_best_so_far_as_a_draft(day: PostDay) -> None:
    request_id, operation_id = day.ask_for(1), day.ask(seconds=120)
    began = time.monotonic()

    def cancelled_meanwhile(problem: routing.Problem, **options: Any) -> routing.Plan:
        cancel(day, operation_id)
        assert day.operation(operation_id).status == "running", "its worker has the last word"
        return routing.solve(problem, **options)

    assert planning.run(day, operation_id, solve=cancelled_meanwhile) == "cancelled"
    assert time.monotonic() - began < 30, "it did not search on for the 120 seconds"
    (draft,) = drafts(day)
    ended = day.operation(operation_id)
    assert (ended.status, ended.result) == ("cancelled", {"plan_id": draft.id})
    assert [stop["request_ids"] for stop in draft.body["routes"][0]["stops"]] == [[request_id], [request_id]]
    assert day.commit(draft).status == "committed", "the area is free again, and the draft is as good as any"


def test_a_plan_cancelled_before_it_found_anything_better_keeps_no_draft(day: PostDay) -> None:
    day.ask_for(1)
    day.plan_and_commit(solve=greedy)
    operation_id = day.ask()

    def cancelled_meanwhile(problem: routing.Problem, **options: Any) -> routing.Plan:
        cancel(day, operation_id)
        return greedy(problem, **options)

    assert planning.run(day, operation_id, solve=cancelled_meanwhile) == "cancelled"
    assert drafts(day) == [] and day.operation(operation_id).result is None


def test_a_queued_plan_that_is_cancelled_ends_at_once_and_is_never_begun(day: PostDay) -> None:
    day.ask_for(1)
    operation_id = day.ask()
    cancel(day, operation_id)
    assert day.operation(operation_id).status == "cancelled"
    assert planning.run(day, operation_id, solve=greedy) is None and drafts(day) == []
    with pytest.raises(Conflict):
        cancel(day, operation_id)


def test_a_cancelled_plan_whose_worker_died_is_ended_by_the_next_one(day: PostDay) -> None:
    class Killed(BaseException):
        """What a signal does to a process."""

    def die(*_: object, **__: object) -> routing.Plan:
        cancel(day, operation_id)
        raise Killed

    day.ask_for(1)
    operation_id = day.ask()
    with pytest.raises(Killed):
        planning.run(day, operation_id, solve=die)
    expire_lease(day, operation_id)
    assert requeue(day) == [(operation_id, "plan")]
    assert planning.run(day, operation_id, solve=greedy) == "cancelled"
    assert drafts(day) == [] and day.operation(operation_id).status == "cancelled"
    assert day.draft(solve=greedy).status == "draft", "the area is free again"


def test_progress_rises_with_the_work_and_ends_at_one(day: PostDay) -> None:
    day.ask_for(1)
    operation_id, seen = day.ask(seconds=8), []

    def watched(problem: routing.Problem, **options: Any) -> routing.Plan:
        until = time.monotonic() + 30
        while len(seen) < 3 and time.monotonic() < until:
            progress = day.operation(operation_id).progress
            if progress not in seen:
                seen.append(progress)
            options["should_stop"]()
        return greedy(problem, **options)

    assert planning.run(day, operation_id, solve=watched) == "succeeded"
    assert len(seen) == 3 and seen == sorted(seen) and 0.0 <= seen[0] < seen[-1] <= 0.95
    assert day.operation(operation_id).progress == 1.0


def test_one_area_is_never_planned_twice_at_once(day: PostDay) -> None:
    day.ask_for(1)
    first, second = day.ask(), day.ask()

    def meanwhile(problem: routing.Problem, **options: Any) -> routing.Plan:
        assert planning.run(day, second, solve=greedy) == "failed"
        return greedy(problem, **options)

    assert planning.run(day, first, solve=meanwhile) == "succeeded"
    assert day.operation(second).error["code"] == "area_busy" and len(drafts(day)) == 1


def test_an_office_plans_its_own_requests_with_its_own_couriers(day: PostDay) -> None:
    request_id = day.ask_for(1)
    operation_id = day.ask(area="office:nt")
    assert planning.run(day, operation_id, solve=greedy) == "succeeded"
    plan = day.plan(day.operation(operation_id).result["plan_id"])
    assert plan.area == "office:nt"
    assert {name for route in plan.body["routes"] for stop in route["stops"] for name in stop["request_ids"]} == {
        request_id
    }


def test_a_plan_is_refused_for_a_day_that_is_over_and_for_an_area_without_office(day: PostDay) -> None:
    with pytest.raises(Invalid) as nowhere:
        day.ask(area="province:99")
    assert nowhere.value.code == "unknown_area"
    day.pass_time(days=1)
    with pytest.raises(Invalid) as over:
        day.ask(area=AREA)
    assert over.value.code == "date_in_past"


def test_the_lease_of_a_plan_is_renewed_while_its_area_is_read(day: PostDay, monkeypatch: pytest.MonkeyPatch) -> None:
    day.ask_for(1)
    operation_id, read = day.ask(), surveying.survey
    renewed: list[bool] = []

    def slow(*arguments: Any) -> surveying.Survey:
        with day.store.begin() as session:
            session.connection.exec_driver_sql("set local lock_timeout = '200ms'")
            at = session.wall_clock()
            renewed.append(session.planning.claim_area(MODE, AREA, DAY, operation_id, at, at + timedelta(seconds=15)))
        return read(*arguments)

    monkeypatch.setattr(surveying, "survey", slow)
    assert planning.run(day, operation_id, solve=greedy) == "succeeded" and renewed == [True]
