"""Tables of places and sites: imported units, commune settings, points, shop overrides, appointments, trainings."""

from __future__ import annotations

from sqlalchemy import Column, Date, Double, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from dispatch.store.tables.base import at, metadata, mode

units = Table(  # communes as the official table gives them; empty = the packaged table holds
    "units",
    metadata,
    Column("era", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("province_code", Text, nullable=False),
    Column("province_name", Text, nullable=False),
    Column("district_code", Text),
    Column("district_name", Text),
    Column("lat", Double),
    Column("lng", Double),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("source", Text, nullable=False),
)
unit_links = Table(
    "unit_links",
    metadata,
    Column("old_code", Text, primary_key=True),
    Column("new_code", Text, primary_key=True),
    Column("extent", Text, nullable=False),
    Column("source", Text, nullable=False),
)
commune_settings = Table(
    "commune_settings",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("era", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("service_days", ARRAY(Text), nullable=False),
    Column("area_class", Text),
    Column("terrain", Text),
    at("created_at"),
    at("updated_at"),
)
points = Table(
    "points",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("commune_code", Text, nullable=False),
    Column("era", Text, nullable=False),
    Column("area_class", Text),
    Column("hours_profile", Text, nullable=False),
    Column("active_from", Date),
    Column("active_to", Date),
    at("created_at"),
    at("updated_at"),
)
overrides = Table(  # HG-10: a rule's parameters at one shop, with reason and author
    "overrides",
    metadata,
    Column("mode", Text, primary_key=True),
    Column("shop_id", Text, primary_key=True),
    Column("rule_id", Text, primary_key=True),
    Column("params", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    at("created_at"),
    at("updated_at"),
)
appointments = Table(
    "appointments",
    metadata,
    Column("id", Text, primary_key=True),
    mode(),
    Column("shop_id", Text, nullable=False),
    Column("room_id", Text, nullable=False),
    at("starts_at"),
    at("ends_at"),
    Column("people", Integer, nullable=False),
    at("created_at"),
    Index(None, "mode", "shop_id", "room_id", "starts_at"),
)
trainings = Table(
    "trainings",
    metadata,
    Column("id", Text, primary_key=True),
    mode(),
    Column("teller_id", Text, nullable=False),
    Column("teller_name", Text, nullable=False),
    Column("office_id", Text),
    Column("topic", Text, nullable=False),
    Column("held_on", Date, nullable=False),
    at("created_at"),
    Index(None, "mode", "held_on"),
)
