"""At which migration a database is, told by psycopg alone: a start that has nothing to do loads nothing more."""

from __future__ import annotations

from pathlib import Path

import psycopg

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def newest_version() -> str:
    """The newest migration's number: files are named `NNNN_what.py`."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def version_of(database_url: str) -> str | None:
    """The migration a database is at; None for an empty one. Raises psycopg.OperationalError where it is away."""
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        if connection.execute("select to_regclass('alembic_version')").fetchone() == (None,):
            return None
        found = connection.execute("select version_num from alembic_version").fetchone()
        return None if found is None else str(found[0])


def is_settled(database_url: str) -> bool:
    """Whether the schema is the newest and somebody can sign in: `migrate` would find nothing to do."""
    try:
        if version_of(database_url) != newest_version():
            return False
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            return connection.execute("select exists (select from users)").fetchone() == (True,)
    except psycopg.Error:
        return False
