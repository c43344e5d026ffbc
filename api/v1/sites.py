"""What the operator keeps about places: points, communes, a shop's own rule parameters, trainings."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from pydantic import ValidationError

from api.endpoint import Answer, Call, route
from api.problems import from_validation
from api.shapes.network import (
    CommuneKept,
    Communes,
    OverrideKept,
    Overrides,
    PointKept,
    Points,
    TrainingKept,
    Trainings,
)
from api.v1.admin import OPERATOR, kept, known_commune, path_id
from api.v1.paging import Paging, page_of
from dispatch.domain.errors import NotFound, invalid
from dispatch.domain.network import CommuneBody, PointBody, RuleOverrideBody, TrainingBody
from dispatch.domain.rules import Override
from dispatch.domain.text import local_text


def _shown(row: Any, *hidden: str) -> dict[str, Any]:
    """A record as a list shows it: dates as text, the world left out."""
    shown = {name: value for name, value in asdict(row).items() if name not in ("mode", "created_at", *hidden)}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in shown.items()}


@route(
    "PUT",
    "/v1/admin/points/<point_id>",
    tag="operator",
    errors=("unknown_commune",),
    out=PointKept,
    scopes=OPERATOR,
    body=PointBody,
)
def put_point(call: Call, point_id: str) -> Any:
    """Create or replace a reception point."""
    body: PointBody = call.body
    known_commune(call, body.commune_code, body.era)
    created = call.session.sites.put_point(call.mode, path_id(point_id), body.model_dump(), call.now)
    return kept(call, "point", point_id, created, body.model_dump(mode="json"))


@route("GET", "/v1/admin/points", tag="operator", out=Points, scopes=OPERATOR, query=Paging)
def list_points(call: Call) -> Any:
    """List the reception points, past ones too."""
    asked: Paging = call.query
    rows = call.session.sites.points_page(call.mode, asked.after(), asked.limit + 1)
    return page_of(asked, rows, lambda row: (row.created_at, row.id), _shown)


@route(
    "PUT",
    "/v1/admin/communes/<era>/<code>",
    tag="operator",
    errors=("unknown_commune",),
    out=CommuneKept,
    scopes=OPERATOR,
    body=CommuneBody,
)
def put_commune(call: Call, era: str, code: str) -> Any:
    """Say how a commune is served: service days, area class, terrain."""
    body: CommuneBody = call.body
    known_commune(call, code, era, "/code")
    created = call.session.sites.put_commune(call.mode, era, code, body.model_dump(), call.now)
    return kept(call, "commune", f"{era}/{code}", created, {"era": era, "code": code, **body.model_dump(mode="json")})


@route("GET", "/v1/admin/communes", tag="operator", out=Communes, scopes=OPERATOR, query=Paging)
def list_communes(call: Call) -> Any:
    """List the communes that have settings of their own."""
    asked: Paging = call.query
    rows = call.session.sites.communes_page(call.mode, asked.after(), asked.limit + 1)
    return page_of(asked, rows, lambda row: (row.created_at, f"{row.era}/{row.code}"), _shown)


@route(
    "PUT",
    "/v1/admin/shops/<shop_id>/overrides/<rule_id>",
    tag="operator",
    out=OverrideKept,
    scopes=OPERATOR,
    body=RuleOverrideBody,
    errors=("unknown_rule",),
)
def put_override(call: Call, shop_id: str, rule_id: str) -> Any:
    """Lay a shop's own parameters over a rule's, with reason and author."""
    body: RuleOverrideBody = call.body
    _shop_is_ours(call, shop_id)
    author = call.principal.owner
    _fits(call, Override(rule_id=rule_id, author=author, **body.model_dump()))
    values = {**body.model_dump(), "author": author}
    created = call.session.sites.put_override(call.mode, shop_id, rule_id, values, call.now)
    shown = {"shop_id": shop_id, "rule_id": rule_id, "author": author, **body.model_dump(mode="json")}
    call.session.access.audit(
        call.mode, call.now, author, "override.put", f"{shop_id}/{rule_id}", {"created": created, **shown}
    )
    return Answer({"mode": call.mode, **shown}, 201 if created else 200)


@route("GET", "/v1/admin/shops/<shop_id>/overrides", tag="operator", out=Overrides, scopes=OPERATOR)
def list_overrides(call: Call, shop_id: str) -> Any:
    """List a shop's own rule parameters with their reasons and authors."""
    _shop_is_ours(call, shop_id)
    rows = call.session.sites.overrides(call.mode, shop_id)
    return {"data": [_shown(row) for row in rows], "next_cursor": None, "has_more": False}


@route(
    "POST", "/v1/admin/trainings", tag="operator", out=TrainingKept, scopes=OPERATOR, body=TrainingBody, status=201,
    errors=("unknown_office",),
)  # fmt: skip
def add_training(call: Call) -> Any:
    """Record that a teller was trained."""
    body: TrainingBody = call.body
    if body.office_id is not None and call.session.network.office(call.mode, body.office_id) is None:
        raise invalid("/office_id", "unknown_office", "Không có bưu cục này.", "There is no such post office.")
    training_id = call.session.new_id("trn")
    call.session.sites.add_training(id=training_id, mode=call.mode, created_at=call.now, **body.model_dump())
    shown = {"id": training_id, **body.model_dump(mode="json"), "recorded_at": local_text(call.now)}
    call.session.access.audit(call.mode, call.now, call.principal.owner, "training.added", training_id, shown)
    return shown


@route("GET", "/v1/admin/trainings", tag="operator", out=Trainings, scopes=OPERATOR, query=Paging)
def list_trainings(call: Call) -> Any:
    """List the trainings in the order they were recorded."""
    asked: Paging = call.query
    rows = call.session.sites.trainings_page(call.mode, asked.after(), asked.limit + 1)
    return page_of(asked, rows, lambda row: (row.created_at, row.id), _shown)


def _shop_is_ours(call: Call, shop_id: str) -> None:
    if call.session.network.shop(call.mode, shop_id) is None:
        raise NotFound(code="not_found", vi="Không có Bộ phận Một cửa này.", en="There is no such shop.")


def _fits(call: Call, override: Override) -> None:
    """Refuse parameters that no rule of this id can hold; one id may name rules of several kinds."""
    rules = [rule for rule in call.system.book.rules if rule.id == override.rule_id]
    if not rules:
        raise invalid(
            "/rule_id",
            "unknown_rule",
            f"Không có quy tắc {override.rule_id}.",
            f"No policy file holds a rule {override.rule_id}.",
        )
    faults: list[ValidationError] = []
    for rule in rules:
        try:
            rule.with_override(override)
            return
        except ValidationError as error:
            faults.append(error)
    raise from_validation(faults[0], "/params")
