"""A plan kept in memory: what comes is put in where the greedy engine would put it, and all of it passes the judge."""

from __future__ import annotations

import logging
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from routing import (
    Cost,
    GeodesicTravel,
    Inserted,
    Locked,
    MatrixTravel,
    NewPlace,
    Plan,
    Problem,
    Request,
    Route,
    RoutingError,
    Standing,
    check,
    solve,
)
from routing.cost import Evaluation, evaluate, warm_places
from routing.draft import Draft
from routing.kernel import build, walk
from routing.model import Number, Place
from routing.travel.geodesic import FileLegs
from routing.view import View
from tests.routing.problems import PLAIN, any_day, any_problem, courier, line, problem, request

_PROBLEMS = 400
_SAME_PLACE = 0.97  # of the insertions among couriers whose whole route must be timed for each place
ROADS = line(0, 100, 400, 900, 1500)


def empty(p: Problem) -> Plan:
    return Plan(p.name, "nobody", 1, 0, (), (), Cost())


def stands(p: Problem) -> Standing:
    return Standing(p, empty(p))


def by_greedy(before: Problem, plan: Plan, wanted: Request) -> Number | None:
    """By how much the total grows when greedy insertion puts one more request into a plan, None if it does not."""
    p = replace(before, requests=(*before.requests, wanted))
    view, number = View(p), len(before.requests)
    places = warm_places(view, plan)
    draft = Draft(view, view.sequences_of(plan), places, as_they_are=True)
    spot = draft.spot(number)
    if spot is None or spot.price > view.price(number):
        return None
    draft.insert(number, spot)
    found = evaluate(view, draft.sequences(), places)
    assert isinstance(found, Evaluation)
    if not plan.unserved:
        assert solve(p, engine="greedy", warm=plan).cost.total == pytest.approx(found.cost.total)
    return found.cost.total - check(before, plan).cost.total


def parted(p: Problem) -> tuple[Problem, list[Request]]:
    """The problem with what is bound and every other free request, and the rest, which is to come."""
    bound = {name for one in p.couriers for name in (*one.on_board, *(lock.request for lock in one.locked))}
    coming = [one for one in p.requests if one.id not in bound][::2]
    return replace(p, requests=tuple(one for one in p.requests if one not in coming)), coming


def timed_whole(p: Problem) -> bool:
    """Whether the kernel must time whole routes: it then tries a few likely places of each."""
    return bool(p.weights.duration_per_s) or any(one.breaks for one in p.couriers)


def timed_simply(p: Problem) -> Problem:
    couriers = tuple(replace(one, breaks=()) for one in p.couriers)
    return replace(p, couriers=couriers, weights=replace(p.weights, duration_per_s=0))


def test_what_comes_is_put_in_as_the_greedy_engine_would_and_the_plan_passes_the_judge() -> None:
    same = [0, 0]
    for seed in range(_PROBLEMS):
        p = any_problem(Random(seed), most_requests=9)
        before, coming = parted(p if seed % 2 else timed_simply(p))
        it = stands(before)
        for one in coming:
            plan, known = it.plan(), it.problem
            wanted, found = by_greedy(known, plan, one), it.insert(one)
            grown = None if found is None else found.growth
            equal = grown == (None if wanted is None else pytest.approx(wanted, rel=1e-6, abs=1e-6))
            same[equal] += 1
            assert equal or timed_whole(known), (seed, one.id, grown, wanted)
            if found:
                assert found.route in it.plan().routes, seed
        assert set(it.problem.requests) == {*before.requests, *coming}
        verdict = check(it.problem, it.plan())
        assert verdict.ok, (seed, verdict.violations)
    assert same[True] > _SAME_PLACE * sum(same)


@pytest.mark.parametrize("seed", range(4))
def test_requests_bring_their_places_and_the_room_for_them_grows(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_LEAST_ROOM", 3)
    monkeypatch.setattr(build, "_ROOM_SHARE", 1000)
    whole = any_day(Random(seed), 40, 5)
    whole = replace(whole, weights=replace(whole.weights, distance_per_m=seed // 2, travel_per_s=1))
    if seed < 2:
        whole = timed_simply(whole)
    if seed % 2:
        rnd = Random(seed)
        places = tuple(replace(p, lat=12.2 + rnd.random() / 9, lng=109.1 + rnd.random() / 9) for p in whole.places)
        whole = replace(whole, places=places, travel=GeodesicTravel(1.35, 28, 20))
    known = list(dict.fromkeys([n for c in whole.couriers for n in (c.start, c.end or c.start)]))
    it = stands(restricted(whole, known, ()))
    for one in whole.requests:
        plan, before = it.plan(), it.problem
        new = [name for name in dict.fromkeys((one.pickup.place, one.delivery.place)) if name not in known]
        brought = []
        for name in new:
            brought.append(as_new(whole, known, name))
            known.append(name)
        found = it.insert(one, *brought)
        wanted = by_greedy(replace(it.problem, requests=before.requests), plan, one)
        assert found is not None
        assert found.growth == pytest.approx(wanted) or timed_whole(whole)
    there = restricted(whole, known, whole.requests)
    assert (it.problem.places, it.problem.requests) == (there.places, there.requests)
    assert check(there, it.plan()).ok


def restricted(p: Problem, names: list[str], requests: tuple[Request, ...]) -> Problem:
    """The problem with these places only, in this order."""
    number = {place.id: k for k, place in enumerate(p.places)}
    at = [number[name] for name in names]
    travel = p.travel
    if isinstance(travel, MatrixTravel):
        travel = MatrixTravel(*([[m[i][j] for j in at] for i in at] for m in (travel.durations_s, travel.distances_m)))
    return replace(p, places=tuple(p.places[k] for k in at), travel=travel, requests=requests)


def as_new(p: Problem, names: list[str], name: str) -> NewPlace:
    number = {place.id: k for k, place in enumerate(p.places)}
    here, at, travel = number[name], [number[one] for one in names], p.travel
    if not isinstance(travel, MatrixTravel):
        return NewPlace(p.places[here])
    seconds, metres = travel.durations_s, travel.distances_m
    there = [seconds[i][here] for i in at], [metres[i][here] for i in at]
    return NewPlace(p.places[here], *there, [seconds[here][i] for i in at], [metres[here][i] for i in at])


def test_the_legs_of_a_new_place_are_those_of_the_whole_table() -> None:
    rnd = Random(1)
    lat, lng = [rnd.uniform(-80, 80) for _ in range(300)], [rnd.uniform(-180, 180) for _ in range(300)]
    formula = FileLegs(lat, lng, GeodesicTravel(1.3, 27.5, 20))
    both = np.stack(formula.both(), axis=2)
    assert all((formula.legs_of(k) == both[k]).all() for k in range(300))


def alone(*names: str, **weights: Number) -> Standing:
    """One courier with room for two parcels, and requests from p1 to p2."""
    wanted = [request(name, "p1", "p2", size=2) for name in names]
    return stands(problem(ROADS, [courier("c", "p0", capacity=2)], wanted, weights=replace(PLAIN, **weights)))


def test_a_request_that_nobody_takes_stays_with_its_reason_until_there_is_room() -> None:
    it = alone()
    assert it.insert(request("large", "p1", "p2", size=3)) is None
    assert [(one.request, one.code) for one in it.plan().unserved] == [("large", "capacity_exceeded")]
    brief = {"pickup_windows": ((0, 100),), "delivery_windows": ((400, 400),)}
    first, second = (request(name, "p1", "p2", size=2, **brief) for name in ("first", "second"))
    assert it.insert(first) is not None
    assert it.insert(second) is None
    assert it.remove("first") is None  # he has no stops left
    assert [row.request for row in Standing(it.problem, it.plan()).plan().routes[0].stops] == ["second", "second"]


def test_what_is_worth_just_its_price_is_put_in_and_nothing_dearer() -> None:
    assert alone(unserved=400).insert(request("r", "p1", "p2")) is not None
    assert alone(unserved=399).insert(request("r", "p1", "p2")) is None
    assert alone(unserved=0, distance_per_m=0).insert(request("r", "p1", "p2")) is not None


def test_a_removed_request_is_gone_and_the_others_keep_their_times() -> None:
    rnd = Random(5)
    whole = any_day(rnd, 40, 5)
    it = stands(replace(whole, requests=whole.requests[:30]))
    for k, one in enumerate(whole.requests[30:]):
        it.insert(one)
        gone = rnd.choice(it.problem.requests).id
        holder = next(r.courier for r in it.plan().routes if any(row.request == gone for row in r.stops))
        route = it.remove(gone)
        plan = it.plan()
        assert route == next((r for r in plan.routes if r.courier == holder), None)
        assert gone not in {row.request for r in plan.routes for row in r.stops} | {
            one.id for one in it.problem.requests
        }
        assert check(it.problem, plan).ok
        assert len(it.problem.requests) == 30, k
    again = request("again", whole.places[3].id, whole.places[4].id)
    assert it.insert(again) is not None
    assert check(it.problem, it.plan()).ok


def test_a_stop_whose_loss_makes_the_rest_impossible_is_mended() -> None:
    metres = [[0, 1, None, 5], [1, 0, 1, 5], [None, 1, 0, 5], [5, 5, 5, 0]]
    roads = ROADS[0][:4], MatrixTravel(metres, metres)
    it = stands(problem(roads, [courier("c", "p0")], [request("a", "p1", "p1"), request("b", "p2", "p2")]))
    assert it.plan().cost.unserved == 0
    assert it.remove("a") is None  # b cannot be reached by itself
    plan = it.plan()
    assert [one.request for one in plan.unserved] == ["b"]
    assert check(it.problem, plan).ok
    assert it.insert(request("c", "p1", "p1")) is not None
    again = Standing(it.problem, it.plan()).plan()
    assert again.cost.unserved == 0
    assert check(it.problem, again).ok


def test_what_is_promised_to_the_road_cannot_be_removed() -> None:
    rider = courier("c", "p0", on_board=("aboard",), locked=(Locked("next", "pickup"),))
    it = stands(problem(ROADS, [rider], [request(name, "p1", "p2") for name in ("aboard", "next", "free")]))
    for name, code in (("aboard", "conflict"), ("next", "conflict"), ("nobody", "unknown_request")):
        with pytest.raises(RoutingError) as refused:
            it.remove(name)
        assert refused.value.code == code
    found = it.insert(request("new", "p1", "p2"))
    assert found is not None
    assert (found.route.stops[0].request, found.route.stops[0].kind) == ("next", "pickup")


GOOD = NewPlace(Place("new"), [1] * 5, [1] * 5, [1] * 5, [1] * 5)


@pytest.mark.parametrize(
    ("wanted", "new", "code", "where"),
    [
        (request("free", "p1", "p2"), (), "duplicate_id", "request.id"),
        (request("", "p1", "p2"), (), "duplicate_id", "request.id"),
        (request("r", "p1", "nowhere"), (GOOD,), "unknown_place", "request.delivery.place"),
        (request("r", "p1", "p2", only_courier="x"), (GOOD,), "unknown_courier", "request.only_courier"),
        (request("r", "p1", "p2", pickup_windows=((9, 3),)), (GOOD,), "bad_value", "request.pickup.windows[0]"),
        (request("r", "p1", "new"), (GOOD, GOOD), "duplicate_id", "new[1].place.id"),
        (request("r", "p1", "new"), (replace(GOOD, back_m=[1] * 4),), "bad_value", "new[0].back_m"),
        (request("r", "p1", "new"), (replace(GOOD, there_s=[1, 1, 1, 1, 2**31]),), "bad_value", "new[0].there_s"),
        (request("r", "p1", "new"), (replace(GOOD, there_m=[0.5] * 5),), "bad_value", "new[0].there_m"),
        (request("r", "p1", "new"), (GOOD, replace(GOOD, place=Place("other"))), "bad_value", "new[1].there_s"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    wanted: Request, new: tuple[NewPlace, ...], code: str, where: str
) -> None:
    it = alone("free")
    before = it.problem, it.plan()
    with pytest.raises(RoutingError) as refused:
        it.insert(wanted, *new)
    assert (refused.value.code, refused.value.where) == (code, where)
    assert (it.problem, it.plan()) == before
    assert it.insert(request("r", "p1", "new"), GOOD) is not None


def test_a_new_place_without_degrees_is_refused_where_legs_are_reckoned() -> None:
    places = tuple(Place(f"p{k}", 12.2 + k / 100, 109.1) for k in range(3))
    it = stands(problem((places, GeodesicTravel(1.35, 28)), [courier("c", "p0")], []))  # type: ignore[arg-type]
    with pytest.raises(RoutingError) as refused:
        it.insert(request("r", "p1", "new"), NewPlace(Place("new")))
    assert (refused.value.code, refused.value.where) == ("missing_key", "new[0].place.lat")
    found = it.insert(request("r", "p1", "new"), NewPlace(Place("new", 12.25, 109.2)))
    assert found is not None
    assert check(it.problem, it.plan()).ok


@pytest.mark.parametrize("wrong", [(0, [3, 2], 500.0), (0, [2, 3], 1.0), (1, [2, 3], 500.0)])
def test_a_wrong_answer_of_the_kernel_is_logged_and_the_request_put_in_slowly(
    wrong: tuple[int, list[int], float], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    p = problem(
        ROADS, [courier("c", "p0"), courier("d", "p4", capacity=0)], [request("a", "p1", "p1", only_courier="d")]
    )
    it = stands(p)
    one = request("r", "p1", "p2")
    wanted = by_greedy(p, it.plan(), one)
    monkeypatch.setattr(walk, "best_place", lambda *_: wrong)
    with caplog.at_level(logging.ERROR, "routing.standing"):
        found = it.insert(one)
    assert "wrong" in caplog.text
    assert found is not None
    assert (found.courier, found.growth) == ("c", wanted)


def test_nobody_at_work_takes_nothing() -> None:
    it = stands(problem(ROADS, [], []))
    assert it.insert(request("r", "p1", "p2")) is None
    assert [one.code for one in it.plan().unserved] == ["no_courier"]


def test_a_standing_plan_is_the_one_that_was_handed_over() -> None:
    p = any_day(Random(2), 30, 4)
    plan = solve(p, engine="search", iterations=200)
    it = Standing(p, plan)
    assert it.plan().routes == plan.routes
    assert isinstance(it.insert(request("r", "p0", "p1")), Inserted)
    changed: list[Route] = [route for route in it.plan().routes if route not in plan.routes]
    assert len(changed) == 1


def test_the_dice_that_overlook_nothing_do_so_for_many_couriers() -> None:
    x, mask = walk._ATTENTIVE, 2**64 - 1
    for _ in range(870):
        x ^= (x << 13) & mask
        x ^= x >> 7
        x ^= (x << 17) & mask
        assert (x >> 11) * 2.0**-53 >= 0.02  # routing.kernel.recreate._OVERLOOKED
