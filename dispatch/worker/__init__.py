"""The worker: a parent process that keeps two Celery nodes, so that slow receivers and long plans never meet.

The parent starts the nodes, hears from each every second that its consumer is connected, and beats only while all of
them are: a worker that is deaf shows as down. Where a node dies, or stays deaf though the broker answers, the parent
ends too, and whoever supervises it starts a fresh one.
"""

from __future__ import annotations

import os
import selectors
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

BEAT_S = 2.0
FRESH_S = 5.0
"""A node not heard of for so long counts as deaf."""
DEAF_S = 60.0
"""A node deaf for so long, with a broker that answers, will not recover by itself."""
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
    "notify": Node(("notify",), "threads", 32),
}


@dataclass
class _Child:
    """A running node, the pipe it pulses through, when it last did (time.monotonic) and whether it ever did."""

    name: str
    process: subprocess.Popen[bytes]
    pulse: int
    heard_at: float
    heard: bool = False

    def hear(self) -> None:
        """Take in the pulses that have come."""
        if os.read(self.pulse, 4096):
            self.heard_at, self.heard = time.monotonic(), True
        else:
            time.sleep(0.05)  # The node closed its end: it is about to go.

    def is_fresh(self) -> bool:
        """Whether its consumer was connected a moment ago."""
        return self.heard and time.monotonic() - self.heard_at < FRESH_S

    def fault(self, redis_url: str) -> str | None:
        """Why all must be started anew, if they must."""
        code = self.process.poll()
        if code is not None:
            return f"{self.name} ended with {code}"
        if time.monotonic() - self.heard_at < DEAF_S:
            return None
        if broker_answers(redis_url):
            return f"{self.name} was deaf for {DEAF_S:.0f} s"
        self.heard_at, self.heard = time.monotonic() - DEAF_S / 2, False  # An absent broker is not the node's fault.
        return None


def main() -> int:
    """Run the nodes until SIGTERM or SIGINT; 1 where a node failed and all must be started anew."""
    logs.configure("worker")
    settings = load(servers=True)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    system = open_system(settings, connections=1)
    children = [_spawn(name) for name in NODES]
    log.info("started", nodes={child.name: child.process.pid for child in children})
    beaten_at, fault = -BEAT_S, None
    with selectors.DefaultSelector() as ears:
        for child in children:
            ears.register(child.pulse, selectors.EVENT_READ, child)
        while not stopping and fault is None:
            for key, _ in ears.select(0.25):
                key.data.hear()
            fault = next((found for child in children if (found := child.fault(settings.redis_url))), None)
            if time.monotonic() - beaten_at >= BEAT_S and all(child.is_fresh() for child in children):
                beaten_at = time.monotonic()
                _beat(system)
    if fault is not None:
        log.error("a node failed; all end", reason=fault)
    _stop(children)
    system.store.close()
    log.info("stopped")
    return 0 if fault is None else 1


def _spawn(name: str) -> _Child:
    reading, writing = os.pipe()
    parent = os.getpid()
    process = subprocess.Popen(
        [sys.executable, "-m", "dispatch.worker.node", name, str(writing)],
        cwd=CHECKOUT,
        # Celery's plain SIGTERM waits for its tasks however long; this gives them back to the queue after a moment.
        env={**os.environ, "REMAP_SIGTERM": "SIGQUIT"},
        stdin=subprocess.DEVNULL,
        pass_fds=(writing,),
        preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent),
    )
    os.close(writing)
    return _Child(name, process, reading, time.monotonic())


def _beat(system: System) -> None:
    if not broker_answers(system.settings.redis_url):
        return
    try:
        beat(system.store, "worker", {"queues": sorted(queue for node in NODES.values() for queue in node.queues)})
    except Unavailable as error:
        log.warning("database away", reason=error.en)


def _stop(children: list[_Child]) -> None:
    for child in children:
        if child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + STOP_S
    for child in children:
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        os.close(child.pulse)
