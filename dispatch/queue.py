"""The queue's own file: the Celery application, its settings, and the broker's pulse.

Settings after faults that were tried: late acknowledgement, one message at a time, a visibility timeout above every
time limit. Truth stays in PostgreSQL: every task claims a row before it does anything, so a task may be lost or come
twice without harm.
"""

from __future__ import annotations

from typing import Any

import redis
from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import OperationalError

TASK_LIMIT_S = 780
VISIBILITY_S = 900

ROUTES = {
    "deliver": "notify",
    "plan": "routing",
    "look": "routing",
    "simulate": "routing",
    "reprice": "default",
    "import": "default",
    "learn": "default",
}
"""Task name → queue; a task not named here goes to `default`."""


class _Connection(Connection):
    """kombu's connection, made to outlive a broker that dies while messages are in hand (needed with kombu 5.7.0)."""

    def collect(self, socket_timeout: float | None = None) -> None:
        """Let go of a broken connection, and of what its broker had lent us.

        Giving a message back, or saying it is done, would look for a server by a connection that no longer knows one
        (AttributeError), and end the whole worker. The broker lends such messages again; their tasks then find
        nothing to claim.
        """
        for channel in getattr(self._connection, "channels", None) or ():
            channel.do_restore = False
            channel.basic_ack = channel.basic_reject = _too_late
        super().collect(socket_timeout)

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        """Wait for a broker that is away, asking every two seconds at the slowest (kombu's own pauses grow to 30 s)."""
        return super().ensure_connection(
            *args, **{"interval_start": 0.5, "interval_step": 0.5, "interval_max": 2, **options}
        )


def _too_late(*_: Any, **__: Any) -> None:
    return


def make_celery(redis_url: str) -> Celery:
    """The Celery application on the broker at `redis_url`."""
    assert VISIBILITY_S > TASK_LIMIT_S, "a task must end before the broker gives its message to another worker"
    app = Celery("dispatch", broker=redis_url, set_as_current=False)
    app.amqp.Connection = _Connection
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_time_limit=TASK_LIMIT_S,
        task_soft_time_limit=TASK_LIMIT_S - 60,
        worker_max_tasks_per_child=2000,
        worker_max_memory_per_child=1_500_000,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_soft_shutdown_timeout=5,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        task_serializer="json",
        accept_content=["json"],
        timezone="UTC",
        task_default_queue="default",
        task_routes={name: {"queue": queue} for name, queue in ROUTES.items()},
        broker_transport_options={
            "visibility_timeout": VISIBILITY_S,
            "unacked_restore_interval": 15,
            "unacked_restore_throttle": 1,
            "health_check_interval": 25,
            "socket_timeout": 30,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
        },
    )
    return app


class BrokerAway(Exception):
    """The broker did not take a message; it may take it later."""


def make_sender(redis_url: str) -> Celery:
    """A client that hands messages over or fails within a few seconds, also where the broker hangs."""
    app = make_celery(redis_url)
    # Without a bound on retries the library would wait inside one call for a broker that is away.
    brief = {"socket_timeout": 2, "socket_connect_timeout": 2, "max_retries": 1, "interval_start": 0}
    app.conf.update(broker_pool_limit=1, broker_transport_options={**app.conf.broker_transport_options, **brief})
    return app


def hand_over(sender: Celery, task: str, args: dict[str, Any], task_id: str) -> None:
    """Give one task to the broker. Raises BrokerAway."""
    try:
        sender.send_task(task, kwargs=args, task_id=task_id, retry=False)
    except (OperationalError, redis.RedisError, OSError) as error:
        raise BrokerAway(str(error)) from error


def broker_answers(redis_url: str) -> bool:
    """Whether the broker answers a PING within a second."""
    try:
        client = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except redis.RedisError:
        return False


def broker_depth(redis_url: str) -> dict[str, int]:
    """How many messages wait in each queue; empty where the broker does not answer."""
    try:
        client = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
        try:
            return {name: int(client.llen(name)) for name in ("default", "notify", "routing")}
        finally:
            client.close()
    except redis.RedisError:
        return {}
