"""`python -m dispatch serve`: the whole system on one machine, from an empty directory to a board in the browser."""

from __future__ import annotations

import errno
import http.client
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from dispatch.embedded import place as places
from dispatch.embedded.place import Keepsakes, Place, StartError
from dispatch.embedded.ports import kept_ports, try_listening
from dispatch.embedded.postgres import Postgres
from dispatch.embedded.process import Child, Program, clear_leftovers, last_lines
from dispatch.embedded.programs import installed, runnable
from dispatch.embedded.tree import Part, Tree
from dispatch.embedded.valkey import Valkey
from dispatch.schema import is_settled
from dispatch.settings import CHECKOUT, Settings

Command = tuple[str, ...]
NAMES = ("migrate", "web", "worker", "clock", "relay")
COMMANDS: Mapping[str, Command] = {name: (sys.executable, "-m", "dispatch", name) for name in NAMES}
"""What each process of ours is started with; all share the image's commands."""

FIRST_OPERATOR = "FIRST_OPERATOR "
"""How `migrate` begins the line that names the first operator it made: this word, the name, a space, the password."""


@dataclass(frozen=True)
class Endpoints:
    """Where the servers of this run are; both addresses hold passwords."""

    database_url: str
    redis_url: str


class _Voice:
    """Tells the person at the terminal what happens, with the seconds since the start."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, text: str) -> None:
        try:
            print(f"[{time.monotonic() - self._begun:5.1f} s] {text}", flush=True)
        except OSError:  # The terminal is gone; the system need not go with it.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def serve(settings: Settings, commands: Mapping[str, Command] = COMMANDS, ready_within_s: float = 120.0) -> int:
    """Start everything, keep it alive, and stop it on SIGINT or SIGTERM; returns the exit code.

    `commands` is the table of our own processes (`NAMES`). Raises StartError where the system cannot start.
    """
    say = _Voice()
    place = places.find(settings.data_dir)
    places.prepare(place)
    with places.only_one(place):
        if place.moved:
            say(f"Dữ liệu nằm ở · root's data lie where the database server can reach them: {place.home}")
        for name in clear_leftovers(places.read(place, "processes") or {}):
            say(f"{name}: tiến trình cũ đã bị dừng · ended a process of the last run")
        _claim_port(settings)
        tree = Tree(place, say)
        with tree.listening():
            try:
                operator = _start(settings, place, tree, commands, ready_within_s, say)
                if not tree.is_stopping():
                    _welcome(settings, place, operator, say)
                tree.watch(lambda: False)
            finally:
                tree.stop()
                places.forget(place, "endpoints")
        say("Đã dừng · stopped")
    return 0


def _claim_port(settings: Settings) -> None:
    try:
        try_listening(settings.port, settings.bind)
    except OSError as error:
        reason = {
            errno.EADDRINUSE: "another program already uses it",
            errno.EACCES: "only root may use ports below 1024",
            errno.EADDRNOTAVAIL: "this machine has no such address",
        }.get(error.errno or 0, error.strerror)
        raise StartError(
            f"cannot listen on {settings.bind} port {settings.port}: {reason}. "
            "Choose another, for example DISPATCH_PORT=8001 make run."
        ) from error


def _start(
    settings: Settings, place: Place, tree: Tree, commands: Mapping[str, Command], ready_within_s: float, say: _Voice
) -> tuple[str, str] | None:
    """Bring all parts up in order; returns the name and password of the first operator if one was made now."""
    kept = places.keepsakes(place)
    endpoints = _start_servers(settings, place, tree, kept, say)
    if tree.is_stopping():
        return None
    environment = {
        **os.environ,
        "DISPATCH_DATABASE_URL": endpoints.database_url,
        "DISPATCH_REDIS_URL": endpoints.redis_url,
        "DISPATCH_SECRET": settings.secret or kept.secret,
        "DISPATCH_DATA_DIR": str(place.home),
        "PYTHONUNBUFFERED": "1",
    }
    operator = None
    if settings.bootstrap_key or settings.bootstrap_user or not is_settled(endpoints.database_url):
        operator = _migrate(commands["migrate"], environment, place, tree, say)
    if tree.is_stopping():
        return None
    say("web, worker, clock, relay: đang khởi động · starting")
    for name in ("web", "worker", "clock", "relay"):
        program = Program(
            name=name,
            command=commands[name],
            environment=environment,
            directory=CHECKOUT,
            log=place.logs / f"{name}.log",
            stop=signal.SIGTERM,
            # The worker gives unfinished tasks back to the queue before it ends.
            stop_s=25.0 if name == "worker" else 10.0,
        )
        tree.start(Part(program, wave=2), is_ready=lambda: True)
    places.write(
        place,
        "endpoints",
        {
            "pid": os.getpid(),
            "port": settings.port,
            "bind": settings.bind,
            "address": settings.address,
            "database_url": endpoints.database_url,
            "redis_url": endpoints.redis_url,
            "secret": settings.secret or kept.secret,
        },
    )
    deadline = time.monotonic() + ready_within_s

    def settled() -> bool:
        return (tree.is_steady() and _readiness(settings)[0] == 200) or time.monotonic() > deadline

    tree.watch(settled, most_deaths=3)
    status, said = _readiness(settings)
    if status != 200 and not tree.is_stopping():
        raise StartError(
            f"the web server is not ready after {ready_within_s:.0f} s: {status or 'no answer'} {said[:500]}"
        )
    return operator


def _start_servers(settings: Settings, place: Place, tree: Tree, kept: Keepsakes, say: _Voice) -> Endpoints:
    """PostgreSQL and Valkey, each unless its address is given."""
    if settings.database_url and settings.redis_url:
        return Endpoints(settings.database_url, settings.redis_url)
    programs, logs = runnable(installed(), place.user, place.home / "programs"), place.logs
    ports = kept_ports(place, ["postgres", "valkey"])
    database_url, redis_url = settings.database_url, settings.redis_url
    if not database_url:
        postgres = Postgres(
            *(programs, place.home / "postgres", ports["postgres"], kept.postgres_password, place.user),
            log=logs / "postgres.log",
        )
        first = "" if postgres.directory.exists() else " (lần đầu · first start)"
        say(f"PostgreSQL 18: đang khởi động · starting{first}")
        postgres.prepare()
        tree.start(Part(postgres.program, 0, revive=postgres.drop_stale_lock), postgres.is_ready, patience_s=300)
        if not tree.is_stopping():
            postgres.make_database()
        database_url = postgres.url()
    if not redis_url:
        valkey = Valkey(
            *(programs, place.home / "valkey", ports["valkey"], kept.valkey_password, place.user),
            log=logs / "valkey.log",
        )
        if not tree.is_stopping():
            say("Valkey: đang khởi động · starting")
            valkey.prepare()
            tree.start(Part(valkey.program, 1), valkey.is_ready, patience_s=300)
        redis_url = valkey.url
    return Endpoints(database_url, redis_url)


def _migrate(
    command: Command, environment: Mapping[str, str], place: Place, tree: Tree, say: _Voice
) -> tuple[str, str] | None:
    """Bring the tables up to date; returns name and password of the first operator if `migrate` made one."""
    say("Cơ sở dữ liệu: đang cập nhật cấu trúc · database: bringing the tables up to date")
    said, log = place.run / "migrate.out", place.logs / "migrate.log"
    said.unlink(missing_ok=True)
    child = Child(Program("migrate", command, environment, directory=CHECKOUT, log=said))
    child.start()
    while child.alive and not tree.is_stopping():
        time.sleep(0.02)
    code = child.clear_away()
    lines = said.read_text(errors="replace").splitlines()
    said.unlink()  # It may hold a password, which is shown once and kept nowhere.
    log.write_text("\n".join(line for line in lines if not line.startswith(FIRST_OPERATOR)) + "\n")
    if code != 0 and not tree.is_stopping():
        raise StartError(f"the database could not be brought up to date. `migrate` said:\n{last_lines(log)}")
    for line in lines:
        if line.startswith(FIRST_OPERATOR):
            name, _, password = line.removeprefix(FIRST_OPERATOR).rpartition(" ")
            return name, password
    return None


def _readiness(settings: Settings) -> tuple[int, str]:
    """What /readyz of our own web process says: status (0 when nobody answers) and text."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.bind, settings.bind)
    connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read(2000).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def _welcome(settings: Settings, place: Place, operator: tuple[str, str] | None, say: _Voice) -> None:
    say("Sẵn sàng · Ready")
    if operator:
        sign_in = f"{operator[0]} / {operator[1]}   (chỉ hiện một lần · shown only once)"
    elif settings.bootstrap_user:
        sign_in = f"{settings.bootstrap_user.partition(':')[0]} / (mật khẩu đã đặt · the password you set)"
    else:
        sign_in = "quên mật khẩu · forgotten password: python -m dispatch user NAME"
    rows = [
        ("Bảng điều phối · Board", f"{settings.address}/board"),
        ("Bưu tá · Courier", f"{settings.address}/courier"),
        ("Tài liệu · API docs", f"{settings.address}/docs"),
        ("API", f"{settings.address}/v1"),
        ("Đăng nhập · Sign in", sign_in),
        ("Dữ liệu · Data", str(place.home)),
        ("Nhật ký · Logs", str(place.logs)),
        ("Dừng · Stop", "Ctrl-C"),
    ]
    print("\n" + "\n".join(f"  {label:<24} {value}" for label, value in rows) + "\n", flush=True)


def joined(settings: Settings) -> Settings:
    """`settings` completed with the addresses of the system that runs in its data directory, if one does.

    For commands given in a second terminal; what the environment says outright goes first.
    """
    place = places.find(settings.data_dir)
    running = places.read(place, "endpoints") if places.is_running(place) else None
    if running is None:
        return settings
    return settings.model_copy(
        update={
            "database_url": settings.database_url or running["database_url"],
            "redis_url": settings.redis_url or running["redis_url"],
            "secret": settings.secret or running["secret"],
            "public_url": running["address"],
            "port": running["port"],
            "bind": running["bind"],
            "data_dir": place.home,
        }
    )
