"""Tables of money and of what goes wrong: ledger, shift closings, complaints."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, ForeignKey, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from dispatch.store.tables.base import at, metadata, mode

ledger = Table(  # append-only: a wrong entry is taken back by one with the opposite sign
    "ledger",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    mode(),
    Column("request_id", Text, ForeignKey("requests.id")),
    Column("leg", Text),
    Column("book", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    at("occurred_at"),
    at("recorded_at"),
    Column("event_id", Text, nullable=False),
    Column("method", Text),
    Column("receipt_no", Text),
    Column("courier_id", Text),
    Column("shift_date", Date),
    Column("actor", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    CheckConstraint("book in ('POSTAGE','STATE_FEE','COMPENSATION')", name="book"),
    Index("uq_ledger_event", "event_id", "book", "kind", unique=True),
    Index(None, "request_id"),
    Index(None, "mode", "courier_id", "shift_date"),
)
shift_closings = Table(
    "shift_closings",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("courier_id", Text, primary_key=True),
    Column("date", Date, primary_key=True),
    Column("cash", JSONB, nullable=False),
    Column("explanation", Text, nullable=False, server_default=""),
    Column("closed_by", Text, nullable=False),
    at("closed_at"),
)
complaints = Table(
    "complaints",
    metadata,
    Column("id", Text, primary_key=True),
    mode(),
    Column("request_id", Text, ForeignKey("requests.id"), nullable=False),
    Column("leg", Text, nullable=False),
    Column("kind", Text, nullable=False),
    at("lodged_at"),
    Column("answer_due_on", Date, nullable=False),
    Column("minimum_compensation", BigInteger, nullable=False),
    Column("refund", BigInteger, nullable=False),
    Column("admissible", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    at("created_at"),
    Index(None, "request_id"),
)
