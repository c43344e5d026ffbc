"""Tell others: the shop's ordered feed, and each webhook that wants to know, until it has heard or the plan is over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from dispatch.domain.news import TEST, wants
from dispatch.domain.text import local_text

if TYPE_CHECKING:
    from datetime import datetime

    from dispatch.store import Session, Store
    from dispatch.store.receivers import Span
    from dispatch.store.rows import Delivery, FeedEntry, Request, Webhook

DELAYS_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each attempt, counted from the end of the one before it (the plan of Standard Webhooks 1.0)."""
JITTER = 0.1
"""A pause is up to so much longer or shorter, so that receivers that fell together are not asked together."""
LONGEST_RETRY_AFTER_S = 86_400.0

LEASE = timedelta(seconds=15)
"""So long an attempt may be thought alive: the channel's own limit of 10 s, and room to write the outcome."""
BUSY_PAUSE = timedelta(seconds=2)
"""When a delivery is looked at again whose receiver had enough deliveries in flight."""
KICK_STARTS = 4
"""So many deliveries to one webhook are queued by each turn of the clock; where one is taken, the others follow it. A
receiver that is down, slow or replayed to is asked so often, and its backlog is no burden to others."""
IN_A_ROW_S = 10.0
"""So long one task may go on with what else is due to its receiver."""
KEPT_LINES = 30
"""Lines of a delivery's log that are kept, the latest."""

GONE = 410
"""HTTP's word for "do not come again": it disables the webhook (Standard Webhooks 1.0)."""
PATIENCE = timedelta(days=5)
"""A webhook whose receiver has taken nothing for so long is disabled; longer than the whole plan of one delivery."""

MOST_RETOLD = 10_000
"""Entries of the feed that one call may have sent again."""
UNSENT = ("pending", "failed", "missing")

State = Literal["sent", "pending", "failed"]


class Answer(Protocol):
    """What a channel says of one attempt."""

    @property
    def status(self) -> int | None:
        """The HTTP status; None where nobody answered."""

    @property
    def retry_after_s(self) -> float | None:
        """How long the receiver asked us to wait."""

    def line(self) -> dict[str, Any]:
        """The attempt as the delivery log keeps it."""


class Lanes(Protocol):
    """How many deliveries may be on their way to one webhook at once, so that a slow one never holds the others up."""

    def enter(self, webhook_id: str) -> float | None:
        """Take a place: the ticket to leave it with; None where there is no place now."""

    def leave(self, webhook_id: str, ticket: float) -> None:
        """Give the place back."""


Post = Callable[["Webhook", str, "datetime", bytes], Answer]
"""Send a body to a webhook under a message id, signed as of an instant."""


def publish(
    session: Session,
    *,
    mode: str,
    shop_id: str,
    type: str,
    request_id: str | None,
    occurred_at: datetime,
    now: datetime,
    data: dict[str, Any],
) -> str:
    """Append one entry to a shop's feed and owe it to each of its webhooks that wants this type; the entry's id.

    `occurred_at` and `now` are instants of the caller's world (simulated for a test key); retries and leases of the
    deliveries go by the real clock.
    """
    entry_id = _append(session, mode, shop_id, type, request_id, occurred_at, now, data)
    real_now = session.wall_clock()
    for hook in session.notices.listeners(mode, shop_id):
        if wants(hook.types, type):
            _owe(session, hook, entry_id, real_now)
    return entry_id


def publish_many(
    session: Session,
    *,
    mode: str,
    shop_id: str,
    type: str,
    occurred_at: datetime,
    now: datetime,
    told: Sequence[tuple[str, dict[str, Any]]],
) -> None:
    """Append an entry of one type for each (request id, data) to a shop's feed, as `publish` does for one."""
    rows = [(session.new_id("evt"), request_id, data) for request_id, data in told]
    session.notices.add_feed_rows(mode, shop_id, type, rows, occurred_at, now)
    hooks = [hook for hook in session.notices.listeners(mode, shop_id) if wants(hook.types, type)]
    owed = [(session.new_id("dlv"), hook.id, entry_id) for entry_id, _, _ in rows for hook in hooks]
    real_now = session.wall_clock()
    session.notices.add_deliveries(owed, real_now)
    session.notices.enqueue_many("deliver", [{"delivery_id": delivery_id} for delivery_id, _, _ in owed], real_now)


def of_new(
    session: Session, request: Request, types: Sequence[str], now: datetime, data: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a shop is told of a request that is about to be kept: (entries of its feed, deliveries of them)."""
    hooks = session.notices.listeners(request.mode, request.shop_id)
    feed, owed = [], []
    for place, type in enumerate(types):
        entry_id = session.new_id("evt")
        feed.append(
            {
                "id": entry_id,
                "mode": request.mode,
                "shop_id": request.shop_id,
                "seq": place,
                "type": type,
                "request_id": request.id,
                "occurred_at": now,
                "recorded_at": now,
                "data": data,
            }
        )
        owed += [
            {"id": session.new_id("dlv"), "webhook_id": hook.id, "feed_id": entry_id}
            for hook in hooks
            if wants(hook.types, type)
        ]
    return feed, owed


def send_test(session: Session, hook: Webhook, now: datetime) -> str:
    """Owe one webhook a test message by the way every event goes, whatever types it asked for; the delivery's id."""
    entry_id = _append(session, hook.mode, hook.shop_id, TEST, None, now, now, {"webhook_id": hook.id})
    return _owe(session, hook, entry_id, session.wall_clock())


def _append(
    session: Session,
    mode: str,
    shop_id: str,
    type: str,
    request_id: str | None,
    occurred_at: datetime,
    now: datetime,
    data: dict[str, Any],
) -> str:
    entry_id = session.new_id("evt")
    session.notices.add_feed(
        id=entry_id,
        mode=mode,
        shop_id=shop_id,
        type=type,
        request_id=request_id,
        occurred_at=occurred_at,
        recorded_at=now,
        data=data,
    )
    return entry_id


def _owe(session: Session, hook: Webhook, entry_id: str, real_now: datetime) -> str:
    delivery_id = session.new_id("dlv")
    if session.notices.add_delivery(delivery_id, hook.id, entry_id, real_now):
        session.notices.enqueue("deliver", {"delivery_id": delivery_id}, real_now)
    return delivery_id


def body(entry: FeedEntry) -> dict[str, Any]:
    """A feed entry as the feed and the webhooks show it."""
    return {
        "id": entry.id,
        "type": entry.type,
        "seq": entry.seq,
        "occurred_at": local_text(entry.occurred_at),
        "recorded_at": local_text(entry.recorded_at),
        "livemode": entry.mode == "live",
        "shop_id": entry.shop_id,
        "data": entry.data,
    }


def next_step(
    attempt: int, status: int | None, retry_after_s: float | None, jitter: float
) -> tuple[State, float | None]:
    """What follows attempt number `attempt` (1 = the first): the delivery's state, and seconds until the next attempt.

    `status` is the HTTP status or None where nobody answered, `jitter` a number from -1 to 1. A receiver's
    Retry-After can only lengthen the pause, and by a day at most.
    """
    if status is not None and 200 <= status < 300:
        return "sent", None
    if status == GONE or attempt >= len(DELAYS_S):
        return "failed", None
    pause_s = DELAYS_S[attempt] * (1 + JITTER * max(-1.0, min(1.0, jitter)))
    return "pending", max(pause_s, min(retry_after_s or 0.0, LONGEST_RETRY_AFTER_S))


def deliver(store: Store, delivery_id: str, post: Post, lanes: Lanes, jitter: float) -> State | None:
    """Make one attempt at a delivery; its state afterwards, None where there was nothing to do now.

    Where the receiver took it, what else is due to it follows, for `IN_A_ROW_S` at most.

    Claim, send, settle: no transaction is open while the receiver thinks. A claim is a lease, so that an attempt
    whose process died is made again, and one that comes twice finds nothing to claim.
    """
    with store.begin() as session:
        known = session.notices.delivery(delivery_id)
    if known is None or known.state != "pending":
        return None
    state = _in_its_lane(store, known.webhook_id, delivery_id, post, lanes, jitter)
    latest, ends_s = state, time.monotonic() + IN_A_ROW_S
    while latest == "sent" and time.monotonic() < ends_s:  # after an outage or a replay there may be thousands more
        with store.begin() as session:
            following = session.receivers.next_due(known.webhook_id, session.wall_clock())
        if following is None:
            break
        latest = _in_its_lane(store, known.webhook_id, following, post, lanes, jitter)
    return state


def _in_its_lane(
    store: Store, webhook_id: str, delivery_id: str, post: Post, lanes: Lanes, jitter: float
) -> State | None:
    ticket = lanes.enter(webhook_id)
    if ticket is None:
        with store.begin() as session:
            session.notices.postpone_delivery(delivery_id, session.wall_clock() + BUSY_PAUSE)
        return "pending"
    try:
        return _attempt(store, delivery_id, post, jitter)
    finally:
        lanes.leave(webhook_id, ticket)


def _attempt(store: Store, delivery_id: str, post: Post, jitter: float) -> State | None:
    with store.begin() as session:
        at = session.wall_clock()
        claimed = session.notices.claim_delivery(delivery_id, at, at + LEASE)
        if claimed is None:
            return None
        hook = session.notices.webhook(claimed.webhook_id)
        entry = session.notices.feed_entry(claimed.feed_id)
        assert hook is not None and entry is not None, "a delivery's webhook and entry are held by foreign keys"
        if not hook.active:
            line = {"attempt": claimed.attempt, "at": local_text(at), "status": None, "error": "webhook_disabled"}
            _settle(session, claimed, "failed", None, line, at)
            return "failed"
    answer = post(hook, entry.id, at, json.dumps(body(entry), ensure_ascii=False, separators=(",", ":")).encode())
    state, pause_s = next_step(claimed.attempt, answer.status, answer.retry_after_s, jitter)
    with store.begin() as session:
        ended_at = session.wall_clock()
        line = {"attempt": claimed.attempt, "at": local_text(at), **answer.line()}
        settled = _settle(session, claimed, state, pause_s, line, ended_at)
    if settled and (state != "sent" or hook.failing_since is not None):
        # Apart: who deletes a webhook holds its row and then asks for those of its deliveries.
        with store.begin() as session:
            _note_health(session, hook, state, answer.status, ended_at)
    return state if settled else None


def _note_health(session: Session, hook: Webhook, state: State, status: int | None, at: datetime) -> None:
    """Keep since when a receiver takes nothing; stop calling it where it said so, or after days of that."""
    if state == "sent":
        session.receivers.note_success(hook.id)
        return
    session.receivers.note_failure(hook.id, hook.url, at)
    reason = "gone_410" if status == GONE else "failing_for_days"
    before = None if status == GONE else at - PATIENCE
    if session.receivers.disable(hook.id, hook.url, reason, at, failing_before=before):
        session.access.audit(hook.mode, at, "system", "webhook.disabled", hook.id, {"reason": reason})


def _settle(
    session: Session, claimed: Delivery, state: State, pause_s: float | None, line: dict[str, Any], at: datetime
) -> bool:
    return session.notices.settle_delivery(
        claimed,
        state=state,
        next_at=None if pause_s is None else at + timedelta(seconds=pause_s),
        log=[*claimed.log, line][-KEPT_LINES:],
        updated_at=at,
    )


def replay(session: Session, delivery_id: str) -> bool:
    """Owe a delivery once more, from its first attempt; False while an attempt at it is under way."""
    real_now = session.wall_clock()
    if not session.receivers.reopen([delivery_id], real_now, real_now):
        return False
    session.notices.enqueue("deliver", {"delivery_id": delivery_id}, real_now)
    return True


@dataclass(frozen=True)
class Retold:
    """What a range replay began: entries owed once more, left alone because an attempt is under way, and looked at.

    `next_seq` is where to go on; None where the range was done to its end.
    """

    replayed: int
    under_way: int
    next_seq: int | None


def retell(session: Session, hook: Webhook, span: Span, states: Sequence[str]) -> Retold:
    """Owe a webhook once more what it asks to hear of a stretch of its shop's feed, also what it was never owed."""
    session.notices.number(hook.mode, hook.shop_id)
    found = session.receivers.told(hook, span, states, MOST_RETOLD + 1)
    told, more = found[:MOST_RETOLD], found[MOST_RETOLD:]
    real_now = session.wall_clock()
    # The new ones first: they hold the webhook's row, as one who deletes it does before the rows of its deliveries.
    owed = [(session.new_id("dlv"), line.feed_id) for line in told if line.delivery_id is None]
    made = session.receivers.owe(hook.id, owed, real_now)
    known = [line.delivery_id for line in told if line.delivery_id is not None]
    reopened = session.receivers.reopen(known, real_now, None)
    return Retold(reopened + made, len(told) - reopened - made, more[0].seq if more else None)


def number_feeds(store: Store, limit: int) -> None:
    """Number the entries that nobody asks for, so that they do not pile up; each shop in a transaction of its own."""
    with store.begin() as session:
        waiting = session.notices.unnumbered(limit)
    for mode, shop_id in waiting:
        with store.begin() as session:
            session.notices.number(mode, shop_id)


def requeue(session: Session, lost_before: datetime, limit: int) -> int:
    """Enqueue the deliveries whose next attempt is due, and those queued before `lost_before` that nobody began."""
    at = session.wall_clock()
    due = session.notices.requeue_deliveries(at, lost_before, limit, each_due=KICK_STARTS)
    for delivery_id in due:
        session.notices.enqueue("deliver", {"delivery_id": delivery_id}, at)
    return len(due)
