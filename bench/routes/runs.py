"""One comparison: what was asked, what came back, what the judge says of it; printed as it comes and kept for later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from bench.routes.case import Ask, Case
from bench.routes.judge import Verdict, judge
from bench.routes.process import Answer, engine, side_by_side
from bench.routes.published import Folder

OURS = "ours"
NAMES = {OURS: "ours", "vroom": "VROOM", "pyvrp": "PyVRP", "or_tools": "OR-Tools", "vrp_cli": "vrp-cli"}
PEERS = tuple(name for name in NAMES if name != OURS)
BUSY = 0.9  # of a core; what a run got less of was disturbed


@dataclass(frozen=True)
class Job:
    """One engine's question."""

    engine: str
    case: Case
    ask: Ask


@dataclass(frozen=True)
class Result:
    """A question, its answer and the verdict on it."""

    job: Job
    answer: Answer
    verdict: Verdict | None

    @property
    def sound(self) -> bool:
        """Say whether there is a lawful plan that serves everybody."""
        return self.verdict is not None and self.verdict.complete

    @property
    def trouble(self) -> str:
        """Return in a few words why there is no such plan."""
        if self.verdict is None:
            return self.answer.failure.split(" (")[0]
        if self.verdict.faults:
            return f"unlawful: {self.verdict.faults[0]}"
        if self.verdict.unserved == len(self.job.case.pairs):
            return "no plan"
        return f"{self.verdict.unserved:,} left out" if self.verdict.unserved else ""

    def record(self) -> dict[str, Any]:
        """Return what is kept of it."""
        ask, answer = self.job.ask, self.answer
        kept: dict[str, Any] = {"engine": self.job.engine, "case": self.job.case.name, "how": ask.how}
        kept |= {"asked_s": ask.seconds, "seed": ask.seed, "threads": ask.threads, "failure": answer.failure}
        kept |= {"seconds": answer.seconds, "cpu_s": answer.cpu_s, "peak_mb": answer.peak_mb, "trace": answer.trace}
        if self.verdict is not None:
            kept |= {name: getattr(self.verdict, name) for name in self.verdict.__dataclass_fields__}
        return kept


@dataclass(frozen=True)
class Row:
    """One line of the table of targets."""

    what: str
    ours: str
    peer: str
    target: str
    ratio: str = "–"


@dataclass
class Bench:
    """The settings of one run and everything it has found."""

    folder: Folder
    scale: float = 1.0
    engines: tuple[str, ...] = tuple(NAMES)
    lanes: int = 2
    states: int = 100
    versions: dict[str, str] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def ask(self, seconds: float, **rest: Any) -> Ask:
        """Return a question with the limit as long as this run has patience for."""
        return Ask(seconds * self.scale, **rest)

    def run(self, cell: str, jobs: Iterable[Job]) -> list[Result]:
        """Do single-thread jobs side by side, each in a fresh process; others must not be asked for here."""
        return list(side_by_side([self._work(cell, job) for job in jobs if job.engine in self.engines], self.lanes))

    def run_alone(self, cell: str, jobs: Iterable[Job]) -> list[Result]:
        """Do jobs one after the other on the whole machine."""
        return [self._work(cell, job)(None) for job in jobs if job.engine in self.engines]

    def _work(self, cell: str, job: Job) -> Callable[[int | None], Result]:
        def work(core: int | None) -> Result:
            with engine(job.engine, core) as one:
                answer = one.ask(job.case, job.ask)
                self.versions[job.engine] = one.version or self.versions.get(job.engine, one.missing)
            return self.judged(cell, job, answer)

        return work

    def judged(self, cell: str, job: Job, answer: Answer) -> Result:
        """Judge an answer, print a line about it and keep it."""
        verdict = None if answer.routes is None else judge(job.case, answer.routes)
        result = Result(job, answer, verdict)
        self.kept.append({"cell": cell} | result.record())
        found = (
            result.trouble or f"{verdict.vehicles} vehicles, drive {verdict.drive:,.1f}" if verdict else result.trouble
        )
        told = f"{job.case.name} {job.engine} {job.ask.how}".strip()
        self.say(f"{cell}: {told}: {found}, {answer.seconds:.1f} s, {answer.peak_mb:.0f} MB")
        return result

    def say(self, text: str) -> None:
        """Print how far the run is."""
        print(f"[{time.monotonic() - self.began:5.0f} s] {text}", flush=True)

    def disturbed(self) -> tuple[int, int]:
        """Return how many of the single-thread runs of a second or more had less than most of a core."""
        runs = [k for k in self.kept if k["threads"] == 1 and k["seconds"] >= 1 and k["cpu_s"] > 0]
        return sum(k["cpu_s"] < BUSY * k["seconds"] for k in runs), len(runs)


def by_engine(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Return results by engine, in the order of `NAMES`."""
    found: dict[str, list[Result]] = {name: [] for name in NAMES}
    for result in results:
        found[result.job.engine].append(result)
    return {name: some for name, some in found.items() if some}


def without_vehicle_price(case: Case) -> Case:
    """Return the case with distance alone to be paid."""
    return replace(case, prices=replace(case.prices, vehicle=0))
