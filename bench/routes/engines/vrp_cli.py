"""vrp-cli (reinterpretcat/vrp): a Rust solver with hyper-heuristics; whole seconds, no warm start from Python."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import vrp_cli

from bench.routes.case import Ask, Case, Routes
from bench.routes.whole import Promised, Whole

PACKAGE = "vrp-cli"


def solve(case: Case, ask: Ask) -> Routes:
    """Return a plan of the pragmatic format."""
    numbers = Whole(case)
    config = {
        "termination": {"maxTime": max(1, math.ceil(ask.seconds))},
        "environment": {
            "parallelism": {"numThreadPools": 1, "threadsPerPool": 1},
            "logging": {"enabled": False},
        },
    }
    cells = numbers.drive.ravel().tolist()
    matrix = {"profile": "car", "travelTimes": cells, "distances": cells}
    found = vrp_cli.solve_pragmatic(json.dumps(_problem(numbers)), [json.dumps(matrix)], json.dumps(config))
    return _routes(json.loads(found), len(case.vehicles))


def _problem(numbers: Whole) -> dict[str, Any]:
    case, promised = numbers.case, Promised(numbers, None)
    jobs = []
    for r, pair in enumerate(case.pairs):
        pickup, delivery = (
            {
                "places": [
                    {
                        "location": {"index": case.stop(number).place},
                        "duration": numbers.up(case.stop(number).service),
                        "times": [[_time(moment) for moment in promised.window(number)]],
                    }
                ],
                "demand": [pair.size],
            }
            for number in (2 * r, 2 * r + 1)
        )
        if pair.holder is None:
            jobs.append({"id": str(r), "pickups": [pickup], "deliveries": [delivery]})
        else:
            jobs.append({"id": str(r), "deliveries": [delivery], "skills": {"allOf": [str(pair.holder)]}})
    aims = [[{"type": "minimize-unassigned"}], [{"type": "minimize-cost"}]]
    if case.prices.vehicle:
        aims.insert(1, [{"type": "minimize-tours"}])
    vehicles = [_vehicle(numbers, members) for members in numbers.alike()]
    return {
        "plan": {"jobs": jobs},
        "fleet": {"vehicles": vehicles, "profiles": [{"name": "car"}]},
        "objectives": aims,
    }


def _vehicle(numbers: Whole, members: list[int]) -> dict[str, Any]:
    first = members[0]
    vehicle, (opens, closes) = numbers.case.vehicles[first], numbers.shift(first)
    shift: dict[str, Any] = {"start": {"earliest": _time(opens), "location": {"index": vehicle.start}}}
    if vehicle.end is not None:
        shift["end"] = {"latest": _time(closes), "location": {"index": vehicle.end}}
    return {
        "typeId": str(first),
        "vehicleIds": [str(v) for v in members],
        "profile": {"matrix": "car"},
        "costs": {"fixed": numbers.price(numbers.case.prices.vehicle), "distance": 1, "time": 0},
        "shifts": [shift],
        "capacity": [vehicle.capacity],
        "skills": [str(first)],
    }


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def _routes(found: dict[str, Any], vehicles: int) -> Routes:
    routes: Routes = [[] for _ in range(vehicles)]
    for tour in found.get("tours", []):
        for stop in tour["stops"]:
            for activity in stop["activities"]:
                if activity["type"] in ("pickup", "delivery"):
                    number = 2 * int(activity["jobId"]) + (activity["type"] == "delivery")
                    routes[int(tour["vehicleId"])].append(number)
    return routes
