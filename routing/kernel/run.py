"""The one door into compiled code: a search is started, filled, improved, or told to give up a route."""

from __future__ import annotations

from routing.kernel.jit import entry
from routing.kernel.layout import Case, State
from routing.kernel.search import close_one, fill, improve, line_up, start

START, LINE_UP, FILL, IMPROVE, CLOSE_ONE = range(5)


@entry
def run(
    case: Case,
    state: State,
    task: int,
    number: int,
    temperature: float,
    mean_removed: float,
    longest: int,
    must: bool,
) -> int:
    """Do one task; `number` is the order for LINE_UP, the requests for FILL and the iterations for IMPROVE.

    Returns for START how many routes cannot be driven, for LINE_UP and FILL how many requests have still to be tried,
    for IMPROVE the iterations made, for CLOSE_ONE 1 if there was a route to give up.
    """
    if task == START:
        return start(case, state)
    if task == LINE_UP:
        return line_up(case, state, number)
    if task == FILL:
        return fill(case, state, number)
    if task == CLOSE_ONE:
        return close_one(case, state)
    return improve(case, state, number, temperature, mean_removed, longest, must)
