"""Asks a server of one's own one question and gives up in time, however slowly it drips."""

from __future__ import annotations

import json
import time
from typing import Any

from routing.errors import RoutingError

_MOST_BYTES = 256 * 2**20
_PIECE_BYTES = 2**16


def ask(method: str, url: str, timeout_s: float, question: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the JSON object a server answers with, whatever its status; `question` is sent as JSON.

    Raises RoutingError `no_answer` when it does not answer within `timeout_s`, `bad_answer` when it is no object.
    """
    import urllib3  # only who has a travel server needs it

    until = time.monotonic() + timeout_s
    limit = urllib3.Timeout(total=timeout_s)
    said = bytearray()
    try:
        answer = urllib3.request(
            method, url, json=question, timeout=limit, retries=False, redirect=False, preload_content=False
        )
        with answer:
            while piece := answer.read1(_PIECE_BYTES, decode_content=True):
                said += piece
                if time.monotonic() > until or len(said) > _MOST_BYTES:
                    raise RoutingError("no_answer", f"does not finish its answer in {timeout_s:.1f} s", url[:80])
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise RoutingError("no_answer", f"does not answer: {type(error).__name__}", url[:80]) from None
    try:
        found = json.loads(said)
    except ValueError:
        raise RoutingError("bad_answer", "does not answer in JSON", url[:80]) from None
    if not isinstance(found, dict):
        raise RoutingError("bad_answer", "must answer with an object", url[:80])
    return found
