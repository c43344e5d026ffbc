"""Simulations: a past day of an area, or a made one, run again with something changed; worked at outside transactions.

One simulation is worked at at a time, so that plans never wait for two of them. Each point of a curve is kept when it
is found: whoever goes on after a lost worker goes on from there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from dispatch.domain.errors import DispatchError, Invalid, invalid
from dispatch.domain.hours import local_date
from dispatch.flows import bygone, operations
from dispatch.flows.operations import LEASE, Lease
from dispatch.flows.snapshot import Area
from routing import RoutingError

if TYPE_CHECKING:
    from dispatch.flows.recording import Scene
    from dispatch.flows.surveying import Parts
    from dispatch.store import Session
    from dispatch.store.rows import Operation

KIND = "simulate"
MOST_REQUESTS = 400
"""A day of ours with so many requests takes a minute or two for each number of couriers."""
SPELL_S = 600.0
"""After so long the rest of a curve is left to a fresh task: a task has a time limit of its own."""
KEPT_BYTES = 1_000_000
"""Up to so much JSON the whole result is kept; larger ones are made on the command line."""
KEPT = timedelta(days=30)

Note = Callable[[float, list[dict[str, Any]]], object]


class Told(Protocol):
    """What a rehearsal answers: a short result, and the whole run it is about."""

    @property
    def result(self) -> dict[str, Any]:
        """For the operation."""

    @property
    def whole(self) -> dict[str, Any]:
        """As `dispatch-result/1`."""


Rehearse = Callable[[dict[str, Any], dict[str, Any], list[dict[str, Any]], Note], Told]
"""Runs a scenario as a wish has it, from the points already known; raises RoutingError for what cannot be meant."""


class _Away(Exception):
    """The operation is not this worker's any more, or its spell is over."""


def ask(
    session: Session,
    scene: Scene,
    *,
    mode: str,
    area: str | None,
    day: date | None,
    scenario: dict[str, Any] | None,
    wish: dict[str, Any],
    owner: str,
) -> str:
    """Begin a simulation of an area's day (no later than today) or of `scenario`; returns the operation's id.

    Raises `Invalid` for a date to come or an area without a post office.
    """
    params: dict[str, Any] = {"wish": wish, "now": scene.now.isoformat(), "scenario": scenario}
    if area is not None and day is not None:
        if day > local_date(scene.now):
            raise invalid("/date", "date_in_future", "Ngày này chưa tới.", "This date is still to come.")
        wanted = Area.parse(area)
        if not any(wanted.has_office(office) for office in session.network.offices(mode)):
            raise invalid(
                "/office_id" if wanted.kind == "office" else "/province_code",
                "unknown_area",
                "Không có bưu cục nào ở địa bàn này.",
                "There is no post office in this area.",
            )
        params |= {"area": area, "date": day.isoformat()}
    return operations.begin(session, mode, KIND, params, owner)


def run(system: Parts, operation_id: str, rehearse: Rehearse, *, spell_s: float = SPELL_S) -> str | None:
    """Work at a simulation: its state afterwards, None where there was nothing to do or it was taken away.

    `queued` says that the rest is left to a fresh task. What cannot be simulated ends it as `failed` with a code.
    """
    with system.store.begin() as session:
        session.lock(KIND)
        at = session.wall_clock()
        if session.past.others_running(KIND, operation_id, at):
            return None  # it stays queued, and the clock queues it again
        operation = session.planning.claim_operation(operation_id, at, at + LEASE)
    if operation is None:
        return None
    began, share = time.monotonic(), operation.progress
    known: list[dict[str, Any]] = (operation.result or {}).get("curve", [])
    found = len(known)

    def note(done: float, points: list[dict[str, Any]]) -> None:
        nonlocal share, found
        share = min(0.95, done)
        lease.goes_on(share, share, 0)
        if lease.lost.is_set():
            raise _Away
        if len(points) > found:
            _keep_points(system, operation, points, share)
            found = len(points)
            if time.monotonic() - began > spell_s:
                raise _Away

    try:
        with Lease(system.store, operation) as lease:
            lease.goes_on(share, share, 0)
            day, left_out = _day(system, operation)
            told = rehearse(day, operation.params["wish"], known, note)
        return None if lease.lost.is_set() else _keep(system, operation, told, left_out)
    except _Away:
        return _give_back(system, operation, share)
    except (RoutingError, DispatchError) as error:
        return operations.given_up(error, "Không mô phỏng được", partial(_fail, system, operation))
    except Exception:
        _fail(system, operation, "internal_error", "Lỗi bên trong khi mô phỏng.", "The simulation failed inside.")
        raise


def _day(system: Parts, operation: Operation) -> tuple[dict[str, Any], dict[str, int]]:
    params = operation.params
    if params["scenario"] is not None:
        return params["scenario"], {}
    scene = system.scene(datetime.fromisoformat(params["now"]))
    area, day = Area.parse(params["area"]), date.fromisoformat(params["date"])
    with system.store.begin() as session:
        found = bygone.day_of(session, scene, system.places, system.travel, operation.mode, area, day)
    if not found.scenario["requests"] or not found.scenario["couriers"]:
        raise Invalid(
            code="nothing_to_simulate",
            vi="Ngày này không có yêu cầu có địa điểm, hoặc không có bưu tá đi ca.",
            en="The day has no request with a known place, or no courier on shift.",
        )
    refuse_large(round(len(found.scenario["requests"]) * params["wish"]["work"]))
    return found.scenario, found.left_out


def refuse_large(size: int) -> None:
    """Raise `Invalid` (`simulation_too_large`) for a day with more requests than a worker should be kept with."""
    if size > MOST_REQUESTS:
        raise Invalid(
            code="simulation_too_large",
            vi=f"Ngày có {size} yêu cầu; qua API mô phỏng được tối đa {MOST_REQUESTS}. Hãy chọn một bưu cục.",
            en=f"The day has {size} requests; {MOST_REQUESTS} can be simulated here. Choose one post office.",
        )


def _keep_points(system: Parts, operation: Operation, points: list[dict[str, Any]], share: float) -> None:
    with system.store.begin() as session:
        at = session.wall_clock()
        kept = {"curve": points}
        if not session.planning.renew_operation(operation.id, at, at + LEASE, share, result=kept):
            raise _Away


def _give_back(system: Parts, operation: Operation, share: float) -> str | None:
    """Leave the rest to a fresh task: a lease that has run out is the clock's sign to queue it again.

    None where it was cancelled or given to another.
    """
    with system.store.begin() as session:
        at = session.wall_clock()
        ours = session.planning.renew_operation(operation.id, at, at, share)
    return "queued" if ours else None


def _keep(system: Parts, operation: Operation, told: Told, left_out: dict[str, int]) -> str | None:
    """End the operation and keep the whole result where it is small; None where somebody ended it before."""
    small = len(json.dumps(told.whole)) <= KEPT_BYTES
    result = {**told.result, "left_out": left_out, "whole": small}
    with system.store.begin() as session:
        at = session.wall_clock()
        if not session.planning.end_operation(operation.id, at, "succeeded", progress=1.0, result=result):
            return None
        if small:
            session.past.keep_simulation(operation.id, operation.mode, told.whole, at)
    return "succeeded"


def _fail(system: Parts, operation: Operation, code: str, vi: str, en: str) -> operations.Failed:
    with system.store.begin() as session:
        return operations.fail(session, operation.id, code, vi, en)
