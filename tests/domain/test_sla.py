"""The four-hour promise, what it turns into, J+n and the authority's own clock."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from dispatch.domain.consignment import Leg, QuoteBody
from dispatch.domain.places import Zone
from dispatch.domain.result import authority_due_on, return_mode
from dispatch.domain.rules import Rule
from dispatch.domain.sla import Promise, SlaParams, advance, cancel, reopen, start, stop, transit_days, with_collected
from dispatch.policies import load
from tests.domain.bodies import at, body

BOOK = load()
SHOP = BOOK.calendars["OSS-DEFAULT"]


def promise(leg: Leg = "return", when: str = "2020-04-07 15:10", province: str | None = "56", **told: Any) -> Promise:
    given: dict[str, Any] = {"zone": "INTER_DISTRICT", "known_at": at(when), "shop_calendar": SHOP, **told}
    return start(BOOK, body(leg), leg, province_code=province, clock_started_at=at(when), **given)


def test_c01_a_pickup_in_khanh_hoa_is_due_four_hours_after_acceptance() -> None:
    made = promise("pickup", "2020-04-03 08:15", zone="INTRA_DISTRICT")
    assert (made.due_at, made.due_at_strict) == (at("2020-04-03 12:15"), at("2020-04-03 12:15"))
    assert (made.rule_id, made.binding, made.minutes, made.mode) == ("KH-09@1", True, 240, "OPERATING_SPAN")


def test_c02_four_hours_to_closing_and_one_minute_more() -> None:
    assert promise("pickup", "2020-04-06 14:00").due_at == at("2020-04-06 18:00")
    twin = promise("pickup", "2020-04-06 14:01")
    assert (twin.due_at, twin.due_at_strict) == (at("2020-04-07 07:31"), at("2020-04-06 18:01"))


def test_c03_the_pickup_clock_stands_on_hung_kings_day() -> None:
    made = promise("pickup", "2020-04-01 15:30")
    assert (made.due_at_strict, made.due_at) == (at("2020-04-01 19:30"), at("2020-04-03 09:00"))


def test_c05_a_result_collected_next_morning_keeps_the_promise_and_the_strict_miss_is_told() -> None:
    made = promise()
    assert (made.due_at, made.due_at_strict) == (at("2020-04-08 09:40"), at("2020-04-07 19:10"))
    kept = stop(made, at("2020-04-08 09:20"))
    assert (kept.state, kept.met, kept.met_strict, kept.met_reason) == ("MET", True, False, None)
    assert with_collected(kept, date(2020, 4, 8), BOOK.holidays).delivery_due_on == date(2020, 4, 10)


def test_before_collection_delivery_is_expected_from_the_day_the_clock_started() -> None:
    made = promise(zone="INTRA_DISTRICT")
    assert (made.delivery_expected_on, made.delivery_due_on) == (date(2020, 4, 8), None)


@pytest.mark.parametrize("province", ["02", "64", "26", "48", "01", None])
def test_a_province_without_a_rule_gets_the_operators_four_hours_and_no_duty(province: str | None) -> None:
    for leg in ("pickup", "return"):
        made = promise(leg, "2020-04-08 08:00", province)
        assert (made.rule_id, made.binding, made.due_at) == ("DEFAULT-SLA@1", False, at("2020-04-08 12:00"))
        assert made.province_code == province


def test_khanh_hoas_duty_starts_on_1_april_2020_and_not_a_minute_earlier() -> None:
    assert promise(when="2020-03-31 23:59").rule_id == "DEFAULT-SLA@1"
    assert promise(when="2020-04-01 00:00").rule_id == "KH-10@1"


def test_a_rule_not_yet_recorded_does_not_decide() -> None:
    early = promise(when="2020-04-01 08:00", known_at=at("2020-03-31 09:00"))
    assert early.rule_id == "DEFAULT-SLA@1"
    assert promise(when="2020-04-01 08:00", known_at=at("2020-04-01 08:00")).rule_id == "KH-10@1"


def test_the_strictest_of_several_limits_holds() -> None:
    def limit(rule_id: str, minutes: int) -> Rule:
        base = BOOK.known("SLA_COLLECT", "56", at("2020-04-07 00:00"))[0]
        params = SlaParams(minutes=minutes, clock="OPERATING_SPAN", binding=True)
        return base.model_copy(update={"id": rule_id, "params": params})

    book = replace(BOOK, rules=(*BOOK.rules, limit("X-1@1", 300), limit("X-2@1", 90), limit("X-3@1", 200)))
    made = start(
        book,
        body("return"),
        "return",
        province_code="56",
        zone="INTRA_DISTRICT",
        clock_started_at=at("2020-04-07 08:00"),
        known_at=at("2020-04-07 08:00"),
        shop_calendar=SHOP,
    )
    assert (made.rule_id, made.due_at) == ("X-2@1", at("2020-04-07 09:30"))


def test_a_pickup_counts_post_office_hours_and_a_collection_the_shops_own() -> None:
    assert promise("pickup", "2020-04-04 10:00").due_at == at("2020-04-04 14:00"), "the post works on Saturday"
    assert promise("return", "2020-04-04 10:00").due_at == at("2020-04-06 11:30")
    early = promise("pickup", "2020-04-04 10:00", post_calendar=SHOP)
    assert early.due_at == at("2020-04-06 11:30"), "an office with hours of its own"


def test_the_warning_comes_with_45_working_minutes_left_so_that_someone_can_still_act() -> None:
    assert promise(when="2020-04-08 08:00").warn_at == at("2020-04-08 11:15")
    assert promise("pickup", "2020-04-06 14:01").warn_at == at("2020-04-06 17:16"), "not at 06:46 in the night"


def test_a_promise_is_met_on_the_very_minute_and_broken_a_microsecond_later() -> None:
    made = promise(when="2020-04-08 08:00")
    tick = timedelta(microseconds=1)
    assert stop(made, made.due_at).state == "MET"
    late = stop(made, made.due_at + tick)
    assert (late.state, late.met, late.met_strict) == ("BREACHED", False, False)
    assert advance(made, made.warn_at - tick).state == "RUNNING"
    assert advance(made, made.warn_at).state == "AT_RISK"
    assert advance(made, made.due_at).state == "AT_RISK"
    assert advance(made, made.due_at + tick).state == "BREACHED"


def test_a_scan_that_arrives_late_but_was_made_in_time_restores_the_promise() -> None:
    broken = advance(promise(when="2020-04-08 08:00"), at("2020-04-08 12:30"))
    assert (broken.state, broken.met) == ("BREACHED", None)
    assert stop(broken, at("2020-04-08 11:50")).state == "MET"


def test_the_first_stop_decides() -> None:
    kept = stop(promise(when="2020-04-08 08:00"), at("2020-04-08 11:00"))
    assert stop(kept, at("2020-04-08 13:00")) == kept
    assert advance(kept, at("2020-04-09 13:00")) == kept


def test_a_customer_who_was_out_in_time_is_not_our_breach() -> None:
    made = promise("pickup", "2020-04-08 08:00")
    away = stop(made, at("2020-04-08 11:00"), absent=True)
    assert (away.state, away.met, away.met_reason) == ("MET_CUSTOMER_ABSENT", True, "CUSTOMER_ABSENT")
    late = stop(made, at("2020-04-08 12:01"), absent=True)
    assert (late.state, late.stopped_at, late.met) == ("BREACHED", None, None), "a late attempt stops nothing"


def test_cancelling_ends_a_running_promise_but_does_not_hide_a_broken_one() -> None:
    made = promise(when="2020-04-08 08:00")
    ended = cancel(made, at("2020-04-08 09:00"))
    assert (ended.state, ended.met, ended.stopped_at) == ("CANCELLED", None, at("2020-04-08 09:00"))
    broken = cancel(made, at("2020-04-08 13:00"))
    assert (broken.state, broken.met) == ("BREACHED", False)
    assert cancel(ended, at("2020-04-08 13:00")) == ended


def test_an_undone_collection_lets_the_clock_run_on() -> None:
    made = promise(when="2020-04-08 08:00")
    kept = with_collected(stop(made, at("2020-04-08 09:00")), date(2020, 4, 8), BOOK.holidays)
    assert reopen(kept, at("2020-04-08 09:05")) == made
    assert reopen(kept, at("2020-04-08 12:01")).state == "BREACHED"


def test_a_stored_promise_comes_back_as_it_was_and_shows_vietnamese_time() -> None:
    made = with_collected(stop(promise(), at("2020-04-08 09:20")), date(2020, 4, 8), BOOK.holidays)
    stored = json.loads(json.dumps(made.to_json()))
    assert Promise.from_json({**stored, "predicted": {"p50": None}}) == made
    assert stored["due_at"] == "2020-04-08T09:40:00+07:00"
    assert stored["clock_started_at"] == "2020-04-07T15:10:00+07:00"
    assert Promise.from_json(promise().to_json()) == promise()
    assert set(stored) >= {
        *("leg", "rule_id", "clock_started_at", "minutes", "mode", "binding", "province_code", "due_at"),
        *("due_at_strict", "warn_at", "state", "stopped_at", "met", "met_strict", "met_reason"),
        *("delivery_expected_on", "delivery_due_on"),
    }


@pytest.mark.parametrize(
    ("zone", "slip", "cities", "days"),
    [
        ("INTRA_DISTRICT", False, False, 1),
        ("INTRA_DISTRICT", True, False, 2),
        ("INTER_DISTRICT", False, True, 2),
        ("INTER_DISTRICT", True, False, 4),
        ("SAME_REGION", False, False, 4),
        ("INTER_REGION", False, False, 4),
        ("INTER_REGION", True, False, 8),
        ("SAME_REGION", False, True, 3),
        ("INTER_REGION", True, True, 6),
    ],
)
def test_transit_limits_are_those_of_circular_17_2017(zone: Zone, slip: bool, cities: bool, days: int) -> None:
    when = at("2020-04-07 09:00")
    asked = body(return_slip=slip)
    assert transit_days(BOOK, asked, "return", zone, at=when, known_at=when, between_major_cities=cities) == days


def owed(province: str, known: str = "2020-04-03 09:00", **dossier: Any) -> date | None:
    asked = body(dossier={"accepted_on": "2020-03-27", "processing_working_days": 10, **dossier})
    return authority_due_on(BOOK, asked, province_code=province, known_at=at(known))


def test_the_authority_owes_the_result_after_its_working_days() -> None:
    assert owed("56") == date(2020, 4, 13)
    assert owed("56", processing_working_days=None) is None
    assert owed("56", accepted_on=None) is None


def test_field_verification_in_khanh_hoa_does_not_count_1_to_15_april() -> None:
    assert owed("56", field_verification=True) == date(2020, 4, 27), "2 days in March, 8 from 16 April"
    assert owed("64", field_verification=True) == date(2020, 4, 13), "another province does not pause"
    assert owed("56", known="2020-03-31 09:00", field_verification=True) == date(2020, 4, 13), "not yet known"


@pytest.mark.parametrize(
    ("asked", "mode"),
    [
        (body(), "BCCI"),
        (body(dossier={"result_form": "ELECTRONIC"}), "ELECTRONIC"),
        (body(dossier={"result_form": "ELECTRONIC"}, citizen_choice="PAPER"), "BCCI"),
        (body(dossier={"result_form": "OBJECT", "digitally_signed": True}, citizen_choice="ELECTRONIC"), "BCCI"),
        (body(dossier={"digitally_signed": True}, citizen_choice="ELECTRONIC"), "ELECTRONIC"),
        (body(citizen_choice="ELECTRONIC"), "BCCI"),
        (body(return_exception="HG-EX-1"), "COUNTER"),
    ],
)
def test_the_result_goes_by_post_unless_there_is_nothing_to_carry(asked: QuoteBody, mode: str) -> None:
    assert return_mode(asked, None) == mode
