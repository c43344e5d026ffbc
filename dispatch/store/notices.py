"""Telling others: the ordered feed, webhooks, their deliveries, and the outbox to the queue."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatch.store import tables as t
from dispatch.store.rows import Delivery, FeedEntry, Webhook, record
from dispatch.store.seldom import Seldom

_ADD_FEED_ROWS = text(
    """
    insert into feed (id, mode, shop_id, type, request_id, occurred_at, recorded_at, data)
    select v.id, :mode, :shop_id, :type, v.request_id, :occurred_at, :recorded_at, v.data
    from jsonb_to_recordset(cast(:rows as jsonb)) as v (id text, place bigint, request_id text, data jsonb)
    order by v.place
    """
)
_FEED_END = text(
    """
    select shops.feed_seq as last, exists (
        select from feed where mode = :mode and shop_id = :shop_id and seq is null) as waiting
    from shops where mode = :mode and id = :shop_id
    """
)
_HOLD_FEED = text("select feed_seq from shops where mode = :mode and id = :shop_id for no key update")
_NUMBER = text(
    """
    with fresh as (
        select id, row_number() over (order by place) as ahead
        from feed where mode = :mode and shop_id = :shop_id and seq is null),
    numbered as (update feed set seq = :last + fresh.ahead from fresh where feed.id = fresh.id returning 1)
    select count(*) from numbered
    """
)
_KEEP_FEED_END = text("update shops set feed_seq = :last where mode = :mode and id = :shop_id")

_ADD_DELIVERY = text(
    """
    insert into deliveries (id, webhook_id, feed_id, state, attempt, next_at, queued_at, log, created_at, updated_at)
    select :id, w.id, :feed_id, 'pending', 0, :at, case when w.failing_since is null then cast(:at as timestamptz) end,
        '[]', :at, :at
    from webhooks w where w.id = :webhook_id
    on conflict (webhook_id, feed_id) do nothing
    returning queued_at
    """
)


def of_types(column: ColumnElement[str], types: Sequence[str]) -> ColumnElement[bool]:
    """The condition that a type is among `types`, as `news.wants` decides it."""
    if "*" in types:
        return true()
    families = [name[:-1] for name in types if name.endswith(".*")]
    return or_(column.in_(types), *(column.startswith(family, autoescape=True) for family in families))


class Notices:
    """Feed, webhooks, deliveries and outbox."""

    def __init__(self, connection: Connection, seldom: Seldom) -> None:
        self._c = connection
        self._seldom = seldom

    # the feed
    def number(self, mode: str, shop_id: str) -> int:
        """Number what was appended to a shop's feed and committed since anybody last asked; the last number.

        Numbers have no gaps, and what has none yet gets a higher one than any that was ever shown: who has read up to
        a number misses nothing by going on from there. The shop's row is held only while there is something to number.
        """
        named = {"mode": mode, "shop_id": shop_id}
        found = self._c.execute(_FEED_END, named).one()
        if not found.waiting:
            return int(found.last)
        last = int(self._c.execute(_HOLD_FEED, named).scalar_one())
        # A statement of its own: it sees what others have numbered while this one waited for the shop's row.
        count = int(self._c.execute(_NUMBER, {**named, "last": last}).scalar_one())
        self._c.execute(_KEEP_FEED_END, {**named, "last": last + count})
        return last + count

    def unnumbered(self, limit: int) -> list[tuple[str, str]]:
        """(mode, shop) with entries that nobody has asked for yet."""
        c = t.feed.c
        rows = self._c.execute(select(c.mode, c.shop_id).where(c.seq.is_(None)).distinct().limit(limit))
        return [(row.mode, row.shop_id) for row in rows]

    def add_feed(self, **values: Any) -> None:
        """Append one entry to the feed of its shop."""
        self._c.execute(insert(t.feed).values(**values))

    def add_feed_rows(
        self,
        mode: str,
        shop_id: str,
        type: str,
        rows: Sequence[tuple[str, str, dict[str, Any]]],
        occurred_at: datetime,
        recorded_at: datetime,
    ) -> None:
        """Append many entries of one type to a shop's feed, in this order: (entry id, request id, data)."""
        if rows:
            self._c.execute(
                _ADD_FEED_ROWS,
                {
                    "mode": mode,
                    "shop_id": shop_id,
                    "type": type,
                    "occurred_at": occurred_at,
                    "recorded_at": recorded_at,
                    "rows": to_json(
                        [
                            {"id": entry_id, "place": place, "request_id": request_id, "data": data}
                            for place, (entry_id, request_id, data) in enumerate(rows)
                        ]
                    ).decode(),
                },
            )

    def feed_after(
        self,
        mode: str,
        shop_id: str,
        after: int,
        limit: int,
        *,
        until: int | None = None,
        types: Sequence[str] = ("*",),
    ) -> list[FeedEntry]:
        """The entries of a shop's feed with a number above `after` and at most `until`, those of some types only."""
        c = t.feed.c
        end = self.number(mode, shop_id) if until is None else until
        query = select(t.feed).where(c.mode == mode, c.shop_id == shop_id, c.seq > after, c.seq <= end)
        query = query.where(of_types(c.type, types)).order_by(c.seq).limit(limit)
        return [record(FeedEntry, row) for row in self._c.execute(query)]

    def feed_entry(self, feed_id: str) -> FeedEntry | None:
        """One entry of the feed."""
        return self.feed_entries([feed_id]).get(feed_id)

    def feed_entries(self, feed_ids: Collection[str]) -> dict[str, FeedEntry]:
        """Entries of the feed by id."""
        query = select(t.feed).where(t.feed.c.id.in_(feed_ids))
        rows = self._c.execute(query).all()
        waiting = {(row.mode, row.shop_id) for row in rows if row.seq is None}
        for mode, shop_id in sorted(waiting):
            self.number(mode, shop_id)
        if waiting:
            rows = self._c.execute(query).all()
        return {row.id: record(FeedEntry, row) for row in rows}

    # webhooks
    def add_webhook(self, **values: Any) -> None:
        """Register a webhook."""
        self._c.execute(insert(t.webhooks).values(**values))
        self._seldom.changed()

    def webhook(self, webhook_id: str) -> Webhook | None:
        """A webhook by id."""
        row = self._c.execute(select(t.webhooks).where(t.webhooks.c.id == webhook_id)).first()
        return None if row is None else record(Webhook, row)

    def listeners(self, mode: str, shop_id: str) -> Sequence[Webhook]:
        """The active webhooks of a shop: whom its events are owed to."""

        def load() -> Sequence[Webhook]:
            return tuple(self.webhooks(mode, shop_id, active_only=True))

        return self._seldom.read(("listeners", mode, shop_id), load)

    def webhooks(
        self,
        mode: str,
        shop_id: str | None,
        *,
        active_only: bool = False,
        after: str | None = None,
        limit: int | None = None,
    ) -> list[Webhook]:
        """The webhooks of a shop, or of all shops of one world, in the order they were made; a page where asked."""
        c = t.webhooks.c
        query = select(t.webhooks).where(c.mode == mode).order_by(c.created_at, c.id).limit(limit)
        if shop_id is not None:
            query = query.where(c.shop_id == shop_id)
        if active_only:
            query = query.where(c.active)
        if after is not None:
            last = select(c.created_at, c.id).where(c.mode == mode, c.id == after).scalar_subquery()
            query = query.where(tuple_(c.created_at, c.id) > last)
        return [record(Webhook, row) for row in self._c.execute(query)]

    def change_webhook(self, webhook_id: str, **values: Any) -> None:
        """Write columns of a webhook."""
        self._c.execute(update(t.webhooks).where(t.webhooks.c.id == webhook_id).values(**values))
        self._seldom.changed()

    def drop_webhook(self, webhook_id: str) -> None:
        """Remove a webhook and its deliveries."""
        self._c.execute(delete(t.webhooks).where(t.webhooks.c.id == webhook_id))
        self._seldom.changed()

    def allow_receiver(self, host: str, port: int, reason: str, until: datetime) -> None:
        """Let webhooks go to one private address until an instant."""
        changing = {"reason": reason, "until": until}
        row = upsert(t.allowed_receivers).values(host=host, port=port, **changing)
        self._c.execute(row.on_conflict_do_update(index_elements=["host", "port"], set_=changing))

    def receiver_allowed(self, host: str, port: int, at: datetime) -> bool:
        """Whether the machine's owner lets webhooks go to this private address now."""
        c = t.allowed_receivers.c
        found = self._c.execute(select(c.host).where(c.host == host, c.port == port, c.until > at)).first()
        return found is not None

    # deliveries
    def add_delivery(self, delivery_id: str, webhook_id: str, feed_id: str, at: datetime) -> bool:
        """Owe one feed entry to one webhook, now; whether it wants a task at once: where its receiver fails the clock
        queues it, behind what waits there already.
        """
        owed = {"id": delivery_id, "webhook_id": webhook_id, "feed_id": feed_id, "at": at}
        return self._c.execute(_ADD_DELIVERY, owed).scalar_one_or_none() is not None

    def add_deliveries(self, rows: Sequence[tuple[str, str, str]], at: datetime) -> None:
        """Owe many entries at once, now: (delivery id, webhook id, feed id) each; all are new and have a task."""
        if rows:
            same = {"state": "pending", "attempt": 0, "next_at": at, "queued_at": at, "log": []}
            same |= {"created_at": at, "updated_at": at}
            names = ("id", "webhook_id", "feed_id")
            self._c.execute(insert(t.deliveries), [{**same, **dict(zip(names, row, strict=True))} for row in rows])

    def claim_delivery(self, delivery_id: str, at: datetime, lease_until: datetime) -> Delivery | None:
        """Take a delivery that is due and nobody else holds; None where it is done, early or taken."""
        c = t.deliveries.c
        change = (
            update(t.deliveries)
            .where(
                c.id == delivery_id,
                c.state == "pending",
                c.next_at <= at,
                or_(c.lease_until.is_(None), c.lease_until < at),
            )
            .values(lease_until=lease_until, attempt=c.attempt + 1, updated_at=at)
            .returning(t.deliveries)
        )
        row = self._c.execute(change).first()
        return None if row is None else record(Delivery, row)

    def postpone_delivery(self, delivery_id: str, until: datetime) -> None:
        """Put off a delivery that nobody has claimed, without counting an attempt."""
        c = t.deliveries.c
        self._c.execute(
            update(t.deliveries)
            .where(c.id == delivery_id, c.state == "pending", c.lease_until.is_(None))
            .values(next_at=until, queued_at=None)
        )

    def settle_delivery(self, claimed: Delivery, **values: Any) -> bool:
        """Write how a claimed attempt ended; False where its lease had run out and another took the delivery."""
        c = t.deliveries.c
        change = (
            update(t.deliveries)
            .where(c.id == claimed.id, c.attempt == claimed.attempt, c.lease_until == claimed.lease_until)
            .values(lease_until=None, queued_at=None, **values)
        )
        return self._c.execute(change).rowcount == 1

    def deliveries(
        self, webhook_id: str, limit: int, *, after: str | None = None, state: str | None = None
    ) -> list[Delivery]:
        """A page of the deliveries of a webhook, in the order they were owed."""
        c = t.deliveries.c
        query = select(t.deliveries).where(c.webhook_id == webhook_id).order_by(c.created_at, c.id).limit(limit)
        if state is not None:
            query = query.where(c.state == state)
        if after is not None:
            last = select(c.created_at, c.id).where(c.webhook_id == webhook_id, c.id == after).scalar_subquery()
            query = query.where(tuple_(c.created_at, c.id) > last)
        return [record(Delivery, row) for row in self._c.execute(query)]

    def delivery(self, delivery_id: str) -> Delivery | None:
        """A delivery by id."""
        row = self._c.execute(select(t.deliveries).where(t.deliveries.c.id == delivery_id)).first()
        return None if row is None else record(Delivery, row)

    def requeue_deliveries(
        self, at: datetime, lost_before: datetime, limit: int, each: int = 100, each_due: int = 100
    ) -> list[str]:
        """Take the deliveries that are due and have no task: retries whose time came, and tasks queued before
        `lost_before` that nobody began (a queue that lost them). Marks them queued at `at`.

        At most `each` lost ones and `each_due` others of one webhook, so that the backlog of one receiver never
        crowds out the others.
        """
        c = t.deliveries.c
        due = and_(
            c.state == "pending",
            c.next_at <= at,
            or_(c.lease_until.is_(None), c.lease_until < at),
            or_(c.queued_at.is_(None), c.queued_at < lost_before),
        )
        new = c.queued_at.is_(None)
        turn = func.row_number().over(partition_by=[c.webhook_id, new], order_by=(c.next_at, c.id)).label("turn")
        most = case((new, each_due), else_=each).label("most")
        ranked = select(c.id, c.next_at, turn, most).where(due).subquery()
        mine = ranked.c.turn <= ranked.c.most
        first = select(ranked.c.id).where(mine).order_by(ranked.c.turn, ranked.c.next_at).limit(limit)
        free = select(c.id).where(c.id.in_(first), due).with_for_update(skip_locked=True)
        change = update(t.deliveries).where(c.id.in_(free)).values(queued_at=at).returning(c.id)
        return [row.id for row in self._c.execute(change)]

    # the outbox
    def enqueue(self, task: str, args: dict[str, Any], at: datetime) -> None:
        """Put a task on the outbox; the relay hands it to the queue once this transaction has committed."""
        self._c.execute(insert(t.outbox).values(task=task, args=args, created_at=at))
        self._c.execute(text("select pg_notify('outbox', '')"))

    def enqueue_many(self, task: str, args: Sequence[Mapping[str, Any]], at: datetime) -> None:
        """Put many tasks of one name on the outbox."""
        if args:
            self._c.execute(insert(t.outbox), [{"task": task, "args": dict(each), "created_at": at} for each in args])
            self._c.execute(text("select pg_notify('outbox', '')"))

    def waiting(self, limit: int) -> list[tuple[int, str, dict[str, Any]]]:
        """The oldest tasks not yet handed over, held by this transaction; other relays skip them."""
        c = t.outbox.c
        rows = self._c.execute(
            select(c.id, c.task, c.args)
            .where(c.sent_at.is_(None))
            .order_by(c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [(row.id, row.task, row.args) for row in rows]

    def mark_sent(self, ids: list[int], at: datetime) -> None:
        """Note that tasks were handed to the queue."""
        self._c.execute(update(t.outbox).where(t.outbox.c.id.in_(ids)).values(sent_at=at))

    def forget_sent(self, before: datetime) -> int:
        """Drop outbox rows handed over before an instant; how many went."""
        return self._c.execute(delete(t.outbox).where(t.outbox.c.sent_at < before)).rowcount

    def backlog(self) -> tuple[int, datetime | None]:
        """How many tasks wait, and since when the oldest does."""
        row = self._c.execute(
            select(func.count(), func.min(t.outbox.c.created_at)).where(t.outbox.c.sent_at.is_(None))
        ).one()
        return int(row[0]), row[1]
