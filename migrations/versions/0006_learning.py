"""Learning: what rides, stops and doors were seen to be."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE simulations (
    operation_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    body JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_simulations PRIMARY KEY (operation_id),
    CONSTRAINT fk_simulations_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id)
)
    """,
    "CREATE INDEX ix_simulations_created_at ON simulations (created_at)",
    """
CREATE TABLE observations (
    mode TEXT NOT NULL,
    stop_id TEXT NOT NULL,
    courier_id TEXT NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
    site TEXT NOT NULL,
    site_id TEXT,
    area TEXT NOT NULL,
    from_area TEXT,
    province TEXT NOT NULL,
    band INTEGER NOT NULL,
    items INTEGER NOT NULL,
    ride_s INTEGER,
    ride_planned_s INTEGER,
    service_s INTEGER,
    service_planned_s INTEGER,
    off_s INTEGER,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_observations PRIMARY KEY (mode, stop_id)
)
    """,
    "CREATE INDEX ix_observations_mode_finished_at ON observations (mode, finished_at)",
    """
CREATE TABLE estimates (
    mode TEXT NOT NULL,
    what TEXT NOT NULL,
    key TEXT NOT NULL,
    count INTEGER NOT NULL,
    median DOUBLE PRECISION NOT NULL,
    deviation DOUBLE PRECISION NOT NULL,
    CONSTRAINT pk_estimates PRIMARY KEY (mode, what, key)
)
    """,
    """
CREATE TABLE models (
    mode TEXT NOT NULL,
    version TEXT NOT NULL,
    observations BIGINT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_models PRIMARY KEY (mode)
)
    """,
    """
CREATE TABLE door_fixes (
    mode TEXT NOT NULL,
    key TEXT NOT NULL,
    stop_id TEXT NOT NULL,
    lat DOUBLE PRECISION NOT NULL,
    lng DOUBLE PRECISION NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_door_fixes PRIMARY KEY (mode, key, stop_id)
)
    """,
    "CREATE INDEX ix_door_fixes_seen_at ON door_fixes (seen_at)",
    # Finished stops by when they ended, and what a courier scanned in an hour.
    "CREATE INDEX ix_tasks_ended ON tasks (closed_at) WHERE state IN ('done', 'failed')",
    "CREATE INDEX ix_scans_mode_courier_id_occurred_at ON scans (mode, courier_id, occurred_at)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop what this version made."""
    op.execute("DROP INDEX ix_scans_mode_courier_id_occurred_at")
    op.execute("DROP INDEX ix_tasks_ended")
    for name in ("door_fixes", "models", "estimates", "observations", "simulations"):
        op.execute(f"DROP TABLE {name}")
