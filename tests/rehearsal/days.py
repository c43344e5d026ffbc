"""Small days with everything that can happen in them: a town, a few couriers, cancellations, absences, closed doors."""

from __future__ import annotations

import json
from random import Random
from typing import Any

Day = dict[str, Any]


def small_day(seed: int, *, requests: int = 24, couriers: int = 3, sigma: float = 0.0) -> Day:
    """Return a scenario whose requests come in the order of the file."""
    dice = Random(seed)
    sites = [
        {"id": f"s{k}", **_place(dice), "open": dice.choice([[[27_000, 61_200]], [[27_000, 41_400], [48_600, 61_200]]])}
        for k in range(4)
    ]
    known = sorted(dice.randrange(25_200, 54_000) for _ in range(requests))
    return {
        "format": "dispatch-scenario/1",
        "name": f"small {seed}",
        "day": [25_200, 68_400],
        "travel": {"model": "geodesic", "detour": 1.35, "speed_kmh": 28, "stop_overhead_s": dice.choice([0, 30])},
        "noise": {"sigma": sigma, "seed": seed},
        "sites": sites,
        "couriers": [
            {
                "id": f"c{k}",
                **_place(dice),
                "shift": [27_000, 64_800],
                "capacity": dice.choice([4, 40]),
                "absent_from": dice.choice([None, None, 45_000]) if k else None,
            }
            for k in range(couriers)
        ],
        "requests": [_request(dice, f"r{k}", sites, at) for k, at in enumerate(known)],
    }


def cut(day: Day, after: int) -> Day:
    """Return the day without the requests revealed after a second."""
    return {**day, "requests": [one for one in day["requests"] if one["reveal_at"] <= after]}


def text(day: Day) -> str:
    """Return the text of a scenario file."""
    return json.dumps(day)


def _place(dice: Random) -> dict[str, float]:
    return {"lat": round(12.24 + dice.uniform(-0.04, 0.04), 6), "lng": round(109.18 + dice.uniform(-0.04, 0.04), 6)}


def _request(dice: Random, name: str, sites: list[Day], at: int) -> Day:
    home = {**_place(dice), "windows": [[27_000, 64_000]]}
    site = {"site": dice.choice(sites)["id"]}
    returns = dice.random() < 0.6
    return {
        "id": name,
        "kind": "return" if returns else "pickup",
        "reveal_at": at,
        "pickup": site if returns else home,
        "delivery": home if returns else site,
        "due_at": max(at, 27_000) + 14_400,
        "service_s": [dice.choice([0, 60, 120]), dice.choice([60, 180])],
        "size": dice.choice([1, 1, 1, 2]),
        "cancel_at": at + dice.randrange(300, 12_000) if dice.random() < 0.15 else None,
    }
