"""What goes another way: redirect, loss, damage, compensation, reopening, pauses, refused hand-overs, closing."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from api.endpoint import Answer, Call, route
from api.problems import HttpProblem
from api.shapes.requests import Compensation, RequestShown
from api.v1.requests import for_change, scene, shown
from dispatch.domain.consignment import Address, Leg
from dispatch.domain.hours import IsoDate
from dispatch.domain.moves import GOING_BACK
from dispatch.domain.text import Dong, Instant, Line, Shape, ShortLine
from dispatch.flows import exceptions
from dispatch.flows.redirecting import redirect
from dispatch.store.rows import LegRow, Request

OPERATOR = ("operator",)
Text = Annotated[Line, Field(min_length=1)]


class Why(Shape):
    """Why somebody decides about a leg; without `leg` the active one is meant."""

    reason: Text
    leg: Leg | None = None


class RedirectBody(Shape):
    """Where the citizen is to be found now."""

    address: Address


class CompensateBody(Shape):
    """The minutes of liability and what issuing the papers again costs, in đồng."""

    minutes_at: Instant | None = None
    reissue_costs: Dong = 0
    reason: Line = ""
    leg: Leg | None = None


class SupplementBody(Why):
    """What is missing, and whose fault it is: he pays the repeated carriage (QĐ 45/2016/QĐ-TTg art 12.4)."""

    at_fault: Literal["CITIZEN", "SHOP", "POST"]


class AppointmentSlipBody(Shape):
    """The receipt and appointment slip the shop gave."""

    slip_no: Annotated[ShortLine, Field(min_length=1)]
    due_on: IsoDate | None = None


class PauseBody(Why):
    """Why the clock stands, and on whose side the cause lies."""

    party: Literal["CITIZEN", "SHOP", "AUTHORITY", "POST", "FORCE_MAJEURE"]


class ResumeBody(Shape):
    """Which clock runs on, and why."""

    reason: Line = ""
    leg: Leg | None = None


def _supervised(call: Call) -> None:
    """Some decisions are a supervisor's; an operator's key counts as one."""
    if call.principal.role not in ("", "supervisor"):
        raise HttpProblem(
            403,
            "role_not_allowed",
            "Chỉ kiểm soát viên được quyết định việc này.",
            "Only a supervisor may decide this.",
        )


def _subject(call: Call, request_id: str) -> tuple[Request, LegRow]:
    found = for_change(call, request_id)
    return found, exceptions.leg_of(call.session, found, getattr(call.body, "leg", None))


def _decided(call: Call, request_id: str, event: str, **payload: Any) -> Answer:
    found, leg = _subject(call, request_id)
    exceptions.decide(call.session, scene(call), found, leg.leg, event, call.principal.owner, payload)
    return shown(call, found)


@route(
    "POST",
    "/v1/requests/<request_id>/redirect",
    tag="shop",
    out=RequestShown,
    reads=("If-Match",),
    body=RedirectBody,
    errors=("redirect_too_late", "unknown_commune", "calendar_never_opens"),
)
def redirect_request(call: Call, request_id: str) -> Any:
    """Give a new address before delivery: priced anew before collection, a second carriage after it."""
    found = for_change(call, request_id)
    redirect(call.session, scene(call), call.system.places, found, call.body.address, call.principal.owner)
    return shown(call, found)


@route(
    "POST",
    "/v1/requests/<request_id>/lost",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=Why,
    errors=("illegal_transition", "role_not_allowed"),
)
def request_lost(call: Call, request_id: str) -> Any:
    """Say that an item in the post's hands is lost; it is investigated."""
    _supervised(call)
    return _decided(call, request_id, "lost", reason=call.body.reason)


@route(
    "POST",
    "/v1/requests/<request_id>/damaged",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=Why,
    errors=("illegal_transition", "role_not_allowed"),
)
def request_damaged(call: Call, request_id: str) -> Any:
    """Say that an item in the post's hands is damaged; it is investigated."""
    _supervised(call)
    return _decided(call, request_id, "damaged", reason=call.body.reason)


@route(
    "POST",
    "/v1/requests/<request_id>/found",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=Why,
    errors=("illegal_transition",),
)
def request_found(call: Call, request_id: str) -> Any:
    """Say that a lost item was found; it lies at the post office and goes on."""
    return _decided(call, request_id, "found", reason=call.body.reason)


@route(
    "POST",
    "/v1/requests/<request_id>/compensate",
    tag="operator",
    out=Compensation,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=CompensateBody,
    errors=("nothing_to_compensate", "minutes_in_future", "role_not_allowed"),
)
def compensate_request(call: Call, request_id: str) -> Any:
    """Set the compensation of a lost or damaged item: four list prices and the costs of issuing the papers again."""
    _supervised(call)
    body: CompensateBody = call.body
    found, leg = _subject(call, request_id)
    return exceptions.compensate(
        call.session,
        scene(call),
        found,
        leg,
        call.principal.owner,
        minutes_at=body.minutes_at or call.now,
        reissue_costs=body.reissue_costs,
        reason=body.reason,
    )


@route(
    "POST",
    "/v1/requests/<request_id>/reopen",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=Why,
    errors=("illegal_transition", "another_leg_is_live", "role_not_allowed"),
)
def reopen_request(call: Call, request_id: str) -> Any:
    """Let a leg go on that was ended in error; its charge lives again, its promise is judged afresh."""
    _supervised(call)
    found, leg = _subject(call, request_id)
    exceptions.reopen(call.session, scene(call), found, leg, call.principal.owner, call.body.reason)
    return shown(call, found)


@route(
    "POST",
    "/v1/requests/<request_id>/close",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=Why,
    errors=("illegal_transition",),
)
def close_request(call: Call, request_id: str) -> Any:
    """Close a leg that was handed over, delivered, returned or compensated."""
    return _decided(call, request_id, "closed", reason=call.body.reason)


@route(
    "POST",
    "/v1/requests/<request_id>/appointment",
    tag="shop",
    out=RequestShown,
    reads=("If-Match",),
    body=AppointmentSlipBody,
    errors=("illegal_transition",),
)
def note_appointment(call: Call, request_id: str) -> Any:
    """Note the appointment slip of a dossier that was handed over (QĐ 45/2016/QĐ-TTg art 7)."""
    body: AppointmentSlipBody = call.body
    due_on: date | None = body.due_on
    found = for_change(call, request_id)
    noted = {"slip_no": body.slip_no, "due_on": None if due_on is None else due_on.isoformat()}
    leg = exceptions.leg_of(call.session, found, "pickup").leg
    exceptions.decide(call.session, scene(call), found, leg, "appointment_noted", call.principal.owner, noted)
    return shown(call, found)


@route(
    "POST",
    "/v1/requests/<request_id>/supplement",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=SupplementBody,
    errors=("illegal_transition",),
)
def request_supplement(call: Call, request_id: str) -> Any:
    """Ask for what is missing of a dossier the shop refused; whoever is at fault pays the repeated carriage."""
    return _decided(call, request_id, "supplement_requested", reason=call.body.reason, at_fault=call.body.at_fault)


@route(
    "POST",
    "/v1/requests/<request_id>/back-to-sender",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=Why,
    errors=("illegal_transition",),
)
def send_back(call: Call, request_id: str) -> Any:
    """Send a refused item back now: a dossier to the citizen, a result to the shop."""
    _, leg = _subject(call, request_id)
    event = "returning" if leg.leg == "return" and leg.status in GOING_BACK else "back_to_sender"
    return _decided(call, request_id, event, reason=call.body.reason)


@route(
    "POST",
    "/v1/requests/<request_id>/pause",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=PauseBody,
    errors=("promise_not_running", "pause_refused"),
)
def pause_promise(call: Call, request_id: str) -> Any:
    """Let the clock of a promise stand while the cause lies with somebody else."""
    found, leg = _subject(call, request_id)
    body: PauseBody = call.body
    exceptions.pause(call.session, scene(call), found, leg, call.principal.owner, body.reason, body.party)
    return shown(call, found)


@route(
    "POST",
    "/v1/requests/<request_id>/resume",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=ResumeBody,
    errors=("promise_not_running",),
)
def resume_promise(call: Call, request_id: str) -> Any:
    """Let a standing clock run on with the minutes it had left."""
    found, leg = _subject(call, request_id)
    exceptions.resume(call.session, scene(call), found, leg, call.principal.owner, call.body.reason)
    return shown(call, found)
