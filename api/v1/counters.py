"""Counter days and appointments in rooms of limited capacity."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.endpoint import Call, route
from api.shapes.network import Appointment, CounterDay
from api.v1.requests import own_shop, scene
from dispatch.domain.errors import invalid
from dispatch.domain.hours import IsoDate
from dispatch.domain.text import EARLIEST_AT, LATEST_AT, Instant, Shape, Word
from dispatch.flows.counters import Wish, counter_of, reserve
from dispatch.store.rows import Shop


class CounterDayBody(Shape):
    """From which date on a counter day is wanted; a shop's own key may leave the shop out."""

    shop_id: Word | None = None
    date: Annotated[IsoDate, Field(ge=EARLIEST_AT.date(), lt=LATEST_AT.date())]


class AppointmentBody(Shape):
    """A visit to a room of a shop; a shop's own key may leave the shop out."""

    shop_id: Word | None = None
    room_id: Word
    starts_at: Instant
    minutes: Annotated[int, Field(ge=1, le=480)] = 30
    people: Annotated[int, Field(ge=1, le=10_000)] = 1


@route(
    "POST", "/v1/counter-days", tag="shop", body=CounterDayBody, out=CounterDay, idempotent=False,
    errors=("unknown_shop", "calendar_never_opens"),
)  # fmt: skip
def counter_day(call: Call) -> Any:
    """Tell the first day from a date on when this shop serves people in person."""
    body: CounterDayBody = call.body
    counter = counter_of(call.session, scene(call), call.system.places, _shop(call, body.shop_id))
    return {"next_counter_day": counter.next_day(body.date).isoformat()}


@route(
    "POST", "/v1/appointments", tag="shop", body=AppointmentBody, out=Appointment, status=201,
    errors=(
        "unknown_shop", "unknown_room", "slot_in_past", "site_closed", "party_too_large", "room_full",
        "calendar_never_opens",
    ),
)  # fmt: skip
def make_appointment(call: Call) -> Any:
    """Keep a place in a room whose capacity is limited."""
    body: AppointmentBody = call.body
    wish = Wish(body.room_id, body.starts_at, body.minutes, body.people)
    return reserve(call.session, scene(call), call.system.places, _shop(call, body.shop_id), wish)


def _shop(call: Call, shop_id: str | None) -> Shop:
    own = own_shop(call)
    wanted = shop_id or own
    shop = call.session.network.shop(call.mode, wanted) if wanted and own in (None, wanted) else None
    if shop is None:
        raise invalid(
            "/shop_id", "unknown_shop", "Không có Bộ phận Một cửa mang mã này.", "No shop of yours has this id."
        )
    return shop
