"""The world around the demo's programs: how long a ride takes, when a shop is open, who is at home."""

from __future__ import annotations

import math
from datetime import datetime, time, timedelta
from random import Random

from dispatch.domain.text import LOCAL

Point = tuple[float, float]
"""(lat, lng) in WGS84 degrees."""
SHOP_HOURS = ((time(7, 30), time(11, 30)), (time(13, 30), time(17, 0)))
ABSENT_SHARE = 0.06


def ride_time(origin: Point, destination: Point) -> timedelta:
    """What a ride on a motorbike takes as a rule: straight line times a detour, faster on longer ways, and parking."""
    km = straight_km(origin, destination)
    if km < 0.03:
        return timedelta(seconds=20)
    road_km = km * (1.30 + 0.35 * math.exp(-km / 1.4))
    kmh = 36 - 15 * math.exp(-km / 4)
    return timedelta(hours=road_km / kmh, seconds=100)


def straight_km(origin: Point, destination: Point) -> float:
    """Great-circle distance in km between (lat, lng) pairs in degrees."""
    (lat1, lng1), (lat2, lng2) = (tuple(map(math.radians, point)) for point in (origin, destination))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(h))


def is_absent(seed: int, external_ref: str, kind: str) -> bool:
    """Whether nobody is at home the first time a courier calls; decided by the seed."""
    reference = external_ref.split("/", 1)[-1]
    return Random(f"{seed}/{reference}/{kind}").random() < ABSENT_SHARE


def shop_opens(at: datetime) -> datetime | None:
    """When a shop takes people from `at` on, that day; None where it stays closed."""
    local = at.astimezone(LOCAL)
    for opens, closes in SHOP_HOURS:
        if local.time() < closes:
            return max(local, datetime.combine(local.date(), opens, LOCAL))
    return None
