"""How the time for a good plan grows with the problem: until within 3 % of the same engine's plan after 10× the time.

An annealed search spends whatever limit it is given, so one long run does not say what a short one would have found.
Here t is a limit: for each size plans are made with limits of one, √10, 10 … times the least, and t is where the plan
of limit t is 3 % above the plan of limit 10·t, by a straight line through the gaps on logarithmic axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from bench.routes.fleet import Cell
from bench.routes.made import province
from bench.routes.runs import OURS, Bench, Job, Result, Row

SIZES = (500, 1000, 2000, 4000)
_LEAST_S = 0.001  # a request
_STEPS = 5  # limits, each √10 times the last
_CLOSE = 0.03


def measure(bench: Bench) -> Cell:
    """Strips of the made province, each with limits up to a hundred times the least."""
    jobs = [
        Job(OURS, province(size), bench.ask(_LEAST_S * size * math.sqrt(10) ** step))
        for size in reversed(SIZES)
        for step in reversed(range(_STEPS))
    ]
    results = bench.run("growth", jobs)
    if not results:
        return [], []
    found = {size: _series(results, size) for size in SIZES}
    times = {size: _time(series) for size, series in found.items()}
    known = [(math.log(size), math.log(took)) for size, took in times.items() if took]
    rows = [
        Row(
            "growth: time until within 3 % of the plan after 10× the time, n → 2n",
            f"{2 ** _slope(known):.1f} × ({SIZES[0]:,} → {SIZES[-1]:,})" if len(known) > 1 else "–",
            "–",
            "≤ 2.2 ×",
        )
    ]
    text = [
        "### Growth: driving seconds of strips of the made province by limit, one thread",
        "Within 3 %: the limit t whose plan is 3 % above that of 10·t, read off a line through the gaps of all pairs",
        "of limits (logarithmic axes); single seeds, so one doubling alone says little.",
        "",
        "| requests | limit s: driving s | gap to 10× the limit | within 3 % after | × the size before |",
        "|---|---|---|---|---|",
    ]
    for number, size in enumerate(SIZES):
        series = found[size]
        plans = " · ".join(f"{limit:.1f}: {total:,.0f}" for limit, total in series)
        gaps = " · ".join(f"{100 * gap:.1f} %" for _, gap in _gaps(series))
        before, now = times.get(SIZES[number - 1]) if number else None, times[size]
        grown = f"{now / before:.1f}" if before and now else "–"
        text.append(f"| {size:,} | {plans} | {gaps} | {f'{now:.1f} s' if now else '–'} | {grown} |")
    return rows, text


def _series(results: Sequence[Result], size: int) -> list[tuple[float, float]]:
    """Return (limit, total) of a size, shortest limit first."""
    told = [
        (result.job.ask.seconds, result.verdict.total)
        for result in results
        if len(result.job.case.pairs) == size and result.sound and result.verdict
    ]
    return sorted(told)


def _gaps(series: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return (limit, share by which its plan is above the one of ten times the limit)."""
    return [
        (limit, total / least - 1)
        for limit, total in series
        for longer, least in series
        if math.isclose(longer, 10 * limit, rel_tol=0.01)
    ]


def _time(series: Sequence[tuple[float, float]]) -> float | None:
    """Return the limit at which the gap is 3 %, or None where no gap grows smaller."""
    points = [(math.log(limit), math.log(max(gap, 1e-4))) for limit, gap in _gaps(series)]
    if len(points) < 2 or (slope := _slope(points)) >= 0:
        return None
    x, y = fmean(x for x, _ in points), fmean(y for _, y in points)
    return math.exp(x + (math.log(_CLOSE) - y) / slope)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line through some points by least squares."""
    x, y = fmean(x for x, _ in points), fmean(y for _, y in points)
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
