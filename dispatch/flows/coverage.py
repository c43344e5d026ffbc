"""Who of the post is there for whom on a date: shops without anybody rostered, and how many ride."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dispatch.flows.calendars import calendar_of
from dispatch.flows.communes import Communes

if TYPE_CHECKING:
    from dispatch.domain.hours import Calendar, InstantSpan
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import Courier, Shift, Shop

HCC = "HCC"
"""The skill of the dedicated public-service force (2964/UBND-KSTT 1/4/2020 §3)."""

Spot = tuple[str, float, float]
"""An id with latitude and longitude."""


def roster_gaps(
    session: Session, scene: Scene, communes: Communes, mode: str, day: date, shops: Sequence[Shop]
) -> list[Shop]:
    """The shops open on a date that no courier is rostered for while they are open.

    A courier is there for the shops nearest to his home office and for those in the communes he covers
    (905/UBND-PVHCC 30/3/2020 §2.2: the post provides staff at the Centre and at every one-stop shop).
    """
    shifts = {shift.courier_id: shift for shift in session.network.shifts(mode, day)}
    rostered = [(one, shifts[one.id]) for one in session.network.couriers(mode) if one.id in shifts]
    offices = tuple((office.id, office.lat, office.lng) for office in session.network.offices(mode))
    serving = _served_by(tuple((shop.id, shop.lat, shop.lng) for shop in shops), offices)
    calendars: dict[str, Calendar] = {}
    gaps = []
    for shop in shops:
        if shop.hours_profile not in calendars:
            calendars[shop.hours_profile] = calendar_of(session, scene, mode, shop.hours_profile)
        hours = calendars[shop.hours_profile].operating_span(day)
        if hours is not None and not any(
            _there(shift, hours)
            and (courier.home_office_id == serving.get(shop.id) or _covers(courier, shop, communes))
            for courier, shift in rostered
        ):
            gaps.append(shop)
    return gaps


def roster(couriers: Sequence[Courier], shifts: Mapping[str, Shift], gaps: int) -> dict[str, Any]:
    """How many couriers ride on a date, how many of them are of the public-service force, how many shops have none."""
    riding = [one for one in couriers if one.id in shifts and shifts[one.id].starts_at < shifts[one.id].ends_at]
    return {
        "on_shift": len(riding),
        "hcc": sum(HCC in one.skills for one in riding),
        "shops_without_courier": gaps,
    }


def _there(shift: Shift, hours: InstantSpan) -> bool:
    return max(shift.starts_at, hours[0]) < min(shift.ends_at, hours[1])


def _covers(courier: Courier, shop: Shop, communes: Communes) -> bool:
    if not courier.communes:
        return False
    places = communes.same_place(shop.commune_code, shop.era)
    codes = {code for code, _ in places}
    return any(
        one in codes if isinstance(one, str) else (one["code"], one["era"]) in places for one in courier.communes
    )


@lru_cache(maxsize=16)
def _served_by(shops: tuple[Spot, ...], offices: tuple[Spot, ...]) -> dict[str, str]:
    """For each shop the office nearest to it, which answers for its requests; kept, as the board asks every second."""
    if not offices:
        return {}
    return {
        shop: min(offices, key=lambda office: ((office[1] - lat) ** 2 + (office[2] - lng) ** 2, office[0]))[0]
        for shop, lat, lng in shops
    }
