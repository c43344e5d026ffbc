"""By hand: the coordinator's word stands, and what it breaks is said."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch.domain.errors import Conflict, DispatchError, Invalid
from dispatch.flows import assigning
from tests.flows.post_day import MODE, PostDay, at, greedy


def give(
    day: PostDay, request_id: str, courier_id: str, position: int | None = None, *, lock: bool = False
) -> list[dict[str, Any]]:
    with day.store.begin() as session:
        request = session.consignments.get(MODE, request_id, lock=True)
        scene = day.scene(day.now)
        return assigning.assign(session, scene, day.places, day.travel, request, courier_id, position, lock, "test")


def take_back(day: PostDay, request_id: str) -> None:
    with day.store.begin() as session:
        request = session.consignments.get(MODE, request_id, lock=True)
        assigning.unassign(session, day.scene(day.now), request, "test")


def order_of(day: PostDay, courier_id: str) -> list[tuple[str, str]]:
    return [(task.request_id, task.kind) for task in day.open_tasks().get(courier_id, [])]


def test_a_request_given_by_hand_is_in_the_round_and_breaks_nothing(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 4)]
    assert [give(day, request_id, "c1") for request_id in ids] == [[], [], []]
    tasks = day.open_tasks()["c1"]
    assert sorted(task.request_id for task in tasks) == sorted(ids * 2)
    assert [task.position for task in tasks] == list(range(6))
    planned = [task.planned_at for task in tasks]
    assert planned == sorted(planned) and planned[0] >= day.now
    assert len({task.stop_id for task in tasks if task.kind == "pickup"}) == 1, "one joint stop at the shop"
    leg = day.leg(ids[0])
    assert (leg.status, leg.courier_id) == ("ASSIGNED", "c1") and leg.planned_at in planned


def test_a_request_given_to_another_leaves_the_first_round(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 4)]
    for request_id in ids:
        give(day, request_id, "c1")
    give(day, ids[1], "c2")
    assert order_of(day, "c2") == [(ids[1], "pickup"), (ids[1], "delivery")]
    assert {request_id for request_id, _ in order_of(day, "c1")} == {ids[0], ids[2]}
    assert day.leg(ids[1]).courier_id == "c2"


def test_a_position_puts_the_request_next(day: PostDay) -> None:
    for number in range(1, 4):
        give(day, day.ask_for(number), "c1")
    urgent = day.ask_for(9, kind="pickup", shop="kh-2")
    give(day, urgent, "c1", 0)
    assert order_of(day, "c1")[0] == (urgent, "pickup")
    give(day, urgent, "c1", 1)
    stops = list(dict.fromkeys(task.stop_id for task in day.open_tasks()["c1"]))
    moved = next(task for task in day.open_tasks()["c1"] if (task.request_id, task.kind) == (urgent, "pickup"))
    assert stops.index(moved.stop_id) == 1


def test_what_a_decision_breaks_is_named(day: PostDay) -> None:
    late = day.ask_for(1)
    day.pass_time(hours=5)
    (violation,) = give(day, late, "c1")
    assert (violation["code"], violation["request_id"]) == ("promise_late", late)
    assert violation["text"]["vi"] and violation["text"]["en"]
    day.courier("c2", capacity=1)
    day.courier("c3", ends="13:10")
    first, second, third = (day.ask_for(number, shop="kh-2") for number in (2, 3, 4))
    give(day, first, "c2", 0)
    assert {found["code"] for found in give(day, second, "c2", 2)} == set(), "one after the other fits"
    assert {found["code"] for found in give(day, third, "c3")} == {"shift_exceeded"}
    day.courier("c4")
    day.now = at("17:30")
    after_hours = day.ask_for(5)
    assert "outside_hours" in {found["code"] for found in give(day, after_hours, "c4")}
    assert {request_id for request_id, _ in order_of(day, "c4")} == {after_hours}, "said, but done"


def test_too_many_parcels_are_named(day: PostDay) -> None:
    day.courier("c1", capacity=1)
    first, second = day.ask_for(1), day.ask_for(2)
    give(day, first, "c1")
    # Right behind the first pickup, so that both are in the bag until the first door.
    day.happens(first, "collected", "c1")
    day.courier("c1", capacity=0)
    assert "capacity_exceeded" in {found["code"] for found in give(day, second, "c1")}


@pytest.mark.parametrize(
    ("prepare", "courier_id", "code"),
    [
        (lambda day, request_id: None, "nobody", "unknown_courier"),
        (lambda day, request_id: day.courier("c1", "07:30", "07:30"), "c1", "courier_off_duty"),
        (lambda day, request_id: day.happens(request_id, "cancelled", reason="x"), "c1", "already_ended"),
        (
            lambda day, request_id: (
                day.happens(request_id, "assigned", "c2"),
                day.happens(request_id, "collected", "c2"),
            ),
            "c1",
            "already_collected",
        ),
    ],
)
def test_only_the_impossible_is_refused(day: PostDay, prepare: Any, courier_id: str, code: str) -> None:
    request_id = day.ask_for(1)
    prepare(day, request_id)
    with pytest.raises((Conflict, Invalid)) as refused:
        give(day, request_id, courier_id)
    assert refused.value.code == code and order_of(day, "c1") == []


def test_nobody_is_sent_to_an_address_that_nobody_knows(day: PostDay) -> None:
    with pytest.raises(Conflict) as refused:
        give(day, day.ask_for(1, address={"raw": "gần chợ"}), "c1")
    assert refused.value.code == "address_unknown"


def test_a_locked_request_stays_with_its_courier_whatever_the_planner_prefers(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 7)]
    day.courier("c2", starts="16:30")
    give(day, ids[0], "c2", lock=True)
    day.plan_and_commit(solve=greedy)
    assert day.holders()[ids[0]] == "c2"
    assert {day.holders()[request_id] for request_id in ids[1:]} == {"c1"}
    with day.store.begin() as session:
        assert {task.locked for task, courier, _ in session.planning.open_tasks(MODE) if courier == "c2"} == {True}


def test_a_decision_made_after_the_draft_outlives_its_commit(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 5)]
    day.courier("c2", starts="07:30", ends="07:30")
    plan = day.draft(solve=greedy)
    day.courier("c2")
    give(day, ids[2], "c2")
    day.commit(plan)
    assert day.holders() == {request_id: "c2" if request_id == ids[2] else "c1" for request_id in ids}


def test_a_request_taken_back_after_the_draft_stays_out(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 5)]
    day.plan_and_commit(solve=greedy)
    plan = day.draft(solve=greedy)
    take_back(day, ids[0])
    assert day.leg(ids[0]).status == "DISPATCHED"
    day.commit(plan)
    assert sorted(day.holders()) == sorted(ids[1:])


def test_a_collected_dossier_cannot_be_taken_back(day: PostDay) -> None:
    request_id = day.ask_for(1)
    with pytest.raises(DispatchError) as early:
        take_back(day, request_id)
    assert early.value.code == "not_assigned"
    give(day, request_id, "c1")
    day.happens(request_id, "collected", "c1")
    with pytest.raises(DispatchError) as late:
        take_back(day, request_id)
    assert late.value.code == "already_collected"
