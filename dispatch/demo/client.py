"""An HTTP client as a shop's, an operator's or a courier's program would have one: it asks again until it is heard."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

PATIENCE_S = 180.0
"""How long one call is repeated while the system is away, before the demo gives up."""
_AWAY = (429, 502, 503, 504)


class Refused(Exception):
    """The system answered, but not with what was asked for."""

    def __init__(self, method: str, path: str, status: int, body: Any) -> None:
        self.status = status
        self.code = body.get("code", "") if isinstance(body, dict) else ""
        self.body = body
        detail = body.get("detail", "") if isinstance(body, dict) else body
        super().__init__(f"{method} {path}: {status} {self.code} {detail}")


class Away(Exception):
    """Nobody answered for `PATIENCE_S`, or the system has ended."""


@dataclass(frozen=True)
class Reply:
    """An answer with a status below 400; `body` is its JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Api:
    """Calls one system. A call that is cut off, or meets a part that is restarting, is made again as it was.

    `clock` gives the instant for the Test-Clock header; `is_gone` says that waiting is in vain.
    """

    def __init__(
        self,
        address: str,
        clock: Callable[[], datetime] | None = None,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> None:
        self.address = address
        self.clock = clock
        self.is_gone = is_gone
        self.retries: dict[str, int] = {}
        self.calls = 0
        self._pool = urllib3.PoolManager(maxsize=8, retries=False, timeout=urllib3.Timeout(connect=5, read=60))

    def call(
        self,
        method: str,
        path: str,
        key: str = "",
        body: Any = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        png: bytes | None = None,
    ) -> Reply:
        """One call at the simulated instant. A POST gets an Idempotency-Key of its own unless one is given.

        Raises Refused for an answer of 400 or more, Away where nobody answers for long.
        """
        headers = {"Accept": "application/json", "Accept-Language": "en"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
            if self.clock is not None:
                headers["Test-Clock"] = self.clock().isoformat()
        if method == "POST":
            headers["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        if if_match is not None:
            headers["If-Match"] = if_match
        content = png
        if png is not None:
            headers["Content-Type"] = "image/png"
        elif body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body, ensure_ascii=False).encode()
        self.calls += 1
        return self._until_heard(method, path, headers, content)

    def is_ready(self) -> bool:
        """Whether a system answers at the address and says it is ready."""
        try:
            return self._pool.request("GET", f"{self.address}/readyz", timeout=3.0).status == 200
        except HTTPError:
            return False

    def _until_heard(self, method: str, path: str, headers: dict[str, str], content: bytes | None) -> Reply:
        deadline = time.monotonic() + PATIENCE_S
        pause_s = 0.1
        while True:
            why, wait_s = "connection", pause_s
            try:
                answer = self._pool.request(method, self.address + path, headers=headers, body=content)
            except HTTPError as error:
                last: Exception = error
            else:
                reply = Reply(answer.status, _json(answer.data), answer.headers)
                later = answer.headers.get("Retry-After")
                if answer.status < 400:
                    return reply
                last = Refused(method, path, answer.status, reply.body)
                if answer.status not in _AWAY and not (answer.status == 409 and later):
                    raise last
                why = str(answer.status)
                wait_s = min(float(later), 5.0) if later and later.isdigit() else pause_s
            self.retries[why] = self.retries.get(why, 0) + 1
            if self.is_gone():
                raise Away("the system has ended")
            if time.monotonic() + wait_s > deadline:
                raise Away(f"{method} {path}: no answer for {PATIENCE_S:.0f} s: {last}")
            time.sleep(wait_s)
            pause_s = min(2.0, pause_s * 2)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content[:200].decode(errors="replace")
