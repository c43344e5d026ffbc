"""The nouns of the two file formats `routing-problem/1` and `routing-plan/1`, as frozen values.

Times are integer seconds from the problem's own zero, distances integer metres, coordinates WGS84 degrees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind: TypeAlias = Literal["pickup", "delivery"]
Number: TypeAlias = int | float
Window: TypeAlias = tuple[int, int]
# Row and column are places in file order; None or -1 is a leg that does not exist.
MatrixRows: TypeAlias = "Sequence[Sequence[int | None]] | NDArray[np.int32] | LegByLeg"


@dataclass(frozen=True, slots=True)
class Place:
    """A point one can stand at; coordinates may be missing when the problem brings a matrix."""

    id: str
    lat: float | None = None
    lng: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LegByLeg:
    """A square matrix over `size` places that nobody keeps: each value is reckoned when it is asked for."""

    size: int
    value: Callable[[int, int], int]


@dataclass(frozen=True, slots=True, eq=False)
class MatrixTravel:
    """Travel given as two square matrices over the problem's places (seconds, metres); need not be symmetric."""

    durations_s: MatrixRows
    distances_m: MatrixRows


@dataclass(frozen=True, slots=True)
class GeodesicTravel:
    """Straight line times a detour factor at one speed, by the fixed formula of the file format."""

    detour: Number
    speed_kmh: Number
    stop_overhead_s: int = 0


Travel: TypeAlias = MatrixTravel | GeodesicTravel


@dataclass(frozen=True, slots=True)
class Break:
    """A rest that starts inside `window` and lasts `duration_s`."""

    window: Window
    duration_s: int


@dataclass(frozen=True, slots=True)
class Locked:
    """A stop that has been promised to the road: it comes first and cannot be taken back."""

    request: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Courier:
    """One rider: where and when he may leave, what he can carry, and what is already decided for him."""

    id: str
    start: str
    shift: Window
    capacity: int
    end: str | None = None
    available_at: int | None = None
    skills: frozenset[str] = frozenset()
    breaks: tuple[Break, ...] = ()
    on_board: tuple[str, ...] = ()
    locked: tuple[Locked, ...] = ()
    max_distance_m: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """One end of a request: service starts inside one of the hard `windows`; `due` is the promise."""

    place: str
    windows: tuple[Window, ...]
    service_s: int = 0
    due: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A pickup-and-delivery pair."""

    id: str
    pickup: End
    delivery: End
    size: int = 1
    skills: frozenset[str] = frozenset()
    priority: Number = 1
    only_courier: str | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """Prices of the objective; `unserved` is multiplied by the request's priority."""

    unserved: Number = 0
    late_per_s: Number = 0
    courier: Number = 0
    distance_per_m: Number = 0
    travel_per_s: Number = 0
    duration_per_s: Number = 0
    delivery_delay_per_s: Number = 0
    moved_stop: Number = 0
    balance: Number = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything an engine may know, and nothing else.

    All times and distances are whole; where a file has real ones (Euclidean benchmarks) they are counted in
    `1/ticks` of its unit, legs rounded up, so that what keeps a window here keeps it in real numbers too.
    """

    name: str
    places: tuple[Place, ...]
    travel: Travel
    couriers: tuple[Courier, ...]
    requests: tuple[Request, ...]
    weights: Weights = field(default_factory=Weights)
    now: int = 0
    hard_due: bool = False
    ticks: int = 1


@dataclass(frozen=True, slots=True)
class Stop:
    """One row of a route: arrival, start of service, departure."""

    request: str
    kind: Kind
    place: str
    arrive: int
    start: int
    depart: int


@dataclass(frozen=True, slots=True)
class Rest:
    """A break as it was placed."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Route:
    """What one courier does, in order."""

    courier: str
    stops: tuple[Stop, ...]
    distance_m: int
    end_at: int
    breaks: tuple[Rest, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest change found that would serve a request; fields not meant by `kind` stay empty."""

    kind: str
    by_s: int | None = None
    by_m: int | None = None
    to: int | None = None
    courier: str | None = None
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unserved:
    """A request no courier takes, with the reason in a word and in a sentence."""

    request: str
    code: str
    detail: str = ""
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Late:
    """A row that starts `by_s` after its due time, with the reason in a word and in a sentence."""

    request: str
    kind: Kind
    by_s: int
    code: str
    detail: str = ""
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """The terms of the objective before pricing, and `total` after it (which also holds moved stops and balance)."""

    total: Number = 0
    unserved: int = 0
    late_s: int = 0
    couriers: int = 0
    distance_m: int = 0
    travel_s: int = 0
    duration_s: int = 0
    delivery_delay_s: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer: every request stands exactly once, in a route or in `unserved`."""

    problem: str
    engine: str
    seed: int
    seconds: Number
    routes: tuple[Route, ...]
    unserved: tuple[Unserved, ...]
    cost: Cost
