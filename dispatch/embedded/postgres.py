"""PostgreSQL on a loopback port, from the wheel's programs: one cluster in one directory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from dispatch.embedded.place import ServerUser, StartError
from dispatch.embedded.process import Child, Program, started
from dispatch.embedded.programs import Programs

# Nothing of the caller's environment: a stray PGDATA, PGPORT or LD_LIBRARY_PATH must not bend the server.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Postgres:
    """One cluster: `directory` (made by us, `user` owns it), `port`, and the `password` of its user `dispatch`.

    `durable=False` skips fsync: for tests, where a power cut may cost everything.
    """

    programs: Programs
    directory: Path
    port: int
    password: str
    user: ServerUser | None = None
    log: Path | None = None
    durable: bool = True

    @property
    def program(self) -> Program:
        """The server in the foreground. SIGINT is its fast shutdown: it does not wait for clients to leave."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **({} if self.durable else {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}),
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=(str(self.programs.postgres("postgres")), "-D", str(self.directory), *flags),
            environment=_ENVIRONMENT,
            user=self.user,
            log=self.log,
            stop=signal.SIGINT,
            stop_s=30,
            orphan=signal.SIGINT,
        )

    def url(self, database: str = "dispatch") -> str:
        """The address of one database, password included."""
        return f"postgresql://dispatch:{self.password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if there is none yet, and clear away what a killed server left behind."""
        version = self.directory / "PG_VERSION"
        if not self.directory.exists():
            self._initialise()
        elif not version.exists():
            raise StartError(f"{self.directory} is not a PostgreSQL directory: move it away and start again.")
        elif (found := version.read_text().strip()) != "18":
            raise StartError(f"{self.directory} was made by PostgreSQL {found}, this is 18: restore a dump instead.")
        self.drop_stale_lock()

    def _initialise(self) -> None:
        fresh = self.directory.with_name(f"{self.directory.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=fresh.parent) as secret:
            secret.write(self.password)
            secret.flush()
            if self.user:
                os.chown(fresh, self.user.uid, self.user.gid)
                os.chown(secret.name, self.user.uid, self.user.gid)
            # The builtin locale sorts by code point and knows the case of Đ Ư Ễ, here as in the production image.
            # Unsynced: only a power cut in the first half minute of an installation could spoil the new files.
            ran = subprocess.run(
                [
                    *(str(self.programs.postgres("initdb")), "-D", str(fresh), "-U", "dispatch", "-E", "UTF8"),
                    *("-A", "scram-sha-256", f"--pwfile={secret.name}", "--no-instructions"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                    "--no-sync",
                ],
                cwd="/",
                env=_ENVIRONMENT,
                capture_output=True,
                text=True,
                **(self.user.process_arguments() if self.user else {}),
            )
        if ran.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise StartError(f"PostgreSQL could not prepare {self.directory}: {(ran.stderr or ran.stdout).strip()}")
        fresh.rename(self.directory)

    def drop_stale_lock(self) -> None:
        """Remove postmaster.pid when its process is no postgres: after a reboot the number may be anyone's (Linux)."""
        lock = self.directory / "postmaster.pid"
        if not Path("/proc/self").exists():
            return
        try:
            pid = int(lock.read_text().split()[0])
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except FileNotFoundError:
            name = ""
        except (OSError, ValueError, IndexError):
            return
        if name != "postgres":
            lock.unlink(missing_ok=True)

    def is_ready(self) -> bool:
        """Whether the server takes connections now."""
        asked = [str(self.programs.postgres("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        arguments = self.user.process_arguments() if self.user else {}
        return subprocess.run(asked, cwd="/", env=_ENVIRONMENT, **arguments).returncode == 0

    def make_database(self, name: str = "dispatch") -> None:
        """Make the database `name` in a running server unless it exists."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def start(self, patience_s: float = 60.0) -> Child:
        """Start the prepared cluster and wait until it answers. Raises StartError with the end of its log."""
        return started(self.program, self.is_ready, patience_s)
