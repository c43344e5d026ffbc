"""The network is read once per change of it; the entries of a feed are numbered when they are asked for."""

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
    "ALTER TABLE feed ALTER COLUMN seq DROP NOT NULL",
    "ALTER TABLE feed ADD COLUMN place BIGINT GENERATED ALWAYS AS IDENTITY",
    "CREATE INDEX ix_feed_unnumbered ON feed (mode, shop_id) WHERE seq is null",
    "INSERT INTO network_version (one, version) VALUES (true, pg_current_xact_id()::text::bigint)",
)

NUMBER_ALL = """
WITH fresh AS (
    SELECT feed.id, shops.mode, shops.id AS shop_id,
        shops.feed_seq + row_number() OVER (PARTITION BY shops.mode, shops.id ORDER BY feed.place) AS seq
    FROM feed JOIN shops ON shops.mode = feed.mode AND shops.id = feed.shop_id WHERE feed.seq IS NULL),
numbered AS (UPDATE feed SET seq = fresh.seq FROM fresh WHERE feed.id = fresh.id),
last AS (SELECT mode, shop_id, max(seq) AS seq FROM fresh GROUP BY mode, shop_id)
UPDATE shops SET feed_seq = last.seq FROM last WHERE shops.mode = last.mode AND shops.id = last.shop_id
"""


def upgrade() -> None:
    """Make the version and what moves it; let entries wait for their number."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop what this version made."""
    op.execute(NUMBER_ALL)
    op.execute("ALTER TABLE feed DROP COLUMN place")
    op.execute("DROP INDEX ix_feed_unnumbered")
    op.execute("ALTER TABLE feed ALTER COLUMN seq SET NOT NULL")
    for table in (*PARTLY, *SELDOM_CHANGED):
        op.execute(f"DROP TRIGGER network_changed ON {table}")
    for table in PARTLY:
        op.execute(f"DROP TRIGGER network_changed_part ON {table}")
    op.execute("DROP FUNCTION network_changed")
    op.execute("DROP TABLE network_version")
