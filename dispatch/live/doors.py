"""Where doors are, as couriers' scans say: the same written address, scanned close together more than once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from statistics import median

from dispatch.domain.address_words import words_of

CLOSE_M = 60
LEAST_SCANS = 2
GOOD_FIX_M = 50.0
"""A scan less exact than this says nothing of a door."""
_METRES_A_DEGREE = 111_195.0

Point = tuple[float, float]


def keys_of(raw: str | None, commune: str | None, phone: str) -> list[str]:
    """The hashes under which a door is known: its written address in its commune, and that of its telephone.

    An address without a number is no door of its own: it is known by its telephone alone. None without a text.
    """
    words = " ".join(word.fold for word in words_of(raw or ""))
    if not words:
        return []
    digits = "".join(char for char in phone if char.isdigit())
    named = [f"phone|{digits}|{words}"]
    if commune and any(char.isdigit() for char in words):
        named.append(f"place|{commune}|{words}")
    return [hashlib.sha256(name.encode()).hexdigest() for name in named]


def door_of(fixes: Sequence[Point]) -> Point | None:
    """The point that most of some scans (at least LEAST_SCANS, within CLOSE_M of it) agree on, None where none is.

    The middle of those close to the scan that has most others close to it.
    """
    if not fixes:
        return None
    groups = [[other for other in fixes if apart_m(one, other) <= CLOSE_M] for one in fixes]
    largest = max(groups, key=len)
    if len(largest) < LEAST_SCANS or 2 * len(largest) <= len(fixes):
        return None
    return round(median(lat for lat, _ in largest), 6), round(median(lng for _, lng in largest), 6)


def apart_m(one: Point, other: Point) -> float:
    """Metres between two near points."""
    north = (one[0] - other[0]) * _METRES_A_DEGREE
    east = (one[1] - other[1]) * _METRES_A_DEGREE * math.cos(math.radians(one[0]))
    return math.hypot(north, east)
