"""Say what stands on the label of a leg; the labels library draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch.domain.errors import Conflict
from dispatch.domain.moves import CALLED_OFF
from dispatch.domain.outward import masked_phone, money_due, tracking_url
from dispatch.domain.sla import Promise
from dispatch.flows.recording import Scene
from labels.model import Document, Label, MoneyLine, Party

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.store import Session
    from dispatch.store.rows import Request, Shop

LINE_NAMES = {
    "postage.pickup": ("Cước nhận gửi", "Postage, collection"),
    "postage.return": ("Cước chuyển trả", "Postage, return"),
    "discount": ("Giảm cước", "Discount"),
    "waiver": ("Miễn cước", "Waiver"),
    "deferral": ("Tạm thời chưa thu", "Deferred"),
    "held": ("Chờ xét", "Held for review"),
    "remittance": ("Cước nộp lại", "Remittance"),
    "state_fee": ("Phí, lệ phí", "State fee"),
    "redirect": ("Chuyển tiếp", "Redirect"),
}


def label_of(session: Session, scene: Scene, index: Index, request: Request, leg_name: str | None = None) -> Label:
    """The label of a request's active leg (or the one named). Raises `Conflict` (`already_ended`)."""
    legs = session.consignments.legs(request.id)
    leg = next(row for row in legs if row.leg == (leg_name or request.active_leg))
    if leg.status in CALLED_OFF:
        # 1033/UBND-PVHCC 8/4/2020 §1 (HG-16): what went out electronically is not carried.
        raise Conflict(
            code="already_ended",
            vi="Chiều này đã hủy hoặc đã trả trực tuyến: không có nhãn.",
            en="This leg was cancelled or answered electronically: it has no label.",
        )
    shop = session.network.shop(request.mode, request.shop_id)
    assert shop is not None, "a request belongs to a shop"
    office = session.network.office(request.mode, request.office_id) if request.office_id else None
    citizen, counter = _citizen(index, request), _counter(index, shop)
    promise = Promise.from_json(leg.promise)
    due = money_due(request.quote, leg.leg)
    told = [line for line in request.quote["lines"] if line["leg"] == leg.leg]
    standing = {code for code in LINE_NAMES if sum(line["amount"] for line in told if line["code"] == code)}
    lines = [line for line in told if line["code"] in standing]
    return Label(
        item_id=leg.item_id,
        kind="pickup" if leg.leg == "pickup" else "return",
        sender=citizen if leg.leg == "pickup" else counter,
        recipient=counter if leg.leg == "pickup" else citizen,
        tracking_url=tracking_url(scene.public_url, leg.item_id, request.tracking_token),
        weight_g=request.body["weight_g"],
        payable_dong=due["postage"] + due["state_fee"],
        external_ref=request.external_ref,
        dossier_code=request.body["dossier"]["code"],
        shop_name=shop.name,
        office_name=office.name if office else "",
        documents=tuple(
            Document(paper["name"], paper["copies"], paper["original"]) for paper in request.body["documents"]
        ),
        money=tuple(MoneyLine(*LINE_NAMES[line["code"]], line["amount"]) for line in lines),
        due_at=promise.due_at,
        due_rule=promise.rule_id,
        delivery_expected_on=promise.delivery_due_on or promise.delivery_expected_on,
        note=request.body["note"].replace("\n", " ").replace("\r", " ").replace("\t", " ")[:160],
        provisional="provisional_tariff" in request.warnings,
        approximate_point=request.address["precision"] != "door",
    )


def _citizen(index: Index, request: Request) -> Party:
    citizen, place = request.body["citizen"], request.address
    raw = citizen["address"].get("raw")
    names = _era_names(index, place.get("commune_code"), place.get("era"))
    return Party(
        name=citizen["name"],
        phone_masked=masked_phone(citizen["phone"]),
        address_lines=(raw,) if raw else (),
        commune_2020=names[0],
        commune_2025=names[1] or ((place.get("today") or {}).get("name") or ""),
    )


def _counter(index: Index, shop: Shop) -> Party:
    names = _era_names(index, shop.commune_code, shop.era)
    return Party(name=shop.name, commune_2020=names[0], commune_2025=names[1])


def _era_names(index: Index, code: str | None, era: str | None) -> tuple[str, str]:
    """How a commune is called on both maps; empty where one map has no single answer."""
    commune = index.gazetteer.get(code, era) if code and era else None
    if commune is None:
        return "", ""
    before, today = index.gazetteer.before(commune), index.gazetteer.today(commune)
    old = before[0].name if len(before) == 1 else ""
    new = today[0].name if len(today) == 1 else ""
    return (commune.name, new) if era == "2020" else (old, commune.name)
