"""Remote communes are called on on their service days only, and nobody is dropped in silence for it."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch.flows import assigning
from dispatch.flows.communes import Communes, next_served
from dispatch.store import gazetteer
from dispatch.store.sites import CommuneSetting
from tests.flows.post_day import DAY, MODE, OFFICE, PostDay, at, greedy

OLD = ("22330", "2020")
"""Phường Vĩnh Hải as it was."""
PLACES = gazetteer.load()


def door(code: str, era: str) -> dict[str, Any]:
    return {"raw": "12 Trần Phú", "commune_code": code, "era": era, "lat": 12.26, "lng": 109.19}


def serve(day: PostDay, commune: tuple[str, str], *days: str, terrain: str | None = None) -> None:
    code, era = commune
    with day.store.begin() as session:
        values = {"service_days": list(days), "area_class": None, "terrain": terrain}
        session.sites.put_commune(MODE, era, code, values, day.now)


def today_of(code: str) -> tuple[str, str]:
    old = PLACES.get(code, "2020")
    assert old is not None
    (new,) = PLACES.today(old)
    return new.code, new.era


def unserved(day: PostDay) -> list[tuple[str, str, str | None]]:
    body = day.draft(solve=greedy).body
    return [
        (line["request_id"], line["code"], (line["change"] or {}).get("to"))
        for line in body["unserved"]
        if line["reason"]["vi"] and line["reason"]["en"]
    ]


@pytest.mark.parametrize("kind", ["pickup", "return"])
def test_gl05_a_commune_is_not_called_on_between_its_service_days(day: PostDay, kind: str) -> None:
    serve(day, OLD, "tue", "fri")
    remote = day.ask_for(1, kind=kind, address=door(*OLD))
    day.ask_for(2, kind=kind)
    assert unserved(day) == [(remote, "no_service_day", "2026-11-24T07:30:00+07:00")]
    serve(day, OLD, "mon")
    assert unserved(day) == [], "today is a Monday"
    serve(day, OLD)
    assert unserved(day) == [], "no days named: every day"


def test_the_next_service_day_may_be_a_week_away(day: PostDay) -> None:
    serve(day, OLD, "sun")
    remote = day.ask_for(1, kind="pickup", address=door(*OLD))
    assert unserved(day) == [(remote, "no_service_day", "2026-11-29T07:30:00+07:00")]


def test_service_days_told_for_the_commune_of_today_hold_for_its_old_name_and_back(day: PostDay) -> None:
    today = today_of(OLD[0])
    serve(day, today, "wed")
    first = day.ask_for(1, kind="pickup", address=door(*OLD))
    assert unserved(day) == [(first, "no_service_day", "2026-11-25T07:30:00+07:00")]
    serve(day, today)
    new = PLACES.get(*today)
    assert new is not None
    for old in PLACES.before(new):
        serve(day, (old.code, old.era), "thu")
    day.ask_for(2, kind="pickup", address=door(*today))
    assert unserved(day) == [(first, "no_service_day", "2026-11-26T07:30:00+07:00")], "its own word says every day"
    with day.store.begin() as session:
        found = Communes.of(PLACES, [one for one in session.sites.commune_settings(MODE) if one.era == "2020"])
    assert found.service_days(*today) == {3}


def test_a_joined_commune_is_held_to_service_days_only_where_all_its_parts_are() -> None:
    new = next(one for one in PLACES if one.era == "2025" and len(PLACES.before(one)) == 3)
    parts = PLACES.before(new)

    def told(*days: list[str]) -> frozenset[int]:
        settings = [
            CommuneSetting(MODE, "2020", part.code, named, None, None, at("08:00"))
            for part, named in zip(parts, days, strict=False)
        ]
        return Communes.of(PLACES, settings).service_days(new.code, "2025")

    assert told(["mon"], ["mon", "thu"], ["fri"]) == {0, 3, 4}
    assert told(["mon"], ["mon"]) == frozenset(), "nobody knows which part the citizen lives in"
    assert told(["mon"], ["mon"], []) == frozenset()
    assert Communes.of(PLACES, []).service_days(new.code, "2025") == frozenset()


def test_a_coordinator_may_still_send_somebody_on_another_day(day: PostDay) -> None:
    serve(day, OLD, "fri")
    remote = day.ask_for(1, kind="pickup", address=door(*OLD))
    with day.store.begin() as session:
        request = session.consignments.get(MODE, remote)
        assert request is not None
        told = assigning.assign(session, day.scene(day.now), day.places, day.travel, request, "c1", None, False, "test")
    assert ("outside_hours", remote) in [(one["code"], one["request_id"]) for one in told], "he is told what it breaks"
    assert day.holders() == {remote: "c1"}


def test_the_terrain_an_operator_names_slows_the_ride(day: PostDay) -> None:
    day.ask_for(1, kind="pickup", address=door(*OLD))
    quick = day.draft(solve=greedy).body["routes"][0]["stops"][0]["planned_at"]
    serve(day, OLD, terrain="high_mountain")
    slow = day.draft(solve=greedy).body["routes"][0]["stops"][0]["planned_at"]
    assert slow > quick


def test_kh07_of_two_couriers_at_one_place_the_one_of_the_public_service_force_rides(day: PostDay) -> None:
    with day.store.begin() as session:
        known = session.network.courier(MODE, "c2")
        assert known is not None
        values = {"name": "HCC", "phone": known.phone, "pin_hash": "-", "home_office_id": "nt", "skills": ["HCC"],
                  "capacity_items": 40, "vehicle": "MOTORBIKE", "base_lat": OFFICE[0], "base_lng": OFFICE[1],
                  "communes": []}  # fmt: skip
        session.network.put_courier(MODE, "c2", values, day.now)
    day.ask_for(1)
    (route,) = day.draft(solve=greedy).body["routes"]
    assert route["courier_id"] == "c2"


def test_next_served_is_the_day_itself_where_it_serves() -> None:
    assert next_served(frozenset({DAY.weekday()}), DAY) == DAY
    assert next_served(frozenset(), DAY) == DAY
