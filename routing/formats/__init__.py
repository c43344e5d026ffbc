"""File formats, one a file; what is read is recognised by its look, never by its name."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import Protocol, cast

from routing.errors import RoutingError
from routing.formats import native
from routing.formats.benchmark import Objective
from routing.model import Problem
from routing.validate import validate

NATIVE = native.PROBLEM


class BenchmarkFormat(Protocol):
    """A module here that reads a published benchmark: any module with `looks_like` is one."""

    TITLE: str

    def looks_like(self, text: str) -> bool:
        """Say whether a text is meant to be of this format, be it right or wrong."""
        ...

    def read(self, text: str, name: str, objective: Objective) -> Problem:
        """Return the problem; raises RoutingError with the line of the first thing wrong."""
        ...


@lru_cache(maxsize=1)
def benchmarks() -> dict[str, BenchmarkFormat]:
    """Return the benchmark formats of this folder by title."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    formats = [cast(BenchmarkFormat, module) for module in modules if hasattr(module, "looks_like")]
    return {one.TITLE: one for one in formats}


def recognised(source: bytes) -> str:
    """Return the format of a file: `routing-problem/1` or a benchmark's title; raises RoutingError for others."""
    text = _text(source)
    if text.lstrip()[:1] in ("{", "["):
        return NATIVE
    for title, one in benchmarks().items():
        if one.looks_like(text):
            return title
    raise RoutingError("unknown_format", f"is neither {NATIVE} nor {' nor '.join(benchmarks())}")


def read_problem(source: bytes, name: str, objective: Objective = "vehicles") -> Problem:
    """Return the problem in a file's bytes, whatever format it is.

    `name` is for formats without one of their own; `objective` is for benchmarks, a `routing-problem/1` brings its
    weights. Raises RoutingError with the path or line of the first thing wrong.
    """
    form = recognised(source)
    if form == NATIVE:
        return native.read_problem(source)
    problem = benchmarks()[form].read(_text(source), name, objective)
    validate(problem)
    return problem


def _text(source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RoutingError("bad_text", f"is not UTF-8 text at byte {error.start}") from None
