"""A file that comes as part of a form: taken in piece by piece up to a bound, on disk where it is large."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from api.problems import HttpProblem

PART = "file"
PIECE = 1 << 18
_FORM = 10_000
"""So much of a form is not the file itself: boundaries, headers, a few short fields."""


@dataclass(frozen=True)
class Upload:
    """The file, how long it is, and the SHA-256 of its bytes: a boundary differs from one sending to the next."""

    file: IO[bytes]
    size: int
    digest: str

    def pieces(self) -> Iterator[bytes]:
        """The file from its beginning, piece by piece."""
        self.file.seek(0)
        while piece := self.file.read(PIECE):
            yield piece


def receive(request: Request, at_most: int) -> Upload:
    """Read the form of a call and answer its file; raises 413, 415 and 422."""
    if request.mimetype != "multipart/form-data":
        raise HttpProblem(
            415, "unsupported_media_type", "Nội dung phải là multipart/form-data.", "Send multipart/form-data."
        )
    request.max_content_length = at_most + _FORM
    try:
        found = request.files.get(PART)
    except RequestEntityTooLarge as error:
        raise _too_large(at_most) from error
    if found is None:
        told = {"pointer": f"/{PART}", "code": "missing", "message": "the form has no such file part"}
        raise HttpProblem(
            *(422, "validation_failed", f"Thiếu phần «{PART}» là tệp.", f"The form has no file part “{PART}”."),
            errors=[told],
        )
    digest, size = hashlib.sha256(), 0
    while piece := found.stream.read(PIECE):
        digest.update(piece)
        size += len(piece)
    if size > at_most:
        raise _too_large(at_most)
    return Upload(found.stream, size, digest.hexdigest())


def _too_large(at_most: int) -> HttpProblem:
    size = f"{at_most // 1_000_000} MB"
    # The rest of the body is never read: this connection is of no more use.
    headers = {"Connection": "close"}
    return HttpProblem(413, "body_too_large", f"Tệp vượt {size}.", f"The file is larger than {size}.", headers=headers)
