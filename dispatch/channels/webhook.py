"""The webhook channel: Standard Webhooks 1.0 signatures, and a POST that goes only to an address we checked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import re
import secrets
import socket
import ssl
import threading
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from dispatch.domain.errors import Invalid, invalid

TIMEOUT_S = 10.0
"""A receiver has this long for everything: name, connection, TLS, answer."""
KEPT_BYTES = 2048
"""So much of an answer is kept for the delivery log."""
LONGEST_RETRY_AFTER_S = 86_400.0

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What the IANA special-purpose registries (RFC 6890 and later) keep from the public internet. Written out, because
# Python's own `is_private` and `is_global` answer differently from release to release.
_CLOSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # IPv6: only 2000::/3 is given out to the public; within it, what is not, or hides an IPv4 address.
        *("::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)


@dataclass(frozen=True)
class Target:
    """A URL in parts; `path` is what stands on the request line."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


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


def resolve(host: str, port: int, timeout_s: float) -> list[str]:
    """The addresses of a host, asked of the system's resolver. Raises OSError, TimeoutError after `timeout_s`."""
    found: list[list[str]] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.append(list(dict.fromkeys(str(answer[4][0]) for answer in answers)))
        except (OSError, UnicodeError) as error:
            failed.append(OSError(str(error)))

    # The C library's resolver cannot be interrupted, so it works in a thread that we may leave behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError(f"no answer about {host}")
    return found[0]


@cache
def _system_tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@dataclass(frozen=True)
class Guard:
    """Where webhooks may go: to the public internet, to `networks`, where `receiver_allowed(host, port)` says so."""

    networks: Sequence[Network] = ()
    receiver_allowed: Callable[[str, int], bool] = lambda host, port: False
    resolve: Callable[[str, int, float], list[str]] = resolve
    tls: ssl.SSLContext = field(default_factory=_system_tls)

    def admitted(self, target: Target, addresses: Sequence[str], *, live: bool) -> list[Address]:
        """Those of a host's addresses that we may connect to, in the resolver's order."""
        excepted: bool | None = None
        admitted = []
        for text in addresses:
            address = _plain(text)
            if address is None:
                continue
            open_to_all = _is_public(address) and (target.scheme == "https" or not live)
            if not open_to_all and not any(address in network for network in self.networks):
                if excepted is None:
                    excepted = self.receiver_allowed(target.host, target.port)
                if not excepted:
                    continue
            admitted.append(address)
        return admitted


_PORTS = {"http": 80, "https": 443}


def _plain(text: str) -> Address | None:
    """The address meant by a resolver's answer: an IPv4 address in IPv6 clothes is that IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def _is_public(address: Address) -> bool:
    return not any(address in network for network in _CLOSED)


def _refused(vi: str, en: str) -> Invalid:
    return invalid("/url", "webhook_url_refused", vi, en)


def parse_url(url: str) -> Target:
    """The parts of a webhook URL. Raises Invalid (`webhook_url_refused`) where two readers might see two hosts."""
    if len(url) > 2000 or not re.fullmatch(r"[\x21-\x7e]+", url) or "\\" in url:
        raise _refused("URL phải là ASCII, không có khoảng trắng.", "The URL must be plain ASCII without spaces.")
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise _refused("URL không đọc được.", "The URL cannot be read.") from None
    if scheme not in _PORTS:
        raise _refused("URL phải bắt đầu bằng https://.", "The URL must begin with https://.")
    if "@" in parts.netloc or "#" in url:
        raise _refused(
            "URL không được chứa tên, mật khẩu hay dấu #.", "The URL may hold neither user, password nor a fragment."
        )
    if port == 0 or not (re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", host) or _is_ipv6(host)) or len(host) > 253:
        raise _refused("Tên máy chủ trong URL không hợp lệ.", "The URL names no proper host.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, port or _PORTS[scheme], path)


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _addresses(target: Target, guard: Guard, timeout_s: float) -> list[str]:
    try:
        return [str(ipaddress.ip_address(target.host))]
    except ValueError:
        return guard.resolve(target.host, target.port, timeout_s)


def check_url(url: str, guard: Guard, *, live: bool, timeout_s: float = 2.0) -> None:
    """Raise Invalid (`webhook_url_refused`) where `url` is none we would ever call.

    Live webhooks need https unless the receiver is one of our own network. A host that cannot be found now may exist
    tomorrow: it passes here, and every delivery looks again.
    """
    target = parse_url(url)
    try:
        addresses = _addresses(target, guard, timeout_s)
    except OSError:
        if live and target.scheme == "http" and not guard.receiver_allowed(target.host, target.port):
            raise _refused("Chế độ thật cần https://.", "Live webhooks need https://.") from None
        return
    if guard.admitted(target, addresses, live=live):
        return
    if live and target.scheme == "http" and any(_is_public(a) for text in addresses if (a := _plain(text))):
        raise _refused("Chế độ thật cần https://.", "Live webhooks need https://.")
    raise _refused(
        "URL trỏ tới địa chỉ nội bộ; chỉ gọi ra Internet công cộng.",
        "The URL leads to a private address; webhooks go to the public internet only.",
    )


def new_secret() -> str:
    """A fresh signing secret: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    timestamp = str(int(at.timestamp()))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
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
        addresses = _addresses(target, guard, timeout_s / 2)
    except Invalid as error:
        return failed("address_refused", error.en)
    except TimeoutError as error:
        return failed("timeout", error)
    except OSError as error:
        return failed("host_not_found", error)
    admitted = guard.admitted(target, addresses, live=live)
    if not admitted:
        return failed("address_refused", ", ".join(addresses))
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
            return failed("timeout", "the answer did not come in time")
        kept = _beginning(response)
    except (OSError, HTTPError, http.client.HTTPException, ValueError) as error:
        return failed("timeout" if expired.is_set() else _word(error), error)
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
