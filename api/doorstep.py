"""The web server's own worker: what cannot be read is refused as a problem, and nobody holds a thread by being slow.

gunicorn would answer such calls with a page of HTML, and would wait for ever for the rest of a call that never ends.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import _DEFER, ThreadWorker
from werkzeug.exceptions import RequestTimeout

from api.problems import TOKEN_HEADER, HttpProblem, problem_text

FIRST_WAIT_S = 5.0
"""A connection that says nothing for so long goes back to where it costs no thread."""
GRACE_S = 20.0
"""A whole call may take so long to arrive, and longer by its size at `SLOWEST_BPS`."""
SLOWEST_BPS = 2_000
"""Bytes per second that a bad mobile line still carries."""

_REFUSALS: tuple[tuple[type[Exception], int, str, str, str], ...] = (
    (errors.LimitRequestLine, 414, "uri_too_long", "Địa chỉ quá dài.", "The address is too long."),
    (errors.LimitRequestHeaders, 431, "headers_too_large", "Tiêu đề quá lớn.", "The headers are too large."),
    (errors.ExpectationFailed, 417, "expectation_failed", "Không đáp ứng Expect này.", "That Expect cannot be met."),
    (RequestTimeout, 408, "request_timeout", "Yêu cầu đến quá chậm.", "The call took too long to arrive."),
    (errors.ConfigurationProblem, 500, "internal_error", "Lỗi bên trong.", "Something went wrong inside."),
    (errors.InvalidResponseHeader, 500, "internal_error", "Lỗi bên trong.", "Something went wrong inside."),
    (errors.InvalidResponseHeaderName, 500, "internal_error", "Lỗi bên trong.", "Something went wrong inside."),
    (errors.ParseException, 400, "bad_request", "Yêu cầu không đọc được.", "The request cannot be read."),
    (Exception, 500, "internal_error", "Lỗi bên trong.", "Something went wrong inside."),
)


def refusal(error: Exception) -> HttpProblem:
    """How a call that the web server cannot read is refused; 500 for what is no fault of the caller."""
    _, status, code, vi, en = next(line for line in _REFUSALS if isinstance(error, line[0]))
    return HttpProblem(status, code, vi, en)


class HurriedReader(SocketUnreader):  # type: ignore[misc]
    """Reads a call from its socket as long as it arrives in reasonable time; then it is RequestTimeout (408)."""

    def begin(self) -> None:
        """From now on the next call is waited for."""
        self._began, self._got = time.monotonic(), 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes; raises RequestTimeout, or TimeoutError where a nearer limit of the caller's has passed."""
        left = self._began + GRACE_S + self._got / SLOWEST_BPS - time.monotonic()
        usual = self.sock.gettimeout()
        nearer = usual is not None and usual < left
        try:
            self.sock.settimeout(usual if nearer else max(left, 0.001))
            found: bytes = super().chunk(size_hint)
        except TimeoutError:
            if nearer:
                raise
            raise RequestTimeout from None
        finally:
            self.sock.settimeout(usual)
        self._got += len(found)
        return found


class Parsed(Request):  # type: ignore[misc]
    """A call as it is parsed; of headers with an underscore, which are dropped, the one that orders come with stays."""

    def _peer_trusted_for_forwarded(self) -> Any:
        schemes, names = super()._peer_trusted_for_forwarded()
        return schemes, [*names, TOKEN_HEADER.upper()]


class Worker(ThreadWorker):  # type: ignore[misc]
    """A threaded worker that answers problems instead of pages and lets nobody dawdle."""

    def handle(self, conn: Any) -> Any:
        """Handle one call of a connection."""
        if not conn.initialized:
            if not conn.wait_for_data(FIRST_WAIT_S):
                return _DEFER
            conn.init()
            conn.parser.unreader = HurriedReader(conn.sock)
            conn.parser.mesg_class = Parsed
        conn.parser.unreader.begin()
        return super().handle(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Refuse a call that never reached the application."""
        problem = refusal(exc)
        if problem.status == 500:
            self.log.error("a call failed outside the application", exc_info=exc)
        else:
            self.log.info("refused an unreadable call from %s: %s", addr[0] if addr else "nowhere", exc)
        request_id = uuid.uuid4().hex
        body = problem_text(problem, "vi", "", request_id).encode()
        head = (
            f"HTTP/1.1 {problem.status} {problem.code.replace('_', ' ').title()}\r\n"
            "Connection: close\r\nContent-Type: application/problem+json\r\nContent-Language: vi\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-Id: {request_id}\r\n"
            "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n"
        )
        try:
            util.write_nonblock(client, head.encode() + body)
        except OSError:
            self.log.debug("nobody is there to be told")
