"""A new address before delivery: a new estimate before the collection, a second carriage after it.

Law 49/2010/QH12 art 16: the sender may redirect before delivery, and pays for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dispatch.domain import charging, pricing, sla
from dispatch.domain.errors import Conflict
from dispatch.domain.moves import BEFORE_COLLECTION, CALLED_OFF, GOING_BACK, IN_HAND
from dispatch.domain.text import local_text
from dispatch.flows.aftermath import publish, withdraw
from dispatch.flows.assessing import Assessment, address_json, assess, locate
from dispatch.flows.exceptions import decide
from dispatch.flows.recording import Happening, Scene, leg_name, record
from dispatch.flows.ruling import shop_book

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.domain.consignment import Address, RequestBody
    from dispatch.domain.places import Commune
    from dispatch.flows.assessing import Whereabouts
    from dispatch.store import Session
    from dispatch.store.rows import LegRow, Request, Shop


def redirect(session: Session, scene: Scene, index: Index, request: Request, address: Address, actor: str) -> None:
    """Give a request a new citizen's address.

    Before collection it is assessed anew: price, zone, province, J+n. A return that is under way already is carried a
    second time: `redirect` line, IN_TRANSIT, J+n from now. Raises `Conflict` (`redirect_too_late`) once it is
    delivered, handed over, going back or ended.
    """
    legs = {leg.leg: leg for leg in session.consignments.legs(request.id)}
    active = legs[request.active_leg]
    body = charging.body_of(request)
    moved = body.model_copy(
        update={
            "citizen": body.citizen.model_copy(update={"address": address}),
            "shop_id": request.shop_id,
            "registered_at": body.registered_at or request.created_at,
        }
    )
    waiting = [leg for leg in legs.values() if leg.status in BEFORE_COLLECTION]
    if active.leg == "return" and active.status in IN_HAND:
        _carry_on(session, scene, index, request, moved, actor)
    elif waiting and active.status not in GOING_BACK | CALLED_OFF:
        _assess_anew(session, scene, index, request, waiting, moved, actor)
    else:
        raise Conflict(
            code="redirect_too_late",
            vi="Không đổi địa chỉ được nữa: bưu gửi đã phát, đang chuyển hoàn hoặc yêu cầu đã kết thúc.",
            en="The address cannot be changed any more: delivered, going back, or ended.",
            extra={"status_now": active.status},
        )


def _assess_anew(
    session: Session,
    scene: Scene,
    index: Index,
    request: Request,
    waiting: list[LegRow],
    moved: RequestBody,
    actor: str,
) -> None:
    """Price and promise the legs nobody has collected as if they had been asked for with the new address."""
    started = sla.Promise.from_json(waiting[0].state["promise"]).clock_started_at
    asked = moved.model_copy(update={"notice_at": started})
    decided = assess(session, scene, index, asked, request.mode, None)
    old = request.quote
    quote = _requoted(old, decided, [leg.leg for leg in waiting], scene)
    late = [warning for warning in request.warnings if warning == "late_notice"]
    session.consignments.change(
        request.id,
        body={**request.body, "citizen": moved.model_dump(mode="json", by_alias=True)["citizen"]},
        address=address_json(decided.where.place),
        zone=decided.where.zone,
        citizen_province=decided.where.citizen_province,
        between_major_cities=decided.where.between_major_cities,
        quote=quote,
        warnings=[warning for warning in decided.warnings if warning != "late_notice"] + late,
    )
    for leg in waiting:
        name = leg_name(leg)
        fresh = decided.promises[name].to_json()
        session.consignments.change_leg(
            request.id,
            leg.leg,
            state={**leg.state, "promise": fresh},
            accepting_province=decided.terms.accepting(name),
        )
        if leg.status == "ASSIGNED":  # the round was made for the old address
            record(session, scene, request.mode, request.id, leg.leg, Happening("unassigned", scene.now, actor))
        decide(session, scene, request, leg.leg, "redirected", actor, _addresses(request, moved))
    _tell(session, scene, request, old)


def _requoted(quoted: Mapping[str, Any], decided: Assessment, legs: list[str], scene: Scene) -> dict[str, Any]:
    """The quote with the lines of these legs estimated anew.

    A leg whose charge is fixed, or was decided by a person, keeps its lines and gets the difference as an adjustment.
    """
    estimate = decided.quote.to_json()
    free = [leg for leg in legs if not quoted["charges"][leg]["fixed"] and "review" not in quoted]
    kept = [line for line in quoted["lines"] if line["leg"] not in free]
    added = [line for line in estimate["lines"] if line["leg"] in free]
    charges = {**quoted["charges"], **{leg: estimate["charges"][leg] for leg in free}}
    lines = sorted([*kept, *added], key=lambda line: list(charges).index(line["leg"]))
    quote = pricing.totalled({**quoted, "lines": lines, "charges": charges})
    for leg in legs:
        change = charging.owed(estimate, leg)["postage"] - charging.owed(quoted, leg)["postage"]
        if leg in free or not change:
            continue
        postage = next(line for line in estimate["lines"] if line["leg"] == leg)
        adjustment = {
            "recorded_at": local_text(scene.now),
            "amount": change,
            "reason": "REDIRECTED",
            "basis": postage["basis"],
            "task": "COLLECT" if change > 0 else "REFUND",
            "leg": leg,
            "reprices": leg,
        }
        quote = charging.adjusted(quote, adjustment)
    return quote


def _carry_on(session: Session, scene: Scene, index: Index, request: Request, moved: RequestBody, actor: str) -> None:
    """Send an item that is under way to another address: a second carriage, with a J+n of its own from now."""
    shop = session.network.shop(request.mode, request.shop_id)
    assert shop is not None, "a request keeps its shop"
    before, after = locate(index, charging.body_of(request), shop), locate(index, moved, shop)
    origin, target = _home(index, before, shop), _home(index, after, shop)
    zone = index.gazetteer.zone(origin, target)
    book = shop_book(session, scene, request.mode, request.shop_id)
    days = sla.transit_days(
        book,
        moved,
        "return",
        zone,
        at=scene.now,
        known_at=scene.now,
        between_major_cities=index.gazetteer.major_city(origin) and index.gazetteer.major_city(target),
    )
    quote = charging.redirected(book, request, "return", zone, scene.now)
    review = [warning for warning in request.warnings if warning != "address_needs_review"]
    session.consignments.change(
        request.id,
        body={**request.body, "citizen": moved.model_dump(mode="json", by_alias=True)["citizen"]},
        address=address_json(after.place),
        quote=quote,
        warnings=review if after.place.status == "exact" else [*review, "address_needs_review"],
    )
    withdraw(session, scene, request.id, "return")
    payload = {**_addresses(request, moved), "zone": zone, "transit_days": days}
    decide(session, scene, request, "return", "redirected", actor, payload)
    _tell(session, scene, request, request.quote)


def _home(index: Index, where: Whereabouts, shop: Shop) -> Commune:
    """The commune of an address; one that nobody can place counts as the shop's own."""
    counter = index.gazetteer.get(shop.commune_code, shop.era)
    assert counter is not None, "shops are kept only with a known commune"
    return where.place.commune or where.place.today or counter


def _addresses(request: Request, moved: RequestBody) -> dict[str, Any]:
    return {
        "from": request.body["citizen"]["address"],
        "address": moved.citizen.address.model_dump(mode="json"),
    }


def _tell(session: Session, scene: Scene, request: Request, before: Mapping[str, Any]) -> None:
    """The shop learns of a changed price, and of an address that somebody must look at."""
    fresh = session.consignments.get(request.mode, request.id)
    assert fresh is not None
    types = []
    if fresh.quote["payable_by_citizen"] != before["payable_by_citizen"] or fresh.quote["lines"] != before["lines"]:
        types.append(("fee.corrected", scene.now))
    if "address_needs_review" in fresh.warnings:
        types.append(("address.needs_review", scene.now))
    publish(session, scene, request.mode, request.id, types)
