"""Days gone by: what was to be done on them, and what simulations made of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, delete, func, insert, select

from dispatch.store import tables as t
from dispatch.store.tables.base import Instant

BACKLOG = timedelta(days=14)
"""What was asked for longer before a day is not looked for."""


class Past:
    """Reads of days gone by; the kept results of simulations."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def legs_of_day(self, mode: str, begins: datetime, ends: datetime, known_by: datetime) -> list[Row[Any]]:
        """Legs whose clock started before `ends` and at most BACKLOG before `begins`, asked for by `known_by`.

        In the shape of `Planning.open_legs`, by the start of their clocks.
        """
        r, leg = t.requests.c, t.legs.c
        started_at = cast(func.jsonb_extract_path_text(leg.promise, "clock_started_at", type_=Text), Instant)
        query = (
            select(
                t.legs,
                r.body.label("r_body"),
                r.address.label("r_address"),
                r.office_id.label("r_office_id"),
            )
            .join(t.requests, r.id == leg.request_id)
            .where(leg.mode == mode, ~leg.asleep, r.created_at <= known_by)
            .where(started_at >= begins - BACKLOG, started_at < ends)
            .order_by(started_at, r.id, leg.leg)
        )
        return list(self._c.execute(query))

    def others_running(self, kind: str, operation_id: str, at: datetime) -> bool:
        """Whether another operation of a kind is being worked on."""
        c = t.operations.c
        query = select(c.id).where(c.kind == kind, c.status == "running", c.lease_until >= at, c.id != operation_id)
        return self._c.execute(query.limit(1)).first() is not None

    def keep_simulation(self, operation_id: str, mode: str, body: dict[str, Any], at: datetime) -> None:
        """Keep the whole result of a simulation."""
        row = insert(t.simulations).values(operation_id=operation_id, mode=mode, body=body, created_at=at)
        self._c.execute(row)

    def simulation(self, mode: str, operation_id: str) -> dict[str, Any] | None:
        """The whole result of a simulation of one world, None where none was kept."""
        c = t.simulations.c
        found: dict[str, Any] | None = self._c.execute(
            select(c.body).where(c.mode == mode, c.operation_id == operation_id)
        ).scalar()
        return found

    def forget_simulations(self, before: datetime) -> None:
        """Drop whole results made before an instant."""
        self._c.execute(delete(t.simulations).where(t.simulations.c.created_at < before))
