"""Money as it moved, complaints, and shifts whose cash was reconciled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, func, insert, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatch.store import tables as t
from dispatch.store.rows import Request, record


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger: whole đồng, money coming in positive, money going out negative; never changed.

    `kind` is the type of the event it stands for; `shift_date` is set where a courier's cash moved.
    """

    mode: str
    request_id: str | None
    leg: str | None
    book: str
    kind: str
    amount: int
    occurred_at: datetime
    recorded_at: datetime
    event_id: str
    method: str | None
    receipt_no: str | None
    courier_id: str | None
    shift_date: date | None
    actor: str
    note: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint as it was answered on the day it came in."""

    id: str
    mode: str
    request_id: str
    leg: str
    kind: str
    lodged_at: datetime
    answer_due_on: date
    minimum_compensation: int
    refund: int
    admissible: bool
    actor: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Closing:
    """The reconciliation of one courier's cash of one date: the figures as they were accepted, and by whom."""

    mode: str
    courier_id: str
    date: date
    cash: dict[str, Any]
    explanation: str
    closed_by: str
    closed_at: datetime


Place = tuple[datetime, str, str]
"""Where a walk over charged legs stands: (charged_at, request id, leg)."""


class Money:
    """The append-only ledger, complaints, shift closings, and the walk over charged legs."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    # the ledger
    def add_entries(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Append entries; one whose event was booked in that book and kind before is left out. How many were new."""
        if not rows:
            return 0
        statement = upsert(t.ledger).values([dict(row) for row in rows])
        unbooked = statement.on_conflict_do_nothing(index_elements=["event_id", "book", "kind"])
        return len(self._c.execute(unbooked.returning(t.ledger.c.seq)).all())

    def entries(self, request_id: str) -> list[Entry]:
        """Every entry about a request, as booked."""
        rows = self._c.execute(select(t.ledger).where(t.ledger.c.request_id == request_id).order_by(t.ledger.c.seq))
        return [record(Entry, row) for row in rows]

    def entries_of_events(self, event_ids: Collection[str]) -> list[Entry]:
        """What was booked for these events."""
        if not event_ids:
            return []
        rows = self._c.execute(select(t.ledger).where(t.ledger.c.event_id.in_(event_ids)).order_by(t.ledger.c.seq))
        return [record(Entry, row) for row in rows]

    def shift_entries(self, mode: str, courier_id: str, day: date) -> list[Entry]:
        """Every entry about the cash of one courier on one date, as booked."""
        c = t.ledger.c
        rows = self._c.execute(
            select(t.ledger).where(c.mode == mode, c.courier_id == courier_id, c.shift_date == day).order_by(c.seq)
        )
        return [record(Entry, row) for row in rows]

    def state_fees_in_hand(self, mode: str, limit: int) -> list[tuple[str, str, int, datetime]]:
        """(request id, leg, amount, collected at) of state fees collected and not yet remitted, oldest first."""
        c = t.ledger.c
        taken_at = func.min(c.occurred_at)
        rows = self._c.execute(
            select(c.request_id, c.leg, func.sum(c.amount).label("amount"), taken_at.label("taken_at"))
            .where(c.mode == mode, c.book == "STATE_FEE", c.request_id.is_not(None))
            .group_by(c.request_id, c.leg)
            .having(func.sum(c.amount) > 0)
            .order_by(taken_at, c.request_id, c.leg)
            .limit(limit)
        )
        return [(row.request_id, row.leg, int(row.amount), row.taken_at) for row in rows]

    # shifts
    def closing(self, mode: str, courier_id: str, day: date) -> Closing | None:
        """How the cash of a shift was closed; None where it is still open."""
        c = t.shift_closings.c
        row = self._c.execute(
            select(t.shift_closings).where(c.mode == mode, c.courier_id == courier_id, c.date == day)
        ).first()
        return None if row is None else record(Closing, row)

    def close_shift(self, mode: str, courier_id: str, day: date, **values: Any) -> None:
        """Write `cash`, `explanation`, `closed_by`, `closed_at` of a shift; a shift closed anew keeps the newest."""
        row = upsert(t.shift_closings).values(mode=mode, courier_id=courier_id, date=day, **values)
        self._c.execute(row.on_conflict_do_update(index_elements=["mode", "courier_id", "date"], set_=values))

    # complaints
    def add_complaint(self, **values: Any) -> None:
        """Keep a complaint."""
        self._c.execute(insert(t.complaints).values(**values))

    def complaints(self, request_id: str) -> list[Complaint]:
        """The complaints about a request in the order they came in."""
        c = t.complaints.c
        rows = self._c.execute(select(t.complaints).where(c.request_id == request_id).order_by(c.created_at, c.id))
        return [record(Complaint, row) for row in rows]

    # the walk over charged legs
    def count_charged(self, mode: str, province_code: str, since: datetime, until: datetime) -> int:
        """How many legs a province's post offices charged from `since` to before `until`."""
        return int(
            self._c.execute(
                select(func.count()).select_from(t.legs).where(*_charged(mode, province_code, since, until))
            ).scalar_one()
        )

    def charged(
        self, mode: str, province_code: str, since: datetime, until: datetime, after: Place | None, limit: int
    ) -> list[Place]:
        """The next page of charged legs behind `after`, in the order they were charged."""
        c = t.legs.c
        query = select(c.charged_at, c.request_id, c.leg).where(*_charged(mode, province_code, since, until))
        if after is not None:
            query = query.where(tuple_(c.charged_at, c.request_id, c.leg) > tuple_(*after))
        rows = self._c.execute(query.order_by(c.charged_at, c.request_id, c.leg).limit(limit))
        return [(row.charged_at, row.request_id, row.leg) for row in rows]

    def charged_at(self, request_ids: Sequence[str]) -> dict[tuple[str, str], datetime | None]:
        """When each leg of these requests was charged, by (request id, leg)."""
        c = t.legs.c
        rows = self._c.execute(select(c.request_id, c.leg, c.charged_at).where(c.request_id.in_(request_ids)))
        return {(row.request_id, row.leg): row.charged_at for row in rows}

    def write_quotes(self, requests: Sequence[Request]) -> None:
        """Write `quote`, `version`, `last_at`, `updated_at` of many requests that this transaction has locked."""
        rows = [
            {
                "id": row.id,
                "quote": row.quote,
                "version": row.version,
                "last_at": row.last_at.isoformat(),
                "updated_at": row.updated_at.isoformat(),
            }
            for row in requests
        ]
        if rows:
            self._c.execute(_WRITE_QUOTES, {"rows": to_json(rows).decode()})


_WRITE_QUOTES = text(
    """
    update requests set quote = v.quote, version = v.version, last_at = v.last_at, updated_at = v.updated_at
    from jsonb_to_recordset(cast(:rows as jsonb))
        as v (id text, quote jsonb, version int, last_at timestamptz, updated_at timestamptz)
    where requests.id = v.id
    """
)
"""One statement for a page: several times faster than as many updates."""


def _charged(mode: str, province_code: str, since: datetime, until: datetime) -> tuple[Any, ...]:
    c = t.legs.c
    return (
        c.mode == mode,
        c.accepting_province == province_code,
        c.charged_at.is_not(None),
        c.charged_at >= since,
        c.charged_at < until,
    )
