"""New requests with all that belongs to them, kept by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, Table, text

from dispatch.store import tables as t
from dispatch.store.rows import LegRow, Request, columns

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether a new request was taken, and whether the answer of the call was remembered."""

    request: bool
    answer: bool


_LEFT_TO_THE_DATABASE = {"events": {"seq"}, "forecasts": {"seq"}, "feed": {"seq", "place"}}


def _columns(table: Table) -> list[str]:
    return [column.name for column in table.c if column.name not in _LEFT_TO_THE_DATABASE.get(table.name, ())]


def _insert(table: Table) -> str:
    """The insertion of a table's rows that belong to a request which was taken."""
    names = _columns(table)
    return (
        f"insert into {table.name} ({', '.join(names)}) select {', '.join(f'v.{name}' for name in names)} "
        f"from jsonb_populate_recordset(null::{table.name}, :{table.name}) v join taken on taken.id = v.request_id"
    )


_NAMES = ("requests", "legs", "events", "feed", "deliveries", "forecasts", "idempotency")
_KEEP = text(
    f"""
    with taken as (
        insert into requests ({", ".join(_columns(t.requests))})
        select {", ".join(_columns(t.requests))} from jsonb_populate_recordset(null::requests, :requests)
        on conflict (mode, shop_id, kind, external_ref) do nothing
        returning id),
    of_legs as ({_insert(t.legs)}),
    of_events as ({_insert(t.events)}),
    of_forecasts as ({_insert(t.forecasts)}),
    of_feed as ({_insert(t.feed)} order by v.seq returning id),
    of_deliveries as (
        insert into deliveries
            (id, webhook_id, feed_id, state, attempt, next_at, queued_at, log, created_at, updated_at)
        select v.id, v.webhook_id, v.feed_id, 'pending', 0, now(),
            case when webhooks.failing_since is null then now() end, '[]', now(), now()
        from jsonb_populate_recordset(null::deliveries, :deliveries) v
        join of_feed on of_feed.id = v.feed_id join webhooks on webhooks.id = v.webhook_id
        returning id, queued_at),
    of_outbox as (
        insert into outbox (task, args, created_at)
        select 'deliver', jsonb_build_object('delivery_id', id), now() from of_deliveries where queued_at is not null
        returning pg_notify('outbox', '')),
    answered as (
        insert into idempotency ({", ".join(_columns(t.idempotency))})
        select {", ".join(_columns(t.idempotency))} from jsonb_populate_recordset(null::idempotency, :idempotency)
        on conflict do nothing
        returning 1)
    select (select count(*) from taken) as taken, (select count(*) from answered) as answers,
        (select count(*) from of_outbox)
    """
)


class Intake:
    """Takes new requests in."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    @staticmethod
    def request(**values: Any) -> Request:
        """A request that is not stored yet."""
        return Request(**values)

    @staticmethod
    def leg(**values: Any) -> LegRow:
        """A leg that is not stored yet."""
        return LegRow(**values)

    def keep(self, request: Request, legs: Sequence[LegRow], look_again_at: datetime, **belonging: Rows) -> Taken:
        """Insert a request with its legs and the rows that belong to it, or nothing where its natural key is taken.

        `belonging`: `events`, `feed`, `deliveries`, `forecasts`, and as `idempotency` the answer to remember, which is
        left out where there is one already. Entries of the feed follow each other by their `seq`. The forecasts are due
        again at `look_again_at`.
        """
        rows = {
            "requests": [columns(request)],
            "legs": [{**columns(leg), "forecast_due_at": look_again_at} for leg in legs],
            **belonging,
        }
        found = self._c.execute(_KEEP, {name: to_json(rows.get(name, [])).decode() for name in _NAMES}).one()
        return Taken(found.taken == 1, found.answers == 1)
