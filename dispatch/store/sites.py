"""What the operator keeps about places: points, commune settings, shops' own rules, appointments, trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatch.store import tables as t
from dispatch.store.rows import record
from dispatch.store.seldom import Seldom


@dataclass(frozen=True, slots=True)
class RuleOverride:
    """One shop's own parameters for a rule, both ends of the dates inclusive (905/UBND-PVHCC 30/3/2020 §2.2)."""

    mode: str
    shop_id: str
    rule_id: str
    params: dict[str, Any]
    reason: str
    author: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Point:
    """A reception point: post office, commune post-culture point, or desk at a committee; dates inclusive."""

    mode: str
    id: str
    name: str
    kind: str
    commune_code: str
    era: str
    area_class: str | None
    hours_profile: str
    active_from: date | None
    active_to: date | None
    created_at: datetime

    def active_on(self, day: date) -> bool:
        """Whether the point takes people in on a date."""
        return (self.active_from is None or self.active_from <= day) and (
            self.active_to is None or day <= self.active_to
        )


@dataclass(frozen=True, slots=True)
class CommuneSetting:
    """How a commune is served: `service_days` are weekdays such as `tue` (empty = every day)."""

    mode: str
    era: str
    code: str
    service_days: list[str]
    area_class: str | None
    terrain: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Appointment:
    """So many people in one room from `starts_at` until before `ends_at`."""

    id: str
    mode: str
    shop_id: str
    room_id: str
    starts_at: datetime
    ends_at: datetime
    people: int


@dataclass(frozen=True, slots=True)
class Training:
    """A teller was trained in a topic on a date (Vĩnh Phúc, March 2020, §3)."""

    id: str
    mode: str
    teller_id: str
    teller_name: str
    office_id: str | None
    topic: str
    held_on: date
    created_at: datetime


class Sites:
    """Points, commune settings, shop overrides, appointments, trainings."""

    def __init__(self, connection: Connection, seldom: Seldom) -> None:
        self._c = connection
        self._seldom = seldom

    def overrides(self, mode: str, shop_id: str) -> Sequence[RuleOverride]:
        """A shop's own rule parameters, by rule id; the caller compares their dates."""

        def load() -> Sequence[RuleOverride]:
            o = t.overrides.c
            rows = self._c.execute(select(t.overrides).where(o.mode == mode, o.shop_id == shop_id).order_by(o.rule_id))
            return tuple(record(RuleOverride, row) for row in rows)

        return self._seldom.read(("overrides", mode, shop_id), load)

    def put_override(self, mode: str, shop_id: str, rule_id: str, values: dict[str, Any], at: datetime) -> bool:
        """Create or replace a shop's parameters for one rule; True where it is new."""
        return self._put(t.overrides, {"mode": mode, "shop_id": shop_id, "rule_id": rule_id}, values, at)

    def points(self, mode: str) -> list[Point]:
        """All reception points of one world, past ones too."""
        rows = self._c.execute(select(t.points).where(t.points.c.mode == mode).order_by(t.points.c.id))
        return [record(Point, row) for row in rows]

    def points_page(self, mode: str, after: tuple[datetime, str] | None, limit: int) -> list[Point]:
        """Reception points in the order they were created, after a cursor."""
        p = t.points.c
        query = select(t.points).where(p.mode == mode).order_by(p.created_at, p.id).limit(limit)
        if after is not None:
            query = query.where(tuple_(p.created_at, p.id) > tuple_(*after))
        return [record(Point, row) for row in self._c.execute(query)]

    def put_point(self, mode: str, point_id: str, values: dict[str, Any], at: datetime) -> bool:
        """Create or replace a reception point; True where it is new."""
        return self._put(t.points, {"mode": mode, "id": point_id}, values, at)

    def commune_settings(self, mode: str) -> Sequence[CommuneSetting]:
        """The settings of every commune that has some, by era and code."""

        def load() -> Sequence[CommuneSetting]:
            c = t.commune_settings.c
            rows = self._c.execute(select(t.commune_settings).where(c.mode == mode).order_by(c.era, c.code))
            return tuple(record(CommuneSetting, row) for row in rows)

        return self._seldom.read(("communes", mode), load)

    def communes_page(self, mode: str, after: tuple[datetime, str] | None, limit: int) -> list[CommuneSetting]:
        """Commune settings in the order they were created, after a cursor whose id is `era/code`."""
        c = t.commune_settings.c
        name = func.concat(c.era, "/", c.code)
        query = select(t.commune_settings).where(c.mode == mode).order_by(c.created_at, name).limit(limit)
        if after is not None:
            query = query.where(tuple_(c.created_at, name) > tuple_(*after))
        return [record(CommuneSetting, row) for row in self._c.execute(query)]

    def put_commune(self, mode: str, era: str, code: str, values: dict[str, Any], at: datetime) -> bool:
        """Create or replace a commune's settings; True where they are new."""
        return self._put(t.commune_settings, {"mode": mode, "era": era, "code": code}, values, at)

    def appointments(
        self, mode: str, shop_id: str, room_id: str, begins: datetime, ends: datetime
    ) -> list[Appointment]:
        """The appointments of one room that overlap `begins` (inclusive) to `ends` (exclusive), by start."""
        a = t.appointments.c
        rows = self._c.execute(
            select(t.appointments)
            .where(a.mode == mode, a.shop_id == shop_id, a.room_id == room_id)
            .where(a.starts_at < ends, a.ends_at > begins)
            .order_by(a.starts_at, a.id)
        )
        return [record(Appointment, row) for row in rows]

    def add_appointment(self, **values: Any) -> None:
        """Keep an appointment; whoever adds one holds the room's lock."""
        self._c.execute(insert(t.appointments).values(**values))

    def trainings(self, mode: str, begins: date, ends: date) -> list[Training]:
        """The trainings held from `begins` to `ends`, both inclusive, by date."""
        r = t.trainings.c
        rows = self._c.execute(
            select(t.trainings).where(r.mode == mode, r.held_on >= begins, r.held_on <= ends).order_by(r.held_on, r.id)
        )
        return [record(Training, row) for row in rows]

    def trainings_page(self, mode: str, after: tuple[datetime, str] | None, limit: int) -> list[Training]:
        """Trainings in the order they were recorded, after a cursor."""
        r = t.trainings.c
        query = select(t.trainings).where(r.mode == mode).order_by(r.created_at, r.id).limit(limit)
        if after is not None:
            query = query.where(tuple_(r.created_at, r.id) > tuple_(*after))
        return [record(Training, row) for row in self._c.execute(query)]

    def add_training(self, **values: Any) -> None:
        """Keep a training record."""
        self._c.execute(insert(t.trainings).values(**values))

    def _put(self, table: Table, keys: dict[str, Any], values: dict[str, Any], at: datetime) -> bool:
        """Create or replace one row; True where it is new."""
        known = self._c.execute(
            select(*(table.c[name] for name in keys)).where(*(table.c[name] == value for name, value in keys.items()))
        ).first()
        row = upsert(table).values(**keys, **values, created_at=at, updated_at=at)
        self._c.execute(row.on_conflict_do_update(index_elements=list(keys), set_={**values, "updated_at": at}))
        self._seldom.changed()
        return known is None
