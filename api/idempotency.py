"""Idempotency-Key: the first answer to a call is kept with its effect, and given again to whoever repeats the call."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Request, Response

from api.problems import HttpProblem
from dispatch.store import Session

_CHARS = {chr(code) for code in range(0x21, 0x7F)}
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")


def key_of(request: Request) -> str:
    """The key of a call that needs one; raises 400 where it is missing or unreadable."""
    key = request.headers.get("Idempotency-Key")
    if not key:
        raise HttpProblem(
            400,
            "idempotency_key_required",
            "Thiếu tiêu đề Idempotency-Key.",
            "The header Idempotency-Key is required.",
        )
    if len(key) > 255 or not set(key) <= _CHARS:
        raise HttpProblem(
            400,
            "idempotency_key_invalid",
            "Idempotency-Key phải là 1–255 ký tự ASCII in được.",
            "Idempotency-Key must be 1 to 255 printable ASCII characters.",
        )
    return key


def replayed(session: Session, owner: str, route: str, key: str, fingerprint: str) -> Response | None:
    """The first answer to this key, None where the call is the first; raises 409 where the first is still running."""
    free, kept = session.access.claim_answer(owner, route, key)
    if not free:
        raise in_progress()
    if kept is None:
        return None
    if kept.fingerprint != fingerprint:
        raise HttpProblem(
            422,
            "idempotency_key_reused",
            "Idempotency-Key này đã dùng cho nội dung khác.",
            "This Idempotency-Key was used with another body.",
        )
    response = Response(kept.body, kept.status)
    response.headers.update(kept.headers)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def in_progress() -> HttpProblem:
    """What is said while the first call with a key runs."""
    return HttpProblem(
        409,
        "idempotency_in_progress",
        "Yêu cầu cùng Idempotency-Key đang được xử lý.",
        "The first call with this Idempotency-Key is still running.",
        headers={"Retry-After": "1"},
    )


def row(
    owner: str, route: str, key: str, fingerprint: str, response: Response, text: str, at: datetime
) -> dict[str, Any]:
    """An answer as it is remembered; `text` is what a replay shows."""
    return {
        "owner": owner,
        "route": route,
        "key": key,
        "fingerprint": fingerprint,
        "status": response.status_code,
        "headers": {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
        "body": text,
        "created_at": at,
    }
