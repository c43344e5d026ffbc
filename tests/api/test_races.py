"""Many clients at once, and a server that dies at the worst moment: what was promised holds, and all are told so."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import urllib3

from tests.api.conftest import NOON, caller_of, make_shop, system_on
from tests.api.serving import Server, serving
from tests.api.world import asked
from tests.embedded.waiting import descendants, eventually

LATER = "2026-11-23T10:01:00+07:00"
Send = Callable[..., Any]


@pytest.fixture(scope="module")
def key(module_database: str, redis_url: str) -> str:
    """The key of a shop with one room for twenty."""
    with system_on(module_database, redis_url) as system:
        rooms = [{"id": "R1", "capacity": 20, "slot_minutes": 30}]
        return make_shop(caller_of(system), "kh-a", rooms=rooms)


@pytest.fixture(scope="module")
def server(module_database: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two web processes, so that no lock inside one of them can help."""
    with serving(module_database, redis_url, tmp_path_factory.mktemp("races"), web_workers="2") as running:
        yield running


@pytest.fixture(scope="module")
def send(server: Server, key: str) -> Send:
    return sender(server, key)


def sender(server: Server, key: str) -> Send:
    """A client's `POST`: path, body, Idempotency-Key."""
    pool = urllib3.PoolManager(retries=False, timeout=60, maxsize=64)

    def post(path: str, body: Any, idempotency_key: str, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {key}", "Idempotency-Key": idempotency_key, "Test-Clock": NOON, **headers}
        return pool.request("POST", server.base + path, json=body, headers=sent)

    return post


def patiently(send: Send, path: str, body: Any, idempotency_key: str) -> Any:
    """As a good client does it: wait as long as told, then ask again with the same key."""
    ends = time.monotonic() + 60
    while True:
        answer = send(path, body, idempotency_key)
        if answer.status not in (409, 503) or "Retry-After" not in answer.headers:
            return answer
        assert time.monotonic() < ends, answer.data
        threading.Event().wait(float(answer.headers["Retry-After"]))


def test_two_hundred_creates_with_twenty_keys_are_twenty_requests(send: Send, module_database: str) -> None:
    bodies = [asked(external_ref=f"race-{number}") for number in range(20)]
    with ThreadPoolExecutor(40) as pool:
        answers = list(
            pool.map(lambda turn: patiently(send, "/v1/requests", bodies[turn % 20], f"race-{turn % 20}"), range(200))
        )
    assert {answer.status for answer in answers} == {201}
    told = Counter(answer.json()["id"] for answer in answers)
    assert len(told) == 20 and set(told.values()) == {10}, "every client got the answer of its own key"
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 20
    for number in range(20):
        of_key = {answer.data for turn, answer in enumerate(answers) if turn % 20 == number}
        assert len(of_key) == 1, "byte for byte the first answer"
    with psycopg.connect(module_database) as rows:
        for count in (
            "select count(*) from requests where external_ref like 'race-%'",
            "select count(*) from feed where type = 'request.created' and data->>'external_ref' like 'race-%'",
        ):
            assert rows.execute(count).fetchone() == (20,), count


def test_one_reference_under_two_keys_at_once_is_taken_once(send: Send) -> None:
    body = asked(external_ref="one-reference")
    start = threading.Barrier(12)

    def one(number: int) -> Any:
        start.wait()
        return patiently(send, "/v1/requests", body, f"reference-{number}")

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(one, range(12)))
    made = [answer.json() for answer in answers if answer.status == 201]
    assert len(made) == 1
    refused = [answer.json() for answer in answers if answer.status == 409]
    assert len(refused) == 11
    assert {(told["code"], told["existing_id"]) for told in refused} == {("duplicate_external_ref", made[0]["id"])}


def test_of_fifty_who_want_the_last_seat_one_gets_it_and_the_others_hear_of_the_next(
    send: Send, module_database: str
) -> None:
    nine, half = "2026-11-25T09:00:00+07:00", "2026-11-25T09:15:00+07:00"
    assert send("/v1/appointments", {"room_id": "R1", "starts_at": nine, "people": 19}, "nineteen").status == 201
    start = threading.Barrier(50)

    def one(number: int) -> Any:
        start.wait()
        return patiently(send, "/v1/appointments", {"room_id": "R1", "starts_at": half}, f"seat-{number}")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(one, range(50)))
    assert Counter(answer.status for answer in answers) == {201: 1, 409: 49}
    won = next(answer.json() for answer in answers if answer.status == 201)
    assert won["free"] == 0
    refused = [answer.json() for answer in answers if answer.status == 409]
    assert {told["code"] for told in refused} == {"room_full"}
    assert {told["next_free_at"] for told in refused} == {"2026-11-25T09:30:00+07:00"}, "the nineteen have left by then"
    with psycopg.connect(module_database) as rows:
        people = rows.execute("select sum(people) from appointments where room_id = 'R1'").fetchone()
    assert people == (20,)


def test_a_server_killed_between_commit_and_answer_gives_the_first_answer_to_the_retry(
    module_database: str, redis_url: str, key: str, tmp_path: Path
) -> None:
    """What a call with Test-Clock does after its commit is held up by a lock of ours; there the server is killed."""
    body = asked(external_ref="killed")
    rows = psycopg.connect(module_database)
    with serving(module_database, redis_url, tmp_path, web_workers="1") as first:
        post = sender(first, key)
        rows.execute("select latest_at from keys where shop_id = 'kh-a' for update")
        lost: list[str] = []

        def ask() -> None:
            try:
                lost.append(f"answered {post('/v1/requests', body, 'killed', **{'Test-Clock': LATER}).status}")
            except urllib3.exceptions.HTTPError as error:
                lost.append(type(error).__name__)

        caller = threading.Thread(target=ask)
        caller.start()

        def kept() -> tuple[Any, ...] | None:
            with psycopg.connect(module_database) as look:
                return look.execute("select id, version from requests where external_ref = 'killed'").fetchone()

        made = eventually(kept, 30)
        for pid in descendants(first.child.pid) | {first.child.pid}:
            os.kill(pid, signal.SIGKILL)
        caller.join(30)
        rows.rollback()
    assert lost == ["ProtocolError"], "the client never got an answer"
    with serving(module_database, redis_url, tmp_path, web_workers="1") as second:
        post = sender(second, key)
        answer = patiently(post, "/v1/requests", body, "killed")
        assert answer.status == 201 and answer.headers["Idempotent-Replayed"] == "true"
        assert (answer.json()["id"], answer.json()["version"]) == made
        assert answer.headers["Location"] == f"/v1/requests/{made[0]}" and answer.headers["ETag"]
        other = patiently(post, "/v1/requests", body, "another-key")
        assert (other.status, other.json()["existing_id"]) == (409, made[0])
    count = rows.execute("select count(*) from requests where external_ref = 'killed'").fetchone()
    rows.close()
    assert count == (1,)
