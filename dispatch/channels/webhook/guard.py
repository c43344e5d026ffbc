"""Where a webhook may go: its URL read in one way only, its host's addresses checked against the closed networks."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from dispatch.domain.errors import Invalid, invalid

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


_PORTS = {"http": 80, "https": 443}


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


def addresses_of(target: Target, guard: Guard, timeout_s: float) -> list[str]:
    """The addresses a target's host stands for now. Raises OSError, TimeoutError after `timeout_s`."""
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
        addresses = addresses_of(target, guard, timeout_s)
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
