"""What an operator relies on when something was a mistake: one call, within a minute, takes it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch.bootstrap import System
from tests.api.conftest import NOON, Api
from tests.api.test_planning import draft, rider
from tests.api.test_sites import audited

Body = Callable[..., dict[str, Any]]
LATER = "2026-11-23T10:00:40+07:00"
TOO_LATE = "2026-11-23T10:01:01+07:00"

__all__ = ["rider"]


def _asked(shop: Api, body: Body) -> str:
    made: str = shop.post("/v1/requests", body(), at=NOON).json["id"]
    return made


def test_a_commit_is_taken_back_within_a_minute(
    operator: Api, system: System, shop: Api, body: Body, rider: str
) -> None:
    ids = sorted(_asked(shop, body) for _ in range(3))
    plan_id = draft(operator, system)
    assert operator.post(f"/v1/plans/{plan_id}/commit", at=NOON, headers={"If-Match": '"1"'}).status_code == 200
    scan = {"event": "collected", "at": "2026-11-23T10:00:20+07:00"}
    assert operator.post(f"/v1/test/requests/{ids[0]}/advance", scan).status_code == 200
    told = operator.post("/v1/undo", at=LATER)
    assert told.status_code == 200, told.text
    assert told.json["undone"] == {"kind": "commit", "subject": plan_id, "at": NOON}
    assert told.json["restored"] == ids[1:]
    (kept,) = told.json["kept"]
    assert kept["request_id"] == ids[0] and kept["reason"]["vi"] and kept["reason"]["en"]
    assert [shop.get(f"/v1/requests/{one}").json["status"] for one in ids] == ["COLLECTED", "DISPATCHED", "DISPATCHED"]
    assert operator.get(f"/v1/plans/{plan_id}").json["status"] == "draft"
    assert audited(system)[-1] == ("commit.undone", plan_id)


def test_an_undo_sent_twice_takes_back_one_deed(operator: Api, shop: Api, body: Body, rider: str) -> None:
    first, second = _asked(shop, body), _asked(shop, body)
    for request_id in (first, second):
        operator.post(f"/v1/requests/{request_id}/assign", {"courier_id": rider}, at=NOON)
    once = operator.post("/v1/undo", at=LATER, headers={"Idempotency-Key": "pressed-twice"})
    twice = operator.post("/v1/undo", at=LATER, headers={"Idempotency-Key": "pressed-twice"})
    assert once.json == twice.json and once.json["restored"] == [second]
    assert twice.headers["Idempotent-Replayed"] == "true"
    assert operator.get(f"/v1/requests/{first}").json["status"] == "ASSIGNED"


def test_too_late_or_nothing_done_is_refused(operator: Api, shop: Api, body: Body, rider: str) -> None:
    nothing = operator.post("/v1/undo", at=NOON)
    assert (nothing.status_code, nothing.json["code"]) == (409, "nothing_to_undo")
    operator.post(f"/v1/requests/{_asked(shop, body)}/assign", {"courier_id": rider}, at=NOON)
    late = operator.post("/v1/undo", at=TOO_LATE)
    assert (late.status_code, late.json["code"]) == (409, "nothing_to_undo")
    other = operator.post("/v1/admin/keys", {"scope": "operator", "mode": "test"}).json["key"]
    foreign = operator.as_key(other).post("/v1/undo", at=LATER)
    assert (foreign.status_code, foreign.json["code"]) == (409, "nothing_to_undo")
    assert shop.post("/v1/undo", at=LATER).status_code == 403
    assert operator.post("/v1/undo", at=LATER).status_code == 200
