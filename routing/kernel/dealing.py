"""Which thread searches where: routes that lie together, cut another way each time, so no seam stays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from routing.kernel.layout import Case, Ints
from routing.view import Sequences

_PASSED_BY = 0.3  # share of the routes near a stop that a neighbourhood does without
_WANTED = (2, 3, 4, 6)  # routes of a neighbourhood


@dataclass(frozen=True, slots=True)
class Part:
    """The couriers and the requests one search may move; it knows nothing of the others."""

    couriers: list[int]
    requests: list[int]


def deal(case: Case, orders: Sequences, left_out: Sequence[int], parts: int, dice: Random) -> list[Part]:
    """Return so many parts of about equally many stops; a part's routes lie together, seen from a place drawn anew."""
    groups = [[c for c, order in enumerate(orders) if order]]
    while len(groups) < parts:
        groups.sort(key=lambda group: sum(len(orders[c]) for c in group))
        groups += _halves(case, orders, groups.pop(), dice)
    idle = [c for c, order in enumerate(orders) if not order]
    dice.shuffle(idle)
    return [
        part_of(case, orders, sorted(group + idle[k :: len(groups)]), left_out, k, len(groups))
        for k, group in enumerate(groups)
    ]


def part_of(
    case: Case, orders: Sequences, couriers: list[int], left_out: Sequence[int] = (), k: int = 0, parts: int = 1
) -> Part:
    """Return the part of these couriers, with every k-th request left out and those that only they can take."""
    served = [stop // 2 for c in couriers for stop in orders[c] if stop % 2]
    bound = case.requests["bound"]
    free = [r for r in left_out if bound[r] < 0][k::parts]
    return Part(couriers, served + free + [r for r in left_out if bound[r] >= 0 and int(bound[r]) in couriers])


def neighbours(
    case: Case, orders: Sequences, courier_of: Ints, stop: int, taken: Collection[int], most: int, dice: Random
) -> list[int]:
    """Return two to six routes that pass near a stop, none of those `taken`; more than two only up to `most` stops."""
    want, chosen = dice.choice(_WANTED), list[int]()
    stops = 0
    for place in case.near[case.stops[stop]["place"]]:
        for at in range(case.first_at[place], case.first_at[place + 1]):
            c = int(courier_of[case.stops_at[at]])
            if c < 0 or c in chosen or c in taken or dice.random() < _PASSED_BY:
                continue
            if len(chosen) >= 2 and stops + len(orders[c]) > most:
                continue
            chosen.append(c)
            stops += len(orders[c])
            if len(chosen) >= want:
                return chosen
    return chosen


def _halves(case: Case, orders: Sequences, group: list[int], dice: Random) -> list[list[int]]:
    """Cut a group of routes in two: those nearest to a corner drawn at random, and the others."""
    if len(group) < 2:
        return [group, []]
    counts = np.array([len(orders[c]) for c in group])
    middles = np.array([_place(case, orders[c], len(orders[c]) // 2) for c in group])
    corner = middles[dice.randrange(len(group))]
    away = case.legs[corner, middles, 0]
    corner = middles[int(np.argmax(np.where(away < 0, 0, away)))]  # from the far side, so that no part is a ring
    samples = [[_place(case, orders[c], dice.randrange(len(orders[c]))) for _ in range(3)] for c in group]
    distance = case.legs[corner, np.array(samples), 0].astype(np.int64)
    distance[distance < 0] = np.iinfo(np.int32).max
    order = np.argsort(distance.mean(axis=1), kind="stable")
    sizes = np.cumsum(counts[order])
    cut = min(len(group) - 1, max(1, int(np.searchsorted(sizes, sizes[-1] / 2)) + 1))
    return [[group[k] for k in order[:cut]], [group[k] for k in order[cut:]]]


def _place(case: Case, order: list[int], position: int) -> int:
    return int(case.stops[order[position]]["place"])
