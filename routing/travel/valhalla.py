"""Valhalla over HTTP: the `sources_to_targets` service of a server of one's own, by motor scooter.

The server's own limits (`service_limits.motor_scooter.max_matrix_location_pairs`, 2,500 as delivered) must not be
under `most_pairs`.
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
class Valhalla:
    """One Valhalla server: `url` such as `http://valhalla:8002`; `top_speed_kmh` tames its scooters."""

    url: str
    costing: str = "motor_scooter"
    top_speed_kmh: int = 45
    most_places: int = 100
    most_pairs: int = 2500

    def table(
        self, sources: Sequence[Point], destinations: Sequence[Point], timeout_s: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return seconds and metres, float64 [sources, destinations], NaN where there is no way."""
        question = {
            "sources": [{"lat": point.lat, "lon": point.lng} for point in sources],
            "targets": [{"lat": point.lat, "lon": point.lng} for point in destinations],
            "costing": self.costing,
            "costing_options": {self.costing: {"top_speed": self.top_speed_kmh}},
            "units": "kilometers",
        }
        answer = ask("POST", f"{self.url.rstrip('/')}/sources_to_targets", timeout_s, question)
        if "sources_to_targets" not in answer:
            raise RoutingError("bad_answer", f"says {str(answer.get('error', 'nothing known'))[:200]}", self.url)
        seconds = np.full((len(sources), len(destinations)), np.nan)
        metres = np.full((len(sources), len(destinations)), np.nan)
        try:
            for cell in (cell for row in answer["sources_to_targets"] for cell in row):
                if cell["time"] is not None and cell["distance"] is not None:
                    at = int(cell["from_index"]), int(cell["to_index"])
                    seconds[at], metres[at] = float(cell["time"]), float(cell["distance"]) * 1000
        except (KeyError, TypeError, ValueError, IndexError):
            raise RoutingError("bad_answer", "must hold time and distance of every pair", self.url) from None
        return seconds, metres
