"""Routing: a Problem in, a checked Plan out. Pickup-and-delivery pairs for couriers, and nothing about post.

Importing this package loads no solver; an engine is imported by `warm` or when `solve` is first asked for it.
"""

from __future__ import annotations

from routing.challenger import Challenger
from routing.check import Verdict, Violation, check
from routing.errors import RoutingError
from routing.model import (
    Break,
    Change,
    Cost,
    Courier,
    End,
    GeodesicTravel,
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

__all__ = [
    "Break",
    "Challenger",
    "Change",
    "Cost",
    "Courier",
    "End",
    "GeodesicTravel",
    "Locked",
    "MatrixTravel",
    "Place",
    "Plan",
    "Problem",
    "Request",
    "Rest",
    "Route",
    "RoutingError",
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
