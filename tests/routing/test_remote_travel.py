"""Travel servers over HTTP: their tables are taken whole, and nobody's plan waits for one that fails."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from routing.travel import NO_LEG, Leg, Point, RemoteTravel, TableService
from routing.travel.geodesic import TerrainTravel
from routing.travel.osrm import Osrm
from routing.travel.valhalla import Valhalla

Answer = Callable[[str, bytes], "tuple[int, bytes] | None"]
POINTS = [Point(12.2 + k / 1000, 109.1 + (k * k % 7) / 1000) for k in range(7)]
ISLAND = Point(12.3, 109.3)


class Server(ThreadingHTTPServer):
    """Answers as it is told; where the answer is None it says a word now and then until the test is over."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.over = threading.Event()
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(self.path)
        answer = self.server.answer(self.path, body)
        self.send_response(200 if answer is None else answer[0])
        self.end_headers()
        if answer is not None:
            self.wfile.write(answer[1])
        while answer is None and not self.server.over.wait(0.05):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return

    do_POST = do_GET

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    servers: list[Server] = []

    def start(answer: Answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.over.set()
        server.shutdown()
        server.server_close()


def drive(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float] | None:
    """Seconds and metres from (lat, lng) to (lat, lng) as the servers below have them; nobody reaches the island."""
    if (ISLAND.lat, ISLAND.lng) in (a, b) and a != b:
        return None
    metres = math.hypot(a[0] - b[0], a[1] - b[1]) * 100_000
    return metres / (9.0 if a < b else 7.0), metres


def osrm(path: str, body: bytes) -> tuple[int, bytes]:
    """What an OSRM server says to a table question."""
    spelled, query = path.removeprefix("/table/v1/moto/").split("?")
    places = [(float(lat), float(lng)) for lng, lat in (pair.split(",") for pair in spelled.split(";"))]
    options = dict(part.split("=") for part in query.split("&"))
    assert options["annotations"] == "duration,distance"
    if len(places) > 6:
        return 400, json.dumps({"code": "TooBig", "message": "Too many table coordinates"}).encode()
    rows, columns = ([places[int(k)] for k in options[side].split(";")] for side in ("sources", "destinations"))
    tables = {
        name: [[None if (leg := drive(a, b)) is None else leg[k] for b in columns] for a in rows]
        for k, name in enumerate(("durations", "distances"))
    }
    return 200, json.dumps({"code": "Ok", **tables}).encode()


def valhalla(path: str, body: bytes) -> tuple[int, bytes]:
    """What a Valhalla server says to a matrix question."""
    assert path == "/sources_to_targets"
    question = json.loads(body)
    assert question["costing"] == "motor_scooter"
    sides = [[(p["lat"], p["lon"]) for p in question[side]] for side in ("sources", "targets")]
    if len(sides[0]) * len(sides[1]) > 9:
        return 400, json.dumps({"error_code": 150, "error": "Exceeded max locations"}).encode()
    rows = [
        [
            {"from_index": i, "to_index": j, "time": leg and leg[0], "distance": leg and leg[1] / 1000}
            for j, b in enumerate(sides[1])
            for leg in [drive(a, b)]
        ]
        for i, a in enumerate(sides[0])
    ]
    return 200, json.dumps({"sources_to_targets": rows, "units": "kilometers"}).encode()


def services(url: str, most: int) -> list[TableService]:
    return [Osrm(url, "moto", most_places=most), Valhalla(url, most_places=most, most_pairs=(most // 2) ** 2)]


@pytest.mark.parametrize("which", [0, 1])
def test_a_table_is_asked_in_parts_and_put_together_with_its_one_ways_and_missing_legs(
    which: int, serve: Callable[[Answer], Server]
) -> None:
    server = serve([osrm, valhalla][which])
    points = [*POINTS, ISLAND, POINTS[2]]
    travel = RemoteTravel(services(server.url, 6)[which], TerrainTravel(), stop_s=60)
    seconds, metres = travel.matrix(points)
    for i, a in enumerate(points):
        for j, b in enumerate(points):
            leg = drive((a.lat, a.lng), (b.lat, b.lng))
            if (a.lat, a.lng) == (b.lat, b.lng):
                assert (seconds[i, j], metres[i, j]) == (0, 0)
            elif leg is None:
                assert (seconds[i, j], metres[i, j]) == (NO_LEG, NO_LEG)
            else:
                assert seconds[i, j] == pytest.approx(leg[0] + 60.5, abs=0.51)
                assert metres[i, j] == pytest.approx(leg[1], abs=0.6)
    assert len(server.asked) == 9  # eight different places in parts of three
    assert travel.leg(points[0], points[0]) == Leg(0, 0)


SPOILED: dict[str, Answer] = {
    "an error": lambda path, body: (500, b'{"code": "Error", "error": "no tiles"}'),
    "no JSON": lambda path, body: (200, b"<html>"),
    "a list": lambda path, body: (200, b"[]"),
    "no table": lambda path, body: (200, b'{"code": "Ok", "sources_to_targets": 5}'),
    "too small a table": lambda path, body: (
        200,
        b'{"code": "Ok", "durations": [[1]], "distances": [[1]], "sources_to_targets": [[{"time": 1}]]}',
    ),
    "a negative ride": lambda path, body: (
        200,
        re.sub(rb'("time": |, )(\d)', rb"\1-\2", (osrm if "table" in path else valhalla)(path, body)[1]),
    ),
    "never finishes": lambda path, body: None,
}


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("what", sorted(SPOILED))
def test_a_server_that_fails_is_stood_in_for_and_left_alone_for_a_while(
    what: str, which: int, serve: Callable[[Answer], Server]
) -> None:
    server = serve(SPOILED[what])
    points = POINTS[:3]
    travel = RemoteTravel(services(server.url, 6)[which], TerrainTravel(), timeout_s=0.4)
    began = time.monotonic()
    for _ in range(3):
        seconds, metres = travel.matrix(points)
        assert seconds.tolist() == TerrainTravel().matrix(points)[0].tolist()
        assert metres.tolist() == TerrainTravel().matrix(points)[1].tolist()
    assert len(server.asked) == 1
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("which", [0, 1])
def test_a_server_that_is_not_there_is_stood_in_for(which: int) -> None:
    travel = RemoteTravel(services("http://127.0.0.1:9", 6)[which], TerrainTravel())
    seconds, metres = TerrainTravel().matrix(POINTS[:2])
    assert travel.leg(POINTS[0], POINTS[1]) == Leg(int(seconds[0, 1]), int(metres[0, 1]))


def test_a_server_that_came_back_is_asked_again(serve: Callable[[Answer], Server]) -> None:
    well = [False]
    server = serve(lambda path, body: osrm(path, body) if well[0] else (500, b"{}"))
    travel = RemoteTravel(Osrm(server.url, "moto", most_places=6), TerrainTravel(), rest_s=0.0, stop_s=0)
    assert travel.matrix(POINTS)[0].tolist() == TerrainTravel().matrix(POINTS)[0].tolist()
    well[0] = True
    leg = drive((POINTS[0].lat, POINTS[0].lng), (POINTS[1].lat, POINTS[1].lng))
    assert leg is not None
    assert travel.matrix(POINTS)[0][0, 1] == math.ceil(round(leg[0], 3))
