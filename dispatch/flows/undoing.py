"""Take back what a user did a moment ago: the rounds and holders as they were, for all that has not moved on since.

Deeds are kept with the open tasks of every round they locked, before and after. Locks are taken as by a commit: area,
requests by id, rounds by id, tasks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain.errors import Conflict
from dispatch.domain.moves import BEFORE_COLLECTION, COURIER_EVENTS
from dispatch.domain.text import local_text
from dispatch.flows.recording import Happening, Scene, record, settle
from dispatch.live.restoring import Leg, Rounds, Seat, moved, restored

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.rows import LegRow, Request, Round, Task
    from dispatch.store.undos import Deed

WINDOW = timedelta(seconds=60)
"""So long a deed can be taken back (docs/api.md, `POST /v1/undo`)."""
KEPT = timedelta(minutes=10)

# why something stays as it is: word → (Vietnamese, English)
_REASONS = {
    "status": ("Hồ sơ nay ở trạng thái {status}.", "The request is {status} by now."),
    "scanned": ("Bưu tá đã báo về hồ sơ này.", "A courier has reported on it since."),
    "changed": ("Chỗ của hồ sơ đã được xếp lại sau đó.", "Its place has been changed since."),
    "later": ("Hồ sơ đã ở một thời điểm sau đó.", "The request has already been at a later instant."),
    "refused": ("Lịch sử của hồ sơ không cho phép.", "The history of the request does not allow it."),
}


@contextmanager
def undoable(
    session: Session, scene: Scene, mode: str, kind: str, subject: str, actor: str
) -> Iterator[dict[str, Any]]:
    """Keep what the block changes in rounds as one deed of `actor`, with what is put into the yielded dictionary.

    `kind`: assign, unassign, rescue, commit or discard; `subject`: the id of the request or plan.
    """
    watched, more = session.planning.watch(), dict[str, Any]()
    yield more
    before = {round_id: [_seat(task) for task in tasks] for round_id, tasks in watched.items()}
    after = _open(session, before)
    changed = {round_id for round_id in before if before[round_id] != after[round_id]}
    before, after = ({name: found[name] for name in changed} for found in (before, after))
    body = {
        **more,
        "before": {round_id: [_json(seat) for seat in order] for round_id, order in before.items()},
        "after": {round_id: [_json(seat) for seat in order] for round_id, order in after.items()},
        "legs": _standing(session, moved(before, after)),
    }
    session.undos.forget(mode, actor, scene.now - KEPT)
    session.undos.add(mode, actor, kind, subject, body, scene.now)


def undo(session: Session, scene: Scene, mode: str, actor: str) -> dict[str, Any]:
    """Take back the last deed of `actor`; once more takes back the one before. Says what stays as it is, and why.

    Raises `Conflict` `nothing_to_undo` where there is none of the last minute.
    """
    session.lock(f"undo:{mode}:{actor}")
    deed = session.undos.latest(mode, actor)
    if deed is None or not timedelta() <= scene.now - deed.made_at <= WINDOW:
        raise Conflict(
            code="nothing_to_undo",
            vi="Không có thao tác nào trong 60 giây qua để hoàn tác.",
            en="There is nothing of the last 60 seconds to take back.",
        )
    if deed.kind in ("commit", "discard"):
        _open_plan_again(session, deed)
    scope = _scope(session, scene, deed)
    back = [name for name in sorted(scope.touched) if name not in scope.kept]
    for name in back:
        _give_back(session, scene, scope, name, actor)
    _write(session, scene, scope, {name for name in back if name not in scope.kept})
    restored_ids = {request_id for request_id, _ in scope.touched - scope.kept.keys()}
    if deed.body.get("paused") and _let_run(session, scene, scope, actor):
        restored_ids.add(deed.subject)
    session.undos.end(deed.id, scene.now)
    told = {
        "undone": {"kind": deed.kind, "subject": deed.subject, "at": local_text(deed.made_at)},
        "restored": sorted(restored_ids),
        "kept": [_kept_json(scope, name) for name in sorted(scope.kept)],
    }
    session.access.audit(mode, scene.now, actor, f"{deed.kind}.undone", deed.subject, told)
    return told


@dataclass
class _Scope:
    """A deed and the world it meets under the locks.

    `touched` are the legs it was about, `legs` all of its rounds; `kept` says why one of the touched stays as it is.
    """

    deed: Deed
    touched: set[Leg]
    before: Rounds
    now: Rounds
    rounds: dict[str, Round]
    requests: dict[str, Request]
    legs: dict[Leg, LegRow]
    kept: dict[Leg, str] = field(default_factory=dict)
    moved_since: set[Leg] = field(default_factory=set)

    def holder(self, name: Leg) -> tuple[str, Seat] | None:
        """The round a leg was to be collected in before the deed, and its seat there."""
        for round_id, order in self.before.items():
            for seat in order:
                if seat.name == name and seat.kind == "pickup":
                    return round_id, seat
        return None


def _open_plan_again(session: Session, deed: Deed) -> None:
    """A committed or discarded plan is a draft again; of a committed one the area counts one change more."""
    plan = session.planning.plan(deed.mode, deed.subject)
    assert plan is not None
    version = session.planning.area_version(deed.mode, plan.area, plan.date, lock=True)
    at = session.wall_clock()
    if deed.kind == "discard":
        session.planning.change_plan(plan.id, "draft", at)
        return
    session.planning.bump_area(deed.mode, plan.area, plan.date)
    untouched = version == deed.body["area_version"]
    session.planning.change_plan(plan.id, "draft", at, **({"base_version": version + 1} if untouched else {}))


def _scope(session: Session, scene: Scene, deed: Deed) -> _Scope:
    """Lock what the deed touched and see what has become of it."""
    body = deed.body
    told = {(one["request_id"], one["leg"]): one for one in body["legs"]}
    before = {round_id: [_read(line) for line in order] for round_id, order in body["before"].items()}
    after = {round_id: [_read(line) for line in order] for round_id, order in body["after"].items()}
    seats = [seat for orders in (before, after) for order in orders.values() for seat in order]
    requests = session.planning.lock_requests(
        deed.mode, sorted({seat.request_id for seat in seats} | set(body.get("paused", ())[:1]))
    )
    for request in requests.values():
        if deed.mode == "test" and request.last_at <= scene.now:
            settle(session, scene, request)
    rounds = session.planning.lock_rounds(sorted(body["before"]))
    now = _open(session, before)
    rows = session.consignments.legs_of(list(requests))
    legs = {(leg.request_id, leg.leg): leg for found in rows.values() for leg in found}
    scope = _Scope(deed, set(told), before, now, {one.id: one for one in rounds}, requests, legs)
    scope.moved_since = moved(after, now)
    scans = session.planning.last_scans(list(requests), COURIER_EVENTS)
    for name, was in told.items():
        why = _why_kept(scene, scope, name, was, scans.get(name, 0))
        if why is not None:
            scope.kept[name] = why
    return scope


def _why_kept(scene: Scene, scope: _Scope, name: Leg, was: Mapping[str, Any], scan: int) -> str | None:
    leg = scope.legs[name]
    if leg.status != was["status"]:
        return "status"
    if scan > was["scan"]:
        return "scanned"
    if leg.courier_id != was["courier_id"] or name in scope.moved_since:
        return "changed"
    return "later" if leg.mode == "test" and scope.requests[name[0]].last_at > scene.now else None


def _give_back(session: Session, scene: Scene, scope: _Scope, name: Leg, actor: str) -> None:
    """Record that a leg is with whom it was before; where its history does not allow that, it stays as it is."""
    leg, held = scope.legs[name], scope.holder(name)
    if leg.status not in BEFORE_COLLECTION | {"AT_OFFICE"}:
        return
    given: Happening | None = None
    if held is None:
        if leg.status == "ASSIGNED":
            given = Happening("unassigned", scene.now, actor)
    else:
        courier_id = scope.rounds[held[0]].courier_id
        if leg.courier_id != courier_id or leg.status not in ("ASSIGNED", "AT_OFFICE"):
            payload = {"round_id": held[0]}
            given = Happening("assigned", scene.now, actor, courier_id=courier_id, payload=payload)
    if given is not None and record(session, scene, leg.mode, *name, given) == "conflict":
        scope.kept[name] = "refused"


def _let_run(session: Session, scene: Scene, scope: _Scope, actor: str) -> bool:
    """A clock that the deed stopped has never stood; False where it does not stand any more."""
    name: Leg = tuple(scope.deed.body["paused"])
    leg = next(row for row in session.consignments.legs(name[0]) if row.leg == name[1])
    if leg.promise_state != "PAUSED":
        scope.legs[name], scope.kept[name] = leg, "changed"
        return False
    stopped = next(row for row in reversed(session.consignments.events(*name)) if row.type == "paused")
    taken_back = Happening("undone", scene.now, actor, payload={"event_id": stopped.id})
    return record(session, scene, leg.mode, *name, taken_back) == "applied"


def _write(session: Session, scene: Scene, scope: _Scope, back: set[Leg]) -> None:
    """Make the rounds what they were: first what was put in goes out, then what was taken out comes in again."""
    kept = scope.kept.keys() | (scope.moved_since - back)
    wanted = restored(scope.before, scope.now, back, set(kept))
    ids = {seat.id for order in wanted.values() for seat in order}
    present = {seat.id for order in scope.now.values() for seat in order}
    session.planning.close_tasks(sorted(present - ids), "withdrawn", scene.now)
    session.planning.reopen_tasks(sorted(ids - present))
    for round_id, order in wanted.items():
        if order == list(scope.now[round_id]):
            continue
        tasks = session.planning.tasks([round_id])
        by_id = {task.id: task for task in tasks}
        ended = [task for task in tasks if task.state != "open"]
        first = max((task.position for task in ended), default=-1) + 1
        rows = [
            {**_row(seat), "place": by_id[seat.id].place, "position": first + place}
            for place, seat in enumerate(order)
            if seat.id in by_id
        ]
        session.planning.change_tasks(rows)
        metres = sum(task.leg_m for task in ended) + sum(seat.leg_m for seat in order)
        session.planning.touch_round(round_id, scene.now, metres)
        for seat in order:
            waits = scope.legs[seat.name].status in BEFORE_COLLECTION if seat.name in scope.legs else False
            if seat.kind == "pickup" and waits and seat.name not in kept:
                session.consignments.change_leg(*seat.name, planned_at=seat.planned_at)


def _row(seat: Seat) -> dict[str, Any]:
    names = ("id", "stop_id", "planned_at", "leg_m", "locked")
    return {name: getattr(seat, name) for name in names}


def _open(session: Session, rounds: Collection[str]) -> dict[str, list[Seat]]:
    found: dict[str, list[Seat]] = {round_id: [] for round_id in rounds}
    for task in session.planning.tasks(list(rounds), open_only=True):
        found[task.round_id].append(_seat(task))
    return found


def _standing(session: Session, names: Collection[Leg]) -> list[dict[str, Any]]:
    """How the legs of a deed stand right after it."""
    ids = sorted({request_id for request_id, _ in names})
    scans = session.planning.last_scans(ids, COURIER_EVENTS)
    legs = session.consignments.legs_of(ids)
    return [
        {
            "request_id": leg.request_id,
            "leg": leg.leg,
            "status": leg.status,
            "courier_id": leg.courier_id,
            "scan": scans.get((leg.request_id, leg.leg), 0),
        }
        for found in legs.values()
        for leg in found
        if (leg.request_id, leg.leg) in names
    ]


def _seat(task: Task) -> Seat:
    names = (task.id, task.request_id, task.leg, task.kind, task.stop_id)
    return Seat(*names, task.planned_at, task.leg_m, task.locked)


def _json(seat: Seat) -> list[Any]:
    names = (seat.id, seat.request_id, seat.leg, seat.kind, seat.stop_id)
    return [*names, seat.planned_at.isoformat(), seat.leg_m, seat.locked]


def _read(line: Sequence[Any]) -> Seat:
    id, request_id, leg, kind, stop_id, planned_at, leg_m, locked = line
    return Seat(id, request_id, leg, kind, stop_id, datetime.fromisoformat(planned_at), leg_m, locked)


def _kept_json(scope: _Scope, name: Leg) -> dict[str, Any]:
    vi, en = (text.format(status=scope.legs[name].status) for text in _REASONS[scope.kept[name]])
    return {"request_id": name[0], "leg": name[1], "code": scope.kept[name], "reason": {"vi": vi, "en": en}}
