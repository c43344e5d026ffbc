"""The network is read once: a version that moves with every change of what changes seldom."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SELDOM_CHANGED = ("offices", "calendars", "shifts", "overrides", "commune_settings")
PARTLY = {
    "shops": "name, province_code, commune_code, era, lat, lng, level, hours_profile, rooms, refuses_paper_from",
    "webhooks": "url, types, active",
}
STATEMENTS = (
    """
CREATE TABLE network_version (
    one BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_network_version PRIMARY KEY (one),
    CONSTRAINT ck_network_version_one CHECK (one)
)
    """,
    # The number of the changing transaction: another for every change, also after the table was emptied.
    """
CREATE FUNCTION network_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO network_version (one, version) VALUES (true, pg_current_xact_id()::text::bigint)
    ON CONFLICT (one) DO UPDATE SET version = excluded.version;
    RETURN NULL;
END $$
    """,
    *(
        f"CREATE TRIGGER network_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION network_changed()"
        for table in SELDOM_CHANGED
    ),
    # What moves with every request or every answer of a receiver is no part of what is kept.
    *(
        f"CREATE TRIGGER network_changed_part AFTER UPDATE OF {columns} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION network_changed()"
        for table, columns in PARTLY.items()
    ),
    *(
        f"CREATE TRIGGER network_changed AFTER INSERT OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION network_changed()"
        for table in PARTLY
    ),
    "INSERT INTO network_version (one, version) VALUES (true, pg_current_xact_id()::text::bigint)",
)


def upgrade() -> None:
    """Make the version and what moves it."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop what this version made."""
    for table in (*PARTLY, *SELDOM_CHANGED):
        op.execute(f"DROP TRIGGER network_changed ON {table}")
    for table in PARTLY:
        op.execute(f"DROP TRIGGER network_changed_part ON {table}")
    op.execute("DROP FUNCTION network_changed")
    op.execute("DROP TABLE network_version")
