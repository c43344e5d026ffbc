"""A small kit to read strict JSON into frozen values: every refusal names the path and says what should stand there."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from routing.errors import RoutingError
from routing.model import Number

T = TypeVar("T")
Reader = Callable[[Any, str], T]


def load(text: str | bytes, expected: str) -> dict[str, Any]:
    """Return the JSON object of format `expected` without its `format` key; NaN and double keys are refused."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_once)
    except RoutingError:
        raise
    except (ValueError, RecursionError) as error:
        raise RoutingError("bad_json", f"is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise RoutingError("unknown_format", f"must be a JSON object of format {expected!r}")
    if "format" not in value:
        raise RoutingError("missing_key", f"is missing; it should hold {expected!r}", "format")
    if value.pop("format") != expected:
        raise RoutingError("unknown_format", f"must be {expected!r}", "format")
    return value


def _refuse_constant(name: str) -> None:
    raise RoutingError("bad_value", f"{name} is not a number of this format")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RoutingError("duplicate_key", "stands twice in one object", key)
        found[key] = value
    return found


class Shape(Generic[T]):
    """An object with fixed keys: `needed` maps key → (reader, what it should hold), `free` maps key → reader."""

    def __init__(
        self,
        make: Callable[..., T],
        needed: Mapping[str, tuple[Reader[Any], str]],
        free: Mapping[str, Reader[Any]] | None = None,
    ) -> None:
        self.make = make
        self.needed = needed
        self.readers = {key: reader for key, (reader, _) in needed.items()} | dict(free or {})

    def __call__(self, value: Any, where: str) -> T:
        """Read one object at a path."""
        if not isinstance(value, dict):
            raise RoutingError("bad_type", "must be an object", where)
        for key in value:
            if key not in self.readers:
                raise RoutingError("unknown_key", "is not a key of this format", at(where, key))
        for key, (_, meaning) in self.needed.items():
            if key not in value:
                raise RoutingError("missing_key", f"is missing; it should hold {meaning}", at(where, key))
        return self.make(**{key: self.readers[key](held, at(where, key)) for key, held in value.items()})


def at(where: str, key: str) -> str:
    """Return the path of a key inside the object at `where`."""
    return f"{where}.{key}" if where else key


def text(value: Any, where: str) -> str:
    """Read text."""
    if not isinstance(value, str):
        raise RoutingError("bad_type", "must be text", where)
    return value


def integer(value: Any, where: str) -> int:
    """Read a whole number; 5.0 and true are not whole numbers."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise RoutingError("bad_type", "must be an integer", where)
    return value


def number(value: Any, where: str) -> Number:
    """Read a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RoutingError("bad_type", "must be a finite number", where)
    return value


def decimal(ticks: int) -> Reader[int]:
    """Return a reader of decimals that gives whole ticks: 1.5 at 10 ticks a unit is 15."""
    return lambda value, where: round(number(value, where) * ticks)


def flag(value: Any, where: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise RoutingError("bad_type", "must be true or false", where)
    return value


def one_of(*allowed: str) -> Reader[str]:
    """Return a reader of one of some words."""

    def read(value: Any, where: str) -> str:
        if value not in allowed:
            raise RoutingError("bad_value", f"must be {' or '.join(map(repr, allowed))}", where)
        return str(value)

    return read


def list_of(item: Reader[T]) -> Reader[tuple[T, ...]]:
    """Return a reader of a list."""

    def read(value: Any, where: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise RoutingError("bad_type", "must be a list", where)
        return tuple(item(one, f"{where}[{index}]") for index, one in enumerate(value))

    return read


def set_of(item: Reader[T]) -> Reader[frozenset[T]]:
    """Return a reader of a list whose order does not matter."""
    read = list_of(item)
    return lambda value, where: frozenset(read(value, where))


def nullable(item: Reader[T]) -> Reader[T | None]:
    """Return a reader that also takes null."""
    return lambda value, where: None if value is None else item(value, where)
