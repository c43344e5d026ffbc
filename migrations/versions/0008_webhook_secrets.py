"""Webhooks: two live secrets, since when a receiver fails, its delivery log in pages."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CHANGES = (
    "ALTER TABLE webhooks ADD COLUMN previous_secret TEXT",
    "ALTER TABLE webhooks ADD COLUMN previous_secret_until TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE webhooks ADD COLUMN failing_since TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE webhooks ADD COLUMN disabled_at TIMESTAMP WITH TIME ZONE",
    "CREATE INDEX ix_deliveries_webhook_id_created_at_id ON deliveries (webhook_id, created_at, id)",
    "CREATE INDEX ix_deliveries_pending ON deliveries (webhook_id, next_at) WHERE state = 'pending'",
)


def upgrade() -> None:
    """Go forward."""
    for statement in CHANGES:
        op.execute(statement)
    op.execute("UPDATE webhooks SET disabled_at = updated_at WHERE NOT active")


def downgrade() -> None:
    """Go back."""
    op.execute("DROP INDEX ix_deliveries_pending")
    op.execute("DROP INDEX ix_deliveries_webhook_id_created_at_id")
    op.execute(
        "ALTER TABLE webhooks DROP COLUMN disabled_at, DROP COLUMN failing_since, "
        "DROP COLUMN previous_secret_until, DROP COLUMN previous_secret"
    )
