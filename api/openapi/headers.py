"""Headers of requests and answers, said once and referred to by every operation."""

from __future__ import annotations

from typing import Any

from api.endpoint import Endpoint

_TEXT = {"type": "string"}

PARAMETERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "required": True,
        "description": "Made by the caller, one for each thing to be done. The same key with the same body gets the "
        "first answer again, however often it is sent within 96 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    },
    "If-Match": {
        "description": "The `ETag` of what was read: the call is refused (412 `stale`) if it has changed since.",
        "schema": {"type": "string", "pattern": r'^(W/)?"?[0-9]{1,9}"?$'},
    },
    "If-None-Match": {
        "description": "The `ETag` of what was read: 304 without a body if it has not changed since.",
        "schema": _TEXT,
    },
    "Test-Clock": {
        "description": "Test keys only: the call is handled as if it were this instant. Without it: the latest instant "
        "the key has used, else now. From the year 2000 to 2099.",
        "schema": {"type": "string", "format": "date-time"},
    },
    "Accept-Language": {
        "description": "The language of sentences for people: `vi` (default) or `en`.",
        "schema": _TEXT,
    },
    "X-Request-Id": {
        "description": "The caller's own id of this call: 1 to 100 of the characters A-Z a-z 0-9 . _ : -; one is made "
        "where it is absent or not of this form.",
        "schema": _TEXT,
    },
}

ANSWERED: dict[str, dict[str, Any]] = {
    "X-Request-Id": {"description": "The id of this call, in our log too.", "required": True, "schema": _TEXT},
    "RateLimit": {
        "description": 'What is left: `"default";r=<calls left>;t=<seconds until the next one>`.',
        "schema": _TEXT,
    },
    "RateLimit-Policy": {"description": '`"default";q=<calls>;w=1`: so many calls each second.', "schema": _TEXT},
    "Retry-After": {
        "description": "Seconds to wait before the same call is tried again.",
        "schema": {"type": "integer"},
    },
    "Idempotent-Replayed": {
        "description": "`true` where this is the stored first answer of the same key.",
        "schema": {"const": "true"},
    },
    "ETag": {"description": "The version of what is shown, for `If-Match`.", "schema": _TEXT},
    "Location": {"description": "Where the new thing, or the operation to watch, is read.", "schema": _TEXT},
    "Content-Disposition": {"description": "A name for the file.", "schema": _TEXT},
    "Content-Language": {"description": "The language of `title` and `detail`.", "schema": {"enum": ["vi", "en"]}},
    "WWW-Authenticate": {"description": "That a Bearer key is needed.", "schema": _TEXT},
}

_WAITS = (409, 429, 503)


def is_versioned(endpoint: Endpoint) -> bool:
    """Whether an answer bears an ETag and is not sent again to who has it: every read of JSON."""
    return endpoint.method == "GET" and "application/json" in endpoint.produces


def parameters(endpoint: Endpoint) -> list[dict[str, str]]:
    """The request headers an operation looks at."""
    names = ["Idempotency-Key"] if endpoint.idempotent else []
    names += endpoint.reads
    names += ["If-None-Match"] if is_versioned(endpoint) else []
    names += ["Test-Clock"] if endpoint.scopes else []
    return [{"$ref": f"#/components/parameters/{name}"} for name in (*names, "Accept-Language", "X-Request-Id")]


def answered(endpoint: Endpoint, status: int) -> dict[str, dict[str, str]]:
    """The headers of an operation's answer with this status."""
    names = ["X-Request-Id"]
    if endpoint.scopes:
        names += ["RateLimit", "RateLimit-Policy"]
    if endpoint.idempotent and status not in (400, 401, 403, 406, 429, 500, 503):
        names.append("Idempotent-Replayed")
    if status < 400:
        names += getattr(endpoint.out, "headers", ())
        names += ["ETag"] if is_versioned(endpoint) else []
        names += ["Content-Disposition"] if endpoint.produces != "application/json" else []
    else:
        names.append("Content-Language")
    if status in _WAITS:
        names.append("Retry-After")
    if status == 401:
        names.append("WWW-Authenticate")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in dict.fromkeys(names)}


def components() -> dict[str, Any]:
    """`components.parameters` and `components.headers`."""
    return {
        "parameters": {name: {"name": name, "in": "header", **one} for name, one in PARAMETERS.items()},
        "headers": ANSWERED,
    }
