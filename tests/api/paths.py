"""Ways through the state machine for the tests of the API: play scans, read at an instant, ask what was told."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Api

FAR_AWAY = {"address": {"raw": "Thị trấn Vạn Giã, Vạn Ninh, Khánh Hòa", "commune_code": "22489", "era": "2020"}}
"""Another district than the shop's."""


def at(text: str) -> str:
    """`2020-04-29 15:00` in Vietnam."""
    return f"{text.replace(' ', 'T')}:00+07:00"


def made_at(caller: Api, asked: dict[str, Any], when: str) -> dict[str, Any]:
    made = caller.post("/v1/requests", asked, at=at(when))
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json
    return answer


def play(caller: Api, request_id: str, *scans: tuple[str, str] | tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """Play (event, instant, payload) one after the other; every one must be lawful. The request after the last."""
    answer: dict[str, Any] = {}
    for event, when, *payload in scans:
        step = {"event": event, "at": at(when), "payload": payload[0] if payload else {}}
        done = caller.post(f"/v1/test/requests/{request_id}/advance", step)
        assert done.status_code == 200, (event, when, done.text)
        answer = done.json
    return answer


def read(caller: Api, request_id: str, when: str) -> dict[str, Any]:
    answer = caller.get(f"/v1/requests/{request_id}", at=at(when))
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json
    return shown


def status(shown: dict[str, Any]) -> str:
    return f"{shown['status']}/{shown['substatus']}" if shown["substatus"] else shown["status"]


def history(caller: Api, request_id: str) -> list[tuple[str, str]]:
    lines = caller.get(f"/v1/requests/{request_id}/events").json["data"]
    return [(line["type"], line["occurred_at"]) for line in lines]


def told(caller: Api) -> list[str]:
    return [entry["type"] for entry in caller.get("/v1/events").json["data"]]
