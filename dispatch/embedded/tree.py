"""The tree of processes: starts them in order, starts the dead again, stops them in the opposite order."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from dispatch.embedded.place import Place, StartError, write
from dispatch.embedded.process import Child, Program, identity, last_lines, started

_SLOWEST_RETRY_S = 5.0
_STEADY_S = 10.0
_LOG_BYTES = 20_000_000


@dataclass(frozen=True)
class Part:
    """One program of the tree; `wave` says with whom it stops (the last first), `revive` runs before each restart."""

    program: Program
    wave: int
    revive: Callable[[], None] = field(default=lambda: None)


@dataclass
class _Branch:
    part: Part
    child: Child
    since: float
    deaths: int = 0
    retry_at: float | None = None


class Tree:
    """Children of this process, by name. `say` tells a person what happens; all times are time.monotonic() seconds."""

    def __init__(self, place: Place, say: Callable[[str], None]) -> None:
        self._place = place
        self._say = say
        self._branches: dict[str, _Branch] = {}
        self._asked_to_stop = 0
        self._logs_seen_at = time.monotonic()

    def is_stopping(self) -> bool:
        """Whether a signal asked us to stop."""
        return self._asked_to_stop > 0

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT, SIGTERM and SIGHUP as the wish to stop; a second one as the wish to stop at once."""

        def note(number: int, frame: FrameType | None) -> None:
            self._asked_to_stop += 1

        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means to outlive the terminal
            numbers.append(signal.SIGHUP)
        before: list[tuple[int, Any]] = [(number, signal.signal(number, note)) for number in numbers]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    def start(self, part: Part, is_ready: Callable[[], bool], patience_s: float = 60.0) -> None:
        """Start `part` and wait until it is ready. Raises StartError if it does not get there."""
        child = started(part.program, is_ready, patience_s, self.is_stopping)
        self._branches[part.program.name] = _Branch(part, child, time.monotonic())
        self._note()

    def watch(self, until: Callable[[], bool], most_deaths: int | None = None) -> None:
        """Start the dead again until `until` or a wish to stop.

        With `most_deaths` a part that died so often raises StartError with the end of its log: that is for the start,
        when a part that cannot live is a fault of the installation. Later each is tried for ever, ever more slowly.
        """
        while not self.is_stopping() and not until():
            for branch in self._branches.values():
                self._tend(branch, most_deaths)
            if time.monotonic() - self._logs_seen_at > 60:
                self._logs_seen_at = time.monotonic()
                for path in self._place.logs.glob("*.log"):
                    _shorten(path)
            time.sleep(0.05)

    def _tend(self, branch: _Branch, most_deaths: int | None) -> None:
        now, name = time.monotonic(), branch.part.program.name
        if branch.retry_at is not None:
            if now >= branch.retry_at:
                branch.retry_at = None
                branch.part.revive()
                branch.child.start()
                branch.since = now
                self._note()
                self._say(f"{name}: chạy lại · started again")
            return
        if branch.child.alive:
            return
        code = branch.child.clear_away()
        branch.deaths = 1 if now - branch.since > _STEADY_S else branch.deaths + 1
        fate = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if most_deaths is not None and branch.deaths >= most_deaths:
            log = branch.part.program.log
            raise StartError(f"{name} cannot stay alive ({fate})." + (f" It said:\n{last_lines(log)}" if log else ""))
        branch.retry_at = now + min(_SLOWEST_RETRY_S, 0.1 * 2 ** (branch.deaths - 1))
        self._say(f"{name}: đã dừng bất ngờ · ended unexpectedly ({fate})")

    def is_steady(self) -> bool:
        """Whether every part runs, and none that died is too young to be trusted again."""
        young = time.monotonic() - _SLOWEST_RETRY_S
        return all(
            branch.child.alive and (branch.deaths == 0 or branch.since < young) for branch in self._branches.values()
        )

    def stop(self) -> None:
        """Stop all parts, the last wave first; a second wish to stop ends the waiting."""
        for wave in sorted({branch.part.wave for branch in self._branches.values()}, reverse=True):
            branches = [branch for branch in self._branches.values() if branch.part.wave == wave]
            self._say(", ".join(branch.part.program.name for branch in branches) + ": đang dừng · stopping")
            for branch in reversed(branches):
                branch.child.ask_to_stop()
            begun, patience = time.monotonic(), self._asked_to_stop
            for branch in reversed(branches):
                deadline = begun + branch.part.program.stop_s
                while branch.child.alive and time.monotonic() < deadline and self._asked_to_stop <= max(patience, 1):
                    time.sleep(0.02)
                branch.child.clear_away()
        self._branches.clear()
        self._note()

    def _note(self) -> None:
        """Write down who runs, so that the next start can clear away what a kill of this process might leave."""
        running = {name: branch.child.pid for name, branch in self._branches.items()}
        write(self._place, "processes", {n: {"pid": pid, "identity": identity(pid)} for n, pid in running.items()})


def _shorten(path: Path) -> None:
    """Keep a log below 20 MB: its content moves to `.1`, the writers, who append, go on in the emptied file."""
    if path.stat().st_size > _LOG_BYTES:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        path.with_suffix(".log.1").chmod(0o600)
        os.truncate(path, 0)
