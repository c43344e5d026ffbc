"""Keep the promises' clocks: what time alone changes is found by stored instants and written by guarded update."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dispatch.domain.errors import NotFound, Unavailable
from dispatch.flows.recording import Scene, refuse_backwards, settle

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.rows import Request

log = logging.getLogger(__name__)


def sweep(session: Session, mode: str, scene: Scene, limit: int = 500, shop_id: str | None = None) -> int:
    """Settle every promise of one world (or of one shop of it) with something due up to `scene.now`; how many
    requests changed.

    Rows are locked one by one and looked at again under the lock, so any number of sweeps may run at once. A request
    that cannot be settled is reported and left; it never holds up the others' promises.
    """
    changed = 0
    due = session.consignments.due_for_check(mode, scene.now, limit, shop_id)
    for request_id in dict.fromkeys(row[0] for row in due):
        try:
            with session.apart():
                request = session.consignments.get(mode, request_id, lock=True)
                changed += request is not None and settle(session, scene, request)
        except Unavailable:
            raise
        except Exception:
            log.exception("a promise could not be settled: %s", request_id)
    return changed


def touch(
    session: Session,
    scene: Scene,
    mode: str,
    request_id: str,
    shop_id: str | None,
    *,
    change: bool,
    courier_id: str | None = None,
) -> Request:
    """A request as it stands at `scene.now`, locked where it is to be changed; 404 where it is not the caller's.

    A shop sees its own, a courier what was ever given to him, whoever is neither all. A row of the test world first
    gets what the sweeps would have done up to that instant.
    """
    lock = change or mode == "test"
    request = session.consignments.get(mode, request_id, lock=lock, shop_id=shop_id, courier_id=courier_id)
    if request is None:
        raise no_such_request()
    if change:
        refuse_backwards(request, scene.now)
    if mode == "live":
        return request
    session.stirred.request_ids.add(request.id)  # no clock looks after its forecast
    if settle(session, scene, request):
        settled = session.consignments.get(mode, request_id)
        assert settled is not None
        return settled
    return request


def no_such_request() -> NotFound:
    """The answer for a request that is not there, or is another shop's."""
    return NotFound(code="not_found", vi="Không có yêu cầu này.", en="There is no such request.")
