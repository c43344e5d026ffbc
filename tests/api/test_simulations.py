"""What an operator relies on when asking what would have been: an operation, its result, refusals that say where."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch.bootstrap import System
from dispatch.flows import simulating
from dispatch.rehearsal import rehearse
from tests.api.conftest import NOON, Api
from tests.rehearsal.days import small_day

DAY = small_day(3, requests=12, couriers=2)


def test_a_made_day_is_run_and_told_in_short_and_whole(operator: Api, system: System) -> None:
    asked = operator.post("/v1/simulations", {"scenario": DAY, "strategy": "insertion", "couriers": 3}, at=NOON)
    assert asked.status_code == 202, asked.text
    assert operator.get(f"/v1/simulations/{asked.json['id']}/result").status_code == 404, "not yet"
    assert simulating.run(system, asked.json["id"], rehearse) == "succeeded"
    ended = operator.get(asked.headers["Location"]).json
    assert (ended["kind"], ended["status"], ended["progress"]) == ("simulate", "succeeded", 1.0)
    assert [one["id"] for one in ended["result"]["couriers"]] == ["c0", "c1", "c0+1"]
    whole = operator.get(f"/v1/simulations/{asked.json['id']}/result").json
    assert whole["format"] == "dispatch-result/1" and len(whole["requests"]) == 12
    assert whole["metrics"] == ended["result"]["metrics"]


def test_a_simulation_is_not_for_shops_nor_for_the_other_world(operator: Api, system: System, shop: Api) -> None:
    assert shop.post("/v1/simulations", {"scenario": DAY}).status_code == 403
    asked = operator.post("/v1/simulations", {"scenario": DAY, "strategy": "nearest"}, at=NOON).json
    assert simulating.run(system, asked["id"], rehearse) == "succeeded"
    minted = operator.post("/v1/admin/keys", {"scope": "operator", "mode": "live"}).json["key"]
    live = operator.as_key(minted)
    assert live.get(f"/v1/simulations/{asked['id']}/result").status_code == 404
    assert live.get(f"/v1/operations/{asked['id']}").status_code == 404
    assert shop.get(f"/v1/simulations/{asked['id']}/result").status_code == 403


@pytest.mark.parametrize(
    ("wish", "code", "pointer"),
    [
        ({}, "validation_failed", ""),
        ({"scenario": DAY, "date": "2026-11-23"}, "validation_failed", ""),
        ({"province_code": "56"}, "validation_failed", ""),
        ({"province_code": "56", "office_id": "nt", "date": "2026-11-23"}, "validation_failed", ""),
        ({"province_code": "56", "date": "2026-11-24"}, "date_in_future", "/date"),
        ({"office_id": "nt", "date": "2026-11-22"}, "unknown_area", "/office_id"),
        ({"scenario": DAY, "couriers": 0}, "validation_failed", "/couriers"),
        ({"scenario": DAY, "couriers": {"remove": ["c9"]}}, "validation_failed", "/couriers/remove"),
        ({"scenario": DAY, "curve": {"from": 5, "to": 2}}, "validation_failed", "/curve"),
        ({"scenario": DAY, "couriers": 2, "curve": {"from": 1, "to": 2}}, "validation_failed", ""),
        ({"scenario": DAY, "strategy": "best"}, "validation_failed", "/strategy"),
        ({"scenario": DAY, "shift": [64_800, 27_000]}, "validation_failed", ""),
        ({"scenario": DAY, "colour": "red"}, "validation_failed", "/colour"),
        ({"scenario": {**DAY, "noise": {"sigma": -1, "seed": 1}}}, "validation_failed", "/scenario/noise/sigma"),
        ({"scenario": {**DAY, "requests": 7}}, "validation_failed", "/scenario/requests"),
        ({"scenario": small_day(1, requests=100), "work": 5.0}, "simulation_too_large", None),
    ],
)
def test_a_wish_that_cannot_be_meant_is_refused_where_it_is_wrong(
    operator: Api, wish: dict[str, Any], code: str, pointer: str | None
) -> None:
    refused = operator.post("/v1/simulations", wish, at=NOON)
    assert (refused.status_code, refused.json["code"]) == (422, code), refused.text
    if pointer is not None:
        assert refused.json["errors"][0]["pointer"].startswith(pointer), refused.text
