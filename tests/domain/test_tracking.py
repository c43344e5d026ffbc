"""The state machine: lawful orders only, the same end whatever order events arrive in."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.domain.tracking import COURIER_EVENTS, ENDED, Event, LegState, fold

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def at(minute: float, kind: str, courier: str | None = "c1", number: int = 0, **payload: object) -> Event:
    moment = START + timedelta(minutes=minute)
    return Event(f"{kind}-{minute}-{number}", kind, moment, number, courier, dict(payload))


def statuses(state: LegState) -> list[str]:
    return [step.status for step in state.steps]


def test_a_return_leg_carried_straight_on_passes_every_station() -> None:
    state = fold("return", [at(0, "created"), at(1, "assigned"), at(2, "collected"), at(3, "delivered", signature="s")])
    assert statuses(state) == [
        *("REQUESTED", "DISPATCHED", "ASSIGNED", "COLLECTED"),
        *("IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY", "DELIVERED"),
    ]
    assert [step.implied for step in state.steps] == [False, True, False, False, True, True, True, False]


def test_a_pickup_leg_ends_at_the_counter_not_at_a_citizens_door() -> None:
    before = [at(0, "created"), at(1, "assigned"), at(2, "collected")]
    assert fold("pickup", [*before, at(3, "handed_over")]).status == "HANDED_OVER"
    assert fold("pickup", [*before, at(3, "delivered", signature="s")]).status == "COLLECTED"
    assert fold("return", [*before, at(3, "handed_over")]).status == "COLLECTED"


def test_nothing_is_delivered_without_a_signature() -> None:
    before = [at(0, "created"), at(1, "assigned"), at(2, "collected")]
    for payload in ({}, {"signature": ""}, {"signature": None}):
        state = fold("return", [*before, at(3, "delivered", **payload)])
        assert (state.status, state.took("delivered-3-0")) == ("COLLECTED", False)


def test_nobody_collects_what_was_never_given_to_him() -> None:
    assert fold("return", [at(0, "created"), at(2, "collected")]).status == "REQUESTED"
    taken = [at(0, "created"), at(1, "assigned"), at(2, "unassigned"), at(3, "collected", "c1")]
    assert fold("return", taken).status == "COLLECTED"  # he was on his way when it was taken from him
    assert fold("return", [*taken[:3], at(3, "collected", "c2")]).status == "DISPATCHED"


def test_a_scan_made_before_a_cancel_stands_although_it_arrives_later() -> None:
    known = [at(0, "created"), at(1, "assigned"), at(10, "cancelled", None)]
    assert fold("return", known).status == "CANCELLED"
    late = at(9, "collected")
    state = fold("return", [*known, late])
    assert state.status == "COLLECTED" and not state.took("cancelled-10-0") and state.took(late.id)
    too_late = fold("return", [*known, at(11, "collected")])
    assert too_late.status == "CANCELLED" and not too_late.took("collected-11-0")


def test_two_failed_visits_are_counted_and_the_first_absence_is_remembered() -> None:
    def visit(minute: int) -> list[Event]:
        return [at(minute, "assigned"), at(minute + 1, "collect_failed", reason="CUSTOMER_ABSENT", proof=["x"])]

    state = fold("pickup", [at(0, "created"), *visit(10), *visit(60)])
    assert (state.status, state.pickup_attempts) == ("PICKUP_FAILED", 2)
    assert state.absent_at == START + timedelta(minutes=11) and state.courier_id is None


def test_an_absence_without_proof_stops_no_clock() -> None:
    events = [at(0, "created"), at(1, "assigned"), at(2, "collect_failed", reason="CUSTOMER_ABSENT", proof=[])]
    assert fold("pickup", events).absent_at is None


def test_an_undone_scan_never_happened() -> None:
    scan = at(2, "collected")
    events = [at(0, "created"), at(1, "assigned"), scan, at(3, "undone", event_id=scan.id)]
    assert fold("return", events).status == "ASSIGNED"


EVENTS = st.lists(
    st.builds(
        at,
        st.integers(0, 40),
        st.sampled_from(sorted(COURIER_EVENTS | {"assigned", "unassigned", "cancelled", "e_returned", "dispatched"})),
        st.sampled_from(["c1", "c2"]),
        st.integers(0, 3),
        reason=st.sampled_from(["CUSTOMER_ABSENT", "OTHER"]),
        proof=st.sampled_from([["x"], []]),
        signature=st.sampled_from(["s", "s", ""]),
    ),
    max_size=14,
    unique_by=lambda event: event.id,
)


@settings(max_examples=2000)
@given(EVENTS, st.randoms(use_true_random=False), st.sampled_from(["pickup", "return"]))
def test_the_end_never_depends_on_the_order_in_which_events_become_known(events, random, leg) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(events)
    random.shuffle(shuffled)
    assert fold(leg, [at(-1, "created"), *events]) == fold(leg, [*shuffled, at(-1, "created")])


@settings(max_examples=2000)
@given(EVENTS, st.sampled_from(["pickup", "return"]))
def test_no_station_is_skipped_and_nothing_follows_the_end(events, leg) -> None:  # type: ignore[no-untyped-def]
    state = fold(leg, [at(-1, "created"), *events])
    passed = statuses(state)
    assert passed[0] == "REQUESTED"
    if "ASSIGNED" in passed:
        assert "DISPATCHED" in passed[: passed.index("ASSIGNED")]
    if "DELIVERED" in passed:
        assert {"COLLECTED", "IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY"} <= set(passed)
    if "HANDED_OVER" in passed:
        assert {"COLLECTED", "IN_TRANSIT", "AT_OFFICE"} <= set(passed)
    ended = [number for number, status in enumerate(passed) if status in ENDED]
    assert ended in ([], [len(passed) - 1])
