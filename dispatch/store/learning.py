"""What stops were seen to be, where doors were scanned, and the estimates made of both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Interval, Row, Text, bindparam, cast, delete, exists, func, literal, select, text
from sqlalchemy import Double as Float
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import aliased

from dispatch.store import tables as t
from dispatch.store.rows import Task, record

_LOG = "ln(least(:most, greatest(:least, {real}::float8 / {reckoned})))"
_SUMMARY = """count(*) AS count, percentile_cont(0.5) WITHIN GROUP (ORDER BY log) AS median,
    (percentile_cont(0.84) WITHIN GROUP (ORDER BY log) - percentile_cont(0.16) WITHIN GROUP (ORDER BY log)) / 2
    AS deviation"""
_SEEN = "mode = :mode AND finished_at >= :since AND finished_at <= :until"
NEWEST = 200_000
"""So many of the newest observations make the estimates: some seconds of work."""
_NEWEST = "ORDER BY finished_at DESC LIMIT :newest"
_RIDES = f"""
INSERT INTO estimates (mode, what, key, count, median, deviation)
SELECT :mode, 'ride', CASE
    WHEN grouping(province) = 1 THEN '*'
    WHEN grouping(area) = 1 THEN province
    ELSE concat_ws('|', province, from_area, area, coalesce(band::text, '')) END, {_SUMMARY}
FROM (SELECT *, {_LOG.format(real="ride_s", reckoned="ride_planned_s")} AS log
    FROM observations WHERE {_SEEN} AND ride_s IS NOT NULL {_NEWEST}) AS seen
GROUP BY GROUPING SETS ((province, from_area, area, band), (province, from_area, area), (province), ())
HAVING count(*) > 0
"""
_SERVICES = f"""
INSERT INTO estimates (mode, what, key, count, median, deviation)
SELECT :mode, site, CASE WHEN grouping(place) = 1 THEN '*' ELSE place END, {_SUMMARY}
FROM (SELECT site, CASE site WHEN 'shop' THEN site_id ELSE area END AS place,
    {_LOG.format(real="service_s", reckoned="service_planned_s")} AS log
    FROM observations WHERE {_SEEN} AND service_s IS NOT NULL AND site IN ('shop', 'citizen') {_NEWEST}) AS seen
GROUP BY GROUPING SETS ((site, place), (site))
"""


@dataclass(frozen=True, slots=True)
class Model:
    """Which estimates hold: their version, and how many observations they come from."""

    mode: str
    version: str
    observations: int
    made_at: datetime


_FIX = t.door_fixes.c
_FIXES = (  # asked by every create: built once
    select(_FIX.stop_id, _FIX.lat, _FIX.lng, _FIX.seen_at)
    .where(_FIX.mode == bindparam("mode"), _FIX.key.in_(bindparam("keys", expanding=True)))
    .group_by(_FIX.stop_id, _FIX.lat, _FIX.lng, _FIX.seen_at)
    .order_by(_FIX.seen_at.desc(), _FIX.stop_id)
    .limit(bindparam("limit"))
)


class Learning:
    """Observations, fixes of doors, estimates and the model they make."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def unobserved(self, mode: str, since: datetime, until: datetime, limit: int) -> list[tuple[str, str, date]]:
        """(stop id, courier, date of the round) of stops all of whose tasks ended, the last from `since` to `until`."""
        task, other = t.tasks.c, aliased(t.tasks).c
        seen = exists().where(t.observations.c.mode == mode, t.observations.c.stop_id == task.stop_id)
        still_open = exists().where(other.stop_id == task.stop_id, other.state == "open")
        query = (
            select(task.stop_id, t.rounds.c.courier_id, t.rounds.c.date)
            .join(t.rounds, t.rounds.c.id == task.round_id)
            .where(t.rounds.c.mode == mode, task.state.in_(("done", "failed")))
            .where(task.closed_at >= since, ~seen, ~still_open)
            .group_by(task.stop_id, t.rounds.c.courier_id, t.rounds.c.date)
            .having(func.max(task.closed_at) <= until)
            .order_by(func.min(task.closed_at))
            .limit(limit)
        )
        return [(row.stop_id, row.courier_id, row.date) for row in self._c.execute(query)]

    def tasks_of_stops(self, stop_ids: Collection[str]) -> list[tuple[Task, dict[str, Any], dict[str, Any]]]:
        """The ended tasks of some stops, each with the body and the address of its request."""
        task, r = t.tasks.c, t.requests.c
        query = (
            select(t.tasks, r.body.label("r_body"), r.address.label("r_address"))
            .join(t.requests, r.id == task.request_id)
            .where(task.stop_id.in_(stop_ids), task.state.in_(("done", "failed")))
            .order_by(task.planned_at, task.id)
        )
        return [(record(Task, row), row.r_body, row.r_address) for row in self._c.execute(query)]

    def scans(self, mode: str, courier_id: str, begins: datetime, ends: datetime) -> list[Row[Any]]:
        """What a courier's phone told from `begins` until before `ends` and what counted: scans taken back are not."""
        c, later = t.scans.c, aliased(t.scans).c

        def told(body: Any, *path: str) -> Any:
            return func.jsonb_extract_path_text(body, *path, type_=Text)

        undone = exists().where(
            later.mode == mode,
            later.courier_id == courier_id,
            later.type == "undone",
            told(later.body, "payload", "event_id") == c.event_id,
            later.occurred_at >= begins,
        )
        query = (
            select(
                c.type,
                c.occurred_at,
                told(c.body, "stop_id").label("stop_id"),
                *(cast(told(c.body, name), Float).label(name) for name in ("lat", "lng", "accuracy_m")),
            )
            .where(c.mode == mode, c.courier_id == courier_id, c.occurred_at >= begins, c.occurred_at < ends)
            .where(told(c.result, "result") == "applied", ~undone)
            .order_by(c.occurred_at)
        )
        return list(self._c.execute(query))

    def observe(self, observations: list[dict[str, Any]], fixes: list[dict[str, Any]]) -> None:
        """Keep what was seen; what is known already stays as it is."""
        if observations:
            self._c.execute(upsert(t.observations).on_conflict_do_nothing(), observations)
        if fixes:
            self._c.execute(upsert(t.door_fixes).on_conflict_do_nothing(), fixes)

    def observations(self, mode: str, begins: datetime, ends: datetime, province: str | None, limit: int) -> list[Any]:
        """Observations of stops finished from `begins` until before `ends` in the order they were, `limit` at most."""
        c = t.observations.c
        query = select(t.observations).where(c.mode == mode, c.finished_at >= begins, c.finished_at < ends)
        if province is not None:
            query = query.where(c.province == province)
        return list(self._c.execute(query.order_by(c.finished_at, c.stop_id).limit(limit)))

    def fixes(self, mode: str, keys: Collection[str], limit: int) -> list[tuple[float, float]]:
        """The newest scans of a door known by any of these hashes, each stop once."""
        rows = self._c.execute(_FIXES, {"mode": mode, "keys": list(keys), "limit": limit})
        return [(row.lat, row.lng) for row in rows]

    def model(self, mode: str) -> Model | None:
        """Which estimates of a world hold; None before the first."""
        row = self._c.execute(select(t.models).where(t.models.c.mode == mode)).first()
        return None if row is None else record(Model, row)

    def estimates(self, mode: str) -> list[tuple[str, str, int, float, float]]:
        """All estimates of a world: what, key, count, median, deviation."""
        c = t.estimates.c
        query = select(c.what, c.key, c.count, c.median, c.deviation).where(c.mode == mode)
        return [(what, key, count, median, deviation) for what, key, count, median, deviation in self._c.execute(query)]

    def count(self, mode: str, since: datetime, until: datetime) -> int:
        """How many stops were observed that finished from `since` to `until`."""
        c = t.observations.c
        counted = select(func.count()).where(c.mode == mode, c.finished_at >= since, c.finished_at <= until)
        return int(self._c.execute(counted).scalar_one())

    def renew(self, mode: str, since: datetime, until: datetime, clip: tuple[float, float], version: str) -> str:
        """Make all estimates of a world anew from what was seen from `since` to `until`; returns the model's version:
        `version` and how much that was.
        """
        values = {"mode": mode, "since": since, "until": until, "least": clip[0], "most": clip[1], "newest": NEWEST}
        self._c.execute(delete(t.estimates).where(t.estimates.c.mode == mode))
        for statement in (_RIDES, _SERVICES):
            self._c.execute(text(statement), values)
        count = self.count(mode, since, until)
        # The real instant, for the same test instants may be lived through more than once.
        row = {"version": f"{version}/{count}", "observations": count, "made_at": func.clock_timestamp()}
        made = upsert(t.models).values(mode=mode, **row)
        self._c.execute(made.on_conflict_do_update(index_elements=["mode"], set_=row))
        return f"{version}/{count}"

    def notices(
        self, mode: str, begins: datetime, ends: datetime, province: str | None
    ) -> list[tuple[str, int, int, int]]:
        """(shop_id, weekday 1 to 7, hour, count) of requests made from `begins` until before `ends`, local time."""
        r = t.requests.c
        local = func.timezone(literal(timedelta(hours=7), Interval), r.created_at)
        weekday, hour = func.extract("isodow", local).label("weekday"), func.extract("hour", local).label("hour")
        query = (
            select(r.shop_id, weekday, hour, func.count().label("count"))
            .where(r.mode == mode, r.created_at >= begins, r.created_at < ends)
            .group_by(r.shop_id, weekday, hour)
            .order_by(r.shop_id, weekday, hour)
        )
        rows = self._c.execute(query if province is None else query.where(r.shop_province == province))
        return [(shop_id, int(day), int(at), count) for shop_id, day, at, count in rows]

    def forget(self, before: datetime) -> None:
        """Drop what was seen before an instant."""
        self._c.execute(delete(t.observations).where(t.observations.c.finished_at < before))
        self._c.execute(delete(t.door_fixes).where(t.door_fixes.c.seen_at < before))
