"""The worked cases of the domain study, through the API as an outside program sees it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asking import Ask, due, money, stamp


def test_c01_a_pickup_accepted_in_the_morning_is_due_before_noon(ask: Ask) -> None:
    told = ask.quote("kh", "pickup", "2020-04-03 08:15")
    assert due(told) == ("2020-04-03 12:15", "2020-04-03 12:15")
    assert (told["promise"][0]["rule_id"], told["promise"][0]["binding"]) == ("KH-09@1", True)
    assert money(told, "postage_total", "payable_by_citizen") == (26_000, 26_000)


def test_c02_four_hours_that_end_at_closing_stay_and_one_minute_more_rolls_over(ask: Ask) -> None:
    assert due(ask.quote("kh", "pickup", "2020-04-06 14:00")) == ("2020-04-06 18:00", "2020-04-06 18:00")
    assert due(ask.quote("kh", "pickup", "2020-04-06 14:01")) == ("2020-04-07 07:31", "2020-04-06 18:01")


def test_c03_hung_kings_day_is_not_counted(ask: Ask) -> None:
    assert due(ask.quote("kh", "pickup", "2020-04-01 15:30")) == ("2020-04-03 09:00", "2020-04-01 19:30")


def test_c05_kh11_a_result_announced_in_the_afternoon_is_collected_next_morning(ask: Ask) -> None:
    made = ask.create("kh", "return", "2020-04-07 15:10", far=True)
    assert due(made) == ("2020-04-08 09:40", "2020-04-07 19:10")
    told = ask.play(made["id"], ("assigned", "2020-04-08 08:00", {}), ("collected", "2020-04-08 09:20", {}))
    promise = told["promise"][0]
    assert (promise["state"], promise["met"], promise["met_strict"]) == ("MET", True, False)
    assert promise["delivery_due_on"] == "2020-04-10"
    assert money(told, "payable_by_citizen") == (30_000,)


OFFICER = {"id": "cb-017", "address_confirmed": True, "at": "2020-04-03T08:00:00+07:00"}
PRIOR = {"submitted_at": "2020-03-20T09:00:00+07:00", "bcci_registered_before": False}


def test_c07_postage_of_a_dossier_filed_earlier_is_deferred_and_listed(ask: Ask) -> None:
    made = ask.create("kh", "return", "2020-04-03 09:00", dossier=PRIOR, officer=OFFICER)
    assert money(made, "status", "postage_total", "payable_by_citizen") == ("DEFERRED", 26_000, 0)
    assert made["quote"]["borne_by"] == {"citizen": 0, "post": 0, "province": 26_000, "undecided": 0}
    assert made["quote"]["reasons"] == ["DEFERRED_PRIOR_FILING"]
    lines = [(line["code"], line["amount"], line["payer"]) for line in made["quote"]["lines"]]
    assert lines == [("postage.return", 26_000, "citizen"), ("deferral", -26_000, "province")]
    ask.play(made["id"], ("assigned", "2020-04-03 09:30", {}), ("collected", "2020-04-03 10:00", {}))
    listed = ask.operator.get(
        "/v1/reports/deferred-postage?from=2020-04-01&to=2020-04-19&province=56", at=stamp("2020-04-16 09:00")
    ).json
    assert [row["dossier_code"] for row in listed["rows"]] == [made["dossier"]["code"]]
    assert (listed["due_at"], listed["hard_stop_at"][:16]) == ("2020-04-17T17:00:00+07:00", "2020-04-19T23:59")


def test_c07_kh03_without_the_officers_word_the_return_is_not_taken(ask: Ask) -> None:
    body = ask.body("kh", "return", False, {"dossier": PRIOR})
    for path in ("/v1/quotes", "/v1/requests"):
        answer = ask.shop("kh").post(path, body, at=stamp("2020-04-03 09:00"))
        assert (answer.status_code, answer.json["code"]) == (422, "officer_confirmation_required")


def test_c08_both_legs_with_a_state_fee(ask: Ask) -> None:
    fee = {"amount": 50_000}
    filed = {"submitted_at": "2020-04-06T08:00:00+07:00", "submitted_via": "ONLINE", "online_level": 4}
    made = ask.create("kh", "two_way", "2020-04-06 09:00", far=True, state_fee=fee, dossier=filed)
    names = ("postage_total", "remittance_total", "state_fee_total", "payable_by_citizen", "discount_total")
    assert money(made, *names) == (60_000, 8_000, 50_000, 118_000, 0)
    assert made["quote"]["reasons"] == ["LEG_NOT_COVERED", "NOT_PRIOR_FILING"]


def test_c09_filed_on_the_first_day_goes_to_review(ask: Ask) -> None:
    same_day = {"submitted_at": "2020-04-01T09:00:00+07:00"}
    made = ask.create("kh", "return", "2020-04-06 09:00", dossier=same_day)
    assert money(made, "status", "postage_total", "payable_by_citizen") == ("PENDING_REVIEW", 26_000, 0)
    assert made["quote"]["borne_by"]["undecided"] == 26_000
    assert made["quote"]["reasons"] == ["REVIEW_SAME_DAY_FILING"]


ONLINE4 = {"online_level": 4, "submitted_via": "ONLINE"}


def test_c11_the_last_day_of_the_cut_is_inside(ask: Ask) -> None:
    made = ask.create("gl", "return", "2020-05-30 15:00", dossier=ONLINE4)
    paid = ask.shop("gl").post(
        f"/v1/requests/{made['id']}/payments",
        {"amount": 18_200, "at": stamp("2020-05-30 16:00"), "method": "CASH", "receipt_no": "BL-1"},
        at=stamp("2020-05-30 16:00"),
    )
    assert paid.status_code in (200, 201), paid.text
    told = ask.read(made["id"], "2020-06-02 09:00")
    assert money(told, "postage_total", "discount_total", "payable_by_citizen") == (26_000, -7_800, 18_200)
    assert told["quote"]["borne_by"] == {"citizen": 18_200, "post": 7_800, "province": 0, "undecided": 0}


def test_c12_a_charge_fixed_at_midnight_after_the_last_day_is_full(ask: Ask) -> None:
    told = ask.quote("gl", "return", "2020-05-31 00:00", dossier=ONLINE4)
    assert money(told, "payable_by_citizen", "discount_total", "reasons") == (26_000, 0, ["OUT_OF_WINDOW"])
    made = ask.create("gl", "return", "2020-05-30 15:00", dossier=ONLINE4)
    assert money(made, "payable_by_citizen") == (18_200,)
    late = ask.play(made["id"], ("assigned", "2020-05-30 16:00", {}), ("collected", "2020-05-31 00:00", {}))
    assert money(late, "payable_by_citizen", "reasons") == (26_000, ["OUT_OF_WINDOW"])


def test_a_payment_reported_after_the_collection_moves_the_charge_to_its_own_day(ask: Ask) -> None:
    made = ask.create("gl", "return", "2020-05-30 15:00", dossier=ONLINE4)
    late = ask.play(made["id"], ("assigned", "2020-05-30 16:00", {}), ("collected", "2020-05-31 08:00", {}))
    lines = late["quote"]["lines"]
    payment = {"amount": 18_200, "at": stamp("2020-05-30 16:30"), "method": "CASH", "receipt_no": "BL-9"}
    told = ask.shop("gl").post(f"/v1/requests/{made['id']}/payments", payment, at=stamp("2020-06-01 09:00"))
    assert told.status_code in (200, 201), told.text
    assert told.json["quote"]["lines"] == lines, "what was fixed stays; the difference is a correction"
    assert [(a["amount"], a["task"]) for a in told.json["quote"]["adjustments"]] == [(-7_800, "REFUND")]
    again = ask.shop("gl").post(f"/v1/requests/{made['id']}/payments", payment, at=stamp("2020-06-01 09:00"))
    assert (again.status_code, again.json["code"]) == (409, "nothing_due")


def test_c14_a_secured_transaction_on_paper_is_cut_on_the_return_only(ask: Ask) -> None:
    paper = {"field": "SECURED_TRANSACTION", "submitted_via": "COUNTER"}
    told = ask.quote("gl", "return", "2020-04-10 09:00", far=True, dossier=paper)
    assert money(told, "payable_by_citizen") == (21_000,)
    both = ask.quote("gl", "two_way", "2020-04-10 09:00", far=True, dossier=paper)
    assert money(both, "payable_by_citizen", "discount_total") == (51_000, -9_000)


def test_c15_the_fee_of_a_level_4_dossier_that_cannot_be_paid_online(ask: Ask) -> None:
    fee = {"amount": 80_000, "online_payment_unable": True}
    told = ask.create("gl", "two_way", "2020-04-15 09:00", far=True, dossier=ONLINE4, state_fee=fee)
    names = ("postage_total", "discount_total", "remittance_total", "state_fee_total", "payable_by_citizen")
    assert money(told, *names) == (60_000, -9_000, 0, 80_000, 131_000)


@pytest.mark.parametrize(
    ("fee", "dossier"),
    [
        ({"amount": 80_000}, ONLINE4),
        ({"amount": 80_000, "online_payment_unable": True}, {"online_level": 3, "submitted_via": "ONLINE"}),
    ],
)
def test_gl08_any_other_fee_needs_a_mandate(ask: Ask, fee: dict[str, Any], dossier: dict[str, Any]) -> None:
    told = ask.quote("gl", "return", "2020-04-15 09:00", dossier=dossier, state_fee=fee)
    assert "STATE_FEE_NEEDS_MANDATE" in told["quote"]["reasons"] and told["quote"]["state_fee_total"] == 0
    refused = ask.shop("gl").post(
        "/v1/requests",
        ask.body("gl", "return", False, {"dossier": dossier, "state_fee": fee}),
        at=stamp("2020-04-15 09:00"),
    )
    assert (refused.status_code, refused.json["code"]) == (422, "mandate_required")
    mandated = fee | {"mandate_id": "UQ-7/2020"}
    assert ask.quote("gl", "return", "2020-04-15 09:00", dossier=dossier, state_fee=mandated)["quote"][
        "state_fee_total"
    ]


def test_c16_a_level_3_procedure_filed_at_the_counter_is_not_cut(ask: Ask) -> None:
    told = ask.quote("gl", "return", "2020-04-20 09:00", dossier={"online_level": 3, "submitted_via": "COUNTER"})
    assert money(told, "payable_by_citizen", "reasons") == (26_000, ["NOT_SUBMITTED_ONLINE"])


def test_c19_a_result_that_went_out_by_mail_is_not_fetched(ask: Ask) -> None:
    signed = {"digitally_signed": True, "result_form": "ELECTRONIC"}
    made = ask.create("hg", "return", "2020-04-09 09:00", dossier=signed, citizen={"email": "a@example.vn"})
    assert made["return_mode"] == "ELECTRONIC"
    path = f"/v1/requests/{made['id']}/e-returned"
    told = ask.shop("hg").post(path, {"at": stamp("2020-04-09 10:00")}, at=stamp("2020-04-09 10:00"))
    assert (told.status_code, told.json["status"]) == (200, "E_RETURNED")
    assert money(told.json, "status", "payable_by_citizen") == ("VOID", 0)
    other = ask.create("hg", "return", "2020-04-09 09:00", dossier=signed, citizen={"email": "a@example.vn"})
    ask.play(other["id"], ("assigned", "2020-04-09 09:10", {}), ("collected", "2020-04-09 09:50", {}))
    refused = ask.shop("hg").post(
        f"/v1/requests/{other['id']}/e-returned", {"at": stamp("2020-04-09 10:00")}, at=stamp("2020-04-09 10:00")
    )
    assert refused.status_code == 409


def test_c21_no_discount_leaks_into_ha_giang(ask: Ask) -> None:
    told = ask.quote("hg", "return", "2020-03-31 09:00", dossier={"online_level": 3, "submitted_via": "ONLINE"})
    assert money(told, "payable_by_citizen", "discount_total", "reasons") == (26_000, 0, ["NO_RULE"])
    assert (told["return_mode"], told["promise"][0]["delivery_expected_on"]) == ("BCCI", "2020-04-01")
    assert (told["promise"][0]["rule_id"], told["promise"][0]["binding"]) == ("DEFAULT-SLA@1", False)


def test_c22_after_the_intake_closed_the_hand_over_waits_for_the_next_opening(ask: Ask) -> None:
    made = ask.create("vp", "pickup", "2020-04-16 13:30")
    refused = ask.play(
        made["id"],
        ("assigned", "2020-04-16 14:00", {}),
        ("collected", "2020-04-16 15:00", {}),
        ("handover_refused", "2020-04-16 16:40", {"reason": "INTAKE_CLOSED"}),
    )
    assert (refused["status"], refused["substatus"]) == ("AT_OFFICE", "HANDOVER_REFUSED")
    assert refused["handover"]["planned_at"] == "2020-04-17T07:00:00+07:00"
    assert refused["handover"]["legal_filed_at"] is None
    filed = ask.play(made["id"], ("handed_over", "2020-04-17 07:20", {}))
    assert (filed["status"], filed["handover"]["legal_filed_at"]) == ("HANDED_OVER", "2020-04-17T07:20:00+07:00")


def test_c24_a_lost_item_is_worth_four_list_prices_and_a_late_one_what_was_paid(ask: Ask) -> None:
    made = ask.create("gl", "return", "2020-05-30 15:00", dossier=ONLINE4)
    shop, path = ask.shop("gl"), f"/v1/requests/{made['id']}"
    payment = {"amount": 18_200, "at": stamp("2020-05-30 16:00"), "method": "CASH", "receipt_no": "BL-1"}
    assert shop.post(f"{path}/payments", payment, at=stamp("2020-05-30 16:00")).status_code in (200, 201)
    ask.play(made["id"], ("assigned", "2020-05-30 16:00", {}), ("collected", "2020-05-30 16:10", {}))
    for kind, compensation, refund in (("LOST", 104_000, None), ("LATE", None, 18_200)):
        answer = shop.post(
            f"{path}/complaints",
            {"lodged_at": stamp("2020-07-27 09:00"), "kind": kind},
            at=stamp("2020-07-27 09:00"),
        )
        assert answer.status_code in (200, 201), answer.text
        assert (answer.json["answer_due_on"], answer.json["admissible"]) == ("2020-08-03", True)
        assert compensation is None or answer.json["minimum_compensation"] == compensation
        assert refund is None or answer.json["refund"] == refund
    assert (
        ask.operator.post(f"{path}/lost", {"reason": "mất khi vận chuyển"}, at=stamp("2020-07-28 09:00")).json["status"]
        == "LOST"
    )
    settled = ask.operator.post(
        f"{path}/compensate",
        {"minutes_at": stamp("2020-07-30 09:00"), "reissue_costs": 55_000},
        at=stamp("2020-07-30 10:00"),
    )
    assert (settled.json["amount"], settled.json["pay_by"][:10]) == (159_000, "2020-08-29")
