"""What a transaction has changed that forecasts hang on."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Stirred:
    """Requests that were made or changed, rounds that were, and couriers who were seen, by id.

    The aggregates note it as they write; whoever ends the work foretells anew what was stirred, and what he leaves is
    due for the clock at once.
    """

    request_ids: set[str] = field(default_factory=set)
    round_ids: set[str] = field(default_factory=set)
    courier_ids: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.request_ids or self.round_ids or self.courier_ids)

    def add(self, other: Stirred) -> None:
        """Take over what another transaction has stirred."""
        self.request_ids |= other.request_ids
        self.round_ids |= other.round_ids
        self.courier_ids |= other.courier_ids

    def clear(self) -> None:
        """Forget all of it."""
        self.request_ids.clear()
        self.round_ids.clear()
        self.courier_ids.clear()
