"""The clock of a promise may stand for a cause that is not the post's; what was left then runs on, to the minute."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.hours import ClockMode, add_minutes
from dispatch.domain.judging import handover_due_at, next_intake_opening
from dispatch.domain.sla import Promise, advance, counted, pause, resume, stop
from dispatch.policies import load
from tests.domain.bodies import at
from tests.domain.test_sla import promise

BOOK = load()
SHOP = BOOK.calendars["OSS-DEFAULT"]
CENTRE = BOOK.calendars["VP-CENTRE"]
START = at("2020-04-27 00:00")
MODES = st.sampled_from(["ELAPSED", "OPERATING_SPAN", "OPEN_MINUTES"])


@given(st.integers(0, 14 * 24 * 60), st.integers(0, 3000), MODES)
def test_counting_is_the_inverse_of_adding(start: int, minutes: int, mode: ClockMode) -> None:
    begins = START + timedelta(minutes=start)
    assert counted(SHOP, begins, add_minutes(SHOP, begins, minutes, mode), mode) == timedelta(minutes=minutes)


@given(st.integers(0, 200 * 60), st.integers(1, 20 * 24 * 3600), MODES)
def test_a_pause_takes_nothing_away_and_gives_nothing(stood_after_s: int, lasted_s: int, mode: ClockMode) -> None:
    made = promise(when="2020-04-27 10:00")
    made = Promise.from_json({**made.to_json(), "mode": mode})
    stands_at = made.clock_started_at + timedelta(seconds=stood_after_s)
    stood = pause(made, stands_at, "lũ", "FORCE_MAJEURE")
    if stood.state != "PAUSED":
        return
    runs_at = stands_at + timedelta(seconds=lasted_s)
    on = resume(stood, runs_at, SHOP)
    left = counted(SHOP, stands_at, made.due_at, mode)
    assert counted(SHOP, runs_at, on.due_at, mode) == left, "the minutes left are the same, on the same calendar"
    assert on.due_at >= runs_at and on.due_at_strict - made.due_at_strict == runs_at - stands_at
    assert stop(on, on.due_at).met and not stop(on, on.due_at + timedelta(microseconds=1)).met
    stored = json.loads(json.dumps(on.to_json()))
    assert Promise.from_json(stored) == on


def test_a_standing_clock_neither_warns_nor_breaks() -> None:
    stood = pause(promise(when="2020-04-08 08:00"), at("2020-04-08 09:00"), "mất điện", "SHOP")
    assert stood.state == "PAUSED" and advance(stood, at("2020-04-20 09:00")) == stood
    on = resume(stood, at("2020-04-20 09:00"), SHOP)
    assert (on.due_at, on.warn_at, on.state) == (at("2020-04-20 12:00"), at("2020-04-20 11:15"), "RUNNING")


def test_what_is_broken_or_judged_is_not_paused_any_more() -> None:
    made = promise(when="2020-04-08 08:00")
    assert pause(made, at("2020-04-08 12:01"), "lũ", "FORCE_MAJEURE").state == "BREACHED"
    kept = stop(made, at("2020-04-08 09:00"))
    assert pause(kept, at("2020-04-08 10:00"), "lũ", "FORCE_MAJEURE") == kept
    assert resume(made, at("2020-04-08 09:00"), SHOP) == made


def test_a_warning_given_before_the_pause_stays_given() -> None:
    stood = pause(promise(when="2020-04-08 08:00"), at("2020-04-08 11:30"), "mất điện", "SHOP")
    on = resume(stood, at("2020-04-09 08:00"), SHOP)
    assert (on.state, on.due_at) == ("AT_RISK", at("2020-04-09 08:30"))


def test_c22_the_next_intake_is_the_next_opening_on_a_day_that_serves() -> None:
    def opening(when: str) -> datetime | None:
        return next_intake_opening(CENTRE, at(when))

    assert opening("2020-04-16 16:40") == at("2020-04-17 07:00")
    assert opening("2020-04-16 11:40") == at("2020-04-16 13:30"), "closed for lunch only"
    assert opening("2020-04-29 16:40") == at("2020-05-04 07:00"), "two holidays and a weekend"
    weekdays = BOOK.calendars["HG-CENTRE"].week_on(at("2020-04-01 08:00").date()).counter_weekdays
    found = next_intake_opening(BOOK.calendars["HG-CENTRE"], at("2020-04-03 17:30"))
    assert weekdays is not None and found is not None and found.weekday() in weekdays


def test_vp03_papers_are_due_by_the_cut_off_of_the_session_that_follows_their_arrival() -> None:
    assert handover_due_at(CENTRE, at("2020-04-16 10:00")) == at("2020-04-16 16:30")
    assert handover_due_at(CENTRE, at("2020-04-16 16:40")) == at("2020-04-17 16:30")
