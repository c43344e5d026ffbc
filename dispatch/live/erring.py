"""How far real rides and services are from what is reckoned: what a forecast must know besides the route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ratio:
    """Real ÷ reckoned time: its mean, and the standard deviation of the real time as a share of the reckoned one."""

    mean: float
    deviation: float


class Errors(Protocol):
    """What is known of such errors; `model` names where it comes from and its version."""

    @property
    def model(self) -> str:
        """The name under which forecasts made with it are kept."""

    def ride(self, origin: str | None, destination: str | None, hour: int) -> Ratio:
        """Of a ride between two communes (their codes; None where unknown) that begins in a local hour, 0 to 23."""

    def service(self, shop_id: str | None) -> Ratio:
        """Of the service at a shop's counter; None is a citizen's door or a post office."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before anything was learnt: reckoned times are right on average, one leg errs by a quarter."""

    model: str = "prior-1"

    def ride(self, origin: str | None, destination: str | None, hour: int) -> Ratio:
        """The same everywhere and at any hour."""
        return _BELIEVED

    def service(self, shop_id: str | None) -> Ratio:
        """The same at every door."""
        return _BELIEVED


_BELIEVED = Ratio(1.0, 0.25)
