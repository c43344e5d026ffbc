"""Learning from what was: each finished stop is observed once, estimates are made of all of them, doors of scans.

In the live world the clock does it; in the test world the call that finishes a stop. Ride and service times that
plans reckon with are the service's own, times what was learnt; observations compare with its own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from dispatch.domain.hours import local_date
from dispatch.domain.text import LOCAL
from dispatch.flows.sites import Site, Sites, commune_of, service_s
from dispatch.flows.snapshot import ground
from dispatch.live.doors import GOOD_FIX_M, keys_of
from dispatch.live.learning import LEAST_RATIO, MOST_RATIO, band_of
from dispatch.live.visiting import Scan, Visit, visits

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import Task
    from routing.travel import TravelModel

LOOK_BACK = timedelta(days=3)
"""Stops that ended longer ago are not looked at any more."""
SETTLED = timedelta(minutes=10)
"""A live stop is observed so long after it ended: a phone may bring more of it."""
MEMORY = timedelta(days=120)
"""Estimates come from what was seen in so many days: roads and seasons change."""
KEPT = timedelta(days=365)
WAITED_S = 600
"""Who has so much more time than the ride takes, and uses half of it, has waited: his ride says nothing."""
BATCH = 200


class Parts(Protocol):
    """What learning needs of the system it runs in."""

    @property
    def places(self) -> Index:
        """The communes."""

    @property
    def travel(self) -> TravelModel:
        """How couriers ride, as reckoned before anything was learnt."""


@dataclass(frozen=True)
class _Stop:
    """A finished stop with its ended tasks in the order they were planned, and its site."""

    tasks: list[Task]
    site: Site
    area: str
    era: str
    door_keys: list[str]


def observe(session: Session, scene: Scene, parts: Parts, mode: str, limit: int = BATCH) -> int:
    """Observe finished stops nobody has observed, `limit` at most; how many there were."""
    until = scene.now - SETTLED if mode == "live" else scene.now
    found = session.learning.unobserved(mode, scene.now - LOOK_BACK, until, limit)
    rounds: dict[tuple[str, date], list[str]] = defaultdict(list)
    for stop_id, courier_id, day in found:
        rounds[courier_id, day].append(stop_id)
    for (courier_id, day), stop_ids in sorted(rounds.items()):
        _observe_round(session, scene, parts, mode, courier_id, day, stop_ids)
    return len(found)


def _observe_round(
    session: Session, scene: Scene, parts: Parts, mode: str, courier_id: str, day: date, stop_ids: list[str]
) -> None:
    begins = datetime.combine(day, time(), LOCAL)
    rows = session.learning.scans(mode, courier_id, begins, begins + timedelta(days=1))
    scans = [Scan(row.type, row.occurred_at, row.stop_id, row.lat, row.lng, row.accuracy_m) for row in rows]
    known = {visit.stop_id: visit for visit in visits(scans)}
    wanted = {*stop_ids, *(known[stop_id].before for stop_id in stop_ids if stop_id in known)} - {None}
    stops = _stops(session, scene, parts.places, mode, day, sorted(name for name in wanted if name))
    observations, fixes = [], []
    for stop_id in stop_ids:
        visit, stop = known.get(stop_id), stops.get(stop_id)
        row = _row(parts, mode, courier_id, stop_id, stops, visit, scene.now)
        observations.append(row)
        if visit is None or stop is None or visit.fix is None or (visit.fix.accuracy_m or 0) > GOOD_FIX_M:
            continue
        fix = {"mode": mode, "stop_id": stop_id, "lat": visit.fix.lat, "lng": visit.fix.lng, "seen_at": visit.fix.at}
        fixes += [{**fix, "key": key} for key in stop.door_keys]
    session.learning.observe(observations, fixes)


def _stops(
    session: Session, scene: Scene, places: Index, mode: str, day: date, stop_ids: list[str]
) -> dict[str, _Stop]:
    sites = Sites(ground(session, scene, mode, day), places)
    tasks: dict[str, list[tuple[Task, dict[str, Any], dict[str, Any]]]] = defaultdict(list)
    for task, body, address in session.learning.tasks_of_stops(stop_ids):
        tasks[task.stop_id].append((task, body, address))
    found = {}
    for stop_id, its in tasks.items():
        (task, body, address), keys = its[0], []
        at, id = task.place["at"], str(task.place["id"])
        if at == "shop" and id in sites.snapshot.shops:
            place, site = sites.snapshot.shops[id], sites.of_shop(id)
            area, era = place.commune_code, place.era
        elif at == "office" and (office := sites.snapshot.offices.get(id)) is not None:
            made = sites.of_office(id)
            assert made is not None
            site, area, era = made, office.commune_code, office.era
        else:
            area, era = (part or "" for part in commune_of(address))
            site = sites.at_door(task.place, area, era)
            citizen = body["citizen"]
            keys = keys_of(citizen["address"].get("raw"), area or None, citizen["phone"])
        found[stop_id] = _Stop([one for one, _, _ in its], site, area, era, keys)
    return found


def _row(
    parts: Parts,
    mode: str,
    courier_id: str,
    stop_id: str,
    stops: dict[str, _Stop],
    visit: Visit | None,
    now: datetime,
) -> dict[str, Any]:
    """An observation; what cannot be said of a stop is left open in it."""
    stop = stops.get(stop_id)
    commune = parts.places.gazetteer.get(stop.area, stop.era) if stop and stop.area else None
    place = stop.site.place if stop else {"at": "citizen", "id": None}
    row: dict[str, Any] = {
        "mode": mode,
        "stop_id": stop_id,
        "courier_id": courier_id,
        "finished_at": visit.finished_at if visit else now,
        "site": place["at"],
        "site_id": None if place["at"] == "citizen" else place["id"],
        "area": stop.area if stop else "",
        "from_area": None,
        "province": (parts.places.gazetteer.province_2020(commune) if commune else None) or "",
        "band": 0,
        "items": len(stop.tasks) if stop else 0,
        "ride_s": None,
        "ride_planned_s": None,
        "service_s": None,
        "service_planned_s": None,
        "off_s": None,
        "created_at": now,
    }
    if visit is None or stop is None or visit.arrived_at is None:
        return row
    row["off_s"] = round((visit.arrived_at - stop.tasks[0].planned_at).total_seconds())
    planned_s = service_s(stop.site) * len(stop.tasks)
    spent_s = round((visit.finished_at - visit.arrived_at).total_seconds())
    if visit.succeeded and spent_s > 0:
        row |= {"service_s": spent_s, "service_planned_s": planned_s}
    return row | _ride(parts, stop, stops.get(visit.before or ""), visit)


def _ride(parts: Parts, stop: _Stop, before: _Stop | None, visit: Visit) -> dict[str, Any]:
    """What the ride to a stop was; nothing where he rested, was to wait, or came from nobody knows where."""
    if before is None or visit.left_at is None or visit.arrived_at is None or visit.rested:
        return {}
    if (before.site.point.lat, before.site.point.lng) == (stop.site.point.lat, stop.site.point.lng):
        return {}
    reckoned = parts.travel.leg(before.site.point, stop.site.point).duration_s
    real_s = round((visit.arrived_at - visit.left_at).total_seconds())
    spare_s = (stop.tasks[0].planned_at - visit.left_at).total_seconds() - reckoned
    waited = spare_s > WAITED_S and real_s > reckoned + spare_s / 2
    if reckoned <= 0 or real_s <= 0 or waited:
        return {}
    hour = visit.left_at.astimezone(LOCAL).hour
    return {"from_area": before.area, "band": band_of(hour), "ride_s": real_s, "ride_planned_s": reckoned}


def renew(session: Session, mode: str, now: datetime) -> str | None:
    """Make the estimates of a world anew where anything was observed since; the model's version, None where not."""
    session.lock(f"learning:{mode}")
    known = session.learning.model(mode)
    if (known.observations if known else 0) == session.learning.count(mode, now - MEMORY, now):
        return None
    version = f"learnt-{local_date(now).isoformat()}"
    return session.learning.renew(mode, now - MEMORY, now, (LEAST_RATIO, MOST_RATIO), version)


def at_call(session: Session, scene: Scene, parts: Parts, mode: str) -> None:
    """In the test world a call that may have finished stops learns from them at once; in the live world the clock."""
    if mode == "test" and observe(session, scene, parts, mode):
        renew(session, mode, scene.now)
