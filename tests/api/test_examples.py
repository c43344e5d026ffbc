"""Every example of the OpenAPI document is a call that the document allows and an answer it describes."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest

from api.codes import CODES
from api.openapi.examples import kept
from tests.api import keeping
from tests.api.agreeing import operation_at, operations, resolved, validator
from tests.api.conftest import KEEPING, NOON, Api
from tests.api.hooks import URL
from tests.api.sending import as_csv, row, send
from tests.api.test_adapter import ORDERS, RECALL_ALL, RECALL_ITEM, order

POSTMAN: dict[str, Any] = {
    "type": "object",
    "required": ["info", "item"],
    "properties": {
        "info": {"type": "object", "required": ["name", "schema"]},
        "item": {"type": "array", "items": {"$ref": "#/$defs/folder"}},
        "variable": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
    },
    "$defs": {
        "pair": {"type": "object", "required": ["key"], "properties": {"disabled": {"type": "boolean"}}},
        "folder": {
            "type": "object",
            "required": ["name", "item"],
            "properties": {"item": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/item"}}},
        },
        "item": {
            "type": "object",
            "required": ["name", "request"],
            "properties": {
                "response": {"type": "array"},
                "request": {
                    "type": "object",
                    "required": ["method", "url"],
                    "properties": {
                        "header": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
                        "body": {
                            "properties": {"mode": {"enum": ["raw", "urlencoded", "formdata", "file", "graphql"]}}
                        },
                        "url": {
                            "type": "object",
                            "required": ["raw", "host", "path"],
                            "properties": {
                                "raw": {"type": "string"},
                                "host": {"type": "array"},
                                "path": {"type": "array", "items": {"type": "string"}},
                                "query": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
                                "variable": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
                            },
                        },
                    },
                },
            },
        },
    },
}
"""What both programs rely on of the format (schema.getpostman.com, collection v2.1.0)."""


def _wanting(part: str) -> list[str]:
    """The operations that have JSON there: in `body` or in `answer`."""
    found = []
    for name, (_, _, operation) in operations().items():
        answers = [resolved(one) for status, one in operation["responses"].items() if status < "300"]
        content = operation.get("requestBody", {}) if part == "body" else answers[0]
        if "application/json" in content.get("content", {}):
            found.append(name)
    return found


def _faults(schema: dict[str, Any], value: Any) -> list[str]:
    errors = validator(schema).iter_errors(value)
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}" for error in errors]


@pytest.mark.parametrize("name", _wanting("body"))
def test_the_example_of_a_body_is_what_the_call_takes(name: str) -> None:
    method, _, operation = operations()[name]
    example = kept()[name]
    assert operation_at(method, example["path"].partition("?")[0]) == operation
    assert _faults(operation["requestBody"]["content"]["application/json"]["schema"], example["body"]) == []


@pytest.mark.parametrize("name", _wanting("answer"))
def test_the_example_of_an_answer_is_what_the_call_answers(name: str) -> None:
    _, _, operation = operations()[name]
    example = kept()[name]
    said = resolved(operation["responses"][str(example["status"])])
    assert _faults(said["content"]["application/json"]["schema"], example["answer"]) == []


def test_no_secret_is_told_by_an_example() -> None:
    assert kept()["make_key"]["answer"]["key"] == "test_…"
    assert kept()["create_webhook"]["answer"]["secret"] == "whsec_…"
    assert kept().keys() <= operations().keys()


def test_calls_the_other_tests_do_not_make_have_examples_too(
    operator: Api, shop: Api, body: Callable[..., dict[str, Any]]
) -> None:
    """Run with KEEP_EXAMPLES it keeps theirs."""
    made = shop.post("/v1/requests", body(), at=NOON).json
    view = shop.as_key(None).get(f"/v1/track/{made['item_id']}?token={made['tracking_url'].split('token=')[1]}")
    assert view.json["stages"][0]["state"] == "done"
    assert shop.post("/v1/labels", {"ids": [made["id"]]}).data.startswith(b"%PDF")
    hook = shop.post("/v1/webhooks", {"url": URL, "types": ["request.*"]}).json
    assert shop.get(f"/v1/webhooks/{hook['id']}").json["types"] == ["request.*"]
    assert shop.call("PATCH", f"/v1/webhooks/{hook['id']}", {"types": ["*"]}).json["types"] == ["*"]
    assert shop.post(f"/v1/webhooks/{hook['id']}/rotate", {"overlap_hours": 24}).json["secret"] != hook["secret"]
    again = shop.post(f"/v1/webhooks/{hook['id']}/replay", {"from_seq": 0, "state": "unsent"})
    assert again.json["replayed"] >= 1
    key = operator.post("/v1/admin/keys", {"scope": "operator", "mode": "test"}).json
    assert operator.call("DELETE", f"/v1/admin/keys/{key['id']}").status_code == 204
    placed = [shop.post(ORDERS, order(number), at=NOON).json for number in (1, 2)]
    assert shop.post(f"{ORDERS}/batch", [order(3), order(4)], at=NOON).json["Status"] == "100"
    assert shop.post(RECALL_ITEM, {"ItemCode": placed[0]["ItemCode"]}, at=NOON).json["RequestStatus"] == "CANCELLED"
    assert shop.post(RECALL_ALL, {"OrderNumber": placed[1]["OrderNumber"]}, at=NOON).json["Status"] == "100"
    taken = send(shop, as_csv([row(1)]), "?dry_run=true")
    assert taken.status_code == 202
    if KEEPING:
        keeping.keep(taken, None)


def test_the_collection_has_a_request_for_every_operation_filled_with_its_example(operator: Api) -> None:
    made = operator.as_key(None).get("/v1/collection.json").json
    assert made["info"]["schema"].endswith("/v2.1.0/collection.json")
    requests = {one["name"]: one["request"] for folder in made["item"] for one in folder["item"]}
    assert requests.keys() == operations().keys()
    for name, request in requests.items():
        method, path, operation = operations()[name]
        assert request["method"] == method
        assert "/" + "/".join(request["url"]["path"]) == re.sub(r"\{(\w+)\}", r":\1", path)
        assert [one["key"] for one in request["url"]["variable"]] == re.findall(r"\{(\w+)\}", path)
        if request.get("body", {}).get("mode") == "raw":
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert _faults(schema, json.loads(request["body"]["raw"])) == []
    assert jsonschema_rs.Draft202012Validator(POSTMAN).is_valid(made)


def test_the_pages_about_the_api_need_no_other_server(operator: Api) -> None:
    nobody = operator.as_key(None)
    for path in ("/docs", "/docs/problems"):
        page = nobody.get(path)
        assert page.status_code == 200
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    text = nobody.get("/docs").text
    for name, (_, _, operation) in operations().items():
        assert f'id="{name}"' in text and html.escape(operation["x-summary-vi"], quote=False)[:20] in html.unescape(
            text
        )
    codes = nobody.get("/docs/problems").text
    assert all(f'id="{html.escape(code)}"' in codes for code in CODES)
