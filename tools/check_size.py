"""Refuses files above 400 lines and Python functions above 60: `python -m tools.check_size`."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60
SUFFIXES = (".py", ".ts", ".tsx", ".css", ".html")


def oversized(path: Path) -> Iterator[str]:
    """A sentence for each thing in `path` that is too long."""
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}: divide it by purpose"
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}"


def source_files(root: Path) -> list[Path]:
    """The files of ours below `root`; migrations stay out, for what was released is history and is never divided."""
    others = {".venv", "node_modules", "dist", "var", "migrations", ".git"}
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in others]
        found += [Path(folder, name) for name in names if name.endswith(SUFFIXES)]
    return found


def main(paths: Iterable[Path] | None = None) -> int:
    """Print what is too long; returns 1 if anything is."""
    files = list(paths) if paths is not None else source_files(Path.cwd())
    faults = [fault for path in sorted(files) for fault in oversized(path)]
    print("\n".join(faults) or f"sizes: {len(files)} files within the limits")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
