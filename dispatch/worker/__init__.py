"""The worker: a parent process that keeps two Celery nodes, so that slow receivers and long plans never meet.

The parent starts the nodes, hears from each every second that its consumer is connected, and beats only while all of
them are: a worker that is deaf shows as down. A node that dies, or stays deaf though the broker answers, is started
afresh; the other goes on with what it does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import structlog

from dispatch import logs
from dispatch.bootstrap import System, beat, open_system
from dispatch.domain.errors import Unavailable
from dispatch.lifeline import die_with_parent
from dispatch.queue import broker_answers
from dispatch.settings import CHECKOUT, load
from dispatch.worker.lanes import PLACES

BEAT_S = 2.0
FRESH_S = 5.0
"""A node not heard of for so long counts as deaf."""
DEAF_S = 60.0
"""A node deaf for so long, with a broker that answers, will not recover by itself."""
STEADY_S = 30.0
SLOWEST_RETRY_S = 10.0
STOP_S = 18.0
"""How long nodes may take to give their tasks back when asked to stop."""

log = structlog.get_logger("worker")


@dataclass(frozen=True)
class Node:
    """One Celery process: the queues it serves, and how many tasks at once in processes or threads."""

    queues: tuple[str, ...]
    pool: str
    concurrency: int


NODES = {
    # A plan uses a processor of its own: processes, whose time limits can be enforced.
    "routing": Node(("routing", "default"), "prefork", 2),
    # A webhook mostly waits for its receiver: threads.
    "notify": Node(("notify",), "threads", PLACES),
}


class Child:
    """One node as a running process: `start`ed, heard through a pipe, `tend`ed, stopped."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._deaths = 0
        self.start()

    def start(self) -> None:
        """Run the node; it never outlives this process."""
        reading, writing = os.pipe()
        parent = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dispatch.worker.node", self.name, str(writing)],
            cwd=CHECKOUT,
            # Celery's plain SIGTERM waits for its tasks however long; this gives them back after a moment.
            env={**os.environ, "REMAP_SIGTERM": "SIGQUIT"},
            stdin=subprocess.DEVNULL,
            pass_fds=(writing,),
            preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent),
        )
        os.close(writing)
        os.set_blocking(reading, False)
        self.pulse = reading
        self.since = self.heard_at = time.monotonic()
        self.heard = False
        self._retry_at: float | None = None

    def hear(self) -> None:
        """Take in the pulses that have come."""
        if self._retry_at is not None:
            return
        try:
            if os.read(self.pulse, 4096):
                self.heard_at, self.heard = time.monotonic(), True
        except BlockingIOError:
            return  # none yet

    def is_fresh(self) -> bool:
        """Whether its consumer was connected a moment ago."""
        return self.heard and time.monotonic() - self.heard_at < FRESH_S

    def tend(self, redis_url: str) -> None:
        """Start it again where it died, at once the first time, then ever more slowly; end it where it is deaf."""
        now = time.monotonic()
        if self._retry_at is not None:
            if now >= self._retry_at:
                self.start()
                log.info("node started again", node=self.name, pid=self.process.pid)
            return
        code = self.process.poll()
        if code is not None:
            os.close(self.pulse)
            self.heard = False
            self._deaths = 1 if now - self.since > STEADY_S else self._deaths + 1
            self._retry_at = now + min(SLOWEST_RETRY_S, 0.1 * 4 ** (self._deaths - 1))
            log.error("node ended unexpectedly", node=self.name, code=code)
        elif now - self.heard_at > DEAF_S:
            self.heard_at = now  # Either it ends now, or its broker is away, which is not its fault.
            if broker_answers(redis_url):
                log.error("node is deaf", node=self.name)
                self.process.kill()

    def ask_to_stop(self) -> None:
        """Send the polite signal, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()

    def stop(self, deadline: float) -> None:
        """Wait for its end until `deadline` (time.monotonic), then make it end."""
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> int:
    """Keep the nodes running until SIGTERM or SIGINT."""
    logs.configure("worker")
    settings = load(servers=True)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    system = open_system(settings, connections=1)
    children = [Child(name) for name in NODES]
    log.info("started", nodes={child.name: child.process.pid for child in children})
    beaten_at = -BEAT_S
    while not stopping:
        time.sleep(0.2)
        for child in children:
            child.tend(settings.redis_url)
            child.hear()
        if time.monotonic() - beaten_at >= BEAT_S and all(child.is_fresh() for child in children):
            beaten_at = time.monotonic()
            _beat(system)
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + STOP_S
    for child in children:
        child.stop(deadline)
    system.store.close()
    log.info("stopped")
    return 0


def _beat(system: System) -> None:
    if not broker_answers(system.settings.redis_url):
        return
    try:
        beat(system.store, "worker", {"queues": sorted(queue for node in NODES.values() for queue in node.queues)})
    except Unavailable as error:
        log.warning("database away", reason=error.en)
