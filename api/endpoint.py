"""The kit every endpoint stands on: one decorator that reads, checks, answers and documents a call.

Around each handler runs one database transaction. A remembered answer (Idempotency-Key) commits in the same
transaction as its effect, so that a crash loses neither or both.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from flask import Response, current_app, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from api import idempotency
from api.auth import Principal, authenticate, instant_of
from api.problems import HttpProblem, from_dispatch, from_validation
from api.problems import answer as answer_problem
from api.uploads import Upload, receive
from dispatch.bootstrap import System
from dispatch.domain.errors import DispatchError, Stale, invalid
from dispatch.flows import forecasting
from dispatch.store import Session

_CHARSETS = ("utf-8", "utf8", "us-ascii")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass
class Call:
    """What a handler gets: the caller, the instant, the transaction, the checked body and query."""

    system: System
    session: Session
    principal: Principal
    now: datetime
    real_now: datetime
    body: Any = None
    query: Any = None
    raw: bytes = b""
    upload: Upload | None = None

    @property
    def mode(self) -> str:
        """The world this call sees."""
        return self.principal.mode

    @property
    def lang(self) -> str:
        """The language of the answer's sentences: vi or en."""
        lang: str = g.lang
        return lang

    def foretell(self) -> None:
        """Bring the forecasts up to date with what this call has changed so far."""
        forecasting.refresh(self.session, self.system.scene(self.now), self.system, self.mode)

    def leave(self) -> None:
        """End the call's own transaction: what follows begins its own, and this one holds no connection meanwhile."""
        self.session.leave()

    def if_match(self) -> int | None:
        """The version named by If-Match; None where the header is absent."""
        header = request.headers.get("If-Match")
        if header is None:
            return None
        text = header.strip().removeprefix("W/").strip('"')
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise Stale(code="stale", vi="If-Match không đúng phiên bản.", en="If-Match names no version of this.")
        return int(text)


@dataclass
class Answer:
    """A handler's answer: JSON-able body or bytes, with headers."""

    body: Any
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    remembered: dict[str, Any] | None = None
    """What a replay shows instead of `body`: for answers with a secret that is shown once and kept nowhere."""
    keep: Callable[[dict[str, Any]], bool] | None = None
    """The call's one write, which takes the remembered answer along; False where another was kept under that key."""


@dataclass(frozen=True)
class Endpoint:
    """One documented operation."""

    method: str
    path: str
    handler: Callable[..., Any]
    scopes: tuple[str, ...]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    out: type[BaseModel] | None
    status: int
    idempotent: bool
    tag: str
    produces: str
    accepts: str
    errors: tuple[str, ...]
    upload: int
    reads: tuple[str, ...]
    names: Mapping[str, str]

    @property
    def name(self) -> str:
        """The operation id: the handler's name."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """The first sentence of the handler's docstring."""
        return (self.handler.__doc__ or self.name).strip().splitlines()[0]


ENDPOINTS: list[Endpoint] = []


def route(
    method: str,
    path: str,
    *,
    tag: str,
    scopes: tuple[str, ...] = ("shop", "operator"),
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    out: type[BaseModel] | None = None,
    status: int = 200,
    idempotent: bool | None = None,
    produces: str = "application/json",
    accepts: str = "application/json",
    errors: tuple[str, ...] = (),
    upload: int = 0,
    reads: tuple[str, ...] = (),
    names: Mapping[str, str] = MappingProxyType({}),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a handler `f(call, **path_parameters) -> Answer | JSON-able` under a path like `/v1/requests/<id>`.

    `scopes` are those that may call it (empty: anyone, without a key). A POST is idempotent by key unless told not.
    `produces` and `accepts` are media types, with ", " between several. `upload`: the call takes a form with a file of
    at most so many bytes. The rest is said for the OpenAPI document and not looked at while a call is served: `out` is
    the answer's shape, `errors` the problem codes that are this call's own, `reads` the request headers the handler
    looks at, `names` what the answer tells of other calls' paths: path parameter → JSON pointer
    (`{"request_id": "/id"}`).
    """

    def register(handler: Callable[..., Any]) -> Callable[..., Any]:
        keyed = method == "POST" if idempotent is None else idempotent
        ENDPOINTS.append(
            Endpoint(
                method, path, handler, scopes, body, query, out, status, keyed, tag, produces, accepts, errors,
                upload, reads, names,
            )
        )  # fmt: skip
        return handler

    return register


def serve(endpoint: Endpoint, parameters: dict[str, str]) -> Response:
    """Handle one HTTP call of an endpoint."""
    system: System = current_app.extensions["system"]
    real_now = datetime.now(UTC)
    # Before the transaction: nobody waits for a sender's slow line.
    raw = _raw() if endpoint.method in ("POST", "PUT", "PATCH") and not endpoint.upload else b""
    if not endpoint.scopes:
        _sensible(endpoint, parameters)
        with system.store.begin() as session:
            nobody = Principal("nobody", "public", "live")
            return _run(endpoint, Call(system, session, nobody, real_now, real_now, raw=raw), parameters)
    principal = key = None
    try:
        upload = _received(system, endpoint, real_now) if endpoint.upload else None
        with system.store.begin() as session:
            principal = _admitted(endpoint, session, real_now)
            _sensible(endpoint, parameters)
            now, moved = instant_of(request, principal, real_now)
            key = idempotency.key_of(request) if endpoint.idempotent else None
            call = Call(system, session, principal, now, real_now, raw=raw, upload=upload)
            response = _run(endpoint, call, parameters, key)
        if moved and principal.key_id and principal.latest_at != now:
            # Afterwards and apart, so that calls with one key do not wait for each other's work.
            with system.store.begin() as session:
                session.access.note_instant(principal.key_id, now)
        return response
    except DispatchError as error:
        permanent = error.permanent and not isinstance(error, Stale)
        if principal is not None and key is not None and permanent and hasattr(g, "fingerprint"):
            _remember_refusal(system, endpoint, principal, key, error, real_now)
        raise


def _admitted(endpoint: Endpoint, session: Session, real_now: datetime) -> Principal:
    principal = authenticate(request, session, real_now)
    g.owner = principal.owner
    if "rate" not in g:  # a call with a file is admitted twice
        _limited(principal)
    if principal.scope not in endpoint.scopes:
        raise HttpProblem(403, "scope_not_allowed", "Khóa này không dùng được ở đây.", "This key may not call this.")
    return principal


def _received(system: System, endpoint: Endpoint, real_now: datetime) -> Upload:
    """The file of a form, taken from those only who may call this."""
    with system.store.begin() as session:
        _admitted(endpoint, session, real_now)
    return receive(request, endpoint.upload)


def _run(endpoint: Endpoint, call: Call, parameters: dict[str, str], key: str | None = None) -> Response:
    call.query = _query(endpoint)
    call.body = _body(endpoint, call.raw)
    if key is not None:
        g.fingerprint = _fingerprint(call)
        kept = idempotency.replayed(call.session, call.principal.owner, _route(endpoint), key, g.fingerprint)
        if kept is not None:
            return kept
    given = endpoint.handler(call, **parameters)
    call.foretell()
    answer = given if isinstance(given, Answer) else Answer(given)
    response = _response(endpoint, answer)
    if key is not None and response.status_code < 500:
        text = response.get_data(as_text=True) if answer.remembered is None else _json(answer.remembered)
        owner = call.principal.owner
        row = idempotency.row(owner, _route(endpoint), key, g.fingerprint, response, text, call.real_now)
        if not (call.session.access.remember(row) if answer.keep is None else answer.keep(row)):
            raise idempotency.in_progress()  # someone was answered under this key meanwhile: nothing of ours may stay
    return response


def _raw() -> bytes:
    """The body as it came; a chunked one, which names no length, is cut off at the limit and then refused."""
    raw = request.get_data(cache=True)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(raw) >= limit:
        raise RequestEntityTooLarge
    return raw


def _remember_refusal(
    system: System, endpoint: Endpoint, who: Principal, key: str, error: DispatchError, at: datetime
) -> None:
    response = answer_problem(from_dispatch(error))
    text = response.get_data(as_text=True)
    with system.store.begin() as session:
        session.access.remember(idempotency.row(who.owner, _route(endpoint), key, g.fingerprint, response, text, at))


def _route(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {request.path}"


def _fingerprint(call: Call) -> str:
    body = call.body.model_dump_json() if isinstance(call.body, BaseModel) else call.raw.hex()
    body = body if call.upload is None else call.upload.digest
    query = call.query.model_dump_json() if isinstance(call.query, BaseModel) else ""
    return hashlib.sha256(f"{body}\n{query}".encode()).hexdigest()


def _query(endpoint: Endpoint) -> BaseModel | None:
    if endpoint.query is None:
        return None
    given = request.args.to_dict(flat=False)
    for name, values in given.items():
        if len(values) > 1 or _CONTROL.search(name + values[0]):
            raise invalid(
                "/" + _CONTROL.sub("", name).replace("~", "~0").replace("/", "~1"),
                "validation_failed",
                "Tham số lặp lại hoặc có ký tự điều khiển.",
                "Given twice, or with a control character.",
            )
    try:
        return endpoint.query.model_validate_strings({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        raise from_validation(error) from error


def _body(endpoint: Endpoint, raw: bytes) -> BaseModel | None:
    if endpoint.body is None:
        return None
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in _CHARSETS or "Content-Encoding" in request.headers:
        raise HttpProblem(
            415,
            "unsupported_media_type",
            "Nội dung phải là application/json, UTF-8, không nén.",
            "Send application/json in UTF-8, not compressed.",
        )
    try:
        return endpoint.body.model_validate_json(raw)
    except ValidationError as error:
        raise from_validation(error) from error


def _sensible(endpoint: Endpoint, parameters: dict[str, str]) -> None:
    """Refuse a path that can name nothing (404) and a caller who takes no answer we have (406)."""
    if any(len(value) > 200 or not value.isprintable() for value in parameters.values()):
        raise HttpProblem(404, "not_found", "Không tìm thấy.", "There is no such thing.")
    accept = request.accept_mimetypes
    kinds = (*endpoint.produces.split(", "), "application/problem+json")
    if accept and not any(accept.quality(kind) > 0 for kind in kinds):
        told = endpoint.produces
        raise HttpProblem(406, "not_acceptable", f"Chỉ trả lời {told}.", f"This answers {told} only.")


def _limited(principal: Principal) -> None:
    buckets = current_app.extensions.get("buckets")
    if buckets is None:
        return
    granted, left, wait = buckets.take(principal.owner)
    g.rate = (int(buckets.rate), left, wait)
    if not granted:
        raise HttpProblem(
            429,
            "rate_limited",
            "Quá nhiều yêu cầu; xin chờ.",
            "Too many requests; wait.",
            headers={"Retry-After": str(wait)},
        )


def _json(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _response(endpoint: Endpoint, answer: Answer) -> Response:
    if isinstance(answer.body, bytes):
        response = Response(answer.body, answer.status or endpoint.status, content_type=answer.content_type)
    elif answer.body is None:
        response = Response(b"", answer.status or 204)
    else:
        body = answer.body.model_dump(mode="json") if isinstance(answer.body, BaseModel) else answer.body
        response = Response(_json(body), answer.status or endpoint.status, content_type=answer.content_type)
    response.headers.update(answer.headers)
    if request.method in ("GET", "HEAD") and response.status_code == 200 and response.is_json:
        response.add_etag()
        if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
            response = Response(status=304, headers={"ETag": response.headers["ETag"]})
            del response.headers["Content-Type"]
    return response


def operation_answer(operation_id: str, status: str = "queued") -> Answer:
    """202 with the operation to watch."""
    headers = {"Location": f"/v1/operations/{operation_id}"}
    return Answer({"id": operation_id, "status": status}, 202, headers)
