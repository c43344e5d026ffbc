"""Request bodies and instants for the tests of the rules."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from dispatch.domain.consignment import QuoteBody


def at(text: str) -> datetime:
    """`2020-04-07 15:10` in Vietnam."""
    return datetime.fromisoformat(f"{text.replace(' ', 'T')}:00+07:00")


def body(
    kind: str = "return",
    dossier: dict[str, Any] | None = None,
    citizen: dict[str, Any] | None = None,
    **changes: Any,
) -> QuoteBody:
    """A quote's body as it arrives over HTTP, with the least a shop must say."""
    told = {
        "kind": kind,
        "dossier": {"code": "000.00.16.H32-200320-0015", **(dossier or {})},
        "citizen": {
            "name": "Nguyễn Thị A",
            "phone": "0905123456",
            "address": {"commune_code": "22330", "era": "2020"},
            **(citizen or {}),
        },
        "weight_g": 80,
        **changes,
    }
    return QuoteBody.model_validate_json(json.dumps(told))
