"""`doctor`: each fault is named in plain words with what to do; a healthy part is not complained about."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from dispatch.doctor import Finding, examine, findings
from dispatch.embedded.place import server_user
from dispatch.embedded.ports import free_port
from dispatch.embedded.valkey import Valkey
from dispatch.schema import newest_version

PROCESSES = ["worker", "clock", "relay"]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, ground: Path, redis_url: str, fresh_database: str):
    """Examine a system on a database of the test's own; keyword arguments replace settings."""

    def examined(process: str = "", **settings: str) -> dict[str, Finding]:
        values = {
            "DATABASE_URL": fresh_database,
            "REDIS_URL": redis_url,
            "DATA_DIR": str(ground / "doctor"),
            "PORT": str(free_port()),
        }
        for name, value in {**values, **settings}.items():
            monkeypatch.setenv(f"DISPATCH_{name}", value)
        return {finding.about: finding for finding in findings(process)}

    return examined


def beat(url: str, name: str, seconds_ago: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO heartbeats (name, at, detail) VALUES (%s, now() - make_interval(secs => %s), '{}') "
            "ON CONFLICT (name) DO UPDATE SET at = excluded.at",
            [name, seconds_ago],
        )


def wrong(found: dict[str, Finding]) -> dict[str, str]:
    return {about: finding.en for about, finding in found.items() if finding.todo}


def test_a_running_system_in_good_health_is_not_complained_about(look, fresh_database):
    for name in PROCESSES:
        beat(fresh_database, name, 1)
    found = look()
    assert {
        f"Cơ sở dữ liệu · database: {newest_version()}",
        *PROCESSES,
        "Hàng đợi · queue",
        "Hộp thư đi · outbox",
    } <= found.keys()
    front_end = {"Giao diện · front end"}  # tests may run before it is built
    assert wrong(found).keys() <= front_end


def test_a_process_that_never_lived_or_fell_silent_is_named(look, fresh_database):
    beat(fresh_database, "worker", 1)
    beat(fresh_database, "relay", 600)
    found = look()
    assert not found["worker"].todo
    assert found["clock"].en == "it never gave a sign of life"
    assert found["relay"].en.startswith("silent for 60")
    assert found["relay"].vi.startswith("im lặng 60")
    assert "python -m dispatch relay" in found["relay"].todo


@pytest.mark.parametrize(("seconds", "fault"), [(1, False), (600, True)])
def test_a_container_can_ask_for_one_process_only(look, fresh_database, seconds, fault):
    beat(fresh_database, "clock", seconds)
    found = look("clock")
    assert list(found) == ["clock"]
    assert bool(found["clock"].todo) is fault


def test_work_that_waits_too_long_in_the_outbox_is_reported(look, fresh_database):
    with psycopg.connect(fresh_database) as connection:
        connection.execute(
            "INSERT INTO outbox (task, args, created_at) VALUES ('deliver', '[]', now() - interval '5 minutes')"
        )
    assert look()["Hộp thư đi · outbox"].en.startswith("its oldest row has waited 30")


def test_a_database_without_our_tables_sends_the_reader_to_migrate(look, postgres: Callable[[str], str]):
    found = look(DATABASE_URL=postgres("postgres"))
    assert found["Cơ sở dữ liệu · database"].todo == "python -m dispatch migrate"


def test_a_database_or_queue_that_is_away_is_said_without_its_password(look):
    port = free_port()
    found = look(
        DATABASE_URL=f"postgresql://dispatch:hidden-word@127.0.0.1:{port}/dispatch",
        REDIS_URL=f"redis://:hidden-word@127.0.0.1:{port}/0",
    )
    assert found["Cơ sở dữ liệu · database"].en.startswith("cannot be reached")
    assert found["Hàng đợi · queue"].en.startswith("no answer")
    assert "hidden-word" not in repr(found)


def test_a_queue_that_forgets_is_reported(look, ground, programs):
    server = Valkey(programs, ground / "forgetful", free_port(), "word", server_user(), durable=False)
    server.prepare()
    child = server.start()
    try:
        assert look(REDIS_URL=server.url)["Hàng đợi · queue"].en == "it forgets all when it stops"
    finally:
        child.stop()


def test_a_busy_port_is_reported_before_the_start(look):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        assert "the port cannot be had" in look(PORT=str(port))[f"Web http://127.0.0.1:{port}"].en


def test_a_wrong_variable_ends_the_visit_with_the_sentence_of_the_start(look):
    found = look(PORT="many")
    assert found["Cấu hình · settings"].todo.startswith("DISPATCH_PORT must be")
    assert "Hàng đợi · queue" not in found


def test_an_installation_that_is_not_running_shows_that_its_servers_can_run(monkeypatch, ground):
    monkeypatch.setenv("DISPATCH_DATA_DIR", str(ground / "never"))
    monkeypatch.setenv("DISPATCH_PORT", str(free_port()))
    found = [finding.about for finding in findings()]
    assert any(about.startswith("postgres (PostgreSQL) 18") for about in found)
    assert any(about.startswith("Valkey server v=") for about in found)
    assert any(about.startswith("Chưa chạy") for about in found)
    assert not (ground / "never").exists(), "looking must not change anything"


def test_the_exit_code_and_the_last_line_say_whether_anything_is_wrong(look, fresh_database):
    beat(fresh_database, "clock", 1)
    look("clock")  # puts the settings in place
    said: list[str] = []
    assert examine("clock", said.append) == 0
    assert said == ["✔ clock", "Mọi thứ đều ổn · all is well"]
    said.clear()
    assert examine("relay", said.append) == 1
    assert said[0].startswith("✘ relay: chưa từng chạy · it never gave a sign of life\n    → ")
    assert said[-1] == "1 lỗi cần sửa · 1 to put right"


def test_a_full_disk_is_reported_before_the_database_stops(look, monkeypatch):
    nearly_full = shutil.disk_usage("/")._replace(free=50_000_000)
    monkeypatch.setattr("dispatch.doctor.shutil.disk_usage", lambda path: nearly_full)
    assert look()["Đĩa · disk: 0.1 GB"].en == "almost full"
