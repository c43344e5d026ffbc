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
# The evaluator tries every departure of a route whose duration is priced: 600 stops take a second, three times.
_SLOW = {"at one place, duration priced": 3.0}
_MOST_MB = 500


@pytest.mark.parametrize("name", sorted(CROWDS))
def test_a_crowd_is_accounted_for_in_time(name: str) -> None:
    """Processor time, for on a busy machine the clock runs on while others work; it is never more than the clock's."""
    command = [sys.executable, "-m", "tests.routing.crowds", name, "search", str(_SECONDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=150)
    found = json.loads(done.stdout)
    assert (found["violations"], found["complete"]) == ([], True)
    assert found["cpu_s"] <= 1.05 * _SECONDS + _SLOW.get(name, _BESIDES_S)
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
