"""The whole system as processes: web, worker, relay and clock on real servers, and a receiver for webhooks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3
from standardwebhooks import Webhook

from dispatch.bootstrap import secret_hash
from dispatch.embedded.ports import free_port
from dispatch.store import open_store
from dispatch.store.rows import Key

ROOT = Path(__file__).resolve().parents[2]
OPERATOR_KEY = "test_journey_operator_0123456789"


def until(what: str, check: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Asks again and again until `check` gives something true; fails with the question after `seconds`."""
    ends = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < ends, f"still waiting after {seconds} s for: {what}"
        pause.wait(0.1)


@dataclass
class Client:
    """A caller over real HTTP with one key; times are simulated by `at`."""

    base: str
    key: str | None = None
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=30))
    count: int = 0

    def call(self, method: str, path: str, body: Any = None, *, at: str | None = None, **headers: str) -> Any:
        self.count += 1
        sent = {"Content-Type": "application/json"} | headers
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        if method == "POST":
            sent.setdefault("Idempotency-Key", f"{id(self)}-{self.count}")
        if at:
            sent["Test-Clock"] = at
        raw = None if body is None else json.dumps(body).encode()
        answer = self.pool.request(method, self.base + path, body=raw, headers=sent)
        if answer.headers.get("Content-Type", "").endswith("json"):
            content = answer.json()
            assert answer.status < 400, content
            return content
        assert answer.status < 400, answer.data
        return answer.data

    def etag(self, path: str) -> str:
        """The ETag of a read."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return self.pool.request("GET", self.base + path, headers=headers).headers["ETag"]

    def as_key(self, key: str | None) -> Client:
        return Client(self.base, key, self.pool)


class Receiver:
    """A shop's own software: verifies every webhook with the reference library and keeps what it was told."""

    def __init__(self) -> None:
        self.secret: str | None = None
        self.told: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.refused: list[str] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    assert receiver.secret is not None
                    told = Webhook(receiver.secret).verify(raw, dict(self.headers))
                    receiver.ids.append(self.headers["webhook-id"])
                    receiver.told.append(told)
                    self.send_response(204)
                except Exception as error:  # noqa: BLE001 - whatever is wrong with the message is kept and shown
                    receiver.refused.append(repr(error))
                    self.send_response(400)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def types(self) -> list[str]:
        """What was told, in the order of the shop's feed."""
        return [told["type"] for told in sorted(self.told, key=lambda told: told["seq"])]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


@pytest.fixture(scope="session")
def address(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running system: real web, worker, relay and clock processes, shared by all journeys."""
    port, folder = free_port(), tmp_path_factory.mktemp("system")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")} | {
        "DISPATCH_DATABASE_URL": database_url,
        "DISPATCH_REDIS_URL": redis_url,
        "DISPATCH_PORT": str(port),
        "DISPATCH_DATA_DIR": str(folder),
        "DISPATCH_SECRET": "x" * 40,
        "DISPATCH_WEBHOOK_ALLOW": "127.0.0.0/8",
    }
    command = [sys.executable, "-m", "dispatch"]
    logs = {name: (folder / f"{name}.log").open("wb") for name in ("web", "worker", "relay", "clock")}
    running = [
        subprocess.Popen([*command, name], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        for name, log in logs.items()
    ]
    pool, base = urllib3.PoolManager(retries=False, timeout=10), f"http://127.0.0.1:{port}"

    def ready() -> bool:
        assert all(process.poll() is None for process in running), "a process of the system ended at start"
        try:
            answer = pool.request("GET", f"{base}/readyz")
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200 and answer.json()["status"] == "ok"

    try:
        until("every process of the system to be ready", ready, 90)
        yield base
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)
        for log in logs.values():
            log.close()


@pytest.fixture
def operator(address: str, clean_database: str) -> Client:
    """An operator of the running system, in a world where nothing has happened yet."""
    store = open_store(clean_database, connections=1)
    with store.begin() as session:
        key = Key(session.new_id("key"), "test", "operator", None, None, "journey", None, None, None)
        session.access.add_key(key, secret_hash(OPERATOR_KEY), session.wall_clock())
    store.close()
    return Client(address, OPERATOR_KEY)
