"""The made province: 1,000 requests beside the peers, and 12,000 by ourselves."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.routes.case import Case
from bench.routes.fleet import Cell
from bench.routes.made import province as made
from bench.routes.process import ROOT
from bench.routes.runs import NAMES, OURS, Bench, Job, Result, Row

THREADS = 2
_PEERS = (
    ("vroom", 60, "x0"),
    ("vroom", 10, "x5"),
    ("pyvrp", 60, ""),
    ("or_tools", 60, "local"),
    ("vrp_cli", 60, ""),
)
_TOO_LONG_S = 120  # for a first plan
_OWN = "made here; the target is for the published one"


def small(bench: Bench) -> Cell:
    """1,000 requests, 25 couriers: ours in 10 s with both cores, the peers with as long as they were once given."""
    case, note = _case(bench, 1000)
    ours = bench.run_alone("province", [Job(OURS, case, bench.ask(10, threads=THREADS))])
    ours += bench.run("province", [Job(OURS, case, bench.ask(10))])
    peers = bench.run("province", [Job(name, case, bench.ask(seconds, how=how)) for name, seconds, how in _PEERS])
    sound = [result for result in peers if result.sound]
    best = min(sound, key=_total, default=None)
    row = Row(
        f"made province 1,000, 10 s, {THREADS} cores{note}",
        _told(ours[0]) if ours else "–",
        f"{_told(best)} in {best.job.ask.seconds:.0f} s ({NAMES[best.job.engine]})" if best else "–",
        "≤ 212,000",
        f"{_total(ours[0]) / _total(best):.2f}" if best and ours and ours[0].sound else "–",
    )
    text = [
        f"### The made province, {len(case.pairs):,} requests, {len(case.vehicles)} couriers: driving seconds{note}",
        "",
        *_table([*ours, *peers]),
    ]
    return [row], text


def large(bench: Bench) -> Cell:
    """12,000 requests, 300 couriers: when there is a first complete plan, and what 60 and 150 s make of it."""
    case, note = _case(bench, 12_000)
    if OURS not in bench.engines:
        return [], []
    first = _first(bench, case)
    runs = bench.run_alone("large", [Job(OURS, case, bench.ask(s, threads=THREADS)) for s in (60, 150)])
    peak = max((result.answer.peak_mb for result in runs), default=0.0)
    told = " · ".join(_told(result) for result in runs)
    what = f"made province {len(case.pairs):,} / {len(case.vehicles)}, {THREADS} cores"
    rows = [
        Row(f"{what}: first complete plan after the matrix{note}", _seconds(first, "after_matrix_s"), "–", "2 s"),
        Row("same, from the start of the command", _seconds(first, "from_start_s"), "–", "≤ 7 s"),
        Row(f"{what}: 60 s · 150 s{note}", told, "–", "≤ 2,030,000 · ≤ 1,950,000, all served"),
        Row("same, peak memory", f"{peak / 1024:.2f} GB", "–", "< 1 GB"),
    ]
    text = [
        f"### The made province, {len(case.pairs):,} requests, {len(case.vehicles)} couriers: driving seconds{note}",
        f"First complete plan: {_seconds(first, 'from_start_s')} after the command was given (the file is read after "
        f"{_seconds(first, 'read_s')}), {_seconds(first, 'after_matrix_s')} after the matrix, which takes "
        f"{_seconds(first, 'matrix_s')}.",
        "",
        *_table(runs),
    ]
    return rows, text


def _case(bench: Bench, requests: int) -> tuple[Case, str]:
    published = bench.folder.province(requests)
    return (published, "") if published else (made(requests), f" ({_OWN})")


def _first(bench: Bench, case: Case) -> dict[str, float]:
    """Time the first complete plan in a process that reads the file, as the command line does."""
    with tempfile.TemporaryDirectory() as folder:
        file = bench.folder.province_file(12_000)
        if file is None:
            from bench.routes.engines.ours import problem_of
            from routing.formats.native import write_problem

            file = Path(folder, "made.json")
            file.write_text(write_problem(problem_of(case)), encoding="utf-8")
        command = [sys.executable, "-m", "bench.routes.first", str(file), str(THREADS), str(time.monotonic())]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=_TOO_LONG_S, check=True)
            told: dict[str, float] = json.loads(done.stdout)
        except (subprocess.SubprocessError, ValueError) as error:
            bench.say(f"large: first plan: {error}")
            return {}
    bench.kept.append({"cell": "large-first", "engine": OURS, "threads": THREADS, "seconds": 0, "cpu_s": 0} | told)
    bench.say(f"large: first complete plan {told['from_start_s']:.1f} s after the start of the command")
    return told


def _seconds(told: dict[str, float], name: str) -> str:
    return f"{told[name]:.1f} s" if name in told else "none"


def _total(result: Result) -> float:
    assert result.verdict is not None
    return result.verdict.total


def _told(result: Result) -> str:
    return f"{_total(result):,.0f}" if result.sound else result.trouble


def _table(results: list[Result]) -> list[str]:
    lines = ["| engine | limit s | took s | driving s | left out | memory MB |", "|---|---|---|---|---|---|"]
    for result in results:
        ask, answer, verdict = result.job.ask, result.answer, result.verdict
        name = f"{NAMES[result.job.engine]} {ask.how}".strip()
        name += f", {ask.threads} cores" if ask.threads > 1 else ""
        took, memory = f"{answer.seconds:.1f}", f"{answer.peak_mb:.0f}"
        if verdict is None:
            lines.append(f"| {name} | {ask.seconds:g} | {result.trouble} | – | – | {memory} |")
        else:
            drive = f"unlawful: {verdict.faults[0]}" if verdict.faults else f"{verdict.drive:,.0f}"
            drive = drive if verdict.unserved < len(result.job.case.pairs) else "no plan"
            lines.append(f"| {name} | {ask.seconds:g} | {took} | {drive} | {verdict.unserved:,} | {memory} |")
    return lines
