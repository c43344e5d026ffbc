"""The checks of `tools/`: what they let pass, and that they do catch what they are for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dispatch.settings import CHECKOUT
from tools import check_locks, check_size

PIN = "flask==3.1.3 \\\n    --hash=sha256:00\n"


def test_our_locks_name_no_host_so_that_they_install_through_any_index():
    assert check_locks.main(CHECKOUT) == 0


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("--index-url somewhere", "line 3 names a host"),
        ("  --extra-index-url somewhere", "line 3 names a host"),
        ("--find-links wheels", "line 3 names a host"),
        ("flask @ https://somewhere/flask.whl", "line 3 names a host"),
        ("celery==5.7.0", "celery==5.7.0 has no hash"),
    ],
)
def test_a_host_or_a_missing_hash_in_a_requirements_lock_is_caught(line, fault):
    assert list(check_locks.faults_in_requirements(PIN)) == []
    assert list(check_locks.faults_in_requirements(f"{PIN}{line}\n")) == [fault]


def test_a_host_or_a_missing_hash_in_the_npm_lock_is_caught():
    sound = {"version": "1", "integrity": "sha512-00", "funding": {"url": "https://a.example"}}
    lock = {"packages": {"": {}, "node_modules/a": sound}}
    assert list(check_locks.faults_in_npm_lock(lock)) == []
    lock["packages"]["node_modules/b"] = {"resolved": "https://a.example/b.tgz"}
    assert list(check_locks.faults_in_npm_lock(lock)) == [
        "node_modules/b names a host",
        "node_modules/b has no integrity hash",
    ]


def test_a_lock_with_a_host_fails_the_check(tmp_path: Path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "package-lock.json").write_text(json.dumps({"packages": {}}))
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-peers.lock"):
        (tmp_path / name).write_text(PIN)
    assert check_locks.main(tmp_path) == 0
    (tmp_path / "requirements.lock").write_text("--find-links wheels\n" + PIN)
    assert check_locks.main(tmp_path) == 1


def test_a_file_or_a_function_that_grew_too_long_is_caught(tmp_path: Path):
    good, long_file, long_function = (tmp_path / name for name in ("good.py", "page.ts", "flow.py"))
    good.write_text("def f():\n" + "    pass\n" * 59)
    long_file.write_text("//\n" * 401)
    long_function.write_text("def f():\n" + "    pass\n" * 60)
    assert check_size.main([good]) == 0
    assert check_size.main([good, long_file]) == 1
    assert list(check_size.oversized(long_function)) == [f"{long_function}:1: f has 61 lines, at most 60"]


def test_the_size_check_looks_at_our_files_and_not_at_installed_ones():
    files = {str(path.relative_to(CHECKOUT)) for path in check_size.source_files(CHECKOUT)}
    assert {"dispatch/settings.py", "tools/check_size.py", "web/vite.config.ts"} <= files
    assert not any("node_modules" in name or ".venv" in name or "/dist/" in name for name in files)


def test_bare_make_prints_every_target_with_what_it_does():
    printed = subprocess.run(["make"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for target in ("setup", "run", "demo", "test", "check", "bench", "lock"):
        assert f"make {target} " in printed
