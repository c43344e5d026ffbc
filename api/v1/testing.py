"""Test mode's one call more: play a courier's event without a courier."""

from __future__ import annotations

from typing import Any

from api.codes import GUARD
from api.endpoint import Call, route
from api.problems import HttpProblem
from api.shapes.requests import RequestShown
from api.v1.requests import own_shop, shown
from dispatch.domain.errors import Conflict, invalid
from dispatch.domain.fieldwork import TEST_PAYLOADS, missing_guard
from dispatch.domain.moves import COURIER_EVENTS, NEVER_UNDONE
from dispatch.domain.text import Instant, PlainObject, Shape, Word, local_text
from dispatch.domain.tracking import Event, LegState, may
from dispatch.flows.recording import Happening, record, state_of
from dispatch.flows.sla_watch import touch
from dispatch.store.rows import Request

TEST_COURIER = "test-courier"


class Advance(Shape):
    """An event to play, as if scanned at `at`."""

    event: Word
    at: Instant | None = None
    payload: PlainObject = {}


@route(
    "POST",
    "/v1/test/requests/<request_id>/advance",
    tag="test",
    out=RequestShown,
    scopes=("shop", "operator", "courier"),
    body=Advance,
    idempotent=False,
    errors=(GUARD, "illegal_transition", "test_clock_backwards", "test_mode_only"),
)
def advance(call: Call, request_id: str) -> Any:
    """Play a courier's event on a test request, under the same order of states as the real one."""
    if call.mode != "test":
        raise HttpProblem(403, "test_mode_only", "Chỉ dùng với khóa thử.", "This works with test keys only.")
    asked: Advance = call.body
    if asked.event not in COURIER_EVENTS | {"assigned", "unassigned"}:
        raise invalid("/event", "validation_failed", "Không có sự kiện này.", "There is no such event.")
    at = asked.at or call.now
    moment = call.system.scene(at)
    peeked = call.session.consignments.get(call.mode, request_id, lock=True)
    if peeked is not None and at < peeked.last_at:
        raise Conflict(
            code="test_clock_backwards",
            vi=f"Hồ sơ này đã ở thời điểm {local_text(peeked.last_at)}.",
            en=f"This request has already been at {local_text(peeked.last_at)}.",
        )
    found = touch(call.session, moment, call.mode, request_id, own_shop(call), change=True)
    state = state_of(call.session, found.id, found.active_leg)
    payload = {**_filled(asked.event, state), **asked.payload}
    guard = missing_guard(asked.event, payload)
    if guard is not None:
        raise invalid(f"/payload/{guard}", f"guard_{guard}", "Thiếu bằng chứng.", "The payload lacks a proof.")
    courier = str(payload.get("courier_id") or state.courier_id or TEST_COURIER)
    happening = Happening(asked.event, at, call.principal.owner, courier_id=courier, payload=payload)
    lawful = may(state, Event("", asked.event, at, 0, courier, payload))
    if not lawful or (asked.event == "undone" and not _can_undo(call, found, state, payload["event_id"])):
        raise Conflict(
            code="illegal_transition",
            vi=f"Sự kiện {asked.event} không được phép ở trạng thái {state.status}.",
            en=f"The event {asked.event} is not allowed in status {state.status}.",
            extra={"status_now": state.status},
        )
    record(call.session, moment, call.mode, found.id, found.active_leg, happening)
    call.now = at  # the forecast, too, is that of this instant
    return shown(call, found)


def _filled(event: str, state: LegState) -> dict[str, Any]:
    """What a caller may leave out of a payload; an `undone` takes back the last scan."""
    if event != "undone":
        return TEST_PAYLOADS.get(event, {})
    scans = [step.event.id for step in state.steps if not step.implied and step.event.type not in NEVER_UNDONE]
    return {"event_id": scans[-1] if scans else "nothing"}


def _can_undo(call: Call, found: Request, state: LegState, event_id: str) -> bool:
    """Whether an event of the leg had an effect that can be taken back, and was not taken back before."""
    events = call.session.consignments.events(found.id, found.active_leg)
    undone = {str(row.payload.get("event_id")) for row in events if row.type == "undone"}
    known = {row.id for row in events if row.type not in NEVER_UNDONE and state.took(row.id)}
    return event_id in known - undone
