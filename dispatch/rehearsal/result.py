"""What came of a day, as `dispatch-result/1` has it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dispatch.live.foretelling import NO_PLACE, Foretold
from dispatch.rehearsal.scenario import Request, Scenario
from dispatch.rehearsal.strategies import STRATEGIES, Diary
from dispatch.rehearsal.world import News, World

FORMAT = "dispatch-result/1"


@dataclass(frozen=True, slots=True)
class _Nobody:
    """What is said of a request that nobody could take when it came."""

    p50: None
    p90: None
    breach_probability: float


def simulate(
    scenario: Scenario, strategy: str, seed: int, watch: Callable[[int], object] = lambda now: None
) -> dict[str, Any]:
    """Run a day by one of STRATEGIES; the same arguments give the same result but for the measured milliseconds.

    `watch` hears each second of the day before it is decided; what it raises ends the run.
    """
    world, decide = World(scenario), STRATEGIES[strategy](scenario, seed)

    def watched(world: World, news: News) -> None:
        watch(world.now)
        decide(world, news)

    world.run(watched)
    requests = [_request(world, decide.diary, request) for request in scenario.requests]
    couriers = [
        {
            "id": rider.courier.id,
            "stops": [asdict(row) for row in rider.rows],
            "distance_m": rider.distance_m,
        }
        for rider in world.riders
    ]
    return {
        "format": FORMAT,
        "name": scenario.name,
        "strategy": strategy,
        "seed": seed,
        "requests": requests,
        "couriers": couriers,
        "replans": [asdict(replan) for replan in decide.diary.replans],
        "metrics": _metrics(world, decide.diary, requests),
    }


def _request(world: World, diary: Diary, request: Request) -> dict[str, Any]:
    rider, picked_at = world.picked.get(request.id, (None, None))
    return {
        "id": request.id,
        "courier": rider and rider.courier.id,
        "picked_at": picked_at,
        "delivered_at": world.delivered.get(request.id),
        "met": _met(world, request),
        "predicted": asdict(_foretold(diary, request)),
        "at_risk_at": diary.at_risk.get(request.id),
    }


def _foretold(diary: Diary, request: Request) -> Foretold | _Nobody:
    return diary.foretold.get(request.id) or _Nobody(None, None, diary.unplaced.get(request.id, NO_PLACE))


def _met(world: World, request: Request) -> bool | None:
    """Whether the promise was kept; None where it was cancelled before anybody came."""
    if request.id in world.cancelled:
        return None
    return request.id in world.picked and world.picked[request.id][1] <= request.due_at


def _metrics(world: World, diary: Diary, requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    judged = [one for one in requests if one["met"] is not None]
    late = sorted(
        max(0, one["picked_at"] - world.requests[one["id"]].due_at) for one in judged if one["picked_at"] is not None
    )
    minutes = sorted(
        (one["delivered_at"] - world.requests[one["id"]].reveal_at) / 60
        for one in judged
        if one["delivered_at"] is not None
    )
    cpu = sorted(replan.cpu_ms for replan in diary.replans)
    moved = [replan.moved_stops for replan in diary.replans]
    return {
        "requests": len(judged),
        "met_share": sum(one["met"] for one in judged) / len(judged) if judged else 1.0,
        "served": len(minutes),
        "late_p95_s": _percentile(late, 95),
        "distance_m": sum(rider.distance_m for rider in world.riders),
        "delivery_minutes_p50": _percentile(minutes, 50),
        "replan_ms_p50": _percentile(cpu, 50),
        "replan_ms_p99": _percentile(cpu, 99),
        "moved_stops_per_replan": sum(moved) / len(moved) if moved else 0.0,
        "brier": _brier(judged),
    }


def _brier(judged: Sequence[dict[str, Any]]) -> float | None:
    """Return the mean square by which the first answers missed what came; 0 is clairvoyant, None of nothing."""
    errors = [(one["predicted"]["breach_probability"] - (not one["met"])) ** 2 for one in judged]
    return sum(errors) / len(errors) if errors else None


def _percentile(ordered: Sequence[float], share: int) -> float | None:
    """Return the least value that so many of a hundred do not exceed, None of nothing."""
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)] if ordered else None
