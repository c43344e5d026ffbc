"""How a system comes to life: settings in, a `System` of ready parts out; migrations, first keys and users."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from dispatch.schema import MIGRATIONS, newest_version, version_of
from dispatch.settings import ROADS, Settings
from dispatch.store import Store, open_store
from dispatch.store.rows import Key

if TYPE_CHECKING:
    from celery import Celery

    from dispatch.domain.addresses import Index
    from dispatch.domain.rules import PolicyBook
    from dispatch.flows.importing import Taken
    from dispatch.flows.recording import Scene
    from dispatch.live.erring import Errors
    from routing.travel import TravelModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class System:
    """The parts every process is built from."""

    settings: Settings
    store: Store

    @cached_property
    def book(self) -> PolicyBook:
        """The rules of all provinces, read once."""
        from dispatch import policies

        return policies.load()

    @cached_property
    def places(self) -> Index:
        """The communes of both eras with their names, read once; `places.gazetteer` finds them by code.

        What `import communes` brought stands in place of the packaged map; a running process sees it when it starts
        anew. Raises `Unavailable` where the database does not answer.
        """
        from dispatch.store import gazetteer

        # Over a connection of its own: what forks later (gunicorn) must not inherit one that is in use.
        store = open_store(self.settings.database_url, connections=1)
        try:
            with store.begin() as session:
                imported = session.units.imported()
        finally:
            store.close()
        return gazetteer.index_with(*imported) if any(imported) else gazetteer.index()

    @cached_property
    def travel(self) -> TravelModel:
        """How couriers ride: on the roads that `import roads` brought, else by distance and terrain.

        A running process sees new roads when it starts anew. Roads that cannot be read are as if there were none.
        """
        from routing import RoutingError
        from routing.travel.geodesic import TerrainTravel

        by_terrain, file = TerrainTravel(), self.settings.data_dir / ROADS
        if not file.is_file():
            return by_terrain
        from routing.travel.roads import RoadGraph, RoadTravel

        try:
            roads = RoadTravel(RoadGraph.load(file), by_terrain)
        except RoutingError:
            log.exception("the imported roads cannot be read, rides are estimated: %s", file)
            return by_terrain
        roads.prepare()
        return roads

    @cached_property
    def errors(self) -> Errors:
        """How far real rides and services are from what is reckoned: what forecasts are made with."""
        from dispatch.live.erring import Prior

        return Prior()

    def warm(self) -> None:
        """Read rules, places and roads now (a second or more), so that no caller waits for it with rows locked."""
        _ = self.book, self.places, self.travel

    def scene(self, now: datetime) -> Scene:
        """What the flows need at an instant: the rules, the instant, the address links begin with."""
        from dispatch.flows.recording import Scene

        return Scene(self.book, now, self.public_url)

    @cached_property
    def queue(self) -> Celery:
        """The queue's client."""
        from dispatch.queue import make_celery

        return make_celery(self.settings.redis_url)

    @property
    def public_url(self) -> str:
        """The address that links on papers and in answers begin with."""
        return self.settings.address


def open_system(settings: Settings, *, connections: int = 20) -> System:
    """The system on the servers that `settings` name."""
    return System(settings, open_store(settings.database_url, connections=connections))


def hasher() -> PasswordHasher:
    """How passwords and PINs are kept: argon2id with 19 MiB and 2 passes, the OWASP minimum."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def password_fits(password_hash: str, password: str) -> bool:
    """Whether a password or PIN is the one that was kept."""
    try:
        return hasher().verify(password_hash, password)
    except VerificationError:
        return False


def secret_hash(secret: str) -> str:
    """How a key is kept: SHA-256; keys carry at least 128 random bits of their own."""
    return hashlib.sha256(secret.encode()).hexdigest()


def upgrade(database_url: str) -> None:
    """Bring the schema to the newest version; safe to run from several processes at once."""
    if version_of(database_url) == newest_version():
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["database_url"] = database_url
    command.upgrade(config, "head")


def migrate(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Upgrade the schema, then see to the bootstrap key and the first operator.

    Says `FIRST_OPERATOR name password` where it made the first sign-in with a password of its own.
    """
    for attempt in range(30):
        if _reachable(settings.database_url):
            break
        time.sleep(min(2.0, 0.1 * (attempt + 1)))
    upgrade(settings.database_url)
    store = open_store(settings.database_url, connections=2)
    try:
        with store.begin() as session:
            now = session.wall_clock()
            if settings.bootstrap_key:
                mode = "test" if settings.bootstrap_key.startswith("test_") else settings.mode
                key = Key(session.new_id("key"), mode, "operator", None, None, "bootstrap", None, None, None)
                session.access.add_key(key, secret_hash(settings.bootstrap_key), now)
            if settings.bootstrap_user:
                name, _, password = settings.bootstrap_user.partition(":")
                session.access.put_user(session.new_id("usr"), name, hasher().hash(password), "supervisor", now)
            elif session.access.count_users() == 0:
                password = secrets.token_urlsafe(9)
                session.access.put_user(session.new_id("usr"), "dieuphoi", hasher().hash(password), "supervisor", now)
                say(f"FIRST_OPERATOR dieuphoi {password}")
    finally:
        store.close()


def _reachable(database_url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(database_url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def mint_key(settings: Settings, scope: str, mode: str, shop_id: str | None = None) -> str:
    """Make a key and return its secret, which is kept nowhere."""
    secret = new_secret(mode)
    store = open_store(settings.database_url, connections=1)
    try:
        with store.begin() as session:
            key = Key(session.new_id("key"), mode, scope, shop_id, None, secret[:9] + "…", None, None, None)
            session.access.add_key(key, secret_hash(secret), session.wall_clock())
    finally:
        store.close()
    return secret


def new_secret(mode: str) -> str:
    """A fresh key: `test_…` or `live_…` with 192 random bits."""
    return f"{mode}_{secrets.token_urlsafe(24)}"


def set_user(settings: Settings, name: str, password: str | None) -> str:
    """Create a board user or change the password of one; returns the password now in force."""
    chosen = password or secrets.token_urlsafe(9)
    store = open_store(settings.database_url, connections=1)
    try:
        with store.begin() as session:
            kept = hasher().hash(chosen)
            if not session.access.set_password(name, kept):
                session.access.put_user(session.new_id("usr"), name, kept, "supervisor", session.wall_clock())
    finally:
        store.close()
    return chosen


def beat(store: Store, name: str, detail: dict[str, object] | None = None) -> None:
    """Say that this process lives."""
    with store.begin() as session:
        session.access.beat(name, datetime.now(UTC), {"pid": os.getpid(), **(detail or {})})


def take_in(settings: Settings, what: str, content: bytes, source: str, mode: str) -> Taken:
    """Import a table of `communes`, `shops` or `couriers` whole; raises `BadTable`, and then it took nothing."""
    from dispatch.flows import importing
    from dispatch.store import gazetteer

    store = open_store(settings.database_url, connections=1)
    try:
        with store.begin() as session:
            now = session.wall_clock()
            if what == "communes":
                return importing.import_communes(session, gazetteer.load(), content, source)
            if what == "shops":
                return importing.import_shops(session, gazetteer.load(), content, mode, now)
            return importing.import_couriers(session, content, mode, now, hasher().hash)
    finally:
        store.close()


def allow_receiver(settings: Settings, host: str, port: int, reason: str, hours: float) -> None:
    """Let webhooks go to one private address for so many hours: the machine owner's own word, not an API's."""
    store = open_store(settings.database_url, connections=1)
    try:
        with store.begin() as session:
            session.notices.allow_receiver(host, port, reason, session.wall_clock() + timedelta(hours=hours))
    finally:
        store.close()


def latest_test_instant(settings: Settings) -> datetime | None:
    """The latest instant the test world has been at, None where it was never given one."""
    store = open_store(settings.database_url, connections=1)
    try:
        with store.begin() as session:
            return session.access.latest_test_instant()
    finally:
        store.close()
