"""What the figures of each report count: promises, incidents, points, cash, couriers' days, proposals, trainings."""

from __future__ import annotations

from tests.api.conftest import SHOP, Api, make_shop
from tests.api.reporting import NAMES, Body, filed_in_march, made, play, report, words_of


# sla and incidents
def test_promises_are_counted_as_they_stand_without_waiting_for_a_sweep(operator: Api, shop: Api, body: Body) -> None:
    """Accepted 08:15 with four hours: one in time, one late, one nobody came for, one where the customer was absent."""
    at = "2020-04-03T{}:00+07:00"
    legs = [made(shop, body(kind="pickup"), at.format("08:15"))["id"] for _ in range(4)]
    play(shop, legs[0], ("assigned", at.format("08:20")), ("collected", at.format("10:15")))
    play(shop, legs[1], ("assigned", at.format("08:20")), ("collected", at.format("12:16")))
    play(shop, legs[3], ("assigned", at.format("08:20")), ("collect_failed", at.format("09:00")))
    open_now = report(operator, "sla", "2020-04-03", "2020-04-03", province=56, at=at.format("12:15"))["totals"]
    assert (open_now["running"], open_now["breached"]) == (1, 1)

    told = report(operator, "sla", "2020-04-03", "2020-04-03", province=56, at=at.format("13:00"))
    (row,) = told["rows"]
    expected = {"n": 4, "met": 1, "met_strict": 2, "met_customer_absent": 1, "breached": 2, "running": 0}
    assert {name: row[name] for name in expected} == expected
    assert (row["shop_id"], row["commune_code"], row["leg"], row["binding"]) == (
        "kh-nha-trang",
        "22330",
        "pickup",
        True,
    )
    assert (row["share"], row["p50_minutes"], row["p90_minutes"]) == (0.5, 120, 241)
    assert sum(row["breached_by"].values()) == 2 and row["breached_by"]["POST"] >= 1
    assert report(operator, "sla", "2020-04-04", "2020-04-10", province=56)["rows"] == []
    assert report(operator, "sla", "2020-04-03", "2020-04-03", province=64)["rows"] == []


def test_kh14_vp07_inspectors_get_what_went_wrong_by_shop_and_reason(operator: Api, shop: Api, body: Body) -> None:
    at = "2020-04-{}T{}:00+07:00"
    absent = made(shop, body(kind="pickup"), at.format("03", "08:15"))["id"]
    play(shop, absent, ("assigned", at.format("03", "08:20")), ("collect_failed", at.format("03", "09:00")))
    refused = made(shop, body(), at.format("03", "08:15"))["id"]
    play(
        shop,
        refused,
        ("assigned", at.format("03", "08:20")),
        ("collected", at.format("03", "09:00")),
        ("delivery_failed", at.format("03", "15:00"), {"reason": "NOT_FOUND"}),
        ("refused", at.format("06", "09:00")),
    )
    made(shop, body(notice_at=at.format("03", "08:00")), at.format("03", "08:30"))
    told = report(operator, "incidents", "2020-04-03", "2020-04-03", province=56, at=at.format("07", "09:00"))
    found = {(row["shop_id"], row["incident"], row["reason"]): row["count"] for row in told["rows"]}
    assert found["kh-nha-trang", "PICKUP_FAILED", "CUSTOMER_ABSENT"] == 1
    assert found["kh-nha-trang", "DELIVERY_FAILED", "NOT_FOUND"] == 1
    assert found["kh-nha-trang", "LATE_NOTICE", None] == 1
    assert found["kh-nha-trang", "BREACHED", "POST"] == 1
    assert "REFUSED" not in told["totals"]["by_incident"], "it was refused on the 6th"
    assert told["totals"]["count"] == sum(found.values())
    whole = report(operator, "incidents", "2020-04-03", "2020-04-06", province=56)["totals"]["by_incident"]
    assert whole["REFUSED"] == 1


def test_an_incident_that_was_taken_back_is_no_incident(operator: Api, shop: Api, body: Body) -> None:
    at = "2020-04-03T{}:00+07:00"
    leg = made(shop, body(kind="pickup"), at.format("08:15"))["id"]
    play(shop, leg, ("assigned", at.format("08:20")), ("collect_failed", at.format("09:00")))
    period = ("incidents", "2020-04-03", "2020-04-03")
    assert report(operator, *period, at=at.format("09:01"))["totals"]["by_incident"] == {"PICKUP_FAILED": 1}
    events = shop.get(f"/v1/requests/{leg}/events").json["data"]
    mistaken = next(event["id"] for event in events if event["type"] == "collect_failed")
    play(shop, leg, ("undone", at.format("09:05"), {"event_id": mistaken}))
    assert report(operator, *period, at=at.format("09:06"))["totals"] == {"count": 0, "by_incident": {}}


# coverage
def test_kh08_gl05_a_commune_without_a_point_is_named_until_it_has_one(operator: Api) -> None:
    point = {"name": "Điểm BĐ-VHX Vĩnh Hải", "kind": "BDVHX", "commune_code": "22330", "era": "2020",
             "area_class": "REMOTE", "hours_profile": "POST-DEFAULT", "active_from": "2020-04-10"}  # fmt: skip
    assert operator.put("/v1/admin/points/vinh-hai", point).status_code in (200, 201)
    before = report(operator, "coverage", "2020-04-01", "2020-04-09", province=56)
    after = report(operator, "coverage", "2020-04-01", "2020-04-10", province=56)
    assert (before["covered"], after["covered"]) == (0, 1)
    assert before["communes"] == after["communes"] == len(before["missing"]) == len(after["missing"]) + 1
    gone = [one for one in before["missing"] if one not in after["missing"]]
    assert gone == [{"code": "22330", "name": "Phường Vĩnh Hải"}]
    (row,) = after["rows"]
    assert (row["province_code"], row["communes"], row["covered"]) == ("56", after["communes"], 1)
    remote = next(line for line in row["by_class"] if line["area_class"] == "REMOTE")
    assert (remote["points"], remote["weekly_hours"]) == (1, 63.0), "Mon-Sat 07:30-18:00"

    office = {**{k: SHOP[k] for k in ("name", "province_code", "era", "lat", "lng")}, "commune_code": "22363"}
    assert operator.put("/v1/admin/offices/nt", office).status_code in (200, 201)
    assert report(operator, "coverage", "2020-04-01", "2020-04-10", province=56)["covered"] == 2
    today = report(operator, "coverage", "2025-07-01", "2025-07-01", province=56)
    assert today["communes"] == 65, "Resolution 1667: the new Khánh Hòa has 65 communes"
    assert 1 <= today["covered"] <= 2
    lines = report(operator, "coverage", "2020-04-10", "2020-04-10", province=56, format="csv").text.splitlines()
    assert len(lines) == 1 + after["communes"]


# cash and couriers
def test_the_cashier_sees_what_each_shift_took_and_what_waits(operator: Api, shop: Api, body: Body) -> None:
    at = "2020-04-03T{}:00+07:00"
    leg = made(shop, body(state_fee={"amount": 50000}), at.format("08:15"))["id"]
    cash = {"postage": 34000, "state_fee": 50000, "receipt_no": "BL-1"}
    play(
        shop,
        leg,
        ("assigned", at.format("08:20")),
        ("collected", at.format("09:00")),
        ("cash_taken", at.format("10:00"), cash),
    )
    told = report(operator, "cash", "2020-04-03", "2020-04-03", province=56, at=at.format("18:00"))
    (row,) = told["rows"]
    assert (row["date"], row["courier_id"], row["closed"]) == ("2020-04-03", "test-courier", False)
    assert row["taken"] == {"postage": 34000, "state_fee": 50000, "total": 84000}
    assert row["handed_in"]["total"] == 0 and row["difference"]["total"] == 84000
    assert told["totals"]["remittances_due"] == {"count": 1, "amount": 50000}
    assert told["totals"]["remittances_overdue"]["count"] == 0
    assert told["remittances"][0]["due_on"] == "2020-04-06", "the next working day after Friday 3/4"
    late = report(operator, "cash", "2020-04-03", "2020-04-03", province=56, at="2020-04-07T00:00:00+07:00")
    assert late["totals"]["remittances_overdue"] == {"count": 1, "amount": 50000}
    made(shop, filed_in_march(body), "2020-04-07T08:30:00+07:00")
    assert report(operator, "cash", "2020-04-03", "2020-04-07")["totals"]["deferred"] == {"count": 1, "amount": 26000}


def test_money_paid_for_nothing_is_a_refund_due(operator: Api, shop: Api, body: Body) -> None:
    at = "2020-04-03T{}:00+07:00"
    found = made(shop, body(), at.format("08:15"))
    paid = {"amount": 26000, "at": at.format("08:20"), "method": "CASH", "receipt_no": "P-1"}
    assert shop.post(f"/v1/requests/{found['id']}/payments", paid, at=at.format("08:21")).status_code in (200, 201)
    assert report(operator, "cash", "2020-04-03", "2020-04-03")["totals"]["refunds_due"]["count"] == 0
    shop.post(f"/v1/requests/{found['id']}/cancel", {"reason": "đổi ý"}, at=at.format("08:30"))
    told = report(operator, "cash", "2020-04-03", "2020-04-03", province=56)
    assert told["totals"]["refunds_due"] == {"count": 1, "amount": 26000}
    assert told["refunds"][0]["request_id"] == found["id"]


def test_a_couriers_day_counts_stops_scans_and_promises(operator: Api, shop: Api, body: Body) -> None:
    at = "2020-04-03T{}:00+07:00"
    office = {**{key: SHOP[key] for key in ("name", "province_code", "commune_code", "era", "lat", "lng")}}
    operator.put("/v1/admin/offices/nt", office, at=at.format("07:00"))
    courier = {"name": "Trần Văn Bình", "phone": "0905000001", "pin": "1234", "home_office_id": "nt"}
    assert operator.put("/v1/admin/couriers/binh", courier, at=at.format("07:00")).status_code in (200, 201)
    shift = {"starts_at": at.format("07:30"), "ends_at": at.format("17:00")}
    assert operator.put("/v1/admin/shifts/binh/2020-04-03", shift, at=at.format("07:00")).status_code in (200, 201)
    ids = [made(shop, body(kind="pickup"), at.format("08:15"))["id"] for _ in range(2)]
    for request_id in ids:
        given = operator.post(f"/v1/requests/{request_id}/assign", {"courier_id": "binh"}, at=at.format("08:20"))
        assert given.status_code == 200, given.text
    play(shop, ids[0], ("collected", at.format("09:00")))
    play(shop, ids[1], ("collect_failed", at.format("09:30")))
    told = report(operator, "courier-day", "2020-04-03", "2020-04-03", province=56, at=at.format("18:00"))
    (row,) = told["rows"]
    assert (row["courier_id"], row["courier_name"], row["date"]) == ("binh", "Trần Văn Bình", "2020-04-03")
    stops = {"stops_planned": 2, "stops_done": 1, "stops_failed": 0, "stops_open": 1}
    assert {name: row[name] for name in stops} == stops, "the citizen's door, and the shop still to be reached"
    assert (row["items"], row["items_done"], row["items_failed"]) == (3, 1, 1)
    assert (row["collected"], row["promises_met"]) == (1, 1)
    assert (row["first_scan_at"], row["last_scan_at"]) == (at.format("09:00"), at.format("09:30"))
    assert report(operator, "courier-day", "2020-04-03", "2020-04-03", province="02")["rows"] == []


# price-proposal and training
def test_hg09_a_proposal_counts_what_a_cut_would_cost_and_changes_no_price(operator: Api, body: Body) -> None:
    shop = operator.as_key(
        make_shop(operator, "hg-center", province_code="02", commune_code="00694", lat=22.82, lng=104.98)
    )
    here = {"name": "Giàng A Páo", "phone": "0905123456", "address": {"commune_code": "00694", "era": "2020"}}
    for _ in range(3):
        found = made(shop, body(citizen=here), "2020-04-03T08:15:00+07:00")
    assert found["quote"]["reasons"] == ["NO_RULE"] and found["quote"]["payable_by_citizen"] == 26000
    made(shop, body(citizen=here, kind="pickup"), "2020-04-03T08:16:00+07:00")
    told = report(operator, "price-proposal", "2020-04-01", "2020-04-30", province="02")
    (row,) = told["rows"]
    assert (row["zone"], row["weight_band"], row["volume"], row["tariff"]) == ("INTRA_DISTRICT", "≤100 g", 3, 26000)
    assert (row["cut_each"], row["cost"], row["payable"]) == (7800, 23400, 54600)
    assert told["simulation"] is True and told["price_rules"] == []
    assert told["totals"]["borne_by"] == {"post": 23400, "citizen": 54600, "province": 0}
    dearer = report(operator, "price-proposal", "2020-04-01", "2020-04-30", province="02", percent=50, leg="pickup")
    assert (dearer["totals"]["volume"], dearer["totals"]["cost"]) == (1, 13000)
    known = report(operator, "price-proposal", "2020-04-01", "2020-04-30", province=64)
    assert known["price_rules"], "Gia Lai has a price rule, and the proposal says so"
    paper = report(operator, "price-proposal", "2020-04-01", "2020-04-30", province="02", format="pdf").data
    assert "MÔPHỎNG,KHÔNGPHẢIGIÁ" in words_of(paper)
    again = operator.post("/v1/quotes", body(shop_id="hg-center", citizen=here), at="2020-04-03T09:00:00+07:00")
    assert again.json["quote"]["payable_by_citizen"] == 26000


def test_vp02_who_was_trained_in_what_is_reportable(operator: Api) -> None:
    told = {"teller_id": "gdv-1", "teller_name": "Lê Thị Hà", "topic": "Nộp hồ sơ trực tuyến", "held_on": "2020-03-30"}
    assert operator.post("/v1/admin/trainings", told, at="2020-03-31T08:00:00+07:00").status_code == 201
    (row,) = report(operator, "training", "2020-03-30", "2020-03-30")["rows"]
    assert {key: row[key] for key in told} == told
    assert report(operator, "training", "2020-03-31", "2020-04-30")["rows"] == []


def test_each_world_reports_its_own_rows(operator: Api, shop: Api, body: Body) -> None:
    made(shop, filed_in_march(body), "2020-04-03T08:30:00+07:00")
    minted = operator.post("/v1/admin/keys", {"scope": "operator", "mode": "live"})
    assert minted.status_code == 201, minted.text
    live = operator.as_key(minted.json["key"])
    for name in sorted(NAMES - {"coverage"}):
        assert live.get(f"/v1/reports/{name}?from=2020-04-01&to=2020-04-30").json["rows"] == [], name
