"""The running server holds what its own document says, whoever asks; `python -m tools.fuzz` asks for longer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.conftest import caller_of, system_on
from tests.api.serving import Server, serving
from tests.api.world import World
from tools.fuzz import examine


@pytest.fixture(scope="module")
def tokens(module_database: str, redis_url: str) -> dict[str, str | None]:
    with system_on(module_database, redis_url) as system:
        world = World(system, caller_of(system))
        keys = {"shop": world.shop.key, "operator": world.operator.key, "courier": world.phone.key, "nobody": None}
    return keys


@pytest.fixture(scope="module")
def server(module_database: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(module_database, redis_url, tmp_path_factory.mktemp("schemathesis"), web_workers="1") as running:
        yield running


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("role", "phases", "examples", "at_least"),
    [
        ("shop", "examples,fuzzing,stateful", 2, 150),
        ("operator", "examples,fuzzing", 1, 80),
        ("courier", "fuzzing", 1, 80),
        ("nobody", "fuzzing", 1, 80),
    ],
)
def test_nothing_is_found(
    server: Server, tokens: dict[str, str | None], role: str, phases: str, examples: int, at_least: int
) -> None:
    found = examine(server.base, role, tokens[role], examples=examples, phases=phases, seed=1)
    assert found.sound, found.said[-8000:]
    assert found.examples >= at_least, found.said[-2000:]
