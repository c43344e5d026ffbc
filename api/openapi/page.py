"""The page /docs: the document for people, readable without a script and from no other server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask, render_template

from api.openapi import examples
from api.openapi.collection import VERBS
from api.openapi.document import document
from api.openapi.snippets import curl, python

_DEEPEST = 6
_LIMITS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "minLength": "≥ {} ký tự",
    "maxLength": "≤ {} ký tự",
    "minItems": "≥ {} mục",
    "maxItems": "≤ {} mục",
    "pattern": "{}",
    "default": "= {}",
}


@dataclass(frozen=True)
class Kind:
    """What a value may be: words, and names of schemas that the page tells more of."""

    words: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One key of an object: what it may hold, and its own keys where it is an object."""

    name: str
    required: bool
    kind: Kind
    limits: str
    told: str
    rows: tuple[Row, ...]


def _kind(schema: dict[str, Any]) -> Kind:
    if "$ref" in schema:
        return Kind((), (schema["$ref"].split("/")[-1],))
    parts = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if parts:
        found = [_kind(part) for part in parts]
        return Kind(tuple(w for one in found for w in one.words), tuple(n for one in found for n in one.names))
    if "enum" in schema:
        return Kind(tuple(str(value) for value in schema["enum"]), ())
    if "const" in schema:
        return Kind((str(schema["const"]),), ())
    if schema.get("type") == "array":
        inner = _kind(schema.get("items", {}))
        return (
            Kind(tuple(f"[{word}]" for word in inner.words), inner.names)
            if inner.words
            else Kind(("[ ]",), inner.names)
        )
    named = schema.get("format") or schema.get("type") or "any"
    return Kind((named if isinstance(named, str) else " | ".join(named),), ())


def _limits(schema: dict[str, Any]) -> str:
    parts = [schema, *schema.get("anyOf", ())]
    told = [text.format(json.dumps(part[name], ensure_ascii=False) if name == "default" else part[name])
            for part in parts for name, text in _LIMITS.items() if name in part]  # fmt: skip
    return ", ".join(dict.fromkeys(told))


def rows(schema: dict[str, Any], depth: int = 0) -> tuple[Row, ...]:
    """The keys of a schema, and of what it holds, as far as a reader follows."""
    parts = document()["components"]["schemas"]
    whole = parts[schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
    needed = whole.get("required", ())
    return tuple(
        Row(name, name in needed, _kind(one), _limits(one), one.get("description", ""), _inside(one, depth + 1))
        for name, one in whole.get("properties", {}).items()
    )


def _inside(schema: dict[str, Any], depth: int) -> tuple[Row, ...]:
    if depth > _DEEPEST:
        return ()
    for part in (schema, *schema.get("anyOf", ()), schema.get("items", {})):
        if "$ref" in part and (found := rows(part, depth)):
            return found
    return ()


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    _, _, group, name = part["$ref"].split("/")
    found: dict[str, Any] = document()["components"][group][name]
    return found


def _everywhere() -> dict[str, list[str]]:
    """The codes that most operations share, by status; told once."""
    named = [
        (status, code)
        for item in document()["paths"].values()
        for operation in item.values()
        for status, one in operation["responses"].items()
        for code in one.get("x-problem-codes", ())
    ]
    count = sum(len(item) for item in document()["paths"].values())
    shared: dict[str, list[str]] = {}
    for status, code in sorted(set(named)):
        if named.count((status, code)) > count * 0.4:
            shared.setdefault(status, []).append(code)
    return shared


def _call(verb: str, path: str, operation: dict[str, Any], shared: dict[str, list[str]]) -> dict[str, Any]:
    kept = examples.kept().get(operation["operationId"], {})
    content = operation.get("requestBody", {}).get("content", {})
    good = {status: one for status, one in operation["responses"].items() if status < "400"}
    parameters = [_resolved(one) for one in operation["parameters"]]
    return {
        "id": operation["operationId"],
        "verb": verb,
        "path": path,
        "vi": operation["x-summary-vi"],
        "en": operation["summary"],
        "description": operation["description"],
        "scopes": operation["x-scopes"],
        "parameters": [(one, _kind(one["schema"]), _limits(one["schema"])) for one in parameters],
        "body": [(media, _kind(part["schema"]), rows(part["schema"])) for media, part in content.items()],
        "answers": [
            (status, one, [(media, _kind(part["schema"])) for media, part in one.get("content", {}).items()])
            for status, one in good.items()
        ],
        "problems": [
            (status, own)
            for status, one in operation["responses"].items()
            if (own := [code for code in one.get("x-problem-codes", ()) if code not in shared.get(status, ())])
        ],
        "curl": curl(verb, path, operation, kept),
        "python": python(verb, path, operation, kept),
        "answer": json.dumps(kept["answer"], ensure_ascii=False, indent=2) if "answer" in kept else None,
    }


@cache
def _view() -> dict[str, Any]:
    """All the template shows."""
    whole, shared = document(), _everywhere()
    calls = [
        _call(verb, path, item[verb], shared) | {"tag": item[verb]["tags"][0]}
        for path, item in whole["paths"].items()
        for verb in VERBS
        if verb in item
    ]
    schemas = whole["components"]["schemas"]
    return {
        "openapi": whole,
        "groups": [(tag, [call for call in calls if call["tag"] == tag["name"]]) for tag in whole["tags"]],
        "events": {name: item["post"] for name, item in whole["webhooks"].items()},
        "schemas": {name: (schemas[name], rows(schemas[name], _DEEPEST)) for name in sorted(schemas)},
        "problems": whole["x-problem-codes"],
        "shared": shared,
    }


@cache
def _page() -> str:
    return render_template("docs.html", lang="vi", **_view())


def register(app: Flask) -> None:
    """Add the page, and the address that the `type` of a problem names."""
    app.add_url_rule("/docs", "docs", lambda: _page())
    app.add_url_rule("/docs/problems", "docs_problems", lambda: render_template("problems.html", lang="vi", **_view()))
