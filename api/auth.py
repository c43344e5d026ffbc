"""Who calls: bearer keys of shops, operators and couriers; the board's cookie; their world and their instant."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from flask import Request

from api.problems import ADAPTERS, TOKEN_HEADER, HttpProblem
from dispatch.bootstrap import secret_hash
from dispatch.domain.text import EARLIEST_AT, LATEST_AT
from dispatch.store import Session
from dispatch.store.rows import Key

COOKIE = "dieutin_session"


@dataclass(frozen=True)
class Principal:
    """The caller: `owner` names it for idempotency and audit; `mode` is the world it sees.

    `role` is that of a signed-in user: supervisor, coordinator or cashier; empty for a key.
    """

    owner: str
    scope: str
    mode: str
    shop_id: str | None = None
    courier_id: str | None = None
    key_id: str | None = None
    latest_at: datetime | None = None
    name: str = ""
    role: str = ""


def _unauthenticated(code: str, vi: str, en: str) -> HttpProblem:
    return HttpProblem(401, code, vi, en, headers={"WWW-Authenticate": 'Bearer realm="dieutin"'})


def authenticate(request: Request, session: Session, real_now: datetime) -> Principal:
    """The caller of this request; raises 401 where nobody lawful calls."""
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if not header and request.path.startswith(ADAPTERS):
        scheme, token = "bearer", request.headers.get(TOKEN_HEADER, "")
    if scheme.lower() == "bearer" and token.strip():
        key = session.access.key_by_hash(secret_hash(token.strip()), real_now)
        if key is None:
            raise _unauthenticated("invalid_key", "Khóa không đúng hoặc đã hết hiệu lực.", "The key is wrong or ended.")
        return Principal(
            owner=f"key:{key.id}",
            scope=key.scope,
            mode=key.mode,
            shop_id=key.shop_id,
            courier_id=key.courier_id,
            key_id=key.id,
            latest_at=_page_clock(request, session, key) or key.latest_at,
            name=key.hint,
        )
    cookie = request.cookies.get(COOKIE)
    if cookie:
        if request.headers.get("Dispatch-Board") != "1":
            raise HttpProblem(
                403, "board_header_missing", "Thiếu tiêu đề của trang.", "The page's own header is missing."
            )
        user = session.access.signed_in(secret_hash(cookie), real_now)
        if user is not None:
            mode = "test" if request.headers.get("Dispatch-Mode") == "test" else "live"
            latest = session.access.latest_test_instant() if mode == "test" else None
            return Principal(f"user:{user.id}", "operator", mode, latest_at=latest, name=user.name, role=user.role)
    raise _unauthenticated("missing_key", "Cần khóa Bearer.", "A Bearer key is needed.")


def _page_clock(request: Request, session: Session, key: Key) -> datetime | None:
    """The test world's instant for our own courier page, whose key never sends one itself."""
    follows = key.mode == "test" and request.headers.get("Dispatch-Page") == "courier"
    return session.access.latest_test_instant() if follows else None


def instant_of(request: Request, principal: Principal, real_now: datetime) -> tuple[datetime, bool]:
    """The instant a call is handled at, and whether a Test-Clock header set it.

    Live: now. Test: the header, else the latest instant this key has used, else now. Our own pages follow the test
    world's clock: the latest instant that any test key has used.
    """
    header = request.headers.get("Test-Clock")
    if header is None:
        return (principal.latest_at or real_now) if principal.mode == "test" else real_now, False
    if principal.mode != "test":
        raise HttpProblem(
            400,
            "test_clock_not_allowed",
            "Test-Clock chỉ dùng với khóa thử.",
            "Test-Clock works with test keys only.",
        )
    try:
        moment = datetime.fromisoformat(header)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not EARLIEST_AT <= moment <= LATEST_AT:
        raise HttpProblem(
            400,
            "test_clock_invalid",
            "Test-Clock phải là thời điểm RFC 3339 có múi giờ.",
            "Test-Clock must be an RFC 3339 time with offset.",
        )
    return moment, True


class TokenBuckets:
    """Requests per second for each key, with a burst of twice the rate; kept by each web process for its share."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._filled: dict[str, tuple[float, float]] = {}

    def take(self, owner: str) -> tuple[bool, int, int]:
        """(granted, whole tokens left, whole seconds until the next one)."""
        now = time.monotonic()
        burst = max(1.0, self.rate * 2)
        with self._lock:
            if len(self._filled) > 10_000:
                self._filled = {k: v for k, v in self._filled.items() if now - v[1] < 60}
            level, at = self._filled.get(owner, (burst, now))
            level = min(burst, level + (now - at) * self.rate)
            granted = level >= 1
            level -= 1 if granted else 0
            self._filled[owner] = (level, now)
        wait = 0 if level >= 1 else int((1 - level) / self.rate) + 1
        return granted, int(level), wait
