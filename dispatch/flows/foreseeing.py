"""Foretell the pickups of rounds: each round is rolled forward from where its courier stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from dispatch.domain.forecasts import SAID_FROM, Forecast
from dispatch.flows.problem import Case, as_kind, build
from dispatch.flows.sites import service_s
from dispatch.live.leaving import Ahead
from dispatch.live.rolling import FAR_S, Leg, Way, largest

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.flows.sites import Clock, Site
    from dispatch.flows.snapshot import OpenLeg, Snapshot
    from dispatch.live.erring import Errors
    from routing import Courier
    from routing.model import Kind
    from routing.travel import TravelModel

DAY_S = 86_400
LateNotices = Mapping[str, int]
"""By how many minutes the notice of a leg (`request/leg`) came late, only those that did."""


class Parts(Protocol):
    """What forecasting needs of the system it runs in."""

    @property
    def places(self) -> Index:
        """The communes."""

    @property
    def travel(self) -> TravelModel:
        """How couriers ride."""

    @property
    def errors(self) -> Errors:
        """How far real rides and services are from what is reckoned."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stop of a round: the leg it is for, which end of it, and when its service is planned to begin."""

    key: str
    kind: Kind
    planned_s: int


@dataclass(frozen=True)
class Rounds:
    """Rounds of one date as a routing problem, with what a forecast of them needs besides."""

    case: Case
    snapshot: Snapshot
    errors: Errors
    late: LateNotices


def errors_of(snapshot: Snapshot, parts: Parts) -> Errors:
    """How far real times are from what plans reckon with: what this world has learnt, else what is believed before."""
    return snapshot.learnt if snapshot.learnt.anything else parts.errors


def is_running(leg: OpenLeg) -> bool:
    """Whether a leg waits to be collected under a promise whose clock runs."""
    return leg.waiting and leg.promise["stopped_at"] is None and leg.promise["state"] != "PAUSED"


def held(snapshot: Snapshot, scene: Scene, parts: Parts, late: LateNotices) -> dict[str, Forecast]:
    """The forecast of every running pickup in the rounds of the day, by leg; rounds that nobody rides are left out.

    What is in a round was decided: it is done whether or not a plan would try it, but nothing is collected at a
    counter or door that is closed for the rest of the day.
    """
    riders = [one for one in snapshot.couriers.values() if snapshot.on_duty(one.id) and snapshot.tasks_of(one.id)]
    ids = {one.id for one in riders}
    in_rounds = {one.key for one in snapshot.open_tasks if one.courier_id in ids and one.day == snapshot.day}
    legs = {leg.key: leg for leg in snapshot.legs if leg.key in in_rounds or (leg.carried and leg.courier_id in ids)}
    case = build(
        snapshot,
        scene,
        parts.places,
        parts.travel,
        riders,
        legs.values(),
        by_hand=in_rounds,
        searched=False,
        name="now",
    )
    rounds, found = Rounds(case, snapshot, errors_of(snapshot, parts), late), dict[str, Forecast]()
    for courier in case.problem.couriers:
        found |= foretold(rounds, courier, _rows(rounds, courier.id), of_route=True)
    for entry in case.left_out:
        leg = legs[f"{entry.request_id}/{entry.leg}"]
        if is_running(leg):
            found[leg.key] = untried(rounds, leg, entry.code)
    return found


def _rows(rounds: Rounds, courier_id: str) -> list[Row]:
    rows = []
    for task in rounds.snapshot.tasks_of(courier_id):
        job = rounds.case.jobs.get(f"{task.request_id}/{task.leg}")
        if job is not None and (task.kind == "delivery" or job.pickup is not None):
            rows.append(Row(job.leg.key, as_kind(task.kind), rounds.case.clock.seconds(task.planned_at)))
    return rows


def foretold(rounds: Rounds, courier: Courier, rows: Sequence[Row], *, of_route: bool) -> dict[str, Forecast]:
    """The forecast of every running pickup among the stops of one courier, by leg.

    `of_route`: the stops are his round, not a place that was only tried; then the forecast names him and the plan.
    """
    jobs, clock = rounds.case.jobs, rounds.case.clock
    way, places = _way(rounds, courier, rows)
    found = {}
    for row, position in zip(rows, places, strict=True):
        leg = jobs[row.key].leg
        if row.kind == "pickup" and is_running(leg):
            made = _reached(rounds, leg, way, position)
            if jobs[row.key].shut:
                made = untried(rounds, leg, "site_closed" if leg.leg == "return" else "door_closed")
            if of_route:
                made = replace(made, courier_id=courier.id, planned_at=clock.at(row.planned_s))
            found[row.key] = made
    return found


def untried(rounds: Rounds, leg: OpenLeg, code: str) -> Forecast:
    """The forecast of a leg for which nobody comes on the day, for the reason `code`."""
    now, model = rounds.snapshot.now, rounds.errors.model
    return Forecast(now, model, breach_probability=_if_not_today(rounds.case.clock, leg), causes=((code, None),))


def _if_not_today(clock: Clock, leg: OpenLeg) -> float | None:
    """How likely the promise of a leg breaks that is not collected on the day; None where it runs on beyond it."""
    return 1.0 if leg.due_at is not None and clock.seconds(leg.due_at) < DAY_S else None


def _reached(rounds: Rounds, leg: OpenLeg, way: Way, position: int) -> Forecast:
    clock, now, model = rounds.case.clock, rounds.snapshot.now, rounds.errors.model
    found = way.foretell(position)
    probability = _if_not_today(clock, leg) if found is None else found.breach_probability
    told: tuple[tuple[str, int | None], ...] = ()
    if probability is None or probability >= SAID_FROM:
        minutes: dict[str, int | None] = {code: round(s / 60) for code, s in way.causes(position).items()}
        if leg.key in rounds.late:
            minutes["late_notice"] = rounds.late[leg.key]
        told = tuple(largest(minutes.items()))
    if found is None:
        return Forecast(now, model, breach_probability=probability, causes=told)
    p50, p90 = clock.at(found.p50), clock.at(found.p90)
    return Forecast(now, model, p50=p50, p90=p90, breach_probability=probability, causes=told)


def _way(rounds: Rounds, courier: Courier, rows: Sequence[Row]) -> tuple[Way, list[int]]:
    """The stops of a courier as they lie ahead of him, his rests among them, and the position of each of `rows`."""
    case, now_s = rounds.case, rounds.case.clock.now_s
    soonest, is_riding = max(now_s, courier.shift[0]), courier.id in case.riding_to
    to_start_s = max(0, (courier.available_at or soonest) - soonest) if is_riding else 0
    drives = [to_start_s + case.table.leg(courier.start, _site(case, row).key)[0] for row in rows[:1]]
    drives += [case.table.leg(_site(case, a).key, _site(case, b).key)[0] for a, b in pairwise(rows)]
    rests = {} if not rows else _rests(case, courier, rows, drives, soonest, first=int(is_riding))
    legs: list[Leg] = []
    places: list[int] = []
    for number, (row, drive_s) in enumerate(zip(rows, drives, strict=True)):
        legs += rests.get(number, [])
        places.append(len(legs))
        direct_s = to_start_s + case.table.leg(courier.start, _site(case, row).key)[0]
        legs.append(_leg(rounds, rows[number - 1] if number else None, row, drive_s, direct_s))
    should_leave = rows[0].planned_s - drives[0] if rows else soonest
    return Way(legs, now_s, soonest, min(should_leave, soonest) if is_riding else should_leave), places


def _site(case: Case, row: Row) -> Site:
    return case.jobs[row.key].site(row.kind)


def _leg(rounds: Rounds, before: Row | None, row: Row, drive_s: int, direct_s: int) -> Leg:
    case, errors = rounds.case, rounds.errors
    job, site = case.jobs[row.key], _site(case, row)
    windows = job.pickup_windows if row.kind == "pickup" else job.delivery_windows
    due = None
    if row.kind == "pickup" and is_running(job.leg) and job.leg.due_at is not None:
        due = case.clock.seconds(job.leg.due_at)
    origin = None if before is None else _commune(rounds, before)
    ride = errors.ride(origin, _commune(rounds, row), row.planned_s // 3600 % 24)
    serving = errors.service(site.place["id"] if site.place["at"] == "shop" else None)
    service = service_s(site)
    return Leg(
        reckoned=Ahead(drive_s, windows, service, due),
        expected=Ahead(round(drive_s * ride.mean), windows, round(service * serving.mean), due),
        ride_s=drive_s * ride.deviation,
        service_s=service * serving.deviation,
        direct_s=round(direct_s * ride.mean),
    )


def _commune(rounds: Rounds, row: Row) -> str | None:
    """The code of the commune a stop lies in, None where it is not known."""
    place, snapshot = _site(rounds.case, row).place, rounds.snapshot
    if place["at"] == "shop":
        return snapshot.shops[place["id"]].commune_code
    if place["at"] == "office":
        return snapshot.offices[place["id"]].commune_code
    code: str | None = rounds.case.jobs[row.key].leg.address.get("commune_code")
    return code


def _rests(
    case: Case, courier: Courier, rows: Sequence[Row], drives: Sequence[int], soonest: int, *, first: int
) -> dict[int, list[Leg]]:
    """The rests still to come, before the stop where the plan leaves most time for each; from stop `first` on.

    A rest for which the plan leaves no time is not counted on.
    """
    ready = [soonest] + [row.planned_s + service_s(_site(case, row)) for row in rows[:-1]]
    found: dict[int, list[Leg]] = {}
    for rest in courier.breaks:
        opens, closes = rest.window
        spare = {
            number: row.planned_s - drive_s - max(at, opens)
            for number, (row, drive_s, at) in enumerate(zip(rows, drives, ready, strict=True))
            if number >= first and at <= closes
        }
        number = max(spare, key=lambda one: spare[one], default=None)
        if number is not None and spare[number] >= rest.duration_s:
            stop = Ahead(0, ((opens, FAR_S),), rest.duration_s)
            found.setdefault(number, []).append(Leg(stop, stop, 0.0, 0.0, 0, rest=True))
    return found
