"""The OpenAPI document, the routes, the code and docs/api.md say the same; answers are held to it in conftest.py."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from schemathesis.specs.openapi.definitions import OPENAPI_31

from api.codes import CODES, GUARD
from api.openapi.events import TYPES
from api.openapi.vietnamese import SUMMARIES
from dispatch.domain.news import NEWS, TEST
from tests.api.agreeing import operations, resolved, whole
from tests.api.conftest import Api

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = """
POST /v1/quotes · POST /v1/requests · GET /v1/requests · GET /v1/requests/{request_id}
POST /v1/requests/{request_id}/cancel · POST /v1/requests/{request_id}/e-returned
POST /v1/requests/{request_id}/result-ready · POST /v1/requests/{request_id}/redirect
GET /v1/requests/{request_id}/events · GET /v1/events · GET /v1/requests/{request_id}/label · POST /v1/labels
POST /v1/imports
POST /v1/webhooks · GET /v1/webhooks · PATCH /v1/webhooks/{webhook_id} · DELETE /v1/webhooks/{webhook_id}
GET /v1/webhooks/{webhook_id}/deliveries · POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay
POST /v1/webhooks/{webhook_id}/test · POST /v1/counter-days · POST /v1/appointments
POST /v1/requests/{request_id}/payments · POST /v1/requests/{request_id}/complaints
GET /v1/operations/{operation_id} · GET /v1/track/{item_id} · GET /v1/me
PUT /v1/admin/shops/{shop_id} · PUT /v1/admin/calendars/{calendar_id} · PUT /v1/admin/points/{point_id}
PUT /v1/admin/communes/{era}/{code} · PUT /v1/admin/shops/{shop_id}/overrides/{rule_id}
PUT /v1/admin/couriers/{courier_id} · PUT /v1/admin/shifts/{courier_id}/{day} · POST /v1/admin/keys
DELETE /v1/admin/keys/{key_id} · PUT /v1/admin/offices/{office_id} · GET /v1/board · POST /v1/plans
GET /v1/plans/{plan_id} · POST /v1/plans/{plan_id}/commit · POST /v1/plans/{plan_id}/discard
POST /v1/requests/{request_id}/assign · POST /v1/requests/{request_id}/unassign · GET /v1/requests/{request_id}/rescue
POST /v1/undo · POST /v1/reviews/{request_id}/decide · POST /v1/settlements · GET /v1/reports/{name}
POST /v1/simulations · POST /v1/requests/{request_id}/reopen · POST /v1/requests/{request_id}/lost
POST /v1/requests/{request_id}/damaged · POST /v1/requests/{request_id}/compensate · POST /v1/admin/reprice
POST /v1/courier/sessions · GET /v1/courier/day · POST /v1/courier/sync · PUT /v1/courier/media/{sha256}
POST /v1/test/requests/{request_id}/advance
"""
"""The calls of the contract that outside programs are written from."""
UNKEYED = {"quote", "counter_day", "courier_session", "courier_sync", "batch_of_labels", "advance"}
UNKEYED |= {"one_stop_order", "one_stop_orders", "one_stop_recall_item", "one_stop_recall_registration"}
"""POSTs that take no Idempotency-Key: nothing is stored, or every event or order is known by itself."""


def test_the_document_is_valid_openapi_3_1() -> None:
    faults = jsonschema_rs.Draft202012Validator(OPENAPI_31).iter_errors(whole())
    assert [f"{list(fault.instance_path)}: {fault.message}" for fault in faults] == []


def test_every_reference_leads_somewhere() -> None:
    references = [part["$ref"] for part in _parts(whole()) if isinstance(part.get("$ref"), str)]
    assert len(references) > 500
    for reference in set(references):
        assert resolved({"$ref": reference})


def test_the_document_has_exactly_the_routes_of_the_application(operator: Api) -> None:
    app = operator.client.application
    assert isinstance(app, Flask)
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/") and rule.endpoint not in ("openapi", "collection")
    }
    assert routes == {(method, path) for method, path, _ in operations().values()}
    assert len(routes) == len(operations())


def test_the_document_has_every_call_of_the_contract() -> None:
    told = {f"{method} {path}" for method, path, _ in operations().values()}
    wanted = {call.strip() for line in CONTRACT.strip().splitlines() for call in line.split("·")}
    assert wanted - told == set()


@pytest.mark.parametrize("name", sorted(operations()))
def test_every_operation_is_whole(name: str) -> None:
    method, path, operation = operations()[name]
    assert operation["summary"] and operation["tags"] and name in SUMMARIES
    good = {status: resolved(one) for status, one in operation["responses"].items() if status < "300"}
    assert good
    for status, answer in good.items():
        for media, content in answer.get("content", {}).items():
            schema = resolved(content["schema"])
            assert media != "application/json" or schema.get("properties"), f"{name} {status} has no shape"
        assert status == "204" or answer["content"]
    assert {"500", "503", "406"} <= operation["responses"].keys()
    headers = {resolved(one)["name"] for one in operation["parameters"] if resolved(one)["in"] == "header"}
    assert {"X-Request-Id", "Accept-Language"} <= headers
    assert ("Idempotency-Key" in headers) == (method == "POST" and name not in UNKEYED)
    assert set(re.findall(r"\{(\w+)\}", path)) == {
        resolved(one)["name"] for one in operation["parameters"] if resolved(one)["in"] == "path"
    }


def test_links_fill_the_paths_of_what_they_lead_to() -> None:
    links = [
        link
        for _, _, operation in operations().values()
        for answer in operation["responses"].values()
        for link in resolved(answer).get("links", {}).values()
    ]
    assert len(links) > 40
    for link in links:
        _, path, _ = operations()[link["operationId"]]
        assert set(re.findall(r"\{(\w+)\}", path)) == link["parameters"].keys()
    made = resolved(operations()["create_request"][2]["responses"]["201"])["links"]
    assert {"read_request", "cancel_request", "request_events"} <= made.keys()
    assert "read_operation" in resolved(operations()["make_plan"][2]["responses"]["202"])["links"]


def test_the_page_about_codes_and_the_document_name_the_same() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    table = text.split("## Problem codes")[1].split("\n## ")[0]
    told: dict[str, set[int]] = {}
    for line in re.findall(r"^\| (`.*?) \| ([\d ·]+) \|", table, re.M):
        statuses = {int(one) for one in line[1].split("·")}
        for code in re.findall(r"`([a-z_<>]+)`", line[0]):
            told.setdefault(code, set()).update(statuses)
    document = whole()["x-problem-codes"]
    assert set(told) == set(document)
    assert {code: known["status"] for code, known in document.items() if known["status"] not in told[code]} == {}


def test_every_code_an_operation_names_is_in_the_table_under_that_status() -> None:
    named = set()
    for _, _, operation in operations().values():
        for status, answer in operation["responses"].items():
            for code in resolved(answer).get("x-problem-codes", ()):
                assert CODES[code].status == int(status)
                named.add(code)
    # Said of addresses, of pages, of what is no call yet, or of work that goes on after its call was answered.
    elsewhere = {"method_not_allowed", "front_end_missing", "area_busy", "nothing_to_simulate", "bad_policy"}
    elsewhere |= {"item_code_used", "leading_zero_lost"}  # `Code` in the answers of the adapter
    elsewhere |= {"request_timeout", "uri_too_long", "expectation_failed", "headers_too_large"}
    assert set(CODES) - named == elsewhere


STATUS_OF = {"invalid": 422, "Invalid": 422, "NotFound": 404, "Conflict": 409, "Stale": 412, "Unavailable": 503}


def test_every_code_in_the_code_is_in_the_table_under_its_status() -> None:
    found = dict(_raised())
    assert len(found) > 70
    assert {code: status for code, status in found.items() if code not in CODES or CODES[code].status != status} == {}


def test_the_webhooks_of_the_document_are_the_events_the_code_sends() -> None:
    assert set(TYPES) == {*NEWS, TEST} == whole()["webhooks"].keys()


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from _parts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _parts(inner)


def _raised() -> Iterator[tuple[str, int]]:
    """(code, status) of every problem written out in the code."""
    for folder in ("api", "dispatch"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield from _code_of(node)


def _code_of(call: ast.Call) -> Iterator[tuple[str, int]]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    given: list[Any] = [one.value if isinstance(one, ast.Constant) else None for one in call.args]
    named = {one.arg: one.value.value for one in call.keywords if isinstance(one.value, ast.Constant)}
    if name == "HttpProblem" and len(given) > 1 and isinstance(given[0], int) and given[1]:
        yield given[1], given[0]
    elif name == "invalid" and len(given) > 1 and given[1]:
        yield given[1], 422
    elif name in STATUS_OF and named.get("code"):
        yield str(named["code"]), STATUS_OF[name]


def test_a_proof_that_lacks_is_told_by_its_key() -> None:
    said = operations()["advance"][2]["responses"]["422"]
    assert GUARD in resolved(said)["x-problem-codes"]
