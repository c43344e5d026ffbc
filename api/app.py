"""The door: the Flask application, built from the endpoints that the modules of `api` register."""

from __future__ import annotations

import re
import time
import uuid
from importlib import import_module
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from api import health, openapi, pages
from api.auth import TokenBuckets
from api.doorstep import refusal
from api.endpoint import ENDPOINTS, Endpoint, serve
from api.problems import HttpProblem, answer, from_dispatch
from dispatch.bootstrap import System, open_system
from dispatch.domain.errors import DispatchError
from dispatch.settings import load

MAX_BODY = 1_000_000
MODULES = (
    "api.v1.requests",
    "api.v1.admin",
    "api.v1.webhooks",
    "api.v1.feed",
    "api.v1.adapter",
    "api.v1.planning",
    "api.v1.simulations",
    "api.v1.imports",
    "api.v1.labels",
    "api.v1.testing",
    "api.v1.tracking",
    "api.v1.policies",
    "api.v1.money",
    "api.v1.exceptions",
    "api.v1.reports",
    "api.v1.counters",
    "api.v1.sites",
    "api.board.board",
    "api.courier.rounds",
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_CSP = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; worker-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
log = structlog.get_logger("api")


def create_app(system: System | None = None) -> Flask:
    """The WSGI application; without a `system` it opens the one the environment names."""
    app = Flask("api", static_folder=None, template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it would answer //v1//me with a page that leads elsewhere
    app.json.sort_keys = False  # type: ignore[attr-defined]
    system = system or open_system(load(servers=True))
    system.warm()
    app.extensions["system"] = system
    if system.settings.rate_limit:
        app.extensions["buckets"] = TokenBuckets(system.settings.rate_limit / system.settings.web_workers)
    for name in MODULES:
        import_module(name)
    for endpoint in ENDPOINTS:
        app.add_url_rule(
            endpoint.path, f"{endpoint.method} {endpoint.path}", _view(endpoint), methods=[endpoint.method]
        )
    for part in (health, openapi, pages):
        part.register(app)
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(Exception, _failed)
    return app


def _view(endpoint: Endpoint) -> Any:
    def view(**parameters: str) -> Response:
        g.endpoint = endpoint.path
        return serve(endpoint, parameters)

    return view


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    g.lang = request.accept_languages.best_match(["vi", "en"], default="vi")
    g.path = request.path
    g.began = time.perf_counter()


def _finish(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-Id"] = g.get("request_id", "")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(self), geolocation=(self), microphone=()"
    headers.setdefault("Content-Security-Policy", _CSP)
    headers.setdefault("Cache-Control", "no-store")
    system: System = current_app.extensions["system"]
    if request.is_secure or system.public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if "rate" in g:
        limit, left, wait = g.rate
        headers["RateLimit-Policy"] = f'"default";q={limit};w=1'
        headers["RateLimit"] = f'"default";r={max(0, left)};t={wait}'
    if request.method == "OPTIONS" and response.status_code == 200:
        response.status_code = 204
        del headers["Content-Type"]
    spent = time.perf_counter() - g.get("began", time.perf_counter())
    health.observe(request.method, g.get("endpoint", "page"), response.status_code, spent)
    return response


def _failed(error: Exception) -> Response:
    if isinstance(error, HttpProblem):
        return answer(error)
    if isinstance(error, DispatchError):
        if not error.permanent:
            log.warning("refused for now", code=error.code, path=g.get("path"), request_id=g.get("request_id"))
        return answer(from_dispatch(error))
    if isinstance(error, HTTPException):
        return answer(_from_werkzeug(error))
    if isinstance(error, ParseException):
        return answer(refusal(error))
    log.error("call failed", path=g.get("path"), request_id=g.get("request_id"), exc_info=error)
    return answer(
        HttpProblem(
            500,
            "internal_error",
            "Lỗi bên trong hệ thống; mã yêu cầu giúp tìm nguyên nhân.",
            "Something went wrong inside; the request id helps to find it.",
        )
    )


def _from_werkzeug(error: HTTPException) -> HttpProblem:
    status = error.code or 500
    known = {
        400: ("bad_request", "Yêu cầu không đọc được.", "The request cannot be read."),
        404: ("not_found", "Không có địa chỉ này.", "There is nothing at this address."),
        408: ("request_timeout", "Yêu cầu đến quá chậm.", "The call took too long to arrive."),
        405: ("method_not_allowed", "Phương thức không dùng được ở đây.", "This method is not used here."),
        413: ("body_too_large", "Nội dung vượt 1 MB.", "The body is larger than 1 MB."),
    }
    code, vi, en = known.get(status, ("http_error", error.name, error.name))
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    if status == 413:
        headers["Connection"] = "close"  # the rest of the body is never read: this connection is of no more use
    return HttpProblem(status, code, vi, en, headers=headers)
