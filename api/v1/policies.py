"""Which rules are in force where and when, each with its source: what a lawyer and a citizen may look up."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.endpoint import Call, route
from api.shapes.network import Policies
from dispatch.domain.hours import IsoDate, local_date
from dispatch.domain.rules import Rule
from dispatch.domain.text import ProvinceCode, local_text


class Asked(BaseModel):
    """Query of the rules: a province of the 2020 map and a date; neither = the rules for everyone, today."""

    model_config = ConfigDict(extra="forbid")

    province: Annotated[ProvinceCode, Field(strict=False)] | None = None
    on: IsoDate | None = None


@route("GET", "/v1/policies", tag="shop", out=Policies, scopes=(), query=Asked)
def policies(call: Call) -> Any:
    """The rules of a province in force on a date, and those that hold everywhere, with document, clause and dates."""
    on = call.query.on or local_date(call.now)
    wanted = {call.query.province, None}
    found = [rule for rule in call.system.book.rules if rule.province_code in wanted and rule.in_force_on(on)]
    return {
        "on": on.isoformat(),
        "province_code": call.query.province,
        "policy_version": call.system.book.version,
        "data": [rule_json(rule) for rule in found],
    }


def rule_json(rule: Rule) -> dict[str, Any]:
    """One rule as it is published (QĐ 45/2016/QĐ-TTg art 12.2: quality and tariff are public)."""
    return {
        **rule.basis(),
        "kind": rule.kind,
        "province_code": rule.province_code,
        "summary": {"vi": rule.summary_vi, "en": rule.summary_en},
        "scope": rule.scope.model_dump(mode="json", exclude_defaults=True),
        "params": rule.params.model_dump(mode="json", by_alias=True),
        "funding": rule.funding,
        "valid_from": rule.valid_from.isoformat(),
        "valid_to": None if rule.valid_to is None else rule.valid_to.isoformat(),
        "recorded_at": local_text(rule.recorded_at),
        "verified": rule.verified,
    }
