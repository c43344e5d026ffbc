"""Finding loopback ports, and keeping the same ones from start to start."""

from __future__ import annotations

import random
import socket

from dispatch.embedded.place import Place, read, write

# Below the range from which the kernel lends ports to outgoing connections (32768 up on Linux), so that a server
# that died finds its port free again.
_RANGE = range(15_000, 32_000)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` of this machine's address `host` now."""
    try:
        try_listening(port, host)
    except OSError:
        return False
    return True


def try_listening(port: int, host: str) -> None:
    """Bind `port` of `host` for a moment; raises the OSError that a server would meet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: connections of an earlier run that still fade away are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)


def free_port(taken: set[int] | None = None) -> int:
    """A free loopback port that is not in `taken`. Two checkouts hardly ever try the same one: the choice is random."""
    for port in random.SystemRandom().sample(_RANGE, 200):
        if port not in (taken or set()) and is_free(port):
            return port
    raise OSError("no free port between 15000 and 31999")


def kept_ports(place: Place, names: list[str]) -> dict[str, int]:
    """A port for each of `names`: last time's where it is still free, else another, noted for next time."""
    known = read(place, "ports") or {}
    ports: dict[str, int] = {}
    for name in names:
        last = known.get(name)
        ports[name] = last if isinstance(last, int) and is_free(last) else free_port(set(ports.values()))
    write(place, "ports", {**known, **ports})
    return ports
