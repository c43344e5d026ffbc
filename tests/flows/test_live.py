"""Live planning on a real database: what happens asks for a look, a look moves little, and a person's word wins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import routing
from dispatch.flows import assigning, looks, planning, replanning
from dispatch.flows.replanning import Pace
from dispatch.store.rows import Plan
from tests.flows.post_day import DAY, MODE, OFFICE, PostDay, at, greedy

AREA = "office:nt"
QUICK = Pace(seconds=0.4)


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The compiled search, as a worker has it before its first look."""
    routing.warm()


def live(day: PostDay, how: str) -> None:
    """Set what becomes of the office's live plans."""
    with day.store.begin() as session:
        where = {"province_code": "56", "commune_code": "22330", "era": "2020", "lat": OFFICE[0], "lng": OFFICE[1]}
        office = {"name": "Bưu cục Nha Trang", "hours_profile": "POST-DEFAULT", "live": how}
        session.network.put_office(MODE, "nt", office | where, day.now)


def look(day: PostDay, pace: Pace = QUICK, **options: Any) -> str | None:
    return replanning.look(day, MODE, AREA, DAY, pace, present=lambda _: day.now, **options)


def queued(day: PostDay) -> list[dict[str, Any]]:
    """The looks that were handed to the queue since they were last asked for."""
    with day.store.begin() as session:
        rows = [row for row in session.notices.waiting(1000) if row[1] == looks.TASK]
        session.notices.mark_sent([row[0] for row in rows], day.now)
    return [row[2] for row in rows]


def marked(day: PostDay) -> bool:
    with day.store.begin() as session:
        return session.marks.seen(MODE, AREA, DAY) is not None


def drafts(day: PostDay, *, made_live: bool = True) -> list[Plan]:
    with day.store.begin() as session:
        return [plan for plan in session.planning.drafts(MODE, DAY) if plan.live == made_live]


def served(plan: Plan) -> set[str]:
    return {name for route in plan.body["routes"] for stop in route["stops"] for name in stop["request_ids"]}


def seats(day: PostDay) -> dict[str, list[tuple[str, str]]]:
    return {courier: [(task.request_id, task.kind) for task in tasks] for courier, tasks in day.open_tasks().items()}


def absent(day: PostDay, courier_id: str) -> None:
    """The courier's shift is taken away, as the operator's call does it."""
    day.courier(courier_id, starts="07:30", ends="07:30")
    with day.store.begin() as session:
        looks.mark(session, MODE, ["nt"], day.now)


def test_nothing_is_looked_at_where_nobody_asked_for_live_planning(day: PostDay) -> None:
    day.ask_for(1)
    assert not marked(day) and queued(day) == [] and look(day) is None


def test_every_change_of_an_offices_work_asks_for_one_look(day: PostDay) -> None:
    live(day, "propose")
    first = day.ask_for(1)
    assert queued(day) == [{"mode": MODE, "area": AREA, "day": DAY.isoformat()}] and marked(day)
    assert look(day) == "proposed" and not marked(day)
    day.happens(first, "assigned", "c1")
    assert queued(day) == [], "what a plan or a coordinator gives is marked by them, once for all of it"
    day.happens(first, "collect_failed", "c1", reason="NOT_READY", proof=[])
    assert len(queued(day)) == 1
    second = day.ask_for(2)
    day.happens(second, "cancelled")
    assert len(queued(day)) == 2 and marked(day)
    look(day)
    assert look(day) is None, "four marks were one look"


def test_a_better_plan_is_proposed_in_place_of_the_last_proposal_and_moves_nobody(day: PostDay) -> None:
    live(day, "propose")
    held = [day.ask_for(number) for number in range(1, 5)]
    day.plan_and_commit(solve=greedy)
    before, own = seats(day), day.draft(solve=greedy)
    fifth = day.ask_for(5)
    assert look(day) == "proposed"
    (first,) = drafts(day)
    assert served(first) == {*held, fifth} and first.body["diff"]["added_stops"] == 2
    sixth = day.ask_for(6)
    assert look(day) == "proposed"
    (second,) = drafts(day)
    assert served(second) == {*held, fifth, sixth} and day.plan(first.id).status == "discarded"
    assert seats(day) == before, "nothing is in force before somebody commits it"
    assert [plan.id for plan in drafts(day, made_live=False)] == [own.id], "a coordinator's draft is his own"
    day.commit(second)
    assert set(day.holders()) == {*held, fifth, sixth}


def test_where_the_office_lets_it_a_new_request_reaches_a_courier_by_itself(day: PostDay) -> None:
    live(day, "commit")
    day.ask_for(1)
    day.plan_and_commit(solve=greedy)
    request_id = day.ask_for(2)
    queued(day)
    assert look(day) == "committed"
    assert request_id in day.holders() and day.leg(request_id).status == "ASSIGNED"
    with day.store.begin() as session:
        assert {row.actor for row in session.consignments.events(request_id) if row.type == "assigned"} == {looks.ACTOR}
    assert drafts(day) == []
    assert not marked(day) and queued(day) == [], "its own commit asks for no further look"


def test_a_look_that_finds_nothing_better_takes_the_outdated_proposal_away(day: PostDay) -> None:
    live(day, "propose")
    request_id = day.ask_for(1)
    assert look(day) == "proposed"
    day.happens(request_id, "cancelled")
    assert look(day) == "nothing"
    assert drafts(day) == []


def test_the_work_of_an_absent_courier_goes_to_those_who_ride(day: PostDay) -> None:
    live(day, "commit")
    for number in range(1, 7):
        day.ask_for(number)
    day.plan_and_commit()
    (gone, *_) = sorted(day.open_tasks())
    absent(day, gone)
    assert look(day, Pace(seconds=1.0, most_moved=20)) == "committed"
    assert len(day.holders()) == 6 and gone not in day.open_tasks()


def test_a_commit_by_a_person_while_the_look_goes_on_wins(day: PostDay) -> None:
    live(day, "commit")
    day.ask_for(1)
    own = day.draft(solve=greedy)
    late = day.ask_for(2)

    def meanwhile(problem: routing.Problem, **options: Any) -> routing.Plan:
        if day.plan(own.id).status == "draft":
            day.commit(own)
        return greedy(problem, **options)

    assert look(day, solve=meanwhile) == "dropped"
    assert set(day.holders()) == served(own) and drafts(day) == []
    assert len(queued(day)) >= 1 and look(day) == "committed", "and the next look starts from it"
    assert late in day.holders()


def test_what_a_coordinator_gave_by_hand_while_the_look_went_on_stays_with_his_courier(day: PostDay) -> None:
    live(day, "commit")
    request_id = day.ask_for(1)

    def meanwhile(problem: routing.Problem, **options: Any) -> routing.Plan:
        plan = greedy(problem, **options)
        other = next(courier for courier in ("c1", "c2") if courier != plan.routes[0].courier)
        given.append(other)
        with day.store.begin() as session:
            request = session.consignments.get(MODE, request_id, lock=True)
            assert request is not None
            parts = (session, day.scene(day.now), day.places, day.travel)
            assigning.assign(*parts, request, other, None, False, "user:lan")
        return plan

    given: list[str] = []
    assert look(day, solve=meanwhile) in ("committed", "dropped")
    assert day.holders() == {request_id: given[0]}


def test_a_plan_of_a_person_and_a_look_never_go_on_at_once(day: PostDay) -> None:
    live(day, "propose")
    day.ask_for(1)
    operation_id = day.ask(area=AREA)
    queued(day)
    found: list[str | None] = []

    def meanwhile(problem: routing.Problem, **options: Any) -> routing.Plan:
        found.append(look(day))
        return greedy(problem, **options)

    assert planning.run(day, operation_id, solve=meanwhile) == "succeeded"
    assert found == [None] and marked(day)
    assert len(queued(day)) == 1, "the look is queued when the area is free again"
    assert look(day) == "proposed"


def test_what_happens_during_a_look_is_looked_at_by_the_next(day: PostDay) -> None:
    live(day, "propose")
    first = day.ask_for(1)
    queued(day)

    def meanwhile(problem: routing.Problem, **options: Any) -> routing.Plan:
        if len(late) == 0:
            late.append(day.ask_for(2))
            assert look(day) is None, "one look of an area at a time"
        return greedy(problem, **options)

    late: list[str] = []
    assert look(day, solve=meanwhile) == "proposed"
    assert served(drafts(day)[0]) == {first}
    assert len(queued(day)) == 2, "one by the request itself, one when the area was given back"
    assert look(day) == "proposed" and served(drafts(day)[0]) == {first, *late}


def test_a_worker_that_dies_during_a_look_leaves_it_to_the_next(day: PostDay) -> None:
    class Killed(BaseException):
        """What a signal does to a process."""

    def die(*_: object, **__: object) -> routing.Plan:
        raise Killed

    live(day, "propose")
    day.ask_for(1)
    queued(day)
    with pytest.raises(Killed):
        look(day, solve=die)
    assert look(day) is None, "its claim still runs"
    with day.store.begin() as session:
        real_now = session.wall_clock()
        assert looks.requeue(session, real_now + timedelta(hours=1)) == 0, "and so it is not lost"
        session.planning.claim_area(MODE, AREA, DAY, "", real_now, real_now)
        expired = session.marks.lost(real_now + timedelta(hours=1), real_now + timedelta(hours=1))
    assert expired == [(MODE, AREA, DAY)]


def test_a_look_moves_no_more_of_what_couriers_hold_than_it_may(day: PostDay) -> None:
    live(day, "commit")
    for number in range(1, 13):
        day.ask_for(number)
    day.plan_and_commit(solve=greedy)
    before = seats(day)
    request_id = day.ask_for(13)
    assert look(day, Pace(seconds=1.0, most_moved=0)) == "committed"
    after = {
        courier: [stop for stop in order if stop[0] != request_id]
        for courier, order in seats(day).items()
        if any(stop[0] != request_id for stop in order)
    }
    assert after == before and request_id in day.holders()


def test_the_stop_after_the_one_being_ridden_to_stays_where_it_is(day: PostDay) -> None:
    live(day, "commit")
    day.courier("c2", starts="07:30", ends="07:30")
    for number in range(1, 9):
        day.ask_for(number, shop="kh-1" if number % 2 else "kh-2")
    day.plan_and_commit()
    first = day.open_tasks()["c1"][0]
    with day.store.begin() as session:
        session.network.note_position(MODE, "c1", first.place["lat"], first.place["lng"], day.now)
    day.now = max(day.now, first.planned_at)
    for task in [task for task in day.open_tasks()["c1"] if task.stop_id == first.stop_id]:
        day.happens(task.request_id, "collected", "c1", slip_signed=True, signature="-", documents_checked=True)
    day.pass_time(minutes=1)
    stops = list(dict.fromkeys(task.stop_id for task in day.open_tasks()["c1"]))
    day.ask_for(20)
    assert look(day, Pace(seconds=1.0, frozen_stops=2, most_moved=40)) == "committed"
    after = list(dict.fromkeys(task.stop_id for task in day.open_tasks()["c1"]))
    assert after[:2] == stops[:2]


def test_a_courier_rides_no_more_metres_than_a_day_allows_and_not_before_he_has_rested(day: PostDay) -> None:
    for number in range(1, 4):
        day.ask_for(number)
    day.courier("c2", starts="07:30", ends="07:30")
    (route,) = day.draft(solve=greedy).body["routes"]
    limit = route["distance_m"] // 2
    _limited(day, max_distance_m=limit)
    plan = day.draft(solve=greedy)
    assert plan.body["served"] < 3 and sum(one["distance_m"] for one in plan.body["routes"]) <= limit
    assert {entry["code"] for entry in plan.body["unserved"]} <= {"fleet_full", "distance_exceeded"}
    _limited(day, rest_minutes=12 * 60)
    with day.store.begin() as session:
        shift = {"starts_at": at("12:00") - timedelta(days=1), "ends_at": at("21:30") - timedelta(days=1)}
        start = {"start_lat": OFFICE[0], "start_lng": OFFICE[1], "breaks": []}
        session.network.put_shift(MODE, "c1", DAY - timedelta(days=1), shift | start, day.now)
    planned = [stop["planned_at"][11:16] for stop in day.draft(solve=greedy).body["routes"][0]["stops"]]
    assert min(planned) >= "09:30"


def _limited(day: PostDay, **limits: int) -> None:
    with day.store.begin() as session:
        courier = session.network.courier(MODE, "c1")
        assert courier is not None
        names = ("name", "phone", "pin_hash", "home_office_id", "skills", "capacity_items", "vehicle")
        kept = {name: getattr(courier, name) for name in (*names, "base_lat", "base_lng", "communes")}
        none = {"max_distance_m": None, "rest_minutes": None}
        session.network.put_courier(MODE, "c1", kept | none | limits, day.now)
