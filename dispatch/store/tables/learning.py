"""Tables of learning: whole simulations, what stops were seen to be, where doors are, and what follows from it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from dispatch.store.tables.base import at, metadata, mode

simulations = Table(  # whole results; the operation itself keeps the short one
    "simulations",
    metadata,
    Column("operation_id", Text, ForeignKey("operations.id"), primary_key=True),
    mode(),
    Column("body", JSONB, nullable=False),
    at("created_at"),
    Index(None, "created_at"),
)
observations = Table(  # one row for each finished stop, also where it taught nothing, so that it is looked at once
    "observations",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("stop_id", Text, primary_key=True),
    Column("courier_id", Text, nullable=False),
    at("finished_at"),
    Column("site", Text, nullable=False),
    Column("site_id", Text),
    Column("area", Text, nullable=False),
    Column("from_area", Text),
    Column("province", Text, nullable=False),
    Column("band", Integer, nullable=False),
    Column("items", Integer, nullable=False),
    Column("ride_s", Integer),
    Column("ride_planned_s", Integer),
    Column("service_s", Integer),
    Column("service_planned_s", Integer),
    Column("off_s", Integer),
    at("created_at"),
    Index(None, "mode", "finished_at"),
)
estimates = Table(  # what the observations come to, made anew as a whole
    "estimates",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("median", Double, nullable=False),
    Column("deviation", Double, nullable=False),
)
models = Table(
    "models",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("observations", BigInteger, nullable=False),
    at("made_at"),
)
door_fixes = Table(  # where successful door stops were scanned, under a hash of the written address
    "door_fixes",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("stop_id", Text, primary_key=True),
    Column("lat", Double, nullable=False),
    Column("lng", Double, nullable=False),
    at("seen_at"),
    Index(None, "seen_at"),
)
