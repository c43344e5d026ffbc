"""A shop's and an operator's view of the API: the real application on a real database, calls without a socket."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from dispatch.bootstrap import System, open_system, secret_hash
from dispatch.settings import Settings
from dispatch.store.rows import Key
from tests.api import keeping
from tests.api.agreeing import assert_agrees

OPERATOR_KEY = "test_operator_0123456789abcdef"
NOON = "2026-11-23T10:00:00+07:00"
"""A Monday morning with every counter open."""

KEEPING = bool(os.environ.get("KEEP_EXAMPLES"))
_numbers = itertools.count()


class Api:
    """A caller with a key: `get`, `post`, `put` take the path, a body and the simulated instant.

    Every answer is held to the OpenAPI document: see tests/api/agreeing.py.
    """

    def __init__(self, client: FlaskClient, key: str | None) -> None:
        self.client, self.key = client, key

    def call(
        self, method: str, path: str, body: Any = None, *, at: str | None = None, headers: dict[str, str] | None = None
    ) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if method == "POST":
            sent["Idempotency-Key"] = f"k-{next(_numbers)}"
        if at is not None:
            sent["Test-Clock"] = at
        sent |= headers or {}
        answer = self.client.open(path, method=method, json=body, headers=sent)
        assert_agrees(answer)
        if KEEPING:
            keeping.keep(answer, body)
        return answer

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("POST", path, {} if body is None else body, **more)

    def put(self, path: str, body: Any, **more: Any) -> TestResponse:
        return self.call("PUT", path, body, **more)

    def as_key(self, key: str | None) -> Api:
        return Api(self.client, key)


def pytest_sessionfinish() -> None:
    """See tests/api/keeping.py."""
    if KEEPING:
        keeping.write()


@contextlib.contextmanager
def system_on(database_url: str, redis_url: str, rate_limit: int = 0) -> Iterator[System]:
    """The parts of a system on a migrated database, with one key: the test operator's."""
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        rate_limit=rate_limit,
        public_url="https://post.example",
        secret="s" * 40,
    )
    opened = open_system(settings, connections=5)
    with opened.store.begin() as session:
        key = Key(session.new_id("key"), "test", "operator", None, None, "test", None, None, None)
        session.access.add_key(key, secret_hash(OPERATOR_KEY), session.wall_clock())
    yield opened
    opened.store.close()


def caller_of(system: System) -> Api:
    """The operator at the real application of a system."""
    app = create_app(system)
    app.config["TESTING"] = False
    return Api(app.test_client(), OPERATOR_KEY)


@pytest.fixture
def system(clean_database: str, redis_url: str) -> Iterator[System]:
    with system_on(clean_database, redis_url) as opened:
        yield opened


@pytest.fixture
def operator(system: System) -> Api:
    return caller_of(system)


SHOP = {
    "name": "Bộ phận Một cửa phường Nha Trang",
    "province_code": "56",
    "commune_code": "22363",
    "era": "2020",
    "lat": 12.2451,
    "lng": 109.1943,
    "level": "COMMUNE",
    "hours_profile": "OSS-DEFAULT",
    "rooms": [],
}


@pytest.fixture
def shop(operator: Api) -> Api:
    """A caller with the key of the shop `kh-nha-trang`."""
    return operator.as_key(make_shop(operator, "kh-nha-trang"))


def make_shop(operator: Api, shop_id: str, **changes: Any) -> str:
    """Create a shop and return its key."""
    answer = operator.put(f"/v1/admin/shops/{shop_id}", SHOP | changes)
    assert answer.status_code in (200, 201), answer.text
    made = operator.post("/v1/admin/keys", {"scope": "shop", "shop_id": shop_id, "mode": "test"})
    assert made.status_code == 201, made.text
    key: str = made.json["key"]
    return key


@pytest.fixture
def body() -> Callable[..., dict[str, Any]]:
    """A lawful body with a fresh reference; keywords replace top-level keys."""

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "external_ref": f"KH-{next(_numbers)}",
            "kind": "return",
            "dossier": {"code": "000.00.16.H32-261120-0015", "online_level": 4, "submitted_via": "ONLINE"},
            "citizen": {
                "name": "Nguyễn Thị Ánh Nguyệt",
                "phone": "0905123456",
                "address": {
                    "raw": "12 Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa",
                    "commune_code": "22330",
                    "era": "2020",
                },
            },
            "weight_g": 80,
        } | changes

    return make


@pytest.fixture
def ask(operator: Api) -> Any:
    """Asks at the shops of the four provinces: see tests/api/asking.py."""
    from tests.api.asking import Ask

    return Ask(operator)
