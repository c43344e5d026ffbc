"""The calls of a shop's software as values: what is sent, and what the answer is. `Client.send` sends them.

Operators' and couriers' calls go through `call`, which takes any path of the OpenAPI document.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote as quoted

import httpx

from dieutin import bodies as b
from dieutin import types as t

Answer = TypeVar("Answer")
Other = TypeVar("Other")


def _json(response: httpx.Response) -> Any:
    return response.json() if response.content else None


def _bytes(response: httpx.Response) -> bytes:
    return response.content


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One call. A keyed one carries its Idempotency-Key, so that sending the same value again is the same call.

    `repeatable`: an attempt whose answer was lost may be made again. `least_s`: seconds one attempt may take anyway.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], Answer]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    files: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    least_s: float = 0.0

    def with_headers(self, **headers: str) -> Call[Answer]:
        """The same call with these headers besides; `If_Match` becomes `If-Match`."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}})

    def if_unchanged(self, version: int) -> Call[Answer]:
        """The same call, refused (412 `stale`) where the thing has another version by now."""
        return self.with_headers(If_Match=f'"{version}"')


def _key(given: str | None) -> dict[str, str]:
    return {"Idempotency-Key": given or str(uuid.uuid4())}


def _set(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _at(path: str, *ids: str) -> str:
    return path.format(*(quoted(one, safe="") for one in ids))


def call(
    method: str, path: str, body: Any = None, *, key: str | None = None, keyed: bool | None = None, **query: Any
) -> Call[Any]:
    """Any call of the document; a POST gets an Idempotency-Key unless `keyed` is False."""
    has_key = method == "POST" if keyed is None else keyed
    headers = _key(key) if has_key else {}
    return Call(method, path, _json, query=_set(**query), body=body, headers=headers)


def _get(path: str, **query: Any) -> Call[Any]:
    return Call("GET", path, _json, query=_set(**query))


def _post(path: str, body: Any, key: str | None) -> Call[Any]:
    return Call("POST", path, _json, body=body, headers=_key(key))


# ---- requests


def quote(body: b.QuoteBody) -> Call[t.QuoteAnswer]:
    """Price and promise, nothing stored."""
    return Call("POST", "/v1/quotes", _json, body=body)


def create_request(body: b.RequestBody, *, key: str | None = None) -> Call[t.Request]:
    """Ask for a pickup, a return or both."""
    return _post("/v1/requests", body, key)


def read_request(request_id: str) -> Call[t.Request]:
    """Read one request."""
    return _get(_at("/v1/requests/{}", request_id))


def list_requests(
    *,
    status: str | None = None,
    external_ref: str | None = None,
    updated_after: str | None = None,
    authority_due_before: str | None = None,
    limit: int = 200,
) -> Call[t.Page[t.Request]]:
    """A page of requests; `Client.each` goes through all pages."""
    filters = _set(status=status, external_ref=external_ref, updated_after=updated_after)
    return _get("/v1/requests", limit=limit, authority_due_before=authority_due_before, **filters)


def cancel_request(request_id: str, reason: str, *, key: str | None = None) -> Call[t.Request]:
    """Take a request back; until it was collected."""
    return _post(_at("/v1/requests/{}/cancel", request_id), {"reason": reason}, key)


def e_returned(request_id: str, at: str | None = None, *, key: str | None = None) -> Call[t.Request]:
    """Say that the result went out electronically."""
    return _post(_at("/v1/requests/{}/e-returned", request_id), _set(at=at), key)


def result_ready(request_id: str, notice_at: str | None = None, *, key: str | None = None) -> Call[t.Request]:
    """Wake the return leg of a two-way request."""
    return _post(_at("/v1/requests/{}/result-ready", request_id), _set(notice_at=notice_at), key)


def redirect_request(request_id: str, address: b.Address, *, key: str | None = None) -> Call[t.Request]:
    """Give a new address before delivery."""
    return _post(_at("/v1/requests/{}/redirect", request_id), {"address": address}, key)


def request_events(request_id: str) -> Call[dict[str, list[t.Step]]]:
    """The history of a request: `{"data": [...]}`."""
    return _get(_at("/v1/requests/{}/events", request_id))


def read_label(request_id: str, *, size: str = "100x150", format: str = "pdf", leg: str | None = None) -> Call[bytes]:
    """The label, ready to print."""
    query = _set(size=size, format=format, leg=leg)
    return Call("GET", _at("/v1/requests/{}/label", request_id), _bytes, query=query)


def labels(request_ids: Sequence[str]) -> Call[bytes]:
    """The labels of many requests as one PDF."""
    return Call("POST", "/v1/labels", _bytes, body={"ids": list(request_ids)})


def pay_request(
    request_id: str,
    amount: int,
    *,
    at: str | None = None,
    method: str = "CASH",
    receipt_no: str | None = None,
    key: str | None = None,
) -> Call[t.Request]:
    """Record that the citizen paid."""
    body = _set(amount=amount, at=at, method=method, receipt_no=receipt_no)
    return _post(_at("/v1/requests/{}/payments", request_id), body, key)


def complain(
    request_id: str, kind: str, *, lodged_at: str | None = None, leg: str | None = None, key: str | None = None
) -> Call[t.ComplaintAnswered]:
    """Lodge a complaint: LOST, DAMAGED, LATE or PRICE."""
    return _post(_at("/v1/requests/{}/complaints", request_id), _set(kind=kind, lodged_at=lodged_at, leg=leg), key)


def advance(request_id: str, event: str, *, at: str | None = None, payload: Any = None) -> Call[t.Request]:
    """Test mode: play a courier's event. Sent once only: a second time it would be a second event."""
    body = _set(event=event, at=at, payload=payload)
    return Call("POST", _at("/v1/test/requests/{}/advance", request_id), _json, body=body, repeatable=False)


# ---- long work, counters


def import_requests(
    content: bytes, *, file_name: str = "requests.csv", dry_run: bool = False, key: str | None = None
) -> Call[t.Accepted]:
    """Take a CSV or XLSX of requests in; `Client.wait` gives what became of its rows."""
    query = {"dry_run": "true" if dry_run else "false"}
    files = {"file": (file_name, content)}
    return Call("POST", "/v1/imports", _json, query=query, files=files, headers=_key(key))


def read_operation(operation_id: str) -> Call[t.Operation]:
    """How far long work is."""
    return _get(_at("/v1/operations/{}", operation_id))


def counter_day(date: str, *, shop_id: str | None = None) -> Call[dict[str, str]]:
    """The next day on which people are served: `{"next_counter_day": ...}`."""
    return Call("POST", "/v1/counter-days", _json, body=_set(shop_id=shop_id, date=date))


def make_appointment(
    room_id: str, starts_at: str, *, minutes: int = 30, people: int = 1, shop_id: str | None = None,
    key: str | None = None,
) -> Call[t.Appointment]:  # fmt: skip
    """Keep a place in a room of limited capacity."""
    body = _set(shop_id=shop_id, room_id=room_id, starts_at=starts_at, minutes=minutes, people=people)
    return _post("/v1/appointments", body, key)


# ---- being told


def read_feed(
    after: int = 0, *, limit: int = 200, wait: int = 0, types: str | None = None, shop_id: str | None = None
) -> Call[dict[str, Any]]:
    """Events above `after`: `{"data", "next_after"}`; `Client.follow` goes on for ever."""
    made = _get("/v1/events", after=after, limit=limit, wait=wait, types=types, shop_id=shop_id)
    return replace(made, least_s=float(wait))


def create_webhook(
    url: str, types: Sequence[str] = ("*",), *, shop_id: str | None = None, key: str | None = None
) -> Call[t.WebhookWithSecret]:
    """Register a webhook; the secret is shown once (null where the answer is a repeated one)."""
    return _post("/v1/webhooks", _set(url=url, types=list(types), shop_id=shop_id), key)


def list_webhooks(limit: int = 200) -> Call[t.Page[t.WebhookShown]]:
    """A page of webhooks."""
    return _get("/v1/webhooks", limit=limit)


def change_webhook(webhook_id: str, **changes: Any) -> Call[t.WebhookShown]:
    """Change `url`, `types` or `active`."""
    return Call("PATCH", _at("/v1/webhooks/{}", webhook_id), _json, body=changes)


def delete_webhook(webhook_id: str) -> Call[None]:
    """Remove a webhook."""
    return cast(Call[None], Call("DELETE", _at("/v1/webhooks/{}", webhook_id), _json))


def rotate_secret(webhook_id: str, overlap_hours: int = 24, *, key: str | None = None) -> Call[t.WebhookWithSecret]:
    """Give a webhook a new secret; the old one signs too for so many hours."""
    return _post(_at("/v1/webhooks/{}/rotate", webhook_id), {"overlap_hours": overlap_hours}, key)


def test_webhook(webhook_id: str, *, key: str | None = None) -> Call[dict[str, str]]:
    """Send a `webhook.test`."""
    return _post(_at("/v1/webhooks/{}/test", webhook_id), None, key)


def me() -> Call[dict[str, Any]]:
    """Who this key is."""
    return _get("/v1/me")
