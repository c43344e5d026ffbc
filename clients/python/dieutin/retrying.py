"""When a call is sent again, as a generator that neither sends nor sleeps: `Client` and `AsyncClient` drive it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import httpx

from dieutin.errors import ApiError, Unreachable


@dataclass(frozen=True)
class Send:
    """Send the call, and give back the response or what the transport raised; at most `timeout_s`."""

    timeout_s: float


@dataclass(frozen=True)
class Wait:
    """Sleep so many seconds."""

    seconds: float


Outcome = httpx.Response | httpx.TransportError | None
Attempts = Generator[Send | Wait, Outcome, httpx.Response]


@dataclass(frozen=True)
class Patience:
    """How long a call is tried. `deadline_s` covers all attempts and pauses, `attempt_s` one of them.

    Pauses double from `first_pause_s` to `longest_pause_s`, never shorter than Retry-After asks, and are made up to
    half longer by chance, so that callers who fell together do not come back together.
    """

    deadline_s: float = 60.0
    attempt_s: float = 30.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 10.0
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = field(default=random.random)

    def pause_s(self, attempt: int, asked_s: float) -> float:
        """Seconds to wait after attempt number `attempt` (1 = the first)."""
        usual = min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(attempt - 1, 20))
        return max(usual, asked_s) * (1 + self.chance() / 2)


def attempts(patience: Patience, *, repeatable: bool, least_s: float = 0.0) -> Attempts:
    """The attempts of one call, to its response below 400. Raises `ApiError` and `Unreachable`.

    A call that is not `repeatable` is sent again only where it surely had no effect. `least_s` is what one attempt may
    take at least (a call that waits for news).
    """
    ends = patience.clock() + patience.deadline_s + least_s
    attempt = 0
    while True:
        attempt += 1
        left = ends - patience.clock()
        outcome = yield Send(min(patience.attempt_s + least_s, max(left, 0.001)))
        if isinstance(outcome, httpx.Response) and outcome.status_code < 400:
            return outcome
        pause_s = patience.pause_s(attempt, _asked_s(outcome))
        if not _again(outcome, repeatable) or patience.clock() + pause_s >= ends:
            raise _error(outcome)
        yield Wait(pause_s)


def _again(outcome: Outcome, repeatable: bool) -> bool:
    if isinstance(outcome, httpx.Response):
        if outcome.status_code == 429:
            return ApiError.of(outcome).code != "pin_locked"
        if outcome.status_code == 409:
            return ApiError.of(outcome).code == "idempotency_in_progress"
        return repeatable and outcome.status_code in (502, 503, 504)
    return repeatable or isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout)


def _asked_s(outcome: Outcome) -> float:
    asked = outcome.headers.get("Retry-After", "") if isinstance(outcome, httpx.Response) else ""
    return float(asked) if asked.isdecimal() else 0.0


def _error(outcome: Outcome) -> Exception:
    if isinstance(outcome, httpx.Response):
        return ApiError.of(outcome)
    error = Unreachable(f"nobody answered: {outcome!r}")
    error.__cause__ = outcome
    return error
