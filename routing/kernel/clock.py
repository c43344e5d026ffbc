"""How much of a search is over: by the wall clock, or by a count of iterations where results must not depend on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_BATCH_S = 0.02  # between two looks at the clock
_BATCH = 100  # iterations between two looks when the clock is not asked


class Clock:
    """The limits of one search, and the iterations made so far."""

    def __init__(
        self, iterations: int | None, remaining_s: Callable[[], float | None], should_stop: Callable[[], bool]
    ) -> None:
        self.iterations, self.remaining_s, self.should_stop = iterations, remaining_s, should_stop
        self.done = 0
        self.speed = 200.0  # iterations a second of one thread, at a guess
        self.began_s = 0.0
        self.begin()

    def begin(self) -> None:
        """Count the shares from now on."""
        self.began_s = self.remaining_s() or 0.0

    def share(self) -> float:
        """Return how much of the search is over, from 0 to 1."""
        if self.iterations is not None:
            return min(1.0, self.done / self.iterations)
        left = self.remaining_s()
        return 1.0 if not left or left <= 0 or self.began_s <= 0 else max(0.0, 1.0 - left / self.began_s)

    def over(self) -> bool:
        """Say whether the search must end."""
        return self.share() >= 1.0 or self.should_stop()

    def iterations_left(self) -> float:
        """Return how many iterations one thread can still make, about."""
        if self.iterations is not None:
            return float(self.iterations - self.done)
        return self.speed * max(0.0, self.remaining_s() or 0.0)

    def until(self, share: float, jobs: int = 1) -> Stretch:
        """Return the stretch from now until so much is over, one of `jobs` that run side by side."""
        now, all_of_it = self.share(), self.iterations
        quota = None if all_of_it is None else round((share - now) * all_of_it / jobs)
        return Stretch(self, quota, now, share)

    def count(self, iterations: int) -> Stretch:
        """Return a stretch of so many iterations."""
        return Stretch(self, iterations)


@dataclass(slots=True)
class Stretch:
    """A part of a search: a count of iterations, or the time from one share of the clock to another."""

    clock: Clock
    quota: int | None
    first: float = 0.0
    last: float = 1.0
    made: int = 0
    began_s: float = 0.0

    def at(self) -> float:
        """Return how much of the stretch is over: 1 or more when it has ended."""
        if self.clock.over():
            return 1.0
        if self.quota is not None:
            return self.made / self.quota if self.quota > 0 else 1.0
        return (self.clock.share() - self.first) / (self.last - self.first) if self.last > self.first else 1.0

    def batch(self) -> int:
        """Return how many iterations to make until the next look."""
        self.began_s = time.perf_counter()
        if self.clock.iterations is None:
            most = int(self.clock.speed * min(_BATCH_S, self.clock.remaining_s() or 0.0))
        else:
            most = _BATCH
        return max(1, most if self.quota is None else min(most, self.quota - self.made))

    def add(self, made: int) -> None:
        """Note that so many were made since `batch`."""
        self.made += made
        took = max(1e-6, time.perf_counter() - self.began_s)
        self.clock.speed = 0.5 * self.clock.speed + 0.5 * made / took
