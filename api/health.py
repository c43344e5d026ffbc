"""Is it alive, is it ready, what do the gauges say."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from dispatch.bootstrap import System
from dispatch.domain.errors import DispatchError
from dispatch.queue import broker_answers

FRESH_S = 15
"""A process that has not been heard of for so long counts as down."""

_CALLS = Counter("dispatch_http_requests_total", "HTTP calls answered", ["method", "endpoint", "status"])
_SECONDS = Histogram(
    "dispatch_http_seconds", "Seconds an HTTP call took", ["endpoint"], buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10)
)


def observe(method: str, endpoint: str, status: int, seconds: float) -> None:
    """Count one answered call."""
    _CALLS.labels(method, endpoint, str(status)).inc()
    _SECONDS.labels(endpoint).observe(seconds)


def pulse(system: System) -> dict[str, dict[str, Any]]:
    """The state of each part: `ok | late | down` and the age of its last sign of life in seconds."""
    now = datetime.now(UTC)
    with system.store.begin() as session:
        beats = session.access.heartbeats()
        waiting, since = session.notices.backlog()
    parts: dict[str, dict[str, Any]] = {}
    for name in ("worker", "clock", "relay"):
        at = beats[name][0] if name in beats else None
        age = None if at is None else max(0, round((now - at).total_seconds()))
        state = "down" if age is None or age > FRESH_S else ("late" if age > FRESH_S / 2 else "ok")
        parts[name] = {"state": state, "age_s": age}
    age = 0 if since is None else max(0, round((now - since).total_seconds()))
    answers = broker_answers(system.settings.redis_url)
    state = "down" if not answers else ("late" if age > FRESH_S else "ok")
    parts["queue"] = {"state": state, "age_s": age, "waiting": waiting}
    return parts


def _json(body: dict[str, Any], status: int = 200) -> tuple[dict[str, Any], int]:
    return body, status


def _healthz() -> Any:
    return _json({"status": "ok"})


def _readyz() -> Any:
    system: System = current_app.extensions["system"]
    try:
        parts = pulse(system)
    except DispatchError as error:
        return _json({"status": "down", "checks": {"database": {"state": "down", "reason": error.en}}}, 503)
    checks = {"database": {"state": "ok"}, **parts}
    needed = all(checks[name]["state"] != "down" for name in ("database", "queue", "clock"))
    whole = all(check["state"] == "ok" for check in checks.values())
    return _json(
        {"status": "ok" if whole else ("degraded" if needed else "down"), "checks": checks}, 200 if needed else 503
    )


def _metrics() -> Response:
    system: System = current_app.extensions["system"]
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_CALLS)
        registry.register(_SECONDS)
    own = CollectorRegistry()
    with system.store.begin() as session:
        counted = session.queries.gauges()
        waiting, since = session.notices.backlog()
        beats = session.access.heartbeats()
    now = datetime.now(UTC)
    for name, rows in counted.items():
        gauge = Gauge(f"dispatch_{name}", f"Number of {name} by state", ["state"], registry=own)
        for state, count in rows.items():
            gauge.labels(state).set(count)
    Gauge("dispatch_outbox_waiting", "Tasks not yet handed to the queue", registry=own).set(waiting)
    age = 0.0 if since is None else (now - since).total_seconds()
    Gauge("dispatch_outbox_age_seconds", "Age of the oldest waiting task", registry=own).set(age)
    beat = Gauge("dispatch_heartbeat_age_seconds", "Seconds since a process was heard of", ["process"], registry=own)
    for name, (at, _) in beats.items():
        beat.labels(name).set((now - at).total_seconds())
    return Response(generate_latest(registry) + generate_latest(own), content_type=CONTENT_TYPE_LATEST)


def register(app: Flask) -> None:
    """Add the three addresses."""
    app.add_url_rule("/healthz", "healthz", _healthz)
    app.add_url_rule("/readyz", "readyz", _readyz)
    app.add_url_rule("/metrics", "metrics", _metrics)
