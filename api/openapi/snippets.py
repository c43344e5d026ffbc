"""How an operation is called from a terminal and from Python, with the values of its example."""

from __future__ import annotations

import json
from typing import Any

CLIENT = {
    "quote": "calls.quote(body)",
    "create_request": "calls.create_request(body)",
    "read_request": 'calls.read_request("req_…")',
    "list_requests": 'calls.list_requests(status="REQUESTED")',
    "cancel_request": 'calls.cancel_request("req_…", "…")',
    "request_e_returned": 'calls.e_returned("req_…")',
    "result_ready": 'calls.result_ready("req_…")',
    "redirect_request": 'calls.redirect_request("req_…", {"raw": "…"})',
    "request_events": 'calls.request_events("req_…")',
    "read_label": 'calls.read_label("req_…")',
    "batch_of_labels": 'calls.labels(["req_…"])',
    "pay_request": 'calls.pay_request("req_…", 26000)',
    "lodge_complaint": 'calls.complain("req_…", "LATE")',
    "advance": 'calls.advance("req_…", "collected")',
    "create_import": "calls.import_requests(content)",
    "read_operation": 'calls.read_operation("op_…")',
    "counter_day": 'calls.counter_day("2026-11-24")',
    "make_appointment": 'calls.make_appointment("r1", "2026-11-24T09:00:00+07:00")',
    "read_feed": "calls.read_feed(after=0, wait=30)",
    "create_webhook": 'calls.create_webhook("https://…")',
    "list_webhooks": "calls.list_webhooks()",
    "change_webhook": 'calls.change_webhook("whk_…", active=True)',
    "delete_webhook": 'calls.delete_webhook("whk_…")',
    "rotate_secret": 'calls.rotate_secret("whk_…")',
    "test_webhook": 'calls.test_webhook("whk_…")',
    "me": "calls.me()",
}
"""Operations that the Python client (clients/python) has a call of its own for."""


def curl(verb: str, path: str, operation: dict[str, Any], kept: dict[str, Any]) -> str:
    """The call as a command of a POSIX shell; `$BASE` and `$KEY` are the caller's."""
    words = [f"curl -X {verb.upper()} \"$BASE\"'{kept.get('path', path)}'"]
    if operation.get("security") != []:
        words.append('-H "Authorization: Bearer $KEY"')
    if any(one.get("$ref", "").endswith("/Idempotency-Key") for one in operation["parameters"]):
        words.append('-H "Idempotency-Key: $(uuidgen)"')
    media = next(iter(operation.get("requestBody", {}).get("content", {})), None)
    if media == "application/json":
        text = json.dumps(kept.get("body", {}), ensure_ascii=False, indent=2).replace("'", "'\\''")
        words += ["-H 'Content-Type: application/json'", f"-d '{text}'"]
    elif media == "multipart/form-data":
        words.append("-F file=@requests.csv")
    elif media is not None:
        words += [f"-H 'Content-Type: {media}'", "--data-binary @photo.png"]
    return " \\\n  ".join(words)


def python(verb: str, path: str, operation: dict[str, Any], kept: dict[str, Any]) -> str:
    """The call with the Python client."""
    asked = kept.get("path", path)
    has_body = "application/json" in operation.get("requestBody", {}).get("content", {})
    name = operation["operationId"]
    call = CLIENT.get(name) or f'calls.call("{verb.upper()}", "{asked}"{", body" if has_body else ""})'
    lines = [f"body = {kept.get('body', {})!r}"] if "body" in call.replace("body=", "") else []
    return "\n".join([*lines, f"answer = post.send({call})"])
