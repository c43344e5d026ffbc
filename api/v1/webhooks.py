"""Webhooks of the shops: where to tell them, what was told, tell it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.endpoint import Answer, Call, route
from api.problems import HttpProblem
from api.shapes.notices import (
    Deliveries,
    DeliveryShown,
    Retold,
    TestSent,
    WebhookMade,
    Webhooks,
    WebhookShown,
    WebhookWithSecret,
)
from dispatch.channels import webhook as channel
from dispatch.domain.errors import Conflict, Fault, Invalid, NotFound, invalid
from dispatch.domain.news import TEST, Wanted
from dispatch.domain.text import Instant, Shape, Word, local_text
from dispatch.flows import notifying
from dispatch.store.receivers import Span
from dispatch.store.rows import Delivery, FeedEntry, Webhook

MOST_WEBHOOKS = 20
"""Per shop: every one of them costs a delivery for every event."""

Types = Annotated[
    list[Wanted], Field(min_length=1, max_length=50), AfterValidator(lambda types: list(dict.fromkeys(types)))
]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Seq = Annotated[int, Field(ge=0, le=2**53)]


class WebhookBody(Shape):
    """A webhook to make; an operator names the shop, a shop key may leave it out."""

    url: Url
    types: Types = ["*"]
    shop_id: Word | None = None


class WebhookChange(Shape):
    """What to change of a webhook; what is left out stays. `active: true` also revives one that was disabled."""

    url: Url | None = None
    types: Types | None = None
    active: bool | None = None


class Rotation(Shape):
    """How long the secret in use until now still signs beside the new one; 0 = it is known to others: drop it now."""

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class Replay(Shape):
    """A stretch of the shop's feed, ends included, by number or by `recorded_at`, and which of it to send.

    `state`: `unsent` = pending, failed and missing; `missing` = never owed to this webhook, as it was off, made later
    or asked for less; absent: all, whatever became of it.
    """

    from_seq: Seq | None = None
    to_seq: Seq | None = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None
    state: Literal["unsent", "pending", "failed", "missing", "sent"] | None = None

    @model_validator(mode="after")
    def _begins_somewhere(self) -> Replay:
        if self.from_seq is None and self.from_ is None:
            raise PydanticCustomError("missing", "Say from where: from_seq or from.", {"pointer": "/from_seq"})
        return self


class Page(BaseModel):
    """Query of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$")] | None = None


class DeliveryPage(Page):
    """Query of a list of deliveries."""

    state: Literal["pending", "sent", "failed"] | None = None


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else local_text(moment)


def _shown(hook: Webhook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "shop_id": hook.shop_id,
        "url": hook.url,
        "types": hook.types,
        "active": hook.active,
        "disabled_reason": hook.disabled_reason,
        "disabled_at": _text(hook.disabled_at),
        "failing_since": _text(hook.failing_since),
        "previous_secret_until": _text(hook.previous_secret_until),
        "livemode": hook.mode == "live",
        "created_at": local_text(hook.created_at),
    }


def _delivery_shown(delivery: Delivery, entry: FeedEntry) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "event_id": entry.id,
        "type": entry.type,
        "seq": entry.seq,
        "state": delivery.state,
        "attempts": delivery.attempt,
        "next_at": _text(delivery.next_at),
        "log": delivery.log,
        "body": notifying.body(entry),
        "created_at": local_text(delivery.created_at),
        "updated_at": local_text(delivery.updated_at),
    }


def _absent() -> NotFound:
    return NotFound(code="not_found", vi="Không có webhook này.", en="There is no such webhook.")


def _own(call: Call, webhook_id: str) -> Webhook:
    """The webhook of that id, if the caller may know of it."""
    hook = call.session.notices.webhook(webhook_id)
    mine = call.principal.scope == "operator" or (hook is not None and hook.shop_id == call.principal.shop_id)
    if hook is None or hook.mode != call.mode or not mine:
        raise _absent()
    return hook


def _own_delivery(call: Call, webhook_id: str, delivery_id: str) -> tuple[Webhook, Delivery]:
    hook = _own(call, webhook_id)
    delivery = call.session.notices.delivery(delivery_id)
    if delivery is None or delivery.webhook_id != hook.id:
        raise NotFound(code="not_found", vi="Không có lần gửi này.", en="There is no such delivery.")
    return hook, delivery


def shop_named(call: Call, named: str | None) -> str:
    """The shop a call is about: the one named, else the key's own; another's shop and an unknown one look alike."""
    own = call.principal.shop_id if call.principal.scope == "shop" else None
    shop_id = named or own
    if shop_id is None:
        raise Invalid(
            code="validation_failed",
            vi="Thiếu shop_id: khóa điều hành phải nêu bộ phận một cửa.",
            en="An operator key must name shop_id.",
            faults=(Fault("/shop_id", "missing", "An operator key must name the shop."),),
        )
    if (own is not None and shop_id != own) or call.session.network.shop(call.mode, shop_id) is None:
        raise invalid("/shop_id", "unknown_shop", "Không có bộ phận một cửa này.", "There is no such shop.")
    return shop_id


def _check(call: Call, url: str) -> None:
    def allowed(host: str, port: int) -> bool:
        return call.session.notices.receiver_allowed(host, port, call.real_now)

    channel.check_url(url, channel.Guard(call.system.settings.webhook_allow, allowed), live=call.mode == "live")


def _paged(rows: list[Any], limit: int, show: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    page, more = rows[:limit], len(rows) > limit
    return {"data": [show(row) for row in page], "next_cursor": page[-1].id if more else None, "has_more": more}


def _bad_cursor() -> HttpProblem:
    return HttpProblem(422, "validation_failed", "Con trỏ trang không đúng.", "The cursor is not ours.")


@route(
    "POST",
    "/v1/webhooks",
    tag="webhooks",
    out=WebhookMade,
    names={"webhook_id": "/id"},
    body=WebhookBody,
    status=201,
    errors=("webhook_url_refused", "unknown_shop", "too_many_webhooks"),
)
def create_webhook(call: Call) -> Any:
    """Register a webhook; its signing secret is shown in this answer only."""
    asked: WebhookBody = call.body
    shop_id = shop_named(call, asked.shop_id)
    _check(call, asked.url)
    call.session.lock(f"webhooks:{call.mode}:{shop_id}")
    if len(call.session.notices.webhooks(call.mode, shop_id)) >= MOST_WEBHOOKS:
        raise Conflict(
            code="too_many_webhooks",
            vi=f"Mỗi đơn vị có tối đa {MOST_WEBHOOKS} webhook.",
            en=f"A shop may have {MOST_WEBHOOKS} webhooks at most.",
        )
    hook_id, secret = call.session.new_id("whk"), channel.new_secret()
    call.session.notices.add_webhook(
        id=hook_id,
        mode=call.mode,
        shop_id=shop_id,
        url=asked.url,
        types=asked.types,
        secret=secret,
        active=True,
        created_at=call.real_now,
        updated_at=call.real_now,
    )
    _note(call, "created", hook_id, {"url": asked.url, "types": asked.types})
    shown = {**_shown(_own(call, hook_id)), "secret": secret}
    return Answer(shown, 201, {"Location": f"/v1/webhooks/{hook_id}"}, remembered={**shown, "secret": None})


def _note(call: Call, what: str, target: str, detail: dict[str, Any]) -> None:
    call.session.access.audit(call.mode, call.real_now, call.principal.owner, f"webhook.{what}", target, detail)


@route("GET", "/v1/webhooks", tag="webhooks", out=Webhooks, names={"webhook_id": "/data/0/id"}, query=Page)
def list_webhooks(call: Call) -> Any:
    """List webhooks in the order they were registered."""
    asked: Page = call.query
    if asked.cursor is not None:
        try:
            _own(call, asked.cursor)
        except NotFound as error:
            raise _bad_cursor() from error
    rows = call.session.notices.webhooks(
        call.mode,
        call.principal.shop_id if call.principal.scope == "shop" else None,
        after=asked.cursor,
        limit=asked.limit + 1,
    )
    return _paged(rows, asked.limit, _shown)


@route("GET", "/v1/webhooks/<webhook_id>", tag="webhooks", out=WebhookShown)
def read_webhook(call: Call, webhook_id: str) -> Any:
    """Read one webhook, without its secret."""
    return _shown(_own(call, webhook_id))


@route(
    "PATCH",
    "/v1/webhooks/<webhook_id>",
    tag="webhooks",
    out=WebhookShown,
    body=WebhookChange,
    errors=("webhook_url_refused",),
)
def change_webhook(call: Call, webhook_id: str) -> Any:
    """Change address or types of a webhook, or switch it off and on."""
    hook = _own(call, webhook_id)
    values = call.body.model_dump(exclude_none=True)
    if "url" in values:
        _check(call, values["url"])
    if values:
        _note(call, "changed", hook.id, values)
        if values.get("active") is True:
            values |= {"disabled_reason": None, "disabled_at": None, "failing_since": None}
        elif values.get("active") is False:
            values |= {"disabled_reason": "by_hand", "disabled_at": call.real_now}
        if values.get("url", hook.url) != hook.url:
            values["failing_since"] = None
        call.session.notices.change_webhook(hook.id, **values, updated_at=call.real_now)
    return _shown(_own(call, webhook_id))


@route("POST", "/v1/webhooks/<webhook_id>/rotate", tag="webhooks", body=Rotation, out=WebhookWithSecret)
def rotate_secret(call: Call, webhook_id: str) -> Any:
    """Give a webhook a new secret, shown in this answer only; until `previous_secret_until` both sign."""
    hook, secret = _own(call, webhook_id), channel.new_secret()
    until = call.real_now + timedelta(hours=call.body.overlap_hours)
    call.session.receivers.rotate_secret(hook.id, secret, until, call.real_now)
    _note(call, "rotated", hook.id, {"previous_secret_until": local_text(until)})
    shown = {**_shown(_own(call, webhook_id)), "secret": secret}
    return Answer(shown, remembered={**shown, "secret": None})


@route("DELETE", "/v1/webhooks/<webhook_id>", tag="webhooks", status=204)
def delete_webhook(call: Call, webhook_id: str) -> Any:
    """Remove a webhook with its deliveries; what was not sent yet stays in the feed only."""
    hook = _own(call, webhook_id)
    call.session.notices.drop_webhook(hook.id)
    _note(call, "deleted", hook.id, {"url": hook.url})


@route(
    "GET",
    "/v1/webhooks/<webhook_id>/deliveries",
    tag="webhooks",
    out=Deliveries,
    names={"delivery_id": "/data/0/id"},
    query=DeliveryPage,
)
def list_deliveries(call: Call, webhook_id: str) -> Any:
    """The delivery log of a webhook: what was sent, when, and what the receiver answered."""
    hook, asked = _own(call, webhook_id), call.query
    if asked.cursor is not None:
        last = call.session.notices.delivery(asked.cursor)
        if last is None or last.webhook_id != hook.id:
            raise _bad_cursor()
    rows = call.session.notices.deliveries(hook.id, asked.limit + 1, after=asked.cursor, state=asked.state)
    entries = call.session.notices.feed_entries([row.feed_id for row in rows])
    return _paged(rows, asked.limit, lambda row: _delivery_shown(row, entries[row.feed_id]))


@route(
    "POST",
    "/v1/webhooks/<webhook_id>/deliveries/<delivery_id>/replay",
    tag="webhooks",
    out=DeliveryShown,
    status=202,
    errors=("delivery_under_way", "webhook_disabled"),
)
def replay_delivery(call: Call, webhook_id: str, delivery_id: str) -> Any:
    """Send one delivery again under the same webhook-id, with a fresh plan of retries."""
    hook, delivery = _own_delivery(call, webhook_id, delivery_id)
    _need_active(hook)
    if not notifying.replay(call.session, delivery.id):
        raise Conflict(
            code="delivery_under_way",
            vi="Lần gửi này đang diễn ra; xin thử lại sau.",
            en="This delivery is being attempted right now; try again in a moment.",
            permanent=False,
            extra={"retry_after_s": 5},
        )
    _, reopened = _own_delivery(call, webhook_id, delivery_id)
    return _delivery_shown(reopened, call.session.notices.feed_entries([reopened.feed_id])[reopened.feed_id])


@route(
    "POST",
    "/v1/webhooks/<webhook_id>/replay",
    tag="webhooks",
    body=Replay,
    out=Retold,
    status=202,
    errors=("webhook_disabled",),
)
def replay_range(call: Call, webhook_id: str) -> Any:
    """Send a stretch of the feed again: same webhook-ids, a fresh plan of retries; at most 10,000 events a call."""
    hook, asked = _own(call, webhook_id), call.body
    _need_active(hook)
    span = Span(asked.from_seq, asked.to_seq, asked.from_, asked.to)
    states = {"unsent": notifying.UNSENT, None: (*notifying.UNSENT, "sent")}.get(asked.state, (asked.state,))
    retold = notifying.retell(call.session, hook, span, states)
    _note(call, "replayed", hook.id, asked.model_dump(mode="json", by_alias=True, exclude_none=True))
    return {"webhook_id": hook.id, **asdict(retold)}


@route(
    "POST",
    "/v1/webhooks/<webhook_id>/test",
    tag="webhooks",
    out=TestSent,
    names={"delivery_id": "/delivery_id"},
    status=202,
    errors=("webhook_disabled",),
)
def test_webhook(call: Call, webhook_id: str) -> Any:
    """Send a `webhook.test` event to this webhook, by the way of all events."""
    hook = _own(call, webhook_id)
    _need_active(hook)
    delivery_id = notifying.send_test(call.session, hook, call.now)
    _, delivery = _own_delivery(call, webhook_id, delivery_id)
    return {"delivery_id": delivery.id, "event_id": delivery.feed_id, "type": TEST}


def _need_active(hook: Webhook) -> None:
    if not hook.active:
        raise Conflict(
            code="webhook_disabled",
            vi="Webhook đã bị tắt; hãy bật lại trước (PATCH active: true).",
            en='The webhook is disabled; switch it on first (PATCH {"active": true}).',
        )
