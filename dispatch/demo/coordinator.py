"""The coordinator of the demo: plans again and again as the day goes on, and puts each plan in force."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from dispatch.demo.client import Api, Refused
from dispatch.demo.clock import Clock
from dispatch.demo.network import PROVINCE, Bearer, put_shift
from dispatch.domain.text import LOCAL

EVERY = timedelta(minutes=15)
TRIES = 4
OPERATION_S = 120.0
"""How long a plan may take before the coordinator stops waiting for it; the next round of planning tries again."""
LOOK_S = 0.15


@dataclass
class Coordinator:
    """Plans one province for one date; `unserved` holds the reasons of the newest plan, `counts` what happened."""

    api: Api
    clock: Clock
    key: str
    seconds: int
    day: date
    counts: dict[str, int] = field(default_factory=dict)
    unserved: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    _first: bool = True

    def plan(self) -> None:
        """Make a plan and commit it; where the rounds changed meanwhile, make another."""
        for _ in range(TRIES):
            plan_id = self._draft("day" if self._first else "replan")
            if plan_id is None:
                return
            self._first = False
            if self._commit(plan_id):
                return

    def sick(self, courier: Bearer) -> None:
        """A courier goes home: his shift ends now, and what he has not collected goes to others."""
        now = self.clock.now
        starts_at = now.astimezone(LOCAL).replace(hour=7, minute=0, second=0, microsecond=0)
        put_shift(self.api, self.key, courier, self.day, starts_at, now)
        self.plan()

    def _draft(self, mode: str) -> str | None:
        """The id of a draft plan, or None where none came about; why is counted."""
        body = {"province_code": PROVINCE, "date": self.day.isoformat(), "mode": mode, "seconds": self.seconds}
        try:
            begun = self.api.call("POST", "/v1/plans", self.key, body).body
            ended = self._await(begun["id"])
        except Refused as error:
            self._failed(f"{error.status} {error.code}")
            return None
        if ended["status"] != "succeeded":
            self._failed(f"operation {ended['status']}: {ended.get('error')}")
            return None
        return str(ended["result"]["plan_id"])

    def _await(self, operation_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + OPERATION_S
        while True:
            seen: dict[str, Any] = self.api.call("GET", f"/v1/operations/{operation_id}", self.key).body
            if seen["status"] in ("succeeded", "failed", "cancelled") or time.monotonic() > deadline:
                return seen
            time.sleep(LOOK_S)

    def _commit(self, plan_id: str) -> bool:
        read = self.api.call("GET", f"/v1/plans/{plan_id}", self.key)
        etag = read.headers.get("ETag") or f'"{read.body["version"]}"'
        try:
            self.api.call("POST", f"/v1/plans/{plan_id}/commit", self.key, if_match=etag)
        except Refused as error:
            if error.status not in (409, 412):
                raise
            self._count(error.code)
            return error.code == "plan_empty"  # nothing left to do is no reason to plan again
        self._count("committed")
        self.unserved = {line["request_id"]: line["code"] for line in read.body["unserved"]}
        return True

    def _failed(self, why: str) -> None:
        self._count("failed")
        self.failures.append(f"{self.clock.now:%H:%M} {why}")

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
