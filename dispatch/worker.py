"""The worker: one parent process that keeps two Celery nodes, so that slow receivers and long plans never meet.

`python -m dispatch worker` is the parent. It starts the nodes, hears from each every second that its consumer is
connected, and beats only while all of them are: a worker that is deaf shows as down. Where a node dies or stays deaf
though the broker answers, the parent ends too, and whoever supervises it starts a fresh one.
"""

from __future__ import annotations

import os
import random
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import structlog
from celery import Celery, bootsteps, signals

from dispatch import logs
from dispatch.bootstrap import System, beat, open_system
from dispatch.channels import webhook
from dispatch.domain.errors import Unavailable
from dispatch.flows import notifying
from dispatch.lifeline import die_with_parent
from dispatch.queue import broker_answers, make_celery
from dispatch.settings import CHECKOUT, Settings, load

BEAT_S = 2.0
PULSE_S = 1.0
FRESH_S = 5.0
"""A node not heard of for so long counts as deaf."""
DEAF_S = 60.0
"""A node deaf for so long, with a broker that answers, will not recover by itself."""
STOP_S = 18.0

log = structlog.get_logger("worker")


@dataclass(frozen=True)
class Node:
    """One Celery process: which queues it serves, and how many tasks at once in processes or threads."""

    queues: tuple[str, ...]
    pool: str
    concurrency: int


NODES = {
    # Plans use a processor each: processes, with time limits that can be enforced.
    "routing": Node(("routing", "default"), "prefork", 2),
    # Webhooks mostly wait for others: threads.
    "notify": Node(("notify",), "threads", 32),
}


# ---- the parent ------------------------------------------------------------------------------------------------
@dataclass
class _Child:
    """A running node, the pipe it pulses through, and when it last did (time.monotonic)."""

    name: str
    process: subprocess.Popen[bytes]
    pulse: int
    heard_at: float
    heard: bool = field(default=False)


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
    beaten_at, failed = 0.0, None
    while not stopping and failed is None:
        _hear(children, 0.25)
        failed = _fault(children, settings)
        if time.monotonic() - beaten_at >= BEAT_S and all(_is_fresh(child) for child in children):
            beaten_at = time.monotonic()
            _beat(system, settings)
    if failed is not None:
        log.error("a node failed", reason=failed)
    _stop(children)
    system.store.close()
    log.info("stopped")
    return 0 if failed is None else 1


def _spawn(name: str) -> _Child:
    reading, writing = os.pipe()
    parent = os.getpid()
    process = subprocess.Popen(
        [sys.executable, "-m", "dispatch.worker", name, str(writing)],
        cwd=CHECKOUT,
        # Celery's plain SIGTERM waits for long tasks; this gives them back to the queue after a moment.
        env={**os.environ, "REMAP_SIGTERM": "SIGQUIT"},
        stdin=subprocess.DEVNULL,
        pass_fds=(writing,),
        preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent),
    )
    os.close(writing)
    os.set_blocking(reading, False)
    return _Child(name, process, reading, time.monotonic())


def _hear(children: list[_Child], timeout_s: float) -> None:
    """Read the pulses that came within `timeout_s`."""
    with selectors.DefaultSelector() as selector:
        for child in children:
            selector.register(child.pulse, selectors.EVENT_READ, child)
        for key, _ in selector.select(timeout_s):
            if os.read(key.fd, 4096):
                key.data.heard_at, key.data.heard = time.monotonic(), True
            else:
                time.sleep(0.05)  # The node closed its end: it is about to end.


def _is_fresh(child: _Child) -> bool:
    return child.heard and time.monotonic() - child.heard_at < FRESH_S


def _fault(children: list[_Child], settings: Settings) -> str | None:
    """Why the nodes must be started anew, if they must."""
    for child in children:
        code = child.process.poll()
        if code is not None:
            return f"{child.name} ended with {code}"
        if time.monotonic() - child.heard_at > DEAF_S:
            if broker_answers(settings.redis_url):
                return f"{child.name} was deaf for {DEAF_S:.0f} s"
            child.heard_at = time.monotonic() - DEAF_S / 2  # An absent broker is no fault of the node's.
            child.heard = False
    return None


def _beat(system: System, settings: Settings) -> None:
    if not broker_answers(settings.redis_url):
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


# ---- a node ----------------------------------------------------------------------------------------------------
@cache
def _system() -> System:
    """This process's own system: opened at the first task, never shared across a fork."""
    return open_system(load(servers=True), connections=8)


@cache
def _guard() -> webhook.Guard:
    return webhook.guard(_system().settings.webhook_allow, _receiver_allowed)


def _receiver_allowed(host: str, port: int) -> bool:
    with _system().store.begin() as session:
        return session.notices.receiver_allowed(host, port, session.wall_clock())


class Lanes:
    """Places for deliveries on their way, webhook by webhook: few for a webhook that has shown itself slow."""

    def __init__(self, at_most: int = 8, slow_at_most: int = 2, slow_after_s: float = 1.0) -> None:
        self._at_most, self._slow_at_most, self._slow_after_s = at_most, slow_at_most, slow_after_s
        self._lock = threading.Lock()
        self._begun: dict[str, list[float]] = defaultdict(list)
        self._slow: set[str] = set()

    def enter(self, webhook_id: str) -> bool:
        """Take a place; False where this webhook has its share of them now."""
        now = time.monotonic()
        with self._lock:
            begun = self._begun[webhook_id]
            if begun and now - begun[0] > self._slow_after_s:
                self._slow.add(webhook_id)
            if len(begun) >= (self._slow_at_most if webhook_id in self._slow else self._at_most):
                return False
            begun.append(now)
            return True

    def leave(self, webhook_id: str) -> None:
        """Give a place back."""
        now = time.monotonic()
        with self._lock:
            begun = self._begun[webhook_id]
            # Which of them ended does not matter: the latest start is a fair measure of how long this one took.
            took_s = now - begun.pop()
            if took_s > self._slow_after_s:
                self._slow.add(webhook_id)
            else:
                self._slow.discard(webhook_id)
            if not begun:
                del self._begun[webhook_id]
