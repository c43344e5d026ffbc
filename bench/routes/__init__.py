"""Ours beside VROOM, PyVRP, OR-Tools and vrp-cli: same problems, same limits, one run, one judge; `make peers` first.

Each engine works in a process of its own with one thread on a core of its own, and is killed at three times its limit.
Every plan, ours included, is judged again in real numbers by `judge`, which shares nothing with `routing`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from bench.routes import fleet, growth, online, province
from bench.routes.process import PATIENCE
from bench.routes.published import Folder
from bench.routes.runs import BUSY, NAMES, Bench, Row

DATA = "ROUTING_BENCH_DATA"
CELLS: dict[str, Callable[[Bench], fleet.Cell]] = {
    "lilim": fleet.lilim,
    "streets": fleet.streets,
    "distance": fleet.distance,
    "province": province.small,
    "large": province.large,
    "online": online.measure,
    "growth": growth.measure,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be asked of this comparison alone."""
    group = parser.add_argument_group("routes")
    group.add_argument("--data", type=Path, help=f"folder of published instances (or {DATA}); made ones need none")
    group.add_argument("--only", metavar="CELL,…", default=",".join(CELLS), help=f"some of: {', '.join(CELLS)}")
    group.add_argument("--engines", metavar="NAME,…", default=",".join(NAMES), help=f"some of: {', '.join(NAMES)}")
    group.add_argument("--states", type=int, default=100, help="moments of the online cell (100)")
    group.add_argument("--seconds-scale", type=float, default=1.0, help="times every limit; below 1 for a trial run")
    group.add_argument("--lanes", type=int, default=min(2, os.cpu_count() or 1), help="single-thread runs at a time")
    group.add_argument("--json", type=Path, metavar="FILE", help="keep every run here")


def fault(options: argparse.Namespace) -> str:
    """Return what is wrong with the options, or nothing."""
    for name, known in (("only", CELLS), ("engines", NAMES)):
        for word in getattr(options, name).split(","):
            if word not in known:
                return f"--{name}: there is no {word!r}, only {', '.join(known)}"
    if options.states < 1 or options.lanes < 1 or options.seconds_scale <= 0:
        return "--states, --lanes and --seconds-scale must be above 0"
    folder = _folder(options).path
    return f"{folder} is no folder of published instances" if folder and not folder.is_dir() else ""


def whole(options: argparse.Namespace) -> bool:
    """Say whether a run with these options is one whose results are kept in the report."""
    asked = set(options.only.split(",")) == set(CELLS) and set(options.engines.split(",")) == set(NAMES)
    return asked and options.seconds_scale == 1 and options.states >= 100 and _folder(options).path is not None


def measure(options: argparse.Namespace) -> str:
    """Run the chosen cells; return the table of targets and below it what each cell found."""
    bench = Bench(
        folder=_folder(options),
        scale=options.seconds_scale,
        engines=tuple(name for name in NAMES if name in options.engines.split(",")),
        lanes=options.lanes,
        states=options.states,
    )
    rows: list[Row] = []
    parts: list[list[str]] = []
    for name, cell in CELLS.items():
        if name in options.only.split(","):
            bench.say(f"== {name}")
            found, text = cell(bench)
            rows += found
            parts += [text] if text else []
            _keep(options.json, bench, rows)
    head = _head(bench, rows, options.json)
    return "\n\n".join("\n".join(part) for part in [head, *parts])


def _folder(options: argparse.Namespace) -> Folder:
    told = options.data or os.environ.get(DATA)
    return Folder(Path(told) if told else None)


def _head(bench: Bench, rows: list[Row], kept: Path | None) -> list[str]:
    versions = [f"{NAMES[name]} {bench.versions[name]}" for name in NAMES if name in bench.versions]
    disturbed, runs = bench.disturbed()
    scale = "" if bench.scale == 1 else f" **A trial run: every limit times {bench.scale:g}.**"
    return [
        "## Routes: ours beside VROOM, PyVRP, OR-Tools and vrp-cli",
        f"{', '.join(versions)}; Python {platform.python_version()}, {_processor()}.{scale}",
        f"One thread each unless it says otherwise, {bench.lanes} at a time, each on its own core and killed at "
        f"{PATIENCE:g} times its limit. Every plan is judged again in real numbers by one judge of the bench's own. "
        f"{disturbed} of {runs} runs had less than {BUSY:.0%} of a core.",
        "",
        "| | best peer | ours | target | ours ÷ peer |",
        "|---|---|---|---|---|",
        *(f"| {row.what} | {row.peer} | {row.ours} | {row.target} | {row.ratio} |" for row in rows),
    ]


def _processor() -> str:
    """Return the name of the processor, how many cores and how much memory there is."""
    name = platform.machine()
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        name = told.split("model name\t: ")[1].split("\n")[0]
    except (OSError, IndexError):
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB"


def _keep(file: Path | None, bench: Bench, rows: list[Row]) -> None:
    """Write everything found so far."""
    if file is not None:
        told = {
            "command": shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
            "machine": _processor(),
            "versions": bench.versions,
            "scale": bench.scale,
            "rows": [vars(row) for row in rows],
            "runs": bench.kept,
        }
        file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
