"""What the demo shows and judges: a line every half hour, and at the end five claims that can fail."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dispatch.demo.client import Api
from dispatch.demo.clock import Clock
from dispatch.demo.courier import Visit
from dispatch.demo.network import PROVINCE, ShopAccess
from dispatch.demo.receiver import Inbox
from dispatch.demo.shop import Shops

WEBHOOKS_WITHIN_S = 60.0
WANTED_SHARE = 0.95
COLLECTED = frozenset(
    {"COLLECTED", "IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY", "ATTEMPT_FAILED", "DELIVERED", "HANDED_OVER"}
)
WELL_ENDED = {"pickup": "HANDED_OVER", "return": "DELIVERED"}
WAY = {
    "pickup": ("REQUESTED", "DISPATCHED", "ASSIGNED", "COLLECTED", "IN_TRANSIT", "AT_OFFICE", "HANDED_OVER"),
    "return": (
        *("REQUESTED", "DISPATCHED", "ASSIGNED", "COLLECTED"),
        *("IN_TRANSIT", "AT_OFFICE", "OUT_FOR_DELIVERY", "DELIVERED"),
    ),
}
ONCE = frozenset({"COLLECTED", "HANDED_OVER", "DELIVERED"})
SCANNED = frozenset({"REQUESTED", "ASSIGNED", "COLLECTED", "HANDED_OVER", "DELIVERED"})


@dataclass(frozen=True)
class Claim:
    """Something the demo says of the system, whether it held, and what speaks against it."""

    code: str
    vi: str
    en: str
    holds: bool
    detail: dict[str, Any]


@dataclass
class Watch:
    """Follows board and feeds through the day; `reasons` are the board's words for each late request."""

    api: Api
    clock: Clock
    operator: str
    opened: Mapping[str, ShopAccess]
    inbox: Inbox
    shops: Shops
    seen: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    feed: dict[str, set[str]] = field(default_factory=dict)
    types: dict[str, list[str]] = field(default_factory=dict)
    _after: dict[str, int] = field(default_factory=dict)

    def read(self) -> None:
        """Read the board and what is new in every shop's feed."""
        path = f"/v1/board?province={PROVINCE}&date={self.clock.now:%Y-%m-%d}"
        board = self.api.call("GET", path, self.operator).body
        for row in board["requests"]:
            if row["id"] not in self.shops.asked:
                continue
            self.seen[row["id"], row["leg"]] = row
            if row["late_reason"]:
                self.reasons[row["id"], row["leg"]] = row["late_reason"]["en"]
        for shop_id, access in self.opened.items():
            self._read_feed(shop_id, access)

    def _read_feed(self, shop_id: str, access: ShopAccess) -> None:
        after = self._after.get(shop_id, access.first_seq)
        known = self.feed.setdefault(shop_id, set())
        while (page := self.api.call("GET", f"/v1/events?after={after}&limit=200", access.key).body)["data"]:
            after = page["next_after"]
            for entry in page["data"]:
                known.add(entry["id"])
                self.types.setdefault(entry["data"].get("id", ""), []).append(entry["type"])
        self._after[shop_id] = after

    def line(self) -> None:
        """Print how the day stands, in one line."""
        self.read()
        rows = self.seen.values()
        states = [row["promise_state"] for row in rows if row["slack_minutes"] is not None]
        collected = len({row["id"] for row in rows if row["status"] in COLLECTED})
        ended = len({row["id"] for row in rows if row["status"] in WELL_ENDED.values()})
        late = sum(row["promise_state"] == "BREACHED" for row in rows)
        print(
            f"{self.clock.now:%d/%m %H:%M}  yêu cầu·asked {len(self.shops.asked):3}  thu gom·collected {collected:3}  "
            f"phát·delivered {ended:3}  sắp trễ·at risk {states.count('AT_RISK'):2}  trễ·late {late:2}  "
            f"webhook {self.inbox.received()}/{self.owed()}",
            flush=True,
        )

    def owed(self) -> int:
        """How many messages the feeds hold since the demo began."""
        return sum(map(len, self.feed.values()))

    def running(self) -> list[dict[str, Any]]:
        """The board's rows of own legs that nobody has collected yet and whose promise still runs."""
        rows = self.seen.values()
        return [row for row in rows if row["slack_minutes"] is not None and row["promise_state"] != "BREACHED"]

    def await_webhooks(self) -> float:
        """Wait until every message of the feeds has arrived, at most `WEBHOOKS_WITHIN_S`; the seconds waited."""
        begun = time.monotonic()
        while self.missing() and time.monotonic() - begun < WEBHOOKS_WITHIN_S:
            time.sleep(0.25)
        return time.monotonic() - begun

    def missing(self) -> int:
        """How many messages of the feeds have not arrived."""
        return sum(len(ids - self.inbox.taken.get(shop_id, set())) for shop_id, ids in self.feed.items())


def promises(watch: Watch, requests: Iterable[Mapping[str, Any]]) -> Claim:
    """At least 95 % of the legs were collected within their promise, or are named as late with the reason."""
    buckets: Counter[str] = Counter()
    unnamed: list[str] = []
    reasons: Counter[str] = Counter()
    for request in requests:
        for promise in request["promise"]:
            what = _kept(watch, request, promise)
            buckets[what] += 1
            if what == "late_named":
                reasons[watch.reasons[request["id"], promise["leg"]]] += 1
            elif what in ("late_unnamed", "open"):
                unnamed.append(f"{request['external_ref']} {promise['leg']} {promise['state']}")
    total = sum(buckets.values())
    met = buckets["met"] + buckets["met_customer_absent"]
    share = (met + buckets["late_named"]) / total if total else 0.0
    detail = {
        "legs": total,
        **buckets,
        "share_met": round(met / total, 4) if total else 0.0,
        "share_met_or_named": round(share, 4),
        "reasons": dict(reasons),
        "unnamed": unnamed,
    }
    vi = f"{met}/{total} chặng thu gom đúng cam kết, {buckets['late_named']} trễ có nêu lý do"
    en = f"{met} of {total} legs collected within the promise, {buckets['late_named']} late with the reason named"
    return Claim("promise", vi, en, share >= WANTED_SHARE, detail)


def _kept(watch: Watch, request: Mapping[str, Any], promise: Mapping[str, Any]) -> str:
    state = promise["state"]
    if state in ("MET", "MET_CUSTOMER_ABSENT"):
        return str(state).lower()
    if state != "BREACHED":
        return "open"
    told = "promise.breached" in watch.types.get(request["id"], [])
    return "late_named" if told and (request["id"], promise["leg"]) in watch.reasons else "late_unnamed"


def trails(watch: Watch, requests: Iterable[Mapping[str, Any]], events: Mapping[str, list[dict[str, Any]]]) -> Claim:
    """Every dossier that arrived has the whole way in its history, in order; nothing scanned is only implied."""
    whole, faults, implied = 0, [], 0
    for request in requests:
        if "request.created" not in watch.types.get(request["id"], []):
            faults.append(f"{request['external_ref']}: no request.created")
        for leg in request["legs"]:
            if leg["status"] != WELL_ENDED[leg["leg"]]:
                continue
            steps = [step for step in events[request["id"]] if step["leg"] == leg["leg"]]
            implied += sum(step["implied"] for step in steps)
            fault = broken_trail(leg["leg"], steps)
            if fault is None:
                whole += 1
            else:
                faults.append(f"{request['external_ref']} {leg['leg']}: {fault}")
    vi, en = f"{whole} chặng đã phát có đủ hành trình", f"{whole} delivered legs have their whole trail"
    return Claim(
        "trail", vi, en, not faults and whole > 0, {"whole": whole, "implied_steps": implied, "faults": faults}
    )


def broken_trail(leg: str, steps: Sequence[Mapping[str, Any]]) -> str | None:
    """What is wrong with the history of an ended leg, or None; it may come back to a station, never skip one."""
    times = [datetime.fromisoformat(step["occurred_at"]) for step in steps]
    if times != sorted(times):
        return "the steps are not in the order of time"
    wanted = list(WAY[leg])
    for step in steps:
        if wanted and step["status"] == wanted[0]:
            wanted.pop(0)
        if step["implied"] and step["status"] in SCANNED:
            return f"{step['status']} is only implied"
    if wanted:
        return f"lacks {wanted[0]}"
    if steps[-1]["status"] != WELL_ENDED[leg]:
        return f"goes on with {steps[-1]['status']}"
    return None


def webhooks(watch: Watch, waited_s: float) -> Claim:
    """Every message of every shop's feed was received, signed, and took effect once; nothing else came."""
    missing, strange = watch.missing(), 0
    for shop_id, ids in watch.inbox.taken.items():
        strange += len(ids - watch.feed.get(shop_id, set()))
    counts = dict(watch.inbox.counts)
    detail = {
        "owed": watch.owed(),
        "missing": missing,
        "not_in_feed": strange,
        **counts,
        "waited_s": round(waited_s, 1),
    }
    twice = counts.get("duplicate", 0)
    vi = f"{watch.inbox.received()} webhook nhận đủ, {twice} bản lặp bị bỏ qua"
    en = f"{watch.inbox.received()} webhooks received once in effect, {twice} repeats ignored, {missing} missing"
    holds = watch.owed() > 0 and not (missing or strange or counts.get("forged") or counts.get("unknown"))
    return Claim("webhooks", vi, en, holds, detail)


def doors(visits: Iterable[Visit], events: Mapping[str, list[dict[str, Any]]]) -> Claim:
    """No two couriers came to the same door for the same leg, but after a failure that was reported."""
    faults = []
    last: dict[tuple[str, str, str], Visit] = {}
    for visit in sorted(visits, key=lambda one: one.at):
        key = (visit.request_id, visit.leg, visit.door)
        before = last.get(key)
        if before is not None and before.outcome != "failed" and before.courier_id != visit.courier_id:
            faults.append(f"{key}: {before.courier_id} {before.at:%H:%M}, then {visit.courier_id} {visit.at:%H:%M}")
        last[key] = visit
    for request_id, steps in events.items():
        ends = Counter((step["leg"], step["status"]) for step in steps if step["status"] in ONCE)
        faults += [f"{request_id}: {leg} {status} {count} times" for (leg, status), count in ends.items() if count > 1]
    vi, en = "Không ai đến cùng một cửa hai lần", "nobody was sent twice to the same door"
    return Claim("doors", vi, en, not faults and bool(last), {"doors": len(last), "faults": faults})


def replays(shops: Shops, stored: Mapping[str, int]) -> Claim:
    """Asking twice under one Idempotency-Key gave the first answer; each reference is stored once."""
    doubled = [reference for reference, count in stored.items() if count != 1]
    vi = f"{shops.replays} yêu cầu gửi lại cho cùng một mã"
    en = f"{shops.replays} requests sent twice gave the same id"
    holds = shops.replays > 0 and not shops.faults and not doubled
    return Claim("replays", vi, en, holds, {"replays": shops.replays, "faults": shops.faults, "stored_twice": doubled})
