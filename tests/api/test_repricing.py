"""What an accountant relies on: a rule recorded late corrects what was charged, once, whatever dies meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from dispatch import clock
from dispatch.bootstrap import System
from dispatch.flows import repricing
from dispatch.store import Session
from dispatch.store import tables as t
from tests.api.conftest import Api
from tests.api.till import ask, gia_lai, pay, types_told


@pytest.fixture
def pleiku(operator: Api) -> Api:
    return gia_lai(operator)


class Died(BaseException):
    """A worker that is gone between two transactions, as after kill -9."""


@dataclass
class Mortal:
    """A system whose database hands out so many transactions more, then the process is gone."""

    system: System
    left: int

    @property
    def store(self) -> Mortal:
        return self

    @property
    def places(self) -> Any:
        return self.system.places

    def scene(self, now: Any) -> Any:
        return self.system.scene(now)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        if self.left == 0:
            raise Died
        self.left -= 1
        with self.system.store.begin() as session:
            yield session


AFTER = "2020-03-30T09:00:00+07:00"


def reprice(operator: Api, system: System, *, dry_run: bool = False, at: str = AFTER, **changes: Any) -> dict[str, Any]:
    """Ask for a repricing of Gia Lai's 23–26/3/2020, let a worker do it, and read the operation."""
    told = {"province_code": "64", "from": "2020-03-23", "to": "2020-03-26", "dry_run": dry_run} | changes
    asked = operator.post("/v1/admin/reprice", told, at=at)
    assert asked.status_code == 202, asked.text
    assert repricing.run(system, asked.json["id"]) == "succeeded"
    ended: dict[str, Any] = operator.get(asked.headers["Location"]).json
    assert (ended["kind"], ended["status"], ended["progress"]) == ("reprice", "succeeded", 1.0)
    return ended["result"]  # type: ignore[no-any-return]


class TestRepricing:
    """GL-02: charged in full on 25/3/2020, before the directive of 27/3 was known."""

    @pytest.fixture
    def charged(self, pleiku: Api) -> Callable[..., str]:
        def make(at: str = "2020-03-25T10:00:00+07:00", **changes: Any) -> str:
            made = ask(pleiku, "2020-03-23T00:00:00+07:00" if at < "2020-03-25" else "2020-03-25T09:00:00+07:00")
            assert pay(pleiku, made["id"], made["quote"]["payable_by_citizen"], at).status_code == 200
            request_id: str = made["id"]
            return request_id

        return make

    def test_a_later_rule_corrects_an_earlier_charge_once(
        self, operator: Api, pleiku: Api, charged: Any, system: System
    ) -> None:
        request_id = charged()
        before = pleiku.get(f"/v1/requests/{request_id}").json
        assert before["quote"]["payable_by_citizen"] == 26_000
        found = reprice(operator, system, dry_run=True)
        line = {"request_id": request_id, "leg": "return", "before": 26_000, "after": 18_200, "amount": -7_800}
        assert found["adjustments"] == [line | {"task": "REFUND"}]
        assert (found["count"], found["looked_at"], found["dry_run"]) == (1, 1, True)
        assert pleiku.get(f"/v1/requests/{request_id}").json == before, "a dry run changes nothing"

        done = reprice(operator, system)
        assert done["adjustments"] == found["adjustments"] and done["amount"] == -7_800
        after = pleiku.get(f"/v1/requests/{request_id}").json
        assert after["quote"]["lines"] == before["quote"]["lines"], "lines stay as they were"
        (adjustment,) = after["quote"]["adjustments"]
        assert (adjustment["amount"], adjustment["task"]) == (-7_800, "REFUND")
        assert adjustment["basis"]["rule_id"] == "GL-01@1"
        assert (after["version"], after["updated_at"]) == (before["version"] + 1, AFTER)
        feed = pleiku.get("/v1/events?limit=200").json["data"]
        assert feed[-1]["type"] == "fee.corrected" and feed[-1]["data"] == after
        assert [entry["seq"] for entry in feed] == list(range(1, len(feed) + 1))

        assert reprice(operator, system)["adjustments"] == [], "a second run finds nothing"
        giving = {"request_id": request_id, "amount": 7_800, "method": "CASH", "reason": "659/UBND-KGVX"}
        assert operator.post("/v1/admin/refunds", giving, at="2020-03-31T09:00:00+07:00").status_code == 200
        assert operator.post("/v1/admin/refunds", giving, at="2020-03-31T09:00:00+07:00").status_code == 409

    def test_only_what_was_known_when_it_was_asked_counts(self, operator: Api, charged: Any, system: System) -> None:
        charged()
        assert reprice(operator, system, at="2020-03-26T23:59:59+07:00")["count"] == 0
        assert reprice(operator, system, at="2020-03-27T00:00:00+07:00")["count"] == 1

    def test_both_ends_of_the_range_are_inside_and_nothing_else_is(
        self, operator: Api, charged: Any, system: System
    ) -> None:
        first, last = charged("2020-03-23T00:00:00+07:00"), charged("2020-03-26T23:59:59+07:00")
        only = {"from": "2020-03-23", "to": "2020-03-23"}
        ids = [line["request_id"] for line in reprice(operator, system, dry_run=True, **only)["adjustments"]]
        assert ids == [first]
        both = reprice(operator, system, dry_run=True)
        assert {line["request_id"] for line in both["adjustments"]} == {first, last}
        assert reprice(operator, system, dry_run=True, province_code="56")["looked_at"] == 0
        wrong = {"province_code": "64", "from": "2020-03-26", "to": "2020-03-23", "dry_run": True}
        assert operator.post("/v1/admin/reprice", wrong, at=AFTER).status_code == 422

    def test_a_worker_that_dies_between_pages_loses_nothing_and_repeats_nothing(
        self, operator: Api, pleiku: Api, charged: Any, system: System
    ) -> None:
        ids = {charged() for _ in range(5)}
        told = {"province_code": "64", "from": "2020-03-23", "to": "2020-03-26", "dry_run": False}
        operation_id = operator.post("/v1/admin/reprice", told, at=AFTER).json["id"]
        with pytest.raises(Died):
            repricing.run(Mortal(system, 3), operation_id, page=2)  # type: ignore[arg-type]
        halfway = operator.get(f"/v1/operations/{operation_id}").json
        assert (halfway["status"], halfway["progress"]) == ("running", 0.8)
        assert halfway["result"]["count"] == halfway["result"]["looked_at"] == 4
        assert repricing.run(system, operation_id, page=2) is None, "its lease still runs"
        with system.store.begin() as session:
            lapsed = session.wall_clock() - timedelta(seconds=1)
            session.connection.execute(update(t.operations).values(lease_until=lapsed))
            session.connection.execute(t.outbox.delete())
        clock.requeue_operations(system)
        with system.store.begin() as session:
            assert ("reprice", {"operation_id": operation_id}) in [row[1:] for row in session.notices.waiting(100)]
        assert repricing.run(system, operation_id, page=2) == "succeeded"
        result = operator.get(f"/v1/operations/{operation_id}").json["result"]
        assert {line["request_id"] for line in result["adjustments"]} == ids
        assert (result["count"], result["looked_at"], result["amount"]) == (5, 5, -39_000)
        for request_id in ids:
            assert len(pleiku.get(f"/v1/requests/{request_id}").json["quote"]["adjustments"]) == 1
        assert types_told(pleiku).count("fee.corrected") == 5

    def test_a_page_that_fails_leaves_no_half_of_it(
        self, operator: Api, pleiku: Api, charged: Any, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request_id = charged()
        before = pleiku.get(f"/v1/requests/{request_id}").json
        told = {"province_code": "64", "from": "2020-03-23", "to": "2020-03-26", "dry_run": False}
        operation_id = operator.post("/v1/admin/reprice", told, at=AFTER).json["id"]

        def dies(*_: Any, **__: Any) -> None:
            raise Died

        with monkeypatch.context() as patch:
            patch.setattr(repricing.notifying, "publish_many", dies)
            with pytest.raises(Died):
                repricing.run(system, operation_id)
        assert pleiku.get(f"/v1/requests/{request_id}").json == before
        assert "fee.corrected" not in types_told(pleiku)

    def test_a_cancelled_repricing_stops_at_the_next_page(
        self, operator: Api, pleiku: Api, charged: Any, system: System
    ) -> None:
        for _ in range(3):
            charged()
        told = {"province_code": "64", "from": "2020-03-23", "to": "2020-03-26", "dry_run": False}
        operation_id = operator.post("/v1/admin/reprice", told, at=AFTER).json["id"]
        with pytest.raises(Died):
            repricing.run(Mortal(system, 2), operation_id, page=1)  # type: ignore[arg-type]
        assert operator.post(f"/v1/operations/{operation_id}/cancel").status_code == 200
        assert repricing.run(system, operation_id, page=1) is None
        assert types_told(pleiku).count("fee.corrected") == 1

    def test_a_spell_that_is_over_hands_the_rest_to_the_next_task(
        self, operator: Api, charged: Any, system: System
    ) -> None:
        charged()
        told = {"province_code": "64", "from": "2020-03-23", "to": "2020-03-26", "dry_run": False}
        operation_id = operator.post("/v1/admin/reprice", told, at=AFTER).json["id"]
        assert repricing.run(system, operation_id, spell_s=0) == "queued"
        clock.requeue_operations(system)
        assert operator.get(f"/v1/operations/{operation_id}").json["status"] == "queued"
        assert repricing.run(system, operation_id) == "succeeded"

    def test_webhooks_owe_every_corrected_fee(self, operator: Api, pleiku: Api, charged: Any, system: System) -> None:
        hook = {"url": "https://shop.example/hook", "types": ["fee.*"]}
        assert pleiku.post("/v1/webhooks", hook).status_code == 201
        ids = [charged() for _ in range(3)]
        with system.store.begin() as session:
            session.connection.execute(t.deliveries.delete())
        assert reprice(operator, system)["count"] == len(ids)
        with system.store.begin() as session:
            owed = session.connection.execute(select(func.count()).select_from(t.deliveries)).scalar_one()
            queued = [args for _, task, args in session.notices.waiting(1000) if task == "deliver"]
        assert owed == 3 and len(queued) >= 3
