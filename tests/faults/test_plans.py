"""What a coordinator would lose if a worker, a clock or a commit failed at a bad moment: nothing, and nothing twice."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import routing
from dispatch import clock
from dispatch.domain.hours import local_date
from dispatch.embedded.programs import Programs
from dispatch.flows import fieldwork, looks, planning, replanning, sla_watch
from dispatch.flows.fieldwork import CourierEvent, Outcome
from dispatch.flows.replanning import Pace
from dispatch.store import Session, open_store
from routing.travel.geodesic import TerrainTravel
from tests.embedded.waiting import descendants, eventually
from tests.faults.machine import Machine, machine_on
from tests.flows.post_day import DAY, MODE, OFFICE, PostDay, greedy, post_day

TAKEN_UP_S = 120.0
"""A lease of 15 s runs out, the clock queues the operation, and the plan is worked out."""


@pytest.fixture(scope="module")
def machine(
    postgres: Callable[[str], str], migrated_template: str, ground: Path, programs: Programs
) -> Iterator[Machine]:
    with machine_on(postgres, migrated_template, ground, programs) as running:
        yield running


@pytest.fixture
def busy(machine: Machine) -> PostDay:
    """A day with open requests in the database of the running processes."""
    made = post_day(machine.store)
    made.open()
    for number in range(1, 9):
        try:
            made.ask_for(number)
        except Exception as error:  # noqa: BLE001
            assert getattr(error, "code", "") == "duplicate_external_ref", error
    return made


@pytest.fixture
def day(clean_database: str) -> Iterator[PostDay]:
    """A day without any process but this one."""
    store = open_store(clean_database, connections=6)
    made = post_day(store)
    made.open()
    yield made
    store.close()


def drafts(day: PostDay) -> set[str]:
    with day.store.begin() as session:
        return {plan.id for plan in session.planning.drafts(MODE, DAY)}


def held_by_two(day: PostDay) -> list[tuple[str, str]]:
    """Dossiers with more than one open task of a kind."""
    tasks = [(task.request_id, task.kind) for held in day.open_tasks().values() for task in held]
    return [task for task in tasks if tasks.count(task) > 1]


def in_search(day: PostDay, operation_id: str) -> bool:
    operation = day.operation(operation_id)
    return bool(operation.status == "running" and operation.progress > planning.READ)


def test_a_worker_killed_in_the_middle_of_a_plan_leaves_one_draft_in_the_end(machine: Machine, busy: PostDay) -> None:
    before = drafts(busy)
    operation_id = busy.ask(seconds=12)
    eventually(lambda: in_search(busy, operation_id))
    machine.kill("worker")
    assert busy.operation(operation_id).status == "running", "nobody could say good-bye"
    machine.start("worker")
    ended = eventually(lambda: (one := busy.operation(operation_id)).status == "succeeded" and one, TAKEN_UP_S)
    assert drafts(busy) - before == {ended.result["plan_id"]}
    plan = busy.commit(busy.plan(ended.result["plan_id"]))
    assert plan.status == "committed" and len(busy.holders()) == 8 and held_by_two(busy) == []


def test_one_process_of_the_pool_killed_in_the_middle_leaves_its_plan_to_another(
    machine: Machine, busy: PostDay
) -> None:
    before, node = drafts(busy), machine.nodes()["routing"]
    operation_id = busy.ask(seconds=12)
    eventually(lambda: in_search(busy, operation_id))
    searching = max(descendants(node), key=_cpu_ticks)
    os.kill(searching, signal.SIGKILL)
    ended = eventually(lambda: (one := busy.operation(operation_id)).status == "succeeded" and one, TAKEN_UP_S)
    assert drafts(busy) - before == {ended.result["plan_id"]} and machine.nodes()["routing"] == node


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_of_two_processes_asked_for_one_area_at_once_one_plans_and_the_other_says_so(
    machine: Machine, busy: PostDay
) -> None:
    before = drafts(busy)
    asked = [busy.ask(seconds=20), busy.ask(seconds=20)]
    ended = [eventually(lambda one=one: _ended(busy, one), TAKEN_UP_S) for one in asked]  # type: ignore[misc]
    assert sorted(one.status for one in ended) == ["failed", "succeeded"]
    assert {one.error["code"] for one in ended if one.error} == {"area_busy"}
    assert len(drafts(busy) - before) == 1


def _ended(day: PostDay, operation_id: str) -> Any:
    operation = day.operation(operation_id)
    return operation if operation.status not in ("queued", "running") else None


def test_a_cancelled_plan_of_a_running_worker_ends_soon_with_its_best_so_far(machine: Machine, busy: PostDay) -> None:
    for number in range(20, 26):
        busy.ask_for(number)
    operation_id = busy.ask(seconds=120)
    eventually(lambda: in_search(busy, operation_id))
    with busy.store.begin() as session:
        planning.cancel(session, busy.operation(operation_id))
    ended = eventually(lambda: _ended(busy, operation_id), 15)
    assert ended.status == "cancelled" and busy.plan(ended.result["plan_id"]).status == "draft"


def test_a_look_whose_task_was_lost_is_queued_again_by_the_clock(machine: Machine, busy: PostDay) -> None:
    with busy.store.begin() as session:
        now = session.wall_clock()
        office = session.network.office(MODE, "nt")
        assert office is not None
        names = ("name", "province_code", "commune_code", "era", "lat", "lng", "hours_profile")
        kept = {name: getattr(office, name) for name in names}
        session.network.put_office(MODE, "nt", kept | {"live": "commit"}, now)
        session.marks.add(MODE, ["nt"], local_date(now), now, now)  # and no task

    def seen() -> bool:
        with busy.store.begin() as session:
            return session.marks.seen(MODE, "office:nt", local_date(now)) is None

    assert not seen()
    eventually(seen, TAKEN_UP_S)


class Paused(TerrainTravel):
    """Rides that a commit asks for under its locks: it waits there until it is let go on."""

    def __init__(self) -> None:
        object.__setattr__(self, "table", None)
        object.__setattr__(self, "rainy", False)
        object.__setattr__(self, "inside", threading.Event())
        object.__setattr__(self, "go_on", threading.Event())

    def matrix(self, points: Any) -> Any:
        """Say that the locks are held, and wait."""
        self.inside.set()  # type: ignore[attr-defined]
        assert self.go_on.wait(30)  # type: ignore[attr-defined]
        return super().matrix(points)


def scan(day: PostDay, courier_id: str, request_id: str) -> Callable[[], Outcome]:
    """A courier's `collected`, in a transaction of its own."""
    told = {
        "event_id": "7f9c24e8-3b12-4fef-91e0-56a2d5a0b1c2",
        "device_seq": 1,
        "type": "collected",
        "request_ids": [request_id],
        "at_device": day.now.isoformat(),
        "payload": {"slip_signed": True, "signature": "x", "documents_checked": True},
    }
    event = CourierEvent.model_validate_json(json.dumps(told))

    def merge() -> Outcome:
        with day.store.begin() as session:
            courier = session.network.courier(MODE, courier_id)
            assert courier is not None
            return fieldwork.merge(session, day.scene(day.now), courier, event)

    return merge


def waits_for_a_lock(day: PostDay) -> bool:
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with day.store.begin() as session:
        return bool(session.connection.execute(text(waiting)).scalar_one())


def test_a_scan_that_comes_during_a_commit_waits_for_it_and_wins(day: PostDay) -> None:
    request_id = day.ask_for(1)
    day.courier("c2", starts="07:30", ends="07:30")
    day.plan_and_commit(solve=greedy)
    assert day.holders() == {request_id: "c1"}
    day.courier("c2")
    day.courier("c1", starts="07:30", ends="07:30")
    plan, travel = day.draft(solve=greedy), Paused()
    assert {route["courier_id"] for route in plan.body["routes"]} == {"c2"}, "the commit would give it to another"
    day.courier("c1")
    outcomes: list[Any] = []
    committing = threading.Thread(target=lambda: outcomes.append(replace(day, travel=travel).commit(plan).status))
    committing.start()
    assert travel.inside.wait(30)  # type: ignore[attr-defined]
    scanning = threading.Thread(target=lambda: outcomes.append(scan(day, "c1", request_id)().result))
    scanning.start()
    try:
        eventually(lambda: waits_for_a_lock(day))
    finally:
        travel.go_on.set()  # type: ignore[attr-defined]
    committing.join(30)
    scanning.join(30)
    assert outcomes == ["committed", "applied"]
    leg = day.leg(request_id)
    assert (leg.status, leg.courier_id) == ("COLLECTED", "c1"), "the papers are in his hand"
    assert held_by_two(day) == [] and "pickup" not in {
        task.kind for tasks in day.open_tasks().values() for task in tasks
    }
    day.plan_and_commit(solve=greedy)
    assert day.holders() == {request_id: "c1"}, "and the next plan has him deliver it"


def test_a_commit_that_waited_for_a_scan_sees_it(day: PostDay) -> None:
    first, second = day.ask_for(1), day.ask_for(2)
    day.plan_and_commit(solve=greedy)
    holder = day.holders()[first]
    plan = day.draft(solve=greedy)
    outcomes: list[Any] = []
    with day.store.begin() as session:
        courier = session.network.courier(MODE, holder)
        assert courier is not None
        session.consignments.get(MODE, first, lock=True)
        committing = threading.Thread(target=lambda: outcomes.append(day.commit(plan).status))
        committing.start()
        eventually(lambda: waits_for_a_lock(day))
        happening = fieldwork.Happening("collected", day.now, "test", courier_id=holder, payload={})
        assert fieldwork.record(session, day.scene(day.now), MODE, first, "return", happening) == "applied"
    committing.join(30)
    assert outcomes == ["committed"]
    assert day.leg(first).status == "COLLECTED" and day.holders()[first] == holder
    kinds = {task.kind for task in day.open_tasks()[holder] if task.request_id == first}
    assert kinds == {"delivery"} and second in day.holders() and held_by_two(day) == []


@contextmanager
def clock_set_back(by: timedelta) -> Iterator[None]:
    """The wall clock that all processes share, set back."""
    real = Session.wall_clock

    def earlier(session: Session) -> datetime:
        return real(session) - by

    Session.wall_clock = earlier  # type: ignore[method-assign]
    try:
        yield
    finally:
        Session.wall_clock = real  # type: ignore[method-assign]


def requeued(day: PostDay) -> list[tuple[str, str]]:
    with day.store.begin() as session:
        at = session.wall_clock()
        return session.planning.requeue_operations(at, at - clock.LOST_AFTER)


def test_a_clock_set_back_in_the_middle_of_a_plan_gives_it_to_nobody_else(day: PostDay) -> None:
    day.ask_for(1)
    operation_id = day.ask()

    def meanwhile(problem: routing.Problem, **options: Any) -> routing.Plan:
        with clock_set_back(timedelta(hours=1)):
            assert requeued(day) == [] and planning.run(day, operation_id, solve=greedy) is None
            return greedy(problem, **options)

    assert planning.run(day, operation_id, solve=meanwhile) == "succeeded"
    assert requeued(day) == [] and planning.run(day, operation_id, solve=greedy) is None
    assert drafts(day) == {day.operation(operation_id).result["plan_id"]}


def test_a_clock_set_back_undoes_no_promise_and_tells_nobody_twice(day: PostDay) -> None:
    request_id = day.ask_for(1)
    due_at = day.leg(request_id).due_at
    assert due_at is not None

    def sweep(now: datetime) -> int:
        with day.store.begin() as session:
            return sla_watch.sweep(session, MODE, day.scene(now), limit=100)

    def told() -> list[str]:
        with day.store.begin() as session:
            return [entry.type for entry in session.notices.feed_after(MODE, "kh-1", 0, 1000)]

    sweep(due_at + timedelta(minutes=1))
    sweep(due_at + timedelta(minutes=1))
    before = told()
    assert day.leg(request_id).promise_state == "BREACHED" and before.count("promise.breached") == 1
    assert sweep(due_at - timedelta(hours=3)) == 0
    assert day.leg(request_id).promise_state == "BREACHED" and told() == before
    sweep(due_at + timedelta(hours=1))
    assert told() == before


def test_a_commit_after_the_clock_was_set_back_undoes_no_scan(day: PostDay) -> None:
    first, second = day.ask_for(1), day.ask_for(2)
    day.plan_and_commit(solve=greedy)
    holder = day.holders()[first]
    day.pass_time(minutes=10)
    day.happens(first, "collected", holder)
    plan = day.draft(solve=greedy)
    day.pass_time(minutes=-60)
    assert day.commit(plan).status == "committed"
    assert day.leg(first).status == "COLLECTED" and day.leg(first).courier_id == holder
    assert day.holders()[first] == holder and second in day.holders() and held_by_two(day) == []


def test_a_look_that_fails_in_one_area_touches_no_other(day: PostDay) -> None:
    with day.store.begin() as session:
        where = {"province_code": "56", "commune_code": "22330", "era": "2020", "hours_profile": "POST-DEFAULT"}
        for office_id, far in (("nt", 0.0), ("bac", 0.05)):
            place = {"name": office_id, "lat": OFFICE[0] + far, "lng": OFFICE[1], "live": "commit"}
            session.network.put_office(MODE, office_id, place | where, day.now)
    ids = [day.ask_for(number) for number in range(1, 4)]
    with day.store.begin() as session:
        for request_id in ids:
            session.consignments.change(request_id, office_id="nt" if request_id == ids[2] else "bac")
        courier = session.network.courier(MODE, "c2")
        assert courier is not None
        kept = {name: getattr(courier, name) for name in ("name", "phone", "pin_hash", "skills", "capacity_items")}
        more = {"vehicle": "MOTORBIKE", "base_lat": OFFICE[0], "base_lng": OFFICE[1], "communes": []}
        session.network.put_courier(MODE, "c2", {**kept, **more, "home_office_id": "bac"}, day.now)
        looks.mark(session, MODE, ["nt", "bac"], day.now)

    def broken(*_: object, **__: object) -> routing.Plan:
        raise ValueError("a bug")

    def look(office_id: str, solve: Callable[..., routing.Plan]) -> str | None:
        area = f"office:{office_id}"
        return replanning.look(day, MODE, area, DAY, Pace(0.5), solve=solve, present=lambda _: day.now)

    with pytest.raises(ValueError, match="a bug"):
        look("bac", broken)
    assert look("nt", greedy) == "committed" and day.holders() == {ids[2]: "c1"}
    with day.store.begin() as session:
        looks.mark(session, MODE, ["bac"], day.now)
    assert look("bac", greedy) == "committed", "its area is free, and the next event plans it"
    assert set(day.holders()) == set(ids)
