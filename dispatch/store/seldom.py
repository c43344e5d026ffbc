"""What changes seldom is read once: a process keeps the network as it read it until the database names another version.

Shops, offices, calendars, shifts, overrides, communes and webhooks are asked for by every request and changed now and
then. Triggers move one number with every change of them; a transaction reads the number first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy import Connection, ScalarSelect, select

from dispatch.store import tables as t

MOST = 20_000
"""Answers that are kept; then all are forgotten: the least that is right."""

Found = TypeVar("Found")


class Kept:
    """What one process has read of one version of the network."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version: int | None = None
        self._found: dict[Hashable, Any] = {}

    def of(self, version: int) -> dict[Hashable, Any]:
        """The answers of a version; those of another one are forgotten."""
        with self._lock:
            if version != self._version or len(self._found) >= MOST:
                self._version, self._found = version, {}
            return self._found


class Serials:
    """Numbers of a sequence taken some at a time; what a process has not used when it ends is never used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[int]] = {}

    def next(self, name: str, count: int, more: Callable[[], list[int]]) -> list[int]:
        """The next `count` numbers; `more` takes some from the database where too few are left."""
        with self._lock:
            waiting = self._waiting.setdefault(name, [])
            if len(waiting) < count:
                waiting += more()
            taken, self._waiting[name] = waiting[:count], waiting[count:]
            return taken


class Seldom:
    """The network of one transaction: as this process knows it, until the transaction itself changes it."""

    def __init__(self, connection: Connection, kept: Kept) -> None:
        self._c = connection
        self._kept = kept
        self._found: dict[Hashable, Any] | None = None
        self._own = False

    @staticmethod
    def version() -> ScalarSelect[int]:
        """The version as a column of whatever is read first; `begin` takes it."""
        return select(t.network_version.c.version).scalar_subquery()

    def begin(self, version: int | None) -> None:
        """Go by this version, which was read before anything else; None where there is none: nothing is kept."""
        if self._found is None and version is not None:
            self._found = self._kept.of(version)

    def changed(self) -> None:
        """From here on this transaction reads what it has changed itself, which nobody else sees yet."""
        self._own = True

    def read(self, what: Hashable, load: Callable[[], Found]) -> Found:
        """The answer to `what`, loaded where it is not known; nobody may change it."""
        if self._found is None and not self._own:
            self.begin(self._c.execute(select(self.version())).scalar())
        if self._found is None or self._own:
            return load()
        found = self._found
        if what not in found:
            found[what] = load()
        answer: Found = found[what]
        return answer
