"""Opening hours, holidays and the three clocks."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from typing import Any

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dispatch.domain.errors import Invalid
from dispatch.domain.hours import Calendar, CalendarBody, ClockMode, PublicHolidays, add_minutes
from dispatch.policies import load
from tests.domain.bodies import at

BOOK = load()
POST, SHOP = BOOK.calendars["POST-DEFAULT"], BOOK.calendars["OSS-DEFAULT"]
VINH_PHUC, HA_GIANG = BOOK.calendars["VP-CENTRE"], BOOK.calendars["HG-CENTRE"]
WEEKDAYS_ONLY = {"weekly": {day: [["08:00", "12:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}


def due(calendar: Calendar, start: str, minutes: int = 240, mode: ClockMode = "OPERATING_SPAN") -> str:
    return add_minutes(calendar, at(start), minutes, mode).strftime("%Y-%m-%d %H:%M")


def test_four_hours_that_end_exactly_at_closing_are_still_due_that_day() -> None:
    assert due(POST, "2020-04-06 14:00") == "2020-04-06 18:00"


def test_one_minute_beyond_closing_is_due_one_minute_after_the_next_opening() -> None:
    assert due(POST, "2020-04-06 14:01") == "2020-04-07 07:31"


def test_the_courier_is_not_sent_to_a_closed_office_on_hung_kings_day() -> None:
    assert due(POST, "2020-04-01 15:30") == "2020-04-03 09:00"
    assert not POST.is_open_day(date(2020, 4, 2))
    assert not SHOP.is_open_day(date(2020, 4, 2))


def test_the_long_weekend_of_30_april_2020_does_not_eat_the_promise() -> None:
    assert due(SHOP, "2020-04-29 15:00") == "2020-05-04 09:30"
    assert due(POST, "2020-04-29 16:00") == "2020-05-02 09:30", "the post office works on Saturday 2 May"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2020-04-03 06:00", "2020-04-03 11:30"),
        ("2020-04-03 07:30", "2020-04-03 11:30"),
        ("2020-04-03 18:00", "2020-04-04 11:30"),
        ("2020-04-03 23:59", "2020-04-04 11:30"),
        ("2020-04-04 18:30", "2020-04-06 11:30"),
        ("2020-04-05 10:00", "2020-04-06 11:30"),
    ],
)
def test_a_trigger_outside_the_span_starts_at_the_next_opening(start: str, expected: str) -> None:
    assert due(POST, start) == expected


def test_lunch_counts_in_the_operating_span_but_not_in_open_minutes() -> None:
    assert due(SHOP, "2020-04-07 10:00", mode="OPERATING_SPAN") == "2020-04-07 14:00"
    assert due(SHOP, "2020-04-07 10:00", mode="OPEN_MINUTES") == "2020-04-07 16:00"
    assert due(SHOP, "2020-04-07 12:00", mode="OPEN_MINUTES", minutes=30) == "2020-04-07 14:00"
    assert due(SHOP, "2020-04-07 12:00", mode="OPERATING_SPAN", minutes=30) == "2020-04-07 12:30"
    assert due(SHOP, "2020-04-07 10:00", mode="ELAPSED") == "2020-04-07 14:00"


def test_seconds_of_the_trigger_are_not_rounded_away() -> None:
    start = at("2020-04-06 14:00") + timedelta(seconds=1)
    assert add_minutes(POST, start, 240, "OPERATING_SPAN") == at("2020-04-07 07:30") + timedelta(seconds=1)


def test_the_swap_of_2_and_10_january_2026_moves_the_working_day() -> None:
    assert not SHOP.is_open_day(date(2026, 1, 2))
    assert SHOP.minute_spans(date(2026, 1, 10)) == ((450, 690), (810, 1020)), "Saturday works Friday's hours"
    assert due(SHOP, "2026-01-09 15:00") == "2026-01-10 09:30"
    assert due(SHOP, "2025-12-31 15:00") == "2026-01-05 09:30"


def test_the_swap_of_31_and_22_august_2026_moves_the_working_day() -> None:
    assert SHOP.is_open_day(date(2026, 8, 22))
    assert not SHOP.is_open_day(date(2026, 8, 31))
    assert due(SHOP, "2026-08-28 16:00") == "2026-09-03 10:30"


def test_a_worked_saturday_takes_the_hours_of_the_very_day_it_pays_for() -> None:
    weekly = {"mon": [["09:00", "10:00"]], "fri": [["08:00", "12:00"]]}
    site = Calendar.from_body("S", {"weekly": weekly}, BOOK.holidays)
    assert site.minute_spans(date(2026, 8, 22)) == ((540, 600),), "22 August pays for Monday 31 August"
    assert site.minute_spans(date(2026, 1, 10)) == ((480, 720),), "10 January pays for Friday 2 January"


def test_a_site_may_close_or_work_out_of_turn() -> None:
    overrides = [
        {"date": "2020-04-03", "off": True, "source": "xã phun khử khuẩn"},
        {"date": "2020-04-04", "work": True, "source": "trực dịch"},
        {"date": "2020-04-02", "work": True, "source": "trực lễ"},
        {"date": "2026-01-10", "off": True, "source": "nghỉ"},
    ]
    site = Calendar.from_body("S", {**WEEKDAYS_ONLY, "overrides": overrides}, BOOK.holidays)
    assert not site.is_open_day(date(2020, 4, 3))
    assert site.minute_spans(date(2020, 4, 4)) == ((480, 720),)
    assert site.is_open_day(date(2020, 4, 2)), "the site's own word outranks the holiday"
    assert not site.is_open_day(date(2026, 1, 10)), "and the worked swap day"


def test_a_new_week_holds_from_its_date_and_the_old_one_before() -> None:
    summer = {"weekly": {"mon": [["07:00", "11:00"]]}, "valid_from": "2020-04-16"}
    winter = {"weekly": {"mon": [["08:00", "11:00"]]}, "valid_from": "2020-10-16"}
    site = Calendar.from_bodies("S", [winter, summer], PublicHolidays())
    assert site.minute_spans(date(2020, 4, 20)) == ((420, 660),)
    assert site.minute_spans(date(2020, 10, 19)) == ((480, 660),)
    assert site.minute_spans(date(2019, 1, 7)) == ((420, 660),), "unknown hours are not closed hours"


def test_intake_at_the_vinh_phuc_centre_closes_half_an_hour_before_the_doors() -> None:
    assert VINH_PHUC.intake_cutoff(date(2020, 4, 16)) == at("2020-04-16 16:30")
    assert VINH_PHUC.next_intake_at(at("2020-04-16 16:30")) == at("2020-04-16 16:30")
    assert VINH_PHUC.next_intake_at(at("2020-04-16 16:40")) == at("2020-04-17 07:00"), "C22"
    assert VINH_PHUC.next_intake_at(at("2020-04-16 12:00")) == at("2020-04-16 13:30")
    assert VINH_PHUC.next_intake_at(at("2020-04-17 16:31")) == at("2020-04-20 07:00")
    assert SHOP.intake_cutoff(date(2020, 4, 4)) is None


def test_the_ha_giang_counter_serves_on_tuesday_and_friday_and_skips_a_holiday() -> None:
    assert HA_GIANG.next_counter_day(date(2020, 4, 1)) == date(2020, 4, 3)
    assert HA_GIANG.next_counter_day(date(2020, 4, 3)) == date(2020, 4, 3)
    assert HA_GIANG.next_counter_day(date(2020, 4, 29)) == date(2020, 5, 5), "Friday 1 May is a holiday"
    assert HA_GIANG.next_counter_day(date(2020, 3, 30)) == date(2020, 3, 30), "before 905/UBND-PVHCC every day"
    assert SHOP.next_counter_day(date(2020, 4, 4)) == date(2020, 4, 6)


def test_transit_days_skip_holidays_and_count_worked_saturdays() -> None:
    add = BOOK.holidays.add_working_days
    assert add(date(2020, 4, 8), 2) == date(2020, 4, 10), "C05"
    assert add(date(2020, 3, 31), 1) == date(2020, 4, 1), "C21"
    assert add(date(2020, 7, 27), 5) == date(2020, 8, 3), "C24"
    assert add(date(2020, 4, 1), 1) == date(2020, 4, 3)
    assert add(date(2020, 4, 29), 1) == date(2020, 5, 4)
    assert add(date(2026, 1, 9), 1) == date(2026, 1, 10)
    assert add(date(2026, 1, 1), 1) == date(2026, 1, 5)
    assert add(date(2020, 4, 8), 0) == date(2020, 4, 8)
    assert add(date(2020, 3, 31), 1, paused=[date(2020, 4, 1)]) == date(2020, 4, 3)


def test_counting_backward_is_refused() -> None:
    with pytest.raises(ValueError, match="forward"):
        BOOK.holidays.add_working_days(date(2020, 4, 8), -1)
    with pytest.raises(ValueError, match="forward"):
        add_minutes(SHOP, at("2020-04-07 10:00"), -1, "ELAPSED")


def test_a_calendar_body_kept_as_json_comes_back_as_the_same_calendar() -> None:
    told = {
        **WEEKDAYS_ONLY,
        "valid_from": "2020-04-01",
        "intake_closes_minutes_before": 15,
        "counter_weekdays": ["tue"],
        "overrides": [{"date": "2020-04-03", "off": True, "source": "khử khuẩn"}],
    }
    kept = CalendarBody.model_validate(told).model_dump(mode="json")
    assert kept["weekly"] == WEEKDAYS_ONLY["weekly"]
    made = Calendar.from_body("S", told, BOOK.holidays)
    assert Calendar.from_body("S", kept, BOOK.holidays) == made
    assert CalendarBody.model_validate_json(json.dumps(told)).model_dump(mode="json") == kept


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"weekly": {}}, "opens on no day"),
        ({"weekly": {"mon": []}}, "opens on no day"),
        ({"weekly": {"monday": [["08:00", "12:00"]]}}, "mon"),
        ({"weekly": {"mon": [["12:00", "08:00"]]}}, "closes before it opens"),
        ({"weekly": {"mon": [["08:00", "12:00"], ["11:00", "13:00"]]}}, "overlap"),
        ({"weekly": {"mon": [["8:00", "12:00"]]}}, "time of day"),
        ({"weekly": {"mon": [["08:00", "24:01"]]}}, "time of day"),
        ({"weekly": {"mon": [["08:00", 720]]}}, "time of day"),
        ({"valid_from": "2020-02-30"}, "date"),
        ({"valid_from": 0}, "date"),
        ({"counter_weekdays": []}, "at least 1"),
        ({"intake_closes_minutes_before": -1}, "greater than or equal to 0"),
        ({"overrides": [{"date": "2020-04-03", "off": True, "work": True}]}, "either"),
        ({"overrides": [{"date": "2020-04-03"}]}, "either"),
        ({"overrides": [{"date": "2020-04-03", "off": True}, {"date": "2020-04-03", "work": True}]}, "twice"),
        ({"open": True}, "not permitted"),
    ],
)
def test_a_calendar_body_that_makes_no_sense_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Calendar.from_body("S", {**WEEKDAYS_ONLY, **change}, BOOK.holidays)


def test_a_calendar_that_never_opens_again_is_an_error_and_not_an_endless_search() -> None:
    days = [date(2020, 4, 6) + timedelta(days=n) for n in range(500)]
    overrides = [{"date": day.isoformat(), "off": True} for day in days]
    site = Calendar.from_body("S", {**WEEKDAYS_ONLY, "overrides": overrides}, PublicHolidays())
    with pytest.raises(Invalid, match="does not open"):
        add_minutes(site, at("2020-04-06 09:00"), 1, "OPERATING_SPAN")
    with pytest.raises(Invalid, match="does not open"):
        site.next_counter_day(date(2020, 4, 6))
    with pytest.raises(Invalid, match="does not open"):
        site.next_intake_at(at("2020-04-06 09:00"))


FIRST, LAST = at("2019-01-01 00:00"), at("2028-12-01 00:00")
INSTANTS = st.timedeltas(timedelta(0), LAST - FIRST).map(lambda passed: FIRST + passed)
CALENDARS = st.sampled_from([POST, SHOP, VINH_PHUC, HA_GIANG])
MODES = st.sampled_from(["ELAPSED", "OPERATING_SPAN", "OPEN_MINUTES"])
MINUTES = st.integers(1, 3000)
PROPERTY = settings(derandomize=True, deadline=None, max_examples=2000)


@PROPERTY
@given(CALENDARS, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=12)), MINUTES, MODES)
def test_a_later_trigger_never_gives_an_earlier_deadline(
    calendar: Calendar, start: datetime, later: timedelta, minutes: int, mode: ClockMode
) -> None:
    assert add_minutes(calendar, start, minutes, mode) <= add_minutes(calendar, start + later, minutes, mode)


@PROPERTY
@given(CALENDARS, INSTANTS, MINUTES)
def test_the_operational_deadline_never_precedes_the_strict_one(
    calendar: Calendar, start: datetime, minutes: int
) -> None:
    strict = add_minutes(calendar, start, minutes, "ELAPSED")
    operational = add_minutes(calendar, start, minutes, "OPERATING_SPAN")
    assert strict <= operational <= add_minutes(calendar, start, minutes, "OPEN_MINUTES")
    span = calendar.operating_span(start.date())
    if span is not None and span[0] <= start and strict <= span[1]:
        assert operational == strict
    else:
        assert operational > strict


@PROPERTY
@given(CALENDARS, INSTANTS, MINUTES)
def test_a_deadline_always_falls_while_the_site_is_open(calendar: Calendar, start: datetime, minutes: int) -> None:
    deadline = add_minutes(calendar, start, minutes, "OPEN_MINUTES")
    assert any(opens < deadline <= closes for opens, closes in calendar.spans(deadline.date()))


# Any calendar an operator may tell, not only the shipped ones.

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def odd_week(chance: random.Random) -> dict[str, list[list[str]]]:
    """A week with at least one open day; openings on quarter hours, some of them until midnight."""
    week: dict[str, list[list[str]]] = {}
    for day in chance.sample(DAYS, chance.randint(1, 7)):
        edges = [0, 96] if chance.random() < 0.2 else sorted(chance.sample(range(97), 2 * chance.randint(1, 3)))
        clock = [f"{edge // 4:02}:{edge % 4 * 15:02}" for edge in edges]
        week[day] = [[opens, closes] for opens, closes in zip(clock[::2], clock[1::2], strict=True)]
    return week


def odd_calendar(seed: int) -> Calendar:
    """Up to three dated weeks around 2026 with days the site closes or works on its own account."""
    chance = random.Random(seed)
    near = [(date(2025, 12, 1) + timedelta(days=ahead)).isoformat() for ahead in range(300)]
    bodies: list[dict[str, Any]] = []
    for valid_from in (None, *chance.sample(near, chance.randint(0, 2))):
        days = chance.sample(near, chance.randint(0, 6))
        overrides = [{"date": day, chance.choice(["off", "work"]): True} for day in days]
        bodies.append({"valid_from": valid_from, "weekly": odd_week(chance), "overrides": overrides})
    return Calendar.from_bodies(f"ANY-{seed}", bodies, BOOK.holidays)


ODD = st.sampled_from([odd_calendar(seed) for seed in range(500)])
NEAR_2026 = st.timedeltas(timedelta(0), timedelta(days=330)).map(lambda passed: at("2025-12-01 00:00") + passed)


@PROPERTY
@given(ODD, NEAR_2026, st.timedeltas(timedelta(0), timedelta(days=3)), st.integers(1, 600), MODES)
def test_no_calendar_an_operator_tells_rewards_a_later_trigger(
    calendar: Calendar, start: datetime, later: timedelta, minutes: int, mode: ClockMode
) -> None:
    assert add_minutes(calendar, start, minutes, mode) <= add_minutes(calendar, start + later, minutes, mode)


@PROPERTY
@given(ODD, NEAR_2026, st.integers(1, 600))
def test_no_calendar_an_operator_tells_shortens_a_promise(calendar: Calendar, start: datetime, minutes: int) -> None:
    strict = add_minutes(calendar, start, minutes, "ELAPSED")
    operational = add_minutes(calendar, start, minutes, "OPERATING_SPAN")
    assert strict <= operational <= add_minutes(calendar, start, minutes, "OPEN_MINUTES")
    span = calendar.operating_span(start.date())
    fits = span is not None and span[0] <= start and strict <= span[1]
    assert (operational == strict) is (fits or _round_the_clock(calendar, start, strict))
    day = calendar.operating_span((operational - timedelta(microseconds=1)).date())
    assert day is not None and day[0] < operational <= day[1], "a deadline falls while the site is open"


def _round_the_clock(calendar: Calendar, start: datetime, strict: datetime) -> bool:
    """Whether the site's days touch at midnight from trigger to deadline: 24:00 of one is 00:00 of the next."""
    day = start.date()
    while day <= strict.date():
        span = calendar.operating_span(day)
        begins, ends = max(start, at(f"{day} 00:00")), min(strict, at(f"{day + timedelta(days=1)} 00:00"))
        if begins < ends and (span is None or begins < span[0] or span[1] < ends):
            return False
        day += timedelta(days=1)
    return True


@PROPERTY
@given(ODD, NEAR_2026, st.integers(1, 300))
def test_the_open_minutes_of_a_promise_are_as_many_as_promised(
    calendar: Calendar, start: datetime, minutes: int
) -> None:
    """Recounted by what the doors do between trigger and deadline."""
    deadline = add_minutes(calendar, start, minutes, "OPEN_MINUTES")
    waited, day = timedelta(0), start.date()
    while day <= deadline.date():
        for opens, closes in calendar.spans(day):
            waited += max(timedelta(0), min(closes, deadline) - max(opens, start))
        day += timedelta(days=1)
    assert waited == timedelta(minutes=minutes)


def test_a_site_that_opens_ten_minutes_a_week_still_has_a_deadline() -> None:
    site = Calendar.from_body("S", {"weekly": {"mon": [["08:00", "08:10"]]}}, PublicHolidays())
    assert add_minutes(site, at("2020-04-06 07:00"), 240, "OPERATING_SPAN") == at("2020-09-14 08:10")
    assert add_minutes(site, at("2020-04-06 07:00"), 800, "OPERATING_SPAN") == at("2021-10-11 08:10"), "over 400 days"
    with pytest.raises(Invalid, match="does not open"):
        add_minutes(site, at("2020-04-06 07:00"), 10_080, "OPERATING_SPAN")


@pytest.mark.parametrize(
    ("off", "worked"),
    [
        (date(2026, 1, 2), date(2026, 1, 10)),
        (date(2026, 8, 31), date(2026, 8, 22)),
        (date(2025, 5, 2), date(2025, 4, 26)),
    ],
)
def test_a_swapped_day_is_off_and_its_saturday_is_worked_for_every_clock(off: date, worked: date) -> None:
    assert (BOOK.holidays.is_working_day(off), BOOK.holidays.is_working_day(worked)) == (False, True)
    for site in (SHOP, VINH_PHUC, HA_GIANG):
        assert not site.is_open_day(off) and site.minute_spans(worked) == site.week_on(worked).spans[off.weekday()]
    assert not POST.is_open_day(off) and POST.minute_spans(worked) == ((450, 1080),)
    before = off - timedelta(days=1)
    assert off != BOOK.holidays.add_working_days(before, 1)


def test_every_day_a_site_is_closed_on_is_a_weekend_or_a_holiday_of_the_package_or_a_documented_swap() -> None:
    known = holidays.country_holidays("VN", years=range(2019, 2029))
    differing = set()
    day = date(2019, 1, 1)
    while day <= date(2028, 12, 31):
        if SHOP.is_open_day(day) is not known.is_working_day(day):
            differing.add(day)
        day += timedelta(days=1)
    assert differing == {date(2026, 1, 2), date(2026, 1, 10)}, "the swap the package does not know"


def test_an_operators_week_follows_the_shipped_one_from_its_date() -> None:
    own = Calendar.from_bodies(
        "OSS-DEFAULT",
        [{**WEEKDAYS_ONLY, "valid_from": "2020-05-04", "overrides": [{"date": "2020-04-07", "work": True}]}],
        BOOK.holidays,
    )
    site = SHOP.followed_by(own)
    assert site.minute_spans(date(2020, 4, 29)) == SHOP.minute_spans(date(2020, 4, 29))
    assert site.minute_spans(date(2020, 5, 4)) == ((480, 720),)
    always = SHOP.followed_by(Calendar.from_body("OSS-DEFAULT", WEEKDAYS_ONLY, BOOK.holidays))
    assert always.minute_spans(date(2020, 4, 29)) == ((480, 720),)
