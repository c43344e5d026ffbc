"""Webhooks in tests of the API: make one, play the worker with a made-up receiver or a real one."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Any

from dispatch.bootstrap import System
from dispatch.channels import webhook
from dispatch.flows import notifying
from dispatch.store.rows import Webhook
from dispatch.worker.lanes import Lanes
from tests.api.conftest import Api

URL = "https://93.184.216.34/hook"
LOOPBACK = webhook.Guard((ipaddress.ip_network("127.0.0.0/8"),))


def make_hook(shop: Api, **changes: Any) -> dict[str, Any]:
    made = shop.post("/v1/webhooks", {"url": URL} | changes)
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json
    return answer


def deliver_all(system: System, *statuses: int) -> None:
    """Do what the worker would, with a receiver that answers so, then 200."""
    answers = iter(statuses)

    def post(hook: Webhook, message_id: str, at: datetime, body: bytes) -> webhook.Answer:
        return webhook.Answer(next(answers, 200), detail="ok")

    _deliver(system, post)


def deliver_really(system: System) -> None:
    """Do what the worker would, over real sockets of this machine."""

    def post(hook: Webhook, message_id: str, at: datetime, body: bytes) -> webhook.Answer:
        headers = webhook.sign(hook.secrets_at(at), message_id, at, body)
        return webhook.post(hook.url, headers, body, LOOPBACK, live=hook.mode == "live")

    _deliver(system, post)


def _deliver(system: System, post: notifying.Post) -> None:
    with system.store.begin() as session:
        notifying.requeue(session, session.wall_clock(), 1000)
        waiting = session.notices.waiting(10_000)
        session.notices.mark_sent([row_id for row_id, task, _ in waiting if task == "deliver"], session.wall_clock())
    for delivery_id in dict.fromkeys(args["delivery_id"] for _, task, args in waiting if task == "deliver"):
        notifying.deliver(system.store, delivery_id, post, Lanes(), 0.0)


def log_of(shop: Api, hook: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    """The delivery log of a webhook."""
    lines: list[dict[str, Any]] = shop.get(f"/v1/webhooks/{hook['id']}/deliveries?limit=200{query}").json["data"]
    return lines
