"""The roster: never more couriers than needed, never fewer; compared with trying everything on tiny days."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from routing import RoutingError
from routing.programs.roster import Area, Roster, Shift, Staffing, roster

DAY = Shift("day", 0, 4, 100)
MORNING = Shift("morning", 0, 2, 60)
EVENING = Shift("evening", 2, 4, 60)


def wanted(area: Area, shifts: list[Shift], **rest: int) -> Roster:
    settings = {"unmet_price": 1000, "slot_s": 1800, "promise_slots": 1} | rest
    return roster([area], shifts, **settings)  # type: ignore[arg-type]


def test_a_courier_for_every_half_hour_of_work() -> None:
    found = wanted(Area("a", (2, 2, 2, 2), 1800, 9), [DAY, MORNING, EVENING], promise_slots=0)
    assert (found.staffing, found.cost, found.proven) == ((Staffing("a", "day", 2),), 200, True)
    assert found.left_out == {"a": 0}
    assert found.bound == found.cost


def test_a_peak_is_flattened_as_far_as_the_promise_allows() -> None:
    peak = Area("a", (4, 0, 0, 0), 1800, 9)
    assert wanted(peak, [DAY], promise_slots=3).staffing == (Staffing("a", "day", 1),)
    assert wanted(peak, [DAY], promise_slots=1).staffing == (Staffing("a", "day", 2),)
    assert wanted(peak, [DAY], promise_slots=0).staffing == (Staffing("a", "day", 4),)


def test_nobody_works_ahead_of_what_has_come() -> None:
    late = Area("a", (0, 0, 2, 0), 1800, 9)
    assert wanted(late, [MORNING, EVENING], promise_slots=1).staffing == (Staffing("a", "evening", 1),)
    assert wanted(late, [MORNING], promise_slots=1).left_out == {"a": 2}


def test_half_done_work_is_carried_into_the_next_slot() -> None:
    found = wanted(Area("a", (1, 1, 1, 0), 2400, 9), [DAY], promise_slots=3)
    assert (found.staffing, found.left_out) == ((Staffing("a", "day", 1),), {"a": 0})


def test_nobody_works_in_his_rest() -> None:
    lunch = Shift("lunch", 0, 4, 100, rests=frozenset({1}))
    assert wanted(Area("a", (0, 2, 0, 0), 1800, 9), [lunch], promise_slots=0).left_out == {"a": 2}


def test_what_costs_more_than_it_is_worth_is_left_out_and_what_falls_due_tomorrow_stays() -> None:
    assert wanted(Area("a", (1, 0, 0, 0), 1800, 9), [DAY], unmet_price=99).cost == 99
    assert wanted(Area("a", (1, 0, 0, 0), 1800, 9), [DAY], unmet_price=101).cost == 100
    assert wanted(Area("a", (0, 0, 0, 5), 1800, 9), [DAY]).cost == 0


def test_neighbours_help_out_less_the_ride() -> None:
    busy = Area("busy", (2, 2, 0, 0), 600, 0)
    calm = Area("calm", (0, 0, 2, 2), 600, 9, neighbours=("busy",))
    found = roster([busy, calm], [DAY], unmet_price=1000, promise_slots=0, ride_s=600)
    assert (found.staffing, found.lent_slots) == ((Staffing("calm", "day", 1),), 2)
    farther = roster([busy, calm], [DAY], unmet_price=1000, promise_slots=0, ride_s=601)
    assert farther.staffing == (Staffing("calm", "day", 2),)
    alone = roster([busy, Area("calm", calm.requests, 600, 9)], [DAY], unmet_price=1000, promise_slots=0)
    assert alone.left_out == {"busy": 4, "calm": 0}


def fewest_left_out(requests: tuple[int, ...], hands_s: list[int], each_s: int, promise: int) -> int:
    """How few are left out when so many seconds of work can be done in each slot, by trying everything."""
    states = {(0, 0)}  # worked, left out
    for t, hands in enumerate(hands_s):
        come = sum(requests[: t + 1])
        due = sum(requests[: t - promise + 1]) if t >= promise else 0
        states = {
            (worked, lost)
            for before, lost_before in states
            for worked in range(before, before + hands + 1, 300)
            for lost in range(lost_before, come + 1)
            if worked // each_s + lost >= due and worked + lost * each_s <= come * each_s
        }
    return min(lost for _, lost in states)


@pytest.mark.parametrize("seed", range(25))
def test_no_roster_is_cheaper_than_the_one_found(seed: int) -> None:
    rnd = Random(seed)
    requests = tuple(rnd.randint(0, 3) for _ in range(4))
    each_s, most, promise, price = rnd.choice([900, 1500, 1800]), 3, rnd.randint(0, 2), rnd.choice([40, 500])
    shifts = [MORNING, EVENING, DAY]
    best = None
    for counts in product(range(most + 1), repeat=3):
        if sum(counts) <= most:
            working = list(zip(counts, shifts, strict=True))
            hands = [sum(1800 * n for n, s in working if s.first <= t < s.end) for t in range(4)]
            total = sum(n * s.cost for n, s in working) + price * fewest_left_out(requests, hands, each_s, promise)
            best = total if best is None else min(best, total)
    found = wanted(Area("a", requests, each_s, most), shifts, unmet_price=price, promise_slots=promise)
    assert (found.cost, found.proven) == (best, True)


def test_a_province_is_answered_close_to_the_best_there_can_be() -> None:
    rnd = Random(1)
    names = [f"a{k}" for k in range(12)]
    areas = [
        Area(name, tuple(rnd.randint(0, 12) for _ in range(20)), 1100, 40, neighbours=(names[k - 1],))
        for k, name in enumerate(names)
    ]
    shifts = [Shift(f"s{first}", first, first + 9, 100, frozenset({first + 4})) for first in range(12)]
    found = roster(areas, shifts, unmet_price=10_000, seconds=3)
    assert sum(found.left_out.values()) == 0
    assert found.bound <= found.cost <= 1.5 * found.bound


WRONG = [
    ([], [DAY], {}, "areas"),
    ([Area("a", (1,), 1, 1), Area("a", (1,), 1, 1)], [], {}, "areas[1].id"),
    ([Area("a", (1,), 1, 1), Area("b", (1, 2), 1, 1)], [], {}, "areas[1].requests"),
    ([Area("a", (-1,), 1, 1)], [], {}, "areas[0].requests"),
    ([Area("a", (1,), 0, 1)], [], {}, "areas[0]"),
    ([Area("a", (1,), 1, 1, ("b",))], [], {}, "areas[0].neighbours"),
    ([Area("a", (1,), 1, 1, ("a",))], [], {}, "areas[0].neighbours"),
    ([Area("a", (1,), 1, 1)], [DAY], {}, "shifts[0]"),
    ([Area("a", (1,), 1, 1)], [], {"unmet_price": -1}, "unmet_price"),
    ([Area("a", (1,), 1, 1)], [], {"promise_slots": -1}, "promise_slots"),
]


@pytest.mark.parametrize(("areas", "shifts", "rest", "where"), WRONG, ids=[where for *_, where in WRONG])
def test_a_forecast_that_contradicts_itself_is_refused(
    areas: list[Area], shifts: list[Shift], rest: dict[str, int], where: str
) -> None:
    with pytest.raises(RoutingError) as error:
        roster(areas, shifts, **({"unmet_price": 1} | rest))  # type: ignore[arg-type]
    assert error.value.where == where


def test_without_any_shift_all_is_left_out() -> None:
    assert wanted(Area("a", (1, 2, 0, 0), 1800, 9), []).left_out == {"a": 3}
