"""Examples of the document: real calls and their answers, kept by the tests (tests/api/keeping.py)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("examples.json")


@cache
def kept() -> dict[str, dict[str, Any]]:
    """The example of each operation: `path, body, status, answer`, as far as the call has them."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return found
