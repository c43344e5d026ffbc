"""`python -m bench days`: every strategy on the same made days, and hindsight beside them."""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean

from bench.days import made
from bench.days.hindsight import Hindsight, hindsight
from bench.days.made import KINDS, text
from dispatch.rehearsal import STRATEGIES, read, simulate

_DAYS, _MOST = 10, 1500
_KEPT = 0.98  # where hindsight keeps fewer promises, the day is overloaded


@dataclass(frozen=True)
class Told:
    """What one strategy made of one day."""

    met: float
    served: float
    km: float
    minutes: float
    replan_ms: float
    moved: float


@dataclass(frozen=True)
class Day:
    """One made day, run by everybody."""

    kind: str
    seed: int
    requests: int
    couriers: int
    told: dict[str, Told]
    known: Hindsight

    @property
    def overloaded(self) -> bool:
        """Whether even hindsight breaks promises."""
        return self.known.met < _KEPT * self.known.requests


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen about the days."""
    group = parser.add_argument_group("days")
    group.add_argument("--days", type=int, default=_DAYS, help=f"made days of each kind ({_DAYS})")
    group.add_argument("--most", type=int, default=_MOST, metavar="REQUESTS", help="leave larger days out")
    group.add_argument("--kinds", default=",".join(KINDS), metavar="KIND,…", help=f"some of: {', '.join(KINDS)}")
    group.add_argument(
        "--hindsight", type=int, default=200, metavar="ITERATIONS", help="of the offline search, for each request (200)"
    )
    group.add_argument("--keep", type=Path, metavar="FILE", help="keep what was measured there, and go on from it")


def whole(options: argparse.Namespace) -> bool:
    """Say whether the options ask for the whole table."""
    return options.days >= _DAYS and options.most >= _MOST and options.kinds == ",".join(KINDS)


def measure(options: argparse.Namespace) -> str:
    """Run the days, two at a time, and return the section of the report."""
    days = {(day.kind, day.seed): day for day in _kept(options.keep)}
    wanted = [(kind, seed) for kind in options.kinds.split(",") for seed in _seeds(kind, options)]
    jobs = [(*one, options.hindsight) for one in wanted if one not in days]
    with get_context("spawn").Pool(2, maxtasksperchild=1) as pool:
        for day in pool.imap_unordered(_run, jobs, chunksize=1):
            print(_line(f"{day.kind} {day.seed}", [day]), flush=True)
            days[day.kind, day.seed] = day
            if options.keep:
                options.keep.write_bytes(pickle.dumps(list(days.values())))
    return "\n".join(_section([days[one] for one in wanted], options))


def _kept(file: Path | None) -> list[Day]:
    """What an earlier run measured and kept; with other options it is another table: take another file."""
    return pickle.loads(file.read_bytes()) if file is not None and file.exists() else []


def _seeds(kind: str, options: argparse.Namespace) -> list[int]:
    """The first seeds of a kind whose days are not too large."""
    small = (seed for seed in count(1) if len(made.day(kind, seed)["requests"]) <= options.most)
    return list(islice(small, options.days))


def _run(job: tuple[str, int, int]) -> Day:
    kind, seed, iterations_each = job
    scenario = read(text(kind, seed))
    told = {}
    for name in STRATEGIES:
        metrics = simulate(scenario, name, seed=1)["metrics"]
        told[name] = Told(
            metrics["met_share"],
            metrics["served"] / max(1, metrics["requests"]),
            metrics["distance_m"] / 1000,
            metrics["delivery_minutes_p50"] or 0.0,
            metrics["replan_ms_p50"] or 0.0,
            metrics["moved_stops_per_replan"],
        )
    known = hindsight(scenario, iterations_each)
    return Day(kind, seed, len(scenario.requests), len(scenario.couriers), told, known)


def _section(days: Sequence[Day], options: argparse.Namespace) -> Iterable[str]:
    yield "## Made days: live planning beside three others and hindsight"
    yield f"{options.days} days of each kind, the first of {options.most:,} requests at most; streets as planned."
    yield f"Hindsight knows everything from the start and searched {options.hindsight} iterations a request."
    yield "Promises kept %, requests served %, kilometres; the last columns compare live with hindsight."
    yield ""
    yield "| days | live | insertion | nearest | fixed | hindsight | promises, points | kilometres |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind in dict.fromkeys(day.kind for day in days):
        mine = [day for day in days if day.kind == kind]
        parts = {kind: [day for day in mine if not day.overloaded]}
        parts[f"{kind}, overloaded"] = [day for day in mine if day.overloaded]
        for name, some in parts.items():
            if some:
                yield _line(f"{name} ({len(some)})", some)
    others = [name for name in STRATEGIES if name != "live"]
    lead = min(100 * (day.told["live"].met - day.told[name].met) for day in days for name in others)
    yield ""
    yield f"Live against the best of the three on each day: {lead:+.1f} points of promises at worst."
    look, moved = fmean(day.told["live"].replan_ms for day in days), fmean(day.told["live"].moved for day in days)
    yield f"A look at all orders takes {look:.0f} ms of processor (median) and moves {moved:.1f} stops."


def _line(name: str, days: Sequence[Day]) -> str:
    cells = []
    for strategy in STRATEGIES:
        told = [day.told[strategy] for day in days]
        share, served = fmean(one.met for one in told), fmean(one.served for one in told)
        cells.append(f"{100 * share:.1f} · {100 * served:.1f} · {fmean(one.km for one in told):,.0f}")
    known = [day.known for day in days]
    met = fmean(one.met / one.requests for one in known)
    km = fmean(one.distance_m / 1000 for one in known)
    served = fmean(one.served / one.requests for one in known)
    cells.append(f"{100 * met:.1f} · {100 * served:.1f} · {km:,.0f}")
    points = 100 * (fmean(day.told["live"].met for day in days) - met)
    longer = fmean(day.told["live"].km * 1000 / day.known.distance_m - 1 for day in days)
    return f"| {name} | {' | '.join(cells)} | {points:+.1f} | {100 * longer:+.0f} % |"
