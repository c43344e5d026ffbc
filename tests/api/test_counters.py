"""When a counter serves people in person, and how many may be in its rooms at one time."""

from __future__ import annotations

import random
import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.app import create_app
from dispatch.bootstrap import System
from dispatch.domain.counters import Counter, Visit, peak
from dispatch.domain.hours import Calendar
from dispatch.policies import load
from tests.api.conftest import OPERATOR_KEY, Api, make_shop
from tests.domain.bodies import at

CENTRE = {
    "name": "Trung tâm Phục vụ hành chính công tỉnh Hà Giang",
    "province_code": "02",
    "commune_code": "00691",
    "era": "2020",
    "lat": 22.83,
    "lng": 104.98,
    "level": "PROVINCE",
    "hours_profile": "OSS-DEFAULT",
    "rooms": [{"id": "R1", "capacity": 20, "slot_minutes": 30}],
}
MARCH = "2020-03-31T07:00:00+07:00"
NINE = "2020-04-07T09:00:00+07:00"
"""A Tuesday."""


@pytest.fixture
def centre(operator: Api) -> Api:
    """A caller with the key of the Hà Giang Centre."""
    return operator.as_key(make_shop(operator, "HG-TTPVHCC", **CENTRE))


def counter_day(caller: Api, day: str, shop_id: str = "HG-TTPVHCC", clock: str = MARCH) -> str:
    answer = caller.call(
        "POST", "/v1/counter-days", {"shop_id": shop_id, "date": day}, at=clock, headers={"Idempotency-Key": ""}
    )
    assert answer.status_code == 200, answer.text
    assert set(answer.json) == {"next_counter_day"}
    told: str = answer.json["next_counter_day"]
    return told


def book(caller: Api, starts_at: str = NINE, **changes: Any) -> Any:
    wish = {"shop_id": "HG-TTPVHCC", "room_id": "R1", "starts_at": starts_at} | changes
    return caller.post("/v1/appointments", wish, at=MARCH)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2020-04-01", "2020-04-03"),
        ("2020-04-03", "2020-04-03"),
        ("2020-04-04", "2020-04-07"),
        ("2020-04-29", "2020-05-05"),
        ("2020-03-31", "2020-03-31"),
        ("2020-03-30", "2020-03-30"),
        ("2020-03-28", "2020-03-30"),
        ("2026-01-01", "2026-01-06"),
    ],
    ids=["wed", "fri itself", "sat", "fri 1/5 is a holiday: no substitute", "first day", "the day before", "weekend",
         "fri 2/1 is swapped away, sat 10/1 is no counter day"],
)  # fmt: skip
def test_hg04_the_centre_of_ha_giang_serves_on_tuesday_and_friday(centre: Api, day: str, expected: str) -> None:
    assert counter_day(centre, day) == expected


@pytest.mark.parametrize("profile", ["OSS-DEFAULT", "HG-CENTRE", "POST-DEFAULT", "nowhere-described", "MONDAYS"])
def test_the_rule_holds_whatever_hours_the_centre_is_given(operator: Api, profile: str) -> None:
    mondays = {"weekly": {"mon": [["08:00", "12:00"]]}, "counter_weekdays": ["mon"]}
    assert operator.put("/v1/admin/calendars/MONDAYS", mondays).status_code == 201
    caller = operator.as_key(make_shop(operator, "HG-TTPVHCC", **CENTRE | {"hours_profile": profile}))
    assert counter_day(caller, "2020-04-01") == "2020-04-03"
    assert counter_day(caller, "2020-04-29") == "2020-05-05"


def test_a_day_the_centre_closes_for_itself_is_no_counter_day(operator: Api) -> None:
    closed = {
        "weekly": {day: [["07:30", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
        "overrides": [{"date": "2020-04-03", "off": True, "source": "khử khuẩn"}],
    }
    assert operator.put("/v1/admin/calendars/HG-OWN", closed).status_code == 201
    caller = operator.as_key(make_shop(operator, "HG-TTPVHCC", **CENTRE | {"hours_profile": "HG-OWN"}))
    assert counter_day(caller, "2020-04-01") == "2020-04-07"


def test_hg05_the_head_of_a_district_shop_decides_its_counter_days_from_a_date_on(operator: Api) -> None:
    week = {day: [["07:30", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    for valid_from, days in (("2020-01-01", None), ("2020-04-13", ["mon", "thu"])):
        body = {"valid_from": valid_from, "weekly": week, "counter_weekdays": days}
        assert operator.put("/v1/admin/calendars/DONG-VAN", body).status_code in (200, 201)
    caller = operator.as_key(
        make_shop(operator, "hg-dong-van", **CENTRE | {"level": "district", "hours_profile": "DONG-VAN"})
    )
    assert counter_day(caller, "2020-04-08", "hg-dong-van") == "2020-04-08", "before it every working day"
    assert counter_day(caller, "2020-04-14", "hg-dong-van") == "2020-04-16"
    assert counter_day(caller, "2020-04-30", "hg-dong-van") == "2020-05-04", "Thursday 30/4 is a holiday"
    plain = operator.as_key(make_shop(operator, "hg-yen-minh", **CENTRE | {"level": "DISTRICT"}))
    assert counter_day(plain, "2020-04-01", "hg-yen-minh") == "2020-04-01"
    assert counter_day(plain, "2020-04-02", "hg-yen-minh") == "2020-04-03", "Hùng Kings' day"


def test_another_provinces_centre_does_not_inherit_the_counter_days(operator: Api) -> None:
    caller = operator.as_key(make_shop(operator, "kh-centre", level="PROVINCE"))
    assert counter_day(caller, "2020-04-01", "kh-centre") == "2020-04-01"


def test_a_centre_on_the_map_of_2025_still_follows_the_province_it_lay_in(operator: Api) -> None:
    today = {"province_code": "08", "commune_code": "00691", "era": "2025"}
    caller = operator.as_key(make_shop(operator, "HG-TTPVHCC", **CENTRE | today))
    assert counter_day(caller, "2020-04-01") == "2020-04-03"


def test_a_shop_may_change_its_counter_days_with_a_reason(operator: Api, centre: Api) -> None:
    own = {"params": {"weekdays": ["wed"]}, "reason": "họp dân thứ Ba", "valid_from": "2020-04-06"}
    path = "/v1/admin/shops/HG-TTPVHCC/overrides/HG-04@1"
    assert operator.put(path, own | {"valid_to": "2020-04-12"}).status_code == 201
    assert counter_day(centre, "2020-04-06") == "2020-04-08"
    assert counter_day(centre, "2020-04-09") == "2020-04-14", "the override ended on the 12th"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"shop_id": "nobody", "date": "2020-04-01"}, "unknown_shop"),
        ({"shop_id": "kh-other", "date": "2020-04-01"}, "unknown_shop"),
        ({"shop_id": "HG-TTPVHCC"}, "validation_failed"),
        ({"shop_id": "HG-TTPVHCC", "date": "2020-04-31"}, "validation_failed"),
        ({"shop_id": "HG-TTPVHCC", "date": "9999-12-31"}, "validation_failed"),
        ({"shop_id": "HG-TTPVHCC", "date": "2020-04-01", "room": 1}, "validation_failed"),
    ],
)
def test_a_counter_day_cannot_be_asked_of_strangers(operator: Api, centre: Api, body: Any, code: str) -> None:
    make_shop(operator, "kh-other")
    answer = centre.call("POST", "/v1/counter-days", body)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_counter_that_is_never_open_is_refused_when_it_is_told(operator: Api) -> None:
    for wrong in (
        {"weekly": {}},
        {"weekly": {"mon": []}},
        {"weekly": {"mon": [["08:00", "12:00"]]}, "counter_weekdays": ["sun"]},
    ):
        answer = operator.put("/v1/admin/calendars/NEVER", wrong)
        assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")


def test_hg06_c20_the_twentieth_person_is_let_in_and_the_twenty_first_is_offered_the_next_slot(centre: Api) -> None:
    for left in range(19, -1, -1):
        answer = book(centre)
        assert (answer.status_code, answer.json["free"]) == (201, left), answer.text
    assert answer.json["starts_at"] == NINE and answer.json["ends_at"] == "2020-04-07T09:30:00+07:00"
    full = book(centre)
    assert (full.status_code, full.json["code"]) == (409, "room_full")
    assert full.json["next_free_at"] == "2020-04-07T09:30:00+07:00"
    assert book(centre, full.json["next_free_at"]).status_code == 201


def test_the_decree_caps_a_larger_room_only_while_it_is_in_force(operator: Api) -> None:
    rooms = [{"id": "R1", "capacity": 25, "slot_minutes": 30}, {"id": "R2", "capacity": 5, "slot_minutes": 30}]
    caller = operator.as_key(make_shop(operator, "HG-TTPVHCC", **CENTRE | {"rooms": rooms}))
    assert book(caller, people=21).json["code"] == "party_too_large"
    assert book(caller, people=20).json["free"] == 0
    assert book(caller, room_id="R2", people=6).status_code == 422, "the smaller room keeps its own capacity"
    before = {"shop_id": "HG-TTPVHCC", "room_id": "R1", "starts_at": "2020-03-30T09:00:00+07:00", "people": 25}
    assert caller.post("/v1/appointments", before, at="2020-03-30T08:00:00+07:00").json["free"] == 0


def test_vp06_a_meeting_limit_of_vinh_phuc_is_not_a_room_capacity(operator: Api) -> None:
    there = {
        "province_code": "26",
        "commune_code": "08707",
        "rooms": [{"id": "R1", "capacity": 30, "slot_minutes": 30}],
    }
    caller = operator.as_key(make_shop(operator, "vp-centre", **there))
    assert book(caller, shop_id="vp-centre", people=30).status_code == 201


def test_only_people_who_are_there_together_count(centre: Api) -> None:
    """Ten from 9:00 and ten from 9:30 never meet: ten more may stay from 9:00 to 10:00."""
    assert book(centre, people=10).status_code == 201
    assert book(centre, "2020-04-07T09:30:00+07:00", people=10).status_code == 201
    stay = book(centre, minutes=60, people=10)
    assert (stay.status_code, stay.json["free"]) == (201, 0)
    assert book(centre, "2020-04-07T09:15:00+07:00", minutes=15).json["code"] == "room_full"
    assert book(centre, "2020-04-07T10:00:00+07:00", people=20).status_code == 201, "who leaves at ten is gone at ten"


def test_the_next_free_slot_skips_lunch_evening_and_holiday(operator: Api) -> None:
    one = [{"id": "R1", "capacity": 1, "slot_minutes": 60}]
    caller = operator.as_key(make_shop(operator, "HG-TTPVHCC", **CENTRE | {"rooms": one}))
    assert book(caller, "2020-04-29T10:30:00+07:00", minutes=60).status_code == 201
    told = book(caller, "2020-04-29T10:30:00+07:00", minutes=60).json["next_free_at"]
    assert told == "2020-04-29T13:30:00+07:00", "10:30 is taken, from 11:30 the doors are closed"
    for hour in ("13:30", "14:30", "15:30"):
        assert book(caller, f"2020-04-29T{hour}:00+07:00", minutes=60).status_code == 201
    told = book(caller, "2020-04-29T15:30:00+07:00", minutes=60).json["next_free_at"]
    assert told == "2020-05-04T07:30:00+07:00", "30/4 and 1/5 are holidays, then the weekend"


def test_nobody_is_sent_to_a_day_that_does_not_come(operator: Api) -> None:
    """A room that is taken for every slot of sixty days has no next one."""
    one = [{"id": "R1", "capacity": 1, "slot_minutes": 480}]
    week = {"weekly": {"mon": [["08:00", "16:00"]]}}
    assert operator.put("/v1/admin/calendars/MONDAYS", week).status_code == 201
    shop = CENTRE | {"rooms": one, "hours_profile": "MONDAYS"}
    caller = operator.as_key(make_shop(operator, "HG-TTPVHCC", **shop))
    monday = at("2020-04-06 08:00")
    while monday < at("2020-06-08 08:00"):
        assert book(caller, monday.isoformat(), minutes=480).status_code == 201
        monday += timedelta(days=7)
    assert book(caller, "2020-04-06T08:00:00+07:00", minutes=480).json["next_free_at"] is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"room_id": "R9"}, "unknown_room"),
        ({"shop_id": "nobody"}, "unknown_shop"),
        ({"starts_at": "2020-03-31T06:59:00+07:00"}, "slot_in_past"),
        ({"starts_at": "2020-04-07T07:00:00+07:00"}, "site_closed"),
        ({"starts_at": "2020-04-07T11:15:00+07:00"}, "site_closed"),
        ({"starts_at": "2020-04-07T16:45:00+07:00"}, "site_closed"),
        ({"starts_at": "2020-04-02T09:00:00+07:00"}, "site_closed"),
        ({"starts_at": "2020-04-04T09:00:00+07:00"}, "site_closed"),
        ({"people": 21}, "party_too_large"),
        ({"people": 0}, "validation_failed"),
        ({"minutes": 0}, "validation_failed"),
        ({"starts_at": "2020-04-07T09:00:00"}, "validation_failed"),
    ],
)
def test_a_visit_that_cannot_be_is_refused(centre: Api, change: dict[str, Any], code: str) -> None:
    answer = book(centre, **change)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_an_appointment_is_made_once_however_often_it_is_sent(centre: Api) -> None:
    wish = {"room_id": "R1", "starts_at": NINE, "people": 20}
    first = centre.call("POST", "/v1/appointments", wish, at=MARCH, headers={"Idempotency-Key": "one"})
    again = centre.call("POST", "/v1/appointments", wish, at=MARCH, headers={"Idempotency-Key": "one"})
    assert first.status_code == again.status_code == 201 and first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"


def test_thirty_who_book_at_once_do_not_overfill_the_room(system: System, centre: Api) -> None:
    app = create_app(system)
    results: list[int] = []

    def one() -> None:
        results.append(book(Api(app.test_client(), OPERATOR_KEY), people=2).status_code)

    threads = [threading.Thread(target=one) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [201] * 10 + [409] * 20
    with system.store.begin() as session:
        kept = session.sites.appointments("test", "HG-TTPVHCC", "R1", at("2020-04-07 09:00"), at("2020-04-07 09:30"))
    assert sum(visit.people for visit in kept) == 20


def test_whatever_is_asked_the_room_is_never_over_capacity_at_any_minute(system: System, centre: Api) -> None:
    """Many random wishes; the minutes are recounted one by one without the code that let people in."""
    chance = random.Random(2020)
    taken = refused = 0
    for _ in range(150):
        starts = at("2020-04-07 07:30") + timedelta(minutes=5 * chance.randrange(44))
        minutes, people = 5 * chance.randint(1, 4), chance.randint(1, 12)
        answer = book(centre, starts.isoformat(), minutes=minutes, people=people)
        if answer.status_code == 201:
            taken += 1
        elif answer.status_code == 409:
            refused += 1
            free_at = datetime.fromisoformat(answer.json["next_free_at"])
            assert free_at > starts
    assert taken > 20 and refused > 20
    with system.store.begin() as session:
        kept = session.sites.appointments("test", "HG-TTPVHCC", "R1", at("2020-04-07 00:00"), at("2020-04-08 00:00"))
    for minute in range(24 * 60):
        moment = at("2020-04-07 00:00") + timedelta(minutes=minute)
        assert sum(visit.people for visit in kept if visit.starts_at <= moment < visit.ends_at) <= 20


VISITS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30), st.integers(1, 9)), max_size=12)


@settings(derandomize=True, deadline=None, max_examples=2000)
@given(VISITS, st.integers(0, 60), st.integers(1, 40))
def test_the_peak_is_the_fullest_minute_of_the_visit(
    told: list[tuple[int, int, int]], begins: int, length: int
) -> None:
    noon = at("2020-04-07 12:00")

    def moment(minute: int) -> datetime:
        return noon + timedelta(minutes=minute)

    visits: list[Visit] = [(moment(start), moment(start + minutes), people) for start, minutes, people in told]
    by_minute = [
        sum(people for start, minutes, people in told if start <= minute < start + minutes)
        for minute in range(begins, begins + length)
    ]
    assert peak(visits, moment(begins), moment(begins + length)) == max(by_minute)


def test_slots_that_meet_at_noon_are_one_opening() -> None:
    holidays = load().holidays
    body = {"weekly": {"tue": [["08:00", "12:00"], ["12:00", "16:00"]]}}
    counter = Counter(load(), Calendar.from_body("S", body, holidays), "56", "COMMUNE", at("2020-04-01 00:00"))
    assert counter.open_throughout(at("2020-04-07 11:45"), at("2020-04-07 12:15"))
    assert [start.hour for start in counter.slots(date(2020, 4, 7), 120, 120)] == [8, 10, 12, 14]
