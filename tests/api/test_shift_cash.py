"""What a cashier relies on: a shift balances purse by purse, fees reach the authority, nothing is given back twice."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch.bootstrap import System
from tests.api.conftest import Api
from tests.api.till import FAR, UNABLE, advance, ask, books, carry, gia_lai, pay, person


@pytest.fixture
def pleiku(operator: Api) -> Api:
    return gia_lai(operator)


C15 = "2020-04-15T09:00:00+07:00"
DAY = "2020-04-15"


class TestCash:
    @pytest.fixture
    def phone(self, operator: Api) -> Api:
        """The courier c1, signed in."""
        office = {"name": "Bưu cục Pleiku", "province_code": "64", "commune_code": "23560", "era": "2020"}
        assert operator.put("/v1/admin/offices/bc-pl", office | {"lat": 13.98, "lng": 108.0}).status_code == 201
        courier = {"name": "Rah Lan Bưu", "phone": "0900000001", "pin": "2468", "home_office_id": "bc-pl"}
        assert operator.put("/v1/admin/couriers/c1", courier).status_code == 201
        answer = operator.as_key(None).post("/v1/courier/sessions", {"phone": "0900000001", "pin": "2468"})
        return operator.as_key(answer.json["token"])

    @pytest.fixture
    def c15(self, pleiku: Api, phone: Api) -> str:
        """Both legs inter-district, a state fee of 80,000 that cannot be paid online; given to c1."""
        made = ask(pleiku, C15, kind="two_way", citizen=person(FAR), state_fee=UNABLE)
        assert made["quote"]["payable_by_citizen"] == 131_000
        advance(pleiku, made["id"], "assigned", "2020-04-15T09:05:00+07:00", courier_id="c1")
        request_id: str = made["id"]
        return request_id

    def sync(self, phone: Api, *events: dict[str, Any], at: str = "2020-04-15T17:00:00+07:00") -> list[str]:
        sent = [
            {"event_id": f"0190a000-0000-7000-8000-{event['device_seq']:012d}", "stop_id": None, "media": []}
            | {"request_ids": [], "clock_offset_ms": 0}
            | event
            for event in events
        ]
        answer = phone.post("/v1/courier/sync", {"events": sent}, at=at)
        assert answer.status_code == 200, answer.text
        return [line["result"] for line in answer.json["results"]]

    def took(self, request_id: str, number: int = 1, **changes: Any) -> dict[str, Any]:
        payload = {"postage": 51_000, "state_fee": 80_000, "receipt_no": "BL-7"}
        at = "2020-04-15T10:00:00+07:00"
        return {"type": "cash_taken", "device_seq": number, "at_device": at, "request_ids": [request_id]} | {
            "payload": payload | changes
        }

    def handed_in(self, number: int, postage: int, state_fee: int) -> dict[str, Any]:
        at = "2020-04-15T16:30:00+07:00"
        payload = {"postage": postage, "state_fee": state_fee}
        return {"type": "cash_handed_in", "device_seq": number, "at_device": at, "payload": payload}

    def shift(self, operator: Api, day: str = DAY) -> dict[str, Any]:
        answer = operator.get(f"/v1/admin/shifts/c1/{day}/cash")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json
        return shown

    def test_the_cash_of_a_shift_is_split_between_two_purses(
        self, operator: Api, phone: Api, c15: str, system: System
    ) -> None:
        assert self.sync(phone, self.took(c15)) == ["applied"]
        assert self.sync(phone, self.took(c15)) == ["duplicate"]
        with system.store.begin() as session:
            entries = session.money.entries(c15)
        assert [(e.book, e.amount, e.receipt_no, str(e.shift_date)) for e in entries] == [
            ("POSTAGE", 51_000, None, DAY),
            ("STATE_FEE", 80_000, "BL-7", DAY),
        ]
        shown = self.shift(operator)
        assert shown["taken"] == {"postage": 51_000, "state_fee": 80_000, "total": 131_000}
        assert shown["difference"]["total"] == 131_000 and not shown["closed"]

    def test_a_shift_closes_only_with_its_cash_or_a_reason(self, operator: Api, phone: Api, c15: str) -> None:
        self.sync(phone, self.took(c15), self.handed_in(2, 50_000, 80_000))
        path = f"/v1/admin/shifts/c1/{DAY}/close"
        refused = operator.post(path)
        assert (refused.status_code, refused.json["code"]) == (409, "cash_unexplained")
        assert refused.json["cash"]["difference"] == {"postage": 1_000, "state_fee": 0, "total": 1_000}
        assert operator.post(path, {"explanation": "  "}).status_code == 409
        closed = operator.post(path, {"explanation": "Trả nhầm tiền thừa 1.000 đ"})
        assert closed.status_code == 200, closed.text
        assert (closed.json["closed"], closed.json["reopened"]) == (True, False)
        assert closed.json["explanation"] == "Trả nhầm tiền thừa 1.000 đ"

    def test_a_rehearsed_hand_in_counts_like_one_from_a_phone(self, operator: Api, pleiku: Api, c15: str) -> None:
        at = "2020-04-15T10:00:00+07:00"
        advance(pleiku, c15, "cash_taken", at, postage=51_000, state_fee=80_000, receipt_no="BL-7")
        advance(pleiku, c15, "cash_handed_in", at, postage=51_000, state_fee=80_000)
        shown = self.shift(operator)
        assert shown["handed_in"]["total"] == 131_000 and shown["difference"]["total"] == 0

    def test_a_booking_after_the_close_is_kept_and_reopens_the_shift(self, operator: Api, phone: Api, c15: str) -> None:
        self.sync(phone, self.took(c15), self.handed_in(2, 51_000, 80_000))
        path = f"/v1/admin/shifts/c1/{DAY}/close"
        assert operator.post(path).status_code == 200
        late = self.sync(phone, self.handed_in(3, 4_000, 0), at="2020-04-16T08:00:00+07:00")
        assert late == ["applied"]
        shown = self.shift(operator)
        assert (shown["closed"], shown["reopened"], shown["difference"]["postage"]) == (True, True, -4_000)
        assert operator.post(path).status_code == 409
        again = operator.post(path, {"explanation": "Nộp thừa, trả lại hôm sau"})
        assert (again.json["closed"], again.json["reopened"]) == (True, False)

    def test_cash_taken_back_is_booked_by_its_opposite(
        self, operator: Api, phone: Api, c15: str, system: System
    ) -> None:
        first = self.took(c15)
        undo = {
            "type": "undone",
            "device_seq": 2,
            "at_device": "2020-04-15T10:01:00+07:00",
            "request_ids": [c15],
            "payload": {"event_id": "0190a000-0000-7000-8000-000000000001"},
        }
        assert self.sync(phone, undo, first) == ["applied", "applied"], "in whatever order they arrive"
        assert sorted(amount for *_, amount in books(system, c15)) == [-80_000, -51_000, 51_000, 80_000]
        assert self.shift(operator)["taken"]["total"] == 0

    def test_the_state_fee_goes_with_the_dossier_and_only_once(
        self, operator: Api, pleiku: Api, phone: Api, c15: str, system: System
    ) -> None:
        self.sync(phone, self.took(c15))
        waiting = operator.get("/v1/admin/remittances").json
        assert [(line["request_id"], line["amount"], line["due_on"]) for line in waiting["data"]] == [
            (c15, 80_000, None)
        ]
        evening = "2020-04-15T17:30:00+07:00"
        carry(pleiku, c15, ("collected", evening), ("handed_over", evening))
        assert ("pickup", "STATE_FEE", "fee_remitted", -80_000) in books(system, c15)
        assert operator.get("/v1/admin/remittances").json["data"] == []
        again = operator.post(
            "/v1/admin/remittances", {"request_ids": [c15], "receipt_no": "NT-1"}, at="2020-04-16T09:00:00+07:00"
        )
        assert (again.status_code, again.json["request_ids"]) == (409, [c15])

    def test_a_fee_of_a_return_leg_is_remitted_by_the_next_working_day(
        self, operator: Api, pleiku: Api, system: System
    ) -> None:
        made = ask(pleiku, "2020-04-29T09:00:00+07:00", state_fee=UNABLE)
        paid = pay(pleiku, made["id"], 98_200, "2020-04-29T10:00:00+07:00", receipt_no="BL-9")
        assert paid.status_code == 200, paid.text
        monday = "2020-05-04T09:00:00+07:00"  # 30/4 and 1/5 are holidays, then a weekend
        (line,) = operator.get("/v1/admin/remittances", at=monday).json["data"]
        assert (line["leg"], line["due_on"], line["overdue"]) == ("return", "2020-05-04", False)
        (late,) = operator.get("/v1/admin/remittances", at="2020-05-05T00:00:00+07:00").json["data"]
        assert late["overdue"]
        told = {"request_ids": [made["id"]], "receipt_no": "NT-1", "at": monday}
        wrong = operator.post("/v1/admin/remittances", told | {"request_ids": [made["id"], "req_x"]}, at=monday)
        assert (wrong.status_code, wrong.json["code"], wrong.json["request_ids"]) == (
            409,
            "nothing_to_remit",
            ["req_x"],
        )
        done = operator.post("/v1/admin/remittances", told, at=monday)
        assert done.json["remitted"] == [{"request_id": made["id"], "leg": "return", "amount": 80_000}]
        assert sum(amount for _, book, _, amount in books(system, made["id"]) if book == "STATE_FEE") == 0

    def test_what_was_paid_for_a_leg_called_off_is_given_back_but_not_a_fee_that_is_gone(
        self, operator: Api, pleiku: Api, system: System
    ) -> None:
        at = "2020-04-29T10:00:00+07:00"
        made = ask(pleiku, "2020-04-29T09:00:00+07:00", state_fee=UNABLE)
        assert pay(pleiku, made["id"], 98_200, at, receipt_no="BL-9").status_code == 200
        giving = {"request_id": made["id"], "amount": 1, "method": "CASH", "reason": "Hủy"}
        assert operator.post("/v1/admin/refunds", giving, at=at).json["code"] == "not_refundable"
        told = {"request_ids": [made["id"]], "receipt_no": "NT-1", "at": at}
        assert operator.post("/v1/admin/remittances", told, at=at).status_code == 200
        assert pleiku.post(f"/v1/requests/{made['id']}/cancel", {"reason": "thôi"}, at=at).status_code == 200
        over = operator.post("/v1/admin/refunds", giving | {"amount": 98_200}, at=at)
        assert (over.status_code, over.json["refundable_total"]) == (409, 18_200)
        done = operator.post("/v1/admin/refunds", giving | {"amount": 18_200}, at=at)
        assert done.json["legs"] == {"return": {"postage": 18_200, "state_fee": 0}}
        assert books(system, made["id"])[-1] == ("return", "POSTAGE", "refunded", -18_200)

    def test_nobody_closes_a_shift_of_nobody(self, operator: Api) -> None:
        assert operator.get(f"/v1/admin/shifts/nobody/{DAY}/cash").status_code == 404
        assert operator.post(f"/v1/admin/shifts/nobody/{DAY}/close").status_code == 404
        assert operator.get("/v1/admin/shifts/nobody/someday/cash").status_code == 404
