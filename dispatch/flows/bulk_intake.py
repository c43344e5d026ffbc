"""Imports over HTTP: the rows of a file taken in as requests, in batches, by a worker.

A batch commits whole: its requests, what became of its rows, and how far the walk has come, all under the lock of the
operation's own row. Whatever dies, another goes on from there. One import is worked on at a time, in spells, so that
plans never wait for two of them and a small file not for a large one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from dispatch.domain.errors import Conflict, DispatchError, invalid
from dispatch.domain.sheet_bodies import ImportRow, read_header
from dispatch.domain.sheets import BadTable, Problem, Row, each_row
from dispatch.flows import notifying, operations
from dispatch.flows.operations import LEASE, Lease
from dispatch.flows.row_intake import Work, lost_row, take_rows

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session, Store
    from dispatch.store.rows import Operation

KIND = "import"
MOST_ROWS = 50_000
BATCH = 50
"""Rows that commit together: so much is done again after a crash, so long a create with one of their keys waits."""
SPELL_S = 120.0
"""After so long the rest is left to a fresh task."""
TRIES = 5
KEPT = timedelta(days=30)
"""Row results, with the rows as they were sent, go after so long; the file itself goes when its import ends."""

log = logging.getLogger(__name__)


class Parts(Protocol):
    """What an import needs of the system it runs in."""

    @property
    def store(self) -> Store:
        """The database."""

    @property
    def places(self) -> Index:
        """The communes."""

    def scene(self, now: datetime) -> Scene:
        """The rules at an instant."""


def ask(
    session: Session,
    scene: Scene,
    *,
    mode: str,
    shop_id: str | None,
    own_shop_id: str | None,
    dry_run: bool,
    content: Iterable[bytes],
    owner: str,
) -> str:
    """Keep a file and queue its import, whose requests count as asked for at `scene.now`; the operation's id.

    `shop_id` holds for rows that name none; `own_shop_id` is the only shop the caller may ask for. Raises `Invalid`
    for a shop that is unknown or another's.
    """
    named = shop_id or own_shop_id
    foreign = own_shop_id is not None and named != own_shop_id
    if named is not None and (foreign or session.network.shop(mode, named) is None):
        raise invalid(
            "/shop_id", "unknown_shop", "Không có Bộ phận Một cửa mang mã này.", "No shop of yours has this id."
        )
    params = {"shop_id": named, "own_shop_id": own_shop_id, "dry_run": dry_run, "now": scene.now.isoformat()}
    operation_id, at = operations.begin(session, mode, KIND, params, owner), session.wall_clock()
    for number, piece in enumerate(content):
        session.imports.add_chunk(operation_id, number, piece, at)
    return operation_id


def is_of(operation: Operation, shop_id: str | None) -> bool:
    """Whether an operation is an import that one shop asked for, with whichever of its keys."""
    return operation.kind == KIND and shop_id is not None and operation.params["own_shop_id"] == shop_id


@dataclass(frozen=True)
class _File:
    """A file that was looked through once: it can be read, and has `total` rows below its header."""

    names: tuple[str, ...]
    total: int
    content: bytes

    @classmethod
    def of(cls, content: bytes) -> _File:
        rows = each_row(content, MOST_ROWS + 1)
        header = next(rows, None)
        if header is None:
            raise BadTable([Problem(0, "tệp trống", "the file is empty")])
        return cls(read_header(header), sum(1 for _ in rows), content)

    def batches(self, after: int, size: int) -> Iterator[list[Row]]:
        """The rows below the header with a number above `after`."""
        rows = each_row(self.content, MOST_ROWS + 1)
        next(rows)
        left = (row for row in rows if row.number > after)
        while batch := list(islice(left, size)):
            yield batch


@dataclass
class _Walk:
    """How far a worker has come with an import."""

    work: Work
    operation: Operation
    file: _File
    reached: int


def run(
    system: Parts, operation_id: str, item_prefix: str, *, batch: int = BATCH, spell_s: float = SPELL_S
) -> str | None:
    """Work at an import: its state afterwards, None where there was nothing to do or it was taken away.

    `queued` says that the time for one task is over and another goes on. A file that cannot be read ends it `failed`.
    """
    with system.store.begin() as session:
        session.lock(KIND)
        at = session.wall_clock()
        if session.past.others_running(KIND, operation_id, at):
            return None  # it stays queued, and the clock queues it again
        operation = session.planning.claim_operation(operation_id, at, at + LEASE)
        content = session.imports.content(operation_id) if operation is not None else b""
    if operation is None:
        return None
    work = Work.of(operation, system.scene(datetime.fromisoformat(operation.params["now"])), system.places, item_prefix)
    try:
        with Lease(system.store, operation) as lease:  # a large workbook takes a while to read
            lease.goes_on(operation.progress, operation.progress, 0)
            file = _File.of(content)
    except BadTable as error:
        return _fail(system, work, operation, error)
    walk = _Walk(work, operation, file, operation.params.get("reached", 0))
    began = time.monotonic()
    for rows in file.batches(walk.reached, batch):
        state = _advance(system, walk, rows)
        if state != "running":
            return state
        if time.monotonic() - began > spell_s:
            return _give_back(system, operation)
    return _finish(system, walk)


def _advance(system: Parts, walk: _Walk, rows: list[Row]) -> str | None:
    """Take rows in together; where that fails for no reason that anybody knows, one by one.

    A row that fails even alone is told as `internal_error`, so that it holds up no other.
    """
    try:
        return _persist(system, walk, rows, lost=False)
    except DispatchError:
        raise
    except Exception:
        log.exception("rows %s to %s of %s failed", rows[0].number, rows[-1].number, walk.operation.id)
    if len(rows) == 1:
        return _persist(system, walk, rows, lost=True)
    for row in rows:
        state = _advance(system, walk, [row])
        if state != "running":
            return state
    return "running"


def _persist(system: Parts, walk: _Walk, rows: list[Row], *, lost: bool) -> str | None:
    """Take rows in, again while others hold the same rows of the database."""
    tries = 0
    while True:
        try:
            return _take(system, walk, rows, lost=lost)
        except DispatchError as error:
            tries += 1
            if error.permanent or tries == TRIES:
                raise


def _take(system: Parts, walk: _Walk, rows: list[Row], *, lost: bool) -> str | None:
    """One batch in one transaction: `running`, `cancelled`, or None where the import is another's or has ended."""
    operation = walk.operation
    with system.store.begin() as session:
        at = session.wall_clock()
        # The row is held from here to the commit: two workers take turns, and the second sees what the first has done.
        held = session.planning.operation(operation.mode, operation.id, lock=True)
        if held is None or held.status != "running" or held.params.get("reached", 0) != walk.reached:
            return None
        if held.lease_until is None or held.lease_until < at:
            return None
        if held.stop_asked_at is not None:
            end(session, held, "cancelled", _now(session, walk.work))
            return "cancelled"
        taken = [lost_row(row) for row in rows] if lost else take_rows(session, walk.work, walk.file.names, rows)
        session.imports.add_rows(operation.id, taken, at)
        if not walk.work.dry_run:
            session.imports.note_prints(operation.mode, [row for row in taken if row.status == "created"], at)
        result = _added(held.result or _nothing(walk.work, walk.file.total), taken)
        params = {**held.params, "reached": rows[-1].number, "columns": list(walk.file.names)}
        share = min(0.99, result["done"] / max(1, walk.file.total))
        until = session.wall_clock() + LEASE
        session.planning.renew_operation(operation.id, at, until, share, params=params, result=result)
    walk.reached = rows[-1].number
    return "running"


def _nothing(work: Work, count: int) -> dict[str, Any]:
    none = dict.fromkeys(("done", "created", "duplicate", "error", "postage_total", "payable_by_citizen"), 0)
    return {"dry_run": work.dry_run, "total": count, **none}


def _added(before: dict[str, Any], taken: Sequence[ImportRow]) -> dict[str, Any]:
    """The operation's result with one batch added to it."""
    after = {**before, "done": before["done"] + len(taken)}
    for row in taken:
        after[row.status] += 1
        if row.status == "created":
            after["postage_total"] += row.told["postage_total"]
            after["payable_by_citizen"] += row.told["payable_by_citizen"]
    return after


def _give_back(system: Parts, operation: Operation) -> str | None:
    """Leave the rest to a fresh task: a lease that has run out is the clock's sign to queue it again."""
    with system.store.begin() as session:
        at = session.wall_clock()
        held = session.planning.operation(operation.mode, operation.id, lock=True)
        share = 0.0 if held is None else held.progress
        ours = session.planning.renew_operation(operation.id, at, at, share)
    return "queued" if ours else None


def _finish(system: Parts, walk: _Walk) -> str | None:
    with system.store.begin() as session:
        held = session.planning.operation(walk.operation.mode, walk.operation.id, lock=True)
        if held is None or held.status != "running" or held.params.get("reached", 0) != walk.reached:
            return None
        result = held.result or _nothing(walk.work, walk.file.total)
        end(session, held, "succeeded", _now(session, walk.work), progress=1.0, result=result)
    return "succeeded"


def _fail(system: Parts, work: Work, operation: Operation, error: BadTable) -> str | None:
    """End an import whose file cannot be read, with what to do about it."""
    told = error.problems[:5]
    message = {
        "vi": "; ".join(f"dòng {one.line}: {one.vi}" if one.line else one.vi for one in told),
        "en": "; ".join(f"line {one.line}: {one.en}" if one.line else one.en for one in told),
    }
    with system.store.begin() as session:
        bad = {"code": "unreadable_table", "message": message}
        ended = end(session, operation, "failed", _now(session, work), error=bad)
    return "failed" if ended else None


def _now(session: Session, work: Work) -> datetime:
    """When something about the import as a whole happens: now, in the test world the instant of the call."""
    return session.wall_clock() if work.mode == "live" else work.scene.now


def end(session: Session, operation: Operation, status: str, now: datetime, **values: Any) -> bool:
    """Write how an import ended, let its file go, and tell each shop it had rows of; False where it had ended."""
    if not session.planning.end_operation(operation.id, session.wall_clock(), status, **values):
        return False
    session.imports.drop_file(operation.id)
    counts = session.imports.counts(operation.id)
    if not counts:
        counts = {operation.params["shop_id"]: {}}
    for shop_id in sorted(name for name in counts if name is not None):
        if session.network.shop(operation.mode, shop_id) is None:
            continue
        notifying.publish(
            session,
            mode=operation.mode,
            shop_id=shop_id,
            type="import.finished",
            request_id=None,
            occurred_at=now,
            now=now,
            data={
                "id": operation.id,
                "status": status,
                "dry_run": operation.params["dry_run"],
                "counts": {"created": 0, "duplicate": 0, "error": 0, **counts[shop_id]},
                "operation_url": f"/v1/operations/{operation.id}",
                "result_url": f"/v1/imports/{operation.id}/result",
            },
        )
    return True


def cancel(session: Session, operation: Operation, now: datetime) -> None:
    """Stop an import: a worker that has it ends after the batch in hand; what was taken in stays.

    Raises `Conflict` where it has ended.
    """
    if session.planning.ask_to_stop(operation.id, session.wall_clock()):
        return
    if not end(session, operation, "cancelled", now):
        raise Conflict(code="operation_ended", vi="Tác vụ này đã kết thúc.", en="This operation has ended already.")
