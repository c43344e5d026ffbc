"""What couriers' scans teach: each stop once, nonsense aside; then plans, promises and points fit the ground."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.flows import learning
from dispatch.flows.fieldwork import CourierEvent, merge
from dispatch.flows.learnt import demand, known_door, learnt
from dispatch.live.learning import NOTHING, learn_rides
from dispatch.live.learning import Observed as Ridden
from dispatch.store.rows import Task
from tests.flows.post_day import DAY, MODE, PostDay, at, greedy
from tests.flows.test_forecasting import look, predicted

_numbers = itertools.count()
NEAR, FAR = "22330", "22363"
"""Two communes of Nha Trang."""
GOOD = {
    "collected": {"slip_signed": True, "signature": "s", "documents_checked": True},
    "delivered": {
        "signature": "s",
        "recipient": {"relation": "SELF", "name": "A", "id_type": "CCCD", "id_last4": "1234"},
    },
}


def home(number: int, commune: str = NEAR, **changes: Any) -> dict[str, Any]:
    """An address with a point of its own."""
    point = {"lat": 12.20 + (number * 37 % 100) / 1000, "lng": 109.17 + (number * 53 % 40) / 1000}
    return {"raw": f"{number} Trần Phú, Nha Trang", "commune_code": commune, "era": "2020", **point, **changes}


def scan(day: PostDay, type: str, when: datetime, task: Task | None, courier_id: str = "c1", **more: Any) -> None:
    """One event of a phone, brought at `when`."""
    ids = more.pop("request_ids", [task.request_id] if task else [])
    event = {
        "event_id": f"event-{next(_numbers):06d}",
        "device_seq": next(_numbers),
        "type": type,
        "stop_id": task.stop_id if task else None,
        "request_ids": ids,
        "at_device": when.isoformat(),
        "payload": GOOD.get(type, {}),
        **more,
    }
    with day.store.begin() as session:
        courier = session.network.courier(MODE, courier_id)
        assert courier is not None
        outcome = merge(session, day.scene(when), courier, CourierEvent.model_validate(event))
        assert outcome.result == "applied", outcome


def work(
    day: PostDay,
    ride_s: Callable[[str, str], int],
    service_s: int = 120,
    fix: Callable[[Task], dict[str, float]] = lambda task: {},
    begins: str = "08:30",
) -> list[Task]:
    """Let c1 work off his round, each ride so long as told by the sites it joins; the stops' first tasks."""
    tasks = day.open_tasks()["c1"]
    when, before, visited = at(begins), "", []
    for _, group in itertools.groupby(tasks, key=lambda one: one.stop_id):
        its = list(group)
        first = its[0]
        when += timedelta(seconds=ride_s(before, first.place["at"]) if before else 0)
        scan(day, "arrived", when, first, request_ids=[one.request_id for one in its])
        for one in its:
            when += timedelta(seconds=service_s)
            scan(day, "collected" if one.kind == "pickup" else "delivered", when, one, **fix(one))
        visited.append(first)
        before = first.place["at"]
    day.now = max(day.now, when + timedelta(hours=1))
    return visited


def observe(day: PostDay, mode: str = MODE) -> int:
    with day.store.begin() as session:
        found = learning.observe(session, day.scene(day.now), day, mode)
        learning.renew(session, mode, day.now)
    return found


def observations(day: PostDay) -> list[Any]:
    with day.store.begin() as session:
        return session.learning.observations(MODE, at("00:00"), at("23:59"), None, 1000)


@pytest.fixture
def round_of(day: PostDay) -> PostDay:
    """The only courier has a round to four citizens."""
    day.courier("c2", starts="07:30", ends="07:30")
    for number in range(1, 5):
        day.ask_for(number, address=home(number))
    day.plan_and_commit(solve=greedy)
    return day


def test_each_finished_stop_is_observed_once_and_compared_with_what_was_reckoned(round_of: PostDay) -> None:
    visited = work(round_of, lambda a, b: 900, service_s=420)
    assert observe(round_of) == len(visited) == 5
    assert observe(round_of) == 0, "a stop is observed once"
    seen = {row.stop_id: row for row in observations(round_of)}
    first, second = (seen[task.stop_id] for task in visited[:2])
    assert (first.site, first.site_id, first.area, first.province, first.items) == ("shop", "kh-1", NEAR, "56", 4)
    assert first.ride_s is None, "nobody knows where the first ride began"
    assert (first.service_s, first.service_planned_s) == (4 * 420, 4 * 60)
    assert (second.site, second.site_id, second.from_area, second.ride_s) == ("citizen", None, NEAR, 900)
    assert second.off_s == round(
        (at("08:30") + timedelta(seconds=4 * 420 + 900) - visited[1].planned_at).total_seconds()
    )
    assert second.ride_planned_s > 120 and second.service_planned_s == 210


def test_a_stop_is_left_alone_until_it_has_settled_and_while_papers_wait_at_it(round_of: PostDay) -> None:
    tasks = round_of.open_tasks()["c1"]
    scan(round_of, "arrived", at("08:30"), tasks[0])
    scan(round_of, "collected", at("08:32"), tasks[0])
    round_of.now = at("09:30")
    assert observe(round_of) == 0, "three dossiers are still to be taken over there"
    for task in tasks[1:4]:
        scan(round_of, "collected", at("09:31"), task)
    round_of.now = at("09:35")
    assert observe(round_of) == 0
    round_of.now = at("09:42")
    assert observe(round_of) == 1


def test_what_was_no_ride_teaches_nothing(round_of: PostDay) -> None:
    shop, *doors = {task.stop_id: task for task in round_of.open_tasks()["c1"]}.values()
    everybody = [task.request_id for task in round_of.open_tasks()["c1"] if task.kind == "pickup"]
    scan(round_of, "arrived", at("08:30"), shop, request_ids=everybody)
    scan(round_of, "collected", at("08:35"), shop, request_ids=everybody)
    scan(round_of, "break_started", at("08:40"), None)
    scan(round_of, "break_ended", at("09:10"), None)
    scan(round_of, "arrived", at("09:20"), doors[0])
    scan(round_of, "delivered", at("09:25"), doors[0])
    scan(round_of, "delivered", at("09:40"), doors[1])  # he forgot to say that he was there
    scan(round_of, "arrived", at("13:40"), doors[2])  # four hours for a ride of minutes
    scan(round_of, "delivered", at("13:45"), doors[2])
    round_of.now = at("15:00")
    assert observe(round_of) == 4
    seen = {row.stop_id: row for row in observations(round_of)}
    assert seen[doors[0].stop_id].ride_s is None and seen[doors[0].stop_id].service_s == 300
    assert seen[doors[1].stop_id].ride_s is None and seen[doors[1].stop_id].service_s is None
    assert seen[doors[1].stop_id].off_s is None
    assert seen[doors[2].stop_id].ride_s == 4 * 3600
    with round_of.store.begin() as session:
        known = learnt(session, MODE)
    assert known.everywhere is not None and known.everywhere.median == pytest.approx(math.log(6)), "clipped"


def test_who_was_early_and_waited_rode_no_longer_for_it(round_of: PostDay) -> None:
    names = ("id", "position", "stop_id", "planned_at", "leg_m", "place", "locked")
    with round_of.store.begin() as session:
        rows = [{name: getattr(task, name) for name in names} for task in round_of.open_tasks()["c1"]]
        session.planning.change_tasks([row | {"planned_at": row["planned_at"] + timedelta(hours=1)} for row in rows])
    shop, *doors = {task.stop_id: task for task in round_of.open_tasks()["c1"]}.values()
    everybody = [task.request_id for task in round_of.open_tasks()["c1"] if task.kind == "pickup"]
    planned_at = doors[0].planned_at
    scan(round_of, "arrived", planned_at - timedelta(minutes=40), shop, request_ids=everybody)
    scan(round_of, "collected", planned_at - timedelta(minutes=35), shop, request_ids=everybody)
    scan(round_of, "arrived", planned_at, doors[0])
    scan(round_of, "delivered", planned_at + timedelta(minutes=4), doors[0])
    # From there on he is early still, but does not wait.
    scan(round_of, "arrived", planned_at + timedelta(minutes=9), doors[1])
    scan(round_of, "delivered", planned_at + timedelta(minutes=12), doors[1])
    round_of.now = at("15:00")
    observe(round_of)
    seen = {row.stop_id: row for row in observations(round_of)}
    assert seen[doors[0].stop_id].ride_s is None and seen[doors[0].stop_id].off_s == 0
    assert seen[doors[1].stop_id].ride_s == 300


def test_a_scan_taken_back_was_never_there(round_of: PostDay) -> None:
    shop = round_of.open_tasks()["c1"][0]
    scan(round_of, "arrived", at("08:30"), shop, event_id="mistaken-1")
    scan(round_of, "undone", at("08:31"), shop, payload={"event_id": "mistaken-1"})
    with round_of.store.begin() as session:
        told = session.learning.scans(MODE, "c1", at("00:00"), at("23:00"))
    assert [row.type for row in told] == ["undone"]


def seen_rides(day: PostDay, count: int, pair: tuple[str, str], ratio: float, service: float = 1.0) -> None:
    """What so many finished stops of the days before leave behind."""
    with day.store.begin() as session:
        row = {
            "mode": MODE,
            "courier_id": "c1",
            "site": "shop",
            "site_id": "kh-1",
            "province": "56",
            "band": 0,
            "from_area": pair[0],
            "area": pair[1],
            "items": 1,
            "ride_planned_s": 600,
            "off_s": 0,
            "ride_s": round(600 * ratio),
            "service_s": round(60 * service),
            "service_planned_s": 60,
            "finished_at": day.now - timedelta(days=1),
            "created_at": day.now,
        }
        session.learning.observe([{**row, "stop_id": f"old-{next(_numbers)}"} for _ in range(count)], [])
        learning.renew(session, MODE, day.now)


def planned(day: PostDay) -> list[tuple[str, datetime]]:
    (route,) = day.draft(solve=greedy).body["routes"]
    return [(stop["kind"], datetime.fromisoformat(stop["planned_at"])) for stop in route["stops"]]


def test_a_pass_learnt_to_be_slow_makes_later_plans_and_later_promises(day: PostDay) -> None:
    day.courier("c2", starts="07:30", ends="07:30")
    day.ask_for(1, address=home(1, FAR))
    (_, taken), (_, reached) = planned(day)
    before = reached - taken - timedelta(seconds=60)
    seen_rides(day, 80, (NEAR, FAR), 2.0)
    (_, taken), (_, reached) = planned(day)
    after = reached - taken - timedelta(seconds=60)
    assert 1.7 * before < after < 2.1 * before
    with day.store.begin() as session:
        known, other = learnt(session, MODE), learnt(session, "test")
    assert known.model == f"learnt-{DAY.isoformat()}/80" and other is NOTHING, "the worlds stay apart"


def test_forecasts_are_made_with_what_was_learnt_and_name_it(day: PostDay) -> None:
    day.courier("c2", starts="07:30", ends="07:30")
    for number in range(1, 7):
        day.ask_for(number, kind="pickup", address=home(number, FAR))
    day.plan_and_commit(solve=greedy)
    last = [task.request_id for task in day.open_tasks()["c1"] if task.kind == "pickup"][-1]
    look(day, last)
    before = predicted(day, last)
    seen_rides(day, 80, (FAR, FAR), 2.0)
    look(day, last)
    after = predicted(day, last)
    assert after["model"] == f"learnt-{DAY.isoformat()}/80" != before["model"]
    later = datetime.fromisoformat(after["p50"]) - datetime.fromisoformat(before["p50"])
    assert later > timedelta(minutes=10), "six rides through slow streets"


def test_a_slow_counter_is_given_the_time_it_takes(day: PostDay) -> None:
    day.courier("c2", starts="07:30", ends="07:30")
    for number in (1, 2, 3):
        day.ask_for(number, address=home(number))
    (_, taken), (_, first), *_ = planned(day)
    before = first - taken
    seen_rides(day, 80, (NEAR, NEAR), 1.0, service=5.0)
    (_, taken), (_, first), *_ = planned(day)
    assert first - taken > before + timedelta(seconds=3 * 60 * 3), "three dossiers, some four minutes longer each"


def test_the_database_reckons_as_the_pure_functions_do(day: PostDay) -> None:
    ratios = [(NEAR, FAR, 0.5), (NEAR, FAR, 1.5), (NEAR, FAR, 2.5), (FAR, NEAR, 9.0), (NEAR, NEAR, 1.1)]
    for origin, destination, ratio in ratios:
        seen_rides(day, 1, (origin, destination), ratio)
    with day.store.begin() as session:
        found = learnt(session, MODE)
    logs = [(a, b, math.log(min(6.0, round(600 * ratio) / 600))) for a, b, ratio in ratios]
    pure = learn_rides([Ridden(a, b, "56", 0, log) for a, b, log in logs])
    assert found.rides.keys() == pure.rides.keys() and found.home == pure.home
    for key, seen in pure.rides.items():
        assert found.rides[key].count == seen.count
        assert found.rides[key].median == pytest.approx(seen.median)
        assert found.rides[key].deviation == pytest.approx(seen.deviation)
    assert found.everywhere is not None and pure.everywhere is not None
    assert found.everywhere.median == pytest.approx(pure.everywhere.median)
    assert found.provinces["56"].deviation == pytest.approx(pure.provinces["56"].deviation)


def beside(lat: float, lng: float, metres: float, accuracy_m: float = 12.0) -> dict[str, float]:
    return {"lat": lat + metres / 111_195, "lng": lng, "accuracy_m": accuracy_m}


def test_a_door_scanned_twice_at_one_place_is_known_to_the_next_request(day: PostDay) -> None:
    day.courier("c2", starts="07:30", ends="07:30")
    written = {"raw": "12 Trần Phú, phường Vĩnh Hải, Nha Trang", "commune_code": NEAR, "era": "2020"}
    door = (12.2731, 109.2011)
    shifts = iter([0.0, 20.0])

    def point(number: int) -> dict[str, Any]:
        with day.store.begin() as session:
            found = session.consignments.get(MODE, day.ask_for(number, address=written))
        assert found is not None
        return found.address

    assert point(1)["precision"] == "commune"
    found: dict[str, Any] = {}
    for number, begins in ((2, "08:30"), (3, "14:00")):
        day.plan_and_commit(solve=greedy)
        fix = beside(*door, next(shifts))
        work(day, lambda a, b: 600, fix=lambda task, fix=fix: fix if task.kind == "delivery" else {}, begins=begins)
        observe(day)
        found = point(number)
        assert found["precision"] == ("commune" if number == 2 else "learnt"), "one scan is not enough"
        day.now = at("13:40")
    assert abs(found["lat"] - door[0]) < 0.0002 and abs(found["lng"] - door[1]) < 0.0002
    with day.store.begin() as session:
        assert known_door(session, MODE, "14 Trần Phú, phường Vĩnh Hải, Nha Trang", NEAR, "0905") is None
        assert known_door(session, "test", written["raw"], NEAR, "0905") is None, "the worlds stay apart"
        session.learning.forget(day.now + timedelta(days=1))
        assert known_door(session, MODE, written["raw"], NEAR, "0905") is None
        assert session.learning.observations(MODE, at("00:00"), at("23:59"), None, 10) == []


def test_what_shops_ask_for_is_counted_by_their_local_hours(day: PostDay) -> None:
    for number in (1, 2, 3):
        day.ask_for(number)
    day.pass_time(hours=2)
    day.ask_for(4, shop="kh-2")
    day.pass_time(hours=1)
    with day.store.begin() as session:
        found = demand(session, MODE, day.now)
        assert demand(session, "test", day.now) == {} == demand(session, MODE, day.now, "64")
    monday = DAY.isoweekday()
    assert found["kh-1", monday, 8] > found["kh-1", monday % 5 + 1, 8] > 0
    assert ("kh-1", monday, 10) not in found and found["kh-2", monday, 10] > 0
