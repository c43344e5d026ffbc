"""The ordered feed of a shop, for those who would rather ask than be told."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.endpoint import Call, route
from api.v1.webhooks import shop_named
from dispatch.domain.text import Word
from dispatch.flows import notifying
from dispatch.store.rows import FeedEntry

LOOK_S = 0.5
"""How often a waiting call looks for news."""
MOST_WAITING = 24
"""Waiting calls per process; each holds a thread, and the other calls need theirs. The rest are answered at once."""

_waiting = threading.BoundedSemaphore(MOST_WAITING)


class FeedQuery(BaseModel):
    """Query of the feed: entries above `after`; `wait` seconds for the first one where there is none yet."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    wait: Annotated[int, Field(ge=0, le=30)] = 0
    shop_id: Word | None = None


@route("GET", "/v1/events", tag="webhooks", query=FeedQuery, errors=("unknown_shop",))
def read_feed(call: Call) -> Any:
    """The shop's events in order, the same bodies as its webhooks get; ask again with `after` = `next_after`."""
    asked: FeedQuery = call.query
    shop_id = shop_named(call, asked.shop_id)
    entries = call.session.notices.feed_after(call.mode, shop_id, asked.after, asked.limit)
    if not entries and asked.wait and _waiting.acquire(blocking=False):
        try:
            entries = _wait(call, shop_id, asked)
        finally:
            _waiting.release()
    return {
        "data": [notifying.body(entry) for entry in entries],
        "next_after": entries[-1].seq if entries else asked.after,
    }


def _wait(call: Call, shop_id: str, asked: FeedQuery) -> list[FeedEntry]:
    """The first entries that come within the time asked for; no transaction and no connection is held meanwhile."""
    transaction = call.session.connection.get_transaction()
    if transaction is not None:
        transaction.commit()
    call.session.connection.close()
    deadline = time.monotonic() + asked.wait
    while True:
        time.sleep(min(LOOK_S, max(0.0, deadline - time.monotonic())))
        with call.system.store.begin() as session:
            entries = session.notices.feed_after(call.mode, shop_id, asked.after, asked.limit)
        if entries or time.monotonic() >= deadline:
            return entries
