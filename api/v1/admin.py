"""What the operator keeps: shops, offices, calendars, couriers, shifts, keys; and who am I."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Literal

from api.endpoint import Answer, Call, route
from api.shapes.base import Me
from api.shapes.network import CalendarKept, CourierKept, KeyMade, OfficeKept, ShiftKept, ShopKept
from dispatch.bootstrap import hasher, new_secret, secret_hash
from dispatch.domain.errors import NotFound, invalid
from dispatch.domain.hours import CalendarBody
from dispatch.domain.network import CourierBody, OfficeBody, ShiftBody, ShopBody
from dispatch.domain.text import Shape, Word, local_text
from dispatch.flows import looks
from dispatch.store.rows import Key

OPERATOR = ("operator",)
_WORD = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,79}$"


class KeyBody(Shape):
    """A key to make."""

    scope: Literal["shop", "operator"]
    shop_id: Word | None = None
    mode: Literal["live", "test"]


def known_commune(call: Call, code: str, era: str, pointer: str = "/commune_code") -> None:
    """Refuse (`unknown_commune`) a commune code that the map of this era does not know."""
    if call.system.places.gazetteer.get(code, era) is None:
        raise invalid(
            pointer,
            "unknown_commune",
            f"Không có xã, phường mã {code} trên bản đồ {era}.",
            f"No commune has the code {code} on the map of {era}.",
        )


def path_id(value: str) -> str:
    """An id from the path that we would keep; refuses what no outside id may look like."""
    if not re.fullmatch(_WORD, value):
        raise invalid("/id", "validation_failed", "Mã không đúng mẫu.", "The id may hold letters, digits and . _ : @ -")
    return value


def kept(call: Call, kind: str, target: str, created: bool, body: dict[str, Any]) -> Answer:
    """The answer of a PUT, once the change stands in the audit: what is kept now, 201 where it is new."""
    call.session.access.audit(call.mode, call.now, call.principal.owner, f"{kind}.put", target, {"created": created})
    return Answer({"id": target, "mode": call.mode, **body}, 201 if created else 200)


@route(
    "PUT",
    "/v1/admin/shops/<shop_id>",
    tag="operator",
    errors=("unknown_commune",),
    out=ShopKept,
    names={"shop_id": "/id"},
    scopes=OPERATOR,
    body=ShopBody,
)
def put_shop(call: Call, shop_id: str) -> Any:
    """Create or replace a one-stop shop."""
    body: ShopBody = call.body
    known_commune(call, body.commune_code, body.era)
    values = body.model_dump()
    created = call.session.network.put_shop(call.mode, path_id(shop_id), values, call.now)
    return kept(call, "shop", shop_id, created, body.model_dump(mode="json"))


@route(
    "PUT",
    "/v1/admin/offices/<office_id>",
    tag="operator",
    errors=("unknown_commune",),
    out=OfficeKept,
    scopes=OPERATOR,
    body=OfficeBody,
)
def put_office(call: Call, office_id: str) -> Any:
    """Create or replace a post office."""
    body: OfficeBody = call.body
    known_commune(call, body.commune_code, body.era)
    created = call.session.network.put_office(call.mode, path_id(office_id), body.model_dump(), call.now)
    return kept(call, "office", office_id, created, body.model_dump(mode="json"))


@route(
    "PUT",
    "/v1/admin/calendars/<calendar_id>",
    tag="operator",
    errors=("calendar_never_opens",),
    out=CalendarKept,
    scopes=OPERATOR,
    body=CalendarBody,
)
def put_calendar(call: Call, calendar_id: str) -> Any:
    """Add a dated week to a calendar, or replace the week of that date."""
    body = call.body.model_dump(mode="json", by_alias=True)
    created = call.session.network.put_calendar(call.mode, path_id(calendar_id), body, call.now)
    return kept(call, "calendar", calendar_id, created, body)


@route(
    "PUT",
    "/v1/admin/couriers/<courier_id>",
    tag="operator",
    errors=("unknown_office", "phone_taken"),
    out=CourierKept,
    names={"courier_id": "/id"},
    scopes=OPERATOR,
    body=CourierBody,
)
def put_courier(call: Call, courier_id: str) -> Any:
    """Create or replace a courier."""
    body: CourierBody = call.body
    office = call.session.network.office(call.mode, body.home_office_id)
    if office is None:
        raise invalid("/home_office_id", "unknown_office", "Không có bưu cục này.", "There is no such post office.")
    others = [courier for courier in call.session.network.couriers_by_phone(body.phone) if courier.mode == call.mode]
    if any(courier.id != courier_id for courier in others):
        raise invalid("/phone", "phone_taken", "Số điện thoại đã có bưu tá khác.", "Another courier has this phone.")
    values = body.model_dump(exclude={"pin", "base"}) | {
        "pin_hash": hasher().hash(body.pin),
        "base_lat": body.base.lat if body.base else office.lat,
        "base_lng": body.base.lng if body.base else office.lng,
        "wrong_pins": 0,
        "locked_until": None,
    }
    created = call.session.network.put_courier(call.mode, path_id(courier_id), values, call.now)
    looks.mark(call.session, call.mode, [body.home_office_id], call.now)
    return kept(call, "courier", courier_id, created, body.model_dump(mode="json", exclude={"pin"}))


@route("PUT", "/v1/admin/shifts/<courier_id>/<day>", tag="operator", out=ShiftKept, scopes=OPERATOR, body=ShiftBody)
def put_shift(call: Call, courier_id: str, day: str) -> Any:
    """Create or replace a courier's shift of one date; equal start and end mean a day off."""
    body: ShiftBody = call.body
    courier = call.session.network.courier(call.mode, courier_id)
    if courier is None:
        raise NotFound(code="not_found", vi="Không có bưu tá này.", en="There is no such courier.")
    try:
        on = date.fromisoformat(day)
    except ValueError as error:
        raise NotFound(code="not_found", vi="Ngày không đúng.", en="Not a date: write YYYY-MM-DD.") from error
    if body.ends_at < body.starts_at:
        raise invalid("/ends_at", "validation_failed", "Ca kết thúc trước khi bắt đầu.", "Ends before it starts.")
    values = {
        "starts_at": body.starts_at,
        "ends_at": body.ends_at,
        "start_lat": body.start.lat if body.start else courier.base_lat,
        "start_lng": body.start.lng if body.start else courier.base_lng,
        "breaks": [item.model_dump(mode="json", by_alias=True) for item in body.breaks],
    }
    created = call.session.network.put_shift(call.mode, courier_id, on, values, call.now)
    looks.mark(call.session, call.mode, [courier.home_office_id], call.now)
    shown = body.model_dump(mode="json", by_alias=True) | {
        "starts_at": local_text(body.starts_at),
        "ends_at": local_text(body.ends_at),
        "breaks": [
            {"from": local_text(rest.from_), "to": local_text(rest.to), "minutes": rest.minutes} for rest in body.breaks
        ],
    }
    return kept(call, "shift", f"{courier_id}/{on}", created, shown)


@route(
    "POST",
    "/v1/admin/keys",
    tag="operator",
    errors=("unknown_shop",),
    out=KeyMade,
    names={"key_id": "/id"},
    scopes=OPERATOR,
    body=KeyBody,
    status=201,
)
def make_key(call: Call) -> Any:
    """Make a key; its secret is shown this once."""
    body: KeyBody = call.body
    if (body.scope == "shop") != (body.shop_id is not None):
        raise invalid(
            "/shop_id", "validation_failed", "Khóa shop cần shop_id.", "A shop key needs shop_id, others none."
        )
    if body.shop_id is not None and call.session.network.shop(body.mode, body.shop_id) is None:
        raise invalid("/shop_id", "unknown_shop", "Không có Bộ phận Một cửa này.", "There is no such shop.")
    secret = new_secret(body.mode)
    key = Key(call.session.new_id("key"), body.mode, body.scope, body.shop_id, None, secret[:9] + "…", None, None, None)
    call.session.access.add_key(key, secret_hash(secret), call.real_now)
    call.session.access.audit(
        body.mode, call.now, call.principal.owner, "key.made", key.id, {"scope": body.scope, "shop_id": body.shop_id}
    )
    made = {"id": key.id, "key": secret, "scope": body.scope, "shop_id": body.shop_id, "mode": body.mode}
    return Answer(made, remembered={**made, "key": None})


@route("DELETE", "/v1/admin/keys/<key_id>", tag="operator", scopes=OPERATOR, status=204)
def revoke_key(call: Call, key_id: str) -> Any:
    """End a key at once."""
    if not call.session.access.revoke_key(call.mode, key_id, call.real_now):
        raise NotFound(code="not_found", vi="Không có khóa này.", en="There is no such live key.")
    call.session.access.audit(call.mode, call.now, call.principal.owner, "key.revoked", key_id, {})
    return None


@route("GET", "/v1/me", tag="shop", out=Me, scopes=("shop", "operator", "courier"))
def me(call: Call) -> Any:
    """Who this key is, in which world, and how much it may ask."""
    who = call.principal
    return {
        "key_id": who.key_id,
        "mode": who.mode,
        "scope": who.scope,
        "scopes": [who.scope],
        "role": who.scope,
        "shop_id": who.shop_id,
        "courier_id": who.courier_id,
        "quota": {"requests_per_second": call.system.settings.rate_limit or None},
    }
