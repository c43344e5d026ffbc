"""One operation of the document: parameters, body, answers, links, problems, examples."""

from __future__ import annotations

import inspect
import re
from typing import Any

from api.endpoint import ENDPOINTS, Endpoint
from api.openapi import examples, headers, problems
from api.openapi.vietnamese import SUMMARIES
from api.problems import ADAPTERS, TOKEN_HEADER
from api.uploads import PART

_PARAMETER = re.compile(r"<(?:[a-z]+:)?(\w+)>")
_JSON = "application/json"
_FILE = {"type": "string", "contentEncoding": "binary"}
_REMARKS = {
    "request_id": "The id of a request: `req_…`.",
    "operation_id": "The id of an operation: `op_…`.",
    "webhook_id": "The id of a webhook: `whk_…`.",
    "plan_id": "The id of a plan: `pln_…`.",
    "day": "A date: `YYYY-MM-DD`.",
    "sha256": "The SHA-256 of the content, in lower-case hex.",
    "item_id": "The number on the label (UPU S10).",
    "era": "The map: `2020` or `2025`.",
    "name": "The report's name: `sla`, `cash` …",
}


def path_of(endpoint: Endpoint) -> str:
    """The path as OpenAPI writes it."""
    return _PARAMETER.sub(r"{\1}", endpoint.path)


def operation(endpoint: Endpoint, names: Any) -> dict[str, Any]:
    """The operation of an endpoint; `names` are the references of its models."""
    summary, _, more = inspect.cleandoc(endpoint.handler.__doc__ or endpoint.name).partition("\n")
    shown: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": summary,
        "description": "\n\n".join(part for part in (more.strip(), _who(endpoint)) if part),
        "parameters": [*_path(endpoint), *_query(endpoint), *headers.parameters(endpoint)],
        "responses": _answers(endpoint, names) | _problems(endpoint),
        "x-summary-vi": SUMMARIES.get(endpoint.name, summary),
        "x-scopes": list(endpoint.scopes),
    }
    if (body := _body(endpoint, names)) is not None:
        shown["requestBody"] = body
    if not endpoint.scopes:
        shown["security"] = []
    elif endpoint.path.startswith(ADAPTERS):
        shown["security"] = [{"bearer": []}, {TOKEN_HEADER: []}]
    return shown


def _who(endpoint: Endpoint) -> str:
    if not endpoint.scopes:
        return "Anyone may call this, without a key."
    return f"Scopes: {', '.join(f'`{scope}`' for scope in endpoint.scopes)}."


def _path(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 200}}
        | ({"description": _REMARKS[name]} if name in _REMARKS else {})
        for name in _PARAMETER.findall(endpoint.path)
    ]


def _query(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    shape = endpoint.query.model_json_schema()
    found = []
    for name, schema in shape["properties"].items():
        one: dict[str, Any] = {"name": name, "in": "query", "required": name in shape.get("required", [])}
        found.append({**one, "schema": _plain(schema)})
    return found


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter's schema: what is absent is absent, so null is no value of it."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "title")}
    if rest.get("default", ...) is None:
        del rest["default"]
    return rest | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})


def _body(endpoint: Endpoint, names: Any) -> dict[str, Any] | None:
    if endpoint.body is not None:
        content: dict[str, Any] = {"schema": names[(endpoint.body, "validation")]}
        if "body" in (kept := examples.kept().get(endpoint.name, {})):
            content["examples"] = {endpoint.name: {"value": kept["body"]}}
        return {"required": True, "content": {_JSON: content}}
    if endpoint.upload:
        limit = f"A file of at most {endpoint.upload // 1_000_000} MB."
        part = {"type": "string", "contentMediaType": "application/octet-stream", "description": limit}
        form = {"type": "object", "required": [PART], "properties": {PART: part}}
        return {"required": True, "content": {endpoint.accepts: {"schema": form}}}
    if endpoint.accepts != _JSON:
        return {"required": True, "content": {kind: {"schema": _FILE} for kind in endpoint.accepts.split(", ")}}
    return None


def _answers(endpoint: Endpoint, names: Any) -> dict[str, Any]:
    statuses = [200, 201] if endpoint.method == "PUT" else [endpoint.status]
    shown: dict[str, Any] = {}
    for status in statuses:
        one: dict[str, Any] = {"description": _told(endpoint, status), "headers": headers.answered(endpoint, status)}
        if status != 204:
            one["content"] = {kind: _content(endpoint, kind, status, names) for kind in endpoint.produces.split(", ")}
        if endpoint.names:
            one["links"] = _links(endpoint)
        shown[str(status)] = one
    if headers.is_versioned(endpoint):
        shown["304"] = {"description": "It has not changed since.", "headers": headers.answered(endpoint, 304)}
    return shown


def _told(endpoint: Endpoint, status: int) -> str:
    if endpoint.method == "PUT":
        return "It is new." if status == 201 else "It was there before."
    doc = inspect.getdoc(endpoint.out) if endpoint.out is not None else None
    return doc.partition("\n")[0] if doc else ("Done." if status == 204 else "The file.")


def _content(endpoint: Endpoint, kind: str, status: int, names: Any) -> dict[str, Any]:
    if kind != _JSON or endpoint.out is None:
        return {"schema": _FILE}
    shown: dict[str, Any] = {"schema": names[(endpoint.out, "serialization")]}
    kept = examples.kept().get(endpoint.name, {})
    if kept.get("status") == status and "answer" in kept:
        shown["examples"] = {endpoint.name: {"value": kept["answer"]}}
    return shown


def _links(endpoint: Endpoint) -> dict[str, Any]:
    """What may be called next with what this answer tells: every operation whose path it fills."""
    known = {name: f"$response.body#{pointer}" for name, pointer in endpoint.names.items()}
    known |= {name: f"$request.path.{name}" for name in _PARAMETER.findall(endpoint.path) if name not in known}
    links = {}
    for other in ENDPOINTS:
        wanted = set(_PARAMETER.findall(other.path))
        if other is not endpoint and wanted & endpoint.names.keys() and wanted <= known.keys():
            links[other.name] = {
                "operationId": other.name,
                "parameters": {name: known[name] for name in sorted(wanted)},
                "description": (other.summary),
            }
    return links


def _problems(endpoint: Endpoint) -> dict[str, Any]:
    grouped = problems.by_status(problems.codes_of(endpoint))
    return {
        str(status): problems.response(status, codes, headers.answered(endpoint, status))
        for status, codes in grouped.items()
    }
