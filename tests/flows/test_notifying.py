"""What a shop's own system relies on: every event is in the feed, and owed to each webhook that asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.news import wants
from dispatch.flows import notifying
from dispatch.flows.notifying import DELAYS_S, next_step
from dispatch.store import Store, open_store
from tests.flows.telling import SIMULATED, add_hook, deliveries, publish, shops, waiting


@pytest.fixture
def store(clean_database: str) -> Iterator[Store]:
    opened = open_store(clean_database, connections=4)
    shops(opened)
    yield opened
    opened.close()


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
