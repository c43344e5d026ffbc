"""What a process keeps of the network is what the database says: an old answer sends couriers to closed doors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from dispatch.store import Store, open_store

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
SHOP = {
    "name": "Một cửa phường Nha Trang",
    "province_code": "56",
    "commune_code": "22366",
    "era": "2025",
    "lat": 12.249,
    "lng": 109.194,
    "level": "COMMUNE",
    "hours_profile": "OSS-DEFAULT",
    "rooms": [],
}


@pytest.fixture
def stores(clean_database: str) -> Iterator[tuple[Store, Store]]:
    """Two processes, as it were: each keeps what it has read for itself."""
    both = open_store(clean_database, connections=2), open_store(clean_database, connections=2)
    yield both
    for store in both:
        store.close()


def put_shop(store: Store, name: str) -> None:
    with store.begin() as session:
        session.network.put_shop("test", "kh-1", SHOP | {"name": name}, NOW)


def name_in(store: Store) -> str:
    with store.begin() as session:
        shop = session.network.shop("test", "kh-1")
        assert shop is not None
        assert [one.name for one in session.network.shops("test")] == [shop.name]
        return shop.name


def statements(store: Store, of: str) -> list[str]:
    """Collects what is asked of the database about a table from now on."""
    seen: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(_: object, __: object, statement: str, *___: object) -> None:
        if f"FROM {of}" in statement:
            seen.append(statement)

    return seen


def test_what_nobody_changed_is_read_once(stores: tuple[Store, Store]) -> None:
    put_shop(stores[0], "Một cửa Lộc Thọ")
    asked = statements(stores[0], "shops")
    assert {name_in(stores[0]) for _ in range(5)} == {"Một cửa Lộc Thọ"}
    assert len(asked) == 2, "the shop by its id, and all of them"


def test_a_change_by_another_process_is_seen_by_the_next_transaction(stores: tuple[Store, Store]) -> None:
    for name in ("Một cửa Lộc Thọ", "Một cửa Tân Lập", "Một cửa Vĩnh Hải"):
        put_shop(stores[1], name)
        assert name_in(stores[0]) == name_in(stores[1]) == name


def test_a_transaction_sees_its_own_change_and_nobody_else_does_before_it_is_kept(stores: tuple[Store, Store]) -> None:
    put_shop(stores[0], "Một cửa Lộc Thọ")
    assert name_in(stores[0]) == "Một cửa Lộc Thọ"
    with pytest.raises(RuntimeError), stores[0].begin() as session:
        session.network.put_shop("test", "kh-1", SHOP | {"name": "Một cửa Tân Lập"}, NOW)
        mine = session.network.shop("test", "kh-1")
        assert mine is not None and mine.name == "Một cửa Tân Lập"
        assert name_in(stores[0]) == name_in(stores[1]) == "Một cửa Lộc Thọ"
        raise RuntimeError("taken back")
    assert name_in(stores[0]) == name_in(stores[1]) == "Một cửa Lộc Thọ"


def test_what_every_request_moves_makes_nobody_read_the_network_anew(stores: tuple[Store, Store]) -> None:
    put_shop(stores[0], "Một cửa Lộc Thọ")
    name_in(stores[0])
    asked = statements(stores[0], "shops")
    with stores[1].begin() as session:
        session.notices.add_feed(
            id="evt_1",
            mode="test",
            shop_id="kh-1",
            type="request.created",
            request_id=None,
            occurred_at=NOW,
            recorded_at=NOW,
            data={},
        )
        assert session.notices.number("test", "kh-1") == 1
    assert name_in(stores[0]) == "Một cửa Lộc Thọ"
    assert asked == []
