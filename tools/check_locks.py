"""Refuses lock files that name a host or lack a hash: `python -m tools.check_locks`.

A lock says what to install, not from where: everyone installs through the index their own machine is set up for.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def faults_in_requirements(text: str) -> Iterator[str]:
    """A sentence for each line of a requirements lock that names a host or an index, or a pin without a hash."""
    for number, line in enumerate(text.splitlines(), 1):
        if "://" in line or re.match(r"\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", line):
            yield f"line {number} names a host"
    for pin in re.split(r"\n(?=\S)", text):
        if "==" in pin and "--hash=" not in pin:
            yield f"{pin.split()[0]} has no hash"


def faults_in_npm_lock(lock: dict[str, Any]) -> Iterator[str]:
    """A sentence for each package of a package-lock that says where it was fetched, or lacks its integrity hash."""
    for name, package in lock.get("packages", {}).items():
        if "resolved" in package and not package.get("link"):
            yield f"{name} names a host"
        if name.startswith("node_modules/") and not (package.get("integrity") or package.get("link")):
            yield f"{name} has no integrity hash"


def main(root: Path | None = None) -> int:
    """Check every lock of the checkout; returns 1 if one is at fault or missing."""
    root = root or Path.cwd()
    faults = []
    for path in (root / name for name in ("requirements.lock", "requirements-dev.lock", "requirements-peers.lock")):
        faults += [f"{path.name}: {fault}" for fault in faults_in_requirements(path.read_text())]
    npm_lock = root / "web" / "package-lock.json"
    faults += [f"web/{npm_lock.name}: {fault}" for fault in faults_in_npm_lock(json.loads(npm_lock.read_text()))]
    print("\n".join(faults) or "locks: hashes everywhere, hosts nowhere")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
