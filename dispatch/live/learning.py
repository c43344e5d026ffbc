"""What real rides and services teach: the middle of real ÷ reckoned, shrunk towards what is known more broadly.

Everything is said of the logarithm of real ÷ reckoned: half as long and twice as long are equally far off. A figure of
few observations is drawn towards that of its surroundings: ride of a commune pair in a band of hours → the pair →
the province → all → the prior; service at a shop → all shops. Weight n ÷ (n + K) is its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dispatch.live.erring import Ratio

LEAST_RATIO, MOST_RATIO = 0.2, 6.0
"""A ride beyond these is no ride any more (a pause nobody reported, a scan at the wrong door): it counts as these."""
K = 8
"""So many observations weigh as much as everything known of the surroundings."""
BANDS = (9, 11, 14, 17)
"""Local hours at which a new band begins: before nine, morning, noon, afternoon, evening."""


def band_of(hour: int) -> int:
    """The band of a local hour, 0 to 4."""
    return sum(hour >= begins for begins in BANDS)


def log_ratio(real_s: float, reckoned_s: float) -> float:
    """The logarithm of real ÷ reckoned, clipped to what can be."""
    return math.log(min(MOST_RATIO, max(LEAST_RATIO, real_s / reckoned_s)))


@dataclass(frozen=True, slots=True)
class Seen:
    """So many logarithms of real ÷ reckoned: their median, and half the span of the middle 68 % as their deviation."""

    count: int
    median: float
    deviation: float


PRIOR = Seen(0, 0.0, 0.25)
"""What is believed before anything was seen: reckoned times are right, one ride errs by a quarter."""


def summary(logs: Sequence[float]) -> Seen:
    """What some logarithms (one at least) come to."""
    ordered = sorted(logs)
    low, middle, high = (_at(ordered, share) for share in (0.16, 0.5, 0.84))
    return Seen(len(ordered), middle, (high - low) / 2)


def _at(ordered: Sequence[float], share: float) -> float:
    """The value at a share of some ordered ones, between two in proportion (as PostgreSQL's percentile_cont)."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def shrunk(own: Seen | None, around: Seen) -> Seen:
    """What to believe of something seen `own.count` times whose surroundings are as `around` says.

    The median and the square of the deviation lie between the two, the nearer to their own the more was seen.
    """
    if own is None or not own.count:
        return Seen(0, around.median, around.deviation)
    weight = own.count / (own.count + K)
    median = weight * own.median + (1 - weight) * around.median
    variance = weight * own.deviation**2 + (1 - weight) * around.deviation**2
    return Seen(own.count, median, math.sqrt(variance))


@dataclass(frozen=True)
class Learnt:
    """Everything seen of one world's rides and services, by its keys; asks and answers in `Errors`' words.

    `rides`: (origin, destination, band) of communes, band None for all hours; `provinces`, `everywhere`: rides of a
    2020 province and of all. `home` is the province of a commune. `shops` by id, `doors` by commune, None for all.
    """

    model: str = "prior-1"
    rides: Mapping[tuple[str, str, int | None], Seen] = field(default_factory=dict)
    provinces: Mapping[str, Seen] = field(default_factory=dict)
    everywhere: Seen | None = None
    home: Mapping[str, str] = field(default_factory=dict)
    shops: Mapping[str | None, Seen] = field(default_factory=dict)
    doors: Mapping[str | None, Seen] = field(default_factory=dict)
    _factors: dict[tuple[str, str], float] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Asked for again and again: every table of rides asks for every pair of its communes."""

    @property
    def anything(self) -> bool:
        """Whether anything was learnt at all."""
        return bool(self.rides or self.shops or self.doors)

    def pair(self, origin: str, destination: str) -> Seen:
        """What to believe of a ride between two communes at any hour."""
        own = self.rides.get((origin, destination, None))
        return shrunk(own, self._around.get(self.home.get(destination, ""), self._all))

    def in_band(self, origin: str, destination: str, band: int) -> Seen:
        """What to believe of a ride between two communes that begins in a band of hours."""
        return shrunk(self.rides.get((origin, destination, band)), self.pair(origin, destination))

    def factor(self, origin: str, destination: str) -> float:
        """By what plans multiply the reckoned ride between two communes."""
        known = self._factors.get((origin, destination))
        if known is None:
            known = self._factors[origin, destination] = math.exp(self.pair(origin, destination).median)
        return known

    def service_factor(self, site: str, id: str | None) -> float:
        """By what plans multiply the reckoned service at a shop (by its id) or at a citizen's door (by commune)."""
        known = self.shops if site == "shop" else self.doors if site == "citizen" else {}
        return math.exp(self._serving(known, id).median) if known else 1.0

    def ride(self, origin: str | None, destination: str | None, hour: int) -> Ratio:
        """How a ride of a plan made with `factor` still errs, by the hour in which it begins."""
        planned = self.pair(origin or "", destination or "")
        real = self.in_band(origin or "", destination or "", band_of(hour))
        mean = math.exp(real.median - planned.median)
        return Ratio(mean, mean * real.deviation)

    def service(self, shop_id: str | None) -> Ratio:
        """How a service of a plan made with `service_factor` still errs; None is a citizen's door or a post office."""
        known = self.doors if shop_id is None else self.shops
        return Ratio(1.0, self._serving(known, shop_id).deviation)

    @staticmethod
    def _serving(known: Mapping[str | None, Seen], id: str | None) -> Seen:
        around = shrunk(known.get(None), PRIOR)
        return around if id is None else shrunk(known.get(id), around)

    @cached_property
    def _all(self) -> Seen:
        return shrunk(self.everywhere, PRIOR)

    @cached_property
    def _around(self) -> dict[str, Seen]:
        return {province: shrunk(seen, self._all) for province, seen in self.provinces.items()}


NOTHING = Learnt()


@dataclass(frozen=True, slots=True)
class Observed:
    """One ride or service that was: `at` names it among its like, `logarithm` is of real ÷ reckoned."""

    origin: str
    destination: str
    province: str
    band: int
    logarithm: float


def learn_rides(observed: Iterable[Observed], model: str = "") -> Learnt:
    """What some rides teach: the same as the database makes of them."""
    pairs: dict[tuple[str, str, int | None], list[float]] = {}
    provinces: dict[str, list[float]] = {}
    home: dict[str, str] = {}
    for one in observed:
        for band in (one.band, None):
            pairs.setdefault((one.origin, one.destination, band), []).append(one.logarithm)
        provinces.setdefault(one.province, []).append(one.logarithm)
        home[one.destination] = one.province
    everything = [log for logs in provinces.values() for log in logs]
    return Learnt(
        model,
        {key: summary(logs) for key, logs in pairs.items()},
        {key: summary(logs) for key, logs in provinces.items()},
        summary(everything) if everything else None,
        home,
    )
