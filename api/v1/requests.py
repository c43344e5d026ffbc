"""Quotes and requests of the shops: ask, read, list, cancel, follow."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.endpoint import Answer, Call, route
from api.problems import HttpProblem
from api.shapes.promises import PromiseHistory
from api.shapes.requests import QuoteAnswer, RequestMade, Requests, RequestShown, Steps, WhyOfRequest
from dispatch.domain.consignment import QuoteBody, RequestBody
from dispatch.domain.errors import Stale
from dispatch.domain.explain import explain
from dispatch.domain.hours import IsoDate
from dispatch.domain.moves import STATUSES
from dispatch.domain.outward import events_json, promise_json, request_json
from dispatch.domain.text import Instant, Line, Reference, Shape
from dispatch.flows import forecasting, intake
from dispatch.flows.assessing import assess
from dispatch.flows.recording import Scene, state_of
from dispatch.flows.sla_watch import touch
from dispatch.store.rows import Request

ASSESSED = (
    "unknown_shop",
    "unknown_commune",
    "invalid_dossier_code",
    "presence_required",
    "recipient_refuses_paper",
    "officer_confirmation_required",
    "notice_in_future",
    "calendar_never_opens",
)
"""What a body is refused for, whether a price is asked or a request made."""


class Listing(BaseModel):
    """Query of a list of requests."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=200)] | None = None
    status: Annotated[str, Field(pattern=f"^({'|'.join(STATUSES)})$")] | None = None
    external_ref: Reference | None = None
    updated_after: Instant | None = None
    authority_due_before: IsoDate | None = None


class Reason(Shape):
    """Why something is taken back."""

    reason: Annotated[Line, Field(min_length=1)]


class At(Shape):
    """When something happened."""

    at: Instant | None = None


class NoticeAt(Shape):
    """When the result was announced."""

    notice_at: Instant | None = None


def scene(call: Call) -> Scene:
    """The rules and the instant of this call."""
    return call.system.scene(call.now)


def own_shop(call: Call) -> str | None:
    """The only shop a caller may see; None for an operator, who sees all of its world."""
    return call.principal.shop_id if call.principal.scope == "shop" else None


def shown(call: Call, found: Request, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """A request as a read shows it, its promises foretold anew, with its version as ETag."""
    call.foretell()
    fresh = call.session.consignments.get(found.mode, found.id) or found
    legs = call.session.consignments.legs(found.id)
    body = request_json(fresh, legs, call.system.public_url)
    return Answer(body, status, {"ETag": f'"{fresh.version}"', **(headers or {})})


def for_change(call: Call, request_id: str) -> Request:
    """A request locked for a change by this caller; checks If-Match where the caller sent it."""
    found = touch(call.session, scene(call), call.mode, request_id, own_shop(call), change=True)
    expected = call.if_match()
    if expected is not None and expected != found.version:
        raise Stale(
            code="stale",
            vi=f"Yêu cầu đã đổi; phiên bản nay là {found.version}.",
            en=f"The request has changed; its version is now {found.version}.",
        )
    return found


@route(
    "POST",
    "/v1/quotes",
    tag="shop",
    out=QuoteAnswer,
    body=QuoteBody,
    idempotent=False,
    errors=ASSESSED,
)
def quote(call: Call) -> Any:
    """Price and promise a request without storing anything."""
    found = assess(call.session, scene(call), call.system.places, call.body, call.mode, own_shop(call))
    predicted = forecasting.of_quote(call.session, scene(call), call.system, found, call.body)
    told = found.to_json(call.body.kind, predicted)
    return told | {"why": why(told["quote"])}


@route(
    "POST",
    "/v1/requests",
    tag="shop",
    out=RequestMade,
    names={"request_id": "/id"},
    body=RequestBody,
    status=201,
    errors=(*ASSESSED, "duplicate_external_ref", "mandate_required"),
)
def create_request(call: Call) -> Any:
    """Ask for a pickup, a return or both; answers with the price and the promise."""
    prepared = intake.prepare(
        call.session,
        scene(call),
        call.system.places,
        call.body,
        call.mode,
        own_shop(call),
        call.principal.owner,
        call.system.settings.s10_prefix,
    )
    request, headers = prepared.request, {"Location": f"/v1/requests/{prepared.request.id}"}
    born = forecasting.at_birth(call.session, scene(call), call.system, prepared)
    if born is None:
        intake.keep(call.session, scene(call), prepared)
        call.session.stirred.request_ids.add(request.id)
        return shown(call, request, 201, headers)
    body = request_json(request, born.legs, call.system.public_url)
    kept = partial(intake.keep, call.session, scene(call), born)
    return Answer(body, 201, {"ETag": f'"{request.version}"', **headers}, keep=kept)


@route("GET", "/v1/requests/<request_id>", tag="shop", out=RequestShown)
def read_request(call: Call, request_id: str) -> Any:
    """Read one request."""
    found = touch(call.session, scene(call), call.mode, request_id, own_shop(call), change=False)
    return shown(call, found)


def _cursor(text: str | None) -> tuple[datetime, str] | None:
    if text is None:
        return None
    try:
        at, request_id = json.loads(base64.urlsafe_b64decode(text.encode()))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(request_id, str) or not request_id.isprintable():
            raise ValueError("not ours")
        return moment, request_id
    except (ValueError, TypeError) as error:
        raise HttpProblem(422, "validation_failed", "Con trỏ trang không đúng.", "The cursor is not ours.") from error


@route("GET", "/v1/requests", tag="shop", out=Requests, names={"request_id": "/data/0/id"}, query=Listing)
def list_requests(call: Call) -> Any:
    """List requests in the order they were created."""
    asked: Listing = call.query
    filters = asked.model_dump(
        include={"status", "external_ref", "updated_after", "authority_due_before"}, exclude_none=True
    )
    rows = call.session.consignments.page(call.mode, own_shop(call), filters, _cursor(asked.cursor), asked.limit + 1)
    page, more = rows[: asked.limit], len(rows) > asked.limit
    legs = call.session.consignments.legs_of([row.id for row in page])
    last = page[-1] if page else None
    token = None
    if more and last is not None:
        token = base64.urlsafe_b64encode(json.dumps([last.created_at.isoformat(), last.id]).encode()).decode()
    return {
        "data": [request_json(row, legs[row.id], call.system.public_url) for row in page],
        "next_cursor": token,
        "has_more": more,
    }


@route(
    "POST",
    "/v1/requests/<request_id>/cancel",
    tag="shop",
    out=RequestShown,
    reads=("If-Match",),
    body=Reason,
    errors=("already_collected", "already_ended"),
)
def cancel_request(call: Call, request_id: str) -> Any:
    """Take a request back; possible until the dossier was collected."""
    found = for_change(call, request_id)
    intake.cancel(call.session, scene(call), found, call.principal.owner, call.body.reason)
    return shown(call, found)


@route(
    "POST",
    "/v1/requests/<request_id>/e-returned",
    tag="shop",
    out=RequestShown,
    reads=("If-Match",),
    body=At,
    errors=("already_collected", "already_ended", "no_return_leg"),
)
def request_e_returned(call: Call, request_id: str) -> Any:
    """Say that the result went out electronically; the return leg ends without a fee."""
    found = for_change(call, request_id)
    intake.e_returned(call.session, scene(call), found, call.principal.owner, call.body.at or call.now)
    return shown(call, found)


@route(
    "POST",
    "/v1/requests/<request_id>/result-ready",
    tag="shop",
    out=RequestShown,
    reads=("If-Match",),
    body=NoticeAt,
    errors=("not_waiting_for_result", "no_return_leg", "notice_in_future", "calendar_never_opens"),
)
def result_ready(call: Call, request_id: str) -> Any:
    """Wake the return leg of a two-way request."""
    found = for_change(call, request_id)
    notice_at = call.body.notice_at or call.now
    intake.wake_return(call.session, scene(call), call.system.places, found, notice_at)
    return shown(call, found)


def why(quoted: Mapping[str, Any]) -> dict[str, list[str]]:
    """Why this amount, sentence by sentence, in both languages."""
    return {"vi": explain(quoted, "vi"), "en": explain(quoted, "en")}


@route("GET", "/v1/requests/<request_id>/why", tag="shop", out=WhyOfRequest)
def request_why(call: Call, request_id: str) -> Any:
    """Why this request costs what it costs: every line with its legal basis, in Vietnamese and English."""
    found = touch(call.session, scene(call), call.mode, request_id, own_shop(call), change=False)
    return {"request_id": found.id, "payable_by_citizen": found.quote["payable_by_citizen"], **why(found.quote)}


@route("GET", "/v1/requests/<request_id>/promise", tag="shop", out=PromiseHistory)
def request_promise(call: Call, request_id: str) -> Any:
    """The promises of a request as they stand, and everything that was foretold of them: when, by what model, why."""
    found = touch(call.session, scene(call), call.mode, request_id, own_shop(call), change=False)
    call.foretell()
    legs = call.session.consignments.legs(found.id)
    return {
        "request_id": found.id,
        "promise": [promise_json(leg) for leg in legs if not leg.asleep],
        "history": forecasting.history_json(call.session, found),
    }


@route("GET", "/v1/requests/<request_id>/events", tag="shop", out=Steps)
def request_events(call: Call, request_id: str) -> Any:
    """The whole history of a request: scanned and implied steps of every leg."""
    found = touch(call.session, scene(call), call.mode, request_id, own_shop(call), change=False)
    lines: list[dict[str, Any]] = []
    rows = {row.id: row for row in call.session.consignments.events(found.id)}
    for leg in call.session.consignments.legs(found.id):
        lines += events_json(leg.leg, state_of(call.session, found.id, leg.leg), rows)
    return {"data": sorted(lines, key=lambda line: line["occurred_at"])}
