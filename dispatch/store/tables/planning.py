"""Tables of planning: operations, areas, plans, rounds, tasks."""

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
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from dispatch.store.tables.base import at, metadata, mode

operations = Table(
    "operations",
    metadata,
    Column("id", Text, primary_key=True),
    mode(),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("progress", Double, nullable=False),
    Column("params", JSONB, nullable=False),
    Column("result", JSONB),
    Column("error", JSONB),
    at("lease_until", nullable=True),
    at("stop_asked_at", nullable=True),
    at("created_at"),
    at("updated_at"),
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
    at("planning_until", nullable=True),
)
live_marks = Table(
    "live_marks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    mode(),
    Column("area", Text, nullable=False),
    Column("date", Date, nullable=False),
    at("as_of_at"),
    at("created_at"),
    # Rows are only added and taken away, so that no event waits for another's transaction.
    Index(None, "mode", "area", "date"),
)
plans = Table(
    "plans",
    metadata,
    Column("id", Text, primary_key=True),
    mode(),
    Column("area", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("base_version", Integer, nullable=False),
    Column("live", Boolean, nullable=False, server_default="false"),
    Column("body", JSONB, nullable=False),
    at("planned_for_at"),
    at("created_at"),
    at("updated_at"),
    CheckConstraint("status in ('draft','committed','discarded')", name="status"),
    Index(None, "mode", "date", "status"),
)
rounds = Table(
    "rounds",
    metadata,
    Column("id", Text, primary_key=True),
    mode(),
    Column("courier_id", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("distance_m", BigInteger, nullable=False),
    at("created_at"),
    at("updated_at"),
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
    at("planned_at"),
    Column("leg_m", Integer, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    at("created_at"),
    at("closed_at", nullable=True),
    ForeignKeyConstraint(["request_id", "leg"], ["legs.request_id", "legs.leg"]),
    CheckConstraint("kind in ('pickup','delivery')", name="kind"),
    CheckConstraint("state in ('open','done','failed','withdrawn')", name="state"),
    # One open task per dossier, leg and end: nobody is ever sent twice to the same door.
    Index("uq_tasks_open", "request_id", "leg", "kind", unique=True, postgresql_where=text("state = 'open'")),
    Index(None, "round_id", "position"),
    Index(None, "stop_id"),
    Index("ix_tasks_ended", "closed_at", postgresql_where=text("state in ('done','failed')")),
)
