"""A system of a measurement's own: started on a free port with empty data, gone afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from dispatch.embedded.ports import free_port

KEY = "test_bench_operator_0123456789"


@dataclass(frozen=True)
class Running:
    """Where a running system answers, where its database is, and the process that all of it runs under."""

    base: str
    database_url: str
    pid: int


@contextmanager
def running() -> Iterator[Running]:
    """A whole system with the operator key `KEY` and no rate limit, ready to be asked."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="dieu-tin-bench-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")} | {
            "DISPATCH_DATA_DIR": folder,
            "DISPATCH_PORT": str(port),
            "DISPATCH_BOOTSTRAP_KEY": KEY,
            "DISPATCH_RATE_LIMIT": "0",
        }
        command = [sys.executable, "-m", "dispatch", "serve"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(base)
            endpoints = json.loads(Path(folder, "run", "endpoints.json").read_text(encoding="utf-8"))
            yield Running(base, endpoints["database_url"], process.pid)
        finally:
            process.terminate()
            process.wait(60)


def _wait(base: str) -> None:
    pool, ends = urllib3.PoolManager(retries=False, timeout=60), time.monotonic() + 120
    while time.monotonic() < ends:
        try:
            if pool.request("GET", f"{base}/readyz").status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.2)
    raise TimeoutError("the system did not become ready")
