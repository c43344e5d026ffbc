"""One Celery node of the worker: `python -m dispatch.worker.node NAME PULSE_FD`, and the tasks it knows.

A task is a guarded change of state in PostgreSQL: the queue may lose it or bring it twice.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import Any

import structlog
from celery import Celery, bootsteps, signals
from celery.exceptions import CPendingDeprecationWarning

from dispatch import logs
from dispatch.bootstrap import System, open_system
from dispatch.channels import webhook
from dispatch.flows import notifying
from dispatch.lifeline import die_with_parent
from dispatch.queue import make_celery
from dispatch.settings import load
from dispatch.store.rows import Webhook
from dispatch.worker import NODES
from dispatch.worker.lanes import Lanes

PULSE_S = 1.0

log = structlog.get_logger("worker")
lanes = Lanes()


@cache
def _system() -> System:
    """This process's own system: opened at its first task, so that no connection is shared across a fork."""
    return open_system(load(servers=True), connections=8)


@cache
def _guard() -> webhook.Guard:
    def receiver_allowed(host: str, port: int) -> bool:
        with _system().store.begin() as session:
            return session.notices.receiver_allowed(host, port, session.wall_clock())

    return webhook.Guard(_system().settings.webhook_allow, receiver_allowed)


def _post(hook: Webhook, message_id: str, at: datetime, body: bytes) -> webhook.Answer:
    headers = webhook.sign(hook.secrets_at(at), message_id, at, body)
    answer = webhook.post(hook.url, headers, body, _guard(), live=hook.mode == "live")
    log.info(
        "webhook called",
        webhook=hook.id,
        message=message_id,
        status=answer.status,
        error=answer.error,
        duration_ms=answer.duration_ms,
    )
    return answer


def _deliver(delivery_id: str) -> None:
    """One attempt at one delivery of a webhook."""
    notifying.deliver(_system().store, delivery_id, _post, lanes, random.uniform(-1, 1))


def _plan(operation_id: str) -> None:
    """Work out one plan."""
    from dispatch.flows import planning

    planning.run(_system(), operation_id)


def _simulate(operation_id: str) -> None:
    """Run a day again with something changed."""
    from dispatch.flows import simulating
    from dispatch.rehearsal import rehearse

    simulating.run(_system(), operation_id, rehearse)


def _look(mode: str, area: str, day: str) -> None:
    """Look at an office's plan after something happened there."""
    import routing
    from dispatch.flows import replanning

    routing.warm()  # once in the life of a process: a look is too short to wait for it
    settings = _system().settings
    pace = replanning.Pace(settings.live_seconds, settings.live_frozen_stops, settings.live_moved_stops)
    outcome = replanning.look(_system(), mode, area, date.fromisoformat(day), pace)
    log.info("looked", area=area, date=day, mode=mode, outcome=outcome)


def _learn(mode: str) -> None:
    """Make the estimates of a world anew, where anything was observed since."""
    from dispatch.flows import learning

    with _system().store.begin() as session:
        version = learning.renew(session, mode, session.wall_clock())
    if version:
        log.info("estimates renewed", mode=mode, model=version)


@contextmanager
def _no_collector(system: System) -> Iterator[None]:
    """Many rows a second, none of them in cycles: the collector would only walk rules and places again and again."""
    _ = system.book, system.places
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _reprice(operation_id: str) -> None:
    """Correct the charges that a rule recorded later changes."""
    from dispatch.flows import repricing

    system = _system()
    with _no_collector(system):
        repricing.run(system, operation_id)


def _import(operation_id: str) -> None:
    """Take the rows of a file in as requests."""
    from dispatch.flows import bulk_intake

    system = _system()
    with _no_collector(system):
        bulk_intake.run(system, operation_id, system.settings.s10_prefix)


def make_node(redis_url: str) -> Celery:
    """The Celery application of a node, with every task."""
    app = make_celery(redis_url)
    app.task(_deliver, name="deliver")
    app.task(_plan, name="plan")
    app.task(_simulate, name="simulate")
    app.task(_look, name="look")
    app.task(_reprice, name="reprice")
    app.task(_import, name="import")
    app.task(_learn, name="learn")
    return app


class Pulse(bootsteps.StartStopStep):
    """Tells the parent every second that the event loop turns and its consumer is connected."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    to: int

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        """Begin with every new connection to the broker."""
        self._timer = consumer.timer.call_repeatedly(PULSE_S, self._beat, (consumer,))

    def stop(self, consumer: Any) -> None:
        """End when the connection is lost."""
        if self._timer is not None:
            consumer.timer.cancel(self._timer)
            self._timer = None

    def _beat(self, consumer: Any) -> None:
        if consumer.connection is not None and consumer.connection.connected:
            try:
                os.write(self.to, b".")
            except BlockingIOError:
                return  # The parent is busy; it has unread pulses enough.


def _log_as(process: str) -> None:
    logs.configure(process)
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)  # about a setting we set on purpose
    for chatty in ("celery.worker.strategy", "celery.app.trace"):  # two lines for every task; ours says more
        logging.getLogger(chatty).setLevel(logging.WARNING)


def main(name: str, pulse: int) -> int:
    """Serve the queues of the node `name`, pulsing through the pipe `pulse`, until a signal; the exit code."""
    node = NODES[name]
    app = make_node(load(servers=True).redis_url)
    if node.pool == "threads":
        # Threads cannot be ended; an attempt that lost its broker ends by its own time limit.
        app.conf.worker_cancel_long_running_tasks_on_connection_loss = False
    os.set_blocking(pulse, False)
    Pulse.to = pulse
    app.steps["consumer"].add(Pulse)
    signals.setup_logging.connect(lambda **_: _log_as(f"worker.{name}"), weak=False)
    parent = os.getpid()
    # A child of the pool must not outlive its node: it would hold connections and work on what others have taken.
    signals.worker_process_init.connect(lambda **_: die_with_parent(signal.SIGKILL, parent), weak=False)
    worker = app.Worker(
        hostname=f"{name}-{os.getpid()}@{socket.gethostname()}",
        pool=node.pool,
        concurrency=node.concurrency,
        queues=list(node.queues),
        loglevel="INFO",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
