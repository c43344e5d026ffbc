"""What a price and a promise cost in processor time, and how long correcting charges by a later rule takes."""

from __future__ import annotations

import json
import secrets
import sys
import time
from datetime import datetime
from typing import Any

import psycopg
import urllib3

from bench.system import KEY, running
from dispatch import policies
from dispatch.domain import addresses, sla
from dispatch.domain.consignment import QuoteBody
from dispatch.domain.pricing import Terms, quote
from dispatch.store import gazetteer

ROUNDS = 2000
CHARGES = 100_000
AT = datetime.fromisoformat("2020-04-15T09:00:00+07:00")
SHOP = {
    "name": "Một cửa TP Pleiku",
    "province_code": "64",
    "commune_code": "23557",
    "era": "2020",
    "lat": 13.98,
    "lng": 108.0,
    "level": "DISTRICT",
}
ASKED: dict[str, Any] = {
    "kind": "two_way",
    "dossier": {"code": "H21.65-200310-0011", "online_level": 4, "submitted_via": "ONLINE"},
    "citizen": {
        "name": "Nguyễn Thị A",
        "phone": "0905123456",
        "address": {"raw": "12 Trần Phú, P. Diên Hồng, TP Pleiku, Gia Lai"},
    },
    "weight_g": 80,
    "state_fee": {"amount": 50_000, "online_payment_unable": True},
}


def measure() -> str:
    """Processor time of one request's address, price and promises; wall time of `CHARGES` repriced charges."""
    rows = [
        "## Rules",
        "Processor time of one two-way request (both legs priced, both promised), and a rule recorded on 27/3/2020",
        f"that changes {CHARGES:,} charges of the days before: every one found, corrected, told to its shop.",
        "",
        "| | |",
        "|---|---|",
        *_cpu(),
        *_repriced(),
    ]
    return "\n".join(rows)


def _cpu() -> list[str]:
    book, index = policies.load(), gazetteer.index()
    body = QuoteBody.model_validate_json(json.dumps(ASKED))
    address = body.citizen.address
    calendar = book.calendars["OSS-DEFAULT"]

    def price() -> None:
        quote(book, body, Terms("64", "64", "INTRA_DISTRICT", AT), at=AT, known_at=AT).to_json()

    def promise() -> None:
        for leg in body.legs:
            sla.start(
                book,
                body,
                leg,
                province_code="56",
                zone="INTRA_DISTRICT",
                clock_started_at=AT,
                known_at=AT,
                shop_calendar=calendar,
            ).to_json()

    def place() -> None:
        addresses.resolve(index, address.raw, None, None, None, None)

    told = []
    for name, work in (("price", price), ("promises", promise), ("address from free text", place)):
        work()
        began = time.process_time()
        for _ in range(ROUNDS):
            work()
        told.append(f"| {name} | {(time.process_time() - began) / ROUNDS * 1000:.2f} ms |")
    return told


def _repriced() -> list[str]:
    with running() as system:
        calls = Calls(urllib3.PoolManager(retries=False, timeout=60), system.base)
        calls.send("PUT", "/v1/admin/shops/gl", SHOP)
        first = calls.send("POST", "/v1/requests", _body(), at="2020-03-25T09:00:00+07:00")
        payment = {"amount": 26_000, "at": "2020-03-25T10:00:00+07:00", "method": "CASH", "receipt_no": "1"}
        calls.send("POST", f"/v1/requests/{first['id']}/payments", payment, at="2020-03-25T10:00:00+07:00")
        _copied(system.database_url, first["id"])
        return _timed(calls)


class Calls:
    """The API as one operator sees it."""

    def __init__(self, pool: urllib3.PoolManager, base: str) -> None:
        self.pool, self.base = pool, base

    def send(self, method: str, path: str, body: Any = None, at: str | None = None) -> Any:
        """One call; raises RuntimeError with the answer where it is not 2xx."""
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": secrets.token_hex(8)}
        if at is not None:
            headers["Test-Clock"] = at
        if body is None:
            answer = self.pool.request(method, self.base + path, headers=headers)
        else:
            answer = self.pool.request(method, self.base + path, json=body, headers=headers)
        if answer.status >= 300:
            raise RuntimeError(answer.data.decode())
        return answer.json()


def _body() -> dict[str, Any]:
    single = {**ASKED, "kind": "return", "state_fee": None, "external_ref": "BENCH", "shop_id": "gl"}
    return {name: value for name, value in single.items() if value is not None}


def _copied(database_url: str, request_id: str) -> None:
    """As many copies of one charged request, made in the database."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table, changes in (
            ("requests", "'id', 'req_' || n, 'external_ref', 'B-' || n"),
            ("legs", "'request_id', 'req_' || n, 'item_id', 'ZY' || lpad(n::text, 9, '0') || 'VN'"),
        ):
            key = "id" if table == "requests" else "request_id"
            copy = f"jsonb_populate_record(null::{table}, to_jsonb(t) || jsonb_build_object({changes}))"
            connection.execute(
                f"insert into {table} select r.* from {table} t, generate_series(2, %s) n, lateral {copy} r "
                f"where t.{key} = %s",
                (CHARGES, request_id),
            )
        connection.execute("analyze")


def _timed(calls: Calls) -> list[str]:
    asked = {"province_code": "64", "from": "2020-03-23", "to": "2020-03-26", "dry_run": False}
    told = []
    for name in ("corrected", "looked at again, nothing to correct"):
        began = time.perf_counter()
        operation = calls.send("POST", "/v1/admin/reprice", asked, at="2020-04-01T09:00:00+07:00")
        while True:
            now = calls.send("GET", f"/v1/operations/{operation['id']}")
            if sys.stderr.isatty():
                print(f"\r{now['status']} {now['progress']:.0%} ", end="", file=sys.stderr, flush=True)
            if now["status"] not in ("queued", "running"):
                break
            time.sleep(0.5)
        if now["status"] != "succeeded":
            raise RuntimeError(json.dumps(now))
        found = now["result"]
        told.append(
            f"| {found['looked_at']:,} charges {name} ({found['count']:,}) | {time.perf_counter() - began:.0f} s |"
        )
    return told
