"""When a promise counts as endangered by its forecast: soon enough to act, and without flickering."""

from __future__ import annotations

ENTER = 0.3
"""From this probability of a breach on a promise is in danger."""
LEAVE = 0.1
"""Only below this one it is out of it again."""
CLEAR_S = 300
"""Out of danger is also who is expected at least so long before the deadline again."""


def endangered(before: bool, breach_probability: float | None, p50: int | None, due: int) -> bool:
    """Whether a promise due at `due` is in danger, `before` being what was said last; seconds of one clock.

    Where nothing can be foretold (both None) nothing is said against it: its warning comes by the clock alone.
    """
    if breach_probability is None:
        return False
    late = p50 is not None and p50 > due
    if not before:
        return late or breach_probability >= ENTER
    clear = p50 is not None and p50 <= due - CLEAR_S
    return not (clear and breach_probability < LEAVE)
