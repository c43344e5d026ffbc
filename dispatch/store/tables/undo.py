"""The table of what may be taken back."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from dispatch.store.tables.base import at, metadata, mode

undos = Table(
    "undos",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    mode(),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    at("made_at"),
    at("undone_at", nullable=True),
    CheckConstraint("kind in ('assign','unassign','rescue','commit','discard')", name="kind"),
    Index(None, "mode", "actor", "id"),
)
