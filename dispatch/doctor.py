"""`python -m dispatch doctor`: looks at an installation and says in plain words what is wrong and what to do."""

from __future__ import annotations

import http.client
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from dispatch.embedded.place import Place, StartError, can_use, find, is_running
from dispatch.embedded.ports import try_listening
from dispatch.embedded.programs import installed
from dispatch.embedded.serve import joined
from dispatch.embedded.valkey import ask
from dispatch.schema import newest_version
from dispatch.settings import CHECKOUT, Settings, SettingsError, load

_PROCESSES = ("worker", "clock", "relay")
_STALE = timedelta(seconds=60)
_DISK_BYTES = 1_000_000_000


Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `todo` is empty where all is well, else it says what to do, Vietnamese first."""

    about: str
    vi: str = ""
    en: str = ""
    todo: str = ""


def examine(process: str = "", say: Callable[[str], None] = print) -> int:
    """Look at everything, or only for the sign of life of one `process`; returns 0 if nothing is wrong, else 1."""
    wrong = 0
    for finding in findings(process):
        if not finding.todo:
            say(f"✔ {finding.about}")
            continue
        wrong += 1
        say(f"✘ {finding.about}: {finding.vi} · {finding.en}\n    → {finding.todo}")
    say("Mọi thứ đều ổn · all is well" if not wrong else f"{wrong} lỗi cần sửa · {wrong} to put right")
    return 1 if wrong else 0


def findings(process: str = "") -> Iterator[Finding]:
    """Everything looked at, in the order in which one would put it right."""
    if not process:
        yield _python()
        yield _front_end()
    try:
        settings = joined(load())
        place = find(settings.data_dir)
    except SettingsError as error:
        yield Finding("Cấu hình · settings", "biến môi trường sai", "a variable is wrong", str(error))
        return
    except StartError as error:
        yield Finding("Dữ liệu · data", "không dùng được thư mục", "the directory is of no use", str(error))
        return
    if process:
        yield from _database(settings.database_url, lambda connection: iter([_life(connection, process)]))
        return
    yield Finding("Cấu hình · settings")
    if not (settings.database_url and settings.redis_url):
        yield from _programs()
    yield from _data(place)
    yield _web(settings, place)
    if settings.database_url:
        yield from _database(settings.database_url, _inside)
    if settings.redis_url:
        yield _queue(settings.redis_url)
    if not settings.database_url and not settings.redis_url:
        yield Finding("Chưa chạy, nên chưa xem cơ sở dữ liệu · not running, so database and queue were not looked at")


def _python() -> Finding:
    about = f"Python {sys.version.split()[0]}"
    if sys.version_info < (3, 11):  # noqa: UP036 (a checkout may be run by any Python)
        return Finding(about, "cần từ 3.11", "3.11 or newer is needed", "make setup PY=python3.12")
    if importlib.util.find_spec("ensurepip") is None:
        return Finding(about, "thiếu venv", "its venv module is incomplete", "install the package python3-venv")
    return Finding(about)


def _front_end() -> Finding:
    built = CHECKOUT / "api" / "static" / "dist"
    if any((built / name).is_file() for name in (".vite/manifest.json", "manifest.json")):
        return Finding("Giao diện · front end")
    return Finding("Giao diện · front end", "chưa được dựng", "it is not built", "make setup")


def _programs() -> Iterator[Finding]:
    try:
        programs = installed()
    except StartError as error:
        yield Finding("PostgreSQL, Valkey", "thiếu", "missing", str(error))
        return
    for path in (programs.postgres("postgres"), programs.valkey):
        try:
            ran = subprocess.run([path, "--version"], cwd="/", capture_output=True, text=True, timeout=20)
            told = ran.stdout.strip() or ran.stderr.strip()
            if ran.returncode == 0:
                yield Finding(told)
                continue
        except (OSError, subprocess.SubprocessError) as error:
            told = str(error)
        todo = "this machine cannot run the wheel's program: set DISPATCH_DATABASE_URL and DISPATCH_REDIS_URL"
        yield Finding(path.name, "không chạy được", f"it does not run ({told})", todo)


def _data(place: Place) -> Iterator[Finding]:
    about = f"Dữ liệu · data: {place.home}"
    nearest = next(path for path in (place.home, *place.home.parents) if path.is_dir())
    if not can_use(nearest, None, "-w"):
        yield Finding(about, "không ghi được", "cannot be written", "make it writable or set DISPATCH_DATA_DIR")
    elif place.home.is_dir() and place.user and not can_use(place.home, place.user):
        todo = f"chmod o+x {place.home}, or set DISPATCH_DATA_DIR"
        yield Finding(about, f"{place.user.name} không vào được", f"{place.user.name} cannot enter it", todo)
    else:
        yield Finding(about)
    free = shutil.disk_usage(nearest).free
    about = f"Đĩa · disk: {free / 1e9:.1f} GB"
    if free < _DISK_BYTES:
        yield Finding(about, "sắp đầy", "almost full", "make room: the database stops when the disk is full")
    else:
        yield Finding(about)


def _web(settings: Settings, place: Place) -> Finding:
    about = f"Web {settings.address}"
    if not is_running(place):
        try:
            try_listening(settings.port, settings.bind)
        except OSError as error:
            return Finding(
                about, "cổng bận", f"the port cannot be had ({error.strerror})", "set DISPATCH_PORT to another"
            )
        return Finding(f"{about}: cổng trống · the port is free")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.bind, settings.bind)
    connection = http.client.HTTPConnection(host, settings.port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        status = 0
    finally:
        connection.close()
    if status == 200:
        return Finding(about)
    seen = f"/readyz: {status}" if status else "no answer"
    return Finding(about, "chưa sẵn sàng", f"not ready ({seen})", f"read {place.logs / 'web.log'}")


def _database(url: str, look: Callable[[Connection], Iterator[Finding]]) -> Iterator[Finding]:
    about = "Cơ sở dữ liệu · database"
    if not url:
        yield Finding(about, "chưa chạy", "it does not run here", "make run, or set DISPATCH_DATABASE_URL")
        return
    try:
        with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
            yield from look(connection)
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[-1]
        yield Finding(
            about, "không kết nối được", f"cannot be reached ({said})", "start it, or correct DISPATCH_DATABASE_URL"
        )


def _inside(connection: Connection) -> Iterator[Finding]:
    about = "Cơ sở dữ liệu · database"
    here = _one(connection, "SELECT version_num FROM alembic_version", "alembic_version")
    newest = newest_version()
    if here != newest:
        seen = f"it is at {here or 'nothing'}, this program wants {newest}"
        yield Finding(about, "cấu trúc cũ", seen, "python -m dispatch migrate")
        return
    yield Finding(f"{about}: {here}")
    for name in _PROCESSES:
        yield _life(connection, name)
    yield _map(connection)
    oldest = _one(connection, "SELECT now() - min(created_at) FROM outbox WHERE sent_at IS NULL", "outbox")
    if oldest is not None and oldest > _STALE:
        since = f"{oldest.total_seconds():.0f} s"
        todo = "see to the relay and the queue above; nothing is lost meanwhile"
        yield Finding("Hộp thư đi · outbox", f"chờ {since}", f"its oldest row has waited {since}", todo)
    else:
        yield Finding("Hộp thư đi · outbox")


def _map(connection: Connection) -> Finding:
    """Which table of communes is in force."""
    units = _one(connection, "SELECT count(*) FROM units", "units") or 0
    links = _one(connection, "SELECT count(*) FROM unit_links", "unit_links") or 0
    if units or links:
        return Finding(f"Địa danh · communes: đã nhập · imported: {units} + {links} liên kết · links")
    return Finding("Địa danh · communes: bản đồ kèm gói phần mềm · the packaged map")


def _life(connection: Connection, name: str) -> Finding:
    age = _one(connection, "SELECT now() - max(at) FROM heartbeats WHERE name ^@ %s", "heartbeats", [name])
    if age is not None and age <= _STALE:
        return Finding(name)
    if age is None:
        vi, en = "chưa từng chạy", "it never gave a sign of life"
    else:
        vi, en = (f"{word} {age.total_seconds():.0f} s" for word in ("im lặng", "silent for"))
    return Finding(name, vi, en, f"see its log, start it: python -m dispatch {name}")


def _one(connection: Connection, query: str, table: str, values: list[str] | None = None) -> Any:
    """The first value of `query`, None where there is none or the table does not exist yet."""
    if connection.execute("SELECT to_regclass(%s)", [table]).fetchone() == (None,):
        return None
    row = connection.execute(query.encode(), values).fetchone()
    return row[0] if row else None


def _queue(url: str) -> Finding:
    about = "Hàng đợi · queue"
    try:
        ask(url, "PING")
        log = ask(url, "CONFIG", "GET", "appendonly")
        policy = ask(url, "CONFIG", "GET", "maxmemory-policy")
    except OSError as error:
        return Finding(about, "không trả lời", f"no answer ({error})", "start it, or correct DISPATCH_REDIS_URL")
    if log != ["appendonly", "yes"]:
        return Finding(
            about, "không ghi ra đĩa", "it forgets all when it stops", "set appendonly yes in its configuration"
        )
    if policy != ["maxmemory-policy", "noeviction"]:
        todo = "set maxmemory-policy noeviction in its configuration"
        return Finding(about, "có thể tự xóa việc", "it may throw work out when memory is short", todo)
    return Finding(about)
