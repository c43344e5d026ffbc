"""What the coordinator's board shows: every promise with the time left, every courier, every round, every alarm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispatch.domain.outward import label_url, masked_name, money_due, predicted_json, tracking_url
from dispatch.domain.text import LOCAL, local_text
from dispatch.domain.tracking import IN_HAND, MAX_PICKUP_ATTEMPTS
from dispatch.flows.communes import Communes
from dispatch.flows.coverage import roster, roster_gaps
from dispatch.flows.recording import Scene

if TYPE_CHECKING:
    from sqlalchemy import Row

    from dispatch.domain.places import Gazetteer
    from dispatch.store import Session
    from dispatch.store.rows import Courier, Round, Shift, Shop, Task, Webhook

BAND = timedelta(minutes=15)
BANDS = 24
QUIET_AFTER = timedelta(minutes=45)
COLOURS = 12
_DEAF = {
    "webhook_failing": ("webhook không nhận tin hơn một ngày", "a webhook has taken nothing for more than a day"),
    "webhook_off": ("webhook bị tắt vì không nhận tin", "a webhook was switched off, as it took nothing"),
}
_RUNNING = ("RUNNING", "AT_RISK", "BREACHED")


def board(
    session: Session, scene: Scene, gazetteer: Gazetteer, mode: str, day: date, province: str | None
) -> dict[str, Any]:
    """The board of one date: `province` (code as shops carry it) narrows it; health is added by the door."""
    begins = datetime(day.year, day.month, day.day, tzinfo=LOCAL)
    shops = [shop for shop in session.network.shops(mode) if province in (None, shop.province_code)]
    offices = [office for office in session.network.offices(mode) if province in (None, office.province_code)]
    home = {office.id for office in offices}
    couriers = [one for one in session.network.couriers(mode) if province is None or one.home_office_id in home]
    rounds = {one.courier_id: one for one in session.planning.rounds(mode, day)}
    tasks = session.planning.tasks([one.id for one in rounds.values()])
    shifts = {shift.courier_id: shift for shift in session.network.shifts(mode, day)}
    since = min(begins, scene.now - timedelta(hours=12))
    rows = session.queries.board_legs(mode, since, None if province is None else [shop.id for shop in shops])
    open_tasks = {(task.request_id, task.leg, task.kind): task for task in tasks if task.state == "open"}
    requests = sorted((_request(scene, row, open_tasks) for row in rows), key=_by_slack)
    shown_couriers = [
        _courier(scene, one, index, shifts.get(one.id), rounds.get(one.id), tasks, requests)
        for index, one in enumerate(couriers)
    ]
    communes = Communes.of(gazetteer, session.sites.commune_settings(mode))
    gaps = roster_gaps(session, scene, communes, mode, day, shops)
    return {
        "now": local_text(scene.now),
        "mode": mode,
        "date": day.isoformat(),
        "counts": _counts(requests),
        "due_bands": _bands(scene.now, requests),
        "requests": requests,
        "couriers": shown_couriers,
        "routes": [_route(one, tasks, requests) for one in rounds.values()],
        "alerts": _alerts(scene, requests, shown_couriers, gaps, _deaf(session, mode, shops)),
        "roster": roster(couriers, shifts, len(gaps)),
        "plans": [_draft(plan) for plan in session.planning.drafts(mode, day)],
        "shops": [{"id": shop.id, "name": shop.name, "lat": shop.lat, "lng": shop.lng} for shop in shops],
        "offices": [
            {"id": one.id, "name": one.name, "province_code": one.province_code, "lat": one.lat, "lng": one.lng}
            for one in offices
        ],
    }


def _by_slack(line: Mapping[str, Any]) -> tuple[bool, int, str]:
    slack = line["slack_minutes"]
    return slack is None, slack if slack is not None else 0, line["id"]


def _request(scene: Scene, row: Row[Any], open_tasks: Mapping[tuple[str, str, str], Task]) -> dict[str, Any]:
    running = row.promise_state in _RUNNING and row.promise["stopped_at"] is None and not row.closed
    slack = int((row.due_at - scene.now).total_seconds() // 60) if running else None
    kind = "delivery" if row.status in IN_HAND else "pickup"
    task = open_tasks.get((row.request_id, row.leg, kind))
    due = money_due(row.quote, row.leg, row.state.get("money"))
    return {
        "id": row.request_id,
        "item_id": row.item_id,
        "external_ref": row.external_ref,
        "kind": row.kind,
        "leg": row.leg,
        "status": row.status,
        "substatus": row.substatus,
        "shop_id": row.shop_id,
        "shop_name": row.shop_name,
        "citizen_name": masked_name(row.body["citizen"]["name"]),
        "place": _place(row, kind),
        "due_at": row.promise["due_at"],
        "due_at_strict": row.promise["due_at_strict"],
        "slack_minutes": slack,
        "promise_state": row.promise_state,
        "binding": row.promise["binding"],
        "planned_at": local_text(task.planned_at) if task else None,
        "predicted": {name: predicted_json(row)[name] for name in ("p50", "breach_probability", "model")},
        "courier_id": row.courier_id,
        "stop_id": task.stop_id if task else None,
        "attempts": row.state.get("pickup_attempts", 0),
        "warnings": row.warnings,
        "late_reason": _late_reason(scene, row, task),
        "payable": due["postage"] + due["state_fee"],
        "label_url": label_url(row.request_id, row.status),
        "tracking_url": tracking_url(scene.public_url, row.item_id, row.tracking_token),
        "version": row.version,
        "updated_at": local_text(row.updated_at),
    }


def _place(row: Row[Any], kind: str) -> dict[str, Any]:
    """The end of the leg where somebody must go next."""
    if (row.leg == "return") == (kind == "pickup"):
        return {"name": row.shop_name, "lat": row.shop_lat, "lng": row.shop_lng, "precision": "door", "at": "shop"}
    address = row.address
    raw = row.body["citizen"]["address"].get("raw")
    return {
        "name": raw or address.get("name") or "",
        "lat": address["lat"],
        "lng": address["lng"],
        "precision": address["precision"],
        "at": "citizen",
    }


def _late_reason(scene: Scene, row: Row[Any], task: Task | None) -> dict[str, str] | None:
    """Why a promise is broken or about to be, in words; None where it is neither."""
    planned_late = task is not None and row.due_at is not None and task.planned_at > row.due_at
    if row.promise_state not in ("BREACHED", "AT_RISK") and not planned_late:
        return None
    if row.promise["stopped_at"] is not None and row.promise["met"]:
        return None
    causes = predicted_json(row)["causes"]
    if causes:
        return dict(causes[0]["text"])
    if "late_notice" in row.warnings:
        return {"vi": "Điều tin đến trễ", "en": "The notice came late"}
    if row.address["precision"] == "none":
        return {"vi": "Chưa rõ địa chỉ", "en": "The address is not clear"}
    if row.status == "PICKUP_FAILED":
        return {"vi": "Đã đến nhưng chưa lấy được", "en": "A courier came but could not collect"}
    if row.promise["stopped_at"] is not None:
        return {"vi": "Bưu tá đến sau hạn", "en": "The courier came after the deadline"}
    if task is None:
        return {"vi": "Chưa có bưu tá nhận", "en": "No courier has it yet"}
    if planned_late:
        return {"vi": "Lộ trình đến sau hạn", "en": "The route arrives after the deadline"}
    if task.planned_at < scene.now:
        return {"vi": "Bưu tá chậm so với lộ trình", "en": "The courier is behind the route"}
    return {"vi": "Sắp đến hạn, bưu tá đang đến", "en": "Due soon, the courier is on the way"}


def _counts(requests: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    waiting = [line for line in requests if line["slack_minutes"] is not None]
    status = [line["status"] for line in requests]
    return {
        "open": len(waiting),
        "unassigned": sum(line["courier_id"] is None for line in waiting),
        "at_risk": sum(line["promise_state"] == "AT_RISK" for line in waiting),
        "breached": sum(line["promise_state"] == "BREACHED" for line in requests),
        "collected": sum(one in IN_HAND for one in status),
        "delivered": sum(one in ("DELIVERED", "HANDED_OVER") for one in status),
        "failed": sum(one in ("PICKUP_FAILED", "ATTEMPT_FAILED", "REFUSED") for one in status),
    }


def _bands(now: datetime, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Promises still running by quarter hours from now on; what is late already stands in the first band."""
    local = now.astimezone(LOCAL)
    first = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
    held: list[list[Mapping[str, Any]]] = [[] for _ in range(BANDS)]
    for line in requests:
        if line["slack_minutes"] is None:
            continue
        index = max(0, int((datetime.fromisoformat(line["due_at"]) - first) / BAND))
        if index < BANDS:
            held[index].append(line)
    return [
        {
            "from_at": local_text(first + BAND * number),
            "to_at": local_text(first + BAND * (number + 1)),
            "count": len(lines),
            "unassigned": sum(line["courier_id"] is None for line in lines),
            "at_risk": sum(line["promise_state"] in ("AT_RISK", "BREACHED") for line in lines),
        }
        for number, lines in enumerate(held)
    ]


def _courier(
    scene: Scene,
    courier: Courier,
    index: int,
    shift: Shift | None,
    ride: Round | None,
    tasks: Sequence[Task],
    requests: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    ahead = [task for task in tasks if ride is not None and task.round_id == ride.id and task.state == "open"]
    mine = [line for line in requests if line["courier_id"] == courier.id]
    slack = [line["slack_minutes"] for line in mine if line["slack_minutes"] is not None]
    position = None
    if courier.last_seen_at is not None:
        age = max(0, int((scene.now - courier.last_seen_at).total_seconds()))
        position = {
            "lat": courier.last_lat,
            "lng": courier.last_lng,
            "at": local_text(courier.last_seen_at),
            "age_s": age,
            "approximate": age > 600,
        }
    return {
        "id": courier.id,
        "name": courier.name,
        "home_office_id": courier.home_office_id,
        "skills": courier.skills,
        "capacity_items": courier.capacity_items,
        "shift": {"starts_at": local_text(shift.starts_at), "ends_at": local_text(shift.ends_at)} if shift else None,
        "on_shift": shift is not None and shift.starts_at <= scene.now < shift.ends_at,
        "position": position,
        "load": sum(line["status"] in IN_HAND for line in mine),
        "stops_left": len({task.stop_id for task in ahead}),
        "next_stop_at": local_text(ahead[0].planned_at) if ahead else None,
        "worst_slack_minutes": min(slack) if slack else None,
        "color_index": index % COLOURS,
    }


def _route(ride: Round, tasks: Sequence[Task], requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    due = {line["id"]: line["due_at"] for line in requests if line["slack_minutes"] is not None}
    stops: dict[str, dict[str, Any]] = {}
    for task in tasks:
        if task.round_id != ride.id:
            continue
        stop = stops.setdefault(
            task.stop_id,
            {
                "stop_id": task.stop_id,
                "kind": task.kind,
                "place": task.place,
                "request_ids": [],
                "planned_at": local_text(task.planned_at),
                "due_at": None,
                "state": "done",
                "leg_m": 0,
            },
        )
        stop["request_ids"].append(task.request_id)
        stop["leg_m"] += task.leg_m
        if task.state == "open":
            stop["state"] = "open"
        elif task.state == "failed" and stop["state"] == "done":
            stop["state"] = "failed"
        if task.kind == "pickup" and task.request_id in due:
            stop["due_at"] = min(filter(None, (stop["due_at"], due[task.request_id])))
    return {
        "round_id": ride.id,
        "courier_id": ride.courier_id,
        "version": ride.version,
        "distance_m": ride.distance_m,
        "stops": list(stops.values()),
    }


def _alerts(
    scene: Scene,
    requests: Sequence[Mapping[str, Any]],
    couriers: Sequence[Mapping[str, Any]],
    gaps: Sequence[Shop],
    deaf: Sequence[tuple[Shop, Webhook]],
) -> list[dict[str, Any]]:
    waiting = {line["shop_id"] for line in requests if line["slack_minutes"] is not None}
    found = [alert for line in requests for alert in _request_alerts(scene, line)]
    for one in couriers:
        quiet = one["position"] is None or one["position"]["age_s"] > QUIET_AFTER.total_seconds()
        if one["on_shift"] and one["stops_left"] and quiet:
            vi, en = f"{one['name']}: chưa có tín hiệu", f"{one['name']}: no sign of life"
            found.append(_alert(scene, "quiet", "low", vi, en, courier_id=one["id"]))
    for shop in gaps:
        severity = "high" if shop.id in waiting else "medium"
        vi, en = f"{shop.name}: không có bưu tá trong ca", f"{shop.name}: no courier is rostered"
        found.append(_alert(scene, "roster_gap", severity, vi, en, shop_id=shop.id))
    for shop, hook in deaf:
        code, severity = ("webhook_failing", "low") if hook.active else ("webhook_off", "medium")
        vi, en = _DEAF[code]
        found.append(_alert(scene, code, severity, f"{shop.name}: {vi}", f"{shop.name}: {en}", shop_id=shop.id))
    order = {"high": 0, "medium": 1, "low": 2}
    return sorted(found, key=lambda alert: order[alert["severity"]])


def _deaf(session: Session, mode: str, shops: Sequence[Shop]) -> list[tuple[Shop, Webhook]]:
    """The webhooks that were switched off for their receiver's sake, or have taken nothing for a day of real time."""
    by_id = {shop.id: shop for shop in shops}
    troubled = session.receivers.troubled(mode, session.wall_clock() - timedelta(days=1))
    return [(by_id[hook.shop_id], hook) for hook in troubled if hook.shop_id in by_id]


def _request_alerts(scene: Scene, line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    ref, reason = line["external_ref"], line["late_reason"]
    told: list[tuple[str, str, str, str]] = []
    if reason is not None and line["slack_minutes"] is not None:
        severity = "high" if line["promise_state"] == "BREACHED" else "medium"
        told.append(("promise", severity, reason["vi"], reason["en"]))
    if line["status"] == "PICKUP_FAILED" and line["attempts"] >= MAX_PICKUP_ATTEMPTS:
        told.append(("attempts", "high", "hai lần chưa lấy được", "two attempts failed"))
    if line["status"] == "ATTEMPT_FAILED":
        told.append(("delivery", "low", "phát chưa được, mời nhận", "not delivered, invited"))
    if "address_needs_review" in line["warnings"] and line["slack_minutes"] is not None:
        told.append(("address", "medium", "cần xem lại địa chỉ", "the address needs review"))
    for code, severity, vi, en in told:
        yield _alert(scene, code, severity, f"{ref}: {vi}", f"{ref}: {en}", request_id=line["id"])


def _alert(scene: Scene, code: str, severity: str, vi: str, en: str, **whom: str) -> dict[str, Any]:
    """One alarm; `whom` names the request, the courier or the shop it is about."""
    nobody = {"request_id": None, "courier_id": None, "shop_id": None}
    line = {"code": code, "severity": severity, **nobody, "at": local_text(scene.now)}
    return {**line, **whom, "text": {"vi": vi, "en": en}}


def _draft(plan: Any) -> dict[str, Any]:
    body = plan.body
    return {
        "id": plan.id,
        "status": plan.status,
        "version": plan.version,
        "created_at": local_text(plan.created_at),
        "served": body["served"],
        "unserved": len(body["unserved"]),
        "moved": (body.get("diff") or {}).get("moved_stops", 0),
    }
