"""Every table of the service; PostgreSQL 18 with neither extensions nor ICU, so that any build of it serves.

`mode` ('live' | 'test') stands in every row that a key can reach: a key sees and makes only its own world.
"""

from dispatch.store.tables.base import metadata
from dispatch.store.tables.consignments import events, item_serial_live, item_serial_test, legs, media, requests, scans
from dispatch.store.tables.forecasts import forecasts
from dispatch.store.tables.imports import import_chunks, import_prints, import_rows
from dispatch.store.tables.learning import door_fixes, estimates, models, observations, simulations
from dispatch.store.tables.money import complaints, ledger, shift_closings
from dispatch.store.tables.network import (
    audit,
    calendars,
    couriers,
    heartbeats,
    idempotency,
    keys,
    network_version,
    offices,
    shifts,
    shops,
    sign_ins,
    users,
)
from dispatch.store.tables.notices import allowed_receivers, deliveries, feed, outbox, webhooks
from dispatch.store.tables.places import (
    appointments,
    commune_settings,
    overrides,
    points,
    trainings,
    unit_links,
    units,
)
from dispatch.store.tables.planning import areas, live_marks, operations, plans, rounds, tasks
from dispatch.store.tables.undo import undos

__all__ = [
    "allowed_receivers",
    "appointments",
    "areas",
    "audit",
    "calendars",
    "commune_settings",
    "complaints",
    "couriers",
    "deliveries",
    "door_fixes",
    "estimates",
    "events",
    "feed",
    "forecasts",
    "heartbeats",
    "idempotency",
    "import_chunks",
    "import_prints",
    "import_rows",
    "item_serial_live",
    "item_serial_test",
    "keys",
    "ledger",
    "legs",
    "live_marks",
    "media",
    "metadata",
    "models",
    "network_version",
    "observations",
    "offices",
    "operations",
    "outbox",
    "overrides",
    "plans",
    "points",
    "requests",
    "rounds",
    "scans",
    "shift_closings",
    "shifts",
    "shops",
    "sign_ins",
    "simulations",
    "tasks",
    "trainings",
    "undos",
    "unit_links",
    "units",
    "users",
    "webhooks",
]
