"""The part of the system that tells others, as real processes: a Valkey of its own, relay, worker and clock."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import insert, text, update

from dispatch.channels.webhook import new_secret
from dispatch.embedded.place import server_user
from dispatch.embedded.ports import free_port
from dispatch.embedded.process import Child, Program
from dispatch.embedded.programs import Programs
from dispatch.embedded.valkey import Valkey, ask
from dispatch.flows import notifying
from dispatch.settings import CHECKOUT
from dispatch.store import open_store
from dispatch.store import tables as t
from tests.embedded.waiting import descendants, eventually

SHOP = "nha-trang"


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


class Machine:
    """Processes by name (`relay`, `worker`, `clock`, `relay-2`): `start`, `kill`, `stop` them, and look at the rows."""

    def __init__(self, database_url: str, ground: Path, programs: Programs) -> None:
        self.ground = ground
        self.store = open_store(database_url, connections=4)
        place = ground / f"faults-{secrets.token_hex(4)}"
        self.valkey = Valkey(
            *(programs, place, free_port(), secrets.token_hex(8), server_user()), log=ground / "faults-valkey.log"
        )
        self.valkey.prepare()
        self.broker = self.valkey.start()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")},
            "DISPATCH_DATABASE_URL": database_url,
            "DISPATCH_REDIS_URL": self.valkey.url,
            "DISPATCH_WEBHOOK_ALLOW": "127.0.0.0/8",
            "PYTHONUNBUFFERED": "1",
        }
        self.children: dict[str, Child] = {}
        with self.store.begin() as session:
            now = datetime.now(UTC)
            row = {
                "name": SHOP,
                "province_code": "56",
                "commune_code": "22363",
                "era": "2020",
                "lat": 12.2,
                "lng": 109.2,
            }
            more = {
                "level": "COMMUNE",
                "hours_profile": "OSS-DEFAULT",
                "rooms": [],
                "created_at": now,
                "updated_at": now,
            }
            session.connection.execute(insert(t.shops).values(mode="test", id=SHOP, **row, **more))

    # processes
    def start(self, *names: str) -> None:
        """Start processes and wait until each itself was heard of."""
        for name in names:
            kind = name.partition("-")[0]
            self.children[name] = Child(
                Program(
                    name,
                    (sys.executable, "-m", "dispatch", kind),
                    self.environment,
                    directory=CHECKOUT,
                    log=self.ground / f"faults-{name}.log",
                    stop_s=25,
                )
            )
            self.children[name].start()
        for name in names:
            eventually(lambda name=name: self.beats(name), 90)  # type: ignore[misc]

    def beats(self, name: str) -> bool:
        """Whether the last sign of life of its kind came from this process."""
        return self.heartbeat(name.partition("-")[0])[1].get("pid") == self.children[name].pid

    def heard(self, kind: str, since: datetime) -> bool:
        """Whether a process of this kind has beaten since an instant."""
        at = self.heartbeat(kind)[0]
        return at is not None and at > since

    def heartbeat(self, kind: str) -> tuple[datetime | None, dict[str, Any]]:
        with self.store.begin() as session:
            return session.access.heartbeats().get(kind, (None, {}))

    def kill(self, name: str) -> None:
        """kill -9 of that one process; what it started is left to notice by itself."""
        os.kill(self.children[name].pid, signal.SIGKILL)
        eventually(lambda: not self.children[name].alive, 5)

    def stop(self, name: str) -> int:
        return self.children.pop(name).stop()

    def nodes(self) -> dict[str, int]:
        """The pids of the worker's nodes, by name."""
        found = {}
        for pid in descendants(self.children["worker"].pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"dispatch.worker.node" in words and parent_of(pid) == self.children["worker"].pid:
                found[words[words.index(b"dispatch.worker.node") + 1].decode()] = pid
        return found

    def kill_broker(self) -> None:
        os.kill(self.broker.pid, signal.SIGKILL)
        self.broker.clear_away()

    def start_broker(self) -> None:
        self.broker = self.valkey.start()

    def close(self) -> None:
        for name in list(self.children):
            self.children[name].ask_to_stop()
        for name in list(self.children):
            self.stop(name)
        self.broker.stop()
        self.store.close()

    # rows
    def hook(self, url: str, secret: str | None = None) -> str:
        """Register a webhook for everything."""
        now = datetime.now(UTC)
        with self.store.begin() as session:
            hook_id = session.new_id("whk")
            session.notices.add_webhook(
                id=hook_id,
                mode="test",
                shop_id=SHOP,
                url=url,
                types=["*"],
                secret=secret or new_secret(),
                active=True,
                created_at=now,
                updated_at=now,
            )
        return hook_id

    def drop_hooks(self) -> None:
        with self.store.begin() as session:
            for hook in session.notices.webhooks("test", SHOP):
                session.notices.drop_webhook(hook.id)

    def publish(self, count: int) -> set[str]:
        """So many events, each in a transaction of its own, as requests are; their ids."""
        told = set()
        for number in range(count):
            with self.store.begin() as session:
                now = datetime.now(UTC)
                told.add(
                    notifying.publish(
                        session,
                        mode="test",
                        shop_id=SHOP,
                        type="request.created",
                        request_id=None,
                        occurred_at=now,
                        now=now,
                        data={"number": number, "name": "Điều Tin"},
                    )
                )
        return told

    def deliveries(self, hook_id: str) -> list[Any]:
        with self.store.begin() as session:
            return session.notices.deliveries(hook_id, 10_000)

    def all_sent(self, hook_id: str) -> bool:
        return all(row.state == "sent" for row in self.deliveries(hook_id))

    def age_queued(self, by: timedelta) -> None:
        """Make it look as if what is queued had been queued so much earlier."""
        with self.store.begin() as session:
            session.connection.execute(update(t.deliveries).values(queued_at=t.deliveries.c.queued_at - by))

    def queued(self) -> int:
        """How many messages wait in the queue of webhooks."""
        return int(str(ask(self.valkey.url, "LLEN", "notify")))

    def drop_connections(self) -> int:
        """End every connection to the database but our own, as a restart of the server would; how many."""
        with self.store.begin() as session:
            found = session.connection.execute(
                text(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()"
                )
            )
            return int(found.scalar_one())

    def idle(self) -> bool:
        """Whether nothing waits in the outbox."""
        with self.store.begin() as session:
            return session.notices.backlog()[0] == 0


@contextmanager
def machine_on(postgres: Callable[[str], str], template: str, ground: Path, programs: Programs) -> Iterator[Machine]:
    """Relay, clock and worker on a database of their own, which goes with them."""
    name = f"test_faults_{secrets.token_hex(4)}"
    with psycopg.connect(postgres("postgres"), autocommit=True) as admin:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        admin.execute(made.format(sql.Identifier(name), sql.Identifier(template)))
        machine = Machine(postgres(name), ground, programs)
        try:
            machine.start("relay", "clock", "worker")
            yield machine
        finally:
            machine.close()
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
