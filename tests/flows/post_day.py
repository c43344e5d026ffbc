"""A small day of the post in Nha Trang, on a real database: two shops, one office, couriers, requests by the shops."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import routing
from dispatch import policies
from dispatch.domain.addresses import Index
from dispatch.domain.consignment import RequestBody
from dispatch.domain.rules import PolicyBook
from dispatch.domain.text import LOCAL
from dispatch.flows import committing, intake, planning
from dispatch.flows.recording import Happening, Scene, record
from dispatch.live.erring import Errors, Prior
from dispatch.store import Store, gazetteer
from dispatch.store.rows import LegRow, Plan, Task
from routing.travel import TravelModel
from routing.travel.geodesic import TerrainTravel

DAY = date(2026, 11, 23)
MODE = "live"
AREA = "province:56"
SHOPS = {"kh-1": (12.2451, 109.1943), "kh-2": (12.2805, 109.1990)}
OFFICE = (12.2478, 109.1900)
greedy = partial(routing.solve, engine="greedy")
"""The planner without its search: quick, and the same every time."""


def at(clock: str, day: date = DAY) -> datetime:
    """`08:30` in Vietnam on the day."""
    return datetime.combine(day, time.fromisoformat(clock), LOCAL)


@dataclass
class PostDay:
    """The parts of a system at a fixed instant, and short words for what happens in a day."""

    store: Store
    book: PolicyBook
    places: Index
    now: datetime
    travel: TravelModel = field(default_factory=TerrainTravel)
    errors: Errors = field(default_factory=Prior)

    def scene(self, now: datetime) -> Scene:
        """The rules at an instant."""
        return Scene(self.book, now, "http://post.test")

    def open(self, couriers: int = 2) -> None:
        """Shops, office, and so many couriers with shifts from 07:30 to 18:00."""
        where = {"province_code": "56", "commune_code": "22330", "era": "2020"}
        with self.store.begin() as session:
            net = session.network
            office = {"name": "Bưu cục Nha Trang", "lat": OFFICE[0], "lng": OFFICE[1], "hours_profile": "POST-DEFAULT"}
            net.put_office(MODE, "nt", office | where, self.now)
            for shop_id, (lat, lng) in SHOPS.items():
                shop = {"name": f"Một cửa {shop_id}", "lat": lat, "lng": lng, "level": "COMMUNE", "rooms": []}
                net.put_shop(MODE, shop_id, shop | where | {"hours_profile": "OSS-DEFAULT"}, self.now)
        for number in range(1, couriers + 1):
            self.courier(f"c{number}")

    def courier(self, courier_id: str, starts: str = "07:30", ends: str = "18:00", capacity: int = 40) -> None:
        """A courier with a shift on the day; said again, the shift is replaced."""
        with self.store.begin() as session:
            values = {
                "name": f"Bưu tá {courier_id}",
                "phone": f"09000000{int(courier_id[1:]):02d}",
                "pin_hash": "-",
                "home_office_id": "nt",
                "skills": [],
                "capacity_items": capacity,
                "vehicle": "MOTORBIKE",
                "base_lat": OFFICE[0],
                "base_lng": OFFICE[1],
                "communes": [],
            }
            session.network.put_courier(MODE, courier_id, values, self.now)
            shift = {"starts_at": at(starts), "ends_at": at(ends), "start_lat": OFFICE[0], "start_lng": OFFICE[1]}
            session.network.put_shift(MODE, courier_id, DAY, {**shift, "breaks": []}, self.now)

    def ask_for(self, number: int, kind: str = "return", shop: str = "kh-1", **changes: Any) -> str:
        """One request of a shop for a citizen at a door of his own; the request's id."""
        address = {
            "raw": f"{number} Trần Phú, Nha Trang, Khánh Hòa",
            "lat": 12.20 + (number * 37 % 100) / 1000,
            "lng": 109.17 + (number * 53 % 40) / 1000,
        }
        address = changes.pop("address", address)
        told = {
            "external_ref": f"HS-{number}",
            "kind": kind,
            "shop_id": shop,
            "dossier": {"code": "000.00.16.H32-200320-0015"},
            "citizen": {"name": f"Nguyễn Thị {number}", "phone": f"09051{number:05d}", "address": address},
            "weight_g": 80,
            **changes,
        }
        body = RequestBody.model_validate_json(json.dumps(told))
        with self.store.begin() as session:
            scene = self.scene(self.now)
            return intake.accept(session, scene, self.places, body, MODE, shop, "test", "EH").id

    def draft(self, seconds: int = 1, mode: str = "replan", **options: Any) -> Plan:
        """Ask for a plan of the province, work it out, and read the draft."""
        operation_id = self.ask(seconds=seconds, mode=mode)
        assert planning.run(self, operation_id, **options) == "succeeded", self.operation(operation_id)
        return self.plan(self.operation(operation_id).result["plan_id"])

    def ask(self, seconds: int = 1, mode: str = "replan", area: str = AREA) -> str:
        """Ask for a plan of the day; the operation's id."""
        with self.store.begin() as session:
            return planning.ask(
                session,
                self.scene(self.now),
                mode=MODE,
                area=area,
                day=DAY,
                plan_mode=mode,
                seconds=seconds,
                owner="test",
            )

    def operation(self, operation_id: str) -> Any:
        """An operation as it stands."""
        with self.store.begin() as session:
            return session.planning.operation(MODE, operation_id)

    def plan(self, plan_id: str) -> Plan:
        """A plan as it stands."""
        with self.store.begin() as session:
            found = session.planning.plan(MODE, plan_id)
        assert found is not None
        return found

    def commit(self, plan: Plan) -> Plan:
        """Put a draft into force."""
        with self.store.begin() as session:
            return committing.commit(
                session, self.scene(self.now), self.places, self.travel, plan.id, MODE, plan.version, "test"
            )

    def plan_and_commit(self, **options: Any) -> Plan:
        """Both at once."""
        return self.commit(self.draft(**options))

    def happens(self, request_id: str, event: str, courier_id: str | None = None, **payload: Any) -> None:
        """An event of a request's only leg, now."""
        with self.store.begin() as session:
            leg = session.consignments.legs(request_id)[0].leg
            happening = Happening(event, self.now, "test", courier_id=courier_id, payload=payload)
            assert record(session, self.scene(self.now), MODE, request_id, leg, happening) == "applied"

    def pass_time(self, **spans: float) -> None:
        """Let so much time go by."""
        self.now += timedelta(**spans)

    def leg(self, request_id: str) -> LegRow:
        """A request's only leg."""
        with self.store.begin() as session:
            return session.consignments.legs(request_id)[0]

    def open_tasks(self) -> dict[str, list[Task]]:
        """The open tasks of each courier, in riding order."""
        found: dict[str, list[Task]] = {}
        with self.store.begin() as session:
            for task, courier_id, _ in session.planning.open_tasks(MODE):
                found.setdefault(courier_id, []).append(task)
        return found

    def holders(self) -> dict[str, str]:
        """Which courier has each request's open tasks."""
        return {task.request_id: courier_id for courier_id, tasks in self.open_tasks().items() for task in tasks}


def post_day(store: Store, now: str = "08:00") -> PostDay:
    """The day at an instant, on an open store."""
    return PostDay(store, policies.load(), gazetteer.index(), at(now))
