"""How fast a file of 20,000 requests is taken in, and what its worker needs for it."""

from __future__ import annotations

import csv
import io
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3
import xlsxwriter

from bench.creates import SHOP
from bench.system import KEY, Running, running

ROWS = 20_000
NOON = "2026-11-23T10:00:00+07:00"
HEADER = (
    *("external_ref", "kind", "dossier.code", "dossier.online_level", "citizen.name", "citizen.phone"),
    *("citizen.address.raw", "weight_g", "documents.0.name"),
)


def measure() -> str:
    """Send the rows as CSV, the same again, others as XLSX, others as a dry run; each alone on a running system."""
    with running() as system:
        pool = urllib3.PoolManager(retries=False, timeout=120)
        pool.request("PUT", f"{system.base}/v1/admin/shops/kh", json=SHOP, headers={"Authorization": f"Bearer {KEY}"})
        lines = [
            _line("CSV", system, pool, _csv(0)),
            _line("the same CSV again", system, pool, _csv(0)),
            _line("XLSX", system, pool, _xlsx(ROWS)),
            _line("CSV, dry run", system, pool, _csv(2 * ROWS), "&dry_run=true"),
        ]
    return "\n".join(
        [
            f"## {ROWS} requests in a file",
            "From the upload to the end of the operation, priced and promised, in batches of 50 by one worker process.",
            "The whole system runs on the same cores. Memory is the most that the process of the worker has held.",
            "",
            "| file | MB | seconds | rows per second | created | duplicate | worker MB |",
            "|---|---|---|---|---|---|---|",
            *lines,
        ]
    )


def _row(number: int) -> tuple[str, ...]:
    address = f"{number % 900 + 1} Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa"
    person = ("Nguyễn Thị Ánh Nguyệt", f"0905{number:06}", address)
    return (f"BENCH-{number}", "return", "000.00.16.H32-261120-0015", "4", *person, "80", "Giấy chứng nhận")


def _csv(first: int) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER, *(_row(number) for number in range(first, first + ROWS))])
    return text.getvalue().encode("utf-8-sig")


def _xlsx(first: int) -> bytes:
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for place, cells in enumerate([HEADER, *(_row(number) for number in range(first, first + ROWS))]):
            for column, cell in enumerate(cells):
                sheet.write_string(place, column, cell)
    return kept.getvalue()


def _line(name: str, system: Running, pool: urllib3.PoolManager, content: bytes, query: str = "") -> str:
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": secrets.token_hex(8), "Test-Clock": NOON}
    began = time.perf_counter()
    form = {"file": ("rows", content)}
    sent = pool.request("POST", f"{system.base}/v1/imports?shop_id=kh{query}", fields=form, headers=headers)
    if sent.status != 202:
        raise RuntimeError(sent.data.decode())
    told = _ended(lambda: pool.request("GET", f"{system.base}{sent.headers['Location']}", headers=headers).json())
    spent = time.perf_counter() - began
    if told["status"] != "succeeded":
        raise RuntimeError(str(told["error"]))
    result, size, held = told["result"], len(content) / 1e6, _worker_mb(system.pid)
    counts = f"{result['created']} | {result['duplicate']}"
    return f"| {name} | {size:.1f} | {spent:.0f} | {ROWS / spent:.0f} | {counts} | {held:.0f} |"


def _ended(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    while True:
        told = read()
        if told["status"] not in ("queued", "running"):
            return told
        time.sleep(0.5)


def _worker_mb(tree: int) -> float:
    """The most that any process of the worker's node for long work has held."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    below, fresh = set(), {tree}
    while fresh:
        below |= fresh
        fresh = {pid for pid, parent in parents.items() if parent in below} - below
    peaks = [0.0]
    for pid in below:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"dispatch.worker.node\0routing" in command:
            status = Path(f"/proc/{pid}/status").read_text()
            peaks.append(int(status.split("VmHWM:")[1].split()[0]) / 1000)
    return max(peaks)
