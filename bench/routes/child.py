"""The process in which one engine works: `python -m bench.routes.child ENGINE [CORE]`, questions in, answers out."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import pickle
import sys
import time
from typing import IO, Any

from bench.routes.process import peak_mb


def main(engine: str, core: str = "") -> int:
    """Say hello with the engine's version, then answer (case, ask) until the questions end."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what engines print is no answer
    if core:
        os.sched_setaffinity(0, {int(core)})
    try:
        module = importlib.import_module(f"bench.routes.engines.{engine}")
    except ImportError as error:
        _say(answers, {"missing": str(error)})
        return 0
    if hasattr(module, "prepare"):
        module.prepare()
    version = module.version() if hasattr(module, "version") else importlib.metadata.version(module.PACKAGE)
    _say(answers, {"version": version})
    while True:
        try:
            case, ask = pickle.load(sys.stdin.buffer)
        except EOFError:
            return 0
        _say(answers, _answer(module, case, ask))


def _answer(module: Any, case: Any, ask: Any) -> dict[str, Any]:
    if hasattr(module, "load"):
        module.load(case, ask)
    worked, began = time.process_time(), time.perf_counter()
    try:
        told: dict[str, Any] = {"routes": module.solve(case, ask)}
    except Exception as error:  # noqa: BLE001 — an engine that fails has a row that says so
        told = {"failure": f"{type(error).__name__}: {error}"}
    told |= {"seconds": time.perf_counter() - began, "cpu_s": time.process_time() - worked, "peak_mb": peak_mb()}
    if hasattr(module, "orders") and "routes" in told:
        told["routes"] = module.orders(case, told["routes"])
    return told | {"trace": list(getattr(module, "trace", []))}


def _say(answers: IO[bytes], told: dict[str, Any]) -> None:
    pickle.dump(told, answers)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
