"""Take a request: check it, find the place, price it, promise it, keep it, tell the shop."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain import addresses, pricing, sla
from dispatch.domain.consignment import Leg, QuoteBody, RequestBody
from dispatch.domain.errors import Conflict, invalid
from dispatch.domain.hours import Calendar, local_date
from dispatch.domain.outward import request_json
from dispatch.domain.pricing import Quote
from dispatch.domain.result import authority_due_on, return_mode
from dispatch.domain.sla import Promise
from dispatch.domain.text import local_text
from dispatch.flows import notifying
from dispatch.flows.recording import Happening, Scene, next_check_at, record
from labels import codes
from labels.errors import LabelError

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index, Resolved
    from dispatch.domain.places import Commune
    from dispatch.store import Session
    from dispatch.store.rows import Request, Shop

NOTICE_AHEAD = timedelta(minutes=5)
NOTICE_LATE = timedelta(minutes=15)
TEST_PREFIX = "ZZ"
"""Item numbers of the test world: a service indicator the UPU keeps for national use, never on a real item of ours."""


@dataclass(frozen=True)
class Assessment:
    """Everything decided about a request before anything is stored."""

    shop: Shop
    quote: Quote
    promises: dict[Leg, Promise]
    place: Resolved
    zone: str
    province_code: str | None
    return_mode: str
    authority_due_on: date | None
    warnings: list[str]
    clock_started_at: datetime

    def to_json(self, kind: str) -> dict[str, Any]:
        """The answer of `POST /v1/quotes`."""
        awake = [leg for leg in self.promises if not (kind == "two_way" and leg == "return")]
        unknown: dict[str, Any] = {"p50": None, "p90": None, "breach_probability": None, "causes": []}
        return {
            "kind": kind,
            "province_code": self.province_code,
            "quote": self.quote.to_json(),
            "promise": [{**self.promises[leg].to_json(), "predicted": unknown} for leg in awake],
            "return_mode": self.return_mode,
            "authority_due_on": None if self.authority_due_on is None else self.authority_due_on.isoformat(),
            "address": address_json(self.place),
            "warnings": self.warnings,
        }


def shop_calendar(session: Session, scene: Scene, shop: Shop) -> Calendar:
    """The calendar a shop follows: the operator's own of that id, else a built-in one, else OSS-DEFAULT."""
    kept = session.network.calendar(shop.mode, shop.hours_profile)
    if kept is not None:
        return Calendar.from_body(shop.hours_profile, kept, scene.book.holidays)
    return scene.book.calendars.get(shop.hours_profile) or scene.book.calendars["OSS-DEFAULT"]


def assess(
    session: Session, scene: Scene, index: Index, body: QuoteBody, mode: str, own_shop_id: str | None
) -> Assessment:
    """Price and promise a request without storing anything; raises `Invalid` with the code of docs/api.md."""
    shop = _shop(session, body, mode, own_shop_id)
    _refuse(session, scene, body, mode)
    notice_at = body.notice_at or scene.now
    if notice_at > scene.now + NOTICE_AHEAD:
        raise invalid(
            "/notice_at",
            "notice_in_future",
            "Thời điểm điều tin ở tương lai hơn 5 phút.",
            "The notice lies more than five minutes in the future.",
        )
    written = body.citizen.address
    place = addresses.resolve(index, written.raw, written.commune_code, written.era, written.lat, written.lng)
    gazetteer = index.gazetteer
    shop_commune = gazetteer.get(shop.commune_code, shop.era)
    assert shop_commune is not None, "shops are kept only with a known commune"
    citizen_commune = place.commune or place.today or shop_commune
    zone = gazetteer.zone(shop_commune, citizen_commune)
    shop_province = gazetteer.province_2020(shop_commune)
    citizen_province = gazetteer.province_2020(citizen_commune)
    quote = pricing.quote(
        scene.book,
        body,
        shop_province=shop_province,
        citizen_province=citizen_province,
        zone=zone,
        at=scene.now,
        known_at=scene.now,
    )
    promises: dict[Leg, Promise] = {}
    calendar = shop_calendar(session, scene, shop)
    for leg in body.legs:
        promises[leg] = sla.start(
            scene.book,
            body,
            leg,
            province_code=citizen_province if leg == "pickup" else shop_province,
            zone=zone,
            clock_started_at=notice_at,
            known_at=scene.now,
            shop_calendar=calendar,
            between_major_cities=gazetteer.major_city(shop_commune) and gazetteer.major_city(citizen_commune),
        )
    found: list[str] = list(pricing.warnings(scene.book, quote, promises.values(), at=scene.now))
    if scene.now - notice_at > NOTICE_LATE:
        found.append("late_notice")
    if place.status != "exact":
        found.append("address_needs_review")
    first = body.legs[0]
    return Assessment(
        shop=shop,
        quote=quote,
        promises=promises,
        place=place,
        zone=zone,
        province_code=promises[first].province_code,
        return_mode=return_mode(body),
        authority_due_on=authority_due_on(scene.book, body, province_code=shop_province, known_at=scene.now),
        warnings=found,
        clock_started_at=notice_at,
    )


def _shop(session: Session, body: QuoteBody, mode: str, own_shop_id: str | None) -> Shop:
    wanted = body.shop_id or own_shop_id
    shop = session.network.shop(mode, wanted) if wanted and own_shop_id in (None, wanted) else None
    if shop is None:
        raise invalid(
            "/shop_id", "unknown_shop", "Không có Bộ phận Một cửa mang mã này.", "No shop of yours has this id."
        )
    return shop


def _refuse(session: Session, scene: Scene, body: QuoteBody, mode: str) -> None:
    """The refusals of docs/api.md; everything else only warns (Law 49/2010/QH12 art 33.10: the post may not refuse)."""
    try:
        codes.validate_dossier_code(body.dossier.code)
    except LabelError as error:
        raise invalid(
            "/dossier/code", "invalid_dossier_code", "Mã hồ sơ không đúng mẫu.", f"Not a dossier code: {error}"
        ) from error
    if body.dossier.presence_required:
        # QĐ 45/2016/QĐ-TTg art 1.2: not for procedures that require the person to be there.
        raise invalid(
            "/dossier/presence_required",
            "presence_required",
            "Thủ tục buộc người dân có mặt; bưu điện không nhận thay.",
            "The procedure requires the person's presence; the post may not stand in.",
        )
    if body.party == "AGENCY" and body.recipient_id is not None and body.override is None:
        recipient = session.network.shop(mode, body.recipient_id)
        closed_from = recipient.refuses_paper_from if recipient else None
        if closed_from is not None and local_date(scene.now) >= closed_from:
            # 1033/UBND-PVHCC 8/4/2020 §2: the provincial Office takes electronic dossiers only.
            raise invalid(
                "/recipient_id",
                "recipient_refuses_paper",
                "Cơ quan nhận không nhận hồ sơ giấy.",
                "The receiving agency takes no paper.",
            )


def address_json(place: Resolved) -> dict[str, Any]:
    """The `address` object of docs/api.md."""

    def named(commune: Commune, score: float | None = None) -> dict[str, Any]:
        shown: dict[str, Any] = {"commune_code": commune.code, "era": commune.era, "name": commune.name}
        if score is not None:
            shown |= {"score": score, "province": commune.province_name, "district": commune.district_name}
        return shown

    return {
        "status": place.status,
        "commune_code": place.commune.code if place.commune else None,
        "era": place.commune.era if place.commune else None,
        "name": place.commune.name if place.commune else None,
        "today": named(place.today) if place.today else None,
        "candidates": [named(commune, score) for commune, score in place.candidates],
        "lat": place.lat,
        "lng": place.lng,
        "precision": place.precision,
    }


def accept(
    session: Session,
    scene: Scene,
    index: Index,
    body: RequestBody,
    mode: str,
    own_shop_id: str | None,
    actor: str,
    item_prefix: str,
) -> Request:
    """Keep a request with its price, its promise and its first event; the shop is told in the same transaction."""
    decided = assess(session, scene, index, body, mode, own_shop_id)
    shop = decided.shop
    if "STATE_FEE_NEEDS_MANDATE" in decided.quote.reasons:
        raise invalid(
            "/state_fee/mandate_id",
            "mandate_required",
            "Thu hộ phí, lệ phí ở tỉnh này cần văn bản ủy quyền thu.",
            "Collecting a state fee in this province needs a written mandate.",
        )
    session.lock(f"reference:{mode}:{shop.id}:{body.kind}:{body.external_ref}")
    existing = session.consignments.by_reference(mode, shop.id, body.kind, body.external_ref)
    if existing is not None:
        raise duplicate_reference(existing)
    request_id = session.new_id("req")
    prefix = item_prefix if mode == "live" else TEST_PREFIX
    legs = [
        _leg_row(session, request_id, leg, shop, decided, prefix, asleep=leg == "return" and body.kind == "two_way")
        for leg in body.legs
    ]
    session.consignments.add(
        {
            "id": request_id,
            "mode": mode,
            "shop_id": shop.id,
            "external_ref": body.external_ref,
            "kind": body.kind,
            "active_leg": body.legs[0],
            "status": "REQUESTED",
            "body": body.model_dump(mode="json", by_alias=True),
            "address": address_json(decided.place),
            "zone": decided.zone,
            "office_id": _office(session, mode, decided),
            "quote": decided.quote.to_json(),
            "return_mode": decided.return_mode,
            "authority_due_on": decided.authority_due_on,
            "warnings": decided.warnings,
            "tracking_token": session.new_token(),
            "version": 1,
            "last_at": scene.now,
            "created_at": scene.now,
            "updated_at": scene.now,
        },
        legs,
    )
    for leg in body.legs:
        session.consignments.add_event(
            id=session.new_id("evt"),
            mode=mode,
            request_id=request_id,
            leg=leg,
            type="created",
            occurred_at=scene.now,
            recorded_at=scene.now,
            actor=actor,
            payload={},
        )
    request = session.consignments.get(mode, request_id)
    assert request is not None
    _announce(session, scene, request, decided)
    return request


def duplicate_reference(existing_id: str) -> Conflict:
    """The answer for a natural key that is taken."""
    return Conflict(
        code="duplicate_external_ref",
        vi="Mã tham chiếu này đã có yêu cầu cùng loại.",
        en="A request of this kind has this reference already.",
        extra={"existing_id": existing_id},
    )


def _leg_row(
    session: Session, request_id: str, leg: Leg, shop: Shop, decided: Assessment, prefix: str, *, asleep: bool
) -> dict[str, Any]:
    promise = decided.promises[leg]
    shown = promise.to_json()
    return {
        "request_id": request_id,
        "leg": leg,
        "mode": shop.mode,
        "shop_id": shop.id,
        "item_id": codes.build(prefix, session.consignments.next_serial(shop.mode)),
        "status": "REQUESTED",
        "substatus": None,
        "asleep": asleep,
        "closed": False,
        "promise": shown,
        "promise_state": promise.state,
        "due_at": promise.due_at,
        "next_check_at": None if asleep else next_check_at(promise),
        "state": {"promise": shown},
        "courier_id": None,
        "planned_at": None,
    }


def _office(session: Session, mode: str, decided: Assessment) -> str | None:
    """The post office that will answer for a request: the one nearest to the shop."""
    offices = session.network.offices(mode)
    if not offices:
        return None
    shop = decided.shop
    return min(offices, key=lambda office: ((office.lat - shop.lat) ** 2 + (office.lng - shop.lng) ** 2, office.id)).id


def _announce(session: Session, scene: Scene, request: Request, decided: Assessment) -> None:
    types = ["request.created", "fee.assessed"]
    if "address_needs_review" in decided.warnings:
        types.append("address.needs_review")
    data = request_json(request, session.consignments.legs(request.id), scene.public_url)
    for kind in types:
        notifying.publish(
            session,
            mode=request.mode,
            shop_id=request.shop_id,
            type=kind,
            request_id=request.id,
            occurred_at=scene.now,
            now=scene.now,
            data=data,
        )


def cancel(session: Session, scene: Scene, request: Request, actor: str, reason: str) -> None:
    """Take a request back; possible until the dossier was collected (then `already_collected`)."""
    _end(session, scene, request, Happening("cancelled", scene.now, actor, payload={"reason": reason}))


def e_returned(session: Session, scene: Scene, request: Request, actor: str, at: datetime) -> None:
    """The result went out electronically (1033/UBND-PVHCC 8/4/2020 §1): the return leg ends without a fee."""
    if request.kind == "pickup":
        raise Conflict(
            code="no_return_leg", vi="Yêu cầu này không có chiều trả kết quả.", en="This request has no return leg."
        )
    _end(session, scene, request, Happening("e_returned", scene.now, actor, payload={"at": local_text(at)}), "return")


def _end(session: Session, scene: Scene, request: Request, happening: Happening, leg_name: str | None = None) -> None:
    legs = session.consignments.legs(request.id)
    open_legs = [leg for leg in legs if not leg.closed and leg_name in (None, leg.leg)]
    free = [leg for leg in open_legs if leg.promise.get("delivery_due_on") is None]
    if not free:
        collected = any(leg.promise.get("delivery_due_on") for leg in legs)
        raise Conflict(
            code="already_collected" if collected else "already_ended",
            vi="Bưu điện đã lấy hồ sơ hoặc yêu cầu đã kết thúc.",
            en="The dossier was collected already, or the request has ended.",
        )
    for leg in free:
        record(session, scene, request.mode, request.id, leg.leg, happening)


def wake_return(session: Session, scene: Scene, index: Index, request: Request, notice_at: datetime) -> None:
    """The result of a two-way request is ready: its return leg wakes and its clock starts at the notice."""
    leg = next((row for row in session.consignments.legs(request.id) if row.leg == "return" and row.asleep), None)
    if leg is None:
        raise Conflict(
            code="not_waiting_for_result",
            vi="Yêu cầu này không chờ kết quả.",
            en="This request is not waiting for a result.",
        )
    if notice_at > scene.now + NOTICE_AHEAD:
        raise invalid("/notice_at", "notice_in_future", "Thời điểm ở tương lai.", "The notice lies in the future.")
    body = RequestBody.model_validate_json(json.dumps(request.body))
    decided = assess(
        session, scene, index, body.model_copy(update={"notice_at": notice_at}), request.mode, request.shop_id
    )
    promise = decided.promises["return"]
    session.consignments.change_leg(
        request.id,
        "return",
        asleep=False,
        promise=promise.to_json(),
        promise_state=promise.state,
        due_at=promise.due_at,
        next_check_at=next_check_at(promise),
        state={"promise": promise.to_json()},
    )
    session.consignments.change(
        request.id,
        active_leg="return",
        status="REQUESTED",
        version=request.version + 1,
        last_at=max(request.last_at, scene.now),
        updated_at=max(request.updated_at, scene.now),
    )
