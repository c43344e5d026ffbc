"""The data directory of one installation: where it lies, who may enter it, what is kept in it between two starts."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class StartError(Exception):
    """The system cannot start here; the text is a plain sentence that says why and what to do."""


@dataclass(frozen=True)
class ServerUser:
    """The ordinary user that PostgreSQL and Valkey run as when we are root, because PostgreSQL refuses to be root."""

    name: str
    uid: int
    gid: int

    def process_arguments(self) -> dict[str, Any]:
        """Arguments that make `subprocess` start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_user() -> ServerUser | None:
    """`nobody` when this process is root, else None: the servers then run as ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def can_use(path: Path, user: ServerUser | None, how: str = "-x") -> bool:
    """Whether `user` (None: ourselves) may enter the directory or run the file `path`; `how` is a flag of test(1)."""
    arguments = user.process_arguments() if user else {}
    return subprocess.run(["test", how, str(path)], cwd="/", **arguments).returncode == 0


@dataclass(frozen=True)
class Place:
    """One data directory. `run` is only ours (passwords, ports, pids); `home` may be entered by the server user."""

    home: Path
    wanted: Path
    user: ServerUser | None

    @property
    def run(self) -> Path:
        """Passwords, ports and process ids; nobody but the owner may look inside."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """What each process prints."""
        return self.home / "logs"

    @property
    def moved(self) -> bool:
        """Whether the data lie elsewhere than asked for, because the server user could not get there."""
        return self.home != self.wanted


def find(wanted: Path) -> Place:
    """The place that belongs to the data directory `wanted`, without making anything.

    When root asks for a directory below a home that others cannot enter, the place is a directory of the system
    with a name derived from `wanted`: the same each time, and never that of another checkout.
    """
    user = server_user()
    if user is None:
        return Place(wanted, wanted, None)
    name = "dieu-tin-" + hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    elsewhere = [parent / name for parent in (Path("/var/lib"), Path("/var/tmp"))]
    # Data once moved stay where they are, even if the home was opened since.
    kept = [path for path in elsewhere if (path / "run").is_dir() and not (wanted / "run").is_dir()]
    nearest = next(path for path in (wanted.parent, *wanted.parent.parents) if path.is_dir())
    if not kept and can_use(nearest, user):
        return Place(wanted, wanted, user)
    for home in kept or elsewhere:
        if home.parent.is_dir() and os.access(home.parent, os.W_OK) and can_use(home.parent, user):
            return Place(home, wanted, user)
    raise StartError(
        f"PostgreSQL may not run as root, and its user {user.name} cannot reach {wanted}: "
        "set DISPATCH_DATA_DIR to a directory that every user may enter."
    )


def prepare(place: Place) -> None:
    """Make the directories of `place` with the right doors. Raises StartError where that is impossible."""
    try:
        place.home.mkdir(parents=True, exist_ok=True)
        owner = place.home.stat().st_uid
        if owner != os.geteuid():
            raise StartError(
                f"{place.home} belongs to the user {_user_name(owner)}, not to you: start as that user, "
                "or set DISPATCH_DATA_DIR to a directory of your own."
            )
        place.home.chmod(0o711 if place.user else 0o700)
        for directory in (place.run, place.logs):
            directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"{place.home} cannot be used as data directory ({error.strerror}): "
            "make it writable, or set DISPATCH_DATA_DIR to another directory."
        ) from error


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@contextlib.contextmanager
def only_one(place: Place) -> Iterator[None]:
    """Hold the place: a second holder gets a StartError. The kernel lets go when the process ends, however it ends."""
    with (place.run / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = read(place, "endpoints")
            where = f" (process {running['pid']}, {running['address']})" if running else ""
            raise StartError(
                f"the system already runs with the data in {place.home}{where}: stop that one first, "
                "or start a second with its own DISPATCH_DATA_DIR and DISPATCH_PORT."
            ) from None
        yield


def is_running(place: Place) -> bool:
    """Whether some process holds the place."""
    try:
        with (place.run / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def read(place: Place, name: str) -> dict[str, Any] | None:
    """The JSON note `name` of the run directory, None when there is none (or it is not ours to read)."""
    try:
        content = json.loads((place.run / f"{name}.json").read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write(place: Place, name: str, content: dict[str, Any]) -> None:
    """Write the JSON note `name` so that a reader sees the old or the new one, never half, and only the owner reads."""
    path = place.run / f"{name}.json"
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    fresh.replace(path)


def forget(place: Place, name: str) -> None:
    """Remove the JSON note `name`."""
    (place.run / f"{name}.json").unlink(missing_ok=True)


@dataclass(frozen=True)
class Keepsakes:
    """What stays the same between two starts: both passwords and the secret that signs sessions."""

    secret: str
    postgres_password: str
    valkey_password: str


def keepsakes(place: Place) -> Keepsakes:
    """The passwords of this place, made at random the first time and kept readable for the owner only."""
    kept = read(place, "keepsakes")
    if kept is None:
        if (place.run / "keepsakes.json").exists():
            raise StartError(f"{place.run / 'keepsakes.json'} is damaged: restore it, it opens the database.")
        kept = {name: secrets.token_urlsafe(32) for name in Keepsakes.__dataclass_fields__}
        write(place, "keepsakes", kept)
    return Keepsakes(**kept)
