"""Compilation: what `make setup` compiled is kept beside the installed packages and read from there by everybody.

numba alone keeps machine code beside the source, and only for a user who may write there; it also does not notice a
change in a called function of another file. Here the stamp is the text of the whole kernel.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit, types
from numba.core.caching import CacheImpl, FunctionCache, UserProvidedCacheLocator

F = TypeVar("F", bound=Callable[..., Any])
_HERE = Path(__file__).resolve().parent
_KEPT = Path(sys.prefix) / "share" / "dieu-tin" / "kernel"
_NOT_COMPILED = {"build.py", "clock.py", "dealing.py", "walk.py"}
_COMPILED = [path.read_bytes() for path in sorted(_HERE.glob("*.py")) if path.name not in _NOT_COMPILED]
_STAMP = hashlib.sha256(b"".join(_COMPILED)).hexdigest()
# Nothing is allocated inside, so nothing is counted; wrappers nobody calls are half of the compile time.
_LEAN: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}


class _KeptLocator(UserProvidedCacheLocator):  # type: ignore[misc]
    """The kernel's own place for machine code: written at set-up, afterwards read by whoever may read."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        self._py_file = py_file
        self._lineno = py_func.__code__.co_firstlineno
        self._cache_path = os.fspath(_KEPT)

    def get_source_stamp(self) -> str:
        return _STAMP

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _KeptLocator | None:
        """Return the locator, or None where nothing is kept and nothing can be: then numba's own order counts."""
        if config.CACHE_DIR or Path(py_file).resolve().parent != _HERE:
            return None
        place = cls(py_func, py_file)
        try:
            place.ensure_cache_path()
        except OSError:
            filled = any(_KEPT.glob(f"*.py{sys.version_info[0]}{sys.version_info[1]}*.nbc"))
            return place if filled else None
        return place


class _KeptCache(FunctionCache):  # type: ignore[misc]
    """numba's cache of one function, which a read-only place does not stop."""

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError:
            return  # compiled for this process only


CacheImpl._locator_classes.insert(0, _KeptLocator)


def jit(function: F) -> F:
    """Compile a function that only other compiled functions call, once: every whole number comes as int64."""
    return _jit(function, False)


def inline(function: F) -> F:
    """Compile a function into each of its callers: a call hands over every array of Case and State, one by one."""
    return _jit(function, True)


def _jit(function: F, forceinline: bool) -> F:
    compiled = njit(**_LEAN, no_cpython_wrapper=True, forceinline=forceinline)(function)
    narrow = compiled.get_call_template

    def widened(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        return narrow(tuple(_wide(one) for one in args), kws)

    compiled.get_call_template = widened
    wide: F = compiled
    return wide


def _wide(kind: Any) -> Any:
    """Return the common type of a call's argument: numba would compile one function for each kind of number."""
    plain = types.unliteral(kind)
    return types.int64 if isinstance(plain, types.Integer) else plain


def entry(function: F) -> F:
    """Compile a function that Python calls, and keep its machine code."""
    compiled = njit(**_LEAN)(function)
    compiled._cache = _KeptCache(function)
    kept: F = compiled
    return kept
