"""The real web server as a process on the test's own database, for what cannot be seen without a socket."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import urllib3

from dispatch.embedded.ports import free_port
from dispatch.embedded.process import Child, Program
from dispatch.settings import CHECKOUT
from tests.embedded.waiting import eventually


@dataclass
class Server:
    """A running web server and where it listens."""

    port: int
    child: Child

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def alive(self) -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return urllib3.request("GET", f"{self.base}/healthz", retries=False, timeout=2).status == 200
        return False

    def say(self, raw: bytes, patience_s: float = 15.0) -> bytes:
        """Send these very bytes on a connection of their own; everything that comes back until it is closed."""
        heard = b""
        with socket.create_connection(("127.0.0.1", self.port), patience_s) as line:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                line.sendall(raw)
            while piece := line.recv(65536):
                heard += piece
        return heard


@contextlib.contextmanager
def serving(database_url: str, redis_url: str, folder: Path, **settings: str) -> Iterator[Server]:
    """A web server with these settings (`rate_limit="0"`), from when it answers until the end of the block."""
    port = free_port()
    given = {"database_url": database_url, "redis_url": redis_url, "port": str(port), "data_dir": str(folder)}
    given |= {"secret": "s" * 40, "rate_limit": "0", **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    environment |= {f"DISPATCH_{name.upper()}": value for name, value in given.items()}
    command = (sys.executable, "-m", "dispatch", "web")
    child = Child(Program("web", command, environment, directory=CHECKOUT, log=folder / "web.log"))
    server = Server(port, child)
    child.start()
    try:
        eventually(lambda: not child.alive or server.alive(), 90)
        assert child.alive, (folder / "web.log").read_text()[-2000:]
        yield server
    finally:
        child.stop()
