"""Every row of the five directives has its behaviour and its proof: docs/requirements.md is held to what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROWS = {"HG": 22, "KH": 15, "GL": 10, "VP": 9}
LINE = re.compile(r"^\| (?P<row>[A-Z]{2}-\d\d) \| (?P<binding>[PDI]) \| (?P<does>[^|]+) \| (?P<proof>[^| ]+) \|$", re.M)
TABLE = [found.groupdict() for found in LINE.finditer((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8"))]


def test_no_row_is_missing_and_none_stands_twice() -> None:
    wanted = [f"{text}-{number:02}" for text, count in ROWS.items() for number in range(1, count + 1)]
    assert [line["row"] for line in TABLE] == wanted


@pytest.mark.parametrize("line", TABLE, ids=[line["row"] for line in TABLE])
def test_the_proof_of_a_row_exists_and_carries_its_id(line: dict[str, str]) -> None:
    proof = ROOT / line["proof"]
    text = proof.read_text(encoding="utf-8")
    if line["binding"] != "I":
        assert line["proof"].startswith("tests/"), "a duty is shown by a test"
    if line["proof"].startswith("tests/"):
        row = line["row"]
        assert row in text or row.lower().replace("-", "") in text
