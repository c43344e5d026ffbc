"""5,000 requests at a time, each crowd in a process of its own: time and memory are kept, and nobody is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.routing.crowds import CROWDS

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 2.0
_BESIDES_S = 1.0  # reading the problem into arrays, the last batch, rows and the judge, on a slow processor
_MOST_MB = 500


@pytest.mark.parametrize("name", sorted(CROWDS))
def test_a_crowd_is_accounted_for_in_time(name: str) -> None:
    """Processor time, for on a busy machine the clock runs on while others work; it is never more than the clock's."""
    command = [sys.executable, "-m", "tests.routing.crowds", name, "search", str(_SECONDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=150)
    found = json.loads(done.stdout)
    assert (found["violations"], found["complete"]) == ([], True)
    assert found["cpu_s"] <= 1.05 * _SECONDS + _BESIDES_S
    assert found["peak_mb"] <= _MOST_MB


@pytest.mark.parametrize("engine", ["greedy", "or_tools"])
def test_the_other_engines_keep_their_time_too(engine: str) -> None:
    for name in ("at one place", "to one place, many couriers"):
        command = [sys.executable, "-m", "tests.routing.crowds", name, engine, "1"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=150)
        found = json.loads(done.stdout)
        assert (found["violations"], found["complete"]) == ([], True)
        assert found["cpu_s"] <= 1.05 + _BESIDES_S
        assert found["peak_mb"] <= _MOST_MB


_INTERRUPTED = """
import signal, sys
import routing
from tests.routing.test_search import town
def interrupt(*_):
    raise KeyboardInterrupt
routing.warm(sys.argv[1])
signal.signal(signal.SIGVTALRM, interrupt)
signal.setitimer(signal.ITIMER_VIRTUAL, 1.0)  # of this process's own work, which is then well inside the search
try:
    routing.solve(town(60, 5), engine=sys.argv[1], iterations=10**7)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("engine", ["search", "or_tools"])
def test_who_interrupts_a_search_is_obeyed(engine: str) -> None:
    """As Ctrl-C does, and a worker's own time limit: what is raised inside must come out and not be swallowed."""
    command = [sys.executable, "-c", _INTERRUPTED, engine]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.strip() == "interrupted", done.stderr[-1000:]
