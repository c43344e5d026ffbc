"""Queries shaped for screens and gauges; they read across aggregates; and the scans as phones sent them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select

from dispatch.store import tables as t


class Queries:
    """What the board and the gauges read."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def board_legs(self, mode: str, since: datetime, shop_ids: list[str] | None) -> list[Row[Any]]:
        """Legs that are open, or were touched since an instant, with what the board shows of their request."""
        r, leg, shop = t.requests.c, t.legs.c, t.shops.c
        query = (
            select(
                t.legs,
                r.external_ref,
                r.kind,
                r.body,
                r.address,
                r.quote,
                r.version,
                r.warnings,
                r.tracking_token,
                r.updated_at,
                r.created_at,
                shop.name.label("shop_name"),
                shop.lat.label("shop_lat"),
                shop.lng.label("shop_lng"),
            )
            .join(t.requests, r.id == leg.request_id)
            .join(t.shops, (shop.mode == leg.mode) & (shop.id == leg.shop_id))
            .where(leg.mode == mode, ~leg.asleep, or_(~leg.closed, r.updated_at >= since))
        )
        if shop_ids is not None:
            query = query.where(leg.shop_id.in_(shop_ids))
        return list(self._c.execute(query))

    def scan_known(self, mode: str, courier_id: str, event_id: str) -> bool:
        """Whether this phone's event was merged before."""
        c = t.scans.c
        found = self._c.execute(
            select(c.event_id).where(c.mode == mode, c.courier_id == courier_id, c.event_id == event_id)
        ).first()
        return found is not None

    def keep_scan(self, **values: Any) -> None:
        """Keep a merged event as the phone sent it, with what became of it."""
        self._c.execute(insert(t.scans).values(**values))

    def gauges(self) -> dict[str, dict[str, int]]:
        """Counts for the metrics: requests by mode and status, promises by mode and state, deliveries, operations."""
        leg, d, o = t.legs.c, t.deliveries.c, t.operations.c

        def count(*columns: Any) -> dict[str, int]:
            rows = self._c.execute(select(*columns, func.count().label("n")).group_by(*columns))
            return {"/".join(str(value) for value in row[:-1]): int(row[-1]) for row in rows}

        return {
            "legs": count(leg.mode, leg.status),
            "promises": count(leg.mode, leg.promise_state),
            "deliveries": count(d.state),
            "operations": count(o.kind, o.status),
        }
