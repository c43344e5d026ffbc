"""Forecasts: what was foretold of each promise, and when."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
ALTER TABLE legs
    ADD COLUMN predicted JSONB,
    ADD COLUMN in_danger BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN forecast_due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
    """,
    """
CREATE INDEX ix_legs_forecast ON legs (mode, forecast_due_at)
WHERE not asleep and status in ('REQUESTED','DISPATCHED','ASSIGNED','PICKUP_FAILED')
    """,
    """
CREATE TABLE forecasts (
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    mode TEXT NOT NULL,
    request_id TEXT NOT NULL,
    leg TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT NOT NULL,
    courier_id TEXT,
    planned_at TIMESTAMP WITH TIME ZONE,
    p50 TIMESTAMP WITH TIME ZONE,
    p90 TIMESTAMP WITH TIME ZONE,
    breach_probability DOUBLE PRECISION,
    causes JSONB NOT NULL,
    model TEXT NOT NULL,
    CONSTRAINT pk_forecasts PRIMARY KEY (seq),
    CONSTRAINT fk_forecasts_request_id_leg FOREIGN KEY(request_id, leg) REFERENCES legs (request_id, leg)
)
    """,
    "CREATE INDEX ix_forecasts_request_id_leg ON forecasts (request_id, leg)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop what this version made."""
    op.execute("DROP TABLE forecasts")
    op.execute("DROP INDEX ix_legs_forecast")
    op.execute("ALTER TABLE legs DROP COLUMN forecast_due_at, DROP COLUMN in_danger, DROP COLUMN predicted")
