"""What was foretold of each promise: the last word beside its leg, the history, and what is to be looked at again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on

from dispatch.domain.forecasts import Forecast
from dispatch.domain.moves import BEFORE_COLLECTION
from dispatch.store import tables as t
from dispatch.store.rows import LegRow
from dispatch.store.stirred import Stirred

Leg = tuple[str, str]
"""(request id, leg name)."""
_OPEN = ("RUNNING", "AT_RISK", "BREACHED")
_WORD = tuple(field.name for field in fields(Forecast))


@dataclass(frozen=True, slots=True)
class Held:
    """Whose round of which date has a leg's pickup to do."""

    courier_id: str
    day: date
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """One line of the history: what was foretold of a leg, and the state its promise had then."""

    leg: str
    state: str
    word: Forecast


def _kept(row: Row[Any]) -> Kept:
    told = {name: getattr(row, name) for name in _WORD if name != "causes"}
    causes = tuple((code, minutes) for code, minutes in row.causes)
    return Kept(row.leg, row.state, Forecast(**told, causes=causes))


class Forecasts:
    """The forecasts of one world's legs."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def concerned(self, mode: str, day: date, stirred: Stirred) -> dict[Leg, Held]:
        """The pickups still open in every round that was stirred, or holds what was; of couriers seen, those of `day`.

        A round is named with all its pickups: what happens at one stop is felt at the next ones.
        """
        r, task = t.rounds.c, t.tasks.c
        pickups = (task.state == "open", task.kind == "pickup")
        holding = select(task.round_id).where(task.request_id.in_(stirred.request_ids), *pickups)
        seen = r.courier_id.in_(stirred.courier_ids) & (r.date == day)
        rows = self._c.execute(
            select(task.request_id, task.leg, task.planned_at, r.courier_id, r.date)
            .join(t.rounds, r.id == task.round_id)
            .where(r.mode == mode, *pickups, or_(r.id.in_(stirred.round_ids), seen, r.id.in_(holding)))
            .order_by(r.date, r.courier_id, task.position, task.id)
        )
        return {(row.request_id, row.leg): Held(row.courier_id, row.date, row.planned_at) for row in rows}

    def keep(self, words: list[dict[str, Any]]) -> None:
        """Write `predicted`, `in_danger` and `forecast_due_at` of legs, each by its `request_id` and `leg`."""
        if words:
            c = t.legs.c
            named = (c.request_id == bindparam("of_request"), c.leg == bindparam("of_leg"))
            names = ("predicted", "in_danger", "forecast_due_at")
            self._c.execute(
                update(t.legs).where(*named).values({name: bindparam(name) for name in names}),
                [
                    {"of_request": row["request_id"], "of_leg": row["leg"], **{name: row[name] for name in names}}
                    for row in words
                ],
            )

    def add(self, lines: Iterable[tuple[LegRow, Forecast, str]]) -> None:
        """Append to the history: what was foretold of a leg, and the state of its promise then."""
        rows = [self.line(leg, word, state) for leg, word, state in lines]
        if rows:
            self._c.execute(insert(t.forecasts), rows)

    @staticmethod
    def line(leg: LegRow, word: Forecast, state: str) -> dict[str, Any]:
        """A line of the history: what was foretold of a leg, and the state its promise had then."""
        return {
            "mode": leg.mode,
            "request_id": leg.request_id,
            "leg": leg.leg,
            "state": state,
            **{name: getattr(word, name) for name in _WORD if name != "causes"},
            "causes": [list(cause) for cause in word.causes],
        }

    def history(self, request_id: str) -> list[Kept]:
        """Everything that was foretold of a request's legs, oldest first."""
        c = t.forecasts.c
        rows = self._c.execute(select(t.forecasts).where(c.request_id == request_id).order_by(c.seq))
        return [_kept(row) for row in rows]

    def last(self, request_ids: Collection[str]) -> dict[Leg, Kept]:
        """The last word on each leg of some requests."""
        c = t.forecasts.c
        if not request_ids:
            return {}
        rows = self._c.execute(
            select(t.forecasts)
            .ext(distinct_on(c.request_id, c.leg))
            .where(c.request_id.in_(request_ids))
            .order_by(c.request_id, c.leg, c.seq.desc())
        )
        return {(row.request_id, row.leg): _kept(row) for row in rows}

    def claim(self, mode: str, at: datetime, until: datetime, limit: int) -> list[str]:
        """The requests whose forecast is to be looked at again, put off to `until`; those others hold are left out."""
        c = t.legs.c
        due = (
            select(c.request_id, c.leg)
            .where(c.mode == mode, c.forecast_due_at <= at, ~c.asleep, c.status.in_(sorted(BEFORE_COLLECTION)))
            .where(c.promise_state.in_(_OPEN))
            .order_by(c.forecast_due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self._put_off(due, until)

    def leave(self, stirred: Stirred, at: datetime) -> None:
        """Make what was stirred due at `at`, for whoever looks next."""
        c, task = t.legs.c, t.tasks.c
        in_rounds = select(task.request_id).where(task.round_id.in_(stirred.round_ids), task.state == "open")
        named = or_(c.request_id.in_(stirred.request_ids), c.request_id.in_(in_rounds))
        waiting = c.status.in_(sorted(BEFORE_COLLECTION))
        self._put_off(select(c.request_id, c.leg).where(waiting, named).with_for_update(skip_locked=True), at)

    def _put_off(self, legs: Any, until: datetime) -> list[str]:
        c = t.legs.c
        change = update(t.legs).where(tuple_(c.request_id, c.leg).in_(legs)).values(forecast_due_at=until)
        return list(dict.fromkeys(row.request_id for row in self._c.execute(change.returning(c.request_id))))
