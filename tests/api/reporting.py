"""Asking for reports, and making and carrying the requests they count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pypdfium2

from tests.api.conftest import Api

Body = Callable[..., dict[str, Any]]

NAMES = {
    "sla", "deferred-postage", "online-intake", "cash", "coverage", "incidents", "courier-day", "price-proposal",
    "training", "learning",
}  # fmt: skip


def report(caller: Api, name: str, first: str, last: str, *, at: str | None = None, **more: Any) -> Any:
    query = "&".join(f"{key}={value}" for key, value in {"from": first, "to": last, **more}.items())
    answer = caller.get(f"/v1/reports/{name}?{query}", at=at)
    assert answer.status_code == 200, answer.text
    return answer if "format" in more else answer.json


def made(caller: Api, sent: dict[str, Any], at: str) -> dict[str, Any]:
    answer = caller.post("/v1/requests", sent, at=at)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def play(caller: Api, request_id: str, *events: tuple[str, str] | tuple[str, str, dict[str, Any]]) -> None:
    for event, at, *payload in events:
        told = {"event": event, "at": at, "payload": payload[0] if payload else {}}
        answer = caller.post(f"/v1/test/requests/{request_id}/advance", told, at=at)
        assert answer.status_code == 200, answer.text


def filed_in_march(body: Body, **changes: Any) -> dict[str, Any]:
    """A Khánh Hòa return of a dossier filed without the post on 20/3/2020, registered by an officer later."""
    dossier = {
        "code": "000.00.16.H32-200320-0015",
        "online_level": 4,
        "submitted_via": "ONLINE",
        "submitted_at": "2020-03-20T09:00:00+07:00",
        "bcci_registered_before": False,
    }
    officer = {"id": "cb-017", "address_confirmed": True, "at": "2020-04-03T08:00:00+07:00"}
    return body(dossier=dossier | changes.pop("dossier", {}), officer=officer, **changes)


def words_of(document: bytes) -> str:
    pages = pypdfium2.PdfDocument(document)
    text = " ".join(page.get_textpage().get_text_bounded() for page in pages)
    return "".join(text.split())
