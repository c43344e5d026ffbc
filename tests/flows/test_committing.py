"""Plan → commit on a real database: nobody is sent twice, and what happened since the draft counts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from dispatch.domain.errors import Conflict, DispatchError, Stale
from dispatch.flows import fieldwork
from dispatch.flows.fieldwork import CourierEvent
from tests.flows.post_day import DAY, MODE, PostDay, greedy


def feed_types(day: PostDay, shop: str) -> list[str]:
    with day.store.begin() as session:
        return [entry.type for entry in session.notices.feed_after(MODE, shop, 0, 1000)]


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


def test_who_collected_also_delivers_what_was_given_to_another_meanwhile(day: PostDay) -> None:
    """His phone had an old pack; the other courier's stop at the citizen's door would be in vain."""
    request_id = day.ask_for(1)
    day.plan_and_commit(solve=greedy)
    holder = day.holders()[request_id]
    other = "c2" if holder == "c1" else "c1"
    day.happens(request_id, "collected", other, slip_signed=True, signature="s")
    assert [
        (courier, task.kind, task.place["at"]) for courier, tasks in day.open_tasks().items() for task in tasks
    ] == [(other, "delivery", "citizen")]
    assert day.plan_and_commit(solve=greedy).body["unserved"] == []
    assert day.holders() == {request_id: other}
