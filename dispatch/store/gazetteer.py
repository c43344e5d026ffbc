"""Reads the communes of both eras from the tables inside the installed package vietnamadminunits (MIT).

Only its data files are read; the package itself is never imported, because its code asks a foreign geocoder. Its points
of the old communes came from a map service whose terms forbid keeping them, so an old commune gets the point of the
new commune it went into. Regions, major cities and terrain come from policies/regions.toml.
"""

from __future__ import annotations

import json
import sqlite3
import tomllib
import unicodedata
from contextlib import closing
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

from dispatch.domain.address_units import Index
from dispatch.domain.address_words import COMMUNE_WORDS, DISTRICT_WORDS, OtherName, split_name
from dispatch.domain.places import FIRST_DAY_OF_2025, LAST_DAY_OF_2020, Commune, Gazetteer, Link, Regions, fold
from dispatch.domain.revision import revised

PACKAGE = "vietnamadminunits"
SOURCE = "vietnamadminunits 2025 table, approximate"
REGIONS_FILE = Path(__file__).parents[1] / "policies" / "regions.toml"

CODE_CORRECTIONS_2025 = {"06970": "06978"}
"""Xã Ba Chẽ: 06970 in the conversion table of July 2025, 06978 in the code list after Resolution 30/2026/QH16."""

NO_ROAD_2025 = frozenset({"20333", "22736"})
"""Hoàng Sa and Trường Sa: Vietnam's, on every map, and never a courier's stop, so they carry no point."""


class _New(NamedTuple):
    code: str
    name: str
    province_code: str
    province_name: str
    lat: float | None
    lng: float | None


class _Old(NamedTuple):
    code: str
    name: str
    province_code: str
    province_name: str
    district_code: str
    district_name: str


@cache
def load() -> Gazetteer:
    """The one gazetteer of this process, 13,361 communes; RuntimeError where the package or a table is missing."""
    regions = read_regions(REGIONS_FILE)
    renamed = _read_toml(REGIONS_FILE)["renamed"]
    folder = _data_folder()
    with closing(_open(folder)) as tables:
        new = _new_communes(tables, renamed["communes"], renamed["provinces"])
        old = _old_communes(tables)
    links = _links(folder, old, new)
    _refuse_gaps(old, links)
    return Gazetteer(_communes(old, new, links, regions), links, regions)


@cache
def index() -> Index:
    """The one address index over `load()`, with the former and variant names the package knows."""
    return Index(load(), *_other_units())


def index_with(communes: list[Commune], links: list[Link]) -> Index:
    """The address index over the packaged map with imported communes and links in place of its own.

    A commune that the import spells otherwise is found under its packaged name too. Raises ValueError where the whole
    does not fit together.
    """
    base = load()
    others, districts = _other_units()
    for one in communes:
        before = base.get(one.code, one.era)
        if before is not None and before.name != one.name:
            others.append(OtherName(one.code, *split_name(before.name), one.era))
    return Index(revised(base, communes, links), others, districts)


def _other_units() -> tuple[list[OtherName], list[OtherName]]:
    """Former and variant names of communes and of districts."""
    written: dict[str, dict[str, list[str]]] = _read_toml(REGIONS_FILE)["also_written"]
    communes = [
        OtherName(code, *split_name(name), era)
        for era, by_code in written.items()
        for code, names in by_code.items()
        for name in names
    ]
    districts: set[OtherName] = set()
    with closing(_open(_data_folder())) as tables:
        rows = tables.execute(
            "select wardCode, ward, wardAlias from admin_units_legacy"
            " where wardAlias is not null and wardCode is not null"
        )
        for code, name, aliases in rows:
            communes.extend(_other_names(code, name, json.loads(aliases), COMMUNE_WORDS))
        rows = tables.execute(
            "select distinct districtCode, district, districtAlias from admin_units_legacy"
            " where districtAlias is not null"
        )
        for code, name, aliases in rows:
            districts.update(_other_names(code, name, json.loads(aliases), DISTRICT_WORDS))
    return communes, sorted(districts)


def read_regions(path: Path) -> Regions:
    """Regions, major cities and terrain from a TOML file; KeyError names a missing table."""
    data = _read_toml(path)
    regions, cities, terrain = data["regions"], data["major_cities"], data["terrain"]
    return Regions(
        region_of_province={code: region for region in ("North", "Centre", "South") for code in regions[region]},
        major_provinces=frozenset(cities["provinces"]),
        major_districts=frozenset(cities["districts"]),
        high_mountain_districts=frozenset(terrain["high_mountain_districts"]),
        hill_provinces=frozenset(terrain["hill_provinces"]),
        hill_districts=frozenset(terrain["hill_districts"]),
        verified=bool(regions["verified"] and cities["verified"] and terrain["verified"]),
    )


def _read_toml(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def _data_folder() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"the package {PACKAGE}, whose tables hold the communes, is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "data"
    for name in ("dataset.db", "converter_2025.json"):
        if not (folder / name).is_file():
            raise RuntimeError(f"{PACKAGE} has no table {name}; install the version named in requirements.lock")
    return folder


def _open(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{(folder / 'dataset.db').as_uri()}?mode=ro&immutable=1", uri=True)


@lru_cache(maxsize=4096)
def _clean(name: str) -> str:
    """An official name in NFC with single spaces, every word of the proper name with its capital ("Xã Pa ủ")."""
    first, *rest = unicodedata.normalize("NFC", name).split()
    if first in ("Thị", "Thành", "Đặc"):
        first, rest = f"{first} {rest[0].lower()}", rest[1:]
    return intern(" ".join([first, *(word if word == "trường" else word[0].upper() + word[1:] for word in rest)]))


def _new_communes(
    tables: sqlite3.Connection, communes_renamed: dict[str, str], provinces_renamed: dict[str, str]
) -> dict[tuple[str, str], _New]:
    rows = tables.execute(
        "select provinceKey, wardKey, wardCode, ward, provinceCode, province, wardLat, wardLon from admin_units"
    )
    new: dict[tuple[str, str], _New] = {}
    for province_key, key, code, name, province_code, province, lat, lng in rows:
        code = intern(CODE_CORRECTIONS_2025.get(code, code))
        if code in NO_ROAD_2025:
            lat = lng = None
        name, province = communes_renamed.get(code, name), provinces_renamed.get(province_code, province)
        new[province_key, key] = _New(code, _clean(name), intern(province_code), _clean(province), lat, lng)
    return new


def _old_communes(tables: sqlite3.Connection) -> dict[str, _Old]:
    """Old communes by the package's key province_district_commune; an island district without communes has code ''."""
    rows = tables.execute(
        "select provinceKey, districtKey, wardKey, wardCode, ward, provinceCode, province, districtCode, district"
        " from admin_units_legacy"
    )
    old: dict[str, _Old] = {}
    for province_key, district_key, key, code, name, province_code, province, district_code, district in rows:
        old[f"{province_key}_{district_key}_{key or ''}"] = _Old(
            intern(code or ""), _clean(name or district), intern(province_code), _clean(province),
            intern(district_code), _clean(district),
        )  # fmt: skip
    return old


def _links(folder: Path, old: dict[str, _Old], new: dict[tuple[str, str], _New]) -> list[Link]:
    """Every old -> new pair; the package knows whole and divided, not whether a divided part has people.

    Five island districts had no communes: each stands as one commune under the code its special zone has now.
    """
    with (folder / "converter_2025.json").open(encoding="utf-8") as file:
        tables: dict[str, Any] = json.load(file)
    links: list[Link] = []
    for province, by_new in tables["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for ward, keys in by_new.items():
            code = new[province, ward].code
            for key in keys:
                if not old[key].code:
                    old[key] = old[key]._replace(code=code)
                links.append(Link(old[key].code, code, "full"))
    for province, by_old in tables["DICT_PROVINCE_WARD_DIVIDED"].items():
        for key, parts in by_old.items():
            links.extend(Link(old[key].code, new[province, part["newWardKey"]].code, "part") for part in parts)
    return _without_mix_ups(old, links)


def _without_mix_ups(old: dict[str, _Old], links: list[Link]) -> list[Link]:
    """Drops parts that lead to a namesake: the package joins names within a present province, which held several.

    Xã Tân Thạnh of Cần Thơ was not divided between its own successor and that of xã Tân Thạnh of Sóc Trăng. No commune
    of 2025 has people of two 2020 provinces, so the communes that went into it whole say which province it is of
    (without any, the others that gave a part); a part in a foreign one is dropped where another stays at home.
    """
    province = {place.code: place.province_code for place in old.values()}
    whole: dict[str, set[str]] = {}
    parts: dict[str, list[Link]] = {}
    givers: dict[str, set[str]] = {}
    for link in links:
        parts.setdefault(link.old_code, []).append(link)
        givers.setdefault(link.new_code, set()).add(link.old_code)
        if link.extent == "full":
            whole.setdefault(link.new_code, set()).add(province[link.old_code])
    kept: list[Link] = []
    for code, group in parts.items():
        home = []
        for link in group:
            others = {province[giver] for giver in givers[link.new_code] - {code}}
            if province[code] in whole.get(link.new_code, others or {province[code]}):
                home.append(link)
        if len(home) == 1 < len(group):
            home = [home[0]._replace(extent="full")]
        kept.extend(home or group)
    return kept


def _refuse_gaps(old: dict[str, _Old], links: list[Link]) -> None:
    codes = {place.code for place in old.values()}
    if "" in codes or len(codes) != len(old) or codes != {link.old_code for link in links}:
        raise RuntimeError(f"the package {PACKAGE} does not give every old commune one code and a new commune")


def _communes(
    old: dict[str, _Old], new: dict[tuple[str, str], _New], links: list[Link], regions: Regions
) -> list[Commune]:
    by_code = {place.code: place for place in old.values()}
    points = {place.code: (place.lat, place.lng) for place in new.values()}
    parts: dict[str, list[str]] = {}
    origins: dict[str, list[tuple[str, str]]] = {}
    for link in links:
        before = by_code[link.old_code]
        parts.setdefault(link.old_code, []).append(link.new_code)
        origins.setdefault(link.new_code, []).append((before.province_code, before.district_code))
    communes = []
    for was in by_code.values():
        lat, lng = _middle([points[code] for code in parts[was.code]])
        terrain = regions.terrain(was.name, [(was.province_code, was.district_code)])
        communes.append(
            Commune(was.code, "2020", was.name, was.province_code, was.province_name,
                    was.district_code, was.district_name, lat, lng, SOURCE, terrain, valid_to=LAST_DAY_OF_2020)
        )  # fmt: skip
    for now in new.values():
        terrain = regions.terrain(now.name, origins[now.code])
        communes.append(
            Commune(now.code, "2025", now.name, now.province_code, now.province_name,
                    None, None, now.lat, now.lng, SOURCE, terrain, valid_from=FIRST_DAY_OF_2025)
        )  # fmt: skip
    return communes


def _middle(points: list[tuple[float | None, float | None]]) -> tuple[float | None, float | None]:
    known = [(lat, lng) for lat, lng in points if lat is not None and lng is not None]
    if not known:
        return None, None
    return sum(lat for lat, _ in known) / len(known), sum(lng for _, lng in known) / len(known)


def _other_names(code: str, name: str, aliases: list[str], words: tuple[str, ...]) -> list[OtherName]:
    """The package's run-together aliases ("xavanthang", "vanthang") as names, with the type word where they have it."""
    prefixes = {fold(word).replace(" ", ""): word for word in words}
    own = fold(split_name(name)[1]).replace(" ", "")
    typed: dict[str, tuple[str, str]] = {}
    for alias in aliases:
        for prefix, word in prefixes.items():
            if alias.startswith(prefix) and len(alias) > len(prefix):
                typed[alias] = (word, alias[len(prefix) :])
    twins = {rest for _, rest in typed.values()} | {own}
    return [OtherName(code, *typed.get(alias, ("", alias))) for alias in aliases if alias not in twins]
