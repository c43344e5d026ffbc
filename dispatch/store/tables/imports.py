"""Tables of imports over HTTP: the file while it waits, what became of its rows, and what was taken in before."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from dispatch.store.tables.base import at, metadata

import_chunks = Table(  # the file as it came, until the import has ended
    "import_chunks",
    metadata,
    Column("operation_id", Text, ForeignKey("operations.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    at("created_at"),
)
import_rows = Table(  # personal data: rows go after a month
    "import_rows",
    metadata,
    Column("operation_id", Text, ForeignKey("operations.id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("status", Text, nullable=False),
    Column("shop_id", Text),
    Column("reference", Text),
    Column("print", Text),
    Column("request_id", Text),
    Column("errors", JSONB, nullable=False),
    Column("told", JSONB, nullable=False),
    Column("cells", JSONB, nullable=False),
    at("created_at"),
    CheckConstraint("status in ('created','duplicate','error')", name="status"),
    Index(None, "operation_id", "shop_id", "reference"),
    Index(None, "created_at"),
)
import_prints = Table(  # fingerprints of rows taken in, so that the same row is never taken twice
    "import_prints",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("shop_id", Text, primary_key=True),
    Column("print", Text, primary_key=True),
    Column("request_id", Text, ForeignKey("requests.id"), nullable=False),
    at("created_at"),
)
