"""Events as the feed and the webhooks show them, webhooks and their deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from api.shapes.base import Listed, Shown, absent
from api.shapes.requests import RequestShown
from dispatch.domain.news import News


class Event(Shown):
    """One event of a shop. `seq` counts up by shop and mode, without gaps: deliveries may come in any order."""

    id: str
    type: News | Literal["webhook.test"]
    seq: int
    occurred_at: datetime
    recorded_at: datetime
    livemode: bool
    shop_id: str
    data: dict[str, Any]
    """Of a `request.…`, `promise.…`, `fee.…` or `address.…` event: the request as a read showed it then."""


class RequestEvent(Event):
    """An event about a request: `data` is the request as a read shows it."""

    data: RequestShown  # type: ignore[assignment]


class TestData(Shown):
    """Which webhook was tested."""

    webhook_id: str


class TestEvent(Event):
    """A `webhook.test`."""

    data: TestData  # type: ignore[assignment]


class ImportCounts(Shown):
    """What became of the rows of this shop."""

    created: int
    duplicate: int
    error: int


class ImportData(Shown):
    """An import that is over."""

    id: str
    status: Literal["succeeded", "failed", "cancelled"]
    dry_run: bool
    counts: ImportCounts
    operation_url: str
    result_url: str


class ImportEvent(Event):
    """An `import.finished`."""

    data: ImportData  # type: ignore[assignment]


class Feed(Shown):
    """Events in the order of `seq`; ask again with `after` = `next_after`."""

    data: list[Event]
    next_after: int


class WebhookShown(Shown):
    """A webhook; `disabled_reason` says why it is off, where it is."""

    id: str
    shop_id: str
    url: str
    types: list[str]
    active: bool
    disabled_reason: str | None
    disabled_at: datetime | None
    failing_since: datetime | None
    previous_secret_until: datetime | None
    """Until then the secret before this one signs too."""
    livemode: bool
    created_at: datetime


class WebhookWithSecret(WebhookShown):
    """A webhook with its new secret, which is shown this once (null in a replay)."""

    secret: str | None


class WebhookMade(WebhookWithSecret):
    """A new webhook; `secret` is shown this once (null in a replay)."""

    headers: ClassVar[tuple[str, ...]] = ("Location",)


class Webhooks(Listed[WebhookShown]):
    """A page of webhooks in the order they were registered."""


class Attempt(Shown):
    """One attempt of a delivery: what the receiver answered, or why nobody did."""

    at: datetime = absent()
    attempt: int = absent()
    status: int | None
    error: str | None
    answer: str
    address: str | None
    duration_ms: int


class DeliveryShown(Shown):
    """A delivery of one event to one webhook; `next_at` is the next attempt."""

    id: str
    webhook_id: str
    event_id: str
    type: str
    seq: int
    state: Literal["pending", "sent", "failed"]
    attempts: int
    next_at: datetime | None
    log: list[Attempt]
    body: Event
    created_at: datetime
    updated_at: datetime


class Deliveries(Listed[DeliveryShown]):
    """A page of a webhook's delivery log."""


class Retold(Shown):
    """A stretch that is being sent again; `next_seq` is where to go on, null where it was done to its end."""

    webhook_id: str
    replayed: int
    under_way: int
    next_seq: int | None


class TestSent(Shown):
    """A test event that is on its way."""

    delivery_id: str
    event_id: str
    type: Literal["webhook.test"]
