"""When the Python client sends a call again: no server, no waiting."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from dieutin import ApiError, Client, Patience, Unreachable, calls
from dieutin.retrying import Outcome, Send, Wait, attempts

PACKAGE = Path(__file__).resolve().parents[2] / "clients" / "python" / "dieutin"


class Clock:
    """A clock that moves only by the pauses that were asked for."""

    def __init__(self) -> None:
        self.now_s, self.pauses = 0.0, list[float]()

    def __call__(self) -> float:
        return self.now_s


def problem(status: int, code: str = "busy", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "detail": code}, headers=headers)


def played(outcomes: list[Outcome], clock: Clock, *, repeatable: bool = True, chance: float = 0.0) -> httpx.Response:
    patience = Patience(deadline_s=60, clock=clock, chance=lambda: chance)
    steps = attempts(patience, repeatable=repeatable)
    outcome: Outcome = None
    while True:
        try:
            step = steps.send(outcome)
        except StopIteration as done:
            response: httpx.Response = done.value
            return response
        if isinstance(step, Wait):
            clock.now_s += step.seconds
            clock.pauses.append(step.seconds)
            outcome = None
        else:
            outcome = outcomes.pop(0)


GOOD = httpx.Response(201, json={})
LOST = httpx.ReadError("cut off")


@pytest.mark.parametrize(
    "first", [LOST, problem(503), problem(429, "rate_limited"), problem(409, "idempotency_in_progress"), problem(502)]
)
def test_what_passes_by_itself_is_tried_again(first: Outcome) -> None:
    clock = Clock()
    assert played([first, GOOD], clock) is GOOD
    assert clock.pauses == [0.25]


@pytest.mark.parametrize(
    "first", [problem(409, "already_collected"), problem(422), problem(500), problem(404), problem(429, "pin_locked")]
)
def test_what_does_not_pass_is_told_at_once(first: httpx.Response) -> None:
    with pytest.raises(ApiError) as told:
        played([first], Clock())
    assert told.value.status == first.status_code


def test_pauses_grow_and_are_never_shorter_than_asked() -> None:
    clock = Clock()
    tried: list[Outcome] = [problem(503), problem(503), problem(503, **{"Retry-After": "7"}), problem(503), GOOD]
    played(tried, clock, chance=0.5)
    assert clock.pauses == [0.25 * 1.25, 0.5 * 1.25, 7 * 1.25, 2 * 1.25]


def test_a_pause_that_would_end_after_the_deadline_is_not_begun() -> None:
    clock = Clock()
    with pytest.raises(ApiError) as told:
        played([problem(429, "rate_limited", **{"Retry-After": "61"})], clock)
    assert told.value.code == "rate_limited" and clock.pauses == []
    with pytest.raises(Unreachable):
        played([LOST] * 100, clock)
    assert 50 < clock.now_s < 60


def test_a_call_that_may_not_be_repeated_is_sent_again_only_if_it_never_arrived() -> None:
    refused = httpx.ConnectError("nobody listens")
    assert played([refused, problem(429, "rate_limited"), GOOD], Clock(), repeatable=False) is GOOD
    for lost in (LOST, problem(503)):
        with pytest.raises((Unreachable, ApiError)):
            played([lost], Clock(), repeatable=False)


def test_every_attempt_carries_the_same_key_and_body() -> None:
    seen: list[tuple[str, bytes]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers["Idempotency-Key"], request.content))
        return problem(503) if len(seen) < 3 else httpx.Response(201, json={"id": "req_1"})

    quick = Patience(first_pause_s=0.001)
    with Client("http://post.example", "test_x", patience=quick, transport=httpx.MockTransport(answer)) as client:
        body: Any = {"external_ref": "A"}
        assert client.send(calls.create_request(body))["id"] == "req_1"
    assert len(seen) == 3 and len(set(seen)) == 1


def test_an_answer_that_is_no_problem_of_ours_is_an_error_all_the_same() -> None:
    page: Callable[[httpx.Request], httpx.Response] = lambda request: httpx.Response(418, text="<h1>Proxy</h1>")  # noqa: E731
    with (
        Client("http://post.example", transport=httpx.MockTransport(page)) as client,
        pytest.raises(ApiError) as told,
    ):
        client.send(calls.me())
    assert (told.value.code, told.value.detail) == ("http_error", "<h1>Proxy</h1>")


def test_the_attempts_ask_for_no_more_time_than_is_left() -> None:
    clock = Clock()
    steps = attempts(Patience(deadline_s=10, attempt_s=30, clock=clock), repeatable=True)
    assert next(steps) == Send(10)
    waits = attempts(Patience(deadline_s=10, attempt_s=5, clock=clock), repeatable=True, least_s=30)
    assert next(waits) == Send(35)


def test_the_client_stands_alone() -> None:
    import sys

    allowed = {*sys.stdlib_module_names, "httpx", "dieutin"}
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] in allowed
