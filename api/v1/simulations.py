"""Simulations: what would have been with another number of couriers, a closed road, other rules."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.endpoint import Call, operation_answer, route
from api.shapes.base import Accepted
from api.shapes.planning import SimulationRun
from api.v1.requests import scene
from dispatch.domain.errors import NotFound, invalid
from dispatch.domain.hours import IsoDate
from dispatch.domain.text import PlainObject, ProvinceCode, Word
from dispatch.flows import simulating
from dispatch.rehearsal import WhatIf, changed, read
from routing import RoutingError

OPERATOR = ("operator",)


class SimulationBody(WhatIf):
    """A day of a province or a post office, or a `scenario` (dispatch-scenario/1), and how it shall differ."""

    province_code: ProvinceCode | None = None
    office_id: Word | None = None
    day: Annotated[IsoDate | None, Field(alias="date")] = None
    scenario: PlainObject | None = None

    @model_validator(mode="after")
    def _one_day(self) -> Self:
        named = sum(part is not None for part in (self.province_code, self.office_id, self.scenario))
        if named != 1 or (self.scenario is None) != (self.day is not None):
            raise PydanticCustomError(
                "one_day", "names either scenario, or date with province_code or office_id, and nothing twice"
            )
        return self

    @property
    def area(self) -> str | None:
        """The area in one word."""
        if self.province_code:
            return f"province:{self.province_code}"
        return f"office:{self.office_id}" if self.office_id else None

    @property
    def wish(self) -> dict[str, Any]:
        """How the day shall differ, without which day it is."""
        return self.model_dump(mode="json", by_alias=True, exclude={"province_code", "office_id", "day", "scenario"})


@route(
    "POST",
    "/v1/simulations",
    tag="operator",
    out=Accepted,
    names={"operation_id": "/id"},
    scopes=OPERATOR,
    body=SimulationBody,
    status=202,
    errors=("unknown_area", "date_in_future", "simulation_too_large"),
)
def make_simulation(call: Call) -> Any:
    """Run a past day, or a made one, with other couriers, hours, rules or work; nothing real is touched."""
    body: SimulationBody = call.body
    if body.scenario is not None:
        _check(body)
    operation_id = simulating.ask(
        call.session,
        scene(call),
        mode=call.mode,
        area=body.area,
        day=body.day,
        scenario=body.scenario,
        wish=body.wish,
        owner=call.principal.owner,
    )
    return operation_answer(operation_id)


def _check(body: SimulationBody) -> None:
    try:
        day, _ = changed(read(json.dumps(body.scenario)), body)
    except RoutingError as error:
        where = error.where.replace("[", "/").replace("]", "").replace(".", "/")
        pointer = f"/{where}" if error.code == "unknown_id" else f"/scenario/{where}"
        raise invalid(pointer, "validation_failed", f"Kịch bản không đúng: {error}", str(error)) from error
    simulating.refuse_large(max(len(day.requests), len(day.sites) + len(day.couriers)))


@route("GET", "/v1/simulations/<operation_id>/result", tag="operator", out=SimulationRun, scopes=OPERATOR)
def read_simulation(call: Call, operation_id: str) -> Any:
    """The whole run a simulation is about, as dispatch-result/1; kept 30 days where it is below 1 MB."""
    found = call.session.past.simulation(call.mode, operation_id)
    if found is None:
        raise NotFound(
            code="not_found",
            vi="Không có kết quả đầy đủ của mô phỏng này.",
            en="There is no whole result of such a simulation.",
        )
    return found
