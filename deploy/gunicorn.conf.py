"""gunicorn's settings, the same in the one-machine mode and in the image; what may vary comes from DISPATCH_*."""

import gc
import os
import shutil
import signal
from pathlib import Path

from api.doorstep import Worker
from dispatch.lifeline import die_with_parent
from dispatch.settings import load

_settings = load(servers=True)

bind = [f"[{_settings.bind}]:{_settings.port}" if ":" in _settings.bind else f"{_settings.bind}:{_settings.port}"]
proc_name = "dieu-tin-web"

# Each live stream (SSE) holds a thread, so threads are many and cheap; the processes make use of the cores.
worker_class = Worker
workers = _settings.web_workers
threads = _settings.web_threads

# Rules and places are read once, before the workers part: they start faster and share the memory. While they are read
# there is no garbage to look for (a third of the time), and what is there when the workers part is never any.
preload_app = True
gc.disable()
timeout = 60
graceful_timeout = 5
keepalive = 30
# The worker's sign of life is a file it touches: in memory, so that a busy disk cannot make it look dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
control_socket_disable = True

accesslog = None
errorlog = "-"
capture_output = False

# Counters of all web processes add up in files; the library reads this variable when it is first imported. They begin
# anew with the arbiter: files of processes that are gone would be added up for ever.
_gauges = _settings.data_dir / "gauges"
try:
    shutil.rmtree(_gauges, ignore_errors=True)
    _gauges.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_gauges)
except OSError:
    pass  # a read-only place: each process then shows its own counters


def pre_fork(server, worker):
    """What all workers share stays shared: the collector must not touch it."""
    gc.freeze()


def post_fork(server, worker):
    """A worker must not outlive its arbiter: it would keep the port from the next one."""
    gc.enable()
    die_with_parent(signal.SIGKILL, parent=server.pid)
