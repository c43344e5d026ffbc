"""Every table of the service; PostgreSQL 18 with neither extensions nor ICU, so that any build of it serves.

`mode` ('live' | 'test') stands in every row that a key can reach: a key sees and makes only its own world.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Instant = TIMESTAMP(timezone=True)


def _mode() -> Column[str]:
    return Column("mode", Text, nullable=False)


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Instant, nullable=nullable)


item_serial_live = Sequence("item_serial_live", metadata=metadata, minvalue=0, start=1, maxvalue=99_999_999)
item_serial_test = Sequence("item_serial_test", metadata=metadata, minvalue=0, start=1, maxvalue=99_999_999, cycle=True)

# ---- who asks, who carries, where ------------------------------------------------------------------------------
shops = Table(
    "shops",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("province_code", Text, nullable=False),
    Column("commune_code", Text, nullable=False),
    Column("era", Text, nullable=False),
    Column("lat", Double, nullable=False),
    Column("lng", Double, nullable=False),
    Column("level", Text, nullable=False),
    Column("hours_profile", Text, nullable=False),
    Column("rooms", JSONB, nullable=False),
    Column("refuses_paper_from", Date),
    Column("feed_seq", BigInteger, nullable=False, server_default="0"),
    _at("created_at"),
    _at("updated_at"),
)
offices = Table(
    "offices",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("province_code", Text, nullable=False),
    Column("commune_code", Text, nullable=False),
    Column("era", Text, nullable=False),
    Column("lat", Double, nullable=False),
    Column("lng", Double, nullable=False),
    Column("hours_profile", Text, nullable=False),
    _at("created_at"),
    _at("updated_at"),
)
calendars = Table(
    "calendars",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("body", JSONB, nullable=False),
    _at("created_at"),
    _at("updated_at"),
)
couriers = Table(
    "couriers",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("pin_hash", Text, nullable=False),
    Column("home_office_id", Text, nullable=False),
    Column("skills", ARRAY(Text), nullable=False),
    Column("capacity_items", Integer, nullable=False),
    Column("vehicle", Text, nullable=False),
    Column("base_lat", Double, nullable=False),
    Column("base_lng", Double, nullable=False),
    Column("communes", JSONB, nullable=False),
    Column("wrong_pins", Integer, nullable=False, server_default="0"),
    _at("locked_until", nullable=True),
    Column("last_lat", Double),
    Column("last_lng", Double),
    _at("last_seen_at", nullable=True),
    _at("created_at"),
    _at("updated_at"),
    UniqueConstraint("mode", "phone"),
)
shifts = Table(
    "shifts",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("courier_id", Text, primary_key=True),
    Column("date", Date, primary_key=True),
    _at("starts_at"),
    _at("ends_at"),
    Column("start_lat", Double, nullable=False),
    Column("start_lng", Double, nullable=False),
    Column("breaks", JSONB, nullable=False),
    _at("updated_at"),
)

# ---- access ----------------------------------------------------------------------------------------------------
keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    _mode(),
    Column("scope", Text, nullable=False),
    Column("shop_id", Text),
    Column("courier_id", Text),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    _at("latest_at", nullable=True),
    _at("created_at"),
    _at("expires_at", nullable=True),
    _at("revoked_at", nullable=True),
    CheckConstraint("scope in ('shop','operator','courier')", name="scope"),
)
users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("wrong_passwords", Integer, nullable=False, server_default="0"),
    _at("locked_until", nullable=True),
    _at("created_at"),
)
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    _at("created_at"),
    _at("expires_at"),
)
idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", Text, nullable=False),
    _at("created_at"),
    Index(None, "created_at"),
)
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    _mode(),
    _at("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
)
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    _at("at"),
    Column("detail", JSONB, nullable=False),
)

# ---- what is asked and what happened to it -----------------------------------------------------------------------
requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    _mode(),
    Column("shop_id", Text, nullable=False),
    Column("external_ref", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("active_leg", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("address", JSONB, nullable=False),
    Column("zone", Text, nullable=False),
    Column("office_id", Text),
    Column("quote", JSONB, nullable=False),
    Column("return_mode", Text, nullable=False),
    Column("authority_due_on", Date),
    Column("warnings", JSONB, nullable=False),
    Column("tracking_token", Text, nullable=False),
    Column("version", Integer, nullable=False),
    _at("last_at"),
    _at("created_at"),
    _at("updated_at"),
    UniqueConstraint("mode", "shop_id", "kind", "external_ref"),
    Index(None, "mode", "created_at", "id"),
    Index(None, "mode", "shop_id", "created_at", "id"),
)
legs = Table(
    "legs",
    metadata,
    Column("request_id", Text, ForeignKey("requests.id"), primary_key=True),
    Column("leg", Text, primary_key=True),
    _mode(),
    Column("shop_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("substatus", Text),
    Column("asleep", Boolean, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("promise", JSONB, nullable=False),
    Column("promise_state", Text, nullable=False),
    _at("due_at", nullable=True),
    _at("next_check_at", nullable=True),
    Column("state", JSONB, nullable=False),
    Column("courier_id", Text),
    _at("planned_at", nullable=True),
    UniqueConstraint("mode", "item_id"),
    Index("ix_legs_sweep", "mode", "next_check_at", postgresql_where=text("next_check_at is not null")),
    Index("ix_legs_open", "mode", "closed", postgresql_where=text("not closed")),
)
events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _mode(),
    Column("request_id", Text, ForeignKey("requests.id"), nullable=False),
    Column("leg", Text, nullable=False),
    Column("type", Text, nullable=False),
    _at("occurred_at"),
    _at("recorded_at"),
    _at("device_at", nullable=True),
    Column("device_seq", BigInteger),
    Column("courier_id", Text),
    Column("actor", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("lat", Double),
    Column("lng", Double),
    Index(None, "request_id", "leg"),
)
scans = Table(
    "scans",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("courier_id", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("result", JSONB, nullable=False),
    _at("occurred_at"),
    _at("received_at"),
)
media = Table(
    "media",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("courier_id", Text, primary_key=True),
    Column("content_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    _at("created_at"),
)

# ---- telling others ------------------------------------------------------------------------------------------------
feed = Table(
    "feed",
    metadata,
    Column("id", Text, primary_key=True),
    _mode(),
    Column("shop_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("request_id", Text),
    _at("occurred_at"),
    _at("recorded_at"),
    Column("data", JSONB, nullable=False),
    UniqueConstraint("mode", "shop_id", "seq"),
)
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    _mode(),
    Column("shop_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("secret", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("disabled_reason", Text),
    _at("created_at"),
    _at("updated_at"),
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
    _at("next_at", nullable=True),
    _at("queued_at", nullable=True),
    _at("lease_until", nullable=True),
    Column("log", JSONB, nullable=False),
    _at("created_at"),
    _at("updated_at"),
    UniqueConstraint("webhook_id", "feed_id"),
    CheckConstraint("state in ('pending','sent','failed')", name="state"),
    Index("ix_deliveries_due", "next_at", postgresql_where=text("state = 'pending'")),
)
allowed_receivers = Table(  # explicit, expiring exceptions to the rule that webhooks never go to private addresses
    "allowed_receivers",
    metadata,
    Column("host", Text, primary_key=True),
    Column("port", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
    _at("until"),
)
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("task", Text, nullable=False),
    Column("args", JSONB, nullable=False),
    _at("created_at"),
    _at("sent_at", nullable=True),
    Index("ix_outbox_waiting", "id", postgresql_where=text("sent_at is null")),
)

# ---- planning and rounds -------------------------------------------------------------------------------------------
operations = Table(
    "operations",
    metadata,
    Column("id", Text, primary_key=True),
    _mode(),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("progress", Double, nullable=False),
    Column("params", JSONB, nullable=False),
    Column("result", JSONB),
    Column("error", JSONB),
    _at("lease_until", nullable=True),
    _at("created_at"),
    _at("updated_at"),
    CheckConstraint("status in ('queued','running','succeeded','failed','cancelled')", name="status"),
)
areas = Table(
    "areas",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("area", Text, primary_key=True),
    Column("date", Date, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("planning_operation_id", Text),
    _at("planning_until", nullable=True),
)
plans = Table(
    "plans",
    metadata,
    Column("id", Text, primary_key=True),
    _mode(),
    Column("area", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("base_version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    _at("planned_for_at"),
    _at("created_at"),
    _at("updated_at"),
    CheckConstraint("status in ('draft','committed','discarded')", name="status"),
    Index(None, "mode", "date", "status"),
)
rounds = Table(
    "rounds",
    metadata,
    Column("id", Text, primary_key=True),
    _mode(),
    Column("courier_id", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("distance_m", BigInteger, nullable=False),
    _at("created_at"),
    _at("updated_at"),
    UniqueConstraint("mode", "courier_id", "date"),
)
tasks = Table(
    "tasks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("round_id", Text, ForeignKey("rounds.id"), nullable=False),
    Column("request_id", Text, nullable=False),
    Column("leg", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stop_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("place", JSONB, nullable=False),
    _at("planned_at"),
    Column("leg_m", Integer, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    _at("created_at"),
    _at("closed_at", nullable=True),
    ForeignKeyConstraint(["request_id", "leg"], ["legs.request_id", "legs.leg"]),
    CheckConstraint("kind in ('pickup','delivery')", name="kind"),
    CheckConstraint("state in ('open','done','failed','withdrawn')", name="state"),
    # One open task per dossier, leg and end: nobody is ever sent twice to the same door.
    Index("uq_tasks_open", "request_id", "leg", "kind", unique=True, postgresql_where=text("state = 'open'")),
    Index(None, "round_id", "position"),
    Index(None, "stop_id"),
)
