"""The Python client against the running server: blocking and asyncio, faults and all."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

import pytest
from dieutin import ApiError, AsyncClient, Client, OperationFailed, calls
from dieutin.bodies import RequestBody

from tests.api.conftest import NOON
from tests.api.serving import Server
from tests.clients.conftest import QUICK, shop_key
from tests.clients.line import Line


def wanted(ref: str, **changes: Any) -> RequestBody:
    body: Any = {
        "external_ref": ref,
        "kind": "return",
        "dossier": {"code": "000.00.16.H32-261120-0015", "online_level": 4, "submitted_via": "ONLINE"},
        "citizen": {
            "name": "Nguyễn Thị Ánh Nguyệt",
            "phone": "0905123456",
            "address": {"raw": "12 Trần Phú, P. Vĩnh Hải", "commune_code": "22330", "era": "2020"},
        },
        "weight_g": 80,
    }
    made: RequestBody = {**body, **changes}
    return made


def test_a_shops_day_blocking(server: Server) -> None:
    with Client(server.base, shop_key(server.base), language="en", patience=QUICK) as client:
        post = client.at(datetime.fromisoformat(NOON))
        assert post.send(calls.me())["scope"] == "shop"
        assert post.send(calls.quote(wanted("KH-1")))["quote"]["currency"] == "VND"
        hook = post.send(calls.create_webhook("https://shop.example/hook", ["request.*"]))
        made = [post.send(calls.create_request(wanted(f"KH-{number}"))) for number in range(5)]
        assert post.send(calls.read_request(made[0]["id"])) == made[0]
        # Two of a page: the other pages are fetched as they are needed.
        assert [one["id"] for one in post.each(calls.list_requests(limit=2))] == [one["id"] for one in made]
        events = list(islice(post.follow(wait=0, types="request.created"), 5))
        assert [event["data"]["id"] for event in events] == [one["id"] for one in made]
        assert post.send(calls.read_label(made[0]["id"])).startswith(b"%PDF")
        assert post.send(calls.labels([made[0]["id"], made[1]["id"]])).startswith(b"%PDF")
        gone = post.send(calls.cancel_request(made[1]["id"], "not needed").if_unchanged(made[1]["version"]))
        assert gone["status"] == "CANCELLED"
        with pytest.raises(ApiError) as stale:
            post.send(calls.cancel_request(made[2]["id"], "not needed").if_unchanged(77))
        assert (stale.value.status, stale.value.code) == (412, "stale")
        moved = post.send(calls.advance(made[0]["id"], "assigned"))
        assert moved["status"] == "ASSIGNED"
        assert [one["id"] for one in post.each(calls.list_webhooks())] == [hook["id"]]
        assert post.send(calls.change_webhook(hook["id"], active=False))["active"] is False
        assert post.send(calls.delete_webhook(hook["id"])) is None
        assert post.send(calls.make_appointment("r1", "2026-11-25T09:00:00+07:00"))["free"] == 19
        assert post.send(calls.counter_day("2026-11-24"))["next_counter_day"] >= "2026-11-24"


def test_a_shops_day_with_asyncio(server: Server) -> None:
    key = shop_key(server.base)

    async def day() -> None:
        async with AsyncClient(server.base, key, patience=QUICK) as client:
            post = client.at(datetime.fromisoformat(NOON))
            made = await asyncio.gather(*(post.send(calls.create_request(wanted(f"A-{n}"))) for n in range(6)))
            listed = [one["id"] async for one in post.each(calls.list_requests(limit=4))]
            assert sorted(listed) == sorted(one["id"] for one in made)
            seen: list[str] = []
            async for event in post.follow(types="request.created"):
                seen.append(event["data"]["id"])
                if len(seen) == 6:
                    break
            assert set(seen) == set(listed)
            with pytest.raises(ApiError) as absent:
                await post.send(calls.read_request("req_nobody"))
            assert absent.value.code == "not_found" and absent.value.request_id

    asyncio.run(day())


def test_an_error_tells_code_faults_and_the_id_of_the_call(server: Server) -> None:
    with Client(server.base, shop_key(server.base), patience=QUICK) as client:
        with pytest.raises(ApiError) as refused:
            client.send(calls.create_request(wanted("KH-1", weight_g=0)).with_headers(X_Request_Id="mine-1"))
        error = refused.value
        assert (error.status, error.code, error.request_id) == (422, "validation_failed", "mine-1")
        assert [fault["pointer"] for fault in error.errors] == ["/weight_g"]
        client.send(calls.create_request(wanted("KH-1")))
        with pytest.raises(ApiError) as twice:
            client.send(calls.create_request(wanted("KH-1")))
        assert twice.value.code == "duplicate_external_ref" and twice.value.body["existing_id"].startswith("req_")


def test_long_work_that_ends_badly_says_so(server: Server) -> None:
    with Client(server.base, shop_key(server.base), patience=QUICK) as client:
        accepted = client.send(calls.import_requests(b"external_ref;kind\nA;return\n", dry_run=True))
        assert client.send(calls.read_operation(accepted["id"]))["status"] == "queued"
        client.send(calls.call("POST", f"/v1/operations/{accepted['id']}/cancel"))
        with pytest.raises(OperationFailed) as ended:
            client.wait(accepted, within_s=10)
        assert ended.value.status == "cancelled"


def _answer(raw: bytes) -> Any:
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b" 201 " in head.split(b"\r\n")[0]
    return json.loads(body)


def test_an_answer_lost_after_the_commit_is_got_by_the_retry(server: Server) -> None:
    key = shop_key(server.base)
    with closing(Line(server.port, breaks_at=1)) as line, Client(line.address, key, patience=QUICK) as client:
        made = client.send(calls.create_request(wanted("KH-cut")))
        first = _answer(line.swallowed[0])
        assert made == first
        assert len(line.calls) == 2 and len({_key(call) for call in line.calls}) == 1
        assert [one["id"] for one in client.each(calls.list_requests())] == [first["id"]]

    async def cut_off(address: str) -> Any:
        async with AsyncClient(address, key, patience=QUICK) as client:
            return await client.send(calls.create_request(wanted("KH-cut-2")))

    with closing(Line(server.port, breaks_at=1)) as line:
        assert asyncio.run(cut_off(line.address)) == _answer(line.swallowed[0])


def _key(call: bytes) -> bytes:
    head = call.partition(b"\r\n\r\n")[0]
    return next(line for line in head.split(b"\r\n") if line.lower().startswith(b"idempotency-key:"))
