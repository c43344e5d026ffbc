"""PostgreSQL and Valkey from the wheels: what was written survives, strangers stay out, faults are said."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from dispatch.embedded.place import StartError, server_user
from dispatch.embedded.ports import free_port
from dispatch.embedded.postgres import Postgres
from dispatch.embedded.process import Child
from dispatch.embedded.programs import Programs
from dispatch.embedded.valkey import Valkey, ask
from tests.embedded.waiting import eventually


@pytest.fixture(scope="module")
def cluster(ground: Path, programs: Programs) -> Postgres:
    """A cluster as `make run` makes it, fsync included; not running."""
    server = Postgres(
        programs, ground / "cluster", free_port(), "right-word", server_user(), log=ground / "cluster.log"
    )
    server.prepare()
    return server


@pytest.fixture
def running(cluster: Postgres) -> Iterator[Child]:
    cluster.prepare()
    child = cluster.start()
    yield child
    child.stop()


@pytest.fixture
def queue(ground: Path, programs: Programs) -> Iterator[Valkey]:
    """A Valkey directory as `make run` makes it; not running."""
    directory = ground / "queue"
    yield Valkey(programs, directory, free_port(), "right-word", server_user(), log=ground / "queue.log")
    shutil.rmtree(directory, ignore_errors=True)


def test_rows_are_still_there_after_a_kill_of_the_database_and_a_start_on_the_same_port(cluster, running):
    cluster.make_database("kept")
    with psycopg.connect(cluster.url("kept")) as connection:
        connection.execute("CREATE TABLE word AS SELECT 'Đặng Thị Hường' AS word")
    os.kill(running.pid, signal.SIGKILL)
    assert running.clear_away() == -signal.SIGKILL

    def again() -> Child | None:
        # Right after a kill the old backends may still hold the shared memory; the tree then tries again, as here.
        try:
            return cluster.start()
        except StartError:
            return None

    second = eventually(again)
    try:
        with psycopg.connect(cluster.url("kept")) as connection:
            assert connection.execute("SELECT word FROM word").fetchall() == [("Đặng Thị Hường",)]
    finally:
        assert second.stop() == 0


def test_the_database_is_18_and_knows_vietnamese_letters_and_sortable_ids(cluster, running):
    with psycopg.connect(cluster.url("postgres")) as connection:
        version, lower, upper, first, second = connection.execute(
            "SELECT current_setting('server_version_num')::int, lower('ĐƯỄ'), upper('đưễ'), uuidv7(), uuidv7()"
        ).fetchone()
    assert version // 10_000 == 18
    assert (lower, upper) == ("đưễ", "ĐƯỄ")
    assert first < second


def test_the_database_lets_nobody_in_without_the_password(cluster, running):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(replace(cluster, password="wrong-word").url("postgres"))
    with psycopg.connect(cluster.url("postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)


def test_a_lock_file_whose_number_now_belongs_to_a_stranger_does_not_block_the_start(cluster):
    lock = cluster.directory / "postmaster.pid"
    lock.write_text(f"{os.getppid()}\n{cluster.directory}\n")
    if user := server_user():
        os.chown(lock, user.uid, user.gid)
    cluster.prepare()
    child = cluster.start()
    assert child.stop() == 0


def test_variables_meant_for_other_databases_do_not_bend_ours(cluster, monkeypatch):
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGUSER": "nobody", "PGSSLMODE": "require"}.items():
        monkeypatch.setenv(name, value)
    cluster.prepare()
    child = cluster.start()
    assert child.stop() == 0


def test_a_database_that_cannot_have_its_port_says_so(cluster):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StartError, match=r"(?s)postgres ended at once\..*could not bind"):
            replace(cluster, port=taken.getsockname()[1], log=cluster.log.with_name("busy.log")).start()


def test_an_interrupted_first_start_is_made_good_by_the_next(ground, programs):
    server = Postgres(programs, ground / "torn", free_port(), "word", server_user(), durable=False)
    (ground / "torn.new" / "base").mkdir(parents=True)
    server.prepare()
    assert (server.directory / "PG_VERSION").read_text().strip() == "18"
    assert not (ground / "torn.new").exists()


def test_data_of_another_version_or_of_another_program_are_left_alone(ground, programs):
    server = Postgres(programs, ground / "old", free_port(), "word", server_user())
    server.directory.mkdir()
    (server.directory / "letters.txt").write_text("not a cluster")
    with pytest.raises(StartError, match="is not a PostgreSQL directory"):
        server.prepare()
    (server.directory / "PG_VERSION").write_text("16\n")
    with pytest.raises(StartError, match="made by PostgreSQL 16"):
        server.prepare()
    assert (server.directory / "letters.txt").read_text() == "not a cluster"


def test_messages_are_still_in_the_queue_after_a_kill_and_a_start_on_the_same_port(queue):
    queue.prepare()
    first = queue.start()
    assert ask(queue.url, "RPUSH", "tasks", "thư một", "thư hai") == "2"
    os.kill(first.pid, signal.SIGKILL)
    assert first.clear_away() == -signal.SIGKILL
    second = queue.start()
    try:
        assert ask(queue.url, "LRANGE", "tasks", "0", "-1") == ["thư một", "thư hai"]
        assert ask(queue.url, "CONFIG", "GET", "maxmemory-policy") == ["maxmemory-policy", "noeviction"]
    finally:
        assert second.stop() == 0


def test_the_queue_lets_nobody_in_without_the_password(queue):
    queue.prepare()
    child = queue.start()
    try:
        with pytest.raises(OSError, match="NOAUTH"):
            ask(f"redis://127.0.0.1:{queue.port}/0", "GET", "x")
        with pytest.raises(OSError, match="WRONGPASS"):
            ask(replace(queue, password="wrong-word").url, "GET", "x")
    finally:
        child.stop()


def test_the_password_of_the_queue_is_in_no_argument_that_others_can_list(queue):
    assert not any("right-word" in argument for argument in queue.program.command)
    queue.prepare()
    assert (queue.directory / "valkey.conf").stat().st_mode & 0o077 == 0
