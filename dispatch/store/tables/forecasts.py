"""The table of what was foretold."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKeyConstraint, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from dispatch.store.tables.base import at, metadata, mode

forecasts = Table(
    "forecasts",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    mode(),
    Column("request_id", Text, nullable=False),
    Column("leg", Text, nullable=False),
    at("made_at"),
    Column("state", Text, nullable=False),
    Column("courier_id", Text),
    at("planned_at", nullable=True),
    at("p50", nullable=True),
    at("p90", nullable=True),
    Column("breach_probability", Double),
    Column("causes", JSONB, nullable=False),
    Column("model", Text, nullable=False),
    ForeignKeyConstraint(["request_id", "leg"], ["legs.request_id", "legs.leg"]),
    Index(None, "request_id", "leg"),
)
