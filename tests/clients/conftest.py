"""The Python client against a real web server on the test's own database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dieutin import Client, Patience, calls

from dispatch.bootstrap import open_system, secret_hash
from dispatch.settings import Settings
from dispatch.store.rows import Key
from tests.api.conftest import OPERATOR_KEY, SHOP
from tests.api.serving import Server, serving

QUICK = Patience(deadline_s=120, first_pause_s=0.05, longest_pause_s=0.5)
"""Looks often, and waits as long as a web server may take to start on a busy machine."""


@pytest.fixture
def database(clean_database: str, redis_url: str) -> str:
    """An empty database with one operator's test key."""
    system = open_system(Settings(database_url=clean_database, redis_url=redis_url, secret="s" * 40), connections=1)
    with system.store.begin() as session:
        key = Key(session.new_id("key"), "test", "operator", None, None, "test", None, None, None)
        session.access.add_key(key, secret_hash(OPERATOR_KEY), session.wall_clock())
    system.store.close()
    return clean_database


@pytest.fixture
def server(database: str, redis_url: str, tmp_path: Path) -> Iterator[Server]:
    with serving(database, redis_url, tmp_path) as running:
        yield running


def shop_key(address: str) -> str:
    """Make a shop with a room, and a key for it."""
    with Client(address, OPERATOR_KEY, patience=QUICK) as operator:
        rooms = [{"id": "r1", "capacity": 20, "slot_minutes": 30}]
        operator.send(calls.call("PUT", "/v1/admin/shops/kh-nha-trang", {**SHOP, "rooms": rooms}))
        wish = {"scope": "shop", "shop_id": "kh-nha-trang", "mode": "test"}
        made: dict[str, Any] = operator.send(calls.call("POST", "/v1/admin/keys", wish))
    key: str = made["key"]
    return key
