"""Foretell the pickups nobody has yet: each is tried at its cheapest place among the couriers near it, and left there
on paper only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from dispatch.domain.forecasts import Forecast
from dispatch.domain.hours import local_date
from dispatch.flows.foreseeing import LateNotices, Parts, Rounds, Row, errors_of, foretold, untried
from dispatch.flows.problem import build
from dispatch.flows.snapshot import Snapshot, ground, read
from routing.draft import Draft
from routing.view import View

if TYPE_CHECKING:
    from dispatch.flows.recording import Scene
    from dispatch.flows.snapshot import OpenLeg
    from dispatch.store import Session
    from dispatch.store.rows import Courier

NEAREST = 12
"""So many couriers are asked at most: those of the office that answers for the leg first, then by distance."""
DAYS = 4
"""Today, and while nobody can come, the days after it: a weekend lies between at most."""


def offered(
    session: Session, scene: Scene, parts: Parts, mode: str, legs: Sequence[OpenLeg], late: LateNotices
) -> dict[str, Forecast]:
    """The forecast of legs that no round holds, by leg: where the couriers on duty could take them in.

    Legs of one office are tried together in the order they are due, so that they do not all count on the same time.
    """
    found: dict[str, Forecast] = {}
    for names in sorted({(leg.office_id or "", leg.shop_id if leg.office_id is None else "") for leg in legs}):
        group = [leg for leg in legs if (leg.office_id or "", leg.shop_id if leg.office_id is None else "") == names]
        found |= _of_office(session, scene, parts, mode, group, late)
    return found


def _of_office(
    session: Session, scene: Scene, parts: Parts, mode: str, legs: Sequence[OpenLeg], late: LateNotices
) -> dict[str, Forecast]:
    nobody = Forecast(scene.now, parts.errors.model, causes=(("no_courier_on_duty", None),))
    found, waiting = {leg.key: nobody for leg in legs}, list(legs)
    days = [local_date(scene.now) + timedelta(days=ahead) for ahead in range(DAYS)]
    days = [day for day in days if session.network.shifts(mode, day)]
    everybody = session.network.couriers(mode) if days else ()
    for day in days:
        on = ground(session, scene, mode, day, everybody)
        couriers = _nearest(on, waiting[0])
        if couriers:
            snapshot = read(session, scene, mode, day, riders=[one.id for one in couriers], on=on)
            found |= _tried(snapshot, scene, parts, couriers, waiting, late)
            # What runs on beyond the day and finds no place on it is tried on the next.
            waiting = [leg for leg in waiting if found[leg.key].breach_probability is None]
        if not waiting:
            break
    return found


def _nearest(on: Snapshot, leg: OpenLeg) -> list[Courier]:
    """Those who may serve a leg on the day: couriers on duty whose office lies in the province of its shop."""
    shop = on.shops[leg.shop_id]
    homes = {office.id for office in on.offices.values() if office.province_code == shop.province_code}
    ours = [one for one in on.couriers.values() if on.on_duty(one.id) and one.home_office_id in homes]
    lat, lng = leg.address.get("lat"), leg.address.get("lng")
    if leg.leg == "return" or lat is None or lng is None:
        lat, lng = shop.lat, shop.lng

    def far(courier: Courier) -> tuple[bool, float, str]:
        at = courier.base_lat, courier.base_lng
        if courier.last_lat is not None and courier.last_lng is not None:
            at = courier.last_lat, courier.last_lng
        east = (at[1] - lng) * math.cos(math.radians(lat))
        return courier.home_office_id != leg.office_id, math.hypot(at[0] - lat, east), courier.id

    return sorted(ours, key=far)[:NEAREST]


def _tried(
    snapshot: Snapshot,
    scene: Scene,
    parts: Parts,
    couriers: Sequence[Courier],
    wanted: Sequence[OpenLeg],
    late: LateNotices,
) -> dict[str, Forecast]:
    ids, keys = {one.id for one in couriers}, {leg.key for leg in wanted}
    theirs = {one.key for one in snapshot.open_tasks if one.day == snapshot.day and one.courier_id in ids} - keys
    legs = [leg for leg in snapshot.legs if leg.key in theirs or (leg.carried and leg.courier_id in ids)]
    case = build(
        snapshot,
        scene,
        parts.places,
        parts.travel,
        couriers,
        [*legs, *wanted],
        by_hand=theirs,
        moved_stop=0,
        name="offer",
    )
    rounds = Rounds(case, snapshot, errors_of(snapshot, parts), late)
    by_key = {leg.key: leg for leg in wanted}
    refused = {f"{one.request_id}/{one.leg}": one.code for one in case.left_out}
    found = {key: untried(rounds, by_key[key], code) for key, code in refused.items() if key in keys}
    view = View(case.problem)
    draft = Draft(view, view.sequences_of(case.in_force), {})
    for leg in sorted(wanted, key=lambda one: (one.due_at is None, one.due_at or scene.now, one.key)):
        if leg.key in found:
            continue
        spot = draft.spot(view.request_of[leg.key])
        if spot is None:
            found[leg.key] = untried(rounds, leg, "no_room")
        else:
            draft.insert(view.request_of[leg.key], spot)
    for trip, courier in zip(draft.trips, case.problem.couriers, strict=True):
        rows = [
            Row(view.problem.requests[stop // 2].id, "delivery" if stop % 2 else "pickup", start_s)
            for stop, start_s in zip(trip.order, trip.timing.start, strict=True)
        ]
        if any(row.key in keys for row in rows):
            told = foretold(rounds, courier, rows, of_route=False)
            found |= {key: word for key, word in told.items() if key in keys}
    return found
