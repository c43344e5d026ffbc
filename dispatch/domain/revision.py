"""The map in force: the packaged one, with what an operator imported in place of it."""

from __future__ import annotations

from collections.abc import Iterable

from dispatch.domain.places import FIRST_DAY_OF_2025, LAST_DAY_OF_2020, Commune, Era, Gazetteer, Link

Point = tuple[float | None, float | None]


def revised(base: Gazetteer, communes: Iterable[Commune], links: Iterable[Link]) -> Gazetteer:
    """`base` with imported communes in place of its own, and the links of their old communes in place of its.

    A commune without a point keeps that of `base`, an old one otherwise takes the middle of its successors'. A day
    that is not given is that of its map. What the import does not name stays as it was, so a table of one province does
    not lose the rest of the country. Raises ValueError where the whole does not fit together, such as a commune that
    no link leads to or from any more.
    """
    known: dict[tuple[Era, str], Commune] = {(one.era, one.code): one for one in base}
    imported = {(one.era, one.code): one for one in communes}
    told: dict[str, list[Link]] = {}
    for link in links:
        told.setdefault(link.old_code, []).append(link)
    after: dict[str, list[Link]] = {}
    for link in base.links:
        if link.old_code not in told:
            after.setdefault(link.old_code, []).append(link)
    after.update(told)
    lands: dict[str, list[tuple[str, str]]] = {}
    for code, group in after.items():
        old = imported.get(("2020", code)) or known.get(("2020", code))
        if old is not None:
            for link in group:
                lands.setdefault(link.new_code, []).append((old.province_code, old.district_code or ""))
    for unit in sorted(imported, reverse=True):  # those of 2025 first: the old ones may take their points
        one, before = imported[unit], known.get(unit)
        point: Point = (one.lat, one.lng)
        if one.lat is None and before is not None:
            point = (before.lat, before.lng)
        if point[0] is None and one.era == "2020":
            point = _middle(known.get(("2025", link.new_code)) for link in after.get(one.code, ()))
        land = lands.get(one.code, []) if one.era == "2025" else [(one.province_code, one.district_code or "")]
        known[unit] = _completed(base, one, point, land)
    return Gazetteer(known.values(), [link for group in after.values() for link in group], base.regions)


def _completed(base: Gazetteer, one: Commune, point: Point, lands: list[tuple[str, str]]) -> Commune:
    """The commune with its point, its terrain by the 2020 districts it lies on, and the days of its map."""
    first = FIRST_DAY_OF_2025 if one.era == "2025" else None
    last = LAST_DAY_OF_2020 if one.era == "2020" else None
    return Commune(  # built at once: dataclasses.replace, thirteen thousand times over, is felt at every start
        one.code, one.era, one.name, one.province_code, one.province_name, one.district_code, one.district_name,
        *point, one.source, base.regions.terrain(one.name, lands),
        valid_from=one.valid_from or first, valid_to=one.valid_to or last,
    )  # fmt: skip


def _middle(parts: Iterable[Commune | None]) -> Point:
    points = [(part.lat, part.lng) for part in parts if part and part.lat is not None and part.lng is not None]
    if not points:
        return None, None
    return sum(lat for lat, _ in points) / len(points), sum(lng for _, lng in points) / len(points)
