"""One day of the demo from first light to the report: who does what when, and the morning after where one is needed."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from dispatch.demo import report
from dispatch.demo.client import Api
from dispatch.demo.clock import Clock
from dispatch.demo.coordinator import EVERY, Coordinator
from dispatch.demo.courier import Rider, Visit
from dispatch.demo.network import MORNING, SHIFT, Bearer, Network, ShopAccess, open_shops, put_shifts
from dispatch.demo.phone import Phone
from dispatch.demo.receiver import Receiver
from dispatch.demo.shop import LAST_RESULT, Shops, day_of
from dispatch.domain.text import LOCAL
from dispatch.store import gazetteer

BEGIN = time(6, 55)
EVENING = time(19)
END = time(21, 30)
"""Whoever is still out in the evening brings his bag home; nobody needs to watch that."""
FIRST_PLAN = time(7, 30)
LAST_PLAN = time(18, 15)
LINE_EVERY = timedelta(minutes=30)
SICK_AT = time(10, 30)
_OFFLINE = ((2, time(10, 5), timedelta(minutes=40)), (6, time(14, 20), timedelta(minutes=40)))
"""(courier, when, how long) the network fails."""
_SICK = 4
_BREAKDOWN = (0, time(9, 25), timedelta(minutes=70))
"""(courier, when, how long) a motorbike stands still, and nobody is told."""


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for."""

    requests: int
    couriers: int
    speed: int
    seed: int
    date: date | None
    seconds: int
    report: str | None
    keep_open: bool


class Day:
    """A day with its actors. `play` runs it, `judge` says what it showed."""

    def __init__(
        self, wishes: Wishes, api: Api, operator: str, network: Network, receiver: Receiver, when: date
    ) -> None:
        self.wishes, self.network, self.operator, self.when = wishes, network, operator, when
        self.clock = Clock(datetime.combine(when, BEGIN, LOCAL), wishes.speed)
        self.api = api
        api.clock = lambda: self.clock.now
        self.opened: dict[str, ShopAccess] = {}
        self.receiver = receiver
        self.label = f"demo-{when:%y%m%d}-{secrets.token_hex(2)}"
        last_result_at = datetime.combine(when, LAST_RESULT, LOCAL)
        self.shops = Shops(self.api, self.clock, self.opened, self.label, last_result_at)
        self.watch = report.Watch(self.api, self.clock, operator, self.opened, receiver.inbox, self.shops)
        self.coordinator = Coordinator(self.api, self.clock, operator, wishes.seconds, when)
        self.riders: list[Rider] = []
        self.visits: list[Visit] = []

    def play(self) -> None:
        """Play the day; where promises still run in the evening, the next morning too."""
        askings = day_of(self.wishes.seed, self.when, self.wishes.requests, self.network, gazetteer.load())
        self.opened.update(open_shops(self.api, self.operator, self.network.shops, self.receiver))
        self._ride_out(self.when, SHIFT)
        self.shops.expect(askings)
        self._troubles()
        self.clock.start()
        self.clock.every(EVERY, self._at(FIRST_PLAN), self._at(LAST_PLAN), self.coordinator.plan)
        self.clock.every(LINE_EVERY, self._at(SHIFT[0]), self._at(EVENING), self.watch.line)
        self.clock.run(self._at(EVENING))
        self.clock.run(self._at(END), paced=False)
        self.watch.read()
        if self.watch.running():
            self._morning_after()

    def _morning_after(self) -> None:
        """The evening's last promises run on to the next working day: its morning belongs to the story."""
        due_at = [datetime.fromisoformat(row["due_at"]) for row in self.watch.running()]
        self.when = max(due_at).astimezone(LOCAL).date()
        print(f"\n{len(due_at)} yêu cầu hạn sang {self.when:%d/%m} · due next morning", flush=True)
        self.clock.leap(self._at(BEGIN))
        self.coordinator.day = self.when
        self._ride_out(self.when, MORNING)
        self.clock.every(EVERY, self._at(MORNING[0]), self._at(MORNING[1]) - EVERY, self.coordinator.plan)
        self.clock.every(LINE_EVERY, self._at(MORNING[0]), self._at(time(11)), self.watch.line)
        self.clock.run(self._at(time(11)))
        self.clock.run(self._at(time(16)), paced=False)

    def _at(self, hour: time) -> datetime:
        return datetime.combine(self.when, hour, LOCAL)

    def _ride_out(self, day: date, hours: tuple[time, time]) -> None:
        """Give everybody a shift and let them begin it within the first minutes."""
        put_shifts(self.api, self.operator, self.network.couriers, day, hours)
        for number, bearer in enumerate(self.network.couriers):
            rider = self._rider(bearer, day, hours)
            self.riders.append(rider)
            self.clock.at(self._at(hours[0]) + timedelta(seconds=15 * number), rider.begin)

    def _rider(self, bearer: Bearer, day: date, hours: tuple[time, time]) -> Rider:
        random = Random(f"{self.wishes.seed}/{day.isoformat()}/{bearer.id}")
        office = next(one.commune for one in self.network.offices if one.id == bearer.office_id)
        return Rider(
            phone=Phone(self.api, self.clock, bearer, random, day),
            clock=self.clock,
            random=random,
            seed=self.wishes.seed,
            office=(office.lat or 0.0, office.lng or 0.0),
            on_hand_over=self.shops.handed_over,
            place=(bearer.lat, bearer.lng),
            shift_ends_at=datetime.combine(day, hours[1], LOCAL),
            visits=self.visits,
        )

    def _troubles(self) -> None:
        """What goes wrong: two phones lose the network, a motorbike breaks down, one courier falls ill."""
        number, hour, pause = _BREAKDOWN
        self.clock.at(self._at(hour), partial(self.riders[number].break_down, pause))
        for number, hour, pause in _OFFLINE:
            if number < len(self.riders):
                rider = self.riders[number]
                self.clock.at(self._at(hour), partial(rider.lose_network, pause))
        if len(self.riders) > _SICK:
            self.clock.at(self._at(SICK_AT), lambda: self._falls_ill(self.riders[_SICK]))

    def _falls_ill(self, rider: Rider) -> None:
        if not rider.go_sick():
            self.clock.after(timedelta(minutes=1), lambda: self._falls_ill(rider))
            return
        bearer = rider.phone.owner
        print(f"{self.clock.now:%d/%m %H:%M}  {bearer.name} nghỉ ốm · goes home sick", flush=True)
        self.coordinator.sick(bearer)

    def judge(self) -> int:
        """Wait for the last webhooks, check the five claims, print and keep the report; the exit code."""
        self.watch.read()
        waited_s = self.watch.await_webhooks()
        requests, events, stored = self._look_back()
        claims = [
            report.promises(self.watch, requests),
            report.trails(self.watch, requests, events),
            report.webhooks(self.watch, waited_s),
            report.doors(self.visits, events),
            report.replays(self.shops, stored),
        ]
        told = {**self._facts(requests), "claims": [asdict(claim) for claim in claims]}
        print()
        for claim in claims:
            print(f"  {'✓' if claim.holds else '✗'} {claim.vi} · {claim.en}", flush=True)
        for name in ("plans", "scans", "retries", "unserved"):
            print(f"    {name}: {told[name] or '–'}")
        for claim in claims:
            if not claim.holds:
                print(f"  ✗ {claim.code}: {json.dumps(claim.detail, ensure_ascii=False)[:2000]}")
        if self.wishes.report:
            Path(self.wishes.report).write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return 0 if all(claim.holds for claim in claims) else 1

    def _look_back(self) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]], dict[str, int]]:
        """Every request as it stands, its history, and how often each reference is stored."""
        requests, events, stored = [], {}, {}
        for asked in self.shops.asked.values():
            key = self.opened[asked.shop_id].key
            requests.append(self.api.call("GET", f"/v1/requests/{asked.id}", key).body)
            events[asked.id] = self.api.call("GET", f"/v1/requests/{asked.id}/events", key).body["data"]
            found = self.api.call("GET", f"/v1/requests?external_ref={quote(asked.external_ref, safe='')}", key).body
            stored[asked.external_ref] = len(found["data"])
        return requests, events, stored

    def _facts(self, requests: list[dict[str, Any]]) -> dict[str, Any]:
        scans: Counter[str] = Counter()
        for rider in self.riders:
            scans.update(rider.phone.said)
        return {
            "label": self.label,
            "seed": self.wishes.seed,
            "date": self.label.split("-")[1],
            "asked": len(requests),
            "statuses": dict(Counter(request["status"] for request in requests)),
            "review": sum("address_needs_review" in request["warnings"] for request in requests),
            "plans": self.coordinator.counts,
            "plan_failures": self.coordinator.failures,
            "unserved": dict(Counter(self.coordinator.unserved.values())),
            "scans": dict(scans),
            "scan_faults": [fault for rider in self.riders for fault in rider.phone.faults],
            "calls": self.api.calls,
            "retries": self.api.retries,
        }
