"""Which thread searches where: the routes are cut in two by neighbourhood, another way each time, so no seam stays."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from routing.kernel.layout import LEFT_OUT, Case, State


@dataclass(frozen=True, slots=True)
class Part:
    """The couriers and the left-out requests one thread may move."""

    couriers: list[int]
    left_out: list[int]


def deal(case: Case, state: State, parts: int, dice: Random) -> list[Part]:
    """Return so many parts of about equally many stops; a part's routes lie together, seen from a place drawn anew."""
    counts = state.routes["count"]
    groups = [[int(c) for c in np.flatnonzero(counts)]]
    while len(groups) < parts:
        groups.sort(key=lambda group: int(counts[group].sum()))
        groups += _halves(case, state, groups.pop(), dice)
    idle = [int(c) for c in np.flatnonzero(counts == 0)]
    dice.shuffle(idle)
    out = [int(r) for r in state.left_out[: state.counts[LEFT_OUT]]]
    return [
        Part(sorted(group + idle[k :: len(groups)]), _own(case, out, group, k, len(groups)))
        for k, group in enumerate(groups)
    ]


def _own(case: Case, out: list[int], group: list[int], k: int, groups: int) -> list[int]:
    """Return the left-out requests of one part: every k-th of the free ones, and those bound to its couriers."""
    mine = set(group)
    bound = case.requests["bound"]
    free = [r for r in out if bound[r] < 0][k::groups]
    return free + [r for r in out if bound[r] >= 0 and int(bound[r]) in mine]


def _halves(case: Case, state: State, group: list[int], dice: Random) -> list[list[int]]:
    """Cut a group of routes in two: those nearest to a corner drawn at random, and the others."""
    if len(group) < 2:
        return [group, []]
    counts = state.routes["count"]
    middles = np.array([_place(case, state, c, int(counts[c]) // 2) for c in group])
    corner = middles[dice.randrange(len(group))]
    away = case.seconds[corner, middles]
    corner = middles[int(np.argmax(np.where(away < 0, 0, away)))]  # from the far side, so that no part is a ring
    samples = [[_place(case, state, c, dice.randrange(int(counts[c]))) for _ in range(3)] for c in group]
    distance = case.seconds[corner, np.array(samples)].astype(np.int64)
    distance[distance < 0] = np.iinfo(np.int32).max
    order = np.argsort(distance.mean(axis=1), kind="stable")
    sizes = np.cumsum(counts[group][order])
    cut = min(len(group) - 1, max(1, int(np.searchsorted(sizes, sizes[-1] / 2)) + 1))
    return [[group[k] for k in order[:cut]], [group[k] for k in order[cut:]]]


def _place(case: Case, state: State, c: int, position: int) -> int:
    return int(case.stops[state.rows[c, position]["stop"]]["place"])
