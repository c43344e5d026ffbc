"""A load of HTTP calls that costs the sender next to nothing: raw requests over connections that stay open."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """What came of a load: calls a second, and milliseconds per call."""

    per_second: float
    p50_ms: float
    p99_ms: float


def pace(base: str, request: Callable[[int], bytes], calls: int, connections: int) -> Pace:
    """Send `calls` requests (`request(number)` is a whole HTTP/1.1 message) over so many connections, answered 201."""
    return asyncio.run(_pace(base, request, calls, connections))


async def _pace(base: str, request: Callable[[int], bytes], calls: int, connections: int) -> Pace:
    host, _, port = base.removeprefix("http://").partition(":")
    numbers, spent = iter(range(calls)), []

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for number in numbers:
            began = time.perf_counter()
            writer.write(request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            spent.append(time.perf_counter() - began)
            if not head.startswith(b"HTTP/1.1 201"):
                raise RuntimeError((head + body).decode())
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    whole = time.perf_counter() - began
    cuts = statistics.quantiles(spent, n=100)
    return Pace(calls / whole, cuts[49] * 1000, cuts[98] * 1000)
