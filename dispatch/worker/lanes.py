"""Places for deliveries on their way, webhook by webhook, so that slow receivers never hold up the others."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

PLACES = 128
"""Deliveries on their way at once in one process; each is a thread that mostly waits for its receiver."""


class Lanes:
    """Shares `places` among webhooks: to one at most `at_most` deliveries at once, while half of the places are free.

    A webhook is slow from the moment a delivery is under way for `slow_after_s`, until one ends sooner. A slow one, and
    any once half of the places are taken, gets `slow_at_most`; all the slow ones together get a quarter of the places.
    So it takes dozens of receivers that hang all at once to keep others waiting, and then until they time out. Safe
    for threads.
    """

    def __init__(
        self, places: int = PLACES, at_most: int = 8, slow_at_most: int = 2, slow_after_s: float = 1.0
    ) -> None:
        self._places, self._at_most, self._slow_at_most, self._slow_after_s = (
            places,
            at_most,
            slow_at_most,
            slow_after_s,
        )
        self._lock = threading.Lock()
        self._begun: dict[str, list[float]] = defaultdict(list)
        self._slow: set[str] = set()

    def enter(self, webhook_id: str) -> float | None:
        """Take a place: the ticket to leave it with; None where this webhook has its share of places now."""
        now = time.monotonic()
        with self._lock:
            self._slow |= {one for one, begun in self._begun.items() if now - begun[0] > self._slow_after_s}
            taken = {one: len(begun) for one, begun in self._begun.items()}
            slow = webhook_id in self._slow
            crowded = sum(taken.values()) >= self._places // 2
            if taken.get(webhook_id, 0) >= (self._slow_at_most if slow or crowded else self._at_most):
                return None
            if slow and sum(taken[one] for one in taken.keys() & self._slow) >= self._places // 4:
                return None
            self._begun[webhook_id].append(now)
            return now

    def leave(self, webhook_id: str, ticket: float) -> None:
        """Give a place back."""
        took_s = time.monotonic() - ticket
        with self._lock:
            self._begun[webhook_id].remove(ticket)
            if not self._begun[webhook_id]:
                del self._begun[webhook_id]
            if took_s > self._slow_after_s:
                self._slow.add(webhook_id)
            else:
                self._slow.discard(webhook_id)
