"""Operations, areas, plans, rounds and their tasks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatch.store import tables as t
from dispatch.store.rows import EventRow, Operation, Plan, Request, Round, Task, record
from dispatch.store.stirred import Stirred


class Planning:
    """Operations, areas, plans, rounds and tasks."""

    def __init__(self, connection: Connection, stirred: Stirred) -> None:
        self._c = connection
        self._stirred = stirred
        self._watched: dict[str, list[Task]] | None = None

    # operations
    def add_operation(self, **values: Any) -> None:
        """Begin a long piece of work (status `queued`)."""
        self._c.execute(insert(t.operations).values(**values))

    def operation(self, mode: str, operation_id: str, *, lock: bool = False) -> Operation | None:
        """An operation of one world."""
        c = t.operations.c
        query = select(t.operations).where(c.mode == mode, c.id == operation_id)
        row = self._c.execute(query.with_for_update() if lock else query).first()
        return None if row is None else record(Operation, row)

    def claim_operation(self, operation_id: str, at: datetime, lease_until: datetime) -> Operation | None:
        """Take an operation that waits, or whose worker died; None where it is ended or in good hands."""
        c = t.operations.c
        change = (
            update(t.operations)
            .where(
                c.id == operation_id,
                or_(c.status == "queued", and_(c.status == "running", c.lease_until < at)),
            )
            .values(status="running", lease_until=lease_until, updated_at=at)
            .returning(t.operations)
        )
        row = self._c.execute(change).first()
        return None if row is None else record(Operation, row)

    def renew_operation(
        self, operation_id: str, at: datetime, lease_until: datetime, progress: float, **values: Any
    ) -> Operation | None:
        """Say that the work goes on, and how far it is; None where it was cancelled or given to another."""
        c = t.operations.c
        change = (
            update(t.operations)
            .where(c.id == operation_id, c.status == "running", c.lease_until >= at)
            .values(lease_until=lease_until, progress=progress, updated_at=at, **values)
            .returning(t.operations)
        )
        row = self._c.execute(change).first()
        return None if row is None else record(Operation, row)

    def ask_to_stop(self, operation_id: str, at: datetime) -> bool:
        """Ask the worker of a running operation to stop; False where no worker has it now."""
        c = t.operations.c
        change = (
            update(t.operations)
            .where(c.id == operation_id, c.status == "running", c.lease_until >= at)
            .values(stop_asked_at=at, updated_at=at)
        )
        return self._c.execute(change).rowcount == 1

    def end_operation(self, operation_id: str, at: datetime, status: str, **values: Any) -> bool:
        """Write how an operation ended; False where it had ended before."""
        c = t.operations.c
        change = (
            update(t.operations)
            .where(c.id == operation_id, c.status.in_(("queued", "running")))
            .values(status=status, lease_until=None, updated_at=at, **values)
        )
        return self._c.execute(change).rowcount == 1

    def requeue_operations(self, at: datetime, lost_before: datetime) -> list[tuple[str, str]]:
        """(id, kind) of operations nobody works on: queued before `lost_before`, or with a lease that ran out."""
        c = t.operations.c
        change = (
            update(t.operations)
            .where(
                or_(
                    and_(c.status == "queued", c.updated_at < lost_before),
                    and_(c.status == "running", c.lease_until < at),
                )
            )
            .values(status="queued", lease_until=None, updated_at=at)
            .returning(c.id, c.kind)
        )
        return [(row.id, row.kind) for row in self._c.execute(change)]

    # areas
    def area_version(self, mode: str, area: str, day: date, *, lock: bool = False) -> int:
        """How often plans of an area and date were committed; locks the area where asked."""
        keys = {"mode": mode, "area": area, "date": day}
        self._c.execute(upsert(t.areas).values(**keys, version=0).on_conflict_do_nothing())
        query = select(t.areas.c.version).filter_by(**keys)
        return int(self._c.execute(query.with_for_update() if lock else query).scalar_one())

    def claim_area(self, mode: str, area: str, day: date, operation_id: str, at: datetime, until: datetime) -> bool:
        """Take an area for planning; False while another operation plans it."""
        self.area_version(mode, area, day)
        c = t.areas.c
        free = or_(c.planning_operation_id.is_(None), c.planning_operation_id == operation_id, c.planning_until < at)
        change = (
            update(t.areas)
            .where(c.mode == mode, c.area == area, c.date == day, free)
            .values(planning_operation_id=operation_id, planning_until=until)
        )
        return self._c.execute(change).rowcount == 1

    def release_area(self, mode: str, area: str, day: date, operation_id: str) -> None:
        """Give an area back after planning."""
        c = t.areas.c
        self._c.execute(
            update(t.areas)
            .where(c.mode == mode, c.area == area, c.date == day, c.planning_operation_id == operation_id)
            .values(planning_operation_id=None, planning_until=None)
        )

    def bump_area(self, mode: str, area: str, day: date) -> None:
        """Count one commit of an area."""
        c = t.areas.c
        self._c.execute(
            update(t.areas).where(c.mode == mode, c.area == area, c.date == day).values(version=c.version + 1)
        )

    # plans
    def add_plan(self, **values: Any) -> None:
        """Keep a draft."""
        self._c.execute(insert(t.plans).values(**values))

    def plan(self, mode: str, plan_id: str, *, lock: bool = False) -> Plan | None:
        """A plan of one world."""
        query = select(t.plans).where(t.plans.c.mode == mode, t.plans.c.id == plan_id)
        row = self._c.execute(query.with_for_update() if lock else query).first()
        return None if row is None else record(Plan, row)

    def change_plan(self, plan_id: str, status: str, at: datetime, **values: Any) -> None:
        """Commit or discard, or make it a draft again: the version counts up."""
        c = t.plans.c
        self._c.execute(
            update(t.plans).where(c.id == plan_id).values(status=status, version=c.version + 1, updated_at=at, **values)
        )

    def discard_live(self, mode: str, area: str, day: date, at: datetime) -> None:
        """Put the drafts of live planning away that nobody committed; a coordinator's own stay."""
        c = t.plans.c
        self._c.execute(
            update(t.plans)
            .where(c.mode == mode, c.area == area, c.date == day, c.status == "draft", c.live)
            .values(status="discarded", version=c.version + 1, updated_at=at)
        )

    def drafts(self, mode: str, day: date) -> list[Plan]:
        """The drafts of one date, newest first."""
        c = t.plans.c
        rows = self._c.execute(
            select(t.plans)
            .where(c.mode == mode, c.date == day, c.status == "draft")
            .order_by(c.created_at.desc())
            .limit(5)
        )
        return [record(Plan, row) for row in rows]

    # rounds and tasks
    def round_of(self, mode: str, courier_id: str, day: date, *, lock: bool = False) -> Round | None:
        """A courier's round of one date."""
        query = select(t.rounds).where(
            t.rounds.c.mode == mode, t.rounds.c.courier_id == courier_id, t.rounds.c.date == day
        )
        row = self._c.execute(query.with_for_update() if lock else query).first()
        return None if row is None else record(Round, row)

    def open_round(self, round_id: str, mode: str, courier_id: str, day: date, at: datetime) -> Round:
        """The courier's round of that date, made under `round_id` if there is none; locked."""
        self._c.execute(
            upsert(t.rounds)
            .values(
                id=round_id,
                mode=mode,
                courier_id=courier_id,
                date=day,
                version=1,
                distance_m=0,
                created_at=at,
                updated_at=at,
            )
            .on_conflict_do_nothing(index_elements=["mode", "courier_id", "date"])
        )
        found = self.round_of(mode, courier_id, day, lock=True)
        assert found is not None
        self._stirred.round_ids.add(found.id)
        self._note([found.id])
        return found

    def touch_round(self, round_id: str, at: datetime, distance_m: int | None = None) -> None:
        """Count one change of a round."""
        values: dict[str, Any] = {"version": t.rounds.c.version + 1, "updated_at": at}
        if distance_m is not None:
            values["distance_m"] = distance_m
        self._stirred.round_ids.add(round_id)
        self._c.execute(update(t.rounds).where(t.rounds.c.id == round_id).values(**values))

    def rounds(self, mode: str, day: date) -> list[Round]:
        """All rounds of one date."""
        rows = self._c.execute(
            select(t.rounds).where(t.rounds.c.mode == mode, t.rounds.c.date == day).order_by(t.rounds.c.courier_id)
        )
        return [record(Round, row) for row in rows]

    def tasks(self, round_ids: Collection[str], *, open_only: bool = False) -> list[Task]:
        """The tasks of rounds in riding order, withdrawn ones left out."""
        c = t.tasks.c
        query = select(t.tasks).where(c.round_id.in_(round_ids), c.state != "withdrawn")
        if open_only:
            query = query.where(c.state == "open")
        return [record(Task, row) for row in self._c.execute(query.order_by(c.round_id, c.position, c.id))]

    def open_tasks_of(self, request_id: str, leg: str | None = None) -> list[Task]:
        """The open tasks of a request (of one leg, where given)."""
        c = t.tasks.c
        query = select(t.tasks).where(c.request_id == request_id, c.state == "open")
        if leg is not None:
            query = query.where(c.leg == leg)
        return [record(Task, row) for row in self._c.execute(query)]

    def tasks_of_stop(self, stop_id: str) -> list[Task]:
        """All tasks of a stop, also past and withdrawn ones."""
        rows = self._c.execute(select(t.tasks).where(t.tasks.c.stop_id == stop_id).order_by(t.tasks.c.id))
        return [record(Task, row) for row in rows]

    def add_tasks(self, rows: list[dict[str, Any]]) -> None:
        """Append tasks to rounds; a dossier that is open elsewhere is refused by the database."""
        if rows:
            self._c.execute(insert(t.tasks), rows)

    def close_tasks(self, ids: Collection[int], state: str, at: datetime) -> None:
        """End open tasks as `done`, `failed` or `withdrawn`."""
        if ids:
            self._c.execute(
                update(t.tasks)
                .where(t.tasks.c.id.in_(ids), t.tasks.c.state == "open")
                .values(state=state, closed_at=at)
            )

    def open_legs(
        self, mode: str, *, request_ids: Collection[str] | None = None, courier_ids: Collection[str] = ()
    ) -> list[Row[Any]]:
        """Every leg that still has something to do, joined with its request (request columns prefixed `r_`).

        Where given, only the legs of `request_ids` and those that `courier_ids` have.
        """
        r, leg = t.requests.c, t.legs.c
        query = (
            select(
                *(column for column in leg if column.name != "predicted"),  # nobody plans by what was foretold
                r.body.label("r_body"),
                r.address.label("r_address"),
                r.office_id.label("r_office_id"),
                r.external_ref.label("r_external_ref"),
                r.zone.label("r_zone"),
            )
            .join(t.requests, r.id == leg.request_id)
            .where(leg.mode == mode, ~leg.closed, ~leg.asleep)
            .order_by(r.created_at, r.id, leg.leg)
        )
        if request_ids is not None:
            query = query.where(or_(leg.request_id.in_(request_ids), leg.courier_id.in_(courier_ids)))
        return list(self._c.execute(query))

    def open_tasks(self, mode: str, *, courier_ids: Collection[str] | None = None) -> list[tuple[Task, str, date]]:
        """All open tasks (or those of some couriers) in riding order, with the courier and the date of its round."""
        query = (
            select(t.tasks, t.rounds.c.courier_id, t.rounds.c.date)
            .join(t.rounds, t.rounds.c.id == t.tasks.c.round_id)
            .where(t.rounds.c.mode == mode, t.tasks.c.state == "open")
            .order_by(t.rounds.c.date, t.tasks.c.round_id, t.tasks.c.position, t.tasks.c.id)
        )
        if courier_ids is not None:
            query = query.where(t.rounds.c.courier_id.in_(courier_ids))
        rows = self._c.execute(query)
        return [(record(Task, row), row.courier_id, row.date) for row in rows]

    def events_of(self, request_ids: Collection[str]) -> list[EventRow]:
        """The events of many requests as they were recorded."""
        if not request_ids:
            return []
        rows = self._c.execute(select(t.events).where(t.events.c.request_id.in_(request_ids)).order_by(t.events.c.seq))
        return [record(EventRow, row) for row in rows]

    def lock_requests(self, mode: str, request_ids: Collection[str], *, free_only: bool = False) -> dict[str, Request]:
        """Lock many requests in the order of their ids, the order in which everybody locks them.

        With `free_only` those that another holds are left out and nobody is waited for.
        """
        if not request_ids:
            return {}
        c = t.requests.c
        rows = self._c.execute(
            select(t.requests)
            .where(c.mode == mode, c.id.in_(request_ids))
            .order_by(c.id)
            .with_for_update(skip_locked=free_only)
        )
        return {row.id: record(Request, row) for row in rows}

    def lock_rounds(self, round_ids: Collection[str]) -> list[Round]:
        """Lock rounds in the order of their ids; whoever also locks requests locks those first."""
        if not round_ids:
            return []
        c = t.rounds.c
        rows = self._c.execute(select(t.rounds).where(c.id.in_(round_ids)).order_by(c.id).with_for_update()).all()
        self._note(round_ids)
        return [record(Round, row) for row in rows]

    def watch(self) -> dict[str, list[Task]]:
        """From now on, keep the open tasks of every round as they stand when this transaction locks it, by round."""
        self._watched = {}
        return self._watched

    def _note(self, round_ids: Collection[str]) -> None:
        if self._watched is None:
            return
        fresh = sorted(set(round_ids) - self._watched.keys())
        self._watched.update({round_id: [] for round_id in fresh})
        for task in self.tasks(fresh, open_only=True):
            self._watched[task.round_id].append(task)

    def reopen_tasks(self, ids: Collection[int]) -> list[Task]:
        """Open withdrawn tasks again."""
        c = t.tasks.c
        change = update(t.tasks).where(c.id.in_(ids), c.state == "withdrawn").values(state="open", closed_at=None)
        return [record(Task, row) for row in self._c.execute(change.returning(t.tasks))]

    def last_scans(self, request_ids: Collection[str], types: Collection[str]) -> dict[tuple[str, str], int]:
        """For each leg of the requests, the number of its last recorded event of these types."""
        c = t.events.c
        rows = self._c.execute(
            select(c.request_id, c.leg, func.max(c.seq).label("seq"))
            .where(c.request_id.in_(request_ids), c.type.in_(types))
            .group_by(c.request_id, c.leg)
        )
        return {(row.request_id, row.leg): row.seq for row in rows}

    def change_tasks(self, rows: list[dict[str, Any]]) -> None:
        """Write `position`, `stop_id`, `planned_at`, `leg_m`, `place` and `locked` of tasks, each row by its `id`."""
        if rows:
            names = ("position", "stop_id", "planned_at", "leg_m", "place", "locked")
            change = update(t.tasks).where(t.tasks.c.id == bindparam("task_id"))
            self._c.execute(
                change.values({name: bindparam(name) for name in names}),
                [{"task_id": row["id"], **{name: row[name] for name in names}} for row in rows],
            )
