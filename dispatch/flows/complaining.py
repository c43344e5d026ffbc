"""Complaints: what a citizen is told on the day he complains, from what was promised, carried and paid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dispatch.domain import cash, charging
from dispatch.domain.complaints import INTER_PROVINCE, Answer, Carriage, ComplaintKind, judge
from dispatch.domain.hours import local_date
from dispatch.domain.moves import CALLED_OFF
from dispatch.domain.text import local_text
from dispatch.flows.paying import leg_of, refuse_future
from dispatch.flows.recording import Scene, state_of
from dispatch.flows.ruling import shop_book

if TYPE_CHECKING:
    from dispatch.domain.legstate import Event, LegState
    from dispatch.domain.places import Zone
    from dispatch.store import Session
    from dispatch.store.rows import LegRow, Request

_DELIVERY = {"pickup": "handed_over", "return": "delivered"}
"""What ends a leg well: the dossier in the shop's hands, the result in the citizen's."""


def complain(
    session: Session,
    scene: Scene,
    request: Request,
    kind: ComplaintKind,
    lodged_at: datetime,
    actor: str,
    leg_name: str | None = None,
) -> dict[str, Any]:
    """Keep a complaint and answer it as far as the books can: dates, admissibility, what is owed at least.

    It is about the active leg unless `leg_name` says otherwise (a return leg that sleeps was never carried). Raises
    `Invalid` (`at_in_future`) and `Conflict` (`no_such_leg`).
    """
    refuse_future(lodged_at, scene.now, "/lodged_at")
    leg = leg_of(session, request, leg_name)
    lodged_on = local_date(lodged_at)
    answer = judge(kind, _carriage(session, scene, request, leg, lodged_at), lodged_on, scene.book.holidays)
    complaint_id = session.new_id("cmp")
    session.money.add_complaint(
        id=complaint_id,
        mode=request.mode,
        request_id=request.id,
        leg=leg.leg,
        kind=kind,
        lodged_at=lodged_at,
        answer_due_on=answer.answer_due_on,
        minimum_compensation=answer.minimum_compensation,
        refund=answer.refund,
        admissible=answer.admissible,
        actor=actor,
        created_at=scene.now,
    )
    return {"id": complaint_id, "request_id": request.id, "leg": leg.leg, "kind": kind, **_shown(answer, lodged_at)}


def _shown(answer: Answer, lodged_at: datetime) -> dict[str, Any]:
    until = answer.admissible_until
    return {
        "lodged_at": local_text(lodged_at),
        "answer_due_on": answer.answer_due_on.isoformat(),
        "minimum_compensation": answer.minimum_compensation,
        "refund": answer.refund,
        "admissible": answer.admissible,
        "admissible_until": None if until is None else until.isoformat(),
        "currency": "VND",
    }


def _carriage(session: Session, scene: Scene, request: Request, leg: LegRow, lodged_at: datetime) -> Carriage:
    """One leg as it was carried and paid up to the complaint."""
    state = state_of(session, request.id, leg.leg)
    promise = leg.promise
    lines = [line for line in request.quote["lines"] if line["leg"] == leg.leg]
    zones: list[Zone] = [line["zone"] for line in lines if line.get("zone")]
    remittance = sum(line["amount"] for line in lines if line["code"] == "remittance")
    right, paid = _right_and_paid(session, scene, request, leg, lodged_at)
    return Carriage(
        # A redirected item may have crossed a province's border on its second way only.
        zone=next((zone for zone in zones if zone in INTER_PROVINCE), zones[0]),
        transit_ends_on=date.fromisoformat(promise["delivery_due_on"] or promise["delivery_expected_on"]),
        reached_on=_first(state, lambda event: _reached(event, leg.leg)),
        delivered_on=_first(state, lambda event: event.type == _DELIVERY[leg.leg]),
        list_price=charging.list_price(request.quote, leg.leg),
        paid=max(0, paid - remittance),
        right_price=max(0, right - remittance),
        carried=leg.status not in CALLED_OFF,
    )


def _right_and_paid(
    session: Session, scene: Scene, request: Request, leg: LegRow, lodged_at: datetime
) -> tuple[int, int]:
    """The postage of a leg by all rules known when the citizen complains, and what he has paid for that leg.

    A courier may have taken the money for both legs on one: what one leg has too much counts for the other.
    """
    quote = request.quote
    if leg.charged_at is not None:
        book = shop_book(session, scene, request.mode, request.shop_id)
        adjustment = charging.reprice(book, request, leg.leg, leg.charged_at, lodged_at)
        quote = quote if adjustment is None else charging.adjusted(quote, adjustment)
    names = [row.leg for row in session.consignments.legs(request.id)]
    owed = {name: charging.owed(quote, name) for name in names}
    due, over = cash.balance(owed, cash.paid(session.money.entries(request.id), names))
    right = owed[leg.leg]["postage"]
    return right, right - due[leg.leg]["postage"] + over[leg.leg]["postage"]


def _reached(event: Event, leg: str) -> bool:
    """Whether the post had done its part with this event: delivered, refused, or nobody found and an invitation left.

    TT 17/2017/TT-BTTTT art 7: where an item waits to be called for, the clock ends when the person is notified.
    """
    return event.type in (_DELIVERY[leg], "refused", "delivery_failed")


def _first(state: LegState, counts: Callable[[Event], bool]) -> date | None:
    return next((local_date(step.event.occurred_at) for step in state.steps if counts(step.event)), None)
