"""Test mode's one call more: play a courier's event without a courier."""

from __future__ import annotations

from typing import Any

from api.endpoint import Call, route
from api.problems import HttpProblem
from api.v1.requests import own_shop, shown
from dispatch.domain.errors import Conflict, invalid
from dispatch.domain.fieldwork import TEST_PAYLOADS, missing_guard
from dispatch.domain.text import Instant, PlainObject, Shape, Word, local_text
from dispatch.domain.tracking import COURIER_EVENTS, Event, may
from dispatch.flows.recording import Happening, record, state_of
from dispatch.flows.sla_watch import touch

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
    scopes=("shop", "operator", "courier"),
    body=Advance,
    idempotent=False,
    errors=("illegal_transition", "test_clock_backwards"),
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
    payload = {**TEST_PAYLOADS.get(asked.event, {}), **asked.payload}
    guard = missing_guard(asked.event, payload)
    if guard is not None:
        raise invalid(f"/payload/{guard}", f"guard_{guard}", "Thiếu bằng chứng.", "The payload lacks a proof.")
    state = state_of(call.session, found.id, found.active_leg)
    courier = str(payload.get("courier_id") or state.courier_id or TEST_COURIER)
    happening = Happening(asked.event, at, call.principal.owner, courier_id=courier, payload=payload)
    if not may(state, Event("", asked.event, at, 0, courier, payload)):
        raise Conflict(
            code="illegal_transition",
            vi=f"Sự kiện {asked.event} không được phép ở trạng thái {state.status}.",
            en=f"The event {asked.event} is not allowed in status {state.status}.",
            extra={"status_now": state.status},
        )
    record(call.session, moment, call.mode, found.id, found.active_leg, happening)
    return shown(call, found)
