"""Examples of the document: real calls and their answers, kept by a test (tests/api/test_examples.py)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("examples.json")


@cache
def _kept() -> dict[str, dict[str, Any]]:
    if not FILE.exists():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def of(operation_id: str) -> dict[str, Any] | None:
    """The example of an operation: `says, path, body, status, answer`, as far as the call has them."""
    return _kept().get(operation_id)
