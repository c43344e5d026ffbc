"""What the province and a supervisor rely on: held fees are decided once, deferred ones settled with a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.auth import COOKIE
from dispatch.bootstrap import System, hasher, secret_hash
from dispatch.store import tables as t
from tests.api.conftest import Api
from tests.api.till import ask, books, carry, gia_lai, pay, person


@pytest.fixture
def pleiku(operator: Api) -> Api:
    return gia_lai(operator)


PRIOR = {"submitted_at": "2020-03-20T09:00:00+07:00", "bcci_registered_before": False}
EDGE = {"submitted_at": "2020-04-01T09:00:00+07:00", "bcci_registered_before": False}


class TestDecisions:
    @pytest.fixture
    def deferred(self, shop: Api) -> Callable[..., str]:
        """A Khánh Hòa return of a dossier filed before; with `EDGE` one filed on the very day."""

        def make(dossier: dict[str, Any] = PRIOR) -> str:
            officer = {"id": "cb-017", "address_confirmed": True, "at": "2020-04-06T08:00:00+07:00"}
            code = {"code": "000.00.16.H32-200320-0015"}
            citizen = person({"commune_code": "22330", "era": "2020"})
            made = ask(shop, "2020-04-06T09:00:00+07:00", dossier=code | dossier, officer=officer, citizen=citizen)
            assert made["quote"]["status"] == ("DEFERRED" if dossier is PRIOR else "PENDING_REVIEW")
            request_id: str = made["id"]
            return request_id

        return make

    def test_deferred_postage_is_no_cash(self, shop: Api, deferred: Any, system: System) -> None:
        request_id = deferred()
        paid = pay(shop, request_id, 26_000, "2020-04-06T10:00:00+07:00")
        assert (paid.status_code, paid.json["code"]) == (409, "nothing_due")
        assert books(system, request_id) == []

    @pytest.mark.parametrize(
        ("decision", "status", "payable", "bearer"),
        [("DEFER", "DEFERRED", 0, "province"), ("CHARGE", "FIRM", 26_000, "citizen"), ("WAIVE", "FIRM", 0, "post")],
    )
    def test_a_held_fee_is_decided_once_and_told(
        self, operator: Api, shop: Api, deferred: Any, decision: str, status: str, payable: int, bearer: str
    ) -> None:
        request_id = deferred(EDGE)
        told = {"decision": decision, "reason": "Nộp lúc 9:00 ngày 1/4", "evidence": "Sổ tiếp nhận"}
        at = "2020-04-07T09:00:00+07:00"
        done = operator.post(f"/v1/reviews/{request_id}/decide", told, at=at)
        assert done.status_code == 200, done.text
        quote = done.json["quote"]
        assert (quote["status"], quote["payable_by_citizen"], quote["borne_by"][bearer]) == (status, payable, 26_000)
        assert quote["review"]["decision"] == decision and quote["review"]["evidence"] == "Sổ tiếp nhận"
        feed = shop.get("/v1/events?limit=200").json["data"]
        assert feed[-1]["type"] == "fee.corrected" and feed[-1]["data"]["quote"] == quote
        again = operator.post(f"/v1/reviews/{request_id}/decide", told, at=at)
        assert (again.status_code, again.json["code"]) == (409, "not_pending_review")
        assert shop.get(f"/v1/requests/{request_id}").json["status"] == "REQUESTED"
        if decision == "CHARGE":
            assert pay(shop, request_id, 26_000, "2020-04-07T10:00:00+07:00").status_code == 200

    def test_a_decision_leaves_a_trace_that_moves_no_status(
        self, operator: Api, shop: Api, deferred: Any, system: System
    ) -> None:
        request_id = deferred(EDGE)
        told = {"decision": "CHARGE", "reason": "Nộp sau", "evidence": "Sổ"}
        at = "2020-04-07T09:00:00+07:00"
        assert operator.post(f"/v1/reviews/{request_id}/decide", told, at=at).status_code == 200
        with system.store.begin() as session:
            kept = session.consignments.events(request_id)
            audited = session.connection.execute(select(t.audit.c.action).where(t.audit.c.target == request_id))
            assert "review.decided" in audited.scalars().all()
        assert [row.type for row in kept] == ["created", "review_decided"]
        shown = carry(shop, request_id, ("assigned", "2020-04-07T10:00:00+07:00"))
        assert shown["status"] == "ASSIGNED" and shown["quote"]["payable_by_citizen"] == 26_000

    def test_only_a_supervisor_among_people_decides_money(self, operator: Api, deferred: Any, system: System) -> None:
        request_id = deferred(EDGE)
        with system.store.begin() as session:
            for name, role in (("mai", "coordinator"), ("lan", "supervisor")):
                session.access.put_user(f"usr_{name}", name, hasher().hash("a long one"), role, session.wall_clock())
        told = {"decision": "CHARGE", "reason": "Nộp sau", "evidence": "Sổ"}
        answers = {}
        for name in ("mai", "lan"):
            with signed_in(operator, system, name) as browser:
                answers[name] = browser.post(f"/v1/reviews/{request_id}/decide", told)
        assert (answers["mai"].status_code, answers["mai"].json["code"]) == (403, "role_not_allowed")
        assert answers["lan"].status_code == 200, answers["lan"].text

    def test_the_province_settles_with_a_number_or_not_at_all(self, operator: Api, shop: Api, deferred: Any) -> None:
        ids = [deferred(), deferred()]
        at = "2020-05-04T09:00:00+07:00"
        told = {"request_ids": ids, "outcome": "SETTLED_BY_PROVINCE"}
        for number in ({}, {"decision_no": None}, {"decision_no": ""}, {"decision_no": "  "}):
            for outcome in ("SETTLED_BY_PROVINCE", "RECLAIMABLE"):
                refused = operator.post("/v1/settlements", told | number | {"outcome": outcome}, at=at)
                assert (refused.status_code, refused.json["code"]) == (422, "decision_no_required")
        done = operator.post("/v1/settlements", told | {"decision_no": "123/QĐ-UBND"}, at=at)
        assert done.status_code == 200, done.text
        assert (done.json["count"], done.json["amount"]) == (2, 52_000)
        for request_id in ids:
            quote = shop.get(f"/v1/requests/{request_id}").json["quote"]
            assert quote["settlement"]["outcome"] == "SETTLED_BY_PROVINCE"
            assert quote["settlement"]["decision_no"] == "123/QĐ-UBND"
            assert quote["payable_by_citizen"] == 0
        again = operator.post("/v1/settlements", told | {"decision_no": "124/QĐ-UBND"}, at=at)
        assert (again.status_code, again.json["code"]) == (409, "already_settled")

    def test_one_request_that_is_not_deferred_stops_the_whole_settlement(
        self, operator: Api, shop: Api, deferred: Any
    ) -> None:
        good, held = deferred(), deferred(EDGE)
        at = "2020-05-04T09:00:00+07:00"
        told = {"request_ids": [good, held, "req_nobody"], "outcome": "RECLAIMABLE", "decision_no": "123/QĐ-UBND"}
        refused = operator.post("/v1/settlements", told, at=at)
        assert (refused.status_code, refused.json["code"]) == (409, "not_deferred")
        assert sorted(refused.json["request_ids"]) == sorted([held, "req_nobody"])
        assert "settlement" not in shop.get(f"/v1/requests/{good}").json["quote"]
        alone = operator.post("/v1/settlements", told | {"request_ids": [good]}, at=at)
        assert alone.status_code == 200, alone.text
        quote = shop.get(f"/v1/requests/{good}").json["quote"]
        assert (quote["settlement"]["outcome"], quote["payable_by_citizen"]) == ("RECLAIMABLE", 0)


@contextmanager
def signed_in(operator: Api, system: System, name: str) -> Iterator[Api]:
    """A person at the board, in the test world."""
    secret = f"{name}-cookie"
    with system.store.begin() as session:
        session.access.add_sign_in(secret_hash(secret), f"usr_{name}", session.wall_clock(), timedelta(hours=1))

    class Browser(Api):
        def call(self, *args: Any, **more: Any) -> Any:
            headers = {"Dispatch-Board": "1", "Dispatch-Mode": "test"} | (more.pop("headers", None) or {})
            return super().call(*args, headers=headers, **more)

    operator.client.set_cookie(COOKIE, secret)
    yield Browser(operator.client, None)
    operator.client.delete_cookie(COOKIE)
