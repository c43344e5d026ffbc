"""The files outside programs write: every key that is unknown, missing or wrong is refused with its path."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from routing import RoutingError, solve
from routing.formats.native import read_plan, read_problem, write_plan

EXAMPLE: dict[str, Any] = {
    "format": "routing-problem/1",
    "name": "example",
    "now": 0,
    "places": [{"id": "p0", "lat": 12.24, "lng": 109.19}, {"id": "p3"}, {"id": "p8"}],
    "travel": {
        "model": "matrix",
        "durations_s": [[0, 60, 90], [60, 0, 30], [90, None, 0]],
        "distances_m": [[0, 600, 900], [600, 0, 300], [900, 300, 0]],
    },
    "couriers": [
        {
            "id": "c1",
            "start": "p0",
            "end": None,
            "shift": [0, 28800],
            "available_at": 0,
            "capacity": 40,
            "skills": ["HCC"],
            "breaks": [{"window": [14400, 18000], "duration_s": 1800}],
            "on_board": ["r9"],
            "locked": [{"request": "r1", "kind": "pickup"}],
            "max_distance_m": None,
        }
    ],
    "requests": [
        {
            "id": name,
            "size": 1,
            "skills": [],
            "priority": 1,
            "pickup": {"place": "p3", "windows": [[0, 36000]], "due": 14400, "service_s": 120},
            "delivery": {"place": "p8", "windows": [[0, 36000]], "due": None, "service_s": 180},
            "only_courier": None,
        }
        for name in ("r1", "r9")
    ],
    "weights": {"unserved": 100000000, "late_per_s": 50, "distance_per_m": 1, "delivery_delay_per_s": 0.01},
    "hard_due": False,
}


def copy() -> dict[str, Any]:
    fresh: dict[str, Any] = json.loads(json.dumps(EXAMPLE))
    return fresh


def node(tree: Any, path: list[str | int]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def refused(text: str) -> RoutingError:
    with pytest.raises(RoutingError) as error:
        read_problem(text)
    return error.value


def test_the_example_is_read_and_planned() -> None:
    p = read_problem(json.dumps(EXAMPLE))
    assert (p.couriers[0].breaks[0].duration_s, p.couriers[0].skills) == (1800, {"HCC"})
    assert p.requests[0].pickup.due == 14400
    plan = solve(p, engine="greedy")
    written = json.loads(write_plan(plan))
    assert list(written) == ["format", "problem", "engine", "seed", "seconds", "routes", "unserved", "cost"]
    assert written["format"] == "routing-plan/1"
    assert set(written["cost"]) == {
        "total",
        "unserved",
        "late_s",
        "couriers",
        "distance_m",
        "travel_s",
        "duration_s",
        "delivery_delay_s",
    }
    assert written["routes"][0]["stops"][0] == {
        "request": "r1",
        "kind": "pickup",
        "place": "p3",
        "arrive": 60,
        "start": 60,
        "depart": 180,
    }
    assert read_plan(write_plan(plan)) == plan


FREE = [
    ["now"],
    ["hard_due"],
    ["weights"],
    ["weights", "unserved"],
    ["places", 0, "lat"],
    ["couriers", 0, "available_at"],
    ["couriers", 0, "max_distance_m"],
    ["requests", 0, "priority"],
    ["requests", 0, "only_courier"],
    ["requests", 0, "delivery", "due"],
]


def every_key(tree: Any, path: tuple[str | int, ...] = ()) -> list[list[str | int]]:
    found: list[list[str | int]] = []
    if isinstance(tree, dict):
        for key, value in tree.items():
            found += [[*path, key], *every_key(value, (*path, key))]
    elif isinstance(tree, list) and tree and path[-1] not in ("durations_s", "distances_m"):
        found += every_key(tree[0], (*path, 0))
    return found


def spelled(path: list[str | int]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def test_every_key_that_may_not_be_absent_is_asked_for_with_its_path_and_meaning() -> None:
    asked = 0
    for path in every_key(EXAMPLE):
        problem = copy()
        del node(problem, path[:-1])[path[-1]]
        free = path in FREE or path[0] == "weights" or path[-1] in ("due", "lat", "lng", "priority")
        if free:
            assert read_problem(json.dumps(problem)).name == "example"
            continue
        error = refused(json.dumps(problem))
        assert error.where == ("travel.model" if path == ["travel", "model"] else spelled(path))
        assert error.code in ("missing_key", "bad_value")
        asked += 1
    assert asked > 25


def test_every_unknown_key_is_refused_with_its_path() -> None:
    objects = {tuple(path[:-1]) for path in every_key(EXAMPLE)}
    assert len(objects) >= 8
    for path in objects:
        problem = copy()
        node(problem, list(path))["extra"] = 1
        error = refused(json.dumps(problem))
        assert (error.code, error.where) == ("unknown_key", spelled([*path, "extra"]))


WRONG: list[tuple[list[str | int], Any]] = [
    (["name"], 5),
    (["now"], 1.5),
    (["now"], True),
    (["hard_due"], 0),
    (["places"], {}),
    (["places", 0], "p0"),
    (["places", 0, "lat"], "12"),
    (["travel", "model"], "car"),
    (["travel", "durations_s", 0, 1], -1),
    (["travel", "durations_s", 0, 1], 2.5),
    (["couriers", 0, "shift"], [0]),
    (["couriers", 0, "shift", 1], "8"),
    (["couriers", 0, "skills"], "HCC"),
    (["couriers", 0, "breaks", 0, "window"], None),
    (["couriers", 0, "locked", 0, "kind"], "drop"),
    (["requests", 0, "size"], None),
    (["requests", 0, "priority"], "high"),
    (["requests", 0, "pickup", "windows", 0], 7),
    (["weights", "unserved"], None),
]


@pytest.mark.parametrize(("path", "value"), WRONG, ids=[f"{spelled(path)}={value!r}" for path, value in WRONG])
def test_a_value_of_the_wrong_kind_is_refused_with_its_path(path: list[str | int], value: Any) -> None:
    problem = copy()
    node(problem, path[:-1])[path[-1]] = value
    assert refused(json.dumps(problem)).where.startswith(spelled(path))


SPOIL: dict[str, Callable[[str], str]] = {
    "not JSON": lambda text: text[:-5],
    "a list": lambda text: f"[{text}]",
    "NaN": lambda text: text.replace("0.01", "NaN"),
    "infinity": lambda text: text.replace("0.01", "Infinity"),
    "a number too large": lambda text: text.replace("0.01", "1e999"),
    "an integer too large": lambda text: text.replace("28800", "9" * 30),
    "a key twice": lambda text: text.replace('"now": 0', '"now": 0, "now": 1'),
    "another format": lambda text: text.replace("routing-problem/1", "routing-problem/2"),
    "a plan": lambda text: text.replace("routing-problem/1", "routing-plan/1"),
    "too deep": lambda text: "[" * 100_000,
    "a number of many digits": lambda text: text.replace("28800", "1" * 5000),
}


@pytest.mark.parametrize("what", sorted(SPOIL))
def test_a_spoiled_file_is_refused_in_one_line(what: str) -> None:
    error = refused(SPOIL[what](json.dumps(EXAMPLE)))
    assert "\n" not in str(error)
    assert error.message


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(RoutingError):
        read_problem(b"\xff\xfe\x00")


def test_a_plan_file_is_held_to_its_keys_too() -> None:
    plan = json.loads(write_plan(solve(read_problem(json.dumps(EXAMPLE)), engine="greedy")))
    for path in every_key(plan):
        broken = json.loads(json.dumps(plan))
        del node(broken, path[:-1])[path[-1]]
        with pytest.raises(RoutingError) as error:
            read_plan(json.dumps(broken))
        assert error.value.where == spelled(path)
    plan["routes"][0]["stops"][0]["note"] = "x"
    with pytest.raises(RoutingError) as error:
        read_plan(json.dumps(plan))
    assert error.value.where == "routes[0].stops[0].note"
