"""The couriers of the demo: they ride from stop to stop as the pack says, and things happen to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from dispatch.demo.clock import Clock
from dispatch.demo.phone import Phone
from dispatch.demo.world import Point, is_absent, ride_time, shop_opens

LOOK_AGAIN = timedelta(minutes=4)
PING = timedelta(minutes=5)
QUIET_PING = timedelta(minutes=15)
EARLY = timedelta(minutes=8)
"""How long before he would have to leave a courier sets out."""
WAIT_FOR_ABSENT = timedelta(minutes=5)
RIDE_SPREAD = 0.16
"""Standard deviation of the logarithm of real over expected riding time."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Visit:
    """One courier at one door for one dossier, and how it ended: `done`, `failed` or `withdrawn`.

    `door` says which end of the leg it was, such as `pickup at shop`.
    """

    request_id: str
    leg: str
    door: str
    courier_id: str
    at: datetime
    outcome: str


@dataclass
class Rider:
    """One courier in the flesh. Everything he does is an action on the clock; `place` is where he stands or stood.

    `visits` is what all couriers write into: a citizen who was away once is at home the next time.
    """

    phone: Phone
    clock: Clock
    random: Random
    seed: int
    office: Point
    on_hand_over: Callable[[str], None]
    place: Point
    shift_ends_at: datetime
    visits: list[Visit]
    cash: dict[str, int] = field(default_factory=lambda: {"postage": 0, "state_fee": 0})
    sick: bool = False
    off: bool = False
    serving: bool = False
    _pinged_at: datetime | None = None
    _receipts: int = 0
    _stands_until: datetime = _LONG_AGO

    def begin(self) -> None:
        """Start the shift: sign in and look at the pack."""
        self.phone.sign_in()
        self._ping()
        self.look()

    def look(self) -> None:
        """Decide what to do next."""
        self.serving = False
        if self.clock.now < self._stands_until:
            self.clock.at(self._stands_until, self.look)
            return
        if self.sick or self.clock.now >= self.shift_ends_at:
            self._go_home()
            return
        self.phone.talk()
        stop = self.phone.next_stop()
        if stop is None:
            self._wait()
            return
        there = _point(stop)
        expected = ride_time(self.place, there)
        leave_at = datetime.fromisoformat(stop["planned_at"]) - expected - EARLY
        if leave_at > self.clock.now + LOOK_AGAIN:
            self._wait()
            return
        luck = math.exp(self.random.gauss(0, RIDE_SPREAD)) * self.phone.owner.slowness
        self._ride(stop["stop_id"], self.place, there, self.clock.now, self.clock.now + expected * luck)

    def _wait(self) -> None:
        if self._pinged_at is None or self.clock.now - self._pinged_at >= QUIET_PING:
            self._ping()
        self.clock.after(LOOK_AGAIN * self.random.uniform(0.8, 1.2), self.look)

    def _ride(self, stop_id: str, origin: Point, goal: Point, left_at: datetime, arrives_at: datetime) -> None:
        """Ride on; every few minutes the phone tells where he is and hears whether he is still wanted there."""
        if self.clock.now + PING < arrives_at:
            self.clock.after(PING, lambda: self._on_the_way(stop_id, origin, goal, left_at, arrives_at))
        else:
            self.clock.at(arrives_at, lambda: self._arrive(stop_id, goal))

    def _on_the_way(self, stop_id: str, origin: Point, goal: Point, left_at: datetime, arrives_at: datetime) -> None:
        share = (self.clock.now - left_at) / (arrives_at - left_at)
        self.place = (origin[0] + (goal[0] - origin[0]) * share, origin[1] + (goal[1] - origin[1]) * share)
        self._ping()
        self.phone.talk()
        if self.sick or self.clock.now < self._stands_until or self.phone.stop(stop_id) is None:
            self.look()
        else:
            self._ride(stop_id, origin, goal, left_at, arrives_at)

    def _arrive(self, stop_id: str, goal: Point) -> None:
        self.place = goal
        self.phone.talk()
        stop = self.phone.stop(stop_id)
        if self.sick or stop is None:
            self._ping()
            self.look()
            return
        self.serving = True
        tasks = self.phone.open_tasks(stop)
        self.phone.note("arrived", self.place, stop_id, [task["id"] for task in tasks])
        self._pinged_at = self.clock.now
        starts_at: datetime | None = self.clock.now
        if stop["place"]["at"] == "shop":
            starts_at = shop_opens(self.clock.now)
        pause = self._service(stop, len(tasks))
        self.clock.at((starts_at or self.clock.now) + pause, lambda: self._act(stop, starts_at is None))

    def _service(self, stop: dict[str, Any], dossiers: int) -> timedelta:
        minutes = 1.0 + 0.9 * dossiers if stop["place"]["at"] in ("shop", "office") else 4.0 + 1.0 * (dossiers - 1)
        return timedelta(minutes=minutes * math.exp(self.random.gauss(0, 0.3)))

    def _act(self, known: dict[str, Any], is_closed: bool) -> None:
        """What happens at the door: it ends well, nobody is in, or the place is closed."""
        stop = self.phone.stop(known["stop_id"])
        if stop is None:  # taken from his round while he stood there
            self._remember(known, known["requests"], "withdrawn")
            self.look()
            return
        tasks = self.phone.open_tasks(stop)
        absent = []
        if stop["place"]["at"] == "citizen":
            absent = [task for task in tasks if self._nobody_home(stop, task)]
        if is_closed or absent:
            self._fail(stop, absent or tasks, "CLOSED" if is_closed else "CUSTOMER_ABSENT")
        met = [] if is_closed else [task for task in tasks if task not in absent]
        if met:
            self._succeed(stop, met)
        self.phone.talk()
        self.clock.after(WAIT_FOR_ABSENT if absent else timedelta(seconds=20), self.look)

    def _nobody_home(self, stop: dict[str, Any], task: dict[str, Any]) -> bool:
        if any(
            (visit.request_id, visit.leg, visit.door) == (task["id"], task["leg"], _door(stop)) for visit in self.visits
        ):
            return False
        return is_absent(self.seed, str(task["external_ref"]), stop["kind"])

    def _fail(self, stop: dict[str, Any], tasks: list[dict[str, Any]], reason: str) -> None:
        ids = [task["id"] for task in tasks]
        if stop["kind"] == "delivery" and stop["place"]["at"] == "shop":
            self.phone.note("handover_refused", self.place, stop["stop_id"], ids, {"reason": "INTAKE_CLOSED"})
            for request_id in ids:
                self.phone.bag.pop(request_id, None)
        else:
            photo = self.phone.picture()
            kind = "collect_failed" if stop["kind"] == "pickup" else "delivery_failed"
            self.phone.note(kind, self.place, stop["stop_id"], ids, {"reason": reason, "proof": [photo]}, [photo])
        self._remember(stop, tasks, "failed")

    def _succeed(self, stop: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
        ids = [task["id"] for task in tasks]
        at, stop_id = stop["place"]["at"], stop["stop_id"]
        for task in tasks:
            self._take_cash(stop_id, task)
        if at == "office":
            self.phone.note("departed_office", self.place, stop_id, ids)
        else:
            signature = self.phone.picture()
            type_ = "collected" if stop["kind"] == "pickup" else "handed_over" if at == "shop" else "delivered"
            payload = {"signature": signature, **self._proof(type_, tasks)}
            self.phone.note(type_, self.place, stop_id, ids, payload, [signature])
        self._remember(stop, tasks, "done")
        for task in tasks:
            if stop["kind"] == "pickup":
                self.phone.bag[task["id"]] = task["leg"]
            else:
                self.phone.bag.pop(task["id"], None)
                if at == "shop":
                    self.on_hand_over(task["id"])

    def _take_cash(self, stop_id: str, task: dict[str, Any]) -> None:
        due = {name: int(task["money"].get(name) or 0) for name in ("postage", "state_fee")}
        if not sum(due.values()):
            return
        self._receipts += 1
        receipt = f"{self.phone.owner.id[-2:]}-{self.clock.now:%m%d}-{self._receipts:03d}"
        self.phone.note("cash_taken", self.place, stop_id, [task["id"]], {**due, "receipt_no": receipt})
        for name, amount in due.items():
            self.cash[name] += amount

    def _proof(self, type_: str, tasks: list[dict[str, Any]]) -> dict[str, Any]:
        if type_ == "collected":
            return {"slip_signed": True, "documents_checked": True, "seal_no": f"NP{self.random.randrange(10**6):06d}"}
        if type_ == "handed_over":
            record = f"BB-{self.clock.now:%y%m%d}-{self.random.randrange(10**4):04d}"
            return {"record_no": record, "officer_id": f"cb-{self.random.randint(1, 30):03d}"}
        relation = "SELF" if self.random.random() < 0.85 else "PROXY"
        name = (tasks[0].get("contact") or {}).get("name") or "Người nhận"
        who = {"relation": relation, "name": name, "id_type": "CCCD", "id_last4": f"{self.random.randrange(10**4):04d}"}
        return {"recipient": who}

    def _remember(self, stop: dict[str, Any], tasks: list[dict[str, Any]], outcome: str) -> None:
        for task in tasks:
            mine = self.phone.owner.id
            self.visits.append(Visit(task["id"], task["leg"], _door(stop), mine, self.clock.now, outcome))

    def _ping(self) -> None:
        self._pinged_at = self.clock.now
        self.phone.note("position", self.place)

    def _go_home(self) -> None:
        """Bring what is left to the post office, hand in the cash, end the day."""
        if self.off:
            return
        self.off = True
        self.phone.talk()
        self.clock.after(ride_time(self.place, self.office) * self.phone.owner.slowness, self._hand_in)

    def _hand_in(self) -> None:
        self.place = self.office
        if self.phone.bag:
            self.phone.note("arrived_office", self.place, None, sorted(self.phone.bag))
            self.phone.bag.clear()
        if any(self.cash.values()):
            self.phone.note("cash_handed_in", self.place, payload=dict(self.cash))
        self.phone.offline = False
        self.phone.talk()

    def go_sick(self) -> bool:
        """Feel unwell: no further stop; False while he is with a customer, who is served first."""
        if self.serving:
            return False
        self.sick = True
        return True

    def break_down(self, pause: timedelta) -> None:
        """Stand still for a while with a broken motorbike, and be too busy to tell anybody."""
        self._stands_until = self.clock.now + pause

    def lose_network(self, pause: timedelta) -> None:
        """No network for a while; afterwards the phone sends everything, and once more for good measure."""
        self.phone.offline = True

        def back() -> None:
            self.phone.offline = False
            self.phone.flush(twice=True)

        self.clock.after(pause, back)


def _door(stop: dict[str, Any]) -> str:
    return f"{stop['kind']} at {stop['place']['at']}"


def _point(stop: dict[str, Any]) -> Point:
    return float(stop["place"]["lat"]), float(stop["place"]["lng"])
