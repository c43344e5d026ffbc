"""The client's TypedDicts have the keys the OpenAPI document has, and need what it needs."""

from __future__ import annotations

from typing import Any, NotRequired, get_args, get_origin, get_type_hints

import pytest
from dieutin import bodies, calls, types

from api.openapi.snippets import CLIENT
from tests.api.agreeing import operation_at, resolved, whole

NAMES = {
    bodies.Dossier: "Dossier",
    bodies.Address: "Address",
    bodies.Citizen: "Citizen",
    bodies.Document: "Document",
    bodies.StateFee: "StateFee",
    bodies.Officer: "Officer",
    bodies.Window: "Window",
    bodies.QuoteBody: "QuoteBody",
    types.Text: "Text",
    types.Basis: "Basis",
    types.QuoteLine: "QuoteLine",
    types.BorneBy: "BorneBy",
    types.Quote: "Quote",
    types.Cause: "Cause",
    types.Predicted: "Predicted",
    types.Promise: "Promise",
    types.AddressFound: "AddressFound",
    types.QuoteAnswer: "QuoteAnswer",
    types.RequestLeg: "RequestLeg",
    types.Request: "RequestShown",
    types.Step: "Step",
    types.Event: "Event",
    types.Accepted: "Accepted",
    types.Operation: "OperationShown",
    types.WebhookShown: "WebhookShown",
    types.WebhookWithSecret: "WebhookWithSecret",
    types.Appointment: "Appointment",
    types.ComplaintAnswered: "ComplaintAnswered",
}
KINDS = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}


@pytest.mark.parametrize("shape", NAMES, ids=NAMES.values())
def test_a_type_has_the_keys_of_the_document(shape: Any) -> None:
    schema = whole()["components"]["schemas"][NAMES[shape]]
    written = get_type_hints(shape, include_extras=True)
    assert written.keys() == schema["properties"].keys()
    needed = {name for name, hint in written.items() if get_origin(hint) is not NotRequired}
    assert needed == set(schema.get("required", ()))
    hints = get_type_hints(shape)
    for name, told in schema["properties"].items():
        assert (type(None) in get_args(hints[name])) == _nullable(told), f"{NAMES[shape]}.{name}"
        for kind in _kinds(told):
            assert KINDS[kind] in _bare(hints[name]), f"{NAMES[shape]}.{name}: {kind}"


def _nullable(schema: dict[str, Any]) -> bool:
    return {"type": "null"} in schema.get("anyOf", ())


def _kinds(schema: dict[str, Any]) -> set[str]:
    parts = [resolved(part) for part in schema.get("anyOf", [schema])]
    return {part["type"] for part in parts if part.get("type") not in (None, "null")}


def _bare(hint: Any) -> set[type]:
    """The Python types of a hint; a Literal has those of its values, a TypedDict is a dict."""
    if get_origin(hint) in (list, dict):
        return {get_origin(hint)}
    if get_args(hint):
        return {kind for part in get_args(hint) for kind in ({type(part)} if _is_value(part) else _bare(part))}
    return {dict} if hasattr(hint, "__required_keys__") else {hint}


def _is_value(part: Any) -> bool:
    return isinstance(part, str | int)


def test_every_call_is_an_operation_that_takes_what_it_sends() -> None:
    body: Any = {}
    made: list[calls.Call[Any]] = [
        calls.quote(body), calls.create_request(body), calls.read_request("r"), calls.list_requests(status="REQUESTED"),
        calls.cancel_request("r", "x"), calls.e_returned("r"), calls.result_ready("r"),
        calls.redirect_request("r", {"raw": "x"}), calls.request_events("r"), calls.read_label("r", leg="pickup"),
        calls.labels(["r"]), calls.pay_request("r", 1), calls.complain("r", "LATE"), calls.advance("r", "assigned"),
        calls.import_requests(b"x"), calls.read_operation("o"), calls.counter_day("2026-11-24"),
        calls.make_appointment("r1", "2026-11-24T09:00:00+07:00"), calls.read_feed(types="request.*", shop_id="s"),
        calls.create_webhook("https://shop.example"), calls.list_webhooks(), calls.change_webhook("w", active=True),
        calls.delete_webhook("w"), calls.rotate_secret("w"), calls.test_webhook("w"), calls.me(),
    ]  # fmt: skip
    for call in made:
        operation = operation_at(call.method, call.path)
        assert operation is not None, call.path
        parameters = [resolved(one) for one in operation["parameters"]]
        assert call.query.keys() <= {one["name"] for one in parameters if one["in"] == "query"}
        keyed = any(one["name"] == "Idempotency-Key" for one in parameters)
        assert ("Idempotency-Key" in call.headers) == keyed, call.path
        content = operation.get("requestBody", {}).get("content", {})
        assert (call.body is not None) == ("application/json" in content), call.path
        assert (call.files is not None) == ("multipart/form-data" in content), call.path
    own = {name for name in vars(calls) if callable(getattr(calls, name)) and not name.startswith("_")}
    builders = {name for name in own if getattr(getattr(calls, name), "__module__", "") == "dieutin.calls"}
    assert len(builders - {"Call", "call"}) == len(made)


def test_what_the_page_says_of_the_client_is_a_call_of_it() -> None:
    for name, expression in CLIENT.items():
        call = eval(expression, {"calls": calls, "body": {}, "content": b""})
        operation = operation_at(call.method, call.path)
        assert operation is not None and operation["operationId"] == name
