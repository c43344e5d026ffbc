"""What can go wrong: the API answered with a problem, nobody answered, or long work failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from dieutin.types import Fault


class DieuTinError(Exception):
    """Base of everything this client raises."""


class ApiError(DieuTinError):
    """The API answered with a problem (RFC 9457): programs go by `code`, people read `detail`.

    `errors` are the faults of a body, each with its JSON pointer; `body` is the whole problem with what a code adds,
    such as `existing_id`; `request_id` names the call to whoever keeps the server.
    """

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        self.code = str(body.get("code", "http_error"))
        self.detail = str(body.get("detail", ""))
        self.errors: Sequence[Fault] = body.get("errors") or ()
        self.request_id = str(body.get("request_id") or headers.get("X-Request-Id", ""))
        super().__init__(f"{status} {self.code}: {self.detail} (request {self.request_id})")

    @classmethod
    def of(cls, response: httpx.Response) -> ApiError:
        """The error that a response of 400 and above tells; one from in between (a proxy's page) has no code."""
        try:
            told = response.json()
        except ValueError:
            told = None
        body = told if isinstance(told, dict) else {"detail": response.text[:500]}
        return cls(response.status_code, body, response.headers)


class Unreachable(DieuTinError):
    """Nobody answered in time; whether the call had an effect is not known. The same key may be sent again."""


class OperationFailed(DieuTinError):
    """Long work ended otherwise than well: `status` is `failed` or `cancelled`, `code` says why."""

    def __init__(self, operation_id: str, status: str, code: str, message: str) -> None:
        self.operation_id, self.status, self.code = operation_id, status, code
        super().__init__(f"{operation_id} {status}: {code} {message}".rstrip())
