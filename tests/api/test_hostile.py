"""Whatever strangers send to any operation, it gets a problem or a lawful answer, and what is kept stays readable."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.endpoint import ENDPOINTS, Endpoint
from tests.api.conftest import NOON, Api, caller_of, system_on
from tests.api.world import PHOTO, QUERIES, World, missing

RAW = {name: f"@@{name}@@" for name in ("1e400", "-1e400", "9" * 10_000, "0." + "1" * 10_000, "Infinity", "-0")}
"""JSON that Python would not write: put in place of these words."""
STRINGS = [
    *("", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\u202eSỤC", "\u2066x", "\u200f", "\ufeff", "\u2028", "\x7f"),
    *(
        "e\u0301" * 60,
        "\u0301",
        "Nguye\u0302\u0303n",
        "👩‍👩‍👧‍👦🇻🇳",
        "\U0010ffff",
        "\ufdfa" * 90,
        "İ" * 110,
        "x" * 70_000,
    ),
    *("../../etc/passwd", "' OR 1=1 --", "%s%n", "{{7*7}}", "=1+1", "<script>", "\r\nSet-Cookie: a=b", "null", "req_0"),
    *(
        "0001-01-01",
        "9999-12-31",
        "2020-02-30",
        "2000-01-01",
        "2099-12-31",
        "1585267200",
        "-1",
        "1e3",
        "24:00",
        "00:00",
    ),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2020-12-31T23:59:60Z", "2026-11-23T10:00:00"),
    *("2000-01-01T00:00:00Z", "2099-12-31T23:59:59Z", "2026-11-23T10:00:00+23:59", "2026-11-23T10:00:00.1234567Z"),
]
OTHERS: list[Any] = [
    *(None, True, False, [], {}, [None], {"": ""}, {"\0": 1}, {"\ud800": 1}, {"a": {"b": {"c": {"d": [[[[]]]]}}}}),
    *(0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 1e308, 5e-324, 0.5, -0.0, float("nan")),
    *(float("inf"), [0] * 3000, ["x"] * 300, *RAW.values()),
]
HOSTILE = st.one_of(
    st.sampled_from(STRINGS),
    st.sampled_from(OTHERS),
    st.text(st.characters(), max_size=40),
    st.integers(),
    st.floats(),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.dates().map(lambda day: day.isoformat()),
)


@pytest.fixture(scope="module")
def world(module_database: str, redis_url: str) -> Iterator[World]:
    with system_on(module_database, redis_url) as system:
        yield World(system, caller_of(system))


def checked(answer: Any) -> Any:
    """Every answer is lawful JSON or a file, or a problem that says what is wrong; never our own fault."""
    assert answer.status_code < 500, answer.text[:2000]
    assert answer.headers["X-Request-Id"] and answer.headers["X-Content-Type-Options"] == "nosniff"
    if answer.status_code >= 400:
        assert answer.content_type == "application/problem+json", answer.text[:500]
        told = answer.json
        assert told["status"] == answer.status_code and told["code"] and told["title"] and told["detail"]
        assert told["request_id"] == answer.headers["X-Request-Id"]
        for fault in told["errors"]:
            assert fault["pointer"] == "" or fault["pointer"].startswith("/"), fault
            assert fault["code"] and fault["message"]
    return answer


def places(found: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of a body, the body itself first."""
    yield way
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in inner:
        yield from places(value, (*way, key))


def spoilt(body: Any, way: tuple[Any, ...], value: Any) -> Any:
    """The body with one value in place of another."""
    if not way:
        return value
    found = body = copy.deepcopy(body)
    for step in way[:-1]:
        found = found[step]
    found[way[-1]] = value
    return body


def written(body: Any) -> bytes:
    text = json.dumps(body)
    for number, word in RAW.items():
        text = text.replace(f'"{word}"', number)
    return text.encode()


def path_of(endpoint: Endpoint, ids: dict[str, str]) -> str:
    path = endpoint.path
    for name, value in ids.items():
        path = path.replace(f"<{name}>", value)
    assert "<" not in path, f"tests/api/world.py knows no {path}"
    return path


def send(caller: Api, endpoint: Endpoint, path: str, raw: bytes | None, **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {caller.key}", "Test-Clock": NOON} if caller.key else {}
    if endpoint.idempotent:
        sent["Idempotency-Key"] = f"k-{next(_keys)}"
    kind = "application/json" if endpoint.body is not None else endpoint.accepts
    more = {} if raw is None else {"data": raw, "content_type": headers.pop("Content-Type", kind)}
    return checked(caller.client.open(path, method=endpoint.method, headers=sent | headers, **more))


_keys = iter(range(10**9))
few = settings(max_examples=12, suppress_health_check=list(HealthCheck))
WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.body is not None]


def named(endpoint: Endpoint) -> str:
    return endpoint.name


def test_every_operation_is_known_here() -> None:
    assert missing() == []


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_a_body_with_anything_in_any_place_breaks_nothing(world: World, endpoint: Endpoint) -> None:
    ids = world.ids | {"request_id": world.request()}
    path, caller, sound = path_of(endpoint, ids), world.caller(endpoint), world.body(endpoint.name)
    first = send(caller, endpoint, path, written(sound))
    assert first.status_code not in (400, 415), first.text
    faults = first.json["errors"] if first.status_code == 422 else []
    assert not any(fault["pointer"].split("/")[1] in sound for fault in faults), faults

    @few
    @given(st.data())
    def spoil(data: st.DataObject) -> None:
        body = sound
        for _ in range(data.draw(st.integers(1, 3))):
            body = spoilt(body, data.draw(st.sampled_from(list(places(body)))), data.draw(HOSTILE))
        send(caller, endpoint, path, written(body))

    spoil()


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_a_body_that_is_no_json_of_ours_is_refused(world: World, endpoint: Endpoint) -> None:
    path, caller, sound = path_of(endpoint, world.ids), world.caller(endpoint), written(world.body(endpoint.name))
    digits = b'{"' + next(iter(endpoint.body.model_fields)).encode() + b'":' + b"9" * 990_000 + b"}"  # type: ignore[union-attr]
    for raw in (
        *(b"", b"\0", b"\xff", sound[:-1], sound + b"}", b"\xef\xbb\xbf" + sound, sound.decode().encode("utf-16")),
        *(
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b"NaN",
            b"'{}'",
            b"{'a':1}",
            b'{"a":"\\ud800"}',
            b'{"\\u0000":1}',
            digits,
        ),
    ):
        assert send(caller, endpoint, path, raw).status_code in (400, 422), raw[:80]
    for kind in ("text/plain", "", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "a/b/c\0"):
        assert send(caller, endpoint, path, sound, **{"Content-Type": kind}).status_code == 415, kind
    assert send(caller, endpoint, path, sound, **{"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
def test_a_path_or_query_with_anything_in_it_breaks_nothing(world: World, endpoint: Endpoint) -> None:
    caller, body = world.caller(endpoint), world.body(endpoint.name)
    raw = PHOTO if endpoint.accepts != "application/json" else None if body is None else written(body)
    known = list(endpoint.query.model_json_schema()["properties"]) if endpoint.query is not None else []
    told = QUERIES.get(endpoint.name, {})
    text = st.one_of(st.sampled_from([word for word in STRINGS if len(word) < 3000]), st.text(max_size=30))
    written_query = st.dictionaries(st.one_of(st.sampled_from([*known, "x"]), text), text, max_size=3)

    @few
    @given(st.dictionaries(st.sampled_from(sorted(world.ids)), text, max_size=2), written_query)
    def spoil(ids: dict[str, str], query: dict[str, str]) -> None:
        from urllib.parse import quote, urlencode

        safe = {name: quote(value.encode("utf-8", "surrogatepass"), safe="") for name, value in ids.items()}
        line = urlencode(told | query, encoding="utf-8", errors="surrogatepass")
        wait = "" if "wait" in query else "&wait=0" if "wait" in known else ""
        send(caller, endpoint, f"{path_of(endpoint, world.ids | safe)}?{line}{wait}", raw)

    if "<" in endpoint.path or endpoint.query is not None:
        spoil()


HEADERS = {
    "Authorization": ["", "Bearer", "Bearer ", "Bearer \xff", "Basic YTpi", "bearer " + "x" * 3000, "Bearer a b"],
    "Accept": ["", "text/html", "*/*;q=0", "application/json;q=0.0", "a", "application/*;q=x", "," * 500, "\xff"],
    "Accept-Language": ["", "x" * 500, "*", "vi;q=9", "en-\xff", "zh"],
    "Test-Clock": [
        "",
        "now",
        "2026-11-23",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "\xff",
        "9" * 400,
    ],
    "Idempotency-Key": ["", " ", "k" * 256, "khóa".encode().decode("latin-1"), "a b", "\x7f", "\t"],
    "If-Match": ["", "*", '"', '"99999999999999999999"', 'W/"1"', "\xb2", '"1", "2"', '"x"'],
    "If-None-Match": ["", "*", '"', 'W/"1"', "\xff", '"1", "2"'],
    "X-Request-Id": ["", "\xff", "a b", "x" * 101, "<script>", "a/b"],
    "Range": ["bytes=0-0", "bytes=-1", "x"],
    "Cookie": ["dieutin_session=\xff", "dieutin_session=" + "a" * 3000, ";;;", "dieutin_session"],
    "Content-Length": ["-1", "x"],
    "Host": ["", "evil.example:99999", "[", "a b"],
    "X-Forwarded-For": ["\xff", "1.2.3.4"],
    "Origin": ["https://evil.example", "null"],
}


WHOLE = [(name, value) for name, values in HEADERS.items() for value in values]
SHARE = 8
"""Every operation gets so many of the headers, in turn, and three operations all of them."""


@pytest.mark.parametrize(("number", "endpoint"), enumerate(ENDPOINTS), ids=lambda part: getattr(part, "name", ""))
def test_no_header_breaks_anything_or_opens_the_door_to_other_sites(
    world: World, number: int, endpoint: Endpoint
) -> None:
    ids, body = world.ids | {"request_id": world.request()}, world.body(endpoint.name)
    raw = PHOTO if endpoint.accepts != "application/json" else None if body is None else written(body)
    query = "&".join(f"{name}={value}" for name, value in QUERIES.get(endpoint.name, {}).items()).replace("+", "%2B")
    full = endpoint.name in ("create_request", "read_request", "courier_sync")
    for name, value in WHOLE if full else (WHOLE * 2)[number * SHARE % len(WHOLE) :][:SHARE]:
        answer = send(world.caller(endpoint), endpoint, f"{path_of(endpoint, ids)}?{query}", raw, **{name: value})
        assert not [found for found in answer.headers.keys() if found.startswith("Access-Control-")]  # noqa: SIM118
        assert "evil" not in str(answer.headers)


def test_what_was_kept_of_all_that_can_still_be_read(world: World) -> None:
    """The last of this file: the requests that came of hostile calls are shown, printed, listed and reported."""
    cursor, seen = "", 0
    while cursor is not None:
        page = checked(world.operator.get(f"/v1/requests?limit=200{cursor}", at=NOON)).json
        for request in page["data"]:
            seen += 1
            for part in ("", "/events", "/why", "/promise", "/label", "/rescue"):
                checked(world.operator.get(f"/v1/requests/{request['id']}{part}", headers={"Accept": "*/*"}))
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen > 30
    for path in ("/v1/board", "/v1/board?date=2026-11-23", "/v1/events?shop_id=kh-a&limit=200", "/v1/webhooks"):
        assert checked(world.operator.get(path)).status_code == 200, path
    for name in (
        "sla",
        "deferred-postage",
        "online-intake",
        "cash",
        "coverage",
        "incidents",
        "courier-day",
        "training",
    ):
        for form in ("json", "csv", "xlsx", "pdf"):
            answer = world.operator.get(
                f"/v1/reports/{name}?from=2026-11-01&to=2026-11-30&province=56&format={form}", headers={"Accept": "*/*"}
            )
            assert checked(answer).status_code == 200, (name, form, answer.text)
    assert checked(world.phone.get("/v1/courier/day?date=2026-11-23")).status_code == 200
