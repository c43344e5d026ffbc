"""The post's network as the operator keeps it: shops, offices, calendars, couriers, shifts, proofs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatch.store import tables as t
from dispatch.store.rows import Courier, Office, Shift, Shop, record
from dispatch.store.seldom import Seldom
from dispatch.store.stirred import Stirred

Site = TypeVar("Site", Shop, Office)


class Network:
    """Shops, offices, calendars, couriers, shifts and the proofs couriers bring."""

    def __init__(self, connection: Connection, stirred: Stirred, seldom: Seldom) -> None:
        self._c = connection
        self._stirred = stirred
        self._seldom = seldom

    def _put(self, table: Table, keys: dict[str, Any], values: dict[str, Any], at: datetime) -> bool:
        """Create or replace one row; True where it is new."""
        stamps: dict[str, Any] = {"updated_at": at}
        fresh = {"created_at": at} if "created_at" in table.c else {}
        known = self._c.execute(
            select(*(table.c[name] for name in keys)).where(*(table.c[name] == value for name, value in keys.items()))
        ).first()
        row = upsert(table).values(**keys, **values, **stamps, **fresh)
        self._c.execute(row.on_conflict_do_update(index_elements=list(keys), set_={**values, **stamps}))
        self._seldom.changed()
        return known is None

    def put_shop(self, mode: str, shop_id: str, values: dict[str, Any], at: datetime) -> bool:
        """Create or replace a shop; its feed number stays."""
        return self._put(t.shops, {"mode": mode, "id": shop_id}, values, at)

    def shop(self, mode: str, shop_id: str) -> Shop | None:
        """A shop of one world."""

        def load() -> Shop | None:
            row = self._c.execute(select(t.shops).where(t.shops.c.mode == mode, t.shops.c.id == shop_id)).first()
            return None if row is None else record(Shop, row)

        return self._seldom.read(("shop", mode, shop_id), load)

    def shops(self, mode: str) -> Sequence[Shop]:
        """All shops of one world."""
        return self._all(Shop, t.shops, mode)

    def put_office(self, mode: str, office_id: str, values: dict[str, Any], at: datetime) -> bool:
        """Create or replace a post office."""
        return self._put(t.offices, {"mode": mode, "id": office_id}, values, at)

    def office(self, mode: str, office_id: str) -> Office | None:
        """A post office of one world."""
        return next((office for office in self.offices(mode) if office.id == office_id), None)

    def offices(self, mode: str) -> Sequence[Office]:
        """All post offices of one world."""
        return self._all(Office, t.offices, mode)

    def _all(self, shape: type[Site], table: Table, mode: str) -> Sequence[Site]:
        def load() -> Sequence[Site]:
            rows = self._c.execute(select(table).where(table.c.mode == mode).order_by(table.c.id))
            return tuple(record(shape, row) for row in rows)

        return self._seldom.read((table.name, mode), load)

    def put_calendar(self, mode: str, calendar_id: str, body: dict[str, Any], at: datetime) -> bool:
        """Add a dated week to a calendar; a body with the same `valid_from` replaces that week, others stay."""
        kept = [week for week in self.calendar(mode, calendar_id) if week["valid_from"] != body["valid_from"]]
        return self._put(t.calendars, {"mode": mode, "id": calendar_id}, {"weeks": [*kept, body]}, at)

    def calendar(self, mode: str, calendar_id: str) -> list[dict[str, Any]]:
        """The dated bodies of a calendar kept by the operator, in the order they came; empty where there is none."""

        def load() -> list[dict[str, Any]]:
            weeks: list[dict[str, Any]] | None = self._c.execute(
                select(t.calendars.c.weeks).where(t.calendars.c.mode == mode, t.calendars.c.id == calendar_id)
            ).scalar()
            return weeks or []

        return self._seldom.read(("calendar", mode, calendar_id), load)

    def put_courier(self, mode: str, courier_id: str, values: dict[str, Any], at: datetime) -> bool:
        """Create or replace a courier."""
        return self._put(t.couriers, {"mode": mode, "id": courier_id}, values, at)

    def courier(self, mode: str, courier_id: str) -> Courier | None:
        """A courier of one world."""
        row = self._c.execute(
            select(t.couriers).where(t.couriers.c.mode == mode, t.couriers.c.id == courier_id)
        ).first()
        return None if row is None else record(Courier, row)

    def couriers(self, mode: str) -> list[Courier]:
        """All couriers of one world."""
        rows = self._c.execute(select(t.couriers).where(t.couriers.c.mode == mode).order_by(t.couriers.c.id))
        return [record(Courier, row) for row in rows]

    def couriers_by_phone(self, phone: str) -> list[Courier]:
        """The couriers of that phone number (one per world at most), locked for this transaction."""
        rows = self._c.execute(
            select(t.couriers).where(t.couriers.c.phone == phone).order_by(t.couriers.c.mode).with_for_update()
        )
        return [record(Courier, row) for row in rows]

    def note_pin_try(self, courier: Courier, wrong: int, locked_until: datetime | None) -> None:
        """Keep the count of wrong PINs and until when the courier is locked out."""
        self._c.execute(
            update(t.couriers)
            .where(t.couriers.c.mode == courier.mode, t.couriers.c.id == courier.id)
            .values(wrong_pins=wrong, locked_until=locked_until)
        )

    def note_position(self, mode: str, courier_id: str, lat: float, lng: float, at: datetime) -> None:
        """Keep where a courier was last seen; an older sighting never replaces a newer one."""
        c = t.couriers.c
        self._stirred.courier_ids.add(courier_id)
        self._c.execute(
            update(t.couriers)
            .where(c.mode == mode, c.id == courier_id, c.last_seen_at.is_(None) | (c.last_seen_at <= at))
            .values(last_lat=lat, last_lng=lng, last_seen_at=at)
        )

    def put_shift(self, mode: str, courier_id: str, day: date, values: dict[str, Any], at: datetime) -> bool:
        """Create or replace a courier's shift of one date."""
        self._stirred.courier_ids.add(courier_id)
        return self._put(t.shifts, {"mode": mode, "courier_id": courier_id, "date": day}, values, at)

    def shift(self, mode: str, courier_id: str, day: date) -> Shift | None:
        """A courier's shift of one date."""
        row = self._c.execute(
            select(t.shifts).where(t.shifts.c.mode == mode, t.shifts.c.courier_id == courier_id, t.shifts.c.date == day)
        ).first()
        return None if row is None else record(Shift, row)

    def shifts(self, mode: str, day: date) -> Sequence[Shift]:
        """All shifts of one date."""

        def load() -> Sequence[Shift]:
            c = t.shifts.c
            rows = self._c.execute(select(t.shifts).where(c.mode == mode, c.date == day).order_by(c.courier_id))
            return tuple(record(Shift, row) for row in rows)

        return self._seldom.read(("shifts", mode, day), load)

    def add_media(
        self, mode: str, courier_id: str, sha256: str, content_type: str, content: bytes, at: datetime
    ) -> bool:
        """Keep a proof by its hash; False where it is there already."""
        row = upsert(t.media).values(
            mode=mode, courier_id=courier_id, sha256=sha256, content_type=content_type, content=content, created_at=at
        )
        return self._c.execute(row.on_conflict_do_nothing().returning(t.media.c.sha256)).first() is not None
