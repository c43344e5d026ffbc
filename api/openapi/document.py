"""The OpenAPI 3.1 document, generated from the registered endpoints."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from api.endpoint import ENDPOINTS, Endpoint
from api.openapi import events, headers, problems
from api.openapi.operations import operation, path_of
from api.problems import TOKEN_HEADER

TAGS = {
    "shop": ("Bộ phận Một cửa", "Quotes, requests, labels, payments and complaints of a one-stop shop."),
    "webhooks": ("Thông báo", "Being told: webhooks (Standard Webhooks 1.0) and the ordered feed for those who poll."),
    "operator": ("Điều hành", "What the post does: board, plans, exceptions, money, reports, and what it keeps."),
    "courier": ("Bưu tá", "The courier's phone: sign in, take the day along, bring events and proofs back."),
    "citizen": ("Người dân", "Where an item is, for whoever has the link on the label."),
    "adapter": ("Cầu nối", "The shape that one-stop systems send today; the key may stand in `access_token`."),
    "test": ("Thử nghiệm", "Test mode's one call more."),
}
"""Tag → its Vietnamese name, and what is under it."""

_DESCRIPTION = """Điều phối bưu chính cho hồ sơ hành chính. Postal dispatch for administrative dossiers.

- **Keys** are Bearer tokens: `test_…` or `live_…`, each sees only its own world. A shop's key sees its own rows; others
  answer 404.
- **Retrying is safe**: a POST that changes something takes an `Idempotency-Key`; the same key with the same body gets
  the first answer again.
- **Times** carry an offset and come back in `+07:00`; **money** is whole đồng; **ids** are opaque.
- **Answers may gain keys**, and lists of codes may grow: leave aside what you do not know.
- **Every address** answers 405 `method_not_allowed` (with `Allow`) to a method it does not have, and 404 `not_found`
  where there is nothing. What cannot be read as a call at all is 408, 414, 417 or 431."""

_SECURITY = """A key of one of three scopes, or a courier's token from `POST /v1/courier/sessions`.

- `shop`: one one-stop shop, its own rows.
- `operator`: the post, every shop of its world.
- `courier`: one courier's phone.

An operation names the scopes that may call it; another one's answer is 403 `scope_not_allowed`."""


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    models: list[Any] = [(endpoint.body, "validation") for endpoint in ENDPOINTS if endpoint.body is not None]
    models += [(endpoint.out, "serialization") for endpoint in ENDPOINTS if endpoint.out is not None]
    models += [(shape, "serialization") for shape in events.SHAPES]
    names, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(path_of(endpoint), {})[endpoint.method.lower()] = operation(endpoint, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Điều Tin", "version": "1", "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": told, "x-name-vi": vi} for tag, (vi, told) in TAGS.items() if _has(tag)],
        "security": [{"bearer": []}],
        "paths": paths,
        "webhooks": events.webhooks(names),
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": problems.problem_schema()},
            **headers.components(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": _SECURITY},
                "access_token": {"type": "apiKey", "in": "header", "name": TOKEN_HEADER},
            },
        },
        "x-problem-codes": problems.table(),
    }


def _has(tag: str) -> bool:
    return any(endpoint.tag == tag for endpoint in ENDPOINTS)


def endpoint_named(operation_id: str) -> Endpoint:
    """The endpoint of an operation; raises KeyError."""
    return {endpoint.name: endpoint for endpoint in ENDPOINTS}[operation_id]
