"""A plan as a picture (SVG): routes in colours, stops numbered, unserved marked, a legend with kilometres and lateness.

Drawn from the places' coordinates; where some are missing, places are laid out so that far drives are far apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.legs import Legs
from routing.model import Plan, Problem, Route, Stop
from routing.reasons import reason_en

_SIDE = 900.0
_MARGIN = 40.0
_ROW = 16
_COLUMN = 230
_MOST_NUMBERED = 400  # above it numbers only blacken the picture
_LANDMARKS = 400
_RED = "#c00000"
_VIETNAM = (102.0, 8.0, 110.0, 23.5)  # west, south, east, north of the mainland
_WHOLE_SPAN = 8.0  # degrees of latitude: a map of so much of the country shows all of it
# Maps of Vietnam show both archipelagos (name, lng, lat).
_ARCHIPELAGOS = (("Quần đảo Hoàng Sa (Việt Nam)", 112.0, 16.5), ("Quần đảo Trường Sa (Việt Nam)", 114.2, 9.5))

Spots = dict[str, tuple[float, float]]


class _Line(NamedTuple):
    """One line of the legend."""

    colour: str
    words: str


def draw(problem: Problem, plan: Plan, in_km: bool = True) -> str:
    """Return the plan as SVG text; distances in kilometres, or in the file's own unit for benchmarks."""
    spots, archipelagos = _spots(problem)
    rows = sum(len(route.stops) for route in plan.routes)
    body: list[str] = []
    legend: list[_Line] = []
    starts = {courier.id: courier.start for courier in problem.couriers}
    ends = {courier.id: courier.end for courier in problem.couriers}
    for index, route in enumerate(plan.routes):
        if not route.stops:
            continue
        colour = _colour(index)
        body += _route(route, starts.get(route.courier), ends.get(route.courier), spots, colour, rows <= _MOST_NUMBERED)
        length = _length(route.distance_m, problem.ticks, in_km)
        words = f"{route.courier}: {len(route.stops)} stops, {length}, {_late(problem, [route])} late"
        legend.append(_Line(colour, words))
    body += [mark for entry in plan.unserved for mark in _unserved(problem, entry.request, reason_en(entry), spots)]
    body += _labels(archipelagos)
    length = _length(sum(route.distance_m for route in plan.routes), problem.ticks, in_km)
    legend.append(_Line("#000000", f"all: {length}, {_late(problem, plan.routes)} late"))
    if plan.unserved:
        legend.append(_Line(_RED, f"{len(plan.unserved)} unserved"))
    return _sheet(f"{plan.problem} ({plan.engine}, seed {plan.seed})", body, legend)


def _sheet(title: str, body: list[str], legend: list[_Line]) -> str:
    per_column = int(_SIDE // _ROW) - 1
    columns = -(-len(legend) // per_column)
    width = _SIDE + _MARGIN + columns * _COLUMN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {_SIDE + _MARGIN:.0f}" '
        f'width="{width:.0f}" height="{_SIDE + _MARGIN:.0f}" font-family="sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{_MARGIN:.0f}" y="22" font-size="15">{escape(title)}</text>',
        *body,
    ]
    for index, line in enumerate(legend):
        x = _SIDE + _MARGIN + index // per_column * _COLUMN
        y = _MARGIN + index % per_column * _ROW
        parts.append(f'<rect x="{x:.0f}" y="{y - 9:.0f}" width="10" height="10" fill="{line.colour}"/>')
        parts.append(f'<text class="legend" x="{x + 15:.0f}" y="{y:.0f}">{escape(line.words)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _route(route: Route, start: str | None, end: str | None, spots: Spots, colour: str, numbered: bool) -> list[str]:
    """Draw one route: its way, where it starts, and each joint stop with the numbers of its rows."""
    ends = [place for place in (start, *(row.place for row in route.stops), end) if place is not None]
    way = " ".join("{:.1f},{:.1f}".format(*spots[place]) for place in ends)
    parts = [f'<g class="route"><title>{escape(route.courier)}</title>']
    parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-opacity="0.75"/>')
    if start is not None:
        x, y = spots[start]
        parts.append(f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{colour}" stroke="#000000"/>')
    at = 0
    while at < len(route.stops):
        until = at
        while until < len(route.stops) and route.stops[until].place == route.stops[at].place:
            until += 1
        parts += _stop(route.stops[at:until], at + 1, spots[route.stops[at].place], colour, numbered)
        at = until
    return [*parts, "</g>"]


def _stop(rows: Sequence[Stop], first: int, spot: tuple[float, float], colour: str, numbered: bool) -> list[str]:
    """Draw rows at one place as one stop: white where something is collected, full where all is handed over."""
    x, y = spot
    collects = any(row.kind == "pickup" for row in rows)
    fill = "#ffffff" if collects else colour
    said = "; ".join(f"{row.kind} {row.request} at {row.start}" for row in rows)
    number = str(first) if len(rows) == 1 else f"{first}–{first + len(rows) - 1}"
    parts = [
        f'<circle class="stop" cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{colour}">'
        f"<title>{escape(said)}</title></circle>"
    ]
    if numbered:
        parts.append(
            f'<text class="number" x="{x + 5:.1f}" y="{y - 4:.1f}" font-size="9" fill="{colour}">{number}</text>'
        )
    return parts


def _unserved(problem: Problem, name: str, reason: str, spots: Spots) -> list[str]:
    """Mark both ends of a request nobody serves and tie them together."""
    request = next((one for one in problem.requests if one.id == name), None)
    if request is None:
        return []
    (a, b), (c, d) = spots[request.pickup.place], spots[request.delivery.place]
    crosses = "".join(
        f'<path d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10" stroke="{_RED}" stroke-width="2.5"/>'
        for x, y in ((a, b), (c, d))
    )
    tie = f'<line x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}" stroke="{_RED}" stroke-dasharray="3 4"/>'
    return [f'<g class="unserved"><title>{escape(f"{name}: {reason}")}</title>{tie}{crosses}</g>']


def _labels(archipelagos: Spots) -> list[str]:
    parts = []
    for name, (x, y) in archipelagos.items():
        islands = ((x, y), (x + 6, y + 4), (x - 5, y + 5))
        dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2"/>' for a, b in islands)
        words = f'<text x="{x:.1f}" y="{y - 6:.1f}" text-anchor="middle">{escape(name)}</text>'
        parts.append(f'<g class="archipelago">{dots}{words}</g>')
    return parts


def _length(distance: int, ticks: int, in_km: bool) -> str:
    return f"{distance / 1000:.1f} km" if in_km else f"{distance / ticks:.10g}"


def _late(problem: Problem, routes: Sequence[Route]) -> str:
    """Return how late all rows together are, in seconds of the file."""
    ends = {
        (r.id, kind): end for r in problem.requests for kind, end in (("pickup", r.pickup), ("delivery", r.delivery))
    }
    late = 0
    for row in (row for route in routes for row in route.stops):
        due = ends[row.request, row.kind].due
        late += 0 if due is None else max(0, row.start - due)
    return f"{late / problem.ticks:g} s"


def _colour(index: int) -> str:
    """Return a colour far from those of the neighbours: hues a golden section apart, three shades in turn."""
    return f"hsl({index * 137.508 % 360:.0f},{(75, 60, 90)[index % 3]}%,{(38, 48, 32)[index // 3 % 3]}%)"


def _spots(problem: Problem) -> tuple[Spots, Spots]:
    """Return where each place lies on the sheet, and the archipelagos if the map shows all of Vietnam."""
    names = [place.id for place in problem.places]
    known = [(p.lng, p.lat) for p in problem.places if p.lat is not None and p.lng is not None]
    extra: list[tuple[str, float, float]] = []
    if len(known) < len(names):
        points = _laid_out(problem)
    else:
        points = np.array(known, dtype=np.float64).reshape(-1, 2)
        degrees = problem.ticks == 1 and bool(np.all(np.abs(points) <= (180, 90)))
        if degrees and _shows_vietnam(points):
            extra = list(_ARCHIPELAGOS)
            points = np.vstack([points, [(lng, lat) for _, lng, lat in extra]])
        if degrees and len(points):
            points = points * (np.cos(np.radians(points[:, 1].mean())), 1.0)
    if not len(points):
        return {}, {}
    low, span = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-9)
    scale = (_SIDE - 2 * _MARGIN) / span
    drawn = [(_MARGIN + float(x), _SIDE - _MARGIN - float(y)) for x, y in (points - low) * scale]
    names += [name for name, _, _ in extra]
    spots = dict(zip(names, drawn, strict=True))
    return spots, {name: spots[name] for name, _, _ in extra}


def _shows_vietnam(points: NDArray[np.float64]) -> bool:
    if not len(points):
        return False
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    inside = west >= _VIETNAM[0] and south >= _VIETNAM[1] and east <= _VIETNAM[2] and north <= _VIETNAM[3]
    return bool(inside and north - south >= _WHOLE_SPAN)


def _laid_out(problem: Problem) -> NDArray[np.float64]:
    """Place points in the plane by the drives to some of them: landmark scaling (de Silva & Tenenbaum 2004)."""
    metres = Legs(problem).metres_matrix
    count = len(metres)
    flat = np.zeros((count, 2))
    if count < 2:
        return flat
    marks = np.unique(np.linspace(0, count - 1, min(count, _LANDMARKS)).astype(int))
    there, back = metres[:, marks].astype(np.float64), metres[marks].T.astype(np.float64)
    there[there < 0], back[back < 0] = metres.max(), metres.max()
    squared = ((there + back) / 2) ** 2
    among = squared[marks]
    centred = among - among.mean(axis=0) - among.mean(axis=1)[:, None] + among.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    for axis, (value, vector) in enumerate(zip(values[::-1], vectors.T[::-1], strict=True)):
        if axis < 2 and value > 1e-9 * max(1.0, values[-1]):
            flat[:, axis] = (squared - among.mean(axis=0)) @ vector / (-2 * np.sqrt(value))
    return flat
