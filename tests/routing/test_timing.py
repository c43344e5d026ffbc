"""Hand-computed routes: one test for each rule of the timing in `routing-problem/1`."""

from __future__ import annotations

from dataclasses import replace

from routing import Break, Problem, Rest, Weights
from routing.cost import Evaluation, evaluate, moved_stops, routes, warm_places
from routing.model import Cost, Locked, Plan
from routing.timing import Fault, Timing, time_route
from routing.view import View
from tests.routing.problems import PLAIN, courier, line, problem, request


def timed(p: Problem, order: list[int], who: int = 0) -> Timing:
    timing = time_route(View(p), who, order)
    assert isinstance(timing, Timing), timing
    return timing


def fault(p: Problem, order: list[int], who: int = 0) -> Fault:
    found = time_route(View(p), who, order)
    assert isinstance(found, Fault)
    return found


def cost_of(p: Problem, *orders: list[int]) -> Evaluation:
    evaluation = evaluate(View(p), list(orders))
    assert isinstance(evaluation, Evaluation), evaluation
    return evaluation


def test_a_plain_pair_is_timed_leg_by_leg() -> None:
    p = problem(line(0, 100, 400), [courier("c", "p0")], [request("r", "p1", "p2", pickup_service_s=20)])
    timing = timed(p, [0, 1])
    assert (timing.arrive, timing.start, timing.depart) == ([100, 420], [100, 420], [120, 420])
    assert (timing.leave_at, timing.end_at, timing.distance_m, timing.travel_s) == (0, 420, 400, 400)


def test_the_way_home_counts_only_when_there_is_a_home() -> None:
    home = problem(line(0, 100, 400), [courier("c", "p0", end="p0")], [request("r", "p1", "p2")])
    timing = timed(home, [0, 1])
    assert (timing.end_at, timing.distance_m, timing.travel_s) == (800, 800, 800)


def test_a_courier_does_not_stand_before_a_closed_shop_but_leaves_later() -> None:
    p = problem(line(0, 100, 400), [courier("c", "p0")], [request("r", "p1", "p2", pickup_windows=((1000, 2000),))])
    timing = timed(p, [0, 1])
    assert (timing.leave_at, timing.arrive[0], timing.start[0], timing.end_at) == (900, 1000, 1000, 1300)


def test_waiting_on_the_way_stands_between_arrival_and_start() -> None:
    p = problem(line(0, 100, 400), [courier("c", "p0")], [request("r", "p1", "p2", delivery_windows=((900, 2000),))])
    timing = timed(p, [0, 1])
    assert (timing.arrive[1], timing.start[1]) == (400, 900)


def test_a_shop_that_closes_at_midday_is_served_before_or_after() -> None:
    windows = ((0, 300), (600, 900))
    p = problem(line(0, 100, 500), [courier("c", "p0")], [request("r", "p1", "p2", delivery_windows=windows)])
    assert timed(p, [0, 1]).start == [100, 600]
    late = problem(line(0, 100, 1100), [courier("c", "p0")], [request("r", "p1", "p2", delivery_windows=windows)])
    assert fault(late, [0, 1]) == Fault("window_unreachable", 1, 200)


def test_nobody_leaves_before_now_shift_and_availability_allow() -> None:
    requests = [request("r", "p1", "p2")]
    for wishes, now, leave in (
        ({"shift": (300, 9000)}, 0, 300),
        ({"available_at": 450}, 0, 450),
        ({"shift": (300, 9000), "available_at": 450}, 700, 700),
    ):
        p = problem(line(0, 100, 400), [courier("c", "p0", **wishes)], requests, now=now)
        assert timed(p, [0, 1]).leave_at == leave


def test_stops_at_one_place_follow_each_other_without_a_drive() -> None:
    requests = [request(f"r{k}", "p1", "p2", pickup_service_s=30, delivery_service_s=10) for k in range(2)]
    p = problem(line(0, 100, 400), [courier("c", "p0")], requests)
    timing = timed(p, [0, 2, 1, 3])
    assert timing.arrive == [100, 130, 460, 470]
    assert timing.depart == [130, 160, 470, 480]
    assert timing.distance_m == 400


def test_lateness_is_counted_at_both_ends_and_never_negative() -> None:
    requests = [request("r", "p1", "p2", pickup_due=40, delivery_due=390), request("s", "p1", "p2", pickup_due=900)]
    p = problem(line(0, 100, 400), [courier("c", "p0")], requests)
    evaluation = cost_of(p, [0, 2, 1, 3])
    assert evaluation.cost.late_s == 60 + 10
    assert evaluation.cost.total == 400 + 10 * 70


def test_a_hard_due_time_is_a_wall() -> None:
    p = problem(line(0, 100), [courier("c", "p0")], [request("r", "p1", "p0", pickup_due=40)], hard_due=True)
    assert fault(p, [0, 1]) == Fault("due_unreachable", 0, 60)


def test_delay_counts_from_the_opening_of_the_pickup_or_now() -> None:
    weights = replace(PLAIN, delivery_delay_per_s=1)
    early = problem(line(0, 100, 400), [courier("c", "p0")], [request("r", "p1", "p2")], weights=weights, now=50)
    assert cost_of(early, [0, 1]).cost.delivery_delay_s == 400
    wish = {"pickup_windows": ((200, 900), (1200, 1300))}
    later = problem(line(0, 100, 400), [courier("c", "p0")], [request("r", "p1", "p2", **wish)], weights=weights)
    assert cost_of(later, [0, 1]).cost.delivery_delay_s == 300


def test_the_shift_ends_for_service_and_for_the_way_home() -> None:
    requests = [request("r", "p1", "p2", delivery_service_s=50)]
    assert fault(problem(line(0, 100, 400), [courier("c", "p0", shift=(0, 449))], requests), [0, 1]).by == 1
    roads = line(0, 100, 400)
    assert timed(problem(roads, [courier("c", "p0", shift=(0, 450))], requests), [0, 1]).end_at == 450
    away = problem(roads, [courier("c", "p0", end="p0", shift=(0, 849))], requests)
    assert fault(away, [0, 1]) == Fault("shift_too_short", 2, 1)


def test_load_is_counted_from_pickup_to_delivery_with_what_is_on_board() -> None:
    requests = [request("a", "p1", "p2", size=2), request("b", "p1", "p2", size=2), request("c", "p2", "p0", size=1)]
    p = problem(line(0, 100, 400), [courier("x", "p0", capacity=3, on_board=("c",))], requests)
    assert fault(p, [0, 2, 1, 3, 5]) == Fault("capacity_exceeded", 1, 2)
    assert timed(p, [0, 1, 2, 3, 5]).end_at == 1400
    full = problem(line(0, 100, 400), [courier("x", "p0", capacity=2, on_board=("c",))], requests)
    assert fault(full, [0, 1, 5]).code == "capacity_exceeded"
    assert timed(full, [5, 0, 1]).depart == [0, 100, 400]


def test_a_leg_that_does_not_exist_cannot_be_driven() -> None:
    places, travel = line(0, 100, 400)
    rows = [list(row) for row in travel.durations_s]
    rows[1][2] = None
    broken = (places, replace(travel, durations_s=rows))
    p = problem(broken, [courier("c", "p0")], [request("r", "p1", "p2")])
    assert fault(p, [0, 1]) == Fault("unreachable", 1)
    one_way = problem(broken, [courier("c", "p0")], [request("r", "p2", "p1")])
    assert timed(one_way, [0, 1]).end_at == 700


def test_the_longest_way_a_courier_may_drive_includes_the_way_home() -> None:
    requests = [request("r", "p1", "p2")]
    assert timed(problem(line(0, 100, 400), [courier("c", "p0", max_distance_m=400)], requests), [0, 1]).end_at == 400
    home = problem(line(0, 100, 400), [courier("c", "p0", end="p0", max_distance_m=700)], requests)
    assert fault(home, [0, 1]) == Fault("distance_exceeded", 1, 100)


def test_a_break_stands_between_a_departure_and_the_next_leg() -> None:
    busy = request("r", "p1", "p2", pickup_service_s=70)
    p = problem(line(0, 100, 400), [courier("c", "p0", breaks=(Break((150, 300), 60),))], [busy])
    timing = timed(p, [0, 1])
    assert timing.rests == (Rest(170, 230),)
    assert (timing.depart[0], timing.arrive[1]) == (170, 530)


def test_a_break_is_waited_for_when_no_later_place_is_left() -> None:
    p = problem(line(0, 100, 400), [courier("c", "p0", breaks=(Break((150, 300), 60),))], [request("r", "p1", "p2")])
    timing = timed(p, [0, 1])
    assert timing.rests == (Rest(150, 210),)
    assert timing.end_at == 510


def test_a_break_hides_in_a_wait() -> None:
    waits = request("r", "p1", "p2", delivery_windows=((900, 2000),))
    p = problem(line(0, 100, 400), [courier("c", "p0", breaks=(Break((50, 800), 300),))], [waits])
    timing = timed(p, [0, 1])
    assert timing.start[1] == 900
    assert len(timing.rests) == 1


def test_no_break_is_needed_when_the_route_is_over_before_its_window_closes() -> None:
    for closes, rests in ((401, 0), (400, 1)):
        rest = Break((100, closes), 60)
        p = problem(line(0, 100, 400), [courier("c", "p0", breaks=(rest,))], [request("r", "p1", "p2")])
        assert len(timed(p, [0, 1]).rests) == rests


def test_a_break_between_last_stop_and_home_delays_the_end() -> None:
    rest = Break((400, 500), 60)
    p = problem(line(0, 100, 400), [courier("c", "p0", end="p0", breaks=(rest,))], [request("r", "p1", "p2")])
    timing = timed(p, [0, 1])
    assert (timing.rests, timing.end_at) == ((Rest(400, 460),), 860)


def test_no_break_is_taken_between_two_stops_at_one_place() -> None:
    requests = [request("r", "p1", "p2", pickup_service_s=100), request("s", "p1", "p2", pickup_service_s=100)]
    rest = Break((180, 250), 60)
    p = problem(line(0, 100, 400), [courier("c", "p0", breaks=(rest,))], requests)
    timing = timed(p, [0, 2, 1, 3])
    assert timing.arrive[1] == timing.depart[0]
    assert timing.rests == (Rest(180, 240),)  # before the drive to the first of them
    assert timing.leave_at == 240


def test_a_missed_break_window_leaves_no_lawful_route() -> None:
    rest = Break((10, 20), 60)
    p = problem(line(0, 100, 400), [courier("c", "p0", available_at=30, breaks=(rest,))], [request("r", "p1", "p2")])
    assert fault(p, [0, 1]).code == "break_in_the_way"


def test_a_route_that_pays_for_its_length_starts_as_late_as_that_is_cheaper() -> None:
    weights = replace(PLAIN, duration_per_s=5)
    wish = {"delivery_windows": ((900, 2000),)}
    p = problem(line(0, 100, 400), [courier("c", "p0")], [request("r", "p1", "p2", **wish)], weights=weights)
    timing = timed(p, [0, 1])
    assert (timing.leave_at, timing.start, timing.end_at) == (500, [600, 900], 900)
    due = problem(
        line(0, 100, 400), [courier("c", "p0")], [request("r", "p1", "p2", pickup_due=300, **wish)], weights=weights
    )
    assert timed(due, [0, 1]).start == [300, 900]


def test_every_term_of_the_total_is_priced() -> None:
    weights = Weights(1000, 10, 500, 2, 3, 5, 0.5, 0, 7)
    requests = [request("r", "p1", "p2", pickup_due=40), request("s", "p2", "p1"), request("t", "p1", "p2", priority=3)]
    p = problem(line(0, 100, 400), [courier("a", "p0"), courier("b", "p2")], requests, weights=weights)
    cost = cost_of(p, [0, 1], [2, 3]).cost
    assert (cost.unserved, cost.late_s, cost.couriers, cost.distance_m, cost.travel_s) == (1, 60, 2, 700, 700)
    assert (cost.duration_s, cost.delivery_delay_s) == (700, 700)
    assert cost.total == 3000 + 600 + 1000 + 1400 + 2100 + 3500 + 350 + 7 * 100


def test_only_stops_that_changed_courier_or_neighbour_count_as_moved() -> None:
    weights = replace(PLAIN, moved_stop=1000)
    requests = [request("r", "p1", "p2"), request("s", "p1", "p2")]
    p = problem(line(0, 100, 400), [courier("a", "p0"), courier("b", "p0")], requests, weights=weights)
    view = View(p)
    before = cost_of(p, [0, 1], [])
    warm = Plan("test", "x", 1, 1, routes(view, before), (), Cost())
    places = warm_places(view, warm)
    assert moved_stops([[0, 1], []], places) == 0
    assert moved_stops([[0, 2, 1, 3], []], places) == 1  # r's delivery now follows s's pickup; s is new
    assert moved_stops([[], [0, 1]], places) == 2


def test_a_courier_with_parcels_but_nothing_to_do_still_has_a_route() -> None:
    requests = [request("r", "p1", "p2", delivery_windows=((0, 10),))]
    locked = courier("a", "p0", on_board=("r",), locked=(Locked("r", "delivery"),))
    p = problem(line(0, 100, 400), [locked, courier("b", "p0")], requests)
    evaluation = cost_of(p, [], [])
    assert [(route.courier, route.stops) for route in routes(View(p), evaluation)] == [("a", ())]
