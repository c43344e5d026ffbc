"""What a cashier and a citizen rely on when money is paid: every đồng has its leg, its purse and its day."""

from __future__ import annotations

import pytest

from dispatch.bootstrap import System
from tests.api.conftest import Api, make_shop
from tests.api.till import C11, ask, books, gia_lai, pay, person, types_told


@pytest.fixture
def pleiku(operator: Api) -> Api:
    return gia_lai(operator)


class TestPayments:
    def test_a_payment_fixes_the_charge_of_its_own_day(self, pleiku: Api, system: System) -> None:
        made = ask(pleiku, "2020-05-29T09:00:00+07:00")
        paid = pay(pleiku, made["id"], 18_200, C11)
        assert paid.status_code == 200, paid.text
        quote = paid.json["quote"]
        assert (quote["payable_by_citizen"], quote["discount_total"]) == (18_200, -7_800)
        assert quote["charges"]["return"]["fixed"] and quote["charges"]["return"]["at"] == C11
        assert books(system, made["id"]) == [("return", "POSTAGE", "paid", 18_200)]
        assert quote["borne_by"] == {"citizen": 18_200, "post": 7_800, "province": 0, "undecided": 0}

    def test_a_minute_after_the_discount_ended_the_full_price_is_due(self, pleiku: Api) -> None:
        made = ask(pleiku, C11)
        assert made["quote"]["payable_by_citizen"] == 18_200
        sunday = "2020-05-31T00:00:00+07:00"
        paid = pay(pleiku, made["id"], 26_000, sunday)
        assert paid.status_code == 200, paid.text
        assert paid.json["quote"]["payable_by_citizen"] == 26_000
        assert "fee.corrected" in types_told(pleiku)

    def test_a_two_way_payment_is_shared_by_what_each_leg_owes(self, operator: Api, system: System) -> None:
        """C08: 30,000 + 30,000 + 8,000 + the state fee of 50,000 = 118,000."""
        shop = operator.as_key(make_shop(operator, "kh-nha-trang"))
        made = ask(
            shop,
            "2020-04-06T09:00:00+07:00",
            kind="two_way",
            dossier={"code": "000.00.16.H32-200406-0015", "online_level": 4, "submitted_via": "ONLINE"}
            | {"submitted_at": "2020-04-06T08:00:00+07:00"},
            citizen=person({"commune_code": "22408", "era": "2020"}),
            state_fee={"amount": 50_000},
        )
        assert made["quote"]["payable_by_citizen"] == 118_000
        at = "2020-04-06T10:00:00+07:00"
        assert pay(shop, made["id"], 118_000, at).json["code"] == "receipt_required"
        paid = pay(shop, made["id"], 118_000, at, receipt_no="BL-0001")
        assert paid.status_code == 200, paid.text
        assert sorted(books(system, made["id"])) == [
            ("pickup", "POSTAGE", "paid", 38_000),
            ("pickup", "STATE_FEE", "paid", 50_000),
            ("return", "POSTAGE", "paid", 30_000),
        ]
        again = pay(shop, made["id"], 1, "2020-04-06T11:00:00+07:00")
        assert (again.status_code, again.json["code"]) == (409, "nothing_due")

    def test_a_sleeping_leg_that_was_paid_still_sleeps(self, pleiku: Api) -> None:
        made = ask(pleiku, "2020-04-15T09:00:00+07:00", kind="two_way")
        paid = pay(pleiku, made["id"], made["quote"]["payable_by_citizen"], "2020-04-20T09:00:00+07:00")
        assert paid.status_code == 200, paid.text
        assert [promise["leg"] for promise in paid.json["promise"]] == ["pickup"]
        later = pleiku.get(f"/v1/requests/{made['id']}", at="2020-05-20T09:00:00+07:00").json
        assert later["quote"]["charges"]["return"]["fixed"]
        feed = pleiku.get("/v1/events?limit=200").json["data"]
        assert [entry["type"] for entry in feed].count("promise.breached") == 1, "the pickup's, not the sleeping leg's"

    def test_too_much_too_early_and_nothing_due_are_told_apart(self, pleiku: Api) -> None:
        made = ask(pleiku, C11)
        over = pay(pleiku, made["id"], 18_201, C11)
        assert (over.status_code, over.json["code"]) == (422, "overpaid")
        assert over.json["due"]["return"] == {"postage": 18_200, "state_fee": 0}
        told = {"amount": 18_200, "at": "2020-05-30T16:06:00+07:00"}
        ahead = pleiku.post(f"/v1/requests/{made['id']}/payments", told, at=C11)
        assert (ahead.status_code, ahead.json["code"]) == (422, "at_in_future")
        back = pleiku.post(
            f"/v1/requests/{made['id']}/payments", {"amount": 18_200, "at": "2020-05-30T15:59:00+07:00"}, at=C11
        )
        assert (back.status_code, back.json["errors"][0]["pointer"]) == (422, "/at")
        for wrong in (0, -1, 1.5, "18200"):
            assert pay(pleiku, made["id"], wrong, C11).status_code == 422  # type: ignore[arg-type]
        assert pleiku.post(f"/v1/requests/{made['id']}/cancel", {"reason": "thôi"}, at=C11).status_code == 200
        void = pay(pleiku, made["id"], 18_200, C11)
        assert (void.status_code, void.json["code"]) == (409, "nothing_due")

    def test_a_part_may_be_paid_now_and_the_rest_later(self, pleiku: Api, system: System) -> None:
        made = ask(pleiku, C11)
        assert pay(pleiku, made["id"], 10_000, C11).status_code == 200
        assert pay(pleiku, made["id"], 8_201, C11).json["code"] == "overpaid"
        # The first payment fixed the charge: a day later the price is still that of Saturday.
        assert pay(pleiku, made["id"], 8_200, "2020-05-31T09:00:00+07:00").status_code == 200
        assert sum(amount for *_, amount in books(system, made["id"])) == 18_200

    def test_a_replay_pays_once_and_another_shop_never(self, operator: Api, pleiku: Api, system: System) -> None:
        made = ask(pleiku, C11)
        path, told = f"/v1/requests/{made['id']}/payments", {"amount": 18_200, "at": C11, "method": "CASH"}
        first = pleiku.post(path, told, at=C11, headers={"Idempotency-Key": "pay-1"})
        second = pleiku.post(path, told, at=C11, headers={"Idempotency-Key": "pay-1"})
        assert second.json == first.json and second.headers["Idempotent-Replayed"] == "true"
        assert len(books(system, made["id"])) == 1
        stranger = operator.as_key(make_shop(operator, "kh-nha-trang"))
        for call in ("payments", "complaints"):
            body = told if call == "payments" else {"kind": "LOST", "lodged_at": C11}
            assert stranger.post(f"/v1/requests/{made['id']}/{call}", body, at=C11).status_code == 404
        assert pleiku.post("/v1/settlements", {"request_ids": [made["id"]]}, at=C11).status_code == 403
