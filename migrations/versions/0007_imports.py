"""Imports: files taken in over HTTP, row by row."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE import_chunks (
    operation_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    content BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_import_chunks PRIMARY KEY (operation_id, number),
    CONSTRAINT fk_import_chunks_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id)
)
    """,
    """
CREATE TABLE import_rows (
    operation_id TEXT NOT NULL,
    row INTEGER NOT NULL,
    status TEXT NOT NULL,
    shop_id TEXT,
    reference TEXT,
    print TEXT,
    request_id TEXT,
    errors JSONB NOT NULL,
    told JSONB NOT NULL,
    cells JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_import_rows PRIMARY KEY (operation_id, row),
    CONSTRAINT ck_import_rows_status CHECK (status in ('created','duplicate','error')),
    CONSTRAINT fk_import_rows_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id)
)
    """,
    """
CREATE INDEX ix_import_rows_operation_id_shop_id_reference ON import_rows (operation_id, shop_id, reference)
    """,
    "CREATE INDEX ix_import_rows_created_at ON import_rows (created_at)",
    """
CREATE TABLE import_prints (
    mode TEXT NOT NULL,
    shop_id TEXT NOT NULL,
    print TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_import_prints PRIMARY KEY (mode, shop_id, print),
    CONSTRAINT fk_import_prints_request_id FOREIGN KEY(request_id) REFERENCES requests (id)
)
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop what this version made."""
    for table in ("import_prints", "import_rows", "import_chunks"):
        op.execute(f"DROP TABLE {table}")
