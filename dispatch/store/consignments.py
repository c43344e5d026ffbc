"""Requests, their legs and the events of both."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, or_, select, text, tuple_, update

from dispatch.store import tables as t
from dispatch.store.rows import EventRow, LegRow, Request, record
from dispatch.store.seldom import Serials
from dispatch.store.stirred import Stirred

_SERIALS = 20
"""Numbers taken from the sequence at once: what a process leaves of them is lost, and there are 100 million."""


class Consignments:
    """Requests with their legs; events are appended, never changed."""

    def __init__(self, connection: Connection, stirred: Stirred, serials: Serials) -> None:
        self._c = connection
        self._stirred = stirred
        self._serials = serials

    def next_serials(self, mode: str, count: int) -> list[int]:
        """The next item serials; a number given out is never given out again, whatever crashes."""
        name = "item_serial_live" if mode == "live" else "item_serial_test"

        def more() -> list[int]:
            query = text(f"select nextval('{name}') from generate_series(1, :count)")
            return [int(number) for number in self._c.execute(query, {"count": _SERIALS}).scalars()]

        return self._serials.next(name, count, more)

    def get(
        self,
        mode: str,
        request_id: str,
        *,
        lock: bool = False,
        shop_id: str | None = None,
        courier_id: str | None = None,
    ) -> Request | None:
        """A request; locked until the transaction ends where it is to be changed.

        With `shop_id` only that shop's, with `courier_id` only one that was ever given to that courier: another's row
        is neither seen nor locked, so that nobody waits for what is not his.
        """
        query = select(t.requests).where(t.requests.c.mode == mode, t.requests.c.id == request_id)
        if shop_id is not None:
            query = query.where(t.requests.c.shop_id == shop_id)
        if courier_id is not None:
            has = exists().where(t.legs.c.request_id == request_id, t.legs.c.courier_id == courier_id)
            given = [
                t.events.c.request_id == request_id,
                t.events.c.type == "assigned",
                t.events.c.courier_id == courier_id,
            ]
            query = query.where(or_(has, exists().where(*given)))
        row = self._c.execute(query.with_for_update() if lock else query).first()
        return None if row is None else record(Request, row)

    def by_reference(self, mode: str, shop_id: str, kind: str, external_ref: str) -> str | None:
        """The id of the request with that natural key."""
        c = t.requests.c
        found: str | None = self._c.execute(
            select(c.id).where(c.mode == mode, c.shop_id == shop_id, c.kind == kind, c.external_ref == external_ref)
        ).scalar()
        return found

    def legs(self, request_id: str) -> list[LegRow]:
        """The legs of a request, pickup first."""
        rows = self._c.execute(select(t.legs).where(t.legs.c.request_id == request_id).order_by(t.legs.c.leg))
        return [record(LegRow, row) for row in rows]

    def legs_of(self, request_ids: list[str]) -> dict[str, list[LegRow]]:
        """The legs of many requests, by request id."""
        found: dict[str, list[LegRow]] = {request_id: [] for request_id in request_ids}
        if not request_ids:
            return found
        rows = self._c.execute(
            select(t.legs).where(t.legs.c.request_id.in_(request_ids)).order_by(t.legs.c.request_id, t.legs.c.leg)
        )
        for row in rows:
            found[row.request_id].append(record(LegRow, row))
        return found

    def by_item(self, item_id: str) -> tuple[Request, LegRow] | None:
        """The request and leg that an item number belongs to."""
        row = self._c.execute(select(t.legs).where(t.legs.c.item_id == item_id)).first()
        if row is None:
            return None
        leg = record(LegRow, row)
        request = self.get(leg.mode, leg.request_id)
        return None if request is None else (request, leg)

    def request_of_item(self, mode: str, item_id: str, shop_id: str | None = None) -> str | None:
        """The id of the request that has an item number in one world, with `shop_id` only of that shop."""
        c = t.legs.c
        query = select(c.request_id).where(c.mode == mode, c.item_id == item_id)
        found: str | None = self._c.execute(query if shop_id is None else query.where(c.shop_id == shop_id)).scalar()
        return found

    def change(self, request_id: str, **values: Any) -> None:
        """Write columns of a request that is locked by this transaction."""
        self._c.execute(update(t.requests).where(t.requests.c.id == request_id).values(**values))
        self._stirred.request_ids.add(request_id)

    def change_leg(self, request_id: str, leg: str, **values: Any) -> None:
        """Write columns of a leg whose request is locked by this transaction."""
        self._c.execute(update(t.legs).where(t.legs.c.request_id == request_id, t.legs.c.leg == leg).values(**values))
        self._stirred.request_ids.add(request_id)

    def due_for_check(
        self, mode: str, until: datetime, limit: int, shop_id: str | None = None
    ) -> list[tuple[str, str]]:
        """(request id, leg) whose promise has something to decide up to `until`, oldest first; of one shop only."""
        c = t.legs.c
        query = select(c.request_id, c.leg).where(c.mode == mode, c.next_check_at <= until)
        if shop_id is not None:
            query = query.where(c.shop_id == shop_id)
        rows = self._c.execute(query.order_by(c.next_check_at).limit(limit))
        return [(row.request_id, row.leg) for row in rows]

    def add_event(self, **values: Any) -> bool:
        """Append an event; False where its id is known already."""
        known = self._c.execute(select(t.events.c.seq).where(t.events.c.id == values["id"])).first()
        if known is not None:
            return False
        self._c.execute(insert(t.events).values(**values))
        return True

    def events(self, request_id: str, leg: str | None = None) -> list[EventRow]:
        """The events of a request (or of one leg) as they were recorded."""
        query = select(t.events).where(t.events.c.request_id == request_id)
        if leg is not None:
            query = query.where(t.events.c.leg == leg)
        return [record(EventRow, row) for row in self._c.execute(query.order_by(t.events.c.seq))]

    def page(
        self, mode: str, shop_id: str | None, filters: dict[str, Any], after: tuple[datetime, str] | None, limit: int
    ) -> list[Request]:
        """Requests in the order of creation after a cursor.

        `filters`: status, external_ref, updated_after, authority_due_before (results owed before a date and not yet
        collected: the late dossiers of 659/UBND-KGVX 27/3/2020 §1).
        """
        c = t.requests.c
        query = select(t.requests).where(c.mode == mode).order_by(c.created_at, c.id).limit(limit)
        if shop_id is not None:
            query = query.where(c.shop_id == shop_id)
        if "status" in filters:
            query = query.where(c.status == filters["status"])
        if "external_ref" in filters:
            query = query.where(c.external_ref == filters["external_ref"])
        if "updated_after" in filters:
            query = query.where(c.updated_at > filters["updated_after"])
        if "authority_due_before" in filters:
            before_collection = ("REQUESTED", "DISPATCHED", "ASSIGNED", "PICKUP_FAILED")
            query = query.where(c.authority_due_on < filters["authority_due_before"], c.status.in_(before_collection))
        if after is not None:
            query = query.where(tuple_(c.created_at, c.id) > tuple_(*after))
        return [record(Request, row) for row in self._c.execute(query)]
