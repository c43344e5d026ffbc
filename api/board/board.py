"""The board's one read."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.endpoint import Answer, Call, route
from api.health import pulse
from api.shapes.board import Board
from dispatch.domain.errors import invalid
from dispatch.domain.hours import local_date
from dispatch.flows import watching
from dispatch.flows.sla_watch import sweep


class BoardQuery(BaseModel):
    """Which date and which province."""

    model_config = ConfigDict(extra="forbid")

    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    province: Annotated[str, Field(pattern=r"^\d{2}$")] | None = None


@route(
    "GET",
    "/v1/board",
    tag="operator",
    errors=("calendar_never_opens",),
    out=Board,
    scopes=("operator",),
    query=BoardQuery,
)
def read_board(call: Call) -> Any:
    """Everything the board shows: requests with slack, couriers, rounds, alerts, heartbeats."""
    scene = call.system.scene(call.now)
    if call.mode == "test":
        sweep(call.session, "test", scene, limit=100_000)
    day = local_date(call.now)
    if call.query.date is not None:
        try:
            day = date.fromisoformat(call.query.date)
        except ValueError as error:
            raise invalid("/date", "validation_failed", "Ngày không có thật.", "There is no such date.") from error
    shown = watching.board(call.session, scene, call.system.places.gazetteer, call.mode, day, call.query.province)
    health = pulse(call.system)
    states = {name: part["state"] for name, part in health.items()}
    # The clock's hand alone is no news; slack in whole minutes is.
    seen = json.dumps([{**shown, "now": None}, states], sort_keys=True, default=str)
    tag = f'"{hashlib.sha256(seen.encode()).hexdigest()[:20]}"'
    return Answer({**shown, "health": health, "version": tag.strip('"')}, 200, {"ETag": tag})
