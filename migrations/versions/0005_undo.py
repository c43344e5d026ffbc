"""Undo: what each bulk action or commit changed, for as long as it may be taken back."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE undos (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    mode TEXT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    body JSONB NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_undos PRIMARY KEY (id),
    CONSTRAINT ck_undos_kind CHECK (kind in ('assign','unassign','rescue','commit','discard'))
)
    """,
    "CREATE INDEX ix_undos_mode_actor_id ON undos (mode, actor, id)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop what this version made."""
    op.execute("DROP TABLE undos")
