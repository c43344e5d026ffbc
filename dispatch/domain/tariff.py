"""The price list: zone × weight band × leg in whole đồng, with a price for each further started 500 g."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from dispatch.domain.consignment import Leg
from dispatch.domain.places import Zone
from dispatch.domain.text import Block, Dong, Line, Shape, Word

ZONES: tuple[Zone, ...] = ("INTRA_DISTRICT", "INTER_DISTRICT", "SAME_REGION", "INTER_REGION")
STEP_G = 500


class ZonePrices(Shape):
    """One price per zone."""

    INTRA_DISTRICT: Dong
    INTER_DISTRICT: Dong
    SAME_REGION: Dong
    INTER_REGION: Dong

    def of(self, zone: Zone) -> int:
        """The price in đồng for one zone."""
        return int(getattr(self, zone))


class Band(Shape):
    """One printed weight band: prices one way for everything up to `up_to_g` grams, inclusive."""

    up_to_g: Annotated[int, Field(gt=0)]
    pickup: ZonePrices
    return_: Annotated[ZonePrices, Field(alias="return")]


class Tariff(Shape):
    """A printed price list. Bands ascend; `next_500_g` is added for each started 500 g beyond the last band."""

    id: Word
    title: Line
    doc_date: date | None = None
    source: Block
    bands: Annotated[tuple[Band, ...], Field(strict=False, min_length=1)]
    next_500_g: ZonePrices

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        limits = [band.up_to_g for band in self.bands]
        if limits != sorted(set(limits)):
            raise PydanticCustomError("bands_order", "has weight bands that do not ascend")
        return self

    def price(self, leg: Leg, zone: Zone, weight_g: int) -> tuple[int, str]:
        """One leg's postage in đồng and the printed name of its weight band, such as `>100–250 g`."""
        if weight_g <= 0:
            raise ValueError("a consignment weighs at least one gram")
        lower = 0
        for band in self.bands:
            if weight_g <= band.up_to_g:
                return _one_way(band, leg).of(zone), f">{lower}–{band.up_to_g} g" if lower else f"≤{band.up_to_g} g"
            lower = band.up_to_g
        steps = -(-(weight_g - lower) // STEP_G)
        amount = _one_way(self.bands[-1], leg).of(zone) + steps * self.next_500_g.of(zone)
        return amount, f">{lower + (steps - 1) * STEP_G}–{lower + steps * STEP_G} g"


class TariffParams(Shape):
    """Parameters of a `TARIFF` rule: the table, and what remitting one dossier's state fee costs (0 = no row)."""

    table: Word
    remittance: Dong = 0


def _one_way(band: Band, leg: Leg) -> ZonePrices:
    return band.pickup if leg == "pickup" else band.return_
