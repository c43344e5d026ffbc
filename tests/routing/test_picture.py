"""A plan as a picture: what is drawn where, and that nobody is forgotten on it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from random import Random

import pytest

from routing import GeodesicTravel, Place, Problem, solve
from routing.picture import draw
from tests.routing.benchmarks import any_lilim
from tests.routing.problems import PLAIN, any_problem, courier, line, problem, request

SVG = "{http://www.w3.org/2000/svg}"


def parsed(text: str) -> ET.Element:
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    return root


def marked(root: ET.Element, name: str) -> list[ET.Element]:
    return [one for one in root.iter() if one.get("class") == name]


def words(root: ET.Element) -> list[str]:
    return [one.text or "" for one in marked(root, "legend")]


def picture(p: Problem) -> ET.Element:
    return parsed(draw(p, solve(p, engine="greedy", iterations=1)))


def town(*places: tuple[float, float]) -> Problem:
    spots = tuple(Place(f"p{k}", lat, lng) for k, (lat, lng) in enumerate(places))
    requests = [request(f"r{k}", f"p{k}", "p0") for k in range(1, len(spots))]
    p = problem(line(0), [courier("a", "p0")], requests)
    return replace(p, places=spots, travel=GeodesicTravel(1.35, 28))


def test_routes_stops_unserved_and_sums_are_on_the_picture() -> None:
    late = request("late", "p2", "p0", pickup_due=100)
    never = request("ne<ver", "p1", "p3", pickup_windows=((0, 1),))
    p = problem(line(0, 100, 400, 900), [courier("a&b", "p0"), courier("idle", "p3")], [late, never])
    p = replace(p, couriers=p.couriers[:1])
    root = picture(p)
    assert len(marked(root, "route")) == 1
    assert [one.text for one in marked(root, "number")] == ["1", "2"]
    crossed = marked(root, "unserved")
    assert len(crossed) == 1
    assert (crossed[0][0].text or "").startswith("ne<ver: ")
    assert words(root) == ["a&b: 2 stops, 0.8 km, 300 s late", "all: 0.8 km, 300 s late", "1 unserved"]


def test_joint_stops_are_drawn_once_with_all_their_numbers() -> None:
    p = problem(line(0, 500), [courier("a", "p0")], [request(f"r{k}", "p0", "p1") for k in range(3)])
    root = picture(p)
    assert [one.text for one in marked(root, "number")] == ["1–3", "4–6"]
    assert len(marked(root, "stop")) == 2


def test_north_is_up_and_east_is_right() -> None:
    root = picture(town((12.20, 109.10), (12.30, 109.20)))
    spots = {float(one.get("cx") or 0): float(one.get("cy") or 0) for one in marked(root, "stop")}
    west, east = sorted(spots)
    assert spots[east] < spots[west]


def test_two_couriers_have_two_colours() -> None:
    p = problem(line(0, 100, 5000, 5100), [courier("a", "p0"), courier("b", "p2")], [])
    hours = {"pickup_windows": ((0, 200),)}
    p = replace(p, requests=(request("r", "p0", "p1", **hours), request("s", "p2", "p3", **hours)))
    colours = [one.get("stroke") for one in picture(p).iter(f"{SVG}polyline")]
    assert len(set(colours)) == 2


def test_both_archipelagos_are_on_every_map_of_the_whole_country_and_only_there() -> None:
    country = draw(p := town((21.03, 105.85), (10.78, 106.70)), solve(p, engine="greedy", iterations=1))
    assert [text in country for text in ("Hoàng Sa (Việt Nam)", "Trường Sa (Việt Nam)")] == [True, True]
    assert len(marked(parsed(country), "archipelago")) == 2
    assert marked(picture(town((12.24, 109.19), (12.30, 109.20))), "archipelago") == []
    assert marked(picture(town((40.0, -3.0), (52.0, 13.0))), "archipelago") == []


@pytest.mark.parametrize("seed", range(30))
def test_any_plan_can_be_drawn_with_and_without_coordinates(seed: int) -> None:
    p = any_problem(Random(seed))
    bare = replace(p, places=tuple(Place(place.id) for place in p.places))
    for one in (p, bare if not isinstance(p.travel, GeodesicTravel) else p):
        plan = solve(one, engine="greedy", iterations=1)
        root = parsed(draw(one, plan))
        assert len(marked(root, "unserved")) == len(plan.unserved)
        assert len(marked(root, "route")) == plan.cost.couriers
        assert "nan" not in draw(one, plan)


def test_places_without_coordinates_lie_as_far_apart_as_their_drives() -> None:
    p = problem(line(0, 1000, 9000), [courier("a", "p0")], [request("r", "p1", "p2")])
    x = sorted(float(one.get("cx") or 0) for one in marked(picture(p), "stop"))
    assert x[1] - x[0] == pytest.approx(820 * 8 / 9, abs=1)


def test_a_large_plan_is_drawn_without_numbers_and_its_legend_in_columns() -> None:
    spots = tuple(Place(f"p{k}", 12 + k / 1000, 109 + k % 7 / 100) for k in range(120))
    at_once = {"pickup_windows": ((0, 30),)}
    requests = tuple(request(f"r{k}", f"p{k % 80}", f"p{(k + 1) % 80}", **at_once) for k in range(240))
    riders = tuple(courier(f"c{k}", f"p{k}") for k in range(80))
    root = picture(Problem("large", spots, GeodesicTravel(1.35, 28), riders, requests, PLAIN))
    assert len(marked(root, "route")) == 80
    assert marked(root, "number") == []
    columns = {one.get("x") for one in marked(root, "legend")}
    assert len(columns) >= 2


def test_a_benchmark_is_drawn_in_its_own_unit() -> None:
    from routing import formats

    p = formats.read_problem(any_lilim(Random(1)).encode(), "tiny")
    plan = solve(p, engine="greedy", iterations=1)
    said = words(parsed(draw(p, plan, in_km=False)))[-1]
    assert said == f"all: {plan.cost.distance_m / p.ticks:.10g}, 0 s late"
