"""What the compiled loops read and write: records, arrays and the two tuples that hold them.

Stop 2·r is the pickup of request r, 2·r+1 its delivery. Times are int64 seconds, prices float64. A route of n stops
has n + 1 rows: row k says how its courier stands before stop k, row n how he stands before the way home.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

NEVER = 2**60
BIG = 1e30  # no price; finite, so that sums stay comparable
BOUND = 1e13  # price of leaving out what a courier has on board: never worth it, yet cents beside it still count
LOST_ON_THE_WAY = 1000  # times that for what a locked pickup collects: rather all parcels on board than one of these
ELSEWHERE = -2
MOST_MOMENTS = 24  # ways to have left and to have placed the breaks that are followed at once
FEW_BREAKS = 3  # up to so many are tried in any order, as in routing.timing

Ints: TypeAlias = NDArray[np.int32]
Longs: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Records: TypeAlias = NDArray[Any]

STOP = np.dtype(
    [
        ("place", "i4"),
        ("window", "i4"),  # the first of its windows
        ("windows", "i4"),
        ("warm_courier", "i4"),  # -1: not in the plan in force
        ("warm_before", "i4"),
        ("load", "i8"),
        ("opens", "i8"),
        ("closes", "i8"),
        ("due", "i8"),
        ("service", "i8"),
        ("release", "i8"),
        ("delay", "f8"),
    ],
    align=True,
)
COURIER = np.dtype(
    [
        ("start", "i4"),
        ("end", "i4"),  # -1: anywhere
        ("rest", "i4"),  # the first of his breaks
        ("rests", "i4"),
        ("kind", "i4"),  # couriers of one kind are interchangeable while they have nothing to do
        ("exact", "i4"),  # breaks or a price on duration: routes are timed as a whole
        ("fixed", "i4"),  # locked stops at the front
        ("earliest", "i8"),
        ("shift_end", "i8"),
        ("capacity", "i8"),
        ("load", "i8"),
        ("most_m", "i8"),
    ],
    align=True,
)
REQUEST = np.dtype(
    [
        ("bound", "i4"),  # the one courier who must, or -1
        ("only_delivery", "i4"),  # its pickup is behind it or locked
        ("out", "i4"),  # nothing about it is left to decide
        ("lost", "i4"),  # how often BOUND is paid when it is left out
        ("wish", "i4"),  # row of `allowed`
        ("price", "f8"),
        ("size", "f8"),
        ("far", "f8"),
        ("width", "f8"),
        ("latest", "f8"),
    ],
    align=True,
)
ROW = np.dtype(
    [
        ("stop", "i4"),  # -1 in the last row
        ("place", "i4"),  # where he comes from
        ("onward", "i4"),  # where he goes to, -1: nowhere
        ("drive", "i4"),
        ("load", "i8"),
        ("ready", "i8"),  # earliest he can leave `place`
        ("latest", "i8"),  # latest arrival at `onward` that keeps every hard limit behind it
        ("calm", "i8"),  # latest arrival that makes nothing behind it dearer
        ("leg", "f8"),
        ("soft", "f8"),  # lateness and delay of the stop of this row
    ],
    align=True,
)
ROUTE = np.dtype(
    [
        ("count", "i4"),
        ("changed", "i4"),  # since the best plan was kept
        ("closed", "i4"),  # not to be used by this search
        ("touched", "i8"),  # in which iteration
        ("version", "i8"),  # another one for each order of stops the route has had
        ("metres", "i8"),
        ("span", "i8"),
        ("soft", "f8"),
        ("price", "f8"),
    ],
    align=True,
)

MOMENT = np.dtype(  # ways to stand after a stop, see routing.timing
    [("at", "i8"), ("until", "i8"), ("left", "i8"), ("taken", "i8"), ("soft", "f8"), ("slope", "f8")], align=True
)

KNOWN = np.dtype(  # where a request adds least in a route of one version; i -1: nothing is below `price`
    [("key", "i8"), ("version", "i8"), ("price", "f8"), ("i", "i4"), ("j", "i4")], align=True
)

WAY = np.dtype([("least", "f8"), ("legs", "f8"), ("i", "i4"), ("j", "i4")], align=True)  # a place yet to be timed
MOST_WAYS = 8


class Case(NamedTuple):
    """One problem, never changed by a search and shared by all threads."""

    legs: Ints  # [place, place, 0 seconds, last metres]: -1 where there is no way; unpriced metres are the seconds
    legs_to: Ints  # the same turned round: row = destination
    metre_at: int  # where the metres of a leg stand
    stops: Records
    windows: Longs  # [window, 2]
    couriers: Records
    rests: Longs  # [break, 3] opens, closes, lasts
    requests: Records
    allowed: NDArray[np.uint8]  # [wish, courier]
    near: Ints  # [place, k] the nearest places, itself first
    first_at: Ints  # [place + 1] where a place begins in stops_at
    stops_at: Ints
    kinds: int
    soft: int  # 1: lateness or delay is priced
    per_second: float
    per_metre: float
    late: float
    opening: float
    span: float
    moved: float
    balance: float
    all_routes: int  # up to so many routes every one is looked at for every request
    routes_per_end: int  # else so many near each end


class State(NamedTuple):
    """One search: routes, who is left out, the best plan so far, and room to work in."""

    rows: Records  # [courier, row]
    routes: Records
    saved_rows: Records
    saved_routes: Records
    courier_of: Ints  # [stop], -1: in no route
    row_of: Ints
    left_out: Ints  # the first `counts[LEFT_OUT]` are requests in no route
    left_out_at: Ints  # [request] where it stands there, -1 if nowhere, ELSEWHERE if it is no business of this search
    mine: Ints  # the requests this search may move
    misses: Longs  # [request] how often it was left out
    best_order: Ints  # [courier, position]
    best_count: Ints
    touched: Ints
    work: Ints  # requests to be put in again: first those taken out, then some that were left out before
    mark: Longs  # [request] iteration of its removal
    seen: Longs  # [courier] and kinds after them: last look-up that met it
    key: Floats
    order: Ints  # room for one route
    early: Longs
    paid: Floats  # [row] legs of a pickup there, BIG where it cannot be
    soft: Floats  # [row] its lateness
    reached: Longs  # [row] when the next stop is reached then
    legs: Floats  # [row] legs of a delivery there
    whole: Floats  # [row] the same with its own lateness and delay
    low: Floats  # [row] the least of these from there on
    routes_near: Ints
    moments: Records  # [way] to stand after the stop just timed
    room: Records  # [way] the same before the next leg, from 1 on; 0 is one to be kept or not
    ways: Records  # the places that may be cheapest for an exact courier, by what they cost at least
    known: Records  # [slot] what looking at a route has found before
    counts: Longs
    sums: Floats
    dice: NDArray[np.uint64]


# State.counts
LEFT_OUT, TOUCHED, WORK, ITERATION, BLINK, USED, STOPS, MOST_USED = range(8)
FULL, FAULTS, LOOKUP, REMOVED, BOUND_OUT, VERSION, FILLED, WAYS = range(8, 16)
# State.sums
TOTAL, BEST, OPENING = range(3)  # OPENING: what a courier costs in this search, see routing.engines.search
