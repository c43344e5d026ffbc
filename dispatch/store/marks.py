"""Marks that an area's plan deserves a look: rows are only added and taken away, so that no event waits for another."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Connection, and_, delete, exists, func, insert, literal, select

from dispatch.store import tables as t


class Marks:
    """What happened in the areas that are planned live, until a look has seen it."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, mode: str, office_ids: Collection[str], day: date, as_of_at: datetime, at: datetime) -> list[str]:
        """Mark those of the post offices that are planned live; their areas."""
        c = t.offices.c
        area = literal("office:") + c.id
        chosen = select(c.mode, area, literal(day), literal(as_of_at), literal(at)).where(
            c.mode == mode, c.id.in_(office_ids), c.live != "off"
        )
        names = ("mode", "area", "date", "as_of_at", "created_at")
        rows = self._c.execute(insert(t.live_marks).from_select(names, chosen).returning(t.live_marks.c.area))
        return [row.area for row in rows]

    def seen(self, mode: str, area: str, day: date) -> tuple[int, datetime] | None:
        """(number of the last mark, latest instant named by any) of an area and date; None where there is none."""
        c = t.live_marks.c
        row = self._c.execute(
            select(func.max(c.id).label("last"), func.max(c.as_of_at).label("as_of_at")).where(
                c.mode == mode, c.area == area, c.date == day
            )
        ).one()
        return None if row.last is None else (row.last, row.as_of_at)

    def forget(self, mode: str, area: str, day: date, last: int) -> None:
        """Take the marks up to this number away."""
        c = t.live_marks.c
        self._c.execute(delete(t.live_marks).where(c.mode == mode, c.area == area, c.date == day, c.id <= last))

    def lost(self, before: datetime, at: datetime) -> list[tuple[str, str, date]]:
        """(mode, area, date) with a mark made before an instant in an area that nobody plans now."""
        c, a = t.live_marks.c, t.areas.c
        busy = exists().where(and_(a.mode == c.mode, a.area == c.area, a.date == c.date, a.planning_until >= at))
        rows = self._c.execute(select(c.mode, c.area, c.date).where(c.created_at < before, ~busy).distinct())
        return [(row.mode, row.area, row.date) for row in rows]
