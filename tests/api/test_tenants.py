"""Nobody learns anything of what is not his: neither from an answer, nor its headers, nor the work it costs."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from api.endpoint import ENDPOINTS, Endpoint
from tests.api.conftest import NOON, Api, caller_of, system_on
from tests.api.test_hostile import named, path_of, written
from tests.api.world import PHOTO, QUERIES, World, asked

ABSENT = "0" * 26
OWN = ("request_id", "webhook_id", "delivery_id", "operation_id", "plan_id", "key_id", "item_id")
"""Path parameters whose ids we mint; the rest are chosen by the operator or mean the same to everybody."""


@pytest.fixture(scope="module")
def world(module_database: str, redis_url: str) -> Iterator[World]:
    with system_on(module_database, redis_url) as system:
        made = World(system, caller_of(system))
        file = (HEADER + "\nHS-import,return,H32.1-200320-0015,Nguyễn B,0905123456,Nha Trang,80\n").encode()
        with made.shop.client.open(
            "/v1/imports",
            method="POST",
            data={"file": (io.BytesIO(file), "a.csv")},
            headers={"Authorization": f"Bearer {made.shop.key}", "Idempotency-Key": "import"},
        ) as answer:
            assert answer.status_code == 202, answer.text
            made.ids["operation_id"] = answer.json["id"]
        yield made


HEADER = "external_ref,kind,dossier.code,citizen.name,citizen.phone,citizen.address.raw,weight_g"


@contextlib.contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """The SQL that runs inside the block, without its values."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(world.system.store.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(world.system.store.engine, "before_cursor_execute", note)


def asking(world: World, caller: Api, endpoint: Endpoint, ids: dict[str, str], key: str) -> tuple[Any, ...]:
    """What a caller gets for these ids: status, headers, body without what differs from call to call, and the SQL."""
    body = world.body(endpoint.name)
    for name in OWN:
        body = _renamed(body, world.ids[name], ids[name])
    raw = PHOTO if endpoint.accepts == "image/png" else None if body is None else written(body)
    kind = "application/json" if endpoint.body is not None else endpoint.accepts
    headers = {"Authorization": f"Bearer {caller.key}", "Accept": "*/*"}
    if endpoint.idempotent:
        headers["Idempotency-Key"] = key
    if endpoint.name == "commit_plan":
        headers["If-Match"] = '"1"'
    if caller.key.startswith("test_"):
        headers["Test-Clock"] = NOON
    query = QUERIES.get(endpoint.name, {})
    with statements(world) as seen:
        answer = caller.client.open(
            path_of(endpoint, ids),
            method=endpoint.method,
            query_string=query,
            data=raw,
            content_type=kind,
            headers=headers,
        )
    told = answer.get_json(silent=True) or {}
    shown = {name: value for name, value in told.items() if name not in ("request_id", "instance")}
    kept = sorted((name, value) for name, value in answer.headers if name not in ("X-Request-Id", "Content-Length"))
    return answer.status_code, kept, shown, seen


def _renamed(body: Any, known: str, other: str) -> Any:
    if isinstance(body, dict):
        return {key: _renamed(value, known, other) for key, value in body.items()}
    if isinstance(body, list):
        return [_renamed(value, known, other) for value in body]
    return other if body == known else body


def absent(ids: dict[str, str]) -> dict[str, str]:
    """The same ids, but nobody ever had them."""
    return {name: value.partition("_")[0] + "_" + ABSENT if name in OWN else value for name, value in ids.items()}


def names_something(endpoint: Endpoint) -> bool:
    return any(f"<{name}>" in endpoint.path for name in OWN) or endpoint.name in (
        *("batch_of_labels", "settle_deferred", "remit_fees", "refund_citizen", "pay_compensation"),
    )


SWEPT = [endpoint for endpoint in ENDPOINTS if names_something(endpoint) and endpoint.name != "track"]


@pytest.mark.parametrize("endpoint", SWEPT, ids=named)
def test_another_shops_things_are_as_absent_as_what_never_was(world: World, endpoint: Endpoint) -> None:
    foreign = asking(world, world.other, endpoint, world.ids, "foreign")
    nothing = asking(world, world.other, endpoint, absent(world.ids), "nothing")
    assert foreign[0] == (404 if "shop" in endpoint.scopes else 403), foreign
    assert foreign[:3] == nothing[:3]
    assert foreign[3] == nothing[3], "the same questions to the database: no difference in time"


@pytest.mark.parametrize("endpoint", SWEPT, ids=named)
def test_test_and_live_never_see_each_other(world: World, live: Api, endpoint: Endpoint) -> None:
    if "operator" not in endpoint.scopes or endpoint.name == "advance":
        return
    foreign = asking(world, live, endpoint, world.ids, "foreign-live")
    nothing = asking(world, live, endpoint, absent(world.ids), "nothing-live")
    by_body = "<" not in endpoint.path or endpoint.name == "apply_rescue"
    assert foreign[0] == 404 or (by_body and foreign[0] in (409, 422)), foreign
    assert _nameless(foreign, world.ids) == _nameless(nothing, absent(world.ids))


def _nameless(told: tuple[Any, ...], ids: dict[str, str]) -> tuple[Any, ...]:
    """An answer with the ids that it repeats after the caller taken out."""
    status, kept, shown, seen = told
    return status, kept, json.dumps(shown).replace(ids["request_id"], "the request"), seen


@pytest.fixture(scope="module")
def live(world: World) -> Api:
    """An operator of the live world."""
    return world.operator.as_key(
        world.operator.post("/v1/admin/keys", {"scope": "operator", "mode": "live"}).json["key"]
    )


@pytest.mark.parametrize("endpoint", [e for e in SWEPT if "courier" in e.scopes], ids=named)
def test_another_couriers_items_are_not_there_either(world: World, endpoint: Endpoint) -> None:
    if endpoint.name == "advance":
        return  # the test world's own call, for any kind of key
    foreign = asking(world, world.other_phone, endpoint, world.ids, "foreign-courier")
    nothing = asking(world, world.other_phone, endpoint, absent(world.ids), "nothing-courier")
    assert foreign[0] == 404, foreign
    assert foreign[:3] == nothing[:3] and foreign[3] == nothing[3]


def test_the_courier_who_carries_an_item_prints_its_label(world: World) -> None:
    path = f"/v1/requests/{world.ids['request_id']}/label"
    assert world.phone.get(path, headers={"Accept": "*/*"}).status_code == 200


def test_a_foreign_shop_named_in_a_body_or_query_is_an_unknown_one(world: World) -> None:
    def told(shop_id: str) -> list[Any]:
        visit = {"room_id": "R1", "starts_at": "2026-11-24T09:00:00+07:00"}
        answers = [
            world.other.post("/v1/quotes", asked(shop_id=shop_id, external_ref="x"), at=NOON),
            world.other.post("/v1/requests", asked(shop_id=shop_id, external_ref="x"), at=NOON),
            world.other.post("/v1/counter-days", {"shop_id": shop_id, "date": "2026-11-24"}, at=NOON),
            world.other.post("/v1/appointments", visit | {"shop_id": shop_id}, at=NOON),
            world.other.post("/v1/webhooks", {"url": "https://hook.example", "shop_id": shop_id}),
            world.other.get(f"/v1/events?shop_id={shop_id}"),
        ]
        return [(a.status_code, a.json["code"], a.json["detail"], a.json["errors"]) for a in answers]

    foreign = told("kh-a")
    assert {line[:2] for line in foreign} == {(422, "unknown_shop")}
    assert foreign == told("kh-no")


def test_lists_and_searches_show_only_ones_own(world: World) -> None:
    reference = world.shop.get(f"/v1/requests/{world.ids['request_id']}").json["external_ref"]
    assert world.shop.get(f"/v1/requests?external_ref={reference}").json["data"]
    assert world.other.get(f"/v1/requests?external_ref={reference}").json["data"] == []
    assert world.other.get("/v1/webhooks").json["data"] == [] == world.other.get("/v1/events").json["data"]
    page = world.shop.get("/v1/requests?limit=1").json
    stolen = world.other.get("/v1/requests", headers={}).json
    assert stolen["data"] == []
    if page["next_cursor"]:
        assert world.other.get(f"/v1/requests?cursor={page['next_cursor']}").json["data"] == []
    foreign, nothing = (
        world.other.get(f"/v1/webhooks?cursor={cursor}") for cursor in (world.ids["webhook_id"], f"whk_{ABSENT}")
    )
    assert (
        (foreign.status_code, foreign.json["code"])
        == (nothing.status_code, nothing.json["code"])
        == (422, "validation_failed")
    )


def test_the_same_reference_and_key_belong_to_each_shop_apart(world: World) -> None:
    body = asked(external_ref="cùng-mã")
    mine, theirs = (
        caller.post("/v1/requests", body, at=NOON, headers={"Idempotency-Key": "same"})
        for caller in (world.shop, world.other)
    )
    assert mine.status_code == theirs.status_code == 201
    assert mine.json["id"] != theirs.json["id"] and "Idempotent-Replayed" not in theirs.headers
    other = world.other.get(f"/v1/requests/{theirs.json['id']}").json
    assert other["shop_id"] == "kh-b"


def test_a_link_for_a_citizen_needs_its_own_token(world: World) -> None:
    wrong, nothing = (
        world.operator.as_key(None).get(f"/v1/track/{item}?token={'a' * 16}")
        for item in (world.ids["item_id"], "ZZ999999999VN")
    )
    assert wrong.status_code == nothing.status_code == 404
    assert {k: v for k, v in wrong.json.items() if k not in ("request_id", "instance")} == {
        k: v for k, v in nothing.json.items() if k not in ("request_id", "instance")
    }


def test_a_photo_another_courier_brought_is_news_to_this_one(world: World) -> None:
    """Else one could ask whether anybody holds a certain proof."""
    sent = {"Authorization": f"Bearer {world.other_phone.key}"}
    path = f"/v1/courier/media/{world.ids['sha256']}"
    first = world.other_phone.client.put(path, data=PHOTO, content_type="image/png", headers=sent)
    assert first.status_code == 201
    assert world.other_phone.client.put(path, data=PHOTO, content_type="image/png", headers=sent).status_code == 200
