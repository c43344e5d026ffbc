"""Rescue: ways to keep a promise in danger, each tried on the rounds as they stand, with its price for others.

Nothing is changed here; `flows/repairing` does what an offer says.
"""

from __future__ import annotations

import hashlib
import json
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain import rescue_words as words
from dispatch.domain.hours import local_date
from dispatch.domain.text import LOCAL, local_text
from dispatch.domain.unplanned import LeftOut
from dispatch.flows.assigning import wide_open
from dispatch.flows.drafting import unserved_json
from dispatch.flows.jobs import MARGIN_S
from dispatch.flows.problem import Case, build
from dispatch.flows.sites import CITIZEN_HOURS
from dispatch.flows.snapshot import HeldTask, OpenLeg, Snapshot, read
from dispatch.live.repairs import Repair, Situation, at_other_hours, moves, repairs
from routing import Unserved
from routing.explain import explain, explain_late
from routing.model import Late
from routing.reasons import reason_en, reason_vi
from routing.view import View

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import Courier, LegRow, Office, Request, Round
    from routing.travel import TravelModel

NEIGHBOURS = 3
"""How many other offices are asked for help, the nearest first."""
MOST_COURIERS = 24
SHOWN = 8
"""Offers shown at most."""
BEFORE_OPENING = timedelta(minutes=30)
"""How long before its first opening a counter may be asked to hand over; during its lunch it may be asked at any time.
No directive forbids or allows it: the shop decides when it is called (docs/rescue.md)."""
LOOKS = 60
"""How many changes are tried when a reason is sought."""
_ENDANGERED = ("RUNNING", "AT_RISK", "BREACHED")


@dataclass(frozen=True)
class Ground:
    """The rounds that may help, read as they stand; `now` is None where the leg cannot even be tried (`left_out`)."""

    request: Request
    leg: LegRow
    snapshot: Snapshot
    case: Case
    couriers: list[Courier]
    left_out: LeftOut | None
    now: Situation | None

    @property
    def key(self) -> str:
        """The leg's name in the problem."""
        return f"{self.leg.request_id}/{self.leg.leg}"

    def courier(self, index: int) -> Courier:
        """The courier of that number in the problem."""
        return self.snapshot.couriers[self.case.problem.couriers[index].id]


def endangered(leg: LegRow) -> bool:
    """Whether there is a promise to rescue: its clock runs, or ran out, and the post has not collected yet."""
    return not leg.closed and not leg.asleep and leg.promise_state in _ENDANGERED and not leg.promise["stopped_at"]


def ground(
    session: Session,
    scene: Scene,
    index: Index,
    travel: TravelModel,
    request: Request,
    leg: LegRow,
    courier_ids: Collection[str] | None = None,
) -> Ground:
    """Read who may help with a leg today (or those named) with all they have to do, and put it in numbers."""
    mode, day = request.mode, local_date(scene.now)
    held = [HeldTask(*row) for row in session.planning.open_tasks(mode)]
    ours = set(courier_ids or _helpers(session, scene, request, leg, held))
    ids = sorted({one.task.request_id for one in held if one.courier_id in ours and one.day == day} | {request.id})
    snapshot = read(session, scene, mode, day, request_ids=ids, courier_ids=sorted(ours))
    couriers = [snapshot.couriers[courier_id] for courier_id in sorted(ours) if courier_id in snapshot.couriers]
    key = f"{leg.request_id}/{leg.leg}"
    mine = {one.key for one in snapshot.open_tasks if one.courier_id in ours and one.day == day} | {key}
    legs = [one for one in snapshot.legs if one.key in mine or (one.carried and one.courier_id in ours)]
    case = build(snapshot, scene, index, travel, couriers, legs, moved_stop=0, name=request.id)
    left_out = next((one for one in case.left_out if (one.request_id, one.leg) == (leg.request_id, leg.leg)), None)
    return Ground(request, leg, snapshot, case, couriers, left_out, None if left_out else _situation(case, key))


def _helpers(session: Session, scene: Scene, request: Request, leg: LegRow, held: list[HeldTask]) -> list[str]:
    """Who has it now, then the couriers on duty of its office, then those of the nearest offices."""
    mode, day = request.mode, local_date(scene.now)
    shifts = {shift.courier_id: shift for shift in session.network.shifts(mode, day)}
    offices = {office.id: office for office in session.network.offices(mode)}
    near = _by_distance(session, request, offices)[: NEIGHBOURS + 1]
    holder = {one.courier_id for one in held if one.key == f"{leg.request_id}/{leg.leg}" and one.day == day}
    riding = [
        courier
        for courier in session.network.couriers(mode)
        if courier.id in shifts and shifts[courier.id].ends_at > scene.now
    ]
    found = [courier.id for courier in riding if courier.id in holder]
    for office in near:
        found += [one.id for one in riding if one.home_office_id == office.id and one.id not in holder]
    return found[:MOST_COURIERS]


def _by_distance(session: Session, request: Request, offices: dict[str, Office]) -> list[Office]:
    """The request's own post office, then the others as they lie around it (around the shop where it has none)."""
    own = offices.get(request.office_id or "")
    shop = session.network.shop(request.mode, request.shop_id)
    around = own or shop
    if around is None:
        return sorted(offices.values(), key=lambda office: office.id)
    squeeze = math.cos(math.radians(around.lat))

    def far(office: Office) -> tuple[bool, float, str]:
        away = math.hypot(office.lat - around.lat, (office.lng - around.lng) * squeeze)
        return office is not own, away, office.id

    return sorted(offices.values(), key=far)


def _situation(case: Case, key: str) -> Situation:
    view = View(case.problem)
    orders = view.sequences_of(case.in_force)
    wanted = view.request_of[key]
    holder = next((courier for courier, order in enumerate(orders) if 2 * wanted in order), None)
    due = [_due_s(case, case.jobs[one.id].leg) for one in case.problem.requests]
    return Situation(view, View(wide_open(case.problem), view.legs), orders, wanted, due, holder, MARGIN_S)


def _due_s(case: Case, leg: OpenLeg) -> int | None:
    """The second until which a running promise is kept; what is broken already is as urgent as ever, but not kept."""
    runs = leg.waiting and leg.promise.get("state") in _ENDANGERED and leg.promise.get("stopped_at") is None
    return case.clock.seconds(leg.due_at) if runs and leg.due_at is not None else None


def rescue(
    session: Session, scene: Scene, index: Index, travel: TravelModel, request: Request, leg: LegRow
) -> dict[str, Any]:
    """What `GET /v1/requests/{id}/rescue` answers: how things stand, ranked offers, and why none keeps the promise."""
    answer: dict[str, Any] = {
        "request_id": request.id,
        "leg": leg.leg,
        "promise_state": leg.promise_state,
        "due_at": local_text(leg.due_at) if leg.due_at else None,
        "at": local_text(scene.now),
        "present": None,
        "offers": [],
        "why_not": None,
    }
    if not endangered(leg):
        return answer
    found = ground(session, scene, index, travel, request, leg)
    pause = [_pause_offer(found)] if leg.promise_state != "BREACHED" else []
    if found.left_out is not None or found.now is None:
        told = None if found.left_out is None else found.left_out.to_json()
        return {**answer, "offers": pause, "why_not": told and _why(told)}
    ways = repairs(found.now)
    kept = [one for one in ways if one.in_time]
    call = None
    if not any(one.clean for one in ways):
        call = _call_offer(found, at_other_hours(found.now, _may_be_asked_from_s(found)))
    clean = [_offer(found, one) for one in ways if one.clean]
    rest = [_offer(found, one) for one in ways if not one.clean]
    offers = [*clean, *([call] if call else []), *rest][: SHOWN - len(pause)]
    kept_now = found.now.start_s is not None and found.now.start_s <= _due(found)
    return {
        **answer,
        "present": _present(found),
        "offers": [*offers, *pause],
        "why_not": None if kept or kept_now else _why_not(found, ways),
    }


def _due(found: Ground) -> int:
    assert found.leg.due_at is not None
    return found.case.clock.seconds(found.leg.due_at)


def _present(found: Ground) -> dict[str, Any]:
    assert found.now is not None and found.leg.due_at is not None
    start_s, holder = found.now.start_s, found.now.holder
    late_min = 0 if start_s is None else _minutes(start_s - _due(found))
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


def _offer(found: Ground, way: Repair) -> dict[str, Any]:
    courier = found.courier(way.courier)
    abroad = way.kind == "give" and courier.home_office_id != found.request.office_id and bool(found.request.office_id)
    kind = "help" if abroad else way.kind
    told = _moves(found, way)
    return {
        "id": _offer_id(found, _plan_of(found, way, told)),
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


def _plan_of(found: Ground, way: Repair, told: list[dict[str, Any]]) -> dict[str, Any]:
    """What an offer's id carries: whose rounds, which moves, and what was said of them."""
    names = ("request_id", "leg", "to_courier_id", "pickup_position", "delivery_position")
    return {
        "k": way.kind,
        "h": found.courier(way.courier).id,
        "c": sorted(found.courier(index).id for index in way.orders),
        "m": [[move[name] for name in names] for move in told],
        "p": [int(way.in_time), len(way.broken)],
    }


def _offer_id(found: Ground, plan: dict[str, Any]) -> str:
    """An id that says what to do and is good only for the rounds and the leg as they are now."""
    text = json.dumps(plan, separators=(",", ":"))
    mark = state_mark(found.leg, found.snapshot.rounds, text, plan.get("c", ()))
    return f"rsc_{urlsafe_b64encode(text.encode()).decode().rstrip('=')}.{mark}"


def state_mark(leg: LegRow, rounds: Mapping[str, Round], text: str, courier_ids: Collection[str]) -> str:
    """A mark of a leg, of the rounds of these couriers, and of what is to be done, as they stand."""
    versions = {one: rounds[one].version for one in sorted(courier_ids) if one in rounds}
    stands = [leg.request_id, leg.leg, leg.status, leg.courier_id, str(leg.due_at), versions, text]
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


def _call_offer(found: Ground, way: Repair | None) -> dict[str, Any] | None:
    """Ask for other hours, where that and nothing else keeps the promise: a call, which no system can make."""
    if way is None or not way.clean:
        return None
    site, courier = found.case.jobs[found.key].site("pickup"), found.courier(way.courier)
    citizen = found.request.body["citizen"] if site.place["at"] == "citizen" else None
    plan = {**_plan_of(found, way, _moves(found, way)), "k": "ask_earlier"}
    return {
        "id": _offer_id(found, plan),
        "kind": "ask_earlier",
        "text": words.ask_earlier(site.place["name"], courier.name, _outcome(found, way)),
        "courier_id": courier.id,
        "office_id": courier.home_office_id,
        **_measured(found, way),
        "moves": _moves(found, way),
        "applies": False,
        "call": words.call_json(site.place, citizen["phone"] if citizen else None),
    }


def _pause_offer(found: Ground) -> dict[str, Any]:
    """The clock may be stopped where the citizen (pickup leg) or the shop (return leg) is the cause."""
    party = "CITIZEN" if found.leg.leg == "pickup" else "SHOP"
    return {
        "id": _offer_id(found, {"k": "pause", "y": party}),
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


def _why_not(found: Ground, ways: list[Repair]) -> dict[str, Any]:
    """Why nothing keeps the promise, and the smallest change that would, found by trying."""
    now = found.now
    assert now is not None
    asked = now.view.problem.requests[now.wanted]
    promised = replace(asked, pickup=replace(asked.pickup, due=now.due[now.wanted]))  # without the planner's margin
    view = now.view.with_request(now.wanted, promised)
    orders = [list(order) for order in now.orders]
    if ways:
        for courier, order in ways[0].orders.items():
            orders[courier] = order
    if any(2 * now.wanted in order for order in orders):
        for late in explain_late(view, orders, {}, _few(LOOKS), only=(now.wanted,)):
            return _why(_late_json(found, late))
    bare = [[stop for stop in order if stop // 2 != now.wanted] for order in orders]
    (entry,) = explain(view, bare, [now.wanted], {}, _few(LOOKS))
    return _why(unserved_json(found.case, entry))


def _late_json(found: Ground, late: Late) -> dict[str, Any]:
    told = unserved_json(found.case, Unserved(late.request, late.code, late.detail, late.change))
    return {**told, "reason": {"vi": reason_vi(late), "en": reason_en(late)}}


def _why(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("code", "reason", "change")}


def _few(looks: int) -> Callable[[], bool]:
    """A stop after so many looks: the same question has the same answer on any machine."""
    left = iter(range(looks))
    return lambda: next(left, None) is None
