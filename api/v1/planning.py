"""Plans, the operations that make them, and giving requests to couriers by hand."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.codes import CANNOT_BE_GIVEN
from api.endpoint import Answer, Call, operation_answer, route
from api.problems import HttpProblem
from api.shapes.base import Accepted, OperationShown
from api.shapes.planning import PlanShown, Rescue, Undone
from api.shapes.requests import RequestAssigned, RequestShown
from api.v1.requests import for_change, scene, shown
from dispatch.domain.errors import NotFound, Stale
from dispatch.domain.hours import IsoDate
from dispatch.domain.text import Line, ProvinceCode, Shape, Word, local_text
from dispatch.flows import (
    assigning,
    bulk_intake,
    committing,
    exceptions,
    import_results,
    planning,
    repairing,
    rescuing,
    undoing,
)
from dispatch.flows.sla_watch import touch
from dispatch.store.rows import Operation, Plan

OPERATOR = ("operator",)


class PlanBody(Shape):
    """What to plan: one province or one post office on one date; `replan` counts what moves while couriers ride."""

    province_code: ProvinceCode | None = None
    office_id: Word | None = None
    date: IsoDate
    mode: Literal["day", "replan"] = "replan"
    seconds: Annotated[int, Field(ge=1, le=120)] = 5

    @model_validator(mode="after")
    def _one_area(self) -> Self:
        if (self.province_code is None) == (self.office_id is None):
            raise PydanticCustomError("one_area", "names either province_code or office_id")
        return self

    @property
    def area(self) -> str:
        """The area in one word."""
        return f"province:{self.province_code}" if self.province_code else f"office:{self.office_id}"


class AssignBody(Shape):
    """Who gets a request; `position` counts the open stops ahead of it, `lock` ties it to him."""

    courier_id: Word
    position: Annotated[int, Field(ge=0, le=10_000)] | None = None
    lock: bool = False


class RescueBody(Shape):
    """The offer to take, by the id that the list of offers shows; a pause needs its reason."""

    offer_id: Annotated[str, Field(min_length=8, max_length=2000, pattern=r"^[A-Za-z0-9_.=-]+$")]
    reason: Line = ""


@route(
    "POST",
    "/v1/plans",
    tag="operator",
    out=Accepted,
    names={"operation_id": "/id"},
    scopes=OPERATOR,
    body=PlanBody,
    status=202,
    errors=("date_in_past", "unknown_area"),
)
def make_plan(call: Call) -> Any:
    """Work out a draft plan; live rounds are not touched."""
    body: PlanBody = call.body
    operation_id = planning.ask(
        call.session,
        scene(call),
        mode=call.mode,
        area=body.area,
        day=body.date,
        plan_mode=body.mode,
        seconds=body.seconds,
        owner=call.principal.owner,
    )
    return operation_answer(operation_id)


def _undoable(call: Call, kind: str, subject: str) -> AbstractContextManager[dict[str, Any]]:
    return undoing.undoable(call.session, scene(call), call.mode, kind, subject, call.principal.owner)


@route(
    "POST", "/v1/undo", tag="operator", out=Undone, scopes=OPERATOR, errors=("nothing_to_undo", "test_clock_backwards")
)
def undo(call: Call) -> Any:
    """Take back this user's last commit, discarding, assigning or rescue of the last 60 seconds."""
    return undoing.undo(call.session, scene(call), call.mode, call.principal.owner)


def _plan(call: Call, plan_id: str) -> Plan:
    found = call.session.planning.plan(call.mode, plan_id)
    if found is None:
        raise planning.no_such_plan()
    return found


def _plan_answer(plan: Plan) -> Answer:
    return Answer(planning.shown(plan), headers={"ETag": f'"{plan.version}"'})


@route("GET", "/v1/plans/<plan_id>", tag="operator", out=PlanShown, scopes=OPERATOR)
def read_plan(call: Call, plan_id: str) -> Any:
    """Read a plan: routes, what is left out and why, cost against the plan in force, and the difference."""
    return _plan_answer(_plan(call, plan_id))


@route(
    "POST",
    "/v1/plans/<plan_id>/commit",
    tag="operator",
    out=PlanShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    errors=("precondition_required", "stale", "plan_not_draft", "plan_base_changed", "plan_empty"),
)
def commit_plan(call: Call, plan_id: str) -> Any:
    """Put a draft into force; `If-Match` names the version that was seen."""
    expected = call.if_match()
    if expected is None:
        raise HttpProblem(
            428,
            "precondition_required",
            "Cần tiêu đề If-Match với phiên bản kế hoạch đã xem.",
            "The header If-Match must name the version of the plan you have seen.",
        )
    with _undoable(call, "commit", plan_id) as kept:
        plan = committing.commit(
            call.session,
            scene(call),
            call.system.places,
            call.system.travel,
            plan_id,
            call.mode,
            expected,
            call.principal.owner,
        )
        kept["area_version"] = call.session.planning.area_version(call.mode, plan.area, plan.date)
    return _plan_answer(plan)


@route(
    "POST",
    "/v1/plans/<plan_id>/discard",
    tag="operator",
    out=PlanShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    errors=("stale", "plan_not_draft"),
)
def discard_plan(call: Call, plan_id: str) -> Any:
    """Put a draft away."""
    plan = call.session.planning.plan(call.mode, plan_id, lock=True)
    if plan is None:
        raise planning.no_such_plan()
    expected = call.if_match()
    if expected is not None and expected != plan.version:
        raise Stale(
            code="stale",
            vi=f"Kế hoạch đã đổi; phiên bản nay là {plan.version}.",
            en=f"The plan has changed; its version is now {plan.version}.",
        )
    with _undoable(call, "discard", plan_id):
        planning.discard(call.session, plan)
    return _plan_answer(_plan(call, plan_id))


def _operation(call: Call, operation_id: str) -> Operation:
    """An operation the caller may see: an operator all of its world, a shop its own."""
    found = call.session.planning.operation(call.mode, operation_id)
    if found is None or not _may_see(call, found):
        raise NotFound(code="not_found", vi="Không có tác vụ này.", en="There is no such operation.")
    return found


def _may_see(call: Call, found: Operation) -> bool:
    mine = call.principal.owner == found.owner
    return mine or call.principal.scope == "operator" or bulk_intake.is_of(found, call.principal.shop_id)


def _operation_json(call: Call, found: Operation) -> dict[str, Any]:
    error = found.error
    if error is not None and isinstance(error.get("message"), dict):
        error = {**error, "message": error["message"][call.lang]}
    return {
        "id": found.id,
        "kind": found.kind,
        "status": found.status,
        "progress": found.progress,
        "result": import_results.result_json(call.session, found, call.lang),
        "error": error,
        "created_at": local_text(found.created_at),
        "updated_at": local_text(found.updated_at),
    }


@route("GET", "/v1/operations/<operation_id>", tag="shop", out=OperationShown)
def read_operation(call: Call, operation_id: str) -> Any:
    """How far a long piece of work is, and what came of it."""
    return _operation_json(call, _operation(call, operation_id))


@route("POST", "/v1/operations/<operation_id>/cancel", tag="shop", out=OperationShown, errors=("operation_ended",))
def cancel_operation(call: Call, operation_id: str) -> Any:
    """Stop a long piece of work.

    A plan that is being worked out ends within seconds, with the best so far as its draft in `result.plan_id`; an
    import ends after the batch in hand, and what was taken in stays.
    """
    found = _operation(call, operation_id)
    if found.kind == bulk_intake.KIND:
        bulk_intake.cancel(call.session, found, call.now)
    else:
        planning.cancel(call.session, found)
    return _operation_json(call, _operation(call, operation_id))


@route(
    "POST",
    "/v1/requests/<request_id>/assign",
    tag="operator",
    out=RequestAssigned,
    reads=("If-Match",),
    scopes=OPERATOR,
    body=AssignBody,
    errors=(
        "unknown_courier",
        "courier_off_duty",
        "already_collected",
        "already_ended",
        "calendar_never_opens",
        *CANNOT_BE_GIVEN,
    ),
)
def assign_request(call: Call, request_id: str) -> Any:
    """Give a request to a courier by hand; answers with what this breaks, and refuses only what cannot be."""
    body: AssignBody = call.body
    found = for_change(call, request_id)
    with _undoable(call, "assign", found.id):
        violations = assigning.assign(
            call.session,
            scene(call),
            call.system.places,
            call.system.travel,
            found,
            body.courier_id,
            body.position,
            body.lock,
            call.principal.owner,
        )
    call.session.access.audit(
        call.mode, call.now, call.principal.owner, "request.assigned", found.id, body.model_dump(mode="json")
    )
    answer = shown(call, found)
    answer.body["violations"] = violations
    return answer


@route(
    "GET",
    "/v1/requests/<request_id>/rescue",
    tag="operator",
    errors=("calendar_never_opens",),
    out=Rescue,
    scopes=OPERATOR,
)
def read_rescue(call: Call, request_id: str) -> Any:
    """Ranked ways to keep this promise, each with its price for others; where none keeps it, why not."""
    found = touch(call.session, scene(call), call.mode, request_id, None, change=False)
    leg = exceptions.leg_of(call.session, found)
    return rescuing.rescue(call.session, scene(call), call.system.places, call.system.travel, found, leg)


@route(
    "POST",
    "/v1/requests/<request_id>/rescue",
    tag="operator",
    out=RequestShown,
    scopes=OPERATOR,
    body=RescueBody,
    errors=(
        "unknown_offer",
        "reason_required",
        "rescue_outdated",
        "rescue_needs_call",
        "promise_not_running",
        "pause_refused",
        "courier_off_duty",
        "test_clock_backwards",
        "calendar_never_opens",
    ),
)
def apply_rescue(call: Call, request_id: str) -> Any:
    """Do what one offer of a rescue says, if all it was reckoned from still stands."""
    body: RescueBody = call.body
    with _undoable(call, "rescue", request_id) as kept:
        kept |= repairing.apply(
            call.session,
            scene(call),
            call.system.places,
            call.system.travel,
            call.mode,
            request_id,
            body.offer_id,
            body.reason,
            call.principal.owner,
        )
    return shown(call, touch(call.session, scene(call), call.mode, request_id, None, change=False))


@route(
    "POST",
    "/v1/requests/<request_id>/unassign",
    tag="operator",
    out=RequestShown,
    reads=("If-Match",),
    scopes=OPERATOR,
    errors=("not_assigned", "already_collected"),
)
def unassign_request(call: Call, request_id: str) -> Any:
    """Take a request out of its courier's round by hand."""
    found = for_change(call, request_id)
    with _undoable(call, "unassign", found.id):
        assigning.unassign(call.session, scene(call), found, call.principal.owner)
    call.session.access.audit(call.mode, call.now, call.principal.owner, "request.unassigned", found.id, {})
    return shown(call, found)
