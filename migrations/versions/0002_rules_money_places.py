"""Rules, money and places: ledger, complaints, points, overrides, appointments, imported units; charges on legs."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE ledger (
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    mode TEXT NOT NULL,
    request_id TEXT,
    leg TEXT,
    book TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    event_id TEXT NOT NULL,
    method TEXT,
    receipt_no TEXT,
    courier_id TEXT,
    shift_date DATE,
    actor TEXT NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_ledger PRIMARY KEY (seq),
    CONSTRAINT ck_ledger_book CHECK (book in ('POSTAGE','STATE_FEE','COMPENSATION')),
    CONSTRAINT fk_ledger_request_id FOREIGN KEY(request_id) REFERENCES requests (id)
)
    """,
    """
CREATE TABLE shift_closings (
    mode TEXT NOT NULL,
    courier_id TEXT NOT NULL,
    date DATE NOT NULL,
    cash JSONB NOT NULL,
    explanation TEXT DEFAULT '' NOT NULL,
    closed_by TEXT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_shift_closings PRIMARY KEY (mode, courier_id, date)
)
    """,
    """
CREATE TABLE complaints (
    id TEXT NOT NULL,
    mode TEXT NOT NULL,
    request_id TEXT NOT NULL,
    leg TEXT NOT NULL,
    kind TEXT NOT NULL,
    lodged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answer_due_on DATE NOT NULL,
    minimum_compensation BIGINT NOT NULL,
    refund BIGINT NOT NULL,
    admissible BOOLEAN NOT NULL,
    actor TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_complaints PRIMARY KEY (id),
    CONSTRAINT fk_complaints_request_id FOREIGN KEY(request_id) REFERENCES requests (id)
)
    """,
    """
CREATE TABLE units (
    era TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    province_code TEXT NOT NULL,
    province_name TEXT NOT NULL,
    district_code TEXT,
    district_name TEXT,
    lat DOUBLE PRECISION,
    lng DOUBLE PRECISION,
    valid_from DATE,
    valid_to DATE,
    source TEXT NOT NULL,
    CONSTRAINT pk_units PRIMARY KEY (era, code)
)
    """,
    """
CREATE TABLE unit_links (
    old_code TEXT NOT NULL,
    new_code TEXT NOT NULL,
    extent TEXT NOT NULL,
    source TEXT NOT NULL,
    CONSTRAINT pk_unit_links PRIMARY KEY (old_code, new_code)
)
    """,
    """
CREATE TABLE commune_settings (
    mode TEXT NOT NULL,
    era TEXT NOT NULL,
    code TEXT NOT NULL,
    service_days TEXT[] NOT NULL,
    area_class TEXT,
    terrain TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_commune_settings PRIMARY KEY (mode, era, code)
)
    """,
    """
CREATE TABLE points (
    mode TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    commune_code TEXT NOT NULL,
    era TEXT NOT NULL,
    area_class TEXT,
    hours_profile TEXT NOT NULL,
    active_from DATE,
    active_to DATE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_points PRIMARY KEY (mode, id)
)
    """,
    """
CREATE TABLE overrides (
    mode TEXT NOT NULL,
    shop_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    params JSONB NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_overrides PRIMARY KEY (mode, shop_id, rule_id)
)
    """,
    """
CREATE TABLE appointments (
    id TEXT NOT NULL,
    mode TEXT NOT NULL,
    shop_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    people INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_appointments PRIMARY KEY (id)
)
    """,
    """
CREATE TABLE trainings (
    id TEXT NOT NULL,
    mode TEXT NOT NULL,
    teller_id TEXT NOT NULL,
    teller_name TEXT NOT NULL,
    office_id TEXT,
    topic TEXT NOT NULL,
    held_on DATE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_trainings PRIMARY KEY (id)
)
    """,
)

INDEXES = (
    "CREATE INDEX ix_ledger_mode_courier_id_shift_date ON ledger (mode, courier_id, shift_date)",
    "CREATE INDEX ix_ledger_request_id ON ledger (request_id)",
    "CREATE UNIQUE INDEX uq_ledger_event ON ledger (event_id, book, kind)",
    "CREATE INDEX ix_complaints_request_id ON complaints (request_id)",
    "CREATE INDEX ix_appointments_mode_shop_id_room_id_starts_at ON appointments (mode, shop_id, room_id, starts_at)",
    "CREATE INDEX ix_trainings_mode_held_on ON trainings (mode, held_on)",
)

CHANGES = (
    "ALTER TABLE requests ADD COLUMN shop_province TEXT",
    "ALTER TABLE requests ADD COLUMN citizen_province TEXT",
    "ALTER TABLE requests ADD COLUMN between_major_cities BOOLEAN DEFAULT 'false' NOT NULL",
    "ALTER TABLE legs ADD COLUMN accepting_province TEXT",
    "ALTER TABLE legs ADD COLUMN charged_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE calendars ADD COLUMN weeks JSONB",
    "UPDATE calendars SET weeks = jsonb_build_array(body)",
    "ALTER TABLE calendars ALTER COLUMN weeks SET NOT NULL",
    "ALTER TABLE calendars DROP COLUMN body",
    "CREATE INDEX ix_legs_charged ON legs (mode, accepting_province, charged_at) WHERE charged_at is not null",
)

# What earlier requests knew: a return leg's promise names the shop's province, a pickup leg's the citizen's.
FILLED_IN = (
    """
UPDATE legs SET accepting_province = promise ->> 'province_code'
    """,
    """
UPDATE legs SET charged_at = charged.first_at
FROM (
    SELECT request_id, leg, min(occurred_at) AS first_at FROM events
    WHERE type IN ('collected', 'cash_taken') GROUP BY request_id, leg
) AS charged
WHERE legs.request_id = charged.request_id AND legs.leg = charged.leg AND legs.status NOT IN ('REQUESTED', 'DISPATCHED')
    """,
    """
UPDATE requests SET shop_province = legs.accepting_province
FROM legs WHERE legs.request_id = requests.id AND legs.leg = 'return'
    """,
    """
UPDATE requests SET citizen_province = legs.accepting_province
FROM legs WHERE legs.request_id = requests.id AND legs.leg = 'pickup'
    """,
    """
UPDATE requests SET shop_province = citizen_province WHERE shop_province IS NULL
    """,
    """
UPDATE requests SET quote = quote || jsonb_build_object('charges', charges.by_leg)
FROM (
    SELECT legs.request_id, jsonb_object_agg(legs.leg, jsonb_build_object(
        'at', requests.created_at, 'known_at', requests.created_at, 'fixed', legs.charged_at IS NOT NULL,
        'policy_version', '', 'reasons', requests.quote -> 'reasons')) AS by_leg
    FROM legs JOIN requests ON requests.id = legs.request_id GROUP BY legs.request_id
) AS charges
WHERE requests.id = charges.request_id
    """,
)


def upgrade() -> None:
    """Go forward."""
    for statement in (*TABLES, *INDEXES, *CHANGES, *FILLED_IN):
        op.execute(statement)


def downgrade() -> None:
    """Go back."""
    op.execute("DROP INDEX ix_legs_charged")
    op.execute("ALTER TABLE calendars ADD COLUMN body JSONB")
    op.execute("UPDATE calendars SET body = weeks -> -1")
    op.execute("ALTER TABLE calendars ALTER COLUMN body SET NOT NULL")
    op.execute("ALTER TABLE calendars DROP COLUMN weeks")
    op.execute("ALTER TABLE legs DROP COLUMN charged_at, DROP COLUMN accepting_province")
    op.execute(
        "ALTER TABLE requests DROP COLUMN shop_province, DROP COLUMN citizen_province, DROP COLUMN between_major_cities"
    )
    for name in (
        *("trainings", "appointments", "overrides", "points", "commune_settings", "unit_links", "units"),
        *("complaints", "shift_closings", "ledger"),
    ):
        op.execute(f"DROP TABLE {name}")
