"""A child that asked to die with its parent does, however the parent ended."""

from __future__ import annotations

import signal
import subprocess
import sys

from dispatch.settings import CHECKOUT
from tests.embedded.waiting import alive, eventually

CHILD = """
import os, signal
from dispatch.lifeline import die_with_parent
die_with_parent(signal.SIGKILL, parent={parent})
print(os.getpid(), flush=True)
signal.pause()
"""
PARENT = """
import signal, subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1]])
signal.pause()
"""


def test_a_child_ends_when_its_parent_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD.format(parent="os.getppid()")],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = {int(parent.stdout.readline())}
    assert alive(child) == child
    parent.kill()
    parent.wait(10)
    parent.stdout.close()
    eventually(lambda: not alive(child), 10)


def test_a_child_whose_parent_was_gone_before_it_asked_ends_at_once():
    ran = subprocess.run([sys.executable, "-c", CHILD.format(parent=-1)], cwd=CHECKOUT, capture_output=True, timeout=30)
    assert ran.returncode == -signal.SIGKILL
    assert ran.stdout == b""
