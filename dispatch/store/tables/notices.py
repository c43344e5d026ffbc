"""Tables of telling others: feed, webhooks, deliveries, outbox."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from dispatch.store.tables.base import at, metadata, mode

feed = Table(
    "feed",
    metadata,
    Column("id", Text, primary_key=True),
    mode(),
    Column("shop_id", Text, nullable=False),
    # Given when the entry is first asked for: numbering as it is written would make a shop's events wait in line.
    Column("seq", BigInteger),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    Column("type", Text, nullable=False),
    Column("request_id", Text),
    at("occurred_at"),
    at("recorded_at"),
    Column("data", JSONB, nullable=False),
    UniqueConstraint("mode", "shop_id", "seq"),
    Index("ix_feed_unnumbered", "mode", "shop_id", postgresql_where=text("seq is null")),
)
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    mode(),
    Column("shop_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("secret", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("disabled_reason", Text),
    at("created_at"),
    at("updated_at"),
    Column("previous_secret", Text),  # signs beside the new one until `previous_secret_until`
    at("previous_secret_until", nullable=True),
    at("failing_since", nullable=True),  # the first failure after the last success
    at("disabled_at", nullable=True),
    Index(None, "mode", "shop_id"),
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("webhook_id", Text, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("feed_id", Text, ForeignKey("feed.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    at("next_at", nullable=True),
    at("queued_at", nullable=True),
    at("lease_until", nullable=True),
    Column("log", JSONB, nullable=False),
    at("created_at"),
    at("updated_at"),
    UniqueConstraint("webhook_id", "feed_id"),
    CheckConstraint("state in ('pending','sent','failed')", name="state"),
    Index("ix_deliveries_due", "next_at", postgresql_where=text("state = 'pending'")),
    Index("ix_deliveries_pending", "webhook_id", "next_at", postgresql_where=text("state = 'pending'")),
    Index(None, "webhook_id", "created_at", "id"),
)
allowed_receivers = Table(  # explicit, expiring exceptions to the rule that webhooks never go to private addresses
    "allowed_receivers",
    metadata,
    Column("host", Text, primary_key=True),
    Column("port", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
    at("until"),
)
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("task", Text, nullable=False),
    Column("args", JSONB, nullable=False),
    at("created_at"),
    at("sent_at", nullable=True),
    Index("ix_outbox_waiting", "id", postgresql_where=text("sent_at is null")),
)
