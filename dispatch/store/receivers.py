"""The receivers of webhooks: their secrets, how long they have failed, and what of a shop's feed they were told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, Connection, Text, and_, any_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatch.domain.news import TEST
from dispatch.store import tables as t
from dispatch.store.notices import of_types
from dispatch.store.rows import Webhook, record


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a shop's feed, both ends included; None is open."""

    from_seq: int | None = None
    to_seq: int | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One feed entry and the delivery that carries it to a webhook; None where it was never owed to it."""

    seq: int
    feed_id: str
    delivery_id: str | None


class Receivers:
    """Secrets, health and history of webhooks."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    # secrets
    def rotate_secret(self, webhook_id: str, secret: str, old_until: datetime, at: datetime) -> None:
        """Give a webhook a new secret; the one it had signs beside it until an instant, an older one no more."""
        c = t.webhooks.c
        self._c.execute(
            update(t.webhooks)
            .where(c.id == webhook_id)
            .values(previous_secret=c.secret, previous_secret_until=old_until, secret=secret, updated_at=at)
        )

    def forget_secrets(self, at: datetime) -> None:
        """Drop the old secrets whose time is over."""
        c = t.webhooks.c
        self._c.execute(
            update(t.webhooks)
            .where(c.previous_secret_until <= at)
            .values(previous_secret=None, previous_secret_until=None)
        )

    # health
    def note_success(self, webhook_id: str) -> None:
        """The receiver took a message: it fails no longer."""
        c = t.webhooks.c
        self._c.execute(
            update(t.webhooks).where(c.id == webhook_id, c.failing_since.is_not(None)).values(failing_since=None)
        )

    def note_failure(self, webhook_id: str, url: str, at: datetime) -> None:
        """The receiver at this address did not take a message; kept is since when it has taken none."""
        c = t.webhooks.c
        self._c.execute(
            update(t.webhooks)
            .where(c.id == webhook_id, c.url == url, c.failing_since.is_(None))
            .values(failing_since=at)
        )

    def disable(
        self, webhook_id: str, url: str, reason: str, at: datetime, *, failing_before: datetime | None = None
    ) -> bool:
        """Stop calling a webhook, unless it was given another address meanwhile; whether this call did it.

        With `failing_before` only where it has taken nothing since before that instant.
        """
        c = t.webhooks.c
        change = update(t.webhooks).where(c.id == webhook_id, c.url == url, c.active)
        if failing_before is not None:
            change = change.where(c.failing_since <= failing_before)
        change = change.values(active=False, disabled_reason=reason, disabled_at=at, updated_at=at)
        return self._c.execute(change).rowcount == 1

    def troubled(self, mode: str, failing_before: datetime) -> list[Webhook]:
        """The webhooks that were switched off for their receiver's sake, or have taken nothing since an instant."""
        c = t.webhooks.c
        off = and_(~c.active, c.disabled_reason != "by_hand")
        long = and_(c.active, c.failing_since <= failing_before)
        query = select(t.webhooks).where(c.mode == mode, or_(off, long)).order_by(c.created_at, c.id)
        return [record(Webhook, row) for row in self._c.execute(query)]

    # history
    def told(self, hook: Webhook, span: Span, states: Sequence[str], limit: int) -> list[Told]:
        """What a webhook asked to hear in a stretch of its shop's feed, where its delivery is in one of `states`
        (`missing`: there is none), in the order of the feed. Test messages are not news and never missing.
        """
        f, d = t.feed.c, t.deliveries.c
        carried = t.feed.outerjoin(t.deliveries, and_(d.feed_id == f.id, d.webhook_id == hook.id))
        query = select(f.seq, f.id, d.id.label("delivery_id")).select_from(carried)
        query = query.where(
            f.mode == hook.mode, f.shop_id == hook.shop_id, f.type != TEST, of_types(f.type, hook.types)
        )
        query = query.where(func.coalesce(d.state, "missing").in_(states))
        for column, first, last in ((f.seq, span.from_seq, span.to_seq), (f.recorded_at, span.from_at, span.to_at)):
            query = query if first is None else query.where(column >= first)
            query = query if last is None else query.where(column <= last)
        rows = self._c.execute(query.order_by(f.seq).limit(limit))
        return [Told(row.seq, row.id, row.delivery_id) for row in rows]

    def reopen(self, delivery_ids: Sequence[str], at: datetime, queued_at: datetime | None) -> int:
        """Owe deliveries once more, each from its first attempt; how many: those under way are left alone.

        Those without `queued_at` are queued by the clock a few at a time, and go on from one to the next where the
        receiver is well, so that thousands of one webhook never crowd out the others.
        """
        c = t.deliveries.c
        free = or_(c.lease_until.is_(None), c.lease_until < at)
        change = update(t.deliveries).where(c.id == any_(literal(list(delivery_ids), ARRAY(Text))), free)
        again = {"state": "pending", "attempt": 0, "next_at": at, "queued_at": queued_at, "lease_until": None}
        return self._c.execute(change.values(**again, updated_at=at)).rowcount

    def next_due(self, webhook_id: str, at: datetime) -> str | None:
        """Take the next delivery to a webhook that is due and has no task yet; marks it queued. None where all have."""
        c = t.deliveries.c
        due = and_(c.webhook_id == webhook_id, c.state == "pending", c.next_at <= at, c.queued_at.is_(None))
        free = or_(c.lease_until.is_(None), c.lease_until < at)
        first = select(c.id).where(due, free).order_by(c.next_at, c.id).limit(1).with_for_update(skip_locked=True)
        change = update(t.deliveries).where(c.id == first.scalar_subquery()).values(queued_at=at)
        found: str | None = self._c.execute(change.returning(c.id)).scalar_one_or_none()
        return found

    def owe(self, webhook_id: str, owed: Sequence[tuple[str, str]], at: datetime) -> int:
        """Owe a webhook feed entries that it was never owed: (delivery id, feed id) each; how many were new."""
        if not owed:
            return 0
        row = {"webhook_id": webhook_id, "state": "pending", "attempt": 0, "log": []}
        row |= {"next_at": at, "queued_at": None, "created_at": at, "updated_at": at}
        rows = [{**row, "id": delivery_id, "feed_id": feed_id} for delivery_id, feed_id in owed]
        made = upsert(t.deliveries).on_conflict_do_nothing(index_elements=["webhook_id", "feed_id"])
        return len(self._c.execute(made.returning(t.deliveries.c.id), rows).all())
