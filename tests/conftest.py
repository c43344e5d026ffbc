"""What tests share: real PostgreSQL and Valkey, a migrated database for each test process, a steady hypothesis.

Every test process (pytest-xdist's `gw0`, `gw1`, …) starts its own two servers, which takes about a second. Where
DISPATCH_DATABASE_URL or DISPATCH_REDIS_URL is set, that server is used instead: only databases named `test_…` are
made and dropped in it, and Redis databases 8 and up are emptied.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from psycopg import sql

from dispatch.embedded.place import server_user
from dispatch.embedded.ports import free_port
from dispatch.embedded.postgres import Postgres
from dispatch.embedded.programs import Programs, installed, runnable
from dispatch.embedded.valkey import Valkey, ask

hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("steady")

# A developer's own settings must not decide what a test sees.
_GIVEN = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("DISPATCH_")}
_TEST_PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "gw0")


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A directory that the servers' user may enter; pytest's own lie under one that only we may."""
    path = Path(tempfile.mkdtemp(prefix="dieu-tin-tests-", dir="/var/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def programs(ground: Path) -> Programs:
    """The wheels' server programs, where the servers' user may run them."""
    return runnable(installed(), server_user(), ground / "programs")


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """A PostgreSQL server for this test process: gives the address of a database by its name."""
    given = _GIVEN.get("DISPATCH_DATABASE_URL")
    if given:
        yield lambda name: urlsplit(given)._replace(path=f"/{name}").geturl()
        return
    ground, programs = request.getfixturevalue("ground"), request.getfixturevalue("programs")
    server = Postgres(
        *(programs, ground / "postgres", free_port(), secrets.token_hex(8), server_user()),
        log=ground / "postgres.log",
        durable=False,
    )
    server.prepare()
    child = server.start()
    yield server.url
    child.stop()


@contextlib.contextmanager
def _database(postgres: Callable[[str], str], name: str, template: str) -> Iterator[str]:
    with psycopg.connect(postgres("postgres"), autocommit=True) as admin:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        admin.execute(drop)
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        yield postgres(name)
        admin.execute(drop)


@pytest.fixture(scope="session")
def migrated_template(postgres: Callable[[str], str]) -> Iterator[str]:
    """The name of an empty database at the newest migration, to copy from; nobody may stay connected to it."""
    from dispatch.bootstrap import upgrade  # here, so that the tests of a library need not load the whole service

    name = f"test_{_TEST_PROCESS}_template"
    with _database(postgres, name, "template0") as url:
        upgrade(url)
        yield name


@pytest.fixture(scope="session")
def database_url(postgres: Callable[[str], str], migrated_template: str) -> Iterator[str]:
    """The database of this test process, at the newest migration; what earlier tests wrote is still in it."""
    with _database(postgres, f"test_{_TEST_PROCESS}", migrated_template) as url:
        yield url


@pytest.fixture
def clean_database(database_url: str) -> str:
    """The database of this test process with every table empty (but the note of the migration)."""
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'alembic_version'"
        ).fetchall()
        if tables:
            names = sql.SQL(", ").join(sql.Identifier(*table) for table in tables)
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
    return database_url


@pytest.fixture
def fresh_database(postgres: Callable[[str], str], migrated_template: str) -> Iterator[str]:
    """A database of the test's own, at the newest migration, dropped afterwards (about 0.1 s)."""
    with _database(postgres, f"test_{_TEST_PROCESS}_{secrets.token_hex(4)}", migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(postgres: Callable[[str], str], migrated_template: str) -> Iterator[str]:
    """A database that the tests of one file share, at the newest migration, dropped afterwards."""
    with _database(postgres, f"test_{_TEST_PROCESS}_{secrets.token_hex(4)}", migrated_template) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a Valkey database for this test process; what earlier tests left is still in it."""
    given = _GIVEN.get("DISPATCH_REDIS_URL")
    if given:
        number = 8 + int(_TEST_PROCESS.removeprefix("gw"))
        yield urlsplit(given)._replace(path=f"/{number}").geturl()
        return
    ground, programs = request.getfixturevalue("ground"), request.getfixturevalue("programs")
    server = Valkey(
        *(programs, ground / "valkey", free_port(), secrets.token_hex(8), server_user()),
        log=ground / "valkey.log",
    )
    server.prepare()
    child = server.start()
    yield server.url
    child.stop()


@pytest.fixture
def clean_queue(redis_url: str) -> str:
    """The Valkey database of this test process, emptied."""
    ask(redis_url, "FLUSHDB")
    return redis_url
