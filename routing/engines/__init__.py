"""The folder is the registry: every module here is an engine with one function, `improve`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from routing.cost import WarmPlaces
from routing.errors import RoutingError
from routing.model import Number
from routing.view import Sequences, View


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an engine may go on. `remaining_s` gives None when only `iterations` bound the search.

    `interruptible` says that `should_stop` may come true for other reasons than the clock. `left_out` is told how many
    requests have no place yet: the caller keeps a part of `remaining_s` for saying why.
    """

    should_stop: Callable[[], bool]
    interruptible: bool
    remaining_s: Callable[[], float | None]
    seed: int
    iterations: int | None
    found: Callable[[Number], None]  # told the total of each better plan
    threads: int = 1
    left_out: Callable[[int], None] = lambda count: None


class Engine(Protocol):
    """Something that turns driveable orders of stops into better ones.

    An engine with `STARTS_EMPTY` true puts requests in by itself and needs no inserted plan; one with a function
    `prepare()` has something to load or compile before its first problem.
    """

    def improve(self, view: View, start: Sequences, warm: WarmPlaces, limits: Limits) -> Sequences:
        """Return orders of stops per courier; the caller re-times and re-judges them, so errors cost only time."""
        ...


def names() -> list[str]:
    """Return the engines there are, without importing any."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Engine:
    """Import one engine by its name; raises RoutingError for an unknown one."""
    if name not in names():
        raise RoutingError("unknown_engine", f"there is no engine {name!r}, only {', '.join(names())}", "engine")
    return cast(Engine, importlib.import_module(f"{__name__}.{name}"))
