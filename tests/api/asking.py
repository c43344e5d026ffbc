"""Asking at the one-stop shops of the four provinces of 2020, as their software would."""

from __future__ import annotations

import itertools
from typing import Any

from tests.api.conftest import Api, make_shop

_numbers = itertools.count()

SHOPS: dict[str, dict[str, Any]] = {
    "kh": {"province_code": "56", "commune_code": "22363", "lat": 12.2451, "lng": 109.1943},
    "gl": {"province_code": "64", "commune_code": "23557", "lat": 13.98, "lng": 108.0},
    "hg": {"province_code": "02", "commune_code": "00688", "lat": 22.83, "lng": 104.98, "level": "PROVINCE"},
    "vp": {"province_code": "26", "commune_code": "08707", "lat": 21.31, "lng": 105.6, "hours_profile": "VP-CENTRE"},
}
NEAR = {"kh": "22330", "gl": "23560", "hg": "00691", "vp": "08710"}
"""A commune of the shop's own district."""
FAR = {"kh": "22528", "gl": "23614", "hg": "00712", "vp": "08737"}
"""A commune of another district of the province."""


class Ask:
    """Asks at the shop of a province: `quote` and `create` with the least a shop must say, plus parts."""

    def __init__(self, operator: Api) -> None:
        self.operator = operator
        self.keys: dict[str, Api] = {}

    def shop(self, name: str) -> Api:
        if name not in self.keys:
            self.keys[name] = self.operator.as_key(make_shop(self.operator, name, **SHOPS[name]))
        return self.keys[name]

    def body(self, name: str, kind: str, far: bool, parts: dict[str, Any]) -> dict[str, Any]:
        place = {"commune_code": (FAR if far else NEAR)[name], "era": "2020"}
        told = dict(parts)
        return {
            "external_ref": f"case-{next(_numbers)}",
            "kind": kind,
            "dossier": {"code": "H32.1-200320-0015", **told.pop("dossier", {})},
            "citizen": {"name": "Nguyễn Thị A", "phone": "0905123456", "address": place, **told.pop("citizen", {})},
            "weight_g": 80,
            **told,
        }

    def quote(self, name: str, kind: str, at: str, *, far: bool = False, **parts: Any) -> dict[str, Any]:
        answer = self.shop(name).post("/v1/quotes", self.body(name, kind, far, parts), at=stamp(at))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json
        return told

    def create(self, name: str, kind: str, at: str, *, far: bool = False, **parts: Any) -> dict[str, Any]:
        answer = self.shop(name).post("/v1/requests", self.body(name, kind, far, parts), at=stamp(at))
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json
        return told

    def play(self, request_id: str, *steps: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for event, at, payload in steps:
            answer = self.operator.post(
                f"/v1/test/requests/{request_id}/advance", {"event": event, "at": stamp(at), "payload": payload}
            )
            assert answer.status_code == 200, (event, answer.text)
            told = answer.json
        return told

    def read(self, request_id: str, at: str) -> dict[str, Any]:
        answer = self.operator.get(f"/v1/requests/{request_id}", at=stamp(at))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json
        return told


def stamp(text: str) -> str:
    """`2020-04-07 15:10` as the API writes it."""
    return f"{text.replace(' ', 'T')}:00+07:00"


def due(told: dict[str, Any]) -> tuple[str, str]:
    promise = told["promise"][0]
    return promise["due_at"][:16].replace("T", " "), promise["due_at_strict"][:16].replace("T", " ")


def money(told: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(told["quote"][name] for name in names)
