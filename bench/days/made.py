"""Made days of four kinds: a city, a plain, mountains, and all three mixed; 300 to 1,500 notices, 12 to 60 couriers.

Shops are busy in proportion to their commune, citizens live around their shop, notices come in a morning and an
afternoon wave. A few are cancelled, some couriers go home early, some shops close at midday.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from random import Random
from typing import Any

KM = 1 / 111.2  # degrees of latitude
_SOUTH, _WEST = 12.2, 109.0
_DAY = (25_200, 68_400)
_OPEN, _MIDDAY = (27_000, 61_200), (41_400, 48_600)
_SHIFT = (27_000, 64_800)
_PROMISE_S = 14_400
_HOME_HOURS = (27_000, 66_600)


@dataclass(frozen=True)
class Kind:
    """What a day of one kind looks like."""

    wide_km: float
    high_km: float
    towns: int
    town_km: float
    town_share: float
    homes_km: float
    speed_kmh: float
    detour: float
    per_courier: tuple[int, int]
    midday: float


KINDS = {
    "city": Kind(9, 9, 3, 2.0, 0.8, 1.5, 22, 1.35, (26, 34), 0.0),
    "plain": Kind(30, 26, 6, 1.2, 0.5, 2.0, 30, 1.35, (20, 27), 0.2),
    "mountain": Kind(42, 34, 5, 1.0, 0.55, 2.6, 26, 1.6, (13, 18), 0.5),
    "mixed": Kind(36, 30, 7, 1.6, 0.65, 2.0, 27, 1.45, (18, 25), 0.3),
}


def day(kind: str, seed: int, sigma: float = 0.0) -> dict[str, Any]:
    """Return one day as `dispatch-scenario/1`."""
    look, dice = KINDS[kind], Random(f"{kind} {seed}")
    count = round(math.exp(dice.uniform(math.log(300), math.log(1500))))
    couriers = min(60, max(12, round(count / dice.uniform(*look.per_courier))))
    towns = [_anywhere(dice, look) for _ in range(look.towns)]
    sites = [_site(dice, look, towns, k) for k in range(max(8, round(couriers * dice.uniform(1.2, 2.2))))]
    busy = [dice.paretovariate(1.3) * (2.0 if k < len(sites) * look.town_share else 1.0) for k in range(len(sites))]
    requests = [_request(dice, look, dice.choices(sites, busy)[0]) for _ in range(count)]
    requests.sort(key=lambda one: one["reveal_at"])
    starts = dice.choices(sites, busy, k=couriers)
    return {
        "format": "dispatch-scenario/1",
        "name": f"{kind}-{seed}",
        "day": list(_DAY),
        "travel": {"model": "geodesic", "detour": look.detour, "speed_kmh": look.speed_kmh, "stop_overhead_s": 20},
        "noise": {"sigma": sigma, "seed": seed},
        "sites": sites,
        "couriers": [_courier(dice, site, k) for k, site in enumerate(starts)],
        "requests": [{"id": f"r{k}", **one} for k, one in enumerate(requests)],
    }


def text(kind: str, seed: int, sigma: float = 0.0) -> str:
    """Return one day as the text of a file."""
    return json.dumps(day(kind, seed, sigma))


def _anywhere(dice: Random, look: Kind) -> tuple[float, float]:
    east = KM / math.cos(math.radians(_SOUTH))
    return _SOUTH + dice.random() * look.high_km * KM, _WEST + dice.random() * look.wide_km * east


def _around(dice: Random, centre: tuple[float, float], km: float) -> tuple[float, float]:
    east = KM / math.cos(math.radians(_SOUTH))
    return round(centre[0] + dice.gauss(0, km) * KM, 6), round(centre[1] + dice.gauss(0, km) * east, 6)


def _site(dice: Random, look: Kind, towns: list[tuple[float, float]], k: int) -> dict[str, Any]:
    near = dice.choice(towns) if dice.random() < look.town_share else _anywhere(dice, look)
    lat, lng = _around(dice, near, look.town_km)
    hours = [list(_OPEN)]
    if dice.random() < look.midday:
        hours = [[_OPEN[0], _MIDDAY[0]], [_MIDDAY[1], _OPEN[1]]]
    return {"id": f"s{k}", "lat": lat, "lng": lng, "open": hours}


def _courier(dice: Random, site: dict[str, Any], k: int) -> dict[str, Any]:
    lat, lng = _around(dice, (site["lat"], site["lng"]), 0.5)
    gone = dice.randrange(36_000, 57_600) if dice.random() < 0.03 else None
    return {"id": f"c{k}", "lat": lat, "lng": lng, "shift": list(_SHIFT), "capacity": 40, "absent_from": gone}


def _request(dice: Random, look: Kind, site: dict[str, Any]) -> dict[str, Any]:
    wave = dice.gauss(31_500, 3_600) if dice.random() < 0.55 else dice.gauss(49_500, 3_200)
    reveal = round(min(55_800, max(25_800, wave)))
    lat, lng = _around(dice, (site["lat"], site["lng"]), look.homes_km)
    home = {"lat": lat, "lng": lng, "windows": [list(_HOME_HOURS)]}
    returns = dice.random() < 0.6
    gone = reveal + dice.randrange(600, 9_000) if dice.random() < 0.03 else None
    ends = ({"site": site["id"]}, home) if returns else (home, {"site": site["id"]})
    due = max(reveal, _OPEN[0]) + _PROMISE_S
    return {
        "kind": "return" if returns else "pickup",
        "reveal_at": reveal,
        "pickup": ends[0],
        "delivery": ends[1],
        "due_at": min(due, _OPEN[1] if returns else _HOME_HOURS[1]),
        "service_s": [dice.choice([60, 90, 120]), dice.choice([120, 180, 240])],
        "size": 1,
        "cancel_at": gone,
    }
