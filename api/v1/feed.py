"""The ordered feed of a shop, for those who would rather ask than be told."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from api.endpoint import Call, route
from api.shapes.notices import Feed
from api.v1.webhooks import shop_named
from dispatch.domain.news import TEST, Wanted
from dispatch.domain.text import Word
from dispatch.flows import notifying, sla_watch
from dispatch.store import Session
from dispatch.store.rows import FeedEntry

LOOK_S = 0.25
"""How often a waiting call looks whether its shop's feed has grown."""
MOST_WAITING = 24
"""Waiting calls per process; each holds a thread, and the other calls need theirs. The rest are answered at once."""
WINDOW = 10_000
"""Entries that one call with `types` looks through at most; `next_after` then says how far it came."""

_waiting = threading.BoundedSemaphore(MOST_WAITING)
_wanted: TypeAdapter[list[Wanted]] = TypeAdapter(list[Wanted])


class FeedQuery(BaseModel):
    """Query of the feed: entries above `after`, of some types where named (`request.created,promise.*`); `wait` seconds
    for the first one where there is none yet.
    """

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    wait: Annotated[int, Field(ge=0, le=30)] = 0
    types: Annotated[str, Field(min_length=1, max_length=1000)] = "*"
    shop_id: Word | None = None

    @field_validator("types")
    @classmethod
    def _known(cls, types: str) -> str:
        try:
            _wanted.validate_python([name for name in types.split(",") if name != TEST])
        except ValidationError as error:
            raise PydanticCustomError("unknown_type", "{why}", {"why": error.errors()[0]["msg"]}) from error
        return types


@dataclass(frozen=True)
class Stretch:
    """What one look at a feed found, and up to which number it looked."""

    entries: list[FeedEntry]
    seen: int


@route("GET", "/v1/events", tag="webhooks", out=Feed, query=FeedQuery, errors=("unknown_shop",))
def read_feed(call: Call) -> Any:
    """The shop's events in order, the same bodies as its webhooks get; ask again with `after` = `next_after`."""
    asked: FeedQuery = call.query
    shop_id = shop_named(call, asked.shop_id)
    if call.mode == "test":
        sla_watch.sweep(call.session, "test", call.system.scene(call.now), limit=100_000, shop_id=shop_id)
    found = _look(call.session, call.mode, shop_id, asked, asked.after)
    if not found.entries and asked.wait and _waiting.acquire(blocking=False):
        try:
            found = _wait(call, shop_id, asked, found.seen)
        finally:
            _waiting.release()
    return {"data": [notifying.body(entry) for entry in found.entries], "next_after": found.seen}


def _look(session: Session, mode: str, shop_id: str, asked: FeedQuery, after: int) -> Stretch:
    """The next entries above `after`. Those between two of them that were not asked for count as seen."""
    # The end comes first: what is committed between the two reads is left to the next call, not stepped over.
    end = min(session.notices.number(mode, shop_id), after + WINDOW)
    if end <= after:
        return Stretch([], after)
    types = asked.types.split(",")
    entries = session.notices.feed_after(mode, shop_id, after, asked.limit, until=end, types=types)
    return Stretch(entries, entries[-1].seq if len(entries) == asked.limit else end)


def _wait(call: Call, shop_id: str, asked: FeedQuery, after: int) -> Stretch:
    """The first entries that come within the time asked for; no transaction and no connection is held meanwhile."""
    call.leave()
    deadline = time.monotonic() + asked.wait
    found = Stretch([], after)
    while not found.entries and time.monotonic() < deadline:
        time.sleep(min(LOOK_S, max(0.0, deadline - time.monotonic())))
        with call.system.store.begin() as session:
            found = _look(session, call.mode, shop_id, asked, found.seen)
    return found
