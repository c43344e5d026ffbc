"""A collection to try the API with, made from the document: Postman v2.1, which Bruno and Insomnia read too."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from api.openapi import examples
from api.openapi.document import document

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_VARIABLES = {"base": "http://127.0.0.1:8000", "key": "test_…", "clock": ""}
VERBS = ("get", "post", "put", "patch", "delete")


@cache
def collection() -> dict[str, Any]:
    """A folder for each tag, a request for each operation, filled with its example."""
    whole = document()
    folders: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in whole["tags"]}
    for path, item in whole["paths"].items():
        for verb in VERBS:
            if verb in item:
                folders[item[verb]["tags"][0]].append(_request(verb, path, item[verb]))
    return {
        "info": {"name": whole["info"]["title"], "description": whole["info"]["description"], "schema": SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{key}}", "type": "string"}]},
        "variable": [{"key": name, "value": value} for name, value in _VARIABLES.items()],
        "item": [
            {
                "name": f"{tag['x-name-vi']} · {tag['name']}",
                "description": tag["description"],
                "item": folders[tag["name"]],
            }
            for tag in whole["tags"]
        ],
    }


def _request(verb: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    kept = examples.kept().get(operation["operationId"], {})
    request: dict[str, Any] = {
        "method": verb.upper(),
        "description": f"{operation['summary']}\n\n{operation['description']}",
        "header": _headers(operation),
        "url": _url(path, operation, kept),
    }
    if "requestBody" in operation:
        request["body"] = _body(operation["requestBody"]["content"], kept)
    if operation.get("security") == []:
        request["auth"] = {"type": "noauth"}
    return {"name": operation["operationId"], "request": request, "response": []}


def _headers(operation: dict[str, Any]) -> list[dict[str, Any]]:
    named = {one["$ref"].split("/")[-1] for one in operation["parameters"] if "$ref" in one}
    known: dict[str, dict[str, Any]] = {
        # A fresh key for every sending; to try a repeat, write a fixed one.
        "Idempotency-Key": {"value": "{{$guid}}"},
        "If-Match": {"value": "", "disabled": True},
        "Test-Clock": {"value": "{{clock}}", "disabled": True},
        "Accept-Language": {"value": "vi"},
    }
    return [{"key": name, **one} for name, one in known.items() if name in named]


def _url(path: str, operation: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """The address with its variables filled as in the example; query keys the example leaves out are switched off."""
    asked, _, sent = kept.get("path", "").partition("?")
    found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), asked)
    values = found.groupdict() if found else {}
    given = dict(parse_qsl(sent))
    own = [one for one in operation["parameters"] if "$ref" not in one]
    written = re.sub(r"\{(\w+)\}", r":\1", path)
    query = [
        {"key": one["name"], "value": given.get(one["name"], ""), "disabled": one["name"] not in given}
        for one in own
        if one["in"] == "query"
    ]
    names = [one["name"] for one in own if one["in"] == "path"]
    return {
        "raw": "{{base}}" + written,
        "host": ["{{base}}"],
        "path": written.strip("/").split("/"),
        "variable": [{"key": name, "value": values.get(name, "")} for name in names],
        "query": query,
    }


def _body(content: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    media = next(iter(content))
    if media == "application/json":
        text = json.dumps(kept.get("body", {}), ensure_ascii=False, indent=2)
        return {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
    if media == "multipart/form-data":
        parts = content[media]["schema"]["properties"]
        return {"mode": "formdata", "formdata": [{"key": name, "type": "file", "src": None} for name in parts]}
    return {"mode": "file", "file": {"src": None}}
