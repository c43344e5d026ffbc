"""The OpenAPI 3.1 document, generated from the registered endpoints, and the page that shows it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from flask import Flask, render_template
from pydantic.json_schema import models_json_schema

from api.endpoint import ENDPOINTS, Endpoint
from api.uploads import PART

_PARAMETER = re.compile(r"<(?:[a-z]+:)?(\w+)>")
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    models: list[Any] = [(endpoint.body, "validation") for endpoint in ENDPOINTS if endpoint.body is not None]
    models += [(endpoint.out, "serialization") for endpoint in ENDPOINTS if endpoint.out is not None]
    names, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        path = _PARAMETER.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Điều Tin",
            "version": "1",
            "description": "Postal dispatch for administrative dossiers. Điều phối bưu chính cho hồ sơ hành chính.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, names: Any) -> dict[str, Any]:
    responses: dict[str, Any] = {str(endpoint.status): {"description": endpoint.summary}}
    if endpoint.status != 204:
        content: dict[str, Any] = {"schema": {"type": "object"}} if endpoint.produces == "application/json" else {}
        if endpoint.out is not None:
            content = {"schema": names[(endpoint.out, "serialization")]}
        responses[str(endpoint.status)]["content"] = {endpoint.produces: content}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told = "; ".join(endpoint.errors)
    responses["default"] = {"description": f"A problem{': ' + told if told else ''}", "content": problem}
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": responses,
    }
    if endpoint.body is not None:
        schema = names[(endpoint.body, "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif endpoint.upload:
        part = {"type": "string", "contentMediaType": "application/octet-stream"}
        form = {"type": "object", "required": [PART], "properties": {PART: part}}
        operation["requestBody"] = {"required": True, "content": {endpoint.accepts: {"schema": form}}}
    elif endpoint.accepts != "application/json":
        operation["requestBody"] = {"required": True, "content": {endpoint.accepts: {}}}
    if not endpoint.scopes:
        operation["security"] = []
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 200}}
        for name in _PARAMETER.findall(endpoint.path)
    ]
    if endpoint.idempotent:
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema})
    if endpoint.query is not None:
        shape = endpoint.query.model_json_schema()
        for name, schema in shape["properties"].items():
            needed = name in shape.get("required", [])
            found.append({"name": name, "in": "query", "required": needed, "schema": schema})
    return found


def _page() -> str:
    return render_template("docs.html", openapi=document(), lang="vi")


def register(app: Flask) -> None:
    """Add the document and its page."""
    app.add_url_rule("/v1/openapi.json", "openapi", lambda: document())
    app.add_url_rule("/docs", "docs", _page)
