"""The clock: does every second what only the passing of time brings about.

Any number of clocks may run: each takes rows the others do not hold, and every change is guarded by the row's state.
Pauses are measured by the monotonic clock, instants are the database's, so that a wall clock set back only delays.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from dispatch import logs
from dispatch.bootstrap import System, beat, open_system
from dispatch.domain.errors import Unavailable
from dispatch.flows import bulk_intake, forecasting, learning, looks, notifying, simulating, sla_watch
from dispatch.queue import ROUTES, broker_depth
from dispatch.settings import Settings

LOST_AFTER = timedelta(seconds=10)
"""A task that nobody began for so long, with nothing waiting before it, was lost by the queue."""
STALLED_AFTER = timedelta(minutes=10)
"""The same while others wait before it: it may just be late, and queueing it again would only lengthen the queue."""
ANSWERS_KEPT = timedelta(hours=96)
"""First answers to an Idempotency-Key; docs/api.md promises 72 hours at least."""
OUTBOX_KEPT = timedelta(days=1)
SWEEP = 100
"""Requests settled in one transaction, small enough that nobody waits long for their rows."""
SWEEPS_A_TURN = 20
REQUEUE = 500

log = structlog.get_logger("clock")


@dataclass
class Duty:
    """One thing to do `every_s` seconds; `failing` remembers that it failed last time, so that a log stays readable."""

    name: str
    every_s: float
    do: Callable[[System], object]
    due_at: float = 0.0
    failing: bool = field(default=False)

    def attend(self, system: System, now_s: float) -> None:
        """Do it if it is time; an error is logged and stops nobody else."""
        if now_s < self.due_at:
            return
        self.due_at = now_s + self.every_s
        try:
            self.do(system)
        except Unavailable as error:
            if not self.failing:
                log.warning("database away", duty=self.name, reason=error.en)
            self.failing = True
        except Exception:
            log.exception("duty failed", duty=self.name)
            self.failing = True
        else:
            if self.failing:
                log.info("duty done again", duty=self.name)
            self.failing = False


def sweep_promises(system: System) -> None:
    """Warnings and breaches of live promises; test rows are moved by their own calls only."""
    for _ in range(SWEEPS_A_TURN):
        with system.store.begin() as session:
            changed = sla_watch.sweep(session, "live", system.scene(session.wall_clock()), limit=SWEEP)
        if changed < SWEEP:
            return


def look_at_forecasts(system: System) -> None:
    """Forecasts of live promises that were not looked at for a while: who does nothing gets later."""
    with system.store.begin() as session:
        at = session.wall_clock()
        due = session.forecasts.claim("live", at, at + forecasting.AGAIN, limit=forecasting.LOOSE)
    if due:
        with system.store.begin() as session:
            forecasting.look_again(session, system.scene(session.wall_clock()), system, due)


def requeue_deliveries(system: System) -> None:
    """Webhook attempts whose time came, and those whose task was lost."""
    patience = _patience(system, "deliver")
    with system.store.begin() as session:
        count = notifying.requeue(session, session.wall_clock() - patience, limit=REQUEUE)
    if count:
        log.info("deliveries queued", count=count)


def number_feeds(system: System) -> None:
    """Numbers for what was written into feeds that nobody reads."""
    notifying.number_feeds(system.store, REQUEUE)


def requeue_operations(system: System) -> None:
    """Plans nobody works on: their task was lost, or their worker died."""
    patience = _patience(system, "plan")
    with system.store.begin() as session:
        at = session.wall_clock()
        for operation_id, kind in session.planning.requeue_operations(at, at - patience):
            if kind in ROUTES:
                session.notices.enqueue(kind, {"operation_id": operation_id}, at)
                log.info("operation queued again", operation=operation_id, kind=kind)


def requeue_looks(system: System) -> None:
    """Looks at live plans whose task was lost."""
    patience = _patience(system, "look")
    with system.store.begin() as session:
        count = looks.requeue(session, session.wall_clock() - patience)
    if count:
        log.info("looks queued again", count=count)


def learn(system: System) -> None:
    """What finished live stops teach; the test world learns at its own calls."""
    for _ in range(SWEEPS_A_TURN):
        with system.store.begin() as session:
            if learning.observe(session, system.scene(session.wall_clock()), system, "live") < learning.BATCH:
                return


def renew_estimates(system: System) -> None:
    """Have live estimates made anew: seconds of work, left to a worker so that no promise waits for it."""
    with system.store.begin() as session:
        session.notices.enqueue("learn", {"mode": "live"}, session.wall_clock())


def _patience(system: System, task: str) -> timedelta:
    """How long a queued task may wait to be begun before it counts as lost.

    Where messages or outbox rows still wait, or the broker is away, a task is more likely late than lost.
    """
    waiting = broker_depth(system.settings.redis_url)
    if waiting.get(ROUTES[task], 1) > 0:
        return STALLED_AFTER
    with system.store.begin() as session:
        return STALLED_AFTER if session.notices.backlog()[0] else LOST_AFTER


def forget(system: System) -> None:
    """Drop what nobody asks for again: answers, old secrets, sent outbox rows, simulations, imports, old sightings."""
    with system.store.begin() as session:
        session.access.forget_answers(session.wall_clock() - ANSWERS_KEPT)
    with system.store.begin() as session:
        session.notices.forget_sent(session.wall_clock() - OUTBOX_KEPT)
        session.receivers.forget_secrets(session.wall_clock())
    with system.store.begin() as session:
        session.past.forget_simulations(session.wall_clock() - simulating.KEPT)
    with system.store.begin() as session:
        session.learning.forget(session.wall_clock() - learning.KEPT)
    with system.store.begin() as session:
        session.imports.forget(session.wall_clock() - bulk_intake.KEPT)


def duties() -> list[Duty]:
    """Everything the clock does, with its rhythm."""
    return [
        Duty("heartbeat", 2.0, lambda system: beat(system.store, "clock")),
        Duty("promises", 1.0, sweep_promises),
        Duty("forecasts", 1.0, look_at_forecasts),
        Duty("deliveries", 1.0, requeue_deliveries),
        Duty("feeds", 5.0, number_feeds),
        Duty("operations", 2.0, requeue_operations),
        Duty("looks", 5.0, requeue_looks),
        Duty("learning", 60.0, learn),
        Duty("estimates", 1800.0, renew_estimates),
        Duty("forgetting", 3600.0, forget),
    ]


def main(settings: Settings) -> int:
    """Keep time until SIGTERM or SIGINT; a database that goes away is waited for."""
    logs.configure("clock")
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    system = open_system(settings, connections=2)
    log.info("started")
    work = duties()
    while not stopping:
        for duty in work:
            if not stopping:
                duty.attend(system, time.monotonic())
        time.sleep(0.1)
    system.store.close()
    log.info("stopped")
    return 0
