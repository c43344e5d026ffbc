"""What the operator says of communes, found by the code of either era."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dispatch.domain.hours import WEEKDAYS

if TYPE_CHECKING:
    from dispatch.domain.places import Commune, Gazetteer
    from dispatch.store.sites import CommuneSetting


@dataclass(frozen=True)
class Communes:
    """Settings of communes; a commune without its own takes those of its counterparts in the other era."""

    gazetteer: Gazetteer
    settings: dict[tuple[str, str], CommuneSetting]

    @classmethod
    def of(cls, gazetteer: Gazetteer, settings: Iterable[CommuneSetting]) -> Communes:
        """The settings of one world."""
        return cls(gazetteer, {(setting.code, setting.era): setting for setting in settings})

    def service_days(self, code: str, era: str) -> frozenset[int]:
        """The weekdays (0 = Monday) on which couriers call on a commune (TT 28/2015/TT-BTTTT); empty = every day.

        A commune that was joined from several is kept to service days only where all of them are, to the days of any.
        """
        found = self._settings(code, era)
        if not found or not all(one is not None and one.service_days for one in found):
            return frozenset()
        return frozenset(
            WEEKDAYS.index(day) for one in found if one is not None for day in WEEKDAYS if day in one.service_days
        )

    def terrain(self, code: str, era: str) -> str | None:
        """The terrain the operator names for a commune, None where the packaged class holds."""
        named = {one.terrain for one in self._settings(code, era) if one is not None and one.terrain}
        return named.pop() if len(named) == 1 else None

    def same_place(self, code: str, era: str) -> set[tuple[str, str]]:
        """A commune and its counterparts in the other era, as (code, era)."""
        commune = self.gazetteer.get(code, era)
        return {(code, era)} | {(one.code, one.era) for one in self._counterparts(commune)}

    def _settings(self, code: str, era: str) -> list[CommuneSetting | None]:
        own = self.settings.get((code, era))
        if own is not None or not self.settings:
            return [own]
        return [self.settings.get((one.code, one.era)) for one in self._counterparts(self.gazetteer.get(code, era))]

    def _counterparts(self, commune: Commune | None) -> tuple[Commune, ...]:
        if commune is None:
            return ()
        return self.gazetteer.today(commune) if commune.era == "2020" else self.gazetteer.before(commune)


def next_served(days: frozenset[int], day: date) -> date:
    """The first date from `day` on whose weekday is among `days`; `day` itself where none are named."""
    return next((on for ahead in range(7) if (on := day + timedelta(days=ahead)).weekday() in days), day)
