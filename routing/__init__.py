"""Routing: a Problem in, a checked Plan out. Pickup-and-delivery pairs for couriers, and nothing about post.

Importing this package loads no solver; an engine is imported by `warm` or when `solve` is first asked for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from routing.check import Verdict, Violation, check
from routing.errors import RoutingError
from routing.model import (
    Break,
    Change,
    Cost,
    Courier,
    End,
    GeodesicTravel,
    LegByLeg,
    Locked,
    MatrixTravel,
    Place,
    Plan,
    Problem,
    Request,
    Rest,
    Route,
    Stop,
    Unserved,
    Weights,
)
from routing.reasons import reason_en, reason_vi
from routing.solve import solve, warm

if TYPE_CHECKING:
    from routing.challenger import Challenger
    from routing.new_places import NewPlace
    from routing.standing import Inserted, Standing

_LATER = {  # for who asks for them: most who import this package do not
    "Challenger": "routing.challenger",
    "Inserted": "routing.standing",
    "NewPlace": "routing.new_places",
    "Standing": "routing.standing",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'routing' has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)


__all__ = [
    "Break",
    "Challenger",
    "Change",
    "Cost",
    "Courier",
    "End",
    "GeodesicTravel",
    "Inserted",
    "LegByLeg",
    "Locked",
    "MatrixTravel",
    "NewPlace",
    "Place",
    "Plan",
    "Problem",
    "Request",
    "Rest",
    "Route",
    "RoutingError",
    "Standing",
    "Stop",
    "Unserved",
    "Verdict",
    "Violation",
    "Weights",
    "check",
    "reason_en",
    "reason_vi",
    "solve",
    "warm",
]
