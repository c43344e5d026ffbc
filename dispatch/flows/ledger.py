"""Book money as it moves, in three ledgers: postage, state fees passed through, compensation.

Entries are appended, never changed. Money that comes in is positive, money that goes out negative; `kind` is the type
of the event an entry stands for, so that a report needs no other list:

- `POSTAGE`: `cash_taken`, `paid`, `refunded`, `cash_handed_in` (from the courier to the cash desk, no request)
- `STATE_FEE`: the same, and `fee_remitted` (to the authority). A state fee never meets postage in one book
- `COMPENSATION`: `compensated`, and `reissued` (the costs of issuing lost papers again)

Deferred postage is a receivable that stands in the quote; no money moved, so no book holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dispatch.domain.hours import local_date
from dispatch.domain.legstate import Event
from dispatch.domain.moves import MONEY_EVENTS
from dispatch.domain.tracking import fold

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.money import Entry
    from dispatch.store.rows import Courier, EventRow, LegRow, Request

POSTAGE, STATE_FEE, COMPENSATION = "POSTAGE", "STATE_FEE", "COMPENSATION"
BOOKED = MONEY_EVENTS | {"undone", "handed_over", "cash_handed_in"}
"""The types of events that `book` has something to do with; for any other it does nothing."""
WITH_DOSSIER = "WITH_DOSSIER"
"""The `method` of a fee handed to the authority together with the dossier."""

Line = tuple[str, str, int]
"""(book, kind, amount) of one entry to be."""


def book(session: Session, request: Request, leg: LegRow, event: Event, actor: str, recorded_at: datetime) -> None:
    """Book what one recorded event of a leg means in money; an event booked before changes nothing.

    Safe in any order of arrival: an `undone` books the opposite of what it takes back, also where the event it takes
    back comes later. On a send leg the state fee collected so far goes out with the dossier at `handed_over`
    (QĐ 45/2016/QĐ-TTg art 7: the staff hand over the collected fees with the dossier).
    """
    if event.type not in BOOKED:
        return
    about = {"mode": request.mode, "request_id": request.id, "leg": leg.leg, "recorded_at": recorded_at}
    if event.type == "cash_handed_in" and event.courier_id is not None:
        place = (request.mode, event.courier_id, event.occurred_at, recorded_at)
        session.money.add_entries(_handed_in(event.id, event.payload, actor, *place))
    if event.type in MONEY_EVENTS:
        session.money.add_entries([_entry(about, event, actor, line) for line in _lines(event)])
    history = session.consignments.events(request.id, leg.leg)
    _take_back(session, history, actor, recorded_at)
    if leg.leg == "pickup":
        _remit_with_dossier(session, about, history, event, actor)


def book_handed_in(
    session: Session, courier: Courier, event_id: str, payload: Mapping[str, Any], at: datetime, recorded_at: datetime
) -> None:
    """Book what a courier hands in at the cash desk: `payload` holds `postage` and `state_fee` in đồng."""
    # A phone mints its ids for itself; two phones, or two worlds, may mint the same.
    key, actor = f"{courier.mode}:{courier.id}:{event_id}", f"courier:{courier.id}"
    session.money.add_entries(_handed_in(key, payload, actor, courier.mode, courier.id, at, recorded_at))


def _handed_in(
    event_id: str,
    payload: Mapping[str, Any],
    actor: str,
    mode: str,
    courier_id: str,
    at: datetime,
    recorded_at: datetime,
) -> list[dict[str, Any]]:
    """The entries of cash that goes to the desk: it is a shift's, no request's."""
    common = {
        "mode": mode,
        "request_id": None,
        "leg": None,
        "kind": "cash_handed_in",
        "occurred_at": at,
        "recorded_at": recorded_at,
        "event_id": event_id,
        "method": "CASH",
        "receipt_no": None,
        "courier_id": courier_id,
        "shift_date": local_date(at),
        "actor": actor,
        "note": "",
    }
    amounts = {POSTAGE: _dong(payload, "postage"), STATE_FEE: _dong(payload, "state_fee")}
    return [{**common, "book": name, "amount": -amount} for name, amount in amounts.items() if amount]


def _dong(payload: Mapping[str, Any], name: str) -> int:
    return int(payload.get(name) or 0)


def _lines(event: Event) -> list[Line]:
    """What a money event books, amounts of nothing left out."""
    payload, kind = event.payload, event.type
    lines: list[Line]
    if kind in ("cash_taken", "paid"):
        lines = [(POSTAGE, kind, _dong(payload, "postage")), (STATE_FEE, kind, _dong(payload, "state_fee"))]
    elif kind == "refunded":
        fee = _dong(payload, "state_fee")
        lines = [(POSTAGE, kind, fee - _dong(payload, "amount")), (STATE_FEE, kind, -fee)]
    elif kind == "fee_remitted":
        lines = [(STATE_FEE, kind, -_dong(payload, "amount"))]
    else:
        costs = _dong(payload, "reissue_costs")
        lines = [(COMPENSATION, kind, costs - _dong(payload, "amount")), (COMPENSATION, "reissued", -costs)]
    return [line for line in lines if line[2]]


def _entry(about: Mapping[str, Any], event: Event, actor: str, line: Line) -> dict[str, Any]:
    name, kind, amount = line
    cash = event.type == "cash_taken"
    receipt = event.payload.get("receipt_no")
    if name == POSTAGE and _dong(event.payload, "state_fee"):
        receipt = None  # the number is that of the state fee's own receipt
    return {
        **about,
        "book": name,
        "kind": kind,
        "amount": amount,
        "occurred_at": event.occurred_at,
        "event_id": event.id,
        "method": "CASH" if cash else event.payload.get("method"),
        "receipt_no": receipt,
        "courier_id": event.courier_id if cash else None,
        "shift_date": _shift_date(event) if cash else None,
        "actor": actor,
        "note": str(event.payload.get("reason") or ""),
    }


def _shift_date(event: Event) -> date | None:
    return local_date(event.occurred_at) if event.courier_id is not None else None


def _take_back(session: Session, history: Iterable[EventRow], actor: str, recorded_at: datetime) -> None:
    """Book the opposite of every entry whose event the history takes back, once."""
    undone = {str(row.payload.get("event_id")) for row in history if row.type == "undone"}
    session.money.add_entries(
        [
            {
                **asdict(entry),
                "amount": -entry.amount,
                "recorded_at": recorded_at,
                "event_id": f"{entry.event_id}.undone",
                "actor": actor,
                "note": "undone",
            }
            for entry in session.money.entries_of_events(undone)
        ]
    )


def _remit_with_dossier(
    session: Session, about: Mapping[str, Any], history: Iterable[EventRow], event: Event, actor: str
) -> None:
    """Keep what was remitted with the dossier equal to what had been collected when the joint record was signed.

    Whatever `event` changed in that (a scan that came late, one taken back), the difference is booked under it.
    """
    entries = [
        entry
        for entry in session.money.entries(about["request_id"])
        if entry.leg == about["leg"] and entry.book == STATE_FEE
    ]
    if not entries:
        return
    known = (
        Event(row.id, row.type, row.occurred_at, row.device_seq or 0, row.courier_id, row.payload) for row in history
    )
    steps = fold("pickup", known).steps
    handed = next((step.event for step in reversed(steps) if step.event.type == "handed_over"), None)
    carried = [entry for entry in entries if entry.method == WITH_DOSSIER]
    others = [entry for entry in entries if entry.method != WITH_DOSSIER]
    due = 0 if handed is None else max(0, sum(entry.amount for entry in others if _counts(entry, handed)))
    change = -due - sum(entry.amount for entry in carried)
    if not change:
        return
    row: dict[str, Any] = {"note": "undone", "receipt_no": None, "occurred_at": event.occurred_at}
    if handed is not None:
        shift = {"courier_id": handed.courier_id, "shift_date": _shift_date(handed)}
        row |= {"note": "", "receipt_no": handed.payload.get("record_no"), "occurred_at": handed.occurred_at}
    else:
        shift = {"courier_id": carried[-1].courier_id, "shift_date": carried[-1].shift_date}
    key = {"book": STATE_FEE, "kind": "fee_remitted", "event_id": f"{event.id}.with_dossier"}
    session.money.add_entries(
        [{**about, **row, **shift, **key, "amount": change, "method": WITH_DOSSIER, "actor": actor}]
    )


def _counts(entry: Entry, handed: Event) -> bool:
    """Whether an entry decides what went out at the hand-over: what was collected by then, and all that left."""
    return entry.kind not in ("cash_taken", "paid") or entry.occurred_at <= handed.occurred_at
