"""How many requests a second the API takes, beside pgbench inserting the same rows with as many connections."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import tempfile
from pathlib import Path

import psycopg
import urllib3
from psycopg import sql

from bench.load import Pace, pace
from bench.system import KEY, running
from dispatch.embedded.programs import installed

CONNECTIONS = 32
CALLS = 6000
SHOPS = 20
TABLES = ("requests", "legs", "events", "feed", "forecasts", "idempotency")
SHOP = {
    "name": "Một cửa phường Nha Trang",
    "province_code": "56",
    "commune_code": "22366",
    "era": "2025",
    "lat": 12.249,
    "lng": 109.194,
    "level": "COMMUNE",
}
_CLOCK = "2026-11-23T09:00:00+07:00"


def measure() -> str:
    """Start a system of its own, send `CALLS` creates over `CONNECTIONS`, then let pgbench insert the same rows."""
    with running() as system:
        pool = urllib3.PoolManager(retries=False, timeout=60)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        for shop in range(SHOPS):
            pool.request("PUT", f"{system.base}/v1/admin/shops/kh-{shop}", json=SHOP, headers=headers)
        pace(system.base, lambda number: _create(f"warm-{number}", number % SHOPS), 500, CONNECTIONS)
        many = pace(system.base, lambda number: _create(f"many-{number}", number % SHOPS), CALLS, CONNECTIONS)
        one = pace(system.base, lambda number: _create(f"one-{number}", 0), CALLS, CONNECTIONS)
        bare = _bare(system.database_url)
    rows = [
        f"## {CALLS} creates over {CONNECTIONS} connections",
        "Address read, price, promise, events, feed and stored answer in one durable transaction over HTTP; beside it",
        "pgbench, inserting the same rows into copies of the tables with their indexes, one transaction for each",
        "request, fsync on in both. Sender and system share the cores.",
        "",
        "| | per second | p50 ms | p99 ms | bare ÷ this |",
        "|---|---|---|---|---|",
        _line(f"`POST /v1/requests`, {SHOPS} shops", many, bare),
        _line("`POST /v1/requests`, one shop", one, bare),
        _line("pgbench", bare, bare),
    ]
    return "\n".join(rows)


def _line(name: str, found: Pace, bare: Pace) -> str:
    ratio = bare.per_second / found.per_second
    return f"| {name} | {found.per_second:.0f} | {found.p50_ms:.0f} | {found.p99_ms:.0f} | {ratio:.1f} × |"


def _create(name: str, shop: int) -> bytes:
    body = {
        "external_ref": name,
        "kind": "return",
        "shop_id": f"kh-{shop}",
        "dossier": {"code": "000.00.16.H32-261120-0015"},
        "citizen": {
            "name": "Nguyễn Thị Ánh Nguyệt",
            "phone": "0905123456",
            "address": {"raw": f"{secrets.randbelow(400)} Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa"},
        },
        "weight_g": 80,
    }
    sent = json.dumps(body).encode()
    head = (
        "POST /v1/requests HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {KEY}\r\nIdempotency-Key: {secrets.token_hex(8)}\r\nTest-Clock: {_CLOCK}\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


def _bare(database_url: str) -> Pace:
    """Let pgbench insert copies of the rows of one request, with ids of their own."""
    script = ["\\set k :k + 1", "BEGIN;"]
    with psycopg.connect(database_url, autocommit=True) as admin:
        request_id = admin.execute("select id from requests where external_ref = 'many-77'").fetchone()
        assert request_id is not None
        for table in TABLES:
            copy = f"bare_{table}"
            names = (sql.Identifier(copy), sql.Identifier(table))
            admin.execute(sql.SQL("create table {} (like {} including all)").format(*names))
            script += _inserts(admin, table, copy, request_id[0])
    script.append("COMMIT;")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "insert.sql")
        file.write_text("\n".join(script), encoding="utf-8")
        done = subprocess.run(
            [installed().postgres("pgbench"), "-n", "-f", file, "-D", "k=0", "-l", "--log-prefix", Path(folder, "log"),
             "-c", str(CONNECTIONS), "-j", "2", "-t", str(CALLS // CONNECTIONS), database_url],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        spent = sorted(
            int(line.split()[2]) / 1000 for log in Path(folder).glob("log*") for line in log.read_text().splitlines()
        )
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    assert rate is not None, done.stdout
    return Pace(float(rate[1]), spent[len(spent) // 2], spent[len(spent) * 99 // 100])


def _inserts(admin: psycopg.Connection, table: str, copy: str, request_id: str) -> list[str]:
    """The statements that insert the rows of one request; every id ends in the client and a count of its own."""
    asked = sql.SQL("select * from {} where {} limit 2").format(sql.Identifier(table), sql.SQL(_OF[table]))
    with admin.cursor() as cursor:
        rows = cursor.execute(asked, (request_id,)).fetchall()
        names = [column.name for column in cursor.description or ()]
    kept = [name for name in names if (table, name) not in _COUNTED]
    unique = _UNIQUE[table]
    found = []
    for row in rows:
        values = []
        for name, value in zip(names, row, strict=True):
            if name not in kept:
                continue
            text = sql.Literal(json.dumps(value) if isinstance(value, dict | list) else value).as_string(admin)
            if name in unique:
                text = f"{text} || '-' || :client_id || '-' || :k"
            values.append(text)
        found.append(f"INSERT INTO {copy} ({', '.join(kept)}) VALUES ({', '.join(values)});".replace("\n", " "))
    return found


_OF = {
    "requests": "id = %s",
    "idempotency": "body like '%%' || %s || '%%'",
    **dict.fromkeys(("legs", "events", "feed", "forecasts"), "request_id = %s"),
}
_UNIQUE = {
    "requests": {"id", "external_ref"},
    "legs": {"request_id", "item_id"},
    "events": {"id"},
    "feed": {"id"},
    "forecasts": set(),
    "idempotency": {"key"},
}
_COUNTED = {("events", "seq"), ("forecasts", "seq"), ("feed", "seq"), ("feed", "place")}
