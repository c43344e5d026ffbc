"""What becomes of a charge after its quote: fixed once, corrected by additions only, never edited."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.domain import charging
from dispatch.domain.errors import Conflict
from dispatch.domain.pricing import Terms, quote, void
from dispatch.domain.reductions import half_up, shares
from dispatch.domain.tariff import ZONES
from dispatch.policies import load
from dispatch.store.rows import Request
from tests.domain.bodies import at, body

BOOK = load()
ONLINE = {"online_level": 4, "submitted_via": "ONLINE"}
EARLIER = {"submitted_at": "2020-03-20T09:00:00+07:00"}


def stored(
    shop: str | None = "64",
    when: str = "2020-04-15 09:00",
    zone: Any = "INTRA_DISTRICT",
    kind: str = "return",
    **parts: Any,
) -> Request:
    """A request as it would be kept, quoted at `when` by the rules known then."""
    moment = at(when)
    asked = body(kind, **parts)
    quoted = quote(BOOK, asked, Terms(shop, shop, zone, asked.registered_at or moment), at=moment, known_at=moment)
    kept = json.loads(asked.model_dump_json(by_alias=True)) | {"external_ref": "T-1"}
    return Request(
        id="req_1",
        mode="test",
        shop_id="s",
        external_ref="T-1",
        kind=kind,
        active_leg=asked.legs[0],
        status="REQUESTED",
        body=kept,
        address={},
        zone=zone,
        office_id=None,
        quote=quoted.to_json(),
        return_mode="BCCI",
        authority_due_on=None,
        warnings=[],
        tracking_token="t",
        shop_province=shop,
        citizen_province=shop,
        between_major_cities=False,
        version=1,
        last_at=moment,
        created_at=moment.astimezone(UTC),
        updated_at=moment,
    )


def with_quote(request: Request, quoted: dict[str, Any]) -> Request:
    values = {name: getattr(request, name) for name in Request.__dataclass_fields__}
    return Request(**values | {"quote": quoted})


def test_c12_a_return_quoted_on_the_last_day_and_collected_the_day_after_costs_the_full_price() -> None:
    kept = stored(when="2020-05-30 16:00", dossier=ONLINE)
    assert kept.quote["payable_by_citizen"] == 18_200
    fixed = charging.fix(BOOK, kept, "return", at("2020-05-31 00:00"))
    assert (fixed["payable_by_citizen"], fixed["reasons"]) == (26_000, ["OUT_OF_WINDOW"])
    assert fixed["charges"]["return"]["fixed"] is True
    on_time = charging.fix(BOOK, kept, "return", at("2020-05-30 23:59"))
    assert on_time["payable_by_citizen"] == 18_200


def test_each_leg_of_a_two_way_is_fixed_at_its_own_instant() -> None:
    kept = stored(
        when="2020-05-29 09:00", kind="two_way", dossier=ONLINE, state_fee={"amount": 10_000, "mandate_id": "UQ"}
    )
    collected = charging.fix(BOOK, kept, "pickup", at("2020-05-29 12:00"))
    late = charging.fix(BOOK, with_quote(kept, collected), "return", at("2020-06-03 09:00"))
    assert [late["charges"][leg]["at"][:10] for leg in ("pickup", "return")] == ["2020-05-29", "2020-06-03"]
    assert (late["discount_total"], late["payable_by_citizen"]) == (0, 62_000)
    assert late["reasons"] == ["LEG_NOT_COVERED", "OUT_OF_WINDOW"]


def test_gl02_what_was_charged_in_full_before_the_rule_was_known_is_refunded_once() -> None:
    kept = stored(when="2020-03-25 09:00", dossier=ONLINE)
    fixed = charging.fix(BOOK, kept, "return", at("2020-03-25 10:00"))
    assert (fixed["payable_by_citizen"], fixed["reasons"]) == (26_000, ["NO_RULE"])
    held = with_quote(kept, fixed)
    assert charging.reprice(BOOK, held, "return", at("2020-03-25 10:00"), at("2020-03-26 23:59")) is None
    asked = charging.reprice(BOOK, held, "return", at("2020-03-25 10:00"), at("2020-03-27 00:00"))
    assert asked is not None
    assert (asked["amount"], asked["task"], asked["reason"]) == (-7_800, "REFUND", "DISCOUNT_APPLIED")
    assert asked["basis"]["rule_id"] == "GL-01@1"
    after = charging.adjusted(fixed, asked)
    assert after["lines"] == fixed["lines"], "the past is never edited"
    assert (after["payable_by_citizen"], after["borne_by"]["citizen"], after["borne_by"]["post"]) == (
        26_000,
        18_200,
        7_800,
    )
    assert charging.owed(after, "return") == {"postage": 18_200, "state_fee": 0}
    assert (
        charging.reprice(BOOK, with_quote(kept, after), "return", at("2020-03-25 10:00"), at("2026-01-01 00:00"))
        is None
    )


def test_before_its_window_a_later_known_rule_refunds_nothing() -> None:
    kept = stored(when="2020-03-22 09:00", dossier=ONLINE)
    held = with_quote(kept, charging.fix(BOOK, kept, "return", at("2020-03-22 23:59")))
    assert charging.reprice(BOOK, held, "return", at("2020-03-22 23:59"), at("2020-04-01 00:00")) is None


@pytest.mark.parametrize(
    ("decision", "status", "payable", "borne", "discount"),
    [
        ("DEFER", "DEFERRED", 0, "province", 0),
        ("CHARGE", "FIRM", 26_000, "citizen", 0),
        ("WAIVE", "FIRM", 0, "post", -26_000),
    ],
)
def test_a_review_is_decided_by_added_lines_and_survives_the_fixing_of_the_charge(
    decision: Any, status: str, payable: int, borne: str, discount: int
) -> None:
    kept = stored("56", "2020-04-06 09:00", dossier={"submitted_at": "2020-04-01T09:00:00+07:00"})
    assert (kept.quote["status"], kept.quote["borne_by"]["undecided"]) == ("PENDING_REVIEW", 26_000)
    told = {"reason": "hồ sơ thuộc diện", "evidence": "biên nhận 12", "by": "user:lan", "at": at("2020-04-07 09:00")}
    decided = charging.decide(kept.quote, decision, **told)
    assert decided["lines"][: len(kept.quote["lines"])] == kept.quote["lines"]
    for quoted in (decided, charging.fix(BOOK, with_quote(kept, decided), "return", at("2020-04-08 09:00"))):
        assert (quoted["status"], quoted["payable_by_citizen"], quoted["discount_total"]) == (status, payable, discount)
        assert {payer: amount for payer, amount in quoted["borne_by"].items() if amount} == {borne: 26_000}
        assert quoted["review"]["decision"] == decision
    with pytest.raises(Conflict, match="review") as refused:
        charging.decide(decided, "CHARGE", **told)
    assert refused.value.code == "not_pending_review"


def test_kh06_only_deferred_postage_is_settled_and_the_citizen_is_never_billed() -> None:
    kept = stored("56", "2020-04-03 09:00", dossier=EARLIER)
    assert (kept.quote["status"], charging.owed(kept.quote, "return")["postage"]) == ("DEFERRED", 0)
    refused = charging.settle(kept.quote, "RECLAIMABLE", "12/UBND", by="op", at=at("2020-05-04 09:00"))
    assert (refused["payable_by_citizen"], refused["settlement"]["outcome"]) == (0, "RECLAIMABLE")
    paid = charging.settle(refused, "SETTLED_BY_PROVINCE", "99/QĐ-UBND", by="op", at=at("2020-06-04 09:00"))
    assert paid["settlement"]["decision_no"] == "99/QĐ-UBND"
    for quoted, code in ((paid, "already_settled"), (stored("64").quote, "not_deferred")):
        with pytest.raises(Conflict) as stopped:
            charging.settle(quoted, "SETTLED_BY_PROVINCE", "1", by="op", at=at("2020-07-01 09:00"))
        assert stopped.value.code == code


def test_a_redirected_item_pays_its_new_carriage_and_keeps_what_it_was_charged() -> None:
    kept = stored(when="2020-05-30 09:00", dossier=ONLINE)
    fixed = charging.fix(BOOK, kept, "return", at("2020-05-30 10:00"))
    moved = charging.redirected(BOOK, with_quote(kept, fixed), "return", "INTER_REGION", at("2020-05-30 11:00"))
    assert moved["lines"][:-1] == fixed["lines"]
    assert (moved["lines"][-1]["code"], moved["lines"][-1]["amount"], moved["lines"][-1]["payer"]) == (
        *("redirect", 31_000),
        "citizen",
    )
    assert moved["payable_by_citizen"] == 18_200 + 31_000
    assert sum(moved["borne_by"].values()) == moved["postage_total"] + moved["remittance_total"] == 57_000
    again = charging.fix(BOOK, with_quote(kept, moved), "return", at("2020-05-30 09:30"))
    assert again["payable_by_citizen"] == 18_200 + 31_000, "an earlier scan that comes late does not lose the line"


def test_a_cancelled_leg_that_is_reopened_owes_again() -> None:
    kept = stored(kind="two_way", dossier=ONLINE)
    ended = void(kept.quote, "CANCELLED", at("2020-04-15 10:00"), 0, "return")
    assert (ended["payable_by_citizen"], charging.owed(ended, "return")["postage"]) == (26_000, 0)
    alive = charging.reopened(ended, "return", at("2020-04-15 11:00"))
    assert (alive["payable_by_citizen"], alive["borne_by"]) == (
        kept.quote["payable_by_citizen"],
        kept.quote["borne_by"],
    )
    assert charging.reopened(alive, "return", at("2020-04-15 12:00")) == alive


def test_the_list_price_is_the_base_of_compensation_whatever_was_paid() -> None:
    kept = stored(when="2020-05-30 16:00", dossier=ONLINE)
    assert (charging.list_price(kept.quote, "return"), kept.quote["payable_by_citizen"]) == (26_000, 18_200)


@settings(derandomize=True, deadline=None, max_examples=2000)
@given(st.integers(0, 10**9), st.lists(st.integers(0, 100), min_size=2, max_size=2))
def test_funding_shares_sum_to_the_reduction_to_the_dong(amount: int, cuts: list[int]) -> None:
    first, second = min(cuts), max(cuts)
    funding = {"post": first, "province": second - first, "citizen": 100 - second}
    parts = list(shares(amount, funding))  # type: ignore[arg-type]
    assert sum(part for _, part in parts) == amount
    assert all(part > 0 for _, part in parts)
    assert all(abs(part - amount * funding[payer] / 100) <= 1.5 for payer, part in parts)


@settings(derandomize=True, deadline=None, max_examples=2000)
@given(st.integers(0, 10**9), st.integers(1, 100))
def test_percentages_round_half_up_to_whole_dong(amount: int, percent: int) -> None:
    exact = amount * percent
    assert 100 * half_up(amount, percent) - exact in range(-49, 51)


DAYS = st.dates(date(2020, 3, 15), date(2020, 6, 10))
DOSSIERS = st.fixed_dictionaries(
    {
        "online_level": st.none() | st.integers(0, 4),
        "submitted_via": st.none() | st.sampled_from(["ONLINE", "COUNTER", "BCCI"]),
        "field": st.none() | st.sampled_from(["SECURED_TRANSACTION", "LAND"]),
        "bcci_registered_before": st.booleans(),
        "submitted_at": st.none() | DAYS.map(lambda day: f"{day}T09:00:00+07:00"),
    }
)


def noon(day: date) -> datetime:
    return at(f"{day} 12:00")


@settings(derandomize=True, deadline=None, max_examples=2000)
@given(
    st.sampled_from(["02", "26", "56", "64", "48", None]),
    st.sampled_from(["pickup", "return", "two_way"]),
    st.sampled_from(ZONES),
    DOSSIERS,
    DAYS,
    st.integers(0, 20),
    st.integers(0, 60),
)
def test_repricing_never_edits_a_line_sums_up_and_finds_nothing_twice(
    shop: str | None, kind: str, zone: Any, dossier: dict[str, Any], day: date, later: int, known: int
) -> None:
    kept = stored(shop, f"{day} 12:00", zone, kind, dossier=dossier)
    quoted = kept.quote
    for leg in quoted["charges"]:
        charged = noon(day + timedelta(days=later))
        quoted = charging.fix(BOOK, with_quote(kept, quoted), leg, charged)
        lines = quoted["lines"]
        change = charging.reprice(BOOK, with_quote(kept, quoted), leg, charged, charged + timedelta(days=known))
        if change is not None:
            assert (change["amount"] < 0) is (change["task"] == "REFUND")
            quoted = charging.adjusted(quoted, change)
        assert quoted["lines"] == lines
        again = charging.reprice(BOOK, with_quote(kept, quoted), leg, charged, charged + timedelta(days=known))
        assert again is None
        assert min(charging.owed(quoted, leg).values()) >= 0
    assert sum(quoted["borne_by"].values()) == quoted["postage_total"] + quoted["remittance_total"]
    assert quoted["payable_by_citizen"] == sum(line["amount"] for line in quoted["lines"])
    if kind == "two_way":
        single = [stored(shop, f"{day} 12:00", zone, leg, dossier=dossier).quote for leg in ("pickup", "return")]
        assert kept.quote["payable_by_citizen"] == sum(one["payable_by_citizen"] for one in single)
