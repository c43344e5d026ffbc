"""Writes plans of benchmark files the way their authors publish them: `Route k : a b c` by node numbers."""

from __future__ import annotations

from routing.formats.benchmark import DEPOT
from routing.model import Plan


def write_routes(plan: Plan) -> str:
    """Return one line a route that goes anywhere, numbered from 1, the depot left out."""
    lines: list[str] = []
    for route in plan.routes:
        visited = [row.place for row in route.stops if row.place != DEPOT]
        if visited:
            lines.append(f"Route {len(lines) + 1} : {' '.join(visited)}")
    return "\n".join(lines) + "\n" if lines else ""
