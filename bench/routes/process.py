"""Engines at work: each in a process of its own, on a core of its own, killed when it does not stop."""

from __future__ import annotations

import os
import pickle
import queue
import resource
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bench.routes.case import Ask, Case, Routes

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
PATIENCE = 3.0  # times the limit; then the engine is killed
_START_S = 300.0  # our kernel may have to be compiled
_BUILD_S = 10.0  # for making a model, on top of the patience
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(frozen=True)
class Answer:
    """What came back: routes, or why there are none."""

    routes: Routes | None = None
    failure: str = ""
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    trace: list[tuple[float, float]] = field(default_factory=list)


class Engine:
    """One engine in one process; started when first asked, and again after it had to be killed."""

    def __init__(self, name: str, core: int | None = None) -> None:
        self.name, self.core = name, core
        self.version = ""
        self.missing = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until the engine is loaded."""
        installed = PEERS.is_file() and self.name not in ("ours", "or_tools")
        python = str(PEERS) if installed else sys.executable
        command = [python, "-m", "bench.routes.child", self.name, "" if self.core is None else str(self.core)]
        environment = dict(os.environ) | dict.fromkeys(_ONE_THREAD, "1")
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 — closed in `stop`
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said
        )
        told = self._told(_START_S)
        self.version = told.get("version", "")
        self.missing = f"not installed ({told['missing']})" if "missing" in told else ""
        if not told:
            self.missing = f"did not start: {self._last_words()}"

    def ask(self, case: Case, ask: Ask) -> Answer:
        """Return the engine's answer, or the failure to give one in `PATIENCE` times the limit."""
        if self._process is None and not self.missing:
            self.start()
        if self.missing:
            return Answer(failure=self.missing)
        assert self._process is not None and self._process.stdin is not None
        patience = PATIENCE * ask.seconds + _BUILD_S
        try:
            pickle.dump((case, ask), self._process.stdin)
            self._process.stdin.flush()
            told = self._told(patience)
        except BrokenPipeError:
            told = {}
        if told:
            return Answer(**told)
        peak = peak_mb(self._process.pid)
        stuck = self._process.poll() is None
        failure = f"killed after {patience:.0f} s" if stuck else f"died: {self._last_words()}"
        self.stop()
        return Answer(failure=failure, seconds=patience if stuck else 0.0, peak_mb=peak)

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout, self._said):
                pipe.close()
            self._process = None

    def _told(self, patience: float) -> dict[str, Any]:
        """Return what the process says next, or nothing if it says nothing in time."""
        assert self._process is not None and self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], patience)
        try:
            return dict(pickle.load(self._process.stdout)) if ready else {}
        except (EOFError, pickle.UnpicklingError):
            self._process.wait()
            return {}

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else ""


@contextmanager
def engine(name: str, core: int | None = None) -> Iterator[Engine]:
    """An engine, gone afterwards."""
    one = Engine(name, core)
    try:
        yield one
    finally:
        one.stop()


def side_by_side(works: Iterable[Callable[[int | None], T]], lanes: int) -> Iterator[T]:
    """Do works two (or `lanes`) at a time, each told the core that is its own; yield what they return, in order."""
    cores: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    free = sorted(os.sched_getaffinity(0))
    for lane in range(lanes):
        cores.put(free[lane] if lanes <= len(free) else None)

    def one(work: Callable[[int | None], T]) -> T:
        core = cores.get()
        try:
            return work(core)
        finally:
            cores.put(core)

    with ThreadPoolExecutor(lanes) as pool:
        yield from pool.map(one, works)


def peak_mb(process: int | str = "self") -> float:
    """Return the most memory a process has held; ru_maxrss would count the parent it was started from."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 if process == "self" else 0.0
