"""The pages: sign-in, board, courier, tracking; their scripts come from the front-end build."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, redirect, render_template, request, send_from_directory
from markupsafe import Markup, escape

from api.auth import COOKIE
from api.problems import HttpProblem
from dispatch.bootstrap import System, password_fits, secret_hash
from dispatch.flows.tracking_page import item_view
from dispatch.store.rows import User

STATIC = Path(__file__).parent / "static"
DIST = STATIC / "dist"
SIGN_IN_LASTS = timedelta(hours=12)
WRONG_TRIES = 5
LOCKED_FOR = timedelta(minutes=15)


@cache
def _manifest() -> dict[str, Any]:
    path = DIST / ".vite" / "manifest.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def asset_tags(entry: str) -> Markup:
    """The script and style tags of a front-end entry such as `src/board/main.tsx`."""
    chunk = _manifest().get(entry)
    if chunk is None:
        raise HttpProblem(
            503,
            "front_end_missing",
            "Giao diện chưa được dựng: chạy `make setup`.",
            "The front end is not built: `make setup`.",
        )
    styles = dict.fromkeys(_styles(entry))
    tags = [f'<link rel="stylesheet" href="/static/dist/{escape(style)}">' for style in styles]
    tags.append(f'<script type="module" src="/static/dist/{escape(chunk["file"])}"></script>')
    return Markup("\n".join(tags))


def _styles(name: str) -> list[str]:
    """The style sheets of a chunk, those of what it imports first."""
    chunk = _manifest()[name]
    found = [style for imported in chunk.get("imports", []) for style in _styles(imported)]
    return [*found, *chunk.get("css", [])]


def _system() -> System:
    system: System = current_app.extensions["system"]
    return system


def _signed_in() -> User | None:
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    with _system().store.begin() as session:
        return session.access.signed_in(secret_hash(cookie), datetime.now(UTC))


def _home() -> Any:
    return redirect("/board")


def _board() -> Any:
    user = _signed_in()
    if user is None:
        return redirect("/sign-in")
    return render_template("board.html", user_name=user.name, role=user.role, lang="vi")


def _sign_in_page() -> Any:
    return render_template("sign_in.html", error=None, name="", lang="vi")


def _sign_in() -> Any:
    name = request.form.get("name", "").strip()[:80]
    password = request.form.get("password", "")[:200]
    if not name.isprintable() or not password:
        return _refused_sign_in(name if name.isprintable() else "")
    now = datetime.now(UTC)
    with _system().store.begin() as session:
        user = session.access.user(name)
        if user is None:
            password_fits(_DUMMY, password)  # the same work for a name nobody has
            return _refused_sign_in(name)
        if user.locked_until is not None and user.locked_until > now:
            return _refused_sign_in(name, locked=True)
        if not password_fits(user.password_hash, password):
            wrong = user.wrong_passwords + 1
            locked = now + LOCKED_FOR if wrong >= WRONG_TRIES else None
            session.access.note_password_try(user.id, 0 if locked else wrong, locked)
            return _refused_sign_in(name, locked=locked is not None)
        session.access.note_password_try(user.id, 0, None)
        secret = secrets.token_urlsafe(32)
        session.access.add_sign_in(secret_hash(secret), user.id, now, SIGN_IN_LASTS)
        session.access.audit("live", now, f"user:{user.id}", "signed.in", user.id, {})
    response = redirect("/board", 303)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(SIGN_IN_LASTS.total_seconds()),
        httponly=True,
        samesite="Strict",
        secure=request.is_secure,
    )
    return response


_DUMMY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Cn1kRxdHyWxfPVlnaMO3WMHfmHrkpIVgCtkOTbj9z6I"


def _refused_sign_in(name: str, *, locked: bool = False) -> Any:
    error = (
        "Sai nhiều lần; tạm khóa 15 phút. · Too many wrong tries; locked for 15 minutes."
        if locked
        else "Tên hoặc mật khẩu không đúng. · Wrong name or password."
    )
    return render_template("sign_in.html", error=error, name=name, lang="vi"), 429 if locked else 401


def _sign_out() -> Any:
    cookie = request.cookies.get(COOKIE)
    if cookie:
        with _system().store.begin() as session:
            session.access.sign_out(secret_hash(cookie))
    response = redirect("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return response


def _courier() -> Any:
    return Response(render_template("courier.html"), headers={"Cache-Control": "no-cache"})


def _service_worker() -> Any:
    response = send_from_directory(DIST, "sw.js", mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = "/courier"
    response.headers["Cache-Control"] = "no-cache"
    return response


def _track(item_id: str) -> Any:
    found = None
    if item_id.isprintable():
        with _system().store.begin() as session:
            found = item_view(session, item_id[:40], request.args.get("token", "")[:100].replace("\x00", ""))
    return render_template("track.html", item=found, lang="vi"), 200 if found else 404


def _static(path: str) -> Any:
    response = send_from_directory(STATIC, path)
    if path.startswith("dist/assets/"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response


def register(app: Flask) -> None:
    """Add the pages."""
    app.jinja_env.globals["asset_tags"] = asset_tags
    app.add_url_rule("/", "home", _home)
    app.add_url_rule("/board", "board", _board)
    app.add_url_rule("/sign-in", "sign_in_page", _sign_in_page, methods=["GET"])
    app.add_url_rule("/sign-in", "sign_in", _sign_in, methods=["POST"])
    app.add_url_rule("/sign-out", "sign_out", _sign_out, methods=["POST"])
    app.add_url_rule("/courier", "courier", _courier)
    app.add_url_rule("/courier/sw.js", "service_worker", _service_worker)
    app.add_url_rule("/t/<item_id>", "track", _track)
    app.add_url_rule("/static/<path:path>", "static_files", _static)
