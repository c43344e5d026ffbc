"""The one error tree of the dispatch service: a word code, a human sentence in two languages, permanent or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: JSON pointer, word code, sentence."""

    pointer: str
    code: str
    message: str


@dataclass
class DispatchError(Exception):
    """Something the caller must know: `code` is a word from docs/api.md, `vi`/`en` say it to a person.

    `permanent` is False where the very same call may succeed later (a lock, a server that is away).
    """

    code: str
    vi: str
    en: str
    permanent: bool = True
    faults: tuple[Fault, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.en}"


class Invalid(DispatchError):
    """The input is readable but means something we refuse (HTTP 422)."""


class NotFound(DispatchError):
    """No such thing, or it belongs to someone else (HTTP 404)."""


class Conflict(DispatchError):
    """The state of the thing forbids this change (HTTP 409)."""


class Stale(DispatchError):
    """The caller named a version that is no longer the present one (HTTP 412)."""


class Unavailable(DispatchError):
    """A server we need is away; the same call may succeed later (HTTP 503)."""


def invalid(pointer: str, code: str, vi: str, en: str) -> Invalid:
    """An `Invalid` about one place of the input."""
    return Invalid(code=code, vi=vi, en=en, faults=(Fault(pointer, code, en),))
