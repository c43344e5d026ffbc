"""Scenario files that mean nothing are refused with the place that is wrong; the command works without any server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatch.rehearsal import read
from routing import RoutingError
from tests.rehearsal.days import small_day, text
from tests.rehearsal.judge import faults

ROOT = Path(__file__).resolve().parents[2]
Change = Callable[[dict[str, Any]], object]

WRONG: list[tuple[Change, str, str]] = [
    (lambda day: day.pop("sites"), "missing_key", "sites"),
    (lambda day: day.update(format="dispatch-scenario/2"), "unknown_format", "format"),
    (lambda day: day["requests"][2].update(colour="red"), "unknown_key", "requests[2].colour"),
    (lambda day: day["requests"][2].update(kind="both"), "bad_value", "requests[2].kind"),
    (lambda day: day["requests"][3].update(id="r0"), "duplicate_id", "requests[3].id"),
    (lambda day: day["requests"][0].update(pickup={"site": "s99"}), "unknown_site", "requests[0].pickup.site"),
    (
        lambda day: day["requests"][0].update(pickup={"lat": 1.0, "lng": 2.0}),
        "missing_key",
        "requests[0].pickup.windows",
    ),
    (lambda day: day["requests"][0].update(size=-1), "bad_value", "requests[0].size"),
    (lambda day: day["requests"][0].update(service_s=[60]), "bad_value", "requests[0].service_s"),
    (lambda day: day["couriers"][1].update(lat=91), "bad_value", "couriers[1].lat"),
    (lambda day: day["couriers"][1].update(shift=[9, 3]), "bad_value", "couriers[1].shift"),
    (lambda day: day["sites"][0].update(open=[]), "bad_value", "sites[0].open"),
    (lambda day: day["noise"].update(sigma=-0.1), "bad_value", "noise.sigma"),
    (lambda day: day["travel"].update(model="matrix"), "bad_value", "travel.model"),
]


@pytest.mark.parametrize(("change", "code", "where"), WRONG, ids=[where for _, _, where in WRONG])
def test_a_day_that_means_nothing_is_refused_with_its_place(change: Change, code: str, where: str) -> None:
    day = small_day(1)
    read(text(day))
    change(day)
    with pytest.raises(RoutingError) as refused:
        read(text(day))
    assert (refused.value.code, refused.value.where) == (code, where)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m dispatch simulate` with an empty environment: it needs no server and no settings."""
    return subprocess.run(
        [sys.executable, "-m", "dispatch", "simulate", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_command_writes_a_result_the_judge_passes(tmp_path: Path) -> None:
    day = small_day(7, sigma=0.1)
    (tmp_path / "day.json").write_text(text(day))
    done = command(str(tmp_path / "day.json"), "--strategy", "live", "--seed", "3", "--out", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["format"] == "dispatch-result/1"
    assert faults(day, result) == []
    assert json.loads(done.stdout) == result["metrics"]


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "day.json").write_text(text({**small_day(1), "couriers": 3}))
    done = command(str(tmp_path / "day.json"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "couriers" in done.stderr
    assert command(str(tmp_path / "none.json")).returncode == 2
    assert command(str(tmp_path / "day.json"), "--strategy", "magic").returncode == 2


def test_the_command_changes_the_day_and_finds_how_many_couriers_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "day.json"
    file.write_text(text(small_day(11, requests=60, couriers=2)))
    more = command(str(file), "--strategy", "insertion", "--couriers", "3", "--work", "1.5")
    result = json.loads(more.stdout)
    assert [one["id"] for one in result["couriers"]] == ["c0", "c1", "c0+1"] and len(result["requests"]) == 90
    curve = command(str(file), "--strategy", "insertion", "--curve", "1-6", "--target", "0.9")
    told = json.loads(curve.stdout)
    assert told["target"] == 0.9 and told["least_couriers"] == len(told["couriers"])
    assert {1, 6} <= {point["couriers"] for point in told["curve"]}


@pytest.mark.parametrize("wrong", [("--curve", "few"), ("--curve", "5-2"), ("--couriers", "0"), ("--work", "9")])
def test_the_command_says_in_one_line_which_wish_is_wrong(tmp_path: Path, wrong: tuple[str, str]) -> None:
    (tmp_path / "day.json").write_text(text(small_day(1, requests=3, couriers=1)))
    done = command(str(tmp_path / "day.json"), *wrong)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert wrong[0] in done.stderr
