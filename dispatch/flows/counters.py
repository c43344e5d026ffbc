"""The counter of a shop: its next day for people in person, and visits to rooms that hold only so many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain.counters import Counter, Visit, peak
from dispatch.domain.errors import Conflict, invalid
from dispatch.domain.hours import local_date
from dispatch.domain.text import local_text
from dispatch.flows.calendars import calendar_of
from dispatch.flows.ruling import shop_book

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.flows.recording import Scene
    from dispatch.store import Session
    from dispatch.store.rows import Shop

LOOK_AHEAD_DAYS = 60
"""How far a free slot is looked for."""


@dataclass(frozen=True)
class Wish:
    """So many people who want to be in a room for so many minutes."""

    room_id: str
    starts_at: datetime
    minutes: int
    people: int

    @property
    def ends_at(self) -> datetime:
        """The instant by which they have left."""
        return self.starts_at + timedelta(minutes=self.minutes)


def counter_of(session: Session, scene: Scene, index: Index, shop: Shop) -> Counter:
    """A shop's counter with its calendar and the rules of the province its commune lay in in 2020."""
    commune = index.gazetteer.get(shop.commune_code, shop.era)
    return Counter(
        book=shop_book(session, scene, shop.mode, shop.id),
        calendar=calendar_of(session, scene, shop.mode, shop.hours_profile),
        province_code=None if commune is None else index.gazetteer.province_2020(commune),
        level=shop.level,
        known_at=scene.now,
    )


def reserve(session: Session, scene: Scene, index: Index, shop: Shop, wish: Wish) -> dict[str, Any]:
    """Keep a place in a room; `free` is how many more may come for the whole of that time.

    Everyone whose visit overlaps counts, at the fullest moment, our own staff included if they are booked
    (905/UBND-PVHCC 30/3/2020 §2.1: not more than 20 people in one room at one time; exactly 20 may). Raises `Conflict`
    `room_full` with `next_free_at`, and `Invalid` for an unknown room, a visit in the past or outside opening hours,
    or more people than the room may ever hold.
    """
    room = next((room for room in shop.rooms if room["id"] == wish.room_id), None)
    if room is None:
        raise invalid("/room_id", "unknown_room", "Không có phòng này.", "This shop has no room of that id.")
    if wish.starts_at < scene.now:
        raise invalid("/starts_at", "slot_in_past", "Giờ hẹn đã qua.", "This time is over.")
    counter = counter_of(session, scene, index, shop)
    if not counter.open_throughout(wish.starts_at, wish.ends_at):
        raise invalid(
            "/starts_at",
            "site_closed",
            "Bộ phận Một cửa không mở cửa suốt khoảng giờ này.",
            "The shop is not open for the whole of this time.",
        )
    capacity = counter.capacity(room["capacity"], local_date(wish.starts_at))
    if wish.people > capacity:
        raise invalid(
            "/people", "party_too_large", f"Phòng chỉ nhận {capacity} người.", f"The room holds {capacity} people."
        )
    # Two who book at once must see each other's visit: one room, one after the other.
    session.lock(f"room:{shop.mode}:{shop.id}:{wish.room_id}")
    present = peak(_visits(session, shop, wish.room_id, wish.starts_at, wish.ends_at), wish.starts_at, wish.ends_at)
    if present + wish.people > capacity:
        raise _full(session, counter, shop, room, wish)
    appointment_id = session.new_id("apt")
    session.sites.add_appointment(
        id=appointment_id,
        mode=shop.mode,
        shop_id=shop.id,
        room_id=wish.room_id,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        people=wish.people,
        created_at=scene.now,
    )
    return {
        "id": appointment_id,
        "starts_at": local_text(wish.starts_at),
        "ends_at": local_text(wish.ends_at),
        "free": capacity - present - wish.people,
    }


def _visits(session: Session, shop: Shop, room_id: str, begins: datetime, ends: datetime) -> list[Visit]:
    kept = session.sites.appointments(shop.mode, shop.id, room_id, begins, ends)
    return [(visit.starts_at, visit.ends_at, visit.people) for visit in kept]


def _full(session: Session, counter: Counter, shop: Shop, room: dict[str, Any], wish: Wish) -> Conflict:
    first = local_date(wish.starts_at)
    days = [first + timedelta(days=ahead) for ahead in range(LOOK_AHEAD_DAYS + 1)]
    until = wish.starts_at + timedelta(days=LOOK_AHEAD_DAYS + 2)
    free_at = _next_free(counter, room, wish, days, _visits(session, shop, wish.room_id, wish.starts_at, until))
    return Conflict(
        code="room_full",
        vi="Phòng đã đủ người vào giờ này.",
        en="The room is full at this time.",
        extra={"next_free_at": None if free_at is None else local_text(free_at)},
    )


def _next_free(
    counter: Counter, room: dict[str, Any], wish: Wish, days: Sequence[date], visits: Sequence[Visit]
) -> datetime | None:
    """The earliest later start on the room's slot grid at which these people fit; None on none of `days`."""
    length = timedelta(minutes=wish.minutes)
    for day in days:
        capacity = counter.capacity(room["capacity"], day)
        nearby = [visit for visit in visits if local_date(visit[0]) <= day <= local_date(visit[1])]
        for starts in counter.slots(day, room["slot_minutes"], wish.minutes):
            if starts > wish.starts_at and peak(nearby, starts, starts + length) + wish.people <= capacity:
                return starts
    return None
