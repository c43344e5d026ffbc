"""The webhooks section: what is sent to a shop's own addresses, the same bodies as the feed has."""

from __future__ import annotations

from typing import Any

from api.shapes.notices import Event, ImportEvent, RequestEvent, TestEvent
from dispatch.domain.news import TEST

SHAPES = (Event, RequestEvent, ImportEvent, TestEvent)
TYPES = {
    "request.created": "A request was made.",
    "request.dispatched": "The notice reached the post: the clock runs.",
    "request.assigned": "A courier has it.",
    "request.collected": "It was collected; the promise is judged.",
    "request.delivered": "The result is in the citizen's hands.",
    "request.handed_over": "The dossier is in the shop's hands.",
    "request.failed": "A collection or delivery failed.",
    "request.cancelled": "It was taken back.",
    "request.returned": "It came back to where it was from.",
    "request.e_returned": "The result went out electronically.",
    "promise.at_risk": "A promise is in danger; `promise[].predicted.causes` says why.",
    "promise.breached": "A promise is broken.",
    "promise.restored": "A promise in danger is safe again.",
    "promise.met": "A promise was kept.",
    "fee.assessed": "The price is known.",
    "fee.corrected": "The price has changed: see `quote`.",
    "address.needs_review": "Somebody must look at the address.",
    "manifest.closed": "A courier's list was closed.",
    "import.finished": "An import this shop has rows of is over.",
    TEST: "A test somebody asked for.",
}
"""Type → when it is sent."""

_HEADERS = {
    "webhook-id": "The same on every attempt: what came twice is known by it.",
    "webhook-timestamp": "Unix seconds of this attempt; refuse what is more than 5 minutes off.",
    "webhook-signature": "`v1,<base64 HMAC-SHA256 of id.timestamp.body>` for every live secret, with spaces between.",
}


def webhooks(names: Any) -> dict[str, Any]:
    """One entry for every type of event."""
    return {kind: {"post": _sent(kind, told, names)} for kind, told in TYPES.items()}


def _sent(kind: str, told: str, names: Any) -> dict[str, Any]:
    others = {TEST: TestEvent, "import.finished": ImportEvent, "manifest.closed": Event}
    shape = others.get(kind, RequestEvent)
    body = {"allOf": [names[(shape, "serialization")]], "properties": {"type": {"const": kind}}}
    return {
        "operationId": "on_" + kind.replace(".", "_"),
        "tags": ["webhooks"],
        "summary": told,
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "2XX": {"description": "Received. Anything else is tried again: 10 attempts over three days."},
            "410": {"description": "Do not come again: the webhook is disabled."},
        },
    }
