"""The relay: carries committed outbox rows to the queue, within milliseconds of their commit.

Any number of relays may run: each takes rows the others do not hold. A relay that dies between hand-over and commit
hands over twice, which every task bears.
"""

from __future__ import annotations

import contextlib
import signal
import time

import psycopg
import structlog

from dispatch import logs
from dispatch.bootstrap import beat, open_system
from dispatch.domain.errors import Unavailable
from dispatch.queue import BrokerAway, broker_answers, hand_over, make_sender
from dispatch.settings import Settings

BATCH = 100
POLL_S = 1.0
"""How long a notification may be lost before the rows are found all the same."""
BEAT_S = 2.0
SLOWEST_RETRY_S = 2.0

log = structlog.get_logger("relay")


def main(settings: Settings) -> int:
    """Relay until SIGTERM or SIGINT; servers that go away are waited for."""
    logs.configure("relay")
    relay = Relay(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: relay.stop())
    relay.run()
    return 0


class Relay:
    """One relay: `run` until `stop`."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.database_url
        self._store = open_system(settings, connections=2).store
        self._redis_url = settings.redis_url
        self._sender = make_sender(settings.redis_url)
        self._stopping = False
        self._broker_is_there = True
        self._beaten_at = -BEAT_S
        self._ear: psycopg.Connection | None = None

    def stop(self) -> None:
        """Ask `run` to end after what it is doing."""
        self._stopping = True

    def run(self) -> None:
        """Carry rows over as they are committed; returns after `stop`."""
        log.info("started")
        retry_s = 0.1
        while not self._stopping:
            try:
                self._listen()
                while not self._stopping and self._carry() == BATCH:
                    self._beat()
                self._beat()
            except (Unavailable, psycopg.Error) as error:
                log.warning("database away", reason=str(error).strip())
                self._deafen()
                time.sleep(retry_s)
                retry_s = min(SLOWEST_RETRY_S, retry_s * 2)
                continue
            except Exception:
                log.exception("carrying failed")
                time.sleep(SLOWEST_RETRY_S)
                continue
            retry_s = 0.1
            self._wait()
        self._deafen()
        self._store.close()
        log.info("stopped")

    def _listen(self) -> None:
        """Hear of commits from now on. Comes before the look at the table, so that no row falls between the two."""
        if self._ear is None:
            self._ear = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=5,
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
            )
            self._ear.execute("LISTEN outbox")

    def _deafen(self) -> None:
        if self._ear is not None:
            with contextlib.suppress(psycopg.Error):
                self._ear.close()
        self._ear = None

    def _wait(self) -> None:
        """Until a commit is announced, at most `POLL_S` seconds; half of that while the broker is away."""
        if not self._broker_is_there:
            time.sleep(POLL_S / 2)
            return
        assert self._ear is not None
        try:
            for _ in self._ear.notifies(timeout=POLL_S, stop_after=1):
                pass
        except psycopg.Error as error:
            log.warning("database away", reason=str(error).strip())
            self._deafen()

    def _carry(self) -> int:
        """Hand over the oldest rows; how many. Where the broker fails, the rows it did not take stay as they are."""
        with self._store.begin() as session:
            rows = session.notices.waiting(BATCH)
            sent: list[int] = []
            try:
                for row_id, task, args in rows:
                    hand_over(self._sender, task, args, f"outbox-{row_id}")
                    sent.append(row_id)
            except BrokerAway as error:
                if self._broker_is_there:
                    log.warning("broker away", reason=str(error))
                self._broker_is_there = False
            else:
                if rows and not self._broker_is_there:
                    log.info("broker took messages again", carried=len(rows))
                    self._broker_is_there = True
            if sent:
                session.notices.mark_sent(sent, session.wall_clock())
        return len(sent)

    def _beat(self) -> None:
        """Every two seconds: we live, and whether the broker takes what we bring."""
        if time.monotonic() - self._beaten_at < BEAT_S:
            return
        self._beaten_at = time.monotonic()
        self._broker_is_there = broker_answers(self._redis_url)
        beat(self._store, "relay", {"broker": self._broker_is_there})
