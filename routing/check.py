"""The judge: re-reads a plan row by row and shares no timing code with the evaluator or any engine."""

from __future__ import annotations

from dataclasses import dataclass

from routing.legs import Legs
from routing.model import Break, Cost, Courier, End, Number, Plan, Problem, Request, Rest, Route, Stop

_TOLERANCE = 1e-9
_ROUNDING = 2  # ticks: who reckons a benchmark in real numbers is not early because our legs are rounded up


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule a plan breaks: a word, the path inside the plan, and a sentence."""

    code: str
    where: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge found, and the cost as the rows themselves give it."""

    violations: tuple[Violation, ...]
    cost: Cost

    @property
    def ok(self) -> bool:
        """Say whether the plan may be shown."""
        return not self.violations


def check(problem: Problem, plan: Plan, warm: Plan | None = None, legs: Legs | None = None) -> Verdict:
    """Judge `plan` against `problem` by the rules of `routing-problem/1`; `warm` is needed where moved stops cost."""
    return _Judge(problem, plan, legs or Legs(problem)).verdict(warm)


class _Judge:
    def __init__(self, problem: Problem, plan: Plan, legs: Legs) -> None:
        self.problem = problem
        self.plan = plan
        self.slack = 0 if problem.ticks == 1 else _ROUNDING
        self.legs = legs
        self.places = {place.id: index for index, place in enumerate(problem.places)}
        self.requests = {request.id: request for request in problem.requests}
        self.couriers = {courier.id: courier for courier in problem.couriers}
        self.promised = {lock.request: c.id for c in problem.couriers for lock in c.locked}  # request → courier
        self.holder = {name: c.id for c in reversed(problem.couriers) for name in c.on_board}
        self.left_out = {entry.request for entry in plan.unserved}
        self.found: list[Violation] = []
        self.stood: dict[tuple[str, str], str] = {}  # (request, kind) → courier
        self.durations: list[int] = []
        self.terms = {"late_s": 0, "distance_m": 0, "travel_s": 0, "delivery_delay_s": 0}

    def say(self, code: str, where: str, sentence: str) -> None:
        """Note one violation."""
        self.found.append(Violation(code, where, sentence))

    def verdict(self, warm: Plan | None) -> Verdict:
        """Judge everything once."""
        if self.plan.problem != self.problem.name:
            self.say("wrong_problem", "problem", f"the plan is for {self.plan.problem!r}, not {self.problem.name!r}")
        seen: set[str] = set()
        for index, route in enumerate(self.plan.routes):
            where = f"routes[{index}]"
            courier = self.couriers.get(route.courier)
            if courier is None:
                self.say("unknown_courier", f"{where}.courier", f"{route.courier!r} is not a courier of the problem")
                continue
            if route.courier in seen:
                self.say("second_route", f"{where}.courier", f"{route.courier!r} has a route already")
            seen.add(route.courier)
            self._route(courier, route, where)
        for courier in self.problem.couriers:
            if (courier.on_board or courier.locked) and courier.id not in seen:
                self.say("route_missing", "routes", f"{courier.id!r} has parcels on board or locked stops but no route")
        self._everybody()
        cost = self._cost(warm)
        self._stated_cost(cost)
        return Verdict(tuple(self.found), cost)

    def _route(self, courier: Courier, route: Route, where: str) -> None:
        rows = [row for row in route.stops if row.request in self.requests and row.place in self.places]
        if len(rows) < len(route.stops):
            self.say("unknown_stop", f"{where}.stops", "a row names a request or place the problem does not have")
            return
        self._pairs(courier, rows, where)
        self._locked(courier, rows, where)
        self._load(courier, rows, where)
        self._clock(courier, route, where)

    def _pairs(self, courier: Courier, rows: list[Stop], where: str) -> None:
        collected = set(courier.on_board)
        pledged = {lock.request for lock in courier.locked} | collected
        open_pickups: dict[str, str] = {}
        for k, row in enumerate(rows):
            here = f"{where}.stops[{k}]"
            request = self.requests[row.request]
            if row.kind not in ("pickup", "delivery"):
                self.say("unknown_stop", here, f"{row.kind!r} is neither pickup nor delivery")
                continue
            if (row.request, row.kind) in self.stood:
                self.say("twice", here, f"the {row.kind} of {row.request!r} stands twice")
            self.stood[row.request, row.kind] = courier.id
            end = self._end(row)
            if row.place != end.place:
                sentence = f"the {row.kind} of {row.request!r} is at {end.place!r}, not {row.place!r}"
                self.say("wrong_place", here, sentence)
            if row.kind == "pickup":
                if row.request in self.holder:
                    self.say("already_on_board", here, f"{row.request!r} has been collected already")
                collected.add(row.request)
                open_pickups[row.request] = here
            elif row.request not in collected:
                self.say("not_on_board", here, f"{row.request!r} is delivered by {courier.id!r} who does not carry it")
            else:
                open_pickups.pop(row.request, None)
            if request.only_courier not in (None, courier.id):
                self.say("wrong_courier", here, f"{row.request!r} may only go with {request.only_courier!r}")
            if row.request not in pledged and not request.skills <= courier.skills:
                self.say("skill_missing", here, f"{courier.id!r} lacks {sorted(request.skills - courier.skills)}")
        for name, here in open_pickups.items():
            self.say("not_delivered", here, f"{name!r} is collected by {courier.id!r} but not delivered by him")

    def _locked(self, courier: Courier, rows: list[Stop], where: str) -> None:
        expected = [(lock.request, lock.kind) for lock in courier.locked if lock.request not in self.left_out]
        given = [(row.request, row.kind) for row in rows[: len(expected)]]
        if given != expected:
            self.say("locked_moved", f"{where}.stops", f"the first stops must be {expected}, not {given}")
        for k, row in enumerate(rows):
            holder = self.promised.get(row.request) or self.holder.get(row.request)
            if holder not in (None, courier.id):
                self.say("wrong_courier", f"{where}.stops[{k}]", f"{row.request!r} belongs to {holder!r}")

    def _load(self, courier: Courier, rows: list[Stop], where: str) -> None:
        load = sum(self.requests[name].size for name in courier.on_board)
        for k, row in enumerate(rows):
            size = self.requests[row.request].size
            load += size if row.kind == "pickup" else -size
            if row.kind == "pickup" and load > courier.capacity:
                sentence = f"{courier.id!r} carries {load} of at most {courier.capacity}"
                self.say("capacity_exceeded", f"{where}.stops[{k}]", sentence)

    def _clock(self, courier: Courier, route: Route, where: str) -> None:
        """Follow the courier through the day: legs, windows, breaks, shift, metres."""
        earliest = max(self.problem.now, courier.shift[0])
        if courier.available_at is not None:
            earliest = max(earliest, courier.available_at)
        ready, place, metres = earliest, courier.start, 0
        gaps: list[tuple[int, int]] = []  # [ready, leaves]: where a break may lie
        left_at: int | None = None
        for k, row in enumerate(route.stops):
            here = f"{where}.stops[{k}]"
            drive_s, drive_m = self._leg(place, row.place, here)
            if row.arrive + self.slack < ready + drive_s:
                sentence = f"arrives at {row.arrive}, but cannot be there before {ready + drive_s}"
                self.say("too_early", here, sentence)
            if k and place == row.place and row.arrive != ready:
                self.say("gap_at_place", here, f"stays at {place!r}, so it must arrive at {ready}, not {row.arrive}")
            self._row(row, here)
            gaps.append((ready, row.arrive - drive_s))
            left_at = row.arrive - drive_s if left_at is None else left_at
            metres += drive_m
            self.terms["travel_s"] += drive_s
            ready, place = row.depart, row.place
        end_at = ready
        if route.stops and courier.end is not None:
            drive_s, drive_m = self._leg(place, courier.end, f"{where}.end_at")
            if place != courier.end:
                gaps.append((ready, route.end_at - drive_s))
            metres += drive_m
            self.terms["travel_s"] += drive_s
            end_at = max(ready + drive_s, route.end_at)
        if abs(route.end_at - end_at) > self.slack:
            self.say("wrong_end", f"{where}.end_at", f"the route ends at {end_at}, not {route.end_at}")
        if route.stops and max(route.end_at, end_at - self.slack) > courier.shift[1]:
            self.say("shift_exceeded", f"{where}.end_at", f"ends at {end_at}, the shift at {courier.shift[1]}")
        if abs(route.distance_m - metres) > self.slack * len(route.stops):
            self.say("wrong_distance", f"{where}.distance_m", f"the legs are {metres} m, not {route.distance_m} m")
        if courier.max_distance_m is not None and metres > courier.max_distance_m:
            self.say("distance_exceeded", where, f"drives {metres} m of at most {courier.max_distance_m} m")
        self.terms["distance_m"] += metres
        if left_at is not None:
            self.durations.append(route.end_at - left_at)
        self._breaks(courier, route, gaps, where)

    def _row(self, row: Stop, here: str) -> None:
        end = self._end(row)
        if row.start < row.arrive:
            self.say("too_early", here, f"starts at {row.start} before arriving at {row.arrive}")
        if not any(opens <= row.start <= closes for opens, closes in end.windows):
            self.say("outside_window", here, f"starts at {row.start}, outside {[list(w) for w in end.windows]}")
        if abs(row.depart - row.start - end.service_s) > self.slack:
            self.say("wrong_service", here, f"departs at {row.depart}, not {row.start + end.service_s}")
        if end.due is not None and row.start > end.due:
            self.terms["late_s"] += row.start - end.due
            if self.problem.hard_due:
                self.say("due_missed", here, f"starts at {row.start}, due at {end.due}")
        if row.kind == "delivery":
            opening = min(opens for opens, _ in self.requests[row.request].pickup.windows)
            self.terms["delivery_delay_s"] += row.start - max(self.problem.now, opening)

    def _leg(self, origin: str, destination: str, here: str) -> tuple[int, int]:
        if origin == destination:
            return 0, 0
        i, j = self.places[origin], self.places[destination]
        seconds, metres = self.legs.seconds[i][j], self.legs.metres[i][j]
        if seconds < 0 or metres < 0:
            self.say("no_leg", here, f"there is no way from {origin!r} to {destination!r}")
            return 0, 0
        return seconds, metres

    def _breaks(self, courier: Courier, route: Route, gaps: list[tuple[int, int]], where: str) -> None:
        open_breaks = list(courier.breaks)
        previous_end: int | None = None
        for k, rest in enumerate(sorted(route.breaks, key=lambda r: (r.start, r.end))):
            here = f"{where}.breaks[{k}]"
            if previous_end is not None and rest.start < previous_end:
                self.say("break_overlaps", here, f"starts at {rest.start} before the one before it ended")
            previous_end = rest.end
            if not any(ready <= rest.start and rest.end <= leaves for ready, leaves in gaps):
                self.say("break_misplaced", here, f"{rest.start} to {rest.end} is not between a departure and a leg")
            fitting = [b for b in open_breaks if _fits(b, rest)]
            if not fitting:
                self.say("break_unknown", here, f"{rest.start} to {rest.end} is none of the courier's breaks")
                continue
            open_breaks.remove(min(fitting, key=lambda b: b.window[1]))
        for missed in open_breaks:
            if route.stops and route.end_at >= missed.window[1]:
                sentence = f"the break of {missed.duration_s} s in {list(missed.window)} is not taken"
                self.say("break_missing", f"{where}.breaks", sentence)

    def _everybody(self) -> None:
        """Every request stands exactly once."""
        left_out: set[str] = set()
        for k, entry in enumerate(self.plan.unserved):
            here = f"unserved[{k}].request"
            if entry.request not in self.requests:
                self.say("unknown_stop", here, f"{entry.request!r} is not a request of the problem")
            if entry.request in left_out:
                self.say("twice", here, f"{entry.request!r} stands twice among the unserved")
            left_out.add(entry.request)
            if (entry.request, "pickup") in self.stood or (entry.request, "delivery") in self.stood:
                self.say("twice", here, f"{entry.request!r} is both served and unserved")
        for name in self.requests:
            if name not in left_out and (name, "delivery") not in self.stood:
                self.say("request_missing", "routes", f"{name!r} is neither delivered nor named as unserved")

    def _cost(self, warm: Plan | None) -> Cost:
        weights = self.problem.weights
        left_out = [entry.request for entry in self.plan.unserved if entry.request in self.requests]
        terms = self.terms
        spread = max(self.durations, default=0) - min(self.durations, default=0)
        total: Number = (
            sum(weights.unserved * self.requests[name].priority for name in left_out)
            + weights.late_per_s * terms["late_s"]
            + weights.courier * len(self.durations)
            + weights.distance_per_m * terms["distance_m"]
            + weights.travel_per_s * terms["travel_s"]
            + weights.duration_per_s * sum(self.durations)
            + weights.delivery_delay_per_s * terms["delivery_delay_s"]
            + weights.moved_stop * _moved(self.plan, warm)
            + weights.balance * spread
        )
        return Cost(
            total=total,
            unserved=len(self.plan.unserved),
            couriers=len(self.durations),
            duration_s=sum(self.durations),
            **terms,
        )

    def _stated_cost(self, cost: Cost) -> None:
        for name in cost.__slots__:
            stated, real = getattr(self.plan.cost, name), getattr(cost, name)
            rounding = 0 if name in ("unserved", "couriers") else self.slack * 2 * len(self.problem.requests)
            if abs(stated - real) > max(rounding, _TOLERANCE * max(1, abs(real))):
                self.say("wrong_cost", f"cost.{name}", f"the rows give {real}, the plan says {stated}")

    def _end(self, row: Stop) -> End:
        request: Request = self.requests[row.request]
        return request.pickup if row.kind == "pickup" else request.delivery


def _fits(rule: Break, rest: Rest) -> bool:
    return rule.window[0] <= rest.start <= rule.window[1] and rest.end - rest.start == rule.duration_s


def _moved(plan: Plan, warm: Plan | None) -> int:
    """Count the rows that have another courier or another row before them than in the plan in force."""

    def neighbours(of: Plan) -> dict[tuple[str, str], tuple[str, tuple[str, str] | None]]:
        places: dict[tuple[str, str], tuple[str, tuple[str, str] | None]] = {}
        for route in of.routes:
            names = [(row.request, row.kind) for row in route.stops]
            for before, name in zip([None, *names], names, strict=False):
                places[name] = (route.courier, before)
        return places

    old = neighbours(warm) if warm else {}
    return sum(old.get(name, place) != place for name, place in neighbours(plan).items())
