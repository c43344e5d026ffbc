"""How a request looks from outside: the JSON of docs/api.md, built from what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dispatch.domain import charging
from dispatch.domain.forecasts import UNKNOWN
from dispatch.domain.moves import CALLED_OFF
from dispatch.domain.text import local_text
from dispatch.domain.tracking import LegState

if TYPE_CHECKING:
    from dispatch.store.rows import EventRow, LegRow, Request


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else local_text(moment)


def label_url(request_id: str, status: str) -> str | None:
    """Where the label of a request's leg is; None where the leg was called off: nothing is carried."""
    return None if status in CALLED_OFF else f"/v1/requests/{request_id}/label"


def tracking_url(public_url: str, item_id: str, token: str) -> str:
    """The citizen's page for one item."""
    return f"{public_url.rstrip('/')}/t/{item_id}?token={token}"


def leg_json(request: Request, leg: LegRow, public_url: str) -> dict[str, Any]:
    """One entry of `legs`."""
    return {
        "leg": leg.leg,
        "status": leg.status,
        "substatus": leg.substatus,
        "item_id": leg.item_id,
        "label_url": label_url(request.id, leg.status),
        "tracking_url": tracking_url(public_url, leg.item_id, request.tracking_token),
        "courier_id": leg.courier_id,
        "planned_at": _text(leg.planned_at),
    }


def promise_json(leg: LegRow) -> dict[str, Any]:
    """One entry of `promise`; nothing is predicted of one that was judged or stands still."""
    return {**leg.promise, "predicted": predicted_json(leg)}


def predicted_json(leg: Any) -> dict[str, Any]:
    """What is foretold of a promise while its clock runs, from a row with a leg's columns.

    Where no forecast was made yet it is the planned instant.
    """
    if leg.promise["stopped_at"] is not None or leg.promise_state == "PAUSED":
        return UNKNOWN
    return leg.predicted or {**UNKNOWN, "p50": _text(leg.planned_at)}


def _dossier_json(dossier: Mapping[str, Any]) -> dict[str, Any]:
    """The dossier as it was sent, its instant in local time like every other."""
    filed_at = dossier["submitted_at"]
    return {**dossier, "submitted_at": None if filed_at is None else local_text(datetime.fromisoformat(filed_at))}


def request_json(request: Request, legs: Sequence[LegRow], public_url: str) -> dict[str, Any]:
    """A request as a read shows it and as `data` of its webhooks."""
    active = next(leg for leg in legs if leg.leg == request.active_leg)
    shown: dict[str, Any] = {
        "id": request.id,
        "shop_id": request.shop_id,
        "external_ref": request.external_ref,
        "kind": request.kind,
        "status": active.status,
        "substatus": active.substatus,
        "version": request.version,
        "livemode": request.mode == "live",
        "item_id": active.item_id,
        "label_url": label_url(request.id, active.status),
        "tracking_url": tracking_url(public_url, active.item_id, request.tracking_token),
        "legs": [leg_json(request, leg, public_url) for leg in legs],
        "province_code": active.promise.get("province_code"),
        "quote": request.quote,
        "promise": [promise_json(leg) for leg in legs if not leg.asleep],
        "return_mode": request.return_mode,
        "authority_due_on": None if request.authority_due_on is None else request.authority_due_on.isoformat(),
        "address": request.address,
        "warnings": request.warnings,
        "dossier": _dossier_json(request.body["dossier"]),
        "citizen": request.body["citizen"],
        "weight_g": request.body["weight_g"],
        "documents": request.body["documents"],
        "note": request.body["note"],
        "metadata": request.body["metadata"],
        "created_at": local_text(request.created_at),
        "updated_at": local_text(request.updated_at),
    }
    for leg in legs:
        shown |= leg.state.get("outward", {})
    return shown


def events_json(leg: str, state: LegState, rows: Mapping[str, EventRow]) -> list[dict[str, Any]]:
    """The history of a leg: scanned and implied steps, with who was there and both clocks."""
    lines = []
    for step in state.steps:
        row = rows.get(step.event.id) or rows.get(step.event.id.split(".")[0])
        lines.append(
            {
                "id": step.event.id,
                "leg": leg,
                "type": step.event.type,
                "status": step.status,
                "substatus": step.substatus,
                "implied": step.implied,
                "occurred_at": local_text(step.event.occurred_at),
                "recorded_at": _text(row.recorded_at) if row else None,
                "device_at": _text(row.device_at) if row else None,
                "courier_id": step.event.courier_id,
                "actor": row.actor if row else "system",
                "reason": step.event.payload.get("reason"),
            }
        )
    return lines


def masked_name(name: str) -> str:
    """A name that its owner recognises and others do not: `Nguyễn Thị A` → `N. T. A`."""
    words = name.split()
    if len(words) < 2:
        return name[:1] + "…"
    return " ".join([word[0] + "." for word in words[:-1]] + [words[-1]])


def masked_phone(phone: str) -> str:
    """The last three digits of a phone number."""
    digits = [char for char in phone if char.isdigit()]
    return "•••• ••• " + "".join(digits[-3:])


def local_date_text(day: date | None) -> str | None:
    """A date as ISO text, or None."""
    return None if day is None else day.isoformat()


def money_due(quote: Mapping[str, Any], leg: str, taken: Mapping[str, int] | None = None) -> dict[str, int]:
    """What a courier must ask for on one leg, in đồng: `postage` (with reductions and remittance) and `state_fee`."""
    due = charging.owed(quote, leg)
    return {name: max(0, amount - (taken or {}).get(name, 0)) for name, amount in due.items()}
