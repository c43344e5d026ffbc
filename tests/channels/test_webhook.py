"""What receivers and the machine's owner rely on: signed by the book, never sent where it must not go, never hung."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import trustme
from hypothesis import given
from hypothesis import strategies as st

from dispatch.channels import webhook
from dispatch.channels.webhook import Answer, Guard, check_url, post, sign
from dispatch.domain.errors import Invalid
from tests.channels.receiver import Receiver

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
PUBLIC = "93.184.216.34"


def resolver(*addresses: str) -> Guard:
    return Guard(resolve=lambda host, port, timeout_s: list(addresses))


def send(url: str, guard: Guard, *, live: bool = False, timeout_s: float = 5.0, body: bytes = b"{}") -> Answer:
    headers = sign([webhook.new_secret()], "evt_1", datetime.now(UTC), body)
    return post(url, headers, body, guard, live=live, timeout_s=timeout_s)


# ---- signatures ------------------------------------------------------------------------------------------------
def test_the_reference_library_accepts_what_arrives() -> None:
    secret, body = webhook.new_secret(), json.dumps({"type": "request.created", "data": "Điều tin"}).encode()
    with Receiver() as receiver:
        headers = sign([secret], "evt_42", datetime.now(UTC), body)
        answer = post(receiver.url, headers, body, Guard(LOOPBACK), live=True)
    assert (answer.status, answer.detail, answer.address) == (200, "ok", "127.0.0.1")
    call = receiver.calls[0]
    assert standardwebhooks.Webhook(secret).verify(call.body, call.headers) == json.loads(body)
    assert (call.headers["webhook-id"], call.headers["content-type"]) == ("evt_42", "application/json")


def test_both_secrets_verify_while_one_is_changed_for_another() -> None:
    new, old, body = webhook.new_secret(), webhook.new_secret(), b'{"a":1}'
    headers = sign([new, old], "evt_1", datetime.now(UTC), body)
    assert [standardwebhooks.Webhook(secret).verify(body, headers) for secret in (new, old)] == [{"a": 1}] * 2
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(webhook.new_secret()).verify(body, headers)


def test_the_lines_of_our_page_verify_what_we_sign() -> None:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    exec(page.split("```python")[1].split("```")[0], found)
    verified, body, now = found["verified"], "Điều tin".encode(), datetime.now(UTC)
    new, old = webhook.new_secret(), webhook.new_secret()
    headers = sign([new, old], "evt_1", now, body)
    assert verified(new, headers, body) and verified(old, headers, body)
    assert not verified(webhook.new_secret(), headers, body) and not verified(new, headers, body + b" ")
    assert not verified(new, sign([new], "evt_1", now - timedelta(minutes=6), body), body)


@pytest.mark.parametrize("change", ["body", "id", "time", "secret"])
def test_a_message_that_was_tampered_with_does_not_verify(change: str) -> None:
    secret, body, now = webhook.new_secret(), b'{"a":1}', datetime.now(UTC)
    headers = sign([secret], "evt_1", now, body)
    if change == "body":
        body = b'{"a":2}'
    elif change == "id":
        headers["webhook-id"] = "evt_2"
    elif change == "time":
        headers["webhook-timestamp"] = str(int(now.timestamp()) - 1)
    else:
        secret = webhook.new_secret()
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(body, headers)


def test_a_secret_holds_256_random_bits_and_is_never_the_same() -> None:
    import base64

    first, second = webhook.new_secret(), webhook.new_secret()
    assert first.startswith("whsec_") and len(base64.b64decode(first.removeprefix("whsec_"))) == 32
    assert first != second


# ---- where it may go -------------------------------------------------------------------------------------------
CLOSED = [
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1"),
    *("172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7"),
    *("203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "64:ff9b:1::1"),
    *("100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1"),
    *("fe80::1%eth0", "fec0::1", "ff02::1", "nonsense"),
]
OPEN = [PUBLIC, "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("address", CLOSED)
def test_a_name_that_leads_inside_is_refused_at_registration_and_at_sending(address: str) -> None:
    guard = resolver(address)
    with pytest.raises(Invalid) as refused:
        check_url("https://hooks.example.com/x", guard, live=True)
    assert refused.value.code == "webhook_url_refused"
    assert refused.value.faults[0].pointer == "/url"
    assert send("https://hooks.example.com/x", guard).error == "address_refused"


@pytest.mark.parametrize("address", OPEN)
def test_a_public_address_is_admitted(address: str) -> None:
    check_url("https://hooks.example.com/x", resolver(address), live=True)


@given(st.ip_addresses(v=4))
def test_no_address_that_python_calls_unfit_is_ever_admitted(address: ipaddress.IPv4Address) -> None:
    target = webhook.parse_url("https://hooks.example.com/")
    unfit = address.is_private or address.is_multicast or address.is_reserved or address.is_loopback
    if unfit or address.is_link_local or address.is_unspecified:
        assert Guard().admitted(target, [str(address), f"::ffff:{address}"], live=True) == []


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "hooks.example.com",
            "ftp://hooks.example.com/",
            "file:///etc/passwd",
            "gopher://a/",
            "https://",
            "https:///x",
        ),
        *("https://user:pw@hooks.example.com/", "https://good.example\\@127.0.0.1/", "https://a.example/#x"),
        *("https://a.example:0/", "https://a.example:99999/", "https://a.example:x/", "https://a..b/", "https://.a/"),
        *("https://a.example/ x", "https://a.example/\r\nHost:b", "https://a\t.example/", "https://ví-dụ.vn/"),
        *("https://[fe80::1%25eth0]/", "https://[::1", "https://a.example/" + "x" * 2000, "https://a%2eexample/"),
    ],
)
def test_a_url_that_two_readers_could_read_differently_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_url(url, resolver(PUBLIC), live=True)
    assert refused.value.code == "webhook_url_refused"
    assert send(url, resolver(PUBLIC)).error == "address_refused"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_loopback_in_disguise_is_loopback(host: str) -> None:
    with Receiver() as receiver:
        answer = send(f"http://{host}:{receiver.port}/", Guard())
    assert answer.error in ("address_refused", "host_not_found") and receiver.calls == []


def test_live_webhooks_need_https_and_test_ones_do_not() -> None:
    with pytest.raises(Invalid):
        check_url("http://hooks.example.com/", resolver(PUBLIC), live=True)
    check_url("http://hooks.example.com/", resolver(PUBLIC), live=False)
    check_url("http://hooks.example.com/", Guard(LOOPBACK, resolve=lambda *_: ["127.0.0.1"]), live=True)


def test_a_host_that_cannot_be_found_yet_is_no_reason_to_refuse_https() -> None:
    def nowhere(host: str, port: int, timeout_s: float) -> list[str]:
        raise OSError("no such name")

    check_url("https://soon.example.com/", Guard(resolve=nowhere), live=True)
    with pytest.raises(Invalid):
        check_url("http://soon.example.com/", Guard(resolve=nowhere), live=True)
    assert send("https://soon.example.com/", Guard(resolve=nowhere)).error == "host_not_found"


def test_the_owner_of_the_machine_may_allow_networks_and_single_receivers() -> None:
    asked: list[tuple[str, int]] = []

    def allowed(host: str, port: int) -> bool:
        asked.append((host, port))
        return port == receiver.port

    with Receiver() as receiver:
        assert send(receiver.url, Guard(LOOPBACK), live=True).status == 200
        assert send(receiver.url, Guard(receiver_allowed=allowed), live=True).status == 200
        assert send("http://127.0.0.1:1/", Guard(receiver_allowed=allowed), live=True).error == "address_refused"
        assert send(receiver.url, Guard((ipaddress.ip_network("10.0.0.0/8"),)), live=True).error == "address_refused"
    assert asked == [("127.0.0.1", receiver.port), ("127.0.0.1", 1)]
    assert len(receiver.calls) == 2


def test_an_ipv4_address_in_ipv6_clothes_is_that_ipv4_address() -> None:
    with Receiver() as receiver:
        guard = Guard(LOOPBACK, resolve=lambda *_: ["::ffff:127.0.0.1"])
        answer = send(f"http://hooks.invalid:{receiver.port}/", guard)
    assert (answer.status, answer.address) == (200, "127.0.0.1")


def test_a_name_that_changes_its_meaning_after_the_check_leads_nowhere() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    guard = Guard(resolve=lambda host, port, timeout_s: next(answers))
    with Receiver() as receiver:
        url = f"http://rebind.example.com:{receiver.port}/"
        check_url(url, guard, live=False)
        assert send(url, guard).error == "address_refused"
    assert receiver.calls == []


def test_the_connection_goes_to_the_checked_address_and_names_the_host() -> None:
    lookups = []

    def look(host: str, port: int, timeout_s: float) -> list[str]:
        lookups.append(host)
        return ["10.0.0.1", "127.0.0.1"]

    with Receiver() as receiver:
        # `.invalid` never resolves (RFC 6761): a second look-up of the name could not have led here.
        answer = send(f"http://hooks.invalid:{receiver.port}/a?b=c", Guard(LOOPBACK, resolve=look))
    assert (answer.status, answer.address, lookups) == (200, "127.0.0.1", ["hooks.invalid"])
    assert receiver.calls[0].headers["host"] == f"hooks.invalid:{receiver.port}"
    assert receiver.calls[0].path == "/a?b=c"


def test_the_next_address_of_a_host_serves_where_the_first_is_down() -> None:
    with Receiver() as receiver:
        guard = Guard(LOOPBACK, resolve=lambda *_: ["127.9.9.9", "127.0.0.1"])
        answer = send(f"http://hooks.invalid:{receiver.port}/", guard)
    assert (answer.status, answer.address) == (200, "127.0.0.1")


# ---- TLS -------------------------------------------------------------------------------------------------------
AUTHORITY = trustme.CA()


def tls_receiver() -> Receiver:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("hooks.example.test").configure_cert(context)
    return Receiver(tls=context)


def test_the_certificate_must_be_of_the_host_not_of_the_address() -> None:
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    guard = Guard(LOOPBACK, resolve=lambda *_: ["127.0.0.1"], tls=trusting)
    with tls_receiver() as receiver:
        right = send(f"https://hooks.example.test:{receiver.port}/", guard, live=True)
        wrong = send(f"https://other.example.test:{receiver.port}/", guard, live=True)
        bare = send(f"https://127.0.0.1:{receiver.port}/", guard, live=True)
    assert right.status == 200
    assert (wrong.error, bare.error) == ("tls_failed", "tls_failed")
    assert len(receiver.calls) == 1 and receiver.calls[0].headers["host"] == f"hooks.example.test:{receiver.port}"


def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    guard = Guard(LOOPBACK, resolve=lambda *_: ["127.0.0.1"])
    with tls_receiver() as receiver:
        assert send(f"https://hooks.example.test:{receiver.port}/", guard).error == "tls_failed"
    assert receiver.calls == []


# ---- answers ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with Receiver() as inside, Receiver(lambda call: (status, {"Location": inside.url}, b"")) as receiver:
        answer = send(receiver.url, Guard(LOOPBACK))
    assert answer.status == status and inside.calls == [] and len(receiver.calls) == 1


def test_four_kilobytes_of_an_answer_are_kept_and_a_flood_is_cut_off() -> None:
    def flood(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            wire.sendall(b"x" * 65_536)

    with Receiver(raw=flood) as receiver:
        answer = send(receiver.url, Guard(LOOPBACK))
    assert answer.status == 200 and answer.detail == "x" * webhook.KEPT_BYTES and answer.duration_ms < 2_000


def test_what_no_database_can_keep_is_taken_out_of_an_answer() -> None:
    with Receiver(lambda call: (500, {}, b"a\x00b\xff\x1b[31m \xc4\x90i\xe1\xbb\x81u")) as receiver:
        answer = send(receiver.url, Guard(LOOPBACK))
    assert answer.line()["answer"] == "a\ufffdb\ufffd\ufffd[31m Điều"
    assert answer.line() | {"duration_ms": 0} == {
        "status": 500,
        "error": None,
        "answer": "a\ufffdb\ufffd\ufffd[31m Điều",
        "address": "127.0.0.1",
        "duration_ms": 0,
    }


def silent(wire: socket.socket) -> None:
    while wire.recv(4096):
        pass


def drip(wire: socket.socket) -> None:
    while True:
        wire.sendall(b"H")
        time.sleep(0.05)


def drip_after_header(wire: socket.socket) -> None:
    wire.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(wire)


@pytest.mark.parametrize("manner", [silent, drip, drip_after_header])
def test_a_receiver_that_says_nothing_or_drips_is_given_up_in_time(manner: object) -> None:
    with Receiver(raw=manner) as receiver:  # type: ignore[arg-type]
        begun = time.monotonic()
        answer = send(receiver.url, Guard(LOOPBACK), timeout_s=0.6)
    assert (answer.status, answer.error) == (None, "timeout")
    assert 0.5 < time.monotonic() - begun < 15


def test_a_status_that_came_in_time_counts_though_the_body_never_ends() -> None:
    def half(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 100\r\n\r\n")
        silent(wire)

    with Receiver(raw=half) as receiver:
        assert send(receiver.url, Guard(LOOPBACK), timeout_s=0.6).status == 204


@pytest.mark.parametrize("said", [b"", b"\x00\x01\x02\r\n\r\n", b"HTTP/1.1 banana\r\n\r\n", b"SSH-2.0-OpenSSH\r\n"])
def test_an_answer_that_is_not_http_is_an_error_not_a_crash(said: bytes) -> None:
    with Receiver(raw=lambda wire: wire.sendall(said)) as receiver:
        answer = send(receiver.url, Guard(LOOPBACK))
    assert answer.status is None and answer.error in ("connection_failed", "answer_unreadable")


def test_nobody_at_home_is_told_as_such() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))  # bound, not listening: refused at once, and nobody else gets the port
        answer = send(f"http://127.0.0.1:{busy.getsockname()[1]}/", Guard(LOOPBACK))
    assert (answer.status, answer.error) == (None, "connection_failed")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), ("0", 0.0), ("999999999", 86_400.0), ("-5", None), ("soon", None), ("", None), ("1e9", None)],
)
def test_retry_after_in_seconds_is_read_within_a_day(header: str, seconds: float | None) -> None:
    with Receiver(lambda call: (503, {"Retry-After": header}, b"")) as receiver:
        assert send(receiver.url, Guard(LOOPBACK)).retry_after_s == seconds


def test_retry_after_as_a_date_is_read_and_one_in_the_past_means_now() -> None:
    dates = iter([datetime.now(UTC) + timedelta(minutes=10), datetime.now(UTC) - timedelta(days=1)])
    with Receiver(lambda call: (429, {"Retry-After": format_datetime(next(dates), usegmt=True)}, b"")) as receiver:
        later, past = send(receiver.url, Guard(LOOPBACK)), send(receiver.url, Guard(LOOPBACK))
    assert later.retry_after_s is not None and 590 < later.retry_after_s <= 600
    assert past.retry_after_s == 0.0


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found.wait(60) and [])
    begun = time.monotonic()
    answer = send("https://hooks.example.com/", Guard(), timeout_s=0.4)
    assert answer.error == "timeout" and time.monotonic() - begun < 15
    found.set()
