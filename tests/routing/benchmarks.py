"""Tiny benchmark files, and a judge of `Route k :` lines who reads the file itself and counts in real numbers."""

from __future__ import annotations

import math
from random import Random

Rows = dict[int, list[float]]


def lilim(pairs: list[tuple[list[float], list[float]]], head: str = "5 20 1", horizon: int = 500) -> str:
    """A Li & Lim file; each end is x, y, demand, ready, due, service, the depot is at 0, 0."""
    lines = [head, f"0 0 0 0 0 {horizon} 0 0 0"]
    for k, (pickup, delivery) in enumerate(pairs):
        a, b = 2 * k + 1, 2 * k + 2
        lines.append("\t".join(map(str, [a, *pickup, 0, b])))
        lines.append("\t".join(map(str, [b, *delivery, a, 0])))
    return "\n".join(lines) + "\n"


def any_lilim(rnd: Random, count: int = 8) -> str:
    """A random Li & Lim file all of whose requests can be served."""
    pairs = []
    for _ in range(count):
        x, y, u, v, size = *(rnd.randrange(-40, 41) for _ in range(4)), rnd.randint(1, 9)
        ready = math.ceil(math.hypot(x, y)) + rnd.randrange(150)
        last = ready + math.ceil(math.hypot(x - u, y - v)) + 5
        pairs.append(([x, y, size, ready, ready + 40, 5], [u, v, -size, last, last + 60, 5]))
    return lilim(pairs, "9 20 1")


def solomon(customers: list[list[float]], fleet: str = "  5   20", horizon: int = 500) -> str:
    """A Solomon file; each customer is x, y, demand, ready, due, service."""
    rows = [[0, 0, 0, 0, 0, horizon, 0], *([k, *rest] for k, rest in enumerate(customers, start=1))]
    table = "\n".join("    ".join(map(str, row)) for row in rows)
    heads = "CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME"
    return f"T101\n\nVEHICLE\nNUMBER     CAPACITY\n{fleet}\n\nCUSTOMER\n{heads}\n \n{table}\n"


def sartori(nodes: list[str], edges: list[list[int]], capacity: int = 20, name: str = "tiny-n2") -> str:
    """A Sartori & Buriol file of given node and edge lines."""
    head = f"NAME: {name}\nLOCATION: nowhere\nTYPE: PDPTW\nSIZE: {len(nodes)}\nCAPACITY: {capacity}\n"
    rows = "\n".join(" ".join(map(str, row)) for row in edges)
    return f"{head}NODES\n{chr(10).join(nodes)}\nEDGES\n{rows}\nEOF\n"


def routes_of(solution: str) -> list[list[int]]:
    """The node numbers of `Route k : a b c` lines; the numbering must run from 1."""
    routes = []
    for k, line in enumerate(solution.splitlines(), start=1):
        head, _, rest = line.partition(" : ")
        assert head == f"Route {k}"
        routes.append([int(word) for word in rest.split()])
    return routes


def judged(rows: Rows, capacity: float, routes: list[list[int]]) -> float:
    """The real length of lawful routes; rows are number → x, y, demand, ready, due, service, pickup, delivery."""
    length, seen = 0.0, set()
    for route in routes:
        at, here, load = rows[0][3], 0, 0.0
        aboard: set[int] = set()
        for node in [*route, 0]:
            leg = math.hypot(rows[here][0] - rows[node][0], rows[here][1] - rows[node][1])
            length += leg
            at = max(at + leg, rows[node][3])
            assert at <= rows[node][4], f"late at {node}: {at}"
            at += rows[node][5]
            load += rows[node][2]
            assert load <= capacity, f"overloaded at {node}"
            here = node
            if node == 0:
                continue
            assert node not in seen, f"{node} twice"
            seen.add(node)
            if rows[node][6]:
                assert rows[node][6] in aboard, f"{node} delivered but not collected on this route"
            aboard.add(node)
        open_pickups = {node for node in route if rows[node][7] and rows[node][7] not in route}
        assert not open_pickups
    assert seen == set(rows) - {0}
    return length


def lilim_rows(text: str) -> tuple[Rows, float]:
    """Number → the eight values of a Li & Lim line, and the capacity."""
    head, *lines = text.splitlines()
    return {int(line.split()[0]): [float(w) for w in line.split()[1:]] for line in lines}, float(head.split()[1])


def solomon_rows(text: str) -> tuple[Rows, float]:
    """The same of a Solomon file: what is delivered is on board from the start."""
    lines = [line.split() for line in text.splitlines()]
    fleet = next(words for words in lines if len(words) == 2 and words[0].isdigit())
    rows = {
        int(words[0]): [*map(float, words[1:]), 0.0, 0.0] for words in lines if len(words) == 7 and words[0].isdigit()
    }
    return rows, float(fleet[1])
