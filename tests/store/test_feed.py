"""A shop that reads its feed by numbers misses nothing and is told nothing twice, however many write to it at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from dispatch.store import Store, open_store
from tests.store.test_seldom import put_shop

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
WRITERS, EACH = 8, 40


@pytest.fixture
def store(clean_database: str) -> Iterator[Store]:
    opened = open_store(clean_database, connections=20)
    put_shop(opened, "Một cửa Lộc Thọ")
    yield opened
    opened.close()


def write(store: Store, names: list[str]) -> None:
    with store.begin() as session:
        session.notices.add_feed_rows("test", "kh-1", "request.created", [(n, n, {}) for n in names], NOW, NOW)


def read_all(store: Store, after: int = 0) -> list[tuple[int, str]]:
    with store.begin() as session:
        return [(entry.seq, entry.id) for entry in session.notices.feed_after("test", "kh-1", after, 10_000)]


def test_readers_that_go_on_from_their_last_number_miss_nothing(store: Store) -> None:
    over = threading.Event()

    def writer(number: int) -> None:
        for step in range(EACH):
            write(store, [f"evt_{number}_{step}_{place}" for place in range(2)])

    def reader() -> list[tuple[int, str]]:
        seen: list[tuple[int, str]] = []
        while not over.is_set():
            seen += read_all(store, seen[-1][0] if seen else 0)
        return seen + read_all(store, seen[-1][0] if seen else 0)

    with ThreadPoolExecutor(WRITERS + 3) as pool:
        readers = [pool.submit(reader) for _ in range(3)]
        for done in [pool.submit(writer, number) for number in range(WRITERS)]:
            done.result()
        over.set()
        found = [one.result() for one in readers]
    whole = read_all(store)
    assert [seq for seq, _ in whole] == list(range(1, 2 * WRITERS * EACH + 1)), "no gaps"
    assert len({name for _, name in whole}) == len(whole)
    assert found == [whole] * 3
    for number in range(WRITERS):
        mine = [name for _, name in whole if name.startswith(f"evt_{number}_")]
        assert mine == [f"evt_{number}_{step}_{place}" for step in range(EACH) for place in range(2)], "in order"


def test_what_is_not_committed_has_no_number_and_holds_nobody_up(store: Store) -> None:
    write(store, ["evt_first"])
    with store.begin() as session:
        session.notices.add_feed_rows("test", "kh-1", "request.created", [("evt_slow", "r", {})], NOW, NOW)
        write(store, ["evt_quick"])
        assert read_all(store) == [(1, "evt_first"), (2, "evt_quick")]
    assert read_all(store, 2) == [(3, "evt_slow")]


def test_entries_that_nobody_asks_for_are_found(store: Store) -> None:
    write(store, ["evt_1", "evt_2"])
    with store.begin() as session:
        assert session.notices.unnumbered(10) == [("test", "kh-1")]
    read_all(store)
    with store.begin() as session:
        assert session.notices.unnumbered(10) == []
