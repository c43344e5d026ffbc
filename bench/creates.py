"""How many requests a second the API takes, beside bare inserts of the same rows by the same number of clients."""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import urllib3
from psycopg import sql

from bench.system import KEY, running

CLIENTS = 32
CALLS = 2000
SHOPS = 20
"""A shop's feed is numbered without gaps, so creates of one shop follow each other; shops do not wait for others."""
TABLES = ("requests", "legs", "events", "feed", "idempotency")
SHOP = {
    "name": "Một cửa phường Nha Trang",
    "province_code": "56",
    "commune_code": "22366",
    "era": "2025",
    "lat": 12.249,
    "lng": 109.194,
    "level": "COMMUNE",
}


def measure() -> str:
    """Start a system of its own, send `CALLS` creates from `CLIENTS` clients, then insert the same rows bare."""
    with running() as system:
        api = _creates(urllib3.PoolManager(maxsize=CLIENTS, retries=False, timeout=60), system.base)
        bare = _inserts(system.database_url)
    rows = [
        f"## {CALLS} creates of {SHOPS} shops by {CLIENTS} clients",
        "Price, promise, event, feed and stored answer in one durable transaction over HTTP; beside it the same rows,",
        "inserted by as many bare connections, one transaction each (fsync on in both).",
        "Client and server share the cores.",
        "",
        "| | per second | p50 ms | p99 ms |",
        "|---|---|---|---|",
        f"| `POST /v1/requests` | {api[0]:.0f} | {api[1]:.0f} | {api[2]:.0f} |",
        f"| bare inserts | {bare[0]:.0f} | {bare[1]:.0f} | {bare[2]:.0f} |",
        f"| bare / API | {bare[0] / api[0]:.1f} × | | |",
    ]
    return "\n".join(rows)


def _timed(work: Callable[[int], None], clients: int) -> tuple[float, float, float]:
    """(per second, p50 ms, p99 ms) of `CALLS` calls of `work` by so many clients."""
    spent: list[float] = []

    def one(number: int) -> None:
        began = time.perf_counter()
        work(number)
        spent.append(time.perf_counter() - began)

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as clients_pool:
        list(clients_pool.map(one, range(CALLS)))
    whole = time.perf_counter() - began
    cuts = statistics.quantiles(spent, n=100)
    return CALLS / whole, cuts[49] * 1000, cuts[98] * 1000


def _creates(pool: urllib3.PoolManager, base: str) -> tuple[float, float, float]:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    for shop in range(SHOPS):
        pool.request("PUT", f"{base}/v1/admin/shops/kh-{shop}", json=SHOP, headers=headers)

    def create(number: int) -> None:
        body: dict[str, Any] = {
            "external_ref": f"BENCH-{number}",
            "kind": "return",
            "shop_id": f"kh-{number % SHOPS}",
            "dossier": {"code": "000.00.16.H32-261120-0015"},
            "citizen": {
                "name": "Nguyễn Thị Ánh Nguyệt",
                "phone": "0905123456",
                "address": {"raw": "12 Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa"},
            },
            "weight_g": 80,
        }
        sent = headers | {"Idempotency-Key": secrets.token_hex(8), "Test-Clock": "2026-11-23T09:00:00+07:00"}
        answer = pool.request("POST", f"{base}/v1/requests", json=body, headers=sent)
        if answer.status != 201:
            raise RuntimeError(answer.data.decode())

    return _timed(create, CLIENTS)


def _inserts(database_url: str) -> tuple[float, float, float]:
    """Insert copies of the rows that the API wrote, into tables of the same shape and indexes."""
    with psycopg.connect(database_url, autocommit=True) as admin:
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for table in TABLES:
            name, copy = sql.Identifier(table), sql.Identifier(f"bare_{table}")
            admin.execute(sql.SQL("create table {} (like {} including all)").format(copy, name))
            rows[table] = admin.execute(
                sql.SQL("select to_jsonb(t)::text from {} t limit %s").format(name), (CALLS * 2,)
            ).fetchall()
    share = {table: max(1, len(found) // CALLS) for table, found in rows.items()}
    connections = [psycopg.connect(database_url) for _ in range(CLIENTS)]
    free = list(connections)

    def insert(number: int) -> None:
        connection = free.pop()
        with connection.cursor() as cursor:
            for table in TABLES:
                first = number * share[table]
                for row in rows[table][first : first + share[table]]:
                    target = sql.Identifier(f"bare_{table}")
                    cursor.execute(
                        sql.SQL(
                            "insert into {0} overriding system value select * from jsonb_populate_record(null::{0}, %s)"
                        ).format(target),
                        row,
                    )
        connection.commit()
        free.append(connection)

    try:
        return _timed(insert, CLIENTS)
    finally:
        for connection in connections:
            connection.close()
