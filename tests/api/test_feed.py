"""What those rely on who can only ask: a feed without gaps, by types, moved by the Test-Clock, and waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from api.v1 import feed
from dispatch.bootstrap import System
from dispatch.domain.news import NEWS
from tests.api.conftest import NOON, Api, make_shop
from tests.flows.telling import publish

Body = Callable[..., dict[str, Any]]
SHOP = "kh-nha-trang"


def read(shop: Api, query: str, **more: Any) -> dict[str, Any]:
    answer = shop.get(f"/v1/events?{query}", **more)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json
    return page


def test_a_reader_beside_eight_writers_never_steps_over_a_number(shop: Api, system: System) -> None:
    def write() -> None:
        for _ in range(15):
            publish(system.store, shop_id=SHOP)

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    after = pages = 0
    while len(seen) < 8 * 15:
        page = read(shop, f"after={after}&limit=7&wait=5")
        seen += [event["seq"] for event in page["data"]]
        after, pages = page["next_after"], pages + 1
        assert page["data"], "they write on, so there is something within five seconds"
    for writer in writers:
        writer.join()
    assert seen == list(range(1, 121)) and pages > 10


def test_types_leave_out_the_rest_and_next_after_steps_over_it(shop: Api, body: Body) -> None:
    for _ in range(3):
        shop.post("/v1/requests", body(), at=NOON)
    whole = read(shop, "limit=200")
    for types in ("request.created", "fee.*", "request.created,fee.assessed", "request.*,fee.*", "*"):
        wanted = [event for event in whole["data"] if feed.notifying.wants(types.split(","), event["type"])]
        assert read(shop, f"limit=200&types={types}") == {"data": wanted, "next_after": whole["next_after"]}
        after, found = 0, []
        while len(found) < len(wanted):
            page = read(shop, f"limit=2&types={types}&after={after}")
            after = page["next_after"]
            found += page["data"]
        assert found == wanted
    assert read(shop, "types=promise.breached") == {"data": [], "next_after": whole["next_after"]}


def test_a_call_with_types_looks_through_a_bounded_stretch(shop: Api, system: System, monkeypatch: Any) -> None:
    for type in ("request.created",) * 5 + ("request.cancelled",):
        publish(system.store, type, shop_id=SHOP)
    monkeypatch.setattr(feed, "WINDOW", 4)
    first = read(shop, "types=request.cancelled")
    assert first == {"data": [], "next_after": 4}
    second = read(shop, "types=request.cancelled&after=4")
    assert ([event["seq"] for event in second["data"]], second["next_after"]) == ([6], 6)


@pytest.mark.parametrize("types", ["request.creatd", "", "request.created,", "all", "request.created fee.assessed"])
def test_a_type_that_is_never_sent_is_refused_and_the_known_ones_are_named(shop: Api, types: str) -> None:
    refused = shop.get(f"/v1/events?types={types}")
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/types")
    if types:
        assert all(known in refused.json["errors"][0]["message"] for known in NEWS)


def test_the_test_clock_moves_the_shops_own_rows_before_the_feed_is_read(operator: Api, shop: Api, body: Body) -> None:
    other = operator.as_key(make_shop(operator, "kh-dien-khanh"))
    made = shop.post("/v1/requests", body(), at=NOON).json
    elsewhere = other.post("/v1/requests", body(), at=NOON).json
    due_at = made["promise"][0]["due_at"]
    assert read(shop, "types=promise.*", at=NOON)["data"] == []
    page = read(shop, "types=promise.*", at="2026-11-24T10:00:00+07:00")
    breached = [event for event in page["data"] if event["type"] == "promise.breached"]
    assert [(event["data"]["id"], event["occurred_at"]) for event in breached] == [(made["id"], due_at)]
    untouched = other.get(f"/v1/requests/{elsewhere['id']}", at=NOON).json
    assert untouched["promise"][0]["state"] == "RUNNING"
