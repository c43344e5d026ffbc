"""What became of a promise, as reports count it: judged by a moment, and blamed on a party."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, cast

Outcome = Literal["met", "met_customer_absent", "breached", "running", "cancelled"]
Party = Literal["POST", "SHOP", "CITIZEN"]
PARTIES: tuple[Party, ...] = ("POST", "SHOP", "CITIZEN")

_DECIDED: dict[str, Outcome] = {
    "MET": "met",
    "MET_CUSTOMER_ABSENT": "met_customer_absent",
    "BREACHED": "breached",
    "CANCELLED": "cancelled",
}


def outcome_of(promise: Any, now: datetime) -> Outcome:
    """What became of a promise (`state`, `due_at`) by `now`, whether or not a sweep has written it down yet."""
    if promise.state in ("RUNNING", "AT_RISK") and now > promise.due_at:
        return "breached"
    return _DECIDED.get(promise.state, "running")


def fault_of(promise: Any) -> Party:
    """Whose fault a broken promise is: the post's unless another was found (`fault_party`)."""
    return cast(Party, promise.fault_party) if promise.fault_party in PARTIES else "POST"


def percentile(values: list[int], percent: int) -> int | None:
    """The nearest-rank percentile; None of nothing."""
    if not values:
        return None
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(0, rank - 1)]
