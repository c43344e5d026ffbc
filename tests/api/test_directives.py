"""The directives row by row: what the five texts of 2020 ask for, seen through the API. Test names carry the row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asking import Ask, money, stamp
from tests.api.conftest import make_shop

ONLINE4 = {"online_level": 4, "submitted_via": "ONLINE"}
MAIL = {"email": "nguoidan@example.vn"}
SIGNED = {"digitally_signed": True}
MARCH = "2020-03-31T09:00:00+07:00"


def warned(ask: Ask, shop: str, kind: str, at: str, **parts: Any) -> list[str]:
    found: list[str] = ask.quote(shop, kind, at, **parts)["warnings"]
    return found


@pytest.mark.parametrize(
    ("at", "level", "via", "flagged"),
    [
        ("2020-03-31 00:00", 3, "COUNTER", True),
        ("2020-03-31 09:00", 4, "COUNTER", True),
        ("2020-03-30 23:59", 4, "COUNTER", False),
        ("2020-03-31 09:00", 2, "COUNTER", False),
        ("2020-03-31 09:00", 4, "ONLINE", False),
    ],
)
def test_hg01_a_level_3_or_4_dossier_filed_at_the_counter_is_flagged_and_never_refused(
    ask: Ask, at: str, level: int, via: str, flagged: bool
) -> None:
    dossier = {"online_level": level, "submitted_via": via}
    assert ("channel_not_allowed" in warned(ask, "hg", "return", at, dossier=dossier)) is flagged
    assert "channel_not_allowed" not in warned(ask, "kh", "return", "2020-04-06 09:00", dossier=dossier)


def test_hg02_a_pickup_below_level_3_is_taken_without_condition(ask: Ask) -> None:
    made = ask.create("hg", "pickup", "2020-03-31 09:00", dossier={"online_level": 1, "submitted_via": "BCCI"})
    assert made["status"] == "REQUESTED"


@pytest.mark.parametrize(
    ("at", "parts", "mode"),
    [
        ("2020-03-31 09:00", {}, "BCCI"),
        ("2020-04-07 09:00", {"dossier": {"digitally_signed": True}, "citizen": MAIL}, "BCCI"),
        ("2020-04-07 09:00", {"return_exception": "WALK_IN"}, "COUNTER"),
        ("2020-04-08 00:00", {"dossier": {"digitally_signed": True}, "citizen": MAIL}, "ELECTRONIC"),
        ("2020-04-09 09:00", {"dossier": {"digitally_signed": True}}, "BCCI"),
        (
            "2020-04-09 09:00",
            {"dossier": {"digitally_signed": True}, "citizen": MAIL, "citizen_choice": "PAPER"},
            "BCCI",
        ),
        ("2020-04-09 09:00", {"dossier": {"result_form": "OBJECT", "digitally_signed": True}, "citizen": MAIL}, "BCCI"),
        ("2020-04-09 09:00", {"dossier": {"result_form": "HANDWRITTEN"}, "citizen": MAIL}, "BOTH"),
        ("2020-04-09 09:00", {"dossier": {"result_form": "ELECTRONIC"}, "citizen": MAIL}, "ELECTRONIC"),
    ],
)
def test_hg03_hg16_hg17_how_a_result_goes_back_follows_the_latest_document(
    ask: Ask, at: str, parts: dict[str, Any], mode: str
) -> None:
    assert ask.quote("hg", "return", at, **parts)["return_mode"] == mode


def test_hg07_the_rules_stay_open_and_warn_once_they_are_old(ask: Ask) -> None:
    dossier = {"online_level": 4, "submitted_via": "COUNTER"}
    for at, old in (("2021-03-31 09:00", False), ("2021-04-10 09:00", True), ("2026-11-23 09:00", True)):
        found = warned(ask, "hg", "return", at, dossier=dossier, citizen=MAIL)
        assert "channel_not_allowed" in found
        assert ("rule_open_over_12_months" in found) is old


def test_hg09_without_a_price_rule_the_tariff_is_full(ask: Ask) -> None:
    told = ask.quote("hg", "two_way", "2020-04-15 09:00", dossier=ONLINE4 | {"field": "SECURED_TRANSACTION"})
    assert money(told, "discount_total", "payable_by_citizen", "reasons") == (0, 52_000, ["NO_RULE"])


def test_hg10_a_shop_may_keep_its_own_limit_and_the_reason_shows(ask: Ask) -> None:
    shop = ask.shop("hg")
    put = ask.operator.put(
        "/v1/admin/shops/hg/overrides/DEFAULT-SLA@1",
        {"params": {"minutes": 120}, "reason": "xã vùng cao", "valid_from": "2020-04-01", "valid_to": "2020-04-30"},
    )
    assert put.status_code in (200, 201), put.text
    inside = ask.quote("hg", "return", "2020-04-15 08:00")["promise"][0]
    assert (inside["due_at"], inside["minutes"]) == ("2020-04-15T10:00:00+07:00", 120)
    assert (inside["basis"]["reason"], bool(inside["basis"]["author"])) == ("xã vùng cao", True)
    after = ask.quote("hg", "return", "2020-05-04 08:00")["promise"][0]
    assert (after["due_at"], after["basis"].get("reason")) == ("2020-05-04T12:00:00+07:00", None)
    assert shop.get("/v1/me").status_code == 200


def test_hg10_a_shops_own_price_names_its_author(ask: Ask) -> None:
    ask.shop("gl")
    put = ask.operator.put(
        "/v1/admin/shops/gl/overrides/GL-01@1",
        {"params": {"percent": 50}, "reason": "thỏa thuận", "valid_from": "2020-04-01", "valid_to": None},
    )
    assert put.status_code in (200, 201), put.text
    told = ask.quote("gl", "return", "2020-04-15 09:00", dossier=ONLINE4)
    assert money(told, "payable_by_citizen") == (13_000,)
    discount = next(line for line in told["quote"]["lines"] if line["code"] == "discount")
    assert discount["basis"]["reason"] == "thỏa thuận"


@pytest.mark.parametrize("kind", ["pickup", "return", "two_way"])
def test_hg11_send_return_and_both_are_acknowledged_with_our_id(ask: Ask, kind: str) -> None:
    assert ask.create("hg", kind, "2020-04-06 09:00")["id"].startswith("req_")


@pytest.mark.parametrize(
    ("at", "citizen", "hint"),
    [
        ("2020-04-08 00:00", {}, True),
        ("2020-04-08 09:00", MAIL, False),
        ("2020-04-07 23:59", {}, False),
    ],
)
def test_hg13_a_missing_e_mail_is_asked_for_and_blocks_nothing(
    ask: Ask, at: str, citizen: dict[str, Any], hint: bool
) -> None:
    assert ("needs_email" in warned(ask, "hg", "return", at, citizen=citizen)) is hint
    assert ask.create("hg", "return", at, citizen=citizen)["status"] == "REQUESTED"


@pytest.mark.parametrize(
    ("kind", "at", "parts", "hint"),
    [
        ("pickup", "2020-04-08 09:00", {}, True),
        ("two_way", "2020-04-08 09:00", {}, True),
        ("return", "2020-04-08 09:00", {}, False),
        ("pickup", "2020-04-07 09:00", {}, False),
        ("pickup", "2020-04-08 09:00", {"dossier": {"physical_component": True}}, False),
        ("pickup", "2020-04-08 09:00", {"citizen_choice": "PAPER"}, False),
    ],
)
def test_hg14_a_pickup_without_a_reason_for_paper_is_told_it_is_not_needed(
    ask: Ask, kind: str, at: str, parts: dict[str, Any], hint: bool
) -> None:
    assert ("no_pickup_needed" in warned(ask, "hg", kind, at, citizen=MAIL, **parts)) is hint


def test_hg15_paper_between_agencies_warns_from_8_april(ask: Ask) -> None:
    assert "policy_warning" in warned(ask, "hg", "return", "2020-04-08 09:00", party="AGENCY", citizen=MAIL)
    assert "policy_warning" not in warned(ask, "hg", "return", "2020-04-07 09:00", party="AGENCY", citizen=MAIL)


def test_hg18_a_state_fee_needs_the_agencys_mandate_from_8_april(ask: Ask) -> None:
    fee = {"amount": 40_000}
    assert ask.quote("hg", "return", "2020-04-07 09:00", state_fee=fee)["quote"]["state_fee_total"] == 40_000
    told = ask.quote("hg", "return", "2020-04-08 09:00", state_fee=fee)["quote"]
    assert (told["state_fee_total"], "STATE_FEE_NEEDS_MANDATE" in told["reasons"]) == (0, True)
    mandated = ask.create("hg", "return", "2020-04-08 09:00", state_fee=fee | {"mandate_id": "UQ-1"})
    assert money(mandated, "state_fee_total", "payable_by_citizen", "remittance_total") == (40_000, 66_000, 0)


def test_hg20_the_office_that_takes_no_paper_is_protected_and_only_an_operator_overrides(ask: Ask) -> None:
    make_shop(ask.operator, "hg-vp-ubnd", province_code="02", commune_code="00688", refuses_paper_from="2020-04-08")
    parts = {"party": "AGENCY", "recipient_id": "hg-vp-ubnd", "citizen": MAIL, "override": {"reason": "hiện vật"}}
    body = ask.body("hg", "return", False, parts) | {"shop_id": "hg"}
    by_shop = ask.shop("hg").post("/v1/requests", body, at=stamp("2020-04-08 09:00"))
    assert (by_shop.status_code, by_shop.json["code"]) == (422, "recipient_refuses_paper")
    assert ask.shop("hg").post("/v1/quotes", body, at=stamp("2020-04-07 09:00")).status_code == 200
    by_operator = ask.operator.post("/v1/requests", body, at=stamp("2020-04-08 09:00"))
    assert by_operator.status_code == 201, by_operator.text
    inward = ask.body("hg", "pickup", False, {"party": "AGENCY", "citizen": MAIL}) | {"shop_id": "hg-vp-ubnd"}
    handed_in = ask.operator.post("/v1/quotes", inward, at=stamp("2020-04-08 09:00"))
    assert (handed_in.status_code, handed_in.json["code"]) == (422, "recipient_refuses_paper")


def test_hg22_a_copy_that_was_issued_electronically_needs_no_paper(ask: Ask) -> None:
    issued = {"issued_electronically": True}
    copies = [{"name": "Giấy khai sinh", "copies": 1, "original": False}]
    original = [{"name": "Giấy khai sinh", "copies": 1, "original": True}]
    at = "2020-04-08 09:00"
    assert "no_paper_needed" in warned(ask, "hg", "pickup", at, dossier=issued, documents=copies, citizen=MAIL)
    assert "no_paper_needed" not in warned(ask, "hg", "pickup", at, dossier=issued, documents=original, citizen=MAIL)
    assert "no_paper_needed" not in warned(ask, "hg", "pickup", at, documents=copies, citizen=MAIL)


def test_kh01_a_procedure_that_needs_the_person_is_refused_with_that_reason(ask: Ask) -> None:
    body = ask.body("kh", "pickup", False, {"dossier": {"presence_required": True}})
    answer = ask.shop("kh").post("/v1/requests", body, at=stamp("2020-04-01 00:00"))
    assert (answer.status_code, answer.json["code"]) == (422, "presence_required")
    assert ask.create("kh", "pickup", "2020-04-01 00:00")["status"] == "REQUESTED"


def test_kh02_a_return_outside_the_province_is_taken_and_priced_by_region(ask: Ask) -> None:
    told = ask.quote("kh", "return", "2020-04-06 09:00", citizen={"address": {"commune_code": "23560", "era": "2020"}})
    assert money(told, "payable_by_citizen") == (30_500,)
    assert told["promise"][0]["delivery_expected_on"] == "2020-04-09", "J+3 between two class-I cities"
    far = ask.quote("kh", "return", "2020-04-06 09:00", citizen={"address": {"commune_code": "00688", "era": "2020"}})
    assert money(far, "payable_by_citizen") == (31_000,)
    assert far["promise"][0]["delivery_expected_on"] == "2020-04-10"


PRIOR = {"submitted_at": "2020-03-20T09:00:00+07:00"}
OFFICER = {"id": "cb-017", "address_confirmed": True, "at": "2020-04-03T08:00:00+07:00"}


@pytest.mark.parametrize(
    ("at", "parts", "status", "reasons"),
    [
        ("2020-04-01 00:00", {"dossier": PRIOR}, "DEFERRED", ["DEFERRED_PRIOR_FILING"]),
        ("2020-04-19 23:59", {"dossier": PRIOR}, "DEFERRED", ["DEFERRED_PRIOR_FILING"]),
        ("2020-04-20 00:00", {"dossier": PRIOR}, "PENDING_REVIEW", ["REVIEW_LATE_DEFERRAL"]),
        (
            "2020-04-21 09:00",
            {"dossier": PRIOR, "registered_at": "2020-04-19T16:00:00+07:00"},
            "DEFERRED",
            ["DEFERRED_PRIOR_FILING"],
        ),
        ("2020-04-03 09:00", {"dossier": PRIOR | {"bcci_registered_before": True}}, "FIRM", ["NOT_PRIOR_FILING"]),
        ("2020-04-03 09:00", {}, "FIRM", ["NOT_PRIOR_FILING"]),
        (
            "2020-04-03 09:00",
            {"dossier": {"submitted_at": "2020-03-31T23:59:59+07:00"}},
            "DEFERRED",
            ["DEFERRED_PRIOR_FILING"],
        ),
        (
            "2020-04-03 09:00",
            {"dossier": {"submitted_at": "2020-03-31T17:00:00Z"}},
            "PENDING_REVIEW",
            ["REVIEW_SAME_DAY_FILING"],
        ),
        (
            "2020-04-03 09:00",
            {"dossier": {"submitted_at": "2020-04-02T00:00:00+07:00"}},
            "FIRM",
            ["NOT_PRIOR_FILING"],
        ),
        ("2020-03-31 23:59", {"dossier": PRIOR}, "FIRM", ["NO_RULE"]),
        (
            "2020-04-03 09:00",
            {"dossier": PRIOR, "registered_at": "2020-03-31T09:00:00+07:00"},
            "FIRM",
            ["OUT_OF_WINDOW"],
        ),
    ],
)
def test_kh04_who_is_deferred_who_reviewed_and_who_pays(
    ask: Ask, at: str, parts: dict[str, Any], status: str, reasons: list[str]
) -> None:
    told = ask.quote("kh", "return", at, officer=OFFICER, **parts)
    assert money(told, "status", "reasons", "postage_total") == (status, reasons, 26_000)
    assert told["quote"]["payable_by_citizen"] == (26_000 if status == "FIRM" else 0)


def test_kh12_field_verification_stops_the_authoritys_clock_and_not_ours(ask: Ask) -> None:
    plain = {"accepted_on": "2020-03-27", "processing_working_days": 10}
    told = ask.quote("kh", "return", "2020-04-06 09:00", dossier=plain)
    checked = ask.quote("kh", "return", "2020-04-06 09:00", dossier=plain | {"field_verification": True})
    # 30/3, 31/3, then 1-15/4 do not count (2/4 is a holiday anyway): eight more from Thu 16/4.
    assert (told["authority_due_on"], checked["authority_due_on"]) == ("2020-04-13", "2020-04-27")
    assert told["promise"][0]["due_at"] == checked["promise"][0]["due_at"]


def test_gl03_a_hotline_request_names_caller_agent_and_window_and_becomes_the_same_request(ask: Ask) -> None:
    body = ask.body("gl", "pickup", False, {"channel": "HOTLINE"})
    missing = ask.shop("gl").post("/v1/requests", body, at=stamp("2020-04-15 09:00"))
    assert (missing.status_code, missing.json["code"]) == (422, "validation_failed")
    window = {"from": "2020-04-15T13:00:00+07:00", "to": "2020-04-15T15:00:00+07:00"}
    hotline = {"caller_phone": "0269388822", "agent_id": "td-02"}
    whole = ask.create("gl", "pickup", "2020-04-15 09:00", channel="HOTLINE", hotline=hotline, window=window)
    assert (whole["status"], whole["kind"]) == ("REQUESTED", "pickup")


def test_gl04_late_dossiers_can_be_joined_to_their_open_returns(ask: Ask) -> None:
    late = ask.create(
        "gl", "return", "2020-04-15 09:00", dossier={"accepted_on": "2020-04-01", "processing_working_days": 5}
    )
    ask.create("gl", "return", "2020-04-15 09:00", dossier={"accepted_on": "2020-04-14", "processing_working_days": 20})
    listed = ask.shop("gl").get("/v1/requests?authority_due_before=2020-04-15", at=stamp("2020-04-15 09:30"))
    assert [row["id"] for row in listed.json["data"]] == [late["id"]]


def test_gl06_a_paper_supplement_travels_at_the_full_send_price(ask: Ask) -> None:
    told = ask.create("gl", "pickup", "2020-04-15 09:00", purpose="PAPER_SUPPLEMENT", dossier=ONLINE4)
    assert money(told, "payable_by_citizen", "discount_total", "reasons") == (26_000, 0, ["LEG_NOT_COVERED"])
    wrong = ask.body("gl", "return", False, {"purpose": "PAPER_SUPPLEMENT"})
    assert ask.shop("gl").post("/v1/requests", wrong, at=stamp("2020-04-15 09:00")).status_code == 422


def test_gl07_the_result_of_an_online_dossier_goes_back_under_its_code(ask: Ask) -> None:
    made = ask.create("gl", "return", "2020-04-15 09:00", dossier=ONLINE4 | {"code": "H21.65-200410-0011"})
    assert made["dossier"]["code"] == "H21.65-200410-0011"


def test_gl10_the_rule_in_force_is_public_with_dates_and_conditions(ask: Ask) -> None:
    nobody = ask.operator.as_key(None)
    told = nobody.get("/v1/policies?province=64&on=2020-04-15").json
    cut = next(rule for rule in told["data"] if rule["rule_id"] == "GL-01@1")
    assert (cut["valid_from"], cut["valid_to"], cut["params"]) == ("2020-03-23", "2020-05-30", {"percent": 30})
    assert cut["funding"] == {"post": 100} and cut["doc_no"] == "659/UBND-KGVX"
    later = nobody.get("/v1/policies?province=64&on=2020-06-01").json
    assert "GL-01@1" not in {rule["rule_id"] for rule in later["data"]}


@pytest.mark.parametrize(
    ("shop", "citizen", "leg", "cut"),
    [
        ("kh", "23560", "return", False),
        ("gl", "22330", "return", True),
    ],
)
def test_the_accepting_offices_province_decides_whose_cut_applies(
    ask: Ask, shop: str, citizen: str, leg: str, cut: bool
) -> None:
    parts = {"dossier": ONLINE4, "citizen": {"address": {"commune_code": citizen, "era": "2020"}}}
    told = ask.quote(shop, leg, "2020-04-15 09:00", **parts)
    assert (told["quote"]["discount_total"] < 0) is cut
    assert told["promise"][0]["rule_id"] == ("KH-10@1" if shop == "kh" else "DEFAULT-SLA@1")


def test_vp05_a_state_fee_in_vinh_phuc_is_collected_as_everywhere_and_remitted_free(ask: Ask) -> None:
    told = ask.quote("vp", "return", "2020-04-15 09:00", state_fee={"amount": 30_000})
    assert money(told, "state_fee_total", "remittance_total", "payable_by_citizen") == (30_000, 0, 56_000)


def test_vp06_vp08_an_undated_copy_is_kept_as_unverified_and_about_events_only(ask: Ask) -> None:
    told = ask.operator.as_key(None).get("/v1/policies?province=26&on=2020-04-09").json["data"]
    event = next(rule for rule in told if rule["rule_id"] == "VP-06@1")
    assert (event["params"], event["doc_no"], event["verified"]) == ({"people": 20, "applies_to": "EVENT"}, None, False)


def test_a_code_that_contradicts_the_written_address_is_shown_to_a_person(ask: Ask) -> None:
    for code, looked_at in (("22408", True), ("22330", False)):
        address = {"raw": "12 Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa", "commune_code": code, "era": "2020"}
        found = warned(ask, "kh", "return", "2020-04-06 09:00", citizen={"address": address})
        assert ("address_needs_review" in found) is looked_at


def test_every_quote_says_why_in_two_languages(ask: Ask) -> None:
    told = ask.quote("gl", "return", "2020-05-31 09:00", dossier=ONLINE4)["why"]
    assert told["vi"][1] == "Không giảm (chiều trả): ngoài thời gian áp dụng"
    made = ask.create("gl", "return", "2020-04-15 09:00", dossier=ONLINE4)
    why = ask.shop("gl").get(f"/v1/requests/{made['id']}/why", at=stamp("2020-04-15 09:00")).json
    assert "659/UBND-KGVX (27/3/2020)" in why["en"][1] and why["payable_by_citizen"] == 18_200


def test_people_whom_khanh_hoas_notice_exempts_pay_no_postage(ask: Ask) -> None:
    mother = {"exempt_class": "HEROIC_MOTHER"}
    told = ask.quote("kh", "two_way", "2020-04-06 09:00", citizen=mother)
    assert money(told, "payable_by_citizen", "discount_total", "reasons") == (0, -52_000, ["WAIVED_PERSON"])
    assert told["quote"]["borne_by"]["post"] == 52_000
    assert ask.quote("gl", "return", "2020-06-06 09:00", citizen=mother)["quote"]["payable_by_citizen"] == 26_000
