"""Imports: files that wait, what became of their rows, and the fingerprints of rows taken in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatch.domain.sheet_bodies import ImportRow, Key
from dispatch.store import tables as t
from dispatch.store.rows import record


class Imports:
    """Files, rows and fingerprints of imports."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    # the file
    def add_chunk(self, operation_id: str, number: int, content: bytes, at: datetime) -> None:
        """Keep the next piece of a file."""
        row = {"operation_id": operation_id, "number": number, "content": content, "created_at": at}
        self._c.execute(insert(t.import_chunks).values(**row))

    def content(self, operation_id: str) -> bytes:
        """The whole file."""
        c = t.import_chunks.c
        rows = self._c.execute(select(c.content).where(c.operation_id == operation_id).order_by(c.number))
        return b"".join(row.content for row in rows)

    def drop_file(self, operation_id: str) -> None:
        """Let go of a file that is done with."""
        self._c.execute(delete(t.import_chunks).where(t.import_chunks.c.operation_id == operation_id))

    # its rows
    def add_rows(self, operation_id: str, rows: Iterable[ImportRow], at: datetime) -> None:
        """Keep what became of rows."""
        values = [{"operation_id": operation_id, "created_at": at, **asdict(row)} for row in rows]
        if values:
            self._c.execute(insert(t.import_rows), values)

    def rows(self, operation_id: str) -> list[ImportRow]:
        """What became of every row so far, in the order of the file."""
        c = t.import_rows.c
        rows = self._c.execute(select(t.import_rows).where(c.operation_id == operation_id).order_by(c.row))
        return [record(ImportRow, row) for row in rows]

    def created_before(self, operation_id: str, keys: Collection[Key]) -> dict[Key, tuple[int, str]]:
        """(row, fingerprint) of the rows of this import counted as created, by shop and natural key."""
        c = t.import_rows.c
        query = select(c.shop_id, c.reference, c.row, c.print).where(
            c.operation_id == operation_id, c.status == "created", tuple_(c.shop_id, c.reference).in_(keys)
        )
        if not keys:
            return {}
        return {(row.shop_id, row.reference): (row.row, row.print) for row in self._c.execute(query)}

    def counts(self, operation_id: str) -> dict[str | None, dict[str, int]]:
        """How many rows of each shop ended how; None is the shop of rows that name no known one."""
        c = t.import_rows.c
        query = select(c.shop_id, c.status, func.count()).where(c.operation_id == operation_id)
        found: dict[str | None, dict[str, int]] = {}
        for shop_id, status, count in self._c.execute(query.group_by(c.shop_id, c.status)):
            found.setdefault(shop_id, {})[status] = count
        return found

    # fingerprints
    def known(self, mode: str, prints: Collection[Key]) -> dict[Key, str]:
        """The requests made of rows with these (shop, fingerprint)."""
        c = t.import_prints.c
        query = select(c.shop_id, c.print, c.request_id).where(c.mode == mode, tuple_(c.shop_id, c.print).in_(prints))
        return {(row.shop_id, row.print): row.request_id for row in self._c.execute(query)} if prints else {}

    def note_prints(self, mode: str, made: Iterable[ImportRow], at: datetime) -> None:
        """Remember the rows that requests were made of."""
        values = [
            {"mode": mode, "shop_id": row.shop_id, "print": row.print, "request_id": row.request_id, "created_at": at}
            for row in made
        ]
        if values:
            self._c.execute(upsert(t.import_prints).on_conflict_do_nothing(), values)

    def forget(self, before: datetime) -> None:
        """Drop files and rows that came before an instant; requests and fingerprints stay."""
        self._c.execute(delete(t.import_rows).where(t.import_rows.c.created_at < before))
        self._c.execute(delete(t.import_chunks).where(t.import_chunks.c.created_at < before))
