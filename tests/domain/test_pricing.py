"""What a request costs, who bears it, and what becomes of a quote that is voided."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.domain.consignment import QuoteBody
from dispatch.domain.explain import explain
from dispatch.domain.places import Zone
from dispatch.domain.pricing import LegPrice, PriceLine, Quote, Terms, quote, void, warnings
from dispatch.domain.rules import PolicyBook
from dispatch.domain.sla import start
from dispatch.domain.tariff import ZONES
from dispatch.policies import load
from tests.domain.bodies import at, body

BOOK = load()
NOBODY = {"citizen": 0, "post": 0, "province": 0, "undecided": 0}


def priced(
    asked: QuoteBody,
    shop: str | None = "56",
    citizen: str | None = None,
    zone: Zone = "INTRA_DISTRICT",
    when: str = "2020-04-06 09:00",
    book: PolicyBook = BOOK,
) -> Quote:
    return quote(book, asked, Terms(shop, citizen or shop, zone, at(when)), at=at(when), known_at=at(when))


def test_c05_a_return_between_districts_costs_30000_and_the_citizen_pays() -> None:
    told = priced(body(), zone="INTER_DISTRICT").to_json()
    assert (told["status"], told["payable_by_citizen"], told["currency"]) == ("FIRM", 30_000, "VND")
    assert told["borne_by"] == NOBODY | {"citizen": 30_000}


def test_c08_two_way_with_a_state_fee_in_khanh_hoa_asks_for_118000() -> None:
    told = priced(body("two_way", state_fee={"amount": 50_000}), zone="INTER_DISTRICT").to_json()
    assert [(line["code"], line["leg"], line["amount"]) for line in told["lines"]] == [
        ("postage.pickup", "pickup", 30_000),
        ("remittance", "pickup", 8_000),
        ("state_fee", "pickup", 50_000),
        ("postage.return", "return", 30_000),
    ]
    assert (told["postage_total"], told["remittance_total"], told["state_fee_total"]) == (60_000, 8_000, 50_000)
    assert (told["payable_by_citizen"], told["discount_total"]) == (118_000, 0)
    assert told["borne_by"] == NOBODY | {"citizen": 68_000}


def test_a_quote_is_exactly_the_object_the_contract_shows() -> None:
    told = priced(body()).to_json()
    assert told == {
        "status": "FIRM",
        "lines": [
            {
                "code": "postage.return",
                "leg": "return",
                "amount": 26_000,
                "zone": "INTRA_DISTRICT",
                "weight_band": "≤100 g",
                "payer": "citizen",
                "reason": None,
                "basis": {
                    "rule_id": "KH-TARIFF@1",
                    "doc_no": "Thông báo giá cước Bưu điện tỉnh Khánh Hòa",
                    "clause": "bảng cước",
                },
            }
        ],
        "postage_total": 26_000,
        "discount_total": 0,
        "state_fee_total": 0,
        "remittance_total": 0,
        "payable_by_citizen": 26_000,
        "borne_by": NOBODY | {"citizen": 26_000},
        "adjustments": [],
        "reasons": ["NOT_PRIOR_FILING"],
        "currency": "VND",
        "charges": {
            "return": {
                "at": "2020-04-06T09:00:00+07:00",
                "known_at": "2020-04-06T09:00:00+07:00",
                "fixed": False,
                "policy_version": BOOK.version,
                "province_code": "56",
                "reasons": ["NOT_PRIOR_FILING"],
            }
        },
    }


def test_outside_khanh_hoa_a_state_fee_is_remitted_without_a_price_and_cited_to_decision_45() -> None:
    told = priced(body(state_fee={"amount": 80_000}), shop="01").to_json()
    assert [line["code"] for line in told["lines"]] == ["postage.return", "state_fee"]
    assert told["lines"][1]["basis"]["doc_no"] == "45/2016/QĐ-TTg"
    assert (told["remittance_total"], told["payable_by_citizen"]) == (0, 106_000)


def test_the_accepting_offices_province_decides_the_price_of_each_leg() -> None:
    told = priced(body("two_way", state_fee={"amount": 1_000}), shop="56", citizen="64", zone="SAME_REGION").to_json()
    bases = [line["basis"]["rule_id"] for line in told["lines"]]
    assert bases == ["DEFAULT-TARIFF@1", "DEFAULT-STATE-FEE@1", "KH-TARIFF@1"]
    assert told["remittance_total"] == 0, "the pickup office of Gia Lai has no remittance row"


def test_a_shop_in_an_unknown_province_is_still_priced() -> None:
    told = priced(body("two_way"), shop=None, zone="INTER_REGION").to_json()
    assert (told["payable_by_citizen"], told["reasons"]) == (62_000, ["NO_RULE"])


@pytest.mark.parametrize(
    ("fee", "dossier", "accepted"),
    [
        ({"amount": 80_000}, {"online_level": 4}, False),
        ({"amount": 80_000, "online_payment_unable": True}, {"online_level": 3}, False),
        ({"amount": 80_000, "online_payment_unable": True}, {}, False),
        ({"amount": 80_000, "online_payment_unable": True}, {"online_level": 4}, True),
        ({"amount": 80_000, "mandate_id": "UQ-12/2020"}, {"online_level": 2}, True),
    ],
)
def test_a_province_that_demands_a_mandate_gets_no_fee_line_without_one(
    fee: dict[str, Any], dossier: dict[str, Any], accepted: bool
) -> None:
    told = priced(body(dossier=dossier, state_fee=fee), shop="64").to_json()
    assert ("STATE_FEE_NEEDS_MANDATE" in told["reasons"]) is not accepted
    assert told["state_fee_total"] == (80_000 if accepted else 0)
    assert told["payable_by_citizen"] == 26_000 + told["state_fee_total"]
    elsewhere = priced(body(dossier=dossier, state_fee=fee), shop="56")
    assert "STATE_FEE_NEEDS_MANDATE" not in elsewhere.reasons


def test_no_rule_is_said_only_while_the_province_has_no_price_rule_on_record() -> None:
    assert priced(body()).reasons == ("NOT_PRIOR_FILING",)
    assert priced(body(), when="2020-03-31 23:59").reasons == ("NO_RULE",), "recorded on 1 April"
    assert priced(body(), shop="02").reasons == ("NO_RULE",), "nobody else's rule leaks in"


def test_a_price_recorded_later_is_not_used_earlier_and_a_superseded_one_no_longer() -> None:
    old = BOOK.known("TARIFF", "56", at("2020-04-07 00:00"))[0]
    new = old.model_copy(
        update={"id": "KH-TARIFF@2", "supersedes": "KH-TARIFF@1", "recorded_at": at("2020-05-01 00:00")}
    )
    book = replace(BOOK, rules=(*BOOK.rules, new))
    assert priced(body(), book=book, when="2020-04-30 09:00").lines[0].basis["rule_id"] == "KH-TARIFF@1"
    assert priced(body(), book=book, when="2020-05-01 00:00").lines[0].basis["rule_id"] == "KH-TARIFF@2"
    assert [rule.id for rule in book.known("TARIFF", "56", at("2020-05-02 00:00"))] == ["KH-TARIFF@2"]


def whole(*lines: PriceLine) -> dict[str, Any]:
    moment = at("2020-04-06 09:00")
    return Quote((LegPrice("return", lines, (), moment, moment, "v"),)).to_json()


def line(code: Any, amount: int, payer: Any) -> PriceLine:
    return PriceLine(code, "return", amount, payer, {"rule_id": "T@1", "doc_no": None, "clause": "1"})


@pytest.mark.parametrize(
    ("lines", "status", "payable", "discount", "borne"),
    [
        ([line("discount", -7_800, "post")], "FIRM", 18_200, -7_800, {"citizen": 18_200, "post": 7_800}),
        ([line("deferral", -26_000, "province")], "DEFERRED", 0, 0, {"province": 26_000}),
        ([line("held", -26_000, "undecided")], "PENDING_REVIEW", 0, 0, {"undecided": 26_000}),
        (
            [line("discount", -13_000, "post"), line("discount", -13_000, "province")],
            "FIRM",
            0,
            -26_000,
            {"post": 13_000, "province": 13_000},
        ),
        ([line("state_fee", 50_000, "citizen")], "FIRM", 76_000, 0, {"citizen": 26_000}),
    ],
)
def test_reductions_fall_on_their_payer_and_a_deferral_is_no_discount(
    lines: list[PriceLine], status: str, payable: int, discount: int, borne: dict[str, int]
) -> None:
    told = whole(line("postage.return", 26_000, "citizen"), *lines)
    assert (told["status"], told["payable_by_citizen"], told["discount_total"]) == (status, payable, discount)
    assert told["postage_total"] == 26_000
    assert told["borne_by"] == NOBODY | borne


@settings(derandomize=True, deadline=None, max_examples=2000)
@given(
    st.sampled_from(["56", "48", "64", None]),
    st.sampled_from(["56", "48", "64", None]),
    st.sampled_from(ZONES),
    st.integers(1, 30_000),
    st.none() | st.integers(1, 10**9),
)
def test_shares_always_sum_to_the_full_fee_and_two_way_is_the_sum_of_both_legs(
    shop: str | None, citizen: str | None, zone: Zone, weight_g: int, fee: int | None
) -> None:
    def total(kind: str, state_fee: int | None) -> dict[str, Any]:
        asked = ASKED[kind].model_copy(
            update={
                "weight_g": weight_g,
                "state_fee": None if state_fee is None else FEE.model_copy(update={"amount": state_fee}),
            }
        )
        when = at("2020-04-06 09:00")
        return quote(BOOK, asked, Terms(shop, citizen, zone, when), at=when, known_at=when).to_json()

    both = total("two_way", fee)
    assert sum(both["borne_by"].values()) == both["postage_total"] + both["remittance_total"]
    assert both["payable_by_citizen"] == sum(line["amount"] for line in both["lines"])
    apart = total("pickup", fee)["payable_by_citizen"] + total("return", None)["payable_by_citizen"]
    assert both["payable_by_citizen"] == apart
    ended = both
    for leg in ("pickup", "return"):
        ended = void(ended, "CANCELLED", at("2020-04-06 10:00"), 0, leg)
    assert (ended["payable_by_citizen"], sum(ended["borne_by"].values())) == (0, 0)


ASKED = {kind: body(kind) for kind in ("pickup", "return", "two_way")}
_WITH_FEE = body(state_fee={"amount": 1}).state_fee
assert _WITH_FEE is not None
FEE = _WITH_FEE


def test_a_cancelled_request_owes_nothing_and_keeps_its_lines() -> None:
    told = priced(body()).to_json()
    ended = void(told, "CANCELLED", at("2020-04-06 10:00"), 0, "return")
    assert (ended["status"], ended["payable_by_citizen"], ended["borne_by"]) == ("VOID", 0, NOBODY)
    assert (ended["lines"], ended["postage_total"]) == (told["lines"], 26_000)
    (adjustment,) = ended["adjustments"]
    assert (adjustment["task"], adjustment["amount"], adjustment["reason"]) == ("NONE", -26_000, "CANCELLED")
    assert adjustment["recorded_at"] == "2020-04-06T10:00:00+07:00"
    assert told["adjustments"] == [], "the stored quote itself is never edited"


def test_what_was_paid_for_a_returned_result_goes_back() -> None:
    ended = void(priced(body()).to_json(), "E_RETURNED", at("2020-04-09 10:00"), 26_000, "return")
    assert [(a["task"], a["amount"], a["reason"]) for a in ended["adjustments"]] == [("REFUND", -26_000, "E_RETURNED")]


def test_ending_the_return_leg_of_a_two_way_leaves_the_carried_leg_charged() -> None:
    told = priced(body("two_way", state_fee={"amount": 50_000})).to_json()
    part = void(told, "E_RETURNED", at("2020-04-09 10:00"), 26_000, "return")
    assert (part["status"], part["payable_by_citizen"]) == ("FIRM", 26_000 + 8_000 + 50_000)
    assert part["borne_by"] == NOBODY | {"citizen": 34_000}
    assert [(a["task"], a["amount"]) for a in part["adjustments"]] == [("REFUND", -26_000)]


def test_a_two_way_is_void_once_both_its_legs_have_ended() -> None:
    told = priced(body("two_way", state_fee={"amount": 50_000})).to_json()
    first = void(told, "CANCELLED", at("2020-04-06 10:00"), 0, "pickup")
    assert (first["status"], first["payable_by_citizen"]) == ("FIRM", 26_000)
    second = void(first, "CANCELLED", at("2020-04-06 10:00"), 0, "return")
    assert (second["status"], second["payable_by_citizen"], second["borne_by"]) == ("VOID", 0, NOBODY)
    assert [a["amount"] for a in second["adjustments"]] == [-84_000, -26_000]


@pytest.mark.parametrize(("shop", "warned"), [("48", False), ("56", True), ("64", True), (None, True)])
def test_a_tariff_not_printed_for_the_province_says_it_is_provisional(shop: str | None, warned: bool) -> None:
    for when in ("2020-04-06 09:00", "2026-04-06 09:00"):
        found = warnings(BOOK, priced(body(), shop=shop, when=when), [], at=at(when))
        assert ("provisional_tariff" in found) is warned


@pytest.mark.parametrize(
    ("shop", "when", "warned"),
    [
        ("56", "2021-04-01 09:00", False),
        ("56", "2021-04-02 09:00", True),
        ("56", "2026-04-06 09:00", True),
        ("64", "2026-04-06 09:00", False),
    ],
)
def test_a_2020_rule_does_not_fire_silently_in_2026(shop: str, when: str, warned: bool) -> None:
    made = start(
        BOOK,
        body(),
        "return",
        province_code=shop,
        zone="INTRA_DISTRICT",
        clock_started_at=at(when),
        known_at=at(when),
        shop_calendar=BOOK.calendars["OSS-DEFAULT"],
    )
    applied = [(rule, at(when).date()) for rule in BOOK.rules if rule.id == made.rule_id]
    found = warnings(BOOK, priced(body(), shop=shop, when=when), applied, at=at(when))
    assert ("rule_open_over_12_months" in found) is warned


def test_every_amount_is_explained_with_its_source_in_both_languages() -> None:
    told = priced(body("two_way", state_fee={"amount": 50_000}), zone="INTER_DISTRICT").to_json()
    vietnamese, english = explain(told, "vi"), explain(told, "en")
    assert vietnamese[0] == (
        "Cước nhận gửi hồ sơ (liên huyện, ≤100 g): 30.000 đ — "
        "Thông báo giá cước Bưu điện tỉnh Khánh Hòa, mục bảng cước [KH-TARIFF@1]"
    )
    assert english[2] == (
        "State fee, collected on behalf: 50.000 đ — 45/2016/QĐ-TTg (19/10/2016), section 6.6, 11 [DEFAULT-STATE-FEE@1]"
    )
    assert (vietnamese[-1], english[-1]) == ("Người dân phải trả: 118.000 đ", "To be paid by the citizen: 118.000 đ")
    discounted = whole(line("postage.return", 26_000, "citizen"), line("discount", -7_800, "post"))
    assert explain(discounted, "vi")[1] == "Giảm cước: −7.800 đ — mục 1 [T@1]"
