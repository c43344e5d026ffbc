"""What really happens in a rehearsed day: notices come in, couriers ride at the pace of the streets, serve and wait.

The world obeys the rules of `dispatch-scenario/1` whatever a strategy wishes: a leg once begun is finished, nobody
drives but to a stop, service starts inside open hours, nothing is collected after it was cancelled or by who is gone.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from numpy.random import Generator, Philox

from dispatch.rehearsal.scenario import Courier, End, Point, Request, Scenario
from routing.model import Kind
from routing.travel.geodesic import FileLegs


class Stop(NamedTuple):
    """One end of a request."""

    request: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Row:
    """A stop as it was: `visit` is a leg driven in vain."""

    request: str
    kind: Literal["pickup", "delivery", "visit"]
    arrive: int
    start: int
    depart: int


@dataclass(slots=True)
class Rider:
    """A courier on his way. `order` is what he shall do next, `leave_at` when he sets out for the first of it.

    `place` is where he is, or where the leg leads that he is riding; `heading` the stop he rode it for, until that
    is served or can no longer be. `expected_at` is when he will be ready there, as far as anybody can know.
    """

    courier: Courier
    place: Point
    expected_at: int
    doing: Literal["off", "idle", "riding", "serving"] = "off"
    order: list[Stop] = field(default_factory=list)
    leave_at: int = 0
    heading: Stop | None = None
    rode_for: Stop | None = None
    left_at: int = 0
    behind_s: int = 0
    """How much later than expected the last leg ended."""
    arrived: int | None = None
    bag: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    distance_m: int = 0
    legs: int = 0
    absent: bool = False


class News(NamedTuple):
    """What has become known at one second."""

    revealed: list[Request]
    cancelled: list[Request]
    absent: list[Rider]
    moved: list[Rider]

    @property
    def changes(self) -> bool:
        """Whether a plan made before may no longer be a good one."""
        return bool(self.revealed or self.cancelled or self.absent)


Decide = Callable[["World", News], None]
_REVEAL, _CANCEL, _ABSENT, _SHIFT, _RIDER, _LOOK = range(6)


class Legs:
    """Planned seconds and metres between any two points of the day, by the exact formula of the file format."""

    def __init__(self, scenario: Scenario) -> None:
        points = [(site.lat, site.lng) for site in scenario.sites] + [c.point for c in scenario.couriers]
        points += [end.point for request in scenario.requests for end in (request.pickup, request.delivery)]
        self._number: dict[Point, int] = {}
        for point in points:
            self._number.setdefault(point, len(self._number))
        lat, lng = [point[0] for point in self._number], [point[1] for point in self._number]
        self._seconds, self._metres = FileLegs(lat, lng, scenario.travel).both()

    def leg(self, origin: Point, destination: Point) -> tuple[int, int]:
        """Return (seconds, metres) of one leg."""
        i, j = self._number[origin], self._number[destination]
        return int(self._seconds[i, j]), int(self._metres[i, j])


class World:
    """One day in progress. Strategies read `now`, `alive`, `riders` and `legs`, and write orders by `give`."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.now = scenario.day[0]
        self.riders = [Rider(courier, courier.point, courier.shift[0]) for courier in scenario.couriers]
        self._index = {courier.id: index for index, courier in enumerate(scenario.couriers)}
        self.requests = {request.id: request for request in scenario.requests}
        self.alive: dict[str, Request] = {}
        """Revealed, neither cancelled nor delivered, in the order they came."""
        self.picked: dict[str, tuple[Rider, int]] = {}
        self.delivered: dict[str, int] = {}
        self.cancelled: set[str] = set()
        self.legs = Legs(scenario)
        self.strayed: list[float] = []
        """The logarithm of real ÷ planned for each leg that ended: all anybody can learn of the streets."""
        self._noise = scenario.noise
        self._events: list[tuple[int, int, int, str]] = []
        self._count = 0
        self._free_at = [courier.shift[0] for courier in scenario.couriers]
        self._woken: set[tuple[int, int]] = set()
        for request in scenario.requests:
            self._at(request.reveal_at, _REVEAL, request.id)
            if request.cancel_at is not None:
                self._at(max(request.cancel_at, request.reveal_at), _CANCEL, request.id)
        for index, courier in enumerate(scenario.couriers):
            self._at(courier.shift[0], _SHIFT, str(index))
            if courier.absent_from is not None:
                self._at(courier.absent_from, _ABSENT, str(index))

    def _at(self, time: int, kind: int, what: str) -> None:
        self._count += 1
        heapq.heappush(self._events, (time, kind, self._count, what))

    def run(self, decide: Decide) -> None:
        """Let the whole day pass; `decide` is asked at every second something became known or somebody got free."""
        while self._events:
            self.now = self._events[0][0]
            news = News([], [], [], [])
            while self._events and self._events[0][0] == self.now:
                _, kind, _, what = heapq.heappop(self._events)
                self._happen(kind, what, news)
            decide(self, news)
            for rider in self.riders:
                self._act(rider)
        for rider in self.riders:
            self._leave(rider)

    def look_at(self, time: int) -> None:
        """Ask the strategy again at a later second, whatever happens until then."""
        self._at(max(time, self.now + 1), _LOOK, "")

    def give(self, rider: Rider, order: list[Stop], leave_at: int) -> None:
        """Tell a courier what to do next and when to set out for the first of it; what he has on board ends his order.

        A late ride may have made a delivery impossible to plan, and a strategy leaves it out: it is tried all the same.
        """
        planned = {stop.request for stop in order}
        left = [Stop(name, "delivery") for name in rider.bag if name not in planned]
        rider.order, rider.leave_at = order + left, leave_at

    def _happen(self, kind: int, what: str, news: News) -> None:
        if kind == _REVEAL:
            self.alive[what] = self.requests[what]
            news.revealed.append(self.requests[what])
        elif kind == _CANCEL:
            if what not in self.picked:
                self.cancelled.add(what)
                news.cancelled.append(self.alive.pop(what))
        elif kind == _ABSENT:
            rider = self.riders[int(what)]
            rider.absent = True
            news.absent.append(rider)
        elif kind == _SHIFT:
            self.riders[int(what)].doing = "idle"
            news.moved.append(self.riders[int(what)])
        elif kind == _RIDER:
            rider, index = self.riders[int(what)], int(what)
            self._woken.discard((index, self.now))
            if rider.doing in ("riding", "serving") and self._free_at[index] <= self.now:
                if rider.doing == "riding":
                    rider.arrived = self.now
                    rider.behind_s = self.now - rider.expected_at
                    planned = rider.expected_at - rider.left_at
                    if planned:  # doors side by side are no ride
                        self.strayed.append(math.log((self.now - rider.left_at) / planned))
                rider.doing, rider.expected_at = "idle", self.now
                news.moved.append(rider)

    def collectable(self, rider: Rider, name: str) -> bool:
        """Say whether this courier may still collect a request."""
        return name in self.alive and name not in self.picked and not rider.absent

    def may(self, rider: Rider, stop: Stop) -> bool:
        """Say whether a stop can still be served by this courier."""
        return stop.request in rider.bag if stop.kind == "delivery" else self.collectable(rider, stop.request)

    def _act(self, rider: Rider) -> None:
        """Let an idle courier serve what is here, or set out."""
        if rider.doing != "idle":
            return
        if rider.heading and not self.may(rider, rider.heading):
            rider.heading = None
        while rider.order and not self._possible(rider, rider.order[0]):
            rider.order.pop(0)
        if not rider.order:
            return
        stop = rider.order[0]
        end = self.end_of(stop)
        if end.point == rider.place:
            start = self.opening(stop, self.now)
            if start == self.now:
                self._serve(rider, rider.order.pop(0))
            elif start is not None:
                self._wake(rider, start)
        elif rider.leave_at <= self.now:
            self._ride(rider, stop)
        else:
            self._wake(rider, rider.leave_at)

    def _possible(self, rider: Rider, stop: Stop) -> bool:
        later = stop.kind == "delivery" and Stop(stop.request, "pickup") in rider.order
        return self.may(rider, stop) or (later and self.collectable(rider, stop.request))

    def _wake(self, rider: Rider, at: int) -> None:
        index = self._index[rider.courier.id]
        if (index, at) not in self._woken:
            self._woken.add((index, at))
            self._at(at, _RIDER, str(index))

    def end_of(self, stop: Stop) -> End:
        """Return the place, hours and service of a stop."""
        request = self.requests[stop.request]
        return request.pickup if stop.kind == "pickup" else request.delivery

    def opening(self, stop: Stop, at: int) -> int | None:
        """Return the first second from `at` on in which a stop may start, or None."""
        hours = [max(at, opens) for opens, closes in self.end_of(stop).windows if at <= closes]
        return min(hours, default=None)

    def _ride(self, rider: Rider, stop: Stop) -> None:
        self._leave(rider)
        there = self.end_of(stop).point
        seconds, metres = self.legs.leg(rider.place, there)
        real = self._real(rider, seconds)
        rider.place, rider.heading, rider.rode_for = there, stop, stop
        rider.doing, rider.left_at, rider.expected_at = "riding", self.now, self.now + seconds
        rider.legs += 1
        rider.distance_m += metres
        self._free(rider, self.now + real)

    def _free(self, rider: Rider, at: int) -> None:
        self._free_at[self._index[rider.courier.id]] = at
        self._wake(rider, at)

    def _real(self, rider: Rider, seconds: int) -> int:
        """Return how long a leg really takes; nobody knows before he arrives."""
        if not self._noise.sigma:
            return seconds
        key = [self._noise.seed, self._index[rider.courier.id]]
        z = float(Generator(Philox(key=key, counter=[0, 0, 0, rider.legs])).standard_normal())
        sigma = float(self._noise.sigma)
        return math.ceil(seconds * math.exp(sigma * z - sigma * sigma / 2))

    def _leave(self, rider: Rider) -> None:
        """Write down a leg that led to nothing before the next one begins."""
        if rider.arrived is not None and rider.rode_for:
            rider.rows.append(Row(rider.rode_for.request, "visit", rider.arrived, rider.arrived, rider.arrived))
        rider.arrived, rider.rode_for = None, None

    def _serve(self, rider: Rider, stop: Stop) -> None:
        service = self.end_of(stop).service_s
        if rider.rode_for and rider.rode_for != stop and not self.may(rider, rider.rode_for):
            self._leave(rider)  # the leg was ridden for another, who needs it no longer
        before = rider.rows[-1].depart if rider.rows else rider.courier.shift[0]
        arrive = before if rider.arrived is None else rider.arrived
        rider.rows.append(Row(stop.request, stop.kind, arrive, self.now, self.now + service))
        rider.arrived = rider.heading = rider.rode_for = None
        rider.doing, rider.expected_at = "serving", self.now + service
        if stop.kind == "pickup":
            rider.bag.append(stop.request)
            self.picked[stop.request] = rider, self.now
        else:
            rider.bag.remove(stop.request)
            self.delivered[stop.request] = self.now
            del self.alive[stop.request]
        self._free(rider, rider.expected_at)
