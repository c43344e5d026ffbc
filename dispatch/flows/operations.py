"""Long pieces of work: kept as a row that whoever asked can watch, and put on the queue in the same transaction."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.store import Session, Store
    from dispatch.store.rows import Operation

LEASE = timedelta(seconds=15)
"""So long an operation may be thought alive without a sign of its worker."""
RENEW_S = 3.0

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


class Lease:
    """Says every few seconds that the work goes on; `lost` is set when it was cancelled or given to another.

    `share` tells how much of the work is done, `hold` keeps what else the work has claimed (session, at, until).
    """

    def __init__(
        self,
        store: Store,
        operation: Operation,
        share: Callable[[], float],
        hold: Callable[[Session, datetime, datetime], object] = lambda session, at, until: None,
    ) -> None:
        self.lost = threading.Event()
        self._store, self._operation, self._share, self._hold = store, operation, share, hold
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease {operation.id}", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

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
            if not session.planning.renew_operation(self._operation.id, at, until, min(0.95, self._share())):
                return False
            self._hold(session, at, until)
            return True
