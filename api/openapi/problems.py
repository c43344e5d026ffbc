"""Which problems an operation can answer, and how they look."""

from __future__ import annotations

from typing import Any

from api.codes import CODES, GUARD
from api.endpoint import Endpoint

PROBLEM = "application/problem+json"
_ALWAYS = ("not_acceptable", "internal_error", "database_unavailable", "busy")
_KEYED = ("idempotency_key_required", "idempotency_key_invalid", "idempotency_in_progress", "idempotency_key_reused")
_WITH_A_KEY = ("missing_key", "invalid_key", "rate_limited", "test_clock_invalid", "test_clock_not_allowed")
_SCOPES = 3


def codes_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Every problem code an operation can answer: what the kit refuses by itself, then the call's own."""
    found = [*_ALWAYS]
    if endpoint.scopes:
        found += _WITH_A_KEY
        found += ["scope_not_allowed"] if len(endpoint.scopes) < _SCOPES else []
        found += ["board_header_missing"] if "operator" in endpoint.scopes else []
    if "<" in endpoint.path:
        found.append("not_found")
    if endpoint.method in ("POST", "PUT", "PATCH"):
        found += ["body_too_large", "bad_request"]
    if endpoint.body is not None:
        found += ["malformed_json", "unsupported_media_type"]
    if endpoint.upload:
        found.append("unsupported_media_type")
    if endpoint.body is not None or endpoint.query is not None or endpoint.upload:
        found.append("validation_failed")
    if endpoint.method != "GET":
        found.append("concurrent_change")
    if endpoint.idempotent:
        found += _KEYED
    if "If-Match" in endpoint.reads:
        found += ["stale", "test_clock_backwards"]
    return tuple(dict.fromkeys([*found, *endpoint.errors]))


def by_status(codes: tuple[str, ...]) -> dict[int, list[str]]:
    """The codes under the status each has."""
    found: dict[int, list[str]] = {}
    for code in codes:
        found.setdefault(CODES[code].status, []).append(code)
    return dict(sorted(found.items()))


def response(status: int, codes: list[str], headers: dict[str, Any]) -> dict[str, Any]:
    """One problem status of an operation, with the codes that come with it."""
    told = "; ".join(f"`{code}`: {CODES[code].en}" for code in codes)
    named: dict[str, Any] = {"enum": [code for code in codes if code != GUARD]}
    if GUARD in codes:
        named = {"anyOf": [named, {"pattern": "^guard_[a-z_0-9]+$"}]}
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "properties": {"status": {"const": status}, "code": named},
    }
    return {
        "description": told,
        "headers": headers,
        "content": {PROBLEM: {"schema": schema}},
        "x-problem-codes": codes,
    }


def problem_schema() -> dict[str, Any]:
    """The body of every problem (RFC 9457), with the keys that single codes add."""
    text = {"type": "string"}
    amounts = {"type": "object", "additionalProperties": True}
    words = {"type": "array", "items": text}
    extra: dict[str, Any] = {
        "existing_id": {**text, "description": "The request that has this reference."},
        "status_now": {**text, "description": "The status the thing has now."},
        "substatus_now": {"type": ["string", "null"]},
        "promise_state": text,
        "quote_status": text,
        "next_free_at": {"type": ["string", "null"], "format": "date-time", "description": "The next slot that fits."},
        "request_ids": words,
        "refused": {"type": "object", "additionalProperties": words, "description": "Request ids by code."},
        "due": {**amounts, "description": "What is due, by leg and purse, in đồng."},
        "refundable": {**amounts, "description": "What may be given back, by leg and purse, in đồng."},
        "refundable_total": {"type": "integer"},
        "courier_id": text,
        "date": {**text, "format": "date"},
        "cash": amounts,
        "place": text,
        "Status": {**text, "description": "`status` once more, on the adapters' paths."},
        "Message": {**text, "description": "`detail` once more, on the adapters' paths."},
    }
    fault = {
        "type": "object",
        "required": ["pointer", "code", "message"],
        "properties": {"pointer": {**text, "description": "JSON pointer into the body or query."}}
        | dict.fromkeys(("code", "message"), text),
    }
    own = {
        "type": {**text, "format": "uri-reference", "description": "Where the code is explained."},
        "title": text,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {**text, "description": "What happened, in the language of `Accept-Language`."},
        "instance": text,
        "code": {**text, "description": "A word for programs: see `x-problem-codes`."},
        "request_id": {**text, "description": "The same as `X-Request-Id`."},
        "errors": {"type": "array", "items": fault},
    }
    return {
        "type": "object",
        "description": "A problem (RFC 9457). Programs go by `code`; people read `detail`.",
        "required": list(own),
        "properties": own | extra,
    }


def table() -> dict[str, Any]:
    """All codes: `x-problem-codes` of the document."""
    return {
        code: {"status": known.status, "title": {"vi": known.vi, "en": known.en}}
        | ({"extra": list(known.extra)} if known.extra else {})
        for code, known in sorted(CODES.items(), key=lambda item: (item[1].status, item[0]))
    }
