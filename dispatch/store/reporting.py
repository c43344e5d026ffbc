"""Rows the reports are made of; read only, and only the columns a report needs.

Long answers come through a server-side cursor in pages, so that a year of one province never lies in memory twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Date,
    Integer,
    Interval,
    Row,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from dispatch.store import tables as t
from dispatch.store.tables.base import Instant

PAGE = 1000
Rows = Iterator[Row[Any]]


def _text(column: Any, *path: str) -> Any:
    """The text at a path of a JSON column, null where there is none."""
    return func.jsonb_extract_path_text(column, *path, type_=Text)


def _local_day(column: Any) -> Any:
    """The date in Vietnam at an instant: +07:00 all year."""
    return cast(func.timezone(literal(timedelta(hours=7), Interval), column), Date)


_REGISTERED_AT = func.coalesce(cast(_text(t.requests.c.body, "registered_at"), Instant), t.requests.c.created_at)
_DEFERRED_PART = func.jsonb_build_object(
    *("status", t.requests.c.quote["status"], "adjustments", t.requests.c.quote["adjustments"]),
    *("settlement", t.requests.c.quote["settlement"]),
    *("lines", func.jsonb_path_query_array(t.requests.c.quote, cast('$.lines[*] ? (@.code == "deferral")', JSONPATH))),
    type_=JSONB,
)
_LEG_OF_REQUEST = t.legs.c.request_id == t.requests.c.id


class Reporting:
    """What the reports read. Instants are `begins` (inclusive) to `ends` (exclusive), dates inclusive at both ends."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def _paged(self, query: Select[Any]) -> Rows:
        return iter(self._c.execute(query, execution_options={"yield_per": PAGE}))

    def shop_names(self, mode: str) -> dict[str, str]:
        """The name of every shop of one world."""
        c = t.shops.c
        return {row.id: row.name for row in self._c.execute(select(c.id, c.name).where(c.mode == mode))}

    def deferred(self, mode: str, begins: datetime | None, ends: datetime, province: str | None) -> Rows:
        """Legs of requests whose quote has a deferral, by registration; `begins` None = from the start.

        Of the quote only what a deferral is judged by: status, deferral lines, adjustments, settlement.
        """
        r, leg = t.requests.c, t.legs.c
        query = (
            select(
                r.id.label("request_id"),
                r.shop_id,
                r.zone,
                _DEFERRED_PART.label("quote"),
                leg.leg,
                leg.item_id,
                _REGISTERED_AT.label("registered_at"),
                cast(_text(r.body, "dossier", "submitted_at"), Instant).label("submitted_at"),
                _text(r.body, "dossier", "code").label("dossier_code"),
                _text(r.body, "citizen", "name").label("citizen_name"),
                func.coalesce(_text(r.body, "citizen", "address", "raw"), _text(r.address, "name")).label("address"),
                cast(_text(r.body, "weight_g"), Integer).label("weight_g"),
            )
            .join(t.legs, _LEG_OF_REQUEST)
            .where(r.mode == mode, r.quote["lines"].contains([{"code": "deferral"}]), ends > _REGISTERED_AT)
            .order_by(_REGISTERED_AT, r.id, leg.leg)
        )
        if begins is not None:
            query = query.where(begins <= _REGISTERED_AT)
        return self._paged(query if province is None else query.where(r.shop_province == province))

    def taken_in(self, mode: str, begins: datetime, ends: datetime, province: str | None) -> Rows:
        """(shop_id, via, count) of send legs accepted in the period and not called off, by how they were filed."""
        r, leg = t.requests.c, t.legs.c
        via = _text(r.body, "dossier", "submitted_via").label("via")
        query = (
            select(r.shop_id, via, func.count().label("count"))
            .join(t.legs, _LEG_OF_REQUEST)
            .where(r.mode == mode, r.created_at >= begins, r.created_at < ends)
            .where(leg.leg == "pickup", leg.status != "CANCELLED")
            .group_by(r.shop_id, via)
        )
        return self._paged(query if province is None else query.where(r.shop_province == province))

    def completed(
        self, mode: str, begins: datetime, ends: datetime, province: str | None, type: str, statuses: Collection[str]
    ) -> Rows:
        """(shop_id, count) of legs that an event of `type` brought to their end in the period, as they stand now."""
        e, r, leg = t.events.c, t.requests.c, t.legs.c
        ended = (
            select(e.request_id, e.leg, func.min(e.occurred_at).label("at"))
            .where(e.mode == mode, e.type == type, ~_undone(t.events))
            .group_by(e.request_id, e.leg)
            .subquery()
        )
        query = (
            select(r.shop_id, func.count().label("count"))
            .join(t.legs, _LEG_OF_REQUEST)
            .join(ended, (ended.c.request_id == leg.request_id) & (ended.c.leg == leg.leg))
            .where(r.mode == mode, leg.status.in_(statuses), ended.c.at >= begins, ended.c.at < ends)
            .group_by(r.shop_id)
        )
        return self._paged(query if province is None else query.where(r.shop_province == province))

    def promises(self, mode: str, begins: datetime, ends: datetime, province: str | None) -> Rows:
        """Legs whose promise was due in the period, with where the citizen lives; `province` is whose rules decide."""
        r, leg = t.requests.c, t.legs.c
        query = (
            select(
                leg.request_id,
                leg.leg,
                leg.shop_id,
                leg.due_at,
                _text(leg.promise, "state").label("state"),
                cast(_text(leg.promise, "binding"), Boolean).label("binding"),
                cast(_text(leg.promise, "met"), Boolean).label("met"),
                cast(_text(leg.promise, "met_strict"), Boolean).label("met_strict"),
                cast(_text(leg.promise, "clock_started_at"), Instant).label("clock_started_at"),
                cast(_text(leg.promise, "stopped_at"), Instant).label("stopped_at"),
                _text(leg.promise, "fault_party").label("fault_party"),
                _text(r.address, "commune_code").label("commune_code"),
                _text(r.address, "era").label("era"),
                _text(r.address, "name").label("commune_name"),
                _text(r.body, "dossier", "code").label("dossier_code"),
            )
            .join(t.requests, _LEG_OF_REQUEST)
            .where(leg.mode == mode, ~leg.asleep, leg.due_at >= begins, leg.due_at < ends)
            .order_by(leg.shop_id, leg.due_at, leg.request_id, leg.leg)
        )
        if province is not None:
            query = query.where(_text(leg.promise, "province_code") == province)
        return self._paged(query)

    def histories(
        self, mode: str, begins: datetime, ends: datetime, province: str | None, types: Collection[str]
    ) -> Rows:
        """Every event of each leg that had one of these in the period, leg by leg; with its shop and dossier."""
        e, r = t.events.c, t.requests.c
        legs = (
            select(e.request_id, e.leg)
            .where(e.mode == mode, e.type.in_(types), e.occurred_at >= begins, e.occurred_at < ends)
            .distinct()
        )
        query = (
            select(t.events, r.shop_id, _text(r.body, "dossier", "code").label("dossier_code"))
            .join(t.requests, r.id == e.request_id)
            .where(e.mode == mode, tuple_(e.request_id, e.leg).in_(legs))
            .order_by(e.request_id, e.leg, e.seq)
        )
        return self._paged(query if province is None else query.where(r.shop_province == province))

    def complaints(self, mode: str, begins: datetime, ends: datetime, province: str | None) -> Rows:
        """Complaints lodged in the period: shop_id, kind, lodged_at, admissible, dossier_code."""
        c, r = t.complaints.c, t.requests.c
        query = (
            select(r.shop_id, c.kind, c.lodged_at, c.admissible, _text(r.body, "dossier", "code").label("dossier_code"))
            .join(t.requests, r.id == c.request_id)
            .where(c.mode == mode, c.lodged_at >= begins, c.lodged_at < ends)
            .order_by(c.lodged_at, c.id)
        )
        return self._paged(query if province is None else query.where(r.shop_province == province))

    def late_notices(self, mode: str, begins: datetime, ends: datetime, province: str | None) -> Rows:
        """Requests of the period whose notice reached us late: shop_id, created_at, dossier_code."""
        r = t.requests.c
        query = (
            select(r.shop_id, r.created_at, _text(r.body, "dossier", "code").label("dossier_code"))
            .where(r.mode == mode, r.created_at >= begins, r.created_at < ends, r.warnings.contains(["late_notice"]))
            .order_by(r.created_at, r.id)
        )
        return self._paged(query if province is None else query.where(r.shop_province == province))

    def volumes(self, mode: str, begins: datetime, ends: datetime, province: str | None, leg: str) -> Rows:
        """(zone, band, tariff, count, reduced) of postage lines of one leg charged in the period and still carried.

        A leg whose charge is not fixed yet counts on the day of its request. `reduced` is what rules in force took off.
        """
        r, k = t.requests.c, t.legs.c
        line = func.jsonb_array_elements(r.quote["lines"]).table_valued("value", name="line")
        value = cast(line.c.value, JSONB)
        charged_at = func.coalesce(k.charged_at, r.created_at)
        zone, band, tariff = _text(value, "zone"), _text(value, "weight_band"), cast(_text(value, "amount"), Integer)
        columns = (zone.label("zone"), band.label("band"), tariff.label("tariff"))
        query = (
            select(*columns, func.count().label("count"))
            .select_from(t.requests.join(t.legs, _LEG_OF_REQUEST).join(line, literal(True)))
            .where(r.mode == mode, k.leg == leg, charged_at >= begins, charged_at < ends)
            .where(k.status.not_in(("CANCELLED", "E_RETURNED")), _text(value, "code") == f"postage.{leg}")
            .group_by(*columns)
            .order_by(*columns)
        )
        return self._paged(query if province is None else query.where(k.accepting_province == province))

    # couriers
    def courier_names(self, mode: str) -> dict[str, str]:
        """The name of every courier of one world."""
        c = t.couriers.c
        return {row.id: row.name for row in self._c.execute(select(c.id, c.name).where(c.mode == mode))}

    def couriers_of(self, mode: str, province: str | None) -> frozenset[str] | None:
        """The couriers at home in a province's post offices; None without a province: everybody."""
        if province is None:
            return None
        c, o = t.couriers.c, t.offices.c
        rows = self._c.execute(
            select(c.id)
            .join(t.offices, (o.mode == c.mode) & (o.id == c.home_office_id))
            .where(c.mode == mode, o.province_code == province)
        )
        return frozenset(row.id for row in rows)

    def cash(self, mode: str, first: date, last: date) -> Rows:
        """(courier_id, shift_date, book, kind, amount) sums of what couriers' shifts moved."""
        c = t.ledger.c
        columns = (c.courier_id, c.shift_date, c.book, c.kind)
        return self._paged(
            select(*columns, cast(func.sum(c.amount), BigInteger).label("amount"))
            .where(c.mode == mode, c.courier_id.is_not(None), c.shift_date >= first, c.shift_date <= last)
            .group_by(*columns)
            .order_by(*columns)
        )

    def closings(self, mode: str, first: date, last: date) -> Rows:
        """The closed shifts of the period: courier_id, date, explanation, closed_by, closed_at."""
        c = t.shift_closings.c
        return self._paged(
            select(c.courier_id, c.date, c.explanation, c.closed_by, c.closed_at).where(
                c.mode == mode, c.date >= first, c.date <= last
            )
        )

    def fees_in_hand(self, mode: str, province: str | None) -> Rows:
        """State fees collected and not yet remitted: request_id, leg, shop_id, dossier_code, amount, collected_at."""
        c, r = t.ledger.c, t.requests.c
        since, amount = func.min(c.occurred_at).label("collected_at"), func.sum(c.amount)
        columns = (c.request_id, c.leg, r.shop_id, _text(r.body, "dossier", "code").label("dossier_code"))
        query = (
            select(*columns, cast(amount, BigInteger).label("amount"), since)
            .join(t.requests, r.id == c.request_id)
            .where(c.mode == mode, c.book == "STATE_FEE")
            .group_by(*columns)
            .having(amount > 0)
            .order_by(since, c.request_id, c.leg)
        )
        return self._paged(query if province is None else query.where(r.shop_province == province))

    def refund_cases(self, mode: str, province: str | None) -> Rows:
        """Requests that may have money to be given back: request_id, shop_id, dossier_code, quote, kind."""
        r, c = t.requests.c, t.complaints.c
        complained = exists().where(c.request_id == r.id, c.refund > 0)
        query = (
            select(
                r.id.label("request_id"),
                r.shop_id,
                r.kind,
                r.quote,
                _text(r.body, "dossier", "code").label("dossier_code"),
            )
            .where(r.mode == mode, or_(r.quote["adjustments"].contains([{"task": "REFUND"}]), complained))
            .order_by(r.created_at, r.id)
        )
        return self._paged(query if province is None else query.where(r.shop_province == province))

    def accounts(self, request_ids: Collection[str]) -> tuple[list[Row[Any]], list[Row[Any]]]:
        """The ledger entries (request_id, leg, book, kind, amount) and the complaints of many requests."""
        c, found = t.ledger.c, t.complaints.c
        entries = select(c.request_id, c.leg, c.book, c.kind, c.amount).where(c.request_id.in_(request_ids))
        complaints = select(found.request_id, found.leg, found.kind, found.refund)
        return (
            list(self._c.execute(entries.order_by(c.seq))),
            list(self._c.execute(complaints.where(found.request_id.in_(request_ids)).order_by(found.created_at))),
        )

    def stops(self, mode: str, first: date, last: date) -> Rows:
        """(courier_id, date, distance_m, stop_id, items, open, done, failed) of every stop of the period's rounds."""
        r, task = t.rounds.c, t.tasks.c
        counts = (func.count().filter(task.state == state).label(state) for state in ("open", "done", "failed"))
        return self._paged(
            select(r.courier_id, r.date, r.distance_m, task.stop_id, *counts)
            .outerjoin(t.tasks, and_(task.round_id == r.id, task.state != "withdrawn"))
            .where(r.mode == mode, r.date >= first, r.date <= last)
            .group_by(r.courier_id, r.date, r.distance_m, task.stop_id)
            .order_by(r.courier_id, r.date, task.stop_id)
        )

    def scans(self, mode: str, begins: datetime, ends: datetime) -> Rows:
        """(courier_id, day, first_at, last_at) of what couriers' phones reported, by corrected time."""
        e, s = t.events.c, t.scans.c
        seen = (
            select(e.courier_id, e.occurred_at)
            .where(e.mode == mode, e.courier_id.is_not(None), e.type.not_in(("assigned", "unassigned")))
            .where(e.occurred_at >= begins, e.occurred_at < ends)
            .union_all(
                select(s.courier_id, s.occurred_at).where(s.mode == mode, s.occurred_at >= begins, s.occurred_at < ends)
            )
            .subquery()
        )
        day = _local_day(seen.c.occurred_at).label("day")
        first, last = func.min(seen.c.occurred_at), func.max(seen.c.occurred_at)
        columns = (seen.c.courier_id, day, first.label("first_at"), last.label("last_at"))
        return self._paged(select(*columns).group_by(seen.c.courier_id, day).order_by(seen.c.courier_id, day))

    def collections(self, mode: str, begins: datetime, ends: datetime) -> Rows:
        """(courier_id, day, collected, met) of collections by the courier who made them."""
        e, leg = t.events.c, t.legs.c
        day = _local_day(e.occurred_at).label("day")
        met = func.count().filter(_text(leg.promise, "met") == "true").label("met")
        return self._paged(
            select(e.courier_id, day, func.count().label("collected"), met)
            .join(t.legs, (leg.request_id == e.request_id) & (leg.leg == e.leg))
            .where(e.mode == mode, e.type == "collected", e.courier_id.is_not(None), ~_undone(t.events))
            .where(e.occurred_at >= begins, e.occurred_at < ends, or_(leg.closed, leg.status != "ASSIGNED"))
            .group_by(e.courier_id, day)
            .order_by(e.courier_id, day)
        )


def _undone(events: Any) -> Any:
    """Whether a later event takes this one back."""
    later = t.events.alias("later")
    return exists().where(
        later.c.request_id == events.c.request_id,
        later.c.leg == events.c.leg,
        later.c.type == "undone",
        _text(later.c.payload, "event_id") == events.c.id,
    )
