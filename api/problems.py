"""RFC 9457 answers: the one place that knows which status a word code has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, g
from pydantic import ValidationError

from dispatch.domain.errors import Conflict, DispatchError, Invalid, NotFound, Stale, Unavailable
from dispatch.domain.flaws import flaws_of

_STATUS: tuple[tuple[type[DispatchError], int], ...] = (
    (Invalid, 422),
    (NotFound, 404),
    (Conflict, 409),
    (Stale, 412),
    (Unavailable, 503),
)
_TITLES = {
    400: ("Yêu cầu không đọc được", "Unreadable request"),
    401: ("Chưa xác thực", "Not authenticated"),
    403: ("Không được phép", "Not allowed"),
    404: ("Không tìm thấy", "Not found"),
    405: ("Phương thức không dùng được ở đây", "Method not allowed"),
    406: ("Không có dạng trả lời này", "Not acceptable"),
    408: ("Yêu cầu đến quá chậm", "Request timeout"),
    409: ("Trạng thái không cho phép", "State forbids this"),
    412: ("Phiên bản đã cũ", "Stale version"),
    413: ("Nội dung quá lớn", "Body too large"),
    414: ("Địa chỉ quá dài", "Address too long"),
    415: ("Kiểu nội dung không đọc được", "Unsupported media type"),
    417: ("Không đáp ứng được Expect", "Expectation failed"),
    422: ("Dữ liệu không hợp lệ", "Invalid data"),
    428: ("Thiếu điều kiện", "Precondition required"),
    429: ("Quá nhiều yêu cầu", "Too many requests"),
    431: ("Tiêu đề quá lớn", "Headers too large"),
    500: ("Lỗi bên trong", "Internal error"),
    503: ("Tạm thời không phục vụ được", "Temporarily unavailable"),
}


class HttpProblem(Exception):
    """A problem of the HTTP call itself, with its status."""

    def __init__(
        self,
        status: int,
        code: str,
        vi: str,
        en: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Iterable[dict[str, str]] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(en)
        self.status, self.code, self.vi, self.en = status, code, vi, en
        self.headers, self.errors, self.extra = dict(headers or {}), list(errors), dict(extra or {})


def from_dispatch(error: DispatchError) -> HttpProblem:
    """The HTTP shape of an error of the service."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 422)
    faults = [{"pointer": f.pointer, "code": f.code, "message": f.message} for f in error.faults]
    extra = dict(error.extra)
    headers = {"Retry-After": str(extra.pop("retry_after_s"))} if "retry_after_s" in extra else {}
    if status == 503:
        headers.setdefault("Retry-After", "2")
    status = int(extra.pop("http_status", status))
    return HttpProblem(status, error.code, error.vi, error.en, errors=faults, extra=extra, headers=headers)


def from_validation(error: ValidationError, within: str = "") -> HttpProblem:
    """400 for unreadable JSON, else 422 `validation_failed` with a pointer for every fault, from `within` on.

    A check of several keys together names in its context (`pointer`) the one that is at fault.
    """
    found = error.errors(include_url=False, include_input=False)
    if any(item["type"] == "json_invalid" for item in found):
        message = found[0]["msg"]
        return HttpProblem(
            400, "malformed_json", "Nội dung không phải JSON đọc được.", f"The body is not readable: {message}."
        )
    errors = [{"pointer": within + fault.pointer, "code": fault.code, "message": fault.en} for fault in flaws_of(error)]
    where = ", ".join(sorted({item["pointer"] or "/" for item in errors})[:8])
    return HttpProblem(
        422,
        "validation_failed",
        f"Dữ liệu thiếu, sai hoặc lạ ở: {where}.",
        f"Missing, wrong or unknown data at: {where}.",
        errors=errors,
    )


ADAPTERS = "/v1/adapters/"
"""Calls in the shapes of other systems; their problems say `Status` and `Message` besides, which such systems read."""
TOKEN_HEADER = "access_token"
"""Where one-stop systems of today put their key; read on the adapters' paths only."""


def problem_text(problem: HttpProblem, lang: str, path: str, request_id: str) -> str:
    """The JSON of a problem, in the language `vi` or `en`."""
    title = _TITLES.get(problem.status, _TITLES[500])
    body: dict[str, Any] = {
        "type": f"/docs/problems#{problem.code}",
        "title": title[0] if lang == "vi" else title[1],
        "status": problem.status,
        "detail": problem.vi if lang == "vi" else problem.en,
        "instance": path,
        "code": problem.code,
        "request_id": request_id,
        "errors": problem.errors,
        **problem.extra,
    }
    if path.startswith(ADAPTERS):
        body |= {"Status": str(problem.status), "Message": body["detail"]}
    return json.dumps(body, ensure_ascii=False)


def answer(problem: HttpProblem) -> Response:
    """The response for a problem, in the language the caller prefers."""
    lang = g.get("lang", "vi")
    text = problem_text(problem, lang, g.get("path", ""), g.get("request_id", ""))
    response = Response(text, problem.status, content_type="application/problem+json")
    response.headers.extend(problem.headers)
    response.headers["Content-Language"] = lang
    return response
