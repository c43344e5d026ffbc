"""What the published benchmark formats share: numbers out of lines, a fleet at one depot, distances in the plane.

Published best plans are judged with float64 Euclidean distances and no rounding. Here such a file is counted in
millionths of its unit: seconds are rounded up, so a plan that is in time here is in time in real numbers; metres are
rounded to nearest, so a plan's distance is right to a millionth per leg.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from routing.errors import RoutingError
from routing.model import Courier, MatrixTravel, Place, Problem, Request, Weights
from routing.validate import MAX_COUNT, MAX_LEG, MAX_TIME_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

Objective: TypeAlias = Literal["vehicles", "distance"]
DEPOT = "0"
_FINEST = 10**6
_UNSERVED_COURIERS = 10  # leaving one request out costs as much as ten couriers
_MOST_NODES = 20_000  # two matrices of 1.6 GB each: beyond it a file is a mistake


@dataclass(frozen=True, slots=True)
class Node:
    """One line of a node table, in the file's own units; `line` is where it stands."""

    line: int
    number: int
    x: float
    y: float
    demand: int
    opens: float
    closes: float
    service: float
    pickup_of: int = 0
    delivery_of: int = 0


def numbered_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, words) of every line that has words."""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if words:
            yield number, words


def is_number(word: str) -> bool:
    """Say whether a word is meant as a number, `nan` and `inf` included."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def refuse(line: int, message: str, code: str = "bad_value") -> RoutingError:
    """Return the error for one line of a file."""
    return RoutingError(code, message, f"line {line}")


def numbers(line: int, words: Sequence[str], names: Sequence[str]) -> list[float]:
    """Read a line of exactly the named numbers; each must be finite."""
    if len(words) != len(names):
        raise refuse(line, f"must hold {len(names)} numbers ({' '.join(names)}), not {len(words)}", "bad_shape")
    values = []
    for word, name in zip(words, names, strict=True):
        if not is_number(word) or not math.isfinite(float(word)):
            raise refuse(line, f"{name} must be a finite number, not {word!r}", "bad_type")
        values.append(float(word))
    return values


def whole(line: int, value: float, name: str, least: int = 0) -> int:
    """Return a count as an integer, or refuse it."""
    if value != int(value) or not least <= value <= MAX_COUNT:
        raise refuse(line, f"{name} must be a whole number between {least} and {MAX_COUNT}, not {value:g}")
    return int(value)


def read_node(line: int, words: Sequence[str], names: Sequence[str]) -> Node:
    """Read one line of a node table: number, x, y, demand, opens, closes, service and, if named, the two partners."""
    values = dict(zip(names, numbers(line, words, names), strict=True))
    number, x, y, demand, opens, closes, service, *partners = values.values()
    for name in (names[4], names[5], names[6]):
        if not 0 <= values[name] <= MAX_TIME_S:
            raise refuse(line, f"{name} must be between 0 and {MAX_TIME_S}, not {values[name]:g}")
    if opens > closes:
        raise refuse(line, f"{names[4]} {opens:g} must not be after {names[5]} {closes:g}")
    if demand != int(demand) or abs(demand) > MAX_COUNT:
        raise refuse(line, f"{names[3]} must be a whole number, not {demand:g}")
    pair = [whole(line, value, name) for value, name in zip(partners, names[7:], strict=True)]
    return Node(line, whole(line, number, names[0]), x, y, int(demand), opens, closes, service, *pair)


def table(nodes: list[Node]) -> dict[int, Node]:
    """Return the nodes by number; the first must be the depot, number 0, and no number may stand twice."""
    if not nodes:
        raise RoutingError("bad_shape", "has no line for the depot, node 0")
    if nodes[0].number != 0:
        raise refuse(nodes[0].line, f"must be the depot, node 0, not {nodes[0].number}")
    if nodes[0].demand != 0:
        raise refuse(nodes[0].line, f"the depot must have no demand, not {nodes[0].demand}")
    if len(nodes) > _MOST_NODES:
        raise refuse(nodes[-1].line, f"at most {_MOST_NODES} nodes are read, not {len(nodes)}")
    found: dict[int, Node] = {}
    for node in nodes:
        if node.number in found:
            message = f"node {node.number} stands already on line {found[node.number].line}"
            raise refuse(node.line, message, "duplicate_id")
        found[node.number] = node
    return found


def pairs(nodes: dict[int, Node]) -> list[tuple[Node, Node]]:
    """Return (pickup, delivery) of every request, in order of pickups; refuses partners that contradict each other."""
    found = []
    for node in nodes.values():
        if node.number == 0:
            continue
        if bool(node.pickup_of) == bool(node.delivery_of):
            raise refuse(node.line, f"node {node.number} must name its pickup or its delivery, one of the two")
        other = nodes.get(node.pickup_of or node.delivery_of)
        if other is None or other.number == 0:
            message = f"its partner {node.pickup_of or node.delivery_of} is no node of this file"
            raise refuse(node.line, message, "unknown_node")
        back = other.delivery_of if node.pickup_of else other.pickup_of
        if back != node.number:
            message = f"node {node.number} names {other.number} as its partner, but that one names {back}"
            raise refuse(node.line, message, "conflict")
        if node.delivery_of:
            if node.demand < 0 or node.demand != -other.demand:
                message = f"picks up {node.demand}, but its delivery {other.number} has demand {other.demand}"
                raise refuse(node.line, message, "conflict")
            found.append((node, other))
    return found


def finest_ticks(nodes: dict[int, Node]) -> int:
    """Return the largest power of ten, at most a million, by which all times and legs still fit the model."""
    xs, ys = [n.x for n in nodes.values()], [n.y for n in nodes.values()]
    longest = math.hypot(max(xs) - min(xs), max(ys) - min(ys))
    latest = max(n.closes + n.service for n in nodes.values())
    ticks = _FINEST
    while ticks > 1 and (longest * ticks >= MAX_LEG or latest * ticks > MAX_TIME_S):
        ticks //= 10
    if longest * ticks >= MAX_LEG:
        raise RoutingError("bad_value", f"its points lie farther apart than {MAX_LEG}", f"line {nodes[0].line}")
    return ticks


def euclidean(nodes: dict[int, Node], ticks: int) -> MatrixTravel:
    """Return seconds rounded up and metres rounded to nearest, int32 [n, n] in ticks, from points in the plane."""
    x = np.array([node.x for node in nodes.values()], dtype=np.float64)
    y = np.array([node.y for node in nodes.values()], dtype=np.float64)
    straight: NDArray[np.float64] = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :]) * ticks
    # A leg of whole length must stay whole: what hypot adds beyond the ninth decimal of a tick's share is no distance.
    seconds = np.ceil(straight - 1e-4 * np.minimum(1.0, straight)).astype(np.int32)
    return MatrixTravel(seconds, np.rint(straight).astype(np.int32))


def problem(
    name: str,
    nodes: dict[int, Node],
    travel: MatrixTravel,
    requests: list[Request],
    *,
    vehicles: int,
    capacity: int,
    ticks: int,
    objective: Objective,
) -> Problem:
    """Return the benchmark as a problem: equal couriers at the depot, priced for few vehicles or for distance alone."""
    depot = nodes[0]
    shift = (math.ceil(depot.opens * ticks), math.floor(depot.closes * ticks))
    couriers = tuple(Courier(f"v{k}", DEPOT, shift, capacity, end=DEPOT) for k in range(1, vehicles + 1))
    # Dearer than driving to every node and back by itself: no distance is worth a vehicle more.
    legs = np.asarray(travel.distances_m)[0].astype(np.int64)
    dearer = 10 ** len(str(2 * int(legs.sum())))
    weights = Weights(
        unserved=_UNSERVED_COURIERS * dearer, courier=dearer if objective == "vehicles" else 0, distance_per_m=1
    )
    places = tuple(Place(str(number), lat=node.y, lng=node.x) for number, node in nodes.items())  # for pictures only
    return Problem(name, places, travel, couriers, tuple(requests), weights, ticks=ticks)


def window(node: Node, ticks: int) -> tuple[tuple[int, int]]:
    """Return a node's one window in ticks; a fraction of a tick is never given away."""
    opens, closes = math.ceil(node.opens * ticks), math.floor(node.closes * ticks)
    if opens > closes:
        raise refuse(node.line, f"is open for less than a {ticks}th of the file's unit")
    return ((opens, closes),)
