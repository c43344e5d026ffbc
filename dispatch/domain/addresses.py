"""Turns what a shop sends as an address into a commune, or into the honest answer that it is not sure.

A commune code with its era decides; else the text is read against every commune of both eras (address_readings).
Two readings that lead to different places give `ambiguous` with both as candidates, never one of them in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dispatch.domain.address_readings import ENOUGH, Reading, readings
from dispatch.domain.address_units import Index
from dispatch.domain.errors import invalid
from dispatch.domain.places import ERAS, Commune, Gazetteer

__all__ = ["Index", "Resolved", "resolve"]

Status = Literal["exact", "divided", "ambiguous", "none"]
Precision = Literal["door", "learnt", "commune", "none"]
"""`learnt`: where couriers have found this door before, which is near but not surveyed."""
Candidates = tuple[tuple[Commune, float], ...]
Point = tuple[float | None, float | None, Precision]

MAX_CANDIDATES = 10
RIVAL = 12
"""A reading this close to the best one is a rival. A type word or a district outweighs it, so does an accent."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What an address comes to.

    `commune` is the one written (for `ambiguous` the likelier reading, where there is one), `today` the single 2025
    commune it is now: None where it was divided or nothing is likelier. `candidates` hold communes with scores 0 to 1:
    the successors of a divided commune in equal shares, else the rival readings, best first; empty for `exact` and
    `none`. `lat`/`lng` are WGS84 degrees and `precision` says of what; no point is made up for an unsure reading.
    """

    status: Status
    commune: Commune | None
    today: Commune | None
    candidates: Candidates
    lat: float | None
    lng: float | None
    precision: Precision


def resolve(
    index: Index, raw: str | None, commune_code: str | None, era: str | None, lat: float | None, lng: float | None
) -> Resolved:
    """Resolves an address; a code with its era decides, else the text does (`era` alone narrows the text to that era).

    Raises `Invalid` `unknown_commune` at /citizen/address/commune_code where the code is not of that era, and
    `validation_failed` at /citizen/address/era where a code comes without an era or the era does not exist.
    """
    if (era is None and commune_code is not None) or (era is not None and era not in ERAS):
        raise invalid(
            "/citizen/address/era",
            "validation_failed",
            "Mã xã phải kèm thời kỳ bản đồ: 2020 hoặc 2025.",
            "A commune code needs its era: 2020 or 2025.",
        )
    if commune_code is not None:
        commune = index.gazetteer.get(commune_code, era or "")
        if commune is None:
            raise invalid(
                "/citizen/address/commune_code",
                "unknown_commune",
                f"Không có xã, phường, thị trấn nào mang mã {commune_code} trên bản đồ {era}.",
                f"No commune has the code {commune_code} on the map of {era}.",
            )
        return _settled(index.gazetteer, commune, lat, lng)
    return _judged(index.gazetteer, readings(index, raw or "", era), lat, lng)


def _settled(gazetteer: Gazetteer, commune: Commune, lat: float | None, lng: float | None) -> Resolved:
    """The answer for a commune known for sure: exact, or divided with an equal share for every successor."""
    today = gazetteer.today(commune)
    point = _point(commune, lat, lng)
    if len(today) == 1:
        return Resolved("exact", commune, today[0], (), *point)
    share = round(1 / len(today), 2)
    return Resolved("divided", commune, None, tuple((place, share) for place in today), *point)


def _judged(gazetteer: Gazetteer, found: list[Reading], lat: float | None, lng: float | None) -> Resolved:
    point = _point(None, lat, lng)
    if not found:
        return Resolved("none", None, None, (), *point)
    best = found[0]
    places = gazetteer.today(best.commune)
    # Another era's commune of the same name that is the same place today does not make the address doubtful.
    rivals = [
        other
        for other in found[1:]
        if best.score - other.score <= RIVAL
        and (other.commune.era == best.commune.era or gazetteer.today(other.commune) != places)
    ]
    firm = best.sure and best.score >= ENOUGH
    if firm and not rivals:
        return _settled(gazetteer, best.commune, lat, lng)
    likelier = best.commune if firm and rivals[0].score < best.score else None
    return Resolved(
        "ambiguous",
        likelier,
        places[0] if likelier is not None and len(places) == 1 else None,
        tuple((one.commune, round(min(one.score, 100) / 100, 2)) for one in [best, *rivals][:MAX_CANDIDATES]),
        *point,
    )


def _point(commune: Commune | None, lat: float | None, lng: float | None) -> Point:
    if lat is not None and lng is not None:
        return lat, lng, "door"
    if commune is not None and commune.lat is not None:
        return commune.lat, commune.lng, "commune"
    return None, None, "none"
