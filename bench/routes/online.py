"""A request comes in the middle of the day: how soon there is a plan with it, and how good half a second makes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import fmean, median
from typing import TypeVar

from bench.routes.case import Ask
from bench.routes.fleet import Cell
from bench.routes.judge import Verdict, judge
from bench.routes.midday import State, states
from bench.routes.process import Answer, Engine, engine, side_by_side
from bench.routes.runs import NAMES, OURS, Bench, Row

T = TypeVar("T")
_SEED = 1
_ABOARD = range(14, 24)
_SETTLE_S = 2  # seconds of our search for the plan in force, which every engine then starts from


@dataclass(frozen=True)
class Variant:
    """One engine with one limit."""

    engine: str
    seconds: float
    how: str = ""
    told: str = ""

    @property
    def name(self) -> str:
        """Return what its row is called."""
        return f"{NAMES[self.engine]}{self.told}"


INSERT = Variant(OURS, 1.0, "stand", ", insertion into a plan kept in memory")
ANEW = Variant(OURS, 1.0, "insert", ", insertion, everything built anew")
REPLAN = Variant(OURS, 0.5, told=", 500 ms")
VARIANTS = (
    INSERT,
    ANEW,
    Variant(OURS, 0.1, told=", 100 ms"),
    REPLAN,
    Variant(OURS, 3.0, told=", 3 s"),
    Variant("or_tools", 2.0, told=" warm, GREEDY_DESCENT, at most 2 s"),
    Variant("vroom", 0.5, told=" warm, 500 ms"),
    Variant("pyvrp", 0.5, told=" warm, 500 ms, promises hard"),
)
Found = tuple[Answer, Verdict | None]


def measure(bench: Bench) -> Cell:
    """The same states for every engine at 60 alive; insertion alone at 1,000 alive."""
    moments = _settled(bench, [state.with_matrix() for state in islice(states(60, _SEED, _ABOARD), bench.states)])
    variants = [v for v in VARIANTS if v.engine in bench.engines]
    found = {variant: _series(bench, variant, moments) for variant in variants}
    best = [
        min((verdict.total for _, verdict in tried if verdict and not verdict.faults), default=0.0)
        for tried in zip(*found.values(), strict=True)
    ]
    large = _insertions(bench) if OURS in bench.engines else {}
    rows = _rows(found, best, large.get(INSERT, []))
    text = [
        f"### A new request among 60 alive: 8 couriers on the road, 14–23 parcels on board, {len(moments)} states",
        "Paid: driving seconds + 10 per second late + 50,000 per request left out. Every engine starts from the same",
        f"plan in force, ours after {_SETTLE_S} s without the new request. Time is that of the call in a warm process,",
        "with the matrix at hand, the building of the model included, but where it is said that the plan is kept in",
        "memory. The gap is to the best plan of any row here.",
        "",
        "| engine | median ms | p99 ms | mean gap | p90 gap | states with a late pickup | requests left out | failed |",
        "|---|---|---|---|---|---|---|---|",
        *(_line(variant.name, tried, best) for variant, tried in found.items()),
    ]
    for variant, tried in large.items():
        times = _milliseconds(tried)
        told = f"Among 1,000 alive ({len(tried)} states){variant.told}"
        text += ["", f"{told}: median {_at(times, 50)}, p99 {_at(times, 99)} ms."]
    return rows, text


def _settled(bench: Bench, moments: Sequence[State]) -> list[State]:
    """Return the states with the plan in force as a service would have it: improved until now."""
    if OURS not in bench.engines:
        return list(moments)

    def better(one: Engine, state: State) -> State:
        before = state.before()
        answer = one.ask(before, bench.ask(_SETTLE_S, warm=state.warm))
        lawful = answer.routes is not None and judge(before, answer.routes).complete
        return replace(state, warm=answer.routes) if lawful and answer.routes else state

    bench.say(f"online: {len(moments)} states, their plans in force")
    return _shared(bench, OURS, moments, better)


def _series(bench: Bench, variant: Variant, moments: Sequence[State]) -> list[Found]:
    """Ask one engine about all states, in processes that stay."""

    def ask(one: Engine, state: State) -> Found:
        return _asked(one, state, bench.ask(variant.seconds, how=variant.how, warm=state.warm))

    found = _shared(bench, variant.engine, moments, ask)
    _keep(bench, "online-60", variant, found)
    return found


def _insertions(bench: Bench) -> dict[Variant, list[Found]]:
    """Ask for insertions among a thousand, alone on the machine."""
    found: dict[Variant, list[Found]] = {INSERT: [], ANEW: []}
    with engine(OURS) as one:
        for state in islice(states(1000, _SEED, range(1000), per_day=bench.states, every=1), bench.states):
            with_matrix = state.with_matrix()
            for variant, tried in found.items():
                ask = Ask(variant.seconds, how=variant.how, warm=state.warm)
                if not tried:
                    one.ask(with_matrix.case, ask)
                tried.append(_asked(one, with_matrix, ask))
    for variant, tried in found.items():
        _keep(bench, "online-1000", variant, tried)
    return found


def _asked(one: Engine, state: State, ask: Ask) -> Found:
    answer = one.ask(state.case, ask)
    return answer, None if answer.routes is None else judge(state.case, answer.routes)


def _shared(bench: Bench, name: str, moments: Sequence[State], work: Callable[[Engine, State], T]) -> list[T]:
    """Do the same to all states, a share of them on each core, each share in one warm process."""

    def share(lane: int) -> Callable[[int | None], list[T]]:
        def works(core: int | None) -> list[T]:
            mine = moments[lane :: bench.lanes]
            with engine(name, core) as one:
                for state in mine[:1]:
                    work(one, state)  # whatever is slow only once
                done = [work(one, state) for state in mine]
                bench.versions[name] = one.version or bench.versions.get(name, one.missing)
            return done

        return works

    shares: list[Iterator[T]] = [iter(s) for s in side_by_side(map(share, range(bench.lanes)), bench.lanes)]
    return [next(shares[k % bench.lanes]) for k in range(len(moments))]


def _keep(bench: Bench, cell: str, variant: Variant, found: Sequence[Found]) -> None:
    for answer, verdict in found:
        kept = {"cell": cell, "engine": variant.engine, "how": variant.how, "asked_s": variant.seconds, "threads": 1}
        kept |= {"seconds": answer.seconds, "cpu_s": answer.cpu_s, "failure": answer.failure}
        kept |= {"total": verdict.total, "late_s": verdict.late_s, "unserved": verdict.unserved} if verdict else {}
        bench.kept.append(kept | {"faults": verdict.faults if verdict else ()})
    times = _milliseconds(found)
    bench.say(f"{cell}: {variant.name}: median {_at(times, 50)} ms, p99 {_at(times, 99)} ms, {_failures(found)} failed")


def _rows(found: dict[Variant, list[Found]], best: Sequence[float], large: Sequence[Found]) -> list[Row]:
    vroom = [tried for variant, tried in found.items() if variant.engine == "vroom" and _milliseconds(tried)]
    ours = _milliseconds(found.get(INSERT, []))
    peer = _at(_milliseconds(vroom[0]), 99) if vroom else "–"
    rows = [
        Row(
            "online insertion among 60 alive: p99",
            f"{_at(ours, 99)} ms",
            f"{peer} ms (VROOM)",
            "< 10 ms",
            f"{_percentile(ours, 99) / _percentile(_milliseconds(vroom[0]), 99):.2f}" if vroom and ours else "–",
        ),
        Row("online insertion among 1,000 alive: p99", f"{_at(_milliseconds(large), 99)} ms", "–", "< 30 ms"),
    ]
    gaps = {v: _gaps(tried, best) for v, tried in found.items()}
    peers = {v: fmean(some) for v, some in gaps.items() if v.engine != OURS and some}
    leader = min(peers, key=lambda v: peers[v], default=None)
    mine = gaps.get(REPLAN, [])
    left = sum(verdict.unserved for _, verdict in found.get(REPLAN, []) if verdict)
    rows.append(
        Row(
            "re-plan 500 ms: mean gap to the best of all, ours at 3 s included",
            f"{100 * fmean(mine):.2f} %, {left} left out" if mine else "–",
            f"{100 * peers[leader]:.2f} % ({NAMES[leader.engine]})" if leader else "–",
            "≤ 0.15 %, nothing left out",
            f"{fmean(mine) / peers[leader]:.2f}" if leader and mine and peers[leader] else "–",
        )
    )
    return rows


def _line(name: str, found: Sequence[Found], best: Sequence[float]) -> str:
    times, gaps = _milliseconds(found), _gaps(found, best)
    verdicts = [verdict for _, verdict in found if verdict]
    if not verdicts:
        return f"| {name} | {found[0][0].failure if found else ''} | | | | | | |"
    late, left = sum(v.late_pickups > 0 for v in verdicts), sum(v.unserved for v in verdicts)
    mean, p90 = f"{100 * fmean(gaps):.2f} %", f"{100 * _percentile(gaps, 90):.1f} %"
    return f"| {name} | {_at(times, 50)} | {_at(times, 99)} | {mean} | {p90} | {late} | {left} | {_failures(found)} |"


def _gaps(found: Sequence[Found], best: Sequence[float]) -> list[float]:
    told = zip(found, best, strict=True)
    return [verdict.total / least - 1 for (_, verdict), least in told if verdict and not verdict.faults]


def _failures(found: Sequence[Found]) -> int:
    return sum(verdict is None or bool(verdict.faults) for _, verdict in found)


def _milliseconds(found: Sequence[Found]) -> list[float]:
    return [1000 * answer.seconds for answer, verdict in found if verdict is not None]


def _percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so many per cent of all do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * share / 100) - 1)]


def _at(times: Sequence[float], share: float) -> str:
    if not times:
        return "–"
    value = median(times) if share == 50 else _percentile(times, share)
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
