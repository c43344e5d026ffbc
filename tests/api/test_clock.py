"""What nobody asks for and everybody relies on: promises that go bad are seen, work that was lost is found again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from dispatch import clock
from dispatch.bootstrap import System
from dispatch.clock import Duty
from dispatch.domain.errors import Unavailable
from dispatch.store import Session
from dispatch.store import tables as t
from tests.api.conftest import SHOP, Api

Body = Callable[..., dict[str, Any]]


def queued_plan(session: Session, at: datetime) -> None:
    """A plan that waits for a worker since `at`."""
    session.planning.add_operation(
        id="op_1",
        mode="live",
        kind="plan",
        owner="test",
        status="queued",
        progress=0.0,
        params={},
        created_at=at,
        updated_at=at,
    )


def make_overdue(system: System, request_id: str) -> None:
    """Move a promise's instants into the past, as three days of real time would."""
    with system.store.begin() as session:
        past = session.wall_clock() - timedelta(days=3)
        instants = json.dumps(
            dict.fromkeys(("clock_started_at", "warn_at", "due_at", "due_at_strict"), past.isoformat())
        )
        session.connection.execute(
            text(
                "update legs set promise = promise || cast(:instants as jsonb), promise_state = 'RUNNING', "
                "due_at = :past, next_check_at = :past where request_id = :id"
            ),
            {"instants": instants, "past": past, "id": request_id},
        )


def test_a_request_that_cannot_be_judged_holds_up_nobody_elses_promise(
    operator: Api, system: System, body: Body
) -> None:
    key = operator.post("/v1/admin/keys", {"scope": "operator", "mode": "live"}).json["key"]
    live = operator.as_key(key)
    live.put("/v1/admin/shops/kh-nha-trang", SHOP)
    broken, whole = (live.post("/v1/requests", body(shop_id="kh-nha-trang")).json["id"] for _ in range(2))
    for request_id in (broken, whole):
        make_overdue(system, request_id)
    with system.store.begin() as session:
        spoilt = update(t.legs).where(t.legs.c.request_id == broken).values(promise={"due_at": None})
        session.connection.execute(spoilt)
    clock.sweep_promises(system)
    with system.store.begin() as session:
        rows = session.connection.execute(select(t.legs.c.request_id, t.legs.c.promise_state)).all()
    assert dict(rows) == {broken: "RUNNING", whole: "BREACHED"}


def test_a_live_promise_that_runs_out_is_seen_and_told_and_a_test_one_waits_for_its_own_clock(
    operator: Api, system: System, body: Body
) -> None:
    made = {}
    for mode in ("live", "test"):
        key = operator.post("/v1/admin/keys", {"scope": "operator", "mode": mode}).json["key"]
        caller = operator.as_key(key)
        assert caller.put("/v1/admin/shops/kh-nha-trang", SHOP).status_code in (200, 201)
        answer = caller.post("/v1/requests", body(shop_id="kh-nha-trang"))
        assert answer.status_code == 201, answer.text
        made[mode] = (caller, answer.json["id"])
        make_overdue(system, answer.json["id"])
    clock.sweep_promises(system)
    clock.sweep_promises(system)
    live, live_id = made["live"]
    assert live.get(f"/v1/requests/{live_id}").json["promise"][0]["state"] == "BREACHED"
    told = [entry["type"] for entry in live.get("/v1/events?shop_id=kh-nha-trang").json["data"]]
    assert told.count("promise.breached") == 1
    with system.store.begin() as session:
        legs = session.connection.execute(select(t.legs.c.promise_state).where(t.legs.c.mode == "test")).scalars().all()
    assert legs == ["RUNNING"]


def test_one_duty_that_fails_does_not_stop_the_others(system: System) -> None:
    done: list[str] = []

    def break_down(_: System) -> None:
        raise ZeroDivisionError

    def unavailable(_: System) -> None:
        raise Unavailable(code="database_unavailable", vi="…", en="…", permanent=False)

    work = [Duty("a", 1.0, break_down), Duty("b", 1.0, unavailable), Duty("c", 1.0, lambda _: done.append("c"))]
    for now_s in (100.0, 100.5, 101.0, 102.5):
        for duty in work:
            duty.attend(system, now_s)
    assert done == ["c", "c", "c"], "each in its own rhythm, whatever the others do"
    assert [duty.failing for duty in work] == [True, True, False]


def test_a_plan_whose_task_was_lost_is_queued_again_and_only_once_by_two_clocks(system: System) -> None:
    with system.store.begin() as session:
        long_ago = session.wall_clock() - timedelta(seconds=11)
        for name, status, lease in (
            ("op_lost", "queued", None),
            ("op_orphan", "running", long_ago),
            ("op_busy", "running", session.wall_clock() + timedelta(minutes=1)),
            ("op_done", "succeeded", None),
        ):
            session.planning.add_operation(
                id=name,
                mode="live",
                kind="plan",
                owner="test",
                status=status,
                progress=0.0,
                params={},
                lease_until=lease,
                created_at=long_ago,
                updated_at=long_ago,
            )
        session.connection.execute(t.outbox.delete())
    clock.requeue_operations(system)
    clock.requeue_operations(system)
    with system.store.begin() as session:
        queued = sorted(args["operation_id"] for _, task, args in session.notices.waiting(100) if task == "plan")
    assert queued == ["op_lost", "op_orphan"]


@pytest.mark.parametrize("waiting_in_outbox", [False, True])
def test_what_only_waits_for_the_relay_is_not_taken_for_lost(system: System, waiting_in_outbox: bool) -> None:
    with system.store.begin() as session:
        at = session.wall_clock() - timedelta(seconds=30)
        queued_plan(session, at)
        if waiting_in_outbox:
            session.notices.enqueue("plan", {"operation_id": "op_1"}, at)
    clock.requeue_operations(system)
    with system.store.begin() as session:
        assert len(session.notices.waiting(10)) == 1


def test_old_answers_and_carried_tasks_are_forgotten_and_nothing_younger(system: System) -> None:
    with system.store.begin() as session:
        now = session.wall_clock()
        for age_h in (71, 95, 97):
            answer = {"owner": "key:1", "route": "POST /v1/requests", "key": f"{age_h} h", "fingerprint": "f"}
            kept_at = now - timedelta(hours=age_h)
            session.access.remember({**answer, "status": 201, "headers": {}, "body": "{}", "created_at": kept_at})
        session.connection.execute(t.outbox.delete())
        for age_h, sent in ((1, True), (25, True), (25, False)):
            at = now - timedelta(hours=age_h)
            session.connection.execute(
                insert(t.outbox).values(task="deliver", args={}, created_at=at, sent_at=at if sent else None)
            )
    clock.forget(system)
    with system.store.begin() as session:
        kept = session.connection.execute(select(t.idempotency.c.key).order_by(t.idempotency.c.key)).scalars().all()
        carried = session.connection.execute(select(func.count()).select_from(t.outbox)).scalar_one()
    assert kept == ["71 h", "95 h"] and carried == 2


def test_a_clock_set_back_delays_but_breaks_nothing(system: System) -> None:
    with system.store.begin() as session:
        ahead = session.wall_clock() + timedelta(hours=1)
        queued_plan(session, ahead)
        session.access.beat("clock", ahead, {})
    work = clock.duties()
    for duty in work:
        duty.attend(system, 1000.0)
    assert not any(duty.failing for duty in work)
    with system.store.begin() as session:
        queued = [row_id for row_id, _, _ in session.notices.waiting(10)]
        session.notices.mark_sent(queued, session.wall_clock())  # what the duties queued, a relay hands over
        session.connection.execute(update(t.operations).values(updated_at=session.wall_clock() - timedelta(minutes=1)))
    clock.requeue_operations(system)
    with system.store.begin() as session:
        assert [args for _, _, args in session.notices.waiting(10)] == [{"operation_id": "op_1"}]
        assert session.access.heartbeats()["clock"][0] < ahead
