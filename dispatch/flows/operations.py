"""Long pieces of work: kept as a row that whoever asked can watch, and put on the queue in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.store import Session


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
