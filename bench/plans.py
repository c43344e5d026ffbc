"""What a plan costs and how long it takes: our insertion, OR-Tools warm-started by it, and our own search."""

from __future__ import annotations

import random
import time

import routing
from routing.model import Courier, End, Plan, Problem, Request, Weights

SIZES = ((40, 6), (80, 10), (150, 12))
SECONDS = 5.0


def measure() -> str:
    """Rows of cost, late promises and seconds for made days around Nha Trang, one seed each."""
    lines = [
        f"## Plans of a made day around Nha Trang, {SECONDS:.0f} s for the engines that search",
        "Cost = metres + 50 per second late + 0.01 per second until delivery; every plan passed the independent check.",
        "",
        "| requests, couriers | engine | seconds | cost | late s | left out | cost ÷ greedy |",
        "|---|---|---|---|---|---|---|",
    ]
    for count, couriers in SIZES:
        problem = made(count, couriers, seed=7)
        base: float | None = None
        for engine in ("greedy", "or_tools", "search"):
            began = time.perf_counter()
            plan: Plan = routing.solve(problem, engine=engine, seconds=SECONDS, seed=1)
            took = time.perf_counter() - began
            cost = plan.cost.total
            base = base or cost
            lines.append(
                f"| {count}, {couriers} | {engine} | {took:.1f} | {cost:,.0f} | {plan.cost.late_s:,} "
                f"| {plan.cost.unserved} | {cost / base:.3f} |"
            )
    return "\n".join(lines)


def made(count: int, couriers: int, seed: int) -> Problem:
    """A day of `count` requests between 20 shops and citizens within 12 km, with the four-hour promise."""
    dice = random.Random(seed)
    places = [("shop", dice.gauss(12.25, 0.05), dice.gauss(109.17, 0.03)) for _ in range(20)]
    places += [("home", dice.gauss(12.25, 0.06), dice.gauss(109.16, 0.04)) for _ in range(count)]
    spots = tuple(
        routing.Place(id=f"{kind}{number}", lat=lat, lng=lng) for number, (kind, lat, lng) in enumerate(places)
    )
    requests = []
    for number in range(count):
        shop, home = spots[dice.randrange(20)], spots[20 + number]
        notice = dice.randrange(27_000, 50_000)
        counter = End(place=shop.id, windows=((notice, 61_200),), due=notice + 14_400, service_s=90)
        door = End(place=home.id, windows=((27_000, 68_400),), due=None, service_s=240)
        requests.append(Request(id=f"r{number}", pickup=counter, delivery=door))
    riders = tuple(
        Courier(id=f"c{number}", start=spots[number % 20].id, end=None, shift=(25_200, 66_600), capacity=40)
        for number in range(couriers)
    )
    travel = routing.GeodesicTravel(detour=1.35, speed_kmh=28, stop_overhead_s=60)
    return Problem(
        name=f"made-{count}",
        places=spots,
        travel=travel,
        couriers=riders,
        requests=tuple(requests),
        weights=Weights(unserved=100_000_000, late_per_s=50, distance_per_m=1, delivery_delay_per_s=0.01),
    )
