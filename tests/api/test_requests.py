"""What a shop relies on when it asks: price, promise, no doubles, nothing of others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.api.conftest import NOON, Api, make_shop

Body = Callable[..., dict[str, Any]]


def test_a_request_is_priced_and_promised_in_the_answer(shop: Api, body: Body) -> None:
    made = shop.post("/v1/requests", body(), at=NOON)
    assert made.status_code == 201
    answer = made.json
    assert answer["status"] == "REQUESTED"
    assert answer["quote"]["postage_total"] == answer["quote"]["payable_by_citizen"] == 26_000
    assert answer["quote"]["borne_by"] == {"citizen": 26_000, "post": 0, "province": 0, "undecided": 0}
    promise = answer["promise"][0]
    assert (promise["leg"], promise["minutes"], promise["mode"]) == ("return", 240, "OPERATING_SPAN")
    assert promise["due_at"] == promise["due_at_strict"] == "2026-11-23T14:00:00+07:00"
    assert (promise["rule_id"], promise["binding"], promise["province_code"]) == ("KH-10@1", True, "56")
    assert answer["address"]["status"] == "exact" and answer["address"]["precision"] == "commune"
    assert "provisional_tariff" in answer["warnings"]
    assert made.headers["Location"] == f"/v1/requests/{answer['id']}" and made.headers["ETag"] == '"1"'


def test_a_province_without_a_rule_gets_the_operators_own_four_hours(operator: Api, body: Body) -> None:
    gia_lai = operator.as_key(make_shop(operator, "gl-pleiku", province_code="64", commune_code="23557"))
    asked = body(citizen=body()["citizen"] | {"address": {"commune_code": "23557", "era": "2020"}})
    promise = gia_lai.post("/v1/requests", asked, at=NOON).json["promise"][0]
    assert (promise["rule_id"], promise["binding"], promise["minutes"]) == ("DEFAULT-SLA@1", False, 240)


def test_a_quote_says_the_same_as_the_request_and_stores_nothing(shop: Api, body: Body) -> None:
    asked = body(kind="two_way")
    quoted = shop.post("/v1/quotes", asked, at=NOON).json
    assert shop.get("/v1/requests").json["data"] == []
    made = shop.post("/v1/requests", asked, at=NOON).json
    assert quoted["quote"] == made["quote"] and quoted["promise"] == made["promise"]
    assert [leg["leg"] for leg in made["legs"]] == ["pickup", "return"] and len(made["promise"]) == 1


def test_a_read_shows_what_the_create_answered_its_instants_in_local_time(shop: Api, body: Body) -> None:
    asked = body(kind="two_way", dossier=body()["dossier"] | {"submitted_at": "2026-11-20T01:30:00Z"})
    made = shop.post("/v1/requests", asked, at=NOON).json
    assert made["dossier"]["submitted_at"] == "2026-11-20T08:30:00+07:00"
    assert shop.get(f"/v1/requests/{made['id']}", at=NOON).json == made
    told = shop.get("/v1/events", at=NOON).json["data"]
    assert [entry["type"] for entry in told] == ["request.created", "fee.assessed"] and told[0]["data"] == made


def test_the_same_key_and_body_give_the_first_answer_again(shop: Api, body: Body) -> None:
    asked, key = body(), {"Idempotency-Key": "once"}
    first = shop.post("/v1/requests", asked, at=NOON, headers=key)
    again = shop.post("/v1/requests", asked, at=NOON, headers=key)
    assert again.status_code == 201 and again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    assert len(shop.get("/v1/requests").json["data"]) == 1


def test_the_same_key_with_another_body_is_refused(shop: Api, body: Body) -> None:
    key = {"Idempotency-Key": "once"}
    shop.post("/v1/requests", body(), at=NOON, headers=key)
    answer = shop.post("/v1/requests", body(), at=NOON, headers=key)
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")


def test_twenty_clients_with_one_key_make_one_request(shop: Api, body: Body) -> None:
    asked, key = body(), {"Idempotency-Key": "race"}

    def send(_: int) -> tuple[int, str]:
        own = Api(shop.client.application.test_client(), shop.key)
        answer = own.post("/v1/requests", asked, at=NOON, headers=key)
        return answer.status_code, answer.json.get("id", answer.json.get("code"))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(20)))
    made = {what for status, what in answers if status == 201}
    assert len(made) == 1
    assert {what for status, what in answers if status != 201} <= {"idempotency_in_progress"}
    assert len(shop.get("/v1/requests").json["data"]) == 1


def test_a_reference_is_taken_once_per_kind(shop: Api, body: Body) -> None:
    asked = body()
    first = shop.post("/v1/requests", asked, at=NOON).json
    again = shop.post("/v1/requests", asked, at=NOON)
    assert (again.status_code, again.json["code"]) == (409, "duplicate_external_ref")
    assert again.json["existing_id"] == first["id"]
    assert shop.post("/v1/requests", asked | {"kind": "pickup"}, at=NOON).status_code == 201


def test_another_shops_request_looks_like_none(shop: Api, operator: Api, body: Body) -> None:
    mine = shop.post("/v1/requests", body(), at=NOON).json["id"]
    other = operator.as_key(make_shop(operator, "kh-cam-ranh"))
    for answer in (
        other.get(f"/v1/requests/{mine}"),
        other.get(f"/v1/requests/{mine}/events"),
        other.get(f"/v1/requests/{mine}/label"),
        other.post(f"/v1/requests/{mine}/cancel", {"reason": "x"}),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert other.get("/v1/requests").json["data"] == []
    refused = other.post("/v1/requests", body(shop_id="kh-nha-trang"), at=NOON)
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_shop")


def test_a_list_is_read_page_by_page_without_loss(shop: Api, body: Body) -> None:
    made = [shop.post("/v1/requests", body(), at=NOON).json["id"] for _ in range(5)]
    seen: list[str] = []
    path = "/v1/requests?limit=2"
    while True:
        page = shop.get(path).json
        seen += [line["id"] for line in page["data"]]
        if not page["has_more"]:
            break
        path = f"/v1/requests?limit=2&cursor={page['next_cursor']}"
    assert seen == made


def test_a_cancelled_request_costs_nothing_and_stays_cancelled(shop: Api, body: Body) -> None:
    made = shop.post("/v1/requests", body(), at=NOON).json
    answer = shop.post(f"/v1/requests/{made['id']}/cancel", {"reason": "người dân tự đến"}).json
    assert answer["status"] == "CANCELLED" and answer["quote"]["status"] == "VOID"
    assert answer["quote"]["payable_by_citizen"] == 0 and sum(answer["quote"]["borne_by"].values()) == 0
    assert answer["promise"][0]["state"] == "CANCELLED"
    again = shop.post(f"/v1/requests/{made['id']}/cancel", {"reason": "x"})
    assert (again.status_code, again.json["code"]) == (409, "already_ended")


def test_after_collection_neither_cancel_nor_e_returned_works(shop: Api, body: Body) -> None:
    made = shop.post("/v1/requests", body(), at=NOON).json["id"]
    for event in ("assigned", "collected"):
        step = {"event": event, "at": "2026-11-23T11:00:00+07:00"}
        assert shop.post(f"/v1/test/requests/{made}/advance", step).status_code == 200
    for call, content in (("cancel", {"reason": "x"}), ("e-returned", {"at": "2026-11-23T11:30:00+07:00"})):
        answer = shop.post(f"/v1/requests/{made}/{call}", content, at="2026-11-23T11:30:00+07:00")
        assert (answer.status_code, answer.json["code"]) == (409, "already_collected")


def test_a_stale_version_is_refused(shop: Api, body: Body) -> None:
    made = shop.post("/v1/requests", body(), at=NOON).json["id"]
    answer = shop.post(f"/v1/requests/{made}/cancel", {"reason": "x"}, headers={"If-Match": '"7"'})
    assert answer.status_code == 412
    assert shop.get(f"/v1/requests/{made}").json["status"] == "REQUESTED"


def test_a_two_way_request_sleeps_until_the_result_is_ready(shop: Api, body: Body) -> None:
    made = shop.post("/v1/requests", body(kind="two_way"), at=NOON).json
    path = f"/v1/test/requests/{made['id']}/advance"
    for event, at in (("assigned", "10:30"), ("collected", "11:00"), ("handed_over", "13:40")):
        shop.post(path, {"event": event, "at": f"2026-11-23T{at}:00+07:00"})
    woken = shop.post(
        f"/v1/requests/{made['id']}/result-ready",
        {"notice_at": "2026-11-25T09:00:00+07:00"},
        at="2026-11-25T09:00:00+07:00",
    ).json
    assert woken["status"] == "REQUESTED" and woken["item_id"] == made["legs"][1]["item_id"]
    assert [line["due_at"] for line in woken["promise"]][1] == "2026-11-25T13:00:00+07:00"


def test_history_shows_every_station_also_those_nobody_scanned(shop: Api, body: Body) -> None:
    made = shop.post("/v1/requests", body(), at=NOON).json["id"]
    for event, at in (("assigned", "10:30"), ("collected", "11:00"), ("delivered", "15:00")):
        shop.post(f"/v1/test/requests/{made}/advance", {"event": event, "at": f"2026-11-23T{at}:00+07:00"})
    lines = shop.get(f"/v1/requests/{made}/events").json["data"]
    assert [(line["status"], line["implied"]) for line in lines] == [
        ("REQUESTED", False),
        ("DISPATCHED", True),
        ("ASSIGNED", False),
        ("COLLECTED", False),
        ("IN_TRANSIT", True),
        ("AT_OFFICE", True),
        ("OUT_FOR_DELIVERY", True),
        ("DELIVERED", False),
    ]
