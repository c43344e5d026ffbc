"""Judge a leg by its whole history: its promise, who caused a breach, and what a read must tell of it.

Pure: the caller brings the calendars. The same history gives the same judgement, in whatever order it became known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from dispatch.domain import sla
from dispatch.domain.hours import HORIZON_DAYS, Calendar, PublicHolidays, local_date
from dispatch.domain.legstate import Invitations, LegState
from dispatch.domain.sla import Promise
from dispatch.domain.text import LOCAL, local_text

AT_THE_SHOP = frozenset({"NOT_READY", "CLOSED"})
AT_THE_DOOR = frozenset({"CUSTOMER_ABSENT", "BAD_ADDRESS", "MOVED", "NOT_FOUND", "CLOSED", "NOT_READY"})
"""Reasons of a failed collection that lie with the shop (return leg), or with the citizen (pickup leg)."""


@dataclass(frozen=True)
class Yardstick:
    """What a leg is judged by: the calendar its promise counts on, the shop's own, the holidays, the citizen's window.

    `late_notice`: the shop's notice reached us more than 15 minutes late. `in_danger`: the forecast says that the
    promise will be broken.
    """

    calendar: Calendar
    shop_calendar: Calendar
    holidays: PublicHolidays
    window: tuple[datetime, datetime] | None = None
    late_notice: bool = False
    in_danger: bool = False


def judge(fresh: Promise, state: LegState, by: Yardstick, now: datetime) -> Promise:
    """The promise of a leg, judged from its start by its whole history and by the time that has passed up to `now`."""
    promise = fresh
    for at, _, happened in sorted(_turns(state), key=lambda turn: (turn[0], turn[1])):
        promise = _turned(promise, happened, at, state, by.calendar)
    if state.collected_at is not None:
        promise = _carried(promise, state, by)
    return with_fault(sla.advance(promise, now, in_danger=by.in_danger), state, late_notice=by.late_notice)


def _turns(state: LegState) -> list[tuple[datetime, int, str]]:
    """What stopped, broke off or moved a promise's clock: (instant, order at one instant, what)."""
    turns = []
    for number, pause in enumerate(state.pauses):
        turns.append((pause.from_, 3, f"pause {number}"))
        if pause.to is not None:
            turns.append((pause.to, 0, "resume"))
    if state.absent_at is not None:
        turns.append((state.absent_at, 1, "absent"))
    if state.collected_at is not None:
        turns.append((state.collected_at, 1, "collected"))
    if state.status in ("CANCELLED", "E_RETURNED") and state.ended_at is not None:
        turns.append((state.ended_at, 2, "cancelled"))
    return turns


def _turned(promise: Promise, happened: str, at: datetime, state: LegState, calendar: Calendar) -> Promise:
    if happened.startswith("pause"):
        pause = state.pauses[int(happened.split()[1])]
        return sla.pause(promise, at, pause.reason, pause.party)
    promise = sla.resume(promise, at, calendar)  # whoever comes while the clock stands has come in time
    if happened == "cancelled":
        return sla.cancel(promise, at)
    return promise if happened == "resume" else sla.stop(promise, at, absent=happened == "absent")


def _carried(promise: Promise, state: LegState, by: Yardstick) -> Promise:
    """J+n from the collection, or from the redirection that came after it; hand-over and delivery judged."""
    assert state.collected_at is not None
    if state.redirected is not None:
        at, days = state.redirected
        promise = replace(promise, transit_days=days)
        promise = sla.with_collected(promise, local_date(at), by.holidays)
    else:
        promise = sla.with_collected(promise, local_date(state.collected_at), by.holidays)
    if state.leg == "pickup" and state.presented_at is not None and state.arrived_at is not None:
        due_at = handover_due_at(by.shop_calendar, state.arrived_at)
        return replace(promise, handover_due_at=due_at, handover_met=state.presented_at <= due_at)
    if state.leg == "return" and state.delivered_at is not None:
        return replace(promise, delivery_met=_in_time(promise, state.delivered_at, state.invitations, by.window))
    return promise


def _in_time(
    promise: Promise, delivered_at: datetime, told: Invitations | None, window: tuple[datetime, datetime] | None
) -> bool:
    """Whether a result came inside the citizen's window, where he named one, and by J+n.

    Where he was not found, the clock ended when he was told that it lies ready (TT 17/2017/TT-BTTTT art 7).
    """
    at = delivered_at if told is None else told.failed_at
    assert promise.delivery_due_on is not None
    return local_date(at) <= promise.delivery_due_on and (window is None or window[0] <= at <= window[1])


def handover_due_at(shop_calendar: Calendar, arrived_at: datetime) -> datetime:
    """The intake cut-off of the shop's next session after an arrival (VP-03)."""
    day = local_date(shop_calendar.next_intake_at(arrived_at))
    cutoff = shop_calendar.intake_cutoff(day)
    assert cutoff is not None, "a day that takes papers in has its cut-off"
    return cutoff


def next_intake_opening(shop_calendar: Calendar, after: datetime) -> datetime | None:
    """The first opening after an instant at which the shop takes papers in; None where it never opens again.

    Only on days on which the counter serves (905/UBND-PVHCC 30/3/2020 §2.1).
    """
    first = local_date(after)
    for day in (first + timedelta(days=ahead) for ahead in range(HORIZON_DAYS)):
        weekdays, cutoff = shop_calendar.week_on(day).counter_weekdays, shop_calendar.intake_cutoff(day)
        if cutoff is None or (weekdays is not None and day.weekday() not in weekdays):
            continue
        for opens, _ in shop_calendar.spans(day):
            if after < opens <= cutoff:
                return opens
    return None


def with_fault(promise: Promise, state: LegState, *, late_notice: bool) -> Promise:
    """The promise with the side on which the cause of a breach lies: SHOP, CITIZEN, else POST; None unbroken.

    The shop's where its notice came late or its counter was closed or not ready; the citizen's where a proven attempt
    failed at the door before the deadline.
    """
    if promise.state != "BREACHED":
        return replace(promise, fault_party=None)
    proven = [failure for failure in state.failures if failure.proven and failure.at <= promise.due_at]
    if late_notice or (state.leg == "return" and any(failure.reason in AT_THE_SHOP for failure in proven)):
        return replace(promise, fault_party="SHOP")
    absent = state.leg == "pickup" and any(failure.reason in AT_THE_DOOR for failure in proven)
    return replace(promise, fault_party="CITIZEN" if absent else "POST")


def facts(state: LegState, by: Yardstick) -> dict[str, Any]:
    """What a read shows beside the status: invitations, hand-over, compensation, appointment; only what applies."""
    shown: dict[str, Any] = {}
    told = state.invitations
    if told is not None and state.status not in ("DELIVERED", "CLOSED"):
        shown["undeliverable"] = {
            "failed_at": local_text(told.failed_at),
            "invitation_1_on": told.first_on.isoformat(),
            "invitation_2_not_before": told.second_not_before.isoformat(),
            "return_not_before": told.return_not_before.isoformat(),
        }
    if state.leg == "pickup" and (state.refusal is not None or state.handed_over_at is not None):
        shown["handover"] = _handover(state, by.shop_calendar)
    if state.compensation is not None:
        shown["compensation"] = {name: state.compensation[name] for name in ("amount", "pay_by")}
    if state.appointment is not None:
        shown["appointment"] = {name: state.appointment.get(name) for name in ("slip_no", "due_on")}
    return shown


def _handover(state: LegState, shop_calendar: Calendar) -> dict[str, Any]:
    """When the papers are to be handed in after a closed counter, and their legal filing time.

    The legal filing time is the signing of the joint record, not the arrival (QĐ 45/2016/QĐ-TTg art 7.4).
    """
    planned_at = None
    if state.refusal is not None and state.refusal.payload.get("reason") == "INTAKE_CLOSED":
        planned_at = next_intake_opening(shop_calendar, state.refusal.occurred_at)
    return {
        "planned_at": None if planned_at is None else local_text(planned_at),
        "legal_filed_at": None if state.handed_over_at is None else local_text(state.handed_over_at),
    }


def window_of(body: dict[str, Any], kind: str) -> tuple[datetime, datetime] | None:
    """The delivery window a citizen named: that of a `return`; elsewhere `window` is that of the collection."""
    window = body.get("window")
    if kind != "return" or window is None:
        return None
    return datetime.fromisoformat(window["from"]), datetime.fromisoformat(window["to"])


def pay_by(minutes_at: datetime) -> date:
    """By when compensation is paid: 30 days after the minutes of liability (NĐ 47/2011/NĐ-CP art 25)."""
    return minutes_at.astimezone(LOCAL).date() + timedelta(days=30)
