"""The shops' own system, as far as webhooks go: it checks every signature, and takes each message once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
PATH = "/dieu-tin-demo/"
TOLERANCE_S = 300
"""A message whose timestamp is further off is refused (Standard Webhooks 1.0)."""
SLOW_S = 2.0


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now_s: float) -> bool:
    """Whether a message was signed with `secret` (`whsec_…`) as Standard Webhooks 1.0 says, and just now."""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not stamp.isdigit() or abs(now_s - int(stamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    wanted = b"v1," + base64.b64encode(digest)
    given = headers.get("webhook-signature", "").encode()
    return any(hmac.compare_digest(wanted, one) for one in given.split(b" "))


@dataclass
class Inbox:
    """What the shops have received: message ids by shop, and how it went; safe to share between threads."""

    troubles: bool = True
    secrets: dict[str, str] = field(default_factory=dict)
    taken: dict[str, set[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, shop_id: str, headers: Mapping[str, str], body: bytes) -> tuple[int, float]:
        """Take one message in; returns the status to answer and after how many seconds.

        A few messages meet trouble the first time, by their ids: a 500 before they were kept, a 500 after (so they
        come twice), a slow answer.
        """
        secret = self.secrets.get(shop_id)
        if secret is None:
            return self._answer("unknown", 404)
        if not is_genuine(secret, headers, body, time.time()):
            return self._answer("forged", 401)
        message_id = headers["webhook-id"]
        trouble = self._trouble(message_id)
        if trouble == "down":
            return self._answer("refused", 500)
        with self._lock:
            known = self.taken.setdefault(shop_id, set())
            again = message_id in known
            known.add(message_id)
        if trouble == "forgetful":
            self._answer("first", 500)
            return self._answer("answer_lost", 500)
        self._answer("duplicate" if again else "first", 204)
        if trouble == "slow":
            return self._answer("slow", 204, SLOW_S)
        return 204, 0.0

    def received(self) -> int:
        """How many different messages have arrived."""
        with self._lock:
            return sum(len(ids) for ids in self.taken.values())

    def _trouble(self, message_id: str) -> str | None:
        with self._lock:
            if not self.troubles or message_id in self._tried:
                return None
            self._tried.add(message_id)
        fate = int(hashlib.sha256(message_id.encode()).hexdigest()[:4], 16) % 100
        return {0: "down", 1: "down", 2: "down", 3: "forgetful", 4: "slow"}.get(fate)

    def _answer(self, what: str, status: int, pause_s: float = 0.0) -> tuple[int, float]:
        with self._lock:
            self.counts[what] = self.counts.get(what, 0) + 1
        return status, pause_s


class Receiver:
    """The HTTP server in front of an inbox, on a free loopback port, in threads of its own."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self._server = _Server((HOST, 0), _handler(inbox))
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, shop_id: str) -> str:
        """The address where one shop wants its webhooks."""
        return f"http://{HOST}:{self.port}{PATH}{shop_id}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that hangs up is its own affair: it will send again."""


def _handler(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, pause_s = inbox.take(self.path.removeprefix(PATH), self.headers, body)  # type: ignore[arg-type]
            time.sleep(pause_s)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
