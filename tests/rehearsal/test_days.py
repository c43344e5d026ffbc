"""A rehearsed day is lawful, repeatable, blind to what is to come; ours keeps more promises on fewer metres."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch.rehearsal import STRATEGIES, read, simulate
from tests.rehearsal.days import cut, small_day, text
from tests.rehearsal.judge import faults

Result = dict[str, Any]


def run(day: dict[str, Any], strategy: str, seed: int = 1) -> Result:
    return simulate(read(text(day)), strategy, seed)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("sigma", [0.0, 0.2])
def test_a_day_breaks_no_rule(strategy: str, sigma: float) -> None:
    for seed in range(6):
        day = small_day(seed, sigma=sigma)
        assert faults(day, run(day, strategy)) == [], (strategy, seed)


def test_the_judge_sees_what_is_wrong() -> None:
    """A judge that finds nothing must have been able to."""
    day = small_day(3)
    good = run(day, "insertion")
    rows = next(courier["stops"] for courier in good["couriers"] if len(courier["stops"]) > 3)
    rows[1]["arrive"] -= 1
    rows[2]["start"] = 10
    good["requests"][0]["picked_at"] = 5
    said = " ".join(faults(day, good))
    for word in ("arrives at", "is closed", "was collected"):
        assert word in said, said


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("after", [30_000, 38_000, 46_000])
def test_no_decision_knows_what_is_revealed_later(strategy: str, after: int) -> None:
    for seed in range(3):
        day = small_day(seed)
        whole, part = run(day, strategy), run(cut(day, after), strategy)
        assert before(whole, after) == before(part, after), seed


def before(result: Result, after: int) -> list[list[tuple[Any, ...]]]:
    """Return the rows begun up to a second; a leg to a later row may have begun, but it need not be written yet."""
    return [
        [tuple(row.values()) for row in courier["stops"] if row["start"] <= after] for courier in result["couriers"]
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_gives_the_same_day(strategy: str) -> None:
    day = small_day(5, sigma=0.1)
    first, second = run(day, strategy), run(day, strategy)
    assert without_times(first) == without_times(second)


def without_times(result: Result) -> Result:
    metrics = {name: value for name, value in result["metrics"].items() if not name.startswith("replan_ms")}
    replans = [{**one, "cpu_ms": 0} for one in result["replans"]]
    return {**result, "replans": replans, "metrics": metrics}


def test_ours_keeps_every_promise_on_fewer_metres_than_insertion() -> None:
    metres = {"live": 0, "insertion": 0}
    for seed in range(20, 24):
        day = small_day(seed, requests=60, couriers=4)
        for strategy in metres:
            told = run(day, strategy)["metrics"]
            assert strategy == "insertion" or told["met_share"] == 1.0, seed
            metres[strategy] += told["distance_m"]
    assert metres["live"] < 0.9 * metres["insertion"]


def test_two_doors_so_close_that_there_is_no_ride_between_them_are_served() -> None:
    """A leg that rounds to nothing took no time, so nothing can be learnt from it."""
    day = small_day(1, requests=1, couriers=1)
    day["travel"]["stop_overhead_s"] = 0
    start = {"lat": 12.24, "lng": 109.18}
    door = {"lat": 12.240001, "lng": 109.18, "windows": [[27_000, 64_000]]}
    day["couriers"][0].update(start)
    day["requests"][0].update(kind="pickup", pickup=door, delivery={**door, "lat": 12.240002}, cancel_at=None)
    for strategy in STRATEGIES:
        result = run(day, strategy)
        assert faults(day, result) == []
        assert result["metrics"]["served"] == 1


def test_a_promise_nobody_could_keep_is_never_called_safe() -> None:
    day = small_day(2)
    asked = next(one for one in day["requests"] if one["kind"] == "return")
    asked["delivery"] = {**asked["delivery"], "windows": [[27_000, max(27_000, asked["reveal_at"] - 3_600)]]}
    result = simulate(read(text(day)), "live", seed=1)
    told = next(one for one in result["requests"] if one["id"] == asked["id"])
    assert told["met"] is False
    assert told["predicted"]["p50"] is None and told["predicted"]["breach_probability"] >= 0.9
    assert told["at_risk_at"] is not None
