"""One child process: started so that it never outlives us, stopped politely first and surely at last."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatch.embedded.place import ServerUser, StartError
from dispatch.lifeline import die_with_parent


@dataclass(frozen=True)
class Program:
    """How to run one process. `environment` is the whole of it; `log` None lets it speak on our own output.

    `stop` asks it to end and `stop_s` is how long it may take; `orphan` is what it gets when we die first.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    user: ServerUser | None = None
    directory: Path = Path("/")
    log: Path | None = None
    stop: signal.Signals = signal.SIGTERM
    stop_s: float = 10.0
    orphan: signal.Signals = signal.SIGKILL


class Child:
    """A program that runs, ran, or will run again: `start` it, ask whether it is `alive`, `stop` it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; only of a child that was started."""
        assert self._process is not None, f"{self.program.name} was not started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs. An ended child is left unreaped, so that its number stays its own until `clear_away`."""
        if self._process is None or self._process.returncode is not None:
            return False
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def start(self) -> None:
        """Run the program in a process group of its own, so that Ctrl-C reaches only us and we choose the order."""
        program, parent = self.program, os.getpid()
        user: dict[str, Any] = program.user.process_arguments() if program.user else {}
        with contextlib.ExitStack() as files:
            output = files.enter_context(_open_log(program.log)) if program.log else None
            self._process = subprocess.Popen(
                program.command,
                cwd=program.directory,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                process_group=0,
                preexec_fn=lambda: die_with_parent(program.orphan, parent),
                **user,
            )

    def ask_to_stop(self) -> None:
        """Send the polite signal, if it still runs."""
        if self.alive:
            os.kill(self.pid, self.program.stop)

    def stop(self, seconds: float | None = None) -> int:
        """Ask it to stop, wait `seconds` (default: its own `stop_s`), then end it and whatever it started."""
        self.ask_to_stop()
        deadline = time.monotonic() + (self.program.stop_s if seconds is None else seconds)
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.clear_away()

    def clear_away(self) -> int:
        """End everything left in its process group; returns how it ended (minus the signal number if one ended it)."""
        if self._process is None:
            return 0
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()


def started(
    program: Program, is_ready: Callable[[], bool], patience_s: float, given_up: Callable[[], bool] = lambda: False
) -> Child:
    """Start `program` and wait until `is_ready`. Raises StartError if it ends or stays silent for `patience_s`.

    `given_up` is asked now and then and ends the waiting early: the child is then returned as it is.
    """
    child = Child(program)
    child.start()
    deadline = time.monotonic() + patience_s
    while not is_ready() and not given_up():
        if not child.alive or time.monotonic() > deadline:
            fate = "does not answer" if child.alive else "ended at once"
            child.stop(2)
            said = f" It said:\n{last_lines(program.log)}" if program.log else ""
            raise StartError(f"{program.name} {fate}.{said}")
        time.sleep(0.02)
    return child


def _open_log(path: Path) -> Any:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def last_lines(path: Path, count: int = 12) -> str:
    """The end of a log file, for a person who wonders what went wrong."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 8_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
    except OSError:
        return ""


def identity(pid: int) -> str | None:
    """What tells a process from a later one with the same number (boot and start time); None if gone or unknowable."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else f"{boot} {fields[18]}"


def clear_leftovers(known: Mapping[str, Mapping[str, Any]], patience_s: float = 10.0) -> list[str]:
    """Wait until the processes a killed predecessor noted are gone, then end those that stay; returns their names.

    `known` maps a name to its `pid` and `identity`; a stranger that inherited the number is left in peace.
    """
    deadline = time.monotonic() + patience_s
    ended = []
    for name, note in known.items():
        pid, mark = int(note["pid"]), note["identity"]
        while mark is not None and identity(pid) == mark:
            if time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                ended.append(name)
                deadline = time.monotonic() + 2
            time.sleep(0.05)
    return ended
