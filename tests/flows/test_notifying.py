"""What a shop's own system relies on: nothing is left untold, nothing is told for ever, nothing is told by two."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update

from dispatch.flows import notifying
from dispatch.flows.notifying import DELAYS_S, next_step, wants
from dispatch.store import Session, Store, open_store
from dispatch.store import tables as t
from dispatch.store.rows import Delivery, Webhook
from dispatch.worker.lanes import Lanes

SIMULATED = datetime(2020, 4, 7, 8, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """An answer of a receiver."""

    status: int | None
    retry_after_s: float | None = None

    def line(self) -> dict[str, Any]:
        return {"status": self.status, "error": None if self.status else "connection_failed", "answer": "…"}


@dataclass
class Wire:
    """A channel that answers what it is told and keeps what it was given."""

    answers: list[Said] = field(default_factory=list)
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def __call__(self, hook: Webhook, message_id: str, at: datetime, body: bytes) -> Said:
        self.sent.append((hook.id, message_id, body))
        self.meanwhile()
        return self.answers.pop(0) if self.answers else Said(200)


@pytest.fixture
def store(clean_database: str) -> Iterator[Store]:
    opened = open_store(clean_database, connections=4)
    with opened.begin() as session:
        for mode in ("test", "live"):
            add_shop(session, mode, "nha-trang")
        add_shop(session, "test", "dien-khanh")
    yield opened
    opened.close()


def add_shop(session: Session, mode: str, shop_id: str) -> None:
    session.connection.execute(
        insert(t.shops).values(
            mode=mode,
            id=shop_id,
            name=shop_id,
            province_code="56",
            commune_code="22363",
            era="2020",
            lat=12.2,
            lng=109.2,
            level="COMMUNE",
            hours_profile="OSS-DEFAULT",
            rooms=[],
            created_at=SIMULATED,
            updated_at=SIMULATED,
        )
    )


def add_hook(store: Store, types: list[str], mode: str = "test", shop_id: str = "nha-trang", **more: Any) -> str:
    with store.begin() as session:
        hook_id = session.new_id("whk")
        row = {
            "id": hook_id,
            "mode": mode,
            "shop_id": shop_id,
            "url": "https://hooks.example.com/",
            "types": types,
            "secret": "whsec_AAAA",
            "active": True,
            "created_at": SIMULATED,
            "updated_at": SIMULATED,
        }
        session.notices.add_webhook(**row | more)
    return hook_id


def publish(store: Store, type: str = "request.created", mode: str = "test", shop_id: str = "nha-trang") -> str:
    with store.begin() as session:
        return notifying.publish(
            session,
            mode=mode,
            shop_id=shop_id,
            type=type,
            request_id=None,
            occurred_at=SIMULATED - timedelta(minutes=5),
            now=SIMULATED,
            data={"name": "Nguyễn Thị Ánh"},
        )


def deliveries(store: Store, hook_id: str) -> list[Delivery]:
    with store.begin() as session:
        return session.notices.deliveries(hook_id, 100)


def waiting(store: Store) -> list[tuple[str, dict[str, Any]]]:
    with store.begin() as session:
        return [(task, args) for _, task, args in session.notices.waiting(1000)]


def make_due(store: Store, delivery_id: str) -> None:
    with store.begin() as session:
        past = session.wall_clock() - timedelta(seconds=1)
        session.connection.execute(update(t.deliveries).where(t.deliveries.c.id == delivery_id).values(next_at=past))


def deliver(store: Store, delivery_id: str, wire: Wire, lanes: Lanes | None = None) -> str | None:
    return notifying.deliver(store, delivery_id, wire, lanes or Lanes(), 0.0)


# ---- what follows from an attempt --------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_ends_the_telling(status: int) -> None:
    assert next_step(3, status, None, 0.0) == ("sent", None)


def test_the_plan_of_retries_is_that_of_standard_webhooks() -> None:
    steps = [next_step(attempt, 500, None, 0.0) for attempt in range(1, 11)]
    hour = 3600.0
    pauses = [5.0, 300.0, 1800.0, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
    assert steps == [("pending", pause) for pause in pauses] + [("failed", None)]


@pytest.mark.parametrize("status", [None, 100, 199, 300, 302, 400, 401, 404, 429, 500, 503])
def test_anything_else_is_tried_again(status: int | None) -> None:
    assert next_step(1, status, None, 0.0) == ("pending", 5.0)


def test_gone_means_never_again() -> None:
    assert next_step(1, 410, 5.0, 0.0) == ("failed", None)


def test_retry_after_lengthens_a_pause_by_a_day_at_most_and_never_shortens_it() -> None:
    assert next_step(1, 503, 60.0, 0.0) == ("pending", 60.0)
    assert next_step(2, 503, 60.0, 0.0) == ("pending", 300.0)
    assert next_step(1, 503, 10.0**9, 0.0) == ("pending", 86_400.0)
    assert next_step(10, 503, 60.0, 0.0) == ("failed", None)


@given(st.integers(1, 9), st.floats(-1, 1))
def test_jitter_moves_a_pause_by_a_tenth_at_most(attempt: int, jitter: float) -> None:
    state, pause_s = next_step(attempt, None, None, jitter)
    assert state == "pending" and pause_s is not None
    assert 0.9 * DELAYS_S[attempt] - 1e-6 <= pause_s <= 1.1 * DELAYS_S[attempt] + 1e-6


@pytest.mark.parametrize(
    ("types", "type", "wanted"),
    [
        (["*"], "request.created", True),
        (["request.created"], "request.created", True),
        (["request.*"], "request.created", True),
        (["promise.*", "request.created"], "request.created", True),
        (["request.cancelled"], "request.created", False),
        (["request"], "request.created", False),
        (["promise.*"], "request.created", False),
        (["request.*"], "requests.created", False),
    ],
)
def test_a_webhook_hears_what_it_asked_for(types: list[str], type: str, wanted: bool) -> None:
    assert wants(types, type) is wanted


# ---- publishing --------------------------------------------------------------------------------------------------
def test_an_event_goes_to_the_feed_and_to_every_webhook_of_that_shop_that_wants_it(store: Store) -> None:
    wanted = {add_hook(store, ["*"]), add_hook(store, ["request.*"])}
    others = {
        add_hook(store, ["promise.*"]),
        add_hook(store, ["*"], active=False),
        add_hook(store, ["*"], mode="live"),
        add_hook(store, ["*"], shop_id="dien-khanh"),
    }
    entry_id = publish(store)
    told = {hook_id for hook_id in wanted | others if deliveries(store, hook_id)}
    assert told == wanted
    owed = [deliveries(store, hook_id)[0] for hook_id in wanted]
    assert {row.feed_id for row in owed} == {entry_id}
    assert sorted(args["delivery_id"] for _, args in waiting(store)) == sorted(row.id for row in owed)


def test_the_feed_shows_the_simulated_instants_and_retries_go_by_the_real_clock(store: Store) -> None:
    hook_id = add_hook(store, ["*"])
    entry_id = publish(store)
    with store.begin() as session:
        entry, real_now = session.notices.feed_entry(entry_id), session.wall_clock()
    assert entry is not None
    assert notifying.body(entry) == {
        "id": entry_id,
        "type": "request.created",
        "seq": 1,
        "occurred_at": "2020-04-07T15:05:00+07:00",
        "recorded_at": "2020-04-07T15:10:00+07:00",
        "livemode": False,
        "shop_id": "nha-trang",
        "data": {"name": "Nguyễn Thị Ánh"},
    }
    delivery = deliveries(store, hook_id)[0]
    assert delivery.next_at is not None and timedelta(0) <= real_now - delivery.next_at < timedelta(minutes=1)


def test_each_shop_and_world_counts_its_own_events_without_gaps(store: Store) -> None:
    for _ in range(3):
        publish(store)
    publish(store, mode="live")
    publish(store, shop_id="dien-khanh")
    with store.begin() as session:
        seqs = [
            [entry.seq for entry in session.notices.feed_after(*key, 0, 10)]
            for key in (("test", "nha-trang"), ("live", "nha-trang"), ("test", "dien-khanh"))
        ]
    assert seqs == [[1, 2, 3], [1], [1]]


def test_an_event_whose_transaction_fails_was_never_told(store: Store) -> None:
    add_hook(store, ["*"])
    with pytest.raises(RuntimeError), store.begin() as session:
        args = {"mode": "test", "shop_id": "nha-trang", "type": "request.created", "request_id": None, "data": {}}
        notifying.publish(session, **args, occurred_at=SIMULATED, now=SIMULATED)
        raise RuntimeError("the request could not be kept")
    publish(store, "request.cancelled")
    with store.begin() as session:
        feed = session.notices.feed_after("test", "nha-trang", 0, 10)
    assert [(entry.seq, entry.type) for entry in feed] == [(1, "request.cancelled")]
    assert len(waiting(store)) == 1


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
