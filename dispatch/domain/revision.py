"""The map in force: the packaged one, with what an operator imported in place of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dispatch.domain.places import FIRST_DAY_OF_2025, LAST_DAY_OF_2020, Commune, Era, Gazetteer, Link


def revised(base: Gazetteer, communes: Iterable[Commune], links: Iterable[Link]) -> Gazetteer:
    """`base` with imported communes in place of its own, and the links of their old communes in place of its.

    A commune without a point keeps that of `base`, an old one otherwise takes the middle of its successors'. A day
    that is not given is that of its map. What the import does not name stays as it was, so a table of one province does
    not lose the rest of the country. Raises ValueError where the whole does not fit together, such as a commune that
    no link leads to or from any more.
    """
    known: dict[tuple[Era, str], Commune] = {(one.era, one.code): one for one in base}
    imported: list[tuple[Era, str]] = []
    for one in communes:
        unit = (one.era, one.code)
        known[unit] = _completed(one, known.get(unit))
        imported.append(unit)
    after: dict[str, list[Link]] = {}
    for link in base.links:
        after.setdefault(link.old_code, []).append(link)
    told: dict[str, list[Link]] = {}
    for link in links:
        told.setdefault(link.old_code, []).append(link)
    after.update(told)
    for unit in imported:
        one = known[unit]
        if one.era == "2020" and one.lat is None:
            parts = [known.get(("2025", link.new_code)) for link in after.get(one.code, ())]
            known[unit] = _in_the_middle(one, [part for part in parts if part is not None])
    _set_terrain(base, known, after, imported)
    return Gazetteer(known.values(), [link for group in after.values() for link in group], base.regions)


def _completed(one: Commune, before: Commune | None) -> Commune:
    if one.lat is None and before is not None:
        one = replace(one, lat=before.lat, lng=before.lng)
    if one.era == "2020":
        return replace(one, valid_to=one.valid_to or LAST_DAY_OF_2020)
    return replace(one, valid_from=one.valid_from or FIRST_DAY_OF_2025)


def _in_the_middle(one: Commune, parts: list[Commune]) -> Commune:
    points = [(part.lat, part.lng) for part in parts if part.lat is not None and part.lng is not None]
    if not points:
        return one
    return replace(
        one, lat=sum(lat for lat, _ in points) / len(points), lng=sum(lng for _, lng in points) / len(points)
    )


def _set_terrain(
    base: Gazetteer,
    known: dict[tuple[Era, str], Commune],
    after: dict[str, list[Link]],
    imported: list[tuple[Era, str]],
) -> None:
    """Terrain of the imported communes, by the 2020 districts on whose land they lie."""
    origins: dict[str, list[tuple[str, str]]] = {}
    for group in after.values():
        for link in group:
            old = known.get(("2020", link.old_code))
            if old is not None:
                origins.setdefault(link.new_code, []).append((old.province_code, old.district_code or ""))
    for unit in imported:
        one = known[unit]
        lands = [(one.province_code, one.district_code or "")] if one.era == "2020" else origins.get(one.code, [])
        known[unit] = replace(one, terrain=base.regions.terrain(one.name, lands))
