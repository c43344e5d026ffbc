"""What the shop's software gets from the web server itself when the bytes it sends are no call at all."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from werkzeug.exceptions import RequestTimeout

from api import doorstep
from tests.api.serving import Server, serving


@pytest.fixture(scope="module")
def server(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    given = {"public_url": "https://post.example", "web_workers": "1"}
    with serving(database_url, redis_url, tmp_path_factory.mktemp("wire"), **given) as running:
        yield running


HOST = b"Host: post.example\r\nConnection: close\r\n"
JSON = HOST + b"Content-Type: application/json\r\n"
SIGN_IN = b"POST /v1/courier/sessions HTTP/1.1\r\n" + JSON


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"NONSENSE\r\n\r\n", 400, "bad_request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_request"),
        (b"GET /v1/me HTTP/7.7\r\n" + HOST + b"\r\n", 400, "bad_request"),
        (b"G T /v1/me HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_request"),
        ("GET /v1/requests/hồ HTTP/1.1\r\n".encode() + HOST + b"\r\n", 400, "bad_request"),
        (b"GET /v1/me?" + b"q" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "uri_too_long"),
        (b"GET /v1/me HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET /v1/me HTTP/1.1\r\n" + HOST + b"X-A: 1\r\n" * 200 + b"\r\n", 431, "headers_too_large"),
        (b"GET /v1/me HTTP/1.1\r\n" + HOST + b"X-A: a\0b\r\n\r\n", 400, "bad_request"),
        (b"GET /v1/me HTTP/1.1\r\n" + HOST + b"X-Request-Id: a\nSet-Cookie: b\r\n\r\n", 400, "bad_request"),
        (b"GET /v1/me HTTP/1.1\r\n" + HOST + b"X-A: a\r\n folded\r\n\r\n", 400, "bad_request"),
        (b"GET /v1/me HTTP/1.1\r\n" + HOST + b"Expect: a-miracle\r\n\r\n", 417, "expectation_failed"),
        (SIGN_IN + b"Content-Length: -3\r\n\r\n{}", 400, "bad_request"),
        (SIGN_IN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "bad_request"),
        (SIGN_IN + b"Content-Length: 99999999999999999999\r\n\r\n{}", 413, "body_too_large"),
        (SIGN_IN + b"Content-Length: 3000000\r\n\r\n" + b"[" * 1_200_000, 413, "body_too_large"),
        (SIGN_IN + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad_request"),
        (SIGN_IN + b"Transfer-Encoding: gzip\r\n\r\n{}", 400, "bad_request"),
        (SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 400, "bad_request"),
        (SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\n3\r\n{}\r\n0\r\n\r\n", 400, "bad_request"),
        (SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\n" + b"F4240\r\n" + b"[" * 1_000_000 + b"\r\n0\r\n\r\n", 413,
         "body_too_large"),
        (b"GET //v1//me HTTP/1.1\r\n" + HOST + b"\r\n", 404, "not_found"),
        (b"GET /v1/requests/a%2Fb HTTP/1.1\r\n" + HOST + b"\r\n", 404, "not_found"),
        (b"GET /v1/track/a%00b HTTP/1.1\r\n" + HOST + b"\r\n", 404, "not_found"),
        (b"GET /v1/track/%ED%A0%80 HTTP/1.1\r\n" + HOST + b"\r\n", 404, "not_found"),
        (b"GET /static/..%2f..%2fapp.py HTTP/1.1\r\n" + HOST + b"\r\n", 404, "not_found"),
        (b"TRACE /v1/me HTTP/1.1\r\n" + HOST + b"\r\n", 405, "method_not_allowed"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_call_get_a_problem_and_no_page(server: Server, raw: bytes, status: int, code: str) -> None:
    head, _, body = server.say(raw).partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert lines[0].startswith(f"HTTP/1.1 {status} "), head
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    told = json.loads(body)
    assert (told["status"], told["code"]) == (status, code)
    assert told["request_id"] == headers["x-request-id"] and told["title"] and told["detail"]
    assert "set-cookie" not in headers
    assert server.alive()


def test_who_leaves_in_the_middle_costs_nothing(server: Server) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port), 5) as line:
            line.sendall(SIGN_IN + b"Content-Length: 500\r\n\r\n{")
    assert server.alive()


def test_behind_a_public_https_address_browsers_are_told_to_stay_there(server: Server) -> None:
    head = server.say(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n").partition(b"\r\n\r\n")[0].decode()
    assert "Strict-Transport-Security: max-age=31536000" in head


def test_a_call_that_trickles_in_holds_no_thread_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorstep, "GRACE_S", 0.2)
    ours, theirs = socket.socketpair()
    reader = doorstep.HurriedReader(ours)
    reader.begin()
    theirs.sendall(b"POST ")
    assert reader.chunk() == b"POST "
    with pytest.raises(RequestTimeout):
        reader.chunk()
    reader.begin()
    theirs.sendall(b"/v1")
    assert reader.chunk() == b"/v1", "the next call has its own time"
    ours.settimeout(0.01)
    with pytest.raises(TimeoutError):
        reader.chunk()
    assert ours.gettimeout() == 0.01, "a nearer limit of the server's own stays as it was"
    ours.close(), theirs.close()


def test_a_slow_line_that_goes_on_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorstep, "GRACE_S", 0.0)
    monkeypatch.setattr(doorstep, "SLOWEST_BPS", 10.0)
    ours, theirs = socket.socketpair()
    reader = doorstep.HurriedReader(ours)
    reader.begin()
    with pytest.raises(RequestTimeout):
        reader.chunk()
    reader.begin()
    reader._got = 1000
    theirs.sendall(b"{")
    assert reader.chunk() == b"{"
    ours.close(), theirs.close()


def test_the_header_that_orders_come_with_is_let_through_and_no_other_like_it(server: Server) -> None:
    body = b'{"OrderNumber": "H32.1-200320-0015"}'
    for header, code in ((b"access_token", "invalid_key"), (b"Idempotency_Key", "missing_key")):
        raw = b"POST /v1/adapters/one-stop/orders HTTP/1.1\r\n" + JSON + header + b": test_nobody\r\n"
        told = server.say(raw + b"Content-Length: %d\r\n\r\n" % len(body) + body).partition(b"\r\n\r\n")[2]
        assert (json.loads(told)["code"], json.loads(told)["Status"]) == (code, "401")
    dropped = b"GET /v1/me HTTP/1.1\r\n" + HOST + b"X_Request_Id: mine\r\n\r\n"
    assert b"X-Request-Id: mine" not in server.say(dropped)


def test_a_file_beyond_its_limit_is_refused_before_it_is_read(server: Server) -> None:
    head = b"POST /v1/imports HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; boundary=b\r\n"
    told = server.say(head + b"Content-Length: 900000000\r\n\r\n--b\r\n")
    assert b" 401 " in told.partition(b"\r\n")[0], "nobody unknown sends files"
