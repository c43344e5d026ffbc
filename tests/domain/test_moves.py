"""The whole state machine: every path of an item that does not arrive at once, and what no history can bring about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.domain.invitations import due_step, stamped
from dispatch.domain.legstate import Event, LegState
from dispatch.domain.moves import COURIER_EVENTS, ENDED, MONEY_EVENTS, MOVES
from dispatch.domain.tracking import fold
from dispatch.policies import load
from tests.domain.bodies import at as local

HOLIDAYS = load().holidays
START = datetime(2020, 4, 20, 1, 0, tzinfo=UTC)
"""Monday 20/4/2020, 08:00; 30/4 and 1/5 are holidays."""


def event(kind: str, when: datetime, number: int = 0, courier_id: str | None = "c1", **payload: object) -> Event:
    told = {"signature": "s", **payload} if kind == "delivered" else payload
    name = f"{kind}-{when:%d%H%M}-{number}"
    return Event(name, kind, when, number, courier_id, stamped(kind, when, dict(told), HOLIDAYS))


def after(hours: float, kind: str, **payload: object) -> Event:
    return event(kind, START + timedelta(hours=hours), **payload)  # type: ignore[arg-type]


def carried(leg: str, *more: Event) -> LegState:
    return fold(leg, [after(0, "created"), after(0.1, "assigned"), after(0.2, "collected"), *more])


def status(state: LegState) -> str:
    return f"{state.status}/{state.substatus}" if state.substatus else state.status


# ---- the way back of a result -----------------------------------------------------------------------
def test_holidays_do_not_count_between_the_invitations() -> None:
    failed = event("delivery_failed", local("2020-04-29 15:00"))
    state = carried("return", failed)
    assert state.invitations is not None
    assert status(state) == "ATTEMPT_FAILED/INVITED_1" and state.invitations.first_on == date(2020, 4, 29)
    assert (state.invitations.second_not_before, state.invitations.return_not_before) == (
        date(2020, 5, 5),
        date(2020, 5, 7),
    )
    assert due_step(state, HOLIDAYS) == ("invited", local("2020-05-05 07:30"))
    invited = event("invited", local("2020-05-05 07:30"))
    again = carried("return", failed, invited)
    assert status(again) == "ATTEMPT_FAILED/INVITED_2"
    assert due_step(again, HOLIDAYS) == ("returning", local("2020-05-07 07:30"))
    back = carried("return", failed, invited, event("returning", local("2020-05-07 07:30")))
    assert status(back) == "RETURNING" and due_step(back, HOLIDAYS) is None
    home = event("handed_over", local("2020-05-08 09:00"))
    events = [failed, invited, event("returning", local("2020-05-07 07:30")), home]
    assert carried("return", *events).status == "RETURNED_TO_SHOP"


def test_an_early_second_failure_moves_no_date_and_a_late_one_is_the_second_invitation() -> None:
    first = event("delivery_failed", local("2020-04-20 15:00"))
    early = carried("return", first, event("delivery_failed", local("2020-04-21 10:00")))
    assert early.invitations is not None and early.delivery_attempts == 2
    assert status(early) == "ATTEMPT_FAILED/INVITED_1" and early.invitations.second_not_before == date(2020, 4, 22)
    late = carried("return", first, event("delivery_failed", local("2020-04-24 10:00")))
    assert late.invitations is not None
    assert status(late) == "ATTEMPT_FAILED/INVITED_2"
    assert late.invitations.return_not_before == date(2020, 4, 28), "two working days after the actual second one"


def test_no_timer_runs_ahead_of_its_day() -> None:
    failed = event("delivery_failed", local("2020-04-29 15:00"))
    for kind, when in (("invited", "2020-05-04 23:59"), ("returning", "2020-05-07 07:30")):
        state = carried("return", failed, event(kind, local(when)))
        assert status(state) == "ATTEMPT_FAILED/INVITED_1"


def test_the_citizen_may_still_come_to_the_counter_between_the_invitations() -> None:
    failed, office = (
        event("delivery_failed", local("2020-04-20 15:00")),
        event("arrived_office", local("2020-04-20 17:00")),
    )
    state = carried("return", failed, office, event("delivered", local("2020-04-21 09:00")))
    assert state.status == "DELIVERED" and not state.steps[-1].implied
    assert [step.status for step in state.steps].count("OUT_FOR_DELIVERY") == 1, "nobody rode out again"
    invited = event("invited", local("2020-04-22 07:30"))
    refused = carried("return", failed, office, invited, event("refused", local("2020-04-22 09:00")))
    assert refused.status == "REFUSED" and due_step(refused, HOLIDAYS) == ("returning", local("2020-04-23 07:30"))
    assert refused.at_office


def test_an_item_brought_back_to_the_office_is_invited_from_there() -> None:
    failed, office = (
        event("delivery_failed", local("2020-04-20 15:00")),
        event("arrived_office", local("2020-04-20 17:00")),
    )
    waiting = carried("return", failed, office)
    assert status(waiting) == "AT_OFFICE" and due_step(waiting, HOLIDAYS) == ("invited", local("2020-04-22 07:30"))
    told = carried("return", failed, office, event("invited", local("2020-04-22 07:30")))
    assert status(told) == "ATTEMPT_FAILED/INVITED_2" and told.courier_id is None


def test_an_item_out_again_on_the_day_of_its_invitation_is_invited_on_the_next_one() -> None:
    out = event("out_for_delivery", local("2020-04-22 07:10"))
    again = event("arrived_office", local("2020-04-22 17:00"))
    state = carried("return", event("delivery_failed", local("2020-04-20 15:00")), out)
    assert due_step(state, HOLIDAYS) is None
    state = carried("return", event("delivery_failed", local("2020-04-20 15:00")), out, again)
    assert due_step(state, HOLIDAYS) == ("invited", local("2020-04-23 07:30"))


def test_a_refused_result_goes_back_with_the_next_working_day_or_at_once_with_the_courier() -> None:
    refused = event("refused", local("2020-04-29 15:00"))
    state = carried("return", refused)
    assert state.status == "REFUSED" and not state.ended
    assert due_step(state, HOLIDAYS) == ("returning", local("2020-05-04 07:30"))
    home = carried("return", refused, event("handed_over", local("2020-04-29 16:00")))
    assert home.status == "RETURNED_TO_SHOP"
    assert [step.status for step in home.steps][-2:] == ["RETURNING", "RETURNED_TO_SHOP"]


# ---- the pickup leg -----------------------------------------------------------------------
def test_a_counter_that_closed_is_no_fault_of_the_papers() -> None:
    shut = after(1, "handover_refused", reason="INTAKE_CLOSED")
    state = carried("pickup", shut)
    assert status(state) == "AT_OFFICE/HANDOVER_REFUSED"
    assert status(carried("pickup", shut, after(2, "supplement_requested"))) == "AT_OFFICE/HANDOVER_REFUSED"
    assert carried("pickup", shut, after(20, "handed_over")).status == "HANDED_OVER"


def test_a_wrong_dossier_waits_for_a_supplement_or_goes_back_to_its_sender() -> None:
    wrong = after(1, "handover_refused", reason="INCOMPLETE")
    waiting = carried("pickup", wrong, after(2, "supplement_requested", at_fault="CITIZEN"))
    assert status(waiting) == "AT_OFFICE/SUPPLEMENT"
    assert carried("pickup", wrong, after(2, "supplement_requested"), after(9, "handed_over")).status == "HANDED_OVER"
    back = carried("pickup", wrong, after(2, "supplement_requested"), after(3, "back_to_sender"))
    assert status(back) == "RETURNING/BACK_TO_SENDER"
    away = [wrong, after(3, "back_to_sender"), after(5, "delivery_failed", reason="CUSTOMER_ABSENT")]
    assert status(carried("pickup", *away)) == "RETURNING/BACK_TO_SENDER"
    home = carried("pickup", *away, after(6, "delivered"))
    assert home.status == "CLOSED" and home.delivered_at is not None
    unsigned = carried("pickup", *away, after(6, "delivered", signature=""))
    assert unsigned.status == "RETURNING", "nobody gets papers back without signing"


def test_a_dossier_handed_over_is_closed_after_its_appointment_was_noted() -> None:
    over = after(1, "handed_over")
    noted = carried("pickup", over, after(2, "appointment_noted", slip_no="7"))
    assert status(noted) == "HANDED_OVER/APPOINTMENT_NOTED"
    for more in ([after(2, "appointment_noted", slip_no="7")], []):
        done = carried("pickup", over, *more, after(3, "closed"))
        assert done.status == "CLOSED"
        assert "APPOINTMENT_NOTED" in [step.substatus for step in done.steps], "no state is skipped"


# ---- loss, damage, reopening, redirection -----------------------------------------------------------------------
def test_a_lost_item_is_compensated_before_it_is_closed_and_may_be_found() -> None:
    lost = after(1, "lost", reason="?")
    assert status(carried("return", lost)) == "LOST/INVESTIGATING"
    assert carried("return", lost, after(2, "closed")).status == "LOST"
    set_ = after(2, "compensation_set", amount=104_000, pay_by="2020-05-27")
    assert status(carried("return", lost, set_)) == "LOST/COMPENSATION"
    assert carried("return", lost, set_, after(3, "closed")).status == "CLOSED"
    found = carried("return", lost, after(3, "found"))
    assert (found.status, found.ended, found.at_office) == ("AT_OFFICE", False, True)
    for ended in ("delivered", "refused"):
        state = carried("return", after(1, ended), after(2, "lost"))
        assert (state.status == "LOST") == (ended == "refused"), "only what the post holds can be lost there"


def test_a_found_item_is_invited_on_a_day_to_come_not_on_one_gone_by() -> None:
    failed = event("delivery_failed", local("2020-04-20 15:00"))
    state = carried(
        "return", failed, event("lost", local("2020-04-21 09:00")), event("found", local("2020-05-12 09:00"))
    )
    assert due_step(state, HOLIDAYS) == ("invited", local("2020-05-13 07:30"))


def test_what_ended_in_error_goes_on_from_where_it_was() -> None:
    known = [after(0, "created"), after(1, "cancelled"), after(2, "reopened")]
    assert fold("return", known).status == "REQUESTED" and not fold("return", known).ended
    for kind in ("delivered", "refused", "lost", "damaged"):
        state = carried("return", after(1, kind), after(2, "reopened"))
        assert (state.status, state.ended, state.courier_id) == ("AT_OFFICE", False, None), kind
    over = carried("pickup", after(1, "handed_over"), after(2, "reopened"))
    assert over.status == "HANDED_OVER", "papers filed with the authority are not the post's to take back"


def test_a_redirected_item_is_on_its_way_again_and_its_invitations_are_forgotten() -> None:
    state = carried("return", after(1, "delivery_failed"), after(2, "redirected", transit_days=4))
    assert (status(state), state.invitations, state.delivery_attempts) == ("IN_TRANSIT", None, 0)
    assert state.redirected == (START + timedelta(hours=2), 4)
    before = fold("return", [after(0, "created"), after(1, "assigned"), after(2, "redirected", transit_days=4)])
    assert before.status == "ASSIGNED" and before.redirected is None
    for end in ("delivered", "refused", "lost"):
        done = carried("return", after(1, end), after(2, "redirected"))
        assert not done.took(after(2, "redirected").id)


def test_decisions_are_not_taken_back_by_a_scan() -> None:
    cancelled = after(1, "cancelled")
    state = fold("return", [after(0, "created"), cancelled, after(2, "undone", event_id=cancelled.id)])
    assert state.status == "CANCELLED" and not state.took(after(2, "undone").id)


# ---- no history at all -----------------------------------------------------------------------
KINDS = sorted((set(MOVES) | COURIER_EVENTS | MONEY_EVENTS | {"paused", "resumed"}) - {"created"})
LIKELY = [
    *("delivered", "delivery_failed", "handed_over", "handover_refused", "refused", "invited", "returning"),
    *("undone", "reopened", "lost", "closed", "compensation_set", "back_to_sender"),
]
PAYLOADS: list[dict[str, object]] = [
    {"signature": "s", "reason": "INCOMPLETE", "party": "CITIZEN", "postage": 26_000, "amount": 80_000},
    {"signature": "s", "reason": "INTAKE_CLOSED", "party": "SHOP", "postage": 0, "amount": 1, "courier": "c2"},
    {"signature": "", "reason": "CUSTOMER_ABSENT", "party": "POST", "postage": -5, "amount": -5},
]
WHAT = st.tuples(st.sampled_from(KINDS + 3 * LIKELY), st.integers(0, 24 * 14), st.sampled_from(PAYLOADS))


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Up to fourteen events of any kind at any hour of two weeks; an undone one names another."""
    made: list[Event] = []
    for number, (kind, hour, payload) in enumerate(draw(st.lists(WHAT, max_size=14))):
        target = {"event_id": made[hour % len(made)].id if made else "none"}
        when = START + timedelta(hours=hour)
        made.append(event(kind, when, number, str(payload.get("courier", "c1")), **payload | target))
    if draw(st.booleans()):  # most random orders never get far: begin half of them with an item in somebody's hands
        made += [event("assigned", START, 90), event("collected", START, 91)]
    return made


@settings(max_examples=2000)
@given(histories(), st.sampled_from(["pickup", "return"]), st.randoms(use_true_random=False))
def test_whatever_happens_in_whatever_order_the_books_stay_straight(history, leg, random) -> None:  # type: ignore[no-untyped-def]
    created = event("created", START - timedelta(hours=1), courier_id=None)
    state = fold(leg, [created, *history])
    shuffled = [created, *history]
    random.shuffle(shuffled)
    assert fold(leg, shuffled) == state, "the order of arrival decides nothing"
    assert not any(amount < 0 for amount in state.money.values()) and state.paid >= 0 and state.refunded >= 0
    assert all(pause.to is not None for pause in state.pauses[:-1]), "never two clocks stopped at once"
    ended = False
    for step, before in zip(state.steps, [None, *state.steps], strict=False):
        kind = step.event.type
        if step.status == "DELIVERED" and (before is None or before.status != "DELIVERED"):
            assert kind == "delivered" and step.event.payload.get("signature"), "DELIVERED only by a signature"
        if ended:
            assert kind in ("closed", "reopened", "found", "compensation_set", "appointment_noted"), (
                f"{kind} after the end"
            )
        ended = step.status in ENDED
    assert state.ended == ended
    assert state.status not in ("DELIVERED", "CLOSED", "HANDED_OVER") or state.collected


@settings(max_examples=300)
@given(histories(), st.sampled_from(["pickup", "return"]))
def test_time_alone_brings_every_item_to_rest(history, leg) -> None:  # type: ignore[no-untyped-def]
    events = [event("created", START - timedelta(hours=1), courier_id=None), *history]
    for round_number in range(6):
        state = fold(leg, events)
        due = due_step(state, HOLIDAYS)
        if due is None:
            return
        step = event(due[0], due[1], 1000 + round_number, None)
        events.append(step)
        assert fold(leg, events).took(step.id), "what falls due is lawful at its own instant"
    raise AssertionError("the timer never ends")
