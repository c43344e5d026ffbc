"""A day as it was, written down as `dispatch-scenario/1`: what became known when, who rode, how the streets are ridden.

Ids only: neither names nor telephone numbers nor written addresses leave the database.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.domain.moves import CALLED_OFF
from dispatch.domain.tracking import fold
from dispatch.flows.recording import Scene, as_event
from dispatch.flows.sites import Clock, Site, Sites, counter_windows, door_windows, service_s, unique_points
from dispatch.flows.snapshot import Area, OpenLeg, Snapshot, ground, open_leg
from routing import GeodesicTravel
from routing.travel.geodesic import FileLegs

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.domain.legstate import LegState
    from dispatch.store import Session
    from dispatch.store.rows import Courier
    from routing.travel import Point, TravelModel

USUAL_TRAVEL = GeodesicTravel(1.35, 28, 120)
"""Where a day has too few places to fit anything: a town's detour and speed, two minutes to park and ask."""
USUAL_SIGMA = 0.1
"""How far rides stray until some were observed, as the deviation of their logarithm."""
_FITTED_PLACES = 300


@dataclass(frozen=True)
class Bygone:
    """A day's scenario, and how many of its requests could not be put in, by the reason."""

    scenario: dict[str, Any]
    left_out: dict[str, int]


def day_of(
    session: Session, scene: Scene, places: Index, travel: TravelModel, mode: str, area: Area, day: date
) -> Bygone:
    """Return what was to be done in an area on a local date, as far as it was known by `scene.now`.

    In the day are legs that were asked for before its end and waited to be collected at its beginning; rides are
    fitted to `travel` by least squares over the day's places. Seconds count from local midnight.
    """
    midnight = Clock(day, scene.now).zero
    clock, ends_at = Clock(day, midnight), midnight + timedelta(days=1)
    snapshot = ground(session, scene, mode, day)
    sites, left_out = Sites(snapshot, places), Counter[str]()
    rows = session.past.legs_of_day(mode, midnight, ends_at, scene.now)
    rows = [row for row in rows if area.has_shop(snapshot.shops.get(row.shop_id), row.r_office_id)]
    events: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for event in session.planning.events_of(sorted({row.request_id for row in rows})):
        if event.recorded_at <= scene.now:
            events[event.request_id, event.leg].append(as_event(event))
    counters: dict[str, dict[str, Any]] = {}
    requests = []
    for row in rows:
        leg, state = open_leg(row, {}), fold(row.leg, events[row.request_id, row.leg])
        made = _request(snapshot, sites, clock, leg, state, counters)
        if isinstance(made, dict):
            requests.append(made)
        elif made is not None:
            left_out[made] += 1
    couriers = _couriers(snapshot, area, clock)
    points = [site.point for site in sites.made.values()]
    scenario = {
        "format": "dispatch-scenario/1",
        "name": f"{area.kind}:{area.code} {day.isoformat()}",
        "day": _span(couriers, counters),
        "travel": _travel(travel, points),
        "noise": {"sigma": USUAL_SIGMA, "seed": 1},
        "sites": list(counters.values()),
        "couriers": couriers,
        "requests": requests,
    }
    return Bygone(scenario, dict(sorted(left_out.items())))


def _request(
    snapshot: Snapshot, sites: Sites, clock: Clock, leg: OpenLeg, state: LegState, counters: dict[str, dict[str, Any]]
) -> dict[str, Any] | str | None:
    """One request of the day; the reason where it cannot be in it, None where it was not of this day."""
    over_at = state.collected_at or (state.ended_at if state.ended else None)
    if over_at is not None and over_at < clock.zero:
        carried = state.collected_at is not None and (state.ended_at is None or state.ended_at >= clock.zero)
        return "carried_over" if carried else None
    citizen = sites.of_citizen(leg)
    if citizen is None:
        return "address_unknown"
    served_on = sites.service_days(leg)
    door = door_windows(leg, clock)
    if not door or (served_on and clock.day.weekday() not in served_on):
        return "no_service_day"
    inward = leg.leg == "pickup"
    counter = _counter(snapshot, sites, clock, leg.shop_id, counters, intake=inward)
    if counter is None:
        return "site_closed"
    point = citizen.point
    home = {"lat": point.lat, "lng": point.lng, "windows": [list(window) for window in door]}
    at_counter = {"site": counter}
    ends: tuple[Site, Site] = (citizen, sites.of_shop(leg.shop_id))
    first, second = ends if inward else ends[::-1]
    noticed_at = datetime.fromisoformat(leg.promise["clock_started_at"])
    called_off = state.ended_at if state.status in CALLED_OFF and state.collected_at is None else None
    return {
        "id": leg.key,
        "kind": leg.leg,
        "reveal_at": max(0, clock.seconds(noticed_at)),
        "pickup": home if inward else at_counter,
        "delivery": at_counter if inward else home,
        "due_at": clock.seconds(datetime.fromisoformat(leg.promise["due_at"])),
        "service_s": [service_s(first), service_s(second)],
        "size": 1,
        "cancel_at": None if called_off is None else clock.seconds(called_off),
    }


def _counter(
    snapshot: Snapshot,
    sites: Sites,
    clock: Clock,
    shop_id: str,
    counters: dict[str, dict[str, Any]],
    *,
    intake: bool,
) -> str | None:
    """The id of a shop among the day's sites, `ID:intake` for what is handed in there; None where it is closed."""
    name = f"{shop_id}:intake" if intake else shop_id
    if name not in counters:
        site = sites.of_shop(shop_id)
        calendar = snapshot.calendars[snapshot.shops[shop_id].hours_profile]
        windows = counter_windows(calendar, clock, service_s(site), intake=intake)
        if not windows:
            return None
        counters[name] = {
            "id": name,
            "lat": site.point.lat,
            "lng": site.point.lng,
            "open": [list(window) for window in windows],
        }
    return name


def _couriers(snapshot: Snapshot, area: Area, clock: Clock) -> list[dict[str, Any]]:
    """Who rode, the first of every office before the second of any: fewer couriers leave no office without one."""
    rank: Counter[str] = Counter()
    riding: list[tuple[int, str, Courier]] = []
    for courier in sorted(snapshot.couriers.values(), key=lambda one: one.id):
        shift, office = snapshot.shifts.get(courier.id), courier.home_office_id
        if area.has_office(snapshot.offices.get(office)) and shift is not None and shift.starts_at < shift.ends_at:
            riding.append((rank[office], office, courier))
            rank[office] += 1
    found = []
    for _, _, courier in sorted(riding, key=lambda one: one[:2]):
        shift = snapshot.shifts[courier.id]
        found.append(
            {
                "id": courier.id,
                "lat": shift.start_lat,
                "lng": shift.start_lng,
                "shift": [clock.seconds(shift.starts_at), clock.seconds(shift.ends_at)],
                "capacity": courier.capacity_items,
                "absent_from": None,
            }
        )
    return found


def _span(couriers: list[dict[str, Any]], counters: dict[str, dict[str, Any]]) -> list[int]:
    """From the first that begins to the last that ends."""
    windows = [courier["shift"] for courier in couriers]
    windows += [window for counter in counters.values() for window in counter["open"]]
    if not windows:
        return [0, 86_400]
    return [min(window[0] for window in windows), max(window[1] for window in windows)]


def _travel(travel: TravelModel, points: list[Point]) -> dict[str, Any]:
    """The file format's travel model that comes nearest to how the service reckons rides between these places."""
    different, _ = unique_points(points)
    fitted = USUAL_TRAVEL
    if len(different) > 1:
        fitted = _fitted(travel, different[:: -(-len(different) // _FITTED_PLACES)])
    return {
        "model": "geodesic",
        "detour": fitted.detour,
        "speed_kmh": fitted.speed_kmh,
        "stop_overhead_s": fitted.stop_overhead_s,
    }


def _fitted(travel: TravelModel, points: list[Point]) -> GeodesicTravel:
    seconds, metres = (table.astype(np.float64) for table in travel.matrix(points))
    straight = FileLegs([one.lat for one in points], [one.lng for one in points], GeodesicTravel(1, 36, 0)).both()[1]
    known = (straight > 0) & (metres > 0) & (seconds > 0)
    if known.sum() < 2:
        return USUAL_TRAVEL
    drive_s, drive_m = seconds[known], metres[known]
    pace, overhead_s = np.polyfit(drive_m, drive_s, 1) if np.ptp(drive_m) else (0.0, 0.0)
    if pace <= 0 or overhead_s < 0:
        pace, overhead_s = drive_s.sum() / drive_m.sum(), 0.0
    detour = round(float(drive_m.sum() / straight[known].sum()), 3)
    return GeodesicTravel(detour, round(float(3.6 / pace), 1), round(float(overhead_s)))
