"""An office on the road: what a look at its plan costs, and how much of what couriers hold it throws about.

60 requests alive, 8 couriers riding as planned; every two minutes what is done is replaced by new requests, now and
then one is cancelled, and the office's plan is looked at and put into force as the worker does it.
"""

from __future__ import annotations

import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text

import routing
from bench.routes.made import around
from dispatch.bootstrap import System, upgrade
from dispatch.domain.consignment import RequestBody
from dispatch.domain.text import LOCAL
from dispatch.embedded.place import server_user
from dispatch.embedded.ports import free_port
from dispatch.embedded.postgres import Postgres
from dispatch.embedded.programs import installed, runnable
from dispatch.flows import committing, intake, planning, recording, replanning
from dispatch.flows.recording import Happening
from dispatch.settings import Settings
from dispatch.store import Session, open_store

ALIVE, COURIERS, SHOPS = 60, 8, 12
MODE, AREA, DAY = "test", "office:bc", date(2026, 11, 30)
TOWN = (12.2451, 109.1943)
STEP, STEPS = timedelta(minutes=2), 270
COMMUNE = {"commune_code": "22366", "era": "2025"}
WHERE: dict[str, Any] = {"province_code": "56", **COMMUNE}
_CANCELLED = 0.05


@dataclass(frozen=True)
class Row:
    """One look: its processor and wall seconds, what came of it, and the stops it moved."""

    cpu_s: float
    wall_s: float
    outcome: str
    moved: int
    added: int


def measure() -> str:
    """Rows of processor time and moved stops over a day's looks."""
    routing.warm()
    with _database() as url:
        day = _Day(System(Settings(database_url=url), open_store(url, connections=3)), Random(7))
        day.begin()
        rows = [row for _ in range(STEPS) if (row := day.step()) is not None]
        alive, store = day.alive(), day.system.store
        store.close()
    cpu, wall = sorted(row.cpu_s for row in rows), sorted(row.wall_s for row in rows)
    moved, added = [row.moved for row in rows], [row.added for row in rows]
    committed = sum(row.outcome == "committed" for row in rows)
    pace = replanning.Pace()
    lines = [
        f"## Live planning: {ALIVE} requests alive, {COURIERS} couriers on the road",
        f"{len(rows)} looks over a made day of an office, {pace.seconds:.0f} s of search each, everything around it",
        f"(reading the rounds, judging, putting into force) included; {committed} found something better.",
        f"{alive} requests were alive at the end.",
        "",
        "| | measured | bound |",
        "|---|---|---|",
        f"| processor seconds of a look, p50 · p99 | {_at(cpu, 0.5):.2f} · {_at(cpu, 0.99):.2f} | 3 at p99 |",
        f"| wall seconds of a look, p50 · p99 | {_at(wall, 0.5):.2f} · {_at(wall, 0.99):.2f} | |",
        f"| stops moved by a look, mean · most | {statistics.fmean(moved):.2f} · {max(moved)} | 3 on average |",
        f"| stops added by a look, mean | {statistics.fmean(added):.2f} | |",
    ]
    return "\n".join(lines)


def _at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


@contextmanager
def _database() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="dieu-tin-bench-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o711)
        ground = Path(folder)
        programs = runnable(installed(), server_user(), ground / "programs")
        password, log = secrets.token_hex(8), ground / "postgres.log"
        server = Postgres(programs, ground / "postgres", free_port(), password, server_user(), log=log)
        server.prepare()
        child = server.start()
        try:
            upgrade(server.url("postgres"))
            yield server.url("postgres")
        finally:
            child.stop()


class _Day:
    """The made office and its couriers, who do what is planned when it is planned."""

    def __init__(self, system: System, dice: Random) -> None:
        self.system, self.dice = system, dice
        self.now = datetime(2026, 11, 30, 7, 30, tzinfo=LOCAL)
        self.asked = 0

    def begin(self) -> None:
        """Office, shops, couriers, the first requests, and a plan in force."""
        with self.system.store.begin() as session:
            office = {"name": "Bưu cục", "lat": TOWN[0], "lng": TOWN[1], "hours_profile": "POST-DEFAULT"}
            session.network.put_office(MODE, "bc", {**office, **WHERE, "live": "commit"}, self.now)
            for number in range(SHOPS):
                lat, lng = around(self.dice, TOWN, 2.5)
                shop = {"name": f"Một cửa {number}", "lat": lat, "lng": lng, "level": "COMMUNE", "rooms": []}
                more = {"hours_profile": "OSS-DEFAULT", "refuses_paper_from": None}
                session.network.put_shop(MODE, f"mc-{number}", {**shop, **more, **WHERE}, self.now)
            for number in range(COURIERS):
                self._courier(session, number)
        for _ in range(ALIVE):
            self._ask()
        with self.system.store.begin() as session:
            scene, plan = self.system.scene(self.now), {"plan_mode": "day", "seconds": 5, "owner": "bench"}
            operation_id = planning.ask(session, scene, mode=MODE, area=AREA, day=DAY, **plan)  # type: ignore[arg-type]
        assert planning.run(self.system, operation_id) == "succeeded"
        with self.system.store.begin() as session:
            operation = session.planning.operation(MODE, operation_id)
            assert operation is not None and operation.result is not None
            parts = (session, self.system.scene(self.now), self.system.places, self.system.travel)
            committing.commit(*parts, operation.result["plan_id"], MODE, 1, "bench")

    def step(self) -> Row | None:
        """Two minutes of the day and the look that follows; None where nothing asked for one."""
        self.now += STEP
        with self.system.store.begin() as session:
            self._ride(session)
            if self.dice.random() < _CANCELLED:
                self._cancel(session)
        for _ in range(ALIVE - self.alive()):
            self._ask()
        cpu, wall = time.process_time(), time.perf_counter()
        outcome = replanning.look(self.system, MODE, AREA, DAY, replanning.Pace())
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return None if outcome is None else Row(cpu, wall, outcome, *self._changed(outcome))

    def alive(self) -> int:
        """How many requests still have something to do."""
        with self.system.store.begin() as session:
            return len({row.request_id for row in session.planning.open_legs(MODE)})

    def _courier(self, session: Session, number: int) -> None:
        lat, lng = around(self.dice, TOWN, 2.0)
        values = {
            "name": f"Bưu tá {number}",
            "phone": f"09000000{number:02d}",
            "pin_hash": "-",
            "home_office_id": "bc",
            "skills": [],
            "capacity_items": 40,
            "vehicle": "MOTORBIKE",
            "base_lat": lat,
            "base_lng": lng,
            "communes": [],
        }
        session.network.put_courier(MODE, f"bt-{number}", values, self.now)
        hours = {"starts_at": self.now.replace(hour=7, minute=0), "ends_at": self.now.replace(hour=18, minute=30)}
        session.network.put_shift(
            MODE, f"bt-{number}", DAY, {**hours, "start_lat": lat, "start_lng": lng, "breaks": []}, self.now
        )

    def _ask(self) -> None:
        lat, lng = around(self.dice, TOWN, 3.0)
        self.asked += 1
        told = {
            "external_ref": f"L-{self.asked}",
            "kind": "pickup" if self.dice.random() < 0.4 else "return",
            "shop_id": f"mc-{self.dice.randrange(SHOPS)}",
            "dossier": {"code": "000.00.16.H32-261130-0015"},
            "citizen": {
                "name": "Nguyễn Thị Ánh",
                "phone": f"0912{self.asked:06d}",
                "address": {
                    "raw": f"{self.asked} Trần Phú",
                    "lat": lat,
                    "lng": lng,
                    "commune_code": "22366",
                    "era": "2025",
                },
            },
            "weight_g": 80,
        }
        body = RequestBody.model_validate(told)
        with self.system.store.begin() as session:
            scene = self.system.scene(self.now)
            intake.accept(session, scene, self.system.places, body, MODE, None, "bench", "EH")

    def _ride(self, session: Session) -> None:
        """Everybody does what is planned up to now."""
        for task, courier_id, _ in session.planning.open_tasks(MODE):
            if task.planned_at > self.now:
                continue
            leg = next(row for row in session.consignments.legs(task.request_id) if row.leg == task.leg)
            inward = task.leg == "pickup"
            done = "collected" if task.kind == "pickup" else "handed_over" if inward else "delivered"
            if done != "collected" and leg.status != "COLLECTED":
                continue
            happening = Happening(done, task.planned_at, f"courier:{courier_id}", courier_id=courier_id, payload={})
            recording.record(session, self.system.scene(self.now), MODE, task.request_id, task.leg, happening)
            place = task.place
            session.network.note_position(MODE, courier_id, place["lat"], place["lng"], task.planned_at)

    def _cancel(self, session: Session) -> None:
        waiting = [row.request_id for row in session.planning.open_legs(MODE) if row.status == "ASSIGNED"]
        if waiting:
            request = session.consignments.get(MODE, self.dice.choice(waiting), lock=True)
            assert request is not None
            intake.cancel(session, self.system.scene(self.now), request, "bench", "withdrawn")

    def _changed(self, outcome: str) -> tuple[int, int]:
        """(moved, added) stops of the plan that was just put into force."""
        if outcome != "committed":
            return 0, 0
        with self.system.store.begin() as session:
            newest = text("select body->'diff' from plans where live order by created_at desc, id desc limit 1")
            diff = session.connection.execute(newest).scalar_one()
        return diff["moved_stops"], diff["added_stops"]
