"""The answer to a what-if: one run of the day, or as many as it takes to find the least number of couriers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dispatch.rehearsal.result import simulate
from dispatch.rehearsal.scenario import Scenario, read
from dispatch.rehearsal.whatif import Curve, WhatIf, changed, with_number

MOST_RUNS = 16
"""A curve never takes more: both ends, eight halvings of 300, one beside the answer, three for the picture."""
Points = list[dict[str, Any]]
Note = Callable[[float, Points], object]
"""Hears the share of the work that is done and the points of the curve so far; what it raises ends the work."""


@dataclass(frozen=True)
class Told:
    """`result` is short, `whole` is the `dispatch-result/1` of the run it is about."""

    result: dict[str, Any]
    whole: dict[str, Any]


def rehearse(day: dict[str, Any], wish: dict[str, Any], known: Points, note: Note) -> Told:
    """Answer as `answer` does, from the JSON of a scenario and of a WhatIf; raises RoutingError for a day as `read`."""
    return answer(read(json.dumps(day)), WhatIf.model_validate_json(json.dumps(wish)), known, note)


def answer(day: Scenario, what: WhatIf, known: Points, note: Note) -> Told:
    """Return what comes of a day; `known` are points of the curve that an earlier worker found.

    The same day and wish give the same answer but for measured milliseconds. Raises as `changed` does.
    """
    scene, shut = changed(day, what)
    points = list(known)
    runs: dict[int, dict[str, Any]] = {}

    def run(count: int) -> dict[str, Any]:
        if count not in runs:
            begins, ends = scene.day
            of = 1 if what.curve is None else MOST_RUNS

            def watch(now: int) -> None:
                within = min(1.0, max(0.0, (now - begins) / max(1, ends - begins)))
                note((len(points) + within) / of, points)

            runs.clear()  # one day in hand is enough
            runs[count] = simulate(with_number(scene, count), what.strategy, what.seed, watch)
        return runs[count]

    chosen = len(scene.couriers)
    if what.curve is not None:
        while (count := next_count(what.curve, points)) is not None:
            points.append(_point(count, run(count)))
            note(len(points) / MOST_RUNS, points)
        chosen = least(what.curve, points) or what.curve.last
    whole = run(chosen)
    return Told(_summed(what, whole, shut, points), whole)


def next_count(curve: Curve, points: Points) -> int | None:
    """Return which number of couriers to try next, None where the curve is known well enough.

    Both ends, then halving between what is too few and what suffices, then one beside the answer and the quarters.
    More couriers are taken to keep no fewer promises; where that fails, the least number is that of those tried.
    """
    shares = {point["couriers"]: point["met_share"] for point in points}
    for end in (curve.last, curve.first):
        if end not in shares:
            return end
    enough = least(curve, points)
    quarters = [curve.first + (curve.last - curve.first) * k // 4 for k in (1, 2, 3)]
    if enough is not None:
        fewer = max((count for count in shares if count < enough), default=enough)
        if enough - fewer > 1:
            return (fewer + enough) // 2
        quarters = [min(enough + 1, curve.last), *quarters]
    return next((count for count in quarters if count not in shares), None)


def least(curve: Curve, points: Points) -> int | None:
    """Return the least number tried that keeps the target, None where none does."""
    return min((point["couriers"] for point in points if point["met_share"] >= curve.target), default=None)


def _point(count: int, result: dict[str, Any]) -> dict[str, Any]:
    metrics = result["metrics"]
    return {"couriers": count, **{name: metrics[name] for name in ("met_share", "served", "distance_m")}}


def _summed(what: WhatIf, whole: dict[str, Any], shut: list[str], points: Points) -> dict[str, Any]:
    couriers = [
        {
            "id": one["id"],
            "stops": sum(row["kind"] != "visit" for row in one["stops"]),
            "delivered": sum(row["kind"] == "delivery" for row in one["stops"]),
            "distance_m": one["distance_m"],
            "ends_at": one["stops"][-1]["depart"] if one["stops"] else None,
        }
        for one in whole["couriers"]
    ]
    told = {
        "name": whole["name"],
        "strategy": what.strategy,
        "seed": what.seed,
        "metrics": whole["metrics"],
        "couriers": couriers,
        "unreachable": shut,
    }
    if what.curve is not None:
        told["curve"] = sorted(points, key=lambda point: int(point["couriers"]))
        told["target"] = what.curve.target
        told["least_couriers"] = least(what.curve, points)
    return told
