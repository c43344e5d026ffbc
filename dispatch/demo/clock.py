"""The demo's clock: one queue of things to happen in simulated time, paced against real time."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from datetime import datetime, timedelta

Action = Callable[[], None]


class Clock:
    """Simulated time that only moves forward; whatever happens, happens in one thread, in its order.

    `speed` is how many times faster than life it runs, 0 as fast as possible. Where the work took longer than the
    pace allows, the clock catches up without pausing.
    """

    def __init__(self, starts_at: datetime, speed: float) -> None:
        self.now = starts_at
        self.speed = speed
        self._queue: list[tuple[datetime, int, Action]] = []
        self._order = itertools.count()
        self.start()

    def at(self, moment: datetime, action: Action) -> None:
        """Let something happen at an instant, or at once where that has passed."""
        heapq.heappush(self._queue, (max(moment, self.now), next(self._order), action))

    def after(self, pause: timedelta, action: Action) -> None:
        """Let something happen after a while."""
        self.at(self.now + pause, action)

    def every(self, pause: timedelta, first: datetime, until: datetime, action: Action) -> None:
        """Let something happen again and again, between two instants."""

        def again() -> None:
            action()
            if self.now + pause <= until:
                self.after(pause, again)

        self.at(first, again)

    def run(self, until: datetime, *, paced: bool = True) -> None:
        """Let things happen until an instant, without pausing if not `paced`; what lies later stays in the queue."""
        while self._queue and self._queue[0][0] <= until:
            moment, _, action = heapq.heappop(self._queue)
            if paced:
                self._wait_for(moment)
            self.now = max(self.now, moment)
            action()

    def start(self) -> None:
        """Count the pace from here."""
        self._began = (time.monotonic(), self.now)

    def leap(self, moment: datetime) -> None:
        """Skip ahead, a night for instance; what was still to happen before is dropped."""
        self._queue.clear()
        self.now = max(self.now, moment)
        self.start()

    def _wait_for(self, moment: datetime) -> None:
        if not self.speed:
            return
        real, simulated = self._began
        pause_s = real + (moment - simulated).total_seconds() / self.speed - time.monotonic()
        if pause_s > 0:
            time.sleep(pause_s)
