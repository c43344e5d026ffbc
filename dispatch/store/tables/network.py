"""Tables of the network and of access: shops, offices, couriers, keys, users, answers."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from dispatch.store.tables.base import at, metadata, mode

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
    at("created_at"),
    at("updated_at"),
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
    at("created_at"),
    at("updated_at"),
)
calendars = Table(
    "calendars",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("weeks", JSONB, nullable=False),
    at("created_at"),
    at("updated_at"),
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
    at("locked_until", nullable=True),
    Column("last_lat", Double),
    Column("last_lng", Double),
    at("last_seen_at", nullable=True),
    at("created_at"),
    at("updated_at"),
    UniqueConstraint("mode", "phone"),
)
shifts = Table(
    "shifts",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("courier_id", Text, primary_key=True),
    Column("date", Date, primary_key=True),
    at("starts_at"),
    at("ends_at"),
    Column("start_lat", Double, nullable=False),
    Column("start_lng", Double, nullable=False),
    Column("breaks", JSONB, nullable=False),
    at("updated_at"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    mode(),
    Column("scope", Text, nullable=False),
    Column("shop_id", Text),
    Column("courier_id", Text),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    at("latest_at", nullable=True),
    at("created_at"),
    at("expires_at", nullable=True),
    at("revoked_at", nullable=True),
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
    at("locked_until", nullable=True),
    at("created_at"),
)
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    at("created_at"),
    at("expires_at"),
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
    at("created_at"),
    Index(None, "created_at"),
)
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    mode(),
    at("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
)
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    at("at"),
    Column("detail", JSONB, nullable=False),
)
