"""Looking at processes and waiting for them with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen], within_s: float = 20.0) -> Seen:
    """The first true thing that `look` gives; fails with what it gave last when that takes longer than `within_s`."""
    deadline, pause = time.monotonic() + within_s, threading.Event()
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {within_s} s"
        pause.wait(0.02)
    return seen


def descendants(pid: int) -> set[int]:
    """The living processes below `pid`, found through /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if state not in "ZX":
                parents[int(entry.name)] = int(parent)
    found, fresh = set(), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def alive(pids: set[int]) -> set[int]:
    """Those of `pids` that still run."""
    living = set()
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                living.add(pid)
        except OSError:
            continue
    return living
