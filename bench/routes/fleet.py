"""The published instances: few vehicles first (Li & Lim, Sartori & Buriol), and distance alone (Li & Lim)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from bench.routes.case import Case
from bench.routes.published import SHORTEST, STREETS, TEN, WHERE, Best
from bench.routes.runs import NAMES, OURS, Bench, Job, Result, Row, by_engine, without_vehicle_price

Shown = Callable[[Result], str]
Cell = tuple[list[Row], list[str]]
_SMALL = 200  # tasks


def lilim(bench: Bench) -> Cell:
    """Ten instances of Li & Lim, 30 s: vehicles above the best known, and distance where there are none."""
    cases = [case for name in TEN if (case := bench.folder.lilim(name))]
    if not cases or not bench.folder.best():
        return _missing("Li & Lim, few vehicles first")
    best = bench.folder.best()
    found = by_engine(bench.run("lilim", _jobs(bench, cases, 30)))
    sums = {name: _extra(results, best) for name, results in found.items()}
    short = {name: _gaps(results, best) for name, results in found.items()}
    peer = _leader(found, best)
    small = [r for r in found.get(OURS, []) if 2 * len(r.job.case.pairs) <= 1.2 * _SMALL]
    few = _extra(small, best)
    ours = sums.get(OURS, [])
    rows = [
        Row(
            f"Li & Lim, {len(cases)} instances, 30 s: extra vehicles, summed",
            _sum(ours, len(cases)) + f", worst +{max(ours, default=0)}; ≤ {_SMALL} tasks: {sum(few)}",
            f"{_sum(sums[peer], len(cases))} ({NAMES[peer]})" if peer else "–",
            f"≤ 5, none above +2; ≤ {_SMALL} tasks: none",
            _ratio(sum(ours), sum(sums[peer])) if peer else "–",
        ),
        Row(
            "same, distance above best known where vehicles equal it",
            _mean_worst(short.get(OURS, [])),
            _mean_worst(short[peer]) + f" ({NAMES[peer]})" if peer else "–",
            "mean ≤ 2 %, worst ≤ 6 %",
        ),
    ]
    text = [
        "### Li & Lim, few vehicles first, 30 s, one thread: extra vehicles / distance beside the best known, %",
        "A shorter way with more vehicles is not better: the best known pays distance for fewer vehicles.",
        "",
        *_table(cases, found, lambda result: _against(result, best[result.job.case.name]), best),
        "| extra vehicles | |" + "".join(f" {_sum(sums[name], len(cases))} |" for name in found),
        "| distance, vehicles equal | |" + "".join(f" {_mean_worst(short[name])} |" for name in found),
    ]
    return rows, text


def streets(bench: Bench) -> Cell:
    """Three instances of Sartori & Buriol, 30 s: vehicles above the best known, on average."""
    cases = [case for name in STREETS if (case := bench.folder.sartori(name))]
    if not cases or not bench.folder.best():
        return _missing("Sartori & Buriol")
    best = bench.folder.best()
    found = by_engine(bench.run("streets", _jobs(bench, cases, 30)))
    sums = {name: _extra(results, best) for name, results in found.items()}
    peer = _leader(found, best)
    ours = sums.get(OURS, [])
    told = f"{_mean(ours)}, {len(ours)} of {len(cases)} plans feasible"
    theirs = [f"{_mean(sums[name])} ({NAMES[name]})" for name in ("vroom", "pyvrp") if sums.get(name)]
    rows = [
        Row(
            f"Sartori & Buriol, {len(cases)} instances, 30 s: extra vehicles on average",
            told,
            ", ".join(theirs) or "–",
            "every plan feasible, ≤ 0.5",
            _ratio(sum(ours), sum(sums[peer])) if peer else "–",
        )
    ]
    text = [
        "### Sartori & Buriol, few vehicles first, 30 s, one thread: extra vehicles / minutes beside the best known, %",
        "",
        *_table(cases, found, lambda result: _against(result, best[result.job.case.name]), best),
        "| on average | |" + "".join(f" {_mean(sums[name])} |" for name in found),
    ]
    return rows, text


def distance(bench: Bench) -> Cell:
    """Four instances of Li & Lim, 10 s, distance alone: the mean gap to the shortest plan known."""
    cases = [without_vehicle_price(case) for name in SHORTEST if (case := bench.folder.lilim(name))]
    if not cases:
        return _missing("Li & Lim, distance alone")
    found = by_engine(bench.run("distance", _jobs(bench, cases, 10)))
    every = [result for results in found.values() for result in results if result.sound]
    shortest = {
        case.name: min([SHORTEST[case.name]] + [_drive(r) for r in every if r.job.case.name == case.name])
        for case in cases
    }
    gaps = {
        name: [100 * (_drive(r) / shortest[r.job.case.name] - 1) for r in results if r.sound]
        for name, results in found.items()
    }
    whole = {name: fmean(some) for name, some in gaps.items() if len(some) == len(cases) and name != OURS}
    peer = min(whole, key=lambda name: whole[name], default=None)
    ours = gaps.get(OURS, [])
    rows = [
        Row(
            f"Li & Lim, {len(cases)} instances, distance alone, 10 s: mean gap to the shortest found",
            f"{fmean(ours):.2f} % on {len(ours)}" if ours else "–",
            f"{whole[peer]:.2f} % ({NAMES[peer]})" if peer else "–",
            "≤ 0.4 %",
            _ratio(fmean(ours), whole[peer]) if peer and ours else "–",
        )
    ]

    def shown(result: Result) -> str:
        gap = 100 * (_drive(result) / shortest[result.job.case.name] - 1)
        return f"+{gap:.2f} ({result.verdict.vehicles if result.verdict else 0})"

    text = [
        "### Li & Lim, distance alone, 10 s, one thread: gap in % to the shortest plan found anywhere (vehicles used)",
        "",
        *_table(cases, found, shown, {name: Best(0, length) for name, length in shortest.items()}),
        "| mean | |" + "".join(f" {fmean(some):.2f} on {len(some)} |" if some else " – |" for some in gaps.values()),
    ]
    return rows, text


def _jobs(bench: Bench, cases: Sequence[Case], seconds: float) -> list[Job]:
    return [Job(name, case, bench.ask(seconds)) for case in cases for name in NAMES]


def _missing(what: str) -> Cell:
    return [Row(what, "not measured: its files are not here", "–", "–")], [f"### {what}", f"Not here. {WHERE}."]


def _drive(result: Result) -> float:
    assert result.verdict is not None
    return result.verdict.drive


def _vehicles(result: Result) -> int:
    assert result.verdict is not None
    return result.verdict.vehicles


def _extra(results: Sequence[Result], best: dict[str, Best]) -> list[int]:
    return [_vehicles(r) - best[r.job.case.name].vehicles for r in results if r.sound]


def _gaps(results: Sequence[Result], best: dict[str, Best]) -> list[float]:
    """Return the distance gaps in % where as few vehicles are used as in the best known plan."""
    sound = [(r, best[r.job.case.name]) for r in results if r.sound]
    return [100 * (_drive(r) / b.distance - 1) for r, b in sound if _vehicles(r) == b.vehicles]


def _leader(found: dict[str, list[Result]], best: dict[str, Best]) -> str | None:
    """Return the peer with the fewest extra vehicles among those who served most instances."""
    sums = {name: _extra(results, best) for name, results in found.items() if name != OURS}
    return min((name for name, some in sums.items() if some), key=lambda n: (-len(sums[n]), sum(sums[n])), default=None)


def _against(result: Result, best: Best) -> str:
    extra, gap = (
        _vehicles(result) - best.vehicles,
        round(100 * (_drive(result) / best.distance - 1), 1) + 0.0,
    )  # and never -0.0
    return f"{extra:+d} / {gap:+.1f}" if extra else f"0 / {gap:+.1f}"


def _table(cases: Sequence[Case], found: dict[str, list[Result]], shown: Shown, best: dict[str, Best]) -> list[str]:
    lines = [
        "| instance | best known |" + "".join(f" {NAMES[name]} |" for name in found),
        "|---|---|" + "---|" * len(found),
    ]
    for case in cases:
        known = best[case.name]
        line = f"| {case.name} | {f'{known.vehicles} / ' if known.vehicles else ''}{known.distance:,.1f} |"
        for results in found.values():
            result = next(r for r in results if r.job.case.name == case.name)
            line += f" {shown(result) if result.sound else result.trouble} |"
        lines.append(line)
    return lines


def _sum(extra: Sequence[int], count: int) -> str:
    return f"{sum(extra)} on {len(extra)}" if len(extra) < count else str(sum(extra))


def _mean(extra: Sequence[int]) -> str:
    return f"{fmean(extra):.2f}" if extra else "–"


def _mean_worst(gaps: Sequence[float]) -> str:
    return f"mean {fmean(gaps):.1f} %, worst {max(gaps):.1f} % on {len(gaps)}" if gaps else "–"


def _ratio(ours: float, peer: float) -> str:
    return f"{ours / peer:.2f}" if peer else "–"
