"""What if: the same day with other couriers, hours, rules or work, or with a place that cannot be reached; all pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle, islice
from random import Random
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from dispatch.domain.text import Latitude, Longitude, Shape
from dispatch.rehearsal.scenario import Courier, End, Noise, Point, Request, Scenario, Site
from routing import GeodesicTravel, RoutingError
from routing.model import Window

MOST_COURIERS = 300
JITTER_S = 1800
"""Added work comes up to so much earlier or later than what it is a copy of."""
JITTER_M = 300
"""… and from a door up to so far away, north or south, and as much east or west."""
INTAKE = ":intake"
"""A past day has a shop's hours for handing in as a site of its own, under the shop's id and this."""
_METRES_A_DEGREE = 111_195.0

Second = Annotated[int, Field(ge=-86_400, le=10 * 86_400)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=1, le=MOST_COURIERS)]


def _ordered(window: tuple[int, int]) -> tuple[int, int]:
    if window[0] > window[1]:
        raise PydanticCustomError("turned_round", "must be [from, to], not turned round")
    return window


Hours = Annotated[tuple[Second, Second], Field(description="[from, to] in seconds of the day")]
Circle = tuple[Latitude, Longitude, Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]]


class CourierChange(Shape):
    """Couriers taken out by their ids, and so many more: copies of those who stay, in turn."""

    remove: Annotated[list[Name], Field(max_length=MOST_COURIERS)] = []
    add: Annotated[int, Field(ge=0, le=MOST_COURIERS)] = 0


class Curve(Shape):
    """Courier counts to try, both inclusive, and the share of promises that is to be kept."""

    first: Annotated[int, Field(ge=1, le=MOST_COURIERS, alias="from")]
    last: Annotated[int, Field(ge=1, le=MOST_COURIERS, alias="to")]
    target: Annotated[float, Field(gt=0, le=1)] = 0.98

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.last < self.first:
            raise PydanticCustomError("turned_round", "ends before it begins")
        return self


class WhatIf(Shape):
    """How a day differs from what it was. Seconds count from the zero of the day's file, a past day's midnight.

    `couriers`: so many, the first of the file and then copies of them in turn, or a change. `shift`: everybody's
    hours. `hours`: opening hours by shop. `work`: so many times the requests, as a sample or with jittered copies.
    `closed`: circles [lat, lng, radius in metres] nobody gets into. `detour`: all ways so many times as long.
    `promise_minutes`: the promise counts from when the request is known and its pickup place is open. `sigma`: how far
    rides stray, as the deviation of their logarithm. `curve` asks for the least number of couriers.
    """

    strategy: Literal["live", "insertion", "nearest", "fixed"] = "live"
    seed: Annotated[int, Field(ge=-(2**53), le=2**53)] = 1
    couriers: Count | CourierChange | None = None
    shift: Hours | None = None
    hours: Annotated[dict[Name, Annotated[list[Hours], Field(min_length=1, max_length=20)]], Field(max_length=500)] = {}
    work: Annotated[float, Field(ge=0.1, le=5)] = 1.0
    closed: Annotated[list[Circle], Field(max_length=100)] = []
    detour: Annotated[float, Field(ge=0.5, le=5)] = 1.0
    promise_minutes: Annotated[int, Field(ge=1, le=2880)] | None = None
    sigma: Annotated[float, Field(ge=0, le=1)] | None = None
    curve: Curve | None = None

    @model_validator(mode="after")
    def _windows_forwards(self) -> Self:
        for window in (self.shift, *(one for hours in self.hours.values() for one in hours)):
            if window is not None:
                _ordered(window)
        if self.curve is not None and self.couriers is not None:
            raise PydanticCustomError("couriers_twice", "asks for a number of couriers and for a curve of numbers")
        return self


def changed(day: Scenario, what: WhatIf) -> tuple[Scenario, list[str]]:
    """Return the day as `what` has it, and the ids of the requests that a closed place makes unreachable.

    They are not in the day any more. The same arguments give the same day. Raises RoutingError for a shop or a courier
    that the day does not have, and where nobody is left to ride.
    """
    day = _with_couriers(_with_hours(day, what.hours), what)
    requests = _worked(day, what.work, Random(what.seed)) if what.work != 1 else list(day.requests)
    shut = [one.id for one in requests if any(_inside(end.point, what.closed) for end in (one.pickup, one.delivery))]
    requests = [one for one in requests if one.id not in set(shut)]
    if what.promise_minutes is not None:
        requests = [_promised(one, what.promise_minutes * 60) for one in requests]
    travel = day.travel
    if what.detour != 1:
        travel = GeodesicTravel(travel.detour * what.detour, travel.speed_kmh, travel.stop_overhead_s)
    noise = day.noise if what.sigma is None else Noise(what.sigma, abs(what.seed))
    return replace(day, requests=tuple(requests), travel=travel, noise=noise), shut


def with_number(day: Scenario, count: int) -> Scenario:
    """Return the day with so many couriers: the first of the file, then copies of them in turn."""
    return replace(day, couriers=_so_many(day.couriers, count))


def _so_many(couriers: Sequence[Courier], count: int) -> tuple[Courier, ...]:
    if not couriers:
        return ()
    kept = list(couriers[:count])
    copies = islice(cycle(couriers), max(0, count - len(couriers)))
    added = [replace(one, id=f"{one.id}+{k // len(couriers) + 1}") for k, one in enumerate(copies)]
    return (*kept, *added)


def _with_couriers(day: Scenario, what: WhatIf) -> Scenario:
    couriers, count = day.couriers, what.couriers if isinstance(what.couriers, int) else len(day.couriers)
    if isinstance(what.couriers, CourierChange):
        _known(what.couriers.remove, [one.id for one in couriers], "couriers.remove")
        couriers = tuple(one for one in couriers if one.id not in what.couriers.remove)
        if not couriers:
            raise RoutingError("bad_value", "nobody is left to ride", "couriers")
        count = len(couriers) + what.couriers.add
    couriers = _so_many(couriers, count)
    if what.shift is not None:
        couriers = tuple(replace(one, shift=what.shift) for one in couriers)
    return replace(day, couriers=couriers)


def _known(wanted: Sequence[str], there: Sequence[str], where: str) -> None:
    for name in wanted:
        if name not in there:
            raise RoutingError("unknown_id", f"{name!r} is not in this day", where)


def _with_hours(day: Scenario, hours: dict[str, list[Window]]) -> Scenario:
    """Return the day with other opening hours; an end of a request follows the shop it lies at."""
    if not hours:
        return day
    _known(list(hours), [site.id.removesuffix(INTAKE) for site in day.sites], "hours")
    asked = {site.id: hours.get(site.id, hours.get(site.id.removesuffix(INTAKE))) for site in day.sites}
    now = {site.id: tuple(asked[site.id] or site.open) for site in day.sites}
    moved = {((site.lat, site.lng), site.open): now[site.id] for site in day.sites}

    def follow(end: End) -> End:
        return replace(end, windows=moved.get((end.point, end.windows), end.windows))

    sites = tuple(replace(site, open=now[site.id]) for site in day.sites)
    requests = tuple(replace(one, pickup=follow(one.pickup), delivery=follow(one.delivery)) for one in day.requests)
    return replace(day, sites=sites, requests=requests)


def _worked(day: Scenario, times: float, dice: Random) -> list[Request]:
    """Return a sample of the day's requests, or all of them and jittered copies of some, in the order they come."""
    count = round(len(day.requests) * times)
    if count <= len(day.requests):
        chosen = set(dice.sample(range(len(day.requests)), count))
        return [one for index, one in enumerate(day.requests) if index in chosen]
    copied = dice.choices(day.requests, k=count - len(day.requests))
    nudge = _nudge(day.sites, dice)
    copies = [_copy(one, f"{one.id}+{k}", day.day, dice, nudge) for k, one in enumerate(copied, start=1)]
    return sorted([*day.requests, *copies], key=lambda one: one.reveal_at)


def _copy(one: Request, name: str, day: Window, dice: Random, nudge: Callable[[End], End]) -> Request:
    reveal_at = min(max(one.reveal_at + dice.randint(-JITTER_S, JITTER_S), day[0]), day[1])
    later = reveal_at - one.reveal_at
    return replace(
        one,
        id=name,
        reveal_at=reveal_at,
        due_at=one.due_at + later,
        cancel_at=None if one.cancel_at is None else one.cancel_at + later,
        pickup=nudge(one.pickup),
        delivery=nudge(one.delivery),
    )


def _nudge(sites: Sequence[Site], dice: Random) -> Callable[[End], End]:
    """Return what moves a citizen's door a little and leaves shops where they are."""
    shops = {(site.lat, site.lng) for site in sites}

    def moved(end: End) -> End:
        if end.point in shops:
            return end
        lat, lng = end.point
        north, east = (dice.uniform(-JITTER_M, JITTER_M) / _METRES_A_DEGREE for _ in range(2))
        return replace(end, point=(round(lat + north, 6), round(lng + east / math.cos(math.radians(lat)), 6)))

    return moved


def _promised(one: Request, seconds: int) -> Request:
    opens = min((max(one.reveal_at, a) for a, b in one.pickup.windows if one.reveal_at <= b), default=one.reveal_at)
    return replace(one, due_at=opens + seconds)


def _inside(point: Point, circles: Sequence[Circle]) -> bool:
    for lat, lng, radius_m in circles:
        north = (point[0] - lat) * _METRES_A_DEGREE
        east = (point[1] - lng) * _METRES_A_DEGREE * math.cos(math.radians(lat))
        if math.hypot(north, east) <= radius_m:
            return True
    return False
