"""A receiver that is down for an hour gets everything in the end, once in effect, in an order that it can restore.

Time is moved by hand: every instant the deliveries wait for comes nearer by as much as is said to pass.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
import trustme
from sqlalchemy import update

from dispatch.channels import webhook
from dispatch.flows import notifying
from dispatch.store import Store, open_store
from dispatch.store import tables as t
from dispatch.store.rows import Webhook
from dispatch.worker.lanes import Lanes
from tests.channels.receiver import Call, Receiver, Reply
from tests.flows.telling import add_hook, deliveries, publish, shops

SECRET = webhook.new_secret()
AUTHORITY = trustme.CA()
HOST = "hooks.example.test"


@pytest.fixture
def store(clean_database: str) -> Iterator[Store]:
    opened = open_store(clean_database, connections=4)
    shops(opened)
    yield opened
    opened.close()


@dataclass
class ShopSoftware:
    """A receiver as docs/webhooks.md tells to write one: verifies, does each webhook-id once, sorts by seq."""

    up: bool = True
    loses_answers: int = 0
    """So many messages it takes in, and its answer is lost on the way."""
    calls: int = 0
    done: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, call: Call) -> Reply:
        self.calls += 1
        if not self.up:
            return 503, {}, b"we are being repaired"
        event = standardwebhooks.Webhook(SECRET).verify(call.body, call.headers)
        self.done.setdefault(call.headers["webhook-id"], event)
        if self.loses_answers:
            self.loses_answers -= 1
            return 502, {}, b"the proxy saw no answer"
        return 204, {}, b""

    def seqs(self) -> list[int]:
        return sorted(event["seq"] for event in self.done.values())


def pass_time(store: Store, by: timedelta) -> None:
    d, w = t.deliveries.c, t.webhooks.c
    with store.begin() as session:
        nearer = {"next_at": d.next_at - by, "queued_at": d.queued_at - by, "lease_until": d.lease_until - by}
        session.connection.execute(update(t.deliveries).values(nearer))
        session.connection.execute(update(t.webhooks).values(failing_since=w.failing_since - by))


def work(store: Store, guard: webhook.Guard) -> None:
    """What clock, relay and worker do until nothing is due, over real sockets."""

    def post(hook: Webhook, message_id: str, at: datetime, body: bytes) -> webhook.Answer:
        headers = webhook.sign(hook.secrets_at(at), message_id, at, body)
        return webhook.post(hook.url, headers, body, guard, live=hook.mode == "live")

    lanes = Lanes()
    while True:
        with store.begin() as session:
            notifying.requeue(session, session.wall_clock() - timedelta(hours=1), 500)
            rows = session.notices.waiting(1000)
            session.notices.mark_sent([row[0] for row in rows], session.wall_clock())
        if not rows:
            return
        for _, _, args in rows:
            notifying.deliver(store, args["delivery_id"], post, lanes, 0.0)


@pytest.mark.parametrize(("mode", "scheme"), [("live", "https"), ("test", "http")])
def test_a_receiver_down_for_an_hour_gets_everything_later_once_in_effect(store: Store, mode: str, scheme: str) -> None:
    trusting, serving = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.configure_trust(trusting)
    AUTHORITY.issue_cert(HOST).configure_cert(serving)
    loopback = (ipaddress.ip_network("127.0.0.0/8"),)
    guard = webhook.Guard(loopback, resolve=lambda *_: ["127.0.0.1"], tls=trusting)
    software = ShopSoftware()
    with Receiver(software, tls=serving if scheme == "https" else None) as receiver:
        url = f"{scheme}://{HOST}:{receiver.port}/hook"
        hook_id = add_hook(store, ["*"], mode=mode, url=url, secret=SECRET)
        told = [publish(store, mode=mode) for _ in range(3)]
        work(store, guard)
        assert software.seqs() == [1, 2, 3]
        software.up = False
        for _ in range(12):  # an hour, and an event every five minutes
            told.append(publish(store, mode=mode))
            work(store, guard)
            pass_time(store, timedelta(minutes=5))
        assert software.seqs() == [1, 2, 3], "it was down"
        tried = software.calls
        software.up, software.loses_answers = True, 4
        told.append(publish(store, mode=mode))
        for _ in range(48):  # a day in half hours: the pauses of the plan, none of which is longer by then
            work(store, guard)
            pass_time(store, timedelta(minutes=30))
        assert {row.state for row in deliveries(store, hook_id)} == {"sent"}
    assert software.done.keys() == set(told)
    assert software.seqs() == list(range(1, len(told) + 1))
    assert software.calls - tried >= 13 + 4, "what lost its answer came once more"
    with store.begin() as session:
        hook = session.notices.webhook(hook_id)
        feed = session.notices.feed_after(mode, "nha-trang", 0, 100)
    assert hook is not None and hook.active and hook.failing_since is None
    shown = json.loads(json.dumps([notifying.body(entry) for entry in feed]))
    assert sorted(software.done.values(), key=lambda event: int(event["seq"])) == shown
    assert {event["livemode"] for event in software.done.values()} == {mode == "live"}


def test_a_receiver_that_never_comes_back_is_tried_ten_times_over_three_days_and_then_left(store: Store) -> None:
    software = ShopSoftware(up=False)
    guard = webhook.Guard((ipaddress.ip_network("127.0.0.0/8"),))
    with Receiver(software) as receiver:
        hook_id = add_hook(store, ["*"], url=receiver.url, secret=SECRET)
        publish(store)
        hours = 0
        work(store, guard)
        while deliveries(store, hook_id)[0].state == "pending":
            pass_time(store, timedelta(hours=1))
            work(store, guard)
            hours += 1
        assert (software.calls, deliveries(store, hook_id)[0].attempt) == (10, 10)
        assert 75 <= hours <= 84, "the whole plan is 75.6 hours; looking once an hour adds some"
        pass_time(store, timedelta(days=1))
        work(store, guard)
        assert software.calls == 10
        with store.begin() as session:
            hook = session.notices.webhook(hook_id)
        assert hook is not None and hook.active, "four days are not yet five"
        publish(store)
        pass_time(store, timedelta(days=1))
        work(store, guard)
        with store.begin() as session:
            hook = session.notices.webhook(hook_id)
    assert hook is not None and (hook.active, hook.disabled_reason) == (False, "failing_for_days")
