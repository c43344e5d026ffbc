"""Random numbers of one search: xorshift64, the same on every machine and in every thread."""

from __future__ import annotations

import numpy as np

from routing.kernel.jit import inline
from routing.kernel.layout import State

_13, _7, _17, _11 = np.uint64(13), np.uint64(7), np.uint64(17), np.uint64(11)
_STEP = 2.0**-53


@inline
def draw(state: State) -> float:
    """Return a number from 0 to below 1."""
    x = state.dice[0]
    x ^= x << _13
    x ^= x >> _7
    x ^= x << _17
    state.dice[0] = x
    return (x >> _11) * _STEP


@inline
def below(state: State, n: int) -> int:
    """Return a whole number from 0 to n - 1."""
    return min(int(draw(state) * n), n - 1)
