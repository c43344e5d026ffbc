"""OSRM over HTTP: the `table` service of a server of one's own, with a profile for motorbikes.

The server's own `--max-table-size` (100 places as delivered) must not be under `most_places`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.asking import ask
from routing.errors import RoutingError
from routing.travel import Point


@dataclass(frozen=True, slots=True)
class Osrm:
    """One OSRM server: `url` such as `http://osrm:5000`, `profile` as its own name in the path."""

    url: str
    profile: str = "driving"
    most_places: int = 100
    most_pairs: int = 10_000

    def table(
        self, sources: Sequence[Point], destinations: Sequence[Point], timeout_s: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return seconds and metres, float64 [sources, destinations], NaN where there is no way."""
        places = [*sources, *destinations]
        spelled = ";".join(f"{point.lng:.6f},{point.lat:.6f}" for point in places)
        first = ";".join(map(str, range(len(sources))))
        second = ";".join(map(str, range(len(sources), len(places))))
        query = f"sources={first}&destinations={second}&annotations=duration,distance"
        answer = ask("GET", f"{self.url.rstrip('/')}/table/v1/{self.profile}/{spelled}?{query}", timeout_s)
        if answer.get("code") != "Ok":
            raise RoutingError("bad_answer", f"says {str(answer.get('message', answer.get('code')))[:200]}", self.url)
        try:
            return np.array(answer["durations"], dtype=np.float64), np.array(answer["distances"], dtype=np.float64)
        except (KeyError, TypeError, ValueError):
            raise RoutingError("bad_answer", "must hold tables of durations and distances", self.url) from None
