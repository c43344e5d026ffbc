"""What starting costs: the library alone is light, and what set-up compiled nobody compiles again."""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_SOLVERS = {"numba", "llvmlite", "ortools", "geopy", "osmium", "routingkit_cch", "urllib3", "flask", "sqlalchemy"}
_NOBODY = 65534  # who owns nothing
_PR_CAPBSET_DROP, _DAC_OVERRIDE, _DAC_READ_SEARCH = 24, 1, 2  # of Linux

_IMPORTING = f"""
import sys, time
began = time.thread_time()
import routing
spent = time.thread_time() - began
import routing.__main__
print(spent, sorted(set(sys.modules) & {_SOLVERS!r}), "routing.kernel.jit" in sys.modules)
"""

# numba tells whoever listens of each function it compiles, not of those it reads from where they were kept.
_FIRST_SOLVE = """
import sys, time
from numba.core import event
class Count(event.Listener):
    compiled = 0
    def on_start(self, told): self.compiled += 1
    def on_end(self, told): pass
count = Count()
event.register("numba:compile", count)
from routing import solve
from tests.routing.problems import any_day
from random import Random
began = time.process_time()
plan = solve(any_day(Random(1), 12, 3), engine="search", iterations=50)
print(count.compiled, plan.engine, plan.cost.unserved, time.process_time() - began)
"""


def said(script: str, **wishes: object) -> list[str]:
    """Run a script in a fresh process; return the words it prints."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, **wishes)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


def test_importing_the_library_loads_no_solver_and_is_quick() -> None:
    """Processor time of the one thread that imports, and the best of three: others may be at work on this machine."""
    keeps = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    runs = [said(_IMPORTING, env=keeps) for _ in range(3)]
    assert [run[1:] for run in runs] == [["[]", "False"]] * 3
    assert min(float(run[0]) for run in runs) < 0.3


@pytest.fixture(scope="module")
def compiled() -> Path:
    """The place where set-up keeps machine code, filled."""
    import routing

    routing.warm("search")
    return Path(sys.prefix) / "share" / "dieu-tin" / "kernel"


def _powerless() -> None:
    """Take from a process that root starts the right to write where the mode says that nobody may."""
    libc = ctypes.CDLL(None)
    for capability in _DAC_OVERRIDE, _DAC_READ_SEARCH:
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def _runs_for_nobody() -> bool:
    who = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    try:
        return subprocess.run([sys.executable, "-c", "import routing"], cwd=ROOT, check=False, **who).returncode == 0  # type: ignore[call-overload]
    except PermissionError:
        return False


@pytest.fixture
def stranger(compiled: Path) -> Iterator[dict[str, object]]:
    """Wishes for a process that may read what was compiled but not write there."""
    if os.geteuid() == 0 and _runs_for_nobody():
        yield {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        return
    mode = stat.S_IMODE(compiled.stat().st_mode)
    compiled.chmod(0o555)
    try:
        yield {"preexec_fn": _powerless} if os.geteuid() == 0 else {}
    finally:
        compiled.chmod(mode)


def test_the_first_search_after_set_up_compiles_nothing(compiled: Path) -> None:
    assert any(compiled.glob("*.nbc"))
    count, engine, left_out, spent = said(_FIRST_SOLVE)
    assert (count, engine, left_out) == ("0", "search", "0")
    assert float(spent) < 10  # loading took 0.6 s of one processor; compiling takes a minute


def test_nor_does_that_of_somebody_who_may_not_write_where_it_is_kept(
    compiled: Path, stranger: dict[str, object], tmp_path: Path
) -> None:
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    may_write = f"import os; print(os.access({str(compiled)!r}, os.W_OK))"
    assert said(may_write, env=clean, **stranger) == ["False"]
    before = sorted((file.name, file.stat().st_mtime_ns) for file in compiled.iterdir())
    count, engine, left_out, spent = said(_FIRST_SOLVE, env=clean, **stranger)
    assert (count, engine, left_out) == ("0", "search", "0")
    assert float(spent) < 10
    assert sorted((file.name, file.stat().st_mtime_ns) for file in compiled.iterdir()) == before
