"""Sartori & Buriol (2020): pickup-and-delivery pairs on real streets, whole minutes from a matrix of EDGES.

`KEY: value` lines (NAME, SIZE, CAPACITY …), then NODES with `id lat lng demand earliest latest service pickup-of
delivery-of`, then EDGES with one row of minutes a node. Routes start and end at node 0 inside its window; the fleet
has no limit, so there is a courier for every pair. Seconds and metres of the model are the file's minutes.
"""

from __future__ import annotations

from itertools import islice

import numpy as np

from routing.errors import RoutingError
from routing.formats import benchmark
from routing.formats.lilim import request
from routing.model import MatrixTravel, Problem
from routing.validate import MAX_LEG

TITLE = "Sartori & Buriol"
_NODE = ("id", "lat", "lng", "demand", "earliest", "latest", "service", "pickup-of", "delivery-of")
_HEAD_LINES = 20

Lines = list[tuple[int, list[str]]]


def looks_like(text: str) -> bool:
    """Say whether a text has a NODES line near its beginning."""
    return any(words == ["NODES"] for _, words in islice(benchmark.numbered_lines(text), _HEAD_LINES))


def read(text: str, name: str, objective: benchmark.Objective) -> Problem:
    """Return the problem in a text; raises RoutingError with the line of the first thing wrong."""
    head, node_lines, edge_lines = _divided(text)
    size_line, size = _counted(head, "SIZE")
    capacity_line, capacity = _counted(head, "CAPACITY")
    nodes = benchmark.table([benchmark.read_node(line, words, _NODE) for line, words in node_lines])
    if len(nodes) != size:
        raise benchmark.refuse(size_line, f"SIZE says {size} nodes, the file has {len(nodes)}", "bad_shape")
    pairs = benchmark.pairs(nodes)
    if not pairs:
        raise RoutingError("bad_shape", "has no pickup-and-delivery pair")
    _, title = head.get("NAME", (0, ""))
    return benchmark.problem(
        title or name,
        nodes,
        _matrix(edge_lines, size),
        [request(pickup, delivery, 1) for pickup, delivery in pairs],
        vehicles=len(pairs),
        capacity=benchmark.whole(capacity_line, capacity, "CAPACITY"),
        ticks=1,
        objective=objective,
    )


def _divided(text: str) -> tuple[dict[str, tuple[int, str]], Lines, Lines]:
    """Return the `KEY: value` lines, the node lines and the edge lines."""
    head: dict[str, tuple[int, str]] = {}
    parts: dict[str, Lines] = {}
    part: Lines | None = None
    for line, words in benchmark.numbered_lines(text):
        if words in (["NODES"], ["EDGES"]):
            part = parts[words[0]] = []
        elif words == ["EOF"]:
            break
        elif part is not None:
            part.append((line, words))
        else:
            key, colon, value = " ".join(words).partition(":")
            if not colon:
                raise benchmark.refuse(line, "must be KEY: value", "bad_shape")
            head[key.strip().upper()] = (line, value.strip())
    for heading in ("NODES", "EDGES"):
        if heading not in parts:
            raise RoutingError("bad_shape", f"has no line {heading}")
    return head, parts["NODES"], parts["EDGES"]


def _counted(head: dict[str, tuple[int, str]], key: str) -> tuple[int, int]:
    if key not in head:
        raise RoutingError("missing_key", "is missing; it should hold a whole number", key)
    line, value = head[key]
    return line, benchmark.whole(line, benchmark.numbers(line, [value], [key])[0], key)


def _matrix(lines: Lines, size: int) -> MatrixTravel:
    if len(lines) != size:
        raise RoutingError("bad_shape", f"must have one row for each of the {size} nodes, not {len(lines)}", "EDGES")
    minutes = np.zeros((size, size), dtype=np.int32)
    for row, (line, words) in enumerate(lines):
        if len(words) != size:
            raise benchmark.refuse(line, f"must have one value for each of the {size} nodes, not {len(words)}")
        values = np.array(benchmark.numbers(line, words, [f"value {k}" for k in range(1, size + 1)]))
        if (values != np.floor(values)).any() or values.min() < 0 or values.max() > MAX_LEG:
            raise benchmark.refuse(line, f"must hold whole minutes between 0 and {MAX_LEG}")
        minutes[row] = values
    return MatrixTravel(minutes, minutes)
