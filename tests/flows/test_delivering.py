"""What a receiver relies on: nothing is left untold, nothing is told for ever, nothing is told by two at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from dispatch.flows import notifying
from dispatch.store import Store, open_store
from dispatch.store import tables as t
from dispatch.store.receivers import Receivers
from dispatch.worker.lanes import Lanes
from tests.flows.telling import Said, Wire, add_hook, deliver, deliveries, make_due, publish, shops, waiting


@pytest.fixture
def store(clean_database: str) -> Iterator[Store]:
    opened = open_store(clean_database, connections=4)
    shops(opened)
    yield opened
    opened.close()


# ---- delivering --------------------------------------------------------------------------------------------------
def test_a_delivery_is_sent_once_however_often_its_task_comes(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    entry_id, wire = publish(store), Wire()
    delivery = deliveries(store, hook_id)[0]
    assert [deliver(store, delivery.id, wire) for _ in range(3)] == ["sent", None, None]
    ((_, message_id, body),) = wire.sent
    assert message_id == entry_id and json.loads(body)["data"] == {"name": "Nguyễn Thị Ánh"}
    after = deliveries(store, hook_id)[0]
    assert (after.state, after.attempt, after.next_at, after.lease_until) == ("sent", 1, None, None)
    assert [(line["attempt"], line["status"]) for line in after.log] == [(1, 200)]


def test_every_retry_carries_the_same_id_and_body_and_comes_no_earlier_than_planned(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    wire = Wire([Said(500), Said(None), Said(200)])
    delivery = deliveries(store, hook_id)[0]
    assert deliver(store, delivery.id, wire) == "pending"
    waits = deliveries(store, hook_id)[0]
    assert waits.next_at is not None and waits.next_at - waits.updated_at == timedelta(seconds=5)
    assert deliver(store, delivery.id, wire) is None, "not before its time"
    make_due(store, delivery.id)
    assert deliver(store, delivery.id, wire) == "pending"
    make_due(store, delivery.id)
    assert deliver(store, delivery.id, wire) == "sent"
    assert len(wire.sent) == 3 and len(set(wire.sent)) == 1
    assert [line["status"] for line in deliveries(store, hook_id)[0].log] == [500, None, 200]


def test_after_the_last_attempt_a_delivery_rests_as_failed_until_it_is_replayed(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    wire = Wire([Said(503)] * 10)
    delivery = deliveries(store, hook_id)[0]
    for _ in range(10):
        make_due(store, delivery.id)
        last = deliver(store, delivery.id, wire)
    assert last == "failed" and deliveries(store, hook_id)[0].attempt == 10
    before = len(waiting(store))
    with store.begin() as session:
        assert notifying.replay(session, delivery.id)
    assert len(waiting(store)) == before + 1
    assert deliver(store, delivery.id, wire) == "sent"
    after = deliveries(store, hook_id)[0]
    assert len(after.log) == 11 and len({message_id for _, message_id, _ in wire.sent}) == 1


def test_gone_disables_the_webhook_and_what_else_was_owed_to_it_fails_unsent(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store), publish(store)
    first, second = deliveries(store, hook_id)
    wire = Wire([Said(410)])
    assert deliver(store, first.id, wire) == "failed"
    with store.begin() as session:
        hook = session.notices.webhook(hook_id)
    assert hook is not None and (hook.active, hook.disabled_reason) == (False, "gone_410")
    assert deliver(store, second.id, wire) == "failed" and len(wire.sent) == 1
    assert deliveries(store, hook_id)[1].log[0]["error"] == "webhook_disabled"
    publish(store)
    assert len(deliveries(store, hook_id)) == 2


def test_gone_from_an_old_address_does_not_disable_the_new_one(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)

    def move() -> None:
        with store.begin() as session:
            session.notices.change_webhook(hook_id, url="https://new.example.com/")

    deliver(store, deliveries(store, hook_id)[0].id, Wire([Said(410)], meanwhile=move))
    with store.begin() as session:
        hook = session.notices.webhook(hook_id)
    assert hook is not None and hook.active


def test_an_attempt_whose_process_died_is_made_again_after_its_lease_and_not_before(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    delivery = deliveries(store, hook_id)[0]
    with store.begin() as session:  # the process that dies: it claims and is heard of no more
        at = session.wall_clock()
        assert session.notices.claim_delivery(delivery.id, at, at + notifying.LEASE)
    with store.begin() as session:
        assert notifying.requeue(session, session.wall_clock() + timedelta(hours=1), 100) == 0
    assert deliver(store, delivery.id, Wire()) is None
    with store.begin() as session:
        session.connection.execute(update(t.deliveries).values(lease_until=session.wall_clock()))
    with store.begin() as session:
        assert notifying.requeue(session, session.wall_clock() + timedelta(hours=1), 100) == 1
    assert deliver(store, delivery.id, Wire()) == "sent"


def test_an_attempt_that_outlived_its_lease_does_not_overwrite_the_next_one(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    delivery = deliveries(store, hook_id)[0]

    def another_takes_over() -> None:
        with store.begin() as session:
            session.connection.execute(update(t.deliveries).values(lease_until=session.wall_clock()))
        assert deliver(store, delivery.id, Wire()) == "sent"

    assert deliver(store, delivery.id, Wire([Said(500)], meanwhile=another_takes_over)) is None
    after = deliveries(store, hook_id)[0]
    assert after.state == "sent" and [line["attempt"] for line in after.log] == [2]


def test_an_attempt_from_before_a_replay_does_not_decide_over_the_replayed_one(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    delivery = deliveries(store, hook_id)[0]

    def replayed_and_claimed() -> None:
        with store.begin() as session:
            at = session.wall_clock()
            session.connection.execute(update(t.deliveries).values(lease_until=at))
        with store.begin() as session:
            assert notifying.replay(session, delivery.id)
            at = session.wall_clock()
            assert session.notices.claim_delivery(delivery.id, at, at + notifying.LEASE)

    assert deliver(store, delivery.id, Wire([Said(200)], meanwhile=replayed_and_claimed)) is None
    assert deliveries(store, hook_id)[0].state == "pending"


def test_no_transaction_is_open_while_a_receiver_thinks(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    open_ones: list[int] = []
    deliver(
        store,
        deliveries(store, hook_id)[0].id,
        Wire(meanwhile=lambda: open_ones.append(store.engine.pool.checkedout())),  # type: ignore[attr-defined]
    )
    assert open_ones == [0]


def test_a_replay_during_an_attempt_is_refused(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    delivery = deliveries(store, hook_id)[0]
    seen: list[bool] = []

    def replay() -> None:
        with store.begin() as session:
            seen.append(notifying.replay(session, delivery.id))

    deliver(store, delivery.id, Wire(meanwhile=replay))
    assert seen == [False] and deliveries(store, hook_id)[0].state == "sent"


def test_a_deleted_webhook_takes_its_deliveries_with_it_even_during_an_attempt(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)

    def delete() -> None:
        with store.begin() as session:
            session.notices.drop_webhook(hook_id)

    assert deliver(store, deliveries(store, hook_id)[0].id, Wire(meanwhile=delete)) is None
    assert deliveries(store, hook_id) == []


def test_who_deletes_a_webhook_never_meets_who_writes_down_its_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one holds the webhook and asks for its deliveries: the other must not hold one and ask for the webhook."""
    hook_id = add_hook(store, ["*"])
    publish(store)
    delivery = deliveries(store, hook_id)[0]
    free: list[str] = []

    def look(receivers: Receivers, webhook_id: str, url: str, at: datetime) -> None:
        with store.begin() as session:
            held = select(t.deliveries.c.id).where(t.deliveries.c.id == delivery.id).with_for_update(nowait=True)
            free.extend(session.connection.execute(held).scalars())

    monkeypatch.setattr(Receivers, "note_failure", look)
    assert deliver(store, delivery.id, Wire([Said(500)])) == "pending"
    assert free == [delivery.id]


# ---- what was lost or waits ------------------------------------------------------------------------------------
def test_a_task_the_queue_lost_is_queued_again_once(store: Store) -> None:
    add_hook(store, ["*"])
    publish(store)
    with store.begin() as session:
        now = session.wall_clock()
        assert notifying.requeue(session, now - timedelta(seconds=10), 100) == 0, "too early to call it lost"
        assert notifying.requeue(session, now, 100) == 1
        assert notifying.requeue(session, now, 100) == 0, "it was queued a moment ago"
    assert len(waiting(store)) == 2


def test_a_retry_is_queued_when_its_time_comes(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    delivery = deliveries(store, hook_id)[0]
    deliver(store, delivery.id, Wire([Said(500)]))
    with store.begin() as session:
        assert notifying.requeue(session, session.wall_clock() - timedelta(hours=1), 100) == 0
    make_due(store, delivery.id)
    with store.begin() as session:
        assert notifying.requeue(session, session.wall_clock() - timedelta(hours=1), 100) == 1


def test_the_backlog_of_one_receiver_does_not_crowd_out_another(store: Store) -> None:
    crowded, modest = add_hook(store, ["request.created"]), add_hook(store, ["request.cancelled"])
    for _ in range(30):
        publish(store)
    publish(store, "request.cancelled")
    with store.begin() as session:
        at = session.wall_clock()
        taken = session.notices.requeue_deliveries(at, at, limit=10, each=5)
    owed = {hook_id: {row.id for row in deliveries(store, hook_id)} for hook_id in (crowded, modest)}
    assert len(taken) == 6
    assert len(owed[crowded] & set(taken)) == 5 and owed[modest] <= set(taken)


def test_two_clocks_never_queue_the_same_delivery_twice(store: Store) -> None:
    add_hook(store, ["*"])
    for _ in range(10):
        publish(store)
    with store.begin() as one, store.begin() as other:
        at = one.wall_clock()
        first = one.notices.requeue_deliveries(at, at, limit=6)
        second = other.notices.requeue_deliveries(at, at, limit=100)
        assert len(first) == 6 and not set(first) & set(second)


# ---- lanes ---------------------------------------------------------------------------------------------------------
def test_one_webhook_never_takes_every_place() -> None:
    lanes = Lanes(at_most=3, slow_after_s=60)
    tickets = [lanes.enter("slow") for _ in range(5)]
    assert [ticket is not None for ticket in tickets] == [True, True, True, False, False]
    assert lanes.enter("other") is not None
    assert tickets[0] is not None
    lanes.leave("slow", tickets[0])
    assert lanes.enter("slow") is not None


def test_a_webhook_that_was_slow_gets_few_places_until_it_answers_quickly() -> None:
    lanes = Lanes(at_most=4, slow_at_most=1, slow_after_s=0.0)  # every answer counts as slow
    ticket = lanes.enter("slow")
    assert ticket is not None
    lanes.leave("slow", ticket)
    again = lanes.enter("slow")
    assert again is not None and lanes.enter("slow") is None
    lanes._slow_after_s = 60.0  # from here on every answer counts as quick
    lanes.leave("slow", again)
    assert [lanes.enter("slow") is not None for _ in range(4)] == [True] * 4


def hang(lanes: Lanes, names: Iterable[str]) -> int:
    """Let each of these webhooks take every place it gets and give none back; how many they hold together."""
    held = 0
    for name in names:
        while lanes.enter(name) is not None:
            held += 1
    return held


def test_forty_receivers_that_hang_at_once_leave_room_for_the_next() -> None:
    lanes = Lanes(places=128, at_most=8, slow_at_most=2, slow_after_s=60)  # not known as slow yet
    assert hang(lanes, (f"hook-{number}" for number in range(40))) == 8 * 8 + 32 * 2
    lanes = Lanes(places=128, at_most=8, slow_at_most=2, slow_after_s=60)
    assert hang(lanes, (f"hook-{number}" for number in range(30))) < 128 - 8
    assert lanes.enter("quick") is not None


def test_all_slow_webhooks_together_get_a_quarter_of_the_places() -> None:
    lanes = Lanes(places=32, at_most=8, slow_at_most=2, slow_after_s=0.0)  # whoever is under way is slow
    names = [f"slow-{number}" for number in range(50)]
    for name in names:
        ticket = lanes.enter(name)
        assert ticket is not None
        lanes.leave(name, ticket)
    assert hang(lanes, names) == 8
    lanes._slow_after_s = 60.0
    assert hang(lanes, ["quick"]) == 8, "a quick one has its full share all the same"


def test_a_receiver_that_is_well_again_gets_its_backlog_in_one_go(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    for _ in range(12):
        publish(store)
    owed = deliveries(store, hook_id)
    wire = Wire([Said(503)] * 12)
    for delivery in owed:
        deliver(store, delivery.id, wire)
        make_due(store, delivery.id)
    with store.begin() as session:
        assert notifying.requeue(session, session.wall_clock(), 100) == notifying.KICK_STARTS
    kicked = [args["delivery_id"] for _, args in waiting(store)[len(owed) :]]
    assert deliver(store, kicked[0], wire) == "sent"
    # It went on with the eight that had no task; the other three have one each.
    assert [row.state for row in deliveries(store, hook_id)].count("sent") == 12 - len(kicked) + 1
    for delivery_id in kicked[1:]:
        deliver(store, delivery_id, wire)
    assert {row.state for row in deliveries(store, hook_id)} == {"sent"}
    assert len(wire.sent) == 24 and len({message_id for _, message_id, _ in wire.sent}) == 12


def test_while_a_receiver_fails_its_new_events_wait_behind_its_old_ones(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    deliver(store, deliveries(store, hook_id)[0].id, Wire([Said(None)]))
    before = len(waiting(store))
    publish(store)
    assert len(waiting(store)) == before, "no task: the clock will queue it"
    make_due(store, deliveries(store, hook_id)[0].id)
    with store.begin() as session:
        assert notifying.requeue(session, session.wall_clock() - timedelta(hours=1), 100) == 2
    assert [deliver(store, row.id, Wire()) for row in deliveries(store, hook_id)] == ["sent", "sent"]
    publish(store)
    assert len(waiting(store)) == before + 3, "it is well again: queued at once"


def test_a_busy_receiver_puts_a_delivery_off_without_counting_an_attempt(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    publish(store)
    delivery, lanes, wire = deliveries(store, hook_id)[0], Lanes(at_most=1), Wire()
    ticket = lanes.enter(hook_id)
    assert ticket is not None
    assert deliver(store, delivery.id, wire, lanes) == "pending" and wire.sent == []
    after = deliveries(store, hook_id)[0]
    assert after.attempt == 0 and after.next_at is not None and delivery.next_at is not None
    assert after.next_at > delivery.next_at
    lanes.leave(hook_id, ticket)
    make_due(store, delivery.id)
    with store.begin() as session:
        assert notifying.requeue(session, session.wall_clock() - timedelta(hours=1), 10) == 1
    assert deliver(store, delivery.id, wire, lanes) == "sent"
