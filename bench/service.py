"""A province's day through the whole service: 12,000 open requests, 300 couriers, one plan, one commit.

Measured are the wall clock from the call to the stored draft, the most memory a worker or web process ever held, and
how the operation tells its progress meanwhile.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from bench.routes.case import Case, Earth
from bench.routes.made import province
from bench.system import KEY, running

REQUESTS = 12_000
SECONDS = 120
DAY = "2026-11-30"
OPENS = f"{DAY}T07:00:00+07:00"
COMMUNE = {"commune_code": "22366", "era": "2025"}
_OFFICES = 12
_CLIENTS = 16
_POLL_S = 0.5


def measure() -> str:
    """Start a system of its own, fill it, plan its day and commit the plan."""
    case = province(REQUESTS)
    with running() as system:
        world = World(system.base)
        began = time.perf_counter()
        world.fill(case)
        filled_s = time.perf_counter() - began
        found = world.day_plan(SECONDS)
        memory = {kind: peak_mb(words) for kind, words in _PROCESSES.items()}
    rows = [
        f"## The day of a province through the service: {len(case.pairs):,} requests, {len(case.vehicles)} couriers",
        f"All requests were made over HTTP ({len(case.pairs) / filled_s:.0f} a second), then one `POST /v1/plans` with",
        f"`seconds` {SECONDS}, one `GET` of the draft, one commit. Client, web, worker and PostgreSQL share the cores.",
        "",
        "| | measured | bound |",
        "|---|---|---|",
        f"| from the call to the stored draft | {found.plan_s:.0f} s | 300 s |",
        f"| most memory of a worker process | {memory['worker']:,.0f} MB | 2,000 MB |",
        f"| most memory of a web process | {memory['web']:,.0f} MB | |",
        f"| progress seen, in steps | {found.steps} | |",
        f"| collected and delivered, left out | {found.served:,}, {found.unserved:,} | |",
        f"| driving | {found.distance_m / 1000:,.0f} km | |",
        f"| `GET /v1/plans/{{id}}` | {found.read_s:.1f} s, {found.size / 1e6:.1f} MB | |",
        f"| `POST /v1/plans/{{id}}/commit` | {found.commit_s:.0f} s | |",
    ]
    return "\n".join(rows)


@dataclass(frozen=True)
class Found:
    """What one plan took and gave."""

    plan_s: float
    steps: int
    served: int
    unserved: int
    distance_m: int
    read_s: float
    size: int
    commit_s: float


_PROCESSES: dict[str, Callable[[str], bool]] = {
    "worker": lambda words: "dispatch.worker.node" in words and " routing " in words,
    "web": lambda words: "-m dispatch web" in words,
}


def peak_mb(wanted: Callable[[str], bool]) -> float:
    """Return the most memory that any process with such a command line ever held at once, in MB."""
    most = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            status = (folder / "status").read_text()
        except OSError:
            continue
        if wanted(words):
            line = next((row for row in status.splitlines() if row.startswith("VmHWM")), "VmHWM: 0 kB")
            most = max(most, int(line.split()[1]))
    return most / 1024


class World:
    """A running system and the made province in it, spoken to over HTTP in the test world."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._pool = urllib3.PoolManager(maxsize=_CLIENTS, retries=False, timeout=600)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """One call at the day's opening; anything but a good answer ends the measurement."""
        sent = {"Authorization": f"Bearer {KEY}", "Test-Clock": OPENS, "Idempotency-Key": secrets.token_hex(8)}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._pool.request(method, f"{self._base}{path}", json=body, headers=sent)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data.decode()[:500]}")
        return answer

    def fill(self, case: Case) -> None:
        """Make the province: offices, shops, couriers with shifts, requests."""
        travel = case.travel
        assert isinstance(travel, Earth)
        points = list(zip(travel.lat, travel.lng, strict=True))
        shops = sorted(
            {vehicle.start for vehicle in case.vehicles} | {shop_of(case, r) for r in range(len(case.pairs))}
        )
        where = {"province_code": "56", **COMMUNE}
        for number in range(_OFFICES):
            lat, lng = points[shops[number]]
            body = {"name": f"Bưu cục {number}", "lat": lat, "lng": lng, "hours_profile": "POST-DEFAULT", **where}
            self.call("PUT", f"/v1/admin/offices/bc-{number}", body)
        for shop in shops:
            lat, lng = points[shop]
            level = {"level": "COMMUNE", "hours_profile": "OSS-DEFAULT", "rooms": []}
            self.call(
                "PUT", f"/v1/admin/shops/mc-{shop}", {"name": f"Một cửa {shop}", "lat": lat, "lng": lng} | level | where
            )
        with ThreadPoolExecutor(_CLIENTS) as clients:
            list(clients.map(lambda c: self._courier(c, *points[case.vehicles[c].start]), range(len(case.vehicles))))
            list(clients.map(lambda r: self._request(case, points, r), range(len(case.pairs))))

    def _courier(self, number: int, lat: float, lng: float) -> None:
        base = {"lat": lat, "lng": lng}
        self.call(
            "PUT",
            f"/v1/admin/couriers/bt-{number}",
            {
                "name": f"Bưu tá {number}",
                "phone": f"0900{number:06d}",
                "pin": "246813",
                "home_office_id": f"bc-{number % _OFFICES}",
                "capacity_items": 80,
                "base": base,
            },
        )
        shift = {"starts_at": OPENS, "ends_at": f"{DAY}T19:30:00+07:00", "start": base}
        self.call("PUT", f"/v1/admin/shifts/bt-{number}/{DAY}", shift)

    def _request(self, case: Case, points: list[tuple[float, float]], number: int) -> None:
        pair, shop = case.pairs[number], shop_of(case, number)
        hands_in = pair.pickup.place != shop
        lat, lng = points[pair.pickup.place if hands_in else pair.delivery.place]
        body = {
            "external_ref": f"T-{number}",
            "kind": "pickup" if hands_in else "return",
            "shop_id": f"mc-{shop}",
            "dossier": {"code": f"000.00.16.H32-261130-{number:04d}"},
            "citizen": {
                "name": f"Nguyễn Thị {number}",
                "phone": f"0912{number:06d}",
                "address": {"raw": f"{number} đường Trần Phú", **COMMUNE, "lat": lat, "lng": lng},
            },
            "weight_g": 80,
        }
        self.call("POST", "/v1/requests", body)

    def day_plan(self, seconds: int) -> Found:
        """Plan the day, read the draft, commit it."""
        began = time.perf_counter()
        asked = self.call(
            "POST", "/v1/plans", {"province_code": "56", "date": DAY, "mode": "day", "seconds": seconds}
        ).json()
        seen = []
        while True:
            operation = self.call("GET", f"/v1/operations/{asked['id']}").json()
            if not seen or seen[-1] != operation["progress"]:
                seen.append(operation["progress"])
                print(
                    f"  {time.perf_counter() - began:6.1f} s {operation['progress']:.3f}", file=sys.stderr, flush=True
                )
            if operation["status"] not in ("queued", "running"):
                break
            time.sleep(_POLL_S)
        plan_s = time.perf_counter() - began
        if operation["status"] != "succeeded":
            raise RuntimeError(str(operation))
        began = time.perf_counter()
        answer = self.call("GET", f"/v1/plans/{operation['result']['plan_id']}")
        read_s, plan = time.perf_counter() - began, answer.json()
        began = time.perf_counter()
        self.call("POST", f"/v1/plans/{plan['id']}/commit", If_Match=answer.headers["ETag"])
        return Found(
            plan_s=plan_s,
            steps=len(seen),
            served=plan["served"],
            unserved=len(plan["unserved"]),
            distance_m=plan["cost"]["distance_m"],
            read_s=read_s,
            size=len(answer.data),
            commit_s=time.perf_counter() - began,
        )


def shop_of(case: Case, number: int) -> int:
    """Return the place of a pair's shop: shops come before homes."""
    pair = case.pairs[number]
    return min(pair.pickup.place, pair.delivery.place)
