"""The courier's side: the day's pack to carry along, and the merge of what the phone brings back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from dispatch.domain.counters import safety_items
from dispatch.domain.errors import DispatchError
from dispatch.domain.fieldwork import MAX_SKEW, REASONS, TEST_SKEW, corrected_at, missing_guard
from dispatch.domain.moves import COURIER_EVENTS, GOING_BACK
from dispatch.domain.outward import money_due
from dispatch.domain.text import Instant, Latitude, Longitude, PlainObject, Shape, Word, local_text
from dispatch.flows import ledger, looks
from dispatch.flows.recording import Happening, Scene, record, refuse_backwards, settle

if TYPE_CHECKING:
    from dispatch.store import Session
    from dispatch.store.rows import Courier, LegRow, Request, Task

WITHOUT_REQUEST = frozenset({"position", "break_started", "break_ended", "cash_handed_in", "departed_office"})
_LEG_OF_EVENT = {
    "handed_over": "pickup",
    "handover_refused": "pickup",
    "delivered": "return",
    "delivery_failed": "return",
    "refused": "return",
    "out_for_delivery": "return",
}
"""Which leg an event speaks of; a leg on its way back ends where the other one does."""
_EITHER_WAY = frozenset({"handed_over", "delivered", "delivery_failed", "out_for_delivery"})


class CourierEvent(Shape):
    """One event as the phone minted it (docs/api.md §4)."""

    event_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{8,64}$")]
    device_seq: Annotated[int, Field(ge=0, le=2**53)]
    type: Word
    stop_id: Word | None = None
    request_ids: Annotated[list[Word], Field(max_length=500)] = []
    at_device: Instant
    clock_offset_ms: Annotated[int, Field(ge=-(2**53), le=2**53)] = 0
    lat: Latitude | None = None
    lng: Longitude | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    payload: PlainObject = {}
    media: Annotated[list[Word], Field(max_length=50)] = []


@dataclass(frozen=True)
class Outcome:
    """What became of one event."""

    event_id: str
    result: Literal["applied", "duplicate", "conflict", "rejected"]
    code: str | None = None
    server_state: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """One entry of `results`."""
        shown: dict[str, Any] = {"event_id": self.event_id, "result": self.result}
        if self.code is not None:
            shown["code"] = self.code
        if self.server_state is not None:
            shown["server_state"] = self.server_state
        return shown


def merge(session: Session, scene: Scene, courier: Courier, event: CourierEvent) -> Outcome:
    """Merge one event: the same id twice is once, and a late event never undoes a newer one.

    Runs in a transaction of its own, so that one bad event never holds back the others of a phone.
    """
    known = session.queries.scan_known(courier.mode, courier.id, event.event_id)
    if known:
        return Outcome(event.event_id, "duplicate")
    if event.type not in COURIER_EVENTS:
        return Outcome(event.event_id, "rejected", "unknown_event")
    guard = missing_guard(event.type, event.payload)
    if guard is not None:
        return Outcome(event.event_id, "rejected", f"guard_{guard}")
    at = _counts_at(courier, event, scene.now, event.at_device)
    if event.type == "cash_handed_in":
        # Cash goes to the desk by the shift, not by the dossier.
        ledger.book_handed_in(session, courier, event.event_id, event.payload, at, scene.now)
        outcome = Outcome(event.event_id, "applied")
    elif event.request_ids:
        outcome = _merge_requests(session, scene, courier, event)
    elif event.type in WITHOUT_REQUEST or event.type == "arrived":
        outcome = Outcome(event.event_id, "applied")
    else:
        outcome = Outcome(event.event_id, "rejected", "guard_request_ids")
    if outcome.result != "rejected":
        if event.lat is not None and event.lng is not None:
            session.network.note_position(courier.mode, courier.id, event.lat, event.lng, at)
        session.queries.keep_scan(
            mode=courier.mode,
            courier_id=courier.id,
            event_id=event.event_id,
            type=event.type,
            body=event.model_dump(mode="json"),
            result=outcome.to_json(),
            occurred_at=at,
            received_at=scene.now,
        )
    return outcome


def _counts_at(courier: Courier, event: CourierEvent, received_at: datetime, not_before: datetime) -> datetime:
    """The instant that counts for an event."""
    skew = MAX_SKEW if courier.mode == "live" else TEST_SKEW
    return corrected_at(event.at_device, event.clock_offset_ms, received_at, not_before, skew)


def _merge_requests(session: Session, scene: Scene, courier: Courier, event: CourierEvent) -> Outcome:
    conflicts: dict[str, Any] = {}
    off = False
    left = {name: event.payload.get(name, 0) for name in ("postage", "state_fee")}
    tasks = session.planning.tasks_of_stop(event.stop_id) if event.stop_id else []
    # All at once and in the order of their ids, so that a phone and a commit never wait for each other's rows.
    found = session.planning.lock_requests(courier.mode, event.request_ids)
    for request_id in sorted(set(event.request_ids)):
        request = found.get(request_id)
        leg = _leg_for(session, request, tasks, event) if request else None
        if request is None or leg is None or not _was_given(session, leg, courier):
            return Outcome(event.event_id, "rejected", "not_your_stop")
        try:
            refuse_backwards(request, scene.now)
        except DispatchError as error:
            return Outcome(event.event_id, "rejected", error.code)
        if courier.mode == "test":
            settle(session, scene, request)
        payload = _share(event, request, leg, left)
        happening = _happening(session, scene, courier, event, leg, payload)
        if record(session, scene, courier.mode, request_id, leg.leg, happening) == "conflict":
            now = next(row for row in session.consignments.legs(request_id) if row.leg == leg.leg)
            conflicts[request_id] = {"leg": now.leg, "status": now.status, "courier_id": now.courier_id}
        off = off or any(
            task.request_id == request_id
            and task.state == "open"
            and looks.off_time(task.planned_at, happening.occurred_at)
            for task in tasks
        )
    if off:
        looks.mark(session, courier.mode, [courier.home_office_id], scene.now)
    if conflicts:
        return Outcome(event.event_id, "conflict", server_state=conflicts)
    return Outcome(event.event_id, "applied")


def _leg_for(session: Session, request: Request, tasks: list[Task], event: CourierEvent) -> LegRow | None:
    """The leg an event speaks of: the one its type belongs to, else its stop's, else the active one."""
    legs = {leg.leg: leg for leg in session.consignments.legs(request.id)}
    at_stop = next((task.leg for task in tasks if task.request_id == request.id), None)
    back = [leg.leg for leg in legs.values() if leg.status in GOING_BACK and event.type in _EITHER_WAY]
    names = [*back, _LEG_OF_EVENT.get(event.type), at_stop, request.active_leg]
    return next((legs[name] for name in names if name in legs), None)


def _was_given(session: Session, leg: LegRow, courier: Courier) -> bool:
    """Whether this leg was ever this courier's to carry."""
    if leg.courier_id == courier.id:
        return True
    events = session.consignments.events(leg.request_id, leg.leg)
    return any(row.type == "assigned" and row.courier_id == courier.id for row in events)


def _share(event: CourierEvent, request: Request, leg: LegRow, left: dict[str, int]) -> dict[str, Any]:
    """The payload for one request: cash taken for several is shared out by what each owes, the rest to the last."""
    if event.type == "undone":
        return {**event.payload, "event_id": f"{event.payload.get('event_id')}~{request.id}"}
    if event.type != "cash_taken" or len(event.request_ids) < 2:
        return dict(event.payload)
    owed = money_due(request.quote, leg.leg)
    last = request.id == max(event.request_ids)
    share = {name: left[name] if last else min(left[name], owed[name]) for name in left}
    for name, amount in share.items():
        left[name] -= amount
    return {**event.payload, **share}


def _happening(
    session: Session, scene: Scene, courier: Courier, event: CourierEvent, leg: LegRow, payload: dict[str, Any]
) -> Happening:
    given = [
        row.occurred_at
        for row in session.consignments.events(leg.request_id, leg.leg)
        if row.type == "assigned" and row.courier_id == courier.id
    ]
    not_before = min(given) if given else event.at_device
    return Happening(
        type=event.type,
        occurred_at=_counts_at(courier, event, scene.now, not_before),
        actor=f"courier:{courier.id}",
        id=f"{event.event_id}~{leg.request_id}",
        courier_id=courier.id,
        payload=payload,
        device_at=event.at_device,
        device_seq=event.device_seq + 1,
        lat=event.lat,
        lng=event.lng,
    )


def day_pack(session: Session, scene: Scene, courier: Courier, day: date) -> dict[str, Any]:
    """Everything a courier needs for one date with no network: the round, contacts, papers, money, reasons."""
    found = session.planning.round_of(courier.mode, courier.id, day)
    tasks = session.planning.tasks([found.id]) if found else []
    ids = sorted({task.request_id for task in tasks})
    requests = {request_id: session.consignments.get(courier.mode, request_id) for request_id in ids}
    legs = session.consignments.legs_of(ids)
    stops: dict[str, dict[str, Any]] = {}
    for task in tasks:
        request = requests[task.request_id]
        leg = next(row for row in legs[task.request_id] if row.leg == task.leg)
        if request is not None:
            stop = stops.setdefault(task.stop_id, _empty_stop(task))
            _add_to_stop(stop, task, request, leg)
            if task.place["at"] == "shop":
                asked = safety_items(scene.book, request.shop_province, day, scene.now)
                stop["safety_checklist"] = sorted({*stop["safety_checklist"], *asked})
    return {
        "date": day.isoformat(),
        "now": local_text(scene.now),
        "courier_id": courier.id,
        "courier_name": courier.name,
        "round_id": found.id if found else None,
        "version": found.version if found else 0,
        "stops": list(stops.values()),
        "reasons": [dict(reason) for reason in REASONS],
        "keys": [],
    }


def _empty_stop(task: Task) -> dict[str, Any]:
    return {
        "stop_id": task.stop_id,
        "kind": task.kind,
        "place": task.place,
        "request_ids": [],
        "due_at": None,
        "planned_at": local_text(task.planned_at),
        "state": "done",
        "money": {"postage": 0, "state_fee": 0},
        "documents": [],
        "requests": [],
        "safety_checklist": [],
    }


def _add_to_stop(stop: dict[str, Any], task: Task, request: Request, leg: LegRow) -> None:
    at_citizen = task.place["at"] == "citizen"
    due = money_due(request.quote, leg.leg, leg.state.get("money")) if at_citizen else {"postage": 0, "state_fee": 0}
    promised = leg.promise["due_at"] if task.kind == "pickup" else leg.promise["delivery_due_on"]
    papers = [{"request_id": request.id, **paper} for paper in request.body["documents"]]
    citizen = request.body["citizen"]
    stop["request_ids"].append(request.id)
    stop["documents"] += papers
    stop["money"] = {name: stop["money"][name] + amount for name, amount in due.items()}
    if task.kind == "pickup" and (stop["due_at"] is None or _moment(promised) < _moment(stop["due_at"])):
        stop["due_at"] = promised
    if task.state == "open":
        stop["state"] = "open"
    elif task.state == "failed" and stop["state"] != "open":
        stop["state"] = "failed"
    stop["requests"].append(
        {
            "id": request.id,
            "item_id": leg.item_id,
            "leg": leg.leg,
            "external_ref": request.external_ref,
            "dossier_code": request.body["dossier"]["code"],
            "contact": {"name": citizen["name"], "phone": citizen["phone"]},
            "due_at": promised,
            "money": due,
            "documents": papers,
            "note": request.body["note"],
            "status": leg.status,
        }
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
