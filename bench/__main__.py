"""`make bench`: measure, print and keep in docs/benchmarks.md. `python -m bench creates rules` chooses.

What is measured replaces its own section of the report and leaves the others as they are.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shlex
import sys
from datetime import date
from pathlib import Path

from bench import creates, imports, labels, live, plans, routes, rules, service
from bench.days import table as days

SUBJECTS = {
    "rules": lambda options: rules.measure(),
    "creates": lambda options: creates.measure(),
    "imports": lambda options: imports.measure(),
    "plans": lambda options: plans.measure(),
    "live": lambda options: live.measure(),
    "service": lambda options: service.measure(),
    "labels": lambda options: labels.measure(),
    "routes": routes.measure,
    "days": days.measure,
}
BY_NAME_ONLY = {"routes", "service", "live", "days", "imports"}  # take ten minutes to an hour
_WHOLE = {"routes": routes.whole, "days": days.whole}  # only a whole table is kept
REPORT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
HEAD = "# Benchmarks\n\nMade by `make bench`, each section on its own day; ratios travel better than figures."


def main() -> int:
    """Run the chosen subjects and keep what they found."""
    default = [name for name in SUBJECTS if name not in BY_NAME_ONLY]
    parser = argparse.ArgumentParser(prog="python -m bench")
    chosen = f"any of: {', '.join(SUBJECTS)} (default: all but {', '.join(BY_NAME_ONLY)})"
    parser.add_argument("subjects", nargs="*", default=[], help=chosen)
    routes.add_options(parser)
    days.add_options(parser)
    options = parser.parse_args()
    asked = options.subjects or default
    unknown = [name for name in asked if name not in SUBJECTS]
    wrong = f"{unknown[0]} is not measured; there is {', '.join(SUBJECTS)}" if unknown else routes.fault(options)
    if wrong:
        print(f"bench: {wrong}", file=sys.stderr)
        return 2
    for name in asked:
        print(f"== {name}", flush=True)
        found = SUBJECTS[name](options)
        print(found, flush=True)
        if name not in _WHOLE or _WHOLE[name](options):
            keep(REPORT, dated(found, name))
            print(f"kept in {REPORT.relative_to(REPORT.parents[1])}")
    return 0


def dated(section: str, subject: str) -> str:
    """Return a section with a line below its heading that says when and how it was made."""
    title, _, rest = section.partition("\n")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    command = f'make bench ARGS="{shlex.join([subject])}"'
    told = f"Measured on {date.today().isoformat()} ({machine}) by `{command}`."  # noqa: DTZ011
    return f"{title}\n{told}\n{rest.lstrip()}"


def keep(report: Path, section: str) -> None:
    """Put a section into the report in place of the one with the same heading, numbers aside, or after the last."""
    text = report.read_text(encoding="utf-8") if report.is_file() else HEAD + "\n"
    head, *sections = re.split(r"\n+(?=## )", text.rstrip())
    kinds = [_kind(old) for old in sections]
    if _kind(section) in kinds:
        sections[kinds.index(_kind(section))] = section
    else:
        sections.append(section)
    report.write_text("\n\n".join([head, *sections]) + "\n", encoding="utf-8")


def _kind(section: str) -> str:
    return re.sub(r"[\d.,]+", "", section.partition("\n")[0])


if __name__ == "__main__":
    sys.exit(main())
