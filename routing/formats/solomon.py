"""Solomon (1987) and Gehring & Homberger (1999): one depot, customers with windows, no pairs, float64 distances.

`NAME`, then `VEHICLE` with number and capacity, then `CUSTOMER` with `number x y demand ready due service` lines. Every
customer is a pair whose pickup is at the depot at the moment it opens: it can only stand at the head of a route, so
the loads add up to the route's demand. A way back to the depot takes at least one tick, so nobody loads twice.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import numpy as np

from routing.errors import RoutingError
from routing.formats import benchmark
from routing.model import End, MatrixTravel, Problem, Request

TITLE = "Solomon and Gehring-Homberger"
_FLEET = ("NUMBER", "CAPACITY")
_NODE = ("CUST NO.", "XCOORD.", "YCOORD.", "DEMAND", "READY TIME", "DUE DATE", "SERVICE TIME")
_HEAD_LINES = 12


class _Parts(NamedTuple):
    title: str
    fleet: tuple[int, list[str]]
    nodes: list[tuple[int, list[str]]]


def looks_like(text: str) -> bool:
    """Say whether a text has a VEHICLE line near its beginning."""
    return any(words[0].upper() == "VEHICLE" for _, words in islice(benchmark.numbered_lines(text), _HEAD_LINES))


def read(text: str, name: str, objective: benchmark.Objective) -> Problem:
    """Return the problem in a text; raises RoutingError with the line of the first thing wrong."""
    parts = _divided(text)
    vehicles, capacity = benchmark.numbers(*parts.fleet, _FLEET)
    nodes = benchmark.table([benchmark.read_node(line, words, _NODE) for line, words in parts.nodes])
    ticks = benchmark.finest_ticks(nodes)
    travel = benchmark.euclidean(nodes, ticks)
    seconds = np.array(travel.durations_s)
    seconds[1:, 0] = np.maximum(seconds[1:, 0], 1)
    return benchmark.problem(
        parts.title or name,
        nodes,
        MatrixTravel(seconds, travel.distances_m),
        [_request(nodes[0], node, ticks) for node in nodes.values() if node.number != 0],
        vehicles=benchmark.whole(parts.fleet[0], vehicles, "NUMBER"),
        capacity=benchmark.whole(parts.fleet[0], capacity, "CAPACITY"),
        ticks=ticks,
        objective=objective,
    )


def _divided(text: str) -> _Parts:
    """Return the title, the fleet line and the node lines; words between them are headings."""
    lines = list(benchmark.numbered_lines(text))
    starts = {words[0].upper(): k for k, (_, words) in reversed(list(enumerate(lines)))}
    for heading in ("VEHICLE", "CUSTOMER"):
        if heading not in starts:
            raise RoutingError("bad_shape", f"has no line {heading}")
    vehicle, customer = starts["VEHICLE"], starts["CUSTOMER"]
    fleets = [line for line in lines[vehicle:customer] if benchmark.is_number(line[1][0])]
    if len(fleets) != 1:
        raise benchmark.refuse(lines[vehicle][0], "must be followed by one line with number and capacity", "bad_shape")
    below = lines[customer + 1 :]
    nodes = below[1:] if below and not benchmark.is_number(below[0][1][0]) else below
    return _Parts(" ".join(lines[0][1]) if vehicle else "", fleets[0], nodes)


def _request(depot: benchmark.Node, node: benchmark.Node, ticks: int) -> Request:
    if node.demand < 0:
        raise benchmark.refuse(node.line, f"DEMAND must not be negative, not {node.demand}")
    opening = benchmark.window(depot, ticks)[0][0]
    pickup = End(benchmark.DEPOT, ((opening, opening),))
    delivery = End(str(node.number), benchmark.window(node, ticks), round(node.service * ticks))
    return Request(str(node.number), pickup, delivery, size=node.demand)
