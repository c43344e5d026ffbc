"""A past day run again: it is that day, of that world, and what may not leave the database does not."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from dispatch.domain.errors import Invalid
from dispatch.flows import bygone, planning, simulating
from dispatch.flows.snapshot import Area
from dispatch.rehearsal import read, rehearse
from tests.flows.post_day import AREA, DAY, MODE, PostDay, at

QUICK = {"strategy": "insertion", "seed": 3}


def ask(day: PostDay, wish: dict[str, Any] | None = None, mode: str = MODE, on: date = DAY) -> str:
    told: dict[str, Any] = {"area": AREA, "day": on, "scenario": None, "owner": "test"}
    with day.store.begin() as session:
        full = {"work": 1.0, **QUICK, **(wish or {})}
        return simulating.ask(session, day.scene(day.now), mode=mode, wish=full, **told)


def bygone_day(day: PostDay, mode: str = MODE) -> bygone.Bygone:
    with day.store.begin() as session:
        scene = day.scene(day.now)
        return bygone.day_of(session, scene, day.places, day.travel, mode, Area.parse(AREA), DAY)


def result_of(day: PostDay, wish: dict[str, Any] | None = None) -> Any:
    operation_id = ask(day, wish)
    assert simulating.run(day, operation_id, rehearse) == "succeeded", day.operation(operation_id).error
    return day.operation(operation_id).result


def test_a_past_day_has_its_notices_shifts_hours_and_cancellations(day: PostDay) -> None:
    first = day.ask_for(1)
    day.pass_time(minutes=30)
    second = day.ask_for(2, kind="pickup", shop="kh-2")
    day.pass_time(minutes=10)
    day.happens(second, "cancelled")
    day.now = at("20:00")
    scenario = bygone_day(day).scenario
    told = {one["id"]: one for one in scenario["requests"]}
    assert list(told) == [f"{first}/return", f"{second}/pickup"]
    assert told[f"{first}/return"]["reveal_at"] == 8 * 3600 and told[f"{first}/return"]["cancel_at"] is None
    assert told[f"{second}/pickup"]["reveal_at"] == 8 * 3600 + 1800
    assert told[f"{second}/pickup"]["cancel_at"] == 8 * 3600 + 2400
    assert told[f"{first}/return"]["due_at"] == 12 * 3600, "four hours in Khánh Hòa"
    assert told[f"{first}/return"]["pickup"] == {"site": "kh-1"}
    assert told[f"{second}/pickup"]["delivery"] == {"site": "kh-2:intake"}
    assert {site["id"]: site["open"][0][0] for site in scenario["sites"]} == {"kh-1": 27_000, "kh-2:intake": 27_000}
    assert [(one["id"], one["shift"]) for one in scenario["couriers"]] == [
        ("c1", [27_000, 64_800]),
        ("c2", [27_000, 64_800]),
    ]
    read(json.dumps(scenario))


def test_what_was_over_before_or_is_not_known_yet_is_not_of_the_day(day: PostDay) -> None:
    evening = at("16:00") - timedelta(days=3)  # the Friday before
    day.now = evening
    waiting, gone, carried = (day.ask_for(number) for number in (1, 2, 3))
    day.happens(gone, "cancelled")
    for event in ("assigned", "collected"):
        day.happens(carried, event, "c1", slip_signed=True, signature="s", documents_checked=True)
    day.now = at("08:00")
    lost = day.ask_for(4, address={"raw": "đường làng, gần chợ"})
    day.now = at("10:00")
    late = day.ask_for(5)
    day.now = at("09:00")
    found = bygone_day(day)
    assert [one["id"] for one in found.scenario["requests"]] == [f"{waiting}/return"]
    assert found.scenario["requests"][0]["reveal_at"] == 0
    assert found.left_out == {"address_unknown": 1, "carried_over": 1}, (lost, late)


def test_another_world_is_never_seen(day: PostDay) -> None:
    day.ask_for(1)
    with pytest.raises(Invalid) as nowhere:
        ask(day, mode="test")
    assert nowhere.value.code == "unknown_area"
    assert bygone_day(day, "test").scenario["requests"] == []
    operation_id = ask(day)
    assert simulating.run(day, operation_id, rehearse) == "succeeded"
    with day.store.begin() as session:
        assert session.past.simulation(MODE, operation_id) is not None
        assert session.past.simulation("test", operation_id) is None


def test_rides_are_as_long_as_the_service_reckons_them(day: PostDay) -> None:
    for number in range(1, 25):
        day.ask_for(number)
    scenario = read(json.dumps(bygone_day(day).scenario))
    from dispatch.rehearsal.world import Legs
    from routing.travel import Point, Terrain

    legs = Legs(scenario)
    points = list({one.delivery.point for one in scenario.requests})[:12]
    seconds, metres = day.travel.matrix([Point(*point, Terrain.TOWN) for point in points])
    fitted = [legs.leg(a, b) for a in points for b in points]
    assert sum(s for s, _ in fitted) == pytest.approx(int(seconds.sum()), rel=0.12)
    assert sum(m for _, m in fitted) == pytest.approx(int(metres.sum()), rel=0.12)


def test_a_result_tells_figures_and_ids_and_nobodys_name(day: PostDay) -> None:
    ids = [day.ask_for(number) for number in range(1, 9)]
    day.ask_for(99, address={"raw": "đường làng, gần chợ"})
    operation_id = ask(day)
    assert simulating.run(day, operation_id, rehearse) == "succeeded"
    result = day.operation(operation_id).result
    assert result["metrics"]["requests"] == 8 and result["metrics"]["met_share"] == 1.0
    assert result["left_out"] == {"address_unknown": 1} and result["whole"] is True
    assert sum(courier["delivered"] for courier in result["couriers"]) == 8
    with day.store.begin() as session:
        whole = session.past.simulation(MODE, operation_id)
    assert {one["id"] for one in whole["requests"]} == {f"{name}/return" for name in ids}
    told = json.dumps([result, whole])
    assert "Nguyễn" not in told and "09051" not in told and "Trần Phú" not in told


def test_the_same_wish_gives_the_same_result(day: PostDay) -> None:
    for number in range(1, 13):
        day.ask_for(number)
    first, second = (result_of(day, {"work": 1.5, "sigma": 0.2}) for _ in range(2))
    assert first["metrics"]["requests"] == 18
    for told in (first, second):
        told["metrics"] = {name: value for name, value in told["metrics"].items() if not name.startswith("replan_ms")}
    assert first == second
    assert result_of(day, {"work": 1.5, "sigma": 0.2, "seed": 4})["couriers"] != first["couriers"]


def test_a_curve_says_how_many_couriers_the_day_needs(day: PostDay) -> None:
    day.courier("c1", starts="07:30", ends="12:30")
    day.courier("c2", starts="07:30", ends="12:30")
    for number in range(1, 41):
        day.ask_for(number)
    result = result_of(day, {"curve": {"from": 1, "to": 8, "target": 0.98}})
    shares = {point["couriers"]: point["met_share"] for point in result["curve"]}
    enough = result["least_couriers"]
    assert shares[enough] >= 0.98 and 1 < enough < 8 and shares[enough - 1] < 0.98
    assert len(result["couriers"]) == enough
    assert day.open_tasks() == {}, "nothing real is touched"


def test_a_worker_that_dies_leaves_its_points_to_the_next(day: PostDay) -> None:
    for number in range(1, 5):
        day.ask_for(number)
    operation_id = ask(day, {"curve": {"from": 1, "to": 2, "target": 0.5}})
    seen: list[int] = []

    def counted(scenario: Any, wish: Any, known: list[Any], note: Any) -> Any:
        seen.append(len(known))
        return rehearse(scenario, wish, known, note)

    # A spell that is over at once gives the operation back after every point.
    assert simulating.run(day, operation_id, counted, spell_s=-1) == "queued"
    assert simulating.run(day, operation_id, counted) == "succeeded", "a lease given back may be taken at once"
    assert seen == [0, 1]
    assert [point["couriers"] for point in day.operation(operation_id).result["curve"]] == [1, 2]


def test_one_simulation_is_worked_at_at_a_time(day: PostDay) -> None:
    day.ask_for(1)
    first, second = ask(day), ask(day)

    def meanwhile(*told: Any) -> Any:
        assert simulating.run(day, second, rehearse) is None
        return rehearse(*told)

    assert simulating.run(day, first, meanwhile) == "succeeded"
    assert day.operation(second).status == "queued"
    assert simulating.run(day, second, rehearse) == "succeeded"


def test_a_cancelled_simulation_keeps_nothing(day: PostDay) -> None:
    day.ask_for(1)
    operation_id = ask(day, {"curve": {"from": 1, "to": 3, "target": 0.98}})

    def cancelled_meanwhile(*told: Any) -> Any:
        with day.store.begin() as session:
            planning.cancel(session, session.planning.operation(MODE, operation_id))
        return rehearse(*told)

    assert simulating.run(day, operation_id, cancelled_meanwhile) is None
    assert day.operation(operation_id).status == "cancelled" and day.operation(operation_id).result is None


def test_what_cannot_be_simulated_says_so(day: PostDay) -> None:
    nobody = ask(day)
    assert simulating.run(day, nobody, rehearse) == "failed"
    assert day.operation(nobody).error["code"] == "nothing_to_simulate"
    day.ask_for(1)
    unknown = ask(day, {"hours": {"kh-9": [[0, 10]]}})
    assert simulating.run(day, unknown, rehearse) == "failed"
    assert day.operation(unknown).error["code"] == "unknown_id"
    with pytest.raises(Invalid) as ahead:
        ask(day, on=DAY + timedelta(days=1))
    assert ahead.value.code == "date_in_future"
