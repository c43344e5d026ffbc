"""What a world has learnt so far, for who plans and promises with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dispatch.live.doors import door_of, keys_of
from dispatch.live.learning import NOTHING, Learnt, Seen
from dispatch.live.wanting import Demand, expected

if TYPE_CHECKING:
    from dispatch.store import Session

FIXES = 20
"""So many of the newest scans of a door are looked at."""
DEMAND_WEEKS = 12

_known: dict[str, tuple[datetime, str, Learnt]] = {}
"""The estimates of each world as this process read them last, with the instant and the version of their model."""


def learnt(session: Session, mode: str) -> Learnt:
    """What a world has learnt so far; read again only when the model is another."""
    model = session.learning.model(mode)
    if model is None:
        return NOTHING
    held = _known.get(mode)
    if held is None or held[:2] != (model.made_at, model.version):
        held = _known[mode] = (model.made_at, model.version, _read(session, mode, model.version))
    return held[2]


def _read(session: Session, mode: str, version: str) -> Learnt:
    rides: dict[tuple[str, str, int | None], Seen] = {}
    provinces: dict[str, Seen] = {}
    everywhere: Seen | None = None
    home: dict[str, str] = {}
    served: dict[str, dict[str | None, Seen]] = {"shop": {}, "citizen": {}}
    for what, key, count, median, deviation in session.learning.estimates(mode):
        seen = Seen(count, median, deviation)
        if what != "ride":
            served[what][None if key == "*" else key] = seen
        elif "|" in key:
            province, origin, area, band = key.split("|")
            rides[origin, area, int(band) if band else None] = seen
            home[area] = province
        elif key == "*":
            everywhere = seen
        else:
            provinces[key] = seen
    return Learnt(version, rides, provinces, everywhere, home, served["shop"], served["citizen"])


def known_door(
    session: Session, mode: str, raw: str | None, commune: str | None, phone: str
) -> tuple[float, float] | None:
    """Where couriers have found the door of a written address, None where they have not found it twice."""
    keys = keys_of(raw, commune, phone)
    return door_of(session.learning.fixes(mode, keys, FIXES)) if keys else None


def demand(session: Session, mode: str, now: datetime, province: str | None = None) -> Demand:
    """What the shops of a 2020 province (or all) will ask for by weekday and hour, from the weeks before `now`."""
    since = now - timedelta(weeks=DEMAND_WEEKS)
    return expected(session.learning.notices(mode, since, now, province), DEMAND_WEEKS)
