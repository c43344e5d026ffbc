"""Holds a running system to its own OpenAPI document with schemathesis: `python -m tools.fuzz --examples 2500`.

As a shop, an operator, a courier and nobody; all checks, the document's links followed. Ends with 1 where anything is
found. The system it asks is one of its own, on a free port and in a directory that goes with it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatch.embedded.ports import free_port
from dispatch.embedded.process import Child, Program
from dispatch.settings import CHECKOUT

KEY = "test_fuzz_operator_0123456789"
CONFIG = Path(__file__).with_name("schemathesis.toml")
START_S = 180
PLACE = {"province_code": "56", "commune_code": "22363", "era": "2020", "lat": 12.2478, "lng": 109.19}


@dataclass(frozen=True)
class Outcome:
    """What came of one role's calls: how many there were, whether all was well, and what schemathesis said."""

    role: str
    examples: int
    sound: bool
    said: str


def examine(base: str, role: str, token: str | None, *, examples: int, phases: str, seed: int) -> Outcome:
    """Ask every operation `examples` times or so in each phase, as one who has this token."""
    command = [
        *(str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIG), "run", f"{base}/v1/openapi.json"),
        *("--checks", "all", "--phases", phases, "--max-examples", str(examples), "--seed", str(seed), "--no-color"),
        *("--generation-deterministic", "--suppress-health-check", "all"),
        *("--warnings", "off", "--request-timeout", "60", "--continue-on-failure", "--no-shrink"),
    ]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    counted = re.search(r"(\d+) generated", ran.stdout)
    return Outcome(role, int(counted[1]) if counted else 0, ran.returncode == 0, ran.stdout + ran.stderr)


def _call(base: str, method: str, path: str, body: Any, key: str | None = KEY) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": path.replace("/", "-")}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    asked = urllib.request.Request(base + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def tokens(base: str) -> dict[str, str | None]:
    """A token for each role, in a small world made for them."""
    courier = {"name": "Bưu tá", "phone": "0900000001", "pin": "2468", "home_office_id": "bc-nt"}
    _call(base, "PUT", "/v1/admin/offices/bc-nt", {"name": "Bưu cục Nha Trang", **PLACE})
    _call(base, "PUT", "/v1/admin/couriers/c1", courier)
    rooms = [{"id": "R1", "capacity": 20, "slot_minutes": 30}]
    _call(base, "PUT", "/v1/admin/shops/kh-nha-trang", {"name": "Một cửa", "level": "COMMUNE", "rooms": rooms, **PLACE})
    shop = _call(base, "POST", "/v1/admin/keys", {"scope": "shop", "shop_id": "kh-nha-trang", "mode": "test"})
    signed = _call(base, "POST", "/v1/courier/sessions", {"phone": "0900000001", "pin": "2468"}, None)
    return {"shop": shop["key"], "operator": KEY, "courier": signed["token"], "nobody": None}


def _started(folder: Path) -> tuple[Child, str]:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    environment |= {"DISPATCH_PORT": str(port), "DISPATCH_DATA_DIR": str(folder), "DISPATCH_RATE_LIMIT": "0"}
    environment |= {"DISPATCH_BOOTSTRAP_KEY": KEY}
    command = (sys.executable, "-m", "dispatch", "serve")
    child = Child(Program("serve", command, environment, directory=CHECKOUT, log=folder / "serve.log", stop_s=40))
    child.start()
    base, ends = f"http://127.0.0.1:{port}", time.monotonic() + START_S
    while True:
        try:
            with urllib.request.urlopen(f"{base}/readyz", timeout=5):
                return child, base
        except (urllib.error.URLError, OSError):
            if not child.alive or time.monotonic() > ends:
                child.stop()
                raise SystemExit(f"the system did not start, see {folder / 'serve.log'}") from None
            time.sleep(0.5)


def main() -> int:
    """Examine a system of our own as every role."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=2500, help="calls in sum, about (default 2500)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--role", action="append", choices=["shop", "operator", "courier", "nobody"])
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dieu-tin-fuzz-", dir="/var/tmp"))
    child, base = _started(folder)
    sound, asked = True, 0
    try:
        known = tokens(base)
        with urllib.request.urlopen(f"{base}/v1/openapi.json", timeout=60) as answer:
            operations = sum(len(item) for item in json.load(answer)["paths"].values())
        roles = options.role or list(known)
        each = max(1, options.examples // len(roles) // operations)
        for role in roles:
            begun = time.monotonic()
            found = examine(base, role, known[role], examples=each, phases=options.phases, seed=options.seed)
            sound, asked = sound and found.sound, asked + found.examples
            verdict = "nothing found" if found.sound else "FOUND\n" + found.said
            print(f"{role}: {found.examples} calls in {time.monotonic() - begun:.0f} s: {verdict}", flush=True)
    finally:
        child.stop()
    print(f"{asked} calls, seed {options.seed}: {'nothing found' if sound else 'see above'}")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
