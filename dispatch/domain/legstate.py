"""What is known of one leg: its events, the steps they led to, and the state they amount to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from dispatch.domain.moves import ENDED


@dataclass(frozen=True)
class Event:
    """One recorded event: `occurred_at` is the corrected instant that every judgement uses."""

    id: str
    type: str
    occurred_at: datetime
    order: int
    courier_id: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """An event that took effect, with the status it led to; implied steps were deduced, not scanned."""

    event: Event
    status: str
    substatus: str | None
    implied: bool = False


@dataclass(frozen=True)
class Invitations:
    """What follows a failed delivery: two invitations at least two working days apart, then the way back."""

    failed_at: datetime
    first_on: date
    second_not_before: date
    return_not_before: date
    second_on: date | None = None


@dataclass(frozen=True)
class Pause:
    """A stretch in which the promise's clock stood; `to` None while it still stands."""

    from_: datetime
    to: datetime | None
    reason: str
    party: str


@dataclass(frozen=True)
class Failure:
    """A collection that failed; `proven` where the courier brought proof."""

    at: datetime
    reason: str
    proven: bool


@dataclass(frozen=True)
class LegState:
    """What is true of a leg now.

    `at_office`: the item lies at a post office. `presented_at`: when the shop first took or refused the papers for
    what they are; `arrived_at`: the last arrival before that, `at_counter` where it was at the shop itself. `money` is
    what was paid so far, by name. `redirected` is (instant, n of its J+n) of the last redirection after collection.
    """

    leg: str
    status: str = "REQUESTED"
    substatus: str | None = None
    courier_id: str | None = None
    had: frozenset[str] = frozenset()
    at_office: bool = False
    collected_at: datetime | None = None
    ended_at: datetime | None = None
    failed_at: datetime | None = None
    absent_at: datetime | None = None
    delivered_at: datetime | None = None
    handed_over_at: datetime | None = None
    arrived_at: datetime | None = None
    at_counter: bool = False
    presented_at: datetime | None = None
    refusal: Event | None = None
    invitations: Invitations | None = None
    redirected: tuple[datetime, int] | None = None
    pauses: tuple[Pause, ...] = ()
    failures: tuple[Failure, ...] = ()
    pickup_attempts: int = 0
    delivery_attempts: int = 0
    money: dict[str, int] = field(default_factory=dict)
    refunded: int = 0
    paid_at: datetime | None = None
    compensation: dict[str, Any] | None = None
    appointment: dict[str, Any] | None = None
    steps: tuple[Step, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def collected(self) -> bool:
        """Whether the dossier was ever taken over by the post."""
        return self.collected_at is not None

    @property
    def ended(self) -> bool:
        """Whether nothing more can happen to this leg on the road."""
        return self.status in ENDED

    @property
    def paused(self) -> bool:
        """Whether the promise's clock stands now."""
        return bool(self.pauses) and self.pauses[-1].to is None

    @property
    def charged_at(self) -> datetime | None:
        """When the charge was fixed: the earlier of payment and collection; None before both."""
        return min((at for at in (self.collected_at, self.paid_at) if at is not None), default=None)

    @property
    def paid(self) -> int:
        """What the citizen has paid and not got back, in đồng."""
        return max(0, sum(self.money.values()) - self.refunded)

    def took(self, event_id: str) -> bool:
        """Whether the event of that id had its effect."""
        return event_id not in self.refused
