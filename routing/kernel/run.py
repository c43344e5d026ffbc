"""The one door into compiled code: a search is started, filled, improved, or told to give up a route."""

from __future__ import annotations

from routing.kernel.jit import entry
from routing.kernel.layout import Case, State
from routing.kernel.search import close_one, fill, improve, start

START, FILL, IMPROVE, CLOSE_ONE = range(4)


@entry
def run(
    case: Case,
    state: State,
    task: int,
    number: int,
    hot: float,
    cold: float,
    mean_removed: float,
    longest: int,
    must: bool,
) -> int:
    """Do one task; `number` is the order of putting in for FILL and the iterations for IMPROVE.

    Returns for START how many routes cannot be driven, for FILL how many requests stay out, for IMPROVE the iterations
    made, for CLOSE_ONE 1 if there was a route to give up.
    """
    if task == START:
        return start(case, state)
    if task == FILL:
        return fill(case, state, number)
    if task == CLOSE_ONE:
        return close_one(case, state)
    return improve(case, state, number, hot, cold, mean_removed, longest, must)
