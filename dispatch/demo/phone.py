"""A courier's phone: it keeps the day's pack and every event, and brings them to the server when there is a network."""

from __future__ import annotations

import hashlib
import math
import struct
import uuid
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from dispatch.demo.client import Api
from dispatch.demo.clock import Clock
from dispatch.demo.network import PIN, Bearer

BATCH = 50
CARRIED = frozenset({"COLLECTED", "IN_TRANSIT", "OUT_FOR_DELIVERY"})
_TO_COLLECT = frozenset({"DISPATCHED", "ASSIGNED", "PICKUP_FAILED", "AT_OFFICE"})


@dataclass
class Phone:
    """One phone; its own clock may be wrong, and it knows by how much. `said` counts the server's answers."""

    api: Api
    clock: Clock
    owner: Bearer
    random: Random
    day: date
    offline: bool = False
    said: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    stops: list[dict[str, Any]] = field(default_factory=list)
    bag: dict[str, str] = field(default_factory=dict)
    """Requests whose papers are with this courier, and the leg each is on."""
    _token: str = ""
    _seq: int = 0
    _waiting: list[dict[str, Any]] = field(default_factory=list)
    _pictures: dict[str, bytes] = field(default_factory=dict)
    _acted: set[tuple[str, str]] = field(default_factory=set)

    def sign_in(self) -> None:
        """Sign in with phone number and PIN."""
        made = self.api.call("POST", "/v1/courier/sessions", "", {"phone": self.owner.phone, "pin": PIN}).body
        self._token = made["token"]

    def talk(self) -> None:
        """With a network: send what waits, then fetch the pack."""
        if self.offline:
            return
        self.flush()
        self.stops = self.api.call("GET", f"/v1/courier/day?date={self.day.isoformat()}", self._token).body["stops"]

    def open_tasks(self, stop: dict[str, Any]) -> list[dict[str, Any]]:
        """What is still to be done at a stop, as far as this phone knows; a delivery needs its papers in the bag."""
        if stop["state"] != "open":
            return []
        tasks = [task for task in stop["requests"] if (stop["stop_id"], task["id"]) not in self._acted]
        if stop["kind"] == "delivery":
            return [task for task in tasks if task["id"] in self.bag or task["status"] in CARRIED]
        return [task for task in tasks if task["id"] not in self.bag and task["status"] in _TO_COLLECT]

    def next_stop(self) -> dict[str, Any] | None:
        """The first stop of the pack with something left to do."""
        return next((stop for stop in self.stops if self.open_tasks(stop)), None)

    def stop(self, stop_id: str) -> dict[str, Any] | None:
        """A stop of the pack, while there is something left to do."""
        return next((stop for stop in self.stops if stop["stop_id"] == stop_id and self.open_tasks(stop)), None)

    def picture(self) -> str:
        """Take a picture of a signature or a door; its hash."""
        content = scribble(self.random)
        digest = hashlib.sha256(content).hexdigest()
        self._pictures[digest] = content
        return digest

    def note(
        self,
        type: str,
        where: tuple[float, float],
        stop_id: str | None = None,
        request_ids: Iterable[str] = (),
        payload: dict[str, Any] | None = None,
        media: Iterable[str] = (),
    ) -> None:
        """Keep an event that happened now, under an id that stays the same however often it is sent."""
        self._seq += 1
        ids = list(request_ids)
        if stop_id is not None and type not in ("arrived", "cash_taken"):
            self._acted |= {(stop_id, request_id) for request_id in ids}
        self._waiting.append(
            {
                "event_id": str(uuid.uuid4()),
                "device_seq": self._seq,
                "type": type,
                "stop_id": stop_id,
                "request_ids": ids,
                "at_device": (self.clock.now + self.owner.phone_ahead).isoformat(),
                "clock_offset_ms": -self.owner.phone_ahead // timedelta(milliseconds=1),
                "lat": round(where[0], 6),
                "lng": round(where[1], 6),
                "accuracy_m": round(self.random.uniform(4, 18), 1),
                "payload": payload or {},
                "media": list(media),
            }
        )

    def flush(self, *, twice: bool = False) -> None:
        """Send pictures and events, oldest first; `twice` plays a phone that missed the answer and sends all again."""
        while self._pictures:
            digest, content = next(iter(self._pictures.items()))
            self.api.call("PUT", f"/v1/courier/media/{digest}", self._token, png=content)
            del self._pictures[digest]
        while self._waiting:
            batch = self._waiting[:BATCH]
            self._send(batch)
            if twice and any(result != "duplicate" for result in self._send(batch)):
                self.faults.append(f"{self.owner.id}: events sent twice were not all known as duplicates")
            self._waiting = self._waiting[BATCH:]

    def _send(self, batch: list[dict[str, Any]]) -> list[str]:
        answer = self.api.call("POST", "/v1/courier/sync", self._token, {"events": batch}).body
        results = []
        for event, result in zip(batch, answer["results"], strict=True):
            what = result["result"]
            results.append(what)
            self.said[what] = self.said.get(what, 0) + 1
            if what in ("rejected", "conflict"):
                why = result.get("code") or result.get("server_state")
                self.faults.append(f"{self.owner.id} {self.clock.now:%H:%M} {event['type']}: {what} {why}")
        return results


def scribble(random: Random) -> bytes:
    """A small grey PNG with a curve on it, as a finger signs: every one different."""
    width, height = 120, 48
    rows = [bytearray(b"\xff" * width) for _ in range(height)]
    waves = [(random.uniform(2, 9), random.uniform(0.05, 0.4), random.uniform(0, 6)) for _ in range(3)]
    for x in range(8, width - 8):
        y = height / 2 + sum(size * math.sin(pace * x + shift) for size, pace, shift in waves)
        for thick in (0, 1):
            rows[max(0, min(height - 1, int(y) + thick))][x] = 0x20
    raw = b"".join(b"\x00" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
