"""Taking back: the rounds are what they were, but nothing that has moved on since is undone with them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.domain.errors import Conflict
from dispatch.flows import assigning, committing, planning, undoing
from dispatch.live.restoring import Seat, moved, restored
from dispatch.store import Session
from tests.flows.post_day import MODE, PostDay, at, greedy

ME, OTHER = "user:lan", "user:minh"


@contextmanager
def deed(day: PostDay, kind: str, subject: str, actor: str = ME) -> Iterator[tuple[Session, Any]]:
    with day.store.begin() as session:
        scene = day.scene(day.now)
        with undoing.undoable(session, scene, MODE, kind, subject, actor) as kept:
            yield session, scene
            if kind == "commit":
                plan = session.planning.plan(MODE, subject)
                assert plan is not None
                kept["area_version"] = session.planning.area_version(MODE, plan.area, plan.date)


def give(day: PostDay, request_id: str, courier_id: str, position: int | None = None, actor: str = ME) -> None:
    with deed(day, "assign", request_id, actor) as (session, scene):
        request = session.consignments.get(MODE, request_id, lock=True)
        assert request is not None
        assigning.assign(session, scene, day.places, day.travel, request, courier_id, position, False, actor)


def take_back(day: PostDay, request_id: str) -> None:
    with deed(day, "unassign", request_id) as (session, scene):
        request = session.consignments.get(MODE, request_id, lock=True)
        assert request is not None
        assigning.unassign(session, scene, request, ME)


def commit(day: PostDay, plan: Any) -> None:
    with deed(day, "commit", plan.id) as (session, scene):
        committing.commit(session, scene, day.places, day.travel, plan.id, MODE, plan.version, ME)


def undo(day: PostDay, actor: str = ME) -> dict[str, Any]:
    with day.store.begin() as session:
        return undoing.undo(session, day.scene(day.now), MODE, actor)


def picture(day: PostDay) -> Any:
    """Everything that an undo has to bring back: the rounds in order with their times, and who holds what."""
    orders = {
        courier_id: [(t.id, t.request_id, t.leg, t.kind, t.stop_id, t.planned_at, t.leg_m, t.locked) for t in tasks]
        for courier_id, tasks in day.open_tasks().items()
    }
    with day.store.begin() as session:
        holders = {
            row.request_id: (row.status, row.courier_id)
            for row in session.planning.open_legs(MODE)
            if row.status == "ASSIGNED"
        }
    return orders, holders


def rounds(day: PostDay) -> dict[str, tuple[int, int]]:
    """Metres and version of each courier's round."""
    with day.store.begin() as session:
        known = session.planning.rounds(MODE, at("08:00").date())
        return {found.courier_id: (found.distance_m, found.version) for found in known}


def test_a_commit_taken_back_gives_exactly_the_earlier_rounds(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 7)]
    for number, request_id in enumerate(ids[:4]):
        give(day, request_id, f"c{number % 2 + 1}", 0)
    before, seen = picture(day), rounds(day)
    plan = day.draft(solve=greedy)
    commit(day, plan)
    assert picture(day) != before
    told = undo(day)
    assert told["undone"]["kind"] == "commit" and told["kept"] == []
    assert picture(day) == before
    for courier_id, (metres, version) in rounds(day).items():
        assert metres == seen[courier_id][0] and version > seen[courier_id][1], "phones fetch anew"
    assert {day.leg(request_id).status for request_id in ids[4:]} == {"DISPATCHED"}
    again = day.plan(plan.id)
    assert again.status == "draft"
    commit(day, again)
    assert sorted(day.holders()) == sorted(ids), "what was taken back can be put into force again"


def test_a_draft_of_the_commit_that_was_taken_back_is_out_of_date(day: PostDay) -> None:
    for number in range(1, 4):
        day.ask_for(number)
    commit(day, day.draft(solve=greedy))
    newer = day.draft(solve=greedy)
    undo(day)
    with pytest.raises(Conflict) as refused:
        commit(day, newer)
    assert refused.value.code == "plan_base_changed"


def test_what_was_scanned_since_stays_and_is_named(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 4)]
    commit(day, day.draft(solve=greedy))
    holder = day.holders()[ids[0]]
    day.pass_time(seconds=20)
    day.happens(ids[0], "collected", holder)
    day.happens(ids[1], "cancelled", reason="x")
    told = undo(day)
    assert {entry["request_id"]: entry["code"] for entry in told["kept"]} == {ids[0]: "status", ids[1]: "status"}
    assert "COLLECTED" in told["kept"][0]["reason"]["vi"] and told["restored"] == [ids[2]]
    leg = day.leg(ids[0])
    assert (leg.status, leg.courier_id) == ("COLLECTED", holder)
    assert [(t.request_id, t.kind) for t in day.open_tasks()[holder]] == [(ids[0], "delivery")]
    assert day.leg(ids[1]).status == "CANCELLED" and day.leg(ids[2]).status == "DISPATCHED"


def test_a_courier_at_the_door_is_not_sent_away(day: PostDay) -> None:
    request_id = day.ask_for(1)
    give(day, request_id, "c1")
    day.happens(request_id, "arrived", "c1")
    assert [entry["code"] for entry in undo(day)["kept"]] == ["scanned"]
    assert day.holders() == {request_id: "c1"}


def test_deeds_are_taken_back_one_by_one_the_last_one_first(day: PostDay) -> None:
    first, second = day.ask_for(1), day.ask_for(2)
    pictures = [picture(day)]
    give(day, first, "c1")
    pictures.append(picture(day))
    give(day, second, "c1", 0)
    pictures.append(picture(day))
    give(day, first, "c2")
    pictures.append(picture(day))
    take_back(day, second)
    for expected in reversed(pictures):
        assert undo(day)["kept"] == []
        assert picture(day) == expected
    with pytest.raises(Conflict) as nothing:
        undo(day)
    assert nothing.value.code == "nothing_to_undo"


def test_after_a_minute_it_is_too_late(day: PostDay) -> None:
    give(day, day.ask_for(1), "c1")
    day.pass_time(seconds=60, milliseconds=1)
    with pytest.raises(Conflict) as late:
        undo(day)
    assert late.value.code == "nothing_to_undo"
    day.pass_time(milliseconds=-1)
    assert len(undo(day)["restored"]) == 1


def test_nobody_takes_back_what_another_did(day: PostDay) -> None:
    mine, theirs = day.ask_for(1), day.ask_for(2)
    give(day, mine, "c1")
    give(day, theirs, "c1", actor=OTHER)
    assert undo(day)["restored"] == [mine]
    assert day.holders() == {theirs: "c1"}
    with pytest.raises(Conflict):
        undo(day)
    assert undo(day, OTHER)["restored"] == [theirs]


def test_what_another_has_changed_since_stays_with_him(day: PostDay) -> None:
    moved_on, still = day.ask_for(1), day.ask_for(2)
    commit(day, day.draft(solve=greedy))
    to = "c2" if day.holders()[moved_on] == "c1" else "c1"
    give(day, moved_on, to, actor=OTHER)
    told = undo(day)
    assert [(entry["request_id"], entry["code"]) for entry in told["kept"]] == [(moved_on, "changed")]
    assert told["restored"] == [still] and day.holders() == {moved_on: to}


def test_a_discarded_draft_is_a_draft_again(day: PostDay) -> None:
    day.ask_for(1)
    plan = day.draft(solve=greedy)
    with deed(day, "discard", plan.id) as (session, _):
        planning.discard(session, plan)
    assert undo(day)["undone"]["kind"] == "discard"
    commit(day, day.plan(plan.id))
    assert len(day.holders()) == 1


def test_two_undos_at_once_take_back_two_deeds(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in (1, 2, 3)]
    for request_id in ids:
        give(day, request_id, "c1")
    gate, told = Barrier(2), list[dict[str, Any]]()

    def press() -> None:
        gate.wait()
        told.append(undo(day))

    threads = [Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one["undone"]["subject"] for one in told) == sorted(ids[1:])
    assert day.holders() == {ids[0]: "c1"}


def test_a_random_day_is_taken_back_to_its_beginning(day: PostDay) -> None:
    luck = random.Random(7)
    day.courier("c3")
    ids = [day.ask_for(number, kind=luck.choice(["pickup", "return"])) for number in range(1, 9)]
    pictures = []
    for _ in range(24):
        pictures.append(picture(day))
        request_id, held = luck.choice(ids), day.holders()
        if luck.random() < 0.2 and request_id in held:
            take_back(day, request_id)
        else:
            give(day, request_id, luck.choice(["c1", "c2", "c3"]), luck.choice([None, 0, 1, 2]))
    for expected in reversed(pictures):
        assert undo(day)["kept"] == []
        assert picture(day) == expected


# The decision itself, over random rounds.
def _seat(number: int, kind: str, where: str, minutes: int, tied: bool) -> Seat:
    return Seat(
        100 * ord(where) + 2 * number + (kind == "delivery"),  # a task stays in its round
        f"r{number}",
        "return",
        kind,
        f"s{number}{kind}",
        at("08:00") + timedelta(minutes=minutes),
        10,
        tied,
    )


@st.composite
def _rounds(draw: st.DrawFn, legs: list[int]) -> dict[str, list[Seat]]:
    """Legs in rounds a, b, c or none; a pickup is ahead of its delivery, times go up."""
    orders: dict[str, list[tuple[int, str]]] = {"a": [], "b": [], "c": []}
    for number in legs:
        where = draw(st.sampled_from(["a", "b", "c", ""]))
        if where:
            order = orders[where]
            first = draw(st.integers(0, len(order)))
            order.insert(first, (number, "pickup"))
            order.insert(draw(st.integers(first + 1, len(order))), (number, "delivery"))
    tied = draw(st.sets(st.sampled_from(legs), max_size=1))
    return {
        name: [_seat(number, kind, name, place, number in tied) for place, (number, kind) in enumerate(order)]
        for name, order in orders.items()
    }


LEGS = list(range(7))


@settings(max_examples=300)
@given(_rounds(LEGS), _rounds(LEGS))
def test_any_change_of_rounds_taken_back_is_the_rounds_before(
    before: dict[str, list[Seat]], after: dict[str, list[Seat]]
) -> None:
    assert restored(before, after, moved(before, after), set()) == before


@settings(max_examples=300)
@given(_rounds(LEGS), _rounds(LEGS), _rounds(LEGS), st.sets(st.sampled_from(LEGS)))
def test_whatever_happened_since_no_task_is_lost_or_doubled(
    before: dict[str, list[Seat]], after: dict[str, list[Seat]], later: dict[str, list[Seat]], scanned: set[int]
) -> None:
    """Others have changed some legs, couriers have collected some: those stay, the rest goes back."""
    done = {f"r{number}" for number in scanned}
    now = {
        name: [seat for seat in order if not (seat.request_id in done and seat.kind == "pickup")]
        for name, order in later.items()
    }
    since = moved(after, now)
    back = moved(before, after) - since
    found = restored(before, now, back, since)
    tasks = [(seat.name, seat.kind) for order in found.values() for seat in order]
    assert len(tasks) == len(set(tasks)), "nobody is sent twice"
    for name in {seat.name for order in [*before.values(), *now.values()] for seat in order}:
        source = before if name in back else now
        expected = {(where, seat.kind) for where, order in source.items() for seat in order if seat.name == name}
        assert {(where, s.kind) for where, order in found.items() for s in order if s.name == name} == expected
    for order in found.values():
        assert [seat.planned_at for seat in order] == sorted(seat.planned_at for seat in order)
        for place, seat in enumerate(order):
            if seat.kind == "pickup":
                assert seat.name in {other.name for other in order[place:] if other.kind == "delivery"}
