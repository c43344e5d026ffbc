"""A case in whole numbers and hard windows, for engines that take nothing else; what fits there fits the case."""

from __future__ import annotations

import math

import numpy as np

from bench.routes.case import Case, Routes, Vehicle
from bench.routes.judge import starts

_UNITS = 1000  # parts of a unit that real numbers are counted in
_LATE_S = 2700  # a promise that is broken already is given this long from now on


class Whole:
    """Legs and services rounded up, windows inwards."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.units = 1 if case.travel.whole else _UNITS
        self.drive = np.ceil(case.travel.matrix() * self.units - 1e-6).astype(np.int64)

    def up(self, value: float) -> int:
        """Return a time or a service, rounded up."""
        return math.ceil(value * self.units - 1e-6)

    def down(self, value: float) -> int:
        """Return the end of a window, rounded down."""
        return math.floor(value * self.units + 1e-6)

    def price(self, value: float) -> int:
        """Return what is paid, in the units of the drive."""
        return round(value * self.units)

    def shift(self, vehicle: int) -> tuple[int, int]:
        """Return from when until when a vehicle may be on the road."""
        leaves = self.up(max(self.case.vehicles[vehicle].leaves, self.case.now))
        return leaves, max(leaves, self.down(self.case.vehicles[vehicle].back_by))

    def window(self, number: int) -> tuple[int, int]:
        """Return a stop's own window, its promise left out."""
        stop = self.case.stop(number)
        opens = max(0, self.up(stop.opens))
        return opens, max(opens, self.down(stop.closes))

    def alike(self) -> list[list[int]]:
        """Return the vehicles in groups of equal ones; who has something on board is like nobody else."""
        holders = {pair.holder for pair in self.case.pairs}
        groups: dict[tuple[Vehicle, int | None], list[int]] = {}
        for v, vehicle in enumerate(self.case.vehicles):
            groups.setdefault((vehicle, v if v in holders else None), []).append(v)
        return list(groups.values())


class Promised:
    """Windows that promises close: not before a warm plan is there, and not at all where that is given up."""

    def __init__(self, numbers: Whole, warm: Routes | None, given_up: frozenset[int] = frozenset()) -> None:
        self.numbers, self.given_up = numbers, given_up
        case = numbers.case
        self.warm = {
            stop: start
            for v, route in enumerate(warm or [])
            for stop, start in zip(route, starts(case, v, route), strict=True)
        }

    def window(self, number: int) -> tuple[int, int]:
        """Return (opens, closes) of a stop, the promise kept."""
        opens, closes = self.numbers.window(number)
        due, now = self.numbers.case.stop(number).due, self.numbers.case.now
        if due is None or number // 2 in self.given_up:
            return opens, closes
        soonest = max(self.warm.get(number, 0), now + _LATE_S if due < now else 0)
        return opens, max(opens, min(closes, self.numbers.down(max(due, soonest))))
