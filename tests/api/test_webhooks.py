"""What a shop relies on to be told: webhooks it can manage, look into and repeat, and a feed it can ask instead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from api.v1 import feed
from dispatch.bootstrap import System
from dispatch.store import tables as t
from tests.api.conftest import NOON, Api, make_shop
from tests.api.hooks import URL, deliver_all, make_hook

Body = Callable[..., dict[str, Any]]


# ---- managing ------------------------------------------------------------------------------------------------------
def test_a_webhook_shows_its_secret_once(shop: Api) -> None:
    made = shop.post("/v1/webhooks", {"url": URL, "types": ["request.*", "promise.breached"]})
    answer = made.json
    assert made.status_code == 201 and made.headers["Location"] == f"/v1/webhooks/{answer['id']}"
    secret = answer.pop("secret")
    assert secret.startswith("whsec_") and answer["id"].startswith("whk_")
    read = shop.get(f"/v1/webhooks/{answer['id']}").json
    assert read == answer
    assert (read["types"], read["active"], read["livemode"]) == (["request.*", "promise.breached"], True, False)
    assert secret not in shop.get("/v1/webhooks").text


def test_the_same_call_again_registers_nothing_new_and_shows_no_secret_again(shop: Api, system: System) -> None:
    key = {"Idempotency-Key": "once"}
    first = shop.post("/v1/webhooks", {"url": URL}, headers=key)
    again = shop.post("/v1/webhooks", {"url": URL}, headers=key)
    assert first.json["secret"] and again.json == first.json | {"secret": None}
    assert len(shop.get("/v1/webhooks").json["data"]) == 1
    assert first.json["secret"] not in kept_text(system)


def kept_text(system: System) -> str:
    """Everything the database remembers of calls: answers for replays, and the audit."""
    with system.store.begin() as session:
        return str(session.connection.execute(select(t.idempotency.c.body)).all()) + str(
            session.connection.execute(select(t.audit)).all()
        )


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "ftp://a.example/",
        "x",
    ],
)
def test_a_webhook_to_a_private_address_is_refused_with_a_reason(shop: Api, url: str) -> None:
    refused = shop.post("/v1/webhooks", {"url": url})
    assert (refused.status_code, refused.json["code"]) == (422, "webhook_url_refused")
    assert refused.json["errors"][0]["pointer"] == "/url"
    hook = make_hook(shop)
    changed = shop.call("PATCH", f"/v1/webhooks/{hook['id']}", {"url": url})
    assert changed.json["code"] == "webhook_url_refused"
    assert shop.get(f"/v1/webhooks/{hook['id']}").json["url"] == URL


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": URL, "types": []}, "/types"),
        ({"url": URL, "types": ["request.created; drop"]}, "/types/0"),
        ({"url": URL, "types": ["**"]}, "/types/0"),
        ({"url": URL, "secret": "whsec_mine"}, "/secret"),
        ({"url": 5}, "/url"),
    ],
)
def test_a_wrong_body_names_the_place(shop: Api, body: dict[str, Any], pointer: str) -> None:
    refused = shop.post("/v1/webhooks", body)
    assert (refused.status_code, refused.json["code"]) == (422, "validation_failed")
    assert pointer in [error["pointer"] for error in refused.json["errors"]]
    assert shop.get("/v1/webhooks").json["data"] == []


def test_an_operator_names_the_shop_and_a_shop_cannot_name_another(operator: Api, shop: Api) -> None:
    make_shop(operator, "kh-dien-khanh")
    unnamed = operator.post("/v1/webhooks", {"url": URL})
    assert (unnamed.status_code, unnamed.json["errors"][0]["pointer"]) == (422, "/shop_id")
    made = operator.post("/v1/webhooks", {"url": URL, "shop_id": "kh-dien-khanh"})
    assert made.status_code == 201 and made.json["shop_id"] == "kh-dien-khanh"
    for caller, name in ((shop, "kh-dien-khanh"), (shop, "nowhere"), (operator, "nowhere")):
        refused = caller.post("/v1/webhooks", {"url": URL, "shop_id": name})
        assert (refused.status_code, refused.json["code"]) == (422, "unknown_shop")


def test_nobody_sees_or_touches_the_webhooks_of_another_shop(operator: Api, shop: Api, system: System) -> None:
    hook = make_hook(shop)
    shop.post(f"/v1/webhooks/{hook['id']}/test")
    delivery = shop.get(f"/v1/webhooks/{hook['id']}/deliveries").json["data"][0]
    other = operator.as_key(make_shop(operator, "kh-dien-khanh"))
    base = f"/v1/webhooks/{hook['id']}"
    for method, path, body in (
        ("GET", base, None),
        ("PATCH", base, {"active": False}),
        ("DELETE", base, None),
        ("GET", f"{base}/deliveries", None),
        ("POST", f"{base}/test", {}),
        ("POST", f"{base}/deliveries/{delivery['id']}/replay", {}),
    ):
        assert other.call(method, path, body).status_code == 404, (method, path)
    assert other.get("/v1/webhooks").json["data"] == []
    own = make_hook(other)
    assert other.post(f"/v1/webhooks/{own['id']}/deliveries/{delivery['id']}/replay").status_code == 404
    assert other.get(f"/v1/webhooks?cursor={hook['id']}").status_code == 422
    assert shop.get(base).json["active"] is True
    assert {row["id"] for row in operator.get("/v1/webhooks").json["data"]} == {hook["id"], own["id"]}


def test_a_list_comes_in_pages_in_the_order_of_making(shop: Api) -> None:
    made = [make_hook(shop)["id"] for _ in range(5)]
    seen, cursor = [], ""
    for _ in range(3):
        page = shop.get(f"/v1/webhooks?limit=2{cursor}").json
        seen += [row["id"] for row in page["data"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made and page["has_more"] is False and page["next_cursor"] is None


def test_a_shop_cannot_multiply_its_own_traffic_without_bound(shop: Api) -> None:
    for _ in range(20):
        make_hook(shop)
    refused = shop.post("/v1/webhooks", {"url": URL})
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_webhooks")


def test_a_webhook_can_be_changed_switched_off_and_deleted(shop: Api, body: Body) -> None:
    hook = make_hook(shop)
    path = f"/v1/webhooks/{hook['id']}"
    changed = shop.call("PATCH", path, {"types": ["promise.*"], "url": "https://93.184.216.34/new"}).json
    assert (changed["types"], changed["url"]) == (["promise.*"], "https://93.184.216.34/new")
    off = shop.call("PATCH", path, {"active": False}).json
    assert (off["active"], off["disabled_reason"]) == (False, "by_hand")
    assert shop.post(f"{path}/test").json["code"] == "webhook_disabled"
    on = shop.call("PATCH", path, {"active": True, "types": ["*"]}).json
    assert (on["active"], on["disabled_reason"]) == (True, None)
    shop.post("/v1/requests", body(), at=NOON)
    assert shop.call("DELETE", path).status_code == 204
    assert shop.get(path).status_code == 404


# ---- the delivery log ----------------------------------------------------------------------------------------------
def test_the_log_shows_what_was_sent_and_what_was_answered(shop: Api, body: Body, system: System) -> None:
    hook = make_hook(shop, types=["request.created"])
    made = shop.post("/v1/requests", body(), at=NOON).json
    deliver_all(system, 503)
    (line,) = shop.get(f"/v1/webhooks/{hook['id']}/deliveries").json["data"]
    assert (line["state"], line["attempts"], line["type"]) == ("pending", 1, "request.created")
    assert line["log"][0]["status"] == 503 and line["log"][0]["answer"] == "ok" and line["next_at"] is not None
    assert line["body"]["data"]["id"] == made["id"] and line["body"]["id"] == line["event_id"]
    assert line["body"]["occurred_at"] == NOON and line["body"]["livemode"] is False
    assert shop.get(f"/v1/webhooks/{hook['id']}/deliveries?state=sent").json["data"] == []


def test_a_delivery_is_replayed_under_the_same_event(shop: Api, body: Body, system: System) -> None:
    hook = make_hook(shop, types=["request.created"])
    shop.post("/v1/requests", body(), at=NOON)
    deliver_all(system, 200)
    path = f"/v1/webhooks/{hook['id']}/deliveries"
    (before,) = shop.get(path).json["data"]
    assert before["state"] == "sent"
    replayed = shop.post(f"{path}/{before['id']}/replay")
    assert replayed.status_code == 202 and replayed.json["state"] == "pending"
    deliver_all(system, 200)
    (after,) = shop.get(path).json["data"]
    assert (after["state"], after["event_id"], len(after["log"])) == ("sent", before["event_id"], 2)


def test_a_replay_during_an_attempt_is_refused_for_the_moment(shop: Api, body: Body, system: System) -> None:
    hook = make_hook(shop, types=["request.created"])
    shop.post("/v1/requests", body(), at=NOON)
    path = f"/v1/webhooks/{hook['id']}/deliveries"
    (delivery,) = shop.get(path).json["data"]
    soon = datetime.now(UTC) + timedelta(minutes=1)
    with system.store.begin() as session:
        session.connection.execute(update(t.deliveries).values(lease_until=soon))
    key = {"Idempotency-Key": "replay-1"}
    refused = shop.post(f"{path}/{delivery['id']}/replay", headers=key)
    assert (refused.status_code, refused.json["code"]) == (409, "delivery_under_way")
    assert int(refused.headers["Retry-After"]) > 0
    with system.store.begin() as session:
        session.connection.execute(update(t.deliveries).values(lease_until=None))
    assert shop.post(f"{path}/{delivery['id']}/replay", headers=key).status_code == 202


def test_a_test_send_goes_the_way_of_all_events_to_that_webhook_only(shop: Api, system: System) -> None:
    hook, other = make_hook(shop, types=["promise.*"]), make_hook(shop)
    sent = shop.post(f"/v1/webhooks/{hook['id']}/test")
    assert sent.status_code == 202 and sent.json["type"] == "webhook.test"
    deliver_all(system, 200)
    (line,) = shop.get(f"/v1/webhooks/{hook['id']}/deliveries").json["data"]
    assert (line["id"], line["state"]) == (sent.json["delivery_id"], "sent")
    assert (line["body"]["type"], line["body"]["data"]) == ("webhook.test", {"webhook_id": hook["id"]})
    assert shop.get(f"/v1/webhooks/{other['id']}/deliveries").json["data"] == []


# ---- the feed ------------------------------------------------------------------------------------------------------
def test_the_feed_gives_every_event_in_order_and_where_to_go_on(shop: Api, body: Body) -> None:
    ids = [shop.post("/v1/requests", body(), at=NOON).json["id"] for _ in range(3)]
    everything = shop.get("/v1/events?limit=200").json
    assert [entry["seq"] for entry in everything["data"]] == list(range(1, everything["next_after"] + 1))
    created = [entry["data"]["id"] for entry in everything["data"] if entry["type"] == "request.created"]
    assert created == ids
    first = shop.get("/v1/events?limit=2").json
    rest = shop.get(f"/v1/events?limit=200&after={first['next_after']}").json
    assert first["data"] + rest["data"] == everything["data"]
    nothing = shop.get(f"/v1/events?after={everything['next_after']}").json
    assert nothing == {"data": [], "next_after": everything["next_after"]}


def test_the_feed_is_each_shops_own(operator: Api, shop: Api, body: Body) -> None:
    shop.post("/v1/requests", body(), at=NOON)
    other = operator.as_key(make_shop(operator, "kh-dien-khanh"))
    assert other.get("/v1/events").json == {"data": [], "next_after": 0}
    assert other.get("/v1/events?shop_id=kh-nha-trang").json["code"] == "unknown_shop"
    assert operator.get("/v1/events").json["errors"][0]["pointer"] == "/shop_id"
    assert operator.get("/v1/events?shop_id=kh-nha-trang").json == shop.get("/v1/events").json


@pytest.mark.parametrize("query", ["wait=31", "wait=-1", "after=-1", "after=x", "limit=0", "limit=201", "since=3"])
def test_a_wrong_question_to_the_feed_is_refused(shop: Api, query: str) -> None:
    assert shop.get(f"/v1/events?{query}").status_code == 422


def test_a_waiting_call_hears_of_the_next_event_and_holds_no_connection(
    shop: Api, body: Body, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, seen = threading.Event(), []
    pause = time.sleep

    def asleep(seconds: float) -> None:
        seen.append(system.store.engine.pool.checkedout())  # type: ignore[attr-defined]
        waiting.set()
        pause(0.01)

    monkeypatch.setattr(feed.time, "sleep", asleep)
    answers: list[Any] = []
    caller = threading.Thread(target=lambda: answers.append(shop.get("/v1/events?wait=30", at=NOON)))
    begun = time.monotonic()
    caller.start()
    assert waiting.wait(10)
    held = seen[0]
    made = Api(shop.client.application.test_client(), shop.key).post("/v1/requests", body(), at=NOON).json
    caller.join(20)
    assert held == 0
    assert answers[0].status_code == 200 and answers[0].json["data"][0]["data"]["id"] == made["id"]
    assert time.monotonic() - begun < 20


def test_waiting_in_vain_ends_in_time_with_the_place_to_go_on(shop: Api) -> None:
    begun = time.monotonic()
    answer = shop.get("/v1/events?after=7&wait=1")
    assert answer.json == {"data": [], "next_after": 7}
    assert 1.0 <= time.monotonic() - begun < 20


def test_when_too_many_wait_the_next_is_answered_at_once(shop: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    full = threading.BoundedSemaphore(1)
    assert full.acquire()
    monkeypatch.setattr(feed, "_waiting", full)
    begun = time.monotonic()
    assert shop.get("/v1/events?wait=30").json == {"data": [], "next_after": 0}
    assert time.monotonic() - begun < 10
