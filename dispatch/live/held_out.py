"""Was it worth learning? Each day's rides against what was known the evening before: trained on the past only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from dispatch.live.learning import Observed, learn_rides, log_ratio

P80 = 0.8416
"""Of a normal distribution eight in ten lie below so many deviations."""


@dataclass(frozen=True, slots=True)
class Ridden:
    """One ride on a local date, in seconds as it was and as it was reckoned; bands as `learning.band_of` has them."""

    on: date
    origin: str
    destination: str
    province: str
    band: int
    real_s: int
    reckoned_s: int


@dataclass(frozen=True, slots=True)
class Judged:
    """How far a ride was from what was reckoned, before learning and after, and whether it kept the p80 promised."""

    ride: Ridden
    before_s: float
    after_s: float
    kept: bool


def held_out(rides: Sequence[Ridden], first: date) -> list[Judged]:
    """Judge the rides from `first` on, each by what the days before its own had taught; they come by date."""
    past: list[Observed] = []
    found: list[Judged] = []
    for day, its in groupby(rides, key=lambda one: one.on):
        today = list(its)
        if day >= first:
            known = learn_rides(past)
            for one in today:
                seen = known.in_band(one.origin, one.destination, one.band)
                likely_s = one.reckoned_s * math.exp(seen.median)
                careful_s = likely_s * math.exp(P80 * seen.deviation)
                found.append(
                    Judged(one, abs(one.real_s - one.reckoned_s), abs(one.real_s - likely_s), one.real_s <= careful_s)
                )
        past += [
            Observed(one.origin, one.destination, one.province, one.band, log_ratio(one.real_s, one.reckoned_s))
            for one in today
        ]
    return found
