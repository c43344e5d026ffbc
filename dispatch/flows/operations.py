"""Long pieces of work: kept as a row that whoever asked can watch, and put on the queue in the same transaction."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from dispatch.domain.errors import DispatchError
from routing import RoutingError

if TYPE_CHECKING:
    from dispatch.store import Session, Store
    from dispatch.store.rows import Operation

LEASE = timedelta(seconds=15)
"""So long an operation may be thought alive without a sign of its worker."""
RENEW_S = 2.0

log = logging.getLogger(__name__)


def begin(session: Session, mode: str, kind: str, params: dict[str, Any], owner: str) -> str:
    """Queue an operation whose task bears the name of its kind; returns the operation's id."""
    operation_id, real_now = session.new_id("op"), session.wall_clock()
    session.planning.add_operation(
        id=operation_id,
        mode=mode,
        kind=kind,
        owner=owner,
        status="queued",
        progress=0.0,
        params=params,
        created_at=real_now,
        updated_at=real_now,
    )
    session.notices.enqueue(kind, {"operation_id": operation_id}, real_now)
    return operation_id


Failed = Literal["failed"] | None
"""How an operation that cannot be done ends; None where somebody ended it before."""


def fail(session: Session, operation_id: str, code: str, vi: str, en: str) -> Failed:
    """End an operation as failed, with what to tell whoever watches it."""
    error = {"code": code, "message": {"vi": vi, "en": en}}
    ended = session.planning.end_operation(operation_id, session.wall_clock(), "failed", error=error)
    return "failed" if ended else None


def given_up(error: RoutingError | DispatchError, cannot: str, end: Callable[[str, str, str], Failed]) -> Failed:
    """End an operation by `end(code, vi, en)` for what its work met; what passes by itself is raised and ends nothing.

    `cannot` begins the Vietnamese sentence about a planner's error.
    """
    if isinstance(error, RoutingError):
        return end(error.code, f"{cannot}: {error}", str(error))
    if not error.permanent:
        raise error
    return end(error.code, error.vi, error.en)


class Lease:
    """Says every few seconds that the work goes on, and how far it is.

    `stop` is set when somebody asks to end it with what there is, `lost` when it was ended or given to another. `hold`
    keeps what else the work has claimed: it is called with the transaction, the present and until when.
    """

    def __init__(
        self,
        store: Store,
        operation: Operation,
        hold: Callable[[Session, datetime, datetime], object] = lambda session, at, until: None,
    ) -> None:
        self.lost, self.stop = threading.Event(), threading.Event()
        self._store, self._operation, self._hold = store, operation, hold
        self._done = threading.Event()
        self.goes_on(0.0, 0.0, 0)
        self._thread = threading.Thread(target=self._renew, name=f"lease {operation.id}", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def over(self) -> bool:
        """Whether the work is to end now."""
        return self.lost.is_set() or self.stop.is_set()

    def goes_on(self, first: float, last: float, seconds: float) -> None:
        """From now on the progress rises from `first` to `last` in so many seconds."""
        self._stretch = first, last, seconds, time.monotonic()

    def _progress(self) -> float:
        first, last, seconds, began = self._stretch
        return last if seconds <= 0 else first + (last - first) * min(1.0, (time.monotonic() - began) / seconds)

    def _renew(self) -> None:
        while not self._done.wait(RENEW_S):
            try:
                if not self._renewed():
                    self.lost.set()
                    return
            except Exception:
                # The lease itself says when it is too late: the next look finds it expired.
                log.exception("lease of %s not renewed", self._operation.id)

    def _renewed(self) -> bool:
        with self._store.begin() as session:
            at = session.wall_clock()
            until = at + LEASE
            renewed = session.planning.renew_operation(self._operation.id, at, until, self._progress())
            if renewed is None:
                return False
            if renewed.stop_asked_at is not None:
                self.stop.set()
            self._hold(session, at, until)
            return True
