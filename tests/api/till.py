"""At the till: requests of a shop in Gia Lai, what is paid for them, and what the books then say."""

from __future__ import annotations

import itertools
from typing import Any

from dispatch.bootstrap import System
from tests.api.conftest import Api, make_shop

GIA_LAI = {"province_code": "64", "commune_code": "23560", "lat": 13.98, "lng": 108.0}
"""A shop in Pleiku."""
NEAR = {"commune_code": "23557", "era": "2020"}
FAR = {"commune_code": "23617", "era": "2020"}
ONLINE = {"code": "H21.65-200520-0011", "online_level": 4, "submitted_via": "ONLINE"}
UNABLE = {"amount": 80_000, "online_payment_unable": True}
C11 = "2020-05-30T16:00:00+07:00"
"""The last afternoon of Gia Lai's discount, a Saturday."""

_numbers = itertools.count()


def gia_lai(operator: Api) -> Api:
    """A caller with the key of the shop `gl-pleiku`."""
    return operator.as_key(make_shop(operator, "gl-pleiku", **GIA_LAI))


def person(address: dict[str, Any]) -> dict[str, Any]:
    return {"name": "Rơ Châm H'Lan", "phone": "0905123456", "address": address}


def ask(shop: Api, at: str, **changes: Any) -> dict[str, Any]:
    """Make a request of a shop at an instant: a return of a level-4 online dossier in Pleiku unless told otherwise."""
    told = {"external_ref": f"till-{next(_numbers)}", "kind": "return", "dossier": ONLINE, "citizen": person(NEAR)}
    answer = shop.post("/v1/requests", {**told, "weight_g": 80, **changes}, at=at)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


def pay(shop: Api, request_id: str, amount: int, at: str, **more: Any) -> Any:
    told = {"amount": amount, "at": at, "method": "CASH"} | more
    return shop.post(f"/v1/requests/{request_id}/payments", told, at=at)


def advance(shop: Api, request_id: str, event: str, at: str, **payload: Any) -> dict[str, Any]:
    step = {"event": event, "at": at, "payload": payload}
    answer = shop.post(f"/v1/test/requests/{request_id}/advance", step)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json
    return shown


def carry(shop: Api, request_id: str, *steps: tuple[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for event, at in steps:
        shown = advance(shop, request_id, event, at)
    return shown


def complain(shop: Api, request_id: str, kind: str, at: str) -> dict[str, Any]:
    answer = shop.post(f"/v1/requests/{request_id}/complaints", {"lodged_at": at, "kind": kind}, at=at)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json
    return told


def books(system: System, request_id: str) -> list[tuple[str | None, str, str, int]]:
    """(leg, book, kind, amount) of every ledger entry about a request."""
    with system.store.begin() as session:
        return [(row.leg, row.book, row.kind, row.amount) for row in session.money.entries(request_id)]


def types_told(shop: Api) -> list[str]:
    return [entry["type"] for entry in shop.get("/v1/events?limit=200").json["data"]]
