"""A made province of the same look as the published one: a city, six towns, 176 communes, 200 shops, 40 × 90 km.

A smaller number of requests is a strip of it from the south, at the same density.
"""

from __future__ import annotations

import math
from collections import Counter
from random import Random

from bench.routes.case import Case, Earth, Pair, Prices, Stop, Vehicle

REQUESTS, PER_COURIER = 12_000, 40
SOUTH, WEST, HIGH_KM, WIDE_KM = 12.2, 109.0, 90.0, 40.0
KM = 1 / 111.2  # degrees of latitude
_CITY_SHOPS, _TOWN_SHOPS, _COMMUNES = 12, (2, 2, 2, 2, 2, 2), 176
_DAY_S, _SHOP_CLOSES, _LAST_HAND_IN, _HOME_CLOSES = 45_000, 36_000, 37_800, 41_400
_PROMISE_S, _SHOP_S, _HOME_S = 14_400, 45, 150
_HOMES_KM = 1.6  # how far from their shop citizens live, in each direction
Point = tuple[float, float]


def province(requests: int, seed: int = 7) -> Case:
    """Return the `requests` southernmost requests of the province, with a courier for every forty."""
    dice = Random(seed)
    shops, weights = _shops(dice)
    drawn = [_request(dice, shops, weights) for _ in range(REQUESTS)]
    chosen = sorted(drawn, key=lambda one: one[1][0])[:requests]
    dice.shuffle(chosen)
    points = shops + [home for _, home, _, _ in chosen]
    pairs = tuple(_pair(f"r{k}", shop, len(shops) + k, *rest) for k, (shop, _, *rest) in enumerate(chosen))
    asked = Counter(shop for shop, *_ in chosen)
    starts = dice.choices(list(asked), list(asked.values()), k=max(1, requests // PER_COURIER))
    return Case(
        f"made-{requests}-{seed}",
        Earth(tuple(lat for lat, _ in points), tuple(lng for _, lng in points)),
        tuple(Vehicle(shop, shop, 0, _DAY_S, 80) for shop in sorted(starts)),
        pairs,
        Prices(unserved=20_000),
    )


def around(dice: Random, centre: Point, km: float) -> Point:
    """Return a point some kilometres from another, to six digits."""
    east = KM / math.cos(math.radians(centre[0]))
    return round(centre[0] + dice.gauss(0, km) * KM, 6), round(centre[1] + dice.gauss(0, km) * east, 6)


def _shops(dice: Random) -> tuple[list[Point], list[float]]:
    """Return where the shops are and how much each is asked."""

    def anywhere() -> Point:
        east = KM / math.cos(math.radians(SOUTH))
        return round(SOUTH + dice.uniform(0, HIGH_KM) * KM, 6), round(WEST + dice.uniform(0, WIDE_KM) * east, 6)

    city = (SOUTH + HIGH_KM * KM / 3, WEST + WIDE_KM * KM / 2)
    shops = [around(dice, city, 2.0) for _ in range(_CITY_SHOPS)]
    weights = [270.0] * _CITY_SHOPS
    for size in _TOWN_SHOPS:
        town = anywhere()
        shops += [around(dice, town, 1.0) for _ in range(size)]
        weights += [370.0] * size
    communes = [anywhere() for _ in range(_COMMUNES)]
    weights += [max(3.0, dice.gauss(26, 12)) for _ in communes]
    return shops + communes, weights


def _request(dice: Random, shops: list[Point], weights: list[float]) -> tuple[int, Point, bool, int]:
    """Return (shop, citizen's home, whether the citizen hands in, second of notice)."""
    (shop,) = dice.choices(range(len(shops)), weights)
    lat, lng = around(dice, shops[shop], _HOMES_KM)
    home = (max(SOUTH, lat), max(WEST, lng))
    noticed = dice.gauss(6_500, 3_000) if dice.random() < 0.52 else dice.gauss(23_500, 3_200)
    return shop, home, dice.random() < 0.4, round(min(30_600, max(1_800, noticed)))


def _pair(name: str, shop: int, home: int, hands_in: bool, noticed: int) -> Pair:
    due = noticed + _PROMISE_S
    if hands_in:
        pickup = Stop(home, noticed, min(due, _HOME_CLOSES), _HOME_S)
        return Pair(name, pickup, Stop(shop, noticed, _LAST_HAND_IN, _SHOP_S))
    pickup = Stop(shop, noticed, min(due, _SHOP_CLOSES), _SHOP_S)
    return Pair(name, pickup, Stop(home, noticed, _DAY_S, _HOME_S))
