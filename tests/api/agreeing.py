"""Holds answers to the OpenAPI document: status, headers, problem codes, and bodies with no key it does not name."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from importlib import import_module
from typing import Any

import jsonschema_rs
from werkzeug.test import TestResponse

from api.app import MODULES
from api.codes import GUARD
from api.openapi import document

_GUARD = re.compile("guard_[a-z_0-9]+")
_TOLD = ("ETag", "Location", "Idempotent-Replayed", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id")
"""Headers an answer may carry only where the document says so."""


@cache
def whole() -> dict[str, Any]:
    """The document of the whole application."""
    for name in MODULES:
        import_module(name)
    return document()


def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """operationId → (method, path, operation)."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, item in whole()["paths"].items()
        for method, operation in item.items()
    }


@cache
def _rules() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    # Literal parts first: /v1/test/requests/… is not a request called "test".
    found = sorted(operations().values(), key=lambda one: one[1].count("{"))
    return [(method, re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation) for method, path, operation in found]


def operation_at(method: str, path: str) -> dict[str, Any] | None:
    """The operation at a path; None where there is none."""
    for verb, rule, operation in _rules():
        if verb == method and rule.fullmatch(path):
            return operation
    return None


def _closed(schema: Any) -> Any:
    """A schema in which every object with named keys has no others, unless it says that it is open."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {name: _closed(one) for name, one in schema.items()}
    if "properties" in shut and "allOf" not in shut:
        shut.setdefault("additionalProperties", False)
    return shut


@cache
def _closed_parts() -> dict[str, Any]:
    parts = copy.deepcopy(whole()["components"]["schemas"])
    return {"components": {"schemas": {name: _closed(one) for name, one in parts.items()}}}


@cache
def _validator(operation_id: str, status: str, media: str) -> jsonschema_rs.Draft202012Validator:
    _, _, operation = operations()[operation_id]
    schema = resolved(operation["responses"][status])["content"][media]["schema"]
    return validator(schema)


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A validator of a schema of the document, formats checked, unknown keys refused."""
    return jsonschema_rs.Draft202012Validator({**_closed(schema), **_closed_parts()}, validate_formats=True)


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the document, or what its $ref points to."""
    found: Any = part
    while "$ref" in found:
        steps = found["$ref"].removeprefix("#/").split("/")
        found = whole()
        for step in steps:
            found = found[step]
    return dict(found)


def faults(method: str, path: str, status: int, headers: Any, text: str) -> list[str]:
    """What of an answer the document does not say; empty where they agree, or where the path is no operation."""
    operation = operation_at(method, path)
    if operation is None:
        return []
    name = operation["operationId"]
    if str(status) not in operation["responses"]:
        return [f"{name} does not say that it answers {status}: {text[:300]}"]
    said = resolved(operation["responses"][str(status)])
    found = [f"{name} {status} does not tell of {header}" for header in _undeclared(headers, said)]
    media = (headers.get("Content-Type") or "").split(";")[0]
    kinds = {kind.split(";")[0]: kind for kind in said.get("content", {})}
    if not text or not kinds:
        return found + ([f"{name} {status} says there is no body"] if text else [])
    if media not in kinds:
        return [*found, f"{name} {status} does not say that it answers {media}"]
    if not media.endswith("json"):
        return found
    body = json.loads(text)
    errors = _validator(name, str(status), kinds[media]).iter_errors(body)
    found += [f"{name} {status} {'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in errors]
    if media == "application/problem+json" and not _names(said["x-problem-codes"], body["code"]):
        found.append(f"{name} {status} does not name {body['code']}")
    return found


def assert_agrees(answer: TestResponse) -> None:
    """Fail where the document does not say what an answer is."""
    asked = answer.request
    text = answer.text if "json" in (answer.content_type or "") else "x" * bool(answer.data)
    found = faults(asked.method, asked.path, answer.status_code, answer.headers, text)
    assert not found, "the OpenAPI document says otherwise: " + "; ".join(found[:5])


def _undeclared(headers: Any, said: dict[str, Any]) -> list[str]:
    known = {name.lower() for name in said.get("headers", {})}
    return [name for name in _TOLD if name in headers and name.lower() not in known]


def _names(codes: list[str], code: str) -> bool:
    return code in codes or (GUARD in codes and bool(_GUARD.fullmatch(code)))
