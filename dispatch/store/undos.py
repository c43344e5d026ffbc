"""What users did that may still be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from dispatch.store import tables as t
from dispatch.store.rows import record


@dataclass(frozen=True, slots=True)
class Deed:
    """One action of a user; `body` holds what it changed, `subject` the request or plan it was about."""

    id: int
    mode: str
    actor: str
    kind: str
    subject: str
    body: dict[str, Any]
    made_at: datetime


class Undos:
    """The deeds of each user, newest last."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, mode: str, actor: str, kind: str, subject: str, body: dict[str, Any], made_at: datetime) -> None:
        """Keep a deed."""
        values = {"mode": mode, "actor": actor, "kind": kind, "subject": subject, "body": body, "made_at": made_at}
        self._c.execute(insert(t.undos).values(**values))

    def latest(self, mode: str, actor: str) -> Deed | None:
        """The last deed of a user that was not taken back."""
        c = t.undos.c
        mine = select(t.undos).where(c.mode == mode, c.actor == actor, c.undone_at.is_(None))
        row = self._c.execute(mine.order_by(c.id.desc()).limit(1)).first()
        return None if row is None else record(Deed, row)

    def end(self, deed_id: int, at: datetime) -> None:
        """Say that a deed was taken back."""
        self._c.execute(update(t.undos).where(t.undos.c.id == deed_id).values(undone_at=at))

    def forget(self, mode: str, actor: str, before: datetime) -> None:
        """Drop a user's deeds that are too old to be taken back."""
        c = t.undos.c
        self._c.execute(delete(t.undos).where(c.mode == mode, c.actor == actor, c.made_at < before))
