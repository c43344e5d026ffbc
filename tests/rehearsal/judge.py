"""An independent judge of `dispatch-result/1`: what a rehearsed day breaks, read off the two files alone.

Shares nothing with the rehearsal: legs, noise and hours are reckoned anew from the text of the formats.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from numpy.random import Generator, Philox

Day = dict[str, Any]
_EARTH_M = 6371008.8


def faults(day: Day, result: Day) -> list[str]:
    """Return a sentence for each rule of the scenario that the result breaks."""
    requests = {one["id"]: one for one in day["requests"]}
    sites = {one["id"]: one for one in day["sites"]}
    couriers = {one["id"]: (index, one) for index, one in enumerate(day["couriers"])}
    found = []
    if [one["id"] for one in result["couriers"]] != [one["id"] for one in day["couriers"]]:
        found.append("each courier stands once, in the order of the file")
    if [one["id"] for one in result["requests"]] != [one["id"] for one in day["requests"]]:
        found.append("each request stands once, in the order of the file")
    for told in result["couriers"]:
        index, courier = couriers[told["id"]]
        found += [f"{told['id']}: {fault}" for fault in _ride(day, sites, requests, index, courier, told)]
    return found + list(_told(requests, result))


def leg(day: Day, origin: tuple[float, float], destination: tuple[float, float]) -> tuple[int, int]:
    """Return (seconds, metres) by the formula of the file format."""
    if origin == destination:
        return 0, 0
    (lat1, lng1), (lat2, lng2) = ((math.radians(a), math.radians(b)) for a, b in (origin, destination))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    travel = day["travel"]
    metres = round(2 * _EARTH_M * math.asin(math.sqrt(h)) * travel["detour"])
    seconds = math.ceil(Fraction(36 * metres) / (10 * Fraction(str(travel["speed_kmh"]))))
    return seconds + travel["stop_overhead_s"], metres


def end_of(sites: dict[str, Day], request: Day, kind: str) -> tuple[tuple[float, float], list[list[int]], int]:
    """Return (place, hours, seconds of service) of one end of a request."""
    end, service = request["pickup"], request["service_s"][0]
    if kind == "delivery":
        end, service = request["delivery"], request["service_s"][1]
    if "site" in end:
        site = sites[end["site"]]
        return (site["lat"], site["lng"]), site["open"], service
    return (end["lat"], end["lng"]), end["windows"], service


def _ride(
    day: Day, sites: dict[str, Day], requests: dict[str, Day], index: int, courier: Day, told: Day
) -> Iterator[str]:
    place, ready, legs, metres = (courier["lat"], courier["lng"]), courier["shift"][0], 0, 0
    bag: dict[str, int] = {}
    rows = told["stops"]
    for k, row in enumerate(rows):
        request = requests[row["request"]]
        there, hours, service = end_of(sites, request, "pickup" if row["kind"] == "visit" else row["kind"])
        if there == place:
            if row["arrive"] != ready:
                yield f"row {k} arrives at {row['arrive']} where he has been since {ready}"
        else:
            seconds, far = leg(day, place, there)
            real = _real(day, index, legs, seconds)
            left = row["arrive"] - real
            if left < ready:
                yield f"row {k} needs {real} s from {ready} on and arrives at {row['arrive']}"
            known = [requests[other["request"]]["reveal_at"] for other in _together(day, sites, requests, rows, k)]
            if left < min(known):
                yield f"row {k}: the leg begins at {left}, before anybody asked"
            legs, metres, place = legs + 1, metres + far, there
        yield from _row(row, request, hours, service, courier, k)
        if row["kind"] == "pickup":
            bag[row["request"]] = request["size"]
            if sum(bag.values()) > courier["capacity"]:
                yield f"row {k}: he carries too much"
        elif row["kind"] == "delivery" and bag.pop(row["request"], None) is None:
            yield f"row {k}: he does not have it"
        ready = row["depart"]
    if bag:
        yield f"keeps {sorted(bag)}"
    if metres != told["distance_m"]:
        yield f"drives {metres} m, not {told['distance_m']}"


def _together(day: Day, sites: dict[str, Day], requests: dict[str, Day], rows: list[Day], k: int) -> Iterator[Day]:
    """Yield the rows one leg led to: those at one place in a row."""
    there = end_of(sites, requests[rows[k]["request"]], _kind(rows[k]))[0]
    for row in rows[k:]:
        if end_of(sites, requests[row["request"]], _kind(row))[0] != there:
            return
        yield row


def _kind(row: Day) -> str:
    return "pickup" if row["kind"] == "visit" else row["kind"]


def _row(row: Day, request: Day, hours: list[list[int]], service: int, courier: Day, k: int) -> Iterator[str]:
    if row["kind"] == "visit":
        if not row["arrive"] == row["start"] == row["depart"]:
            yield f"row {k} is a visit that takes time"
        return
    if row["start"] < row["arrive"] or row["depart"] != row["start"] + service:
        yield f"row {k} is served from {row['start']} to {row['depart']}"
    if not any(opens <= row["start"] <= closes for opens, closes in hours):
        yield f"row {k} is closed at {row['start']}"
    if row["start"] < request["reveal_at"]:
        yield f"row {k} starts before it is known"
    if row["depart"] > courier["shift"][1]:
        yield f"row {k} ends after the shift"
    if row["kind"] == "pickup":
        if request["cancel_at"] is not None and row["start"] >= request["cancel_at"]:
            yield f"row {k} was cancelled"
        if courier["absent_from"] is not None and row["start"] >= courier["absent_from"]:
            yield f"row {k}: he was gone"


def _real(day: Day, index: int, number: int, seconds: int) -> int:
    noise = day["noise"]
    if not noise["sigma"]:
        return seconds
    draw = Generator(Philox(key=[noise["seed"], index], counter=[0, 0, 0, number])).standard_normal()
    return math.ceil(seconds * math.exp(noise["sigma"] * draw - noise["sigma"] ** 2 / 2))


def _told(requests: dict[str, Day], result: Day) -> Iterator[str]:
    """Yield where the list of requests says something else than the rows."""
    picked: dict[str, tuple[str, int]] = {}
    delivered: dict[str, tuple[str, int]] = {}
    for courier in result["couriers"]:
        for row in courier["stops"]:
            kept = {"pickup": picked, "delivery": delivered}.get(row["kind"])
            if kept is not None and row["request"] in kept:
                yield f"{row['request']} has two rows of {row['kind']}"
            if kept is not None:
                kept[row["request"]] = courier["id"], row["start"]
    for told in result["requests"]:
        name, request = told["id"], requests[told["id"]]
        courier, start = picked.get(name, (None, None))
        if (told["courier"], told["picked_at"]) != (courier, start):
            yield f"{name} was collected by {courier} at {start}"
        if told["delivered_at"] != delivered.get(name, (None, None))[1] or (name in delivered) != (name in picked):
            yield f"{name} was delivered at {delivered.get(name)}"
        met = start is not None and start <= request["due_at"]
        if told["met"] != (None if start is None and request["cancel_at"] is not None else met):
            yield f"{name}: met is {met}"
