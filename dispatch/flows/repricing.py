"""Find charges that a rule recorded later changes, and correct them: adjustments are added, lines stay as they were.

The walk goes page by page over the charged legs of a province. Each page commits whole, with the place it reached and
what it found, under the lock of the operation's own row: whatever dies, another goes on from there, and a leg that was
corrected asks for nothing more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import TYPE_CHECKING, Any

from dispatch.domain import charging
from dispatch.domain.errors import DispatchError, invalid
from dispatch.domain.outward import request_json
from dispatch.domain.text import LOCAL
from dispatch.flows import notifying, operations
from dispatch.flows.ruling import shop_book

if TYPE_CHECKING:
    from dispatch.domain.rules import PolicyBook
    from dispatch.flows.recording import Scene
    from dispatch.flows.surveying import Parts
    from dispatch.store import Session
    from dispatch.store.money import Place
    from dispatch.store.rows import Operation, Request

KIND = "reprice"
PAGE = 1500
LEASE = timedelta(seconds=60)
"""Far more than a page takes; a worker that died is replaced after so long."""
SPELL_S = 600.0
"""After so long the rest is left to a fresh task: a task has a time limit of its own."""
TRIES = 5
LISTED = 1000
"""So many adjustments stand in the result one by one; `count` and `amount` tell of all."""


def ask(
    session: Session,
    scene: Scene,
    *,
    mode: str,
    province_code: str,
    since: date,
    until: date,
    dry_run: bool,
    owner: str,
) -> str:
    """Begin a repricing of what a province's post offices charged from `since` to `until` (local dates, inclusive).

    The rules known at `scene.now` decide. Returns the operation's id; raises `Invalid` for a range that is reversed.
    """
    if until < since:
        raise invalid("/to", "validation_failed", "Ngày cuối trước ngày đầu.", "The range ends before it begins.")
    params = {
        "province_code": province_code,
        "from": since.isoformat(),
        "to": until.isoformat(),
        "dry_run": dry_run,
        "known_at": scene.now.isoformat(),
    }
    return operations.begin(session, mode, KIND, params, owner)


@dataclass(frozen=True)
class _Wish:
    """What an operation asks for, read from its parameters; `until` is exclusive."""

    operation: Operation
    province_code: str
    since: datetime
    until: datetime
    dry_run: bool
    known_at: datetime

    @classmethod
    def of(cls, operation: Operation) -> _Wish:
        params = operation.params
        return cls(
            operation=operation,
            province_code=params["province_code"],
            since=_midnight(date.fromisoformat(params["from"])),
            until=_midnight(date.fromisoformat(params["to"]) + timedelta(days=1)),
            dry_run=bool(params["dry_run"]),
            known_at=datetime.fromisoformat(params["known_at"]),
        )

    @property
    def reached(self) -> Place | None:
        """How far the walk has come."""
        place = self.operation.params.get("reached")
        return None if place is None else (datetime.fromisoformat(place[0]), place[1], place[2])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, clock_time(), LOCAL)


_Books = dict[str, "PolicyBook"]
"""The rules of each shop, read once for a task."""


@dataclass
class _Change:
    """A request as a page leaves it, and the corrections of its legs that were found."""

    request: Request
    found: list[dict[str, Any]]


def run(system: Parts, operation_id: str, *, page: int = PAGE, spell_s: float = SPELL_S) -> str | None:
    """Work at a repricing: its state afterwards, None where there was nothing to do or it was taken away.

    `queued` says that the time for one task is over and another goes on. An error that will not pass ends the
    operation as `failed`; a worker that dies leaves it to the next, who goes on where the last page ended.
    """
    with system.store.begin() as session:
        at = session.wall_clock()
        operation = session.planning.claim_operation(operation_id, at, at + LEASE)
    if operation is None:
        return None
    began, tries = time.monotonic(), 0
    books: _Books = {}
    while time.monotonic() - began < spell_s:
        try:
            state = _turn_page(system, operation, page, books)
        except DispatchError as error:
            tries += 1
            if not error.permanent and tries < TRIES:
                continue  # others hold the same rows at this moment
            if not error.permanent:
                raise
            return _fail(system, operation_id, error.code, error.vi, error.en)
        except Exception:
            _fail(system, operation_id, "internal_error", "Lỗi bên trong khi tính lại cước.", "An inner error.")
            raise
        if state != "running":
            return state
        tries = 0
    with system.store.begin() as session:
        # A lease that has run out is the clock's sign to queue the operation again.
        at = session.wall_clock()
        session.planning.renew_operation(operation_id, at, at, _progress(session, operation))
    return "queued"


def _progress(session: Session, operation: Operation) -> float:
    now = session.planning.operation(operation.mode, operation.id)
    return 0.0 if now is None else now.progress


def _fail(system: Parts, operation_id: str, code: str, vi: str, en: str) -> operations.Failed:
    with system.store.begin() as session:
        return operations.fail(session, operation_id, code, vi, en)


def _turn_page(system: Parts, operation: Operation, size: int, books: _Books) -> str | None:
    """Do one page in one transaction: `running` while more may come, `succeeded`, or None where it was ended."""
    with system.store.begin() as session:
        at = session.wall_clock()
        # The row is held from here to the commit: two workers take turns, each going on where the other ended.
        if not session.planning.renew_operation(operation.id, at, at + LEASE, operation.progress):
            return None
        held = session.planning.operation(operation.mode, operation.id)
        assert held is not None
        wish = _Wish.of(held)
        money, reach = session.money, (held.mode, wish.province_code, wish.since, wish.until)
        whole = held.params.get("charges") or money.count_charged(*reach)
        places = money.charged(*reach, wish.reached, size)
        result = _added(held.result, wish, _page(session, system, wish, places, books), len(places))
        if len(places) < size:
            session.planning.end_operation(operation.id, at, "succeeded", progress=1.0, result=result)
            return "succeeded"
        charged_at, request_id, leg = places[-1]
        params = {**held.params, "charges": whole, "reached": [charged_at.isoformat(), request_id, leg]}
        progress = min(0.99, result["looked_at"] / max(whole, 1))
        session.planning.renew_operation(operation.id, at, at + LEASE, progress, params=params, result=result)
    return "running"


def _added(before: dict[str, Any] | None, wish: _Wish, changes: list[_Change], looked_at: int) -> dict[str, Any]:
    """The operation's result with one page added to it."""
    so_far = before or {"adjustments": [], "count": 0, "amount": 0, "looked_at": 0, "dry_run": wish.dry_run}
    found = [line for change in changes for line in change.found]
    return {
        **so_far,
        "adjustments": [*so_far["adjustments"], *found][:LISTED],
        "count": so_far["count"] + len(found),
        "amount": so_far["amount"] + sum(line["amount"] for line in found),
        "looked_at": so_far["looked_at"] + looked_at,
    }


def _page(session: Session, system: Parts, wish: _Wish, places: list[Place], books: _Books) -> list[_Change]:
    """Correct the charges of one page, or only find them on a dry run."""
    ids = sorted({request_id for _, request_id, _ in places})
    mode, scene = wish.operation.mode, system.scene(wish.known_at)
    requests = session.planning.lock_requests(mode, ids)
    charged_at = session.money.charged_at(ids)
    changes: dict[str, _Change] = {}
    for _, request_id, leg in places:
        request, at = requests[request_id], charged_at[request_id, leg]
        if at is None or not wish.since <= at < wish.until or _ahead(request, wish):
            continue
        if request.shop_id not in books:
            books[request.shop_id] = shop_book(session, scene, mode, request.shop_id)
        _correct(books[request.shop_id], changes, request, leg, at, wish.known_at)
    if not wish.dry_run:
        _write(session, scene, wish, list(changes.values()))
    return list(changes.values())


def _ahead(request: Request, wish: _Wish) -> bool:
    """Whether a row of the test world has been at a later instant: nothing changes it at an earlier one."""
    return request.mode == "test" and request.last_at > wish.known_at


def _correct(
    book: PolicyBook, changes: dict[str, _Change], request: Request, leg: str, charged_at: datetime, known_at: datetime
) -> None:
    """Correct one leg's charge in `changes`, where a rule asks for it."""
    known = changes.get(request.id)
    now = request if known is None else known.request
    adjustment = charging.reprice(book, now, leg, charged_at, known_at)
    if adjustment is None:
        return
    after = replace(
        now,
        quote=charging.adjusted(now.quote, adjustment),
        version=request.version + 1,
        last_at=max(now.last_at, known_at),
        updated_at=max(now.updated_at, known_at),
    )
    change = changes.setdefault(request.id, _Change(after, []))
    change.request = after
    change.found.append(
        {
            "request_id": request.id,
            "leg": leg,
            "before": charging.owed(now.quote, leg)["postage"],
            "after": charging.owed(after.quote, leg)["postage"],
            "amount": adjustment["amount"],
            "task": adjustment["task"],
        }
    )


def _write(session: Session, scene: Scene, wish: _Wish, changes: list[_Change]) -> None:
    """Keep the corrected quotes of a page and tell their shops."""
    legs = session.consignments.legs_of([change.request.id for change in changes])
    told: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for change in changes:
        request = change.request
        data = request_json(request, legs[request.id], scene.public_url)
        told.setdefault(request.shop_id, []).append((request.id, data))
    session.money.write_quotes([change.request for change in changes])
    for shop_id in sorted(told):
        notifying.publish_many(
            session,
            mode=wish.operation.mode,
            shop_id=shop_id,
            type="fee.corrected",
            occurred_at=wish.known_at,
            now=wish.known_at,
            told=told[shop_id],
        )
