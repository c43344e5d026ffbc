"""Judge a request before anything is stored: whose it is, where it goes, what it costs, when it is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain import addresses, pricing, sla
from dispatch.domain.consignment import Leg, QuoteBody
from dispatch.domain.errors import invalid
from dispatch.domain.forecasts import UNKNOWN
from dispatch.domain.hours import local_date
from dispatch.domain.places import office_for
from dispatch.domain.pricing import Quote, Terms
from dispatch.domain.reductions import officer_missing
from dispatch.domain.result import authority_due_on, hints, return_mode, return_rule
from dispatch.domain.sla import Promise
from dispatch.flows.calendars import calendar_of
from dispatch.flows.learnt import known_door
from dispatch.flows.recording import Scene
from dispatch.flows.ruling import shop_book
from labels import codes
from labels.errors import LabelError

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index, Resolved
    from dispatch.domain.places import Commune, Zone
    from dispatch.domain.rules import PolicyBook
    from dispatch.store import Session
    from dispatch.store.rows import Office, Shop

NOTICE_AHEAD = timedelta(minutes=5)
NOTICE_LATE = timedelta(minutes=15)


@dataclass(frozen=True)
class Whereabouts:
    """Both ends of a request on the map of 2020, where the tariff's zones and the provinces' rules are drawn."""

    place: Resolved
    zone: Zone
    shop_province: str | None
    citizen_province: str | None
    between_major_cities: bool

    def province_of(self, leg: Leg) -> str | None:
        """The province whose promise rules decide: the pickup commune's, or the shop's for the return."""
        return self.citizen_province if leg == "pickup" else self.shop_province


@dataclass(frozen=True)
class Assessment:
    """Everything decided about a request before anything is stored."""

    shop: Shop
    quote: Quote
    promises: dict[Leg, Promise]
    where: Whereabouts
    office: Office | None
    terms: Terms
    return_mode: str
    authority_due_on: date | None
    warnings: list[str]

    def to_json(self, kind: str, predicted: Mapping[Leg, dict[str, Any]]) -> dict[str, Any]:
        """The answer of `POST /v1/quotes`; `predicted` is what is foretold of its legs, as far as anything is."""
        legs = list(self.promises)
        awake = [leg for leg in self.promises if not (kind == "two_way" and leg == "return")]
        return {
            "kind": kind,
            "province_code": self.where.province_of(legs[0]),
            "quote": self.quote.to_json(),
            "promise": [{**self.promises[leg].to_json(), "predicted": predicted.get(leg, UNKNOWN)} for leg in awake],
            "return_mode": self.return_mode,
            "authority_due_on": None if self.authority_due_on is None else self.authority_due_on.isoformat(),
            "address": address_json(self.where.place),
            "warnings": self.warnings,
        }


def locate(index: Index, body: QuoteBody, shop: Shop) -> Whereabouts:
    """Find the citizen's commune and measure it against the shop's.

    An address that cannot be resolved is counted as the shop's own commune; the caller warns `address_needs_review`.
    """
    written, gazetteer = body.citizen.address, index.gazetteer
    place = addresses.resolve(index, written.raw, written.commune_code, written.era, written.lat, written.lng)
    counter = gazetteer.get(shop.commune_code, shop.era)
    assert counter is not None, "shops are kept only with a known commune"
    home = place.commune or place.today or counter
    return Whereabouts(
        place,
        gazetteer.zone(counter, home),
        gazetteer.province_2020(counter),
        gazetteer.province_2020(home),
        gazetteer.major_city(counter) and gazetteer.major_city(home),
    )


def _at_known_door(session: Session, body: QuoteBody, shop: Shop, where: Whereabouts) -> Whereabouts:
    """With the point where couriers have found this door, if nothing better than its commune's is known."""
    place, citizen = where.place, body.citizen
    if place.precision == "door":
        return where
    commune = place.commune or place.today
    door = known_door(session, shop.mode, citizen.address.raw, commune.code if commune else None, citizen.phone)
    if door is None:
        return where
    return replace(where, place=replace(place, lat=door[0], lng=door[1], precision="learnt"))


def assess(
    session: Session, scene: Scene, index: Index, body: QuoteBody, mode: str, own_shop_id: str | None
) -> Assessment:
    """Price and promise a request without storing anything; raises `Invalid` with the code of docs/api.md."""
    shop = _shop(session, body, mode, own_shop_id)
    _refuse(session, scene, body, mode, shop, by_operator=own_shop_id is None)
    notice_at = body.notice_at or scene.now
    if notice_at > scene.now + NOTICE_AHEAD:
        raise invalid(
            "/notice_at",
            "notice_in_future",
            "Thời điểm điều tin ở tương lai hơn 5 phút.",
            "The notice lies more than five minutes in the future.",
        )
    where = _at_known_door(session, body, shop, locate(index, body, shop))
    book = shop_book(session, scene, shop.mode, shop.id)
    registered_at = body.registered_at or scene.now
    terms = Terms(where.shop_province, where.citizen_province, where.zone, registered_at)
    _require_officer(book, body, terms, scene.now)
    office = _office(session, index, body, shop, where)
    promises = _promises(session, scene, book, body, shop, office, where, notice_at)
    quote = pricing.quote(book, body, terms, at=scene.now, known_at=scene.now)
    returned_by = return_rule(book, body, province_code=where.shop_province, at=scene.now)
    hinted = hints(book, body, province_code=where.shop_province, at=scene.now)
    applied = [(rule, local_date(scene.now)) for rule, _ in hinted]
    if returned_by is not None:
        applied.append((returned_by, local_date(scene.now)))
    for promise in promises.values():
        if (promised := book.rule(promise.rule_id)) is not None:
            applied.append((promised, local_date(promise.clock_started_at)))
    found: list[str] = list(pricing.warnings(book, quote, applied, at=scene.now))
    found += [warning for _, warning in hinted]
    if scene.now - notice_at > NOTICE_LATE:
        found.append("late_notice")
    if where.place.status != "exact" or _contradicted(index, body, where):
        found.append("address_needs_review")
    return Assessment(
        shop=shop,
        quote=quote,
        promises=promises,
        where=where,
        office=office,
        terms=terms,
        return_mode=return_mode(body, returned_by),
        authority_due_on=authority_due_on(book, body, province_code=where.shop_province, known_at=scene.now),
        warnings=found,
    )


def _contradicted(index: Index, body: QuoteBody, where: Whereabouts) -> bool:
    """Whether the written address surely names another commune than the code beside it, which holds."""
    written, place = body.citizen.address, where.place.commune
    if written.raw is None or written.commune_code is None or place is None:
        return False
    read = addresses.resolve(index, written.raw, None, None, None, None)
    if read.status != "exact" or read.commune is None or read.commune == place:
        return False
    gazetteer = index.gazetteer
    return set(gazetteer.today(read.commune)).isdisjoint(gazetteer.today(place))


def _require_officer(book: PolicyBook, body: QuoteBody, terms: Terms, now: datetime) -> None:
    for leg in body.legs:
        if officer_missing(book, body, leg, terms.accepting(leg), local_date(terms.registered_at), now):
            raise invalid(
                "/officer",
                "officer_confirmation_required",
                "Cán bộ một cửa phải liên hệ người dân và xác nhận địa chỉ trước (officer.address_confirmed).",
                "The officer must first contact the person and confirm the address (officer.address_confirmed).",
            )


def _office(session: Session, index: Index, body: QuoteBody, shop: Shop, where: Whereabouts) -> Office | None:
    """The post office that answers for a request: that of the commune where its first leg is collected."""
    counter = index.gazetteer.get(shop.commune_code, shop.era)
    home = where.place.commune or where.place.today
    collected_in = home if body.legs[0] == "pickup" and home is not None else counter
    assert collected_in is not None, "shops are kept only with a known commune"
    return office_for(index.gazetteer, session.network.offices(shop.mode), collected_in)


def _promises(
    session: Session,
    scene: Scene,
    book: PolicyBook,
    body: QuoteBody,
    shop: Shop,
    office: Office | None,
    where: Whereabouts,
    notice_at: datetime,
) -> dict[Leg, Promise]:
    """A collection at the counter counts its shop's hours, a pickup those of the office that answers for it."""
    calendar = calendar_of(session, scene, shop.mode, shop.hours_profile)
    posted = calendar_of(session, scene, shop.mode, office.hours_profile, sla.POST_CALENDAR) if office else None
    return {
        leg: sla.start(
            book,
            body,
            leg,
            province_code=where.province_of(leg),
            zone=where.zone,
            clock_started_at=notice_at,
            known_at=scene.now,
            shop_calendar=calendar,
            post_calendar=posted,
            between_major_cities=where.between_major_cities,
        )
        for leg in body.legs
    }


def _shop(session: Session, body: QuoteBody, mode: str, own_shop_id: str | None) -> Shop:
    wanted = body.shop_id or own_shop_id
    shop = session.network.shop(mode, wanted) if wanted and own_shop_id in (None, wanted) else None
    if shop is None:
        raise invalid(
            "/shop_id", "unknown_shop", "Không có Bộ phận Một cửa mang mã này.", "No shop of yours has this id."
        )
    return shop


def _refuse(session: Session, scene: Scene, body: QuoteBody, mode: str, shop: Shop, *, by_operator: bool) -> None:
    """The refusals of docs/api.md; an operator may override the recipient's with a reason.

    Everything else only warns (Law 49/2010/QH12 art 33.10: the post may not refuse).
    """
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
    overridden = body.override is not None and by_operator
    # Papers an agency sends go to the recipient it names; a pickup's are handed in at the shop itself.
    recipient_id = body.recipient_id or (shop.id if body.legs[0] == "pickup" else None)
    if body.party == "AGENCY" and recipient_id is not None and not overridden:
        recipient = session.network.shop(mode, recipient_id)
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
