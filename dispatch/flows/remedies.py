"""Offers of a rescue as a coordinator reads them; their ids say what to do, and from what they were reckoned."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field

from dispatch.domain import rescue_words as words
from dispatch.domain.errors import invalid
from dispatch.domain.text import LOCAL, Shape, Word, local_text
from dispatch.flows.sites import CITIZEN_HOURS
from dispatch.live.repairs import Kind, Repair, at_other_hours, moves

if TYPE_CHECKING:
    from dispatch.flows.grounds import Ground
    from dispatch.store.rows import LegRow, Round

Position = Annotated[int, Field(ge=0, le=100_000)]
BEFORE_OPENING = timedelta(minutes=30)
"""How long before its first opening a counter may be asked to hand over; during its lunch it may be asked at any time.
No directive forbids or allows it: the shop decides when it is called (docs/rescue.md)."""


class Step(NamedTuple):
    """One leg that changes place: to whom, and at which positions of his tasks."""

    request_id: Word
    leg: Word
    courier_id: Word
    first: Position
    second: Position


class Carried(Shape):
    """What an offer's id carries: whose rounds change and how, and what was said of it."""

    kind: Kind
    host: str = ""
    courier_ids: list[Word] = []
    steps: list[Step] = []
    in_time: bool = False
    broken: Position = 0
    party: Literal["CITIZEN", "SHOP"] | None = None


def present(found: Ground) -> dict[str, Any]:
    """What happens if nobody does anything."""
    assert found.now is not None and found.leg.due_at is not None
    start_s, holder = found.now.start_s, found.now.holder
    late_min = 0 if start_s is None else _minutes(start_s - found.due_s)
    planned_at = None if start_s is None else found.case.clock.at(start_s)
    courier = None if holder is None else found.courier(holder)
    return {
        "courier_id": courier.id if courier else None,
        "planned_at": local_text(planned_at) if planned_at else None,
        "late_min": late_min,
        "keeps_promise": start_s is not None and not late_min,
        "text": words.present(courier.name if courier else None, planned_at, found.leg.due_at, late_min),
    }


def _minutes(seconds: int) -> int:
    """Whole minutes, begun ones counted; 0 for what is not late."""
    return max(0, -(-seconds // 60))


def offer(found: Ground, way: Repair) -> dict[str, Any]:
    """One way as an offer."""
    courier = found.courier(way.courier)
    kind = "help" if way.kind == "give" and courier.home_office_id != found.office_id else way.kind
    told = _moves(found, way)
    return {
        "id": _offer_id(found, _carried(found, way.kind, way)),
        "kind": kind,
        "text": _text(found, kind, way, told),
        "courier_id": courier.id,
        "office_id": courier.home_office_id,
        **_measured(found, way),
        "moves": told,
        "applies": True,
        "call": None,
    }


def _measured(found: Ground, way: Repair) -> dict[str, Any]:
    outcome = _outcome(found, way)
    return {
        "pickup_at": local_text(outcome.pickup_at),
        "sooner_min": outcome.sooner_min,
        "slack_min": outcome.slack_min,
        "keeps_promise": way.in_time,
        "others": outcome.price.to_json(),
        "extra_m": way.extra_m,
    }


def _outcome(found: Ground, way: Repair) -> words.Outcome:
    assert found.now is not None
    was_s = found.now.start_s
    price = words.Price(len(way.later), _minutes(max(way.later.values(), default=0)), len(way.broken))
    sooner_min = None if was_s is None else (was_s - way.start_s) // 60
    slack_min = way.slack_s // 60 if way.in_time else -_minutes(-way.slack_s)
    return words.Outcome(found.case.clock.at(way.start_s), sooner_min, slack_min, price)


def _moves(found: Ground, way: Repair) -> list[dict[str, Any]]:
    """Which legs change place: from whom, to whom, and at which positions of his tasks."""
    assert found.now is not None
    told = []
    for request, courier, first, second in moves(found.now, way.orders):
        leg = found.case.jobs[found.case.problem.requests[request].id].leg
        before = next((c for c, order in enumerate(found.now.orders) if 2 * request in order), None)
        told.append(
            {
                "request_id": leg.request_id,
                "leg": leg.leg,
                "from_courier_id": None if before is None else found.courier(before).id,
                "to_courier_id": found.courier(courier).id,
                "pickup_position": first,
                "delivery_position": second,
            }
        )
    return told


def _text(found: Ground, kind: str, way: Repair, told: list[dict[str, Any]]) -> words.Words:
    courier, outcome = found.courier(way.courier), _outcome(found, way)
    if kind == "swap":
        others = [move["to_courier_id"] for move in told if move["request_id"] != found.request.id]
        names = [found.snapshot.couriers[courier_id].name for courier_id in dict.fromkeys(others)]
        return words.swap(courier.name, names, len(others), outcome)
    if kind == "help":
        return words.help_from(courier.name, found.snapshot.offices[courier.home_office_id].name, outcome)
    return words.earlier(courier.name, outcome) if kind == "earlier" else words.give(courier.name, outcome)


def _carried(found: Ground, kind: Kind, way: Repair) -> Carried:
    assert found.now is not None
    steps = []
    for request, courier, first, second in moves(found.now, way.orders):
        leg = found.case.jobs[found.case.problem.requests[request].id].leg
        step = Step(leg.request_id, leg.leg, found.courier(courier).id, first, second)
        steps.append(step)
    couriers = sorted(found.courier(index).id for index in way.orders)
    host = found.courier(way.courier).id
    return Carried(kind=kind, host=host, courier_ids=couriers, steps=steps, in_time=way.in_time, broken=len(way.broken))


def _offer_id(found: Ground, told: Carried) -> str:
    """An id that says what to do and is good only for the rounds and the leg as they are now."""
    text = told.model_dump_json(exclude_defaults=True)
    mark = state_mark(found.leg, found.snapshot.rounds, told)
    return f"rsc_{urlsafe_b64encode(text.encode()).decode().rstrip('=')}.{mark}"


def taken_apart(offer_id: str) -> tuple[Carried, str]:
    """What an offer's id carries, and its mark. Raises `Invalid` (`unknown_offer`)."""
    body, _, mark = offer_id.removeprefix("rsc_").partition(".")
    try:
        text = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return Carried.model_validate_json(text), mark
    except ValueError as error:  # not base 64, not JSON, or not such a thing
        vi, en = "Không có phương án này.", "There is no such offer."
        raise invalid("/offer_id", "unknown_offer", vi, en) from error


def state_mark(leg: LegRow, rounds: Mapping[str, Round], told: Carried) -> str:
    """A mark of a leg, of the rounds of an offer's couriers, and of what is to be done, as they stand."""
    versions = {one: rounds[one].version for one in told.courier_ids if one in rounds}
    stands = [leg.request_id, leg.leg, leg.status, leg.courier_id, str(leg.due_at), versions, told.model_dump_json()]
    return hashlib.sha256(json.dumps(stands).encode()).hexdigest()[:16]


def _may_be_asked_from_s(found: Ground) -> int:
    """From which second the place of collection may be asked to open: a counter on its working day, a door by day."""
    site, clock, snapshot = found.case.jobs[found.key].site("pickup"), found.case.clock, found.snapshot
    first = datetime.combine(clock.day, CITIZEN_HOURS[0], LOCAL)
    if site.place["at"] == "shop":
        span = snapshot.calendars[snapshot.shops[found.request.shop_id].hours_profile].operating_span(clock.day)
        assert span is not None, "a leg to a closed shop is left out"
        first = span[0] - BEFORE_OPENING
    return max(clock.now_s, clock.seconds(first))


def call(found: Ground) -> dict[str, Any] | None:
    """Ask for other hours, where that and nothing else keeps the promise: a call, which no system can make."""
    assert found.now is not None
    way = at_other_hours(found.now, _may_be_asked_from_s(found))
    if way is None or not way.clean:
        return None
    site, courier = found.case.jobs[found.key].site("pickup"), found.courier(way.courier)
    citizen = found.request.body["citizen"] if site.place["at"] == "citizen" else None
    return {
        "id": _offer_id(found, _carried(found, "ask_earlier", way)),
        "kind": "ask_earlier",
        "text": words.ask_earlier(site.place["name"], courier.name, _outcome(found, way)),
        "courier_id": courier.id,
        "office_id": courier.home_office_id,
        **_measured(found, way),
        "moves": _moves(found, way),
        "applies": False,
        "call": words.call_json(site.place, citizen["phone"] if citizen else None),
    }


def pause(found: Ground) -> dict[str, Any]:
    """The clock may be stopped where the citizen (pickup leg) or the shop (return leg) is the cause."""
    party: Literal["CITIZEN", "SHOP"] = "CITIZEN" if found.leg.leg == "pickup" else "SHOP"
    return {
        "id": _offer_id(found, Carried(kind="pause", party=party)),
        "kind": "pause",
        "text": words.ask_pause(party),
        "party": party,
        "courier_id": None,
        "office_id": None,
        "pickup_at": None,
        "sooner_min": None,
        "slack_min": None,
        "keeps_promise": None,
        "others": words.Price(0, 0, 0).to_json(),
        "extra_m": 0,
        "moves": [],
        "applies": True,
        "call": None,
    }
