"""Li & Lim (2001): pickup-and-delivery pairs with windows, points in the plane, float64 distances without rounding.

Line 1 is `vehicles capacity speed` (the speed is not used, as the authors say), then one line a node:
`id x y demand ready due service pickup delivery`, the depot first.
"""

from __future__ import annotations

from itertools import islice

from routing.errors import RoutingError
from routing.formats import benchmark
from routing.model import End, Problem, Request

TITLE = "Li & Lim"
_HEAD = ("vehicles", "capacity", "speed")
_NODE = ("id", "x", "y", "demand", "ready", "due", "service", "pickup", "delivery")


def looks_like(text: str) -> bool:
    """Say whether a text begins with a line of three numbers."""
    for _, words in islice(benchmark.numbered_lines(text), 1):
        return len(words) == len(_HEAD) and all(benchmark.is_number(word) for word in words)
    return False


def read(text: str, name: str, objective: benchmark.Objective) -> Problem:
    """Return the problem in a text; raises RoutingError with the line of the first thing wrong."""
    lines = benchmark.numbered_lines(text)
    first, words = next(lines, (1, []))
    vehicles, capacity, _ = benchmark.numbers(first, words, _HEAD)
    nodes = benchmark.table([benchmark.read_node(line, words, _NODE) for line, words in lines])
    ticks = benchmark.finest_ticks(nodes)
    requests = [request(pickup, delivery, ticks) for pickup, delivery in benchmark.pairs(nodes)]
    if not requests:
        raise RoutingError("bad_shape", "has no pickup-and-delivery pair")
    return benchmark.problem(
        name,
        nodes,
        benchmark.euclidean(nodes, ticks),
        requests,
        vehicles=benchmark.whole(first, vehicles, "vehicles"),
        capacity=benchmark.whole(first, capacity, "capacity"),
        ticks=ticks,
        objective=objective,
    )


def request(pickup: benchmark.Node, delivery: benchmark.Node, ticks: int) -> Request:
    """Return a pair as a request named `pickup-delivery` by its node numbers."""
    ends = [End(str(n.number), benchmark.window(n, ticks), round(n.service * ticks)) for n in (pickup, delivery)]
    return Request(f"{pickup.number}-{delivery.number}", ends[0], ends[1], size=pickup.demand)
