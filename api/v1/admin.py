"""What the operator keeps: shops, offices, calendars, couriers, shifts, keys; and who am I."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from api.endpoint import Answer, Call, route
from dispatch.bootstrap import hasher, new_secret, secret_hash
from dispatch.domain.consignment import Era
from dispatch.domain.errors import NotFound, invalid
from dispatch.domain.hours import CalendarBody
from dispatch.domain.text import CommuneCode, Instant, Latitude, Longitude, Name, Phone, ProvinceCode, Shape, Word
from dispatch.store.rows import Key

OPERATOR = ("operator",)
_WORD = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,79}$"


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class Room(Shape):
    """A waiting room with a capacity (905/UBND-PVHCC 30/3/2020 §2.1: not more than 20 people at one time)."""

    id: Word
    capacity: Annotated[int, Field(ge=1, le=10_000)]
    slot_minutes: Annotated[int, Field(ge=1, le=480)]


class ShopBody(Shape):
    """A one-stop shop."""

    name: Name
    province_code: ProvinceCode
    commune_code: CommuneCode
    era: Era
    lat: Latitude
    lng: Longitude
    level: Annotated[Literal["PROVINCE", "DISTRICT", "COMMUNE"], BeforeValidator(_upper)]
    hours_profile: Word = "OSS-DEFAULT"
    rooms: Annotated[list[Room], Field(max_length=50)] = []
    refuses_paper_from: date | None = None


class OfficeBody(Shape):
    """A post office."""

    name: Name
    province_code: ProvinceCode
    commune_code: CommuneCode
    era: Era
    lat: Latitude
    lng: Longitude
    hours_profile: Word = "POST-DEFAULT"


class Point(Shape):
    """A point on the map, WGS84 degrees."""

    lat: Latitude
    lng: Longitude


class CommuneRef(Shape):
    """A commune by code and era."""

    code: CommuneCode
    era: Era


class CourierBody(Shape):
    """A courier; `pin` is kept as an argon2 hash only."""

    name: Name
    phone: Phone
    pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")]
    home_office_id: Word
    skills: Annotated[list[Word], Field(max_length=30)] = []
    capacity_items: Annotated[int, Field(ge=0, le=10_000)] = 40
    vehicle: Word = "MOTORBIKE"
    base: Point | None = None
    communes: Annotated[list[CommuneRef | CommuneCode], Field(max_length=400)] = []


class Break(Shape):
    """A rest: it starts inside the window and lasts so many minutes."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    minutes: Annotated[int, Field(ge=1, le=240)]


class ShiftBody(Shape):
    """When and from where a courier rides on one date."""

    starts_at: Instant
    ends_at: Instant
    start: Point | None = None
    breaks: Annotated[list[Break], Field(max_length=10)] = []


class KeyBody(Shape):
    """A key to make."""

    scope: Literal["shop", "operator"]
    shop_id: Word | None = None
    mode: Literal["live", "test"]


def _known_commune(call: Call, code: str, era: str) -> None:
    if call.system.places.gazetteer.get(code, era) is None:
        raise invalid(
            "/commune_code",
            "unknown_commune",
            f"Không có xã, phường mã {code} trên bản đồ {era}.",
            f"No commune has the code {code} on the map of {era}.",
        )


def _path_id(value: str) -> str:
    if not re.fullmatch(_WORD, value):
        raise invalid("/id", "validation_failed", "Mã không đúng mẫu.", "The id may hold letters, digits and . _ : @ -")
    return value


def _kept(call: Call, kind: str, target: str, created: bool, body: dict[str, Any]) -> Answer:
    call.session.access.audit(call.mode, call.now, call.principal.owner, f"{kind}.put", target, {"created": created})
    return Answer({"id": target, "mode": call.mode, **body}, 201 if created else 200)


@route("PUT", "/v1/admin/shops/<shop_id>", tag="operator", scopes=OPERATOR, body=ShopBody)
def put_shop(call: Call, shop_id: str) -> Any:
    """Create or replace a one-stop shop."""
    body: ShopBody = call.body
    _known_commune(call, body.commune_code, body.era)
    values = body.model_dump()
    created = call.session.network.put_shop(call.mode, _path_id(shop_id), values, call.now)
    return _kept(call, "shop", shop_id, created, body.model_dump(mode="json"))


@route("PUT", "/v1/admin/offices/<office_id>", tag="operator", scopes=OPERATOR, body=OfficeBody)
def put_office(call: Call, office_id: str) -> Any:
    """Create or replace a post office."""
    body: OfficeBody = call.body
    _known_commune(call, body.commune_code, body.era)
    created = call.session.network.put_office(call.mode, _path_id(office_id), body.model_dump(), call.now)
    return _kept(call, "office", office_id, created, body.model_dump(mode="json"))


@route("PUT", "/v1/admin/calendars/<calendar_id>", tag="operator", scopes=OPERATOR, body=CalendarBody)
def put_calendar(call: Call, calendar_id: str) -> Any:
    """Create or replace a calendar."""
    body = call.body.model_dump(mode="json", by_alias=True)
    created = call.session.network.put_calendar(call.mode, _path_id(calendar_id), body, call.now)
    return _kept(call, "calendar", calendar_id, created, body)


@route("PUT", "/v1/admin/couriers/<courier_id>", tag="operator", scopes=OPERATOR, body=CourierBody)
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
    created = call.session.network.put_courier(call.mode, _path_id(courier_id), values, call.now)
    return _kept(call, "courier", courier_id, created, body.model_dump(mode="json", exclude={"pin"}))


@route("PUT", "/v1/admin/shifts/<courier_id>/<day>", tag="operator", scopes=OPERATOR, body=ShiftBody)
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
    return _kept(call, "shift", f"{courier_id}/{on}", created, body.model_dump(mode="json", by_alias=True))


@route("POST", "/v1/admin/keys", tag="operator", scopes=OPERATOR, body=KeyBody, status=201)
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
    if not call.session.access.revoke_key(key_id, call.real_now):
        raise NotFound(code="not_found", vi="Không có khóa này.", en="There is no such live key.")
    call.session.access.audit(call.mode, call.now, call.principal.owner, "key.revoked", key_id, {})
    return None


@route("GET", "/v1/me", tag="shop", scopes=("shop", "operator", "courier"))
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
