"""Reads published instances, and says where they come from; a reader of its own, so that ours is judged by another."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.routes.case import Case, Earth, Pair, Plane, Prices, Stop, Table, Vehicle

DEAR = 10_000  # price of a vehicle, in units of distance, where few vehicles come first
TEN = ("lr104", "lc204", "lc1_2_3", "lr1_2_4", "lrc2_2_3", "lr1_4_5", "lrc2_4_6", "lc1_10_3", "lrc1_10_5", "lr2_10_5")
STREETS = ("bar-n100-3", "poa-n100-1", "ber-n400-2")
# The shortest plans known to us when this was written, vehicles free; a run may find shorter ones.
SHORTEST = {"lr1_2_4": 2830.7, "lrc2_2_3": 2520.7, "lr1_4_5": 9517.0, "lrc2_4_6": 5925.5}
WHERE = (
    "Li & Lim by SINTEF, the page of the PDPTW benchmark (`lr104.txt` …, into the folder `lilim`); Sartori & Buriol by "
    "Mendeley Data, “A study on the pickup and delivery problem with time windows” (into `sartori`); beside them "
    "`best_known.csv` with the columns set,name,vehicles,distance"
)
Node = tuple[float, ...]  # x or lat, y or lng, demand, opens, closes, service, pickup, delivery


@dataclass(frozen=True)
class Best:
    """The best known plan of an instance, vehicles first."""

    vehicles: int
    distance: float


class Folder:
    """Where published instances lie; without one every question is answered with None."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def best(self) -> dict[str, Best]:
        """Return the best known plans by instance."""
        file = self._file("best_known.csv")
        if file is None:
            return {}
        with file.open(encoding="utf-8") as rows:
            return {row["name"]: Best(int(row["vehicles"]), float(row["distance"])) for row in csv.DictReader(rows)}

    def lilim(self, name: str) -> Case | None:
        """Return an instance of Li & Lim, few vehicles first."""
        file = self._file(f"lilim/{name}.txt")
        return None if file is None else lilim(name, file.read_bytes())

    def sartori(self, name: str) -> Case | None:
        """Return an instance of Sartori & Buriol, few vehicles first."""
        file = self._file(f"sartori/{name}.txt")
        return None if file is None else sartori(name, file.read_bytes())

    def province(self, requests: int) -> Case | None:
        """Return the published made province of so many requests."""
        file = self._file(f"province_{requests}.json")
        return None if file is None else native(file.read_bytes())

    def province_file(self, requests: int) -> Path | None:
        """Return the file of the made province itself."""
        return self._file(f"province_{requests}.json")

    def _file(self, name: str) -> Path | None:
        file = self.path and self.path / name
        return file if file and file.is_file() else None


def lilim(name: str, source: bytes) -> Case:
    """Read `vehicles capacity speed` and `id x y demand ready due service pickup delivery` lines."""
    head, *lines = (line.split() for line in source.decode().splitlines() if line.split())
    nodes = {int(words[0]): tuple(map(float, words[1:])) for words in lines}
    travel = Plane(tuple(node[0] for node in nodes.values()), tuple(node[1] for node in nodes.values()))
    return _case(name, travel, nodes, int(head[0]), int(head[1]), source)


def sartori(name: str, source: bytes) -> Case:
    """Read `KEY: value` lines, NODES and EDGES; the fleet has no limit, so there is a vehicle for every pair."""
    lines = [line.strip() for line in source.decode().splitlines() if line.strip() and line.strip() != "EOF"]
    first, second = lines.index("NODES"), lines.index("EDGES")
    head = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines[:first])}
    nodes = {int(line.split()[0]): tuple(map(float, line.split()[1:])) for line in lines[first + 1 : second]}
    minutes = np.array([list(map(int, line.split())) for line in lines[second + 1 :]], dtype=np.int32)
    return _case(name, Table(minutes), nodes, len(nodes) // 2, int(head["CAPACITY"]), source)


def _case(
    name: str, travel: Plane | Table, nodes: dict[int, Node], vehicles: int, capacity: int, source: bytes
) -> Case:
    assert list(nodes) == list(range(len(nodes)))
    stops = [Stop(number, node[3], node[4], node[5]) for number, node in nodes.items()]
    pairs = tuple(
        Pair(f"{number}-{int(node[7])}", stops[number], stops[int(node[7])], int(node[2]))
        for number, node in nodes.items()
        if node[7]
    )
    fleet = (Vehicle(0, 0, nodes[0][3], nodes[0][4], capacity),) * vehicles
    return Case(name, travel, fleet, pairs, Prices(vehicle=DEAR, unserved=100 * DEAR), source=source)


def native(source: bytes) -> Case:
    """Read as much of `routing-problem/1` as the made province uses: one window an end, hard promises, driving paid."""
    told = json.loads(source)
    assert told["hard_due"] and told["travel"]["model"] == "geodesic"
    assert {name for name, weight in told["weights"].items() if weight} == {"unserved", "travel_per_s"}
    places = told["places"]
    number = {place["id"]: k for k, place in enumerate(places)}
    travel = Earth(
        tuple(place["lat"] for place in places),
        tuple(place["lng"] for place in places),
        told["travel"]["detour"],
        told["travel"]["speed_kmh"],
        told["travel"]["stop_overhead_s"],
    )

    def end(told: dict[str, Any]) -> Stop:
        ((opens, closes),) = told["windows"]
        closes = closes if told["due"] is None else min(closes, told["due"])
        return Stop(number[told["place"]], opens, closes, told["service_s"])

    return Case(
        told["name"],
        travel,
        tuple(
            Vehicle(
                number[c["start"]],
                number[c["end"]],
                max(c["shift"][0], c["available_at"]),
                c["shift"][1],
                c["capacity"],
            )
            for c in told["couriers"]
        ),
        tuple(Pair(r["id"], end(r["pickup"]), end(r["delivery"]), r["size"]) for r in told["requests"]),
        Prices(unserved=told["weights"]["unserved"]),
        told["now"],
        source,
    )
