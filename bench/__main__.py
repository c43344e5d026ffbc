"""`make bench`: measure, print and keep in docs/benchmarks.md. `python -m bench creates rules` chooses."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import date
from pathlib import Path

from bench import creates, labels, plans, rules

SUBJECTS = {"rules": rules.measure, "creates": creates.measure, "plans": plans.measure, "labels": labels.measure}
REPORT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def main() -> int:
    """Run the chosen subjects; a whole run rewrites the report."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("subjects", nargs="*", default=[], help=f"any of: {', '.join(SUBJECTS)} (default: all)")
    asked = parser.parse_args().subjects or list(SUBJECTS)
    unknown = [name for name in asked if name not in SUBJECTS]
    if unknown:
        print(f"bench: {unknown[0]} is not measured; there is {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    parts = [
        "# Benchmarks",
        f"Measured on {date.today().isoformat()} ({machine}) by `make bench`; ratios travel better than figures.",  # noqa: DTZ011
    ]
    for name in asked:
        print(f"== {name}", flush=True)
        found = SUBJECTS[name]()
        print(found, flush=True)
        parts.append(found)
    if set(asked) == set(SUBJECTS):
        REPORT.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        print(f"kept in {REPORT.relative_to(REPORT.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
