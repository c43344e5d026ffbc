"""Where the two ends of a leg are, when they can be served there and for how long: sites, windows, service times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain.errors import Invalid
from dispatch.domain.text import LOCAL
from dispatch.flows.communes import Communes
from routing.travel import Point, Terrain

if TYPE_CHECKING:
    from dispatch.domain.addresses import Index
    from dispatch.domain.hours import Calendar
    from dispatch.flows.snapshot import OpenLeg, Snapshot

Window = tuple[int, int]

SHOP_SERVICE_S = 60
"""Taking over or handing in one dossier at a counter; a joint stop takes as many minutes as dossiers."""
OFFICE_SERVICE_S = 60
"""Loading one parcel at the post office."""
CITIZEN_SERVICE_S = 210
"""At a citizen's door: identity, list of papers, money, both signatures (QĐ 45/2016/QĐ-TTg art 6 and 10)."""
SEARCH_S = {"door": 0, "learnt": 60, "street": 120, "hamlet": 180, "commune": 300}
"""Looking for the door, by how well the point is known."""
CITIZEN_HOURS = (time(7, 30), time(20, 0))
"""When citizens are called on who named no window of their own."""
RETRY_AFTER = timedelta(hours=1)
"""A door that was found closed is not tried again sooner."""
_TERRAIN = {kind.name.lower(): kind for kind in Terrain}


@dataclass(frozen=True)
class Site:
    """A place with stops: `key` names it in a routing problem, `place` is its JSON on tasks and in plans.

    `pace` is by what service there is longer than elsewhere, as far as that was learnt.
    """

    key: str
    place: dict[str, Any]
    point: Point
    pace: float = 1.0


@dataclass
class Sites:
    """The sites of one problem, each made once."""

    snapshot: Snapshot
    index: Index
    made: dict[str, Site] = field(default_factory=dict)
    communes: Communes = field(init=False)

    def __post_init__(self) -> None:
        self.communes = Communes.of(self.index.gazetteer, self.snapshot.commune_settings)

    def of_shop(self, shop_id: str) -> Site:
        """A one-stop shop."""
        shop = self.snapshot.shops[shop_id]
        return self._fixed("shop", shop.id, shop.name, shop.lat, shop.lng, (shop.commune_code, shop.era))

    def of_office(self, office_id: str) -> Site | None:
        """A post office; None where there is none of that id."""
        office = self.snapshot.offices.get(office_id)
        if office is None:
            return None
        return self._fixed("office", office.id, office.name, office.lat, office.lng, (office.commune_code, office.era))

    def of_citizen(self, leg: OpenLeg) -> Site | None:
        """A citizen's door: one site for all dossiers of one telephone at one point; None where no point is known."""
        address, citizen = leg.address, leg.body["citizen"]
        lat, lng = address.get("lat"), address.get("lng")
        if lat is None or lng is None or address.get("precision") == "none":
            return None
        key = f"citizen:{citizen['phone']}:{lat:.6f}:{lng:.6f}"
        if key not in self.made:
            place = {
                "name": citizen["name"],
                "address": citizen["address"].get("raw") or address.get("name") or "",
                "lat": lat,
                "lng": lng,
                "precision": address["precision"],
                "at": "citizen",
                "id": leg.request_id,
            }
            code, era = commune_of(address)
            self.made[key] = self.at_door(place, code, era, key)
        return self.made[key]

    def at_door(self, place: dict[str, Any], code: str | None, era: str | None, key: str = "") -> Site:
        """A citizen's door whose place and commune are known."""
        point = Point(place["lat"], place["lng"], self._terrain(code, era), code or "")
        return Site(key, place, point, self.snapshot.learnt.service_factor("citizen", code))

    def service_days(self, leg: OpenLeg) -> frozenset[int]:
        """The weekdays on which couriers call on the citizen's commune; empty = every day."""
        code, era = commune_of(leg.address)
        return self.communes.service_days(code, era) if code and era else frozenset()

    def terrain_near(self, office_id: str) -> Terrain:
        """The ground around an office, for couriers whose commune nobody knows."""
        office = self.snapshot.offices.get(office_id)
        return Terrain.PLAIN if office is None else self._terrain(office.commune_code, office.era)

    def _fixed(self, at: str, id: str, name: str, lat: float, lng: float, commune: tuple[str, str]) -> Site:
        key = f"{at}:{id}"
        if key not in self.made:
            found = self.index.gazetteer.get(*commune)
            where = f"{found.name}, {found.province_name}" if found else ""
            place = {"name": name, "address": where, "lat": lat, "lng": lng, "precision": "door", "at": at, "id": id}
            point = Point(lat, lng, self._terrain(*commune), commune[0])
            self.made[key] = Site(key, place, point, self.snapshot.learnt.service_factor(at, id))
        return self.made[key]

    def _terrain(self, code: str | None, era: str | None) -> Terrain:
        commune = self.index.gazetteer.get(code, era) if code and era else None
        if commune is None:
            return Terrain.PLAIN
        return _TERRAIN[self.communes.terrain(commune.code, commune.era) or commune.terrain]


def commune_of(address: dict[str, Any]) -> tuple[str | None, str | None]:
    """(code, era) of an address's commune: the one written, else what it is today; (None, None) where unknown."""
    if address.get("commune_code"):
        return address["commune_code"], address["era"]
    today = address.get("today") or {}
    return today.get("commune_code"), today.get("era")


def service_s(site: Site) -> int:
    """How long one dossier takes at a site, in seconds."""
    usual = SHOP_SERVICE_S if site.place["at"] == "shop" else OFFICE_SERVICE_S
    if site.place["at"] == "citizen":
        usual = CITIZEN_SERVICE_S + SEARCH_S.get(site.place["precision"], SEARCH_S["commune"])
    return round(usual * site.pace)


@dataclass(frozen=True)
class Clock:
    """Seconds of one date: 0 is its local midnight; `now_s` may lie before it."""

    day: date
    now: datetime

    @property
    def zero(self) -> datetime:
        """Local midnight."""
        return datetime.combine(self.day, time(), LOCAL)

    @property
    def now_s(self) -> int:
        """The present, rounded up: nobody leaves in the past."""
        return -int((self.zero - self.now) // timedelta(seconds=1))

    def seconds(self, at: datetime) -> int:
        """An instant in whole seconds, rounded down."""
        return int((at - self.zero) // timedelta(seconds=1))

    def at(self, seconds: int) -> datetime:
        """The instant of a second."""
        return self.zero + timedelta(seconds=seconds)


def counter_windows(calendar: Calendar, clock: Clock, service: int, *, intake: bool) -> tuple[Window, ...]:
    """When service may begin at a counter on the day, so that it ends before the doors (or the intake) close.

    Lunch is closed where the calendar says so; what is over already is left out.
    """
    cutoff = calendar.intake_cutoff(clock.day) if intake else None
    found = []
    for opens, closes in calendar.spans(clock.day):
        last = clock.seconds(min(closes, cutoff) if cutoff else closes) - service
        if last >= max(clock.seconds(opens), clock.now_s):
            found.append((clock.seconds(opens), last))
    return tuple(found)


def next_opening(calendar: Calendar, clock: Clock) -> datetime | None:
    """When a counter that is closed for the rest of the day takes papers again; None where it never opens."""
    try:
        return calendar.next_intake_at(clock.at(86_400))
    except Invalid:
        return None


def door_windows(leg: OpenLeg, clock: Clock) -> tuple[Window, ...]:
    """When the citizen may be called on: his own window, else the usual hours; empty where it is for another date.

    A window that has passed binds nobody any more: late is better than never.
    """
    opens, closes = (clock.seconds(datetime.combine(clock.day, hour, LOCAL)) for hour in CITIZEN_HOURS)
    window = leg.body.get("window")
    if window is not None:
        first = clock.seconds(datetime.fromisoformat(window["from"]))
        last = clock.seconds(datetime.fromisoformat(window["to"]))
        if first >= 86_400:
            return ()
        if last >= max(0, clock.now_s):
            opens, closes = max(0, first), min(86_400, last)
    return ((opens, closes),) if closes >= max(opens, clock.now_s) else ()


def pickup_due_s(leg: OpenLeg, calendar: Calendar, clock: Clock) -> int | None:
    """The promise the plan works towards: the strict one where it falls inside the site's hours, else the operational.

    None once the promise was judged.
    """
    if leg.promise.get("stopped_at") is not None:
        return None
    strict = datetime.fromisoformat(leg.promise["due_at_strict"])
    span = calendar.operating_span(strict.astimezone(LOCAL).date())
    if span is not None and span[0] <= strict <= span[1]:
        return clock.seconds(strict)
    return clock.seconds(datetime.fromisoformat(leg.promise["due_at"]))


def retry_s(leg: OpenLeg, clock: Clock) -> int:
    """Before which second a place that failed is not tried again."""
    failed_at = leg.history.failed_at if leg.status == "PICKUP_FAILED" and leg.history is not None else None
    return clock.now_s if failed_at is None else clock.seconds(failed_at + RETRY_AFTER)


def from_second(windows: tuple[Window, ...], first: int) -> tuple[Window, ...]:
    """What is left of windows from a second on."""
    return tuple((max(opens, first), closes) for opens, closes in windows if closes >= first)


def unique_points(points: Sequence[Point]) -> tuple[list[Point], list[int]]:
    """The different points, and for each given point the number of its own among them."""
    numbers: dict[Point, int] = {}
    index = [numbers.setdefault(point, len(numbers)) for point in points]
    return list(numbers), index
