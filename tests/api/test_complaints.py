"""What a citizen relies on when he complains over HTTP: C24 and its neighbours, refund and compensation paid once."""

from __future__ import annotations

import pytest

from dispatch.bootstrap import System
from tests.api.conftest import Api
from tests.api.till import C11, FAR, ask, books, carry, complain, gia_lai, pay, person


@pytest.fixture
def pleiku(operator: Api) -> Api:
    return gia_lai(operator)


class TestComplaints:
    """C24: the item of C11."""

    def test_a_lost_item_is_worth_four_times_its_list_price(self, pleiku: Api) -> None:
        made = ask(pleiku, C11)
        assert pay(pleiku, made["id"], 18_200, C11).status_code == 200
        carry(pleiku, made["id"], ("assigned", C11), ("collected", C11))
        told = complain(pleiku, made["id"], "LOST", "2020-07-27T09:00:00+07:00")
        assert told["answer_due_on"] == "2020-08-03"
        assert (told["minimum_compensation"], told["refund"], told["admissible"]) == (104_000, 0, True)

    def test_a_late_one_gives_back_what_was_paid(self, operator: Api, pleiku: Api, system: System) -> None:
        made = ask(pleiku, C11)
        assert pay(pleiku, made["id"], 18_200, C11).status_code == 200
        carry(pleiku, made["id"], ("assigned", C11), ("collected", C11))
        due_on = pleiku.get(f"/v1/requests/{made['id']}").json["promise"][0]["delivery_due_on"]
        assert complain(pleiku, made["id"], "LATE", f"{due_on}T23:59:00+07:00")["refund"] == 0
        told = complain(pleiku, made["id"], "LATE", "2020-07-27T09:00:00+07:00")
        assert (told["refund"], told["minimum_compensation"], told["admissible"]) == (18_200, 0, True)

        giving = {"request_id": made["id"], "amount": 18_200, "method": "CASH", "reason": "Phát chậm"}
        at = "2020-07-28T09:00:00+07:00"
        assert operator.post("/v1/admin/refunds", giving | {"amount": 18_201}, at=at).json["code"] == "not_refundable"
        assert operator.post("/v1/admin/refunds", giving, at=at).status_code == 200
        again = operator.post("/v1/admin/refunds", giving | {"amount": 1}, at=at)
        assert (again.status_code, again.json["refundable_total"]) == (409, 0)
        assert books(system, made["id"])[-1] == ("return", "POSTAGE", "refunded", -18_200)
        owes = pay(pleiku, made["id"], 18_200, "2020-07-29T09:00:00+07:00")
        assert owes.json["code"] == "nothing_due", "what was given back for a delay is not asked for again"

    def test_six_months_and_not_a_day_more(self, pleiku: Api) -> None:
        made = ask(pleiku, C11)
        carry(pleiku, made["id"], ("assigned", C11), ("collected", C11))
        due_on = pleiku.get(f"/v1/requests/{made['id']}").json["promise"][0]["delivery_due_on"]
        assert due_on == "2020-06-01"
        assert complain(pleiku, made["id"], "LOST", "2020-12-01T23:59:59+07:00")["admissible"]
        late = complain(pleiku, made["id"], "LOST", "2020-12-02T00:00:00+07:00")
        assert (late["admissible"], late["minimum_compensation"]) == (False, 0)

    def test_between_provinces_an_answer_may_take_seven_days(self, pleiku: Api) -> None:
        made = ask(pleiku, C11, citizen=person({"commune_code": "22330", "era": "2020"}))
        assert made["quote"]["lines"][0]["zone"] == "SAME_REGION"
        assert complain(pleiku, made["id"], "LOST", "2020-07-27T09:00:00+07:00")["answer_due_on"] == "2020-08-05"

    def test_while_the_return_leg_sleeps_a_loss_is_the_pickups(self, pleiku: Api) -> None:
        made = ask(pleiku, "2020-04-15T09:00:00+07:00", kind="two_way", citizen=person(FAR))
        carry(
            pleiku,
            made["id"],
            ("assigned", "2020-04-15T09:10:00+07:00"),
            ("collected", "2020-04-15T10:00:00+07:00"),
        )
        told = complain(pleiku, made["id"], "LOST", "2020-04-27T09:00:00+07:00")
        assert (told["leg"], told["minimum_compensation"]) == ("pickup", 120_000)

    def test_damage_is_complained_of_within_a_month_of_delivery(self, pleiku: Api) -> None:
        made = ask(pleiku, C11)
        monday = "2020-06-01T09:00:00+07:00"
        carry(pleiku, made["id"], ("assigned", C11), ("collected", C11), ("delivered", monday))
        assert complain(pleiku, made["id"], "LATE", "2020-06-20T09:00:00+07:00")["refund"] == 0
        assert complain(pleiku, made["id"], "DAMAGED", "2020-07-01T09:00:00+07:00")["admissible"]
        assert not complain(pleiku, made["id"], "DAMAGED", "2020-07-02T09:00:00+07:00")["admissible"]
        assert not complain(pleiku, made["id"], "PRICE", "2020-07-02T09:00:00+07:00")["admissible"]

    def test_a_price_complaint_finds_a_rule_recorded_after_the_charge(self, pleiku: Api) -> None:
        made = ask(pleiku, "2020-03-25T09:00:00+07:00")
        assert pay(pleiku, made["id"], 26_000, "2020-03-25T10:00:00+07:00").status_code == 200
        assert complain(pleiku, made["id"], "PRICE", "2020-03-26T09:00:00+07:00")["refund"] == 0
        assert complain(pleiku, made["id"], "PRICE", "2020-03-30T09:00:00+07:00")["refund"] == 7_800

    def test_compensation_is_paid_once_and_has_the_refund_inside(
        self, operator: Api, pleiku: Api, system: System
    ) -> None:
        made = ask(pleiku, C11)
        assert pay(pleiku, made["id"], 18_200, C11).status_code == 200
        carry(pleiku, made["id"], ("assigned", C11), ("collected", C11))
        assert complain(pleiku, made["id"], "LATE", "2020-07-27T09:00:00+07:00")["refund"] == 18_200
        giving = {"request_id": made["id"], "amount": 10_000, "method": "CASH", "reason": "Phát chậm"}
        at = "2020-07-28T09:00:00+07:00"
        assert operator.post("/v1/admin/refunds", giving, at=at).status_code == 200
        early = operator.post("/v1/admin/compensations", {"request_id": made["id"]}, at=at)
        assert (early.status_code, early.json["code"]) == (409, "nothing_to_compensate")

        path = f"/v1/requests/{made['id']}"
        assert operator.post(f"{path}/lost", {"reason": "Không tìm thấy"}, at=at).status_code == 200
        decided = operator.post(f"{path}/compensate", {"minutes_at": at, "reissue_costs": 50_000}, at=at)
        assert decided.json["amount"] == 154_000, decided.text
        paid = operator.post("/v1/admin/compensations", {"request_id": made["id"]}, at=at)
        assert paid.json["amount"] == 144_000, paid.text
        assert books(system, made["id"])[-2:] == [
            ("return", "COMPENSATION", "compensated", -94_000),
            ("return", "COMPENSATION", "reissued", -50_000),
        ]
        again = operator.post("/v1/admin/compensations", {"request_id": made["id"]}, at=at)
        assert (again.status_code, again.json["code"]) == (409, "nothing_to_compensate")
        more = operator.post("/v1/admin/refunds", giving | {"amount": 8_200}, at=at)
        assert (more.status_code, more.json["refundable_total"]) == (409, 0)
