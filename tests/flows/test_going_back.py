"""Items that did not arrive: a plan carries them back, the clock moves the live ones, nobody is left out for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.text import LOCAL
from dispatch.flows import assigning, sla_watch
from dispatch.store.rows import Plan
from tests.flows.post_day import MODE, PostDay, greedy

SIGNED = {"signature": "s"}


def collected(day: PostDay, kind: str = "return") -> str:
    """A leg in the bag of c1."""
    request_id = day.ask_for(1, kind=kind)
    day.happens(request_id, "assigned", "c1")
    day.happens(request_id, "collected", "c1")
    return request_id


def stops(plan: Plan, request_id: str) -> list[tuple[str, str, str]]:
    """(courier, kind, where) of a request in a draft."""
    return [
        (route["courier_id"], stop["kind"], stop["place"]["at"])
        for route in plan.body["routes"]
        for stop in route["stops"]
        if request_id in stop["request_ids"]
    ]


def give(day: PostDay, request_id: str, courier_id: str) -> list[dict[str, Any]]:
    with day.store.begin() as session:
        request = session.consignments.get(MODE, request_id, lock=True)
        assert request is not None
        return assigning.assign(
            session, day.scene(day.now), day.places, day.travel, request, courier_id, None, False, "test"
        )


def codes(plan: Plan) -> dict[str, str]:
    return {entry["request_id"]: entry["code"] for entry in plan.body["unserved"]}


def test_a_refused_result_is_carried_back_to_the_shop_by_whoever_holds_it(day: PostDay) -> None:
    request_id = collected(day)
    day.plan_and_commit(solve=greedy)
    day.happens(request_id, "refused", "c1", **SIGNED)
    assert day.open_tasks() == {}, "his stop at the citizen's door is over"
    plan = day.plan_and_commit(solve=greedy)
    assert stops(plan, request_id) == [("c1", "delivery", "shop")]
    day.happens(request_id, "handed_over", "c1", **SIGNED)
    assert day.leg(request_id).status == "RETURNED_TO_SHOP" and day.open_tasks() == {}


def test_a_result_that_lies_at_the_office_is_loaded_there_and_carried_back(day: PostDay) -> None:
    request_id = collected(day)
    day.happens(request_id, "arrived_office", "c1")
    day.happens(request_id, "refused", **SIGNED)
    plan = day.plan_and_commit(solve=greedy)
    (courier, *_), *_ = stops(plan, request_id)
    assert stops(plan, request_id) == [(courier, "pickup", "office"), (courier, "delivery", "shop")]
    assert day.leg(request_id).courier_id == courier and len(day.open_tasks()[courier]) == 2
    day.happens(request_id, "departed_office", courier)
    assert [task.kind for task in day.open_tasks()[courier]] == ["delivery"], "it is in his bag now"
    day.happens(request_id, "handed_over", courier, **SIGNED)
    assert day.leg(request_id).status == "RETURNED_TO_SHOP" and day.open_tasks() == {}


def test_a_coordinator_sends_a_result_back_by_hand(day: PostDay) -> None:
    request_id = collected(day)
    day.happens(request_id, "arrived_office", "c1")
    day.happens(request_id, "refused", **SIGNED)
    give(day, request_id, "c2")
    assert [(task.kind, task.place["at"]) for task in day.open_tasks()["c2"]] == [
        ("pickup", "office"),
        ("delivery", "shop"),
    ]


def test_a_dossier_that_goes_back_to_its_sender_is_planned_to_his_door(day: PostDay) -> None:
    request_id = collected(day, kind="pickup")
    day.happens(request_id, "handover_refused", "c1", reason="INCOMPLETE")
    assert codes(day.draft(solve=greedy)) == {request_id: "handover_refused"}
    day.happens(request_id, "supplement_requested")
    assert codes(day.draft(solve=greedy)) == {request_id: "supplement_awaited"}
    day.happens(request_id, "back_to_sender")
    plan = day.draft(solve=greedy)
    assert [(kind, at) for _, kind, at in stops(plan, request_id)] == [("pickup", "office"), ("delivery", "citizen")]


def test_a_dossier_refused_at_closing_time_is_planned_again(day: PostDay) -> None:
    request_id = collected(day, kind="pickup")
    day.happens(request_id, "handover_refused", "c1", reason="INTAKE_CLOSED")
    plan = day.draft(solve=greedy)
    assert [(kind, at) for _, kind, at in stops(plan, request_id)] == [("pickup", "office"), ("delivery", "shop")]


def test_a_redirected_item_at_the_office_is_planned_from_there(day: PostDay) -> None:
    request_id = collected(day)
    day.happens(request_id, "arrived_office", "c1")
    day.happens(request_id, "redirected", transit_days=2)
    assert day.leg(request_id).status == "IN_TRANSIT"
    plan = day.draft(solve=greedy)
    assert [(kind, at) for _, kind, at in stops(plan, request_id)] == [("pickup", "office"), ("delivery", "citizen")]
    give(day, request_id, "c2")
    assert len(day.open_tasks()["c2"]) == 2


def test_the_clock_invites_and_sends_back_live_items_by_itself(day: PostDay) -> None:
    request_id = collected(day)
    day.happens(request_id, "delivery_failed", "c1", reason="CUSTOMER_ABSENT", proof=["x"])

    def sweep(text: str) -> tuple[int, str | None]:
        with day.store.begin() as session:
            now = datetime.fromisoformat(text).replace(tzinfo=LOCAL)
            changed = sla_watch.sweep(session, MODE, day.scene(now))
        leg = day.leg(request_id)
        return changed, leg.substatus or leg.status

    # Monday 23/11/2026; the 24th is a holiday.
    assert sweep("2026-11-26T07:29:59") == (0, "INVITED_1")
    assert sweep("2026-11-26T07:30:00") == (1, "INVITED_2")
    assert sweep("2026-11-26T07:30:01") == (0, "INVITED_2"), "once, however often the clock looks"
    assert sweep("2026-11-30T07:30:00") == (1, "RETURNING")
    assert day.leg(request_id).next_check_at is None
    with day.store.begin() as session:
        rows = session.consignments.events(request_id)[-2:]
    assert [(row.type, row.actor) for row in rows] == [("invited", "system"), ("returning", "system")]


@pytest.mark.parametrize("late", ["delivered", "delivery_failed"])
def test_a_scan_that_arrives_after_the_timer_ran_still_counts_at_its_own_instant(day: PostDay, late: str) -> None:
    request_id = collected(day)
    day.happens(request_id, "delivery_failed", "c1", reason="CUSTOMER_ABSENT", proof=["x"])
    failed_at = day.now
    day.now += timedelta(days=10)
    with day.store.begin() as session:
        sla_watch.sweep(session, MODE, day.scene(day.now))
    assert day.leg(request_id).status == "RETURNING"
    present, day.now = day.now, failed_at + timedelta(hours=2)
    day.happens(request_id, late, "c1", reason="CUSTOMER_ABSENT", proof=["x"], **SIGNED)
    day.now = present
    assert day.leg(request_id).status == ("DELIVERED" if late == "delivered" else "RETURNING")
