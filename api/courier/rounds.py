"""The courier's calls: sign in, take the day along, bring events and proofs back."""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta
from typing import Annotated, Any

from flask import request as http
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from api.endpoint import Answer, Call, route
from api.problems import HttpProblem, answer
from api.shapes.courier import CourierSession, DayPack, MediaKept, Synced
from dispatch.bootstrap import new_secret, password_fits, secret_hash
from dispatch.domain.errors import DispatchError, Unavailable, invalid
from dispatch.domain.hours import local_date
from dispatch.domain.text import Phone, Shape, local_text
from dispatch.flows import forecasting, learning
from dispatch.flows.fieldwork import CourierEvent, Outcome, day_pack, merge
from dispatch.store.rows import Courier, Key
from dispatch.store.stirred import Stirred

COURIER = ("courier",)
WRONG_PINS = 5
LOCKED_FOR = timedelta(minutes=15)
SIGNED_IN_FOR = timedelta(hours=16)
_MEDIA = ("image/png", "image/jpeg", "image/webp")


class SignIn(Shape):
    """A courier's phone number and PIN."""

    phone: Phone
    pin: Annotated[str, StringConstraints(min_length=1, max_length=20)]


class DayQuery(BaseModel):
    """Which date's pack."""

    model_config = ConfigDict(extra="forbid")

    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class SyncBody(Shape):
    """Events as the phone minted them; each is judged on its own."""

    events: Annotated[list[Any], Field(max_length=1000)]


@route(
    "POST",
    "/v1/courier/sessions",
    tag="courier",
    errors=("wrong_pin", "pin_locked"),
    out=CourierSession,
    scopes=(),
    body=SignIn,
    status=201,
    idempotent=False,
)
def courier_session(call: Call) -> Any:
    """Sign in with phone and PIN; five wrong PINs lock the phone number out for 15 minutes."""
    found = call.session.network.couriers_by_phone(call.body.phone)
    if any(courier.locked_until and courier.locked_until > call.real_now for courier in found):
        raise _locked()
    known = sorted(found, key=lambda courier: courier.mode != "live")
    courier = next((one for one in known if password_fits(one.pin_hash, call.body.pin)), None)
    if courier is None:
        locked = False
        for one in found:
            wrong = one.wrong_pins + 1
            locked = locked or wrong >= WRONG_PINS
            until = call.real_now + LOCKED_FOR if wrong >= WRONG_PINS else None
            call.session.network.note_pin_try(one, 0 if until else wrong, until)
        problem = (
            _locked()
            if locked
            else HttpProblem(401, "wrong_pin", "Số điện thoại hoặc mã PIN không đúng.", "Wrong phone number or PIN.")
        )
        return _refusal(problem)
    call.session.network.note_pin_try(courier, 0, None)
    secret = new_secret(courier.mode)
    ends_at = call.real_now + SIGNED_IN_FOR
    key = Key(
        call.session.new_id("key"), courier.mode, "courier", None, courier.id, secret[:9] + "…", None, ends_at, None
    )
    call.session.access.add_key(key, secret_hash(secret), call.real_now)
    return {
        "token": secret,
        "courier_id": courier.id,
        "name": courier.name,
        "mode": courier.mode,
        "expires_at": local_text(ends_at),
    }


def _locked() -> HttpProblem:
    return HttpProblem(
        429,
        "pin_locked",
        "Sai mã PIN nhiều lần; tạm khóa 15 phút.",
        "Too many wrong PINs; locked for 15 minutes.",
        headers={"Retry-After": str(int(LOCKED_FOR.total_seconds()))},
    )


def _refusal(problem: HttpProblem) -> Answer:
    """A problem that is answered, not raised: the count of wrong PINs must be kept."""
    response = answer(problem)
    headers = {
        name: value for name, value in response.headers.items() if name not in ("Content-Type", "Content-Length")
    }
    return Answer(response.get_data(), problem.status, headers, "application/problem+json")


def _courier(call: Call) -> Courier:
    courier = call.session.network.courier(call.mode, call.principal.courier_id or "")
    if courier is None:
        raise HttpProblem(401, "invalid_key", "Bưu tá này không còn.", "This courier is no longer known.")
    return courier


@route("GET", "/v1/courier/day", tag="courier", out=DayPack, scopes=COURIER, query=DayQuery)
def courier_day(call: Call) -> Any:
    """The whole day's pack, for use without network."""
    day = local_date(call.now)
    if call.query.date is not None:
        try:
            day = date.fromisoformat(call.query.date)
        except ValueError as error:
            raise invalid("/date", "validation_failed", "Ngày không có thật.", "There is no such date.") from error
    return day_pack(call.session, call.system.scene(call.now), _courier(call), day)


@route(
    "POST",
    "/v1/courier/sync",
    tag="courier",
    errors=("test_clock_backwards",),
    out=Synced,
    scopes=COURIER,
    body=SyncBody,
    idempotent=False,
)
def courier_sync(call: Call) -> Any:
    """Bring events back, in any order, any number of times; each is answered on its own."""
    courier, scene, stirred = _courier(call), call.system.scene(call.now), Stirred()
    call.leave()
    results = [_merged(call, courier, item, stirred) for item in call.body.events]
    with call.system.store.begin() as session:
        session.stirred.add(stirred)
        learning.at_call(session, scene, call.system, call.mode)
        forecasting.refresh(session, scene, call.system, call.mode)
    return {"results": [outcome.to_json() for outcome in results], "server_time": local_text(call.now)}


def _merged(call: Call, courier: Courier, item: Any, stirred: Stirred) -> Outcome:
    event_id = item.get("event_id") if isinstance(item, dict) else None
    named = event_id if isinstance(event_id, str) and event_id.isprintable() else ""
    try:
        event = CourierEvent.model_validate(item)
    except ValidationError as error:
        where = "/".join(str(part) for part in error.errors()[0]["loc"])
        return Outcome(named[:64], "rejected", "validation_failed", {"pointer": f"/{where}"})
    for attempt in (1, 2, 3):
        try:
            with call.system.store.begin() as session:
                outcome = merge(session, call.system.scene(call.now), courier, event)
                # What depends on it is foretold once, after all events.
                stirred.add(session.stirred)
                session.stirred.clear()
                return outcome
        except Unavailable as error:
            if error.code != "busy" or attempt == 3:
                raise
        except DispatchError as error:
            if error.permanent:
                return Outcome(event.event_id, "rejected", error.code)
            if attempt == 3:
                raise
    raise AssertionError("every attempt returns or raises")


@route(
    "PUT",
    "/v1/courier/media/<sha256>",
    tag="courier",
    out=MediaKept,
    scopes=COURIER,
    status=201,
    accepts=", ".join(_MEDIA),
    errors=("hash_mismatch", "unsupported_media_type", "validation_failed"),
)
def courier_media(call: Call, sha256: str) -> Any:
    """Bring a photo or signature; it is checked against its hash and kept once."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise invalid("/sha256", "validation_failed", "Mã băm không đúng.", "Not a SHA-256 in hex.")
    if http.mimetype not in _MEDIA:
        raise HttpProblem(415, "unsupported_media_type", "Chỉ nhận ảnh PNG, JPEG, WebP.", "Send PNG, JPEG or WebP.")
    if hashlib.sha256(call.raw).hexdigest() != sha256:
        raise invalid("/sha256", "hash_mismatch", "Nội dung không khớp mã băm.", "The content does not match its hash.")
    courier = _courier(call)
    new = call.session.network.add_media(call.mode, courier.id, sha256, http.mimetype, call.raw, call.real_now)
    return Answer({"sha256": sha256, "size": len(call.raw)}, 201 if new else 200)
