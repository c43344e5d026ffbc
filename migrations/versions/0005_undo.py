"""Undo: what each bulk action or commit changed, for as long as it may be taken back."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Drop what this version made."""
