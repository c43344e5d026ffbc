"""One transaction with the database, and the aggregates one may reach through it."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from dispatch.domain.errors import Conflict, Unavailable
from dispatch.store.access import Access
from dispatch.store.consignments import Consignments
from dispatch.store.forecasts import Forecasts
from dispatch.store.imports import Imports
from dispatch.store.intake import Intake
from dispatch.store.learning import Learning
from dispatch.store.marks import Marks
from dispatch.store.money import Money
from dispatch.store.network import Network
from dispatch.store.notices import Notices
from dispatch.store.past import Past
from dispatch.store.planning import Planning
from dispatch.store.queries import Queries
from dispatch.store.receivers import Receivers
from dispatch.store.reporting import Reporting
from dispatch.store.seldom import Kept, Seldom, Serials
from dispatch.store.sites import Sites
from dispatch.store.stirred import Stirred
from dispatch.store.undos import Undos
from dispatch.store.units import Units

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: sorts like the number it writes, no letters that look alike."""

_BUSY = {"40P01", "40001", "55P03"}
"""SQLSTATE of a deadlock, a serialization failure, a lock that was not granted in time."""

IDLE_S = 5.0
"""A connection that lay idle for longer is asked whether it still works before it is used."""


class Session:
    """The aggregates inside one transaction; nothing is seen by others before the transaction commits."""

    def __init__(self, connection: Connection, kept: Kept, serials: Serials) -> None:
        self.connection = connection
        self.stirred = Stirred()
        seldom = Seldom(connection, kept)
        self.access = Access(connection, seldom)
        self.network = Network(connection, self.stirred, seldom)
        self.consignments = Consignments(connection, self.stirred, serials)
        self.intake = Intake(connection)
        self.marks = Marks(connection)
        self.notices = Notices(connection, seldom)
        self.receivers = Receivers(connection)
        self.planning = Planning(connection, self.stirred)
        self.forecasts = Forecasts(connection)
        self.past = Past(connection)
        self.learning = Learning(connection)
        self.queries = Queries(connection)
        self.money = Money(connection)
        self.sites = Sites(connection, seldom)
        self.units = Units(connection)
        self.reporting = Reporting(connection)
        self.undos = Undos(connection)
        self.imports = Imports(connection)

    @contextmanager
    def apart(self, *, patience_ms: int | None = None) -> Iterator[None]:
        """A part of the transaction that may fail alone: an error takes back only what it did, and is raised.

        With `patience_ms` it waits for no lock any longer, so that it gives way before the database breaks a deadlock.
        """
        with self.connection.begin_nested():
            if patience_ms is None:
                yield
                return
            change = text("select current_setting('lock_timeout'), set_config('lock_timeout', :wait, true)")
            usual = self.connection.execute(change, {"wait": str(patience_ms)}).one()[0]
            yield
            self.connection.execute(change, {"wait": usual})

    def leave(self) -> None:
        """Commit and give the connection back before the end of the block; the session is of no more use."""
        if self.connection.closed:
            return
        transaction = self.connection.get_transaction()
        if transaction is not None:
            transaction.commit()
        self.connection.close()

    @property
    def is_broken(self) -> bool:
        """Whether an error of the database has ended the transaction: nothing more can be done in it."""
        driven: psycopg.Connection[Any] = self.connection.connection.driver_connection  # type: ignore[assignment]
        return driven.info.transaction_status not in (TransactionStatus.INTRANS, TransactionStatus.ACTIVE)

    def new_id(self, prefix: str) -> str:
        """A fresh id such as `req_01…`: sortable by the moment it was made, 80 random bits."""
        value = (int(time.time() * 1000) << 80) | secrets.randbits(80)
        digits = [_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5)]
        return f"{prefix}_{''.join(digits)}"

    def new_token(self) -> str:
        """An unguessable token for a link: 96 random bits."""
        return secrets.token_urlsafe(12)

    def wall_clock(self) -> datetime:
        """The database's own instant, the one clock that all processes share."""
        moment: datetime = self.connection.execute(text("select clock_timestamp()")).scalar_one()
        return moment

    def lock(self, name: str) -> None:
        """Take the advisory lock `name` until the transaction ends, waiting for it."""
        self.connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})

    def try_lock(self, name: str) -> bool:
        """Take the advisory lock `name` until the transaction ends; False where another holds it."""
        got: bool = self.connection.execute(
            text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
        ).scalar_one()
        return got


class Store:
    """The database: hands out transactions."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._kept, self._serials = Kept(), Serials()

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction: commits at the end of the block, rolls back on any error.

        Raises `Unavailable` (`database_unavailable`) where the server does not answer.
        """
        try:
            with self.engine.begin() as connection:
                session = Session(connection, self._kept, self._serials)
                yield session
                if session.stirred:
                    session.forecasts.leave(session.stirred, session.wall_clock())
        except IntegrityError as error:
            raise Conflict(
                code="concurrent_change",
                vi="Vừa có thay đổi khác trùng với thay đổi này; xin thử lại.",
                en="Another change was made at the same moment; try again.",
                permanent=False,
            ) from error
        except PoolTimeout as error:
            raise _busy() from error
        except (OperationalError, InterfaceError) as error:
            if getattr(error.orig, "sqlstate", None) in _BUSY:
                raise _busy() from error
            if error.connection_invalidated or not _answers(self.engine):
                raise Unavailable(
                    code="database_unavailable",
                    vi="Cơ sở dữ liệu tạm thời không trả lời; xin thử lại.",
                    en="The database does not answer at the moment; try again.",
                    permanent=False,
                ) from error
            raise

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


def _busy() -> Unavailable:
    return Unavailable(
        code="busy",
        vi="Đang có thay đổi khác trên cùng hồ sơ; xin thử lại.",
        en="Others are changing the same rows at this moment; try again.",
        permanent=False,
    )


def _answers(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            connection.execute(text("select 1"))
    except (OperationalError, InterfaceError):
        return False
    return True


def driver_url(url: str) -> str:
    """The same address with the driver named, as SQLAlchemy wants it."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url[len(scheme) :]
    return url


def open_store(database_url: str, *, connections: int = 20) -> Store:
    """A `Store` on `database_url`, with at most `connections` + 10 connections."""
    engine = create_engine(
        driver_url(database_url),
        pool_size=connections,
        max_overflow=10,
        pool_timeout=10,
        isolation_level="READ COMMITTED",
        json_serializer=lambda value: to_json(value).decode(),
        json_deserializer=from_json,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=8s -c statement_timeout=60s"},
    )
    _ask_the_idle(engine)
    return Store(engine)


def _ask_the_idle(engine: Engine) -> None:
    """Ask a connection that lay idle whether it still works; one that was just in use is believed."""

    @event.listens_for(engine, "checkin")
    def given_back(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def taken(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        if time.monotonic() - entry.info.get("idle_since", -math.inf) < IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            raise DisconnectionError("the connection was closed while it lay idle") from error
