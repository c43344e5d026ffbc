"""Live planning: what waits to be planned again, settings of offices and couriers."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHANGES = (
    """
CREATE TABLE live_marks (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    mode TEXT NOT NULL,
    area TEXT NOT NULL,
    date DATE NOT NULL,
    as_of_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_live_marks PRIMARY KEY (id)
)
    """,
    "CREATE INDEX ix_live_marks_mode_area_date ON live_marks (mode, area, date)",
    "ALTER TABLE operations ADD COLUMN stop_asked_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE plans ADD COLUMN live BOOLEAN DEFAULT 'false' NOT NULL",
    "ALTER TABLE offices ADD COLUMN live TEXT DEFAULT 'off' NOT NULL",
    "ALTER TABLE offices ADD CONSTRAINT ck_offices_live CHECK (live in ('off','propose','commit'))",
    "ALTER TABLE couriers ADD COLUMN max_distance_m INTEGER",
    "ALTER TABLE couriers ADD COLUMN rest_minutes INTEGER",
)


def upgrade() -> None:
    """Make the table and the columns."""
    for statement in CHANGES:
        op.execute(statement)


def downgrade() -> None:
    """Drop what this version made."""
    op.execute("ALTER TABLE couriers DROP COLUMN rest_minutes, DROP COLUMN max_distance_m")
    op.execute("ALTER TABLE offices DROP COLUMN live")
    op.execute("ALTER TABLE plans DROP COLUMN live")
    op.execute("ALTER TABLE operations DROP COLUMN stop_asked_at")
    op.execute("DROP TABLE live_marks")
