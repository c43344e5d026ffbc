"""The README's tour works as printed: a newcomer who types it ends with a request on a courier's round."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pypdfium2

from tests.journeys.conftest import ROOT, Client


def test_the_ten_lines_with_curl_end_with_an_assigned_request(
    operator: Client, clean_database: str, redis_url: str, tmp_path: Path
) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"## Ten lines with curl.*?```sh\n(.*?)```", text, re.DOTALL)
    assert found is not None
    tour = found[1]
    assert len(tour.strip().splitlines()) == 10
    # The tour runs in the checkout; here in a folder of its own that looks like it.
    (tmp_path / ".venv").symlink_to(sys.prefix)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")} | {
        "DISPATCH_PORT": str(urlsplit(operator.base).port),
        "DISPATCH_DATABASE_URL": clean_database,
        "DISPATCH_REDIS_URL": redis_url,
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["bash", "-eu", "-c", tour], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2026-11-23T13:00:00+07:00", "ASSIGNED"], done.stdout
    assert len(pypdfium2.PdfDocument(tmp_path / "label.pdf")) == 1
