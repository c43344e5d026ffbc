"""How many couriers, in which area and shift, a forecast needs: an exact roster by CP-SAT.

Requests come in half-hour slots and must be worked off within the promise; nobody works ahead of what has come. A
courier may help a neighbouring area for a slot and loses the ride there. What cannot be kept is left out at a price,
so there always is an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from routing.errors import RoutingError

_MOST = 10**6


@dataclass(frozen=True, slots=True)
class Shift:
    """A way to work a day: slots from `first` up to, not including, `end`, without the slots of `rests`."""

    id: str
    first: int
    end: int
    cost: int
    rests: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Area:
    """Where requests come: how many in each slot (a mean or a cautious quantile), and what one takes a courier.

    `seconds_per_request` holds the riding and both services; `most_couriers` is how many can be had there.
    """

    id: str
    requests: tuple[int, ...]
    seconds_per_request: int
    most_couriers: int
    neighbours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Staffing:
    """So many couriers of one area on one shift."""

    area: str
    shift: str
    couriers: int


@dataclass(frozen=True, slots=True)
class Roster:
    """The answer: who is needed, requests left out per area, slots lent between areas, and whether it is proven best.

    `cost` is the shifts plus the price of what is left out; no roster costs less than `bound`.
    """

    staffing: tuple[Staffing, ...]
    left_out: dict[str, int]
    lent_slots: int
    cost: int
    bound: int
    proven: bool


def roster(
    areas: Sequence[Area],
    shifts: Sequence[Shift],
    *,
    unmet_price: int,
    slot_s: int = 1800,
    promise_slots: int = 8,
    ride_s: int = 600,
    seconds: float = 10.0,
    seed: int = 1,
) -> Roster:
    """Return the cheapest roster found within `seconds`.

    A request of slot t is done by the end of slot t + `promise_slots` or left out for `unmet_price`; one that falls due
    after the last slot may stay for tomorrow. A slot in a neighbouring area is `ride_s` shorter. Raises RoutingError
    for input that contradicts itself.
    """
    _validate(areas, shifts, unmet_price, slot_s, promise_slots, ride_s)
    model = _Model(areas, shifts, slot_s, promise_slots, ride_s)
    return model.solved(unmet_price, seconds, seed)


def _validate(
    areas: Sequence[Area], shifts: Sequence[Shift], unmet_price: int, slot_s: int, promise_slots: int, ride_s: int
) -> None:
    slots = len(areas[0].requests) if areas else 0
    if not slots:
        raise RoutingError("bad_value", "must hold at least one area with one slot", "areas")
    for name, value, least in (("unmet_price", unmet_price, 0), ("slot_s", slot_s, 1), ("ride_s", ride_s, 0)):
        if not least <= value <= _MOST:
            raise RoutingError("bad_value", f"must be between {least} and {_MOST}", name)
    if promise_slots < 0:
        raise RoutingError("bad_value", "must not be negative", "promise_slots")
    names = [area.id for area in areas]
    for what, ids in (("areas", names), ("shifts", [shift.id for shift in shifts])):
        for index, name in enumerate(ids):
            if name in ids[:index]:
                raise RoutingError("duplicate_id", f"{name!r} stands twice", f"{what}[{index}].id")
    for index, area in enumerate(areas):
        where = f"areas[{index}]"
        if len(area.requests) != slots:
            raise RoutingError("bad_shape", f"must have {slots} slots like the first area", f"{where}.requests")
        if not all(0 <= count <= _MOST for count in area.requests):
            raise RoutingError("bad_value", f"must be counts between 0 and {_MOST}", f"{where}.requests")
        if not (1 <= area.seconds_per_request <= _MOST and 0 <= area.most_couriers <= _MOST):
            raise RoutingError("bad_value", f"must take 1 to {_MOST} seconds and have at most {_MOST} couriers", where)
        if unknown := set(area.neighbours) - set(names) | set(area.neighbours) & {area.id}:
            raise RoutingError("unknown_area", f"names {sorted(unknown)[0]!r}", f"{where}.neighbours")
    for index, shift in enumerate(shifts):
        if not (0 <= shift.first < shift.end <= slots and 0 <= shift.cost <= _MOST):
            raise RoutingError("bad_value", f"must lie within {slots} slots and cost 0 to {_MOST}", f"shifts[{index}]")


def _sum(terms: Iterable[cp_model.LinearExprT]) -> cp_model.LinearExpr:
    """Return a sum that is an expression even where nothing is added up."""
    total: cp_model.LinearExpr = cp_model.LinearExpr.sum([0, *terms])
    return total


class _Model:
    """Variables: couriers per area and shift, slots lent, and per slot the work done and requests left out so far."""

    def __init__(
        self, areas: Sequence[Area], shifts: Sequence[Shift], slot_s: int, promise_slots: int, ride_s: int
    ) -> None:
        self.areas, self.shifts, self.slot_s, self.ride_s = areas, shifts, slot_s, ride_s
        self.slots = range(len(areas[0].requests))
        self.model = cp_model.CpModel()
        self.couriers = {
            (area.id, shift.id): self.model.new_int_var(0, area.most_couriers, f"couriers {area.id} {shift.id}")
            for area in areas
            for shift in shifts
        }
        self.lent: dict[tuple[str, str, int], cp_model.IntVar] = {}
        for area in areas:
            hired = _sum(self.couriers[area.id, shift.id] for shift in shifts)
            self.model.add(hired <= area.most_couriers)
            for t in self.slots:
                self._lend(area, t)
        self.left_out = {area.id: self._work(area, promise_slots) for area in areas}

    def _on_duty(self, area: Area, t: int) -> cp_model.LinearExpr:
        on_duty = [s for s in self.shifts if s.first <= t < s.end and t not in s.rests]
        return _sum(self.couriers[area.id, shift.id] for shift in on_duty)

    def _lend(self, area: Area, t: int) -> None:
        for other in dict.fromkeys(area.neighbours):
            name = f"lent {area.id} {other} {t}"
            self.lent[area.id, other, t] = self.model.new_int_var(0, area.most_couriers, name)
        lent = [slots for (home, _, at), slots in self.lent.items() if home == area.id and at == t]
        if lent:
            self.model.add(_sum(lent) <= self._on_duty(area, t))

    def _hands_s(self, area: Area, t: int) -> cp_model.LinearExpr:
        """Return the seconds of work that can be done in an area in a slot."""
        away = _sum(slots for (home, _, at), slots in self.lent.items() if home == area.id and at == t)
        here = _sum(slots for (_, there, at), slots in self.lent.items() if there == area.id and at == t)
        return self.slot_s * (self._on_duty(area, t) - away) + max(0, self.slot_s - self.ride_s) * here

    def _work(self, area: Area, promise_slots: int) -> cp_model.IntVar:
        """Tie work so far and requests left out so far together slot by slot; return all left out.

        Work goes only into requests that are finished, so it is enough to count its seconds: what is due and not left
        out must have been worked off, and nobody works on more than has come and is not left out.
        """
        each_s = area.seconds_per_request
        before = lost_before = self.model.new_constant(0)
        for t in self.slots:
            come = sum(area.requests[: t + 1])
            worked = self.model.new_int_var(0, come * each_s, f"work {area.id} {t}")
            lost = self.model.new_int_var(0, come, f"left out {area.id} {t}")
            self.model.add(worked >= before)
            self.model.add(worked <= before + self._hands_s(area, t))
            self.model.add(lost >= lost_before)
            self.model.add(worked + lost * each_s <= come * each_s)
            if t >= promise_slots:
                due = sum(area.requests[: t - promise_slots + 1])
                self.model.add(worked + lost * each_s >= due * each_s)
            before, lost_before = worked, lost
        return lost_before

    def solved(self, unmet_price: int, seconds: float, seed: int) -> Roster:
        """Solve and read the roster off."""
        shifts_cost = sum(shift.cost * self.couriers[area.id, shift.id] for area in self.areas for shift in self.shifts)
        # Of equally cheap rosters the one that lends least: a slot lent costs less than any difference in price.
        finer = 1 + sum(area.most_couriers * len(self.slots) * max(1, len(area.neighbours)) for area in self.areas)
        price = shifts_cost + unmet_price * _sum(self.left_out.values())
        self.model.minimize(finer * price + _sum(self.lent.values()))
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise RoutingError("out_of_time", f"no roster was found in {seconds} s", "seconds")
        return Roster(
            tuple(
                Staffing(area.id, shift.id, count)
                for area in self.areas
                for shift in self.shifts
                if (count := solver.value(self.couriers[area.id, shift.id]))
            ),
            {area.id: solver.value(self.left_out[area.id]) for area in self.areas},
            sum(solver.value(slots) for slots in self.lent.values()),
            cost=int(solver.value(price)),
            bound=-int(-max(0.0, solver.best_objective_bound) // finer),
            proven=status == cp_model.OPTIMAL,
        )
