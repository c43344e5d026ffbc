"""Places for deliveries on their way, webhook by webhook, so that a slow receiver never holds up the others."""

from __future__ import annotations

import threading
import time
from collections import defaultdict


class Lanes:
    """At most `at_most` deliveries to one webhook at once; `slow_at_most` once one of them took over `slow_after_s`.

    A webhook is slow from the moment a delivery is under way for so long, until one ends sooner. Safe for threads.
    """

    def __init__(self, at_most: int = 8, slow_at_most: int = 2, slow_after_s: float = 1.0) -> None:
        self._at_most, self._slow_at_most, self._slow_after_s = at_most, slow_at_most, slow_after_s
        self._lock = threading.Lock()
        self._begun: dict[str, list[float]] = defaultdict(list)
        self._slow: set[str] = set()

    def enter(self, webhook_id: str) -> float | None:
        """Take a place: the ticket to leave it with; None where this webhook has its share of places now."""
        now = time.monotonic()
        with self._lock:
            begun = self._begun[webhook_id]
            if begun and now - begun[0] > self._slow_after_s:
                self._slow.add(webhook_id)
            if len(begun) >= (self._slow_at_most if webhook_id in self._slow else self._at_most):
                return None
            begun.append(now)
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
