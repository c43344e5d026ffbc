"""A shop with webhooks, and a channel that says what the test wants: what the tests of telling others share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from dispatch.flows import notifying
from dispatch.store import Session, Store
from dispatch.store import tables as t
from dispatch.store.rows import Delivery, Webhook
from dispatch.worker.lanes import Lanes

SIMULATED = datetime(2020, 4, 7, 8, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """An answer of a receiver."""

    status: int | None
    retry_after_s: float | None = None

    def line(self) -> dict[str, Any]:
        return {"status": self.status, "error": None if self.status else "connection_failed", "answer": "…"}


@dataclass
class Wire:
    """A channel that answers what it is told and keeps what it was given."""

    answers: list[Said] = field(default_factory=list)
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def __call__(self, hook: Webhook, message_id: str, at: datetime, body: bytes) -> Said:
        self.sent.append((hook.id, message_id, body))
        self.meanwhile()
        return self.answers.pop(0) if self.answers else Said(200)


def shops(store: Store) -> None:
    """Two shops of the test world, and one of the live world with the name of the first."""
    with store.begin() as session:
        for mode in ("test", "live"):
            add_shop(session, mode, "nha-trang")
        add_shop(session, "test", "dien-khanh")


def add_shop(session: Session, mode: str, shop_id: str) -> None:
    session.connection.execute(
        insert(t.shops).values(
            mode=mode,
            id=shop_id,
            name=shop_id,
            province_code="56",
            commune_code="22363",
            era="2020",
            lat=12.2,
            lng=109.2,
            level="COMMUNE",
            hours_profile="OSS-DEFAULT",
            rooms=[],
            created_at=SIMULATED,
            updated_at=SIMULATED,
        )
    )


def add_hook(store: Store, types: list[str], mode: str = "test", shop_id: str = "nha-trang", **more: Any) -> str:
    with store.begin() as session:
        hook_id = session.new_id("whk")
        row = {
            "id": hook_id,
            "mode": mode,
            "shop_id": shop_id,
            "url": "https://hooks.example.com/",
            "types": types,
            "secret": "whsec_AAAA",
            "active": True,
            "created_at": SIMULATED,
            "updated_at": SIMULATED,
        }
        session.notices.add_webhook(**row | more)
    return hook_id


def publish(store: Store, type: str = "request.created", mode: str = "test", shop_id: str = "nha-trang") -> str:
    with store.begin() as session:
        return notifying.publish(
            session,
            mode=mode,
            shop_id=shop_id,
            type=type,
            request_id=None,
            occurred_at=SIMULATED - timedelta(minutes=5),
            now=SIMULATED,
            data={"name": "Nguyễn Thị Ánh"},
        )


def deliveries(store: Store, hook_id: str) -> list[Delivery]:
    with store.begin() as session:
        return session.notices.deliveries(hook_id, 100)


def waiting(store: Store) -> list[tuple[str, dict[str, Any]]]:
    with store.begin() as session:
        return [(task, args) for _, task, args in session.notices.waiting(1000)]


def make_due(store: Store, delivery_id: str) -> None:
    with store.begin() as session:
        past = session.wall_clock() - timedelta(seconds=1)
        session.connection.execute(update(t.deliveries).where(t.deliveries.c.id == delivery_id).values(next_at=past))


def deliver(store: Store, delivery_id: str, wire: Wire, lanes: Lanes | None = None) -> str | None:
    return notifying.deliver(store, delivery_id, wire, lanes or Lanes(), 0.0)
