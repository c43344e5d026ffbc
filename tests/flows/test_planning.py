"""Plan → commit on a real database: nobody forgotten, nobody sent twice, and what happened meanwhile counts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

import routing
from dispatch.domain.errors import Conflict, DispatchError, Invalid, Stale
from dispatch.flows import fieldwork, planning
from dispatch.flows.fieldwork import CourierEvent
from dispatch.store import open_store
from tests.flows.post_day import AREA, DAY, MODE, PostDay, at, post_day

greedy = partial(routing.solve, engine="greedy")


@pytest.fixture
def day(clean_database: str) -> Iterator[PostDay]:
    store = open_store(clean_database, connections=4)
    made = post_day(store)
    made.open()
    yield made
    store.close()


def drafts(day: PostDay) -> list[Any]:
    with day.store.begin() as session:
        return session.planning.drafts(MODE, DAY)


def feed_types(day: PostDay, shop: str) -> list[str]:
    with day.store.begin() as session:
        return [entry.type for entry in session.notices.feed_after(MODE, shop, 0, 1000)]


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


def at_once(*calls: Callable[[], object]) -> list[object]:
    """The results, or errors, of calls that start together."""
    start, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        start.wait()
        try:
            results[number] = call()
        except DispatchError as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


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


def test_a_commit_gives_every_request_to_one_courier_and_tells_its_shop(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 7)]
    committed = day.plan_and_commit(solve=greedy)
    assert (committed.status, committed.version) == ("committed", 2)
    holders, tasks = day.holders(), [task for held in day.open_tasks().values() for task in held]
    assert sorted(holders) == sorted(ids) and len(tasks) == 12
    for request_id in ids:
        leg = day.leg(request_id)
        pickup = next(task for task in tasks if task.request_id == request_id and task.kind == "pickup")
        assert (leg.status, leg.courier_id, leg.planned_at) == ("ASSIGNED", holders[request_id], pickup.planned_at)
        assert leg.planned_at is not None and leg.due_at is not None and leg.planned_at <= leg.due_at
    assert feed_types(day, "kh-1").count("request.assigned") == 6


def test_a_second_plan_without_news_changes_no_round(day: PostDay) -> None:
    for number in range(1, 7):
        day.ask_for(number)
    day.plan_and_commit(solve=greedy)
    with day.store.begin() as session:
        before = session.planning.rounds(MODE, DAY)
    names = [task.stop_id for tasks in day.open_tasks().values() for task in tasks]
    again = day.draft(solve=greedy)
    assert [again.body["diff"][name] for name in ("moved_stops", "added_stops", "removed_stops")] == [0, 0, 0]
    day.commit(again)
    with day.store.begin() as session:
        assert session.planning.rounds(MODE, DAY) == before
    assert [task.stop_id for tasks in day.open_tasks().values() for task in tasks] == names


def test_of_two_commits_of_one_draft_at_once_exactly_one_wins(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 5)]
    plan = day.draft(solve=greedy)
    results = at_once(lambda: day.commit(plan), lambda: day.commit(plan))
    lost = [result for result in results if isinstance(result, DispatchError)]
    assert [error.code for error in lost] == ["plan_not_draft"]
    assert sorted(day.holders()) == sorted(ids)
    assert feed_types(day, "kh-1").count("request.assigned") == 4


def test_of_two_drafts_of_one_area_committed_at_once_the_second_is_out_of_date(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 5)]
    first, second = day.draft(solve=greedy), day.draft(solve=greedy)
    results = at_once(lambda: day.commit(first), lambda: day.commit(second))
    lost = [result for result in results if isinstance(result, DispatchError)]
    assert [error.code for error in lost] == ["plan_base_changed"]
    assert sorted(day.holders()) == sorted(ids)


def test_a_commit_names_the_version_it_has_seen(day: PostDay) -> None:
    day.ask_for(1)
    plan = day.draft(solve=greedy)
    with pytest.raises(Stale):
        day.commit(replace(plan, version=plan.version + 1))
    assert day.open_tasks() == {}


def test_a_request_cancelled_after_the_draft_gets_no_stop(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 5)]
    plan = day.draft(solve=greedy)
    day.happens(ids[1], "cancelled", reason="rút")
    day.commit(plan)
    assert sorted(day.holders()) == sorted(set(ids) - {ids[1]})
    assert day.leg(ids[1]).status == "CANCELLED"


def test_a_dossier_collected_after_the_draft_is_only_delivered_by_who_collected_it(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 5)]
    day.plan_and_commit(solve=greedy)
    plan = day.draft(solve=greedy)
    carrier = day.holders()[ids[0]]
    day.happens(ids[0], "collected", carrier)
    day.commit(plan)
    left = [task.kind for task in day.open_tasks()[carrier] if task.request_id == ids[0]]
    assert left == ["delivery"] and day.leg(ids[0]).status == "COLLECTED"


def test_scans_of_a_joint_stop_during_commits_lose_nothing(day: PostDay) -> None:
    day.courier("c2", starts="07:30", ends="07:30")
    ids = [day.ask_for(number) for number in range(1, 13)]
    day.plan_and_commit(solve=greedy)
    for number in range(20, 30):
        day.ask_for(number)
    plan = day.draft(solve=greedy)
    day.pass_time(minutes=5)
    scan = CourierEvent.model_validate_json(
        json.dumps(
            {
                "event_id": "7f9c24e8-3b12-4fef-91e0-56a2d5a0b1c2",
                "device_seq": 1,
                "type": "collected",
                "request_ids": list(reversed(ids)),
                "at_device": day.now.isoformat(),
                "payload": {"slip_signed": True, "signature": "x", "documents_checked": True},
            }
        )
    )

    def merge() -> object:
        with day.store.begin() as session:
            courier = session.network.courier(MODE, "c1")
            assert courier is not None
            return fieldwork.merge(session, day.scene(day.now), courier, scan).result

    committed, merged = at_once(lambda: day.commit(plan).status, merge)
    assert (committed, merged) == ("committed", "applied")
    assert {day.leg(request_id).status for request_id in ids} == {"COLLECTED"}
    left = [(task.request_id, task.kind) for task in day.open_tasks()["c1"] if task.request_id in ids]
    assert sorted(left) == sorted((request_id, "delivery") for request_id in ids)


def test_a_door_found_closed_after_the_draft_is_not_tried_again_at_once(day: PostDay) -> None:
    ids = [day.ask_for(number, kind="pickup") for number in range(1, 4)]
    day.plan_and_commit(solve=greedy)
    plan = day.draft(solve=greedy)
    day.happens(ids[0], "collect_failed", day.holders()[ids[0]], reason="CUSTOMER_ABSENT", proof=["x"])
    day.commit(plan)
    assert ids[0] not in day.holders() and day.leg(ids[0]).status == "PICKUP_FAILED"
    later = day.draft(solve=greedy)
    stops = [stop for route in later.body["routes"] for stop in route["stops"]]
    retry = next(stop for stop in stops if ids[0] in stop["request_ids"] and stop["kind"] == "pickup")
    assert retry["planned_at"] >= "2026-11-23T09:00"


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


def test_parcels_on_board_stay_with_their_courier(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 9)]
    day.plan_and_commit(solve=greedy)
    carrier = day.holders()[ids[0]]
    mine = [request_id for request_id, courier in day.holders().items() if courier == carrier]
    for request_id in mine[:2]:
        day.happens(request_id, "collected", carrier)
    day.courier("c3")
    day.courier(carrier, capacity=2)
    day.pass_time(minutes=10)
    plan = day.draft(mode="day")
    kinds = {
        request_id: [
            (route["courier_id"], stop["kind"])
            for route in plan.body["routes"]
            for stop in route["stops"]
            if request_id in stop["request_ids"]
        ]
        for request_id in mine[:2]
    }
    assert all(found == [(carrier, "delivery")] for found in kinds.values()), kinds
    day.commit(plan)
    assert [day.holders()[request_id] for request_id in mine[:2]] == [carrier, carrier]


def test_the_work_of_a_sick_courier_goes_to_others_but_not_what_he_carries(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 9)]
    day.courier("c2", starts="07:30", ends="07:30")
    day.plan_and_commit(solve=greedy)
    assert set(day.holders().values()) == {"c1"}
    day.happens(ids[0], "collected", "c1")
    day.courier("c1", starts="07:30", ends="07:30")
    day.courier("c2")
    plan = day.draft(solve=greedy)
    assert [entry["code"] for entry in plan.body["unserved"]] == ["carrier_off_duty"]
    day.commit(plan)
    assert day.holders() == {ids[0]: "c1"} | dict.fromkeys(ids[1:], "c2")
    assert {day.leg(request_id).courier_id for request_id in ids[1:]} == {"c2"}


def test_when_nobody_rides_the_plan_in_force_is_not_wiped_out(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 4)]
    day.plan_and_commit(solve=greedy)
    for courier_id in ("c1", "c2"):
        day.courier(courier_id, starts="07:30", ends="07:30")
    plan = day.draft(solve=greedy)
    assert {entry["code"] for entry in plan.body["unserved"]} == {"no_courier"}
    with pytest.raises(Conflict) as refused:
        day.commit(plan)
    assert refused.value.code == "plan_empty" and sorted(day.holders()) == sorted(ids)


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


def test_the_stop_a_courier_is_riding_to_stays_his_next_one(day: PostDay) -> None:
    day.courier("c2", starts="07:30", ends="07:30")
    for number in range(1, 5):
        day.ask_for(number)
    day.plan_and_commit(solve=greedy)
    first = [task for task in day.open_tasks()["c1"] if task.stop_id == day.open_tasks()["c1"][0].stop_id]
    day.now = first[-1].planned_at + timedelta(minutes=1)
    for task in first:
        day.happens(task.request_id, "collected", "c1")
    riding_to = day.open_tasks()["c1"][0]
    day.pass_time(minutes=3)
    for number in range(10, 16):
        day.ask_for(number)  # at the shop he has just left: turning round would be cheapest
    plan = day.draft(mode="day")
    (route,) = plan.body["routes"]
    assert route["stops"][0]["stop_id"] == riding_to.stop_id
    day.commit(plan)
    assert day.open_tasks()["c1"][0].id == riding_to.id


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


def test_a_cancelled_operation_keeps_no_draft(day: PostDay) -> None:
    day.ask_for(1)
    operation_id = day.ask()

    def cancelled_meanwhile(problem: routing.Problem, **options: Any) -> routing.Plan:
        with day.store.begin() as session:
            planning.cancel(session, session.planning.operation(MODE, operation_id))
        return greedy(problem, **options)

    assert planning.run(day, operation_id, solve=cancelled_meanwhile) is None
    assert drafts(day) == [] and day.operation(operation_id).status == "cancelled"
    assert day.draft(solve=greedy).status == "draft", "the area is free again"


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


def test_a_parcel_at_the_office_is_loaded_there_and_delivered(day: PostDay) -> None:
    request_id = day.ask_for(1)
    day.happens(request_id, "assigned", "c1")
    day.happens(request_id, "collected", "c1")
    day.pass_time(minutes=10)
    day.happens(request_id, "arrived_office", "c1")
    plan = day.plan_and_commit(solve=greedy)
    stops = [(stop["kind"], stop["place"]["at"]) for route in plan.body["routes"] for stop in route["stops"]]
    assert stops == [("pickup", "office"), ("delivery", "citizen")]
    (courier_id,) = set(day.holders().values())
    assert [task.kind for task in day.open_tasks()[courier_id]] == ["pickup", "delivery"]
    assert (day.leg(request_id).status, day.leg(request_id).courier_id) == ("AT_OFFICE", courier_id)


def test_requests_left_over_from_an_earlier_date_are_planned_again_once(day: PostDay) -> None:
    request_id = day.ask_for(1)
    with day.store.begin() as session:
        yesterday = DAY - timedelta(days=3)
        old = session.planning.open_round(session.new_id("rnd"), MODE, "c1", yesterday, day.now)
        row = {"request_id": request_id, "leg": "return", "stop_id": "stp_old", "leg_m": 0, "locked": False}
        place = {"at": "shop", "id": "kh-1", "name": "", "lat": 12.2, "lng": 109.2}
        rest = {"place": place, "planned_at": day.now, "state": "open", "created_at": day.now, "round_id": old.id}
        session.planning.add_tasks(
            [{**row, **rest, "kind": kind, "position": k} for k, kind in enumerate(("pickup", "delivery"))]
        )
    day.plan_and_commit(solve=greedy)
    tasks = [task for held in day.open_tasks().values() for task in held]
    assert [task.kind for task in tasks] == ["pickup", "delivery"]
    assert all(task.round_id != old.id for task in tasks)
