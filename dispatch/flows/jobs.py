"""What one open leg asks of the planner on a date: two ends with hours and a promise, or why it cannot be tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dispatch.domain.hours import local_date
from dispatch.domain.moves import GOING_BACK, MAX_PICKUP_ATTEMPTS
from dispatch.domain.sla import POST_CALENDAR
from dispatch.domain.text import LOCAL
from dispatch.domain.unplanned import LeftOut
from dispatch.flows.communes import next_served
from dispatch.flows.sites import (
    CITIZEN_HOURS,
    Clock,
    Site,
    Sites,
    Window,
    counter_windows,
    door_windows,
    from_second,
    next_opening,
    pickup_due_s,
    retry_s,
    service_s,
)

if TYPE_CHECKING:
    from dispatch.domain.hours import Calendar
    from dispatch.flows.recording import Scene
    from dispatch.flows.snapshot import OpenLeg, Snapshot
    from dispatch.store.rows import Courier


DAY_S = 86_400
MARGIN_S = 600
"""Time the plan keeps in hand before a promise: ride times are estimates."""


@dataclass(frozen=True)
class Job:
    """One leg as the planner sees it; `pickup` is None where its papers are on board already.

    `out_of_hours`: a coordinator wants it done on a day when one of its ends is closed; `shut`: the end where it is
    collected is.
    """

    leg: OpenLeg
    pickup: Site | None
    delivery: Site
    pickup_windows: tuple[Window, ...]
    delivery_windows: tuple[Window, ...]
    due_s: int | None
    out_of_hours: bool = False
    shut: bool = False

    def site(self, kind: str) -> Site:
        """Where an end of the leg is."""
        return self.pickup if kind == "pickup" and self.pickup is not None else self.delivery


def make_job(
    snapshot: Snapshot,
    scene: Scene,
    sites: Sites,
    clock: Clock,
    leg: OpenLeg,
    on_duty: Mapping[str, Courier],
    *,
    by_hand: bool = False,
) -> Job | LeftOut:
    """What is to be done for a leg on the day, or why it cannot even be tried.

    `by_hand`: a coordinator has decided that it is done, so neither failed attempts nor closed doors count.
    """
    code = _obstacle(leg, on_duty, by_hand=by_hand)
    if code is not None:
        return LeftOut(leg.request_id, leg.leg, code)
    ends = _ends(snapshot, sites, leg)
    if isinstance(ends, LeftOut):
        return ends
    pickup, delivery = ends
    inward = leg.to_shop
    calendar = snapshot.calendars[snapshot.shops[leg.shop_id].hours_profile]
    service_days = sites.service_days(leg)
    at_pickup: tuple[Window, ...] = ((min(0, clock.now_s), DAY_S),)
    if pickup is not None:
        open_at = _windows(snapshot, clock, leg, pickup, calendar, service_days, intake=False)
        at_pickup = from_second(open_at, retry_s(leg, clock))
    at_delivery = _windows(snapshot, clock, leg, delivery, calendar, service_days, intake=inward)
    out_of_hours, shut = by_hand and not (at_pickup and at_delivery), not at_pickup
    if out_of_hours:
        whenever = ((clock.now_s, 2 * DAY_S),)
        at_pickup, at_delivery = at_pickup or whenever, at_delivery or whenever
    for site, windows in ((pickup, at_pickup), (delivery, at_delivery)):
        if site is not None and not windows:
            return _closed(leg, site, calendar, service_days, clock)
    due_s = None
    if leg.waiting and leg.promise.get("state") != "PAUSED":
        site_calendar = scene.book.calendars[POST_CALENDAR] if inward else calendar
        promised = pickup_due_s(leg, site_calendar, clock)
        # What is broken already is as urgent as what is due now; counting its whole lateness would leave it out.
        due_s = None if promised is None else max(promised - MARGIN_S, clock.now_s)
    return Job(leg, pickup, delivery, at_pickup, at_delivery, due_s, out_of_hours, shut)


def _ends(snapshot: Snapshot, sites: Sites, leg: OpenLeg) -> tuple[Site | None, Site] | LeftOut:
    """Where a leg is taken over (None: it is on board already) and where it is handed on."""
    citizen, shop = sites.of_citizen(leg), sites.of_shop(leg.shop_id)
    inward = leg.to_shop
    if citizen is None and (leg.waiting or not inward):
        return LeftOut(leg.request_id, leg.leg, "address_unknown")
    delivery = shop if inward else citizen
    assert delivery is not None
    if leg.carried:
        return None, delivery
    if not leg.lies_at_office:
        return (citizen if leg.leg == "pickup" else shop), delivery
    office = sites.of_office(_lies_at(snapshot, leg))
    return LeftOut(leg.request_id, leg.leg, "office_unknown") if office is None else (office, delivery)


def _obstacle(leg: OpenLeg, on_duty: Mapping[str, Courier], *, by_hand: bool) -> str | None:
    if leg.carried:
        if leg.courier_id is None:
            return "carrier_unknown"
        return None if leg.courier_id in on_duty else "carrier_off_duty"
    if leg.history is None or by_hand:
        return None
    if leg.waiting and leg.history.pickup_attempts >= MAX_PICKUP_ATTEMPTS:
        return "attempts_exhausted"
    if leg.status in GOING_BACK:
        return None
    if leg.history.delivery_attempts:
        return "citizen_invited"
    if leg.substatus == "SUPPLEMENT":
        return "supplement_awaited"
    if leg.substatus == "HANDOVER_REFUSED":
        refusal = next(step for step in reversed(leg.history.steps) if step.event.type == "handover_refused")
        return None if refusal.event.payload.get("reason") == "INTAKE_CLOSED" else "handover_refused"
    return None


def _lies_at(snapshot: Snapshot, leg: OpenLeg) -> str:
    """The post office a leg lies at: that of the courier who brought it, else the one that answers for it."""
    steps = leg.history.steps if leg.history else ()
    for step in reversed(steps):
        courier = snapshot.couriers.get(step.event.courier_id or "")
        if step.event.type in ("arrived_office", "handover_refused") and courier is not None:
            return courier.home_office_id
    return leg.office_id or ""


def _windows(
    snapshot: Snapshot,
    clock: Clock,
    leg: OpenLeg,
    site: Site,
    calendar: Calendar,
    service_days: frozenset[int],
    *,
    intake: bool,
) -> tuple[Window, ...]:
    if site.place["at"] == "citizen":
        return door_windows(leg, clock) if _called_on(service_days, clock) else ()
    if site.place["at"] == "office":
        calendar = snapshot.calendars[snapshot.offices[site.place["id"]].hours_profile]
    return counter_windows(calendar, clock, service_s(site), intake=intake)


def _called_on(service_days: frozenset[int], clock: Clock) -> bool:
    return not service_days or clock.day.weekday() in service_days


def _closed(leg: OpenLeg, site: Site, calendar: Calendar, service_days: frozenset[int], clock: Clock) -> LeftOut:
    if site.place["at"] != "citizen":
        return LeftOut(leg.request_id, leg.leg, "site_closed", next_opening(calendar, clock))
    window = leg.body.get("window")
    asked_for = clock.day if window is None else local_date(datetime.fromisoformat(window["from"]))
    if not _called_on(service_days, clock):
        serves = next_served(service_days, max(asked_for, clock.day + timedelta(days=1)))
        opens_at = datetime.combine(serves, CITIZEN_HOURS[0], LOCAL)
        return LeftOut(leg.request_id, leg.leg, "no_service_day", opens_at)
    return LeftOut(leg.request_id, leg.leg, "window_other_day" if asked_for > clock.day else "door_closed")
