"""Four ways to run a day: ours, and three that it is compared with.

`insertion` puts every notice at once where it adds least and never changes it; `nearest` sends the nearest free
courier; `fixed` is today's practice: each cluster of shops has its own courier, who goes round. They are meant in
earnest: they know hours, shifts and capacities, drive at once and do not stand before closed doors.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

import routing
from dispatch.live.foretelling import NO_PLACE, Foretold, Load, foretell, overload_risk
from dispatch.live.leaving import latest_departure, spare_s, starts
from dispatch.rehearsal.questions import Wishes, ahead, in_force, orders_of, problem_of, work_s
from dispatch.rehearsal.scenario import Point, Request, Scenario
from dispatch.rehearsal.world import News, Rider, Stop, World
from routing.cost import moved_stops, warm_places
from routing.draft import Draft
from routing.model import Number
from routing.view import View

PRICES = routing.Weights(unserved=10**7, late_per_s=50, distance_per_m=1, delivery_delay_per_s=0.01)


@dataclass(frozen=True, slots=True)
class Replan:
    """One look at all orders: when, how long it took, and how many stops got another courier or predecessor."""

    at: int
    cpu_ms: float
    moved_stops: int


@dataclass(slots=True)
class Diary:
    """What a strategy did and said."""

    replans: list[Replan] = field(default_factory=list)
    foretold: dict[str, Foretold] = field(default_factory=dict)
    """Request → what was first answered."""
    unplaced: dict[str, float] = field(default_factory=dict)
    """Request that nobody had a place for when it came → how likely its promise was to break."""
    at_risk: dict[str, int] = field(default_factory=dict)
    """Request → when it was first seen to be in danger."""


class Strategy(Protocol):
    """Decides what every courier does next."""

    diary: Diary

    def __call__(self, world: World, news: News) -> None:
        """Give orders after what has become known at `world.now`."""


def cheapest(world: World, problem: routing.Problem, riders: list[Rider], new: Iterable[str]) -> dict[str, list[Stop]]:
    """Put new requests in where they add least; return the orders. Nothing else changes place."""
    view = View(problem)
    draft = Draft(view, view.sequences_of(in_force(world, riders)), {})
    for name in new:
        request = view.request_of[name]
        spot = draft.spot(request)
        if spot is not None:
            draft.insert(request, spot)
    return {
        courier.id: [Stop(problem.requests[s // 2].id, "delivery" if s % 2 else "pickup") for s in order]
        for courier, order in zip(problem.couriers, draft.sequences(), strict=True)
    }


def _soonest(world: World, rider: Rider) -> int:
    """Return when to leave so as to be at the first stop when it can be served at once."""
    stops = ahead(world, rider)
    begins = starts(stops, world.now)
    return begins[0] - stops[0].drive_s if begins else world.now


def _send_at_once(world: World) -> None:
    """Let everybody who has something to do set out, but not to stand before a closed door."""
    for rider in world.riders:
        if rider.doing == "idle" and rider.order:
            rider.leave_at = _soonest(world, rider)


def _keep_only_the_bag(absent: Iterable[Rider]) -> None:
    """Leave to those who are gone only what they carry."""
    for rider in absent:
        rider.order = [stop for stop in rider.order if stop.request in rider.bag]


def _alone(world: World, rider: Rider, request: Request) -> list[int] | None:
    """Return when he would start its pickup and its delivery with nothing else to do, None where hours forbid it."""
    trip = Rider(rider.courier, rider.place, rider.expected_at)
    trip.order = [Stop(request.id, "pickup"), Stop(request.id, "delivery")]
    begins = starts(ahead(world, trip), world.now) if request.size <= rider.courier.capacity else None
    in_shift = begins is not None and begins[-1] + request.delivery.service_s <= rider.courier.shift[1]
    return begins if in_shift else None


class Insertion:
    """Cheapest feasible insertion at once, with no later change."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.diary = Diary()
        self.waiting: list[str] = []

    def __call__(self, world: World, news: News) -> None:
        """Give orders after what has become known at `world.now`."""
        self.waiting += [request.id for request in news.revealed]
        held = {stop.request for rider in world.riders for stop in rider.order if not rider.absent}
        for rider in news.absent:
            self.waiting += [s.request for s in rider.order if s.kind == "pickup" and s.request not in held]
        _keep_only_the_bag(news.absent)
        self.waiting = [name for name in dict.fromkeys(self.waiting) if name in world.alive]
        if news.changes or (self.waiting and news.moved):
            began = time.process_time()
            known = {stop.request for rider in world.riders for stop in rider.order} | set(self.waiting)
            requests = [one for one in world.alive.values() if one.id in known]
            problem = problem_of(world, world.riders, requests, Wishes(PRICES))
            orders = cheapest(world, problem, world.riders, self.waiting)
            for rider in world.riders:
                world.give(rider, orders[rider.courier.id], world.now)
            given = {stop.request for order in orders.values() for stop in order}
            self.waiting = [name for name in self.waiting if name not in given]
            self.diary.replans.append(Replan(world.now, 1000 * (time.process_time() - began), 0))
        _send_at_once(world)
        answer(world, self.diary, news.revealed)


class Nearest:
    """The courier who is free and nearest takes the notice that waits longest, and nothing else until it is done."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.diary = Diary()

    def __call__(self, world: World, news: News) -> None:
        """Give orders after what has become known at `world.now`."""
        _keep_only_the_bag(news.absent)
        held = {stop.request for rider in world.riders for stop in rider.order}
        waiting = [one for one in world.alive.values() if one.id not in held and one.id not in world.picked]
        free = [r for r in world.riders if r.doing == "idle" and not r.absent and not r.bag and not r.order]
        for request in sorted(waiting, key=lambda one: (one.due_at, one.reveal_at)):
            able = [rider for rider in free if _alone(world, rider, request)]
            if able:
                nearest = min(able, key=lambda rider: world.legs.leg(rider.place, request.pickup.point))
                free.remove(nearest)
                world.give(nearest, [Stop(request.id, "pickup"), Stop(request.id, "delivery")], world.now)
        _send_at_once(world)
        answer(world, self.diary, news.revealed)


class Fixed:
    """Each cluster of shops has its own courier: he collects what waits there, delivers it, and begins anew."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.diary = Diary()
        self.rider_of = _clusters(scenario)

    def __call__(self, world: World, news: News) -> None:
        """Give orders after what has become known at `world.now`."""
        _keep_only_the_bag(news.absent)
        for index, rider in enumerate(world.riders):
            if rider.doing != "idle" or rider.order or rider.absent or not self.rider_of:
                continue
            mine = [one for one in world.alive.values() if self.rider_of[self._shop(one)] == index]
            round_of = [one for one in mine if one.id not in world.picked]
            if round_of:
                new = [one.id for one in sorted(round_of, key=lambda one: one.due_at)]
                orders = cheapest(world, problem_of(world, [rider], round_of, Wishes(PRICES)), [rider], new)
                world.give(rider, orders[rider.courier.id], world.now)
        _send_at_once(world)
        answer(world, self.diary, news.revealed)

    def _shop(self, request: Request) -> Point:
        """Return the point of the shop's end of a request, of the shop next to its pickup where it has none."""
        for point in (request.pickup.point, request.delivery.point):
            if point in self.rider_of:
                return point
        return min(self.rider_of, key=lambda shop: math.dist(shop, request.pickup.point))


def _clusters(scenario: Scenario) -> dict[Point, int]:
    """Return shop → the number of its courier: shops go, the farthest first, to the nearest with room for one more."""
    shops = list(dict.fromkeys((site.lat, site.lng) for site in scenario.sites))
    room = [-(-len(shops) // max(1, len(scenario.couriers)))] * len(scenario.couriers)

    def far(shop: Point, index: int) -> float:
        courier = scenario.couriers[index]
        return (shop[0] - courier.lat) ** 2 + (shop[1] - courier.lng) ** 2

    found: dict[Point, int] = {}
    for shop in sorted(shops, key=lambda shop: -min((far(shop, k) for k in range(len(room))), default=0)):
        index = min((k for k in range(len(room)) if room[k]), key=lambda k: far(shop, k))
        room[index] -= 1
        found[shop] = index
    return found


def answer(
    world: World, diary: Diary, revealed: Iterable[Request], doubt: float = 0.0, load: Load | None = None
) -> None:
    """Keep what can be said of each new request as things stand; `load` says how full the day is, if anybody knows."""
    new = {request.id: request for request in revealed}
    for rider in world.riders if new else ():
        if not any(stop.request in new for stop in rider.order):
            continue
        stops, soonest = ahead(world, rider), max(world.now, rider.expected_at)
        begins = starts(stops, soonest)
        for position, stop in enumerate(rider.order):
            if stop.kind == "pickup" and stop.request in new:
                found = foretell(stops, position, max(soonest, rider.leave_at), soonest, doubt)
                if found and begins and load:
                    dropped = overload_risk(load, world.requests[stop.request].due_at - begins[position])
                    broken = 1 - (1 - found.breach_probability) * (1 - dropped)
                    found = replace(found, breach_probability=round(broken, 4))
                if found:
                    diary.foretold[stop.request] = found
    if load:
        for request in (request for name, request in new.items() if name not in diary.foretold):
            able = any(_keeps_alone(world, rider, request) for rider in world.riders)
            diary.unplaced[request.id] = round(overload_risk(load, None), 4) if able else NO_PLACE


def _keeps_alone(world: World, rider: Rider, request: Request) -> bool:
    """Say whether he could keep this promise if he had nothing else to do."""
    begins = None if rider.absent else _alone(world, rider, request)
    return begins is not None and begins[0] <= request.due_at


_ITERATIONS, _ITERATIONS_EACH = 100, 8
_MOVED_M = 50  # so many metres a stop's change of courier or predecessor must save
_LEAST_S = 60
_PRIOR_S = 3600
_PRIOR_LEGS, _PRIOR_DOUBT = 10, 0.1  # what streets are thought to be like until some have been ridden
_PRICES = routing.Weights(unserved=10**7, late_per_s=50, distance_per_m=1, moved_stop=_MOVED_M)
_LEGS_IN_DOUBT = 8
_HELD_UP_S = 60
_LIKELY = 2.0  # a promise is in danger when so many deviations would break it
_PATIENCE_S = 90


class Live:
    """Ours: all that is not yet begun is planned anew again and again, and couriers leave as late as promises allow."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.diary = Diary()
        self.seed = seed
        self.opens = min((opens for site in scenario.sites for opens, _ in site.open), default=scenario.day[0])
        self.closes = max((closes for site in scenario.sites for _, closes in site.open), default=scenario.day[1])
        self.came = 0
        self.reserve_s: Number = 0
        self.load = Load(0.0, 0.0)
        self.doubt = _PRIOR_DOUBT
        self.pending, self.improved_at = False, scenario.day[0]

    def __call__(self, world: World, news: News) -> None:
        """Give orders after what has become known at `world.now`."""
        self.came += len(news.revealed)
        squares = sum(stray * stray for stray in world.strayed)
        legs = len(world.strayed)
        self.doubt = math.sqrt((_PRIOR_LEGS * _PRIOR_DOUBT**2 + squares) / (_PRIOR_LEGS + legs))
        upset = news.cancelled or news.absent or any(self._upset(world, rider) for rider in news.moved)
        self.pending = self.pending or news.changes
        moved = news.moved
        if upset or (self.pending and world.now >= self.improved_at + _PATIENCE_S):
            self._improve(world)
            moved = world.riders
        elif news.revealed:
            self._put_in(world, news.revealed)
            world.look_at(self.improved_at + _PATIENCE_S)
            moved = world.riders
        if moved is world.riders:
            self._reckon(world)
        for rider in moved:
            self._release(world, rider)
        self._note_left_out(world)
        answer(world, self.diary, news.revealed, self.doubt, self.load)

    def _put_in(self, world: World, revealed: list[Request]) -> None:
        """Answer a notice at once: it goes where it adds least."""
        problem = self._problem(world)
        orders = cheapest(world, problem, world.riders, [request.id for request in revealed])
        for rider in world.riders:
            world.give(rider, orders[rider.courier.id], world.now)

    @staticmethod
    def _upset(world: World, rider: Rider) -> bool:
        """Say whether a courier's orders may no longer be good ones: he was held up, or a door will be closed."""
        if not rider.order:
            return False
        return rider.behind_s > _HELD_UP_S or starts(ahead(world, rider), world.now) is None

    def _problem(self, world: World) -> routing.Problem:
        legs = [stop.drive_s for rider in world.riders for stop in ahead(world, rider)] or [0]
        usual = sum(legs) // len(legs)
        early = _LEAST_S + spare_s([usual] * 2, self.doubt)[-1]
        spare = _LEAST_S + spare_s([usual] * _LEGS_IN_DOUBT, self.doubt)[-1]
        return problem_of(world, world.riders, world.alive.values(), Wishes(_PRICES, early, spare))

    def _improve(self, world: World) -> None:
        """Plan everything not yet begun anew, from the orders in force."""
        self.pending, self.improved_at = False, world.now
        if not world.alive:
            return
        began = time.process_time()
        warm, problem = in_force(world, world.riders), self._problem(world)
        plan = routing.solve(
            problem,
            iterations=_ITERATIONS + _ITERATIONS_EACH * len(world.alive),
            seed=self.seed,
            warm=warm,
            reasons=False,
        )
        orders = orders_of(plan)
        view = View(problem)
        moved = moved_stops(view.sequences_of(plan), warm_places(view, warm))
        for rider in world.riders:
            order = orders.get(rider.courier.id, [])
            planned = {stop.request for stop in order}
            order += [Stop(name, "delivery") for name in rider.bag if name not in planned]
            world.give(rider, order, world.now)
        self.diary.replans.append(Replan(world.now, 1000 * (time.process_time() - began), moved))

    def _reckon(self, world: World) -> None:
        """Reckon how full the day is, and how much of each shift to keep free for what is to come at this rate."""
        at_work = [rider for rider in world.riders if not rider.absent and rider.courier.shift[1] > world.now]
        alive = len(world.alive)
        if not at_work or not alive:
            self.reserve_s, self.load = 0, Load(0.0, 0.0)
            return
        rate = self.came / (max(0, world.now - self.opens) + _PRIOR_S)
        known = sum(work_s(world, rider) for rider in at_work)
        expected = rate * max(0, self.closes - world.now) * known / alive
        hours = sum(
            max(0, min(one.courier.shift[1], self.closes) - max(world.now, one.courier.shift[0])) for one in at_work
        )
        self.reserve_s = expected / len(at_work)
        self.load = Load(known / max(1, hours), (known + expected) / max(1, hours))

    def _note_left_out(self, world: World) -> None:
        """Note that the promises nobody has in his round are in danger."""
        held = {stop.request for rider in world.riders for stop in rider.order}
        for name in world.alive:
            if name not in held and name not in world.picked:
                self.diary.at_risk.setdefault(name, world.now)

    def _release(self, world: World, rider: Rider) -> None:
        """Say when a courier sets out, and note which of his promises are in danger even if he left at once."""
        if not rider.order:
            return
        stops, ready_at = ahead(world, rider), max(world.now, rider.expected_at)
        begins = starts(stops, ready_at)
        spares = spare_s([stop.drive_s for stop in stops], self.doubt, _LIKELY)
        for k, (stop, one) in enumerate(zip(rider.order, stops, strict=True)):
            if one.due is not None and (begins is None or begins[k] + spares[k] > one.due):
                self.diary.at_risk.setdefault(stop.request, world.now)
        # After the shops have closed nothing comes that would be worth waiting for.
        end_by = round(min(rider.courier.shift[1], self.closes) - self.reserve_s)
        rider.leave_at = latest_departure(stops, ready_at, end_by, self.doubt, _LEAST_S)


STRATEGIES: dict[str, type[Live] | type[Insertion] | type[Nearest] | type[Fixed]] = {
    "live": Live,
    "insertion": Insertion,
    "nearest": Nearest,
    "fixed": Fixed,
}
