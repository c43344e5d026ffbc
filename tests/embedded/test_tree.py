"""The process tree of `serve`, with small stand-ins for our own processes and the real gunicorn, PostgreSQL, Valkey."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from dispatch.embedded.ports import free_port
from dispatch.embedded.serve import joined
from dispatch.embedded.valkey import ask
from dispatch.lifeline import die_with_parent
from dispatch.settings import CHECKOUT, Settings
from tests.embedded.waiting import alive, descendants, eventually

READY_WITHIN_S = 100
PARTS = ["postgres", "valkey", "web", "worker", "clock", "relay"]


class System:
    """One `serve` in a data directory of its own."""

    def __init__(self, home: Path, port: int, **environment: str) -> None:
        self.home, self.port = home, port
        self._printed = home.with_name(f"{home.name}-{time.monotonic_ns()}.txt")
        with self._printed.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.embedded.stand_ins", "serve"],
                cwd=CHECKOUT,
                env={**os.environ, "DISPATCH_PORT": str(port), "DISPATCH_DATA_DIR": str(home), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )

    @property
    def printed(self) -> str:
        return self._printed.read_text(encoding="utf-8")

    def ready(self) -> System:
        eventually(lambda: "Sẵn sàng · Ready" in self.printed or self.process.poll() is not None, READY_WITHIN_S)
        assert self.process.poll() is None, self.printed
        return self

    def note(self, name: str) -> dict:
        return json.loads((self.home / "run" / f"{name}.json").read_text())

    def pid(self, name: str) -> int:
        return self.note("processes")[name]["pid"]

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; whatever is left of the tree afterwards is a failure."""
        family = descendants(self.process.pid)
        self.process.send_signal(number)
        code = self.process.wait(60)
        eventually(lambda: not alive(family), 10)
        return code


@pytest.fixture(scope="module")
def system(ground: Path) -> Iterator[System]:
    """A system that several tests look at and hurt; each leaves it whole."""
    running = System(ground / "system", free_port())
    try:
        yield running.ready()
    finally:
        running.end()


@pytest.fixture
def home(ground: Path, request: pytest.FixtureRequest) -> Path:
    return ground / re.sub(r"\W+", "-", request.node.name)[:40]


@pytest.fixture
def servers(postgres: Callable[[str], str], redis_url: str) -> Iterator[dict[str, str]]:
    """Addresses of servers that run already: a start with them is quick."""
    yield {"DISPATCH_DATABASE_URL": postgres("postgres"), "DISPATCH_REDIS_URL": redis_url}
    with psycopg.connect(postgres("postgres")) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")


def test_the_first_start_says_where_everything_is_and_how_to_sign_in(system):
    lines = system.printed.split("Ready")[1].splitlines()
    said = {line.split("  ")[1].strip(): line.strip().split("  ")[-1].strip() for line in lines if line.strip()}
    base = f"http://127.0.0.1:{system.port}"
    assert said["Bảng điều phối · Board"] == f"{base}/board"
    assert said["Bưu tá · Courier"] == f"{base}/courier"
    assert said["Tài liệu · API docs"] == f"{base}/docs"
    assert "điều phối viên / pass-word" in system.printed
    assert re.search(r"^\[ *\d+\.\d s\] PostgreSQL 18", system.printed, re.MULTILINE)


def test_the_first_password_is_shown_and_kept_in_no_file(system):
    held = [path for folder in ("run", "logs") for path in (system.home / folder).iterdir()]
    assert any(path.name == "migrate.log" for path in held)
    assert [path for path in held if b"pass-word" in path.read_bytes()] == []


def test_a_second_terminal_finds_the_running_system_and_nobody_else_may(system):
    settings = joined(Settings(data_dir=system.home))
    assert (settings.port, settings.address) == (system.port, f"http://127.0.0.1:{system.port}")
    with psycopg.connect(settings.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert ask(settings.redis_url, "PING") == "PONG"
    assert (system.home / "run" / "endpoints.json").stat().st_mode & 0o077 == 0


def test_no_password_stands_in_the_arguments_of_any_process(system):
    secrets = [value.encode() for value in system.note("keepsakes").values()]
    family = descendants(system.process.pid)
    assert len(family) > len(PARTS)
    for pid in alive(family):
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        assert not any(secret in arguments for secret in secrets), arguments


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_part_comes_back_where_it_was_with_all_it_held(system, name):
    endpoints = system.note("endpoints")
    with psycopg.connect(endpoints["database_url"]) as connection:
        connection.execute("INSERT INTO kept VALUES (%s)", [name])
    ask(endpoints["redis_url"], "SET", "kept", name)
    before = system.pid(name)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: system.pid(name) != before)
    eventually(system.answers, 30)
    assert system.note("endpoints") == endpoints
    with psycopg.connect(endpoints["database_url"]) as connection:
        assert connection.execute("SELECT count(*) FROM kept WHERE word = %s", [name]).fetchone() == (1,)

    def queue_answer() -> object:
        try:
            return ask(endpoints["redis_url"], "GET", "kept")
        except OSError:
            return None

    assert eventually(queue_answer) == name


def test_a_killed_gunicorn_worker_is_replaced(system):
    arbiter = system.pid("web")
    workers = eventually(lambda: len(descendants(arbiter)) == 2 and descendants(arbiter))
    victim = min(workers)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(alive(descendants(arbiter))) == 2 and victim not in descendants(arbiter))
    assert system.answers()
    assert system.pid("web") == arbiter


def test_a_second_start_in_the_same_directory_is_refused_and_says_who_is_there(system):
    second = System(system.home, free_port())
    assert second.process.wait(30) == 1
    assert f"process {system.process.pid}, http://127.0.0.1:{system.port}" in second.printed
    assert system.answers()


def test_a_busy_web_port_is_refused_before_anything_is_started(system, home):
    second = System(home, system.port)
    assert second.process.wait(30) == 1
    assert f"cannot listen on 127.0.0.1 port {system.port}: another program already uses it" in second.printed
    assert "DISPATCH_PORT=" in second.printed
    assert not (home / "postgres").exists()


def test_stop_leaves_no_process_and_the_next_start_finds_everything_again(home):
    first = System(home, free_port()).ready()
    endpoints = first.note("endpoints")
    with psycopg.connect(endpoints["database_url"]) as connection:
        connection.execute("INSERT INTO kept VALUES ('bưu gửi')")
    assert first.end(signal.SIGINT) == 0
    order = [first.printed.index(f"{name}: đang dừng") for name in ("relay", "valkey", "postgres")]
    assert order == sorted(order)
    assert not (home / "run" / "endpoints.json").exists()

    second = System(home, first.port).ready()
    try:
        again = second.note("endpoints")
        assert {**again, "pid": 0} == {**endpoints, "pid": 0}
        assert "pass-word" not in second.printed
        with psycopg.connect(again["database_url"]) as connection:
            assert connection.execute("SELECT word FROM kept").fetchall() == [("bưu gửi",)]
    finally:
        assert second.end() == 0


def test_a_killed_parent_leaves_no_process_and_does_not_hinder_the_next_start(home):
    first = System(home, free_port()).ready()
    family = descendants(first.process.pid)
    assert len(family) >= len(PARTS) + 2, "gunicorn's workers count too"
    first.process.kill()
    first.process.wait(10)
    second = System(home, first.port)  # at once: what still ends from the first must not be in its way
    eventually(lambda: not alive(family), 10)
    second.ready()
    assert second.end() == 0


def test_a_failing_migration_stops_the_start_and_shows_what_it_said(home, servers):
    system = System(home, free_port(), STAND_IN_FAULT="migrate", **servers)
    assert system.process.wait(60) == 1
    assert "could not be brought up to date" in system.printed
    assert "the stand-in was told to fail" in system.printed
    assert "Ready" not in system.printed


def test_a_part_that_cannot_live_stops_the_start_and_is_named_with_its_last_words(home, servers):
    system = System(home, free_port(), STAND_IN_FAULT="clock", **servers)
    assert system.process.wait(60) == 1
    assert "clock cannot stay alive (exit code 1)" in system.printed
    assert "the stand-in was told to fail" in system.printed


def test_servers_that_the_environment_names_are_used_and_none_is_started(home, servers):
    system = System(home, free_port(), **servers).ready()
    try:
        assert sorted(system.note("processes")) == ["clock", "relay", "web", "worker"]
        assert not (home / "postgres").exists()
        assert system.note("endpoints")["redis_url"] == servers["DISPATCH_REDIS_URL"]
    finally:
        assert system.end() == 0
