"""Examples for the OpenAPI document: real calls of these tests and their answers.

`KEEP_EXAMPLES=1 python -m pytest tests/api` writes them anew into api/openapi/examples.json; without the
variable nothing is kept. tests/api/test_examples.py holds the file to the document.
"""

from __future__ import annotations

import json
import re
from typing import Any

from werkzeug.test import TestResponse

from api.openapi.examples import FILE, kept
from tests.api.agreeing import operation_at, operations

_SECRETS = (
    (re.compile(r"\b(test|live)_[A-Za-z0-9_-]{20,}"), r"\1_…"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]{20,}"), "whsec_…"),
    (re.compile(r"token=[A-Za-z0-9_-]+"), "token=…"),
)
_SHOWN = 2
"""Items of a list that an example shows."""
_LONGEST = 6_000
"""Characters of JSON that a reader still reads."""

_kept: dict[str, dict[str, Any]] = {}


def keep(answer: TestResponse, body: Any) -> None:
    """Keep a call that went well, if it tells more than the one kept for its operation so far."""
    operation = operation_at(answer.request.method, answer.request.path)
    if operation is None or answer.status_code >= 300 or answer.headers.get("Idempotent-Replayed"):
        return
    example: dict[str, Any] = {"path": answer.request.full_path.rstrip("?"), "status": answer.status_code}
    if "requestBody" in operation and body is not None:
        example["body"] = body
    if answer.is_json:
        example["answer"] = _short(answer.json)
    before = _kept.get(operation["operationId"])
    if before is None or _worth(example) > _worth(before):
        _kept[operation["operationId"]] = example


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(one) for one in value[:_SHOWN]]
    if isinstance(value, dict):
        return {name: _short(one) for name, one in value.items()}
    return value


def _worth(example: dict[str, Any]) -> tuple[bool, int, int]:
    """Not too long, then all that is said, then all that is answered."""
    asked, told = (len(json.dumps(example.get(name), ensure_ascii=False)) for name in ("body", "answer"))
    return asked + told <= _LONGEST, asked, told


def write() -> None:
    """Write the kept examples, in the order of the document, without secrets; what was not called stays as it was."""
    known = {**kept(), **_kept}
    text = json.dumps({name: known[name] for name in operations() if name in known}, ensure_ascii=False, indent=1)
    for secret, instead in _SECRETS:
        text = secret.sub(instead, text)
    FILE.write_text(text + "\n", encoding="utf-8")
