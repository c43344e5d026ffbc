"""A one-stop system of today gets its orders placed once, whatever it repeats; its key serves nowhere else."""

from __future__ import annotations

import io
import itertools
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dispatch.bootstrap import System
from labels import codes
from tests.api.agreeing import assert_agrees
from tests.api.asking import Ask
from tests.api.conftest import NOON, Api, make_shop
from tests.api.paths import play
from tests.api.sending import requests_of

ORDERS = "/v1/adapters/one-stop/orders"
RECALL_ITEM, RECALL_ALL = "/v1/adapters/one-stop/item-codes/recall", "/v1/adapters/one-stop/registrations/recall"
_serials = itertools.count(40_000_000)


def order(number: int = 15, **changes: Any) -> dict[str, Any]:
    """What the software of a province sends when a result is ready: flat names, integers, an e-mail made up."""
    return {
        "CustomerCode": "C000123456",
        "ItemCode": "",
        "OrderNumber": f"000.00.16.H32-261120-{number:04}",
        "CODAmount": 0,
        "SenderProvince": 56,
        "SenderDistrict": 568,
        "SenderAddress": "42 Phan Chu Trinh, P. Xương Huân",
        "SenderName": "Bộ phận Một cửa Nha Trang",
        "SenderEmail": "dvc @gmail.com",
        "SenderTel": "02583822222",
        "SenderDesc": "",
        "Description": "Giấy chứng nhận",
        "ReceiverName": "Nguyễn Thị Ánh Nguyệt",
        "ReceiverAddress": "12 Trần Phú, P. Vĩnh Hải",
        "ReceiverTel": "0905123456",
        "ReceiverProvince": 56,
        "ReceiverDistrict": 568,
        "ReceiverEmail": None,
        "FlagConfig": 2,
    } | changes


def grouped(flat: dict[str, Any]) -> dict[str, Any]:
    """The same order with the two people as objects."""
    made: dict[str, Any] = {"Sender": {}, "Receiver": {}}
    for name, value in flat.items():
        group = next(
            (one for one in made if name.startswith(one) and isinstance(made[one], dict) and name != one), None
        )
        if group is None:
            made[name] = value
        else:
            made[group][name.removeprefix(group)] = value
    return made


class Software:
    """A one-stop system: it knows no Bearer key and no Idempotency-Key, only its `access_token`."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def answer(self, path: str, body: Any, at: str = NOON, **headers: str) -> Any:
        sent = {"access_token": self.api.key or "", "Test-Clock": at} | headers
        answer = self.api.client.post(path, json=body, headers=sent)
        assert_agrees(answer)
        return answer

    def send(self, body: Any, path: str = ORDERS, **more: Any) -> dict[str, Any]:
        answer = self.answer(path, body, **more)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json
        return told


@pytest.fixture
def software(shop: Api) -> Software:
    return Software(shop)


STANDING = {"provisional_tariff", "rule_open_over_12_months"}
"""Warnings that every request of 2026 has."""


def warned(told: dict[str, Any]) -> list[str]:
    return [warning for warning in told["Warnings"] if warning not in STANDING]


def read(shop: Api, told: dict[str, Any]) -> dict[str, Any]:
    answer = shop.get(f"/v1/requests/{told['RequestId']}", at=NOON)
    assert answer.status_code == 200
    shown: dict[str, Any] = answer.json
    return shown


def test_an_order_becomes_a_request_by_the_same_flow(shop: Api, software: Software) -> None:
    told = software.send(order())
    assert (told["Status"], told["Message"], told["Attempt"], warned(told)) == ("100", "Thành công.", 1, [])
    made = read(shop, told)
    assert made["kind"] == "return" and made["item_id"] == told["ItemCode"] and codes.is_valid(told["ItemCode"])
    assert made["dossier"]["code"] == "000.00.16.H32-261120-0015" and made["note"] == "Giấy chứng nhận"
    assert made["citizen"]["phone"] == "0905123456" and made["citizen"]["email"] is None
    assert (made["address"]["commune_code"], made["address"]["era"]) == ("22330", "2020")
    assert made["quote"]["postage_total"] == told["Postage"] == told["CollectFromCitizen"] == 26_000
    assert made["promise"][0]["rule_id"] == "KH-10@1" and made["metadata"] == {"customer_code": "C000123456"}
    types = [entry["type"] for entry in shop.get("/v1/events?after=0").json["data"]]
    assert types[:2] == ["request.created", "fee.assessed"]


def test_the_same_order_again_is_101_and_makes_nothing(shop: Api, software: Software) -> None:
    first = software.send(order())
    again = software.send(order(ReceiverName="Người khác"))
    assert (
        again["Status"] == "101" and again["RequestId"] == first["RequestId"] and first["ItemCode"] in again["Message"]
    )
    assert len(requests_of(shop)) == 1


def test_the_same_order_sent_by_many_at_once_is_placed_once(shop: Api, software: Software) -> None:
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda _: software.send(order()), range(12)))
    assert sorted(one["Status"] for one in told) == ["100"] + ["101"] * 11
    assert len({one["RequestId"] for one in told}) == 1 == len(requests_of(shop))


def test_a_dossier_has_an_order_for_each_leg(shop: Api, software: Software) -> None:
    home = {"SenderName": "Nguyễn Thị A", "SenderTel": "0905123456", "SenderAddress": "12 Trần Phú, P. Vĩnh Hải"}
    pickup, back = software.send(order(FlagConfig="1", **home)), software.send(order(FlagConfig=2))
    assert (pickup["Status"], back["Status"]) == ("100", "100") and pickup["RequestId"] != back["RequestId"]
    made = read(shop, pickup)
    assert made["kind"] == "pickup" and made["citizen"]["name"] == "Nguyễn Thị A"
    assert software.send(order(FlagConfig=3))["Errors"][0]["pointer"] == "/FlagConfig"


def test_after_a_recall_the_same_order_is_the_next_attempt(shop: Api, software: Software) -> None:
    first = software.send(order())
    recalled = software.send({"ItemCode": first["ItemCode"]}, RECALL_ITEM)
    assert (recalled["Status"], recalled["RequestStatus"]) == ("100", "CANCELLED")
    assert software.send({"ItemCode": first["ItemCode"]}, RECALL_ITEM)["Status"] == "101"
    second = software.send(order())
    assert (second["Status"], second["Attempt"]) == ("100", 2) and second["ItemCode"] != first["ItemCode"]
    assert software.send(order())["Status"] == "101"
    whole = software.send({"OrderNumber": order()["OrderNumber"]}, RECALL_ALL)
    assert whole["Status"] == "100" and [one["RequestId"] for one in whole["Data"]] == [second["RequestId"]]
    assert software.send({"OrderNumber": order()["OrderNumber"]}, RECALL_ALL)["Status"] == "101"
    assert software.send(order())["Attempt"] == 3


def test_what_was_collected_is_not_recalled_and_not_ordered_anew(shop: Api, software: Software) -> None:
    told = software.send(order())
    play(shop, told["RequestId"], ("assigned", "2026-11-23 10:30"), ("collected", "2026-11-23 11:00"))
    for body, path in (
        ({"ItemCode": told["ItemCode"]}, RECALL_ITEM),
        ({"OrderNumber": told["OrderNumber"]}, RECALL_ALL),
    ):
        refused = software.send(body, path, at="2026-11-23T11:30:00+07:00")
        assert (refused["Status"], refused["Code"]) == ("409", "already_collected")
    play(shop, told["RequestId"], ("delivered", "2026-11-23 15:00"))
    assert software.send(order(), at="2026-11-24T08:00:00+07:00")["Status"] == "101"


def test_a_recall_takes_back_the_leg_it_names_or_every_leg_that_can_be(shop: Api, software: Software) -> None:
    pickup, back = software.send(order(FlagConfig=1)), software.send(order())
    play(shop, pickup["RequestId"], ("assigned", "2026-11-23 10:30"), ("collected", "2026-11-23 11:00"))
    at = "2026-11-23T11:30:00+07:00"
    named = software.send({"OrderNumber": back["OrderNumber"], "FlagConfig": 1}, RECALL_ALL, at=at)
    assert named["Status"] == "409"
    whole = software.send({"OrderNumber": back["OrderNumber"]}, RECALL_ALL, at=at)
    assert whole["Status"] == "100" and [one["RequestId"] for one in whole["Data"]] == [back["RequestId"]]


def test_an_item_code_the_shop_brings_is_taken_once(shop: Api, software: Software) -> None:
    code = codes.build("RA", next(_serials))
    told = software.send(order(ItemCode=f" {code[:2].lower()} {code[2:]} "))
    assert told["Status"] == "100" and told["ItemCode"] == code == read(shop, told)["item_id"]
    taken = software.send(order(16, ItemCode=code))
    assert (taken["Status"], taken["Code"]) == ("409", "item_code_used")
    wrong = software.send(order(17, ItemCode=code[:-3] + str((int(code[-3]) + 1) % 10) + "VN"))
    assert (wrong["Status"], wrong["Code"], wrong["Errors"][0]["pointer"]) == ("422", "invalid_item_id", "/ItemCode")
    assert software.send(order(ItemCode=codes.build("RA", next(_serials))))["ItemCode"] == code  # known: 101
    with ThreadPoolExecutor(4) as pool:
        shared = codes.build("RA", next(_serials))
        raced = list(pool.map(lambda n: software.send(order(n, ItemCode=shared))["Status"], range(20, 24)))
    assert sorted(raced) == ["100", "409", "409", "409"]


@pytest.mark.parametrize(
    ("province", "district", "warnings"),
    [
        (56, 568, []),
        ("56", "568", []),
        ("056", "0568", []),
        (0, 0, []),
        (None, None, []),
        ("", 568, []),
        (56, 0, []),
        (56, 999, ["unknown_district"]),
        (99, 568, ["unknown_province"]),
        (56, 569, ["district_contradicted"]),
    ],
)
def test_old_codes_of_any_form_help_to_find_the_commune(
    shop: Api, software: Software, province: Any, district: Any, warnings: list[str]
) -> None:
    told = software.send(
        order(
            ReceiverAddress="12 Trần Phú, P. Vĩnh Hải, TP Nha Trang",
            ReceiverProvince=province,
            ReceiverDistrict=district,
        )
    )
    assert told["Status"] == "100" and warned(told) == warnings
    assert read(shop, told)["address"]["commune_code"] == "22330"


def test_a_code_with_a_lost_zero_is_still_the_old_districts(shop: Api, software: Software) -> None:
    told = software.send(order(ReceiverAddress="Tổ 4, P. Trần Phú", ReceiverProvince=2, ReceiverDistrict=24))
    address = read(shop, told)["address"]
    assert (address["commune_code"], address["era"], address["name"]) == ("00691", "2020", "Phường Trần Phú")


def test_an_address_of_today_is_read_without_a_district(shop: Api, software: Software) -> None:
    told = software.send(order(ReceiverAddress="Phường Bắc Nha Trang", ReceiverDistrict=0))
    assert read(shop, told)["address"]["era"] == "2025" and warned(told) == []
    unsure = software.send(order(16, ReceiverAddress="12 Trần Phú"))
    assert (unsure["Status"], warned(unsure)) == ("100", ["address_needs_review"])


def test_groups_and_other_letters_say_the_same(shop: Api, software: Software) -> None:
    first = software.send(grouped(order()))
    lower = {name[0].lower() + name[1:]: value for name, value in order().items()}
    assert first["Status"] == "100" and software.send(lower)["Status"] == "101"
    assert read(shop, first)["address"]["commune_code"] == "22330"


def test_a_state_fee_stands_under_the_rules_of_mandates(ask: Ask) -> None:
    hg, kh = Software(ask.shop("hg")), Software(ask.shop("kh"))
    at = "2020-04-09T09:00:00+07:00"  # the day after 1033/UBND-PVHCC
    fee = {"CODAmount": "50000", "OrderNumber": "H32.1-200320-0015"}
    told = kh.send(order(**fee), at=at)
    assert told["Status"] == "100" and told["CollectFromCitizen"] == told["Postage"] + 50_000 + 8_000
    refused = hg.send(order(**fee), at=at)
    assert (refused["Status"], refused["Code"]) == ("422", "mandate_required")
    assert hg.send(order(**fee, MandateId="UQ-12/2020"), at=at)["Status"] == "100"
    assert kh.send(order(16, CODAmount=-1), at=at)["Errors"][0]["pointer"] == "/CODAmount"


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"OrderNumber": ""}, "/OrderNumber", "invalid_dossier_code"),
        ({"OrderNumber": "H32"}, "/OrderNumber", "invalid_dossier_code"),
        ({"OrderNumber": 2**53}, "/OrderNumber", "invalid_dossier_code"),
        ({"ReceiverTel": None}, "/ReceiverTel", "validation_failed"),
        ({"ReceiverTel": 905123456}, "/ReceiverTel", "leading_zero_lost"),
        ({"ReceiverName": " "}, "/ReceiverName", "validation_failed"),
        ({"ReceiverName": ["a"]}, "/ReceiverName", "validation_failed"),
        ({"ReceiverAddress": None}, "/ReceiverAddress", "validation_failed"),
        ({"ReceiverAddress": "x" * 301}, "/ReceiverAddress", "validation_failed"),
        ({"ReceiverAddress": "a\nb"}, "/ReceiverAddress", "validation_failed"),
        ({"CODAmount": 1.5}, "/CODAmount", "validation_failed"),
        ({"Weight": 40_000}, "/Weight", "validation_failed"),
        ({"Description": "x" * 2001}, "/Description", "validation_failed"),
        ({"FlagConfig": True}, "/FlagConfig", "validation_failed"),
    ],
)
def test_what_is_wrong_with_an_order_is_told_at_its_own_field(
    shop: Api, software: Software, changes: dict[str, Any], pointer: str, code: str
) -> None:
    told = software.send(order(**changes))
    assert (told["Status"], told["Code"], told["Errors"][0]["pointer"]) == ("422", code, pointer)
    assert pointer.strip("/") in told["Message"] and requests_of(shop) == []


def test_a_batch_is_answered_order_by_order(shop: Api, software: Software) -> None:
    orders = [order(1), order(2, ReceiverTel=""), order(1), "x", order(4, ReceiverName="\u0000")]
    told = software.send(orders, f"{ORDERS}/batch")
    assert told["Status"] == "102" and [one["Status"] for one in told["Data"]] == ["100", "422", "101", "422", "422"]
    assert len(requests_of(shop)) == 1
    assert software.send({"Orders": [order(1), order(3)]}, f"{ORDERS}/batch")["Status"] == "100"
    for wrong in ([], {}, {"Orders": 7}, [order(n) for n in range(101)]):
        refused = software.answer(f"{ORDERS}/batch", wrong)
        assert refused.status_code == 422 and refused.json["Status"] == "422" and "100" in refused.json["Message"]
    assert len(requests_of(shop)) == 2


def test_another_shops_orders_and_items_are_unknown(operator: Api, shop: Api, software: Software) -> None:
    told = software.send(order())
    other = Software(operator.as_key(make_shop(operator, "kh-khac")))
    for body, path in (
        ({"ItemCode": told["ItemCode"]}, RECALL_ITEM),
        ({"OrderNumber": told["OrderNumber"]}, RECALL_ALL),
    ):
        answer = other.send(body, path)
        assert (answer["Status"], answer["Code"]) == ("404", "not_found")
        never = other.send({"ItemCode": codes.build("RA", 1), "OrderNumber": "H32.1-200320-0001"}, path)
        told_of = answer["Message"].replace(told["OrderNumber"], "H32.1-200320-0001")
        assert (never["Status"], never["Code"], never["Message"]) == ("404", "not_found", told_of)
    assert other.send(order())["Attempt"] == 1 and read(shop, told)["status"] == "REQUESTED"
    board = Software(operator)
    assert board.send(order(16, CustomerCode="kh-khac"))["Status"] == "100"
    assert board.send(order(16, CustomerCode="không có"))["Code"] == "unknown_shop"


def test_the_token_opens_these_paths_only_and_is_never_written_down(
    shop: Api, software: Software, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sent = {"access_token": shop.key or ""}
    assert shop.client.get("/v1/requests", headers=sent).json["code"] == "missing_key"
    assert shop.client.get("/v1/adapters/nothing", headers=sent).status_code == 404
    software.send(order())
    nobody = software.answer(ORDERS, order(), access_token="test_wrong")
    assert (nobody.status_code, nobody.json["Status"]) == (401, "401") and nobody.json["Message"]
    assert software.answer(ORDERS, order(), access_token="").status_code == 401
    assert shop.post(ORDERS, order(16), at=NOON).json["Status"] == "100", "a Bearer key serves too"
    assert (shop.key or "") not in caplog.text and "test_wrong" not in caplog.text


def test_what_is_no_order_at_all_is_a_problem_that_such_systems_can_read(software: Software) -> None:
    sent = {"access_token": software.api.key or ""}
    for raw, status in ((b"{", 400), (b"[]", 422), (b"[" + b" " * 1_000_001 + b"]", 413)):
        answer = software.api.client.post(ORDERS, data=raw, content_type="application/json", headers=sent)
        assert_agrees(answer)
        assert answer.status_code == status and answer.json["Status"] == str(status) and answer.json["Message"]
    plain = software.api.client.post(ORDERS, data=io.BytesIO(b"a"), content_type="text/plain", headers=sent)
    assert plain.status_code == 415 and plain.json["Status"] == "415"


def test_messages_are_english_for_who_asks(software: Software, system: System) -> None:
    told = software.answer(ORDERS, order(ReceiverTel=""), **{"Accept-Language": "en"}).json
    assert told["Message"].startswith("ReceiverTel: String should match") and system
