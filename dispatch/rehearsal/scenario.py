"""A made or past day as `dispatch-scenario/1` has it: who asks for what and when, who rides, how streets are ridden."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from routing import GeodesicTravel, RoutingError
from routing.model import Number, Window
from routing.reading import Shape, at, integer, list_of, load, nullable, number, one_of, text

FORMAT = "dispatch-scenario/1"
Point = tuple[float, float]
"""Latitude and longitude, WGS84 degrees; the same two numbers are the same place."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How far real driving strays from the plan: the deviation of its logarithm, and the seed of the draw."""

    sigma: Number
    seed: int


@dataclass(frozen=True, slots=True)
class Site:
    """A shop: where it is and when it is open."""

    id: str
    lat: float
    lng: float
    open: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Courier:
    """A courier: where his day begins, his shift, what he can carry, and from when he takes nothing more."""

    id: str
    lat: float
    lng: float
    shift: Window
    capacity: int
    absent_from: int | None

    @property
    def point(self) -> Point:
        """Where his day begins."""
        return self.lat, self.lng


@dataclass(frozen=True, slots=True)
class End:
    """One end of a request: a place and the hours in which service may start there."""

    point: Point
    windows: tuple[Window, ...]
    service_s: int


@dataclass(frozen=True, slots=True)
class Request:
    """One errand; nobody knows of it before `reveal_at`, and nobody collects it at or after `cancel_at`."""

    id: str
    reveal_at: int
    pickup: End
    delivery: End
    due_at: int
    size: int
    cancel_at: int | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One day; requests in the order of the file."""

    name: str
    day: Window
    travel: GeodesicTravel
    noise: Noise
    sites: tuple[Site, ...]
    couriers: tuple[Courier, ...]
    requests: tuple[Request, ...]


def read(source: str | bytes) -> Scenario:
    """Return the day in a JSON text; raises RoutingError with the path of the first thing wrong."""
    raw = _SCENARIO(load(source, FORMAT), "")
    sites = {site.id: site for site in raw["sites"]}
    for kind in ("sites", "couriers", "requests"):
        _unique([one["id"] if isinstance(one, dict) else one.id for one in raw[kind]], kind)
    requests = tuple(_request(one, sites, f"requests[{k}]") for k, one in enumerate(raw["requests"]))
    return Scenario(raw["name"], raw["day"], raw["travel"], raw["noise"], raw["sites"], raw["couriers"], requests)


def _unique(names: Iterable[str], kind: str) -> None:
    known: set[str] = set()
    for index, name in enumerate(names):
        if name in known:
            raise RoutingError("duplicate_id", f"{name!r} stands twice", f"{kind}[{index}].id")
        known.add(name)


def _request(raw: dict[str, Any], sites: dict[str, Site], where: str) -> Request:
    first, second = raw["service_s"]
    pickup = _end(raw["pickup"], sites, at(where, "pickup"), first)
    delivery = _end(raw["delivery"], sites, at(where, "delivery"), second)
    return Request(raw["id"], raw["reveal_at"], pickup, delivery, raw["due_at"], raw["size"], raw["cancel_at"])


def _end(raw: dict[str, Any], sites: dict[str, Site], where: str, service_s: int) -> End:
    if "site" in raw:
        if set(raw) != {"site"}:
            raise RoutingError("unknown_key", "a site has its own place and hours", where)
        site = sites.get(raw["site"])
        if site is None:
            raise RoutingError("unknown_site", f"{raw['site']!r} is not the id of a site", at(where, "site"))
        return End((site.lat, site.lng), site.open, service_s)
    for name in ("lat", "lng", "windows"):
        if name not in raw:
            raise RoutingError("missing_key", "is missing; without a site it is needed", at(where, name))
    return End((raw["lat"], raw["lng"]), raw["windows"], service_s)


def _window(value: Any, where: str) -> Window:
    ends = list_of(integer)(value, where)
    if len(ends) != 2 or ends[0] > ends[1]:
        raise RoutingError("bad_value", "must be [from, to] in seconds, not turned round", where)
    return ends[0], ends[1]


def _windows(value: Any, where: str) -> tuple[Window, ...]:
    windows = list_of(_window)(value, where)
    if not windows:
        raise RoutingError("bad_value", "must hold one window at least", where)
    return windows


def _service(value: Any, where: str) -> tuple[int, int]:
    seconds = list_of(_natural)(value, where)
    if len(seconds) != 2:
        raise RoutingError("bad_value", "must be [seconds at the pickup, seconds at the delivery]", where)
    return seconds[0], seconds[1]


def _natural(value: Any, where: str) -> int:
    found = integer(value, where)
    if found < 0:
        raise RoutingError("bad_value", "must not be below 0", where)
    return found


def _share(value: Any, where: str) -> Number:
    found = number(value, where)
    if found < 0:
        raise RoutingError("bad_value", "must not be below 0", where)
    return found


def _degrees(most: float) -> Any:
    def read_degrees(value: Any, where: str) -> float:
        found = float(number(value, where))
        if abs(found) > most:
            raise RoutingError("bad_value", f"must lie between -{most:g} and {most:g} degrees", where)
        return found

    return read_degrees


_LAT, _LNG = _degrees(90), _degrees(180)
_TRAVEL = Shape(
    lambda model, **rest: GeodesicTravel(**rest),
    {
        "model": (one_of("geodesic"), "'geodesic'"),
        "detour": (number, "the detour factor"),
        "speed_kmh": (number, "km/h"),
        "stop_overhead_s": (_natural, "seconds added to every leg"),
    },
)
_NOISE = Shape(Noise, {"sigma": (_share, "the deviation"), "seed": (_natural, "the seed of the draw")})
_PLACE = {"lat": (_LAT, "degrees"), "lng": (_LNG, "degrees")}
_SITE = Shape(Site, {"id": (text, "its id"), **_PLACE, "open": (_windows, "its hours")})
_COURIER = Shape(
    Courier,
    {
        "id": (text, "his id"),
        **_PLACE,
        "shift": (_window, "[from, to]"),
        "capacity": (_natural, "what he can carry"),
        "absent_from": (nullable(integer), "a second or null"),
    },
)
_END: Shape[dict[str, Any]] = Shape(dict, {}, {"site": text, "lat": _LAT, "lng": _LNG, "windows": _windows})
_REQUEST: Shape[dict[str, Any]] = Shape(
    dict,
    {
        "id": (text, "its id"),
        "kind": (one_of("return", "pickup"), "'return' or 'pickup'"),
        "reveal_at": (integer, "the second it becomes known"),
        "pickup": (_END, "a site or a place with windows"),
        "delivery": (_END, "a site or a place with windows"),
        "due_at": (integer, "the second by which it should be collected"),
        "service_s": (_service, "two times of service"),
        "size": (_natural, "what it takes of the capacity"),
        "cancel_at": (nullable(integer), "a second or null"),
    },
)
_SCENARIO: Shape[dict[str, Any]] = Shape(
    dict,
    {
        "name": (text, "a name"),
        "day": (_window, "[from, to]"),
        "travel": (_TRAVEL, "a travel model"),
        "noise": (_NOISE, "sigma and seed"),
        "sites": (list_of(_SITE), "the shops"),
        "couriers": (list_of(_COURIER), "the couriers"),
        "requests": (list_of(_REQUEST), "the requests"),
    },
)
