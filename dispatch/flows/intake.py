"""Take a request and keep it; take it back; wake its return leg. The shop is told in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dispatch.domain import charging
from dispatch.domain.consignment import Leg, RequestBody
from dispatch.domain.errors import Conflict, invalid
from dispatch.domain.outward import request_json
from dispatch.domain.text import local_text
from dispatch.flows import looks, notifying
from dispatch.flows.assessing import NOTICE_AHEAD, Assessment, address_json, assess
from dispatch.flows.recording import Happening, Scene, next_check_at, record
from labels import codes

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.store import Session
    from dispatch.store.rows import LegRow, Request, Shop

TEST_PREFIX = "ZZ"
"""Item numbers of the test world: a service indicator the UPU keeps for national use, never on a real item of ours."""


@dataclass(frozen=True)
class Prepared:
    """A request as it will be kept, nothing of it stored yet; `forecasts` are the first lines of its history."""

    request: Request
    legs: tuple[LegRow, ...]
    actor: str
    look_again_at: datetime
    forecasts: tuple[dict[str, Any], ...] = ()


def accept(
    session: Session,
    scene: Scene,
    index: Index,
    body: RequestBody,
    mode: str,
    own_shop_id: str | None,
    actor: str,
    item_prefix: str,
    *,
    item_id: str | None = None,
) -> Request:
    """Keep a request with its price, its promise and its first event; the shop is told in the same transaction.

    `item_id`: the number of the item on its first leg, where the shop brings one that nobody has used.
    """
    prepared = prepare(session, scene, index, body, mode, own_shop_id, actor, item_prefix)
    if item_id is not None:
        first, *others = prepared.legs
        prepared = replace(prepared, legs=(replace(first, item_id=item_id), *others))
    keep(session, scene, prepared)
    session.stirred.request_ids.add(prepared.request.id)
    return prepared.request


def prepare(
    session: Session,
    scene: Scene,
    index: Index,
    body: RequestBody,
    mode: str,
    own_shop_id: str | None,
    actor: str,
    item_prefix: str,
) -> Prepared:
    """Judge a request and give it its numbers; raises `Invalid` where it must be refused."""
    decided = judge(session, scene, index, body, mode, own_shop_id)
    shop = decided.shop
    request_id = session.new_id("req")
    prefix = item_prefix if mode == "live" else TEST_PREFIX
    serials = session.consignments.next_serials(mode, len(body.legs))
    legs = tuple(
        _leg_row(session, request_id, leg, shop, decided, codes.build(prefix, serial), asleep=asleep)
        for leg, serial, asleep in zip(body.legs, serials, (False, body.kind == "two_way"), strict=False)
    )
    return Prepared(_request_row(session, scene, request_id, body, mode, decided), legs, actor, scene.now)


def keep(session: Session, scene: Scene, prepared: Prepared, answer: dict[str, Any] | None = None) -> bool:
    """Store a request with its first events, tell its shop, and remember the call's answer, all in one statement.

    False where another call has just been answered under that key: then all of it must be taken back. Raises
    `Conflict` `duplicate_external_ref` where the natural key is taken.
    """
    request = prepared.request
    told = ["request.created", "fee.assessed"]
    if "address_needs_review" in request.warnings:
        told.append("address.needs_review")
    feed, deliveries = notifying.of_new(
        session, request, told, scene.now, request_json(request, prepared.legs, scene.public_url)
    )
    taken = session.intake.keep(
        request,
        prepared.legs,
        prepared.look_again_at,
        events=[_created(session, scene, request, leg.leg, prepared.actor) for leg in prepared.legs],
        feed=feed,
        deliveries=deliveries,
        forecasts=list(prepared.forecasts),
        idempotency=[answer] if answer else [],
    )
    if not taken.request:
        existing = session.consignments.by_reference(request.mode, request.shop_id, request.kind, request.external_ref)
        assert existing is not None, "what is in the way is there to be seen"
        raise duplicate_reference(existing)
    looks.mark(session, request.mode, [request.office_id], scene.now)
    return answer is None or taken.answer


def judge(
    session: Session, scene: Scene, index: Index, body: RequestBody, mode: str, own_shop_id: str | None
) -> Assessment:
    """What is decided about a request before it is kept; raises `Invalid` for what is refused."""
    decided = assess(session, scene, index, body, mode, own_shop_id)
    if "STATE_FEE_NEEDS_MANDATE" in decided.quote.reasons:
        raise invalid(
            "/state_fee/mandate_id",
            "mandate_required",
            "Thu hộ phí, lệ phí ở tỉnh này cần văn bản ủy quyền thu.",
            "Collecting a state fee in this province needs a written mandate.",
        )
    return decided


def hold_reference(session: Session, mode: str, shop_id: str, kind: str, external_ref: str) -> None:
    """Keep other holders of a natural key away until this transaction ends, waiting for who holds it.

    For those who make many requests in one transaction; who makes one alone is told by the database.
    """
    session.lock(f"reference:{mode}:{shop_id}:{kind}:{external_ref}")


def refuse_taken(session: Session, mode: str, shop_id: str, body: RequestBody) -> None:
    """Raise `Conflict` (`duplicate_external_ref`) where a request of the shop has this natural key."""
    existing = session.consignments.by_reference(mode, shop_id, body.kind, body.external_ref)
    if existing is not None:
        raise duplicate_reference(existing)


def _created(session: Session, scene: Scene, request: Request, leg: str, actor: str) -> dict[str, Any]:
    return {
        "id": session.new_id("evt"),
        "mode": request.mode,
        "request_id": request.id,
        "leg": leg,
        "type": "created",
        "occurred_at": scene.now,
        "recorded_at": scene.now,
        "actor": actor,
        "payload": {},
    }


def _request_row(
    session: Session, scene: Scene, request_id: str, body: RequestBody, mode: str, decided: Assessment
) -> Request:
    return session.intake.request(
        id=request_id,
        mode=mode,
        shop_id=decided.shop.id,
        external_ref=body.external_ref,
        kind=body.kind,
        active_leg=body.legs[0],
        status="REQUESTED",
        body=_confirmed(body, scene.now).model_dump(mode="json", by_alias=True),
        address=address_json(decided.where.place),
        zone=decided.where.zone,
        office_id=decided.office.id if decided.office else None,
        quote=decided.quote.to_json(),
        return_mode=decided.return_mode,
        authority_due_on=decided.authority_due_on,
        warnings=decided.warnings,
        tracking_token=session.new_token(),
        shop_province=decided.where.shop_province,
        citizen_province=decided.where.citizen_province,
        between_major_cities=decided.where.between_major_cities,
        version=1,
        last_at=scene.now,
        created_at=scene.now,
        updated_at=scene.now,
    )


def _confirmed(body: RequestBody, at: datetime) -> RequestBody:
    """The body with the instant of the officer's word filled in where it names none (KH-03: flag, officer and time)."""
    if body.officer is None or body.officer.at is not None:
        return body
    return body.model_copy(update={"officer": body.officer.model_copy(update={"at": at})})


def duplicate_reference(existing_id: str) -> Conflict:
    """The answer for a natural key that is taken."""
    return Conflict(
        code="duplicate_external_ref",
        vi="Mã tham chiếu này đã có yêu cầu cùng loại.",
        en="A request of this kind has this reference already.",
        extra={"existing_id": existing_id},
    )


def _leg_row(
    session: Session, request_id: str, leg: Leg, shop: Shop, decided: Assessment, item_id: str, *, asleep: bool
) -> LegRow:
    promise = decided.promises[leg]
    shown = promise.to_json()
    return session.intake.leg(
        request_id=request_id,
        leg=leg,
        mode=shop.mode,
        shop_id=shop.id,
        item_id=item_id,
        status="REQUESTED",
        substatus=None,
        asleep=asleep,
        closed=False,
        promise=shown,
        promise_state=promise.state,
        due_at=promise.due_at,
        next_check_at=None if asleep else next_check_at(promise),
        state={"promise": shown},
        courier_id=None,
        planned_at=None,
        accepting_province=decided.terms.accepting(leg),
        charged_at=None,
        predicted=None,
        in_danger=False,
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
    body = charging.body_of(request)
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
        warnings=list(dict.fromkeys([*request.warnings, *(w for w in decided.warnings if w == "late_notice")])),
        version=request.version + 1,
        last_at=max(request.last_at, scene.now),
        updated_at=max(request.updated_at, scene.now),
    )
    looks.mark(session, request.mode, [request.office_id], scene.now)
