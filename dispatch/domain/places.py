"""Communes of two eras, what became of them on 1 July 2025, and what their place decides: zone, region, rules, terrain.

Era `2020` is the map of 63 provinces and three levels as it stood until 30 June 2025, era `2025` the map of 34
provinces and two levels. The same five digits may name different places in the two eras, so every question here
takes (code, era) or a `Commune`, never a bare code.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, Protocol, TypeVar, get_args

Era = Literal["2020", "2025"]
Extent = Literal["full", "part", "part_area"]
Terrain = Literal["town", "plain", "hills", "high_mountain"]
Zone = Literal["INTRA_DISTRICT", "INTER_DISTRICT", "SAME_REGION", "INTER_REGION"]

ERAS: tuple[Era, ...] = get_args(Era)
LAST_DAY_OF_2020, FIRST_DAY_OF_2025 = date(2025, 6, 30), date(2025, 7, 1)
"""Where one map ends and the next begins (Resolution 202/2025/QH15: 34 provinces in place of 63)."""

_TOWN_WORDS = ("Phường ", "Thị trấn ")


def fold(text: str) -> str:
    """Text for searching: lower case, no diacritics, đ as d, single spaces ("Đắk  Lắk" -> "dak lak")."""
    bare = "".join(char for char in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(char))
    return " ".join(bare.replace("đ", "d").split())


@dataclass(frozen=True, slots=True)
class Commune:
    """One commune, ward, township or special zone of one era.

    `name` carries its type word and is NFC. District fields exist in era 2020 only. `lat`/`lng` are WGS84 degrees of a
    point somewhere in the commune (None where no courier goes by road); `source` says whose point it is. `valid_from`
    and `valid_to` are its first and last day, both inclusive, None where open.
    """

    code: str
    era: Era
    name: str
    province_code: str
    province_name: str
    district_code: str | None
    district_name: str | None
    lat: float | None
    lng: float | None
    source: str
    terrain: Terrain = "plain"
    precision: Literal["commune"] = "commune"
    valid_from: date | None = None
    valid_to: date | None = None

    def valid(self, on: date) -> bool:
        """Whether the commune existed on this day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


class Link(NamedTuple):
    """One old commune that went into one new commune: `full`, in `part`, or `part_area` (land without people)."""

    old_code: str
    new_code: str
    extent: Extent


@dataclass(frozen=True, slots=True)
class Regions:
    """What a 2020 province or district decides apart from rules: region, class of city, terrain (regions.toml)."""

    region_of_province: Mapping[str, str]
    major_provinces: frozenset[str]
    major_districts: frozenset[str]
    high_mountain_districts: frozenset[str]
    hill_provinces: frozenset[str]
    hill_districts: frozenset[str]
    verified: bool

    def terrain(self, name: str, places_2020: Collection[tuple[str, str]]) -> Terrain:
        """Rough terrain of a commune called `name` on the land of these 2020 (province, district) codes.

        The hardest land wins, except that a ward or township in the hills is driven as a town; the high mountain
        districts keep their class even in their townships, whose roads are the mountain's.
        """
        if any(district in self.high_mountain_districts for _, district in places_2020):
            return "high_mountain"
        if name.startswith(_TOWN_WORDS):
            return "town"
        if any(p in self.hill_provinces or d in self.hill_districts for p, d in places_2020):
            return "hills"
        return "plain"


class Gazetteer:
    """All communes of both eras with the links between them; built once, never changed, safe to share."""

    def __init__(self, communes: Iterable[Commune], links: Iterable[Link], regions: Regions) -> None:
        """Index communes and links; ValueError where a commune is twice, unlinked, or linked to nothing known."""
        self.regions = regions
        self._by_era: dict[str, dict[str, Commune]] = {era: {} for era in ERAS}
        for commune in communes:
            if self._by_era[commune.era].setdefault(commune.code, commune) is not commune:
                raise ValueError(f"commune {commune.code} of era {commune.era} is listed twice")
        self._of_province: dict[tuple[str, str], list[Commune]] = {}
        for known in self:
            self._of_province.setdefault((known.era, known.province_code), []).append(known)
        self._after: dict[str, list[Link]] = {}
        self._before: dict[str, list[Link]] = {}
        for link in links:
            if link.old_code not in self._by_era["2020"] or link.new_code not in self._by_era["2025"]:
                raise ValueError(f"the link {link.old_code} -> {link.new_code} names an unknown commune")
            self._after.setdefault(link.old_code, []).append(link)
            self._before.setdefault(link.new_code, []).append(link)
        unlinked = self._by_era["2020"].keys() - self._after.keys()
        unlinked |= self._by_era["2025"].keys() - self._before.keys()
        if unlinked:
            raise ValueError(f"{len(unlinked)} communes have no link between the eras, such as {min(unlinked)}")
        provinces = {commune.province_code for commune in self._by_era["2020"].values()}
        if provinces - regions.region_of_province.keys():
            raise ValueError(f"provinces without a region: {sorted(provinces - regions.region_of_province.keys())}")

    def __iter__(self) -> Iterator[Commune]:
        """Every commune, era 2020 first."""
        for era in ERAS:
            yield from self._by_era[era].values()

    @property
    def links(self) -> Iterator[Link]:
        """Every link between the eras, by old commune."""
        for links in self._after.values():
            yield from links

    def get(self, code: str, era: str) -> Commune | None:
        """The commune with this five-digit code in this era, or None (also for an era that does not exist)."""
        known = self._by_era.get(era)
        return known.get(code) if known is not None else None

    def communes_of(self, province_code: str, on: date) -> tuple[Commune, ...]:
        """The communes of a province that exist on a day, by code; the province is meant on that day's own map.

        Until 30 June 2025 `province_code` is one of the 63 (56 = Khánh Hòa), afterwards one of the 34 (56 = Khánh Hòa
        with Ninh Thuận); empty where that map has no such province.
        """
        era = "2020" if on <= LAST_DAY_OF_2020 else "2025"
        known = self._of_province.get((era, province_code), ())
        return tuple(sorted((one for one in known if one.valid(on)), key=lambda one: one.code))

    def today(self, commune: Commune) -> tuple[Commune, ...]:
        """The 2025 communes its people live in now, by code; the commune itself if it is of 2025.

        More than one means the commune was divided: its name alone does not give the present commune.
        """
        if commune.era == "2025":
            return (commune,)
        return tuple(self._by_era["2025"][link.new_code] for link in _peopled(self._after[commune.code]))

    def before(self, commune: Commune) -> tuple[Commune, ...]:
        """The 2020 communes its people came from, by code; the commune itself if it is of 2020."""
        if commune.era == "2020":
            return (commune,)
        return tuple(self._by_era["2020"][link.old_code] for link in _peopled(self._before[commune.code]))

    def province_2020(self, commune: Commune) -> str | None:
        """The 2020 province whose rules decide for this commune; None if its land came from several provinces."""
        provinces = {old.province_code for old in self.before(commune)}
        return provinces.pop() if len(provinces) == 1 else None

    def district_2020(self, commune: Commune) -> str:
        """The 2020 district a commune is counted in for the tariff zone (three-digit code, unique in the country).

        For a commune of 2025 whose land came from several districts: the one that gave most communes, whole ones
        counting double; then the one of the predecessor whose code it kept; then the lowest code. No published rule
        says how the zone is counted since the districts ended (1 July 2025).
        """
        return self.home_2020(commune)[1]

    def home_2020(self, commune: Commune) -> tuple[str, str]:
        """(province, district) of 2020 that a commune of any era is counted in; see `district_2020`."""
        if commune.era == "2020":
            return commune.province_code, commune.district_code or ""
        votes: Counter[tuple[str, str]] = Counter()
        kept: tuple[str, str] | None = None
        for link in _peopled(self._before[commune.code]):
            old = self._by_era["2020"][link.old_code]
            place = (old.province_code, old.district_code or "")
            votes[place] += 2 if link.extent == "full" else 1
            if old.code == commune.code:
                kept = place
        return min(votes, key=lambda place: (-votes[place], place != kept, place[1]))

    def region(self, commune: Commune) -> str:
        """North, Centre or South, by the province of its 2020 district (provisional list, regions.toml)."""
        return self.regions.region_of_province[self.home_2020(commune)[0]]

    def zone(self, a: Commune, b: Commune) -> Zone:
        """Tariff zone between two communes of any eras, by the districts and provinces of 2020; symmetric."""
        (province_a, district_a), (province_b, district_b) = self.home_2020(a), self.home_2020(b)
        if district_a == district_b:
            return "INTRA_DISTRICT"
        if province_a == province_b:
            return "INTER_DISTRICT"
        region = self.regions.region_of_province
        return "SAME_REGION" if region[province_a] == region[province_b] else "INTER_REGION"

    def major_city(self, commune: Commune) -> bool:
        """Whether it lay in a special or class-I city (TT 17/2017/TT-BTTTT art 7: J+3 between two of them)."""
        province, district = self.home_2020(commune)
        return province in self.regions.major_provinces or district in self.regions.major_districts


def _peopled(links: list[Link]) -> list[Link]:
    """The links that moved people, or all of them where none did; in code order."""
    return sorted([link for link in links if link.extent != "part_area"] or links)


class Sited(Protocol):
    """Something that stands in a commune at a point, such as a post office."""

    @property
    def id(self) -> str:
        """Its name in the system."""

    @property
    def commune_code(self) -> str:
        """The commune it stands in."""

    @property
    def era(self) -> str:
        """The map of that code."""

    @property
    def lat(self) -> float:
        """Degrees north, WGS84."""

    @property
    def lng(self) -> float:
        """Degrees east, WGS84."""


Site = TypeVar("Site", bound=Sited)


def office_for(gazetteer: Gazetteer, offices: Iterable[Site], commune: Commune) -> Site | None:
    """The office that answers for a commune: of the same commune, district, province of 2020, or any; None of none.

    Among equals the nearest to the commune's point, then the lowest id. An office in another commune that has become
    part of the same present commune comes right after one in the commune itself.
    """
    return min(offices, key=lambda office: _remoteness(gazetteer, office, commune), default=None)


def _remoteness(gazetteer: Gazetteer, office: Sited, commune: Commune) -> tuple[int, float, str]:
    where = gazetteer.get(office.commune_code, office.era)
    if where == commune:
        step = 0
    elif where is None:
        step = 4
    elif not set(gazetteer.today(where)).isdisjoint(gazetteer.today(commune)):
        step = 1
    else:
        (province, district), (own_province, own_district) = gazetteer.home_2020(where), gazetteer.home_2020(commune)
        step = 2 if district == own_district else 3 if province == own_province else 4
    if commune.lat is None or commune.lng is None:
        return step, 0.0, office.id
    east = (office.lng - commune.lng) * math.cos(math.radians(commune.lat))
    return step, math.hypot(office.lat - commune.lat, east), office.id
