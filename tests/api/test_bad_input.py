"""Whatever is sent, the caller gets a clear problem, nothing is written and nothing breaks."""

import dataclasses
import json
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from api.app import create_app
from dispatch.bootstrap import System
from tests.api.conftest import NOON, Api

Body = Callable[..., dict[str, Any]]


def send(api: Api, raw: bytes, content_type: str = "application/json", **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k", "Test-Clock": NOON} | headers
    return api.client.post("/v1/requests", data=raw, content_type=content_type, headers=sent)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    found: dict[str, Any] = answer.json
    assert found["code"] == code and found["status"] == status
    assert found["request_id"] == answer.headers["X-Request-Id"] and found["detail"]
    return found


@pytest.mark.parametrize("raw", [b"", b"{", b"[1,2", b"\xff\xfe", b"nul", b'"\\ud800"', b"[" * 5000])
def test_json_that_cannot_be_read_is_400(shop: Api, raw: bytes) -> None:
    problem(send(shop, raw), 400, "malformed_json")
    assert shop.get("/v1/requests").json["data"] == []


def change(found: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.strip("/").split("/")
    for step in way:
        found = found.setdefault(step, {})
    if value is ...:
        found.pop(last)
    else:
        found[last] = value


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("/kind", ..., "missing"),
        ("/kind", "both", "literal_error"),
        ("/dossier", ..., "missing"),
        ("/citizen/name", ..., "missing"),
        ("/citizen/name", "", "string_too_short"),
        ("/citizen/name", "a" * 201, "string_too_long"),
        ("/citizen/name", "Nguyễn\u0000Văn", "control_character"),
        ("/citizen/name", "dòng\nmới", "control_character"),
        ("/citizen/name", "Nguyễn \u202eA\u202c", "control_character"),
        ("/note", "\u2066ngược\u2069", "control_character"),
        ("/citizen/phone", "gọi cho tôi", "string_pattern_mismatch"),
        ("/citizen/address", {"raw": None}, "address_missing"),
        ("/citizen/address/era", ..., "era_missing"),
        ("/citizen/address/lat", 12.2, "half_a_point"),
        ("/weight_g", 0, "greater_than_equal"),
        ("/weight_g", -5, "greater_than_equal"),
        ("/weight_g", "80", "int_type"),
        ("/weight_g", 80.5, "int_type"),
        ("/weight_g", 10**40, "less_than_equal"),
        ("/notice_at", "2026-11-23T10:00:00", "instant_without_zone"),
        ("/notice_at", "hôm nay", "instant"),
        ("/notice_at", 1764000000, "instant"),
        ("/dossier/accepted_on", "1764000000", "date"),
        ("/notice_at", "9999-12-31T23:59:59+07:00", "instant_out_of_range"),
        ("/note", "x" * 2001, "string_too_long"),
        ("/metadata/deep", {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}, "too_deep"),
        ("/metadata/big", 2**60, "number_too_large"),
        ("/metadata/text", "\u0000", "control_character"),
        ("/citizen/address/lat", float("nan"), "finite_number"),
        ("/external_ref", "a\u0007b", "string_pattern_mismatch"),
        ("/surprise", 1, "unknown_key"),
        ("/citizen/surprise", 1, "unknown_key"),
    ],
)
def test_wrong_content_is_422_and_says_where(shop: Api, body: Body, path: str, value: Any, code: str) -> None:
    asked = body()
    change(asked, path, value)
    found = problem(send(shop, json.dumps(asked).encode()), 422, "validation_failed")
    assert code in {fault["code"] for fault in found["errors"]}, found["errors"]
    assert any(fault["pointer"] == "" or path.startswith(fault["pointer"]) for fault in found["errors"]), found[
        "errors"
    ]
    assert shop.get("/v1/requests").json["data"] == []


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"channel": "HOTLINE"}, "/hotline"),
        ({"channel": "HOTLINE", "hotline": {"caller_phone": "0905123456", "agent_id": "td-1"}}, "/window"),
        ({"purpose": "PAPER_SUPPLEMENT"}, "/kind"),
    ],
)
def test_what_does_not_go_together_points_at_the_missing_part(
    shop: Api, body: Body, parts: dict[str, Any], pointer: str
) -> None:
    found = problem(shop.post("/v1/requests", body(**parts)), 422, "validation_failed")
    assert [fault["pointer"] for fault in found["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("/shop_id", "kh-khong-co", "unknown_shop"),
        ("/citizen/address/commune_code", "99999", "unknown_commune"),
        ("/dossier/code", "không phải mã", "invalid_dossier_code"),
        ("/dossier/code", "000.00.16.H32-261341-0015", "invalid_dossier_code"),
        ("/dossier/presence_required", True, "presence_required"),
        ("/notice_at", "2026-11-23T10:05:01+07:00", "notice_in_future"),
    ],
)
def test_content_we_must_refuse_has_its_own_code(shop: Api, body: Body, path: str, value: Any, code: str) -> None:
    asked = body()
    change(asked, path, value)
    found = problem(send(shop, json.dumps(asked).encode()), 422, code)
    assert [fault["pointer"] for fault in found["errors"]] == [path]
    assert shop.get("/v1/requests").json["data"] == []


def test_a_notice_five_minutes_ahead_is_taken_and_a_late_one_is_marked(shop: Api, body: Body) -> None:
    ahead = shop.post("/v1/requests", body(notice_at="2026-11-23T10:05:00+07:00"), at=NOON)
    assert ahead.status_code == 201 and "late_notice" not in ahead.json["warnings"]
    late = shop.post("/v1/requests", body(notice_at="2026-11-23T09:44:59+07:00"), at=NOON)
    assert "late_notice" in late.json["warnings"]
    assert late.json["promise"][0]["due_at"] == "2026-11-23T13:44:59+07:00"


def test_a_body_over_one_megabyte_is_413(shop: Api) -> None:
    problem(send(shop, b"[" + b" " * 1_000_001 + b"]"), 413, "body_too_large")


def test_another_content_type_is_415(shop: Api, body: Body) -> None:
    problem(send(shop, json.dumps(body()).encode(), "text/plain"), 415, "unsupported_media_type")


def test_a_missing_or_hostile_idempotency_key_is_400(shop: Api, body: Body) -> None:
    raw = json.dumps(body()).encode()
    problem(send(shop, raw, **{"Idempotency-Key": ""}), 400, "idempotency_key_required")
    problem(send(shop, raw, **{"Idempotency-Key": "k" * 256}), 400, "idempotency_key_invalid")


def test_a_wrong_or_missing_key_is_401(shop: Api) -> None:
    problem(shop.as_key("test_wrong").get("/v1/requests"), 401, "invalid_key")
    answer = shop.as_key(None).get("/v1/requests")
    problem(answer, 401, "missing_key")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_shop_key_may_not_do_the_operators_work(shop: Api) -> None:
    problem(shop.get("/v1/board"), 403, "scope_not_allowed")


def test_unknown_addresses_and_methods_are_problems_too(shop: Api) -> None:
    problem(shop.get("/v1/nothing"), 404, "not_found")
    problem(shop.get("/v1/requests/req_%00"), 404, "not_found")
    answer = shop.call("DELETE", "/v1/requests")
    problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]
    problem(shop.get("/v1/requests", headers={"Accept": "text/html"}), 406, "not_acceptable")


def test_a_query_is_checked_like_a_body(shop: Api) -> None:
    for query in (
        "limit=0",
        "limit=201",
        "limit=x",
        "surprise=1",
        "updated_after=2026-11-23",
        "cursor=abc",
        "authority_due_before=0",
    ):
        problem(shop.get(f"/v1/requests?{query}"), 422, "validation_failed")


def test_the_problem_speaks_the_callers_language(shop: Api) -> None:
    vietnamese = shop.get("/v1/nothing").json["detail"]
    english = shop.get("/v1/nothing", headers={"Accept-Language": "en"}).json["detail"]
    assert (vietnamese, english) == ("Không có địa chỉ này.", "There is nothing at this address.")


def test_time_cannot_be_moved_with_a_live_key_or_backwards(shop: Api, operator: Api, body: Body) -> None:
    live = operator.post("/v1/admin/keys", {"scope": "operator", "mode": "live"}).json["key"]
    problem(operator.as_key(live).get("/v1/requests", at=NOON), 400, "test_clock_not_allowed")
    problem(shop.get("/v1/requests", at="soon"), 400, "test_clock_invalid")
    made = shop.post("/v1/requests", body(), at=NOON).json["id"]
    early = shop.post(f"/v1/requests/{made}/cancel", {"reason": "x"}, at="2026-11-23T09:59:59+07:00")
    problem(early, 409, "test_clock_backwards")
    assert shop.get(f"/v1/requests/{made}", at="2026-11-23T09:00:00+07:00").status_code == 200


def test_text_written_in_two_ways_of_unicode_is_one_text(shop: Api, body: Body) -> None:
    decomposed, composed = (unicodedata.normalize(form, "Hồ sơ số 7/trả") for form in ("NFD", "NFC"))
    made = shop.post("/v1/requests", body(external_ref=decomposed), at=NOON)
    assert made.status_code == 201 and made.json["external_ref"] == composed
    again = shop.post("/v1/requests", body(external_ref=composed), at=NOON)
    assert (again.status_code, again.json["existing_id"]) == (409, made.json["id"])
    for spelling in (decomposed, composed):
        found = shop.get(f"/v1/requests?{urlencode({'external_ref': spelling})}").json["data"]
        assert [line["id"] for line in found] == [made.json["id"]]


def test_a_parameter_given_twice_is_not_guessed_at(shop: Api) -> None:
    found = problem(shop.get("/v1/requests?limit=1&limit=2"), 422, "validation_failed")
    assert [fault["pointer"] for fault in found["errors"]] == ["/limit"]


def test_what_was_read_is_not_sent_again(shop: Api, body: Body) -> None:
    made = shop.post("/v1/requests", body(), at=NOON).json["id"]
    for path in (f"/v1/requests/{made}", f"/v1/requests/{made}/why", "/v1/requests", "/v1/me"):
        tag = shop.get(path).headers["ETag"]
        for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            unchanged = shop.get(path, headers={"If-None-Match": known})
            assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", tag), (path, known)
        assert shop.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("given", ["\u00b2", '"x"', "99999999999", '"1" "2"', ""])
def test_a_version_that_cannot_be_one_is_stale(shop: Api, body: Body, given: str) -> None:
    made = shop.post("/v1/requests", body(), at=NOON).json["id"]
    sent = {"If-Match": given.encode().decode("latin-1")}
    problem(shop.post(f"/v1/requests/{made}/cancel", {"reason": "x"}, at=NOON, headers=sent), 412, "stale")


def test_every_answer_bears_a_sane_request_id_and_closes_the_door_to_other_sites(shop: Api) -> None:
    for given, echoed in (("abc-1:2_3.4", True), ("a b", False), ("x" * 101, False), ("<b>", False)):
        for path in ("/v1/me", "/v1/nothing", "/healthz"):
            answer = shop.get(path, headers={"X-Request-Id": given, "Origin": "https://evil.example"})
            found = answer.headers["X-Request-Id"]
            assert (found == given) == echoed and found.isprintable() and len(found) <= 100
            assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"]
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Strict-Transport-Security"], "the public address is https"
            assert "Access-Control-Allow-Origin" not in answer.headers
    preflight = shop.call("OPTIONS", "/v1/requests", headers={"Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 204 and "POST" in preflight.headers["Allow"]
    assert "Access-Control-Allow-Origin" not in preflight.headers


def test_who_asks_too_often_is_told_how_long_to_wait(system: System, shop: Api) -> None:
    limited = create_app(dataclasses.replace(system, settings=system.settings.model_copy(update={"rate_limit": 2})))
    limited.config["TESTING"] = False
    caller = Api(limited.test_client(), shop.key)
    answers = [caller.get("/v1/me") for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and answers[0].status_code == 200
    for answer in answers:
        assert answer.headers["RateLimit-Policy"].endswith(";w=1") and ";r=" in answer.headers["RateLimit"]
    for answer in refused:
        assert problem(answer, 429, "rate_limited") and int(answer.headers["Retry-After"]) >= 1
    wrong = caller.get("/v1/board")
    assert wrong.status_code in (403, 429) and "RateLimit" in wrong.headers
