"""Rescue: an offer is what it says, and what is applied is what was offered."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.errors import Conflict, Invalid
from dispatch.domain.hours import local_date
from dispatch.flows import exceptions, repairing, rescuing, undoing
from dispatch.flows.problem import build
from dispatch.flows.snapshot import read
from routing.reasons import CODES
from routing.timing import Timing, time_route
from routing.view import View
from tests.flows.post_day import MODE, OFFICE, PostDay, at, greedy
from tests.flows.test_assigning import give
from tests.flows.test_undoing import ME, picture, undo


def offers_for(day: PostDay, request_id: str) -> dict[str, Any]:
    with day.store.begin() as session:
        request = session.consignments.get(MODE, request_id)
        assert request is not None
        leg = exceptions.leg_of(session, request)
        return rescuing.rescue(session, day.scene(day.now), day.places, day.travel, request, leg)


def take(day: PostDay, request_id: str, offer: dict[str, Any], reason: str = "") -> None:
    with day.store.begin() as session:
        scene = day.scene(day.now)
        with undoing.undoable(session, scene, MODE, "rescue", request_id, ME) as kept:
            kept |= repairing.apply(session, scene, day.places, day.travel, MODE, request_id, offer["id"], reason, ME)


def collections(day: PostDay) -> dict[str, tuple[datetime, bool]]:
    """When each waiting request is collected as the rounds stand, and whether that keeps its promise.

    Timed here anew, stop by stop, from the stored order alone.
    """
    with day.store.begin() as session:
        scene = day.scene(day.now)
        snapshot = read(session, scene, MODE, local_date(day.now))
    couriers = list(snapshot.couriers.values())
    case = build(snapshot, scene, day.places, day.travel, couriers, snapshot.legs, moved_stop=0)
    view = View(case.problem)
    found: dict[str, tuple[datetime, bool]] = {}
    for courier, order in enumerate(view.sequences_of(case.in_force)):
        timing = time_route(view, courier, order)
        assert isinstance(timing, Timing), timing
        for stop, start_s in zip(order, timing.start, strict=True):
            leg = case.jobs[case.problem.requests[stop // 2].id].leg
            if not stop % 2:
                assert leg.due_at is not None
                found[leg.request_id] = (case.clock.at(start_s), case.clock.at(start_s) <= leg.due_at)
    return found


def overloaded(day: PostDay, stops: int = 14) -> list[str]:
    """Courier c1 has so many citizens to call on, one after the other, that the last promises are broken."""
    ids = [day.ask_for(number, kind="pickup", shop="kh-2") for number in range(1, stops + 1)]
    for request_id in ids:
        give(day, request_id, "c1", 99)
    return ids


def test_a_second_courier_who_can_keep_it_is_offered_and_keeps_it(day: PostDay) -> None:
    ids = overloaded(day)
    late = [request_id for request_id in ids if not collections(day)[request_id][1]]
    assert late, "the day must be too much for one"
    wanted = late[-1]
    told = offers_for(day, wanted)
    assert told["present"]["courier_id"] == "c1" and not told["present"]["keeps_promise"]
    assert told["present"]["late_min"] > 0 and "trễ" in told["present"]["text"]["vi"]
    best = told["offers"][0]
    assert (best["kind"], best["courier_id"], best["keeps_promise"]) == ("give", "c2", True)
    assert best["others"] == {"later_count": 0, "most_later_min": 0, "newly_late": 0} and told["why_not"] is None
    before = collections(day)
    take(day, wanted, best)
    assert day.holders()[wanted] == "c2" and day.leg(wanted).courier_id == "c2"
    after = collections(day)
    assert after[wanted][1] and after[wanted][0].isoformat() == best["pickup_at"]
    assert day.leg(wanted).planned_at == after[wanted][0]
    assert (before[wanted][0] - after[wanted][0]) // timedelta(minutes=1) == best["sooner_min"]
    assert all(after[one][0] <= before[one][0] for one in ids if one != wanted), "nobody else is later"


@pytest.mark.parametrize("seed", range(4))
def test_every_offer_is_true_to_its_word(day: PostDay, seed: int) -> None:
    """Whatever is offered is applied, timed anew and taken back: price, time and promise are as they were told."""
    luck = random.Random(seed)
    day.courier("c3", starts="09:00")
    for number in range(1, 14):
        request_id = day.ask_for(
            number, kind=luck.choice(["pickup", "pickup", "return"]), shop=luck.choice(["kh-1", "kh-2"])
        )
        if luck.random() < 0.8:
            give(day, request_id, luck.choice(["c1", "c1", "c2"]), luck.choice([None, 99]))
    day.pass_time(minutes=luck.randrange(150))
    before, start = collections(day), picture(day)
    tried = 0
    for wanted in [one for one in before if not before[one][1]] or list(before)[-3:]:
        for number, seen in enumerate(offers_for(day, wanted)["offers"]):
            if seen["kind"] in ("pause", "ask_earlier"):
                continue
            offer = offers_for(day, wanted)["offers"][number]
            assert {**offer, "id": ""} == {**seen, "id": ""}
            take(day, wanted, offer)
            after = collections(day)
            assert after[wanted][0].isoformat() == offer["pickup_at"], offer["text"]
            assert after[wanted][1] == offer["keeps_promise"]
            others = [one for one in before if one != wanted]
            broken = [one for one in others if before[one][1] and not after[one][1]]
            assert len(broken) == offer["others"]["newly_late"]
            worst = max((after[one][0] - before[one][0] for one in others), default=timedelta())
            assert worst <= timedelta(minutes=max(1, offer["others"]["most_later_min"]))
            assert undo(day)["kept"] == [] and picture(day) == start
            tried += 1
    assert tried


def test_a_stop_ahead_is_given_away_where_only_that_saves_it(day: PostDay) -> None:
    """The request is tied to its courier and everyone ahead of it is due at once: one of those must go with another."""
    ahead = [day.ask_for(number, kind="pickup") for number in (1, 2)]
    wanted = day.ask_for(3, kind="pickup")
    for request_id in ahead:
        give(day, request_id, "c1", 99)
    give(day, wanted, "c1", 99, lock=True)
    planned = {request_id: at_ for request_id, (at_, _) in collections(day).items()}
    with day.store.begin() as session:
        for request_id, due_at in planned.items():
            moved = timedelta(minutes=-4) if request_id == wanted else timedelta(minutes=1)
            session.consignments.change_leg(request_id, "pickup", due_at=due_at + moved)
    told = offers_for(day, wanted)
    assert not told["present"]["keeps_promise"]
    best = told["offers"][0]
    assert (best["kind"], best["courier_id"], best["keeps_promise"]) == ("swap", "c1", True), told["offers"]
    assert best["others"]["newly_late"] == 0 and "c2" in best["text"]["en"]
    assert [move["to_courier_id"] for move in best["moves"] if move["request_id"] != wanted] == ["c2"]
    take(day, wanted, best)
    after = collections(day)
    assert after[wanted][0].isoformat() == best["pickup_at"] and all(kept for _, kept in after.values())
    assert day.holders()[wanted] == "c1" and sorted(day.holders().values()) == ["c1", "c1", "c2"]


def test_a_request_nobody_has_is_given_to_somebody(day: PostDay) -> None:
    wanted = day.ask_for(1)
    told = offers_for(day, wanted)
    assert told["present"]["courier_id"] is None and told["present"]["planned_at"] is None
    assert {offer["courier_id"] for offer in told["offers"] if offer["kind"] == "give"} == {"c1", "c2"}
    assert all(offer["sooner_min"] is None for offer in told["offers"])
    take(day, wanted, told["offers"][0])
    assert day.leg(wanted).status == "ASSIGNED"


def test_help_comes_from_the_next_office_and_says_so(day: PostDay) -> None:
    ids = overloaded(day)
    day.courier("c2", starts="07:30", ends="07:30")
    where = {"province_code": "56", "commune_code": "22330", "era": "2020"}
    with day.store.begin() as session:
        office = {
            "name": "Bưu cục Vĩnh Hải",
            "lat": OFFICE[0] + 0.03,
            "lng": OFFICE[1],
            "hours_profile": "POST-DEFAULT",
        }
        session.network.put_office(MODE, "vh", office | where, day.now)
    day.courier("c5")
    with day.store.begin() as session:
        session.connection.exec_driver_sql("update couriers set home_office_id = 'vh' where id = 'c5'")
    told = offers_for(day, ids[-1])
    best = told["offers"][0]
    assert (best["kind"], best["courier_id"], best["office_id"]) == ("help", "c5", "vh")
    assert "Bưu cục Vĩnh Hải" in best["text"]["vi"] and best["keeps_promise"]
    take(day, ids[-1], best)
    assert day.holders()[ids[-1]] == "c5"


def test_an_offer_is_good_only_for_the_rounds_it_was_made_from(day: PostDay) -> None:
    ids = overloaded(day)
    offer = offers_for(day, ids[-1])["offers"][0]
    give(day, day.ask_for(40), offer["courier_id"])
    stands = picture(day)
    with pytest.raises(Conflict) as outdated:
        take(day, ids[-1], offer)
    assert outdated.value.code == "rescue_outdated" and picture(day) == stands


def test_an_offer_that_time_has_made_untrue_is_refused(day: PostDay) -> None:
    ids = overloaded(day)
    offer = next(one for one in offers_for(day, ids[-1])["offers"] if one["keeps_promise"])
    day.now = at("11:55")
    with pytest.raises(Conflict) as outdated:
        take(day, ids[-1], offer)
    assert outdated.value.code == "rescue_outdated"


def test_an_offer_of_another_request_or_made_up_is_refused(day: PostDay) -> None:
    first, second = day.ask_for(1), day.ask_for(2)
    offer = offers_for(day, first)["offers"][0]
    with pytest.raises(Conflict) as foreign:
        take(day, second, offer)
    assert foreign.value.code == "rescue_outdated"
    for made_up in ("rsc_nonsense", "rsc_e30.00", offer["id"][:-3]):
        with pytest.raises((Conflict, Invalid)):
            take(day, first, {"id": made_up})
    assert day.holders() == {}


def test_a_pause_needs_its_reason_and_is_taken_back(day: PostDay) -> None:
    wanted = day.ask_for(1, kind="pickup")
    offer = offers_for(day, wanted)["offers"][-1]
    assert offer["kind"] == "pause" and offer["keeps_promise"] is None
    with pytest.raises(Invalid) as blind:
        take(day, wanted, offer)
    assert blind.value.code == "reason_required"
    due = day.leg(wanted).due_at
    take(day, wanted, offer, "Người dân hẹn lại")
    assert day.leg(wanted).promise_state == "PAUSED"
    assert offers_for(day, wanted)["offers"] == []
    assert undo(day)["restored"] == [wanted]
    assert (day.leg(wanted).promise_state, day.leg(wanted).due_at) == ("RUNNING", due)


def test_lunch_in_the_way_is_a_call_to_the_shop(day: PostDay) -> None:
    """The promise ends while the counter is at lunch: only an earlier hand-over keeps it."""
    wanted = day.ask_for(1, window=None)
    with day.store.begin() as session:
        session.connection.exec_driver_sql("update legs set due_at = '2026-11-23T12:30:00+07:00'")
    day.now = at("11:40")
    told = offers_for(day, wanted)
    call = told["offers"][0]
    assert (call["kind"], call["applies"], call["keeps_promise"]) == ("ask_earlier", False, True)
    assert call["call"]["name"] == "Một cửa kh-1" and at("11:40") <= datetime.fromisoformat(call["pickup_at"]) <= at(
        "12:30"
    )
    assert told["why_not"]["code"] and told["why_not"]["reason"]["vi"] and told["why_not"]["reason"]["en"]
    with pytest.raises(Conflict) as by_phone:
        take(day, wanted, call)
    assert by_phone.value.code == "rescue_needs_call"


def test_where_nothing_helps_it_says_why_and_what_would(day: PostDay) -> None:
    wanted = day.ask_for(1)
    for courier_id in ("c1", "c2"):
        day.courier(courier_id, starts="14:00")
    told = offers_for(day, wanted)
    assert not any(offer["keeps_promise"] for offer in told["offers"])
    assert told["why_not"]["code"] == "due_unreachable", told["why_not"]
    assert told["why_not"]["change"]["kind"] == "extend_due"
    for courier_id in ("c1", "c2"):
        day.courier(courier_id, starts="07:30", ends="07:30")
    assert offers_for(day, wanted)["why_not"]["code"] == "no_courier"
    unknown = day.ask_for(2, address={"raw": "gần chợ"})
    assert offers_for(day, unknown)["why_not"]["code"] == "address_unknown"


def test_a_plan_says_of_every_late_stop_why_and_what_would_have_it_in_time(day: PostDay) -> None:
    day.courier("c1", starts="10:30")
    day.courier("c2", starts="07:30", ends="07:30")
    ids = [day.ask_for(number, kind="pickup") for number in range(1, 15)]
    plan = day.draft(solve=greedy)
    planned = {
        task["request_id"]: datetime.fromisoformat(stop["planned_at"])
        for route in plan.body["routes"]
        for stop in route["stops"]
        if stop["kind"] == "pickup"
        for task in stop["tasks"]
    }
    late = {request_id for request_id in ids if planned[request_id] > (day.leg(request_id).due_at or day.now)}
    assert late and {entry["request_id"] for entry in plan.body["late"]} == late
    for entry in plan.body["late"]:
        assert entry["code"] in CODES and entry["reason"]["vi"] and entry["reason"]["en"] and entry["late_min"] > 0
    assert any(entry["code"] == "fleet_full" and entry["change"] for entry in plan.body["late"])
    day.courier("c2", starts="10:30")
    assert len(day.draft(solve=greedy).body["late"]) < len(late), "one more courier is what it takes"


def test_a_promise_that_is_over_needs_no_rescue(day: PostDay) -> None:
    wanted = day.ask_for(1)
    give(day, wanted, "c1")
    day.happens(wanted, "collected", "c1")
    told = offers_for(day, wanted)
    assert (told["offers"], told["why_not"], told["present"]) == ([], None, None)


def test_sixty_requests_and_twenty_couriers_are_looked_at_in_no_time(day: PostDay) -> None:
    for number in range(3, 21):
        day.courier(f"c{number}")
    ids = [day.ask_for(number, kind="pickup" if number % 3 else "return") for number in range(1, 61)]
    day.plan_and_commit(solve=greedy)
    offers_for(day, ids[0])
    spent = []
    for request_id in ids[:12]:
        begun = time.perf_counter()
        assert offers_for(day, request_id)["offers"]
        spent.append(time.perf_counter() - begun)
    print(f"rescue: median {sorted(spent)[6] * 1000:.0f} ms, worst {max(spent) * 1000:.0f} ms")
    assert sorted(spent)[6] < 1.5, "the bar on a quiet machine is 0.3 s; this one only catches a wrong order of growth"
