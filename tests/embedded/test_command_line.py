"""`python -m dispatch`: what is wrong is one line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dispatch.embedded.ports import free_port
from dispatch.settings import CHECKOUT

SERVERS = {"DISPATCH_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d", "DISPATCH_REDIS_URL": "redis://127.0.0.1:1/0"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dispatch", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["serve", "web", "clock", "doctor"])
def test_a_misspelt_variable_stops_every_command(command):
    ran = run(command, **SERVERS, DISPATCH_PROT="8001")
    text = ran.stdout + ran.stderr
    assert ran.returncode == (1 if command == "doctor" else 2)
    assert "DISPATCH_PROT is not a setting of this program; did you mean DISPATCH_PORT?" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("command", ["web", "worker", "clock", "relay", "migrate"])
def test_a_single_process_without_servers_says_what_to_set(command):
    ran = run(command)
    assert ran.returncode == 2
    assert ran.stderr.strip() == (
        "dispatch: DISPATCH_DATABASE_URL is not set: set it, or start the whole system with `python -m dispatch serve`."
    )


@pytest.mark.parametrize("arguments", [["key", "--scope", "operator"], ["user", "lan"]])
def test_a_command_for_a_running_system_says_how_to_start_one(arguments, ground: Path):
    ran = run(*arguments, DISPATCH_DATA_DIR=str(ground / "nothing-here"))
    assert ran.returncode == 2
    assert "start it with `make run` in another terminal" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_start_that_is_impossible_is_told_apart_from_a_wrong_setting(ground: Path):
    (ground / "a-file").write_text("")
    ran = run("serve", DISPATCH_DATA_DIR=str(ground / "a-file" / "var"), DISPATCH_PORT=str(free_port()))
    assert ran.returncode == 1
    assert "cannot be used as data directory" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_unknown_command_or_argument_is_refused():
    assert run("beat").returncode == 2
    ran = run("doctor", "--everything")
    assert ran.returncode == 2
    assert "unknown argument: --everything" in ran.stderr


def test_a_python_without_the_packages_is_told_to_run_setup():
    bare = subprocess.run(
        [sys.executable, "-S", "-m", "dispatch", "doctor"], cwd=CHECKOUT, capture_output=True, text=True, timeout=60
    )
    assert bare.returncode == 1
    assert "run `make setup`" in bare.stderr
    assert "Traceback" not in bare.stderr
