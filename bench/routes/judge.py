"""Judges plans of any engine in real numbers, by the case alone: windows, order, pairing, load, horizon, distance."""

from __future__ import annotations

from dataclasses import dataclass

from bench.routes.case import Case, Routes

SLACK = 1e-6  # what adding float64 legs may cost; a real violation is larger by far


@dataclass(frozen=True)
class Verdict:
    """What a plan breaks, if anything, and what it costs."""

    faults: tuple[str, ...]
    vehicles: int
    drive: float
    late_s: float
    late_pickups: int
    unserved: int
    total: float

    @property
    def complete(self) -> bool:
        """Say whether a plan is lawful and serves everybody."""
        return not self.faults and not self.unserved


def judge(case: Case, routes: Routes) -> Verdict:
    """Return the verdict on a plan; what is in none of its routes counts as unserved."""
    faults: list[str] = []
    if len(routes) > len(case.vehicles):
        faults.append(f"{len(routes)} routes for {len(case.vehicles)} vehicles")
    seen: set[int] = set()
    late: list[float] = []
    drive = 0.0
    for number, route in enumerate(routes[: len(case.vehicles)]):
        told, driven, lateness = _route(case, number, route, seen)
        faults += [f"vehicle {number}: {fault}" for fault in told]
        late += lateness
        drive += driven
    used = sum(bool(route) for route in routes)
    unserved = sum(2 * r + 1 not in seen for r in range(len(case.pairs)))
    prices = case.prices
    total = drive + prices.vehicle * used + prices.late_per_s * sum(late) + prices.unserved * unserved
    return Verdict(tuple(faults), used, drive, sum(late), len(late), unserved, total)


def starts(case: Case, number: int, route: list[int]) -> list[float]:
    """Return when each service of a route starts, each as early as it can."""
    vehicle, times = case.vehicles[number], []
    at, here = max(vehicle.leaves, case.now), vehicle.start
    for name in route:
        stop = case.stop(name)
        times.append(max(at + case.travel.leg(here, stop.place), stop.opens))
        at, here = times[-1] + stop.service, stop.place
    return times


def _route(case: Case, number: int, route: list[int], seen: set[int]) -> tuple[list[str], float, list[float]]:
    """Return one route's faults, its drive and by how much it breaks promises; adds its stops to `seen`."""
    vehicle, faults, late = case.vehicles[number], list[str](), list[float]()
    if not route:
        return faults, 0.0, late
    if not all(0 <= stop < 2 * len(case.pairs) for stop in route):
        return ["an unknown stop"], 0.0, late
    times = starts(case, number, route)
    load = sum(pair.size for pair in case.pairs if pair.holder == number)
    drive, here, aboard = 0.0, vehicle.start, set[int]()
    for name, start in zip(route, times, strict=True):
        stop, pair = case.stop(name), case.pairs[name // 2]
        drive += case.travel.leg(here, stop.place)
        here = stop.place
        if name in seen:
            faults.append(f"stop {name} is served twice")
        seen.add(name)
        if start > stop.closes + SLACK:
            faults.append(f"stop {name} starts {start - stop.closes:.6f} after its window")
        if stop.due is not None and start > stop.due + SLACK:
            late.append(start - stop.due)
        faults += _carried(name, pair.holder, number, aboard)
        load += -pair.size if name % 2 else pair.size
        if not name % 2 and load > vehicle.capacity:
            faults.append(f"carries {load} of {vehicle.capacity} after stop {name}")
    faults += [f"pair {r} is collected and not delivered" for r in sorted(aboard)]
    back = times[-1] + case.stop(route[-1]).service
    if vehicle.end is not None:
        back += case.travel.leg(here, vehicle.end)
        drive += case.travel.leg(here, vehicle.end)
    if back > vehicle.back_by + SLACK:
        faults.append(f"ends {back - vehicle.back_by:.6f} after its horizon")
    return faults, drive, late


def _carried(name: int, holder: int | None, number: int, aboard: set[int]) -> list[str]:
    """Follow who carries what over one stop; return what is wrong with it."""
    pair = name // 2
    if holder is not None:
        if not name % 2:
            return [f"pair {pair} is on board already and collected again"]
        return [] if holder == number else [f"pair {pair} is on board of vehicle {holder}"]
    if not name % 2:
        aboard.add(pair)
        return []
    if pair not in aboard:
        return [f"pair {pair} is delivered and not collected before"]
    aboard.remove(pair)
    return []
