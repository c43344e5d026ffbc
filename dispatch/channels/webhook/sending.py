"""Sign a message per Standard Webhooks 1.0 and POST it, to an address the guard has admitted, within a time limit."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import re
import socket
import ssl
import threading
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from secrets import token_bytes
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from dispatch.channels.webhook.guard import Address, Guard, Target, addresses_of, parse_url
from dispatch.domain.errors import Invalid

TIMEOUT_S = 10.0
"""A receiver has this long for everything: name, connection, TLS, answer."""
KEPT_BYTES = 4096
"""So much of an answer is kept for the delivery log."""
LONGEST_RETRY_AFTER_S = 86_400.0


@dataclass(frozen=True)
class Answer:
    """What became of one POST: `status` is None where nobody answered, and then `error` says why in a word."""

    status: int | None
    error: str | None = None
    detail: str = ""
    retry_after_s: float | None = None
    address: str | None = None
    duration_ms: int = 0

    def line(self) -> dict[str, Any]:
        """The answer as the delivery log keeps it."""
        return {
            "status": self.status,
            "error": self.error,
            "answer": self.detail,
            "address": self.address,
            "duration_ms": self.duration_ms,
        }


def new_secret() -> str:
    """A fresh signing secret: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(token_bytes(32)).decode()


def sign(secrets: list[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks 1.0: one HMAC-SHA256 over `id.timestamp.body` for each secret."""
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
    digests = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join("v1," + base64.b64encode(digest).decode() for digest in digests),
    }


def post(
    url: str, headers: dict[str, str], body: bytes, guard: Guard, *, live: bool, timeout_s: float = TIMEOUT_S
) -> Answer:
    """POST `body` to `url` within `timeout_s` seconds; never raises, never follows a redirect.

    We find the host's addresses, check them and connect to a checked one, so that a name that changes its meaning
    between check and connection leads nowhere.
    """
    begun = time.monotonic()
    address: Address | None = None

    def failed(error: str, detail: object) -> Answer:
        spent_ms = int((time.monotonic() - begun) * 1000)
        reached = None if address is None else str(address)
        return Answer(None, error, _clean(str(detail)), address=reached, duration_ms=spent_ms)

    try:
        target = parse_url(url)
        addresses = addresses_of(target, guard, timeout_s / 2)
    except Invalid as error:
        return failed("address_refused", error.en)
    except TimeoutError as error:
        return failed("timeout", error)
    except OSError as error:
        return failed("host_not_found", error)
    admitted = guard.admitted(target, addresses, live=live)
    if not admitted:
        # Not which: the names of our own network are nobody's business.
        return failed("address_refused", "the host leads to no address that webhooks may go to")
    outcome = failed("timeout", "no time left to connect")
    for address in admitted[:4]:
        left_s = timeout_s - (time.monotonic() - begun)
        if left_s <= timeout_s / 100:
            break
        connection = _connection(target, address, guard, min(left_s, timeout_s / 2))
        try:
            connection.connect()
        except (OSError, HTTPError) as error:
            # Nobody has seen the message yet: another address of the same host may serve.
            outcome = failed(_word(error), error)
            connection.close()
            continue
        return _exchange(connection, target, {**headers, **_HEADERS}, body, begun, timeout_s, failed)
    return outcome


_LATE = "the answer did not come in time"
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": "DieuTin-Webhook/1.0",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


def _connection(target: Target, address: Address, guard: Guard, timeout_s: float) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(str(address), target.port, timeout=timeout_s)
    name = target.host.rstrip(".")
    return HTTPSConnection(str(address), target.port, timeout=timeout_s, ssl_context=guard.tls, server_hostname=name)


def _exchange(
    connection: HTTPConnection,
    target: Target,
    headers: dict[str, str],
    body: bytes,
    begun: float,
    timeout_s: float,
    failed: Callable[[str, object], Answer],
) -> Answer:
    """Send the message over an open connection and read the beginning of the answer."""
    wire = connection.sock
    left_s = max(timeout_s / 100, timeout_s - (time.monotonic() - begun))
    connection.timeout = left_s
    expired = threading.Event()

    def hang_up() -> None:
        expired.set()
        # A receiver that sends a byte now and then never meets the socket's own timeout. The plain socket's shutdown,
        # because TLS would want to say goodbye first.
        try:
            socket.socket.shutdown(wire, socket.SHUT_RDWR)
        except OSError:
            return

    watchdog = threading.Timer(left_s, hang_up)
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.request(
            *("POST", target.path, body, {**headers, "Host": target.authority}),
            preload_content=False,
            decode_content=False,
            enforce_content_length=False,
        )
        response = connection.getresponse()
        if expired.is_set():  # What we cut off ourselves was no answer, though it may read like one.
            return failed("timeout", _LATE)
        kept = _beginning(response)
    except (OSError, HTTPError, http.client.HTTPException, ValueError) as error:
        return failed("timeout", _LATE) if expired.is_set() else failed(_word(error), error)
    finally:
        watchdog.cancel()
        connection.close()
    return Answer(
        response.status,
        detail=_clean(kept.decode(errors="replace")),
        retry_after_s=_retry_after(response.headers.get("Retry-After")),
        address=connection.host,
        duration_ms=int((time.monotonic() - begun) * 1000),
    )


def _beginning(response: Any) -> bytes:
    try:
        kept: bytes = response.read(KEPT_BYTES, decode_content=False)
    except (OSError, HTTPError, http.client.HTTPException, ValueError):
        return b""  # The status is what counts; it came in time.
    return kept


def _word(error: Exception) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "timeout"
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in str(error):
        return "tls_failed"
    if isinstance(error, http.client.HTTPException | ValueError):
        return "answer_unreadable"
    return "connection_failed"


def _clean(text: str) -> str:
    """Text that PostgreSQL and a log can keep, at most `KEPT_BYTES` characters."""
    text = "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text[:KEPT_BYTES]


def _retry_after(header: str | None) -> float | None:
    """Seconds asked for by a Retry-After header (seconds or HTTP date), within 0 and a day; None where it asks none."""
    if not header:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header.strip()):
        asked_s = float(header)
    else:
        try:
            until = parsedate_to_datetime(header)
        except (ValueError, IndexError, TypeError):
            return None
        asked_s = (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(asked_s, 0.0), LONGEST_RETRY_AFTER_S)
