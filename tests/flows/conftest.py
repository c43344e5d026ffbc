"""The post's day that the tests of planning begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatch.store import open_store
from tests.flows.post_day import PostDay, post_day


@pytest.fixture
def day(clean_database: str) -> Iterator[PostDay]:
    """A Monday, 08:00, two shops open and two couriers on shift."""
    store = open_store(clean_database, connections=4)
    made = post_day(store)
    made.open()
    yield made
    store.close()
